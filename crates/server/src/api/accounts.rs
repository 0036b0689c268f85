//! Accounts, sessions and tokens: one's own, and for administrators everybody's.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use marquee_app::platform::{Account, AccountId, Action, Change, NewAccount, Role, TokenId};
use serde::Serialize;
use serde_json::Value;

use crate::api::{Body, Refused};
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::accounts::{
    AccountChangeBody, AccountView, IssuedToken, NewAccountBody, NewTokenBody, PasswordBody, SessionView,
    TokenView,
};

/// The longest life of a token, in days.
const MOST_DAYS: u32 = 3_650;

/// The account that is asking.
#[utoipa::path(
    get, path = "/api/v1/account", tag = "accounts",
    responses((status = 200, body = AccountView), Refused)
)]
pub(crate) async fn me(caller: Caller) -> Json<AccountView> {
    Json(AccountView::from(&caller.account))
}

/// Changes one's own password and ends one's sessions.
#[utoipa::path(
    put, path = "/api/v1/account/password", tag = "accounts", request_body = PasswordBody,
    responses((status = 204), Refused)
)]
pub(crate) async fn change_password(
    State(server): State<Server>,
    caller: Caller,
    Body(body): Body<PasswordBody>,
) -> Result<Response, Problem> {
    let id = &caller.account.id;
    server.office.accounts.set_password(id, Some(&body.old), &body.new, server.now()).await?;
    Ok(done(StatusCode::NO_CONTENT.into_response(), &caller.account, None, None))
}

/// One's own sessions.
#[utoipa::path(
    get, path = "/api/v1/account/sessions", tag = "accounts",
    responses((status = 200, body = [SessionView]), Refused)
)]
pub(crate) async fn my_sessions(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Vec<SessionView>>, Problem> {
    let sessions = server.office.accounts.sessions(&caller.account.id).await?;
    Ok(Json(sessions.iter().map(SessionView::from).collect()))
}

/// Ends one of one's own sessions.
#[utoipa::path(
    delete, path = "/api/v1/account/sessions/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The session's id")),
    responses((status = 204), Refused)
)]
pub(crate) async fn end_session(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    server.office.accounts.end_session(&caller.account.id, &id).await?;
    Ok(deed(StatusCode::NO_CONTENT.into_response(), format!("session:{id}"), None, None))
}

/// One's own tokens, those that ended among them.
#[utoipa::path(
    get, path = "/api/v1/account/tokens", tag = "accounts",
    responses((status = 200, body = [TokenView]), Refused)
)]
pub(crate) async fn my_tokens(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Vec<TokenView>>, Problem> {
    let tokens = server.office.accounts.tokens(&caller.account.id).await?;
    Ok(Json(tokens.iter().map(TokenView::from).collect()))
}

/// Issues a token. Its secret is shown this once.
#[utoipa::path(
    post, path = "/api/v1/account/tokens", tag = "accounts", request_body = NewTokenBody,
    responses((status = 201, body = IssuedToken), Refused)
)]
pub(crate) async fn issue_token(
    State(server): State<Server>,
    caller: Caller,
    Body(body): Body<NewTokenBody>,
) -> Result<Response, Problem> {
    let scopes =
        body.scopes.iter().map(|scope| scope.parse::<Action>()).collect::<Result<BTreeSet<_>, _>>()?;
    if let Some(beyond) = scopes.iter().find(|scope| !caller.permit.may(**scope)) {
        return Err(Problem::unfit(
            "beyond_your_own",
            format!("you may not {beyond} yourself: leave it out of the scopes"),
        ));
    }
    let now = server.now();
    let ends = |days: u32| match days {
        1..=MOST_DAYS => Ok(now + TimeDelta::days(i64::from(days))),
        _ => Err(Problem::unfit(
            "invalid_value",
            format!("days: {days} is not possible: it must be 1 to {MOST_DAYS}"),
        )),
    };
    let expires = body.days.map(ends).transpose()?;
    let issued =
        server.office.accounts.issue_token(&caller.account.id, &body.label, scopes, expires, now).await?;
    let (token, secret) = issued;
    let view = TokenView::from(&token);
    let (object, after) = (format!("token:{}", token.id), value(&view));
    let answer = (StatusCode::CREATED, Json(IssuedToken { token: view, secret })).into_response();
    Ok(deed(answer, object, None, after))
}

