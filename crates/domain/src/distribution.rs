//! A distribution of an amount: ordered quantiles, read as a whole.
//!
//! Between two quantiles the logarithm of the amount is linear in the standard normal score of the level, and beyond the
//! outermost two it goes on with the slope of the last pair: a piecewise lognormal. Nothing more is claimed about tails
//! than that; `invest` fits heavier ones where it has the data.

use serde::{Deserialize, Serialize};

use crate::DomainError;

/// The levels that every forecast states: 5, 10, 25, 50, 75, 90 and 95%.
pub const LEVELS: [f64; 7] = [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95];

/// Quantiles of a positive amount at [`LEVELS`], in major units (US dollars, nominal, unless its owner says otherwise).
///
/// ```
/// use marquee_domain::Distribution;
/// let gross = Distribution::new([1e6, 2e6, 5e6, 12e6, 30e6, 70e6, 120e6])?;
/// assert!((gross.quantile(0.5) / 12e6 - 1.0).abs() < 1e-12);
/// assert!((gross.probability_below(12e6) - 0.5).abs() < 1e-12);
/// assert!(Distribution::new([2.0, 1.0, 3.0, 4.0, 5.0, 6.0, 7.0]).is_err());
/// # Ok::<(), marquee_domain::DomainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 7]", into = "[f64; 7]")]
pub struct Distribution {
    log: [f64; 7],
}

impl Distribution {
    /// A distribution with these quantiles at [`LEVELS`].
    ///
    /// # Errors
    /// [`DomainError::Quantiles`] unless all are finite, above zero and in rising order (equal neighbours are allowed).
    pub fn new(quantiles: [f64; 7]) -> Result<Self, DomainError> {
        if let Some(bad) = quantiles.iter().find(|q| !(q.is_finite() && **q > 0.0)) {
            return Err(DomainError::Quantiles(format!("{bad} is not a positive amount")));
        }
        Self::from_logs(quantiles.map(f64::ln))
    }

    /// A distribution with these natural logarithms of its quantiles.
    ///
    /// # Errors
    /// [`DomainError::Quantiles`] unless all are finite and in rising order.
    pub fn from_logs(log: [f64; 7]) -> Result<Self, DomainError> {
        if let Some(bad) = log.iter().find(|q| !q.is_finite()) {
            return Err(DomainError::Quantiles(format!("{bad} is not a logarithm of an amount")));
        }
        if let Some(pair) = log.windows(2).find(|w| w[0] > w[1]) {
            return Err(DomainError::Quantiles(format!("{} comes before {}", pair[0].exp(), pair[1].exp())));
        }
        Ok(Self { log })
    }

    /// The seven quantiles at [`LEVELS`], in major units.
    #[must_use]
    pub fn quantiles(&self) -> [f64; 7] {
        self.log.map(f64::exp)
    }

    /// Natural logarithms of the seven quantiles.
    #[must_use]
    pub fn log_quantiles(&self) -> [f64; 7] {
        self.log
    }

    /// The middle: half of the outcomes lie below it.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.log[3].exp()
    }

    /// The amount that an outcome stays below with probability `p`; `p` is held inside [1e-9, 1 − 1e-9].
    #[must_use]
    pub fn quantile(&self, p: f64) -> f64 {
        if let Some(i) = LEVELS.iter().position(|l| *l == p) {
            return self.log[i].exp();
        }
        self.at_score(normal_quantile(p.clamp(1e-9, 1.0 - 1e-9))).exp()
    }

    /// The natural logarithm of the amount at a standard normal score: `at_score(0.0)` is the log median. A joint
    /// simulation draws correlated normal scores and reads each title's outcome here.
    #[must_use]
    pub fn at_score(&self, score: f64) -> f64 {
        let scores = level_scores();
        let i = scores[1..6].iter().take_while(|s| **s < score).count();
        let slope = (self.log[i + 1] - self.log[i]) / (scores[i + 1] - scores[i]);
        self.log[i] + slope * (score - scores[i])
    }

    /// The probability that the outcome stays below `amount` (major units); 0 where the amount is not positive.
    #[must_use]
    pub fn probability_below(&self, amount: f64) -> f64 {
        if amount.is_nan() || amount <= 0.0 {
            return 0.0;
        }
        let (x, scores) = (amount.ln(), level_scores());
        let i = self.log[1..6].iter().take_while(|q| **q < x).count();
        let (low, high) = (self.log[i], self.log[i + 1]);
        if high > low {
            normal_cdf(scores[i] + (x - low) / (high - low) * (scores[i + 1] - scores[i]))
        } else if x < low {
            0.0
        } else if x > high {
            1.0
        } else {
            LEVELS[i + 1]
        }
    }
}

