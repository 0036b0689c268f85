//! `/admin`: for administrators. Accounts with their roles, teams and clearances; the policies in force; the audit.

mod audit;
mod policies;

use std::collections::BTreeSet;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use marquee_app::platform::{Account, AccountId, Action, Change, Error as PlatformError, NewAccount, Role};
use maud::{Markup, html};
use serde_json::Value;

use super::layout::{Nav, Page, page};
use super::params::Params;
use super::parts::{Column, Field, Tone, badge, choice, crumbs, field, head, notice, table, tabs};
use super::words::{capital, moment};
use crate::api::accounts::deed;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;
use crate::wire::accounts::AccountView;

const PAGE: Page<'static> = Page { title: "Admin", nav: Some(Nav::Admin) };

pub(super) fn routes(routes: Routes) -> Routes {
    let administer = Rule::May(Action::Administer);
    routes
        .get("/admin", administer, show)
        .form("/admin/accounts", administer, "account.create", create)
        .get("/admin/accounts/{id}", administer, show_one)
        .form("/admin/accounts/{id}", administer, "account.update", update)
        .form("/admin/accounts/{id}/password", administer, "account.password", set_password)
        .get("/admin/policies", administer, policies::show)
        .get("/admin/audit", Rule::May(Action::Audit), audit::show)
}

