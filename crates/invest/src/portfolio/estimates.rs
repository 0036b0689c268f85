//! What is believed of a set of assets: expected returns and their covariance, given as vectors, in factor form, or
//! estimated from prices (`prices`).
//!
//! What is *not* here: any choice between assets. A covariance that was put together pair by pair need not be one: it is
//! then replaced by the nearest that is, in the Frobenius norm (N. J. Higham, "Computing a Nearest Symmetric Positive
//! Semidefinite Matrix", 1988), and the size of the change is kept.

use std::collections::BTreeSet;

use faer::{Mat, Side};
use serde::Serialize;

use super::structure::{add_scaled, dot, times, transposed};
use crate::InvestError;

/// How a covariance is held.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Covariance {
    /// Row after row.
    Dense(Vec<f64>),
    /// G Gᵀ + diag(specific), G an asset a line.
    Factors { loadings: Vec<f64>, specific: Vec<f64> },
}

impl Covariance {
    /// `out = Σ x`.
    pub(super) fn times(&self, x: &[f64], out: &mut [f64]) {
        match self {
            Self::Dense(rows) => times(rows, x, out),
            Self::Factors { loadings, specific } => {
                let sums = transposed(loadings, loadings.len() / x.len().max(1), x);
                times(loadings, &sums, out);
                out.iter_mut().zip(specific).zip(x).for_each(|((o, s), x)| *o += s * x);
            }
        }
    }

    /// The variance of each asset.
    pub(super) fn variances(&self) -> Vec<f64> {
        match self {
            Self::Dense(rows) => {
                let n = (rows.len() as f64).sqrt().round() as usize;
                (0..n).map(|i| rows[i * n + i]).collect()
            }
            Self::Factors { loadings, specific } => {
                let k = loadings.len() / specific.len().max(1);
                let own = |i: usize| &loadings[i * k..(i + 1) * k];
                specific.iter().enumerate().map(|(i, s)| s + dot(own(i), own(i))).collect()
            }
        }
    }
}

/// What making a covariance positive semidefinite changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Repair {
    /// The smallest eigenvalue before, as a fraction of the largest: negative.
    pub smallest_eigenvalue: f64,
    /// The Frobenius norm of the change over that of the matrix.
    pub relative_change: f64,
}

/// Expected returns and their covariance over one period (a year, where they were estimated from prices), simple returns
/// as fractions.
///
/// ```
/// use marquee_invest::portfolio::Estimates;
/// let names = vec!["bonds".to_owned(), "films".to_owned()];
/// let e = Estimates::new(names, vec![0.03, 0.12], vec![0.0025, 0.001, 0.001, 0.09])?;
/// assert!((e.volatility(&[0.0, 1.0]) - 0.3).abs() < 1e-12);
/// assert!(e.repair().is_none());
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates {
    names: Vec<String>,
    mean: Vec<f64>,
    covariance: Covariance,
    repair: Option<Repair>,
}

/// Eigenvalues below minus this fraction of the largest are not rounding.
const ROUNDING: f64 = 1e-10;

impl Estimates {
    /// Estimates from expected returns and a covariance, row after row.
    ///
    /// # Errors
    /// [`InvestError::AssetShape`] where lengths do not agree, [`InvestError::AssetName`] for a name that is blank or
    /// comes twice, [`InvestError::Setting`] for a figure that is not finite or a covariance that is not symmetric.
    pub fn new(names: Vec<String>, mean: Vec<f64>, covariance: Vec<f64>) -> Result<Self, InvestError> {
        let n = names.len();
        check_names(&names)?;
        check_shape("expected returns", &mean, n)?;
        check_shape("entries of the covariance", &covariance, n * n)?;
        let mut covariance = covariance;
        let most = covariance.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
        for i in 0..n {
            for j in 0..i {
                let (a, b) = (covariance[i * n + j], covariance[j * n + i]);
                if (a - b).abs() > 1e-9 * most {
                    let range = "symmetric: the entries on both sides of the diagonal equal";
                    return Err(InvestError::Setting { name: "covariance", value: a - b, range });
                }
                covariance[i * n + j] = 0.5 * (a + b);
                covariance[j * n + i] = 0.5 * (a + b);
            }
        }
        let repair = nearest(&mut covariance, n)?;
        Ok(Self { names, mean, covariance: Covariance::Dense(covariance), repair })
    }

