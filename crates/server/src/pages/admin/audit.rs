//! `/admin/audit`: who did what. Searched by account, action, object, outcome and day; exported as CSV. Looking is itself
//! written to the audit.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use marquee_app::platform::{AuditOutcome, AuditPage, AuditRecord};
use maud::{Markup, html};
use serde_json::Value;

use super::super::layout::page;
use super::super::params::Params;
use super::super::parts::{
    Column, Field, Tone, badge, choice, field, head, nothing, notice, pager, query, table,
};
use super::super::words::{capital, moment};
use super::{PAGE, places};
use crate::api::audit::{AuditSearch, query as read, sensitive};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;

/// Entries on a page.
const SHOWN: usize = 50;
const KEYS: [&str; 6] = ["who", "action", "object", "outcome", "from", "to"];

pub(super) async fn show(
    State(server): State<Server>,
    caller: Caller,
    params: Params,
) -> Result<Response, Problem> {
    let said = |key: &str| Some(params.get(key).to_owned()).filter(|text| !text.is_empty());
    let wanted = AuditSearch {
        who: said("who"),
        action: said("action"),
        object: said("object"),
        outcome: said("outcome"),
        from: said("from"),
        to: said("to"),
        cursor: params.number("cursor"),
        limit: None,
    };
    let found = match read(wanted) {
        Ok(wanted) => Ok(server.office.audit.search(&wanted, SHOWN).await?),
        Err(problem) => Err(problem.detail().to_owned()),
    };
    Ok(sensitive(page(&caller, PAGE, body(&params, found.as_ref())).into_response()))
}

fn address(path: &str, params: &Params, cursor: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = KEYS.iter().map(|key| (*key, params.get(key))).collect();
    pairs.push(("cursor", cursor));
    query(path, &pairs)
}

fn body(params: &Params, found: Result<&AuditPage, &String>) -> Markup {
    let line = |name: &'static str, label: &'static str, hint: Option<&'static str>| {
        field(&Field { hint, ..Field::text(name, label, params.get(name)) })
    };
    let day = |name: &'static str, label: &'static str| {
        field(&Field { kind: "date", ..Field::text(name, label, params.get(name)) })
    };
    let outcomes = [("", "Any"), ("done", "Done"), ("refused", "Refused"), ("failed", "Failed")];
    html! {
        (head("Admin", Some("Who may log in, who may do what, and who did what.")))
        (places("Audit"))
        section {
            div.row.apart { h2 { "Audit" } a.button href=(address("/api/v1/audit/export", params, "")) download { "Export as CSV" } }
            form.form method="get" action="/admin/audit" role="search" aria-label="Audit" {
                div.filters {
                    (line("who", "Account", Some("Its log-in name or id.")))
                    (line("action", "Action begins with", Some("As account. or data.")))
                    (line("object", "Object", Some("As account:… or track:.")))
                    (choice("outcome", "Outcome", &outcomes, params.get("outcome")))
                    (day("from", "From"))
                    (day("to", "To"))
                    button.button type="submit" { "Search" }
                }
            }
            @match found {
                Err(said) => { (notice(Tone::Bad, html! { p { (capital(said)) "." } })) }
                Ok(found) if found.records.is_empty() => { (nothing("No entry fits", "Try other days, or fewer conditions.", html! { a.button href="/admin/audit" { "Show all" } })) }
                Ok(found) => { (entries(found, params)) }
            }
            p.section-note { "Entries hang together in a chain: none can be changed or removed unseen. Looking at them is written here too." }
        }
    }
}

fn entries(found: &AuditPage, params: &Params) -> Markup {
    let columns = [
        Column::text("When"),
        Column::text("Who"),
        Column::text("What"),
        Column::text("To what"),
        Column::text("Outcome"),
        Column::text("From"),
        Column::text("Before and after"),
    ];
    let next = found.next.map(|seq| address("/admin/audit", params, &seq.to_string()));
    html! {
        (table("Entries, newest first", &columns, html! { @for record in &found.records { (row(record)) } }))
        (pager("", None, next.as_deref()))
    }
}

fn row(record: &AuditRecord) -> Markup {
    let entry = &record.entry;
    html! {
        tr {
            th.nowrap scope="row" { (moment(entry.recorded_at)) br; span.small.soft title=(entry.mac) { "entry " (entry.seq) } }
            @match &record.what {
                None => { td colspan="6" { span.soft { "This entry was erased, or records an erasure; the chain still holds." } } }
                Some(what) => {
                    td { (what.who) }
                    td { code { (what.action) } @if what.sensitive { " " (badge("sensitive", Tone::Wait)) } }
                    td { code { (what.object) } }
                    td { (outcome(what.outcome)) }
                    td { (what.from.as_deref().unwrap_or("–")) }
                    td { (sides(what.before.as_ref(), what.after.as_ref())) }
                }
            }
        }
    }
}

fn outcome(outcome: AuditOutcome) -> Markup {
    let tone = match outcome {
        AuditOutcome::Done => Tone::Good,
        AuditOutcome::Refused => Tone::Wait,
        AuditOutcome::Failed => Tone::Bad,
        AuditOutcome::Unknown => Tone::Plain,
    };
    badge(outcome.as_str(), tone)
}

fn sides(before: Option<&Value>, after: Option<&Value>) -> Markup {
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    html! {
        @if before.is_none() && after.is_none() { span.soft { "–" } }
        @else {
            details.more {
                summary { "Show" }
                @if let Some(value) = before { p.small { "Before" } pre tabindex="0" { (text(value)) } }
                @if let Some(value) = after { p.small { "After" } pre tabindex="0" { (text(value)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::check::{self, somebody};
    use super::*;
    use marquee_app::platform::{AuditEntry, Digest, Entry, Stream};

    #[test]
    fn entries_are_text_and_erased_ones_are_said() {
        let hostile = "<script>alert(1)</script>".to_owned();
        let entry = Entry {
            stream: Stream::audit(),
            seq: 7,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
            kind: "audit".to_owned(),
            payload: None,
            salt: None,
            payload_hash: Digest([0; 32]),
            prev_mac: Digest([0; 32]),
            mac: Digest([0; 32]),
        };
        let what = AuditEntry {
            who: hostile.clone(),
            account: None,
            action: hostile.clone(),
            object: hostile.clone(),
            from: None,
            request: None,
            outcome: AuditOutcome::Refused,
            before: Some(serde_json::json!({ "name": hostile })),
            after: None,
            sensitive: true,
        };
        let records =
            vec![AuditRecord { entry: entry.clone(), what: Some(what) }, AuditRecord { entry, what: None }];
        let found = AuditPage { records, next: Some(3) };
        let none = AuditPage { records: vec![], next: None };
        let params =
            Params::of(vec![("who".to_owned(), hostile.clone()), ("from".to_owned(), "soon".to_owned())]);
        for found in [Ok(&found), Ok(&none), Err(&hostile)] {
            let text = page(&somebody("Ana"), PAGE, body(&params, found)).into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert"), "{text}");
        }
        assert!(address("/admin/audit", &params, "3").ends_with("&from=soon&cursor=3"));
    }
}
