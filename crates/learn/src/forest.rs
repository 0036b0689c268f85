//! A random forest for squared error: deep trees on bootstrap samples, averaged.
//!
//! Breiman (2001), with two deviations. The columns are sampled once a tree, not once a split, because that
//! is what `forust`'s tree grower offers, and by default not at all, because a tree that misses the one column
//! that matters most is a poor tree; and trees are grown best split first up to a number of leaves, on
//! binned values, so that forecasts and drivers stay fast. Bins are found once and shared by all trees.

use crate::boosting::{Monotone, check_columns, draw_columns};
use crate::control::Steps;
use crate::dataset::Dataset;
use crate::error::{LearnError, require};
use crate::grow::{Shape, Table};
use crate::tree::Trees;
use forust_ml::tree::Tree;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Trees between two looks at the caller's cancel flag.
const TREES_PER_STEP: usize = 50;

/// A description of a random forest.
///
/// ```
/// use marquee_learn::ForestSpec;
///
/// let small = ForestSpec { trees: 50, ..ForestSpec::default() };
/// assert_eq!(small.max_leaves, 128);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForestSpec {
    /// The number of trees.
    pub trees: usize,
    /// Most splits between root and leaf, 1 to 32.
    pub max_depth: usize,
    /// Most leaves of a tree, 2 to 4096.
    pub max_leaves: usize,
    /// Least sum of row weights in a leaf, above 0.
    pub min_leaf_weight: f32,
    /// Share of features that each tree sees, in (0, 1].
    pub column_share: f64,
    /// Histogram bins for each feature, 8 to 1024.
    pub bins: u16,
    /// Whether a split may part missing from present values and nothing else.
    pub split_on_missing: bool,
    /// Directions that are imposed.
    pub monotone: Monotone,
}

impl Default for ForestSpec {
    fn default() -> Self {
        Self {
            trees: 80,
            max_depth: 14,
            max_leaves: 128,
            min_leaf_weight: 5.0,
            column_share: 1.0,
            bins: 32,
            split_on_missing: false,
            monotone: Monotone::default(),
        }
    }
}

impl ForestSpec {
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        require((1..=10_000).contains(&self.trees), "forest trees", self.trees, "from 1 to 10000")?;
        require((1..=32).contains(&self.max_depth), "forest max_depth", self.max_depth, "from 1 to 32")?;
        require((2..=4096).contains(&self.max_leaves), "max_leaves", self.max_leaves, "from 2 to 4096")?;
        let leaf = self.min_leaf_weight;
        require(leaf > 0.0 && leaf.is_finite(), "forest min_leaf_weight", leaf, "above 0")?;
        check_columns("forest", self.column_share, self.bins)
    }

    /// How many steps of progress a fit reports.
    pub(crate) fn steps(&self) -> usize {
        self.trees.div_ceil(TREES_PER_STEP)
    }

    pub(crate) fn fit(
        &self,
        data: &Dataset,
        rows: &[usize],
        seed: u64,
        steps: &Steps<'_>,
    ) -> Result<Trees, LearnError> {
        self.check()?;
        let table = Table::new(data, rows, self.shape(), &self.monotone)?;
        let some = |step: usize| {
            let first = step * TREES_PER_STEP;
            let numbers = first..self.trees.min(first + TREES_PER_STEP);
            Ok(numbers.map(|k| self.grow(&table, seed, k as u64)).collect::<Vec<Tree>>())
        };
        let grown = steps.side_by_side("forest", self.steps(), some)?;
        let mut all = Trees::constant(table.mean);
        all.add_forust(grown.iter().flatten(), &table.columns, 1.0 / self.trees as f64);
        Ok(all)
    }

    fn shape(&self) -> Shape {
        Shape {
            what: "forest",
            max_depth: self.max_depth,
            max_leaves: self.max_leaves,
            min_leaf_weight: self.min_leaf_weight,
            l2: 0.0,
            learning_rate: 1.0,
            bins: self.bins,
            split_on_missing: self.split_on_missing,
            best_first: true,
        }
    }

    /// One tree on a bootstrap sample; rows drawn twice weigh double.
    fn grow(&self, table: &Table, seed: u64, number: u64) -> Tree {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        let mut drawn = vec![0u32; table.rows];
        for _ in 0..table.rows {
            drawn[rng.random_range(0..table.rows)] += 1;
        }
        let columns = draw_columns(table.columns.len(), self.column_share, &mut rng);
        let weight = |(&k, w): (&u32, &f64)| (f64::from(k) * w) as f32;
        let hess: Vec<f32> = drawn.iter().zip(&table.weights).map(weight).collect();
        let grad: Vec<f32> = hess.iter().zip(&table.centred).map(|(h, y)| -h * *y as f32).collect();
        let index: Vec<usize> = (0..table.rows).filter(|&i| drawn[i] > 0).collect();
        table.grow(index, &columns, &grad, &hess).0
    }
}
