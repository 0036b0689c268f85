//! `/data`: what is in the lake. Its tables and how fresh they are, what was refused and why, new tables, and where each
//! fact about a title stands.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use marquee_app::AppError;
use marquee_app::platform::Action;
use marquee_app::types::{IssueFilter, SourceIssue};
use marquee_app::use_cases::issues::{export_quarantine, issues};
use marquee_app::use_cases::sources::{Lineage, RuleFound, Source, Sources, lineage, sources};
use marquee_domain::{Action as IssueAction, FactValue};
use maud::{Markup, html};

use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{
    Column, Field, Tone, badge, choice, crumbs, field, head, later, nothing, query, table, tile, tiles,
};
use super::words::{ago, capital, count, date, kind, money, whole};
use crate::api::jobs::{new_name, take_in};
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

/// Issues that are shown as examples.
const EXAMPLES: usize = 50;
/// Days after which what a table knows is old.
const STALE: i64 = 400;
const PAGE: Page<'static> = Page { title: "Data", nav: Some(Nav::Data) };

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes
        .get("/data", read, show)
        .get("/data/issues", read, show_issues)
        .get("/data/quarantine", read, download_quarantine)
        .get("/data/lineage", read, show_lineage)
        .form("/data/ingests", Rule::May(Action::Ingest), "data.ingest", upload)
}

async fn show(State(server): State<Server>, caller: Caller, params: Params) -> Result<Markup, Problem> {
    let body = match sources(&server.workspace, &caller.permit).await {
        Ok(found) => body(&caller, &found, &params, server.now()),
        Err(AppError::Empty(_)) => empty(&caller),
        Err(error) => return Err(error.into()),
    };
    Ok(page(&caller, PAGE, body))
}

async fn show_issues(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    params: Params,
) -> Result<Markup, Problem> {
    let told = |key: &str| Some(params.get(key).to_owned()).filter(|text| !text.is_empty());
    let action = [IssueAction::Repaired, IssueAction::ValueRefused, IssueAction::RowRefused]
        .into_iter()
        .find(|action| action.as_str() == params.get("action"));
    let filter = IssueFilter { source: told("source"), rule: told("rule"), action, limit: EXAMPLES };
    let found = issues(&server.workspace, &filter, &caller.permit).await?;
    let inside = examples(&found.found);
    Ok(match wants {
        Wants::Fragment => inside,
        Wants::Page => {
            page(&caller, PAGE, html! { (crumbs(&[("Data", "/data")])) (head("Issues", None)) (inside) })
        }
    })
}

/// The rows of a source that wait in quarantine, as CSV under the source's own header.
async fn download_quarantine(
    State(server): State<Server>,
    caller: Caller,
    params: Params,
) -> Result<Response, Problem> {
    let source = params.get("source");
    let known =
        sources(&server.workspace, &caller.permit).await?.sources.into_iter().any(|s| s.name == source);
    if !known {
        return Err(Problem::not_found(format!("there is no source `{source}`")));
    }
    let failed = |error: std::io::Error| Problem::internal(&error);
    let folder = server.workspace.folder().join("uploads");
    tokio::fs::create_dir_all(&folder).await.map_err(failed)?;
    let path = folder.join(format!("quarantine-{}.csv", new_name(&server)));
    let written = export_quarantine(&server.workspace, source, &path, &caller.permit).await;
    let read = tokio::fs::read(&path).await;
    // A file that was never written need not be removed.
    tokio::fs::remove_file(&path).await.ok();
    written?;
    let plain: String = source.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"quarantine-{plain}.csv\"")),
    ];
    Ok((headers, read.map_err(failed)?).into_response())
}

async fn show_lineage(
    State(server): State<Server>,
    caller: Caller,
    params: Params,
) -> Result<Markup, Problem> {
    let inside = match params.get("title") {
        "" => {
            html! { p.soft { "Name a title: by its id, its whole name, or a part of it that no other has." } }
        }
        title => match lineage(&server.workspace, title, &caller.permit).await {
            Ok(found) => facts(&found, server.now()),
            Err(error @ (AppError::NoTitle(_) | AppError::ManyTitles { .. } | AppError::Empty(_))) => {
                nothing(
                    "No one title is meant",
                    &format!("{}.", capital(&error.to_string())),
                    html! { a.button href=(query("/titles", &[("text", title)])) { "Search titles" } },
                )
            }
            Err(error) => return Err(error.into()),
        },
    };
    Ok(page(&caller, PAGE, lineage_page(params.get("title"), inside)))
}

