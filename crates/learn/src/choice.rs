//! Which of a set is chosen: conditional logit (McFadden 1974), by Newton's method with a ridge penalty of its own for each
//! coefficient.
//!
//! The probabilities of a set's alternatives sum to one. A yes-or-no question is a set of two whose second alternative is an
//! empty row: that is logistic regression. Coefficients that belong to groups of rows and lie close to common ones are two
//! columns for each number, the common one and that of the group, with a larger penalty on the second.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

use crate::error::{LearnError, require};

/// An alternative: its columns that are not zero, each with its value.
pub type Alternative = Vec<(usize, f64)>;

/// A set of which something was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct ChoiceSet {
    /// What there was to choose from.
    pub alternatives: Vec<Alternative>,
    /// Which share of the choice each has: they sum to one.
    pub chosen: Vec<f64>,
    /// How much the set counts, above 0.
    pub weight: f64,
}

/// A description of a conditional logit: one penalty, above 0, for each column.
#[derive(Debug, Clone, PartialEq)]
pub struct ChoiceSpec {
    /// Half of it times the coefficient's square is taken from the log-likelihood.
    pub penalties: Vec<f64>,
}

/// A fitted conditional logit.
///
/// ```
/// use marquee_learn::{ChoiceSet, ChoiceSpec};
///
/// // Of two, that with the larger number is chosen three times in four.
/// let set = |chosen: f64| ChoiceSet {
///     alternatives: vec![vec![(0, 1.0)], vec![(0, 0.0)]], chosen: vec![chosen, 1.0 - chosen], weight: 1.0,
/// };
/// let sets: Vec<ChoiceSet> = (0..400).map(|i| set(f64::from(u8::from(i % 4 != 0)))).collect();
/// let fitted = ChoiceSpec { penalties: vec![1e-6] }.fit(&sets)?;
/// let p = fitted.probabilities(&sets[0].alternatives);
/// assert!((p[0] - 0.75).abs() < 1e-6 && (p[0] + p[1] - 1.0).abs() < 1e-12);
/// # Ok::<(), marquee_learn::LearnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedChoice {
    coefficients: Vec<f64>,
}

/// Steps after which a fit is told to have failed: the objective is concave, so that a handful is usual.
const STEPS: usize = 60;

impl ChoiceSpec {
    /// Fits the coefficients.
    ///
    /// # Errors
    /// [`LearnError::Parameter`] for penalties and weights that are not above 0, columns without a penalty, values that are not
    /// finite, and shares below 0 or that do not sum to one; [`LearnError::Length`] for sets whose lengths differ;
    /// [`LearnError::Fit`] where it comes to no end.
    pub fn fit(&self, sets: &[ChoiceSet]) -> Result<FittedChoice, LearnError> {
        self.check(sets)?;
        let mut fitted = FittedChoice { coefficients: vec![0.0; self.penalties.len()] };
        let mut reached = self.objective(&fitted, sets);
        for _ in 0..STEPS {
            let step = self.step(&fitted, sets)?;
            if step.iter().any(|s| !s.is_finite()) {
                let reason = "its numbers are too large to be told apart".to_owned();
                return Err(LearnError::Fit { what: "conditional logit", reason });
            }
            let largest = step.iter().fold(0.0, |most: f64, s| most.max(s.abs()));
            let mut share = 1.0;
            loop {
                let moved = fitted.coefficients.iter().zip(&step).map(|(b, s)| b + share * s);
                let moved = FittedChoice { coefficients: moved.collect() };
                let objective = self.objective(&moved, sets);
                if objective >= reached || share * largest < 1e-10 {
                    (fitted, reached) = (moved, objective);
                    break;
                }
                share *= 0.5;
            }
            if share * largest < 1e-7 {
                return Ok(fitted);
            }
        }
        Err(LearnError::Fit { what: "conditional logit", reason: format!("no end after {STEPS} steps") })
    }

    fn check(&self, sets: &[ChoiceSet]) -> Result<(), LearnError> {
        for p in &self.penalties {
            require(*p > 0.0 && p.is_finite(), "choice penalty", p, "above 0 and finite")?;
        }
        for set in sets {
            require(set.weight > 0.0 && set.weight.is_finite(), "weight of a set", set.weight, "above 0")?;
            let (expected, found) = (set.alternatives.len(), set.chosen.len());
            if expected != found || expected == 0 {
                let what = "shares of a set".into();
                return Err(LearnError::Length { what, expected: expected.max(1), found });
            }
            for share in &set.chosen {
                require(*share >= 0.0, "share of a set", share, "0 or more")?;
            }
            let total: f64 = set.chosen.iter().sum();
            require((total - 1.0).abs() < 1e-9, "sum of a set's shares", total, "1")?;
            for (column, value) in set.alternatives.iter().flatten() {
                require(*column < self.penalties.len(), "column", column, "one with a penalty")?;
                require(value.is_finite(), "value of an alternative", value, "finite")?;
            }
        }
        Ok(())
    }

    /// The penalised log-likelihood.
    fn objective(&self, fitted: &FittedChoice, sets: &[ChoiceSet]) -> f64 {
        let of = |set: &ChoiceSet| {
            let p = fitted.probabilities(&set.alternatives);
            let log: f64 =
                set.chosen.iter().zip(&p).filter(|(t, _)| **t > 0.0).map(|(t, p)| t * p.ln()).sum();
            set.weight * log
        };
        let ridge = self.penalties.iter().zip(&fitted.coefficients).map(|(p, b)| 0.5 * p * b * b);
        sets.iter().map(of).sum::<f64>() - ridge.sum::<f64>()
    }

