//! Documents over a real store: revisions, two editors at once, what the files tell, keys that change.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use base64::Engine as _;
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

struct House {
    folder: tempfile::TempDir,
    store: StateStore,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path().join("state.db").to_str().unwrap()).await.unwrap();
        Self { folder, store }
    }

    fn documents(&self, keys: &[&str]) -> Documents {
        Documents::open(self.store.clone(), ring(keys))
    }
}

fn ring(names: &[&str]) -> Keyring {
    let key = |name: &&str| base64::engine::general_purpose::STANDARD.encode([name.as_bytes()[0]; 32]);
    let lines: Vec<_> = names.iter().map(|name| format!("{name}:{}", key(name))).collect();
    Keyring::parse(&lines.join("\n")).unwrap()
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

fn contents(name: &str, class: &str) -> Contents {
    Contents {
        name: name.to_owned(),
        class: class.to_owned(),
        team: "slate".to_owned(),
        owner: Some("4f1c".to_owned()),
        nda: None,
        body: json!({"logline": format!("the story of {name}")}),
    }
}

/// Whether any file of the store holds this text.
fn is_told(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|piece| piece == text.as_bytes())
    })
}

#[tokio::test]
async fn each_revision_is_kept() {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let made = documents.create("deal", &contents("Gigli", "internal"), at(1)).await.unwrap();
    let mut later = contents("Gigli II", "nda");
    later.owner = None;
    let outcome = documents.update(&made.id, 1, &later, at(2)).await.unwrap();
    assert_eq!(outcome, Edit::Done { revision: 2 });

    let now = documents.get(&made.id).await.unwrap().unwrap();
    assert_eq!((now.header.revision, now.header.created_at, now.header.updated_at), (2, at(1), at(2)));
    assert_eq!(now.clone().into_contents(), later);
    let first = documents.at(&made.id, 1).await.unwrap().unwrap();
    assert_eq!(first.header, made);
    assert_eq!(first.into_contents(), contents("Gigli", "internal"));
    assert_eq!(documents.history(&made.id).await.unwrap(), [now.header, made.clone()]);

    for revision in [0, 3, u64::MAX] {
        assert_eq!(documents.at(&made.id, revision).await.unwrap(), None);
    }
}

