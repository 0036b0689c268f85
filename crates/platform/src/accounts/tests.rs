//! Accounts in a store: set-up, changes, log-ins, sessions, tokens.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row as _;

use super::*;
use crate::Action;

const PASSWORD: &str = "four words in a row";

struct Desk {
    accounts: Accounts,
    store: StateStore,
    _folder: tempfile::TempDir,
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + 60 * minutes, 0).unwrap()
}

fn from(address: &str) -> Origin<'static> {
    Origin { address: address.parse().unwrap(), device: None, agent: "a browser".to_owned() }
}

fn new(name: &str, role: Role) -> NewAccount {
    NewAccount { password: Some(PASSWORD.to_owned()), ..NewAccount::named(name, role) }
}

async fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let store = StateStore::open(folder.path().join("m.db").to_str().unwrap()).await.unwrap();
    let secret = Secret::open(&folder.path().join("accounts.key")).unwrap();
    Desk { accounts: Accounts::open(store.clone(), secret).unwrap(), store, _folder: folder }
}

impl Desk {
    async fn set_up(&self) -> Account {
        let code = self.accounts.set_up_code().to_owned();
        self.accounts.set_up(&code, new("Ana", Role::Viewer), at(0)).await.unwrap()
    }

    async fn enter(&self, name: &str, origin: &Origin<'_>, now: DateTime<Utc>) -> (NewSession, String) {
        match self.accounts.log_in(name, PASSWORD, origin, now).await.unwrap() {
            LogIn::Done { session, device } => (session, device),
            other => panic!("{other:?}"),
        }
    }

    async fn lasts(&self, cookie: &str, now: DateTime<Utc>) -> bool {
        self.accounts.session(cookie, now).await.unwrap().is_some()
    }

    /// The hash that is stored of this account's password.
    async fn stored_password(&self, name: &str) -> String {
        let mut connection = self.store.readers().acquire().await.unwrap();
        let query = sqlx::query("SELECT password FROM account WHERE name = $1").bind(name.to_owned());
        query.fetch_one(&mut *connection).await.unwrap().try_get(0).unwrap()
    }
}

#[tokio::test]
async fn the_first_account_needs_the_code_and_there_is_one_first() {
    let desk = desk().await;
    let accounts = &desk.accounts;
    assert!(accounts.is_empty().await.unwrap());
    let code = accounts.set_up_code();
    assert_eq!(code.len(), 19);
    for wrong in ["", "0000-0000-0000-0000", &code[1..]] {
        let refused = accounts.set_up(wrong, new("Ana", Role::Viewer), at(0)).await;
        assert!(matches!(refused, Err(Error::WrongSetUpCode)));
    }
    let typed = code.replace('-', " ").to_lowercase();
    let both = tokio::join!(
        accounts.set_up(&typed, new("Ana", Role::Viewer), at(0)),
        accounts.set_up(code, new("Ben", Role::Viewer), at(0)),
    );
    let (made, refused) = match both {
        (Ok(made), Err(refused)) | (Err(refused), Ok(made)) => (made, refused),
        both => panic!("{both:?}"),
    };
    assert_eq!(made.role, Role::Administrator);
    assert!(matches!(refused, Error::AlreadySetUp));
    assert!(!accounts.is_empty().await.unwrap());
    let late = accounts.set_up(code, new("Eve", Role::Viewer), at(0)).await;
    assert!(matches!(late, Err(Error::AlreadySetUp)));
    assert_eq!(accounts.list().await.unwrap(), [made]);
}

