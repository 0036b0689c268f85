//! How fast and in how much memory a CSV is ingested: `ingest_rate FILE.csv MAP.toml [THREADS]`. Prints one line.

use marquee_catalogue::{IngestOptions, Lake, Source};
use marquee_domain::Control;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, map, rest @ ..] = arguments.as_slice() else {
        return Err("usage: ingest_rate FILE.csv MAP.toml [THREADS]".into());
    };
    let folder = tempfile::tempdir_in(".")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let lake = Lake::open(&folder.path().to_string_lossy()).await?;
        let options =
            IngestOptions { threads: rest.first().and_then(|t| t.parse().ok()), ..IngestOptions::now() };
        let source = Source::with_map(file, map.as_ref())?;
        for r in lake.ingest(&source.into(), &options, &Control::default()).await? {
            let rate = r.bytes as f64 / 1e6 / r.seconds;
            let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let peak = peak.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("").to_owned();
            println!(
                "{} rows, {} kept, {} refused, {:.2} s, {rate:.0} MB/s, {peak}",
                r.rows, r.kept_rows, r.refused_rows, r.seconds
            );
        }
        Ok(())
    })
}
