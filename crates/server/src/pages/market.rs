//! `/market`: who grossed what over the years, when films were released, how distributors stand. These are facts, so they
//! have no range; where a figure is of several films, how far these lie apart is said beside it.

use axum::extract::State;
use marquee_app::AppError;
use marquee_app::platform::Action;
use marquee_app::use_cases::market::{Market, MarketQuestion, Part, Position, market};
use marquee_domain::{FIRST_YEAR, FactKind, LAST_YEAR};
use maud::{Markup, html};

use super::charts::{Chart, Height, chart};
use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{Column, Field, choice, field, head, later, nothing, query, table, tile, tiles};
use super::plots;
use super::words::{count, money, month, percent, whole};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

/// Parts of a whole that are told apart; the rest are one.
const APART: usize = 8;
/// Distributors in the table of positions.
const STANDING: usize = 25;
/// Weeks of a year, the last of one or two days.
const WEEKS: usize = 53;
/// Cells of a grid, by row.
type Cells = Vec<Vec<Option<(f64, String)>>>;

const PAGE: Page<'static> = Page { title: "Market", nav: Some(Nav::Market) };

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes.get("/market", read, show).get("/market/found", read, show_found)
}

async fn show(caller: Caller, params: Params) -> Markup {
    page(&caller, PAGE, body(&params, later("found", &address(&params), "Adding up the years")))
}

async fn show_found(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    params: Params,
) -> Result<Markup, Problem> {
    let year = |key| params.number::<i32>(key).filter(|year| (FIRST_YEAR..=LAST_YEAR).contains(year));
    let question = MarketQuestion { gross: gross(&params), from: year("from"), to: year("to") };
    let inside = match market(&server.workspace, question, &caller.permit).await {
        Ok(found) => shown(&found, question.gross),
        Err(AppError::Empty(_)) => empty(),
        Err(error) => return Err(error.into()),
    };
    Ok(match wants {
        Wants::Fragment => inside,
        Wants::Page => {
            page(&caller, PAGE, body(&params, html! { div id="found" aria-live="polite" { (inside) } }))
        }
    })
}

fn gross(params: &Params) -> FactKind {
    if params.get("gross") == "worldwide" { FactKind::WorldwideGross } else { FactKind::DomesticGross }
}

fn address(params: &Params) -> String {
    query("/market/found", &["gross", "from", "to"].map(|key| (key, params.get(key))))
}

#[allow(clippy::needless_pass_by_value)] // what is inside is rendered once
fn body(params: &Params, inside: Markup) -> Markup {
    let grosses = [("", "Domestic"), ("worldwide", "Worldwide")];
    html! {
        (head("Market", Some("Who grossed what, and when films come out. Facts of the lake, in the dollars of each year: not forecasts.")))
        form.form method="get" action="/market" data-live="found" data-answer="/market/found" data-after="400" aria-label="Market" {
            div.filters {
                (choice("gross", "Gross", &grosses, params.get("gross")))
                (field(&Field { kind: "number", ..Field::text("from", "From year", params.get("from")) }))
                (field(&Field { kind: "number", ..Field::text("to", "To year", params.get("to")) }))
                button.button type="submit" { "Show" }
            }
        }
        (inside)
    }
}

fn empty() -> Markup {
    nothing(
        "No film has a gross and a release day yet",
        "The market is added up from the titles of the lake. Ingest a table with grosses, or load the bundled one.",
        html! { a.button href="/" { "See how to begin" } },
    )
}

