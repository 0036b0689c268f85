//! `kill -9` while entries are being recorded: afterwards the store opens, the ledger verifies, and every entry that was
//! acknowledged is there.
//!
//! The process that is killed is this test itself, run again with a folder and a URL in its environment. On PostgreSQL the
//! server lives on: what is tried is that it ends what the dead process had begun.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::places::{Place, places};
use common::{append, open, open_at};
use marquee_platform::{Integrity, Stream, Verification};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const FOLDER: &str = "MARQUEE_CRASH_FOLDER";
const STORE: &str = "MARQUEE_CRASH_STORE";
const KILLS: usize = 12;
const WRITERS: u64 = 4;

/// Not a test by itself: the process to be killed. Without a folder it has nothing to do.
#[test]
fn victim() {
    let (Ok(folder), Ok(url)) = (std::env::var(FOLDER), std::env::var(STORE)) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_store, ledger) = open_at(&url, Path::new(&folder)).await;
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let ledger = ledger.clone();
            tasks.spawn(async move {
                for number in 0.. {
                    let stream = [Stream::track(), Stream::audit()][(writer % 2) as usize].clone();
                    let entry = append(&ledger, &stream, number).await;
                    let line = format!("\nacknowledged {stream} {}\n", entry.seq);
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
        tasks.join_all().await;
    });
}

/// Lets the victim acknowledge `entries` and live for `more`, kills it; the last acknowledged entry of each stream.
fn kill_after(place: &Place, entries: usize, more: Duration) -> [u64; 2] {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["victim", "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, place.folder())
        .env(STORE, place.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut last = [0; 2];
    let mut note = |line: String| {
        let words: Vec<_> = line.split(' ').collect();
        let ["acknowledged", stream, seq] = words[..] else {
            return false;
        };
        let last = &mut last[usize::from(stream == "audit")];
        *last = seq.parse::<u64>().unwrap().max(*last);
        true
    };
    let mut seen = 0;
    while seen < entries {
        seen += usize::from(note(lines.next().unwrap().unwrap()));
    }
    let until = Instant::now() + more;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    // What it had said before it died counts. Its last line may be torn; the number in it is then too small.
    lines.map_while(Result::ok).for_each(|line| {
        note(line);
    });
    last
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for place in runtime.block_on(places()) {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        for kill in 0..KILLS {
            let entries = random.random_range(1..60);
            let more = Duration::from_micros(random.random_range(0..3_000));
            let acknowledged = kill_after(&place, entries, more);
            runtime.block_on(check_survival(&place, kill, acknowledged));
        }
    }
}

async fn check_survival(place: &Place, kill: usize, acknowledged: [u64; 2]) {
    let (store, ledger) = open(place).await;
    assert_eq!(store.check().await.unwrap(), Integrity::Sound);
    for (stream, acknowledged) in [Stream::track(), Stream::audit()].iter().zip(acknowledged) {
        let found = ledger.verify(stream, None).await.unwrap();
        let Verification::Intact { entries, .. } = found else {
            panic!("kill {kill}: {stream} is {found}");
        };
        assert!(
            entries >= acknowledged,
            "kill {kill}: {acknowledged} of {stream} acknowledged, {entries} found"
        );
    }
    store.close().await;
}
