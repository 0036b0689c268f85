//! Sums of regression trees in one flat array, whatever fitted them.
//!
//! Nodes lie in preorder: the left child of an inner node follows it at once, the right one where the node
//! says. So a tree is walked by one forward scan, which is also how [`crate::shapley`] explains it.

use crate::error::LearnError;
use serde::{Deserialize, Serialize};

/// The feature number that marks a leaf.
const LEAF: u16 = u16::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// The threshold of an inner node (below it goes left), the value of a leaf.
    pub(crate) value: f64,
    /// The right child's place; zero in a leaf.
    pub(crate) right: u32,
    feature: u16,
    missing_left: bool,
}

impl Node {
    pub(crate) fn is_leaf(&self) -> bool {
        self.feature == LEAF
    }

    pub(crate) fn feature(&self) -> usize {
        usize::from(self.feature)
    }

    /// Whether a row goes left here; never asked of a leaf.
    #[inline]
    pub(crate) fn goes_left(&self, row: &[f64]) -> bool {
        let v = row[self.feature()];
        if v.is_nan() { self.missing_left } else { v < self.value }
    }
}

/// A base value plus a sum of trees over rows of features.
///
/// A row goes left where its value is below the threshold; a missing value (NaN) goes the way that the fit
/// found best for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trees {
    base: f64,
    nodes: Vec<Node>,
    roots: Vec<u32>,
}

impl Trees {
    /// No trees: the same prediction for every row.
    pub fn constant(base: f64) -> Self {
        Self { base, nodes: Vec::new(), roots: Vec::new() }
    }

    /// The number of trees.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether there is no tree.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The number of nodes of all trees, leaves included.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The prediction for one row, which has a value (or NaN) for every feature.
    ///
    /// # Panics
    /// If the row is shorter than the rows that the trees were fitted on.
    pub fn predict(&self, row: &[f64]) -> f64 {
        self.base + self.roots.iter().map(|&root| self.leaf(root as usize, row)).sum::<f64>()
    }

    #[inline]
    fn leaf(&self, root: usize, row: &[f64]) -> f64 {
        let mut at = root;
        loop {
            let node = &self.nodes[at];
            if node.is_leaf() {
                return node.value;
            }
            at = if node.goes_left(row) { at + 1 } else { node.right as usize };
        }
    }

    /// Adds trees fitted by `forust`, whose feature `k` is our column `columns[k]`, each leaf times `factor`.
    pub(crate) fn add_forust<'a>(
        &mut self,
        trees: impl IntoIterator<Item = &'a forust_ml::tree::Tree>,
        columns: &[usize],
        factor: f64,
    ) {
        for tree in trees {
            self.roots.push(self.nodes.len() as u32);
            self.copy_preorder(tree, columns, factor);
        }
    }

    fn copy_preorder(&mut self, tree: &forust_ml::tree::Tree, columns: &[usize], factor: f64) {
        // Each entry: a node to copy, and the copied parent whose right child it is.
        let mut pending = vec![(0usize, None::<usize>)];
        while let Some((source, parent)) = pending.pop() {
            let here = self.nodes.len();
            if let Some(parent) = parent {
                self.nodes[parent].right = here as u32;
            }
            let node = &tree.nodes[source];
            if node.is_leaf {
                self.push_leaf(f64::from(node.weight_value) * factor);
                continue;
            }
            self.nodes.push(Node {
                value: node.split_value,
                right: 0,
                feature: columns[node.split_feature] as u16,
                missing_left: node.missing_node == node.left_child,
            });
            pending.push((node.right_child, Some(here)));
            pending.push((node.left_child, None));
        }
    }

    fn push_leaf(&mut self, value: f64) {
        self.nodes.push(Node { value, right: 0, feature: LEAF, missing_left: false });
    }

    /// Whether decoded parts are whole preorder trees over `features` features with finite leaves, so that
    /// no walk can leave the array or fail to end.
    pub(crate) fn is_well_formed(&self, features: usize) -> bool {
        let mut next_root = self.roots.iter();
        let mut rights: Vec<u32> = Vec::new();
        let mut starts_tree = true;
        for (at, node) in self.nodes.iter().enumerate() {
            if starts_tree && next_root.next().copied() != u32::try_from(at).ok() {
                return false;
            }
            starts_tree = false;
            if !node.is_leaf() {
                if node.feature() >= features || node.value.is_nan() {
                    return false;
                }
                rights.push(node.right);
            } else if !node.value.is_finite() {
                return false;
            } else if let Some(right) = rights.pop() {
                if right as usize != at + 1 {
                    return false;
                }
            } else {
                starts_tree = true;
            }
        }
        // A last right child that never comes leaves the walk within a tree.
        starts_tree && next_root.next().is_none() && self.base.is_finite()
    }
}

