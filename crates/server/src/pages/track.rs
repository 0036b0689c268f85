//! `/track`: the track record. Whether its chain is intact, how the scored forecasts did beside what they promised, and
//! every entry, late ones and misses among them.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use marquee_app::platform::{Action, Head};
use marquee_app::use_cases::track::{Standing, Summary, Track, Tracked, track};
use maud::{Markup, html};

use super::charts::{Chart, Height, chart};
use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{
    Column, Field, Tone, badge, field, figure, head, later, nothing, notice, query, table, tile, tiles,
};
use super::plots;
use super::range::Axis;
use super::words::{capital, count, date, horizon, moment, money, percent, target, whole};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

/// Entries that are shown, and at most.
const SHOWN: usize = 50;
const MOST: usize = 1_000;
/// Scored forecasts under which a histogram says nothing.
const ENOUGH: usize = 20;

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes.get("/track", read, show).get("/track/record", read, show_record).get(
        "/track/head",
        read,
        download_head,
    )
}

const PAGE: Page<'static> = Page { title: "Track record", nav: Some(Nav::Track) };

async fn show(caller: Caller, params: Params) -> Markup {
    page(
        &caller,
        PAGE,
        whole_page(
            &params,
            later("record", &address(&params), "Verifying the chain and scoring the forecasts"),
        ),
    )
}

async fn show_record(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    params: Params,
) -> Result<Markup, Problem> {
    let kept = match params.get("kept") {
        "" => None,
        text => match text.parse::<Head>() {
            Ok(head) => Some(head),
            Err(error) => return Ok(framed(wants, &caller, &params, not_a_head(&error.to_string()))),
        },
    };
    let wanted = shown(&params);
    let held = kept.is_some();
    let found = track(&server.workspace, wanted, kept, &caller.permit).await?;
    Ok(framed(wants, &caller, &params, record(&found, wanted, held)))
}

/// The head as a file of one line, to be kept elsewhere.
async fn download_head(State(server): State<Server>, caller: Caller) -> Result<Response, Problem> {
    let found = track(&server.workspace, 0, None, &caller.permit).await?;
    let head = found.head.ok_or_else(|| Problem::not_found("nothing was recorded yet: there is no head"))?;
    let name = format!("attachment; filename=\"marquee-track-{}.json\"", head.seq);
    let headers =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, format!("{head}\n")).into_response())
}

fn shown(params: &Params) -> usize {
    params.number::<usize>("entries").unwrap_or(SHOWN).clamp(1, MOST)
}

fn address(params: &Params) -> String {
    query("/track/record", &[("kept", params.get("kept")), ("entries", params.get("entries"))])
}

#[allow(clippy::needless_pass_by_value)] // what is inside is rendered once
fn framed(wants: Wants, caller: &Caller, params: &Params, inside: Markup) -> Markup {
    match wants {
        Wants::Fragment => inside,
        Wants::Page => page(caller, PAGE, whole_page(params, inside)),
    }
}

#[allow(clippy::needless_pass_by_value)] // what is inside is rendered once
fn whole_page(params: &Params, inside: Markup) -> Markup {
    html! {
        (head("Track record", Some("Forecasts that were recorded before the outcome was known, and cannot be changed. What came true is set beside what was said: hits and misses alike.")))
        (inside)
        section {
            h2 { "Check a head that you kept" }
            p.section-note { "A head names the newest entry and depends on every entry before it. Who kept one elsewhere can prove later that nothing up to it was changed, cut or written again." }
            form.form method="get" action="/track" {
                (field(&Field { hint: Some("The one line of JSON, as it was copied or downloaded."), ..Field::text("kept", "Head", params.get("kept")) }))
                div.row { button.button type="submit" { "Check" } }
            }
        }
    }
}

fn not_a_head(error: &str) -> Markup {
    notice(Tone::Bad, html! { p { strong { "This is not a head" } } p { (capital(error)) "." } })
}

fn record(found: &Track, wanted: usize, held: bool) -> Markup {
    html! {
        (chain(found, held))
        @if found.entries.is_empty() && found.head.is_none() {
            (nothing(
                "No forecast was recorded yet",
                "A track record is what tells a forecaster from a storyteller: forecasts are written down while the outcome is open, in a chain that shows every later change, and are scored when the actual is known. Open a title and press Record.",
                html! { a.button.main href="/titles" { "Find a title" } },
            ))
        } @else {
            (scores(found))
            section {
                h2 { "Entries" }
                (entries(found, wanted))
            }
        }
    }
}

