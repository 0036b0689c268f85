//! A title's forecast: the answer, why, the comparable titles, the money; and how it narrowed.

use axum::extract::{Path, State};
use marquee_app::platform::Action;
use marquee_app::use_cases::forecast::Answer;
use marquee_domain::{Comp, Forecast};
use maud::{Markup, html};

use super::super::charts::{self, Chart, FanPoint, Height, chart};
use super::super::layout::Wants;
use super::super::params::Params;
use super::super::parts::{Column, Tone, badge, drivers, hero, nothing, notice, query, table};
use super::super::range::{Axis, range};
use super::super::returns::{levels, money_of};
use super::super::words::{self, change, count, date, money, percent};
use super::{Found, ask, find, part};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;

/// Days after which the newest fact is old beside the day that is asked about.
const OLD: i32 = 400;

pub(super) async fn show(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let found = find(&server, &caller, &id, &params).await?;
    let answer = ask(&server, &caller, &found.terms, false, false).await?;
    let may_record = caller.permit.may(Action::Record);
    Ok(part(wants, &caller, &found, body(&found, &answer, may_record)))
}

pub(super) async fn fan(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
    params: Params,
) -> Result<Markup, Problem> {
    let found = find(&server, &caller, &id, &params).await?;
    let answer = ask(&server, &caller, &found.terms, true, false).await?;
    Ok(part(wants, &caller, &found, fan_chart(&answer)))
}

fn body(found: &Found, answer: &Answer, may_record: bool) -> Markup {
    let f = &answer.forecast;
    html! {
        div.stack {
            (headline(found, answer, may_record))
            section {
                h2 { "Why" }
                p.section-note {
                    "From " (money(f.base_usd)) " for a typical film"
                    @if answer.taken.is_some() { " that has taken as much" }
                    " to " (money(f.distribution.median())) ". The bars add up; a group opens to its features."
                }
                (drivers(f))
            }
            (comps(answer))
            @if let Some(returns) = &answer.returns { section { h2 { "Money" } (money_of(returns)) } }
        }
    }
}

fn headline(found: &Found, answer: &Answer, may_record: bool) -> Markup {
    let f = &answer.forecast;
    let as_of = f.as_of.to_string();
    let what_if = query(
        "/what-if",
        &[("title", &found.terms.id.to_string()), ("target", f.target.as_str()), ("as_of", &as_of)],
    );
    html! {
        section {
            h2 { (words::target(f.target)) @if !f.target.is_opening() { " gross" } }
            div.answer {
                p.label {
                    "As known on " strong { (date(f.as_of.0)) } " (" (words::horizon(f.horizon)) "), by a model of "
                    (words::population(f.population)) " trained on outcomes before " (date(f.provenance.trained_before))
                }
                (hero(&f.distribution, None))
                @if let Some(taken) = answer.taken { p { "Taken so far: " strong { (money(taken)) } } }
                div.row.no-print {
                    @if !f.horizon.sees_run() { a.button href=(what_if) { "What if …" } }
                    @if may_record { (record_form(found)) }
                    button.button.quiet type="button" data-print { "Print as a report" }
                }
            }
            @if let Some(actual) = answer.actual { (happened(f, actual)) }
            @if f.as_of.0.days_since(answer.newest_fact) > OLD {
                (notice(Tone::Wait, html! {
                    p { "The newest outcome in the lake is of " (date(answer.newest_fact)) ": later markets are not known to this forecast." }
                }))
            }
        }
    }
}

fn record_form(found: &Found) -> Markup {
    let terms = &found.terms;
    html! {
        form method="post" action={ "/titles/" (terms.id) "/record" }
            data-confirm="Commit this forecast to the track record? It cannot be taken back." {
            input type="hidden" name="target" value=(terms.target.as_str());
            @if let Some(day) = terms.as_of { input type="hidden" name="as_of" value=(day.to_string()); }
            @if let Some(population) = terms.population { input type="hidden" name="population" value=(population.as_str()); }
            button.button type="submit" { "Record" }
        }
    }
}

