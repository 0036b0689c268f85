//! `/`: what is in the lake and how fresh, what was forecast lately and how well, what waits. Before there is anything, what
//! to do first.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use marquee_app::platform::{Action, Job, JobFilter, JobState};
use marquee_app::types::IssueFilter;
use marquee_app::use_cases::documents;
use marquee_app::use_cases::issues::{Issues, issues};
use marquee_app::use_cases::track::{Track, Tracked, track};
use marquee_app::work::{Upload, uploads};
use marquee_app::{AppError, BUNDLED_FILMS};
use marquee_domain::{Class, Day, Held};
use maud::{Markup, html};
use serde_json::Value;

use super::layout::{Nav, Page, Wants, answer, page};
use super::parts::{Column, Tone, badge, chance, figure, head, later, nothing, notice, table, tile, tiles};
use super::range::{Axis, range};
use super::words::{ago, count, date, money, percent, target, whole};
use crate::api::jobs::new_name;
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

/// Recorded forecasts that are shown.
const NEWEST: usize = 6;
/// Jobs and slates that are shown.
const FEW: usize = 5;
/// Days after which what a source knows is old.
const STALE: i64 = 400;

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes
        .get("/", read, show)
        .get("/home/track", read, show_track)
        .get("/home/work", read, show_work)
        .get("/home/slates", read, show_slates)
        .form("/home/bundled", Rule::May(Action::Ingest), "data.ingest", load_bundled)
}

/// A source of the lake.
struct Source {
    name: String,
    kept: u64,
    refused: u64,
    ingested: Option<DateTime<Utc>>,
    newest: Option<Day>,
    class: String,
}

/// The lake.
struct Lake {
    version: u64,
    titles: usize,
    sources: Vec<Source>,
    issues: Issues,
}

async fn show(State(server): State<Server>, caller: Caller) -> Result<Markup, Problem> {
    let may_ingest = caller.permit.may(Action::Ingest);
    let body = match look(&server, &caller).await {
        Ok(lake) => body(&caller, &lake, server.now()),
        Err(AppError::Empty(_)) => first_run(&caller.account.display, may_ingest),
        Err(error) => return Err(error.into()),
    };
    Ok(page(&caller, Page { title: "Home", nav: Some(Nav::Home) }, body))
}

async fn look(server: &Server, caller: &Caller) -> Result<Lake, AppError> {
    let snapshot = server.workspace.snapshot(&caller.permit).await?;
    let sources = snapshot.sources().iter().map(|entry| Source {
        name: entry.source.clone(),
        kept: entry.kept_rows,
        refused: entry.refused_rows,
        ingested: DateTime::from_timestamp_micros(entry.recorded_at.0),
        newest: entry.newest_known,
        class: entry.held.class.to_string(),
    });
    let sources = sources.collect();
    let titles = snapshot.identity().await?.titles().len();
    // How many there are is counted; none is fetched.
    let filter = IssueFilter { limit: 0, ..IssueFilter::default() };
    let issues = issues(&server.workspace, &filter, &caller.permit).await?;
    Ok(Lake { version: snapshot.version(), titles, sources, issues })
}

async fn show_track(State(server): State<Server>, caller: Caller, wants: Wants) -> Result<Markup, Problem> {
    let found = track(&server.workspace, NEWEST, None, &caller.permit).await?;
    Ok(part(wants, &caller, track_record(&found)))
}

async fn show_work(State(server): State<Server>, caller: Caller, wants: Wants) -> Result<Markup, Problem> {
    let owner = (!caller.permit.may(Action::Administer)).then(|| caller.account.id.to_string());
    let mut all = Vec::new();
    for state in [JobState::Running, JobState::Queued, JobState::Failed] {
        let filter = JobFilter { state: Some(state), owner: owner.clone(), ..JobFilter::default() };
        all.extend(server.office.jobs.list(&filter, FEW).await?);
    }
    Ok(part(wants, &caller, work(&all, server.now())))
}

async fn show_slates(State(server): State<Server>, caller: Caller, wants: Wants) -> Result<Markup, Problem> {
    let found = documents::list(&server.office, "slate", (None, FEW), &caller.permit).await?;
    let mut slates = Vec::new();
    for header in found.documents {
        // What is confidential is not read in passing: each reading of it is written to the audit.
        let body = match documents::is_sensitive(&header) {
            true => None,
            false => Some(documents::get(&server.office, &header.id, None, &caller.permit).await?.body),
        };
        slates.push(Slate {
            name: header.name,
            class: header.class,
            figures: body.as_ref().and_then(Figures::of),
        });
    }
    Ok(part(wants, &caller, slates_shown(&slates)))
}

