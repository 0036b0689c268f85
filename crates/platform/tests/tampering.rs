//! Laws of the chain: whatever is flipped, cut or rewritten is found, whatever is erased lawfully stays intact.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use chrono::DateTime;
use common::places::{Place, places};
use common::{append, extend, open, verify};
use marquee_platform::{Damage, Head, StateStore, Stream, Verification};
use proptest::prelude::*;
use sqlx::{AssertSqlSafe, Connection as _};

const ENTRIES: u64 = 6;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

/// Places with a closed ledger of [`ENTRIES`] entries each.
async fn recorded() -> Vec<Place> {
    let places = places().await;
    for place in &places {
        extend(place, ENTRIES).await;
    }
    places
}

async fn column(place: &Place, column: &str, seq: u64) -> Vec<u8> {
    let mut connection = place.connect().await;
    let sql = format!("SELECT {column} FROM ledger_entry WHERE seq = {seq}");
    let value = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    value
}

async fn set_column(place: &Place, column: &str, seq: u64, value: &[u8]) {
    let mut connection = place.connect().await;
    let sql = format!("UPDATE ledger_entry SET {column} = $1 WHERE seq = {seq}");
    sqlx::query(AssertSqlSafe(sql)).bind(value.to_vec()).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[test]
fn any_flipped_bit_is_found() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for place in runtime.block_on(recorded()) {
        let (store, ledger) = runtime.block_on(open(&place));
        let case = (
            prop::sample::select(vec!["payload", "salt", "payload_hash", "prev_mac", "mac"]),
            1..=ENTRIES,
            any::<prop::sample::Index>(),
            0..8u8,
        );
        let config = ProptestConfig::with_cases(if place.is_sqlite() { 200 } else { 60 });
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let outcome = runner.run(&case, |(name, seq, index, bit)| {
            runtime.block_on(async {
                let before = column(&place, name, seq).await;
                let mut after = before.clone();
                after[index.index(before.len())] ^= 1 << bit;
                set_column(&place, name, seq, &after).await;
                let found = ledger.verify(&Stream::track(), None).await.unwrap();
                let read = ledger.read(&Stream::track(), seq, 1).await;
                set_column(&place, name, seq, &before).await;
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
        runtime.block_on(store.close());
    }
}

fn check_tampered(sql: &str, seq: u64, what: Damage) {
    run(async {
        for place in recorded().await {
            place.run(sql).await;
            let found = verify(&place).await;
            assert_eq!(found, Verification::Broken { seq, what }, "{sql}");
        }
    });
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
    let place = Place::sqlite();
    run(extend(&place, ENTRIES));
    let path = place.file();
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = br#""number":4"#;
    let at = bytes.windows(needle.len()).position(|piece| piece == needle);
    bytes[at.unwrap() + needle.len() - 1] = b'5';
    std::fs::write(&path, bytes).unwrap();
    let what = Damage::FlippedPayload;
    assert_eq!(run(verify(&place)), Verification::Broken { seq: 4, what });
}

#[test]
fn any_cut_tail_is_found() {
    for left in 0..ENTRIES {
        run(async {
            for place in recorded().await {
                place.run(&format!("DELETE FROM ledger_entry WHERE seq > {left}")).await;
                let cut = Verification::CutTail { expected: ENTRIES, found: left };
                assert_eq!(verify(&place).await, cut);
            }
        });
    }
}

fn copy_files(from: &Place, to: &Place) {
    for name in ["ledger.key", "heads.log"] {
        std::fs::copy(from.folder().join(name), to.folder().join(name)).unwrap();
    }
}

/// A store with its tables and no ledger: it takes PostgreSQL a while to make a database for each case.
async fn begin_anew(place: &Place) {
    StateStore::open(&place.url()).await.unwrap().close().await;
    place.run("DELETE FROM ledger_entry").await;
    for name in ["ledger.key", "heads.log"] {
        std::fs::remove_file(place.folder().join(name)).ok();
    }
}

/// Somebody with the key goes back to entry `kept` and writes `written` others. What the anchor file of the honest
/// ledger says of it, and the head that its owner had kept.
async fn rewrite(
    [place, forger]: [&Place; 2],
    kept: u64,
    honest: u64,
    written: u64,
    anchors_too: bool,
) -> (Verification, Verification) {
    for place in [place, forger] {
        begin_anew(place).await;
    }
    extend(place, kept).await;
    place.copy_rows_to(forger, "ledger_entry").await;
    copy_files(place, forger);
    extend(place, honest).await;
    let (store, ledger) = open(place).await;
    let head = ledger.head(&Stream::track()).await.unwrap().unwrap();
    store.close().await;

    extend(forger, written).await;
    forger.copy_rows_to(place, "ledger_entry").await;
    if anchors_too {
        copy_files(forger, place);
    }
    let (store, ledger) = open(place).await;
    let inside = ledger.verify(&Stream::track(), None).await.unwrap();
    let exported = head.to_string().parse::<Head>().unwrap();
    let outside = ledger.verify(&Stream::track(), Some(&exported)).await.unwrap();
    store.close().await;
    (inside, outside)
}

fn check_rewritten(places: [&Place; 2], kept: u64, honest: u64, written: u64) {
    let rewritten = Verification::RewrittenTail { at_seq: kept + 1 };
    let (inside, outside) = run(rewrite(places, kept, honest, written, false));
    assert_eq!((&inside, &outside), (&rewritten, &rewritten));
}

fn check_rewritten_in_both(places: [&Place; 2], kept: u64, honest: u64, written: u64) {
    let (inside, outside) = run(rewrite(places, kept, honest, written, true));
    assert!(inside.is_intact(), "{inside}");
    let wanted = if written >= honest {
        Verification::RewrittenTail { at_seq: kept + honest }
    } else {
        Verification::CutTail { expected: kept + honest, found: kept + written }
    };
    assert_eq!(outside, wanted);
}

async fn check_erasing(place: &Place, erased: &BTreeSet<u64>) {
    begin_anew(place).await;
    let (store, ledger) = open(place).await;
    for number in 1..=5 {
        append(&ledger, &Stream::track(), number).await;
    }
    for seq in erased {
        ledger.erase(&Stream::track(), *seq, "asked for", DateTime::UNIX_EPOCH).await.unwrap();
    }
    let found = ledger.verify(&Stream::track(), None).await.unwrap();
    store.close().await;
    let wanted = 5 + erased.len() as u64;
    assert!(matches!(found, Verification::Intact { entries, .. } if entries == wanted), "{found}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_tail_rewritten_with_the_key_is_found(kept in 0..4u64, honest in 1..4u64, written in 1..5u64) {
        check_rewritten([&Place::sqlite(), &Place::sqlite()], kept, honest, written);
    }

    #[test]
    fn a_head_kept_outside_finds_what_the_owner_rewrote_in_both_files(kept in 0..3u64, honest in 1..4u64, written in 1..5u64) {
        check_rewritten_in_both([&Place::sqlite(), &Place::sqlite()], kept, honest, written);
    }

    #[test]
    fn erasing_keeps_the_ledger_intact(erased in prop::collection::btree_set(1..=5u64, 0..5)) {
        run(check_erasing(&Place::sqlite(), &erased));
    }
}

/// The three laws above on PostgreSQL, in two databases for all cases.
#[test]
fn what_is_rewritten_and_erased_on_postgres_is_found() {
    let (Some(one), Some(other)) = (run(Place::postgres()), run(Place::postgres())) else {
        return;
    };
    let erased = prop::collection::btree_set(1..=5u64, 0..5);
    let config = ProptestConfig::with_cases(12);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&(0..4u64, 1..4u64, 1..5u64, erased), |(kept, honest, written, erased)| {
        check_rewritten([&one, &other], kept, honest, written);
        check_rewritten_in_both([&one, &other], kept, honest, written);
        run(check_erasing(&one, &erased));
        Ok(())
    });
    outcome.unwrap();
}
