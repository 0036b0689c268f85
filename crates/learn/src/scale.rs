//! How wide a forecast's distribution is for a row: a small boosted model of the absolute error out of fold.
//!
//! It learns the square root of the absolute error, whose noise is even and light-tailed (Cleveland's
//! spread-location plot, 1993), from the features and the forecast, and is held within a range about the
//! typical error.

use crate::boosting::BoostingSpec;
use crate::control::Steps;
use crate::dataset::{Dataset, Example, Features};
use crate::error::LearnError;
use crate::tree::Trees;
use serde::{Deserialize, Serialize};

/// Rows below which widths are not modelled.
const LEAST_ROWS: usize = 120;

/// A fitted scale: in target units, always above zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FittedScale {
    /// Over the features and, after them, the forecast; predicts the root of the absolute error.
    trees: Trees,
    low: f64,
    high: f64,
}

/// Absolute errors to learn from.
pub(crate) struct Errors {
    /// The features of each row and, last, its forecast.
    table: Dataset,
    typical: f64,
}

impl Errors {
    /// Errors of forecasts `centres` for these rows of `data`.
    pub(crate) fn new(
        data: &Dataset,
        rows: &[usize],
        centres: &[f64],
        weights: &[f64],
    ) -> Result<Self, LearnError> {
        let known = data.features();
        let group = |j: usize| known.group_of(j).map(|g| known.groups()[g].clone());
        // Groups do not matter here but their absence does: what no group holds must move nothing.
        let forecast = (unused_name(known), known.groups().first().cloned());
        let columns = (0..known.len()).map(|j| (known.names()[j].clone(), group(j)));
        let mut table = Dataset::new(Features::new(columns.chain([forecast]))?);
        let mut total = 0.0;
        for ((&i, &centre), &weight) in rows.iter().zip(centres).zip(weights) {
            let example = data.examples()[i];
            let error = (example.target - centre).abs();
            total += error;
            let mut row = data.row(i);
            row.push(centre);
            table.push(&row, Example { target: error.sqrt(), weight, ..example })?;
        }
        let typical = (total / rows.len().max(1) as f64).max(1e-9);
        Ok(Self { table, typical })
    }

    /// The scale learnt from these rows of the table, within `range` times and parts of the typical error.
    pub(crate) fn fit(
        &self,
        rows: &[usize],
        trees: usize,
        range: f64,
        seed: u64,
        steps: &Steps<'_>,
    ) -> Result<FittedScale, LearnError> {
        let (low, high) = (self.typical / range, self.typical * range);
        if trees == 0 || rows.len() < LEAST_ROWS {
            return Ok(FittedScale { trees: Trees::constant(self.typical.sqrt()), low, high });
        }
        let spec = BoostingSpec {
            seeds: 1,
            trees,
            learning_rate: 0.05,
            max_depth: 3,
            min_leaf_weight: (rows.len() as f32 / 40.0).max(20.0),
            l2: 20.0,
            bins: 32,
            ..BoostingSpec::default()
        };
        Ok(FittedScale { trees: spec.fit(&self.table, rows, seed, steps)?, low, high })
    }

    /// The scale of a row of the table.
    pub(crate) fn scale(&self, fitted: &FittedScale, row: usize) -> f64 {
        fitted.of(&self.table.row(row))
    }
}

fn unused_name(features: &Features) -> String {
    let mut name = String::from("forecast");
    while features.position(&name).is_some() {
        name.push('_');
    }
    name
}

impl FittedScale {
    /// The scale of a row whose forecast is `centre`.
    pub(crate) fn predict(&self, row: &[f64], centre: f64) -> f64 {
        if self.trees.is_empty() {
            return self.of(row);
        }
        let mut wide = Vec::with_capacity(row.len() + 1);
        wide.extend_from_slice(row);
        wide.push(centre);
        self.of(&wide)
    }

    fn of(&self, row: &[f64]) -> f64 {
        let root = self.trees.predict(row).max(0.0);
        (root * root).clamp(self.low, self.high)
    }

    pub(crate) fn is_well_formed(&self, features: usize) -> bool {
        self.trees.is_well_formed(features + 1)
            && self.low > 0.0
            && self.low <= self.high
            && self.high.is_finite()
    }
}
