//! `/account`: one's own account. Who one is here, the password, the browsers in which one is logged in, and tokens for
//! programs, whose secret is shown once.

use std::collections::BTreeSet;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use marquee_app::platform::{Account, Action, Error as PlatformError, Session, Token, TokenId};
use maud::{Markup, html};

use super::layout::{Page, page};
use super::params::Params;
use super::parts::{Column, Field, Tone, badge, field, head, notice, table};
use super::words::{ago, capital, moment};
use crate::api::accounts::deed;
use crate::guard::{Caller, SESSION, cookie};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;
use crate::wire::accounts::TokenView;

const PAGE: Page<'static> = Page { title: "Your account", nav: None };

pub(super) fn routes(routes: Routes) -> Routes {
    let inside = Rule::SignedIn;
    routes
        .get("/account", inside, show)
        .form("/account/password", inside, "account.password", change_password)
        .form("/account/sessions/{id}/end", inside, "session.end", end_session)
        .form("/account/tokens", inside, "token.issue", issue)
        .form("/account/tokens/{id}/revoke", inside, "token.revoke", revoke)
}

/// What is to be said on the page beside what is always there.
#[derive(Debug, Default)]
struct Said {
    /// That something was done.
    done: Option<&'static str>,
    /// What is wrong with a field.
    fault: Option<(&'static str, String)>,
    /// The secret of a token that was issued now.
    secret: Option<String>,
}

/// What the page shows.
struct Own {
    account: Account,
    may: Vec<Action>,
    sessions: Vec<Session>,
    tokens: Vec<Token>,
    /// The session that is asking.
    here: Option<String>,
}

async fn show(
    State(server): State<Server>,
    caller: Caller,
    headers: HeaderMap,
    params: Params,
) -> Result<Markup, Problem> {
    let done = match params.get("done") {
        "password" => Some("The password is changed. Other browsers are logged out."),
        "session" => Some("That browser is logged out."),
        "token" => Some("The token is void."),
        _ => None,
    };
    whole(&server, &caller, &headers, &Said { done, ..Said::default() }).await
}

async fn whole(
    server: &Server,
    caller: &Caller,
    headers: &HeaderMap,
    said: &Said,
) -> Result<Markup, Problem> {
    let accounts = &server.office.accounts;
    let own = Own {
        account: caller.account.clone(),
        may: Action::ALL.into_iter().filter(|action| caller.permit.may(*action)).collect(),
        sessions: accounts.sessions(&caller.account.id).await?,
        tokens: accounts.tokens(&caller.account.id).await?,
        here: session(server, headers).await?.map(|session| session.id),
    };
    Ok(page(caller, PAGE, body(&own, said, server.now())))
}

/// The session that a request came in; none where it came with a token.
async fn session(server: &Server, headers: &HeaderMap) -> Result<Option<Session>, Problem> {
    let Some(secret) = cookie(headers, SESSION) else { return Ok(None) };
    Ok(server.office.accounts.session(secret, server.now()).await?.map(|(session, _)| session))
}

async fn change_password(
    State(server): State<Server>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Problem> {
    let secrets = super::admin::raw(form)?;
    let of = |key: &str| secrets.iter().find(|(own, _)| own == key).map_or("", |(_, value)| value.as_str());
    if of("new") != of("again") {
        return refused(
            &server,
            &caller,
            &headers,
            ("again", "The two passwords are not the same.".to_owned()),
        )
        .await;
    }
    let (accounts, now) = (&server.office.accounts, server.now());
    let changed = match session(&server, &headers).await? {
        Some(session) => accounts.change_password(&session, of("old"), of("new"), now).await,
        None => accounts.set_password(&caller.account.id, Some(of("old")), of("new"), now).await,
    };
    match changed {
        Ok(()) => Ok(went("/account?done=password", format!("account:{}", caller.account.id))),
        Err(error) => match fault(&error) {
            Some(fault) => refused(&server, &caller, &headers, fault).await,
            None => Err(error.into()),
        },
    }
}

async fn end_session(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    server.office.accounts.end_session(&caller.account.id, &id).await?;
    Ok(went("/account?done=session", format!("session:{id}")))
}

/// Issues a token and shows its secret, which is kept nowhere.
async fn issue(
    State(server): State<Server>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Problem> {
    let pairs = super::admin::raw(form)?;
    let scopes = pairs.iter().filter(|(key, _)| key == "scopes").map(|(_, scope)| scope.parse::<Action>());
    let scopes = scopes.collect::<Result<BTreeSet<Action>, _>>()?;
    if let Some(beyond) = scopes.iter().find(|scope| !caller.permit.may(**scope)) {
        return Err(Problem::unfit(
            "beyond_your_own",
            format!("you may not {beyond} yourself: leave it out of the scopes"),
        ));
    }
    let params = Params::of(pairs);
    let now = server.now();
    let expires = params.number::<u16>("days").map(|days| now + TimeDelta::days(i64::from(days)));
    match server
        .office
        .accounts
        .issue_token(&caller.account.id, params.get("label"), scopes, expires, now)
        .await
    {
        Ok((token, secret)) => {
            let said = Said { secret: Some(secret), ..Said::default() };
            let body = whole(&server, &caller, &headers, &said).await?;
            let after = serde_json::to_value(TokenView::from(&token)).ok();
            Ok(deed(body.into_response(), format!("token:{}", token.id), None, after))
        }
        Err(error) => match fault(&error) {
            Some(fault) => refused(&server, &caller, &headers, fault).await,
            None => Err(error.into()),
        },
    }
}

async fn revoke(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let token = id.parse::<TokenId>().map_err(|_| Problem::not_found(format!("there is no token `{id}`")))?;
    server.office.accounts.revoke(&caller.account.id, &token, server.now()).await?;
    Ok(went("/account?done=token", format!("token:{id}")))
}

/// The page again, with what is wrong.
async fn refused(
    server: &Server,
    caller: &Caller,
    headers: &HeaderMap,
    fault: (&'static str, String),
) -> Result<Response, Problem> {
    let said = Said { fault: Some(fault), ..Said::default() };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, whole(server, caller, headers, &said).await?).into_response())
}

fn fault(error: &PlatformError) -> Option<(&'static str, String)> {
    let field = match error {
        PlatformError::WrongPassword | PlatformError::TryLater { .. } => "old",
        PlatformError::InvalidField { what: "password", .. } => "new",
        PlatformError::InvalidField { what: "label", .. } => "label",
        PlatformError::InvalidField { what: "list of scopes", .. } => "scopes",
        PlatformError::InvalidField { .. } => "days",
        _ => return None,
    };
    Some((field, format!("{}.", capital(&error.to_string()))))
}

fn went(place: &str, object: String) -> Response {
    deed(Redirect::to(place).into_response(), object, None, None)
}

fn body(own: &Own, said: &Said, now: DateTime<Utc>) -> Markup {
    let account = &own.account;
    let actions: Vec<&str> = own.may.iter().map(|action| action.as_str()).collect();
    html! {
        (head("Your account", Some("Who you are here, where you are logged in, and tokens for your programs.")))
        @if let Some(done) = said.done { (notice(Tone::Good, html! { p role="status" { (done) } })) }
        @if let Some(secret) = &said.secret {
            (notice(Tone::Wait, html! {
                p { strong { "The token's secret. " } "It is shown this once and kept nowhere: copy it now." }
                pre.kept id="secret" tabindex="0" { (secret) }
                div.row { button.button type="button" data-copy="secret" { "Copy the secret" } }
                p.small { "Programs send it as " code { "Authorization: Bearer …" } "." }
            }))
        }
        dl.facts {
            div { dt { "Name" } dd { (account.display) } }
            div { dt { "Log-in name" } dd { (account.name) } }
            div { dt { "Role" } dd { (capital(account.role.as_str())) } }
            div { dt { "Team" } dd { @if account.team.is_empty() { span.soft { "none" } } @else { (account.team) } } }
            div { dt { "Agreements signed" } dd { @if account.clearances.is_empty() { span.soft { "none" } } @else { (account.clearances.iter().cloned().collect::<Vec<_>>().join(", ")) } } }
            div { dt { "You may" } dd { (actions.join(", ")) } }
        }
        section { h2 { "Password" } (password_form(said)) }
        section { h2 { "Where you are logged in" } (sessions(own, now)) }
        section { h2 { "Tokens" } (tokens(&own.tokens, now)) (token_form(&own.may, said)) }
    }
}

fn error<'a>(said: &'a Said, name: &str) -> Option<&'a str> {
    said.fault.as_ref().filter(|(field, _)| *field == name).map(|(_, text)| text.as_str())
}

