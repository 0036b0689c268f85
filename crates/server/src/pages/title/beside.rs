//! What stands beside a title's forecast: its competition, its facts with the day each became known, its records.

use axum::extract::{Path, State};
use marquee_app::knowledge::Reach;
use marquee_app::types::{TitleQuery, TitleRow, TitleSort};
use marquee_app::use_cases::titles::titles;
use marquee_app::use_cases::track::{Tracked, track};
use marquee_domain::{Day, Fact, FactValue, Money};
use maud::{Markup, html};

use super::super::charts::{self, Chart, Height, chart};
use super::super::layout::Wants;
use super::super::params::Params;
use super::super::parts::{Column, Tone, badge, figure, nothing, table};
use super::super::range::Axis;
use super::super::words::{self, count, date, money, month, percent};
use super::{Found, find, part};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;

/// Weeks before and after the title's own that are shown.
const WEEKS: i32 = 3;
/// Titles that are named in a week.
const NAMED: usize = 10;

pub(super) async fn competition(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let found = find(&server, &caller, &id, &params).await?;
    let Some(release) = found.row.release else {
        let why = "The catalogue knows no release day of it.";
        return Ok(part(wants, &caller, &found, nothing("No week to look at", why, html! {})));
    };
    let (first, last) = span(release);
    let query = TitleQuery {
        years: Some((first.year(), last.year())),
        sort: TitleSort::Budget,
        descending: true,
        limit: usize::MAX,
        ..TitleQuery::default()
    };
    let rows = titles(&server.workspace, &query, &caller.permit).await?;
    Ok(part(wants, &caller, &found, weeks(&found.row, release, &rows)))
}

pub(super) async fn facts(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let found = find(&server, &caller, &id, &params).await?;
    let forecaster = server.workspace.forecaster(Reach::Plans, &caller.permit).await?;
    let own: Vec<&Fact> =
        forecaster.knowledge().facts.iter().filter(|fact| fact.title == found.terms.id).collect();
    Ok(part(wants, &caller, &found, fact_table(&found, &own)))
}

pub(super) async fn recorded(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let found = find(&server, &caller, &id, &params).await?;
    let all = track(&server.workspace, usize::MAX, None, &caller.permit).await?;
    let of_it = |t: &&Tracked| t.recorded.as_ref().is_some_and(|r| r.forecast.title == Some(found.terms.id));
    let own: Vec<&Tracked> = all.entries.iter().rev().filter(of_it).collect();
    Ok(part(wants, &caller, &found, records(&own)))
}

/// The Monday of the first week that is shown, and the Sunday of the last.
fn span(release: Day) -> (Day, Day) {
    let monday = release.plus(-(release.weekday() as i32));
    (monday.plus(-7 * WEEKS), monday.plus(7 * WEEKS + 6))
}

fn weeks(own: &TitleRow, release: Day, rows: &[TitleRow]) -> Markup {
    let (first, last) = span(release);
    html! {
        (calendar(release, (first, last), rows))
        p.section-note { "Titles by the week of their release, the dearest first, as the catalogue knows them now: more than was known on the day of the forecast." }
        ol.weeks {
            @for week in 0..=2 * WEEKS {
                @let monday = first.plus(7 * week);
                @let within = |row: &&TitleRow| row.release.is_some_and(|day| (0..7).contains(&day.days_since(monday)));
                @let there = rows.iter().filter(within).collect::<Vec<_>>();
                li.own[week == WEEKS] {
                    span { strong { (monday.day_of_month()) " " (month(monday)) " " (monday.year()) } br; span.soft { (count(there.len() as u64, "title")) } }
                    (week_of(own, &there))
                }
            }
        }
    }
}

/// How many titles open on each day around the release.
fn calendar(release: Day, (first, last): (Day, Day), rows: &[TitleRow]) -> Markup {
    let days: Vec<(Day, f64)> = (0..=last.days_since(first))
        .map(|i| first.plus(i))
        .map(|day| (day, rows.iter().filter(|row| row.release == Some(day)).count() as f64))
        .collect();
    let on = |day: Day| days.iter().find(|(own, _)| *own == day).map_or(0.0, |(_, n)| *n);
    let all: f64 = days.iter().map(|(_, n)| n).sum();
    let busiest =
        days.iter().copied().fold((first, -1.0), |most, day| if day.1 > most.1 { day } else { most });
    let finding = format!(
        "{} in these seven weeks, {} on the day of this one; the busiest day is {} with {}.",
        openings(all),
        openings(on(release)),
        date(busiest.0),
        openings(busiest.1.max(0.0))
    );
    let columns = [Column::text("Day"), Column::number("Titles")];
    let numbers = table(
        "Titles by day",
        &columns,
        html! {
            @for (day, n) in days.iter().filter(|(_, n)| *n > 0.0) { tr { th scope="row" { (date(*day)) } td.number { (n) } } }
        },
    );
    html! {
        p { (finding) }
        (chart(&Chart { caption: "Titles by the day they open".to_owned(), finding, spec: charts::calendar(&days, openings), numbers, height: Height::Low }))
    }
}

fn openings(n: f64) -> String {
    count(n as u64, "title")
}