/// The pairs of a form as they are: passwords with their blanks.
pub(super) fn raw(
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Vec<(String, String)>, Problem> {
    let Form(pairs) = form.map_err(|_| {
        Problem::bad("not_a_form", "the form did not arrive whole: go back and send it again")
    })?;
    Ok(pairs)
}

/// The tabs of the pages for administrators.
fn places(here: &str) -> Markup {
    let all = [
        ("Accounts", "/admin".to_owned()),
        ("Policies", "/admin/policies".to_owned()),
        ("Audit", "/admin/audit".to_owned()),
    ];
    tabs("Admin", &all, here)
}

/// What is wrong with a field, or with the whole where the field has no name.
#[derive(Debug)]
struct Fault {
    field: &'static str,
    said: String,
}

impl Fault {
    fn of(error: &PlatformError) -> Option<Self> {
        use PlatformError as E;
        let field = match error {
            E::NameTaken { .. } => "name",
            E::LastAdministrator { .. } | E::UnknownWord { .. } => "role",
            E::InvalidField { what: "password", .. } => "password",
            E::InvalidField { what: "team", .. } => "team",
            E::InvalidField { what: "display name", .. } => "display",
            E::InvalidField { what: "name", .. } => "name",
            E::InvalidField { .. } => "clearances",
            _ => return None,
        };
        Some(Self { field, said: format!("{}.", capital(&error.to_string())) })
    }
}

async fn show(State(server): State<Server>, caller: Caller, params: Params) -> Result<Markup, Problem> {
    let accounts = server.office.accounts.list().await?;
    let done =
        (!params.get("made").is_empty()).then(|| format!("The account {} is made.", params.get("made")));
    Ok(page(&caller, PAGE, list(&accounts, &Params::default(), None, done.as_deref())))
}

async fn create(
    State(server): State<Server>,
    caller: Caller,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Problem> {
    let pairs = raw(form)?;
    let password = pairs.iter().find(|(key, _)| key == "password").map(|(_, value)| value.clone());
    let params = Params::of(pairs);
    match make(&server, &params, password).await {
        Ok(account) => {
            let after = value(&account);
            let place = super::parts::query("/admin", &[("made", &account.name)]);
            Ok(deed(Redirect::to(&place).into_response(), format!("account:{}", account.id), None, after))
        }
        Err(error) => {
            let Some(fault) = Fault::of(&error) else { return Err(error.into()) };
            let accounts = server.office.accounts.list().await?;
            let body = page(&caller, PAGE, list(&accounts, &params, Some(&fault), None));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
    }
}

async fn make(server: &Server, params: &Params, password: Option<String>) -> Result<Account, PlatformError> {
    let new = NewAccount {
        display: params.get("display").to_owned(),
        team: params.get("team").to_owned(),
        clearances: clearances(params.get("clearances")),
        password: password.filter(|password| !password.is_empty()),
        ..NewAccount::named(params.get("name"), params.get("role").parse::<Role>()?)
    };
    server.office.accounts.create(new, server.now()).await
}

async fn show_one(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let account = named(&server, &id).await?;
    let done = match params.get("done") {
        "account" => Some("The account is changed."),
        "password" => Some("The password is set, and the account is logged out everywhere."),
        _ => None,
    };
    Ok(page(&caller, PAGE, one(&account, None, done)))
}

async fn update(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Problem> {
    let params = Params::of(raw(form)?);
    let before = named(&server, &id).await?;
    match change(&server, &before, &params).await {
        Ok(account) => {
            let place = format!("/admin/accounts/{}?done=account", account.id);
            let object = format!("account:{}", account.id);
            Ok(deed(Redirect::to(&place).into_response(), object, value(&before), value(&account)))
        }
        Err(error) => again(&caller, &before, error),
    }
}

async fn change(server: &Server, before: &Account, params: &Params) -> Result<Account, PlatformError> {
    let change = Change {
        display: Some(params.get("display").to_owned()).filter(|name| !name.is_empty()),
        role: Some(params.get("role").parse::<Role>()?),
        team: Some(params.get("team").to_owned()),
        clearances: Some(clearances(params.get("clearances"))),
        disabled: Some(params.get("disabled") == "true"),
    };
    server.office.accounts.update(&before.id, change, server.now()).await
}

async fn set_password(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Problem> {
    let pairs = raw(form)?;
    let password = pairs.iter().find(|(key, _)| key == "password").map_or("", |(_, value)| value.as_str());
    let account = named(&server, &id).await?;
    match server.office.accounts.set_password(&account.id, None, password, server.now()).await {
        Ok(()) => {
            let place = format!("/admin/accounts/{}?done=password", account.id);
            Ok(deed(Redirect::to(&place).into_response(), format!("account:{}", account.id), None, None))
        }
        Err(error) => again(&caller, &account, error),
    }
}

fn again(caller: &Caller, account: &Account, error: PlatformError) -> Result<Response, Problem> {
    let Some(fault) = Fault::of(&error) else { return Err(error.into()) };
    let body = page(caller, PAGE, one(account, Some(&fault), None));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
}

async fn named(server: &Server, id: &str) -> Result<Account, Problem> {
    let missing = || Problem::not_found(format!("there is no account `{id}`"));
    let id = id.parse::<AccountId>().map_err(|_| missing())?;
    server.office.accounts.get(&id).await?.ok_or_else(missing)
}

fn clearances(text: &str) -> BTreeSet<String> {
    text.split(';').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn value(account: &Account) -> Option<Value> {
    serde_json::to_value(AccountView::from(account)).ok()
}

fn list(accounts: &[Account], params: &Params, fault: Option<&Fault>, done: Option<&str>) -> Markup {
    let columns = [
        Column::text("Account"),
        Column::text("Role"),
        Column::text("Team"),
        Column::text("Agreements signed"),
        Column::text("Made"),
        Column::text(""),
    ];
    html! {
        (head("Admin", Some("Who may log in, who may do what, and who did what.")))
        (places("Accounts"))
        @if let Some(done) = done { (notice(Tone::Good, html! { p role="status" { (done) } })) }
        section {
            h2 { "Accounts" }
            (table("Accounts", &columns, html! {
                @for a in accounts {
                    tr {
                        th scope="row" { a href={ "/admin/accounts/" (a.id) } { (a.display) } br; span.small.soft { (a.name) } }
                        td { (capital(a.role.as_str())) }
                        td { @if a.team.is_empty() { span.soft { "–" } } @else { (a.team) } }
                        td { @if a.clearances.is_empty() { span.soft { "–" } } @else { (join(&a.clearances)) } }
                        td.nowrap { (moment(a.created_at)) }
                        td { @if a.disabled { (badge("shut out", Tone::Bad)) } @if a.external.is_some() { (badge("logs in elsewhere", Tone::Plain)) } }
                    }
                }
            }))
        }
        section { h2 { "Make an account" } (account_form(params, fault)) }
    }
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
}

fn error<'a>(fault: Option<&'a Fault>, name: &str) -> Option<&'a str> {
    fault.filter(|fault| fault.field == name).map(|fault| fault.said.as_str())
}

fn roles(now: &str) -> Markup {
    let words = Role::ALL.map(|role| (role.as_str(), capital(role.as_str())));
    let words: Vec<(&str, &str)> = words.iter().map(|(value, word)| (*value, word.as_str())).collect();
    choice("role", "Role", &words, now)
}

fn account_form(params: &Params, fault: Option<&Fault>) -> Markup {
    let line = |name: &'static str, label: &'static str, hint: &'static str| {
        field(&Field {
            hint: Some(hint),
            error: error(fault, name),
            ..Field::text(name, label, params.get(name))
        })
    };
    html! {
        form.form method="post" action="/admin/accounts" {
            div.pair {
                (field(&Field { required: true, error: error(fault, "name"), ..Field::text("name", "Log-in name", params.get("name")) }))
                (line("display", "Name", "As others see it; the log-in name where it is empty."))
            }
            div.pair { (roles(if params.has("role") { params.get("role") } else { "viewer" })) (line("team", "Team", "May stay empty.")) }
            div.pair {
                (line("clearances", "Agreements signed", "Names, with ; between."))
                (field(&Field { kind: "password", complete: "new-password", required: true, hint: Some("To be told to them, and changed by them."), error: error(fault, "password"), ..Field::text("password", "First password", "") }))
            }
            @if let Some(said) = error(fault, "role") { (notice(Tone::Bad, html! { p { (said) } })) }
            div.row { button.button.main type="submit" { "Make the account" } }
        }
    }
}

fn one(account: &Account, fault: Option<&Fault>, done: Option<&str>) -> Markup {
    let line = |name: &'static str, label: &'static str, text: String| {
        field(&Field { error: error(fault, name), ..Field::text(name, label, text) })
    };
    let place = format!("/admin/accounts/{}", account.id);
    html! {
        (crumbs(&[("Admin", "/admin")]))
        (head(&account.display, None))
        @if let Some(done) = done { (notice(Tone::Good, html! { p role="status" { (done) } })) }
        @if account.disabled { (notice(Tone::Wait, html! { p { "This account is shut out: it cannot log in, its tokens do nothing, and its jobs get nothing done." } })) }
        dl.facts {
            div { dt { "Log-in name" } dd { (account.name) } }
            div { dt { "Made" } dd { (moment(account.created_at)) } }
            div { dt { "Id" } dd { code { (account.id) } } }
            div { dt { "What they did" } dd { a href=(super::parts::query("/admin/audit", &[("who", &account.name)])) { "In the audit" } } }
        }
        section {
            h2 { "Change it" }
            form.form method="post" action=(place) {
                div.pair { (line("display", "Name", account.display.clone())) (roles(account.role.as_str())) }
                div.pair { (line("team", "Team", account.team.clone())) (line("clearances", "Agreements signed", join(&account.clearances))) }
                div.tick { input type="checkbox" id="disabled" name="disabled" value="true" checked[account.disabled]; label for="disabled" { "Shut out" } }
                @if let Some(said) = error(fault, "role") { (notice(Tone::Bad, html! { p { (said) } })) }
                div.row { button.button.main type="submit" { "Change" } }
            }
        }
        @if account.external.is_none() {
            section {
                h2 { "Give it a new password" }
                form.form.narrow method="post" action={ (place) "/password" } {
                    (field(&Field { kind: "password", complete: "new-password", required: true, error: error(fault, "password"), ..Field::text("password", "New password", "") }))
                    div.row { button.button type="submit" { "Set it" } }
                    p.small.soft { "It is logged out everywhere." }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;

    #[test]
    fn accounts_are_sound_and_show_what_is_wrong() {
        let hostile = "<script>alert(1)</script>";
        let mut account = somebody(hostile).account;
        account.disabled = true;
        account.clearances = BTreeSet::from([hostile.to_owned()]);
        let fault = Fault::of(&PlatformError::NameTaken { name: hostile.to_owned() });
        let params = Params::of(vec![
            ("name".to_owned(), hostile.to_owned()),
            ("password".to_owned(), "four words".to_owned()),
        ]);
        let last = Fault::of(&PlatformError::LastAdministrator { name: "ana".to_owned() });
        let pages = [
            list(std::slice::from_ref(&account), &params, fault.as_ref(), Some(hostile)),
            one(&account, last.as_ref(), Some("Done.")),
        ];
        for inside in pages {
            let text = page(&somebody("Ana"), PAGE, inside).into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert") && !text.contains("four words"), "{text}");
            assert!(text.contains("shut out"), "{text}");
        }
    }

    #[test]
    fn clearances_are_read_as_they_are_written() {
        let names = clearances(" Shark ; ;Whale");
        assert_eq!(clearances(&join(&names)), names);
        assert_eq!(names.len(), 2);
    }
}
