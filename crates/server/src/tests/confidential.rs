//! What is confidential is not told by any answer to those that may not see it.

use axum::http::{Method, StatusCode};
use marquee_app::platform::{Action, AuditQuery, Role};
use marquee_domain::Class;
use serde_json::json;

use crate::tests::House;

const OPEN: &str = "id,name,day,cost\n1,Harbour Lights,2009-05-01,1000000\n2,Tin Moon,2009-06-05,2000000\n";
const CLOSED: &str = "id,name,day,cost\n9,Project Nightjar,2009-07-03,90000000\n";

#[tokio::test]
async fn a_confidential_table_is_its_teams_alone() {
    let house = House::new().await;
    house.ingest("open", OPEN, Class::Internal, "").await;
    house.ingest("closed", CLOSED, Class::Confidential, "acquisitions").await;
    let theirs = house.account("ana", Role::Analyst, "acquisitions").await;
    let others = house.account("ben", Role::Administrator, "finance").await;
    let (theirs, others) =
        (house.token(&theirs, &Action::ALL).await, house.token(&others, &Action::ALL).await);
    let sql = |query: &str| json!({ "query": query });
    let asked = [
        (Method::GET, "/api/v1/titles", None),
        (Method::GET, "/api/v1/titles?text=Nightjar", None),
        (Method::POST, "/api/v1/sql", Some(sql("SELECT name FROM titles"))),
        (Method::POST, "/api/v1/sql", Some(sql("SELECT * FROM facts"))),
        (Method::POST, "/api/v1/sql", Some(sql("SELECT * FROM sources"))),
        (Method::GET, "/api/v1/issues?limit=1000", None),
    ];
    for (method, path, body) in asked {
        let answer = house.ask(method.clone(), path, Some(&others), body.clone()).await;
        let said = answer.text();
        assert_eq!(answer.status, StatusCode::OK, "{path}: {said}");
        assert!(!said.contains("Nightjar") && !said.contains("closed"), "{path}: {said}");
        let own = house.ask(method, path, Some(&theirs), body).await;
        assert_eq!(own.status, StatusCode::OK);
    }
    let named = house.get("/api/v1/titles/closed:9", &others).await;
    assert_eq!((named.status, named.code().as_str()), (StatusCode::NOT_FOUND, "no_title"));
    let none = house.get("/api/v1/titles/open:7", &others).await;
    assert_eq!(
        named.text().replace("closed:9", "?").len(),
        none.text().replace("open:7", "?").len(),
        "the same words"
    );
    assert_eq!(house.get("/api/v1/titles/closed:9", &theirs).await.json()["name"], "Project Nightjar");
}

#[tokio::test]
async fn a_confidential_document_is_not_there_for_others_and_reading_it_is_kept() {
    let house = House::new().await;
    let ana = house.account("ana", Role::Investor, "acquisitions").await;
    let cem = house.account("cem", Role::Viewer, "acquisitions").await;
    let ben = house.account("ben", Role::Administrator, "finance").await;
    let tokens = [&ana, &cem, &ben].map(|account| house.token(account, &Action::ALL));
    let [ana, cem, ben] = tokens;
    let (ana, cem, ben) = (ana.await, cem.await, ben.await);
    let body = json!({
        "kind": "project", "name": "Nightjar", "class": "confidential", "team": "acquisitions",
        "body": { "budget": "90M" }
    });
    let made = house.ask(Method::POST, "/api/v1/documents", Some(&ana), Some(body.clone())).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let path = format!("/api/v1/documents/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(house.get(&path, &cem).await.json()["body"]["budget"], "90M");
    assert_eq!(house.get(&path, &ben).await.status, StatusCode::NOT_FOUND);
    let list = house.get("/api/v1/documents?kind=project", &ben).await;
    assert_eq!(list.json()["documents"], json!([]));
    assert_eq!(
        house.ask(Method::PUT, &path, Some(&cem), Some(body.clone())).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        house.ask(Method::PUT, &path, Some(&ana), Some(body)).await.status,
        StatusCode::PRECONDITION_REQUIRED
    );

    let found = house.server.office.audit.search(&AuditQuery::default(), 50).await.unwrap();
    let reads = found.records.iter().filter_map(|r| r.what.as_ref()).filter(|w| w.action == "sensitive.read");
    assert_eq!(reads.map(|w| w.who.as_str()).collect::<Vec<_>>(), ["cem"]);
}
