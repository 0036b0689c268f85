//! The audit over a real ledger: what is found, in which order, what leaves it.
#![allow(clippy::unwrap_used)]

use sha2::Digest as _;

use super::*;
use crate::{LedgerFiles, StateStore, Verification};

async fn open(folder: &tempfile::TempDir) -> Audit {
    let store = StateStore::open(folder.path().join("state.db").to_str().unwrap()).await.unwrap();
    Audit::over(Ledger::open(store, &LedgerFiles::beside(folder.path())).await.unwrap())
}

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(365 * 30) + TimeDelta::hours(hour)
}

fn entry(who: &str, action: &str, object: &str) -> AuditEntry {
    let (who, action, object) = (who.to_owned(), action.to_owned(), object.to_owned());
    AuditEntry { who, action, object, ..AuditEntry::default() }
}

/// Two hundred entries, one an hour, by turns of three people, the first of whom is refused.
async fn filled(folder: &tempfile::TempDir) -> Audit {
    let audit = open(folder).await;
    let writes = (0..200_i64).map(|hour| {
        let who = ["ruth", "sam", "toni"][hour as usize % 3];
        let action = ["account.update", "deal.view"][hour as usize % 2];
        let mut entry = entry(who, action, &format!("deal:{}", hour % 5));
        entry.account = Some(format!("id-{who}"));
        entry.outcome = if who == "ruth" { AuditOutcome::Refused } else { AuditOutcome::Done };
        (entry, at(hour))
    });
    for (entry, now) in writes {
        audit.record(entry, now).await.unwrap();
    }
    audit
}

/// The numbers of everything that a query finds, three at a time.
async fn all(audit: &Audit, query: &AuditQuery) -> Vec<u64> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let page = audit.search(&query, 3).await.unwrap();
        found.extend(page.records.iter().map(|record| record.entry.seq));
        match page.next {
            Some(next) => query.before = Some(next),
            None => return found,
        }
    }
}

fn downwards(wanted: impl Fn(u64) -> bool) -> Vec<u64> {
    // Entry 1 is hour 0.
    (1..=200).rev().filter(|seq| wanted(seq - 1)).collect()
}

#[tokio::test]
async fn a_search_finds_what_fits_newest_first_and_pages_through_it() {
    let folder = tempfile::tempdir().unwrap();
    let audit = filled(&folder).await;
    let any = AuditQuery::default;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(all(&audit, &any()).await, downwards(|_| true));
    let check = async |query: AuditQuery, wanted: Vec<u64>| {
        assert_eq!(all(&audit, &query).await, wanted, "{query:?}");
    };
    check(AuditQuery { who: text("sam"), ..any() }, downwards(|hour| hour % 3 == 1)).await;
    check(AuditQuery { who: text("id-sam"), ..any() }, downwards(|hour| hour % 3 == 1)).await;
    check(AuditQuery { action: text("account."), ..any() }, downwards(|hour| hour % 2 == 0)).await;
    check(AuditQuery { object: text("deal:4"), ..any() }, downwards(|hour| hour % 5 == 4)).await;
    check(AuditQuery { object: text("deal:"), ..any() }, downwards(|_| true)).await;
    check(AuditQuery { object: text("deal"), ..any() }, vec![]).await;
    let refused = AuditQuery { outcome: Some(AuditOutcome::Refused), ..any() };
    check(refused.clone(), downwards(|hour| hour % 3 == 0)).await;
    let first_day = at(24).date_naive();
    let days = AuditQuery { from: Some(first_day), to: first_day.succ_opt(), ..refused };
    check(days.clone(), downwards(|hour| (24..72).contains(&hour) && hour % 3 == 0)).await;
    check(
        AuditQuery { before: Some(40), ..days },
        downwards(|hour| (24..39).contains(&hour) && hour % 3 == 0),
    )
    .await;
    check(AuditQuery { from: Some(NaiveDate::MIN), to: Some(NaiveDate::MAX), ..any() }, downwards(|_| true))
        .await;
    check(AuditQuery { from: Some(NaiveDate::MAX), ..any() }, vec![]).await;
    check(AuditQuery { to: Some(NaiveDate::MIN), ..any() }, vec![]).await;
    check(AuditQuery { before: Some(0), ..any() }, vec![]).await;
}

#[tokio::test]
async fn an_empty_audit_has_nothing_to_find() {
    let folder = tempfile::tempdir().unwrap();
    let audit = open(&folder).await;
    assert_eq!(audit.search(&AuditQuery::default(), 10).await.unwrap(), AuditPage::default());
    let to = Some(NaiveDate::MAX);
    assert_eq!(
        audit.search(&AuditQuery { to, ..AuditQuery::default() }, 0).await.unwrap(),
        AuditPage::default()
    );
}

#[tokio::test]
async fn what_is_recorded_comes_back_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let audit = open(&folder).await;
    let mut sent = entry("local owner", "account.update", "account:1");
    sent.account = Some("4f1c".to_owned());
    sent.from = Some("192.0.2.7".to_owned());
    sent.request = Some("r-1".to_owned());
    sent.outcome = AuditOutcome::Failed;
    sent.before = Some(json!({"role": "analyst", "password": "hunter2"}));
    sent.after = Some(json!("x".repeat(STATE + 1)));
    sent.sensitive = true;
    audit.record(sent.clone(), at(0)).await.unwrap();
    audit.record(entry(&"é".repeat(NAME + 1), "login", ""), at(1)).await.unwrap();

    let found = audit.search(&AuditQuery::default(), 10).await.unwrap();
    let [long, record] = &found.records[..] else { unreachable!("two were recorded") };
    sent.before = Some(json!({"role": "analyst", "password": "[redacted]"}));
    sent.after = Some(json!("[left out: 65539 bytes]"));
    assert_eq!(record.what.as_ref(), Some(&sent));
    assert_eq!(long.what.as_ref().unwrap().who, format!("{}…", "é".repeat(NAME)));
    let bytes = std::fs::read(folder.path().join("state.db-wal")).unwrap();
    assert!(!bytes.windows(7).any(|piece| piece == b"hunter2"));
}