#[tokio::test]
async fn accounts_are_made_found_and_changed() {
    let desk = desk().await;
    let ana = desk.set_up().await;
    let accounts = &desk.accounts;
    let ben = NewAccount {
        team: " east ".to_owned(),
        clearances: BTreeSet::from(["heist".to_owned()]),
        external: Some("https://id.example|17".to_owned()),
        ..NewAccount::named(" Ben Ruiz ", Role::Producer)
    };
    let ben = accounts.create(ben, at(1)).await.unwrap();
    assert_eq!((&*ben.name, &*ben.display, &*ben.team), ("Ben Ruiz", "Ben Ruiz", "east"));
    assert_eq!(accounts.find("BEN RUIZ").await.unwrap().as_ref(), Some(&ben));
    assert_eq!(accounts.find_external("https://id.example|17").await.unwrap().as_ref(), Some(&ben));
    assert_eq!(accounts.get(&ben.id).await.unwrap().as_ref(), Some(&ben));
    assert_eq!(accounts.get(&AccountId::fresh().unwrap()).await.unwrap(), None);

    let taken = accounts.create(new("ben ruiz", Role::Viewer), at(1)).await.unwrap_err();
    assert_eq!(taken.to_string(), "there is an account `ben ruiz` already: choose another name");
    let same = NewAccount { external: ben.external.clone(), ..NewAccount::named("Bo", Role::Viewer) };
    assert!(
        matches!(accounts.create(same, at(1)).await, Err(Error::NameTaken { name }) if name.starts_with("https"))
    );
    for refused in [
        NewAccount { password: Some("too short".to_owned()), ..new("Cy", Role::Viewer) },
        NewAccount::named("a\nb", Role::Viewer),
        NewAccount { team: "x".repeat(101), ..new("Cy", Role::Viewer) },
    ] {
        assert!(matches!(accounts.create(refused, at(1)).await, Err(Error::InvalidField { .. })));
    }

    let change =
        Change { role: Some(Role::Investor), clearances: Some(BTreeSet::new()), ..Change::default() };
    let changed = accounts.update(&ben.id, change, at(2)).await.unwrap();
    assert_eq!(changed, Account { role: Role::Investor, clearances: BTreeSet::new(), ..ben });
    assert_eq!(accounts.list().await.unwrap(), [ana, changed]);
    let nobody = accounts.update(&AccountId::fresh().unwrap(), Change::default(), at(2)).await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let desk = desk().await;
    let ana = desk.set_up().await;
    let accounts = &desk.accounts;
    let demote = Change { role: Some(Role::Viewer), ..Change::default() };
    let disable = Change { disabled: Some(true), ..Change::default() };
    for change in [&demote, &disable] {
        let refused = accounts.update(&ana.id, change.clone(), at(1)).await;
        assert!(matches!(refused, Err(Error::LastAdministrator { .. })));
    }
    let ben = accounts.create(new("Ben", Role::Administrator), at(1)).await.unwrap();
    // Both at once: one of them must stay.
    let both = tokio::join!(
        accounts.update(&ana.id, demote.clone(), at(2)),
        accounts.update(&ben.id, disable, at(2))
    );
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
}

#[tokio::test]
async fn who_knows_the_password_gets_in() {
    let desk = desk().await;
    desk.set_up().await;
    let accounts = &desk.accounts;
    let here = from("192.0.2.1");
    let nobody = accounts.log_in("nobody", PASSWORD, &here, at(0)).await.unwrap();
    let wrong = accounts.log_in("ana", "five words in a row", &here, at(0)).await.unwrap();
    assert_eq!((nobody, wrong), (LogIn::Refused, LogIn::Refused));

    let (session, _) = desk.enter(" aNA", &here, at(0)).await;
    assert!(!format!("{session:?}").contains(&session.cookie));
    let (found, account) = accounts.session(&session.cookie, at(1)).await.unwrap().unwrap();
    assert_eq!((&*account.name, &*found.address, &*found.agent), ("Ana", "192.0.2.1", "a browser"));
    assert_eq!((&found.csrf, &found.id), (&session.csrf, &session.id));
    assert!(accounts.csrf_holds(&found, &session.csrf));
    let (other, _) = desk.enter("ana", &here, at(0)).await;
    for wrong in [&*other.csrf, "", "!", &session.csrf[1..]] {
        assert!(!accounts.csrf_holds(&found, wrong));
    }
    assert!(!desk.lasts("", at(1)).await && !desk.lasts(&session.id, at(1)).await);
    accounts.log_out(&session.cookie).await.unwrap();
    assert!(!desk.lasts(&session.cookie, at(1)).await && desk.lasts(&other.cookie, at(1)).await);
}

#[tokio::test]
async fn a_session_slides_and_ends() {
    let desk = desk().await;
    let ana = desk.set_up().await;
    let here = from("192.0.2.1");
    let (idle, _) = desk.enter("ana", &here, at(0)).await;
    assert!(desk.lasts(&idle.cookie, at(719)).await);
    assert!(desk.lasts(&idle.cookie, at(719 + 719)).await);
    assert!(!desk.lasts(&idle.cookie, at(719 + 719 + 720)).await);

    let (long, _) = desk.enter("ana", &here, at(0)).await;
    let whole = 14 * 24 * 60;
    for minutes in (0..whole).step_by(600) {
        assert!(desk.lasts(&long.cookie, at(minutes)).await);
    }
    assert!(!desk.lasts(&long.cookie, at(whole)).await);
    // What is over goes with the next log-in.
    let (new, _) = desk.enter("ana", &here, at(whole)).await;
    let kept: Vec<_> = desk.accounts.sessions(&ana.id).await.unwrap().into_iter().map(|s| s.id).collect();
    assert_eq!(kept, [new.id]);
}

