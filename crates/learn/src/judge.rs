//! Whether figures are what they claim: coverage by tier against the exact binomial law, and differences
//! between two forecasters on the same rows.

use crate::error::{LearnError, require};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The level at which coverage is called wrong, over all tiers of a table together.
pub const SIGNIFICANCE: f64 = 0.01;

/// `P(K <= k)` for `n` draws that each succeed with probability `p`, summed exactly (to rounding).
///
/// NaN unless `p` is in [0, 1].
///
/// ```
/// use marquee_learn::judge::binomial_cdf;
///
/// assert!((binomial_cdf(5, 10, 0.5) - 638.0 / 1024.0).abs() < 1e-12);
/// ```
pub fn binomial_cdf(k: usize, n: usize, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k >= n || p == 0.0 {
        return 1.0;
    }
    if p == 1.0 {
        return 0.0;
    }
    // ln of n!/(i! (n-i)!) p^i (1-p)^(n-i), stepped from i = 0; terms too small for a number are zero.
    let mut ln_term = n as f64 * (-p).ln_1p();
    let ln_odds = p.ln() - (-p).ln_1p();
    let mut sum = ln_term.exp();
    for i in 1..=k {
        ln_term += ((n - i + 1) as f64 / i as f64).ln() + ln_odds;
        sum += ln_term.exp();
    }
    sum.min(1.0)
}

/// The equal-tailed probability of a count as far out as `k`: twice the smaller tail, at most 1.
pub fn binomial_p_value(k: usize, n: usize, p: f64) -> f64 {
    let below = binomial_cdf(k, n, p);
    // The upper tail as a lower tail of failures, so that small values keep their digits.
    let above = binomial_cdf(n - k.min(n), n, 1.0 - p);
    (2.0 * below.min(above)).min(1.0)
}

/// The counts that are not refused at `significance`, both ends included.
pub fn binomial_band(n: usize, p: f64, significance: f64) -> (usize, usize) {
    let fits = |k: &usize| binomial_p_value(*k, n, p) >= significance;
    let middle = ((n as f64 * p).round() as usize).min(n);
    // The p-value falls away from the middle on both sides, so each end can be found by halving.
    let below = partition(0, middle, |k| fits(&k));
    let above = partition(0, n - middle, |d| !fits(&(middle + d)));
    let high = if fits(&(middle + above)) { middle + above } else { (middle + above).saturating_sub(1) };
    (below, high.max(below))
}

/// The least value of `low..=high` for which `holds`, given that it holds from some place on; else `high`.
fn partition(mut low: usize, mut high: usize, holds: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// How often one tier's intervals held their actuals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierCoverage {
    /// The predicted tier, from zero for the smallest.
    pub tier: usize,
    /// Its rows.
    pub n: usize,
    /// Those whose actual lay within the interval.
    pub covered: usize,
    /// The level that the intervals claim.
    pub nominal: f64,
    /// The counts that the claim allows at 99% for this tier alone, ends included.
    pub band: (usize, usize),
    /// The exact binomial p-value, not adjusted.
    pub p_value: f64,
    /// Whether the claim stands at 1% over all tiers together (Holm).
    pub holds: bool,
}

impl TierCoverage {
    /// The share of rows covered.
    pub fn share(&self) -> f64 {
        self.covered as f64 / self.n as f64
    }
}

/// Coverage of intervals that claim `nominal`, for each predicted tier that occurs.
///
/// `rows` gives the tier of each row and whether its actual lay within. Judged at [`SIGNIFICANCE`] by exact
/// binomial tests with Holm's (1979) correction over the tiers.
///
/// ```
/// use marquee_learn::judge::coverage_by_tier;
///
/// let fair = (0..100).map(|i| (0, i % 10 != 0));
/// let poor = (0..100).map(|i| (1, i % 2 == 0));
/// let table = coverage_by_tier(fair.chain(poor), 0.9);
/// assert!(table[0].holds && !table[1].holds);
/// ```
pub fn coverage_by_tier(rows: impl IntoIterator<Item = (usize, bool)>, nominal: f64) -> Vec<TierCoverage> {
    let mut counts = std::collections::BTreeMap::<usize, (usize, usize)>::new();
    for (tier, inside) in rows {
        let (n, covered) = counts.entry(tier).or_default();
        *n += 1;
        *covered += usize::from(inside);
    }
    let mut table: Vec<TierCoverage> = counts
        .into_iter()
        .map(|(tier, (n, covered))| {
            let p_value = binomial_p_value(covered, n, nominal);
            let band = binomial_band(n, nominal, SIGNIFICANCE);
            TierCoverage { tier, n, covered, nominal, band, p_value, holds: true }
        })
        .collect();
    let p_values: Vec<f64> = table.iter().map(|row| row.p_value).collect();
    for (row, refused) in table.iter_mut().zip(holm(&p_values, SIGNIFICANCE)) {
        row.holds = !refused;
    }
    table
}