/// JSON is read to a depth of 128: without a limit of its own one deep state had made the whole audit unreadable.
#[tokio::test]
async fn a_deeply_nested_state_does_not_poison_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let audit = open(&folder).await;
    let mut sent = entry("ruth", "deal.update", "deal:1");
    sent.after = Some((0..127).fold(json!(1), |inner, _| json!([inner])));
    audit.record(sent, at(0)).await.unwrap();
    assert_eq!(audit.search(&AuditQuery::default(), 10).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn payloads_of_other_versions_are_read_as_far_as_they_go() {
    let folder = tempfile::tempdir().unwrap();
    let audit = open(&folder).await;
    let later = json!({"version": 9, "who": "ruth", "outcome": "deferred", "object": 7, "mood": "good"});
    for payload in [later, json!(["odd"])] {
        audit.ledger.append(&audit.stream, KIND, &payload, at(0)).await.unwrap();
    }
    let found = audit.search(&AuditQuery::default(), 10).await.unwrap();
    assert_eq!(found.records[0].what, None);
    let mut read = entry("ruth", "", "");
    read.outcome = AuditOutcome::Unknown;
    assert_eq!(found.records[1].what, Some(read));
}

#[tokio::test]
async fn a_missing_entry_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let audit = filled(&folder).await;
    let store = StateStore::open(folder.path().join("state.db").to_str().unwrap()).await.unwrap();
    let removed = store.write(|connection| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM ledger_entry WHERE seq = 150").execute(connection).await;
            assert_eq!(done.unwrap().rows_affected(), 1);
            Ok(())
        })
    });
    removed.await.unwrap();
    let newest = audit.search(&AuditQuery::default(), 10).await.unwrap();
    assert_eq!(newest.records.len(), 10);
    let error = audit.search(&AuditQuery::default(), 100).await.unwrap_err();
    assert!(matches!(error, Error::Tampered { seq: 150, what: Damage::MissingEntry, .. }), "{error}");
}

/// The lines of an export.
async fn export(audit: &Audit, query: &AuditQuery, format: AuditFormat) -> (Exported, Vec<String>) {
    let mut out = Vec::new();
    let exported = audit.export(query, format, &mut out).await.unwrap();
    (exported, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn an_export_can_be_held_against_a_kept_head() {
    let folder = tempfile::tempdir().unwrap();
    let audit = filled(&folder).await;
    audit.erase(7, "asked for", at(300)).await.unwrap();
    let kept = audit.ledger.head(&audit.stream).await.unwrap();

    let (exported, lines) = export(&audit, &AuditQuery::default(), AuditFormat::JsonLines).await;
    assert_eq!(exported, Exported { entries: 201, head: kept.clone() });
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["mac"], json!(kept.unwrap().mac));
    assert!(lines.windows(2).all(|pair| pair[0]["prev_mac"] == pair[1]["mac"]));
    assert_eq!(lines.iter().filter(|line| line["payload"].is_null()).count(), 1);
    let found = audit.ledger.verify(&audit.stream, None).await.unwrap();
    assert!(matches!(found, Verification::Intact { entries: 201, .. }), "{found}");

    let (exported, lines) = export(&audit, &AuditQuery::default(), AuditFormat::Csv).await;
    assert_eq!((exported.entries, lines.len()), (201, 202));
    assert!(lines[0].starts_with("seq,recorded_at,kind,who,"));
    assert!(lines[1].starts_with("201,2000-01-06T12:00:00.000000Z,erased,,,,,,,,,,\"{\"\""), "{}", lines[1]);
    assert!(lines[2].contains(",sam,id-sam,deal.view,deal:4,,,done,no,,,,"), "{}", lines[2]);
    let sam = AuditQuery { who: Some("sam".to_owned()), ..AuditQuery::default() };
    assert_eq!(export(&audit, &sam, AuditFormat::Csv).await.0.entries, 67);
}

/// By the recipe at the head of `export.rs`, from the exported line alone.
#[tokio::test]
async fn an_exported_payload_has_the_hash_that_stands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let audit = open(&folder).await;
    let mut sent = entry("ruth", "deal.update", "deal:1");
    sent.after = Some(json!({"z": 0.1, "a": [1e300, "é\u{1}"], "m": {"b": 1, "a": 2}}));
    audit.record(sent, at(0)).await.unwrap();
    let (_, lines) = export(&audit, &AuditQuery::default(), AuditFormat::JsonLines).await;
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    let salt = line["salt"].as_str().unwrap();
    let salt: Vec<u8> = (0..16).map(|i| u8::from_str_radix(&salt[2 * i..2 * i + 2], 16).unwrap()).collect();
    let mut hash = sha2::Sha256::new();
    for field in [b"marquee ledger payload 1".as_slice(), &salt, line["payload"].to_string().as_bytes()] {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    assert_eq!(line["payload_hash"], json!(crate::Digest(hash.finalize().into())));
}
