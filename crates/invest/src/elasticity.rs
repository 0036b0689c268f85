//! How a gross responds to a spend: as an assumption with its range, and as far as data say it.
//!
//! A gross is taken to follow `(spend / planned)^elasticity`: each further per cent brings the elasticity in per cent, and
//! each further dollar less than the last. What that elasticity is, is hard to see: films that were expected to do well
//! were given more money, so that a slope over past films holds expectation and effect at once. [`estimate_elasticity`]
//! says how wide even that slope is; nothing in it makes the slope an effect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::InvestError;

/// The weights of the 5, 50 and 95% quantiles with which a sum comes close to an expectation: E. S. Pearson and J. W.
/// Tukey, "Approximate means and standard deviations based on distances between percentage points of frequency curves",
/// *Biometrika* 52 (1965); D. L. Keefer and S. E. Bodily, *Management Science* 29 (1983).
const WEIGHTS: [f64; 3] = [0.185, 0.63, 0.185];

/// Fewest groups of rows for an error that is more than a guess; few make it too small (A. C. Cameron, J. B. Gelbach and
/// D. L. Miller, *Review of Economics and Statistics* 90 (2008)).
const FEWEST_CLUSTERS: usize = 10;

/// An elasticity that is not known: its 5, 50 and 95% quantiles, above 0 and below 1. An assumption.
///
/// ```
/// use marquee_invest::Elasticity;
/// let marketing = Elasticity::new([0.05, 0.15, 0.30])?;
/// // Spending twice as much is expected to bring 12% more.
/// assert!((marketing.response(2.0) - 1.118).abs() < 0.001);
/// assert!(Elasticity::new([0.2, 0.1, 0.3]).is_err());
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 3]", into = "[f64; 3]")]
pub struct Elasticity([f64; 3]);

impl Elasticity {
    /// With these 5, 50 and 95% quantiles; three equal ones for what is taken as known.
    ///
    /// # Errors
    /// [`InvestError::Setting`] unless they are above 0, below 1 and in rising order.
    pub fn new(quantiles: [f64; 3]) -> Result<Self, InvestError> {
        let refused = |value, range| Err(InvestError::Setting { name: "elasticity", value, range });
        if let Some(bad) = quantiles.iter().find(|e| !(**e > 0.0 && **e < 1.0)) {
            return refused(*bad, "above 0 and below 1");
        }
        match quantiles.windows(2).find(|pair| pair[0] > pair[1]) {
            Some(pair) => refused(pair[1], "no less than the quantile before it"),
            None => Ok(Self(quantiles)),
        }
    }

    /// The 5, 50 and 95% quantiles.
    #[must_use]
    pub fn quantiles(&self) -> [f64; 3] {
        self.0
    }

    /// The expected factor on the gross where the spend is `ratio` times what was planned.
    #[must_use]
    pub fn response(&self, ratio: f64) -> f64 {
        self.moments(ratio.ln()).0
    }

    /// At one of its quantiles, as if that were known.
    pub(crate) fn only(&self, quantile: usize) -> Self {
        Self([self.0[quantile.min(2)]; 3])
    }

    /// The expected factor at a logarithm of the ratio, and its slope in that logarithm.
    pub(crate) fn moments(&self, log_ratio: f64) -> (f64, f64) {
        self.0.iter().zip(WEIGHTS).fold((0.0, 0.0), |(factor, slope), (elasticity, weight)| {
            let term = weight * (elasticity * log_ratio).exp();
            (factor + term, slope + elasticity * term)
        })
    }
}

impl TryFrom<[f64; 3]> for Elasticity {
    type Error = InvestError;

    fn try_from(quantiles: [f64; 3]) -> Result<Self, Self::Error> {
        Self::new(quantiles)
    }
}

impl From<Elasticity> for [f64; 3] {
    fn from(elasticity: Elasticity) -> Self {
        elasticity.0
    }
}

/// One film of the past. Natural logarithms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The logarithm of the spend, or of what stands for it (opening theatres).
    pub log_spend: f64,
    /// What is left of the logarithm of the gross after what was known without the spend.
    pub log_gross: f64,
    /// Films that fare alike (a year, a distributor), so that their errors are not counted as independent; each film's
    /// own name where all are.
    pub cluster: String,
}

/// What the data say of an elasticity.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ElasticityEstimate {
    /// A slope and how wide it is.
    Estimated(FittedElasticity),
    /// Too little data for either.
    TooLittle {
        /// How many rows there are.
        rows: usize,
        /// How many groups they make.
        clusters: usize,
        /// What is missing.
        reason: String,
    },
}