fn shown(found: &Market, gross: FactKind) -> Markup {
    let all: f64 = found.distributors.iter().map(|p| p.gross).sum();
    if all <= 0.0 && found.days.is_empty() {
        return html! { div.old { (nothing("Nothing in these years", "No film of these years has a gross and a release day.", html! { a.button href="/market" { "Show the last twenty" } })) } };
    }
    let titles: f64 = found.distributors.iter().map(|p| p.titles).sum();
    let released: u64 = found.days.iter().map(|d| d.titles).sum();
    let word = if gross == FactKind::WorldwideGross { "worldwide" } else { "domestic" };
    let concentration: f64 = found.positions.iter().map(|p| (p.share * 100.0).powi(2)).sum();
    let last = found.spans[0];
    html! {
        div.old.stack {
            (tiles(html! {
                (tile("Years", &format!("{}–{}", found.years.0, found.years.1), html! {}))
                (tile("Films", &whole(released), html! { span.soft.small { (whole(titles as u64)) " of them with a " (word) " gross" } }))
                (tile("Gross", &money(all), html! { span.soft.small { (word) ", nominal" } }))
                (tile("Concentration", &whole(concentration.round() as u64), html! { span.soft.small { "Herfindahl index of " (last.0) "–" (last.1) ": 10,000 where one has all" } }))
            }))
            section { h2 { "Share by distributor" } (shares("distributor", &found.distributors, found.years)) }
            section { h2 { "Share by genre" } (shares("genre", &found.genres, found.years)) p.section-note { "A film of several genres counts in equal parts in each." } }
            section { h2 { "Release calendar" } (calendar(found)) }
            section { h2 { "How distributors stand" } (positions(found)) }
        }
    }
}

/// The largest parts by name over all years, with the rest as one; shares by year.
fn largest(parts: &[Part], years: &[i32]) -> Vec<(String, Vec<f64>)> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    for part in parts {
        let Some(word) = part.word.as_deref() else { continue };
        match sums.iter_mut().find(|(own, _)| *own == word) {
            Some((_, sum)) => *sum += part.gross,
            None => sums.push((word, part.gross)),
        }
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    let all = |year: i32| parts.iter().filter(|p| p.year == year).map(|p| p.gross).sum::<f64>();
    let share = |year: i32, of: &dyn Fn(&Part) -> bool| {
        let own: f64 = parts.iter().filter(|p| p.year == year && of(p)).map(|p| p.gross).sum();
        if all(year) > 0.0 { own / all(year) } else { 0.0 }
    };
    let named: Vec<&str> = sums.iter().take(APART).map(|(word, _)| *word).collect();
    let mut found: Vec<(String, Vec<f64>)> = named
        .iter()
        .map(|word| {
            (
                (*word).to_owned(),
                years.iter().map(|y| share(*y, &|p| p.word.as_deref() == Some(*word))).collect(),
            )
        })
        .collect();
    let rest = |p: &Part| p.word.as_deref().is_none_or(|word| !named.contains(&word));
    found.push(("All others, and not known".to_owned(), years.iter().map(|y| share(*y, &rest)).collect()));
    found
}

fn shares(what: &str, parts: &[Part], (from, to): (i32, i32)) -> Markup {
    let years: Vec<i32> = (from..=to).filter(|year| parts.iter().any(|p| p.year == *year)).collect();
    let (Some(first), Some(last)) = (years.first(), years.last()) else {
        return html! { p.soft { "No " (what) " is known of the films of these years." } };
    };
    let series = largest(parts, &years);
    let finding = series.first().map_or_else(String::new, |(name, shares)| {
        let (a, b) = (shares.first().copied().unwrap_or(0.0), shares.last().copied().unwrap_or(0.0));
        format!(
            "{name} is the largest {what} over these years: {} of the gross in {first}, {} in {last}.",
            percent(a),
            percent(b)
        )
    });
    let columns: Vec<Column<'_>> = std::iter::once(Column::text("Year"))
        .chain(series.iter().map(|(name, _)| Column::number(name)))
        .collect();
    let numbers = table(
        &format!("Share of the gross by {what}"),
        &columns,
        html! {
            @for (i, year) in years.iter().enumerate().rev() {
                tr { th scope="row" { (year) } @for (_, shares) in &series { td.number { (percent(shares[i])) } } }
            }
        },
    );
    html! {
        p.section-note { (finding) }
        (chart(&Chart {
            caption: format!("Share of the gross by {what}"),
            finding: finding.clone(),
            spec: plots::shares(&years, &series),
            numbers,
            height: Height::Usual,
        }))
    }
}