/// Revokes one of one's own tokens.
#[utoipa::path(
    delete, path = "/api/v1/account/tokens/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204), Refused)
)]
pub(crate) async fn revoke_token(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let token = id.parse::<TokenId>().map_err(|_| Problem::not_found(format!("there is no token `{id}`")))?;
    server.office.accounts.revoke(&caller.account.id, &token, server.now()).await?;
    Ok(deed(StatusCode::NO_CONTENT.into_response(), format!("token:{id}"), None, None))
}

/// All accounts, by name.
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "accounts",
    responses((status = 200, body = [AccountView]), Refused)
)]
pub(crate) async fn list(State(server): State<Server>) -> Result<Json<Vec<AccountView>>, Problem> {
    let accounts = server.office.accounts.list().await?;
    Ok(Json(accounts.iter().map(AccountView::from).collect()))
}

/// Makes an account.
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "accounts", request_body = NewAccountBody,
    responses((status = 201, body = AccountView), Refused)
)]
pub(crate) async fn create(
    State(server): State<Server>,
    Body(body): Body<NewAccountBody>,
) -> Result<Response, Problem> {
    let new = NewAccount {
        display: body.display,
        team: body.team,
        clearances: body.clearances.into_iter().collect(),
        password: body.password,
        ..NewAccount::named(body.name, body.role.parse::<Role>()?)
    };
    let account = server.office.accounts.create(new, server.now()).await?;
    let view = AccountView::from(&account);
    let after = value(&view);
    Ok(done((StatusCode::CREATED, Json(view)).into_response(), &account, None, after))
}

/// One account.
#[utoipa::path(
    get, path = "/api/v1/accounts/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = AccountView), Refused)
)]
pub(crate) async fn one(
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<AccountView>, Problem> {
    Ok(Json(AccountView::from(&named(&server, &id).await?)))
}

/// Changes an account: its role, its team, whether it is shut out.
#[utoipa::path(
    patch, path = "/api/v1/accounts/{id}", tag = "accounts", request_body = AccountChangeBody,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, body = AccountView), Refused)
)]
pub(crate) async fn update(
    State(server): State<Server>,
    Path(id): Path<String>,
    Body(body): Body<AccountChangeBody>,
) -> Result<Response, Problem> {
    let before = named(&server, &id).await?;
    let change = Change {
        display: body.display,
        role: body.role.map(|role| role.parse::<Role>()).transpose()?,
        team: body.team,
        clearances: body.clearances.map(|clearances| clearances.into_iter().collect()),
        disabled: body.disabled,
    };
    let account = server.office.accounts.update(&before.id, change, server.now()).await?;
    let (was, view) = (value(&AccountView::from(&before)), AccountView::from(&account));
    let after = value(&view);
    Ok(done(Json(view).into_response(), &account, was, after))
}

async fn named(server: &Server, id: &str) -> Result<Account, Problem> {
    let missing = || Problem::not_found(format!("there is no account `{id}`"));
    let id = id.parse::<AccountId>().map_err(|_| missing())?;
    server.office.accounts.get(&id).await?.ok_or_else(missing)
}

fn done(response: Response, account: &Account, before: Option<Value>, after: Option<Value>) -> Response {
    deed(response, format!("account:{}", account.id), before, after)
}

/// Tells the audit what was done.
pub(crate) fn deed(
    mut response: Response,
    object: String,
    before: Option<Value>,
    after: Option<Value>,
) -> Response {
    response.extensions_mut().insert(Deed { object, before, after, ..Deed::default() });
    response
}

fn value(view: &impl Serialize) -> Option<Value> {
    serde_json::to_value(view).ok()
}
