//! An alert from its rule to its receiver, which fails twice first; and what nobody gets to see.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};

use axum::http::{Method, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use marquee_app::OfficeSettings;
use marquee_app::platform::{
    Action, AuditQuery, Clock, JobChange, JobFilter, JobId, JobState, Role, Runner, verify,
};
use marquee_app::work::{self, Watching};
use marquee_domain::Class;
use serde_json::{Value, json};

use crate::Settings;
use crate::tests::House;

const SECRET: &str = "whsec_0123456789abcdef";
/// A part of the address that must not show.
const HIDDEN: &str = "t0p-h00k";
const TABLE: &str = "id,name,day,cost\n1,Harbour Lights,2009-05-01,1000000\n2,Tin Moon,2009-06-05,2000000\n";

/// What a receiver was sent.
struct Got {
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let value = lines.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        value.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A receiver on this machine that fails twice and then takes whatever comes.
fn receiver() -> (u16, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for call in 0.. {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let status = if call < 2 { "503 Service Unavailable" } else { "200 OK" };
            let got = read(&mut stream);
            // First told, then answered: who has the answer finds what was told.
            if tell.send(got).is_err() {
                return;
            }
            stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).ok();
        }
    });
    (port, told)
}

fn read(stream: &mut impl std::io::Read) -> Got {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        let n = stream.read(&mut piece).unwrap();
        bytes.extend_from_slice(&piece[..n]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let got =
            Got { head: String::from_utf8(bytes[..end].to_vec()).unwrap(), body: bytes[end + 4..].to_vec() };
        if n == 0 || got.header("content-length").parse::<usize>().is_ok_and(|long| got.body.len() >= long) {
            return got;
        }
    }
}

/// A house, and a clock that only the test moves.
struct Watched {
    house: House,
    micros: Arc<AtomicI64>,
}