/// Takes tables in, and leads to the job that ingests them.
async fn upload(State(server): State<Server>, caller: Caller, request: Request) -> Result<Response, Problem> {
    let job = take_in(&server, &caller, request).await?;
    let mut response = Redirect::to(&format!("/jobs/{job}")).into_response();
    response.extensions_mut().insert(Deed { object: format!("job:{job}"), ..Deed::default() });
    Ok(response)
}

fn body(caller: &Caller, found: &Sources, params: &Params, now: DateTime<Utc>) -> Markup {
    let sum = |of: fn(&Source) -> u64| found.sources.iter().map(of).sum::<u64>();
    let newest = found.sources.iter().filter_map(|s| s.newest).max();
    let asked =
        [("source", params.get("source")), ("rule", params.get("rule")), ("action", params.get("action"))];
    let narrowed = asked.iter().any(|(_, value)| !value.is_empty());
    html! {
        (head("Data", Some("Every fact comes out of a row of a table, with the day on which it could be known. What could not be used is kept, with its reason.")))
        (tiles(html! {
            (tile("Facts", &whole(sum(|s| s.facts)), html! { span.soft.small { "from " (count(sum(|s| s.kept), "row")) } }))
            (tile("Rows refused", &whole(sum(|s| s.refused)), html! { span.soft.small { "wait in quarantine" } }))
            (tile("Newest fact", &newest.map_or_else(|| "not known".to_owned(), date), html! {}))
            (tile("Lake version", &whole(found.version), html! { span.soft.small { code { (found.fingerprint.chars().take(12).collect::<String>()) } } }))
        }))
        section { h2 { "Sources" } (source_table(&found.sources, now)) }
        section { h2 { "Where a title's facts stand" } (lineage_form("")) }
        section {
            h2 { "Issues by rule" }
            @if found.sources.iter().all(|s| s.rules.is_empty()) { p.soft { "No rule found anything to repair or refuse." } }
            @else { (rule_table(&found.sources)) }
        }
        section id="examples" {
            h2 { "Issues" }
            (filters(&found.sources, params))
            @if narrowed { p { a href="/data#examples" { "Show all" } } }
            (later("issues", &query("/data/issues", &asked), "Looking for examples"))
        }
        @if caller.permit.may(Action::Ingest) { section { h2 { "Add a table" } (upload_form(&caller.account.team)) } }
    }
}

fn source_table(all: &[Source], now: DateTime<Utc>) -> Markup {
    let columns = [
        Column::text("Source"),
        Column::text("Class"),
        Column::text("Team"),
        Column::number("Rows kept"),
        Column::number("Rows refused"),
        Column::number("Facts"),
        Column::text("Newest fact"),
        Column::text("Ingested"),
    ];
    table(
        "Sources",
        &columns,
        html! {
            @for source in all {
                @let stale = source.ingested.is_some_and(|at| (now - at).num_days() > STALE);
                tr {
                    th scope="row" { (source.name) br; span.small.soft title={ "SHA-256 " (source.sha256) } { (source.file) " · " (source.vertical) } }
                    td { (source.held.class) }
                    td { @if source.held.team.is_empty() { span.soft { "–" } } @else { (source.held.team) } }
                    td.number { (whole(source.kept)) }
                    td.number {
                        @if source.refused == 0 { "0" }
                        @else { a href=(query("/data/quarantine", &[("source", &source.name)])) download aria-label={ (whole(source.refused)) " refused rows of " (source.name) " as CSV" } { (whole(source.refused)) " ↓" } }
                    }
                    td.number { (whole(source.facts)) }
                    td.nowrap { @match source.newest { Some(day) => { (date(day)) } None => { span.soft { "not known" } } } }
                    td.nowrap { @if let Some(at) = source.ingested { (ago(at, now)) } @if stale { " " (badge("stale", Tone::Wait)) } }
                }
            }
        },
    )
}

fn rule_table(all: &[Source]) -> Markup {
    let mut rows: Vec<(&Source, &RuleFound)> =
        all.iter().flat_map(|s| s.rules.iter().map(move |r| (s, r))).collect();
    rows.sort_by_key(|(_, rule)| std::cmp::Reverse(rule.count));
    let columns = [
        Column::text("Rule"),
        Column::text("Source"),
        Column::text("Column"),
        Column::text("What is wrong"),
        Column::text("What was done"),
        Column::number("How often"),
    ];
    table(
        "Issues by rule",
        &columns,
        html! {
            @for (source, rule) in rows {
                tr {
                    th scope="row" { a href={ (query("/data", &[("source", &source.name), ("rule", &rule.rule)])) "#examples" } { code { (rule.rule) } } }
                    td { (source.name) }
                    td { (rule.column) }
                    td { (rule.message) }
                    td { (done(rule.action)) }
                    td.number { (whole(rule.count)) }
                }
            }
        },
    )
}

