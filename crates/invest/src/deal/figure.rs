//! One figure of a deal, or a list of figures: its value, since when it is assumed, and on whose word.

use marquee_domain::Day;
use serde::Deserialize;

/// A figure with its date and source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure<T = f64> {
    pub(crate) value: T,
    pub(crate) dated: Day,
    pub(crate) source: String,
    pub(crate) note: Option<String>,
}

/// A list of figures, or one that stands for all of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Values {
    One(f64),
    Many(Vec<f64>),
}

/// Figures in order, by week or by quarter.
pub(crate) type Series = Figure<Values>;

impl Values {
    pub(crate) fn as_slice(&self) -> &[f64] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// What a figure may be: a test and its words.
pub(crate) type Range = (fn(f64) -> bool, &'static str);

pub(crate) const FRACTION: Range = (|v| (0.0..=1.0).contains(&v), "a fraction in [0, 1]");
pub(crate) const BELOW_ONE: Range = (|v| (0.0..1.0).contains(&v), "a fraction in [0, 1)");
pub(crate) const SHARE: Range = (|v| v > 0.0 && v <= 1.0, "a fraction in (0, 1]");
pub(crate) const CHANGE: Range = (|v| (-1.0..=10.0).contains(&v), "a change in [-1, 10]");
pub(crate) const FACTOR: Range = (|v| (0.0..=10.0).contains(&v), "a factor in [0, 10]");
pub(crate) const AMOUNT: Range = (|v| (0.0..=1e12).contains(&v), "an amount in [0, 1e12]");
pub(crate) const POSITIVE: Range = (|v| v > 0.0 && v <= 1e12, "an amount in (0, 1e12]");
pub(crate) const MONTHS: Range =
    (|v| (0.0..=240.0).contains(&v) && v.fract() == 0.0, "a whole number of months in [0, 240]");
pub(crate) const SPAN: Range =
    (|v| (1.0..=240.0).contains(&v) && v.fract() == 0.0, "a whole number of months in [1, 240]");
pub(crate) const QUARTERS: Range =
    (|v| (0.0..=40.0).contains(&v) && v.fract() == 0.0, "a whole number of quarters in [0, 40]");
pub(crate) const DEGREES: Range = (|v| v > 2.0 && v <= 1000.0, "degrees of freedom in (2, 1000]");