impl Watched {
    async fn new() -> Self {
        let office = OfficeSettings { webhooks_to_private: true, ..OfficeSettings::default() };
        let house = House::of(Settings::default(), &office).await;
        Self { house, micros: Arc::new(AtomicI64::new(Utc::now().timestamp_micros())) }
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).unwrap()
    }

    fn pass(&self, time: TimeDelta) {
        self.micros.fetch_add(time.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    /// Runs jobs until something has come of one attempt at this one.
    async fn attempt(&self, job: &JobId) {
        let server = &self.house.server;
        let mut events = server.office.jobs.watch();
        let handlers = work::handlers(&server.workspace, &server.office, &server.terms()).unwrap();
        let micros = self.micros.clone();
        let clock =
            Clock::new(move || DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap());
        let runner = Runner::new(server.office.jobs.clone(), handlers, 1).with_clock(clock);
        let ended = async {
            loop {
                let event = events.recv().await.unwrap();
                let state = matches!(event.change, JobChange::State(state) if state != JobState::Running);
                if event.job == *job && state {
                    return;
                }
            }
        };
        runner.run(ended).await.unwrap();
    }

    /// Lets the rules look, with what came of it.
    async fn look(&self) -> Value {
        let jobs = &self.house.server.office.jobs;
        let job = jobs.enqueue(Watching::job(), self.now()).await.unwrap();
        self.attempt(&job).await;
        jobs.get(&job).await.unwrap().result.unwrap()
    }

    /// The calls that were queued, newest first.
    async fn calls(&self) -> Vec<JobId> {
        let filter = JobFilter { kind: Some(work::Calling::KIND.to_owned()), ..JobFilter::default() };
        let found = self.house.server.office.jobs.list(&filter, 9).await.unwrap();
        found.into_iter().map(|job| job.id).collect()
    }

    /// Tries a call until it has ended: how, and how often it was tried.
    async fn deliver(&self, call: &JobId) -> (JobState, u32, String) {
        for _ in 0..10 {
            let job = self.house.server.office.jobs.get(call).await.unwrap();
            if job.state.is_final() {
                return (job.state, job.made, job.error.unwrap_or_default());
            }
            self.pass(TimeDelta::minutes(2));
            self.attempt(call).await;
        }
        panic!("the call does not end");
    }
}

#[tokio::test]
async fn an_alert_fires_once_reaches_its_receiver_and_is_resolved() {
    let watched = Watched::new().await;
    let house = &watched.house;
    house.ingest("open", TABLE, Class::Internal, "").await;
    let ana = house.account("ana", Role::Administrator, "").await;
    let token = house.token(&ana, &Action::ALL).await;
    let (port, told) = receiver();
    let channel = json!({
        "label": "The desk", "shape": "plain", "url": format!("http://127.0.0.1:{port}/{HIDDEN}"), "secret": SECRET
    });
    let made = house.ask(Method::POST, "/api/v1/alert-channels", Some(&token), Some(channel)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let channel = made.json()["id"].as_str().unwrap().to_owned();
    let rule = |days: u32| json!({ "label": "Stale", "kind": "stale", "settings": { "days": days }, "channels": [channel] });
    let made = house.ask(Method::POST, "/api/v1/alert-rules", Some(&token), Some(rule(7))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let path = format!("/api/v1/alert-rules/{}", made.json()["id"].as_str().unwrap());

    assert_eq!(watched.look().await["fired"], 0, "it is fresh");
    watched.pass(TimeDelta::days(9));
    assert_eq!(watched.look().await["fired"], 1);
    assert_eq!(watched.look().await["fired"], 0, "the same finding fires once");
    let open = house.get("/api/v1/alerts?open=true", &token).await.json();
    assert_eq!(open["alerts"].as_array().unwrap().len(), 1, "{open}");
    let calls = watched.calls().await;
    assert_eq!(calls.len(), 1);
    let (state, made, _) = watched.deliver(&calls[0]).await;
    assert_eq!((state, made), (JobState::Done, 3), "the receiver failed twice");
    let got: Vec<Got> = told.try_iter().collect();
    assert_eq!(got.len(), 3);
    for one in &got {
        assert_eq!(one.header("marquee-delivery"), calls[0].to_string());
    }
    let last = &got[2];
    verify(SECRET, &last.header("marquee-signature"), &last.body, watched.now()).unwrap();
    assert!(verify("another", &last.header("marquee-signature"), &last.body, watched.now()).is_err());
    assert_eq!((&last.json()["resolved"], &last.json()["severity"]), (&json!(false), &json!("warning")));

    let id = open["alerts"][0]["id"].as_str().unwrap();
    let seen = house.ask(Method::POST, &format!("/api/v1/alerts/{id}/acknowledge"), Some(&token), None).await;
    assert_eq!(seen.status, StatusCode::NO_CONTENT);
    let changed = house.ask(Method::PUT, &path, Some(&token), Some(rule(30))).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text());
    assert_eq!(watched.look().await["resolved"], 1);
    let calls = watched.calls().await;
    assert_eq!(calls.len(), 2);
    assert_eq!(watched.deliver(&calls[0]).await.0, JobState::Done);
    assert_eq!(told.try_iter().last().unwrap().json()["resolved"], true);
    let all = house.get("/api/v1/alerts", &token).await.json();
    assert_eq!(all["alerts"][0]["acknowledged_by"], ana.id.to_string());
    assert!(all["alerts"][0]["resolved_at"].is_string(), "{all}");
}

#[tokio::test]
async fn what_is_secret_of_a_channel_shows_nowhere() {
    let watched = Watched::new().await;
    let house = &watched.house;
    let ana = house.account("ana", Role::Administrator, "").await;
    let token = house.token(&ana, &Action::ALL).await;
    // Nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{free}/{HIDDEN}");
    let body = json!({ "label": "Desk", "shape": "plain", "url": url, "secret": SECRET });
    let made = house.ask(Method::POST, "/api/v1/alert-channels", Some(&token), Some(body)).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/alert-channels/{id}");
    let renamed = json!({ "label": "The desk", "shape": "plain" });
    let changed = house.ask(Method::PUT, &path, Some(&token), Some(renamed)).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text());
    let sent = house.ask(Method::POST, &format!("{path}/test"), Some(&token), None).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.text());
    let (state, made_calls, error) = watched.deliver(&watched.calls().await[0]).await;
    assert_eq!(
        (state, made_calls, error.as_str()),
        (JobState::Failed, 5, "the receiver could not be reached")
    );
    let mut said = vec![made.text(), house.get("/alerts", &token).await.text()];
    for path in ["/api/v1/alert-channels", "/api/v1/jobs", "/api/v1/audit?limit=100"] {
        said.push(house.get(path, &token).await.text());
    }
    let kept = house.server.office.audit.search(&AuditQuery::default(), 100).await.unwrap();
    said.push(format!("{:?}", kept.records));
    for text in &said {
        assert!(!text.contains(HIDDEN) && !text.contains(SECRET), "{text}");
    }
    assert!(said[2].contains("The desk"), "{}", said[2]);
    assert_eq!(house.ask(Method::DELETE, &path, Some(&token), None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_private_address_is_not_asked_and_a_rule_of_who_was_shut_out_rests() {
    let house = House::new().await;
    let watched = Watched { house, micros: Arc::new(AtomicI64::new(Utc::now().timestamp_micros())) };
    let house = &watched.house;
    house.ingest("open", TABLE, Class::Internal, "").await;
    let ana = house.account("ana", Role::Administrator, "").await;
    let ben = house.account("ben", Role::Producer, "").await;
    let (ana, ben) = (house.token(&ana, &Action::ALL).await, (house.token(&ben, &Action::ALL).await, ben));
    let (port, told) = receiver();
    let body = json!({
        "label": "Desk", "shape": "slack", "url": format!("http://127.0.0.1:{port}/"), "secret": SECRET
    });
    assert_eq!(
        house.ask(Method::POST, "/api/v1/alert-channels", Some(&ben.0), Some(body.clone())).await.status,
        StatusCode::FORBIDDEN
    );
    let made = house.ask(Method::POST, "/api/v1/alert-channels", Some(&ana), Some(body)).await;
    let channel = made.json()["id"].as_str().unwrap().to_owned();
    let rule = json!({ "label": "Stale", "kind": "stale", "settings": { "days": 7 }, "channels": [channel] });
    let made = house.ask(Method::POST, "/api/v1/alert-rules", Some(&ben.0), Some(rule)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    watched.pass(TimeDelta::days(9));
    assert_eq!(watched.look().await["fired"], 1);
    let (state, made, error) = watched.deliver(&watched.calls().await[0]).await;
    assert_eq!((state, made), (JobState::Failed, 1), "{error}");
    assert!(error.contains("not a public one"), "{error}");
    assert!(told.try_iter().next().is_none());

    let path = format!("/api/v1/accounts/{}", ben.1.id);
    let shut = house.ask(Method::PATCH, &path, Some(&ana), Some(json!({ "disabled": true }))).await;
    assert!(shut.status.is_success(), "{}", shut.text());
    let looked = watched.look().await;
    assert_eq!(
        (&looked["resting"], &looked["looked"], &looked["resolved"]),
        (&json!(1), &json!(0), &json!(0))
    );
}
