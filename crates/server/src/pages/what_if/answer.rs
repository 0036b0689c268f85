//! What would be, beside what is: the distributions over each other, the change in words, the groups that moved, and what
//! the model does not see.

use marquee_app::types::{Change, ProjectReturn, Unheard};
use marquee_app::use_cases::forecast::Answer;
use marquee_domain::{Forecast, Money, Population};
use maud::{Markup, html};

use super::super::charts::{self, Chart, Height, chart};
use super::super::parts::{Column, Tone, drivers, group, hero, notice, table, tile, tiles};
use super::super::range::{Axis, range};
use super::super::returns::{IMPLIED, levels, money_of, profit_chart};
use super::super::words::{self, capital, change, date, money, percent, signed};

/// Effects under this are not worth a line: half a percent.
const SMALL: f64 = 0.005;

/// One side of a comparison.
#[derive(Clone, Copy)]
struct Side<'a> {
    forecast: &'a Forecast,
    returns: Option<&'a ProjectReturn>,
}

/// A title as it is, and with changes made.
pub(super) fn of_title(answer: &Answer, changes: &[Change]) -> Markup {
    let before = Side { forecast: &answer.forecast, returns: answer.returns.as_ref() };
    let Some(changed) = &answer.what_if else {
        return html! { div.stack { (alone(before)) (terms(before.forecast)) } };
    };
    let after = Side { forecast: &changed.forecast, returns: changed.returns.as_ref() };
    let unseen: Vec<String> = changed
        .unseen
        .iter()
        .map(|change| {
            format!(
                "This model does not tell {} {} from what it was",
                words::kind(change.kind()).to_lowercase(),
                change.value()
            )
        })
        .collect();
    html! {
        div.stack {
            (beside(before, after))
            p.section-note { "Changed: " (changes.iter().map(|c| format!("{} to {}", words::kind(c.kind()).to_lowercase(), told(c))).collect::<Vec<_>>().join("; ")) "." }
            (not_seen(&unseen, &changed.unheard))
            (terms(after.forecast))
        }
    }
}

/// A project, beside what was kept of it.
pub(super) fn of_project(before: Option<&Answer>, after: &Answer, keep: &str) -> Markup {
    let side = |answer| -> Side<'_> { side_of(answer) };
    let people = after.forecast.population != Population::Credited;
    let unseen = if people {
        vec!["Directors and cast: models of credited films alone look at people".to_owned()]
    } else {
        Vec::new()
    };
    html! {
        div.stack {
            @match before {
                Some(before) => (beside(side(before), side(after))),
                None => (alone(side(after))),
            }
            p.row.no-print { a.button href=(keep) { "Keep this, and compare further changes with it" } }
            (not_seen(&unseen, &after.unheard))
            (terms(&after.forecast))
        }
    }
}

fn side_of(answer: &Answer) -> Side<'_> {
    Side { forecast: &answer.forecast, returns: answer.returns.as_ref() }
}

fn alone(side: Side<'_>) -> Markup {
    let f = side.forecast;
    html! {
        section {
            h2 { (words::target(f.target)) @if !f.target.is_opening() { " gross" } }
            div.answer { (hero(&f.distribution, None)) }
            (density(&[("As it is", f.distribution.quantiles())], f))
        }
        @if let Some(returns) = side.returns { section { h2 { "Money" } (money_of(returns)) } }
        section { h2 { "Why" } (drivers(f)) }
    }
}

fn beside(before: Side<'_>, after: Side<'_>) -> Markup {
    let (old, new) = (before.forecast.distribution.quantiles(), after.forecast.distribution.quantiles());
    let axis = Axis::logs([&old, &new]);
    let side = |label: &str, q: &[f64; 7]| {
        tile(
            label,
            &money(q[3]),
            html! { (range(q, None, axis)) span.soft.small { (super::super::range::ends(q)) } },
        )
    };
    html! {
        section {
            h2 { (words::target(after.forecast.target)) @if !after.forecast.target.is_opening() { " gross" } ": the middle " (change(new[3] / old[3] - 1.0)) }
            (tiles(html! { (side("As it is", &old)) (side("Changed", &new)) (profit_tile(before.returns, after.returns)) }))
            (density(&[("As it is", old), ("Changed", new)], after.forecast))
        }
        @if let (Some(old), Some(new)) = (before.returns, after.returns) { (profits(old, new)) }
        (moved(before.forecast, after.forecast))
    }
}

