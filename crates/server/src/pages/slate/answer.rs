//! A slate on the page: its figures, the films that are in and out and why, what comes next, the frontier, the stresses.

use marquee_app::types::{
    Enough, Frontier, Infeasible, NextFilms, Outcome, ProjectReturn, SlateAnswer, SlateChange, Why,
};
use marquee_app::use_cases::slate::Chosen;
use marquee_app::use_cases::stress::Stressed;
use marquee_domain::{Forecast, Money};
use maud::{Markup, html};
use serde_json::Value;

use super::super::charts::{self, Chart, FrontierPoint, Height, chart};
use super::super::parts::{Column, Tone, chance, figure, notice, table, tile, tiles};
use super::super::plots;
use super::super::range::{Axis, ends, range};
use super::super::returns::{IMPLIED, levels};
use super::super::words::{capital, change, count, money, percent, signed};

/// A part of the answer that is asked for with a form of the page.
pub(super) fn later(id: &str, form: &str, source: &str, what: &str) -> Markup {
    html! {
        div id=(id) data-src=(source) data-form=(form) aria-live="polite" {
            div.working { p { (what) " …" } }
            noscript { button.button type="submit" form=(form) formaction=(source) { "Show" } }
        }
    }
}

/// All that came of choosing.
pub(super) fn whole(found: &Chosen, budget: f64, asked: &Value) -> Markup {
    match &found.outcome {
        Outcome::Chosen(answer) => chosen(found, answer, (budget, asked), None),
        Outcome::TimedOut(answer) => {
            let said = format!(
                "The search was stopped by its time limit: this is the best slate so far, within {} of the best that there can be.",
                percent(answer.gap)
            );
            chosen(found, answer, (budget, asked), Some(&said))
        }
        Outcome::Undecided { least_found } => undecided(*least_found),
        Outcome::Infeasible(why) => infeasible(why),
    }
}

fn undecided(least: Option<Money>) -> Markup {
    notice(
        Tone::Wait,
        html! {
            p { strong { "No answer in time" } }
            p { "The search was stopped before a slate that keeps all limits was found, or none was shown to exist." }
            @if let Some(least) = least { p { "The least mean loss in the worst cases that was found is " (money(least.major())) ": cap it no lower." } }
        },
    )
}

/// Which rules contradict each other, and the smallest change of each.
pub(super) fn infeasible(why: &Infeasible) -> Markup {
    notice(
        Tone::Wait,
        html! {
            p { strong { "No slate keeps these limits" } }
            @if why.fixes.is_empty() { p { (capital(&why.to_string())) "." } }
            @else {
                p { @match why.enough { Enough::AnyOne => { "Any one of these changes is enough; each is the smallest of its kind:" } Enough::AllTogether => { "No single change is enough. These together are, and none can be left out:" } } }
                ul { @for fix in &why.fixes { li { (capital(&fix.to_string())) "." } } }
                @if !why.complete { p.small { "The search for smaller changes was cut short." } }
            }
        },
    )
}

