//! The guard before every route: who is asking, from where, and whether they may.
//!
//! A request names its account by a token (`Authorization: Bearer mq_…`) or by the cookie of a session. Cookies are safe
//! against cross-site requests by `SameSite=Lax` and by the layer that refuses unsafe methods whose `Sec-Fetch-Site` or
//! `Origin` says another site.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use marquee_app::Permit;
use marquee_app::platform::{Account, AuditEntry, AuditOutcome};
use serde_json::Value;

use crate::problem::Problem;
use crate::routes::{Face, Rule};
use crate::server::Server;

/// The name of the session's cookie.
pub(crate) const SESSION: &str = "marquee_session";
/// The name of the cookie that tells a device on which somebody has logged in before.
pub(crate) const DEVICE: &str = "marquee_device";

/// Who is asking.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) account: Account,
    pub(crate) permit: Permit,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthenticated)
    }
}

/// Who is asking, where they are logged in.
#[derive(Debug, Clone)]
pub(crate) struct Visitor(pub(crate) Option<Caller>);

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Caller>().cloned()))
    }
}

/// From where a request came and which it is.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) address: IpAddr,
    pub(crate) request: String,
    /// Whether it came over TLS, here or at a trusted proxy.
    pub(crate) secure: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::internal(&"a request without an origin"))
    }
}

/// What the guard of a route holds against each request.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) server: Server,
    pub(crate) rule: Rule,
    pub(crate) face: Face,
    /// The name under which the audit has the route; nothing for one that only asks.
    pub(crate) act: Option<&'static str>,
}

/// What a handler tells the audit of what it did, as an extension of its response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deed {
    /// Who did it, where the request did not say: a log-in.
    pub(crate) who: Option<Account>,
    /// What it was done to, as `kind:id`.
    pub(crate) object: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    /// Whether something confidential was read or changed.
    pub(crate) sensitive: bool,
}

/// Lets a request through to its handler, or answers it.
pub(crate) async fn guard(State(check): State<Check>, mut request: Request, next: Next) -> Response {
    let wanted = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let origin = request.extensions().get::<Origin>().cloned();
    match admit(&check, request.headers(), origin.as_ref()).await {
        Ok(caller) => {
            if let Some(caller) = &caller {
                request.extensions_mut().insert(caller.clone());
            }
            let response = next.run(request).await;
            audited(&check, caller, origin, &wanted, response).await
        }
        Err(problem) if check.face == Face::Page && problem.status() == StatusCode::UNAUTHORIZED => {
            let set_up = check.server.office.accounts.is_empty().await.unwrap_or(false);
            let place =
                if set_up { "/set-up".to_owned() } else { format!("/log-in?next={}", encode(&wanted)) };
            Redirect::to(&place).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Writes what was done to the audit before the answer goes out; what cannot be written is answered as a failure.
async fn audited(
    check: &Check,
    caller: Option<Caller>,
    origin: Option<Origin>,
    wanted: &str,
    mut response: Response,
) -> Response {
    let deed = response.extensions_mut().remove::<Deed>();
    let read = deed.as_ref().is_some_and(|deed| deed.sensitive).then_some("sensitive.read");
    let Some(action) = check.act.or(read) else { return response };
    let status = response.status();
    let outcome = match status {
        _ if status.is_success() || status.is_redirection() => AuditOutcome::Done,
        _ if status.is_server_error() => AuditOutcome::Failed,
        _ => AuditOutcome::Refused,
    };
    let deed = deed.unwrap_or_default();
    let account = deed.who.or(caller.map(|caller| caller.account));
    let entry = AuditEntry {
        who: account.as_ref().map_or_else(|| "nobody".to_owned(), |account| account.name.clone()),
        account: account.map(|account| account.id.to_string()),
        action: action.to_owned(),
        object: if deed.object.is_empty() { format!("path:{wanted}") } else { deed.object },
        from: origin.as_ref().map(|origin| origin.address.to_string()),
        request: origin.map(|origin| origin.request),
        outcome,
        before: deed.before,
        after: deed.after,
        sensitive: deed.sensitive,
    };
    match check.server.office.audit.record(entry, check.server.now()).await {
        Ok(_) => response,
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn admit(
    check: &Check,
    headers: &HeaderMap,
    origin: Option<&Origin>,
) -> Result<Option<Caller>, Problem> {
    let server = &check.server;
    let caller = identify(server, headers).await?;
    match (&caller, origin) {
        (Some(caller), _) => server.allow(caller.account.id.as_str())?,
        (None, Some(origin)) => server.allow(&origin.address.to_string())?,
        (None, None) => {}
    }
    match (check.rule, &caller) {
        (Rule::Open, _) | (Rule::SignedIn, Some(_)) => {}
        (_, None) => return Err(Problem::unauthenticated()),
        (Rule::May(action), Some(caller)) => caller.permit.require(action)?,
    }
    Ok(caller)
}

/// The account that a request names. A token that is not one, or no longer, is refused and not ignored.
async fn identify(server: &Server, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    let accounts = &server.office.accounts;
    if let Some(token) = bearer(headers)? {
        let (token, account) = accounts.token(token, server.now()).await?.ok_or_else(|| {
            let detail = "this token is not known, has expired or was revoked: issue another";
            Problem::new(StatusCode::UNAUTHORIZED, "invalid_token", detail)
        })?;
        let permit = server.office.policies.permit(&account, Some(&token.scopes));
        return Ok(Some(Caller { account, permit }));
    }
    let Some(secret) = cookie(headers, SESSION) else { return Ok(None) };
    let found = accounts.session(secret, server.now()).await?;
    Ok(found.map(|(_, account)| {
        let permit = server.office.policies.permit(&account, None);
        Caller { account, permit }
    }))
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "invalid_authorization",
            "the Authorization header is not understood: send `Bearer` and a token",
        )),
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// A path as the value of a query's key.
pub(crate) fn encode(text: &str) -> String {
    let mut coded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                coded.push(byte as char);
            }
            _ => coded.push_str(&format!("%{byte:02X}")),
        }
    }
    coded
}
