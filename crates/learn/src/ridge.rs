//! A regularised linear member: standardised features, one ridge penalty chosen by generalised
//! cross-validation (Golub, Heath & Wahba 1979).
//!
//! Missing and odd values count as [`Standard`] says. The model is a sum of one-feature terms, so its Shapley
//! values are exact: each feature's term less the term's mean over the reference rows.

use crate::dataset::{Dataset, Features};
use crate::error::{LearnError, require};
use crate::standard::Standard;
use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

/// A description of ridge regression.
///
/// ```
/// use marquee_learn::RidgeSpec;
///
/// assert!(RidgeSpec::default().penalties.iter().all(|&p| p > 0.0));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RidgeSpec {
    /// Penalties to choose from, each above 0: multiples of the total row weight on standardised features.
    pub penalties: Vec<f64>,
    /// How many standard deviations from its mean a value may count, above 0.
    pub clip: f64,
}

impl Default for RidgeSpec {
    fn default() -> Self {
        let penalties = (0..21).map(|k| 10f64.powf(-4.0 + 0.25 * f64::from(k))).collect();
        Self { penalties, clip: 4.0 }
    }
}

/// One feature's share of a fitted ridge regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Term {
    input: Standard,
    /// In target units for each standard deviation.
    coefficient: f64,
}

/// A fitted ridge regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedRidge {
    intercept: f64,
    clip: f64,
    penalty: f64,
    terms: Vec<Term>,
}

impl RidgeSpec {
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        require(!self.penalties.is_empty(), "ridge penalties", "empty", "at least one")?;
        for &p in &self.penalties {
            require(p > 0.0 && p.is_finite(), "ridge penalty", p, "above 0 and finite")?;
        }
        require(self.clip > 0.0, "ridge clip", self.clip, "above 0")
    }

    pub(crate) fn fit(&self, data: &Dataset, rows: &[usize]) -> Result<FittedRidge, LearnError> {
        self.check()?;
        let w = data.weights(rows);
        let total: f64 = w.iter().sum();
        let y = data.targets(rows);
        let mut intercept = y.iter().zip(&w).map(|(y, w)| y * w).sum::<f64>() / total;
        let mut terms: Vec<Term> = Vec::new();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut shifts: Vec<f64> = Vec::new();
        for column in data.features().grouped() {
            let values: Vec<f64> = rows.iter().map(|&i| data.column(column)[i]).collect();
            let input = Standard::learn(column, &values, &w);
            let mut z: Vec<f64> = values.iter().map(|&v| input.z(v, self.clip)).collect();
            // Clipping moves the mean of what the solver sees; the intercept takes that up below.
            let shift = z.iter().zip(&w).map(|(z, w)| z * w).sum::<f64>() / total;
            z.iter_mut().for_each(|z| *z -= shift);
            terms.push(Term { input, coefficient: 0.0 });
            shifts.push(shift);
            columns.push(z);
        }
        let centred: Vec<f64> = y.iter().map(|y| y - intercept).collect();
        let (penalty, coefficients) = self.solve(&columns, &centred, &w)?;
        for ((term, coefficient), shift) in terms.iter_mut().zip(coefficients).zip(shifts) {
            term.coefficient = coefficient;
            intercept -= coefficient * shift;
        }
        Ok(FittedRidge { intercept, clip: self.clip, penalty, terms })
    }

    /// The penalty of least generalised cross-validation error and its coefficients, from one eigenvalue
    /// decomposition of the weighted correlation matrix.
    fn solve(&self, x: &[Vec<f64>], y: &[f64], w: &[f64]) -> Result<(f64, Vec<f64>), LearnError> {
        let p = x.len();
        let total: f64 = w.iter().sum();
        let dot = |a: &[f64], b: &[f64]| (0..w.len()).map(|i| a[i] * b[i] * w[i]).sum::<f64>() / total;
        let mut gram = Mat::<f64>::zeros(p, p);
        for i in 0..p {
            for j in 0..=i {
                gram[(i, j)] = dot(&x[i], &x[j]);
                gram[(j, i)] = gram[(i, j)];
            }
        }
        let eigen = gram.self_adjoint_eigen(Side::Lower).map_err(|error| LearnError::Fit {
            what: "ridge",
            reason: format!("the correlation matrix has no eigenvalue decomposition ({error:?})"),
        })?;
        let values: Vec<f64> = (0..p).map(|k| eigen.S()[k].max(0.0)).collect();
        let moments: Vec<f64> = x.iter().map(|x| dot(x, y)).collect();
        let along: Vec<f64> = (0..p).map(|k| (0..p).map(|j| eigen.U()[(j, k)] * moments[j]).sum()).collect();
        let variance = dot(y, y);
        let n = y.len() as f64;
        let error = |penalty: f64| {
            let mut explained = 0.0;
            let mut freedom = 1.0;
            for (d, c) in values.iter().zip(&along) {
                let b = c / (d + penalty);
                explained += 2.0 * b * c - b * b * d;
                freedom += d / (d + penalty);
            }
            (variance - explained) / (1.0 - freedom / n).max(1e-3).powi(2)
        };
        let best = |a: &f64, b: &f64| error(*a).total_cmp(&error(*b));
        let penalty = self.penalties.iter().copied().min_by(best).unwrap_or(1.0);
        let coefficients = (0..p)
            .map(|j| (0..p).map(|k| eigen.U()[(j, k)] * along[k] / (values[k] + penalty)).sum())
            .collect();
        Ok((penalty, coefficients))
    }
}