/// Queues the ingest of the bundled table, as if it were uploaded.
async fn load_bundled(State(server): State<Server>, caller: Caller) -> Result<Response, Problem> {
    let folder = new_name(&server);
    let place = uploads(&server.workspace).join(&folder);
    let failed = |error: std::io::Error| Problem::internal(&error);
    tokio::fs::create_dir_all(&place).await.map_err(failed)?;
    tokio::fs::write(place.join("films.csv"), BUNDLED_FILMS).await.map_err(failed)?;
    let held = Held { class: Class::Public, team: String::new() };
    let upload = Upload { folder, files: vec!["films.csv".to_owned()], map: None, replace: false, held };
    let job = server.office.jobs.enqueue(upload.job(caller.account.id.as_str())?, server.now()).await?;
    let mut response = Redirect::to("/").into_response();
    response.extensions_mut().insert(Deed { object: format!("job:{job}"), ..Deed::default() });
    Ok(response)
}

fn part(wants: Wants, caller: &Caller, body: Markup) -> Markup {
    match wants {
        Wants::Fragment => body,
        Wants::Page => answer(
            wants,
            caller,
            Page { title: "Home", nav: Some(Nav::Home) },
            html! { (head("Home", None)) (body) },
        ),
    }
}

fn body(caller: &Caller, lake: &Lake, now: DateTime<Utc>) -> Markup {
    let rows: u64 = lake.sources.iter().map(|source| source.kept).sum();
    let newest = lake.sources.iter().filter_map(|source| source.newest).max();
    let ingested = lake.sources.iter().filter_map(|source| source.ingested).max();
    let waiting: u64 = lake.issues.totals.iter().map(|(.., n)| n).sum();
    html! {
        (head(&format!("Good day, {}", caller.account.display), Some("What is known, what was forecast, and what waits.")))
        (tiles(html! {
            (tile("Titles", &whole(lake.titles as u64), html! { span.soft.small { "from " (count(rows, "row")) " of " (count(lake.sources.len() as u64, "source")) } }))
            (tile("Newest fact", &newest.map_or_else(|| "not known".to_owned(), date), html! { span.soft.small { "lake version " (lake.version) @if let Some(at) = ingested { ", ingested " (ago(at, now)) } } }))
            (tile("Issues", &whole(waiting), html! { span.soft.small { "values or rows that ingest repaired or refused" } }))
        }))
        div.columns.lead {
            section {
                h2 { "Track record" }
                (later("track", "/home/track", "Reading the track record"))
            }
            div.stack {
                section { h2 { "At work" } (later("work", "/home/work", "Looking at the jobs")) }
                section { h2 { "Slates" } (later("slates", "/home/slates", "Looking at the slates")) }
            }
        }
        section {
            h2 { "The lake" }
            (sources(&lake.sources, now))
        }
        @if waiting > 0 { section { h2 { "Issues by rule" } (rules(&lake.issues)) } }
        @if caller.permit.may(Action::Ingest) {
            section {
                h2 { "Add a table" }
                (upload_form())
            }
        }
    }
}

fn sources(all: &[Source], now: DateTime<Utc>) -> Markup {
    let columns = [
        Column::text("Source"),
        Column::number("Rows kept"),
        Column::number("Rows refused"),
        Column::text("Newest fact"),
        Column::text("Ingested"),
        Column::text("Class"),
    ];
    table(
        "Sources",
        &columns,
        html! {
            @for source in all {
                @let stale = source.ingested.is_some_and(|at| (now - at).num_days() > STALE);
                tr {
                    th scope="row" { (source.name) }
                    td.number { (whole(source.kept)) }
                    td.number { (whole(source.refused)) }
                    td.nowrap { @match source.newest { Some(day) => { (date(day)) } None => { span.soft { "not known" } } } }
                    td.nowrap { @if let Some(at) = source.ingested { (ago(at, now)) } @if stale { " " (badge("stale", Tone::Wait)) } }
                    td { (source.class) }
                }
            }
        },
    )
}

fn rules(found: &Issues) -> Markup {
    let mut most: Vec<&(String, String, u64)> = found.totals.iter().collect();
    most.sort_by_key(|(.., n)| std::cmp::Reverse(*n));
    let columns = [Column::text("Rule"), Column::text("Source"), Column::number("How often")];
    table(
        "Issues by rule",
        &columns,
        html! {
            @for (source, rule, n) in most.into_iter().take(8) {
                tr { th scope="row" { code { (rule) } } td { (source) } td.number { (whole(*n)) } }
            }
        },
    )
}

