//! Splits by time: train on what was known before a block of rows begins, test on the block.
//!
//! Forward chaining ("rolling origin", Tashman 2000, *Int. J. Forecasting* 16) with an embargo: a row may
//! train a fold only if its outcome was known at least `embargo` days before the day of the block's first
//! row. A row whose day is early but whose outcome came late is therefore left out.

use crate::dataset::Example;
use crate::error::{LearnError, require};
use serde::{Deserialize, Serialize};

/// How to cut rows into time-ordered folds.
///
/// ```
/// use marquee_learn::{Example, ForwardChain};
///
/// let rows: Vec<Example> = (0..100).map(|day| Example::new(day, day + 5, 0.0)).collect();
/// let splits = ForwardChain { folds: 3, min_train: 20, ..ForwardChain::default() }.split(&rows)?;
/// assert_eq!(splits.len(), 3);
/// let first = &splits[0];
/// assert!(first.train.iter().all(|&i| rows[i].known <= rows[first.test[0]].day));
/// # Ok::<(), marquee_learn::LearnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForwardChain {
    /// The number of test blocks, of about equal size.
    pub folds: usize,
    /// The share of the earliest rows that only ever train, from 0 to .9.
    pub initial_share: f64,
    /// A fold with fewer training rows than this is left out.
    pub min_train: usize,
    /// Days that must lie between an outcome becoming known and the block's first day; 0 or more.
    pub embargo_days: i32,
}

impl Default for ForwardChain {
    fn default() -> Self {
        Self { folds: 5, initial_share: 0.35, min_train: 60, embargo_days: 0 }
    }
}

/// One fold: row numbers to train on and to test on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows whose outcomes were known before the block, ordered by day.
    pub train: Vec<usize>,
    /// The block's rows, ordered by day.
    pub test: Vec<usize>,
}

impl ForwardChain {
    /// The folds for these rows, earliest first. Test blocks are disjoint; equal days keep row order.
    ///
    /// # Errors
    /// [`LearnError::Parameter`] for a field out of bounds; [`LearnError::TooFewRows`] if no fold would
    /// have `min_train` rows.
    pub fn split(&self, rows: &[Example]) -> Result<Vec<Split>, LearnError> {
        self.check()?;
        let order = by_day(rows);
        let start = ((rows.len() as f64 * self.initial_share) as usize).min(rows.len());
        let tested = &order[start..];
        let splits: Vec<Split> = (0..self.folds)
            .map(|k| &tested[k * tested.len() / self.folds..(k + 1) * tested.len() / self.folds])
            .filter_map(|block| self.fold(rows, &order, block))
            .collect();
        if splits.is_empty() {
            let needed = self.min_train + self.folds;
            return Err(LearnError::TooFewRows { what: "a forward chain", needed, found: rows.len() });
        }
        Ok(splits)
    }

    fn fold(&self, rows: &[Example], order: &[usize], block: &[usize]) -> Option<Split> {
        let begins = rows[*block.first()?].day;
        let latest = begins.saturating_sub(self.embargo_days);
        // A row's outcome can be known on the very day the block begins although the row is in the block.
        let mut test = block.to_vec();
        test.sort_unstable();
        let train: Vec<usize> = order
            .iter()
            .copied()
            .filter(|i| rows[*i].known <= latest && test.binary_search(i).is_err())
            .collect();
        (train.len() >= self.min_train.max(1)).then(|| Split { train, test: block.to_vec() })
    }

    pub(crate) fn check(&self) -> Result<(), LearnError> {
        require((1..=100).contains(&self.folds), "folds", self.folds, "from 1 to 100")?;
        let share = self.initial_share;
        require((0.0..=0.9).contains(&share), "initial_share", share, "from 0 to 0.9")?;
        require(self.embargo_days >= 0, "embargo_days", self.embargo_days, "0 or more")
    }
}

/// Row numbers ordered by day; equal days keep their order.
pub(crate) fn by_day(rows: &[Example]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&i| rows[i].day);
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_is_learnt_before_it_was_known(
            dates in prop::collection::vec((0..2_000i32, 0..400i32), 30..150),
            folds in 1..6usize,
            embargo_days in 0..60i32,
        ) {
            let rows: Vec<Example> = dates.iter().map(|&(d, lag)| Example::new(d, d + lag, 0.0)).collect();
            let chain = ForwardChain { folds, min_train: 5, embargo_days, ..ForwardChain::default() };
            let Ok(splits) = chain.split(&rows) else { return Ok(()) };
            let mut tested = Vec::new();
            for split in &splits {
                let begins = split.test.iter().map(|&i| rows[i].day).min().unwrap();
                prop_assert!(split.train.iter().all(|&i| rows[i].known <= begins - embargo_days));
                prop_assert!(split.train.iter().all(|i| !split.test.contains(i)));
                tested.extend(split.test.iter().copied());
            }
            prop_assert!(tested.windows(2).all(|w| rows[w[0]].day <= rows[w[1]].day));
            let n = tested.len();
            tested.sort_unstable();
            tested.dedup();
            prop_assert_eq!(tested.len(), n);
        }
    }

    #[test]
    fn late_outcomes_do_not_train() {
        let mut rows: Vec<Example> = (0..20).map(|d| Example::new(d, d, 0.0)).collect();
        rows[0].known = 15;
        let chain = ForwardChain { folds: 2, initial_share: 0.5, min_train: 1, embargo_days: 0 };
        let splits = chain.split(&rows).unwrap();
        assert_eq!(splits[0].test, (10..15).collect::<Vec<_>>());
        assert_eq!(splits[0].train, (1..10).collect::<Vec<_>>());
        assert_eq!(splits[1].train, (0..15).collect::<Vec<_>>());
    }

    #[test]
    fn too_little_data_is_an_error() {
        let rows = vec![Example::new(0, 0, 0.0); 4];
        assert!(matches!(ForwardChain::default().split(&rows), Err(LearnError::TooFewRows { .. })));
        assert!(matches!(ForwardChain::default().split(&[]), Err(LearnError::TooFewRows { .. })));
        assert!(ForwardChain { folds: 0, ..ForwardChain::default() }.split(&rows).is_err());
    }
}
