//! Each route, asked without an account, with an account of each role, and with tokens of too little scope.

use axum::http::{Method, StatusCode};
use marquee_app::platform::{Action, Role};

use crate::api;
use crate::pages;
use crate::routes::{Face, Listed, Rule};
use crate::tests::House;

/// What may be asked without an account. A new entry here is a decision.
const OPEN: [&str; 9] = [
    "/api/openapi.json",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/api/v1/set-up",
    "/api/v1/session",
    "/log-in",
    "/set-up",
    "/manifest.webmanifest",
];

fn listed(house: &House) -> Vec<Listed> {
    let (_, mut all, _) = api::routes(&house.server).finish();
    all.extend(pages::routes(&house.server).finish().1);
    assert!(all.len() > 40, "the table is not empty");
    all
}

fn path(route: &Listed) -> String {
    let parts = route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn nothing_is_open_but_what_is_listed() {
    let house = House::new().await;
    for route in listed(&house) {
        let open = route.path.starts_with("/assets/") || OPEN.contains(&route.path.as_str());
        assert_eq!(
            route.rule == Rule::Open,
            open && route.method != Method::DELETE,
            "{} {}",
            route.method,
            route.path
        );
    }
}

#[tokio::test]
async fn who_is_not_logged_in_gets_nothing() {
    let house = House::new().await;
    house.account("ana", Role::Administrator, "").await;
    for route in listed(&house).into_iter().filter(|r| r.rule != Rule::Open) {
        for token in [None, Some("mq_00112233445566778899aabbccddeeff_no_such_token")] {
            let answer = house.ask(route.method.clone(), &path(&route), token, None).await;
            let sent_away =
                route.face == Face::Page && token.is_none() && answer.status == StatusCode::SEE_OTHER;
            let page = route.face == Face::Page && answer.status == StatusCode::SEE_OTHER;
            let refused = answer.status == StatusCode::UNAUTHORIZED;
            assert!(sent_away || page || refused, "{} {}: {}", route.method, route.path, answer.status);
        }
    }
}

#[tokio::test]
async fn each_role_is_let_through_or_not_as_its_policies_say() {
    let house = House::new().await;
    for role in Role::ALL {
        let account = house.account(role.as_str(), role, "").await;
        let permit = house.server.office.policies.permit(&account, None);
        let token = house.token(&account, &Action::ALL).await;
        for route in listed(&house) {
            let Rule::May(action) = route.rule else { continue };
            // An event stream has no end.
            let answer = house.ask(route.method.clone(), &path(&route), Some(&token), None).await;
            let denied = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(
                denied,
                !permit.may(action),
                "{role}: {} {} is {}",
                route.method,
                route.path,
                answer.status
            );
        }
    }
}

#[tokio::test]
async fn a_token_does_nothing_beyond_its_scopes() {
    let house = House::new().await;
    let account = house.account("ana", Role::Administrator, "").await;
    let token = house.token(&account, &[Action::Read]).await;
    for route in listed(&house) {
        let Rule::May(action) = route.rule else { continue };
        let answer = house.ask(route.method.clone(), &path(&route), Some(&token), None).await;
        let denied = answer.status == StatusCode::FORBIDDEN;
        assert_eq!(denied, action != Action::Read, "{} {} is {}", route.method, route.path, answer.status);
    }
}

#[tokio::test]
async fn every_operation_is_described_and_every_act_is_audited() {
    let house = House::new().await;
    let (_, table, document) = api::routes(&house.server).finish();
    let document = serde_json::to_value(&document).unwrap();
    let plain = ["/api/openapi.json", "/health/live", "/health/ready", "/metrics"];
    for route in table.iter().filter(|r| !plain.contains(&r.path.as_str())) {
        let method = route.method.as_str().to_lowercase();
        assert!(
            document["paths"][&route.path][&method].is_object(),
            "{method} {} is not described",
            route.path
        );
        let changes = [Method::PUT, Method::PATCH, Method::DELETE].contains(&route.method);
        assert!(!changes || route.act.is_some(), "{method} {} changes something unseen", route.path);
    }
}
