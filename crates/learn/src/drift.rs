//! Drift: whether new rows still look like those that a model learned from.
//!
//! Each column's new values are set against its earlier ones in two ways: by ranks (Wilcoxon), which finds a shift, and by
//! the largest distance between both distributions (Kolmogorov and Smirnov), which finds any other change. What is missing
//! counts as a value of its own, below all others. How large a difference may be is drawn, not assumed: both groups are
//! thrown together and divided anew many times, and of each division the largest difference over *all* columns is kept
//! (the single-step method of Westfall & Young, *Resampling-Based Multiple Testing*, 1993). That holds for any number of
//! rows, and a hundred columns raise no more false alarms than one.

use crate::error::{LearnError, require};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// How drift is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftSpec {
    /// The probability, over all columns together, that anything is called drifted where nothing has: above 0, below 1.
    pub significance: f64,
    /// How often rows are divided anew, 99 to 100,000.
    pub draws: usize,
    /// All randomness comes from here.
    pub seed: u64,
}

impl Default for DriftSpec {
    fn default() -> Self {
        Self { significance: 0.02, draws: 499, seed: 0 }
    }
}

/// What was found of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnDrift {
    /// The largest distance between the shares below any value, 0 to 1.
    pub distance: f64,
    /// The probability that a new value exceeds an earlier one (a tie counts half): 0.5 where nothing is shifted.
    pub exceeds: f64,
    /// The probability that any column differs as much by chance.
    pub p_value: f64,
    /// Whether that is below the significance.
    pub drifted: bool,
}

/// Sets the new values of each column against its earlier ones: `columns` holds one pair of both for each, all equally long.
/// NaN is missing.
///
/// ```
/// use marquee_learn::drift::{DriftSpec, drift};
///
/// let earlier: Vec<f64> = (0..400).map(|i| f64::from(i % 97)).collect();
/// let same: Vec<f64> = (0..100).map(|i| f64::from(i * 7 % 97)).collect();
/// let broken = vec![0.0; 100];
/// let found = drift(&[(&earlier, &same), (&earlier, &broken)], DriftSpec::default())?;
/// assert!(!found[0].drifted && found[1].drifted);
/// # Ok::<(), marquee_learn::LearnError>(())
/// ```
///
/// # Errors
/// [`LearnError::Parameter`] for settings out of bounds, [`LearnError::Length`] for columns that are not equally long, or
/// without any row.
pub fn drift(columns: &[(&[f64], &[f64])], spec: DriftSpec) -> Result<Vec<ColumnDrift>, LearnError> {
    let DriftSpec { significance, draws, seed } = spec;
    require(significance > 0.0 && significance < 1.0, "significance", significance, "above 0 and below 1")?;
    require((99..=100_000).contains(&draws), "draws", draws, "from 99 to 100000")?;
    let Some((earlier, new)) = columns.first().map(|(earlier, new)| (earlier.len(), new.len())) else {
        return Ok(Vec::new());
    };
    for (a, b) in columns {
        for (what, expected, found) in [("earlier values", earlier, a.len()), ("new values", new, b.len())] {
            if expected == 0 || expected != found {
                return Err(LearnError::Length { what: what.into(), expected: expected.max(1), found });
            }
        }
    }
    let ranked: Vec<Ranked> = columns.iter().map(|(earlier, new)| Ranked::of(earlier, new)).collect();
    let divisions = divisions(earlier, new, draws, seed);
    let sizes: Vec<[Vec<f64>; 2]> = ranked
        .par_iter()
        .map(|column| {
            let found: Vec<[f64; 2]> = divisions.iter().map(|is_new| column.differs(is_new)).collect();
            [0, 1].map(|way| standardised(found.iter().map(|f| f[way]).collect()))
        })
        .collect();
    // The largest difference over all columns, for each division; the first is the true one.
    let largest: Vec<f64> = (0..=draws)
        .map(|d| sizes.iter().flat_map(|ways| ways.iter().map(|way| way[d])).fold(f64::MIN, f64::max))
        .collect();
    let judge = |(column, ways): (&Ranked, &[Vec<f64>; 2])| {
        let own = ways[0][0].max(ways[1][0]);
        let as_large = largest[1..].iter().filter(|l| **l >= own).count();
        let p_value = (1 + as_large) as f64 / (1 + draws) as f64;
        let [distance, exceeds] = column.measured(&divisions[0]);
        ColumnDrift { distance, exceeds, p_value, drifted: p_value < significance }
    };
    Ok(ranked.iter().zip(&sizes).map(judge).collect())
}

/// Which rows count as new: first as it is, then drawn.
fn divisions(earlier: usize, new: usize, draws: usize, seed: u64) -> Vec<Vec<bool>> {
    let truth: Vec<bool> = (0..earlier + new).map(|i| i >= earlier).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut found = vec![truth.clone()];
    for _ in 0..draws {
        let mut drawn = truth.clone();
        drawn.shuffle(&mut rng);
        found.push(drawn);
    }
    found
}

/// Differences in standard deviations of those that were drawn.
fn standardised(mut sizes: Vec<f64>) -> Vec<f64> {
    let drawn = &sizes[1..];
    let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
    let spread = (drawn.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / drawn.len() as f64).sqrt();
    for size in &mut sizes {
        // A column that never varies differs in no division.
        *size = if spread > 0.0 { (*size - mean) / spread } else { 0.0 };
    }
    sizes
}

