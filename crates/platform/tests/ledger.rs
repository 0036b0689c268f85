//! The ledger's daily life: order, erasure, group commit, what it refuses, what a crash leaves.
#![allow(clippy::unwrap_used)]

mod common;

use chrono::{DateTime, Utc};
use common::{append, database, extend, open, tamper, verify};
use marquee_platform::{Digest, Error, Head, Integrity, Ledger, LedgerFiles, Stream, Verification};
use serde_json::json;

const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn audit_of(entries: u64) -> impl Fn(&Verification) -> bool {
    move |found| matches!(found, Verification::Intact { entries: n, .. } if *n == entries)
}

#[tokio::test]
async fn entries_come_back_in_order_and_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, ledger) = open(folder.path()).await;
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

#[tokio::test]
async fn an_empty_stream_is_intact_and_has_no_head() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, ledger) = open(folder.path()).await;
    let nothing = Verification::Intact { entries: 0, head: None };
    assert_eq!(ledger.verify(&Stream::track(), None).await.unwrap(), nothing);
    assert_eq!(ledger.head(&Stream::track()).await.unwrap(), None);
}

#[tokio::test]
async fn an_erased_payload_is_gone_and_the_chain_still_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ledger) = open(folder.path()).await;
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
    for name in ["state.db", "state.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        let left = bytes.windows(12).any(|piece| piece == b"Withnail-and");
        assert!(!left, "{name} still holds the erased payload");
    }
    for (seq, wanted) in [(1, "erased before"), (3, "records an erasure"), (9, "no entry 9")] {
        let error = ledger.erase(&track, seq, "again", AT).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
    assert_eq!(store.check().await.unwrap(), Integrity::Sound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ledger) = open(folder.path()).await;
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

#[tokio::test]
async fn a_refused_write_leaves_the_others_of_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let (store, ledger) = open(folder.path()).await;
    let track = Stream::track();
    let (first, refused, second) = tokio::join!(
        append(&ledger, &track, 1),
        ledger.erase(&track, 77, "no such entry", AT),
        append(&ledger, &track, 2),
    );
    assert!(matches!(refused, Err(Error::NoSuchEntry { seq: 77, .. })));
    assert_eq!((first.seq, second.seq, store.stats().writes), (1, 2, 2));
}

#[tokio::test]
async fn names_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, ledger) = open(folder.path()).await;
    for kind in ["", "Forecast", "a b", "erased", &"x".repeat(65)] {
        let error = ledger.append(&Stream::track(), kind, &json!(1), AT).await;
        assert!(matches!(error, Err(Error::InvalidName { .. })), "{kind}");
    }
}

/// What `kill -9` between the commit and the anchor leaves, and in the middle of the anchor's line.
#[tokio::test]
async fn an_anchor_that_lags_or_is_torn_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    extend(folder.path(), 3).await;
    let anchors = folder.path().join("heads.log");
    let whole = std::fs::read(&anchors).unwrap();
    let last_line = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n');
    for length in [last_line.unwrap() + 1, whole.len() - 1, whole.len() - 40] {
        std::fs::write(&anchors, &whole[..length]).unwrap();
        let found = verify(folder.path()).await;
        assert!(audit_of(3)(&found), "{length}: {found}");
        assert_eq!(std::fs::read(&anchors).unwrap(), whole, "{length}");
    }
}

#[tokio::test]
async fn a_missing_or_changed_anchor_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    extend(folder.path(), 3).await;
    let anchors = folder.path().join("heads.log");
    let mut bytes = std::fs::read(&anchors).unwrap();
    let second = bytes.iter().position(|&b| b == b'\n').unwrap() + 20;
    bytes[second] ^= 1;
    std::fs::write(&anchors, &bytes).unwrap();
    let changed = Verification::Unanchored { line: Some(2) };
    assert_eq!(verify(folder.path()).await, changed);

    std::fs::remove_file(&anchors).unwrap();
    let missing = Verification::Unanchored { line: None };
    assert_eq!(verify(folder.path()).await, missing);
    let (_store, ledger) = open(folder.path()).await;
    let refused = ledger.append(&Stream::track(), "note", &json!(1), AT).await;
    assert!(matches!(refused, Err(Error::AnchorsMissing { .. })));
}

#[tokio::test]
async fn nothing_is_appended_to_a_cut_ledger() {
    let folder = tempfile::tempdir().unwrap();
    extend(folder.path(), 3).await;
    tamper(folder.path(), "DELETE FROM ledger_entry WHERE seq = 3").await;
    let (_store, ledger) = open(folder.path()).await;
    let refused = ledger.append(&Stream::track(), "note", &json!(1), AT).await;
    let cut = matches!(refused, Err(Error::CutTail { found: 2, anchored: 3, .. }));
    assert!(cut, "{refused:?}");
}

async fn reopen(folder: &std::path::Path) -> Error {
    let path = database(folder);
    let store = marquee_platform::StateStore::open(path.to_str().unwrap()).await.unwrap();
    let opened = Ledger::open(store, &LedgerFiles::beside(folder)).await;
    opened.unwrap_err()
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    extend(folder.path(), 1).await;
    let key = folder.path().join("ledger.key");
    std::fs::write(&key, [9; 32]).unwrap();
    assert!(matches!(reopen(folder.path()).await, Error::WrongKey { .. }));
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(reopen(folder.path()).await, Error::KeyMissing { .. }));
    assert!(!key.exists());
}

#[tokio::test]
async fn a_head_of_another_stream_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, ledger) = open(folder.path()).await;
    let head = append(&ledger, &Stream::audit(), 1).await.head();
    let refused = ledger.verify(&Stream::track(), Some(&head)).await;
    assert!(matches!(refused, Err(Error::WrongHead { .. })));
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