/// Refuses decoded trees that are not whole.
pub(crate) fn check_trees(trees: &Trees, features: usize) -> Result<(), LearnError> {
    if trees.is_well_formed(features) {
        return Ok(());
    }
    Err(crate::artefact::ArtefactError::Inconsistent { part: "trees" }.into())
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;

    impl Trees {
        /// Random trees for tests: depth at most `depth`, thresholds in (0, 1).
        pub(crate) fn random(rng: &mut ChaCha8Rng, trees: usize, features: u16, depth: usize) -> Self {
            let mut all = Self::constant(rng.random_range(-1.0..1.0));
            for _ in 0..trees {
                all.roots.push(all.nodes.len() as u32);
                all.grow(rng, features, depth);
            }
            all
        }

        fn grow(&mut self, rng: &mut ChaCha8Rng, features: u16, depth: usize) {
            if depth == 0 || rng.random_bool(0.15) {
                return self.push_leaf(rng.random_range(-1.0..1.0));
            }
            let here = self.nodes.len();
            let (value, missing_left) = (rng.random_range(0.0..1.0), rng.random());
            let feature = rng.random_range(0..features);
            self.nodes.push(Node { value, right: 0, feature, missing_left });
            self.grow(rng, features, depth - 1);
            self.nodes[here].right = self.nodes.len() as u32;
            self.grow(rng, features, depth - 1);
        }

        /// One split of `feature` at `threshold`, missing to the left.
        pub(crate) fn stump(feature: u16, threshold: f64, below: f64, above: f64) -> Self {
            let mut trees = Self::constant(0.0);
            trees.roots.push(0);
            trees.nodes.push(Node { value: threshold, right: 2, feature, missing_left: true });
            trees.push_leaf(below);
            trees.push_leaf(above);
            trees
        }
    }

    #[test]
    fn a_stump_splits() {
        let stump = Trees::stump(0, 0.5, -1.0, 2.0);
        assert!(stump.is_well_formed(1) && !stump.is_well_formed(0));
        assert_eq!([0.4, 0.5, f64::NAN].map(|v| stump.predict(&[v])), [-1.0, 2.0, -1.0]);
        assert_eq!(Trees::constant(3.0).predict(&[]), 3.0);
    }

    #[test]
    fn broken_trees_are_found() {
        let good = Trees::stump(0, 0.5, -1.0, 2.0);
        for break_it in [
            |t: &mut Trees| t.nodes[0].right = 1,
            |t: &mut Trees| t.nodes[0].right = 9,
            |t: &mut Trees| t.nodes.truncate(2),
            |t: &mut Trees| t.roots[0] = 1,
            |t: &mut Trees| t.roots.push(3),
            |t: &mut Trees| t.nodes[2].value = f64::NAN,
            |t: &mut Trees| t.base = f64::INFINITY,
        ] {
            let mut bad = good.clone();
            break_it(&mut bad);
            assert!(!bad.is_well_formed(1));
        }
    }
}
