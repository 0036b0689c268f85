//! Who may do what, written out; policies that are refused.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::Role;
use chrono::DateTime;

const OTHER: &str = "ffffffffffffffffffffffffffffffff";

fn account(role: Role, team: &str, clearances: &[&str]) -> Account {
    Account {
        id: "00112233445566778899aabbccddeeff".parse().unwrap(),
        name: "ana".to_owned(),
        display: "Ana".to_owned(),
        role,
        team: team.to_owned(),
        clearances: clearances.iter().map(|name| (*name).to_owned()).collect(),
        disabled: false,
        created_at: DateTime::UNIX_EPOCH,
        external: None,
    }
}

fn project<'a>(class: Class, owner: &'a AccountId) -> Holding<'a> {
    Holding { kind: "project", id: "7", class, team: "east", owner: Some(owner), nda: Some("heist") }
}

/// What each role may do, in the order of [`Action::ALL`]:
/// read, record, ingest, train, plan, programme, audit, administer.
const ROLES: [(Role, [u8; 8]); 6] = [
    (Role::Viewer, [1, 0, 0, 0, 0, 0, 0, 0]),
    (Role::Analyst, [1, 1, 1, 1, 0, 0, 0, 0]),
    (Role::Investor, [1, 1, 0, 0, 1, 0, 0, 0]),
    (Role::Producer, [1, 0, 0, 0, 1, 0, 0, 0]),
    (Role::Programmer, [1, 0, 0, 0, 0, 1, 0, 0]),
    (Role::Administrator, [1, 1, 1, 1, 1, 1, 1, 1]),
];

/// What is open to whom, by class: public, internal, confidential, nda.
/// The team, the clearances, whether they own it.
const RELATIONS: [(&str, &[&str], bool, [u8; 4]); 8] = [
    ("east", &[], false, [1, 1, 1, 0]),
    ("east", &["heist"], false, [1, 1, 1, 1]),
    ("east", &["another"], false, [1, 1, 1, 0]),
    ("west", &[], false, [1, 1, 0, 0]),
    ("west", &["heist"], false, [1, 1, 0, 0]),
    ("west", &[], true, [1, 1, 1, 1]),
    ("", &[], false, [1, 1, 0, 0]),
    ("", &[], true, [1, 1, 1, 1]),
];

#[test]
fn every_role_may_what_the_table_says() {
    let policies = Policies::built_in().unwrap();
    for (role, rights) in ROLES {
        for (team, clearances, owns, open) in RELATIONS {
            let ana = account(role, team, clearances);
            let permit = policies.permit(&ana, None);
            let owner = if owns { ana.id.clone() } else { OTHER.parse().unwrap() };
            for (action, right) in Action::ALL.into_iter().zip(rights) {
                assert_eq!(permit.may(action), right == 1, "{role} {action}");
                for (class, open) in Class::ALL.iter().copied().zip(open) {
                    let found = permit.may_with(action, &project(class, &owner));
                    assert_eq!(found, right == 1 && open == 1, "{role} {action} {class} {team} {owns}");
                }
            }
        }
    }
}

#[test]
fn what_no_team_has_is_its_owners_alone() {
    let policies = Policies::built_in().unwrap();
    let lost =
        Holding { kind: "document", id: "1", class: Class::Confidential, team: "", owner: None, nda: None };
    for role in Role::ALL {
        assert!(!policies.permit(&account(role, "", &[]), None).sees(&lost), "{role}");
    }
    let uncovered = Holding { class: Class::Nda, team: "east", ..lost };
    assert!(!policies.permit(&account(Role::Viewer, "east", &[""]), None).sees(&uncovered));
}

#[test]
fn what_is_not_seen_is_not_there_and_the_rest_is_denied() {
    let policies = Policies::built_in().unwrap();
    let permit = policies.permit(&account(Role::Viewer, "west", &[]), None);
    let owner: AccountId = OTHER.parse().unwrap();
    let told = |class| permit.require_with(Action::Plan, &project(class, &owner)).unwrap_err().to_string();
    assert_eq!(told(Class::Confidential), "there is no project `7`");
    assert!(told(Class::Internal).starts_with("ana may not plan"));
    assert!(permit.require_with(Action::Read, &project(Class::Public, &owner)).is_ok());
    assert_eq!(permit.account().map(AccountId::as_str), Some("00112233445566778899aabbccddeeff"));
    assert_eq!(permit.actor(), "ana");
}

#[test]
fn scopes_never_widen() {
    let policies = Policies::built_in().unwrap();
    let owner: AccountId = OTHER.parse().unwrap();
    for (role, _) in ROLES {
        let ana = account(role, "east", &["heist"]);
        let whole = policies.permit(&ana, None);
        for bits in 0..=255_u8 {
            let given = |action: &Action| bits & (1 << *action as u8) != 0;
            let scopes: BTreeSet<Action> = Action::ALL.into_iter().filter(given).collect();
            let scoped = policies.permit(&ana, Some(&scopes));
            for action in Action::ALL {
                assert_eq!(scoped.may(action), whole.may(action) && scopes.contains(&action));
            }
            if bits % 16 == 1 {
                let thing = project(Class::Nda, &owner);
                for action in Action::ALL {
                    let allowed = whole.may_with(action, &thing) && scopes.contains(&action);
                    assert_eq!(scoped.may_with(action, &thing), allowed);
                }
            }
        }
    }
}

