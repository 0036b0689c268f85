//! Laws of the chain: whatever is flipped, cut or rewritten is found, whatever is erased lawfully stays intact.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use chrono::DateTime;
use common::{append, database, extend, open, tamper, verify};
use marquee_platform::{Damage, Head, Stream, Verification};
use proptest::prelude::*;

const ENTRIES: u64 = 6;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

/// A folder with a closed ledger of [`ENTRIES`] entries.
fn recorded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(extend(folder.path(), ENTRIES));
    folder
}

async fn column(folder: &Path, column: &str, seq: u64) -> Vec<u8> {
    use sqlx::{ConnectOptions as _, Row as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database(folder));
    let mut connection = options.connect().await.unwrap();
    let sql = format!("SELECT {column} FROM ledger_entry WHERE seq = {seq}");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    row.try_get_unchecked(0).unwrap()
}

fn literal(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{hex}'")
}

#[test]
fn any_flipped_bit_is_found() {
    let folder = recorded();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_store, ledger) = runtime.block_on(open(folder.path()));
    let case = (
        prop::sample::select(vec!["payload", "salt", "payload_hash", "prev_mac", "mac"]),
        1..=ENTRIES,
        any::<prop::sample::Index>(),
        0..8u8,
    );
    let config = ProptestConfig::with_cases(200);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&case, |(name, seq, index, bit)| {
        runtime.block_on(async {
            let before = column(folder.path(), name, seq).await;
            let mut after = before.clone();
            after[index.index(before.len())] ^= 1 << bit;
            let set = |bytes: &[u8]| {
                format!("UPDATE ledger_entry SET {name} = {} WHERE seq = {seq}", literal(bytes))
            };
            tamper(folder.path(), &set(&after)).await;
            let found = ledger.verify(&Stream::track(), None).await.unwrap();
            let read = ledger.read(&Stream::track(), seq, 1).await;
            tamper(folder.path(), &set(&before)).await;
            let what = match name {
                "payload" | "salt" => Damage::FlippedPayload,
                _ => Damage::FlippedChain,
            };
            prop_assert_eq!(found, Verification::Broken { seq, what });
            prop_assert!(read.is_err(), "the entry was read all the same");
            Ok(())
        })
    });
    outcome.unwrap();
    let found = runtime.block_on(ledger.verify(&Stream::track(), None));
    assert!(found.unwrap().is_intact());
}

fn check_tampered(sql: &str, seq: u64, what: Damage) {
    let folder = recorded();
    run(tamper(folder.path(), sql));
    let found = run(verify(folder.path()));
    assert_eq!(found, Verification::Broken { seq, what }, "{sql}");
}

#[test]
fn other_changes_without_the_key_are_found() {
    use Damage::{FlippedChain, MissingEntry, UnrecordedErasure};
    check_tampered("DELETE FROM ledger_entry WHERE seq = 3", 3, MissingEntry);
    check_tampered("DELETE FROM ledger_entry WHERE seq = 1", 1, MissingEntry);
    check_tampered("UPDATE ledger_entry SET recorded_at = recorded_at - 1 WHERE seq = 2", 2, FlippedChain);
    check_tampered("UPDATE ledger_entry SET kind = 'actual' WHERE seq = 4", 4, FlippedChain);
    check_tampered("UPDATE ledger_entry SET format = 0 WHERE seq = 4", 4, FlippedChain);
    check_tampered("UPDATE ledger_entry SET payload = NULL, salt = NULL WHERE seq = 5", 5, UnrecordedErasure);
    let swap = "UPDATE ledger_entry SET seq = 99 WHERE seq = 2; \
                UPDATE ledger_entry SET seq = 2 WHERE seq = 3; \
                UPDATE ledger_entry SET seq = 3 WHERE seq = 99";
    check_tampered(swap, 2, FlippedChain);
    let forged = "INSERT INTO ledger_entry SELECT stream, 7, format, recorded_at, kind, payload_hash, mac, mac, salt, payload \
                  FROM ledger_entry WHERE seq = 6";
    check_tampered(forged, 7, FlippedChain);
}