/// Weeks from the first of January, by year: how many films, and what they grossed.
fn weeks(found: &Market) -> (Vec<i32>, Vec<[(u64, f64); WEEKS]>) {
    let years: Vec<i32> = (found.years.0..=found.years.1).rev().collect();
    let mut cells = vec![[(0, 0.0); WEEKS]; years.len()];
    for released in &found.days {
        let row = years.iter().position(|year| *year == released.day.year());
        let first = marquee_domain::Day::new(released.day.year(), 1, 1);
        let (Some(row), Ok(first)) = (row, first) else { continue };
        let week = (released.day.days_since(first) / 7).clamp(0, WEEKS as i32 - 1) as usize;
        cells[row][week].0 += released.titles;
        cells[row][week].1 += released.gross;
    }
    (years, cells)
}

/// What a week says: of its films, its name and its year.
type Cell<'a> = dyn Fn(&(u64, f64), &str, &str) -> Option<(f64, String)> + 'a;

fn calendar(found: &Market) -> Markup {
    let (years, cells) = weeks(found);
    let label = |week: usize| {
        let day = marquee_domain::Day::new(2001, 1, 1).map(|first| first.plus(7 * week as i32));
        day.map_or_else(|_| (week + 1).to_string(), |day| format!("{} {}", day.day_of_month(), month(day)))
    };
    let labels: Vec<String> = (0..WEEKS).map(label).collect();
    let rows: Vec<String> = years.iter().map(ToString::to_string).collect();
    let grid = |cell: &Cell<'_>| -> Cells {
        cells
            .iter()
            .zip(&rows)
            .map(|(weeks, year)| weeks.iter().zip(&labels).map(|(c, week)| cell(c, week, year)).collect())
            .collect()
    };
    let numbers = grid(&|c, week, year| {
        (c.0 > 0).then(|| (c.0 as f64, format!("week of {week} {year}: {}", count(c.0, "film"))))
    });
    let grosses = grid(&|c, week, year| {
        (c.1 > 0.0)
            .then(|| (c.1.sqrt(), format!("week of {week} {year}: {} by {}", money(c.1), count(c.0, "film"))))
    });
    let by_week: Vec<(u64, f64)> = (0..WEEKS)
        .map(|w| cells.iter().fold((0, 0.0), |sum, row| (sum.0 + row[w].0, sum.1 + row[w].1)))
        .collect();
    let most = by_week.iter().enumerate().max_by_key(|(_, sum)| sum.0).map_or(0, |(w, _)| w);
    let best = by_week.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1)).map_or(0, |(w, _)| w);
    let columns = [
        Column::text("Week of"),
        Column::number("Films"),
        Column::number("Gross"),
        Column::number("Gross a film"),
    ];
    let table = table(
        "Weeks over all years",
        &columns,
        html! {
            @for (week, (n, sum)) in labels.iter().zip(&by_week) {
                tr { th scope="row" { (week) } td.number { (whole(*n)) } td.number { (money(*sum)) } td.number { @if *n > 0 { (money(sum / *n as f64)) } @else { "–" } } }
            }
        },
    );
    html! {
        (chart(&Chart {
            caption: "Films by week and year".to_owned(),
            finding: format!("Most films come out in the week of {}.", labels[most]),
            spec: plots::grid(&labels, &rows, &numbers),
            numbers: table,
            height: Height::Usual,
        }))
        (chart(&Chart {
            caption: "Gross by week of release and year".to_owned(),
            finding: format!("The films that gross most come out in the week of {}. Darker is more, by the square root.", labels[best]),
            spec: plots::grid(&labels, &rows, &grosses),
            numbers: html! { p.soft { "The table above holds these numbers." } },
            height: Height::Usual,
        }))
    }
}

