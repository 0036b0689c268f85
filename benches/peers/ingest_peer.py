"""Peers of `marquee bench`'s ingest: DuckDB and Polars writing the same CSV to Parquet (zstd).

    python3 ingest_peer.py FILMS.csv [--peer duckdb|polars] [--threads N]

Prints one JSON object a line for each peer: {peer, version, seconds, mb_per_s, peak_rss_mb, threads, parquet_mb}, or
{peer, skipped} with a reason where its package is missing or it failed. MB are 10^6 bytes of CSV; the clock starts after
the package is imported and stops when the Parquet file is closed; peak_rss_mb is the highest resident memory of that
peer's process in 10^6 bytes. Each peer runs in a process of its own, streams, uses all threads unless told otherwise
and infers the types itself.
Neither checks any value, which Marquee does.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

PEERS = ("duckdb", "polars")


def duckdb_ingest(source, target, threads):
    import duckdb

    connection = duckdb.connect()
    if threads:
        connection.execute(f"SET threads = {threads}")
    # Row order costs DuckDB memory and parallelism, and no reader of the result asks for it.
    connection.execute("SET preserve_insertion_order = false")
    quote = lambda path: "'" + path.replace("'", "''") + "'"
    began = time.perf_counter()
    connection.execute(f"COPY (FROM read_csv({quote(source)})) TO {quote(target)} (FORMAT parquet, COMPRESSION zstd)")
    seconds = time.perf_counter() - began
    used = connection.execute("SELECT current_setting('threads')").fetchone()[0]
    return duckdb.__version__, seconds, used


def polars_ingest(source, target, threads):
    if threads:
        os.environ["POLARS_MAX_THREADS"] = str(threads)  # read once, when the package is imported
    import polars

    began = time.perf_counter()
    table = polars.scan_csv(source, try_parse_dates=True)
    table.sink_parquet(target, compression="zstd", maintain_order=False)
    return polars.__version__, time.perf_counter() - began, polars.thread_pool_size()


def measure(peer, source, threads):
    """Runs one peer in this process."""
    ingest = {"duckdb": duckdb_ingest, "polars": polars_ingest}[peer]
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "films.parquet")
        try:
            version, seconds, used = ingest(source, target, threads)
        except ImportError as error:
            return {"peer": peer, "skipped": f"{error}; install it with `pip install {peer}`"}
        except Exception as error:  # a peer that fails is reported, not hidden
            return {"peer": peer, "skipped": f"failed: {error}"}
        parquet_mb = os.path.getsize(target) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "peer": peer,
        "version": version,
        "seconds": round(seconds, 3),
        "mb_per_s": round(os.path.getsize(source) / 1e6 / seconds, 1),
        "peak_rss_mb": round(peak / 1e6, 1),
        "threads": used,
        "parquet_mb": round(parquet_mb, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="FILMS.csv")
    parser.add_argument("--peer", choices=PEERS, help="only this peer, in this process")
    parser.add_argument("--threads", type=int, default=0, help="threads to use (default: the peer's own choice)")
    options = parser.parse_args()
    if not os.path.isfile(options.source):
        parser.error(f"{options.source} is not a file")
    if options.peer:
        print(json.dumps(measure(options.peer, options.source, options.threads)))
        return
    for peer in PEERS:
        command = [sys.executable, __file__, options.source, "--peer", peer, "--threads", str(options.threads)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if run.returncode == 0:
            print(run.stdout.strip(), flush=True)
        else:
            print(json.dumps({"peer": peer, "skipped": f"its process ended with {run.returncode}"}), flush=True)


if __name__ == "__main__":
    main()
