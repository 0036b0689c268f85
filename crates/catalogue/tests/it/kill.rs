//! A process that is killed in the middle of ingests: the lake opens, what was acknowledged is there, and nothing else.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::common::{HEAD, House, MAP, options};
use marquee_catalogue::{FactFilter, Lake, Mapping, Source};
use marquee_domain::{Control, FactKind, Progress};

const FOLDER: &str = "MARQUEE_TEST_KILLED_FOLDER";
const ROWS: usize = 40_000;

/// Says every step aloud, so that the parent can choose one to kill at.
struct Aloud;

impl Progress for Aloud {
    fn step(&self, _: &str, _: u64, _: u64) {
        say("step");
    }
}

fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@{word}").and_then(|()| out.flush()).unwrap();
}

/// The child: ingests one source after the other until it is killed. In a test run of its own it does nothing.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lake = runtime.block_on(Lake::open(&folder.join("lake").to_string_lossy())).unwrap();
    for i in 0..50 {
        let map = Mapping::parse(&MAP.replace("\"mine\"", &format!("\"s{i}\"")), "t").unwrap();
        let source = Source { path: folder.join("mine.csv"), map, priority: i };
        let control = Control::with_progress(Arc::new(Aloud));
        runtime.block_on(lake.ingest(&source.into(), &options(), &control)).unwrap();
        say("done");
    }
}

#[test]
fn killed_at_any_moment_the_lake_is_whole() {
    for round in 0..24 {
        let house = House::new();
        let rows: String = (0..ROWS).map(|i| format!("{i},Title {i},2001-01-01,5,,,,x|y\n")).collect();
        house.file("mine.csv", format!("{HEAD}{rows}").as_bytes());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["kill::child", "--exact", "--nocapture"])
            .env(FOLDER, house.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = 0;
        // Another number of steps in each round, so that the kill falls before, in and after writes.
        for _ in 0..=round {
            let said = lines.by_ref().map_while(Result::ok).find(|l| l.starts_with('@'));
            acknowledged += usize::from(said.as_deref() == Some("@done"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged += lines.map_while(Result::ok).filter(|l| l == "@done").count();
        let snapshot = house.wait(house.lake.snapshot()).unwrap();
        let check = house.wait(snapshot.check()).unwrap();
        let held = snapshot.sources().len();
        assert!(
            check.is_sound() && (acknowledged..=acknowledged + 1).contains(&held),
            "{acknowledged} {held} {check:?}"
        );
        let filter = FactFilter { kinds: vec![FactKind::Budget], ..FactFilter::default() };
        assert_eq!(house.wait(snapshot.all_facts(&filter)).unwrap().len(), held * ROWS);
    }
}
