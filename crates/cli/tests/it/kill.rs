//! `kill -9` at 50 random moments, 25 while the binary ingests and 25 while it records forecasts: afterwards the lake
//! opens, the ledger verifies, what was acknowledged is there, and nothing half-written is visible.
//!
//! Acknowledged is what a user sees as done: the document on standard output. A run that had said so before it was hit
//! must have kept its word, but is none of the 50. A kill counts as *in mid-write* where the files had begun to change and
//! nothing was acknowledged yet; at least 40 of the 50 must be.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::common::{ask, command, films};

const KILLS_OF_EACH: usize = 25;
const IN_MID_WRITE: usize = 20;
const ROWS: i64 = 100_000;
/// Runs of each kind at most: on a busy machine many are done before they are hit.
const ROUNDS: usize = 150;
/// A child that does nothing for so long will not begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of one killed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    BeforeWriting,
    InMidWrite,
    /// It was done, and had said so.
    Acknowledged,
}

/// A run of the binary whose answer goes to a file, so that what it said before it died can be read.
struct Run {
    child: Child,
    answer: PathBuf,
}

impl Run {
    fn start(data: &Path, args: &[&str]) -> Self {
        let answer = data.with_extension("answer");
        let child = command(data, &[args, &["--json"]].concat())
            .stdout(File::create(&answer).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, answer }
    }

    /// Waits until `changed`, or until the run ends.
    fn wait_until(&mut self, changed: impl Fn() -> bool) {
        let began = Instant::now();
        while !changed() && self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "the run did not begin to write");
            std::hint::spin_loop();
        }
    }

    /// Lets it live for `more`, kills it and says what became of it.
    fn kill(mut self, more: Duration, changed: impl Fn() -> bool) -> Killed {
        let until = Instant::now() + more;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let said = fs::read(&self.answer).unwrap();
        match serde_json::from_slice::<Value>(&said) {
            Ok(_) => Killed::Acknowledged,
            Err(_) if changed() => Killed::InMidWrite,
            Err(_) => Killed::BeforeWriting,
        }
    }
}

/// How long an undisturbed run takes from its first change to its end.
fn undisturbed(data: &Path, args: &[&str], changed: impl Fn() -> bool) -> Duration {
    let mut run = Run::start(data, args);
    run.wait_until(changed);
    let began = Instant::now();
    assert!(run.child.wait().unwrap().success());
    began.elapsed()
}

fn in_mid_write(kills: &[Killed]) -> usize {
    kills.iter().filter(|k| **k == Killed::InMidWrite).count()
}

/// Whether enough runs were hit before they had said that they were done.
fn enough(kills: &[Killed]) -> bool {
    kills.iter().filter(|k| **k != Killed::Acknowledged).count() >= KILLS_OF_EACH
}

fn no_finding_is_bad(data: &Path) {
    let doctor = ask(data, &["doctor"]);
    let bad: Vec<&Value> =
        doctor["findings"].as_array().unwrap().iter().filter(|f| f["health"] == "bad").collect();
    assert!(bad.is_empty(), "{bad:?}");
}

/// Files below a folder.
fn files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|e| if e.path().is_dir() { files(&e.path()) } else { 1 }).sum()
}

fn write_map(folder: &Path, source: &str) -> PathBuf {
    let path = folder.join(format!("{source}.toml"));
    let map = format!(
        "name = \"{source}\"\nid = [{{ space = \"house\", column = \"id\" }}]\n\
         release = {{ column = \"opens\" }}\nunique = [\"id\"]\n\
         column = [{{ from = \"title\", kind = \"name\" }}, {{ from = \"cost\", kind = \"budget\" }}]\n"
    );
    fs::write(&path, map).unwrap();
    path
}

#[test]
fn an_ingest_that_is_killed_leaves_nothing_behind_that_can_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("films.csv");
    let rows: String = (0..ROWS).map(|i| format!("{i},Title {i},2001-01-01,5000000\n")).collect();
    fs::write(&table, format!("id,title,opens,cost\n{rows}")).unwrap();
    let data = folder.path().join("data");
    let source = |name: &str| {
        let map = write_map(folder.path(), name);
        let args =
            ["ingest".to_owned(), table.display().to_string(), "--map".to_owned(), map.display().to_string()];
        (args, data.join("lake/data/film").join(name))
    };
    let (args, place) = source("whole");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let span = undisturbed(&data, &args, || files(&place) > 0);
    let mut random = ChaCha8Rng::seed_from_u64(50);
    let (mut kills, mut seen) = (Vec::new(), 1);
    for round in 0..ROUNDS {
        if enough(&kills) {
            break;
        }
        let (args, place) = source(&format!("round{round}"));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let changed = || files(&place) > 0;
        let mut run = Run::start(&data, &args);
        run.wait_until(changed);
        kills.push(run.kill(span.mul_f64(random.random_range(0.0..0.95)), changed));
        let of_source =
            format!("SELECT count(*) FROM facts WHERE kind = 'budget' AND source = 'round{round}'");
        let held = ask(&data, &["sql", &of_source])["rows"][0][0].as_i64().unwrap();
        let acknowledged = kills.last() == Some(&Killed::Acknowledged);
        assert!(held == ROWS || (held == 0 && !acknowledged), "round {round}: {held} rows, {kills:?}");
        seen += usize::from(held == ROWS);
    }
    no_finding_is_bad(&data);
    let all = ask(&data, &["sql", "SELECT count(*) FROM facts WHERE kind = 'budget'"]);
    assert_eq!(all["rows"][0][0].as_i64().unwrap(), seen as i64 * ROWS);
    assert!(enough(&kills) && in_mid_write(&kills) >= IN_MID_WRITE, "{kills:?}");
}

#[test]
fn a_recording_that_is_killed_is_whole_or_absent() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    ask(&data, &["ingest", films().to_str().unwrap()]);
    let args = ["forecast", "Apocalypto", "--as-of", "2006-06-01", "--record"];
    // The first fits the model, the second shows how long a recording takes once it has begun.
    ask(&data, &args);
    let state = || fs::metadata(data.join("state.db-wal")).map(|m| m.len()).unwrap_or(0);
    let began_with = state();
    let span = undisturbed(&data, &args, || state() != began_with);
    let mut random = ChaCha8Rng::seed_from_u64(51);
    let (mut kills, mut acknowledged) = (Vec::new(), 2);
    for round in 0..ROUNDS {
        if enough(&kills) {
            break;
        }
        let before = state();
        let changed = || state() != before;
        let mut run = Run::start(&data, &args);
        run.wait_until(changed);
        kills.push(run.kill(span.mul_f64(random.random_range(0.0..0.5)), changed));
        acknowledged += u64::from(kills.last() == Some(&Killed::Acknowledged));
        let track = ask(&data, &["track", "--limit", "1000"]);
        let entries = track["entries"].as_array().unwrap();
        let possible = acknowledged..=acknowledged + kills.len() as u64;
        assert_eq!(track["intact"], true, "round {round}: {}", track["verification"]);
        assert!(
            possible.contains(&(entries.len() as u64)),
            "round {round}: {} entries, {kills:?}",
            entries.len()
        );
        assert!(entries.iter().all(|e| e["forecast"]["quantiles"] == entries[0]["forecast"]["quantiles"]));
    }
    no_finding_is_bad(&data);
    assert!(enough(&kills) && in_mid_write(&kills) >= IN_MID_WRITE, "{kills:?}");
}
