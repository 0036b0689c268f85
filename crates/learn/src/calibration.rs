//! From point forecasts to distributions: how wrong such forecasts were out of fold, by predicted tier.
//!
//! Split-conformal quantiles (Papadopoulos et al. 2002; Lei et al. 2018) of residuals divided by a fitted
//! scale, so that widths follow the row, taken in each predicted tier (Mondrian conformal, Vovk et al.
//! 2003) and weighted towards recent rows (Barber et al. 2023). Between the middles of tiers the quantiles
//! are interpolated, so that a forecast does not jump at a tier's edge. Two deviations: quantiles
//! between the knots are linear in the logit of the level, and run on so beyond the outermost knots
//! (exponential tails), and the middle quantile of every tier is held at zero, so that the median of a
//! distribution is the forecast that the drivers explain.

use crate::error::{LearnError, require};
use serde::{Deserialize, Serialize};

/// The levels at which residual quantiles are kept.
pub(crate) const KNOTS: [f64; 25] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75,
    0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99,
];
/// The place of the median among them.
const MIDDLE: usize = 12;
/// Neighbouring knots differ by at least this many scales, so that quantiles can be inverted.
const LEAST_GAP: f64 = 1e-6;
/// Rows that a tier must have; with fewer, there are fewer tiers.
const LEAST_TIER: usize = 40;
/// Levels are held this far from 0 and 1.
const EDGE: f64 = 1e-12;

/// How out-of-fold residuals become intervals.
///
/// ```
/// use marquee_learn::CalibrationSpec;
///
/// let wide = CalibrationSpec { tiers: 4, half_life_days: None, ..CalibrationSpec::default() };
/// assert_eq!(wide.tiers, 4);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationSpec {
    /// Predicted tiers of equal size out of fold; fewer if a tier would have under 40 rows.
    pub tiers: usize,
    /// A row this many days older counts half as much; `None` counts all alike.
    pub half_life_days: Option<f64>,
    /// Trees of the model of how widths vary between rows; 0 makes all rows of a place equally wide.
    pub scale_trees: usize,
    /// How far a row's scale may lie from the typical one, as a ratio of 1 or more either way.
    pub scale_range: f64,
}

impl Default for CalibrationSpec {
    fn default() -> Self {
        Self { tiers: 4, half_life_days: Some(1_500.0), scale_trees: 80, scale_range: 3.0 }
    }
}

impl CalibrationSpec {
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        require((1..=20).contains(&self.tiers), "tiers", self.tiers, "from 1 to 20")?;
        let half = self.half_life_days.unwrap_or(1.0);
        require(half >= 1.0, "half_life_days", half, "1 or more")?;
        require(self.scale_trees <= 2_000, "scale_trees", self.scale_trees, "at most 2000")?;
        let range = self.scale_range;
        require((1.0..=100.0).contains(&range), "scale_range", range, "from 1 to 100")
    }
}

/// One out-of-fold row to calibrate on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored {
    /// The forecast.
    pub(crate) centre: f64,
    /// The outcome less the forecast, in scales.
    pub(crate) z: f64,
    /// How much the row counts.
    pub(crate) weight: f64,
}

/// Residual quantiles by predicted tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Calibration {
    /// Upper edges of all tiers but the last, ascending, in target units.
    edges: Vec<f64>,
    /// The middle forecast of each tier, ascending.
    middles: Vec<f64>,
    /// For each tier, residual quantiles in scales at [`KNOTS`], ascending.
    quantiles: Vec<Vec<f64>>,
}

impl Calibration {
    /// Takes quantiles in at most `tiers` tiers of equal size.
    pub(crate) fn fit(mut rows: Vec<Scored>, tiers: usize) -> Self {
        rows.sort_by(|a, b| a.centre.total_cmp(&b.centre));
        let tiers = tiers.min(rows.len() / LEAST_TIER).max(1);
        let cut = |t: usize| t * rows.len() / tiers;
        let mut fitted = Self { edges: Vec::new(), middles: Vec::new(), quantiles: Vec::new() };
        for t in 0..tiers {
            let tier = &rows[cut(t)..cut(t + 1)];
            let middle = tier.get(tier.len() / 2).map_or(0.0, |row| row.centre);
            fitted.middles.push(middle);
            fitted.quantiles.push(tier_quantiles(tier));
            if t > 0 {
                fitted.edges.push(0.5 * (rows[cut(t) - 1].centre + rows[cut(t)].centre));
            }
        }
        fitted
    }

    pub(crate) fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The number of the tier of a forecast, from zero.
    pub(crate) fn tier(&self, centre: f64) -> usize {
        self.edges.partition_point(|&edge| edge <= centre)
    }

