//! Drift of a year's films: whether they still look like those of the years before, and whether their outcomes fall where
//! the model said.

use std::ops::RangeInclusive;

use marquee_domain::{Day, Population, Target};
use marquee_learn::drift::{ColumnDrift, DriftSpec, drift as judge};

use crate::error::ForecastError;
use crate::features::ColumnInfo;
use crate::model::FittedModel;
use crate::panel::Panel;

/// The column of the outcomes' places in their forecast distributions.
pub const OUTCOMES: &str = "outcomes";
/// The driver groups whose numbers tell of others than the film: records grow with every year, and calendars fill. No year
/// looks like an earlier one by these, and none is broken for it.
const OF_OTHERS: [&str; 7] =
    ["company", "competition", "distributor", "franchise", "language", "market", "talent"];

/// What was found of a year's films.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// How many earlier films they are set against.
    pub earlier: usize,
    /// How many they are.
    pub new: usize,
    /// What was found of each column that tells of the film itself, and of [`OUTCOMES`], which is first: the share of a year's
    /// outcomes that exceed what was forecast is to be even. The rest by p-value.
    pub columns: Vec<(String, ColumnDrift)>,
}

/// Sets the films of a panel that were released in `new` against those released in `earlier`. The model must not have
/// learned from the new ones.
///
/// # Errors
/// [`ForecastError::TooFew`] where either has fewer than 20; otherwise what the learner says.
pub fn drift(
    panel: &Panel,
    model: &FittedModel,
    (earlier, new): (&RangeInclusive<Day>, &RangeInclusive<Day>),
    spec: DriftSpec,
) -> Result<Drift, ForecastError> {
    let [before, after] = fewest(panel, (model.population(), model.target()), [earlier, new])?;
    let mut names = vec![OUTCOMES.to_owned()];
    let mut columns = vec![(even(before.len()), places(panel, model, &after)?)];
    let rows = |of: &[usize]| of.iter().map(|i| model.row(&panel.raws[*i])).collect::<Vec<_>>();
    let (before, after) = (rows(&before), rows(&after));
    // A category is the film's own.
    let own = |c: &ColumnInfo| c.name.contains('=') || !OF_OTHERS.contains(&c.group);
    for (j, column) in model.columns().into_iter().enumerate().filter(|(_, c)| own(c)) {
        let of = |rows: &[Vec<f64>]| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
        columns.push((of(&before), of(&after)));
        names.push(column.name);
    }
    let pairs: Vec<(&[f64], &[f64])> = columns.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    let mut found: Vec<(String, ColumnDrift)> = names.into_iter().zip(judge(&pairs, spec)?).collect();
    found[1..].sort_by(|a, b| a.1.p_value.total_cmp(&b.1.p_value).then(a.0.cmp(&b.0)));
    Ok(Drift { earlier: before.len(), new: after.len(), columns: found })
}

/// The films of a population that were released in each of two spans.
///
/// # Errors
/// [`ForecastError::TooFew`] where there are fewer than 20 in either.
pub fn fewest(
    panel: &Panel,
    (population, target): (Population, Target),
    spans: [&RangeInclusive<Day>; 2],
) -> Result<[Vec<usize>; 2], ForecastError> {
    const FEWEST: usize = 20;
    let members = panel.members(population, target);
    let found = spans.map(|span| {
        let within = members.iter().copied().filter(|i| span.contains(&panel.examples[*i].release));
        within.collect::<Vec<usize>>()
    });
    for (rows, span) in found.iter().zip(spans) {
        if rows.len() < FEWEST {
            let what = format!("drift from releases of {} to {}", span.start(), span.end());
            return Err(ForecastError::TooFew { what, have: rows.len(), need: FEWEST });
        }
    }
    Ok(found)
}

/// Places of outcomes in their distributions, were these perfect.
fn even(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i as f64 + 0.5) / n as f64).collect()
}

/// The probability that each film's forecast gave to less than its outcome.
fn places(panel: &Panel, model: &FittedModel, rows: &[usize]) -> Result<Vec<f64>, ForecastError> {
    let place = |i: &usize| {
        let (_, distribution) = model.distribution(&panel.raws[*i], panel.origins[*i])?;
        Ok(distribution.probability_below(panel.examples[*i].actual))
    };
    rows.iter().map(place).collect()
}