#[tokio::test]
async fn use_is_noted_every_five_minutes_at_most() {
    let desk = desk().await;
    desk.set_up().await;
    let (session, _) = desk.enter("ana", &from("192.0.2.1"), at(0)).await;
    let writes = || desk.store.stats().writes;
    let before = writes();
    for minutes in [0, 1, 4] {
        assert!(desk.lasts(&session.cookie, at(minutes)).await);
    }
    assert_eq!(writes(), before);
    assert!(desk.lasts(&session.cookie, at(5)).await && desk.lasts(&session.cookie, at(6)).await);
    assert_eq!(writes(), before + 1);
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once() {
    let desk = desk().await;
    desk.set_up().await;
    let accounts = &desk.accounts;
    let ben = accounts.create(new("Ben", Role::Analyst), at(0)).await.unwrap();
    let here = from("192.0.2.1");
    let (session, _) = desk.enter("Ben", &here, at(0)).await;
    let scopes = BTreeSet::from([Action::Read]);
    let (_, text) = accounts.issue_token(&ben.id, "notebook", scopes, None, at(0)).await.unwrap();
    assert!(accounts.token(&text, at(1)).await.unwrap().is_some());

    let disabled = |yes| Change { disabled: Some(yes), ..Change::default() };
    accounts.update(&ben.id, disabled(true), at(1)).await.unwrap();
    assert!(!desk.lasts(&session.cookie, at(1)).await);
    assert!(accounts.token(&text, at(1)).await.unwrap().is_none());
    assert_eq!(accounts.log_in("Ben", PASSWORD, &here, at(1)).await.unwrap(), LogIn::Refused);
    assert_eq!(accounts.begin_session(&ben.id, &here, at(1)).await.unwrap(), LogIn::Refused);
    accounts.update(&ben.id, disabled(false), at(2)).await.unwrap();
    assert!(!desk.lasts(&session.cookie, at(2)).await);
}

#[tokio::test]
async fn a_new_password_ends_sessions() {
    let desk = desk().await;
    let ana = desk.set_up().await;
    let accounts = &desk.accounts;
    let here = from("192.0.2.1");
    let (one, _) = desk.enter("ana", &here, at(0)).await;
    let (two, _) = desk.enter("ana", &here, at(0)).await;
    let (session, _) = accounts.session(&one.cookie, at(0)).await.unwrap().unwrap();
    let other = "another four words";
    let wrong = accounts.change_password(&session, "no", other, at(1)).await;
    assert!(matches!(wrong, Err(Error::WrongPassword)));
    assert!(accounts.change_password(&session, PASSWORD, "short", at(1)).await.is_err());
    accounts.change_password(&session, PASSWORD, other, at(1)).await.unwrap();
    assert!(desk.lasts(&one.cookie, at(1)).await && !desk.lasts(&two.cookie, at(1)).await);

    accounts.set_password(&ana.id, None, PASSWORD, at(2)).await.unwrap();
    assert!(!desk.lasts(&one.cookie, at(2)).await);
    desk.enter("ana", &here, at(2)).await;
    for _ in 0..11 {
        let wrong = accounts.set_password(&ana.id, Some("no"), other, at(3)).await;
        assert!(matches!(wrong, Err(Error::WrongPassword)));
    }
    let later = accounts.set_password(&ana.id, Some(PASSWORD), other, at(3)).await;
    assert!(matches!(later, Err(Error::TryLater { until }) if until > at(3)));
}

#[tokio::test]
async fn a_known_device_gets_in_while_others_wait() {
    let desk = desk().await;
    desk.set_up().await;
    let accounts = &desk.accounts;
    accounts.create(new("Eve", Role::Viewer), at(0)).await.unwrap();
    let (_, device) = desk.enter("ana", &from("192.0.2.1"), at(0)).await;
    let (_, of_another) = desk.enter("eve", &from("192.0.2.1"), at(0)).await;
    let forged = secret::encode(&[7; 64]);
    for device in [None, Some(&*of_another), Some(&*forged), Some("x")] {
        for _ in 0..2 {
            let from = Origin { device, ..from("192.0.2.1") };
            let refused = accounts.log_in("ana", "no", &from, at(1)).await.unwrap();
            assert!(matches!(refused, LogIn::Refused | LogIn::Wait { .. }));
        }
    }
    let unknown = accounts.log_in("ana", PASSWORD, &from("192.0.2.1"), at(1)).await.unwrap();
    assert!(matches!(unknown, LogIn::Wait { until } if until > at(1)), "{unknown:?}");
    let known = Origin { device: Some(&device), ..from("192.0.2.1") };
    let (_, again) = desk.enter("ana", &known, at(1)).await;
    assert_eq!(again, device);
}

#[tokio::test]
async fn a_weak_hash_is_made_anew_at_the_next_log_in() {
    let desk = desk().await;
    let ana = desk.set_up().await;
    let weak = passwords::weak_hash(PASSWORD);
    let (id, stored) = (ana.id.clone(), weak.clone());
    let set =
        desk.accounts.write(move |mut rows| Box::pin(async move { rows.set_password(&id, &stored).await }));
    assert!(set.await.unwrap());
    desk.enter("ana", &from("192.0.2.1"), at(0)).await;
    let renewed = desk.stored_password("Ana").await;
    assert!(renewed != weak && !passwords::is_outdated(&renewed));
    desk.enter("ana", &from("192.0.2.1"), at(0)).await;
    assert_eq!(desk.stored_password("Ana").await, renewed);
}

#[tokio::test]
async fn tokens_open_until_they_are_over() {
    let desk = desk().await;
    let ana = desk.set_up().await;
    let accounts = &desk.accounts;
    let scopes = BTreeSet::from([Action::Read, Action::Ingest]);
    let (token, text) = accounts.issue_token(&ana.id, " feed ", scopes, Some(at(60)), at(0)).await.unwrap();
    assert_eq!((&*token.label, token.used_at), ("feed", None));
    assert_eq!(text.len(), 87);
    let (found, account) = accounts.token(&text, at(1)).await.unwrap().unwrap();
    assert_eq!((&account, found.used_at), (&ana, Some(at(1))));
    assert_eq!(found, Token { used_at: Some(at(1)), ..token.clone() });
    assert_eq!(accounts.tokens(&ana.id).await.unwrap(), [found]);
    assert!(accounts.token(&text, at(60)).await.unwrap().is_none());
    for wrong in ["", "mq_", &text[1..], &text.replace("mq_", "mp_")] {
        assert!(accounts.token(wrong, at(1)).await.unwrap().is_none());
    }
    accounts.revoke(&ana.id, &token.id, at(2)).await.unwrap();
    accounts.revoke(&ana.id, &token.id, at(3)).await.unwrap();
    assert_eq!(accounts.tokens(&ana.id).await.unwrap()[0].revoked_at, Some(at(2)));
    assert!(accounts.token(&text, at(2)).await.unwrap().is_none());

    let all = || BTreeSet::from(Action::ALL);
    assert!(accounts.issue_token(&ana.id, "x", BTreeSet::new(), None, at(2)).await.is_err());
    assert!(accounts.issue_token(&ana.id, "x", all(), Some(at(2)), at(2)).await.is_err());
    let nobody = AccountId::fresh().unwrap();
    assert!(matches!(
        accounts.issue_token(&nobody, "x", all(), None, at(2)).await,
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(accounts.revoke(&nobody, &token.id, at(2)).await, Err(Error::NotFound { .. })));
    assert!(matches!(accounts.end_session(&ana.id, "x").await, Err(Error::NotFound { .. })));
}

/// Nothing that opens a door may be readable in the store's files.
#[tokio::test]
async fn no_secret_lies_in_the_store() {
    let desk = desk().await;
    let ana = desk.set_up().await;
    let (session, device) = desk.enter("ana", &from("192.0.2.1"), at(0)).await;
    let scopes = BTreeSet::from([Action::Read]);
    let (_, token) = desk.accounts.issue_token(&ana.id, "t", scopes, None, at(0)).await.unwrap();
    desk.store.checkpoint().await.unwrap();
    let file = std::fs::read(desk.store.location().to_string()).unwrap();
    let holds = |text: &str| file.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(holds("192.0.2.1"));
    let secrets = [PASSWORD, &session.cookie, &session.csrf, &device, &token, desk.accounts.set_up_code()];
    assert!(!secrets.into_iter().any(holds));
}

#[tokio::test]
async fn end_of_time_is_no_panic() {
    let desk = desk().await;
    desk.set_up().await;
    for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        desk.accounts.log_in("ana", PASSWORD, &from("192.0.2.1"), now).await.ok();
        desk.accounts.session("x", now + TimeDelta::zero()).await.ok();
    }
}
