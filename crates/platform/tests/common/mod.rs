//! A ledger in a place of its own, for the tests of this crate.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../src/store/places.rs"]
pub(crate) mod places;

use std::path::Path;

use chrono::DateTime;
use marquee_platform::{Entry, Ledger, LedgerFiles, StateStore, Stream, Verification};
use places::Place;
use serde_json::json;

/// Opens the store and the ledger of this place.
pub(crate) async fn open(place: &Place) -> (StateStore, Ledger) {
    open_at(&place.url(), place.folder()).await
}

/// Opens the store of this URL and the ledger whose files are in this folder.
pub(crate) async fn open_at(url: &str, folder: &Path) -> (StateStore, Ledger) {
    let store = StateStore::open(url).await.unwrap();
    let ledger = Ledger::open(store.clone(), &LedgerFiles::beside(folder)).await.unwrap();
    (store, ledger)
}

/// Appends a forecast with this number in it.
pub(crate) async fn append(ledger: &Ledger, stream: &Stream, number: u64) -> Entry {
    let at = DateTime::from_timestamp(1_000_000_000 + number as i64, 0).unwrap();
    let payload = json!({"title": "Ishtar", "number": number});
    ledger.append(stream, "forecast", &payload, at).await.unwrap()
}

/// A closed ledger in `place` whose track record has so many entries more than before.
pub(crate) async fn extend(place: &Place, entries: u64) {
    let (store, ledger) = open(place).await;
    for number in 1..=entries {
        append(&ledger, &Stream::track(), number).await;
    }
    store.close().await;
}

/// Verifies the track record in `place`.
pub(crate) async fn verify(place: &Place) -> Verification {
    let (store, ledger) = open(place).await;
    let found = ledger.verify(&Stream::track(), None).await.unwrap();
    store.close().await;
    found
}