/// One byte in the file itself, as a bad disk or a hex editor changes it.
#[test]
fn a_byte_flipped_in_the_file_is_found() {
    let folder = recorded();
    let path = database(folder.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = br#""number":4"#;
    let at = bytes.windows(needle.len()).position(|piece| piece == needle);
    bytes[at.unwrap() + needle.len() - 1] = b'5';
    std::fs::write(&path, bytes).unwrap();
    let what = Damage::FlippedPayload;
    assert_eq!(run(verify(folder.path())), Verification::Broken { seq: 4, what });
}

#[test]
fn any_cut_tail_is_found() {
    for left in 0..ENTRIES {
        let folder = recorded();
        let cut = format!("DELETE FROM ledger_entry WHERE seq > {left}");
        run(tamper(folder.path(), &cut));
        let cut = Verification::CutTail { expected: ENTRIES, found: left };
        assert_eq!(run(verify(folder.path())), cut);
    }
}

fn copy(from: &Path, to: &Path, names: &[&str]) {
    for name in names {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// Somebody with the key goes back to entry `kept` and writes `written` others. What the anchor file of the honest
/// ledger says of it, and the head that its owner had kept.
async fn rewrite(kept: u64, honest: u64, written: u64, anchors_too: bool) -> (Verification, Verification) {
    let folder = tempfile::tempdir().unwrap();
    let forger = tempfile::tempdir().unwrap();
    extend(folder.path(), kept).await;
    let files = ["state.db", "ledger.key", "heads.log"];
    copy(folder.path(), forger.path(), &files);
    extend(folder.path(), honest).await;
    let (store, ledger) = open(folder.path()).await;
    let head = ledger.head(&Stream::track()).await.unwrap().unwrap();
    store.close().await;

    extend(forger.path(), written).await;
    copy(forger.path(), folder.path(), if anchors_too { &files } else { &files[..1] });
    let (store, ledger) = open(folder.path()).await;
    let inside = ledger.verify(&Stream::track(), None).await.unwrap();
    let exported = head.to_string().parse::<Head>().unwrap();
    let outside = ledger.verify(&Stream::track(), Some(&exported)).await.unwrap();
    store.close().await;
    (inside, outside)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_tail_rewritten_with_the_key_is_found(kept in 0..4u64, honest in 1..4u64, written in 1..5u64) {
        let rewritten = Verification::RewrittenTail { at_seq: kept + 1 };
        let (inside, outside) = run(rewrite(kept, honest, written, false));
        prop_assert_eq!(&inside, &rewritten);
        prop_assert_eq!(&outside, &rewritten);
    }

    #[test]
    fn a_head_kept_outside_finds_what_the_owner_rewrote_in_both_files(kept in 0..3u64, honest in 1..4u64, written in 1..5u64) {
        let (inside, outside) = run(rewrite(kept, honest, written, true));
        prop_assert!(inside.is_intact(), "{}", inside);
        let wanted = if written >= honest {
            Verification::RewrittenTail { at_seq: kept + honest }
        } else {
            Verification::CutTail { expected: kept + honest, found: kept + written }
        };
        prop_assert_eq!(outside, wanted);
    }

    #[test]
    fn erasing_keeps_the_ledger_intact(erased in prop::collection::btree_set(1..=5u64, 0..5)) {
        let found = run(async {
            let folder = tempfile::tempdir().unwrap();
            let (_store, ledger) = open(folder.path()).await;
            for number in 1..=5 {
                append(&ledger, &Stream::track(), number).await;
            }
            for seq in &erased {
                ledger.erase(&Stream::track(), *seq, "asked for", DateTime::UNIX_EPOCH).await.unwrap();
            }
            ledger.verify(&Stream::track(), None).await.unwrap()
        });
        let wanted = 5 + erased.len() as u64;
        prop_assert!(matches!(found, Verification::Intact { entries, .. } if entries == wanted), "{}", found);
    }
}