fn chain(found: &Track, held: bool) -> Markup {
    let intact = found.verification.is_intact();
    html! {
        section {
            h2 { "The chain" }
            div.row {
                @if intact { (badge("intact", Tone::Good)) } @else { (badge("damaged", Tone::Bad)) }
                span { (capital(&found.verification.to_string())) "." }
                @if held && intact { span { "The head that you kept fits." } }
            }
            @if let Some(head) = &found.head {
                pre.kept id="head" tabindex="0" aria-label="The head" { (head) }
                div.row {
                    button.button type="button" data-copy="head" { "Copy the head" }
                    a.button href="/track/head" download { "Download it" }
                    span.small.soft { "Entry " (whole(head.seq)) ", recorded " (moment(head.at)) ". Keep it where nobody who runs this server can reach." }
                }
            }
        }
    }
}

fn scores(found: &Track) -> Markup {
    let standing = &found.standing;
    let Some(summary) = found.summary else {
        let waiting = count(standing.waiting as u64, "forecast");
        return notice(
            Tone::Plain,
            html! { p { strong { "None is scored yet. " } (waiting) " wait for their actual, " (whole(standing.late as u64)) " were recorded too late to be scored." } },
        );
    };
    html! {
        (tiles(html! {
            (tile("Scored", &whole(summary.n as u64), html! { span.soft.small { (whole(standing.waiting as u64)) " wait for their actual, " (whole(standing.late as u64)) " were recorded late" } }))
            (tile("Mean CRPS", &format!("{:.3}", summary.crps), html! { span.soft.small { "natural-log dollars; smaller is better" } }))
            @for (nominal, n) in &standing.held { (cover(*nominal, *n, summary)) }
        }))
        @if summary.n < ENOUGH {
            (notice(Tone::Plain, html! { p { "With " (count(summary.n as u64, "scored forecast")) " these figures are mostly chance: from " (ENOUGH) " on the tenths are drawn." } }))
        } @else { (tenths(standing, summary.n)) }
        @if !standing.horizons.is_empty() { section { h2 { "By how much was known" } (by_horizon(standing)) } }
    }
}

/// An interval's coverage with the range that chance alone would give it.
fn cover(nominal: f64, n: usize, summary: Summary) -> Markup {
    let (share, all) = (n as f64 / summary.n as f64, summary.n as f64);
    let chance = 1.645 * (nominal * (1.0 - nominal) / all).sqrt();
    let (low, high) = ((nominal - chance).max(0.0), (nominal + chance).min(1.0));
    let inside = (low..=high).contains(&share);
    tile(
        &format!("Inside the {} range", percent(nominal)),
        &percent(share),
        html! {
            span.soft.small { "should be " (percent(nominal)) "; chance alone gives " (percent(low)) " to " (percent(high)) }
            @if !inside { span { (badge(if share < low { "too narrow" } else { "too wide" }, Tone::Wait)) } }
        },
    )
}

fn tenths(standing: &Standing, n: usize) -> Markup {
    let labels: Vec<String> = (0..10).map(|i| format!("{}–{}%", i * 10, i * 10 + 10)).collect();
    let counts = standing.tenths.map(|n| n as u64);
    let columns = [Column::text("Tenth of the forecast"), Column::number("Actuals"), Column::number("Share")];
    let (low, high) = (counts[..5].iter().sum::<u64>(), counts[5..].iter().sum::<u64>());
    chart(&Chart {
        caption: "Where in its forecast each actual fell".to_owned(),
        finding: format!(
            "Of {n} actuals {low} fell into the lower half of their forecasts and {high} into the upper; calibrated forecasts have a tenth in each column."
        ),
        spec: plots::columns(
            &labels,
            &counts,
            Some(n as f64 / 10.0),
            ("Tenth of the forecast, from the lowest", "Actuals"),
        ),
        numbers: table(
            "Actuals by tenth",
            &columns,
            html! {
                @for (label, k) in labels.iter().zip(counts) {
                    tr { th scope="row" { (label) } td.number { (whole(k)) } td.number { (percent(k as f64 / n as f64)) } }
                }
            },
        ),
        height: Height::Low,
    })
}

fn by_horizon(standing: &Standing) -> Markup {
    let columns = [
        Column::text("Known until"),
        Column::number("Scored"),
        Column::number("Mean CRPS"),
        Column::number("Median error of the middle"),
    ];
    table(
        "Scores by horizon",
        &columns,
        html! {
            @for row in &standing.horizons {
                tr {
                    th scope="row" { (capital(horizon(row.horizon))) }
                    td.number { (whole(row.n as u64)) }
                    td.number { (format!("{:.3}", row.crps)) }
                    td.number { (percent(row.median_ape)) }
                }
            }
        },
    )
}

