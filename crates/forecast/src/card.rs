//! Model cards (Mitchell et al., *Model Cards for Model Reporting*, 2019): what a model learned from, how it did on films
//! that it had not learned from yet, for whom it errs, and what moves it.
//!
//! Errors are out of fold: each film was predicted by members that knew only what was known before its block of time.
//! They are a little kinder than a backtest's, because the weights that join the members were chosen on them.

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
}

/// The fewest films of a word whose errors are told apart.
const FEWEST: usize = 25;
/// The kinds of word by which errors are told apart.
const KINDS: [FactKind; 3] = [FactKind::Genre, FactKind::Language, FactKind::Country];
/// How many films the drivers are averaged over.
const DRIVEN: usize = 100;

impl Errors {
    /// Of natural logs; all NaN but `n` where there are none.
    fn of(pairs: &[(f64, f64)]) -> Self {
        let (actual, predicted): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let n = pairs.len() as f64;
        let bias = pairs.iter().map(|(y, p)| p - y).sum::<f64>() / n;
        let spread = pairs.iter().map(|(y, p)| (p - y - bias).powi(2)).sum::<f64>() / n;
        Self {
            n: pairs.len(),
            bias,
            bias_error: (spread / n).sqrt(),
            rmse: metrics::rmse(&actual, &predicted),
            median_ape: metrics::median_ape(&actual, &predicted),
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
        let pair = |j: &Judged| (measure.log(data.examples()[j.row].target), measure.log(j.predicted));
        let pairs: Vec<(f64, f64)> = judged.iter().map(pair).collect();
        let edges = ensemble.tier_edges();
        let tier = |j: &Judged| edges.iter().filter(|edge| j.predicted >= **edge).count();
        let mut tiers: Vec<Vec<(f64, f64)>> = vec![Vec::new(); edges.len() + 1];
        let mut words: BTreeMap<(FactKind, &str), Vec<(f64, f64)>> = BTreeMap::new();
        for (j, pair) in judged.iter().zip(&pairs) {
            tiers[tier(j)].push(*pair);
            for kind in KINDS {
                for word in panel.raws[rows[j.row]].words(kind) {
                    words.entry((kind, word)).or_default().push(*pair);
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
            errors: Errors::of(&pairs),
            tiers: tiers.iter().map(|pairs| Errors::of(pairs)).collect(),
            words: words
                .into_iter()
                .filter(|(_, pairs)| pairs.len() >= FEWEST)
                .map(|((kind, word), pairs)| (kind, word.to_owned(), Errors::of(&pairs)))
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
        let (_, logs) = measure.logs(learned.base, &learned.contributions);
        sizes.iter_mut().zip(logs).for_each(|(size, log)| *size += log.abs() / count as f64);
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
        let errors = Errors::of(&[(1.0, 1.0 + two), (2.0, 2.0 + two), (3.0, 3.0 + two), (4.0, 4.0)]);
        assert!((errors.bias - 0.75 * two).abs() < 1e-12 && errors.n == 4);
        assert!((errors.median_ape - 1.0).abs() < 1e-12);
        assert!((errors.rmse - (0.75f64).sqrt() * two).abs() < 1e-12);
        // The standard deviation is √(3/16)·ln 2, its error half of that.
        assert!((errors.bias_error - (3.0f64 / 16.0).sqrt() * two / 2.0).abs() < 1e-12);
        assert!(Errors::of(&[]).rmse.is_nan());
    }
}