/// What the forecast did not know.
fn happened(f: &Forecast, actual: f64) -> Markup {
    let below = f.distribution.probability_below(actual);
    let q = f.distribution.quantiles();
    let within = match actual {
        a if a < q[0] => "below the 5–95% range",
        a if a > q[6] => "above the 5–95% range",
        a if (q[2]..=q[4]).contains(&a) => "inside the 25–75% range",
        _ => "inside the 5–95% range",
    };
    html! {
        div.kept-apart {
            p { strong { "Known by now: " } "it came to " strong { (money(actual)) } ", " (within) "; the forecast gave " (percent(below)) " to less." }
            (range(&q, Some(actual), Axis::logs([&q]).with(Some(actual))))
            p.small.soft { "The forecast did not know this." }
        }
    }
}

fn comps(answer: &Answer) -> Markup {
    let f = &answer.forecast;
    let Some(first) = f.comps.first() else {
        return html! { section { h2 { "Comparable films" } (nothing("None", "No settled film is near enough to be compared with.", html! {})) } };
    };
    let flops = if f.target.is_opening() { 0 } else { f.comps.iter().filter(|comp| comp.flop).count() };
    let gross = format!("{} in {} dollars", words::capital(words::gross(f.target)), first.price_year);
    let budget = format!("Budget in {} dollars", first.price_year);
    let columns = [
        Column::text("Title"),
        Column::text("Release"),
        Column::text("How near"),
        Column::number(&budget),
        Column::number(&gross),
        Column::text(""),
    ];
    html! {
        section {
            h2 { "Comparable films" }
            p.section-note {
                "The nearest by what was known before release, chosen without looking at their grosses"
                @if flops > 0 { "; " (count(flops as u64, "flop")) " among them" }
                "."
            }
            (table("Comparable films", &columns, html! { @for comp in &f.comps { (comp_row(f, comp, answer)) } }))
        }
    }
}

fn comp_row(f: &Forecast, comp: &Comp, answer: &Answer) -> Markup {
    let years = f.release.year() - comp.release.year();
    let when = match years {
        0 => "the same year".to_owned(),
        y if y > 0 => format!("{} earlier", count(y as u64, "year")),
        y => format!("{} later", count(y.unsigned_abs().into(), "year")),
    };
    let budget = answer.returns.as_ref().map(|r| r.budget.0.major()).filter(|b| *b > 0.0);
    let against = budget.map(|own| format!("budget {}", change(comp.budget_usd / own - 1.0)));
    html! {
        tr {
            th scope="row" { a href={ "/titles/" (comp.title) } { (comp.name) } }
            td.nowrap { (date(comp.release)) }
            td { "distance " (format!("{:.2}", comp.distance)) span.soft { @if let Some(text) = &against { ", " (text) } ", " (when) } }
            td.number { (money(comp.budget_usd)) }
            td.number { (money(comp.gross_usd)) }
            td { @if comp.flop && !f.target.is_opening() { (badge("below its budget", Tone::Bad)) } }
        }
    }
}

