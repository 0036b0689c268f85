//! Standardised columns for members that add up weighted inputs.

use serde::{Deserialize, Serialize};

/// How one column becomes comparable with others: deviations from its training mean in standard deviations.
///
/// A missing value counts as the mean and there is no indicator of missingness: absence must not be a signal here. Values
/// are clipped, so that an odd row cannot run away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standard {
    pub(crate) column: u16,
    mean: f64,
    /// The inverse standard deviation; zero for a constant feature.
    inverse_sd: f64,
}

impl Standard {
    /// Learns from a column's values, NaN where missing, and their row weights.
    pub(crate) fn learn(column: usize, values: &[f64], w: &[f64]) -> Self {
        let present = || values.iter().zip(w).filter(|(v, _)| !v.is_nan());
        let total: f64 = present().map(|(_, w)| w).sum();
        let mean = if total > 0.0 { present().map(|(v, w)| v * w).sum::<f64>() / total } else { 0.0 };
        let variance = present().map(|(v, w)| w * (v - mean) * (v - mean)).sum::<f64>() / total;
        let varies = variance > 1e-18 * (1.0 + mean * mean);
        let inverse_sd = if varies { 1.0 / variance.sqrt() } else { 0.0 };
        Self { column: column as u16, mean, inverse_sd }
    }

    /// Standard deviations from the mean, at most `clip` either way; zero where missing.
    pub(crate) fn of(&self, row: &[f64], clip: f64) -> f64 {
        self.z(row[usize::from(self.column)], clip)
    }

    /// As [`Standard::of`], of the column's value itself.
    pub(crate) fn z(&self, value: f64, clip: f64) -> f64 {
        if value.is_nan() { 0.0 } else { ((value - self.mean) * self.inverse_sd).clamp(-clip, clip) }
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.mean.is_finite() && self.inverse_sd.is_finite()
    }
}