/// A column's rows in order of value, with ties.
struct Ranked {
    /// Row numbers, the lowest value first.
    order: Vec<usize>,
    /// Where each run of equal values ends, in `order`.
    ends: Vec<usize>,
}

impl Ranked {
    fn of(earlier: &[f64], new: &[f64]) -> Self {
        let value = |i: usize| {
            let v = if i < earlier.len() { earlier[i] } else { new[i - earlier.len()] };
            // Missing is below all; both zeros are one.
            if v.is_nan() { f64::NEG_INFINITY } else { v + 0.0 }
        };
        let mut order: Vec<usize> = (0..earlier.len() + new.len()).collect();
        order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
        let is_end = |k: &usize| *k == order.len() || value(order[*k - 1]) != value(order[*k]);
        let ends = (1..=order.len()).filter(is_end).collect();
        Self { order, ends }
    }

    /// The distance between both distributions, and the probability that a new value exceeds an earlier one.
    fn measured(&self, is_new: &[bool]) -> [f64; 2] {
        let new = is_new.iter().filter(|n| **n).count() as f64;
        let earlier = is_new.len() as f64 - new;
        let (mut from, mut below, mut new_below) = (0, 0.0, 0.0);
        let (mut distance, mut exceeds) = (0.0f64, 0.0);
        for end in &self.ends {
            let tied = (end - from) as f64;
            let tied_new = self.order[from..*end].iter().filter(|i| is_new[**i]).count() as f64;
            exceeds += tied_new * (below + (tied - tied_new) / 2.0);
            new_below += tied_new;
            below += tied - tied_new;
            distance = distance.max((new_below / new - below / earlier).abs());
            from = *end;
        }
        [distance, exceeds / (new * earlier)]
    }

    /// How far both differ: the distance, and how far the probability is from even.
    fn differs(&self, is_new: &[bool]) -> [f64; 2] {
        let [distance, exceeds] = self.measured(is_new);
        [distance, (exceeds - 0.5).abs()]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::RngExt;

    const COLUMNS: usize = 20;

    /// Columns of 600 earlier rows and 150 new ones: dollars, flags, shares with a third missing.
    fn year(seed: u64) -> Vec<(Vec<f64>, Vec<f64>)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |column: usize| {
            let normal: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
            match column % 3 {
                0 => 17.0 + 1.6 * normal,
                1 => f64::from(u8::from(normal > 1.0)),
                _ if rng.random::<f64>() < 0.33 => f64::NAN,
                _ => normal,
            }
        };
        let mut column =
            |c: usize| ((0..600).map(|_| draw(c)).collect(), (0..150).map(|_| draw(c)).collect());
        (0..COLUMNS).map(&mut column).collect()
    }

    fn alarms(columns: &[(Vec<f64>, Vec<f64>)], seed: u64) -> Vec<bool> {
        let columns: Vec<(&[f64], &[f64])> = columns.iter().map(|(a, b)| (&a[..], &b[..])).collect();
        let spec = DriftSpec { draws: 199, seed, ..DriftSpec::default() };
        drift(&columns, spec).unwrap().into_iter().map(|c| c.drifted).collect()
    }

    #[test]
    fn years_that_are_like_the_others_seldom_alarm() {
        let alarmed = (0..200).filter(|seed| alarms(&year(*seed), *seed).contains(&true)).count();
        assert!(alarmed <= 10, "{alarmed} of 200 years");
    }

    #[test]
    fn a_shift_and_a_broken_column_are_found_and_named() {
        let found = |change: fn(&mut Vec<f64>)| {
            let hit = |seed: &u64| {
                let mut columns = year(*seed);
                change(&mut columns[0].1);
                alarms(&columns, *seed)[0]
            };
            (1_000..1_050).filter(hit).count()
        };
        for (what, change) in [
            (
                "budgets 2.5 times as large",
                (|new| new.iter_mut().for_each(|x| *x += 2.5f64.ln())) as fn(&mut Vec<f64>),
            ),
            ("thousands for dollars", |new| new.iter_mut().for_each(|x| *x -= 1e3f64.ln())),
            ("a third missing", |new| new.iter_mut().step_by(3).for_each(|x| *x = f64::NAN)),
            ("always the same", |new| new.fill(17.0)),
        ] {
            let n = found(change);
            assert!(n >= 45, "{what}: found {n} times of 50");
        }
    }

    #[test]
    fn what_is_measured_is_what_it_says() {
        // New values 2, 3 and missing against 1, 2, 4: of nine pairs the new one is larger in three, equal in one.
        let column = Ranked::of(&[1.0, 2.0, 4.0], &[2.0, 3.0, f64::NAN]);
        let [distance, exceeds] = column.measured(&[false, false, false, true, true, true]);
        assert!((exceeds - 3.5 / 9.0).abs() < 1e-12, "{exceeds}");
        assert!((distance - 1.0 / 3.0).abs() < 1e-12);
        assert!(drift(&[(&[1.0], &[])], DriftSpec::default()).is_err());
        assert!(drift(&[], DriftSpec { draws: 3, ..DriftSpec::default() }).is_err());
    }
}
