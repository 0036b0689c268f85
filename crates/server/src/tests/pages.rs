//! The pages as a browser asks for them: over an empty house and over a small table, whole and as fragments.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use marquee_app::platform::{Account, Action, Role};
use marquee_domain::Class;

use crate::tests::{Answer, House};

/// Pages that are whole whatever the lake holds.
const WHOLE: [&str; 14] = [
    "/track",
    "/slate",
    "/slate?example=ten",
    "/data",
    "/data/lineage?title=Shark",
    "/jobs",
    "/jobs?state=failed",
    "/models",
    "/market",
    "/admin",
    "/admin/policies",
    "/admin/audit",
    "/account",
    "/api",
];
/// Parts that come later, over a lake that holds something.
const PARTS: [&str; 7] = [
    "/track/record",
    "/data/issues",
    "/jobs/list",
    "/models/list",
    "/models/features?feature=budget",
    "/market/found",
    "/market/found?gross=worldwide&from=2000&to=2009",
];

async fn ask(house: &House, path: &str, cookie: &str, fragment: bool) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path);
    request = request.header(header::COOKIE, cookie).header(header::ACCEPT, "text/html");
    if fragment {
        request = request.header("x-fragment", "1");
    }
    house.send(request.body(Body::empty()).unwrap()).await
}

async fn form(house: &House, path: &str, cookie: &str, body: &str) -> Answer {
    let request = Request::builder().method(Method::POST).uri(path).header(header::COOKIE, cookie);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    house.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn filled(house: &House) {
    let csv = "id,name,day,cost\n1,Shark,2008-07-04,60000000\n2,Whale,2009-07-03,soon\n";
    house.ingest("fish", csv, Class::Public, "").await;
}

async fn administrator(house: &House) -> (Account, String) {
    let account = house.account("ana", Role::Administrator, "").await;
    let cookie = house.session(&account).await;
    (account, cookie)
}

#[tokio::test]
async fn pages_are_whole_over_nothing_and_over_a_table() {
    let house = House::new().await;
    let (_, cookie) = administrator(&house).await;
    for full in [false, true] {
        if full {
            filled(&house).await;
        }
        for path in WHOLE {
            let answer = ask(&house, path, &cookie, false).await;
            let text = answer.text();
            assert_eq!(answer.status, StatusCode::OK, "{path}: {text}");
            assert!(text.starts_with("<!DOCTYPE html>") && text.contains("<h1>"), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn parts_come_alone_and_as_pages() {
    let house = House::new().await;
    let (_, cookie) = administrator(&house).await;
    filled(&house).await;
    for path in PARTS {
        for fragment in [true, false] {
            let answer = ask(&house, path, &cookie, fragment).await;
            let text = answer.text();
            assert_eq!(answer.status, StatusCode::OK, "{path}: {text}");
            assert_eq!(text.starts_with("<!DOCTYPE html>"), !fragment, "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn the_lineage_of_a_title_names_source_and_row() {
    let house = House::new().await;
    let (_, cookie) = administrator(&house).await;
    filled(&house).await;
    let text = ask(&house, "/data/lineage?title=Shark", &cookie, false).await.text();
    assert!(text.contains("fish.csv") && text.contains("$60M"), "{text}");
    let text = ask(&house, "/data/lineage?title=Squid", &cookie, false).await.text();
    assert!(text.contains("No one title is meant"), "{text}");
}

#[tokio::test]
async fn an_account_is_made_changed_and_shut_out_by_forms() {
    let house = House::new().await;
    let (ana, cookie) = administrator(&house).await;
    let made = form(
        &house,
        "/admin/accounts",
        &cookie,
        "name=bo&role=analyst&team=east&password=four+words+in+a+row",
    )
    .await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text());
    let again =
        form(&house, "/admin/accounts", &cookie, "name=bo&role=analyst&password=four+words+in+a+row").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text().contains("aria-invalid"));
    let bo = house.server.office.accounts.find("bo").await.unwrap().unwrap();
    let place = format!("/admin/accounts/{}", bo.id);
    let changed = form(&house, &place, &cookie, "role=viewer&team=west&clearances=Shark&disabled=true").await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text());
    let bo = house.server.office.accounts.get(&bo.id).await.unwrap().unwrap();
    assert!(bo.disabled && bo.role == Role::Viewer && bo.team == "west" && bo.clearances.contains("Shark"));
    let last = form(&house, &format!("/admin/accounts/{}", ana.id), &cookie, "role=viewer").await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_token_is_shown_once_and_good_for_its_scopes() {
    let house = House::new().await;
    let (_, cookie) = administrator(&house).await;
    let issued = form(&house, "/account/tokens", &cookie, "label=test&scopes=read&days=30").await;
    assert_eq!(issued.status, StatusCode::OK);
    let text = issued.text();
    let secret = text.split("mq_").nth(1).unwrap().split('<').next().unwrap().trim();
    let secret = format!("mq_{secret}");
    assert_eq!(house.get("/api/v1/account", &secret).await.status, StatusCode::OK);
    assert!(!ask(&house, "/account", &cookie, false).await.text().contains(&secret));
    let none = form(&house, "/account/tokens", &cookie, "label=test").await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_schedule_belongs_to_who_made_it() {
    let house = House::new().await;
    let bo = house.account("bo", Role::Analyst, "").await;
    let cy = house.account("cy", Role::Analyst, "").await;
    let (bo_cookie, cy_cookie) = (house.session(&bo).await, house.session(&cy).await);
    let wrong = form(&house, "/jobs/schedules", &bo_cookie, "label=Nightly&cron=soon").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let made = form(&house, "/jobs/schedules", &bo_cookie, "label=Nightly&cron=%40daily").await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text());
    let all = house.server.office.jobs.schedules().list().await.unwrap();
    let place = format!("/jobs/schedules/{}", all[0].id);
    assert!(!ask(&house, "/jobs", &cy_cookie, false).await.text().contains("Nightly"));
    assert_eq!(form(&house, &format!("{place}/remove"), &cy_cookie, "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(form(&house, &format!("{place}/switch"), &bo_cookie, "").await.status, StatusCode::SEE_OTHER);
    assert!(!house.server.office.jobs.schedules().list().await.unwrap()[0].plan.enabled);
    assert_eq!(form(&house, &format!("{place}/remove"), &bo_cookie, "").await.status, StatusCode::SEE_OTHER);
    assert!(house.server.office.jobs.schedules().list().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_scopes_do_not_cover_is_not_given_by_a_form() {
    let house = House::new().await;
    let viewer = house.account("vi", Role::Viewer, "").await;
    let cookie = house.session(&viewer).await;
    let beyond = form(&house, "/account/tokens", &cookie, "label=test&scopes=train").await;
    assert_eq!(beyond.status, StatusCode::UNPROCESSABLE_ENTITY);
    let permit = house.server.office.policies.permit(&viewer, None);
    assert!(!permit.may(Action::Administer));
    for path in ["/admin", "/admin/audit", "/admin/policies"] {
        assert_eq!(ask(&house, path, &cookie, false).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}