/// Which hypotheses Holm's step-down procedure refuses at `significance`.
pub fn holm(p_values: &[f64], significance: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut refused = vec![false; p_values.len()];
    for (rank, &i) in order.iter().enumerate() {
        if p_values[i] > significance / (p_values.len() - rank) as f64 {
            break;
        }
        refused[i] = true;
    }
    refused
}

/// A figure with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure on the rows themselves.
    pub value: f64,
    /// The lower end of the 95% interval.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

/// The percentile bootstrap 95% interval of a statistic of rows, such as the difference between two
/// forecasters' errors on the same rows: both are computed from the row numbers that `statistic` is given,
/// so that the comparison is in pairs. Undefined (NaN) replicates are left out.
///
/// # Errors
/// [`LearnError::TooFewRows`] for no rows, [`LearnError::Parameter`] unless there are 20 replicates or more.
///
/// ```
/// use marquee_learn::judge::paired_bootstrap;
///
/// let (ours, theirs) = ([1.0, 2.0, 1.5, 1.2], [1.5, 2.4, 2.1, 1.6]);
/// let saved = |rows: &[usize]| rows.iter().map(|&i| theirs[i] - ours[i]).sum::<f64>() / rows.len() as f64;
/// let gain = paired_bootstrap(4, 500, 1, saved)?;
/// assert!(gain.lower > 0.0 && gain.lower <= gain.value && gain.value <= gain.upper);
/// # Ok::<(), marquee_learn::LearnError>(())
/// ```
pub fn paired_bootstrap(
    rows: usize,
    replicates: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> f64,
) -> Result<Estimate, LearnError> {
    if rows == 0 {
        return Err(LearnError::TooFewRows { what: "a bootstrap", needed: 1, found: 0 });
    }
    require(replicates >= 20, "bootstrap replicates", replicates, "20 or more")?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: Vec<usize> = (0..rows).collect();
    let value = statistic(&drawn);
    let mut all: Vec<f64> = (0..replicates)
        .map(|_| {
            drawn.iter_mut().for_each(|i| *i = rng.random_range(0..rows));
            statistic(&drawn)
        })
        .filter(|v| !v.is_nan())
        .collect();
    all.sort_by(f64::total_cmp);
    let at = |level: f64| all.get((level * (all.len().max(1) - 1) as f64).round() as usize).copied();
    Ok(Estimate { value, lower: at(0.025).unwrap_or(f64::NAN), upper: at(0.975).unwrap_or(f64::NAN) })
}

/// How stated probabilities of an event came true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// How many were stated.
    pub n: usize,
    /// The share of events that happened.
    pub base_rate: f64,
    /// Mean squared difference between what was stated and what happened (1 or 0): Brier's score (1950).
    pub brier: f64,
    /// The same for one who always states the base rate, which nobody knows beforehand.
    pub base_brier: f64,
    /// The part of Brier's score that is due to stating wrong probabilities (Murphy 1973): the mean over [`BINS`] bins of
    /// equal size of the squared difference between the mean stated and the share that happened.
    pub miscalibration: f64,
    /// What of it perfectly stated probabilities would show by chance at this `n`: the mean over simulated outcomes.
    pub by_chance: f64,
}

/// The bins of [`Reliability::miscalibration`].
pub const BINS: usize = 10;

