//! Requests that are wrong, too large or odd: each ends in a clear refusal.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use marquee_app::platform::{Action, Role};

use crate::Settings;
use crate::tests::House;

async fn post(
    house: &House,
    token: &str,
    content_type: &str,
    encoding: Option<&str>,
    body: Vec<u8>,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(Method::POST).uri("/api/v1/sql");
    request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    request = request.header(header::CONTENT_TYPE, content_type);
    if let Some(encoding) = encoding {
        request = request.header(header::CONTENT_ENCODING, encoding);
    }
    let answer = house.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{}", answer.text());
    assert!(answer.json()["request"].is_string(), "a problem names its request");
    (answer.status, answer.code())
}

#[tokio::test]
async fn bodies_that_are_wrong_are_refused_by_name() {
    let house = House::with(Settings { body_limit: 64 << 10, ..Settings::default() }).await;
    let account = house.account("ana", Role::Analyst, "").await;
    let token = house.token(&account, &Action::ALL).await;
    let json = "application/json";
    let long = format!("{{\"query\": \"{}\"}}", "x".repeat(100_000)).into_bytes();
    let said = |status: u16, code: &str| (StatusCode::from_u16(status).unwrap(), code.to_owned());
    assert_eq!(post(&house, &token, json, None, long).await, said(413, "unreadable_body"));
    assert_eq!(
        post(&house, &token, json, None, b"{\"query\": \"SELECT".to_vec()).await,
        said(400, "invalid_json")
    );
    assert_eq!(
        post(&house, &token, json, None, b"{\"query\": \"\xff\"}".to_vec()).await,
        said(400, "invalid_json")
    );
    assert_eq!(
        post(&house, &token, json, None, b"{\"colour\": 1}".to_vec()).await,
        said(422, "invalid_body")
    );
    assert_eq!(post(&house, &token, "text/plain", None, b"{}".to_vec()).await, said(415, "not_json"));
}

#[tokio::test]
async fn a_compressed_bomb_is_stopped_at_the_limit() {
    let house = House::with(Settings { body_limit: 64 << 10, ..Settings::default() }).await;
    let account = house.account("ana", Role::Analyst, "").await;
    let token = house.token(&account, &Action::ALL).await;
    // 64 MiB of blanks in about 64 KiB of gzip.
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        std::io::Write::write_all(&mut coder, &vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = coder.finish().unwrap();
    assert!(bomb.len() < 128 << 10);
    let (status, _) = post(&house, &token, "application/json", Some("gzip"), bomb).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = post(&house, &token, "application/json", Some("gzip"), b"no gzip".to_vec()).await;
    assert!(status.is_client_error(), "{status}");
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let house = House::new().await;
    let answer = house.ask(Method::GET, "/api/v1/nothing", None, None).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    let answer = house.ask(Method::PUT, "/health/live", None, None).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again() {
    let house = House::with(Settings { requests_per_minute: 5, ..Settings::default() }).await;
    let account = house.account("ana", Role::Viewer, "").await;
    let token = house.token(&account, &[Action::Read]).await;
    let mut last = house.get("/api/v1/account", &token).await;
    for _ in 0..5 {
        last = house.get("/api/v1/account", &token).await;
    }
    assert_eq!((last.status, last.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    assert!(last.headers.contains_key(header::RETRY_AFTER));
}