fn week_of(own: &TitleRow, there: &[&TitleRow]) -> Markup {
    html! {
        ul {
            @for row in there.iter().take(NAMED) {
                li {
                    @if row.id == own.id { strong { (row.name) } " " (badge("this title", Tone::Accent)) }
                    @else { a href={ "/titles/" (row.id) } { (row.name) } }
                    span.soft { @if let Some(budget) = row.budget { " " (money(budget.major())) } }
                }
            }
            @if there.len() > NAMED { li.soft { "and " (there.len() - NAMED) " more" } }
            @if there.is_empty() { li.soft { "nothing known" } }
        }
    }
}

/// What forecasting reads of a title: what a forecast of the day knew, and apart from it what came after.
fn fact_table(found: &Found, facts: &[&Fact]) -> Markup {
    if facts.is_empty() {
        return nothing("No facts", "No table states anything of it that forecasting reads.", html! {});
    }
    let day = found.terms.day(found.row.release);
    let known = |fact: &&&Fact| day.is_none_or(|day| fact.known_on <= day);
    let (before, after): (Vec<&Fact>, Vec<&Fact>) = facts.iter().partition(|fact| known(fact));
    html! {
        @if let Some(day) = day { p { "On " (date(day)) " this was known, and no more:" } }
        (fact_rows("Known by then", &before))
        @if !after.is_empty() {
            details.more {
                summary { (count(after.len() as u64, "fact")) " became known since" }
                (fact_rows("Known since", &after))
            }
        }
    }
}

fn fact_rows(caption: &str, facts: &[&Fact]) -> Markup {
    let columns = [Column::text("What"), Column::text("Is"), Column::text("Known on"), Column::text("By")];
    table(
        caption,
        &columns,
        html! {
            @for fact in facts {
                tr {
                    th scope="row" { (words::kind(fact.kind)) }
                    td { (value(&fact.value)) }
                    td.nowrap { (date(fact.known_on)) }
                    td { (fact.source) }
                }
            }
        },
    )
}

fn value(value: &FactValue) -> String {
    match value {
        FactValue::Money(amount) => shown(*amount),
        FactValue::Count(n) => n.to_string(),
        FactValue::Number(x) => format!("{x:.1}"),
        FactValue::Text(text) => text.to_string(),
        FactValue::Day(day) => date(*day),
    }
}

fn shown(amount: Money) -> String {
    if amount.currency() == marquee_domain::Currency::USD {
        money(amount.major())
    } else {
        amount.to_string()
    }
}

fn records(own: &[&Tracked]) -> Markup {
    if own.is_empty() {
        let why = "A recorded forecast cannot be changed, and is scored when the actual is known.";
        return nothing("None yet", why, html! {});
    }
    let ranges: Vec<[f64; 7]> =
        own.iter().filter_map(|t| t.recorded.as_ref()).map(|r| r.forecast.distribution.quantiles()).collect();
    let axis = Axis::logs(&ranges);
    let columns = [
        Column::number("Entry"),
        Column::text("Recorded"),
        Column::text("What"),
        Column::text("As of"),
        Column::text("Forecast"),
        Column::text("Came to"),
    ];
    table(
        "Recorded forecasts",
        &columns,
        html! {
            @for t in own {
                @if let Some(r) = &t.recorded {
                    tr {
                        th scope="row" class="number" { (t.entry.seq) }
                        td.nowrap { (words::moment(t.entry.recorded_at)) }
                        td { (words::target(r.forecast.target)) }
                        td.nowrap { (date(r.forecast.as_of.0)) }
                        td { (figure(&r.forecast.distribution, t.scored.as_ref().map(|s| s.actual), axis)) }
                        td {
                            @match (&t.scored, r.late) {
                                (Some(s), _) => { (money(s.actual)) span.soft { ", above " (percent(s.pit)) " of what was said" } }
                                (None, true) => { (badge("recorded late, not scored", Tone::Wait)) }
                                (None, false) => { span.soft { "not known yet" } }
                            }
                        }
                    }
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::check;
    use super::super::hostile;
    use super::*;
    use marquee_domain::{FactKind, RecordedAt};

    #[test]
    fn competition_is_told_week_by_week() {
        let found = hostile(Some("2015-07-03"));
        let text =
            weeks(&found.row, "2015-07-03".parse().unwrap(), std::slice::from_ref(&found.row)).into_string();
        check::fragment(&text);
        assert!(text.contains("this title") && text.contains("8 Jun 2015"), "{text}");
        assert_eq!(text.matches("nothing known").count(), 6);
        assert!(!text.contains("<script>alert"), "{text}");
    }

    #[test]
    fn facts_stand_on_the_side_of_the_day_on_which_they_became_known() {
        let found = hostile(Some("2015-07-03"));
        let fact = |day: &str, value: &str| Fact {
            title: found.terms.id,
            kind: FactKind::Director,
            value: FactValue::Text(value.into()),
            known_on: day.parse().unwrap(),
            recorded_at: RecordedAt(0),
            source: "<i>".into(),
        };
        let (early, late) = (fact("2014-01-01", "<script>x"), fact("2016-01-01", "Later"));
        let text = fact_table(&found, &[&early, &late]).into_string();
        check::fragment(&text);
        assert!(text.contains("1 fact became known since") && !text.contains("<script>x"), "{text}");
        assert!(fact_table(&found, &[]).into_string().contains("No facts"));
        check::fragment(&records(&[]).into_string());
    }
}