fn profit_tile(before: Option<&ProjectReturn>, after: Option<&ProjectReturn>) -> Markup {
    let (Some(before), Some(after)) = (before, after) else { return html! {} };
    let chance = |r: &ProjectReturn| 1.0 - r.loss_probability.get();
    let figure = format!("{} → {}", percent(chance(before)), percent(chance(after)));
    tile(
        "P(profit)",
        &figure,
        html! {
            span.soft.small { "mean return " (change(before.mean_roi.0)) " → " (change(after.mean_roi.0)) ", gross-implied" }
        },
    )
}

fn density(series: &[(&str, [f64; 7])], f: &Forecast) -> Markup {
    let last = series.last().map_or([0.0; 7], |(_, q)| *q);
    let moved = match series {
        [(_, old), (_, new)] => format!(
            " The middle moves from {} to {}, {}.",
            money(old[3]),
            money(new[3]),
            change(new[3] / old[3] - 1.0)
        ),
        _ => String::new(),
    };
    let caption = format!("How likely each {} is", words::gross(f.target));
    chart(&Chart {
        finding: format!(
            "Nine outcomes of ten lie between {} and {}.{moved}",
            money(last[0]),
            money(last[6])
        ),
        spec: charts::densities(series, true, &[]),
        numbers: levels(&caption, series),
        caption,
        height: Height::Low,
    })
}

fn profits(before: &ProjectReturn, after: &ProjectReturn) -> Markup {
    let [old, new] = [before, after].map(|r| r.profit.map(Money::major));
    html! {
        section {
            h2 { "Profit: the middle " (signed(new[3] - old[3])) }
            (profit_chart(&[("As it is", old), ("Changed", new)], after))
            p.section-note { (IMPLIED) " It breaks even at " (money(before.break_even.0.major())) " as it is and at " (money(after.break_even.0.major())) " changed, worldwide." }
        }
    }
}

/// A group of drivers before and after: its effect in natural logs and in dollars.
struct Group<'a> {
    name: &'a str,
    old: (f64, f64),
    new: (f64, f64),
}

impl Group<'_> {
    /// By what it moves the middle, in natural logs.
    fn log(&self) -> f64 {
        self.new.0 - self.old.0
    }
}

/// The groups that moved by half a percent or more, most first.
fn groups<'a>(before: &'a Forecast, after: &'a Forecast) -> Vec<Group<'a>> {
    let of = |f: &Forecast, name: &str| {
        f.drivers.iter().find(|d| d.group == name).map_or((0.0, 0.0), |d| (d.log_effect, d.effect_usd))
    };
    let names = after.drivers.iter().chain(&before.drivers).map(|d| d.group.as_str());
    let mut found: Vec<Group<'_>> = Vec::new();
    for name in names {
        if found.iter().all(|group| group.name != name) {
            found.push(Group { name, old: of(before, name), new: of(after, name) });
        }
    }
    found.retain(|group| group.log().abs() >= SMALL);
    found.sort_by(|a, b| b.log().abs().total_cmp(&a.log().abs()));
    found
}

