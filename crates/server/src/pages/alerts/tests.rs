//! The page holds whatever it is given, and its form offers rules that there are.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, Utc};
use marquee_app::platform::{Alert, AlertRule, Channel, Finding, NewRule, Severity};
use marquee_app::watching::Watch;

use super::shown::{KINDS, Shown, body};
use super::*;
use crate::pages::check::{self, somebody};

const ID: &str = "00112233445566778899aabbccddeeff";
const HOSTILE: &str = "<script>alert(1)</script>";

fn alert() -> Alert {
    let found = Finding {
        key: "x".to_owned(),
        title: HOSTILE.to_owned(),
        text: HOSTILE.to_owned(),
        severity: Severity::Error,
        link: Some("/titles/1".to_owned()),
        class: Class::Confidential,
        team: String::new(),
        nda: None,
    };
    Alert {
        id: ID.to_owned(),
        rule: ID.to_owned(),
        found,
        owner: ID.parse().unwrap(),
        closer: false,
        channels: Vec::new(),
        fired_at: DateTime::UNIX_EPOCH,
        resolved_at: None,
        acknowledged: None,
    }
}

fn shown() -> Shown {
    let plan = NewRule {
        label: HOSTILE.to_owned(),
        kind: "stale".to_owned(),
        settings: json!({ "days": 7, "source": HOSTILE }),
        owner: ID.parse().unwrap(),
        team: String::new(),
        class: Class::Internal,
        channels: vec![ID.to_owned()],
        enabled: true,
    };
    let at = DateTime::UNIX_EPOCH;
    let fault = Some(HOSTILE.to_owned());
    let (id, label, shape) = (ID.to_owned(), HOSTILE.to_owned(), "slack".to_owned());
    Shown {
        open: vec![alert()],
        over: vec![Alert { resolved_at: Some(at), acknowledged: Some((ID.parse().unwrap(), at)), ..alert() }],
        rules: vec![AlertRule {
            id: id.clone(),
            plan,
            created_at: at,
            updated_at: at,
            checked_at: Some(at),
            fault,
        }],
        channels: vec![Channel { id, label, shape, created_at: at, updated_at: at }],
    }
}

#[test]
fn the_page_is_sound_whatever_it_holds() {
    for (shown, wrong) in [(shown(), Some(HOSTILE)), (Shown::default(), None)] {
        let body = body(&somebody("Ana"), &shown, wrong, Utc::now());
        let text =
            page(&somebody("Ana"), Page { title: "Alerts", nav: Some(Nav::Alerts) }, body).into_string();
        check::sound(&text);
        assert!(!text.contains("<script>alert"), "{text}");
    }
}

#[test]
fn every_kind_that_the_form_offers_is_a_rule() {
    for (kind, _) in KINDS {
        let pairs = [("label", "x"), ("kind", kind), ("bound", "60"), ("class", "internal"), ("channel", ID)];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let draft = draft(pairs).unwrap();
        assert!(Watch::read(&draft.kind, &draft.settings).is_ok(), "{kind}: {}", draft.settings);
        assert_eq!(draft.channels, [ID]);
    }
    let odd = [("kind", "stale"), ("class", "internal")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(draft(odd.to_vec()).unwrap_err(), "Bound: give a number.");
}