fn entries(found: &Track, wanted: usize) -> Markup {
    let ranges: Vec<[f64; 7]> = found
        .entries
        .iter()
        .filter_map(|t| t.recorded.as_ref())
        .map(|r| r.forecast.distribution.quantiles())
        .collect();
    let actuals = found.entries.iter().filter_map(|t| t.scored.as_ref()).map(|s| s.actual);
    let axis = actuals.fold(Axis::logs(&ranges), |axis, actual| axis.with(Some(actual)));
    let columns = [
        Column::text("Title"),
        Column::text("What"),
        Column::text("As of"),
        Column::text("Recorded"),
        Column::text("Forecast"),
        Column::number("Came to"),
        Column::number("CRPS"),
        Column::text("Mark"),
    ];
    let more = found.entries.len() >= wanted && wanted < MOST;
    html! {
        (table("Recorded forecasts, newest first", &columns, html! {
            @for tracked in found.entries.iter().rev() { (row(tracked, axis)) }
        }))
        @if more { p { a.button href=(query("/track", &[("entries", &(wanted * 4).min(MOST).to_string())])) { "Show more" } } }
    }
}

fn row(tracked: &Tracked, axis: Axis) -> Markup {
    let actual = tracked.scored.as_ref().map(|s| s.actual);
    html! {
        tr {
            @match &tracked.recorded {
                None => { th scope="row" { "erased" } td colspan="7" { span.soft { "entry " (whole(tracked.entry.seq)) " was erased; the chain still holds" } } }
                Some(r) => {
                    th scope="row" { @match r.forecast.title { Some(id) => { a href={ "/titles/" (id) } { (r.forecast.name) } } None => { (r.forecast.name) } } }
                    td { (target(r.forecast.target)) }
                    td.nowrap { (date(r.forecast.as_of.0)) br; span.small.soft { (horizon(r.forecast.horizon)) } }
                    td.nowrap { (moment(tracked.entry.recorded_at)) br; span.small.soft { "entry " (whole(tracked.entry.seq)) } }
                    td { (figure(&r.forecast.distribution, actual, axis)) }
                    td.number { @match actual { Some(x) => { (money(x)) } None => { span.soft { "not yet" } } } }
                    td.number { @match &tracked.scored { Some(s) => { (format!("{:.3}", s.crps)) } None => { span.soft { "–" } } } }
                    td { (mark(tracked, r.late)) }
                }
            }
        }
    }
}

fn mark(tracked: &Tracked, late: bool) -> Markup {
    match &tracked.scored {
        _ if late => badge("late", Tone::Wait),
        Some(s) if (0.05..=0.95).contains(&s.pit) => badge("inside 90%", Tone::Good),
        Some(s) => badge(if s.pit < 0.05 { "below 5%" } else { "above 95%" }, Tone::Bad),
        None => html! { span.soft { "open" } },
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;
    use marquee_app::platform::Verification;
    use marquee_app::use_cases::track::HorizonScore;
    use marquee_domain::Horizon;

    fn empty() -> Track {
        Track {
            verification: Verification::Intact { entries: 0, head: None },
            head: None,
            entries: vec![],
            summary: None,
            standing: Standing::default(),
        }
    }

    #[test]
    fn an_empty_record_says_what_one_is_for() {
        let inside = record(&empty(), SHOWN, false);
        let text = framed(Wants::Page, &somebody("Ana"), &Params::default(), inside).into_string();
        check::sound(&text);
        assert!(text.contains("storyteller") && text.contains("Find a title"), "{text}");
    }

    #[test]
    fn scores_stand_beside_what_was_promised() {
        let standing = Standing {
            held: vec![(0.5, 20), (0.8, 31), (0.9, 40)],
            tenths: [4; 10],
            horizons: vec![HorizonScore { horizon: Horizon::Greenlight, n: 40, crps: 0.5, median_ape: 0.6 }],
            late: 2,
            waiting: 3,
        };
        let summary = Some(Summary { n: 40, crps: 0.512, cover80: 0.775 });
        let text = scores(&Track { summary, standing, ..empty() }).into_string();
        check::fragment(&text);
        assert!(
            text.contains("0.512") && text.contains("should be 80%") && text.contains("too wide"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_head_is_said_and_text() {
        let hostile = "<script>alert(1)</script>";
        let params = Params::of(vec![("kept".to_owned(), hostile.to_owned())]);
        let text = framed(Wants::Page, &somebody("Ana"), &params, not_a_head(hostile)).into_string();
        check::sound(&text);
        assert!(!text.contains("<script>alert"), "{text}");
    }
}