    /// Estimates in factor form: the covariance is F Ω Fᵀ + diag(`specific`). `loadings` (F) holds an asset a line,
    /// `factor_covariance` (Ω) is row after row, and every specific variance is above zero. Choosing between n assets
    /// with k factors then takes time like n k² and not n³.
    ///
    /// # Errors
    /// As [`Estimates::new`].
    pub fn from_factors(
        names: Vec<String>,
        mean: Vec<f64>,
        loadings: &[f64],
        factor_covariance: Vec<f64>,
        specific: Vec<f64>,
    ) -> Result<Self, InvestError> {
        let n = names.len();
        check_names(&names)?;
        check_shape("expected returns", &mean, n)?;
        check_shape("specific variances", &specific, n)?;
        let k = (factor_covariance.len() as f64).sqrt().round() as usize;
        check_shape("entries of the factors' covariance", &factor_covariance, k * k)?;
        check_shape("factor loadings", loadings, n * k)?;
        if let Some(value) = specific.iter().find(|s| **s <= 0.0) {
            return Err(InvestError::Setting { name: "specific variance", value: *value, range: "above 0" });
        }
        let labels = (0..k).map(|f| format!("factor {f}")).collect();
        let factors = Self::new(labels, vec![0.0; k], factor_covariance)?;
        let root = factors.root()?;
        let mut scaled = vec![0.0; n * k];
        for (to, from) in scaled.chunks_mut(k.max(1)).zip(loadings.chunks(k.max(1))) {
            from.iter().zip(root.chunks(k.max(1))).for_each(|(f, row)| add_scaled(to, *f, row));
        }
        let covariance = Covariance::Factors { loadings: scaled, specific };
        Ok(Self { names, mean, covariance, repair: factors.repair })
    }

    /// The assets' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The expected returns.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// What was changed to make the covariance positive semidefinite; none where it was already.
    #[must_use]
    pub fn repair(&self) -> Option<Repair> {
        self.repair
    }

    /// The covariance of two assets, by their places; none where there is no such asset.
    #[must_use]
    pub fn covariance(&self, a: usize, b: usize) -> Option<f64> {
        let n = self.names.len();
        let mut unit = vec![0.0; n];
        *unit.get_mut(b)? = 1.0;
        let mut column = vec![0.0; n];
        self.covariance.times(&unit, &mut column);
        column.get(a).copied()
    }

    /// The expected return of a portfolio; assets without a weight have none of it.
    #[must_use]
    pub fn expected_return(&self, weights: &[f64]) -> f64 {
        self.mean.iter().zip(weights).map(|(m, w)| m * w).sum()
    }

    /// The standard deviation of a portfolio's return; assets without a weight have none of it.
    #[must_use]
    pub fn volatility(&self, weights: &[f64]) -> f64 {
        self.variance(weights).sqrt()
    }

    pub(super) fn variance(&self, weights: &[f64]) -> f64 {
        let mut weights = weights.to_vec();
        weights.resize(self.names.len(), 0.0);
        let mut reached = vec![0.0; weights.len()];
        self.covariance.times(&weights, &mut reached);
        dot(&weights, &reached).max(0.0)
    }

    pub(super) fn spread(&self) -> &Covariance {
        &self.covariance
    }

    /// A square root L with Σ = L Lᵀ, row after row; of a dense covariance only.
    fn root(&self) -> Result<Vec<f64>, InvestError> {
        let n = self.names.len();
        let Covariance::Dense(rows) = &self.covariance else { return Ok(vec![]) };
        if let Ok(factor) = symmetric(rows, n).llt(Side::Lower) {
            return Ok((0..n * n).map(|at| factor.L()[(at / n, at % n)]).collect());
        }
        let (values, vectors) = eigen(rows, n)?;
        let entry = |at: usize| vectors[(at / n, at % n)] * values[at % n].max(0.0).sqrt();
        Ok((0..n * n).map(entry).collect())
    }
}

/// Every name there, and once.
pub(super) fn check_names(names: &[String]) -> Result<(), InvestError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() || !seen.insert(name) {
            return Err(InvestError::AssetName { name: name.clone() });
        }
    }
    Ok(())
}

/// As many figures as there should be, all finite.
pub(super) fn check_shape(what: &'static str, values: &[f64], expected: usize) -> Result<(), InvestError> {
    if values.len() != expected || expected == 0 {
        return Err(InvestError::AssetShape { what, found: values.len(), expected });
    }
    match values.iter().find(|v| !v.is_finite()) {
        Some(value) => Err(InvestError::Setting { name: what, value: *value, range: "finite" }),
        None => Ok(()),
    }
}