    /// Newton's step from where the coefficients are.
    fn step(&self, fitted: &FittedChoice, sets: &[ChoiceSet]) -> Result<Vec<f64>, LearnError> {
        let n = self.penalties.len();
        let (mut curvature, mut slope) = (Mat::<f64>::zeros(n, n), Mat::<f64>::zeros(n, 1));
        let mut mean = vec![0.0; n];
        for set in sets {
            let p = fitted.probabilities(&set.alternatives);
            let mut touched: Vec<usize> = Vec::new();
            for ((alternative, p), t) in set.alternatives.iter().zip(&p).zip(&set.chosen) {
                for (i, (column, value)) in alternative.iter().enumerate() {
                    slope[(*column, 0)] += set.weight * (t - p) * value;
                    mean[*column] += p * value;
                    touched.push(*column);
                    for (other, times) in &alternative[..=i] {
                        let (row, column) = (*column.max(other), *column.min(other));
                        curvature[(row, column)] += set.weight * p * value * times;
                    }
                }
            }
            touched.sort_unstable();
            touched.dedup();
            for (i, row) in touched.iter().enumerate() {
                for column in &touched[..=i] {
                    curvature[(*row, *column)] -= set.weight * mean[*row] * mean[*column];
                }
            }
            touched.iter().for_each(|column| mean[*column] = 0.0);
        }
        for (i, (penalty, b)) in self.penalties.iter().zip(&fitted.coefficients).enumerate() {
            curvature[(i, i)] += penalty;
            slope[(i, 0)] -= penalty * b;
        }
        let solver = curvature.llt(Side::Lower).map_err(|error| LearnError::Fit {
            what: "conditional logit",
            reason: format!("its curvature has no Cholesky decomposition ({error:?})"),
        })?;
        let step = solver.solve(&slope);
        Ok((0..n).map(|i| step[(i, 0)]).collect())
    }
}

impl FittedChoice {
    /// The coefficients, in the order of the columns.
    #[must_use]
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// An alternative's sum of its values times their coefficients; columns without one count nothing.
    #[must_use]
    pub fn logit(&self, alternative: &Alternative) -> f64 {
        alternative.iter().filter_map(|(column, value)| Some(self.coefficients.get(*column)? * value)).sum()
    }

    /// The probability of each alternative of a set: they sum to one.
    #[must_use]
    pub fn probabilities(&self, alternatives: &[Alternative]) -> Vec<f64> {
        let logits: Vec<f64> = alternatives.iter().map(|a| self.logit(a)).collect();
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let odds: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
        let total: f64 = odds.iter().sum();
        odds.iter().map(|odds| odds / total).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn set(values: &[f64], chosen: usize) -> ChoiceSet {
        ChoiceSet {
            alternatives: values.iter().map(|v| vec![(0, *v), (1, v * v)]).collect(),
            chosen: (0..values.len()).map(|i| f64::from(u8::from(i == chosen))).collect(),
            weight: 1.0,
        }
    }

    proptest! {
        /// At the top the penalised slope is zero, whichever column is looked at.
        #[test]
        fn the_slope_vanishes_where_it_ends(
            sets in prop::collection::vec((prop::collection::vec(-3.0..3.0f64, 3), 0..3usize), 5..40),
            penalty in 0.1..5.0f64,
        ) {
            let sets: Vec<ChoiceSet> = sets.iter().map(|(values, chosen)| set(values, *chosen)).collect();
            let spec = ChoiceSpec { penalties: vec![penalty; 2] };
            let fitted = spec.fit(&sets).unwrap();
            let at = |shift: [f64; 2]| {
                let moved = fitted.coefficients.iter().zip(shift).map(|(b, s)| b + s).collect();
                spec.objective(&FittedChoice { coefficients: moved }, &sets)
            };
            for shift in [[1e-3, 0.0], [-1e-3, 0.0], [0.0, 1e-3], [0.0, -1e-3]] {
                prop_assert!(at(shift) < at([0.0, 0.0]));
            }
        }
    }

    /// Logistic regression of `0 0 1 0 1 1` on `0 1 2 3 4 5`, by reweighted least squares in NumPy.
    #[test]
    fn a_set_of_two_is_logistic_regression() {
        let sets: Vec<ChoiceSet> = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]
            .into_iter()
            .zip(0..)
            .map(|(y, x): (f64, u8)| ChoiceSet {
                alternatives: vec![vec![(0, 1.0), (1, f64::from(x))], vec![]],
                chosen: vec![y, 1.0 - y],
                weight: 1.0,
            })
            .collect();
        let fitted = ChoiceSpec { penalties: vec![1e-9; 2] }.fit(&sets).unwrap();
        let b = fitted.coefficients();
        assert!((b[0] + 3.035_069).abs() < 1e-5 && (b[1] - 1.214_028).abs() < 1e-5, "{b:?}");
    }

    #[test]
    fn what_is_no_choice_is_refused() {
        let spec = ChoiceSpec { penalties: vec![1.0] };
        assert!(spec.fit(&[set(&[1.0, 2.0], 0)]).is_err(), "a column without a penalty");
        let lacking = ChoiceSet { chosen: vec![0.5, 0.2], alternatives: vec![vec![], vec![]], weight: 1.0 };
        assert!(spec.fit(&[lacking]).is_err());
        let more = ChoiceSet { chosen: vec![2.0, -1.0], alternatives: vec![vec![], vec![]], weight: 1.0 };
        assert!(spec.fit(&[more]).is_err() && ChoiceSpec { penalties: vec![0.0] }.fit(&[]).is_err());
        assert_eq!(spec.fit(&[]).unwrap().coefficients(), [0.0]);
    }
}
