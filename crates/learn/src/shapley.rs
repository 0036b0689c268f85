//! Exact interventional Shapley values of tree sums, with named groups of features as the players.
//!
//! The game (Lundberg et al. 2020, *Nature Machine Intelligence* 2, "independent TreeSHAP"): a coalition of
//! groups takes its features from the row, all others take theirs from a reference row; the value is the
//! prediction, averaged over the references. Of one leaf, a row and a reference, only this matters: the set
//! `X` of groups on the leaf's path where the row fits but the reference does not, and the set `R` where
//! the reference fits but the row does not. The leaf is reached just by the coalitions that hold all of `X`
//! and none of `R`, so each group in `X` receives `(|X|-1)! |R|! / (|X|+|R|)!` of the leaf's value and each in
//! `R` loses `|X|! (|R|-1)! / (|X|+|R|)!` of it; where neither fits, nothing.
//!
//! References are fixed when a model is fitted. So for each leaf we keep the distinct sets of groups where
//! references fail, with their shares, and explain a row in one scan of the nodes: the same sums as walking
//! each (tree, reference) pair with the row, without walking the references again.

use crate::dataset::{Features, MAX_GROUPS};
use crate::tree::Trees;
use std::sync::LazyLock;

/// `SHARE[a][b] = (a-1)! b! / (a+b)!`, the weight of each of `a` groups that must be in against `b` that must not.
pub(crate) static SHARE: LazyLock<Vec<[f64; MAX_GROUPS + 1]>> = LazyLock::new(|| {
    let mut table = vec![[0.0; MAX_GROUPS + 1]; MAX_GROUPS + 1];
    for (a, row) in table.iter_mut().enumerate().skip(1) {
        let mut share = 1.0 / a as f64;
        for (b, cell) in row.iter_mut().enumerate() {
            if b > 0 {
                share *= b as f64 / (a + b) as f64;
            }
            *cell = share;
        }
    }
    table
});

/// A set of groups where references fail on the way to a leaf, and the share of references that do.
#[derive(Debug, Clone, Copy)]
struct Failing {
    groups: u64,
    share: f64,
}

/// The reference rows as the leaves of some trees see them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Background {
    /// The group bit of each node's feature, zero for leaves.
    bits: Vec<u64>,
    /// For each leaf in node order, where its sets begin; one more at the end.
    starts: Vec<u32>,
    /// For each leaf, the groups where every reference fails: a row that fails there too has no part in it.
    always: Vec<u64>,
    failing: Vec<Failing>,
    base: f64,
}

impl Background {
    /// Lays `references` (at least one full row) beneath the trees.
    pub(crate) fn new(trees: &Trees, features: &Features, references: &[Vec<f64>]) -> Self {
        let bit = |f: usize| features.group_of(f).map_or(0, |g| 1u64 << g);
        let bits: Vec<u64> =
            trees.nodes().iter().map(|n| if n.is_leaf() { 0 } else { bit(n.feature()) }).collect();
        let mut at_leaf: Vec<Vec<u64>> = Vec::new();
        for reference in references {
            let mut leaf = 0;
            scan(trees, &bits, reference, |failed, _| {
                if at_leaf.len() == leaf {
                    at_leaf.push(Vec::with_capacity(references.len()));
                }
                at_leaf[leaf].push(failed);
                leaf += 1;
            });
        }
        let share = 1.0 / references.len().max(1) as f64;
        let mut background = Self { bits, starts: vec![0], ..Self::default() };
        for sets in &mut at_leaf {
            sets.sort_unstable();
            for same in sets.chunk_by(|a, b| a == b) {
                background.failing.push(Failing { groups: same[0], share: share * same.len() as f64 });
            }
            background.always.push(sets.iter().fold(u64::MAX, |all, set| all & set));
            background.starts.push(background.failing.len() as u32);
        }
        background.base = references.iter().map(|r| trees.predict(r)).sum::<f64>() * share;
        background
    }

    /// The mean prediction over the references.
    pub(crate) fn base(&self) -> f64 {
        self.base
    }

    /// Adds `weight` times each group's Shapley value to `into`, which has a place for each group.
    pub(crate) fn explain(&self, trees: &Trees, row: &[f64], weight: f64, into: &mut [f64]) {
        let share = &*SHARE;
        let mut leaf = 0;
        scan(trees, &self.bits, row, |row_fails, value| {
            let this = leaf;
            leaf += 1;
            if self.always[this] & row_fails != 0 {
                return;
            }
            let sets = &self.failing[self.starts[this] as usize..self.starts[this + 1] as usize];
            let against = row_fails.count_ones() as usize;
            let mut lost = 0.0;
            for set in sets.iter().filter(|set| set.groups & row_fails == 0) {
                let with = set.groups.count_ones() as usize;
                let amount = weight * value * set.share;
                for_each_bit(set.groups, |g| into[g] += amount * share[with][against]);
                lost += amount * share[against][with];
            }
            if lost != 0.0 {
                for_each_bit(row_fails, |g| into[g] -= lost);
            }
        });
    }
}