fn positions(found: &Market) -> Markup {
    if found.positions.is_empty() {
        return html! { p.soft { "No distributor is known of the films of the last years." } };
    }
    let columns = [
        Column::text("Distributor"),
        Column::number("Films"),
        Column::number("Gross"),
        Column::number("Share"),
        Column::number("Against before"),
        Column::number("A film, middle"),
        Column::text("Half of films"),
        Column::number("Budget, middle"),
    ];
    let [now, before] = found.spans;
    html! {
        p.section-note { "Releases of " (now.0) "–" (now.1) ", shares set against those of " (before.0) "–" (before.1) ". Of films whose distributor is known." }
        (table("How distributors stand", &columns, html! { @for p in found.positions.iter().take(STANDING) { (position(p)) } }))
    }
}

fn position(p: &Position) -> Markup {
    let points = (p.change * 1_000.0).round() / 10.0;
    html! {
        tr {
            th scope="row" { (p.name) }
            td.number { (whole(p.titles)) }
            td.number { (money(p.gross)) }
            td.number { (percent(p.share)) }
            td.number { span class=(if points < 0.0 { "loss" } else { "gain" }) { (format!("{points:+.1}").replace('-', "−")) } " points" }
            td.number { (money(p.quartiles[1])) }
            td.nowrap { (money(p.quartiles[0])) " to " (money(p.quartiles[2])) }
            td.number { @match p.budget { Some(x) => { (money(x)) } None => { span.soft { "–" } } } }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::check::{self, somebody};
    use super::*;
    use marquee_app::use_cases::market::Released;

    fn found() -> Market {
        let hostile = "<script>alert(1)</script>";
        let part = |year, word: Option<&str>, gross| Part {
            year,
            word: word.map(str::to_owned),
            titles: 2.0,
            gross,
        };
        let parts: Vec<Part> =
            (0..12).map(|i| part(2008, Some(["A", hostile, "C"][i % 3]), 10.0 * (i + 1) as f64)).collect();
        let mut parts = parts;
        parts.push(part(2009, None, 50.0));
        let day = |text: &str, titles, gross| Released { day: text.parse().unwrap(), titles, gross };
        Market {
            years: (2008, 2009),
            distributors: parts.clone(),
            genres: parts,
            days: vec![day("2008-01-01", 2, 5e6), day("2008-12-31", 1, 9e6), day("2009-07-03", 3, 0.0)],
            positions: vec![Position {
                name: hostile.to_owned(),
                titles: 4,
                gross: 9e6,
                share: 0.4,
                change: -0.021,
                quartiles: [1e6, 2e6, 3e6],
                budget: None,
            }],
            spans: [(2007, 2009), (2004, 2006)],
        }
    }

    #[test]
    fn the_market_is_sound_full_and_empty() {
        let nothing =
            Market { distributors: vec![], genres: vec![], days: vec![], positions: vec![], ..found() };
        let inside = html! { (shown(&found(), FactKind::DomesticGross)) };
        let text = page(&somebody("Ana"), PAGE, body(&Params::default(), inside)).into_string();
        check::sound(&text);
        assert!(!text.contains("<script>alert") && text.contains("−2.1"), "{text}");
        check::fragment(&shown(&nothing, FactKind::WorldwideGross).into_string());
        check::fragment(&empty().into_string());
    }

    #[test]
    fn shares_of_a_year_are_whole_and_weeks_hold_every_release() {
        let found = found();
        for year in 0..2 {
            let sum: f64 =
                largest(&found.distributors, &[2008, 2009]).iter().map(|(_, shares)| shares[year]).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
        let (years, cells) = weeks(&found);
        assert_eq!(years, [2009, 2008]);
        assert_eq!((cells[1][0].0, cells[1][52].0, cells[0][26].0), (2, 1, 3));
    }
}
