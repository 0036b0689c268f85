//! Alerts over a real store: once until resolved, told at least once, nothing secret in the files.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{AccountId, Class, Hook, Severity, Shape};

const OWNER: &str = "00112233445566778899aabbccddeeff";

struct House {
    line: String,
    folder: tempfile::TempDir,
    alerts: Alerts,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path().join("state.db").to_str().unwrap()).await.unwrap();
        let line = Keyring::fresh_line().unwrap();
        let alerts = Alerts::open(store, Keyring::parse(&line).unwrap());
        Self { line, folder, alerts }
    }

    async fn rule(&self) -> AlertRule {
        self.alerts.create_rule(plan(), at(0)).await.unwrap()
    }

    async fn open(&self) -> Vec<String> {
        let filter = AlertFilter { open: Some(true), rule: None };
        let page = self.alerts.list(&filter, None, 100).await.unwrap();
        let mut keys: Vec<String> = page.alerts.into_iter().map(|alert| alert.found.key).collect();
        keys.sort();
        keys
    }

    /// Everything that lies on the disk.
    fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

fn plan() -> NewRule {
    NewRule {
        label: "Nightjar loses".to_owned(),
        kind: "loss".to_owned(),
        settings: json!({ "above": 0.5, "film": "Nightjar" }),
        owner: OWNER.parse().unwrap(),
        team: "east".to_owned(),
        class: Class::Internal,
        channels: Vec::new(),
        enabled: true,
    }
}

fn found(key: &str) -> Finding {
    Finding {
        key: key.to_owned(),
        title: format!("Nightjar {key}"),
        text: "P(loss) is 61%".to_owned(),
        severity: Severity::Warning,
        link: Some("/titles/1".to_owned()),
        class: Class::Public,
        team: String::new(),
        nda: None,
    }
}

fn look(keys: &[&str]) -> Look {
    Look { findings: keys.iter().map(|key| found(key)).collect(), ..Look::default() }
}

fn channel() -> NewChannel {
    NewChannel {
        label: "The desk".to_owned(),
        shape: Shape::PagerDuty { routing_key: "R0UT1NG-0123456789".to_owned() },
        hook: Hook::parse("https://hooks.example.com/T0P-HOOK").unwrap(),
        secret: "whsec_0123456789".to_owned(),
    }
}

#[tokio::test]
async fn a_finding_fires_once_until_it_is_resolved() {
    let house = House::new().await;
    let rule = house.rule().await;
    let take = |keys: &'static [&'static str], minute| house.alerts.take(&rule, look(keys), at(minute));
    assert_eq!(take(&["a", "b"], 1).await.unwrap(), Taken { fired: 2, resolved: 0 });
    assert_eq!(take(&["a", "b"], 2).await.unwrap(), Taken::default());
    assert_eq!(take(&["b"], 3).await.unwrap(), Taken { fired: 0, resolved: 1 });
    assert_eq!(house.open().await, ["b"]);
    assert_eq!(take(&["a", "b"], 4).await.unwrap(), Taken { fired: 1, resolved: 0 }, "it is a new matter");
    let all = house.alerts.list(&AlertFilter::default(), None, 2).await.unwrap();
    assert_eq!(all.alerts.len(), 2);
    assert_eq!((all.alerts[0].found.key.as_str(), all.alerts[0].fired_at), ("a", at(4)));
    let rest = house.alerts.list(&AlertFilter::default(), all.next.as_deref(), 2).await.unwrap();
    assert_eq!((rest.alerts.len(), rest.next), (1, None));
    let done = AlertFilter { open: Some(false), rule: Some(rule.id.clone()) };
    assert_eq!(house.alerts.list(&done, None, 9).await.unwrap().alerts[0].resolved_at, Some(at(3)));
    let none = AlertFilter { rule: Some("0".repeat(32)), ..AlertFilter::default() };
    assert_eq!(house.alerts.list(&none, None, 9).await.unwrap(), AlertPage::default());
}

#[tokio::test]
async fn what_could_not_be_looked_at_stays() {
    let house = House::new().await;
    let rule = house.rule().await;
    house.alerts.take(&rule, look(&["a", "b"]), at(1)).await.unwrap();
    let (unsure, fault) = (vec!["a".to_owned()], Some("`a` cannot be forecast".to_owned()));
    let taken = house.alerts.take(&rule, Look { unsure, fault, ..Look::default() }, at(2)).await.unwrap();
    assert_eq!(taken.resolved, 1);
    assert_eq!(house.open().await, ["a"]);
    house.alerts.take(&rule, Look { blind: true, ..Look::default() }, at(2)).await.unwrap();
    assert_eq!(house.open().await, ["a"], "who saw nothing resolves nothing");
    let (unsure, fault) = (vec!["a".to_owned()], Some("`a` cannot be forecast".to_owned()));
    house.alerts.take(&rule, Look { unsure, fault, ..Look::default() }, at(2)).await.unwrap();
    let rule = house.alerts.rule(&rule.id).await.unwrap().unwrap();
    assert_eq!((rule.checked_at, rule.fault.as_deref()), (Some(at(2)), Some("`a` cannot be forecast")));
    assert_eq!((&rule.plan, rule.updated_at), (&plan(), at(0)), "a look is no change");
}

