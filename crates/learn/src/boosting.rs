//! Gradient-boosted trees for squared error, grown by `forust`, averaged over seeds.
//!
//! Friedman (2001, 2002): shrunken trees on the residuals of those before, each on a random share of rows
//! and columns. One seed uses one thread; seeds run side by side. The loop is ours and not `forust`'s, so that
//! directions hold (see [`crate::grow`]) and the random numbers are our own. The fitted trees are copied into
//! [`Trees`]: learning rate and base score are folded in, and a missing value goes the way its split chose.

use crate::control::Steps;
use crate::dataset::Dataset;
use crate::error::{LearnError, require};
use crate::grow::{Shape, Table};
use crate::tree::Trees;
use forust_ml::constraints::{Constraint, ConstraintMap};
use forust_ml::tree::{Tree, TreeRows, split_bins};
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Which features may only raise, or only lower, a forecast as they grow. Others are free.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monotone {
    /// Names of features: more of it, never a lower forecast.
    pub increasing: Vec<String>,
    /// Names of features: more of it, never a higher forecast.
    pub decreasing: Vec<String>,
}

impl Monotone {
    /// As `forust` wants it, for a matrix that holds just `columns` of the dataset.
    pub(crate) fn constraints(
        &self,
        data: &Dataset,
        columns: &[usize],
        spec: &'static str,
    ) -> Result<ConstraintMap, LearnError> {
        let mut map = ConstraintMap::new();
        let both = [(&self.increasing, Constraint::Positive), (&self.decreasing, Constraint::Negative)];
        for (names, constraint) in both {
            for name in names {
                let unknown = || LearnError::UnknownFeature { spec, name: name.clone() };
                let column = data.features().position(name).ok_or_else(unknown)?;
                if let Ok(place) = columns.binary_search(&column) {
                    map.insert(place, constraint);
                }
            }
        }
        Ok(map)
    }
}

/// A description of boosted trees; the defaults suit 1,000–10,000 noisy rows with a target in natural-log units.
///
/// ```
/// use marquee_learn::BoostingSpec;
///
/// let quick = BoostingSpec { seeds: 1, trees: 100, learning_rate: 0.1, ..BoostingSpec::default() };
/// assert_eq!(quick.max_depth, 5);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostingSpec {
    /// Independent fits that are averaged.
    pub seeds: usize,
    /// Trees in each fit.
    pub trees: usize,
    /// The share of each tree's step that is taken, in (0, 1].
    pub learning_rate: f32,
    /// Most splits between root and leaf, 1 to 16.
    pub max_depth: usize,
    /// Least sum of row weights in a leaf.
    pub min_leaf_weight: f32,
    /// Ridge penalty on leaf values, in units of row weight.
    pub l2: f32,
    /// Share of rows that each tree sees, in (0, 1].
    pub row_share: f32,
    /// Share of features that each tree sees, in (0, 1].
    pub column_share: f64,
    /// Histogram bins for each feature, 8 to 1024.
    pub bins: u16,
    /// Whether a split may part missing from present values and nothing else.
    pub split_on_missing: bool,
    /// Directions that are imposed.
    pub monotone: Monotone,
}

impl Default for BoostingSpec {
    fn default() -> Self {
        Self {
            seeds: 3,
            trees: 300,
            learning_rate: 0.035,
            max_depth: 5,
            min_leaf_weight: 12.0,
            l2: 4.0,
            row_share: 0.7,
            column_share: 0.5,
            bins: 64,
            split_on_missing: false,
            monotone: Monotone::default(),
        }
    }
}

impl BoostingSpec {
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        require((1..=1_000).contains(&self.seeds), "boosting seeds", self.seeds, "from 1 to 1000")?;
        require((1..=20_000).contains(&self.trees), "boosting trees", self.trees, "from 1 to 20000")?;
        let rate = self.learning_rate;
        require(rate > 0.0 && rate <= 1.0, "learning_rate", rate, "above 0, at most 1")?;
        require((1..=16).contains(&self.max_depth), "boosting max_depth", self.max_depth, "from 1 to 16")?;
        let leaf = self.min_leaf_weight;
        require(leaf >= 0.0 && leaf.is_finite(), "boosting min_leaf_weight", leaf, "0 or more")?;
        require(self.l2 >= 0.0 && self.l2.is_finite(), "l2", self.l2, "0 or more")?;
        let share = self.row_share;
        require(share > 0.0 && share <= 1.0, "row_share", share, "above 0, at most 1")?;
        check_columns("boosting", self.column_share, self.bins)
    }

    /// How many steps of progress a fit reports.
    pub(crate) fn steps(&self) -> usize {
        self.seeds
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
        let boost = |stream: usize| Ok(self.boost(&table, seed, stream as u64));
        let fits = steps.side_by_side("boosting", self.seeds, boost)?;
        let mut all = Trees::constant(table.mean);
        all.add_forust(fits.iter().flatten(), &table.columns, 1.0 / self.seeds as f64);
        Ok(all)
    }

    fn shape(&self) -> Shape {
        Shape {
            what: "boosting",
            max_depth: self.max_depth,
            max_leaves: usize::MAX,
            min_leaf_weight: self.min_leaf_weight,
            l2: self.l2,
            learning_rate: self.learning_rate,
            bins: self.bins,
            split_on_missing: self.split_on_missing,
            best_first: false,
        }
    }

    /// The trees of one seed, each on the residuals of those before it.
    fn boost(&self, table: &Table, seed: u64, stream: u64) -> Vec<Tree> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let hess: Vec<f32> = table.weights.iter().map(|&w| w as f32).collect();
        let mut grad = vec![0f32; table.rows];
        let mut fitted = vec![0f64; table.rows];
        let mut trees = Vec::with_capacity(self.trees);
        for _ in 0..self.trees {
            for (i, g) in grad.iter_mut().enumerate() {
                *g = ((fitted[i] - table.centred[i]) * table.weights[i]) as f32;
            }
            let (index, left_out) = self.draw_rows(table.rows, &mut rng);
            let columns = draw_columns(table.columns.len(), self.column_share, &mut rng);
            let (tree, placed) = table.grow(index, &columns, &grad, &hess);
            add_predictions(table, &tree, placed, &left_out, &mut fitted);
            trees.push(tree);
        }
        trees
    }

    fn draw_rows(&self, rows: usize, rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
        if self.row_share >= 1.0 {
            return ((0..rows).collect(), Vec::new());
        }
        (0..rows).partition(|_| rng.random::<f32>() < self.row_share)
    }
}