#[test]
fn who_is_disabled_may_nothing() {
    let policies = Policies::built_in().unwrap();
    let mut ana = account(Role::Administrator, "east", &["heist"]);
    ana.disabled = true;
    let (permit, owner) = (policies.permit(&ana, None), ana.id.clone());
    for action in Action::ALL {
        assert!(!permit.may(action));
        assert!(!permit.may_with(action, &project(Class::Public, &owner)));
    }
}

#[test]
fn policies_of_the_operator_add_and_narrow_but_do_not_open() {
    let text = r#"
        // Ana plans, wherever she belongs.
        permit (principal == Marquee::Account::"00112233445566778899aabbccddeeff",
                action == Marquee::Action::"Plan", resource);
        // Nobody trains but the east.
        forbid (principal, action == Marquee::Action::"Train", resource)
        unless { principal in Marquee::Team::"east" };
        // One deal is nobody's business.
        forbid (principal, action, resource == Marquee::Holding::"deal:9");
    "#;
    let policies = Policies::with(text).unwrap();
    let viewer = policies.permit(&account(Role::Viewer, "west", &[]), None);
    let owner: AccountId = OTHER.parse().unwrap();
    assert!(viewer.may(Action::Plan));
    assert!(viewer.may_with(Action::Plan, &project(Class::Internal, &owner)));
    assert!(!viewer.may_with(Action::Plan, &project(Class::Confidential, &owner)));
    assert!(!policies.permit(&account(Role::Analyst, "west", &[]), None).may(Action::Train));
    assert!(policies.permit(&account(Role::Analyst, "east", &[]), None).may(Action::Train));
    let deal = Holding { kind: "deal", id: "9", class: Class::Public, team: "", owner: None, nda: None };
    assert!(!viewer.sees(&deal) && viewer.sees(&Holding { id: "8", ..deal }));
}

fn check_refusal(text: &str, wanted_line: usize, wanted: &str) {
    match Policies::with(text) {
        Err(Error::InvalidPolicy { line, reason }) => {
            assert_eq!(line, wanted_line, "{reason}");
            assert!(reason.contains(wanted), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_faulty_policy_is_refused_with_its_line() {
    let fine = "permit (principal, action == Marquee::Action::\"Audit\", resource);\n";
    let with = |rest: &str| format!("// Ours.\n{fine}{rest}");
    check_refusal(&with("permitt (principal, action, resource);"), 3, "permitt");
    check_refusal(&with("permit (principal, action, resource)"), 3, "unexpected end of input");
    check_refusal(
        &with("forbid (principal, action, resource)\nwhen { principal.colour == \"red\" };"),
        4,
        "colour",
    );
    check_refusal(
        &with("permit (principal,\n action == Marquee::Action::\"Paint\",\n resource);"),
        4,
        "Paint",
    );
    check_refusal(
        &with("\n\npermit (principal in Marquee::Role::\"analist\", action, resource);"),
        5,
        "analist",
    );
    check_refusal(
        &with(
            "forbid (principal, action, resource is Marquee::Holding)\nwhen { resource.class == Marquee::Class::\"secret\" };",
        ),
        4,
        "secret",
    );
    check_refusal(
        &with(
            "forbid (principal, action, resource is Marquee::Holding)\nwhen { resource.owner == principal };",
        ),
        4,
        "owner",
    );
    check_refusal(&with("permit (\n  principal == ?principal, action, resource);"), 4, "template");
    check_refusal(&with("permit (principal is Marquee::Holding, action, resource);"), 3, "");
}

#[test]
fn what_is_asked_fits_the_schema() {
    let schema: Schema = SCHEMA.parse().unwrap();
    let policies = Policies::built_in().unwrap();
    let names = &policies.inner.names;
    let ana = account(Role::Analyst, "east", &["heist"]);
    let who = names.principal(&ana).unwrap();
    let entity = names.entity(&project(Class::Nda, &ana.id)).unwrap();
    let resource = entity.uid();
    let all = who.entities.clone().add_entities([entity], Some(&schema));
    assert!(all.is_ok(), "{:?}", all.err());
    let account = who.entities.iter().cloned().collect::<Vec<_>>();
    assert!(Entities::from_entities(account, Some(&schema)).is_ok());
    for action in Action::ALL {
        for resource in [&resource, &names.workspace] {
            let action = uid(&names.action, cedar_name(action));
            let who = who.uid.clone().unwrap();
            assert!(Request::new(who, action, resource.clone(), Context::empty(), Some(&schema)).is_ok());
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".{0,80}", names in proptest::array::uniform3(".{0,20}")) {
        Policies::with(&text).ok();
        let policies = Policies::built_in().unwrap();
        let [team, id, nda] = &names;
        let permit = policies.permit(&account(Role::Viewer, team, &[nda.as_str()]), None);
        let thing = Holding { kind: id, id, class: Class::Confidential, team, owner: None, nda: Some(nda) };
        proptest::prop_assert_eq!(permit.sees(&thing), !team.is_empty());
    }
}