#[tokio::test]
async fn of_two_editors_the_second_is_told() {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let id = documents.create("deal", &contents("Gigli", "nda"), at(1)).await.unwrap().id;
    let edits = (0..8).map(|n| {
        let (documents, id) = (documents.clone(), id.clone());
        tokio::spawn(async move {
            documents.update(&id, 1, &contents(&format!("{n}"), "nda"), at(2)).await.unwrap()
        })
    });
    let mut outcomes = Vec::new();
    for edit in edits.collect::<Vec<_>>() {
        outcomes.push(edit.await.unwrap());
    }
    let done = outcomes.iter().filter(|outcome| **outcome == Edit::Done { revision: 2 }).count();
    let told = outcomes.iter().filter(|outcome| **outcome == Edit::Changed { revision: 2 }).count();
    assert_eq!((done, told), (1, 7));
    for expected in [0, 1, 3, u64::MAX] {
        assert_eq!(documents.remove(&id, expected).await.unwrap(), Edit::Changed { revision: 2 });
    }
    assert_eq!(documents.history(&id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_removed_is_gone_from_the_files() {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let id = documents.create("deal", &contents("Withnail-and-I", "public"), at(1)).await.unwrap().id;
    assert!(is_told(house.folder.path(), "Withnail-and-I"));
    assert_eq!(documents.remove(&id, 1).await.unwrap(), Edit::Done { revision: 1 });
    assert!(!is_told(house.folder.path(), "Withnail-and-I"));
    assert_eq!(documents.get(&id).await.unwrap(), None);
    assert_eq!(documents.at(&id, 1).await.unwrap(), None);
    assert_eq!(documents.history(&id).await.unwrap(), []);
    for id in [id.as_str(), "", "x'; DROP TABLE document", "\0"] {
        assert_eq!(documents.get(id).await.unwrap(), None);
        assert_eq!(documents.history(id).await.unwrap(), []);
        assert_eq!(documents.remove(id, 1).await.unwrap(), Edit::Missing);
        let edit = documents.update(id, 1, &contents("x", "public"), at(2)).await.unwrap();
        assert_eq!(edit, Edit::Missing);
    }
}

#[tokio::test]
async fn a_list_pages_through_one_kind_newest_first() {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    for minute in 0..7 {
        let class = ["public", "confidential"][minute as usize % 2];
        // Two at a time were created in the same minute.
        let made =
            documents.create("deal", &contents(&format!("d{minute}"), class), at(minute / 2)).await.unwrap();
        documents.create("slate", &contents("other", class), at(minute)).await.unwrap();
        documents
            .update(&made.id, 1, &contents(&format!("e{minute}"), class), at(90 - minute))
            .await
            .unwrap();
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = documents.list("deal", after.as_deref(), 2).await.unwrap();
        assert!(page.documents.len() <= 2);
        found.extend(page.documents);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(
        found.windows(2).all(|pair| (pair[0].created_at, &pair[0].id) > (pair[1].created_at, &pair[1].id))
    );
    let mut names: Vec<_> = found.iter().map(|header| header.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["e0", "e1", "e2", "e3", "e4", "e5", "e6"]);
    assert_eq!(documents.list("script", None, 10).await.unwrap(), Listing::default());
    assert_eq!(documents.list("deal", None, 0).await.unwrap().documents.len(), 1);
    assert_eq!(documents.list("deal", None, usize::MAX).await.unwrap().documents.len(), 7);
    for cursor in ["", "7", "7:x", ":", &format!("x:{}", found[0].id)] {
        let error = documents.list("deal", Some(cursor), 10).await.unwrap_err();
        assert!(matches!(error, Error::InvalidCursor { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_stolen_database_tells_nothing_of_what_is_confidential() {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let folder = house.folder.path();
    let mut agreed = contents("Withnail-agreed", "internal");
    agreed.nda = Some("acme".to_owned());
    let of_later_versions = contents("Withnail-later", "top-secret");
    for contents in [
        contents("Withnail-conf", "confidential"),
        contents("Withnail-nda", "nda"),
        agreed,
        of_later_versions,
    ] {
        let id = documents.create("script", &contents, at(1)).await.unwrap().id;
        assert_eq!(documents.get(&id).await.unwrap().unwrap().into_contents(), contents);
    }
    assert!(!is_told(folder, "Withnail") && !is_told(folder, "the story of"));

    let open = contents("Ishtar-open", "public");
    let id = documents.create("script", &open, at(1)).await.unwrap().id;
    assert!(is_told(folder, "Ishtar-open"));
    let all = documents.clone().sealing_all();
    all.create("script", &contents("Withnail-all", "public"), at(1)).await.unwrap();
    assert!(!is_told(folder, "Withnail"));

    // What was public and is not any more is sealed with its past.
    documents.update(&id, 1, &open, at(2)).await.unwrap();
    documents.update(&id, 2, &contents("Ishtar-shut", "confidential"), at(3)).await.unwrap();
    assert!(!is_told(folder, "Ishtar") && !is_told(folder, "the story of"));
    assert_eq!(documents.at(&id, 1).await.unwrap().unwrap().into_contents(), open);
}

#[tokio::test]
async fn sealed_bodies_cannot_be_swapped() {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        ids.push(documents.create("deal", &contents(name, "nda"), at(1)).await.unwrap().id);
    }
    let swap = "UPDATE document_revision SET body = (SELECT o.body FROM document_revision o \
                WHERE o.document <> document_revision.document) WHERE document = $1";
    let (store, first) = (house.store.clone(), ids[0].clone());
    let swapped = house.store.write(move |connection| {
        Box::pin(async move {
            let done = sqlx::query(swap).bind(first).execute(connection).await;
            done.map(|_| ()).map_err(|source| store.failed("swap", source))
        })
    });
    swapped.await.unwrap();
    let error = documents.get(&ids[0]).await.unwrap_err();
    assert!(matches!(error, Error::SealBroken { .. }), "{error}");
    assert_eq!(documents.list("deal", None, 10).await.unwrap().documents.len(), 2);

    // A rotation leaves what does not open, and says so.
    let done = house.documents(&["later", "new"]).rotate(at(2)).await.unwrap();
    assert_eq!((done.resealed, done.broken), (1, vec![format!("{}/1", ids[0])]));
    assert_eq!(done.still_needed, ["new"]);
}

#[tokio::test]
async fn after_a_rotation_the_old_key_can_be_thrown_away() {
    let house = House::new().await;
    let old = house.documents(&["old"]);
    let mut ids = Vec::new();
    for n in 0..40 {
        let class = ["nda", "public"][n % 2];
        ids.push(old.create("deal", &contents(&format!("d{n}"), class), at(1)).await.unwrap().id);
    }
    old.update(&ids[0], 1, &contents("d0", "nda"), at(2)).await.unwrap();
    for id in &ids {
        // Enough rows under the old key for several pieces.
        old.update(id, old.history(id).await.unwrap().len() as u64, &contents("e", "nda"), at(3))
            .await
            .unwrap();
    }
    let both = house.documents(&["new", "old"]);
    both.create("deal", &contents("under the new key", "nda"), at(4)).await.unwrap();

    // Interrupted after the first piece, and gone on with by somebody else.
    let mut begun = Rotation::default();
    let place = both.rotate_piece("old", &(String::new(), 0), at(5), &mut begun).await.unwrap();
    assert!(place.is_some() && begun.resealed == 32);
    assert_eq!(both.keys_in_use().await.unwrap(), ["new", "old"]);
    let done = house.documents(&["new", "old"]).rotate(at(6)).await.unwrap();
    assert_eq!(done, Rotation { resealed: 81 - 32, ..Rotation::default() });
    assert_eq!(both.rotate(at(7)).await.unwrap(), Rotation::default());

    let new = house.documents(&["new"]);
    for id in &ids {
        for header in new.history(id).await.unwrap() {
            assert!(new.at(id, header.revision).await.unwrap().is_some());
        }
    }
    assert_eq!(new.at(&ids[0], 1).await.unwrap().unwrap().into_contents(), contents("d0", "nda"));
    let lost = house.documents(&["old"]).get(&ids[0]).await.unwrap_err();
    assert!(matches!(&lost, Error::UnknownKey { key, .. } if key == "new"), "{lost}");
    // Keys that nobody has any more are named.
    assert_eq!(house.documents(&["third"]).rotate(at(8)).await.unwrap().still_needed, ["new"]);
}

#[tokio::test]
async fn a_rotation_seals_what_is_to_be_sealed_from_now_on() {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let id = documents.create("deal", &contents("Withnail-and-I", "public"), at(1)).await.unwrap().id;
    assert_eq!(documents.rotate(at(2)).await.unwrap().resealed, 0);
    assert!(is_told(house.folder.path(), "Withnail"));
    assert_eq!(documents.clone().sealing_all().rotate(at(2)).await.unwrap().resealed, 1);
    assert!(!is_told(house.folder.path(), "Withnail"));
    assert_eq!(documents.get(&id).await.unwrap().unwrap().header.name, "Withnail-and-I");
}

async fn check_refused(contents: Contents, wanted: &str) {
    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let error = documents.create("deal", &contents, at(1)).await.unwrap_err().to_string();
    assert!(error.contains(wanted), "{error}");
    assert!(documents.update(&"0".repeat(32), 1, &contents, at(1)).await.is_err());
    assert_eq!(documents.list("deal", None, 10).await.unwrap(), Listing::default());
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_a_reason() {
    let usual = || contents("Gigli", "internal");
    check_refused(contents("", "internal"), "name cannot be kept: it is empty").await;
    check_refused(contents(&"é".repeat(201), "internal"), "201 characters where 200 are allowed").await;
    check_refused(contents("a\0b", "internal"), "control character").await;
    check_refused(contents("a", "Top Secret"), "cannot name a class").await;
    check_refused(Contents { team: " ".to_owned(), ..usual() }, "team").await;
    check_refused(Contents { nda: Some("\n".to_owned()), ..usual() }, "agreement").await;
    let long = Value::from("x".repeat((8 << 20) - 1));
    check_refused(Contents { body: long, ..usual() }, "8388609 bytes where 8388608 are allowed").await;
    let deep = (0..101).fold(json!(1), |inner, _| json!([inner]));
    check_refused(Contents { body: deep, ..usual() }, "100 levels").await;

    let house = House::new().await;
    let documents = house.documents(&["new"]);
    let error = documents.create("Big Deal", &usual(), at(1)).await.unwrap_err();
    assert!(matches!(error, Error::InvalidName { what: "kind", .. }), "{error}");
    let largest = Value::from("x".repeat((8 << 20) - 2));
    let deepest = (0..100).fold(json!(1), |inner, _| json!([inner]));
    for body in [largest, deepest] {
        let contents = Contents { name: "é".repeat(200), class: "nda".to_owned(), body, ..usual() };
        let id = documents.create("deal", &contents, at(1)).await.unwrap().id;
        assert_eq!(documents.get(&id).await.unwrap().unwrap().into_contents(), contents);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        let fields = prop::collection::btree_map(".*", inner.clone(), 0..5);
        let object = fields.prop_map(|fields| Value::Object(fields.into_iter().collect()));
        prop_oneof![prop::collection::vec(inner, 0..5).prop_map(Value::from), object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_body_comes_back_as_it_was_kept(bodies in prop::collection::vec((any_json(), any::<bool>()), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new().await;
            let documents = house.documents(&["new"]);
            let mut kept: Vec<Contents> = Vec::new();
            let mut id = String::new();
            for (body, open) in bodies {
                let class = if open { "public" } else { "nda" };
                let contents = Contents { body, ..contents("Gigli", class) };
                match kept.len() as u64 {
                    0 => id = documents.create("deal", &contents, at(1)).await.unwrap().id,
                    revision => {
                        documents.update(&id, revision, &contents, at(2)).await.unwrap();
                    }
                }
                kept.push(contents);
            }
            for (index, contents) in kept.into_iter().enumerate() {
                let found = documents.at(&id, index as u64 + 1).await.unwrap().unwrap();
                assert_eq!(found.into_contents(), contents);
            }
        });
    }
}
