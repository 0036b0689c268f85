//! What a plan could still change: on what the forecast hangs most, and when the title would best open.

use axum::extract::{Path, State};
use marquee_app::types::{Change, Swing, Weekend};
use marquee_app::use_cases::dates::{Dates, DatesQuestion, dates as ask_dates};
use marquee_app::use_cases::sensitivity::{Sensitivity, sensitivity as ask_sensitivity};
use marquee_domain::{Control, Day, FactKind};
use maud::{Markup, html};

use super::super::charts::{self, Arm, Chart, Height, chart};
use super::super::layout::Wants;
use super::super::params::Params;
use super::super::parts::{Column, Tone, badge, nothing, table};
use super::super::range::{Axis, range};
use super::super::words::{change, date, kind, money};
use super::{find, part};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;

/// Things that are shown of those that move a forecast.
const ARMS: usize = 12;

pub(super) async fn sensitivity(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let found = find(&server, &caller, &id, &params).await?;
    let about = found.terms.inquiry(&server);
    let answer = ask_sensitivity(&server.workspace, about, &Control::default(), &caller.permit).await?;
    Ok(part(wants, &caller, &found, swings(&answer)))
}

pub(super) async fn dates(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let found = find(&server, &caller, &id, &params).await?;
    let question = DatesQuestion { about: found.terms.inquiry(&server), from: None, to: None };
    let answer = ask_dates(&server.workspace, question, &Control::default(), &caller.permit).await?;
    Ok(part(wants, &caller, &found, weekends(&answer)))
}

fn swings(found: &Sensitivity) -> Markup {
    let middle = found.forecast.distribution.median();
    let Some(widest) = found.swings.first() else {
        return nothing(
            "Nothing that was tried moves it",
            "This model sees nothing of the plan that could be changed.",
            html! {},
        );
    };
    let arms: Vec<Arm> = found.swings.iter().take(ARMS).map(arm).collect();
    let finding = format!(
        "{} moves the middle most: from {} to {}; as it stands it is {}.",
        kind(widest.kind),
        money(widest.low.1),
        money(widest.high.1),
        money(middle)
    );
    let columns = [
        Column::text("What"),
        Column::text("Now"),
        Column::text("Lowest with"),
        Column::number("Middle then"),
        Column::text("Highest with"),
        Column::number("Middle then"),
    ];
    let numbers = table(
        "On what it hangs",
        &columns,
        html! {
            @for swing in &found.swings {
                tr {
                    th scope="row" { (kind(swing.kind)) }
                    td { (written(swing.kind, &swing.now.value())) }
                    td { (value(&swing.low.0)) }
                    td.number { (money(swing.low.1)) " (" (change(swing.low.1 / middle - 1.0)) ")" }
                    td { (value(&swing.high.0)) }
                    td.number { (money(swing.high.1)) " (" (change(swing.high.1 / middle - 1.0)) ")" }
                }
            }
        },
    );
    html! {
        p { (finding) }
        (chart(&Chart { caption: "How far the middle swings".to_owned(), finding, spec: charts::tornado(middle, &arms), numbers, height: Height::of_bars(found.swings.len().min(ARMS)) }))
        p.section-note {
            "Amounts are tried at a quarter less and more, minutes at fifteen, the day up to 13 weeks away, words at each that is common. "
            "Films like the changed one did as well as this: no proof that the change would. "
            "The line is the middle as it stands, whose own range is 5–95%: " (money(found.forecast.distribution.quantiles()[0])) " to " (money(found.forecast.distribution.quantiles()[6])) "."
        }
    }
}

fn arm(swing: &Swing) -> Arm {
    let end = |(to, middle): &(Change, f64)| (value(to), *middle);
    Arm { name: kind(swing.kind), low: end(&swing.low), high: end(&swing.high) }
}

fn value(to: &Change) -> String {
    written(to.kind(), &to.value())
}

/// A figure, a day or words of a kind, as people write them.
fn written(kind: FactKind, value: &str) -> String {
    match (kind, value.parse::<f64>(), value.parse::<Day>()) {
        (FactKind::Budget, Ok(amount), _) => money(amount),
        (FactKind::ReleaseDate, _, Ok(day)) => date(day),
        (FactKind::Runtime, Ok(minutes), _) => format!("{minutes:.0} min"),
        _ => value.to_owned(),
    }
}

