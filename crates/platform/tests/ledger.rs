//! The ledger's daily life: order, erasure, group commit, what it refuses, what a crash leaves.
#![allow(clippy::unwrap_used)]

mod common;

use chrono::{DateTime, Utc};
use common::places::{Place, places};
use common::{append, extend, open, verify};
use marquee_platform::{Digest, Error, Head, Integrity, Ledger, LedgerFiles, Stream, Verification};
use serde_json::json;

const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn audit_of(entries: u64) -> impl Fn(&Verification) -> bool {
    move |found| matches!(found, Verification::Intact { entries: n, .. } if *n == entries)
}

#[tokio::test]
async fn entries_come_back_in_order_and_by_kind() {
    for place in places().await {
        let (_store, ledger) = open(&place).await;
        let track = Stream::track();
        let forecast = append(&ledger, &track, 1).await;
        let actual = json!({"forecast": forecast.seq, "gross": 14_375_181.25});
        let scored = ledger.append(&track, "actual", &actual, AT).await.unwrap();
        append(&ledger, &track, 2).await;
        append(&ledger, &Stream::audit(), 1).await;

        let all = ledger.read(&track, 1, 10).await.unwrap();
        assert_eq!(all.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(all[1], scored);
        assert_eq!(all[1].payload, Some(actual));
        assert_eq!(all[1].prev_mac, all[0].mac);
        assert_eq!(ledger.read(&track, 2, 1).await.unwrap(), [scored]);
        assert_eq!(ledger.read(&track, u64::MAX, usize::MAX).await.unwrap(), []);
        let forecasts = ledger.find(&track, "forecast", 2, 10).await.unwrap();
        assert_eq!(forecasts.iter().map(|e| e.seq).collect::<Vec<_>>(), [3]);
        assert_eq!(ledger.streams().await.unwrap(), [Stream::audit(), Stream::track()]);
        let head = ledger.head(&track).await.unwrap();
        let intact = Verification::Intact { entries: 3, head };
        assert_eq!(ledger.verify(&track, None).await.unwrap(), intact);
    }
}

#[tokio::test]
async fn an_empty_stream_is_intact_and_has_no_head() {
    for place in places().await {
        let (_store, ledger) = open(&place).await;
        let nothing = Verification::Intact { entries: 0, head: None };
        assert_eq!(ledger.verify(&Stream::track(), None).await.unwrap(), nothing);
        assert_eq!(ledger.head(&Stream::track()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_erased_payload_is_gone_and_the_chain_still_verifies() {
    for place in places().await {
        let (store, ledger) = open(&place).await;
        let track = Stream::track();
        let secret = json!({"viewer": "Withnail-and-I"});
        ledger.append(&track, "note", &secret, AT).await.unwrap();
        append(&ledger, &track, 1).await;
        let record = ledger.erase(&track, 1, "asked for", AT).await.unwrap();

        assert_eq!(record.payload, Some(json!({"seq": 1, "reason": "asked for"})));
        let erased = &ledger.read(&track, 1, 1).await.unwrap()[0];
        assert_eq!((&erased.payload, erased.salt), (&None, None));
        let found = ledger.verify(&track, None).await.unwrap();
        assert!(audit_of(3)(&found), "{found}");
        check_no_trace(&place, "Withnail-and").await;
        for (seq, wanted) in [(1, "erased before"), (3, "records an erasure"), (9, "no entry 9")] {
            let error = ledger.erase(&track, seq, "again", AT).await.unwrap_err();
            assert!(error.to_string().contains(wanted), "{error}");
        }
        assert_eq!(store.check().await.unwrap(), Integrity::Sound);
    }
}

/// SQLite has it in none of its files; in PostgreSQL no version of a row has it, where the server can show them.
async fn check_no_trace(place: &Place, erased: &str) {
    if place.is_sqlite() {
        for name in ["state.db", "state.db-wal"] {
            let bytes = std::fs::read(place.folder().join(name)).unwrap();
            let left = bytes.windows(erased.len()).any(|piece| piece == erased.as_bytes());
            assert!(!left, "{name} still holds the erased payload");
        }
        return;
    }
    let mut connection = place.connect().await;
    let shows = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pageinspect'";
    let shows: i64 = sqlx::query_scalar(shows).fetch_one(&mut connection).await.unwrap();
    if shows == 0 {
        eprintln!("not looked into PostgreSQL's pages: the extension pageinspect is not installed");
        return;
    }
    sqlx::raw_sql("CREATE EXTENSION pageinspect").execute(&mut connection).await.unwrap();
    let versions = "SELECT count(*), count(*) FILTER (WHERE position(convert_to($1, 'UTF8') IN t_data) > 0) \
                    FROM heap_page_items(get_raw_page('ledger_entry', 0)) WHERE t_data IS NOT NULL";
    let (all, left): (i64, i64) =
        sqlx::query_as(versions).bind(erased).fetch_one(&mut connection).await.unwrap();
    assert_eq!((all, left), (3, 0), "versions of rows, and those with the erased payload");
}

/// Two processes that append to one ledger take turns: no two entries stand behind the same one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_database_keep_one_chain() {
    for place in places().await {
        let (first, one) = open(&place).await;
        let (second, other) = open(&place).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..60 {
            let ledger = [&one, &other][(number % 2) as usize].clone();
            tasks.spawn(async move { append(&ledger, &Stream::track(), number).await.seq });
        }
        let mut seqs = tasks.join_all().await;
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=60).collect::<Vec<_>>());
        let found = one.verify(&Stream::track(), None).await.unwrap();
        assert!(audit_of(60)(&found), "{found}");
        assert!(first.stats().commits > 0 && second.stats().commits > 0);
    }
}

/// What is verified is one state of the database, though it takes several pages of rows and others go on appending.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_verifies_while_it_is_written() {
    for place in places().await {
        let (_store, ledger) = open(&place).await;
        let track = Stream::track();
        let mut writing = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (ledger, track) = (ledger.clone(), track.clone());
            writing.spawn(async move {
                for number in 0..50 {
                    append(&ledger, &track, number).await;
                }
            });
        }
        let mut verified = 0;
        while verified < 800 {
            let found = ledger.verify(&track, None).await.unwrap();
            let Verification::Intact { entries, .. } = found else { panic!("{found}") };
            assert!(entries >= verified, "{entries} after {verified}");
            verified = entries;
        }
        writing.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_share_commits() {
    for place in places().await {
        let (store, ledger) = open(&place).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..200 {
            let ledger = ledger.clone();
            tasks.spawn(async move { append(&ledger, &Stream::audit(), number).await.seq });
        }
        let mut seqs = tasks.join_all().await;
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=200).collect::<Vec<_>>());
        let stats = store.stats();
        assert_eq!(stats.writes, 200);
        assert!(stats.commits <= 50 && stats.largest_group > 4, "{stats:?}");
        let found = ledger.verify(&Stream::audit(), None).await.unwrap();
        assert!(audit_of(200)(&found), "{found}");
    }
}

