//! The way in and out: logging in, logging out, and setting up, which makes the first account.
//!
//! A failed log-in says neither which of name and password was wrong nor whether there is such an account. After it, the
//! address that was asked for is gone to only where it is one of this site.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use marquee_app::platform::{self, LogIn, NewAccount, Role};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::bare;
use super::parts::{Field, Tone, field, notice};
use super::words;
use crate::api::entry::{from, put_cookie, refusal, secure, welcome};
use crate::guard::{Deed, Origin, SESSION, Visitor, cookie};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/log-in", Rule::Open, show_log_in)
        .form("/log-in", Rule::Open, "account.log_in", log_in)
        .form("/log-out", Rule::SignedIn, "account.log_out", log_out)
        .get("/set-up", Rule::Open, show_set_up)
        .form("/set-up", Rule::Open, "account.set_up", set_up)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LogInForm {
    name: String,
    password: String,
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SetUpForm {
    code: String,
    name: String,
    display: String,
    team: String,
    password: String,
    again: String,
}

async fn show_log_in(
    State(server): State<Server>,
    Visitor(visitor): Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if visitor.is_some() {
        return Ok(Redirect::to(inside(&asked.next)).into_response());
    }
    if server.office.accounts.is_empty().await? {
        return Ok(Redirect::to("/set-up").into_response());
    }
    Ok(log_in_page("", inside(&asked.next), None).into_response())
}

async fn log_in(
    State(server): State<Server>,
    origin: Origin,
    headers: HeaderMap,
    form: Result<Form<LogInForm>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(|_| not_a_form())?;
    let next = inside(&form.next);
    let from = from(&origin, &headers);
    let outcome = server.office.accounts.log_in(&form.name, &form.password, &from, server.now()).await?;
    if matches!(outcome, LogIn::Done { .. }) {
        return entered(&server, &origin, outcome, next).await;
    }
    let problem = refusal(&server, &outcome);
    let said = match &outcome {
        LogIn::Wait { until } => waiting((*until - server.now()).num_seconds()),
        _ => "Name and password do not belong together, or the account is shut out.".to_owned(),
    };
    let mut response = (problem.status(), log_in_page(&form.name, next, Some(&said))).into_response();
    let object = format!("name:{}", form.name.chars().take(64).collect::<String>());
    response.extensions_mut().insert(Deed { object, ..Deed::default() });
    Ok(response)
}

fn waiting(seconds: i64) -> String {
    let minutes = words::count(seconds.clamp(1, 86_400).unsigned_abs().div_ceil(60), "minute");
    format!(
        "There were too many attempts. Try again in {minutes}; a browser on which you logged in before need not wait."
    )
}

async fn log_out(
    State(server): State<Server>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(secret) = cookie(&headers, SESSION) {
        server.office.accounts.log_out(secret).await?;
    }
    let mut response = Redirect::to("/log-in").into_response();
    put_cookie(response.headers_mut(), SESSION, "", 0, secure(&server, &origin));
    Ok(response)
}

async fn show_set_up(State(server): State<Server>) -> Result<Response, Problem> {
    match server.office.accounts.is_empty().await? {
        true => Ok(set_up_page(&SetUpForm::default(), None).into_response()),
        false => Ok(Redirect::to("/log-in").into_response()),
    }
}

async fn set_up(
    State(server): State<Server>,
    origin: Origin,
    headers: HeaderMap,
    form: Result<Form<SetUpForm>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(|_| not_a_form())?;
    let again =
        |fault: &Fault| (StatusCode::UNPROCESSABLE_ENTITY, set_up_page(&form, Some(fault))).into_response();
    if form.password != form.again {
        return Ok(again(&Fault { field: "again", said: "The two passwords are not the same.".to_owned() }));
    }
    match try_set_up(&server, &origin, &headers, &form).await {
        Ok(outcome) => entered(&server, &origin, outcome, "/").await,
        Err(platform::Error::AlreadySetUp) => Ok(Redirect::to("/log-in").into_response()),
        Err(error) => match Fault::of(&error) {
            Some(fault) => Ok(again(&fault)),
            None => Err(error.into()),
        },
    }
}

async fn try_set_up(
    server: &Server,
    origin: &Origin,
    headers: &HeaderMap,
    form: &SetUpForm,
) -> Result<LogIn, platform::Error> {
    let (accounts, now) = (&server.office.accounts, server.now());
    let new = NewAccount {
        display: form.display.trim().to_owned(),
        team: form.team.trim().to_owned(),
        password: Some(form.password.clone()),
        ..NewAccount::named(form.name.trim(), Role::Administrator)
    };
    let account = accounts.set_up(&form.code, new, now).await?;
    accounts.begin_session(&account.id, &from(origin, headers), now).await
}

/// The answer to who has come in: with their cookies, and with who it was for the audit.
async fn entered(server: &Server, origin: &Origin, outcome: LogIn, next: &str) -> Result<Response, Problem> {
    let LogIn::Done { session, device } = outcome else { return Ok(Redirect::to("/log-in").into_response()) };
    let who = server.office.accounts.get(&session.account).await?;
    let mut response = Redirect::to(next).into_response();
    welcome(server, origin, &session.cookie, &device, response.headers_mut());
    let object = format!("account:{}", session.account);
    response.extensions_mut().insert(Deed { object, who, ..Deed::default() });
    Ok(response)
}

/// The address to go to: a path of this site, or the first page.
fn inside(next: &str) -> &str {
    let path = next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/log-");
    let plain = next.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\');
    if path && plain { next } else { "/" }
}

fn not_a_form() -> Problem {
    Problem::bad("not_a_form", "the form did not arrive whole: go back and send it again")
}

/// What is wrong with one field.
#[derive(Debug)]
struct Fault {
    field: &'static str,
    said: String,
}

impl Fault {
    fn of(error: &platform::Error) -> Option<Self> {
        use platform::Error as E;
        let field = match error {
            E::WrongSetUpCode => "code",
            E::NameTaken { .. } => "name",
            E::InvalidField { what: "password", .. } => "password",
            E::InvalidField { what: "team", .. } => "team",
            E::InvalidField { what: "display name", .. } => "display",
            E::InvalidField { .. } => "name",
            _ => return None,
        };
        Some(Self { field, said: format!("{}.", words::capital(&error.to_string())) })
    }
}

fn log_in_page(name: &str, next: &str, refused: Option<&str>) -> Markup {
    let password = Field {
        kind: "password",
        complete: "current-password",
        required: true,
        ..Field::text("password", "Password", "")
    };
    bare(
        "Log in",
        html! {
            div.head { h1 { "Log in" } p.soft { "What a title is likely to do, how sure that is, why, and what to do about it." } }
            @if let Some(said) = refused { (notice(Tone::Bad, html! { p { (said) } })) }
            form.form method="post" action="/log-in" {
                input type="hidden" name="next" value=(next);
                (field(&Field { complete: "username", required: true, ..Field::text("name", "Name", name) }))
                (field(&password))
                button.button.main type="submit" { "Log in" }
            }
            p.small.soft { "No account yet? An administrator makes one for you." }
        },
    )
}

fn set_up_page(form: &SetUpForm, fault: Option<&Fault>) -> Markup {
    let error = |name: &str| fault.filter(|fault| fault.field == name).map(|fault| fault.said.as_str());
    let new = |name, label| Field {
        kind: "password",
        complete: "new-password",
        required: true,
        error: error(name),
        ..Field::text(name, label, "")
    };
    let code = Field {
        hint: Some(
            "It stands on the terminal on which Marquee was started: only whoever started it can set it up.",
        ),
        required: true,
        error: error("code"),
        ..Field::text("code", "Set-up code", form.code.as_str())
    };
    let name = Field {
        complete: "username",
        required: true,
        error: error("name"),
        ..Field::text("name", "Log-in name", form.name.as_str())
    };
    let display = Field {
        complete: "name",
        error: error("display"),
        hint: Some("As others see it; the log-in name where it is left empty."),
        ..Field::text("display", "Your name", form.display.as_str())
    };
    let team = Field {
        complete: "organization",
        error: error("team"),
        hint: Some("May stay empty."),
        ..Field::text("team", "Team", form.team.as_str())
    };
    bare(
        "Set up",
        html! {
            div.head { h1 { "Set up Marquee" } p.soft { "Nobody has an account yet. The first is an administrator, who makes the others." } }
            form.form method="post" action="/set-up" {
                (field(&code))
                (field(&name))
                (field(&display))
                (field(&team))
                (field(&Field { hint: Some("A long one: four words in a row are better than one with signs."), ..new("password", "Password") }))
                (field(&new("again", "Password, once more")))
                button.button.main type="submit" { "Make the first account" }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn one_is_sent_on_inside_this_site_alone() {
        for (next, place) in [
            ("/titles?text=a", "/titles?text=a"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x=1", "/"),
            ("/log-out", "/"),
        ] {
            assert_eq!(inside(next), place, "{next:?}");
        }
    }

    #[test]
    fn both_forms_are_sound_and_show_what_is_wrong() {
        let page = log_in_page("<script>x</script>", "/titles", Some("No.")).into_string();
        check::sound(&page);
        assert!(!page.contains("<script>x") && page.contains("role=\"alert\""), "{page}");
        let form = SetUpForm {
            name: "\"><script>".to_owned(),
            password: "secret words".to_owned(),
            ..SetUpForm::default()
        };
        let fault = Fault::of(&platform::Error::NameTaken { name: "ana".to_owned() });
        let page = set_up_page(&form, fault.as_ref()).into_string();
        check::sound(&page);
        assert!(page.contains("aria-invalid") && !page.contains("secret words"), "{page}");
    }
}
