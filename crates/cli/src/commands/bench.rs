//! `marquee bench`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use marquee_app::Workspace;
use marquee_app::bench::{Figure, What, measure, write_films};
use serde_json::{Value, json};

use crate::context::Context;
use crate::show;

/// Flags of `marquee bench`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee bench --megabytes 1000\n\nEach part runs in a process of its own, in a folder that is removed afterwards."
)]
pub(crate) struct Args {
    /// Only this part: ingest, train, forecast or slate.
    #[arg(long, value_parser = part)]
    only: Option<What>,
    /// Size of the generated CSV.
    #[arg(long, default_value_t = 1_000, value_name = "MB")]
    megabytes: u64,
    /// A folder with the peers' scripts, run on the same CSV where their Python packages are there; none where this
    /// folder is not.
    #[arg(long, value_name = "DIR", default_value = "benches/peers")]
    peers: PathBuf,
    /// The Python that runs them.
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// Measure in this process and in this folder.
    #[arg(long, hide = true, requires = "only")]
    inside: Option<PathBuf>,
}

fn part(word: &str) -> Result<What, String> {
    What::ALL
        .into_iter()
        .find(|w| w.as_str() == word)
        .ok_or_else(|| "one of ingest, train, forecast, slate".to_owned())
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<ExitCode> {
    if let (Some(folder), Some(what)) = (&args.inside, args.only) {
        let figures = measure(what, &Workspace::at(folder), args.megabytes, context.seed()).await?;
        println!("{}", Value::from(figures.iter().map(wire).collect::<Vec<_>>()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut parts = Vec::new();
    for what in What::ALL.into_iter().filter(|w| args.only.is_none_or(|o| o == *w)) {
        context.control.step(what.as_str(), 0, 1);
        parts.push((what.as_str().to_owned(), measure_apart(what, args)?));
    }
    if args.peers.is_dir() && args.only.is_none_or(|o| o == What::Ingest) {
        let peers = run_peers(context, args).unwrap_or_else(|why| {
            vec![(
                "peers".to_owned(),
                json!([{ "name": "skipped", "value": format!("{why:#}"), "unit": "" }]),
            )]
        });
        parts.extend(peers);
        parts.extend(beside_peers(&parts));
    }
    let document = json!({
        "parts": parts.iter().map(|(name, figures)| json!({ "part": name, "figures": figures })).collect::<Vec<_>>(),
    });
    context.answer(&document, || {
        let mut table = show::table(&["part", "figure", "value"], false);
        for (name, figures) in &parts {
            for f in figures.as_array().into_iter().flatten() {
                let value = f["value"].as_f64().map_or_else(|| f["value"].to_string(), |v| format!("{v:.3}"));
                table.add_row([name.clone(), text(&f["name"]), format!("{value} {}", text(&f["unit"]))]);
            }
        }
        format!("{table}\n")
    })
}

fn wire(f: &Figure) -> Value {
    json!({ "name": f.name, "value": f.value, "unit": f.unit })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Runs one part in a process of its own and in a folder that is removed afterwards.
fn measure_apart(what: What, args: &Args) -> Result<Value> {
    let folder = Scratch::new()?;
    let program = std::env::current_exe().context("cannot find the running program")?;
    let output = Command::new(program)
        .args(["bench", "--only", what.as_str(), "--megabytes", &args.megabytes.to_string(), "--inside"])
        .arg(&folder.0)
        .output()
        .context("cannot run a part in a process of its own")?;
    if !output.status.success() {
        bail!("{} failed: {}", what.as_str(), String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("a part printed no figures")
}

/// Our ingest's speed over that of the faster peer; nothing where no peer ran.
fn beside_peers(parts: &[(String, Value)]) -> Option<(String, Value)> {
    let speed = |figures: &Value| {
        let all = figures.as_array().into_iter().flatten();
        all.filter(|f| f["name"] == "speed").find_map(|f| f["value"].as_f64())
    };
    let ours = parts.iter().find(|(name, _)| name == What::Ingest.as_str()).and_then(|(_, f)| speed(f))?;
    let peers = parts.iter().filter(|(name, _)| name != What::Ingest.as_str());
    let (name, theirs) =
        peers.filter_map(|(name, f)| Some((name, speed(f)?))).max_by(|a, b| a.1.total_cmp(&b.1))?;
    let figures = json!([{ "name": format!("ingest over {name}"), "value": ours / theirs, "unit": "×" }]);
    Some(("ratio".to_owned(), figures))
}

fn run_peers(context: &Context, args: &Args) -> Result<Vec<(String, Value)>> {
    let folder = Scratch::new()?;
    let table = folder.0.join("films.csv");
    write_films(&table, args.megabytes, context.seed())?;
    let output = Command::new(&args.python)
        .arg(args.peers.join("ingest_peer.py"))
        .arg(&table)
        .output()
        .with_context(|| format!("cannot run {}", args.python))?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let mut parts = Vec::new();
    for peer in lines.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()) {
        let name = format!("{} {}", text(&peer["peer"]), text(&peer["version"]));
        let figure =
            |key: &str, name: &str, unit: &str| json!({ "name": name, "value": peer[key], "unit": unit });
        let figures = match &peer["skipped"] {
            Value::String(why) => json!([{ "name": "skipped", "value": why, "unit": "" }]),
            _ => json!([
                figure("seconds", "time", "s"),
                figure("mb_per_s", "speed", "MB/s"),
                figure("peak_rss_mb", "peak memory", "MB")
            ]),
        };
        parts.push((name, figures));
    }
    if parts.is_empty() {
        bail!("the peers printed nothing: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(parts)
}

/// A folder that is removed when it is let go.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let base = std::env::temp_dir().join(format!("marquee-bench-{}", std::process::id()));
        std::fs::create_dir_all(&base).with_context(|| format!("cannot make {}", base.display()))?;
        Ok(Self(base))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-over files in the system's temporary folder do no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
