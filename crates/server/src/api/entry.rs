//! The way in: the first account, log-in and log-out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use marquee_app::platform::{self, LogIn, NewAccount, Role};
use metrics::counter;

use crate::api::{Body, Refused};
use crate::guard::{DEVICE, Deed, Origin, SESSION, cookie};
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::accounts::{AccountView, LogInBody, SetUpBody};

/// Makes the first account, an administrator, and logs it in. Only while there is none, and only with the code that the
/// server printed on its terminal.
#[utoipa::path(
    post, path = "/api/v1/set-up", tag = "accounts", request_body = SetUpBody, security(()),
    responses((status = 200, body = AccountView), Refused)
)]
pub(crate) async fn set_up(
    State(server): State<Server>,
    origin: Origin,
    headers: HeaderMap,
    Body(body): Body<SetUpBody>,
) -> Result<Response, Problem> {
    let new = NewAccount {
        display: body.display,
        team: body.team,
        password: Some(body.password),
        ..NewAccount::named(body.name, Role::Administrator)
    };
    let account = server.office.accounts.set_up(&body.code, new, server.now()).await?;
    let from = from(&origin, &headers);
    let begun = server.office.accounts.begin_session(&account.id, &from, server.now()).await?;
    entered(&server, &origin, begun).await
}

/// Begins a session: its cookie comes with the answer.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "accounts", request_body = LogInBody, security(()),
    responses((status = 200, body = AccountView), Refused)
)]
pub(crate) async fn log_in(
    State(server): State<Server>,
    origin: Origin,
    headers: HeaderMap,
    Body(body): Body<LogInBody>,
) -> Result<Response, Problem> {
    let from = from(&origin, &headers);
    let outcome = server.office.accounts.log_in(&body.name, &body.password, &from, server.now()).await?;
    match outcome {
        LogIn::Done { .. } => entered(&server, &origin, outcome).await,
        refused => {
            let mut response = refusal(&server, &refused).into_response();
            let object = format!("name:{}", body.name.chars().take(64).collect::<String>());
            response.extensions_mut().insert(Deed { object, ..Deed::default() });
            Ok(response)
        }
    }
}

/// Ends the session.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "accounts",
    responses((status = 204), Refused)
)]
pub(crate) async fn log_out(
    State(server): State<Server>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(secret) = cookie(&headers, SESSION) {
        server.office.accounts.log_out(secret).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    put_cookie(response.headers_mut(), SESSION, "", 0, secure(&server, &origin));
    Ok(response)
}

/// From where an attempt to log in comes.
pub(crate) fn from<'a>(origin: &Origin, headers: &'a HeaderMap) -> platform::Origin<'a> {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agent = agent.chars().take(200).collect();
    platform::Origin { address: origin.address, device: cookie(headers, DEVICE), agent }
}

/// The answer to a log-in that succeeded, with its cookies.
async fn entered(server: &Server, origin: &Origin, outcome: LogIn) -> Result<Response, Problem> {
    let LogIn::Done { session, device } = outcome else { return Err(refusal(server, &outcome)) };
    let account = server.office.accounts.get(&session.account).await?.ok_or_else(Problem::unauthenticated)?;
    let object = format!("account:{}", account.id);
    let deed = Deed { object, who: Some(account.clone()), ..Deed::default() };
    let mut response = Json(AccountView::from(&account)).into_response();
    response.extensions_mut().insert(deed);
    welcome(server, origin, &session.cookie, &device, response.headers_mut());
    Ok(response)
}

/// Puts the cookies of a session that begins.
pub(crate) fn welcome(
    server: &Server,
    origin: &Origin,
    session: &str,
    device: &str,
    headers: &mut HeaderMap,
) {
    const DAY: u32 = 86_400;
    let secure = secure(server, origin);
    put_cookie(headers, SESSION, session, 14 * DAY, secure);
    put_cookie(headers, DEVICE, device, 400 * DAY, secure);
    counter!("marquee_log_ins_total", "outcome" => "done").increment(1);
}

/// Why a log-in did not succeed.
pub(crate) fn refusal(server: &Server, outcome: &LogIn) -> Problem {
    if let LogIn::Wait { until } = outcome {
        counter!("marquee_log_ins_total", "outcome" => "wait").increment(1);
        let seconds = until.signed_duration_since(server.now()).num_seconds().unsigned_abs();
        let detail =
            "there were too many attempts: wait a little; a browser on which you logged in before need not";
        return Problem::later(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail, seconds);
    }
    counter!("marquee_log_ins_total", "outcome" => "refused").increment(1);
    let detail = "name and password do not belong together";
    Problem::new(StatusCode::UNAUTHORIZED, "wrong_credentials", detail)
}

pub(crate) fn secure(server: &Server, origin: &Origin) -> bool {
    server.settings.secure_cookies || origin.secure
}

/// Adds a cookie; one of no age is taken away.
pub(crate) fn put_cookie(headers: &mut HeaderMap, name: &str, value: &str, seconds: u32, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(line) = HeaderValue::from_str(&line) {
        headers.append(header::SET_COOKIE, line);
    }
}