impl Reliability {
    /// Judges probabilities in [0, 1] by what happened; `seed` draws the simulated outcomes.
    ///
    /// # Errors
    /// [`LearnError::Length`] where both differ in length or are empty, [`LearnError::Parameter`] for what is no probability.
    ///
    /// ```
    /// use marquee_learn::judge::Reliability;
    ///
    /// let stated: Vec<f64> = (0..1_000).map(|i| f64::from(i % 10) / 10.0).collect();
    /// let happened: Vec<bool> = (0..1_000).map(|i| (i / 10) % 10 < i % 10).collect();
    /// let good = Reliability::of(&stated, &happened, 7)?;
    /// assert!(good.miscalibration < 1.5 * good.by_chance && good.brier < 0.7 * good.base_brier);
    /// # Ok::<(), marquee_learn::LearnError>(())
    /// ```
    pub fn of(stated: &[f64], happened: &[bool], seed: u64) -> Result<Self, LearnError> {
        const REPLICATES: usize = 400;
        let n = stated.len();
        if n == 0 || n != happened.len() {
            return Err(LearnError::Length {
                what: "what happened".into(),
                expected: n.max(1),
                found: happened.len(),
            });
        }
        for p in stated {
            require((0.0..=1.0).contains(p), "stated probability", p, "from 0 to 1")?;
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| stated[*a].total_cmp(&stated[*b]).then(a.cmp(b)));
        let miscalibration = |happened: &dyn Fn(usize) -> f64| -> f64 {
            let bins = (0..BINS).map(|k| &order[k * n / BINS..(k + 1) * n / BINS]);
            let gap = |bin: &[usize]| bin.iter().map(|i| stated[*i] - happened(*i)).sum::<f64>();
            bins.filter(|bin| !bin.is_empty()).map(|bin| gap(bin).powi(2) / bin.len() as f64).sum::<f64>()
                / n as f64
        };
        let was = |i: usize| f64::from(u8::from(happened[i]));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let simulated = (0..REPLICATES).map(|_| {
            let drawn: Vec<f64> = stated.iter().map(|p| f64::from(u8::from(rng.random_bool(*p)))).collect();
            miscalibration(&|i| drawn[i])
        });
        let by_chance = simulated.sum::<f64>() / REPLICATES as f64;
        let base_rate = (0..n).map(was).sum::<f64>() / n as f64;
        Ok(Self {
            n,
            base_rate,
            brier: (0..n).map(|i| (stated[i] - was(i)).powi(2)).sum::<f64>() / n as f64,
            base_brier: base_rate * (1.0 - base_rate),
            miscalibration: miscalibration(&was),
            by_chance,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn binomial_tails_are_the_tabled_ones() {
        // R: pbinom(80, 100, .9), pbinom(2, 20, .1), pbinom(8950, 10000, .9).
        assert!((binomial_cdf(80, 100, 0.9) - 0.001_978_561).abs() < 1e-8);
        assert!((binomial_cdf(2, 20, 0.1) - 0.676_926_8).abs() < 1e-6);
        assert_eq!(binomial_cdf(10, 10, 0.3), 1.0);
        assert!(binomial_cdf(1, 2, f64::NAN).is_nan());
    }

    #[test]
    fn holm_steps_down() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        assert_eq!(holm(&[], 0.05), Vec::<bool>::new());
    }

    #[test]
    fn bootstrap_of_a_mean_has_the_normal_width() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let mean = |rows: &[usize]| rows.iter().map(|&i| values[i]).sum::<f64>() / rows.len() as f64;
        let got = paired_bootstrap(400, 2_000, 3, mean).unwrap();
        // sd of 0..19 is 5.766; 1.96 * 5.766 / 20 = .565.
        assert!((got.value - 9.5).abs() < 1e-12 && (0.5 * (got.upper - got.lower) - 0.565).abs() < 0.04);
        assert_eq!(got, paired_bootstrap(400, 2_000, 3, mean).unwrap());
        assert!(paired_bootstrap(0, 2_000, 3, |_| 0.0).is_err());
    }

    proptest! {
        #[test]
        fn the_band_is_where_the_test_accepts(n in 1..300usize, p in 0.02..0.98f64) {
            let (low, high) = binomial_band(n, p, 0.01);
            for k in 0..=n {
                prop_assert_eq!(binomial_p_value(k, n, p) >= 0.01, (low..=high).contains(&k), "k {}", k);
            }
        }

        #[test]
        fn tails_join(n in 1..200usize, k in 0..200usize, p in 0.01..0.99f64) {
            prop_assume!(k < n);
            let sum = binomial_cdf(k, n, p) + binomial_cdf(n - k - 1, n, 1.0 - p);
            prop_assert!((sum - 1.0).abs() < 1e-10);
        }
    }

    /// What is stated at a quarter and at three quarters comes true as often as that, then the other way about.
    #[test]
    fn wrong_probabilities_show() {
        let stated: Vec<f64> = (0..4_000).map(|i| if i < 2_000 { 0.25 } else { 0.75 }).collect();
        let right = |i: usize| if i < 2_000 { i.is_multiple_of(4) } else { !i.is_multiple_of(4) };
        let judge = |happened: &dyn Fn(usize) -> bool| {
            Reliability::of(&stated, &(0..4_000).map(happened).collect::<Vec<_>>(), 1).unwrap()
        };
        let good = judge(&right);
        assert!((good.brier - 0.1875).abs() < 1e-12 && good.base_brier == 0.25);
        assert!(good.miscalibration < 1e-12 && good.by_chance > 1e-4);
        let poor = judge(&|i| !right(i));
        assert!((poor.miscalibration - 0.25).abs() < 1e-12, "{poor:?}");
        assert!(Reliability::of(&[0.5], &[], 1).is_err() && Reliability::of(&[1.5], &[true], 1).is_err());
    }
}
