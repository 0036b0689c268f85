//! The server as a whole, asked as clients ask it.

#![allow(clippy::unwrap_used)]

mod alerts;
mod confidential;
mod entry;
mod pages;
mod requests;
mod routes;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use marquee_app::platform::{Account, Action, LogIn, NewAccount, Origin, Role};
use marquee_app::types::Deal;
use marquee_app::use_cases::ingest::{Input, Wish, ingest};
use marquee_app::{OfficeSettings, Permit, Workspace};
use marquee_domain::{Class, Control, Held};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::guard::SESSION;
use crate::server::Server;
use crate::{Settings, http};

const PASSWORD: &str = "four words in a row";

/// A server in a folder of its own, without a network.
struct House {
    server: Server,
    app: Router,
    folder: tempfile::TempDir,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The code of a problem.
    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl House {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        Self::of(settings, &OfficeSettings::default()).await
    }

    async fn of(settings: Settings, office: &OfficeSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let server = Server::open(workspace, office, Deal::default(), settings).await.unwrap();
        let app = http::app(&server);
        Self { server, app, folder }
    }

    /// Puts a small table into the lake.
    async fn ingest(&self, name: &str, csv: &str, class: Class, team: &str) {
        let (table, map) =
            (self.folder.path().join(format!("{name}.csv")), self.folder.path().join("map.toml"));
        std::fs::write(&table, csv).unwrap();
        let says = format!(
            "name = \"{name}\"\nid = [{{ space = \"{name}\", column = \"id\" }}]\nrelease = {{ column = \"day\" }}\n\
             column = [{{ from = \"name\", kind = \"name\" }}, {{ from = \"cost\", kind = \"budget\" }}]\n"
        );
        std::fs::write(&map, says).unwrap();
        let held = Held { class, team: team.to_owned() };
        let wish = Wish { held, ..Wish::usual(Input::Files(vec![table], Some(map))) };
        ingest(&self.server.workspace, wish, &Control::default(), &Permit::local_owner()).await.unwrap();
    }

    async fn account(&self, name: &str, role: Role, team: &str) -> Account {
        let new = NewAccount {
            team: team.to_owned(),
            password: Some(PASSWORD.to_owned()),
            ..NewAccount::named(name, role)
        };
        self.server.office.accounts.create(new, self.server.now()).await.unwrap()
    }

    /// A token of an account, good for these actions.
    async fn token(&self, account: &Account, scopes: &[Action]) -> String {
        let scopes = scopes.iter().copied().collect();
        let accounts = &self.server.office.accounts;
        accounts.issue_token(&account.id, "test", scopes, None, self.server.now()).await.unwrap().1
    }

    /// The cookie of a session of an account.
    async fn session(&self, account: &Account) -> String {
        let from = Origin { address: "127.0.0.1".parse().unwrap(), device: None, agent: String::new() };
        let begun = self.server.office.accounts.begin_session(&account.id, &from, self.server.now()).await;
        let LogIn::Done { session, .. } = begun.unwrap() else { panic!("no session") };
        format!("{SESSION}={}", session.cookie)
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask(Method::GET, path, Some(token), None).await
    }
}