impl FittedRidge {
    /// The penalty that was chosen.
    pub fn penalty(&self) -> f64 {
        self.penalty
    }

    /// The prediction for one row.
    ///
    /// # Panics
    /// If the row is shorter than the rows that the model was fitted on.
    pub fn predict(&self, row: &[f64]) -> f64 {
        self.intercept + self.terms.iter().map(|term| self.effect(term, row)).sum::<f64>()
    }

    fn effect(&self, term: &Term, row: &[f64]) -> f64 {
        term.coefficient * term.input.of(row, self.clip)
    }

    /// The mean effect of each term over the references.
    pub(crate) fn reference_effects(&self, references: &[Vec<f64>]) -> Vec<f64> {
        let n = references.len().max(1) as f64;
        self.terms.iter().map(|t| references.iter().map(|r| self.effect(t, r)).sum::<f64>() / n).collect()
    }

    /// The prediction where every term has its mean effect.
    pub(crate) fn base(&self, effects: &[f64]) -> f64 {
        self.intercept + effects.iter().sum::<f64>()
    }

    /// Adds `weight` times each group's Shapley value to `into`.
    pub(crate) fn explain(
        &self,
        effects: &[f64],
        features: &Features,
        row: &[f64],
        weight: f64,
        into: &mut [f64],
    ) {
        for (term, effect) in self.terms.iter().zip(effects) {
            if let Some(group) = features.group_of(usize::from(term.input.column)) {
                into[group] += weight * (self.effect(term, row) - effect);
            }
        }
    }

    /// Adds `weight` times what each feature adds to `into`.
    pub(crate) fn explain_features(&self, effects: &[f64], row: &[f64], weight: f64, into: &mut [f64]) {
        for (term, effect) in self.terms.iter().zip(effects) {
            into[usize::from(term.input.column)] += weight * (self.effect(term, row) - effect);
        }
    }

    /// Whether decoded parts are finite and name existing columns.
    pub(crate) fn is_well_formed(&self, features: &Features) -> bool {
        let fine = |t: &Term| {
            let known = features.group_of(usize::from(t.input.column)).is_some();
            known && t.input.is_finite() && t.coefficient.is_finite()
        };
        self.intercept.is_finite() && self.clip > 0.0 && self.terms.iter().all(fine)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::dataset::Example;

    fn line(n: i32) -> Dataset {
        let features =
            Features::new([("x", Some("a")), ("u", Some("b")), ("same", Some("b")), ("id", None)]).unwrap();
        let mut data = Dataset::new(features);
        for i in 0..n {
            let (x, u) = (f64::from(i % 17), f64::from(i * 7 % 13));
            data.push(&[x, u, 4.0, f64::from(i)], Example::new(i, i, 3.0 * x - u + 5.0)).unwrap();
        }
        data
    }

    #[test]
    fn a_noiseless_line_is_found() {
        let data = line(400);
        let rows: Vec<usize> = (0..400).collect();
        let ridge = RidgeSpec { penalties: vec![1e-9, 1.0], clip: 9.0 }.fit(&data, &rows).unwrap();
        assert_eq!(ridge.penalty(), 1e-9);
        assert!((ridge.predict(&[10.0, 2.0, 4.0, 0.0]) - 33.0).abs() < 1e-5);
        let middle = ridge.predict(&[f64::NAN, 2.0, 4.0, f64::NAN]);
        let mean_x = (0..400).map(|i| f64::from(i % 17)).sum::<f64>() / 400.0;
        assert!((middle - (3.0 * mean_x + 3.0)).abs() < 1e-5);
    }

    #[test]
    fn drivers_add_up() {
        let data = line(200);
        let rows: Vec<usize> = (0..200).collect();
        let ridge = RidgeSpec::default().fit(&data, &rows).unwrap();
        let references: Vec<Vec<f64>> = (0..5).map(|i| data.row(i * 40)).collect();
        let effects = ridge.reference_effects(&references);
        let row = [1.0, f64::NAN, 2.0, 9.0];
        let mut phi = [0.0; 2];
        ridge.explain(&effects, data.features(), &row, 1.0, &mut phi);
        let total = ridge.base(&effects) + phi[0] + phi[1];
        assert!((total - ridge.predict(&row)).abs() < 1e-12);
    }
}