    /// Residual quantiles for a forecast: interpolated between the middles of the tiers about it.
    pub(crate) fn quantiles_at(&self, centre: f64) -> Vec<f64> {
        let above = self.middles.partition_point(|&m| m <= centre);
        if above == 0 {
            return self.quantiles[0].clone();
        }
        let (Some(high), low) = (self.quantiles.get(above), &self.quantiles[above - 1]) else {
            return self.quantiles[above - 1].clone();
        };
        let gap = self.middles[above] - self.middles[above - 1];
        let part = if gap > 0.0 { (centre - self.middles[above - 1]) / gap } else { 0.0 };
        low.iter().zip(high).map(|(l, h)| l + part * (h - l)).collect()
    }

    pub(crate) fn is_well_formed(&self) -> bool {
        let ascending = |v: &[f64]| v.iter().all(|x| x.is_finite()) && v.windows(2).all(|w| w[0] <= w[1]);
        !self.middles.is_empty()
            && self.middles.len() == self.quantiles.len()
            && self.edges.len() + 1 == self.middles.len()
            && ascending(&self.edges)
            && ascending(&self.middles)
            && self.quantiles.iter().all(|q| {
                q.len() == KNOTS.len()
                    && ascending(q)
                    && q[MIDDLE] == 0.0
                    && q.windows(2).all(|w| w[0] < w[1])
            })
    }
}

/// Conformal quantiles of one tier at [`KNOTS`], zero in the middle and strictly ascending.
fn tier_quantiles(rows: &[Scored]) -> Vec<f64> {
    let mut sorted: Vec<(f64, f64)> = rows.iter().map(|row| (row.z, row.weight)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let upper: Vec<Option<f64>> = KNOTS[MIDDLE + 1..].iter().map(|&p| conformal(&sorted, p)).collect();
    let mirrored: Vec<(f64, f64)> = sorted.iter().rev().map(|(z, w)| (-z, *w)).collect();
    let lower: Vec<Option<f64>> =
        KNOTS[..MIDDLE].iter().rev().map(|&p| conformal(&mirrored, 1.0 - p)).collect();
    let mut all: Vec<f64> = ascend(&lower).iter().rev().map(|z| -z).collect();
    all.push(0.0);
    all.extend(ascend(&upper));
    all
}

/// The weighted conformal quantile at `level`: the row to come counts as much as the heaviest seen, placed
/// at infinity. `None` if the rows do not reach so far.
fn conformal(sorted: &[(f64, f64)], level: f64) -> Option<f64> {
    let heaviest = sorted.iter().map(|(_, w)| *w).fold(0.0, f64::max);
    let total: f64 = sorted.iter().map(|(_, w)| w).sum::<f64>() + heaviest;
    let wanted = level * total * (1.0 - 1e-12);
    let mut sum = 0.0;
    sorted
        .iter()
        .find(|(_, w)| {
            sum += w;
            sum >= wanted
        })
        .map(|(z, _)| *z)
}

/// One side of the knots, away from the middle: positive, strictly ascending, gaps run on in logits.
fn ascend(side: &[Option<f64>]) -> Vec<f64> {
    let mut before = (0.0, 0.0);
    let mut slope = 1.0;
    let mut out = Vec::with_capacity(side.len());
    for (k, knot) in side.iter().enumerate() {
        let place = logit(KNOTS[MIDDLE + 1 + k]);
        let z = knot.unwrap_or(before.1 + slope * (place - before.0)).max(before.1 + LEAST_GAP);
        slope = ((z - before.1) / (place - before.0)).max(LEAST_GAP);
        before = (place, z);
        out.push(z);
    }
    out
}

fn logit(level: f64) -> f64 {
    (level / (1.0 - level)).ln()
}

/// What may happen to one row: a median, a scale and the shape between them.
///
/// Made by [`crate::FittedEnsemble::distribution`]. [`Distribution::quantile`] is strictly increasing in the
/// level and [`Distribution::cdf`] is its inverse. Units are those of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    median: f64,
    scale: f64,
    tier: usize,
    /// Logits of [`KNOTS`] are the same for all; these are the quantiles there, in scales.
    shape: Vec<f64>,
}

impl Distribution {
    pub(crate) fn new(median: f64, scale: f64, tier: usize, shape: Vec<f64>) -> Self {
        Self { median, scale, tier, shape }
    }

    /// The middle of the distribution, which the drivers add up to.
    pub fn median(&self) -> f64 {
        self.median
    }

    /// The typical absolute error of such forecasts, in target units.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The predicted tier, from zero for the smallest.
    pub fn tier(&self) -> usize {
        self.tier
    }

