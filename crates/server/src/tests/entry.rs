//! The way in: set-up, log-in, sessions, and what the audit has of it.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use marquee_app::platform::{Action, AuditQuery, Role};
use serde_json::json;

use crate::tests::{House, PASSWORD};

#[tokio::test]
async fn the_first_account_takes_the_code_from_the_terminal() {
    let house = House::new().await;
    let code = house.server.office.accounts.set_up_code().to_owned();
    let body = |code: &str| json!({ "code": code, "name": "ana", "password": PASSWORD });
    let set_up = |code: String| house.ask(Method::POST, "/api/v1/set-up", None, Some(body(&code)));
    assert_eq!(set_up("AAAA-BBBB".to_owned()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let made = set_up(code.clone()).await;
    assert_eq!((made.status, made.json()["role"].as_str()), (StatusCode::OK, Some("administrator")));
    let cookies: Vec<_> =
        made.headers.get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
    assert!(cookies.iter().all(|c| c.contains("HttpOnly") && c.contains("SameSite=Lax")), "{cookies:?}");
    assert_eq!(set_up(code).await.status, StatusCode::UNPROCESSABLE_ENTITY, "there is an account by now");
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let house = House::new().await;
    house.account("ana", Role::Analyst, "").await;
    let log_in = |password: &str| {
        let body = json!({ "name": "Ana", "password": password });
        house.ask(Method::POST, "/api/v1/session", None, Some(body))
    };
    let refused = log_in("not the password at all").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNAUTHORIZED, "wrong_credentials"));
    let entered = log_in(PASSWORD).await;
    assert_eq!(entered.status, StatusCode::OK);
    let cookie = entered.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let with = |method: Method, path: &str| {
        house.send(
            Request::builder()
                .method(method)
                .uri(path)
                .header(header::COOKIE, &cookie)
                .body(Body::empty())
                .unwrap(),
        )
    };
    assert_eq!(with(Method::GET, "/api/v1/account").await.json()["name"], "ana");
    assert_eq!(with(Method::DELETE, "/api/v1/session").await.status, StatusCode::NO_CONTENT);
    assert_eq!(with(Method::GET, "/api/v1/account").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_a_page_of_another_site_sends_is_refused() {
    let house = House::new().await;
    let account = house.account("ana", Role::Administrator, "").await;
    let cookie = house.session(&account).await;
    let post = |site: &str| {
        let request = Request::builder().method(Method::DELETE).uri("/api/v1/session");
        let request = request.header(header::COOKIE, &cookie).header("sec-fetch-site", site);
        house.send(request.body(Body::empty()).unwrap())
    };
    let refused = post("cross-site").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "cross_site"));
    assert_eq!(post("same-origin").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn changes_of_accounts_stand_in_the_audit_with_before_and_after_and_no_secret() {
    let house = House::new().await;
    let admin = house.account("ana", Role::Administrator, "").await;
    let token = house.token(&admin, &Action::ALL).await;
    let new = json!({ "name": "ben", "role": "viewer", "password": "another four words here" });
    let made = house.ask(Method::POST, "/api/v1/accounts", Some(&token), Some(new)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let path = format!("/api/v1/accounts/{}", made.json()["id"].as_str().unwrap());
    let changed = house.ask(Method::PATCH, &path, Some(&token), Some(json!({ "role": "investor" }))).await;
    assert_eq!((changed.status, changed.json()["role"].as_str()), (StatusCode::OK, Some("investor")));
    let found = house.server.office.audit.search(&AuditQuery::default(), 10).await.unwrap();
    let last = found.records[0].what.as_ref().unwrap();
    assert_eq!((last.who.as_str(), last.action.as_str()), ("ana", "account.update"));
    assert_eq!(last.before.as_ref().unwrap()["role"], "viewer");
    assert_eq!(last.after.as_ref().unwrap()["role"], "investor");
    let whole = format!("{:?}", found.records);
    assert!(!whole.contains("another four words here") && !whole.contains(PASSWORD));
}