fn chosen(
    found: &Chosen,
    answer: &SlateAnswer,
    (budget, asked): (f64, &Value),
    said: Option<&str>,
) -> Markup {
    let slate = &answer.slate;
    let profit = answer.profit.map(Money::major);
    let names: Vec<&str> = slate.choices.iter().map(|c| c.project.as_str()).collect();
    let narrowed = super::narrowed(asked, &names).to_string();
    html! {
        div.old.stack {
            @if let Some(said) = said { (notice(Tone::Wait, html! { p { (said) } })) }
            @if names.is_empty() {
                (notice(Tone::Plain, html! { p { strong { "The best slate is none. " } "No film here is worth its risk by what you called a good slate." } }))
            }
            (tiles(html! {
                (tile("Films", &names.len().to_string(), html! { span.soft.small { "of " (count(found.returns.len() as u64, "candidate")) } }))
                (tile("Cost", &money(slate.cost.major()), html! { span.soft.small { "of " (money(budget)) ", marketing included" } }))
                (tile("Mean profit", &money(slate.mean_profit.major()), html! {
                    (range(&profit, None, Axis::linear([&profit]).with(Some(0.0))))
                    span.soft.small { (ends(&profit)) }
                }))
                (chance("P(loss)", slate.loss_probability.get()))
                (tile("Loss in the worst cases", &money(slate.cvar.major()), html! { span.soft.small { "mean over the worst " (percent(slate.tail.get())) " of scenarios (CVaR)" } }))
            }))
            section { h2 { "In" } (films(found, answer, true)) }
            section { h2 { "Out" } (films(found, answer, false)) }
            @if let Some(next) = &found.next { section { h2 { "What comes next" } (next_films(next)) } }
            @if !names.is_empty() { section { h2 { "Profit of the slate" } (profit_chart(profit, slate.loss_probability.get())) } }
            section { h2 { "The frontier" } (later("frontier", "question", "/slate/frontier", "Looking for the efficient slates")) }
            @if !names.is_empty() {
                section {
                    h2 { "Under stress" }
                    form id="chosen" method="post" action="/slate/stress" { input type="hidden" name="question" value=(narrowed); }
                    (later("stress", "chosen", "/slate/stress", "Letting things go wrong"))
                }
            }
            (notice(Tone::Wait, html! {
                p { strong { "Assumptions. " } (IMPLIED) @if answer.exact { " No better slate exists under these rules." } @else { " A slate could be better by " (percent(answer.gap)) " at most." } }
            }))
        }
    }
}

/// The films that are in, or those that are out, each with its reason.
fn films(found: &Chosen, answer: &SlateAnswer, wanted: bool) -> Markup {
    let rows: Vec<(&Why, &ProjectReturn, &Forecast)> = answer
        .why
        .iter()
        .zip(found.returns.iter().zip(&found.forecasts))
        .filter(|(why, _)| why.chosen == wanted)
        .map(|(why, (returns, forecast))| (why, returns, forecast))
        .collect();
    if rows.is_empty() {
        return html! { p.soft { @if wanted { "No film." } @else { "None: every candidate is in." } } };
    }
    let profits: Vec<[f64; 7]> = found.returns.iter().map(|r| r.profit.map(Money::major)).collect();
    let axis = Axis::linear(&profits).with(Some(0.0));
    let grosses: Vec<[f64; 7]> = found.forecasts.iter().map(|f| f.distribution.quantiles()).collect();
    let gross_axis = Axis::logs(&grosses);
    let mut columns = vec![Column::text("Film")];
    if wanted {
        columns.push(Column::number("Share"));
    }
    columns.extend([
        Column::number("Cost"),
        Column::text("Worldwide gross"),
        Column::text("Profit, middle"),
        Column::number("Mean"),
        Column::number("P(loss)"),
        Column::text(if wanted { "Why it is in" } else { "Why it is out" }),
    ]);
    table(
        if wanted { "Films in the slate" } else { "Films out of the slate" },
        &columns,
        html! {
            @for (why, returns, forecast) in rows {
                @let profit = returns.profit.map(Money::major);
                @let choice = answer.slate.choices.iter().find(|c| c.project == why.project);
                tr {
                    th scope="row" { (why.project) }
                    @if wanted { td.number { (percent(choice.map_or(1.0, |c| c.share))) } }
                    td.number { (money(choice.map_or(returns.cost, |c| c.cost).major())) }
                    td { (figure(&forecast.distribution, None, gross_axis)) }
                    td { span.nowrap { strong { (money(profit[3])) } " " } (range(&profit, None, axis)) }
                    td.number { (money(returns.mean_profit.major())) }
                    td.number { (percent(returns.loss_probability.get())) }
                    td { (capital(&why.reason.to_string())) }
                }
            }
        },
    )
}

