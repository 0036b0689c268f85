//! Out-of-fold predictions, and what is learnt from their errors: the scale of each row, the
//! residual quantiles.

use crate::calibration::{Calibration, CalibrationSpec, Scored};
use crate::control::Steps;
use crate::dataset::Dataset;
use crate::ensemble::mix_seed;
use crate::error::LearnError;
use crate::scale::{Errors, FittedScale};
use crate::split::Split;
use rayon::prelude::*;

/// Parts by which scales are learnt crosswise, so that no row's own error sets the scale it is divided by.
const SCALE_PARTS: usize = 4;

/// Predictions of every tested row by models that had not seen it.
#[derive(Debug, Clone)]
pub(crate) struct OutOfFold {
    /// Row numbers in the dataset, by fold and then by day.
    pub(crate) rows: Vec<usize>,
    /// Each member's predictions, as `rows`.
    pub(crate) members: Vec<Vec<f64>>,
    /// The stacked predictions, as `rows`.
    pub(crate) centre: Vec<f64>,
}

impl OutOfFold {
    /// Joins `blocks`: for each fold, for each member, a prediction for each tested row.
    pub(crate) fn join(splits: &[Split], blocks: &[Vec<Vec<f64>>], members: usize) -> Self {
        let mut joined = Self { rows: Vec::new(), members: vec![Vec::new(); members], centre: Vec::new() };
        for (split, block) in splits.iter().zip(blocks) {
            joined.rows.extend(&split.test);
            for (all, part) in joined.members.iter_mut().zip(block) {
                all.extend(part);
            }
        }
        joined
    }

    /// The first `n` rows.
    pub(crate) fn first(&self, n: usize) -> Self {
        Self {
            rows: self.rows[..n].to_vec(),
            members: self.members.iter().map(|m| m[..n].to_vec()).collect(),
            centre: self.centre[..n].to_vec(),
        }
    }

    /// Stacks the members.
    pub(crate) fn mix(&mut self, weights: &[f64]) {
        let stacked = |i: usize| self.members.iter().zip(weights).map(|(m, w)| w * m[i]).sum();
        self.centre = (0..self.rows.len()).map(stacked).collect();
    }

    /// Row weights times recency: a row `half_life` days before the last counts half.
    fn recency(&self, data: &Dataset, half_life: Option<f64>) -> Vec<f64> {
        let examples = data.examples();
        let last = self.rows.iter().map(|&i| examples[i].day).max().unwrap_or(0);
        let recent = |i: usize| {
            let age = f64::from(last) - f64::from(examples[i].day);
            half_life.map_or(1.0, |half| 0.5f64.powf(age / half)).max(1e-3)
        };
        self.rows.iter().map(|&i| examples[i].weight.clamp(1e-3, 1e3) * recent(i)).collect()
    }
}

/// The scale model and the residual quantiles of stacked predictions.
pub(crate) fn calibrate(
    oof: &OutOfFold,
    data: &Dataset,
    spec: &CalibrationSpec,
    seed: u64,
    steps: &Steps<'_>,
) -> Result<(FittedScale, Calibration), LearnError> {
    let weights = oof.recency(data, spec.half_life_days);
    let errors = Errors::new(data, &oof.rows, &oof.centre, &weights)?;
    let n = oof.rows.len();
    let fit = |part: Option<usize>| {
        let rows: Vec<usize> = (0..n).filter(|k| part != Some(k % SCALE_PARTS)).collect();
        let place = part.map_or(0, |p| p as u64 + 1);
        let seed = mix_seed(seed ^ 0x5CA1_E000, place);
        errors.fit(&rows, spec.scale_trees, spec.scale_range, seed, steps)
    };
    let crosswise: Vec<FittedScale> =
        (0..SCALE_PARTS).into_par_iter().map(|part| fit(Some(part))).collect::<Result<_, _>>()?;
    let scored = (0..n).map(|k| {
        let residual = data.examples()[oof.rows[k]].target - oof.centre[k];
        let scale = errors.scale(&crosswise[k % SCALE_PARTS], k);
        Scored { centre: oof.centre[k], z: residual / scale, weight: weights[k] }
    });
    let calibration = Calibration::fit(scored.collect(), spec.tiers);
    Ok((fit(None)?, calibration))
}