fn fan_chart(answer: &Answer) -> Markup {
    let all: Vec<&Forecast> = answer.earlier.iter().chain([&answer.forecast]).collect();
    if all.len() < 2 {
        let why =
            "This is the first horizon at which the target is forecast, or too little was known earlier.";
        return nothing("Nothing earlier", why, html! {});
    }
    let points: Vec<FanPoint> = all
        .iter()
        .map(|f| FanPoint {
            day: f.as_of.0,
            label: words::horizon(f.horizon).to_owned(),
            distribution: f.distribution,
        })
        .collect();
    let width = |f: &Forecast| f.distribution.quantiles()[6] / f.distribution.quantiles()[0];
    let (first, last) = (width(all[0]), width(&answer.forecast));
    let finding = format!(
        "From {} to {} the range {}: its upper end is {first:.0} times the lower at first and {last:.0} times at last.{}",
        date(all[0].as_of.0),
        date(answer.forecast.as_of.0),
        if last < first { "narrowed" } else { "did not narrow" },
        answer.actual.map_or_else(String::new, |actual| format!(" It came to {}.", money(actual)))
    );
    let named: Vec<(String, [f64; 7])> = all
        .iter()
        .map(|f| (format!("{}, {}", date(f.as_of.0), words::horizon(f.horizon)), f.distribution.quantiles()))
        .collect();
    let series: Vec<(&str, [f64; 7])> = named.iter().map(|(name, q)| (name.as_str(), *q)).collect();
    let caption = format!("{} by the day of asking", words::capital(words::gross(answer.forecast.target)));
    let numbers = levels(&caption, &series);
    html! {
        p { (finding) }
        (chart(&Chart { caption, finding, spec: charts::fan(&points, answer.actual), numbers, height: Height::Usual }))
        @if answer.actual.is_some() { p.small.soft { "The dashed line is what happened; no forecast here knew it." } }
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::check;
    use super::*;
    use marquee_domain::{
        AsOf, Distribution, Driver, FeatureEffect, Horizon, Population, Provenance, Target, TitleId, Vertical,
    };

    /// A forecast that holds what hostile tables could.
    pub(crate) fn hostile() -> Answer {
        let text = "<script>alert(1)</script>";
        let id = TitleId::of(Vertical::Film, "t", "1");
        let day = |text: &str| text.parse().unwrap();
        let feature = FeatureEffect { feature: format!("genre={text}"), log_effect: 0.3, effect_usd: 2e6 };
        let driver = |group: &str, log_effect, effect_usd, features| Driver {
            group: group.to_owned(),
            log_effect,
            effect_usd,
            features,
        };
        let forecast = Forecast {
            name: text.to_owned(),
            title: Some(id),
            target: Target::Worldwide,
            horizon: Horizon::Announced,
            population: Population::Funded,
            as_of: AsOf(day("2015-06-03")),
            release: day("2015-07-03"),
            distribution: Distribution::new([1e6, 2e6, 5e6, 12e6, 30e6, 70e6, 120e6]).unwrap(),
            base_usd: 8e6,
            drivers: vec![
                driver(text, 0.3, 5e6, vec![feature]),
                driver("season", -0.1, -1e6, vec![]),
                driver("rest", 0.001, 0.0, vec![]),
            ],
            comps: vec![Comp {
                title: id,
                name: text.to_owned(),
                release: day("2011-07-01"),
                distance: 0.4,
                budget_usd: 2e7,
                gross_usd: 1e7,
                price_year: 2015,
                flop: true,
            }],
            provenance: Provenance {
                model: "ab".to_owned(),
                trained_before: day("2015-01-01"),
                data: "cd".to_owned(),
                version: "0".to_owned(),
            },
        };
        let earlier = vec![Forecast {
            horizon: Horizon::Greenlight,
            as_of: AsOf(day("2014-01-09")),
            ..forecast.clone()
        }];
        Answer {
            forecast,
            earlier,
            break_even: None,
            returns: None,
            what_if: None,
            taken: None,
            actual: Some(500e6),
            newest_fact: day("2010-01-01"),
            unheard: vec![],
            entry: None,
        }
    }

    #[test]
    fn an_answer_is_sound_and_marks_its_flops() {
        let found = super::super::hostile(Some("2015-07-03"));
        let text = body(&found, &hostile(), true).into_string();
        check::fragment(&text);
        assert!(!text.contains("<script>alert"), "{text}");
        assert!(text.contains("below its budget") && text.contains("above the 5–95% range"), "{text}");
        assert!(!body(&found, &hostile(), false).into_string().contains("/record"));
    }

    #[test]
    fn a_fan_says_whether_it_narrowed() {
        let text = fan_chart(&hostile()).into_string();
        check::fragment(&text);
        assert!(text.contains("did not narrow"), "{text}");
        let alone = Answer { earlier: vec![], ..hostile() };
        assert!(fan_chart(&alone).into_string().contains("Nothing earlier"));
    }
}
