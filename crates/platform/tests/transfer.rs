//! An export is the whole store at one moment, and either database takes what the other wrote.
#![allow(clippy::unwrap_used)]

mod common;

use chrono::DateTime;
use common::places::{Place, places};
use common::{append, open, open_at, verify};
use marquee_platform::{Error, StateStore, Stream, Verification};
use serde_json::json;

async fn export(store: &StateStore) -> Vec<u8> {
    let mut bytes = Vec::new();
    let rows = store.export(&mut bytes).await.unwrap();
    let lines = bytes.iter().filter(|&&b| b == b'\n').count() as u64;
    assert!(lines >= rows + 2, "{lines} lines for {rows} rows");
    bytes
}

fn copy_ledger_files(from: &Place, to: &Place) {
    for name in ["heads.log", "ledger.key"] {
        std::fs::copy(from.folder().join(name), to.folder().join(name)).unwrap();
    }
}

/// The lines without their order: PostgreSQL gives rows as they lie.
fn sorted(export: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<_> =
        export.split(|&b| b == b'\n').filter(|line| !line.starts_with(b"{\"rows\"")).collect();
    lines.sort_unstable();
    lines
}

/// A store with more rows than are read at a time, an erased entry among them.
async fn fill(place: &Place) -> StateStore {
    let (store, ledger) = open(place).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..600 {
        let ledger = ledger.clone();
        tasks.spawn(async move { append(&ledger, &Stream::track(), number).await });
    }
    tasks.join_all().await;
    ledger.append(&Stream::audit(), "note", &json!("naïve \n 🎬"), DateTime::UNIX_EPOCH).await.unwrap();
    ledger.erase(&Stream::track(), 3, "asked for", DateTime::UNIX_EPOCH).await.unwrap();
    store
}

#[tokio::test]
async fn either_database_takes_what_the_other_wrote() {
    for from in places().await {
        let store = fill(&from).await;
        let written = export(&store).await;
        assert!(!String::from_utf8_lossy(&written).contains("cret"));
        for to in places().await {
            let restored = StateStore::import(&to.url(), &written[..]).await.unwrap();
            assert_eq!(sorted(&export(&restored).await), sorted(&written));
            restored.close().await;
            copy_ledger_files(&from, &to);
            let found = verify(&to).await;
            assert!(matches!(found, Verification::Intact { entries: 601, .. }), "{found}");
            // It goes on from there.
            let (_store, ledger) = open(&to).await;
            assert_eq!(append(&ledger, &Stream::track(), 1).await.seq, 602);

            let error = StateStore::import(&to.url(), &written[..]).await.unwrap_err();
            assert!(matches!(error, Error::InUse { .. }), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_under_writes_holds_what_was_acknowledged_before() {
    for from in places().await {
        let (store, ledger) = open(&from).await;
        let mut writing = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let ledger = ledger.clone();
            writing.spawn(async move {
                for number in 0.. {
                    append(&ledger, &Stream::track(), number).await;
                }
            });
        }
        for _ in 0..3 {
            let acknowledged = append(&ledger, &Stream::track(), 0).await.seq;
            let to = from.beside().await;
            copy_ledger_files(&from, &to);
            let written = export(&store).await;
            StateStore::import(&to.url(), &written[..]).await.unwrap().close().await;
            let found = verify(&to).await;
            assert!(
                matches!(found, Verification::Intact { entries, .. } if entries >= acknowledged),
                "{found}"
            );
        }
        writing.shutdown().await;
    }
}

#[tokio::test]
async fn an_export_that_is_not_whole_is_refused_and_leaves_nothing() {
    let from = Place::sqlite();
    let (store, ledger) = open(&from).await;
    for number in 0..4 {
        append(&ledger, &Stream::track(), number).await;
    }
    let whole = export(&store).await;
    for to in places().await {
        let step = if to.is_sqlite() { 1 } else { 41 };
        for length in (0..whole.len()).step_by(step) {
            check_refused(&to, &whole[..length]).await;
        }
        for at in (0..whole.len()).step_by(7 * step) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            check_refused(&to, &changed).await;
        }
        check_refused(&to, &[&whole[..], b"\n"].concat()).await;
        let restored = StateStore::import(&to.url(), &whole[..]).await.unwrap();
        assert_eq!(export(&restored).await, whole);
    }
}

async fn check_refused(place: &Place, bytes: &[u8]) {
    let refused = StateStore::import(&place.url(), bytes).await.unwrap_err();
    // A changed value may be one that the table itself refuses.
    let as_it_should = matches!(refused, Error::InvalidExport { .. } | Error::Database { .. });
    assert!(as_it_should, "{refused}: {}", String::from_utf8_lossy(bytes));
}

#[tokio::test]
async fn what_is_no_export_is_named_by_its_line() {
    let header = r#"{"marquee_state":1,"tables":1}"#;
    let table = r#"{"table":"ledger_entry","columns":["stream","seq"]}"#;
    for (lines, line, wanted) in [
        (vec!["title,year"], 1, "not the first one"),
        (vec![r#"{"marquee_state":2,"tables":1}"#], 1, "format 2"),
        (vec![r#"{"marquee_state":1,"tables":99}"#], 1, "version 99"),
        (vec![r#"{"marquee_state":1,"tables":0}"#], 1, "version 0"),
        (vec![header, "[1]"], 2, "does not fit its table"),
        (vec![header, table, "[1]"], 3, "does not fit its table"),
        (vec![header, table, r#"["a",[]]"#], 3, "not understood"),
        (vec![header, r#"{"table":"schema_version","columns":["version"]}"#], 2, "`schema_version`"),
        (vec![header, r#"{"table":"sqlite_schema","columns":["name"]}"#], 2, "`sqlite_schema`"),
        (vec![header, "{}"], 2, "no line of an export"),
        (vec![header], 2, "cut"),
    ] {
        let text = lines.join("\n") + "\n";
        let place = Place::sqlite();
        let error = StateStore::import(&place.url(), text.as_bytes()).await.unwrap_err();
        assert!(
            matches!(error, Error::InvalidExport { line: found, .. } if found == line),
            "{text}: {error}"
        );
        assert!(error.to_string().contains(wanted), "{text}: {error}");
    }
}

/// The frozen ledger of version 1 was made before PostgreSQL was there: this is its way in.
#[tokio::test]
async fn a_ledger_of_version_1_moves_to_either_database() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let from = Place::sqlite();
    for (frozen, name) in
        [("ledger_v1.db", "state.db"), ("ledger_v1.key", "ledger.key"), ("ledger_v1.heads.log", "heads.log")]
    {
        std::fs::copy(format!("{fixtures}/{frozen}"), from.folder().join(name)).unwrap();
    }
    let head = std::fs::read_to_string(format!("{fixtures}/ledger_v1.head.json")).unwrap();
    let (store, _ledger) = open(&from).await;
    let written = export(&store).await;
    for to in places().await {
        StateStore::import(&to.url(), &written[..]).await.unwrap().close().await;
        copy_ledger_files(&from, &to);
        let (_store, ledger) = open_at(&to.url(), to.folder()).await;
        let found = ledger.verify(&Stream::track(), Some(&head.parse().unwrap())).await.unwrap();
        assert!(matches!(found, Verification::Intact { entries: 4, .. }), "{found}");
    }
}
