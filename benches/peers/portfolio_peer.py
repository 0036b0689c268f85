"""The peer of the portfolio optimiser: cvxpy with Clarabel on the very same instances, in the same run.

    cargo build --release -p marquee-invest --example portfolio_bench
    python3 portfolio_peer.py target/release/examples/portfolio_bench [--repeats N]

Runs the given program, which writes its instances and prints its own medians, solves each instance with cvxpy and
Clarabel as often, and runs the program again: the slower of its two medians counts, as the load of a machine changes. Prints one JSON object a line for each problem: {problem, marquee_seconds, cvxpy_seconds,
clarabel_seconds, ratio, ratio_to_clarabel_alone, marquee_objective, cvxpy_objective, relative_difference, load}. Seconds are
medians. cvxpy_seconds go from arrays in memory to the answer, as marquee_seconds do; clarabel_seconds are what Clarabel
itself reports of that, so that ratio_to_clarabel_alone leaves out all that cvxpy adds. One warm-up solve of each is not
counted.

The peer is given its best form: CVaR as the linear program of Rockafellar and Uryasev; the covariance by its factors and
specific variances (sums of squares), not as a dense matrix.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import clarabel
import cvxpy as cp
import numpy as np

TAIL, AVERSION, CAP = 0.05, 5.0, 0.05  # as in portfolio_bench.rs


def cvar(folder):
    returns = np.load(os.path.join(folder, "returns.npy"))

    def build():
        scenarios, assets = returns.shape
        weights, threshold = cp.Variable(assets, nonneg=True), cp.Variable()
        excess = cp.Variable(scenarios, nonneg=True)
        risk = threshold + cp.sum(excess) / (TAIL * scenarios)
        return cp.Problem(cp.Minimize(risk), [excess >= -returns @ weights - threshold, cp.sum(weights) == 1])

    return build


def mean_variance(folder):
    mean, loadings, omega, specific = (
        np.load(os.path.join(folder, name + ".npy")) for name in ("mean", "loadings", "omega", "specific")
    )

    def build():
        weights, exposures = cp.Variable(len(mean)), cp.Variable(loadings.shape[1])
        root = np.linalg.cholesky(omega)
        variance = cp.sum_squares(exposures) + cp.sum_squares(cp.multiply(np.sqrt(specific), weights))
        rules = [exposures == (loadings @ root).T @ weights, cp.sum(weights) == 1, weights >= 0, weights <= CAP]
        return cp.Problem(cp.Maximize(mean @ weights - AVERSION / 2 * variance), rules)

    return build


def measure(build, repeats):
    """Median seconds in all and in Clarabel, and the objective."""
    whole, solver = [], []
    for turn in range(repeats + 1):
        began = time.perf_counter()
        problem = build()
        problem.solve(solver=cp.CLARABEL)
        if turn:
            whole.append(time.perf_counter() - began)
            solver.append(problem.solver_stats.solve_time)
    if problem.status != cp.OPTIMAL:
        raise SystemExit(f"cvxpy ended with {problem.status}")
    return statistics.median(whole), statistics.median(solver), float(problem.value)


def solved_by(command):
    """What the program prints, by problem."""
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {answer["problem"]: answer for answer in map(json.loads, run.stdout.splitlines())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="portfolio_bench")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    peers = {"cvar": cvar, "mean_variance": mean_variance}
    print(json.dumps({"cvxpy": cp.__version__, "clarabel": clarabel.__version__, "cores": os.cpu_count()}), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [options.program, folder, str(options.repeats)]
        before = solved_by(command)
        measured = {problem: measure(peers[problem](folder), options.repeats) for problem in before}
        after = solved_by(command)
        for problem, (seconds, alone, objective) in measured.items():
            ours = max(before[problem], after[problem], key=lambda run: run["seconds"])
            answer = {
                "problem": problem,
                "marquee_seconds": ours["seconds"],
                "cvxpy_seconds": round(seconds, 4),
                "clarabel_seconds": round(alone, 4),
                "ratio": round(seconds / ours["seconds"], 1),
                "ratio_to_clarabel_alone": round(alone / ours["seconds"], 1),
                "marquee_objective": ours["objective"],
                "cvxpy_objective": objective,
                "relative_difference": abs(objective - ours["objective"]) / abs(objective),
                "load": os.getloadavg()[0],
            }
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