fn next_films(next: &NextFilms) -> Markup {
    let names = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let step = |change: &SlateChange| {
        html! {
            " At a budget of " strong { (money(change.budget.major())) } ": in comes " strong { (names(&change.comes_in)) } ", out goes " strong { (names(&change.goes_out)) }
            "; mean profit " (money(change.answer.slate.mean_profit.major())) ", " (ends(&change.answer.profit.map(Money::major))) ", loss in the worst cases " (money(change.answer.slate.cvar.major())) "."
        }
    };
    html! {
        ul.plain {
            li { strong { "With more money." } @match &next.into { Some(change) => { (step(change)) } None => { " No more money changes the slate." } } }
            li { strong { "With less." } @match &next.out { Some(change) => { (step(change)) } None => { " Nothing can go." } } }
        }
        @if !next.complete { p.small.soft { "Not proven: the search was stopped by its time limit." } }
    }
}

fn profit_chart(profit: [f64; 7], loss: f64) -> Markup {
    let series = [("The slate", profit)];
    chart(&Chart {
        caption: "Profit".to_owned(),
        finding: format!(
            "The slate's profit lies between {} and {} in nine cases of ten, around {}; it is a loss with a chance of {}.",
            money(profit[0]),
            money(profit[6]),
            money(profit[3]),
            percent(loss)
        ),
        spec: charts::densities(&series, false, &[("no gain, no loss", 0.0)]),
        numbers: levels("Profit by level", &series),
        height: Height::Low,
    })
}

/// The efficient slates.
pub(super) fn frontier(found: &Frontier) -> Markup {
    let (slates, complete) = match found {
        Frontier::Infeasible(why) => return infeasible(why),
        Frontier::Efficient { slates, complete } => (slates, *complete),
    };
    let points: Vec<FrontierPoint> = slates
        .iter()
        .map(|s| FrontierPoint {
            name: s.answer.slate.choices.iter().map(|c| c.project.as_str()).collect::<Vec<_>>().join(", "),
            risk: s.answer.slate.cvar.major(),
            profit: s.answer.slate.mean_profit.major(),
            chosen: false,
        })
        .collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return html! { p.soft { "There is no efficient slate to show." } };
    };
    let finding = format!(
        "From {} of loss in the worst cases for a mean of {} to {} for {}: more mean costs more risk.",
        money(first.risk),
        money(first.profit),
        money(last.risk),
        money(last.profit)
    );
    let columns = [
        Column::number("Loss in the worst cases"),
        Column::number("Mean profit"),
        Column::text("Profit, middle and range"),
        Column::number("P(loss)"),
        Column::number("Cost"),
        Column::text("Comes in"),
        Column::text("Goes out"),
    ];
    let profits: Vec<[f64; 7]> = slates.iter().map(|s| s.answer.profit.map(Money::major)).collect();
    let axis = Axis::linear(&profits).with(Some(0.0));
    html! {
        (chart(&Chart {
            caption: "Mean profit against loss in the worst cases".to_owned(),
            finding,
            spec: charts::frontier(&points),
            numbers: table("Efficient slates", &columns, html! {
                @for (s, profit) in slates.iter().zip(&profits) {
                    tr {
                        th.number scope="row" { (money(s.answer.slate.cvar.major())) }
                        td.number { (money(s.answer.slate.mean_profit.major())) }
                        td { span.nowrap { strong { (money(profit[3])) } " " } (range(profit, None, axis)) }
                        td.number { (percent(s.answer.slate.loss_probability.get())) }
                        td.number { (money(s.answer.slate.cost.major())) }
                        td { (s.comes_in.join(", ")) }
                        td { (s.goes_out.join(", ")) }
                    }
                }
            }),
            height: Height::Usual,
        }))
        @if !complete { p.small.soft { "Not all points are proven: the search was stopped by its time limit." } }
    }
}