fn track_record(found: &Track) -> Markup {
    if found.entries.is_empty() {
        let why = "A forecast that is recorded cannot be changed, and is scored when the actual is known. Open a title and press Record.";
        return nothing(
            "No forecast was recorded yet",
            why,
            html! { a.button href="/titles" { "Find a title" } },
        );
    }
    let ranges: Vec<[f64; 7]> = found
        .entries
        .iter()
        .filter_map(|t| t.recorded.as_ref())
        .map(|r| r.forecast.distribution.quantiles())
        .collect();
    let axis = Axis::logs(&ranges);
    let columns = [
        Column::text("Title"),
        Column::text("What"),
        Column::text("As of"),
        Column::text("Forecast"),
        Column::text("Came to"),
    ];
    html! {
        p {
            @if let Some(s) = found.summary {
                strong { (count(s.n as u64, "forecast")) " scored" } ": " (percent(s.cover80)) " inside the 10–90% range, where 80% are to be; CRPS " (format!("{:.3}", s.crps)) " in natural-log dollars. "
            } @else { "None is scored yet: no actual is known. " }
            @if found.verification.is_intact() { (badge("chain intact", Tone::Good)) }
            @else { (badge("chain damaged", Tone::Bad)) }
        }
        (table("The newest recorded forecasts", &columns, html! {
            @for tracked in found.entries.iter().rev() { (tracked_row(tracked, axis)) }
        }))
    }
}

fn tracked_row(tracked: &Tracked, axis: Axis) -> Markup {
    html! {
        tr {
            @match &tracked.recorded {
                None => { th scope="row" { "erased" } td colspan="4" { span.soft { "entry " (tracked.entry.seq) " was erased; the chain still holds" } } }
                Some(r) => {
                    th scope="row" {
                        @match r.forecast.title { Some(id) => { a href={ "/titles/" (id) } { (r.forecast.name) } } None => { (r.forecast.name) } }
                    }
                    td { (target(r.forecast.target)) }
                    td.nowrap { (date(r.forecast.as_of.0)) }
                    td { (figure(&r.forecast.distribution, tracked.scored.as_ref().map(|s| s.actual), axis)) }
                    td.nowrap {
                        @match (&tracked.scored, r.late) {
                            (Some(s), _) => { (money(s.actual)) }
                            (None, true) => { (badge("late", Tone::Wait)) }
                            (None, false) => { span.soft { "not yet" } }
                        }
                    }
                }
            }
        }
    }
}

fn work(jobs: &[Job], now: DateTime<Utc>) -> Markup {
    let busy = jobs.iter().any(|job| !job.state.is_final());
    if jobs.is_empty() {
        return html! { p.soft { "Nothing runs, nothing waits, nothing failed." } };
    }
    html! {
        ul.plain data-poll=[busy.then_some("3")] {
            @for job in jobs {
                li {
                    div.row.apart {
                        strong { (job.label) }
                        (badge(job.state.as_str(), match job.state { JobState::Failed => Tone::Bad, JobState::Running => Tone::Accent, _ => Tone::Plain }))
                    }
                    p.small.soft {
                        "asked for " (ago(job.created_at, now))
                        @if job.progress.total > 0 { " · " (job.progress.what) " " (whole(job.progress.done)) " of " (whole(job.progress.total)) }
                        @if let Some(error) = &job.error { " · " (error) }
                    }
                }
            }
        }
    }
}

/// A slate that somebody keeps.
struct Slate {
    name: String,
    class: String,
    figures: Option<Figures>,
}

/// What a slate's answer says of value and risk. US dollars, gross-implied.
#[derive(Debug, PartialEq)]
struct Figures {
    mean: f64,
    cvar: f64,
    loss: f64,
    profit: Option<[f64; 7]>,
}

impl Figures {
    /// From a document's body: an answer of the API, whole or the slate alone.
    fn of(body: &Value) -> Option<Self> {
        let places = ["/slate", "/answer/slate", "/answer", ""];
        let slate = places
            .iter()
            .filter_map(|place| body.pointer(place))
            .find(|slate| slate["mean_profit_usd"].is_number())?;
        let levels = ["q05", "q10", "q25", "q50", "q75", "q90", "q95"];
        let mut profit = [0.0; 7];
        let whole = levels
            .iter()
            .zip(&mut profit)
            .all(|(level, place)| slate["profit_usd"][level].as_f64().map(|x| *place = x).is_some());
        Some(Self {
            mean: slate["mean_profit_usd"].as_f64()?,
            cvar: slate["cvar_usd"].as_f64()?,
            loss: slate["loss_probability"].as_f64()?,
            profit: whole.then_some(profit),
        })
    }
}