#[tokio::test]
async fn a_rule_that_was_changed_switched_off_or_removed_meanwhile_takes_nothing() {
    let house = House::new().await;
    let old = house.rule().await;
    house.alerts.take(&old, look(&["a"]), at(1)).await.unwrap();
    house.alerts.update_rule(&old.id, &NewRule { team: "west".to_owned(), ..plan() }, at(2)).await.unwrap();
    assert_eq!(house.alerts.take(&old, look(&["b"]), at(3)).await.unwrap(), Taken::default());
    house.alerts.update_rule(&old.id, &NewRule { enabled: false, ..plan() }, at(4)).await.unwrap();
    assert!(house.open().await.is_empty());
    let off = house.alerts.rule(&old.id).await.unwrap().unwrap();
    assert_eq!((off.created_at, off.updated_at), (at(0), at(4)));
    assert_eq!(house.alerts.take(&off, look(&["b"]), at(5)).await.unwrap(), Taken::default());
    house.alerts.remove_rule(&old.id, at(6)).await.unwrap();
    assert!(matches!(house.alerts.remove_rule(&old.id, at(6)).await, Err(Error::NotFound { .. })));
    assert!(matches!(house.alerts.update_rule(&old.id, &plan(), at(6)).await, Err(Error::NotFound { .. })));
    assert_eq!(house.alerts.take(&old, look(&["b"]), at(7)).await.unwrap(), Taken::default());
}

#[tokio::test]
async fn telling_is_due_until_it_is_noted() {
    let house = House::new().await;
    let rule = house.rule().await;
    house.alerts.take(&rule, look(&["a"]), at(1)).await.unwrap();
    let due = |house: &House| {
        let alerts = house.alerts.clone();
        async move {
            let due = alerts.untold(9).await.unwrap();
            due.into_iter().map(|(alert, told)| (alert.id, told)).collect::<Vec<_>>()
        }
    };
    let first = due(&house).await;
    assert_eq!((first.len(), first[0].1), (1, Told::Fired));
    assert_eq!(due(&house).await, first, "looking is no telling");
    house.alerts.told(&first[0].0, Told::Fired).await.unwrap();
    assert!(due(&house).await.is_empty());
    house.alerts.take(&rule, look(&[]), at(2)).await.unwrap();
    assert_eq!(due(&house).await, [(first[0].0.clone(), Told::Resolved)]);
    house.alerts.told(&first[0].0, Told::Resolved).await.unwrap();
    house.alerts.told(&first[0].0, Told::Fired).await.unwrap();
    assert!(due(&house).await.is_empty());
}

#[tokio::test]
async fn who_has_seen_to_it_first_stays() {
    let house = House::new().await;
    let rule = house.rule().await;
    house.alerts.take(&rule, look(&["a"]), at(1)).await.unwrap();
    let id = house.alerts.untold(1).await.unwrap()[0].0.id.clone();
    let (ana, ben): (AccountId, AccountId) = (OWNER.parse().unwrap(), "1".repeat(32).parse().unwrap());
    house.alerts.acknowledge(&id, &ana, at(2)).await.unwrap();
    house.alerts.acknowledge(&id, &ben, at(3)).await.unwrap();
    assert_eq!(house.alerts.get(&id).await.unwrap().unwrap().acknowledged, Some((ana.clone(), at(2))));
    assert!(matches!(house.alerts.acknowledge("x", &ana, at(2)).await, Err(Error::NotFound { .. })));
    assert!(house.alerts.get("x").await.unwrap().is_none());
}

#[tokio::test]
async fn an_alert_is_held_as_the_closer_of_rule_and_finding() {
    let house = House::new().await;
    let rule = house.rule().await;
    let deal =
        Finding { class: Class::Nda, team: "west".to_owned(), nda: Some("acme".to_owned()), ..found("deal") };
    let findings = vec![found("open"), deal];
    house.alerts.take(&rule, Look { findings, ..Look::default() }, at(1)).await.unwrap();
    let mut alerts = house.alerts.list(&AlertFilter::default(), None, 9).await.unwrap().alerts;
    alerts.sort_by(|a, b| a.found.key.cmp(&b.found.key));
    let held =
        |alert: &Alert| (alert.found.class, alert.found.team.clone(), alert.found.nda.clone(), alert.closer);
    assert_eq!(held(&alerts[0]), (Class::Nda, "west".to_owned(), Some("acme".to_owned()), true));
    assert_eq!(held(&alerts[1]), (Class::Internal, "east".to_owned(), None, false));
}