/// Visits every leaf in node order with the set of groups where the row fails on the way to it.
#[inline]
fn scan(trees: &Trees, bits: &[u64], row: &[f64], mut visit: impl FnMut(u64, f64)) {
    let mut failed = 0u64;
    let mut pending: Vec<u64> = Vec::with_capacity(64);
    for (node, &bit) in trees.nodes().iter().zip(bits) {
        if node.is_leaf() {
            visit(failed, node.value);
            failed = pending.pop().unwrap_or(0);
        } else if node.goes_left(row) {
            pending.push(failed | bit);
        } else {
            pending.push(failed);
            failed |= bit;
        }
    }
}

#[inline]
fn for_each_bit(mut set: u64, mut f: impl FnMut(usize)) {
    while set != 0 {
        f(set.trailing_zeros() as usize);
        set &= set - 1;
    }
}

/// Shapley values by their definition, over all sets of players: what the fast ways are tested against.
#[cfg(test)]
pub(crate) fn by_definition(players: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
    let factorial = |k: usize| (1..=k).product::<usize>() as f64;
    let share = |g: usize, set: usize| {
        let joined = set.count_ones() as usize;
        let weight = factorial(joined) * factorial(players - joined - 1) / factorial(players);
        weight * (value(set | 1 << g) - value(set))
    };
    let without = |g: usize| (0..1usize << players).filter(move |set| set >> g & 1 == 0);
    (0..players).map(|g| without(g).map(|set| share(g, set)).sum()).collect()
}

/// The value of a set of groups: the mean prediction with the row's features for these groups, the references' for others.
#[cfg(test)]
pub(crate) fn value_of(
    set: usize,
    features: &Features,
    references: &[Vec<f64>],
    row: &[f64],
    predict: impl Fn(&[f64]) -> f64,
) -> f64 {
    let ours = |j| features.group_of(j).is_some_and(|group| set >> group & 1 == 1);
    let mixed =
        |r: &Vec<f64>| (0..row.len()).map(|j| if ours(j) { row[j] } else { r[j] }).collect::<Vec<f64>>();
    references.iter().map(|r| predict(&mixed(r))).sum::<f64>() / references.len() as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn random_row(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
        (0..n).map(|_| if rng.random_bool(0.1) { f64::NAN } else { rng.random_range(0.0..1.0) }).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn agrees_with_the_definition(seed in any::<u64>(), groups in 1..6usize, refs in 1..5usize) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let columns = (0..8).map(|j| (format!("f{j}"), Some(format!("g{}", j % groups))));
            let features = Features::new(columns).unwrap();
            let trees = Trees::random(&mut rng, 3, 8, 6);
            let references: Vec<Vec<f64>> = (0..refs).map(|_| random_row(&mut rng, 8)).collect();
            let row = random_row(&mut rng, 8);
            let background = Background::new(&trees, &features, &references);
            let mut phi = vec![0.0; groups];
            background.explain(&trees, &row, 1.0, &mut phi);
            let value = |set| value_of(set, &features, &references, &row, |mixed| trees.predict(mixed));
            for (ours, theirs) in phi.iter().zip(by_definition(groups, value)) {
                prop_assert!((ours - theirs).abs() < 1e-9, "{ours} against {theirs}");
            }
            let total = background.base() + phi.iter().sum::<f64>();
            prop_assert!((total - trees.predict(&row)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_stump_pays_its_only_group() {
        let features = Features::new([("a", Some("first")), ("b", Some("second"))]).unwrap();
        let trees = Trees::stump(1, 0.5, 0.0, 10.0);
        let background = Background::new(&trees, &features, &[vec![0.0, 0.0], vec![0.0, 1.0]]);
        let mut phi = [0.0; 2];
        background.explain(&trees, &[9.0, 0.9], 1.0, &mut phi);
        assert_eq!((background.base(), phi), (5.0, [0.0, 5.0]));
    }

    #[test]
    fn shares_are_the_known_weights() {
        assert_eq!(SHARE[1][0], 1.0);
        assert!((SHARE[2][3] - 1.0 * 6.0 / 120.0).abs() < 1e-15);
        assert!((SHARE[3][1] - 2.0 / 24.0).abs() < 1e-15);
        assert!(SHARE[64][64] > 0.0);
    }
}