fn done(action: IssueAction) -> Markup {
    match action {
        IssueAction::Repaired => badge("repaired", Tone::Good),
        IssueAction::ValueRefused => badge("value refused", Tone::Wait),
        IssueAction::RowRefused => badge("row refused", Tone::Bad),
    }
}

fn filters(all: &[Source], params: &Params) -> Markup {
    let mut names: Vec<&str> = all.iter().map(|s| s.name.as_str()).collect();
    let mut rules: Vec<&str> = all.iter().flat_map(|s| s.rules.iter().map(|r| r.rule.as_str())).collect();
    for words in [&mut names, &mut rules] {
        words.sort_unstable();
        words.dedup();
    }
    let all_of = |words| std::iter::once(("", "Any")).chain(words).collect::<Vec<(&str, &str)>>();
    let names = all_of(names.into_iter().map(|word| (word, word)).collect::<Vec<_>>());
    let rules = all_of(rules.into_iter().map(|word| (word, word)).collect::<Vec<_>>());
    let actions = [
        ("", "Any"),
        ("repaired", "Repaired"),
        ("value_refused", "Value refused"),
        ("row_refused", "Row refused"),
    ];
    html! {
        form.form method="get" action="/data" data-live="issues" data-answer="/data/issues" aria-label="Issues" {
            div.filters {
                (choice("source", "Source", &names, params.get("source")))
                (choice("rule", "Rule", &rules, params.get("rule")))
                (choice("action", "What was done", &actions, params.get("action")))
                button.button type="submit" { "Show" }
            }
        }
    }
}

fn examples(found: &[SourceIssue]) -> Markup {
    if found.is_empty() {
        return html! { div.old { p.soft { "No issue is of this kind." } } };
    }
    let columns = [
        Column::text("Source"),
        Column::number("Row"),
        Column::text("Column"),
        Column::text("Value"),
        Column::text("Rule"),
        Column::text("What is wrong"),
        Column::text("What was done"),
    ];
    html! {
        div.old.stack {
            (table("Issues", &columns, html! {
                @for SourceIssue { source, issue } in found {
                    tr {
                        th scope="row" { (source) br; span.small.soft { (issue.file) } }
                        td.number { (whole(issue.row)) }
                        td { (issue.column) }
                        td { code { (issue.value) } }
                        td { code { (issue.rule) } }
                        td { (issue.message) }
                        td { (done(issue.action)) }
                    }
                }
            }))
            @if found.len() >= EXAMPLES { p.small.soft { "The first " (EXAMPLES) " are shown; " code { "marquee issues" } " lists all." } }
        }
    }
}

fn lineage_form(title: &str) -> Markup {
    html! {
        form.form method="get" action="/data/lineage" role="search" aria-label="Lineage" {
            div.filters {
                div.broad { (field(&Field { required: true, hint: Some("Its id, its whole name, or a part that no other has."), ..Field::text("title", "Title", title) })) }
                button.button type="submit" { "Show its facts" }
            }
        }
    }
}

#[allow(clippy::needless_pass_by_value)] // what is inside is rendered once
fn lineage_page(title: &str, inside: Markup) -> Markup {
    html! {
        (crumbs(&[("Data", "/data")]))
        (head("Lineage", Some("Each fact about a title: where it stands, when the world could know it, and when Marquee learned it.")))
        (lineage_form(title))
        (inside)
    }
}

fn facts(found: &Lineage, now: DateTime<Utc>) -> Markup {
    let columns = [
        Column::text("What"),
        Column::text("Value"),
        Column::text("Known on"),
        Column::text("Source"),
        Column::text("File"),
        Column::number("Row"),
        Column::text("Recorded"),
    ];
    html! {
        section {
            h2 { a href={ "/titles/" (found.title) } { (found.name) } }
            p.section-note { (count(found.lines.len() as u64, "fact")) ". A forecast as of a day uses those alone that were known by then." }
            (table("Facts", &columns, html! {
                @for line in &found.lines {
                    tr {
                        th scope="row" { (kind(line.kind)) }
                        td { (value(&line.value)) }
                        td.nowrap { (date(line.known_on)) }
                        td { (line.source) }
                        td { (line.file) }
                        td.number { (whole(line.row)) }
                        td.nowrap { @if let Some(at) = line.recorded_at { span title=(at.to_rfc3339()) { (ago(at, now)) } } }
                    }
                }
            }))
        }
    }
}

fn value(value: &FactValue) -> Markup {
    match value {
        FactValue::Money(amount) => {
            html! { span title=(amount) { @if amount.currency() == marquee_domain::Currency::USD { (money(amount.major())) } @else { (amount) } } }
        }
        FactValue::Count(n) => html! { (n) },
        FactValue::Number(x) => html! { (x) },
        FactValue::Text(text) => {
            html! { (text.chars().take(200).collect::<String>()) @if text.chars().count() > 200 { "…" } }
        }
        FactValue::Day(day) => html! { (date(*day)) },
    }
}

