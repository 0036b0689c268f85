//! The way from a gross to a profit, gross-implied: break-even, the chance to pass it, the profit as a distribution.

use marquee_app::types::ProjectReturn;
use marquee_domain::Money;
use maud::{Markup, html};

use super::charts::{self, Chart, Height, chart};
use super::parts::{Column, Tone, chance, notice, table, tile, tiles};
use super::range::{Axis, range};
use super::words::{change, money, percent};

/// What is said wherever a profit is shown.
pub(crate) const IMPLIED: &str =
    "Gross-implied: reckoned from a gross through assumed deal terms. Nobody's books were seen.";

/// Profit of one project, by its forecast and the deal in force.
pub(crate) fn money_of(returns: &ProjectReturn) -> Markup {
    let profit = returns.profit.map(Money::major);
    let axis = Axis::linear([&profit]).with(Some(0.0));
    let break_even = returns.break_even.0.major();
    let above = returns.above_break_even.get();
    html! {
        (tiles(html! {
            (tile("Breaks even at", &money(break_even), html! {
                span.soft.small { "worldwide gross; passed with a chance of " (percent(above)) }
            }))
            (tile("Profit, middle", &money(profit[3]), html! {
                (range(&profit, None, axis))
                span.soft.small { "5–95%: " (money(profit[0])) " to " (money(profit[6])) }
            }))
            (chance("P(loss)", returns.loss_probability.get()))
            (tile("Mean return", &change(returns.mean_roi.0), html! {
                span.soft.small { "of what it costs; half of outcomes from " (change(returns.roi[2].0)) " to " (change(returns.roi[4].0)) }
            }))
        }))
        (profit_chart(&[("Profit", profit)], returns))
        (notice(Tone::Wait, html! {
            p { strong { "Assumptions. " } (IMPLIED) " It costs " (money(returns.budget.0.major())) " to make and " (money(returns.marketing.0.major())) " to market"
                @if returns.marketing_assumed { " (assumed by the deal's rule)" } "." }
        }))
    }
}

/// The profits of one project, or of one before and after a change, over each other.
pub(crate) fn profit_chart(series: &[(&str, [f64; 7])], returns: &ProjectReturn) -> Markup {
    let loss = percent(returns.loss_probability.get());
    let last = series.last().map_or([0.0; 7], |(_, q)| *q);
    chart(&Chart {
        caption: "Profit".to_owned(),
        finding: format!(
            "Profit lies between {} and {} in nine cases of ten, around {}; it is a loss with a chance of {loss}.",
            money(last[0]),
            money(last[6]),
            money(last[3])
        ),
        spec: charts::densities(series, false, &[("no gain, no loss", 0.0)]),
        numbers: levels("Profit by level", series),
        height: Height::Low,
    })
}

/// Quantiles as a table: a row a series, a column a level.
pub(crate) fn levels(caption: &str, series: &[(&str, [f64; 7])]) -> Markup {
    let columns: Vec<Column<'_>> = std::iter::once(Column::text(""))
        .chain(["5%", "10%", "25%", "50%", "75%", "90%", "95%"].map(Column::number))
        .collect();
    table(
        caption,
        &columns,
        html! {
            @for (name, quantiles) in series {
                tr { th scope="row" { (name) } @for q in quantiles { td.number { (money(*q)) } } }
            }
        },
    )
}