fn slates_shown(slates: &[Slate]) -> Markup {
    if slates.is_empty() {
        return html! { p.soft { "No slate is kept yet." } };
    }
    html! {
        @for slate in slates {
            div.stack {
                p.row.apart { strong { (slate.name) } (badge(&slate.class, Tone::Plain)) }
                @if let Some(f) = &slate.figures {
                    (tiles(html! {
                        (tile("Mean profit", &money(f.mean), html! {
                            @if let Some(q) = &f.profit {
                                (range(q, None, Axis::linear([q]).with(Some(0.0))))
                                span.soft.small { (super::range::ends(q)) }
                            }
                        }))
                        (tile("Loss in the worst cases", &money(f.cvar), html! { span.soft.small { "mean of the worst scenarios (CVaR), gross-implied" } }))
                        (chance("P(loss)", f.loss))
                    }))
                }
            }
        }
    }
}

fn upload_form() -> Markup {
    html! {
        form.form method="post" action="/api/v1/ingests" enctype="multipart/form-data" data-upload="/" {
            div.field {
                label for="file" { "Tables" }
                input id="file" name="file" type="file" multiple required aria-describedby="file-hint";
                span.hint id="file-hint" { "CSV, TSV, JSON or a spreadsheet that a built-in map knows. What is refused is kept, with its reason." }
            }
            div.row { button.button type="submit" { "Upload" } }
            p.told role="status" {}
            noscript { p.small.soft { "Without scripts, send tables with `marquee ingest FILE` or to POST /api/v1/ingests." } }
        }
    }
}

fn first_run(display: &str, may_ingest: bool) -> Markup {
    html! {
        (head(&format!("Welcome, {display}"), Some("Marquee says what a title is likely to do, how sure that is, why, and what to do about it. It begins with a table of titles.")))
        @if may_ingest {
            div.columns {
                section {
                    h2 { "Load the bundled table" }
                    p { "3,201 real films: budgets, grosses, dates, genres. It is famously dirty; what is refused is shown with its reason." }
                    form method="post" action="/home/bundled" { button.button.main type="submit" { "Load the bundled table" } }
                }
                section {
                    h2 { "Or bring your own" }
                    (upload_form())
                }
            }
        } @else {
            (notice(Tone::Plain, html! { p { "Nothing is in the lake yet that you may see. Somebody who may ingest has to bring a table in first: ask an analyst or an administrator." } }))
        }
        section {
            h2 { "At work" }
            (later("work", "/home/work", "Looking at the jobs"))
        }
        section {
            h2 { "What comes then" }
            ol {
                li { "Search a title and open it: its forecast is a range, with what drives it and comparable films, flops among them." }
                li { "Ask what if: change its budget, its date, its cast, and see what moves." }
                li { "Record a forecast: it cannot be changed, and is scored when the actual is known." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;
    use serde_json::json;

    fn whole_page(body: Markup) -> String {
        page(&somebody("Ana"), Page { title: "Home", nav: Some(Nav::Home) }, body).into_string()
    }

    #[test]
    fn the_first_run_says_what_to_do_to_those_who_may() {
        let text = whole_page(first_run("<b>Ana", true));
        check::sound(&text);
        assert!(text.contains("/home/bundled") && !text.contains("<b>Ana"), "{text}");
        let text = whole_page(first_run("Ana", false));
        check::sound(&text);
        assert!(!text.contains("/home/bundled"), "{text}");
    }

    #[test]
    fn a_lake_is_shown_with_what_waits() {
        let hostile = "<script>alert(1)</script>".to_owned();
        let source = Source {
            name: hostile.clone(),
            kept: 3_201,
            refused: 7,
            ingested: DateTime::from_timestamp(0, 0),
            newest: None,
            class: "public".to_owned(),
        };
        let issues = Issues { totals: vec![(hostile.clone(), hostile, 12)], found: vec![] };
        let lake = Lake { version: 3, titles: 3_201, sources: vec![source], issues };
        let text = whole_page(body(&somebody("Ana"), &lake, Utc::now()));
        check::sound(&text);
        assert!(
            text.contains("stale") && text.contains("3,201") && !text.contains("<script>alert"),
            "{text}"
        );
    }

    #[test]
    fn a_slate_is_read_from_an_answer_or_from_nothing() {
        let slate = json!({ "mean_profit_usd": 3.2e6, "cvar_usd": 37.2e6, "loss_probability": 0.61 });
        let wanted = Figures { mean: 3.2e6, cvar: 37.2e6, loss: 0.61, profit: None };
        assert_eq!(Figures::of(&json!({ "slate": slate })), Some(wanted));
        assert_eq!(Figures::of(&json!("text")), None);
        let shown =
            [Slate { name: "<i>".to_owned(), class: "internal".to_owned(), figures: Figures::of(&slate) }];
        check::fragment(&slates_shown(&shown).into_string());
        check::fragment(&slates_shown(&[]).into_string());
        check::fragment(&work(&[], Utc::now()).into_string());
    }
}
