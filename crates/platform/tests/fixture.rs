//! The frozen ledger: made once by version 1, to be read, verified and continued by every later version.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::places::Place;
use common::{append, open};
use marquee_platform::{Head, Stream, Verification};
use serde_json::json;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn check_out(folder: &Path) {
    for (frozen, name) in
        [("ledger_v1.db", "state.db"), ("ledger_v1.key", "ledger.key"), ("ledger_v1.heads.log", "heads.log")]
    {
        std::fs::copy(Path::new(FIXTURES).join(frozen), folder.join(name)).unwrap();
    }
}

#[tokio::test]
async fn a_ledger_of_version_1_is_read_verified_and_continued() {
    let place = Place::sqlite();
    check_out(place.folder());
    let head = std::fs::read_to_string(Path::new(FIXTURES).join("ledger_v1.head.json")).unwrap();
    let head: Head = head.parse().unwrap();
    let (_store, ledger) = open(&place).await;
    let track = Stream::track();

    let found = ledger.verify(&track, Some(&head)).await.unwrap();
    let frozen = Verification::Intact { entries: 4, head: Some(head) };
    assert_eq!(found, frozen);
    let entries = ledger.read(&track, 1, 10).await.unwrap();
    let payloads: Vec<_> = entries.iter().map(|e| e.payload.clone()).collect();
    assert_eq!(
        payloads,
        [
            Some(json!({"title": "Ishtar", "q50": 41_000_000.5})),
            None,
            Some(json!({"forecast": 1, "gross": 14_375_181})),
            Some(json!({"seq": 2, "reason": "asked for"})),
        ]
    );
    let kinds: Vec<_> = entries.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["forecast", "note", "actual", "erased"]);

    assert_eq!(append(&ledger, &track, 1).await.seq, 5);
    assert!(ledger.verify(&track, None).await.unwrap().is_intact());
}
