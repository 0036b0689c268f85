//! A ledger in a folder of its own, for the tests of this crate.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use chrono::DateTime;
use marquee_platform::{Entry, Ledger, LedgerFiles, StateStore, Stream, Verification};
use serde_json::json;

/// Where the database of a ledger in this folder lies.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("state.db")
}

/// Opens the store and the ledger in this folder.
pub(crate) async fn open(folder: &Path) -> (StateStore, Ledger) {
    let store = StateStore::open(database(folder).to_str().unwrap()).await.unwrap();
    let ledger = Ledger::open(store.clone(), &LedgerFiles::beside(folder)).await.unwrap();
    (store, ledger)
}

/// Appends a forecast with this number in it.
pub(crate) async fn append(ledger: &Ledger, stream: &Stream, number: u64) -> Entry {
    let at = DateTime::from_timestamp(1_000_000_000 + number as i64, 0).unwrap();
    let payload = json!({"title": "Ishtar", "number": number});
    ledger.append(stream, "forecast", &payload, at).await.unwrap()
}

/// A closed ledger in `folder` whose track record has so many entries more than before.
pub(crate) async fn extend(folder: &Path, entries: u64) {
    let (store, ledger) = open(folder).await;
    for number in 1..=entries {
        append(&ledger, &Stream::track(), number).await;
    }
    store.close().await;
}

/// Verifies the track record in `folder`.
pub(crate) async fn verify(folder: &Path) -> Verification {
    let (store, ledger) = open(folder).await;
    let found = ledger.verify(&Stream::track(), None).await.unwrap();
    store.close().await;
    found
}

/// Changes the database behind the ledger's back.
pub(crate) async fn tamper(folder: &Path, sql: &str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database(folder));
    let options = options.pragma("synchronous", "OFF");
    let mut connection = options.connect().await.unwrap();
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