#[tokio::test]
async fn a_refused_write_leaves_the_others_of_its_group() {
    for place in places().await {
        let (store, ledger) = open(&place).await;
        let track = Stream::track();
        let (first, refused, second) = tokio::join!(
            append(&ledger, &track, 1),
            ledger.erase(&track, 77, "no such entry", AT),
            append(&ledger, &track, 2),
        );
        assert!(matches!(refused, Err(Error::NoSuchEntry { seq: 77, .. })));
        assert_eq!((first.seq, second.seq, store.stats().writes), (1, 2, 2));
    }
}

#[tokio::test]
async fn names_are_checked() {
    for place in places().await {
        let (_store, ledger) = open(&place).await;
        for kind in ["", "Forecast", "a b", "erased", &"x".repeat(65)] {
            let error = ledger.append(&Stream::track(), kind, &json!(1), AT).await;
            assert!(matches!(error, Err(Error::InvalidName { .. })), "{kind}");
        }
    }
}

/// What `kill -9` between the commit and the anchor leaves, and in the middle of the anchor's line.
#[tokio::test]
async fn an_anchor_that_lags_or_is_torn_is_repaired() {
    for place in places().await {
        extend(&place, 3).await;
        let anchors = place.folder().join("heads.log");
        let whole = std::fs::read(&anchors).unwrap();
        let last_line = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n');
        for length in [last_line.unwrap() + 1, whole.len() - 1, whole.len() - 40] {
            std::fs::write(&anchors, &whole[..length]).unwrap();
            let found = verify(&place).await;
            assert!(audit_of(3)(&found), "{length}: {found}");
            assert_eq!(std::fs::read(&anchors).unwrap(), whole, "{length}");
        }
    }
}