impl TryFrom<[f64; 7]> for Distribution {
    type Error = DomainError;

    fn try_from(quantiles: [f64; 7]) -> Result<Self, Self::Error> {
        Self::new(quantiles)
    }
}

impl From<Distribution> for [f64; 7] {
    fn from(distribution: Distribution) -> Self {
        distribution.quantiles()
    }
}

/// Standard normal scores of [`LEVELS`].
fn level_scores() -> [f64; 7] {
    const OUTER: f64 = 1.644_853_626_951_472_2;
    const MIDDLE: f64 = 1.281_551_565_544_600_4;
    const INNER: f64 = 0.674_489_750_196_081_7;
    [-OUTER, -MIDDLE, -INNER, 0.0, INNER, MIDDLE, OUTER]
}

/// The standard normal distribution function: by the complementary error function of W. J. Cody's rational Chebyshev
/// approximations, as given with 1.2e-7 relative error in *Numerical Recipes* §6.2 (`erfcc`).
fn normal_cdf(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z);
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let upper = 0.5 * t * (-z * z + series).exp();
    // The approximation misses one half by 1e-8 at zero; symmetry is exact there.
    match x {
        0.0 => 0.5,
        x if x > 0.0 => 1.0 - upper,
        _ => upper,
    }
}

/// The standard normal quantile by bisection-free Newton steps from P. J. Acklam's rational approximation (relative error
/// 1.15e-9 before the steps).
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let horner = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    let tail = |q: f64| horner(&C, q) / (horner(&D, q) * q + 1.0);
    if p < 0.02425 {
        tail((-2.0 * p.ln()).sqrt())
    } else if p > 1.0 - 0.02425 {
        -tail((-2.0 * (1.0 - p).ln()).sqrt())
    } else {
        let (q, r) = (p - 0.5, (p - 0.5) * (p - 0.5));
        horner(&A, r) * q / (horner(&B, r) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ordered() -> impl Strategy<Value = Distribution> {
        (5.0..20.0f64, proptest::array::uniform6(0.01..2.0f64)).prop_map(|(start, steps)| {
            let mut log = [start; 7];
            for i in 0..6 {
                log[i + 1] = log[i] + steps[i];
            }
            Distribution::from_logs(log).expect("ordered")
        })
    }

    proptest! {
        #[test]
        fn quantile_and_probability_undo_each_other(d in ordered(), p in 0.001..0.999f64) {
            prop_assert!((d.probability_below(d.quantile(p)) - p).abs() < 1e-5);
        }

        #[test]
        fn quantiles_rise_with_the_level(d in ordered(), a in 0.0..1.0f64, b in 0.0..1.0f64) {
            prop_assert!(a > b || d.quantile(a) <= d.quantile(b) * (1.0 + 1e-9));
        }

        #[test]
        fn any_seven_numbers_are_ordered_or_refused(q in proptest::array::uniform7(proptest::num::f64::ANY)) {
            if let Ok(d) = Distribution::new(q) {
                prop_assert!(d.quantiles().windows(2).all(|w| w[0] <= w[1]));
            }
        }
    }

    /// Known values: Abramowitz and Stegun, table 26.1.
    #[test]
    fn normal_scores_are_right() {
        for (x, p) in [(1.0, 0.841_344_746), (1.96, 0.975_002_105), (-2.5, 0.006_209_665)] {
            assert!((normal_cdf(x) - p).abs() < 2e-7, "{x}");
            assert!((normal_quantile(p) - x).abs() < 1e-6, "{p}");
        }
    }

    #[test]
    fn a_point_has_all_its_weight_there() {
        let d = Distribution::new([5.0; 7]).expect("equal quantiles");
        assert_eq!((d.probability_below(4.9), d.probability_below(5.1)), (0.0, 1.0));
    }
}