/// The slope of the log gross on the log spend by ordinary least squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FittedElasticity {
    /// Per cent of gross that go with one per cent of spend. Not an effect: see the module.
    pub slope: f64,
    /// Its standard error, robust to unequal variances and to dependence within clusters.
    pub standard_error: f64,
    /// The 95% interval: 1.96 standard errors on each side.
    pub interval: [f64; 2],
    /// The share of the variance of the log gross that goes with the log spend.
    pub explained: f64,
    /// How many films.
    pub rows: usize,
    /// How many clusters.
    pub clusters: usize,
}

impl FittedElasticity {
    /// The estimate as an assumption: its 5, 50 and 95% points, held inside [0.001, 0.95].
    ///
    /// # Errors
    /// [`InvestError::Setting`] where the slope is not a number, which no estimate is.
    pub fn as_assumption(&self) -> Result<Elasticity, InvestError> {
        Elasticity::new(
            [-1.645, 0.0, 1.645].map(|z| (self.slope + z * self.standard_error).clamp(0.001, 0.95)),
        )
    }
}

/// The slope of log gross on log spend with cluster-robust errors: K.-Y. Liang and S. L. Zeger, *Biometrika* 73 (1986),
/// times G/(G − 1) · (n − 1)/(n − 2) for G clusters and n rows. Where each row is its own cluster that is HC1 of J. G.
/// MacKinnon and H. White, *Journal of Econometrics* 29 (1985).
///
/// ```
/// use marquee_invest::{ElasticityEstimate, Observed, estimate_elasticity};
/// let rows: Vec<Observed> = (0..40)
///     .map(|i| {
///         let x = f64::from(i % 8);
///         let noise = f64::from(i * 7 % 5) - 2.0;
///         Observed { log_spend: x, log_gross: 0.2 * x + noise, cluster: format!("film {i}") }
///     })
///     .collect();
/// let ElasticityEstimate::Estimated(found) = estimate_elasticity(&rows)? else { return Ok(()) };
/// // Forty films and a noise of that size say next to nothing: the interval holds both no effect and a large one.
/// assert!(found.interval[0] < 0.05 && found.interval[1] > 0.35);
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
///
/// # Errors
/// [`InvestError::SettingOf`] for a row with a figure that is not finite.
pub fn estimate_elasticity(rows: &[Observed]) -> Result<ElasticityEstimate, InvestError> {
    for (i, row) in rows.iter().enumerate() {
        for (name, value) in [("log_spend", row.log_spend), ("log_gross", row.log_gross)] {
            if !value.is_finite() {
                let whose = format!("row {}", i + 1);
                return Err(InvestError::SettingOf { whose, name, value, range: "a finite logarithm" });
            }
        }
    }
    let clusters = rows.iter().map(|row| &row.cluster).collect::<std::collections::BTreeSet<_>>().len();
    let too_little = |reason: &str| {
        Ok(ElasticityEstimate::TooLittle { rows: rows.len(), clusters, reason: reason.to_owned() })
    };
    if clusters < FEWEST_CLUSTERS {
        return too_little("at least 10 clusters are needed for an error that can be believed");
    }
    match slope(rows, clusters) {
        Some(fitted) => Ok(ElasticityEstimate::Estimated(fitted)),
        None => too_little("the spends do not differ from each other"),
    }
}

/// The estimate, or nothing where all spends are one.
fn slope(rows: &[Observed], clusters: usize) -> Option<FittedElasticity> {
    let n = rows.len() as f64;
    let mean = |of: fn(&Observed) -> f64| rows.iter().map(of).sum::<f64>() / n;
    let (mean_spend, mean_gross) = (mean(|row| row.log_spend), mean(|row| row.log_gross));
    let centred = || rows.iter().map(|row| (row.log_spend - mean_spend, row.log_gross - mean_gross, row));
    let squares: f64 = centred().map(|(x, _, _)| x * x).sum();
    // What is left by rounding where all are the same.
    if squares <= 1e-20 * n * (1.0 + mean_spend * mean_spend) {
        return None;
    }
    let slope = centred().map(|(x, y, _)| x * y).sum::<f64>() / squares;
    let mut scores: BTreeMap<&str, f64> = BTreeMap::new();
    for (x, y, row) in centred() {
        *scores.entry(row.cluster.as_str()).or_default() += x * (y - slope * x);
    }
    let groups = clusters as f64;
    let small = groups / (groups - 1.0) * (n - 1.0) / (n - 2.0);
    let standard_error = (small * scores.values().map(|s| s * s).sum::<f64>()).sqrt() / squares;
    let (left, all) =
        centred().fold((0.0, 0.0), |(left, all), (x, y, _)| (left + (y - slope * x).powi(2), all + y * y));
    Some(FittedElasticity {
        slope,
        standard_error,
        interval: [slope - 1.96 * standard_error, slope + 1.96 * standard_error],
        explained: if all > 0.0 { 1.0 - left / all } else { 0.0 },
        rows: rows.len(),
        clusters,
    })
}

#[cfg(test)]
#[path = "elasticity_tests.rs"]
mod tests;