/// Adds a tree's predictions for all training rows: by the leaf they were placed in, or by walking the tree.
fn add_predictions(
    table: &Table,
    tree: &Tree,
    placed: Option<TreeRows>,
    left_out: &[usize],
    fitted: &mut [f64],
) {
    let bins = split_bins(tree, &table.binned.cuts);
    let matrix = table.matrix();
    let mut walk = |row: usize| {
        let bin = |feature| *matrix.get(row, feature);
        fitted[row] += tree.predict_row_from_bins(bin, &bins, 0, &f64::NAN);
    };
    match placed {
        None => (0..table.rows).for_each(&mut walk),
        Some(placed) => {
            left_out.iter().copied().for_each(&mut walk);
            for (rows, value) in placed.leaves(tree) {
                rows.iter().for_each(|&i| fitted[i] += value);
            }
        }
    }
}

/// A share of `columns`, at least one, ascending.
pub(crate) fn draw_columns(columns: usize, share: f64, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let wanted = ((columns as f64 * share).ceil() as usize).clamp(1, columns);
    if wanted == columns {
        return (0..columns).collect();
    }
    let mut drawn = sample(rng, columns, wanted).into_vec();
    drawn.sort_unstable();
    drawn
}

/// The checks that boosting and forests share.
pub(crate) fn check_columns(what: &'static str, share: f64, bins: u16) -> Result<(), LearnError> {
    let names = if what == "boosting" {
        ["boosting column_share", "boosting bins"]
    } else {
        ["forest column_share", "forest bins"]
    };
    require(share > 0.0 && share <= 1.0, names[0], share, "above 0, at most 1")?;
    require((8..=1024).contains(&bins), names[1], bins, "from 8 to 1024")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::dataset::{Example, Features};
    use forust_ml::objective::ObjectiveType;
    use forust_ml::{GradientBooster, Matrix};
    use marquee_domain::Control;

    #[test]
    fn without_sampling_it_is_forusts_own_booster() {
        let columns = (0..6).map(|j| (format!("x{j}"), Some("all")));
        let mut data = Dataset::new(Features::new(columns).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for day in 0..700 {
            let mut row: Vec<f64> = (0..6).map(|_| rng.random_range(-2.0..2.0)).collect();
            let target = 17.0 + row[0] * row[1] + row[2].abs() + rng.random_range(-0.5..0.5);
            row[3] = if row[3] < 0.0 { f64::NAN } else { row[3] };
            row[0] = if row[5] > 1.5 { f64::NAN } else { row[0] };
            data.push(&row, Example { weight: 0.5 + f64::from(day % 3), ..Example::new(day, day, target) })
                .unwrap();
        }
        let rows: Vec<usize> = (0..700).collect();
        let spec = BoostingSpec {
            seeds: 1,
            trees: 80,
            row_share: 1.0,
            column_share: 1.0,
            split_on_missing: true,
            ..BoostingSpec::default()
        };
        let control = Control::default();
        let ours = spec.fit(&data, &rows, 1, &Steps::new(&control, 1)).unwrap();
        let mut theirs = GradientBooster::default()
            .set_objective_type(ObjectiveType::SquaredLoss)
            .set_iterations(spec.trees)
            .set_learning_rate(spec.learning_rate)
            .set_max_depth(spec.max_depth)
            .set_l2(spec.l2)
            .set_min_leaf_weight(spec.min_leaf_weight)
            .set_nbins(spec.bins)
            .set_parallel(false);
        theirs.initialize_base_score = true;
        let matrix = data.gather(&[0, 1, 2, 3, 4, 5], &rows);
        let matrix = Matrix::new(&matrix, 700, 6);
        theirs.fit(&matrix, &data.targets(&rows), &data.weights(&rows), None).unwrap();
        let expected = theirs.predict(&matrix, false);
        // The same trees first: our copy of forust's own.
        let mut copied = Trees::constant(theirs.base_score);
        copied.add_forust(&theirs.trees, &[0, 1, 2, 3, 4, 5], 1.0);
        for (i, expected) in expected.iter().enumerate() {
            assert!((copied.predict(&data.row(i)) - expected).abs() < 1e-6);
            assert!((ours.predict(&data.row(i)) - expected).abs() < 1e-3, "row {i}");
        }
    }
}