fn password_form(said: &Said) -> Markup {
    let secret = |name: &'static str, label: &'static str, complete: &'static str| {
        let error = error(said, name);
        field(&Field { kind: "password", complete, required: true, error, ..Field::text(name, label, "") })
    };
    html! {
        form.form.narrow method="post" action="/account/password" {
            (secret("old", "Present password", "current-password"))
            (secret("new", "New password", "new-password"))
            (secret("again", "New password, once more", "new-password"))
            div.row { button.button type="submit" { "Change the password" } }
            p.small.soft { "All other browsers are logged out. Tokens go on." }
        }
    }
}

fn sessions(own: &Own, now: DateTime<Utc>) -> Markup {
    let columns = [
        Column::text("Browser"),
        Column::text("From"),
        Column::text("Since"),
        Column::text("Last used"),
        Column::text(""),
    ];
    table(
        "Sessions",
        &columns,
        html! {
            @for s in &own.sessions {
                tr {
                    th scope="row" { @if s.agent.is_empty() { "A program" } @else { (s.agent.chars().take(90).collect::<String>()) } }
                    td { (s.address) }
                    td.nowrap { (moment(s.created_at)) }
                    td.nowrap { (ago(s.seen_at, now)) }
                    td {
                        @if own.here.as_deref() == Some(&s.id) { (badge("here", Tone::Accent)) }
                        @else { form method="post" action={ "/account/sessions/" (s.id) "/end" } { button.button type="submit" { "Log out" } } }
                    }
                }
            }
        },
    )
}