/// The groups of drivers that moved.
fn moved(before: &Forecast, after: &Forecast) -> Markup {
    let found = groups(before, after);
    let Some(most) = found.first() else {
        let said = html! { p { "No group of drivers moved by as much as half a percent." } };
        return notice(Tone::Plain, said);
    };
    let columns = [
        Column::text("Group"),
        Column::number("As it is"),
        Column::number("Changed"),
        Column::number("Moves the middle by"),
    ];
    let rows = html! {
        @for moved in &found {
            tr {
                th scope="row" { (group(moved.name)) }
                td.number { "×" (format!("{:.2}", moved.old.0.exp())) }
                td.number { "×" (format!("{:.2}", moved.new.0.exp())) }
                td.number { (change(moved.log().exp_m1())) }
            }
        }
    };
    let numbers = table("Groups that moved", &columns, rows);
    let effects: Vec<(String, f64)> =
        found.iter().map(|moved| (group(moved.name), moved.new.1 - moved.old.1)).collect();
    let finding = format!("{} moves the middle most, by {}.", group(most.name), change(most.log().exp_m1()));
    let caption = "What moves the middle, in dollars".to_owned();
    let (spec, height) = (charts::bars(&effects), Height::of_bars(effects.len()));
    html! {
        section {
            h2 { "By way of" }
            (chart(&Chart { caption, finding, spec, numbers, height }))
        }
    }
}

fn not_seen(unseen: &[String], unheard: &[Unheard]) -> Markup {
    if unseen.is_empty() && unheard.is_empty() {
        return html! {};
    }
    notice(
        Tone::Wait,
        html! {
            p { strong { "What the model does not see" } }
            @for line in unseen { p { (line) "." } }
            @for word in unheard { p { (unheard_line(word)) "." } }
        },
    )
}

fn unheard_line(unheard: &Unheard) -> String {
    let Unheard { kind, word, known } = unheard;
    let known = match known.len() {
        0 => String::new(),
        1..=30 => format!("; known are {}", known.join(", ")),
        n => format!("; {n} others are known"),
    };
    format!("No film of the {} “{word}” had settled by then{known}", words::kind(*kind).to_lowercase())
}

fn told(to: &Change) -> String {
    match to {
        Change::Budget(amount) => money(*amount),
        Change::Release(day) => date(*day),
        other => other.value(),
    }
}

fn terms(f: &Forecast) -> Markup {
    html! {
        p.section-note {
            "As known on " (date(f.as_of.0)) " (" (words::horizon(f.horizon)) "), by a model of " (words::population(f.population))
            " trained on outcomes before " (date(f.provenance.trained_before)) ". "
            (capital("films like the changed one did as well as this: no proof that the change would do it.")) " What-ifs are not recorded."
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::super::check;
    use super::super::super::title::hostile_answer as hostile;
    use super::*;
    use marquee_app::use_cases::forecast::WhatIf;
    use marquee_domain::{Distribution, FactKind};

    #[test]
    fn a_change_is_shown_with_its_range_and_what_is_not_seen() {
        let genre = Change::Trait(FactKind::Genre, vec!["<script>alert(1)</script>".into()]);
        let mut changed = hostile().forecast;
        changed.distribution = Distribution::new([2e6, 4e6, 10e6, 24e6, 60e6, 140e6, 240e6]).unwrap();
        changed.drivers[1].log_effect = 0.2;
        let unheard = Unheard { kind: FactKind::Genre, word: "<b>x".into(), known: vec!["Drama".into()] };
        let what_if =
            WhatIf { forecast: changed, returns: None, unseen: vec![genre.clone()], unheard: vec![unheard] };
        let answer = Answer { what_if: Some(what_if), ..hostile() };
        let text = of_title(&answer, &[genre]).into_string();
        check::fragment(&text);
        assert!(text.contains("the middle +100%") && text.contains("What the model does not see"), "{text}");
        assert!(!text.contains("<script>alert") && !text.contains("<b>x"), "{text}");
    }

    #[test]
    fn a_project_stands_alone_or_beside_what_was_kept() {
        let answer = hostile();
        for before in [None, Some(&answer)] {
            let text = of_project(before, &answer, "/what-if?base=\"><script>").into_string();
            check::fragment(&text);
            assert!(text.contains("compare further changes") && !text.contains("\"><script>"), "{text}");
        }
    }
}