fn weekends(found: &Dates) -> Markup {
    let median = |weekend: &Weekend| weekend.distribution.median();
    let mut ranked: Vec<&Weekend> = found.weekends.iter().collect();
    ranked.sort_by(|a, b| median(b).total_cmp(&median(a)).then(a.release.cmp(&b.release)));
    let place = ranked.iter().position(|weekend| weekend.release == found.planned.release).unwrap_or(0);
    let Some(best) = ranked.first() else {
        return nothing(
            "No weekend can be tried",
            "None lies after the day whose knowledge counts.",
            html! {},
        );
    };
    let planned = median(&found.planned);
    let finding = format!(
        "The plan, {}, is number {} of {} weekends by its middle of {}; the best is {} with {} ({}).",
        date(found.planned.release),
        place + 1,
        ranked.len(),
        money(planned),
        date(best.release),
        money(median(best)),
        change(median(best) / planned - 1.0)
    );
    let points: Vec<(Day, [f64; 7])> =
        found.weekends.iter().map(|weekend| (weekend.release, weekend.distribution.quantiles())).collect();
    let axis = Axis::logs(points.iter().map(|(_, q)| q));
    let numbers = weekend_table("Every weekend", &found.weekends.iter().collect::<Vec<_>>(), found, axis);
    let shown: Vec<&Weekend> = ranked
        .iter()
        .enumerate()
        .filter(|(i, _)| *i < 5 || *i == place)
        .map(|(_, weekend)| *weekend)
        .collect();
    html! {
        p { (finding) }
        (chart(&Chart {
            caption: "The gross by the weekend it opens on".to_owned(),
            finding: finding.clone(),
            spec: charts::line(&points, Some(found.planned.release)),
            numbers,
            height: Height::Usual,
        }))
        (weekend_table("The best weekends, and the plan", &shown, found, axis))
        p.section-note {
            "Beyond the announced calendar the usual competition of the week counts. Films that opened then did as well as this; "
            "strong films choose strong dates, so that a date alone may do less."
        }
    }
}

fn weekend_table(caption: &str, shown: &[&Weekend], found: &Dates, axis: Axis) -> Markup {
    let planned = found.planned.distribution.median();
    let columns = [
        Column::text("Opens"),
        Column::number("Middle"),
        Column::text("5–95%"),
        Column::number("Against the plan"),
        Column::number("Rivals known"),
    ];
    table(
        caption,
        &columns,
        html! {
            @for weekend in shown {
                @let own = weekend.release == found.planned.release;
                tr.own[own] {
                    th scope="row" { (date(weekend.release)) @if own { " " (badge("plan", Tone::Accent)) } }
                    td.number { (money(weekend.distribution.median())) }
                    td { (range(&weekend.distribution.quantiles(), None, axis)) }
                    td.number { @if own { "–" } @else { (change(weekend.distribution.median() / planned - 1.0)) } }
                    // Nobody knows yet what opens beyond the announced calendar.
                    td.number { @if weekend.release.days_since(found.as_of.0) <= 30 { (weekend.rivals) } @else { "–" } }
                }
            }
        },
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::check;
    use super::super::answer::tests::hostile;
    use super::*;
    use marquee_domain::{Horizon, Population};

    #[test]
    fn swings_are_sound_and_name_the_widest() {
        let word = |word: &str| Change::Trait(FactKind::Genre, vec![word.into()]);
        let swing = Swing {
            kind: FactKind::Genre,
            now: word("<b>"),
            low: (word("<script>alert(1)</script>"), 9e6),
            high: (word("Action"), 20e6),
        };
        let forecast = hostile().forecast;
        let text = swings(&Sensitivity { forecast: forecast.clone(), swings: vec![swing] }).into_string();
        check::fragment(&text);
        assert!(text.contains("Genre moves the middle most") && !text.contains("<script>alert"), "{text}");
        assert!(
            swings(&Sensitivity { forecast, swings: vec![] })
                .into_string()
                .contains("Nothing that was tried")
        );
    }

    #[test]
    fn the_plan_is_placed_among_the_weekends() {
        let forecast = hostile().forecast;
        let weekend = |day: &str| Weekend {
            release: day.parse().unwrap(),
            distribution: forecast.distribution,
            rivals: 2,
        };
        let found = Dates {
            name: "A".to_owned(),
            horizon: Horizon::Announced,
            as_of: forecast.as_of,
            population: Population::Funded,
            planned: weekend("2015-07-03"),
            weekends: vec![weekend("2015-06-26"), weekend("2015-07-03")],
        };
        let text = weekends(&found).into_string();
        check::fragment(&text);
        assert!(text.contains("number 2 of 2 weekends") && text.contains("class=\"own\""), "{text}");
    }
}
