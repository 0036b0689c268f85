//! Model cards (Mitchell et al., *Model Cards for Model Reporting*, 2019): what a model learned from, how it did on films
//! that it had not learned from yet, for whom it errs, and what moves it.
//!
//! Errors are out of fold: each film was predicted by members that knew only what was known before its block of time.
//! They are a little kinder than a backtest's, because the weights that join the members were chosen on them. Ranges are those
//! that the blocks of time before would have given.

use std::collections::BTreeMap;

use marquee_domain::{Day, FactKind};
use marquee_learn::{Dataset, FittedEnsemble, Judged, LearnError, metrics};
use serde::{Deserialize, Serialize};

use crate::model::Measure;
use crate::panel::Panel;

/// What stands on a model's card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The first and the last release that it learned from.
    pub released: (Day, Day),
    /// The first and the last release among those that it is judged on.
    pub judged: (Day, Day),
    /// How it errs on all of these.
    pub errors: Errors,
    /// How it errs by predicted tier, the smallest first.
    pub tiers: Vec<Errors>,
    /// How it errs by a word of the film, for words of at least 25 films: genres, languages, countries.
    pub words: Vec<(FactKind, String, Errors)>,
    /// What moves it: by driver group the mean size of its contribution, natural log, largest first.
    pub drivers: Vec<(String, f64)>,
}

/// How predictions of log gross err.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// How many films.
    pub n: usize,
    /// Mean of ln(predicted over actual): above zero where too much is promised.
    pub bias: f64,
    /// Its standard error: a bias of less than two of these may be chance.
    pub bias_error: f64,
    /// Root mean square error, natural log.
    pub rmse: f64,
    /// Median absolute error as a share of the actual.
    pub median_ape: f64,
    /// Of how many a range is told: those after the first block of time, by what the blocks before had taught.
    pub ranged: usize,
    /// Continuous ranked probability score of these, natural log; NaN of none.
    pub crps: f64,
    /// How often their 10–90% and their 5–95% interval held the actual; NaN of none.
    pub cover: [f64; 2],
}

/// A film that was predicted before it was learned from, natural logs.
#[derive(Debug, Clone, Copy)]
struct Told {
    actual: f64,
    predicted: f64,
    quantiles: Option<[f64; 7]>,
}

/// The fewest films of a word whose errors are told apart.
const FEWEST: usize = 25;
/// The kinds of word by which errors are told apart.
const KINDS: [FactKind; 3] = [FactKind::Genre, FactKind::Language, FactKind::Country];
/// How many films the drivers are averaged over.
const DRIVEN: usize = 100;

impl Errors {
    /// All NaN but the numbers of films where there are none.
    fn of(told: &[Told]) -> Self {
        let (actual, predicted): (Vec<f64>, Vec<f64>) = told.iter().map(|t| (t.actual, t.predicted)).unzip();
        let n = told.len() as f64;
        let bias = told.iter().map(|t| t.predicted - t.actual).sum::<f64>() / n;
        let spread = told.iter().map(|t| (t.predicted - t.actual - bias).powi(2)).sum::<f64>() / n;
        let ranged = told.iter().filter_map(|t| Some((t.actual, t.quantiles?)));
        let (reached, ranges): (Vec<f64>, Vec<[f64; 7]>) = ranged.unzip();
        let at = |i: usize| ranges.iter().map(|q| q[i]).collect::<Vec<f64>>();
        Self {
            n: told.len(),
            bias,
            bias_error: (spread / n).sqrt(),
            rmse: metrics::rmse(&actual, &predicted),
            median_ape: metrics::median_ape(&actual, &predicted),
            ranged: ranges.len(),
            crps: metrics::crps(&reached, &ranges),
            cover: [(1, 5), (0, 6)].map(|(low, high)| metrics::coverage(&reached, &at(low), &at(high))),
        }
    }
}

