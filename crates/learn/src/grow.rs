//! What boosting and forests share: a table binned once for many trees, and directions that truly hold.
//!
//! `forust` 0.8 clamps child values only at splits of constrained features, so that a free split below a
//! constrained one can break the direction. [`Table::grow`] therefore clamps each grown tree: below a split
//! on a constrained feature every leaf stays on its side of the middle between the two children.

use crate::boosting::Monotone;
use crate::dataset::Dataset;
use crate::error::LearnError;
use forust_ml::Matrix;
use forust_ml::binning::{BinnedData, bin_matrix};
use forust_ml::constraints::{Constraint, ConstraintMap};
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::sampler::SampleMethod;
use forust_ml::splitter::MissingImputerSplitter;
use forust_ml::tree::{Tree, TreeRows};

/// How a tree is grown, beside what rows and columns it sees.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) what: &'static str,
    pub(crate) max_depth: usize,
    pub(crate) max_leaves: usize,
    pub(crate) min_leaf_weight: f32,
    pub(crate) l2: f32,
    pub(crate) learning_rate: f32,
    pub(crate) bins: u16,
    pub(crate) split_on_missing: bool,
    pub(crate) best_first: bool,
}

/// Training rows of the columns that models may see, binned, with targets less their mean.
pub(crate) struct Table {
    pub(crate) columns: Vec<usize>,
    pub(crate) rows: usize,
    pub(crate) mean: f64,
    pub(crate) centred: Vec<f64>,
    pub(crate) weights: Vec<f64>,
    pub(crate) binned: BinnedData<f64>,
    shape: Shape,
    splitter: MissingImputerSplitter,
    directions: ConstraintMap,
}

impl Table {
    pub(crate) fn new(
        data: &Dataset,
        rows: &[usize],
        shape: Shape,
        monotone: &Monotone,
    ) -> Result<Self, LearnError> {
        let columns = data.features().grouped();
        let directions = monotone.constraints(data, &columns, shape.what)?;
        let matrix = data.gather(&columns, rows);
        let weights = data.weights(rows);
        let table = Matrix::new(&matrix, rows.len(), columns.len());
        let binned = bin_matrix(&table, &weights, shape.bins, f64::NAN, false)
            .map_err(|error| LearnError::Fit { what: shape.what, reason: error.to_string() })?;
        let targets = data.targets(rows);
        let total: f64 = weights.iter().sum();
        let mean = targets.iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>() / total;
        let splitter = MissingImputerSplitter::new(
            0.0,
            shape.l2,
            0.0,
            0.0,
            shape.min_leaf_weight,
            shape.learning_rate,
            shape.split_on_missing,
            directions.clone(),
        );
        let centred = targets.iter().map(|y| y - mean).collect();
        Ok(Self { columns, rows: rows.len(), mean, centred, weights, binned, shape, splitter, directions })
    }

    pub(crate) fn matrix(&self) -> Matrix<'_, u16> {
        Matrix::new(&self.binned.binned_data, self.rows, self.columns.len())
    }

    /// Grows a tree on the rows in `index` and the columns numbered in `columns`, both ascending.
    pub(crate) fn grow(
        &self,
        index: Vec<usize>,
        columns: &[usize],
        grad: &[f32],
        hess: &[f32],
    ) -> (Tree, Option<TreeRows>) {
        let mut tree = Tree::new();
        let method = if index.len() == self.rows { SampleMethod::None } else { SampleMethod::Random };
        let policy = if self.shape.best_first { GrowPolicy::LossGuide } else { GrowPolicy::DepthWise };
        let rows = tree.fit(
            &self.matrix(),
            index,
            columns,
            &self.binned.cuts,
            grad,
            hess,
            &self.splitter,
            self.shape.max_leaves,
            self.shape.max_depth,
            false,
            &method,
            &policy,
        );
        self.hold_directions(&mut tree);
        (tree, rows)
    }

    fn hold_directions(&self, tree: &mut Tree) {
        if self.directions.is_empty() || tree.nodes.is_empty() {
            return;
        }
        let mut pending = vec![(0, f32::NEG_INFINITY, f32::INFINITY)];
        while let Some((at, low, high)) = pending.pop() {
            let value = tree.nodes[at].weight_value.clamp(low, high);
            tree.nodes[at].weight_value = value;
            let node = &tree.nodes[at];
            if node.is_leaf {
                continue;
            }
            let (left, right) = (node.left_child, node.right_child);
            let clamped = |child: usize| tree.nodes[child].weight_value.clamp(low, high);
            let middle = (0.5 * (clamped(left) + clamped(right))).clamp(low, high);
            let (below, above) = match self.directions.get(&node.split_feature) {
                Some(Constraint::Positive) => ((low, middle), (middle, high)),
                Some(Constraint::Negative) => ((middle, high), (low, middle)),
                _ => ((low, high), (low, high)),
            };
            pending.push((left, below.0, below.1));
            pending.push((right, above.0, above.1));
        }
    }
}