/// What becomes of the films together, as they are and in each test.
pub(super) fn stressed(found: &[Stressed]) -> Markup {
    let rows: Vec<(String, [f64; 7])> =
        found.iter().map(|s| (named(s), s.together.profit.map(Money::major))).collect();
    let base = found.first().map_or(0.0, |s| s.together.mean_profit.major());
    let worst =
        found.iter().min_by(|a, b| a.together.mean_profit.major().total_cmp(&b.together.mean_profit.major()));
    let finding = worst.map_or_else(String::new, |worst| {
        format!(
            "The worst test, {}, takes the mean from {} to {}.",
            named(worst),
            money(base),
            money(worst.together.mean_profit.major())
        )
    });
    let ranges: Vec<[f64; 7]> = rows.iter().map(|(_, q)| *q).collect();
    let axis = Axis::linear(&ranges).with(Some(0.0));
    let columns = [
        Column::text("What happens"),
        Column::text("Profit, middle and range"),
        Column::number("Mean"),
        Column::number("Against as it is"),
        Column::number("P(loss)"),
        Column::number("Loss in the worst cases"),
    ];
    html! {
        p.section-note { (finding) " All films that are in, each in full." }
        (table("Stress tests", &columns, html! {
            @for s in found {
                @let t = &s.together;
                @let profit = t.profit.map(Money::major);
                @let gone = t.mean_profit.major() - base;
                tr {
                    th scope="row" { (named(s)) }
                    td { span.nowrap { strong { (money(profit[3])) } " " } (range(&profit, None, axis)) }
                    td.number { (money(t.mean_profit.major())) }
                    td.number { @if s.stress.is_some() { (signed(gone)) @if base.abs() > 0.0 { " " span.soft { "(" (change(gone / base.abs())) ")" } } } @else { "–" } }
                    td.number { (percent(t.loss_probability.get())) }
                    td.number { (money(t.cvar.major())) }
                }
            }
        }))
        (chart(&Chart {
            caption: "Profit under each test".to_owned(),
            finding,
            spec: plots::ranges(&rows),
            numbers: levels("Profit by level", &rows.iter().map(|(name, q)| (name.as_str(), *q)).collect::<Vec<_>>()),
            height: Height::Usual,
        }))
    }
}

fn named(stressed: &Stressed) -> String {
    stressed.stress.as_ref().map_or_else(|| "As it is".to_owned(), |stress| capital(&stress.name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::check;
    use super::*;
    use marquee_app::types::{Candidate, Deal, Objective, Simulation, SlateRules};
    use marquee_domain::{Budget, Control, Currency, Distribution, Project, Weight};

    fn returns(names: [&str; 2]) -> (Outcome, Frontier, Vec<ProjectReturn>) {
        let gross = Distribution::new([5e6, 10e6, 30e6, 90e6, 180e6, 350e6, 500e6]).unwrap();
        let candidates = names.map(|name| {
            let cost = Budget(Money::from_major(20e6, Currency::USD).unwrap());
            let project = Project::film(name, cost, "2010-07-02".parse().unwrap());
            Candidate::from_distributions(project, None, Some(gross)).unwrap()
        });
        let simulation = Simulation { scenarios: 400, ..Simulation::default() };
        let scenarios = simulation.run(&candidates, &Deal::default(), &Control::default()).unwrap();
        let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.1).unwrap() };
        let rules = SlateRules::new("100M".parse().unwrap(), objective);
        let outcome = rules.choose(&scenarios, &Control::default()).unwrap();
        let frontier = rules.frontier(&scenarios, 4, &Control::default()).unwrap();
        (outcome, frontier, scenarios.returns().to_vec())
    }

    #[test]
    fn a_slate_its_frontier_and_what_is_infeasible_are_sound() {
        let hostile = "<script>alert(1)</script>";
        let (outcome, found, returns) = returns([hostile, "Calm"]);
        let chosen = Chosen { forecasts: vec![], returns, outcome, next: None };
        let text = whole(&chosen, 100e6, &serde_json::json!({ "projects": [] })).into_string();
        check::fragment(&text);
        assert!(!text.contains("<script>alert") && text.contains("P(loss)"), "{text}");
        let text = frontier(&found).into_string();
        check::fragment(&text);
        assert!(!text.contains("<script>alert"), "{text}");
        let none = Infeasible { enough: Enough::AnyOne, fixes: vec![], complete: false };
        check::fragment(&infeasible(&none).into_string());
        check::fragment(&undecided(None).into_string());
    }
}