impl Card {
    /// The card of an ensemble that was fitted on `rows` of a panel, `data` in the same order, and `judged` out of fold.
    pub(crate) fn of(
        (panel, rows, data): (&Panel, &[usize], &Dataset),
        (ensemble, judged): (&FittedEnsemble, &[Judged]),
        measure: Measure,
    ) -> Result<Self, LearnError> {
        let told = |j: &Judged| Told {
            actual: measure.log(data.examples()[j.row].target),
            predicted: measure.log(j.predicted),
            quantiles: j.quantiles.map(|q| q.map(|x| measure.log(x))),
        };
        let all: Vec<Told> = judged.iter().map(told).collect();
        let edges = ensemble.tier_edges();
        let tier = |j: &Judged| edges.iter().filter(|edge| j.predicted >= **edge).count();
        let mut tiers: Vec<Vec<Told>> = vec![Vec::new(); edges.len() + 1];
        let mut words: BTreeMap<(FactKind, &str), Vec<Told>> = BTreeMap::new();
        for (j, told) in judged.iter().zip(&all) {
            tiers[tier(j)].push(*told);
            for kind in KINDS {
                for word in panel.raws[rows[j.row]].words(kind) {
                    words.entry((kind, word)).or_default().push(*told);
                }
            }
        }
        let released = |rows: &mut dyn Iterator<Item = usize>| {
            let days = rows.map(|i| panel.examples[i].release);
            days.fold((Day::MAX, Day::MIN), |(first, last), day| (first.min(day), last.max(day)))
        };
        Ok(Self {
            released: released(&mut rows.iter().copied()),
            judged: released(&mut judged.iter().map(|j| rows[j.row])),
            errors: Errors::of(&all),
            tiers: tiers.iter().map(|told| Errors::of(told)).collect(),
            words: words
                .into_iter()
                .filter(|(_, told)| told.len() >= FEWEST)
                .map(|((kind, word), told)| (kind, word.to_owned(), Errors::of(&told)))
                .collect(),
            drivers: drivers(ensemble, data, measure)?,
        })
    }
}

fn drivers(
    ensemble: &FittedEnsemble,
    data: &Dataset,
    measure: Measure,
) -> Result<Vec<(String, f64)>, LearnError> {
    let groups = ensemble.features().groups();
    let mut sizes = vec![0.0; groups.len()];
    let count = data.len().min(DRIVEN);
    for k in 0..count {
        let row = data.row((2 * k + 1) * data.len() / (2 * count));
        let learned = ensemble.drivers(&row)?;
        let rate = measure.rate(learned.base, learned.contributions.iter().sum());
        let logs = learned.contributions.iter().map(|c| (c * rate).abs());
        sizes.iter_mut().zip(logs).for_each(|(size, log)| *size += log / count as f64);
    }
    let mut found: Vec<(String, f64)> = groups.iter().cloned().zip(sizes).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_which_way_they_lean() {
        // Predicted twice the actual three times, and once right.
        let two = 2f64.ln();
        let told = |actual: f64, over: f64| Told { actual, predicted: actual + over, quantiles: None };
        let mut films = [told(1.0, two), told(2.0, two), told(3.0, two), told(4.0, 0.0)];
        let errors = Errors::of(&films);
        assert!((errors.bias - 0.75 * two).abs() < 1e-12 && errors.n == 4);
        assert!((errors.median_ape - 1.0).abs() < 1e-12);
        assert!((errors.rmse - (0.75f64).sqrt() * two).abs() < 1e-12);
        // The standard deviation is √(3/16)·ln 2, its error half of that.
        assert!((errors.bias_error - (3.0f64 / 16.0).sqrt() * two / 2.0).abs() < 1e-12);
        assert!(Errors::of(&[]).rmse.is_nan() && errors.crps.is_nan());
        // Of two with ranges that end a tenth below and above, one lies within.
        films[1].quantiles = Some([2.0 + two; 7].map(|q| q - 0.1));
        films[3].quantiles = Some([3.9, 3.9, 4.0, 4.0, 4.0, 4.1, 4.1]);
        let errors = Errors::of(&films);
        assert_eq!((errors.ranged, errors.cover), (2, [0.5; 2]));
    }
}
