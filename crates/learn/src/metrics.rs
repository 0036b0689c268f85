//! How good forecasts were: errors of the middle, scores of quantiles.
//!
//! Slices that are compared must be equally long; where they are not, the shorter length counts. Empty
//! input and undefined ratios give NaN. Money is expected in natural logs.

/// The seven levels of a stored forecast, over which [`crps`] is taken.
pub const LEVELS: [f64; 7] = [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95];

/// The share of variance explained: one less squared error over squared deviation from the mean.
///
/// ```
/// use marquee_learn::metrics::r2;
///
/// assert_eq!(r2(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 1.0);
/// assert_eq!(r2(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), 0.0);
/// ```
pub fn r2(actual: &[f64], predicted: &[f64]) -> f64 {
    let centre = mean(actual.iter().copied());
    let spread: f64 = actual.iter().map(|y| (y - centre) * (y - centre)).sum();
    let error: f64 = actual.iter().zip(predicted).map(|(y, p)| (y - p) * (y - p)).sum();
    if spread > 0.0 { 1.0 - error / spread } else { f64::NAN }
}

/// The root of the mean squared error, in the unit of the target.
pub fn rmse(actual: &[f64], predicted: &[f64]) -> f64 {
    mean(actual.iter().zip(predicted).map(|(y, p)| (y - p) * (y - p))).sqrt()
}

/// Absolute error as a share of the actual amount, of natural logs: `|exp(p - y) - 1|`.
pub fn ape(actual_log: f64, predicted_log: f64) -> f64 {
    (predicted_log - actual_log).exp_m1().abs()
}

/// The median of [`ape`] over rows.
pub fn median_ape(actual_log: &[f64], predicted_log: &[f64]) -> f64 {
    median(actual_log.iter().zip(predicted_log).map(|(&y, &p)| ape(y, p)).collect())
}

/// The middle value; for an even number the mean of the middle two, for none NaN.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { f64::NAN } else { 0.5 * (values[(n - 1) / 2] + values[n / 2]) }
}

/// The share of rows whose [`ape`] is at most `tolerance`, such as .15.
///
/// ```
/// use marquee_learn::metrics::share_within;
///
/// let actual = [100f64.ln(), 100f64.ln()];
/// let predicted = [110f64.ln(), 130f64.ln()];
/// assert_eq!(share_within(&actual, &predicted, 0.15), 0.5);
/// ```
pub fn share_within(actual_log: &[f64], predicted_log: &[f64], tolerance: f64) -> f64 {
    let near = |(&y, &p): (&f64, &f64)| f64::from(u8::from(ape(y, p) <= tolerance));
    mean(actual_log.iter().zip(predicted_log).map(near))
}

/// The pinball loss of one quantile forecast at `level`.
pub fn pinball(level: f64, actual: f64, quantile: f64) -> f64 {
    let over = actual - quantile;
    if over >= 0.0 { level * over } else { (level - 1.0) * over }
}

/// The continuous ranked probability score of one row: twice the mean [`pinball`] loss over [`LEVELS`].
pub fn crps_row(actual: f64, quantiles: &[f64; 7]) -> f64 {
    2.0 * mean(LEVELS.iter().zip(quantiles).map(|(&level, &q)| pinball(level, actual, q)))
}

/// The mean of [`crps_row`], in the unit of the target.
///
/// ```
/// use marquee_learn::metrics::crps;
///
/// // A point forecast off by 1 above: twice the mean of (1 - level), which is 1.
/// assert!((crps(&[0.0], &[[1.0; 7]]) - 1.0).abs() < 1e-12);
/// ```
pub fn crps(actual: &[f64], quantiles: &[[f64; 7]]) -> f64 {
    mean(actual.iter().zip(quantiles).map(|(&y, q)| crps_row(y, q)))
}

/// The share of rows whose actual lies within its bounds, ends included.
pub fn coverage(actual: &[f64], lower: &[f64], upper: &[f64]) -> f64 {
    let inside = |((y, l), u): ((&f64, &f64), &f64)| f64::from(u8::from(l <= y && y <= u));
    mean(actual.iter().zip(lower).zip(upper).map(inside))
}

/// The area under the receiver's curve: how often one that happened was given more than one that did not, equal ones half.
/// NaN where nothing happened, or all did.
///
/// ```
/// use marquee_learn::metrics::auc;
///
/// assert_eq!(auc(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false]), 0.75);
/// ```
pub fn auc(stated: &[f64], happened: &[bool]) -> f64 {
    let ranked = ranked(stated, happened);
    let (mut below, mut won) = (0.0, 0.0);
    let total = ranked.iter().filter(|(_, happened)| *happened).count() as f64;
    for equal in ranked.chunk_by(|a, b| a.0 == b.0).rev() {
        let happened = equal.iter().filter(|(_, happened)| *happened).count() as f64;
        let not = equal.len() as f64 - happened;
        won += happened * (below + 0.5 * not);
        below += not;
    }
    won / (total * below)
}

/// The mean, over what happened, of the share that happened among all that were given as much or more: the area under the
/// curve of precision against recall, as sums of steps. NaN where nothing happened.
///
/// ```
/// use marquee_learn::metrics::average_precision;
///
/// let ap = average_precision(&[0.9, 0.8, 0.7, 0.1], &[true, false, true, false]);
/// assert!((ap - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
/// ```
pub fn average_precision(stated: &[f64], happened: &[bool]) -> f64 {
    let (mut seen, mut hits, mut sum) = (0.0, 0.0, 0.0);
    for equal in ranked(stated, happened).chunk_by(|a, b| a.0 == b.0) {
        let found = equal.iter().filter(|(_, happened)| *happened).count() as f64;
        seen += equal.len() as f64;
        hits += found;
        sum += found * hits / seen;
    }
    sum / hits
}

/// What was stated with whether it happened, most first.
fn ranked(stated: &[f64], happened: &[bool]) -> Vec<(f64, bool)> {
    let mut ranked: Vec<(f64, bool)> = stated.iter().copied().zip(happened.iter().copied()).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    if n == 0 { f64::NAN } else { sum / n as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        assert!((rmse(&[0.0, 0.0], &[3.0, 4.0]) - 12.5f64.sqrt()).abs() < 1e-12);
        assert!((ape(10f64.ln(), 5f64.ln()) - 0.5).abs() < 1e-12);
        assert!((median_ape(&[0.0, 0.0], &[0.0, 2f64.ln()]) - 0.5).abs() < 1e-12);
        assert_eq!(pinball(0.9, 10.0, 8.0), 1.8);
        assert!((pinball(0.9, 8.0, 10.0) - 0.2).abs() < 1e-12);
        assert_eq!(coverage(&[1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, 4.0, 0.0], &[1.0, 2.0, 5.0, 3.0]), 0.5);
    }

    /// All alike: no order, and the base rate.
    #[test]
    fn what_tells_nothing_apart_ranks_by_chance() {
        let happened = [true, false, false, true, false];
        assert_eq!((auc(&[0.3; 5], &happened), average_precision(&[0.3; 5], &happened)), (0.5, 0.4));
        assert_eq!(auc(&[0.1, 0.2], &[false, true]), 1.0);
    }

    #[test]
    fn empty_input_is_nan_not_a_panic() {
        assert!(r2(&[], &[]).is_nan() && rmse(&[], &[]).is_nan() && median_ape(&[], &[]).is_nan());
        assert!(r2(&[2.0, 2.0], &[1.0, 3.0]).is_nan() && crps(&[], &[]).is_nan());
        assert!(auc(&[0.5], &[true]).is_nan() && average_precision(&[0.5], &[false]).is_nan());
    }
}