    /// The value that is not exceeded with probability `level`. Levels are held within 1e-12 of 0 and 1;
    /// NaN yields NaN.
    pub fn quantile(&self, level: f64) -> f64 {
        if level == 0.5 {
            return self.median;
        }
        let at = logit(level.clamp(EDGE, 1.0 - EDGE));
        let k = KNOTS.partition_point(|&p| p <= level).clamp(1, KNOTS.len() - 1);
        let (from, slope) = self.segment(k);
        self.median + self.scale * (self.shape[from] + slope * (at - logit(KNOTS[from])))
    }

    /// The probability of at most `value`; NaN yields NaN.
    pub fn cdf(&self, value: f64) -> f64 {
        let z = (value - self.median) / self.scale;
        let k = self.shape.partition_point(|&s| s <= z).clamp(1, KNOTS.len() - 1);
        let (from, slope) = self.segment(k);
        1.0 / (1.0 + (-(logit(KNOTS[from]) + (z - self.shape[from]) / slope)).exp())
    }

    /// Where the piece that ends at knot `k` starts and how steep it is in logits.
    fn segment(&self, k: usize) -> (usize, f64) {
        let from = k - 1;
        let rise = self.shape[k] - self.shape[from];
        (from, rise / (logit(KNOTS[k]) - logit(KNOTS[from])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn even(n: usize) -> Vec<Scored> {
        (1..=n).map(|i| Scored { centre: 0.0, z: i as f64 - 0.5 * (n + 1) as f64, weight: 1.0 }).collect()
    }

    #[test]
    fn conformal_quantiles_are_the_known_order_statistics() {
        let sorted: Vec<(f64, f64)> = (1..=19).map(|i| (f64::from(i), 1.0)).collect();
        // ceil(.95 (19 + 1)) = 19, ceil(.9 * 20) = 18; .96 asks for a twentieth.
        assert_eq!(conformal(&sorted, 0.95), Some(19.0));
        assert_eq!(conformal(&sorted, 0.9), Some(18.0));
        assert_eq!(conformal(&sorted, 0.96), None);
    }

    #[test]
    fn a_symmetric_sample_has_a_symmetric_shape() {
        let shape = tier_quantiles(&even(399));
        assert_eq!(shape[MIDDLE], 0.0);
        for k in 0..MIDDLE {
            assert!((shape[k] + shape[KNOTS.len() - 1 - k]).abs() < 1e-9);
        }
        assert_eq!(shape[KNOTS.iter().position(|&p| p == 0.95).unwrap()], 180.0);
    }

    #[test]
    fn tiers_cut_by_forecast_and_blend_between_middles() {
        let wide = |i: usize| if i < 100 { 1.0 } else { 3.0 };
        let rows: Vec<Scored> = (0..200)
            .map(|i| Scored { centre: i as f64, z: wide(i) * ((i * 37 % 100) as f64 - 49.5), weight: 1.0 })
            .collect();
        let fitted = Calibration::fit(rows, 2);
        assert_eq!((fitted.tier(0.0), fitted.tier(99.4), fitted.tier(99.6)), (0, 0, 1));
        let at = |c: f64| fitted.quantiles_at(c)[20];
        assert!((at(300.0) / at(-5.0) - 3.0).abs() < 0.1);
        assert!(at(50.0) < at(100.0) && at(100.0) < at(150.0));
        assert!(fitted.is_well_formed());
    }

    proptest! {
        #[test]
        fn quantiles_ascend_and_invert(
            zs in prop::collection::vec(-5.0..5.0f64, 1..120),
            weights in prop::collection::vec(0.1..3.0f64, 120),
            levels in prop::collection::vec(0.0001..0.9999f64, 2..20),
            median in -20.0..20.0f64,
            scale in 0.01..10.0f64,
        ) {
            let rows: Vec<Scored> =
                zs.iter().zip(&weights).map(|(&z, &weight)| Scored { centre: z, z, weight }).collect();
            let fitted = Calibration::fit(rows, 3);
            prop_assert!(fitted.is_well_formed());
            let d = Distribution::new(median, scale, 0, fitted.quantiles_at(median));
            let mut levels = levels;
            levels.sort_by(f64::total_cmp);
            let q: Vec<f64> = levels.iter().map(|&p| d.quantile(p)).collect();
            prop_assert!(q.windows(2).all(|w| w[0] <= w[1]));
            for (&p, &q) in levels.iter().zip(&q) {
                prop_assert!((d.cdf(q) - p).abs() < 1e-6, "level {p} came back as {}", d.cdf(q));
            }
            prop_assert_eq!(d.quantile(0.5), median);
        }
    }
}