#[tokio::test]
async fn a_missing_or_changed_anchor_file_is_found() {
    for place in places().await {
        extend(&place, 3).await;
        let anchors = place.folder().join("heads.log");
        let mut bytes = std::fs::read(&anchors).unwrap();
        let second = bytes.iter().position(|&b| b == b'\n').unwrap() + 20;
        bytes[second] ^= 1;
        std::fs::write(&anchors, &bytes).unwrap();
        let changed = Verification::Unanchored { line: Some(2) };
        assert_eq!(verify(&place).await, changed);

        std::fs::remove_file(&anchors).unwrap();
        let missing = Verification::Unanchored { line: None };
        assert_eq!(verify(&place).await, missing);
        let (_store, ledger) = open(&place).await;
        let refused = ledger.append(&Stream::track(), "note", &json!(1), AT).await;
        assert!(matches!(refused, Err(Error::AnchorsMissing { .. })));
    }
}

#[tokio::test]
async fn nothing_is_appended_to_a_cut_ledger() {
    for place in places().await {
        extend(&place, 3).await;
        place.run("DELETE FROM ledger_entry WHERE seq = 3").await;
        let (_store, ledger) = open(&place).await;
        let refused = ledger.append(&Stream::track(), "note", &json!(1), AT).await;
        let cut = matches!(refused, Err(Error::CutTail { found: 2, anchored: 3, .. }));
        assert!(cut, "{refused:?}");
    }
}

async fn reopen(place: &Place) -> Error {
    let store = marquee_platform::StateStore::open(&place.url()).await.unwrap();
    let opened = Ledger::open(store, &LedgerFiles::beside(place.folder())).await;
    opened.unwrap_err()
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_never_replaced() {
    for place in places().await {
        extend(&place, 1).await;
        let key = place.folder().join("ledger.key");
        std::fs::write(&key, [9; 32]).unwrap();
        assert!(matches!(reopen(&place).await, Error::WrongKey { .. }));
        std::fs::remove_file(&key).unwrap();
        assert!(matches!(reopen(&place).await, Error::KeyMissing { .. }));
        assert!(!key.exists());
    }
}

#[tokio::test]
async fn a_head_of_another_stream_is_refused() {
    for place in places().await {
        let (_store, ledger) = open(&place).await;
        let head = append(&ledger, &Stream::audit(), 1).await.head();
        let refused = ledger.verify(&Stream::track(), Some(&head)).await;
        assert!(matches!(refused, Err(Error::WrongHead { .. })));
    }
}

#[test]
fn a_head_is_one_line_of_json() {
    let head = Head { stream: Stream::track(), seq: 2, mac: Digest([0; 32]), at: AT };
    let line =
        format!(r#"{{"version":1,"stream":"track","seq":2,"mac":"{:064}","at":"1970-01-01T00:00:00Z"}}"#, 0);
    assert_eq!(head.to_string(), line);
    for broken in ["", "{}", &line.replace("\"version\":1", "\"version\":2"), &line.replace("000", "00")] {
        let parsed = broken.parse::<Head>();
        assert!(matches!(parsed, Err(Error::InvalidHead { .. })), "{broken}");
    }
}