#[tokio::test]
async fn nothing_that_rules_channels_and_alerts_say_lies_in_plain() {
    let house = House::new().await;
    let rule = house.rule().await;
    let kept = house.alerts.create_channel(&channel(), at(0)).await.unwrap();
    house.alerts.take(&rule, look(&["a"]), at(1)).await.unwrap();
    assert_eq!(house.alerts.channel(&kept.id).await.unwrap(), Some(channel()));
    assert_eq!(house.alerts.channels().await.unwrap(), std::slice::from_ref(&kept));
    let shown = format!("{:?} {:?} {:?}", channel(), house.alerts, kept);
    let bytes = house.bytes();
    for secret in ["T0P-HOOK", "whsec_0123456789", "R0UT1NG", "Nightjar"] {
        assert!(!shown.contains(secret), "{shown}");
        let there = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!there, "{secret} can be read from the files");
    }
    let slack = NewChannel { shape: Shape::Slack, label: "A desk".to_owned(), ..channel() };
    house.alerts.update_channel(&kept.id, &slack, at(2)).await.unwrap();
    assert_eq!(house.alerts.channel(&kept.id).await.unwrap(), Some(slack));
    house.alerts.remove_channel(&kept.id).await.unwrap();
    assert!(house.alerts.channel(&kept.id).await.unwrap().is_none());
    assert!(matches!(house.alerts.remove_channel(&kept.id).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn keys_change_and_everything_still_opens() {
    let house = House::new().await;
    let rule = house.rule().await;
    let kept = house.alerts.create_channel(&channel(), at(0)).await.unwrap();
    house.alerts.take(&rule, look(&["a"]), at(1)).await.unwrap();
    assert_eq!(house.alerts.rotate().await.unwrap(), 0, "all is under the current key");
    let line = Keyring::fresh_line().unwrap();
    let with = |text: &str| Alerts::open(house.alerts.store.clone(), Keyring::parse(text).unwrap());
    let new = with(&line);
    assert!(matches!(new.rules().await, Err(Error::UnknownKey { .. })));
    assert_eq!(new.rotate().await.unwrap(), 0, "what does not open stays");
    assert_eq!(with(&format!("{line}\n{}", house.line)).rotate().await.unwrap(), 3);
    assert_eq!(new.channel(&kept.id).await.unwrap(), Some(channel()));
    assert_eq!(new.rules().await.unwrap()[0].plan, plan());
    assert_eq!(new.untold(9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_without_showing_a_secret() {
    let house = House::new().await;
    let refused = [
        NewRule { label: " ".to_owned(), ..plan() },
        NewRule { label: "a\nb".to_owned(), ..plan() },
        NewRule { kind: "No Kind".to_owned(), ..plan() },
        NewRule { team: "x".repeat(201), ..plan() },
        NewRule { channels: vec!["x".to_owned()], ..plan() },
        NewRule { channels: vec!["0".repeat(32); 21], ..plan() },
        NewRule { settings: json!("x".repeat(70_000)), ..plan() },
    ];
    for plan in refused {
        let error = house.alerts.create_rule(plan.clone(), at(0)).await.unwrap_err();
        assert!(!error.is_fault(), "{error}: {plan:?}");
    }
    let pager = |key: &str| Shape::PagerDuty { routing_key: key.to_owned() };
    for new in [
        NewChannel { secret: "s3cret".to_owned(), ..channel() },
        NewChannel { secret: "s3cret s3cret s3cret".to_owned(), ..channel() },
        NewChannel { shape: pager("s3cret"), ..channel() },
        NewChannel { label: String::new(), ..channel() },
    ] {
        let error = house.alerts.create_channel(&new, at(0)).await.unwrap_err();
        assert!(!error.is_fault() && !error.to_string().contains("s3cret"), "{error}");
    }
    let rule = house.rule().await;
    let error = house.alerts.take(&rule, look(&[""]), at(1)).await.unwrap_err();
    assert!(matches!(error, Error::InvalidAlert { .. }), "{error}");
    let long = Finding { title: "é".repeat(999), text: "a\0".repeat(9_999), ..found("long") };
    house.alerts.take(&rule, Look { findings: vec![long], ..Look::default() }, at(1)).await.unwrap();
    let kept = &house.alerts.untold(1).await.unwrap()[0].0.found;
    assert_eq!((kept.title.chars().count(), kept.text.chars().count()), (300, 4_000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Whatever the looks found, what is open afterwards is what the last one found or was unsure of among what was open.
    #[test]
    fn what_is_open_is_what_was_last_found(
        looks in prop::collection::vec((prop::collection::btree_set("[a-e]", 0..4), prop::collection::btree_set("[a-e]", 0..2)), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new().await;
            let rule = house.rule().await;
            let mut wanted: BTreeSet<String> = BTreeSet::new();
            for (minute, (found, unsure)) in looks.into_iter().enumerate() {
                let keys: Vec<&str> = found.iter().map(String::as_str).collect();
                let look = Look { unsure: unsure.iter().cloned().collect(), ..look(&keys) };
                let taken = house.alerts.take(&rule, look, at(minute as i64)).await.unwrap();
                let before = wanted.clone();
                wanted.retain(|key| found.contains(key) || unsure.contains(key));
                assert_eq!(taken.resolved as usize, before.len() - wanted.len());
                assert_eq!(taken.fired as usize, found.difference(&before).count());
                wanted.extend(found);
                assert_eq!(house.open().await, wanted.iter().cloned().collect::<Vec<_>>());
            }
        });
    }
}