fn tokens(all: &[Token], now: DateTime<Utc>) -> Markup {
    if all.is_empty() {
        return html! { p.soft { "No token was issued. A program needs one to ask in your name." } };
    }
    let columns = [
        Column::text("Token"),
        Column::text("Good for"),
        Column::text("Issued"),
        Column::text("Ends"),
        Column::text("Last used"),
        Column::text(""),
    ];
    table(
        "Tokens",
        &columns,
        html! {
            @for t in all {
                @let over = t.expires_at.is_some_and(|at| at <= now);
                tr {
                    th scope="row" { (t.label) }
                    td { (t.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")) }
                    td.nowrap { (ago(t.created_at, now)) }
                    td.nowrap { @match t.expires_at { Some(at) => { (moment(at)) } None => { "never" } } }
                    td.nowrap { @match t.used_at { Some(at) => { (ago(at, now)) } None => { span.soft { "never" } } } }
                    td {
                        @if t.revoked_at.is_some() { (badge("revoked", Tone::Plain)) }
                        @else if over { (badge("ended", Tone::Plain)) }
                        @else { form method="post" action={ "/account/tokens/" (t.id) "/revoke" } data-confirm={ "Make the token “" (t.label) "” void?" } { button.button type="submit" { "Revoke" } } }
                    }
                }
            }
        },
    )
}

fn token_form(may: &[Action], said: &Said) -> Markup {
    html! {
        form.form.narrow method="post" action="/account/tokens" {
            (field(&Field { required: true, hint: Some("What it is for."), error: error(said, "label"), ..Field::text("label", "Name", "") }))
            fieldset.ticks {
                legend { "Good for" }
                @for action in may {
                    div.tick { input type="checkbox" id={ "scope-" (action) } name="scopes" value=(action) checked[*action == Action::Read]; label for={ "scope-" (action) } { (capital(action.as_str())) } }
                }
                @if let Some(text) = error(said, "scopes") { p.loss { (text) } }
            }
            (field(&Field { kind: "number", hint: Some("Empty: until it is revoked."), error: error(said, "days"), ..Field::text("days", "Days that it lasts", "90") }))
            div.row { button.button type="submit" { "Issue a token" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;

    #[test]
    fn ones_account_is_sound_and_a_secret_is_shown_once() {
        let hostile = "<script>alert(1)</script>";
        let ana = somebody(hostile);
        let session = Session {
            id: "s1".to_owned(),
            account: ana.account.id.clone(),
            created_at: DateTime::UNIX_EPOCH,
            seen_at: DateTime::UNIX_EPOCH,
            address: "127.0.0.1".to_owned(),
            agent: hostile.to_owned(),
            csrf: String::new(),
        };
        let token = Token {
            id: "00112233445566778899aabbccddeeff".parse().expect("an id"),
            account: ana.account.id.clone(),
            label: hostile.to_owned(),
            scopes: BTreeSet::from([Action::Read]),
            created_at: DateTime::UNIX_EPOCH,
            expires_at: Some(DateTime::UNIX_EPOCH),
            used_at: None,
            revoked_at: None,
        };
        let live = Token { expires_at: None, ..token.clone() };
        let own = Own {
            account: ana.account.clone(),
            may: Action::ALL.to_vec(),
            sessions: vec![session],
            tokens: vec![token, live],
            here: None,
        };
        let said = Said {
            done: Some("Done."),
            fault: Some(("old", hostile.to_owned())),
            secret: Some("mq_secret".to_owned()),
        };
        let text = page(&ana, PAGE, body(&own, &said, Utc::now())).into_string();
        check::sound(&text);
        assert!(
            !text.contains("<script>alert") && text.contains("mq_secret") && text.contains("aria-invalid"),
            "{text}"
        );
        let text = page(&ana, PAGE, body(&Own { tokens: vec![], ..own }, &Said::default(), Utc::now()))
            .into_string();
        check::sound(&text);
        assert!(!text.contains("mq_secret"));
    }
}