fn upload_form(team: &str) -> Markup {
    let classes = [
        ("internal", "Internal: everybody here"),
        ("confidential", "Confidential: its team"),
        ("public", "Public"),
    ];
    html! {
        form.form method="post" action="/data/ingests" enctype="multipart/form-data" {
            div.field {
                label for="file" { "Tables" }
                input id="file" name="file" type="file" multiple required aria-describedby="file-hint";
                span.hint id="file-hint" { "CSV, TSV, JSON, NDJSON, XLSX or Parquet, plain or gzip." }
            }
            div.field {
                label for="map" { "What the columns mean" }
                input id="map" name="map" type="file" accept=".toml" aria-describedby="map-hint";
                span.hint id="map-hint" { "A mapping, TOML. Not needed for tables that a built-in map knows." }
            }
            div.pair {
                (choice("class", "Class", &classes, "internal"))
                (field(&Field { hint: Some("Whose the facts are; empty for nobody's in particular."), ..Field::text("team", "Team", team) }))
            }
            div.tick { input type="checkbox" id="replace" name="replace" value="true"; label for="replace" { "In place of all files of the same source" } }
            div.row { button.button.main type="submit" { "Upload" } }
        }
    }
}

fn empty(caller: &Caller) -> Markup {
    let may = caller.permit.may(Action::Ingest);
    html! {
        (head("Data", None))
        (nothing("Nothing is in the lake yet", "The lake is empty, or holds nothing that you may see. A table of titles comes in as it is: its rows become facts, and what is refused is kept with its reason.", html! { a.button href="/" { "See how to begin" } }))
        @if may { section { h2 { "Add a table" } (upload_form(&caller.account.team)) } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;
    use marquee_app::use_cases::sources::Line;
    use marquee_domain::{Day, FactKind, Held, Issue, TitleId, Vertical};

    const HOSTILE: &str = "<script>alert(1)</script>";

    fn sources() -> Sources {
        let rule = RuleFound {
            rule: HOSTILE.to_owned(),
            column: "cost".to_owned(),
            message: HOSTILE.to_owned(),
            action: IssueAction::RowRefused,
            count: 7,
        };
        let source = Source {
            name: HOSTILE.to_owned(),
            vertical: Vertical::Film,
            file: HOSTILE.to_owned(),
            sha256: "00".to_owned(),
            held: Held::default(),
            rows: 10,
            kept: 3,
            refused: 7,
            facts: 12,
            newest: None,
            ingested: DateTime::from_timestamp(0, 0),
            rules: vec![rule],
        };
        Sources { version: 3, fingerprint: "0123".to_owned(), sources: vec![source] }
    }

    #[test]
    fn the_lake_is_shown_with_what_was_refused() {
        let params = Params::of(vec![("rule".to_owned(), HOSTILE.to_owned())]);
        let text = page(&somebody("Ana"), PAGE, body(&somebody("Ana"), &sources(), &params, Utc::now()))
            .into_string();
        check::sound(&text);
        assert!(
            !text.contains("<script>alert") && text.contains("stale") && text.contains("/data/quarantine"),
            "{text}"
        );
        check::sound(&page(&somebody("Ana"), PAGE, empty(&somebody("Ana"))).into_string());
    }

    #[test]
    fn issues_and_lineage_are_text() {
        let issue = Issue {
            file: HOSTILE.to_owned(),
            row: 4,
            column: String::new(),
            value: HOSTILE.to_owned(),
            rule: HOSTILE.to_owned(),
            message: HOSTILE.to_owned(),
            action: IssueAction::Repaired,
        };
        let shown = examples(&[SourceIssue { source: HOSTILE.to_owned(), issue }]).into_string();
        check::fragment(&shown);
        check::fragment(&examples(&[]).into_string());
        let line = Line {
            kind: FactKind::Name,
            value: FactValue::Text(HOSTILE.into()),
            known_on: Day::MIN,
            recorded_at: None,
            source: HOSTILE.to_owned(),
            file: HOSTILE.to_owned(),
            row: 1,
        };
        let found = Lineage {
            title: TitleId::of(Vertical::Film, "t", "a"),
            name: HOSTILE.to_owned(),
            lines: vec![line],
        };
        let text =
            page(&somebody("Ana"), PAGE, lineage_page(HOSTILE, facts(&found, Utc::now()))).into_string();
        check::sound(&text);
        assert!(!text.contains("<script>alert") && !shown.contains("<script>alert"), "{text}");
    }
}