fn symmetric(rows: &[f64], n: usize) -> Mat<f64> {
    Mat::from_fn(n, n, |i, j| rows[i * n + j])
}

fn eigen(rows: &[f64], n: usize) -> Result<(Vec<f64>, Mat<f64>), InvestError> {
    let range = "a matrix whose eigenvalues can be found; rescale the returns";
    let found = symmetric(rows, n).self_adjoint_eigen(Side::Lower).map_err(|_| InvestError::Setting {
        name: "covariance",
        value: f64::NAN,
        range,
    })?;
    let values = (0..n).map(|i| found.S().column_vector()[i]).collect();
    Ok((values, found.U().to_owned()))
}

/// Clips negative eigenvalues, where there are any.
fn nearest(rows: &mut [f64], n: usize) -> Result<Option<Repair>, InvestError> {
    if symmetric(rows, n).llt(Side::Lower).is_ok() {
        return Ok(None);
    }
    let (values, vectors) = eigen(rows, n)?;
    let (least, most) = values.iter().fold((0.0_f64, 0.0_f64), |(l, m), v| (l.min(*v), m.max(*v)));
    if least >= -ROUNDING * most {
        return Ok(None);
    }
    let size = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let changed = size(&mut values.iter().map(|v| v.min(0.0)));
    let whole = size(&mut values.iter().copied());
    for (k, value) in values.iter().enumerate().filter(|(_, v)| **v < 0.0) {
        for at in 0..n * n {
            rows[at] -= value * vectors[(at / n, k)] * vectors[(at % n, k)];
        }
    }
    let smallest_eigenvalue = least / most.max(f64::MIN_POSITIVE);
    Ok(Some(Repair { smallest_eigenvalue, relative_change: changed / whole }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("a{i}")).collect()
    }

    /// Higham 1988: the eigenvalues of [[1, 2], [2, 1]] are 3 and −1; without the second, every entry is 1.5.
    #[test]
    fn the_nearest_covariance_by_hand() {
        let e = Estimates::new(names(2), vec![0.0; 2], vec![1.0, 2.0, 2.0, 1.0]).unwrap();
        for (a, b) in [(0, 0), (0, 1), (1, 1)] {
            assert!((e.covariance(a, b).unwrap() - 1.5).abs() < 1e-12);
        }
        let repair = e.repair().unwrap();
        assert!((repair.smallest_eigenvalue + 1.0 / 3.0).abs() < 1e-12);
        assert!((repair.relative_change - 0.1f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn factors_make_the_same_covariance_as_the_product() {
        let (loadings, omega) = ([1.0, 0.5, -0.3, 2.0, 0.7, 0.1], [0.04, 0.01, 0.01, 0.09]);
        let specific = [0.02, 0.03, 0.01];
        let e = Estimates::from_factors(names(3), vec![0.1; 3], &loadings, omega.to_vec(), specific.to_vec());
        let e = e.unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let own = if i == j { specific[i] } else { 0.0 };
                let pairs = (0..2).flat_map(|a| (0..2).map(move |b| (a, b)));
                let joint: f64 =
                    pairs.map(|(a, b)| loadings[2 * i + a] * omega[2 * a + b] * loadings[2 * j + b]).sum();
                assert!((e.covariance(i, j).unwrap() - joint - own).abs() < 1e-12);
            }
        }
        assert_eq!(e.spread().variances().len(), 3);
    }

    #[test]
    fn what_is_not_a_covariance_is_refused() {
        let new = |mean: Vec<f64>, covariance: Vec<f64>| Estimates::new(names(2), mean, covariance);
        let shape = |r: Result<Estimates, _>| matches!(r, Err(InvestError::AssetShape { .. }));
        assert!(shape(new(vec![0.1], vec![1.0, 0.0, 0.0, 1.0])));
        assert!(shape(new(vec![0.1; 2], vec![1.0; 3])));
        assert!(shape(Estimates::new(vec![], vec![], vec![])));
        let setting = |r: Result<Estimates, _>| matches!(r, Err(InvestError::Setting { .. }));
        assert!(setting(new(vec![0.1; 2], vec![1.0, 0.5, 0.4, 1.0])));
        assert!(setting(new(vec![0.1, f64::NAN], vec![1.0, 0.0, 0.0, 1.0])));
        let twice = Estimates::new(vec!["a".into(), "a".into()], vec![0.1; 2], vec![1.0, 0.0, 0.0, 1.0]);
        assert!(matches!(twice, Err(InvestError::AssetName { .. })));
    }
}
