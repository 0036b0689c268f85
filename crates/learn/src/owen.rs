//! What each feature adds to a forecast, so that the features of a driver group add up to the group.
//!
//! The game is that of [`crate::shapley`] with features as players that come group by group: Owen values (Owen 1977), whose sum
//! over a group is the group's Shapley value. Of one leaf, let `X` be the features on its path where the row fits and the
//! reference does not, and `R` those where only the reference fits. Groups come in random order, and so do the features within
//! each. A feature of `X` brings the leaf in if all groups with others of `X` have come before its own and none with one of `R`
//! has, and within its group likewise: with `a` groups that hold any of `X`, its own among them, `b` other groups that hold
//! any of `R`, and `x` and `r` of both in its own, that has the probability `(a-1)! b! / (a+b)! · (x-1)! r! / (x+r)!`. One of
//! `R` takes it out with the same, the sides exchanged. Where a group besides its own holds both, it never does.
//!
//! A ridge regression is a sum of one-feature terms. A network's groups are explained exactly by [`crate::network`]; within a
//! group, its features share by what each adds on the straight way from the reference to the row (Aumann & Shapley 1974;
//! "integrated gradients"), which for units that are linear from zero on has a closed form.

use crate::dataset::Features;
use crate::shapley::SHARE;
use crate::tree::Trees;

/// The most features of a path that are told apart; the others of a longer one count as the last.
const MOST: usize = 64;

/// The reference rows as the paths to the leaves of some trees see them.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    leaves: Vec<Leaf>,
}

/// The inner nodes on the way to a node, each with whether the way goes left there.
type Way = Vec<(u32, bool)>;

#[derive(Debug, Clone)]
struct Leaf {
    value: f64,
    /// Inner nodes on the way: the node, whether the path goes left there, and the place of its feature in `features`.
    steps: Vec<(u32, bool, u8)>,
    /// The distinct features on the way.
    features: Vec<u16>,
    /// For each driver group on the way, the places of its features.
    groups: Vec<u64>,
    /// Sets of places where references fail, each with the share of references that do.
    failing: Vec<(u64, f64)>,
}

impl Paths {
    /// Lays `references` (at least one full row) along the paths.
    pub(crate) fn new(trees: &Trees, features: &Features, references: &[Vec<f64>]) -> Self {
        let mut leaves = Vec::new();
        // The way to the node that is looked at; a tree's right children wait with the way that leads to them.
        let (mut way, mut waiting) = (Way::new(), Vec::<Way>::new());
        for (i, node) in trees.nodes().iter().enumerate() {
            if node.is_leaf() {
                leaves.push(Leaf::new(trees, features, &way, node.value));
                way = waiting.pop().unwrap_or_default();
            } else {
                waiting.push([way.as_slice(), &[(i as u32, false)]].concat());
                way.push((i as u32, true));
            }
        }
        let share = 1.0 / references.len().max(1) as f64;
        for reference in references {
            let left = turns(trees, reference);
            for leaf in &mut leaves {
                let fails = leaf.fails(&left);
                match leaf.failing.iter_mut().find(|(set, _)| *set == fails) {
                    Some((_, shares)) => *shares += share,
                    None => leaf.failing.push((fails, share)),
                }
            }
        }
        Self { leaves }
    }

    /// Adds `weight` times each feature's Owen value to `into`, which has a place for each feature.
    pub(crate) fn explain(&self, trees: &Trees, row: &[f64], weight: f64, into: &mut [f64]) {
        let left = turns(trees, row);
        for leaf in &self.leaves {
            let out = leaf.fails(&left);
            for (must, share) in leaf.failing.iter().filter(|(set, _)| set & out == 0 && set | out != 0) {
                leaf.share_out(*must, out, weight * leaf.value * share, into);
            }
        }
    }
}

/// Which way a row goes at each node.
fn turns(trees: &Trees, row: &[f64]) -> Vec<bool> {
    trees.nodes().iter().map(|node| !node.is_leaf() && node.goes_left(row)).collect()
}

impl Leaf {
    fn new(trees: &Trees, all: &Features, way: &[(u32, bool)], value: f64) -> Self {
        let mut leaf =
            Self { value, steps: Vec::new(), features: Vec::new(), groups: Vec::new(), failing: Vec::new() };
        let mut named: Vec<Option<usize>> = Vec::new();
        for (node, left) in way {
            let feature = trees.nodes()[*node as usize].feature();
            let known = leaf.features.iter().position(|own| usize::from(*own) == feature);
            let place = known.unwrap_or_else(|| {
                if leaf.features.len() < MOST {
                    leaf.features.push(feature as u16);
                }
                leaf.features.len() - 1
            });
            leaf.steps.push((*node, *left, place as u8));
            let group = all.group_of(usize::from(leaf.features[place]));
            match named.iter().position(|own| *own == group) {
                Some(i) => leaf.groups[i] |= 1 << place,
                None => {
                    named.push(group);
                    leaf.groups.push(1 << place);
                }
            }
        }
        leaf
    }

    /// The places of the features where a row that goes `left` so does not fit.
    fn fails(&self, left: &[bool]) -> u64 {
        let off = self.steps.iter().filter(|(node, goes, _)| left[*node as usize] != *goes);
        off.fold(0, |set, (.., place)| set | 1 << place)
    }

    /// Gives an amount to the features that `must` be the row's, and takes it from those that must not (`out`).
    fn share_out(&self, must: u64, out: u64, amount: f64, into: &mut [f64]) {
        let count = |set: u64| set.count_ones() as usize;
        let with = self.groups.iter().filter(|group| *group & must != 0).count();
        let against = self.groups.iter().filter(|group| *group & out != 0).count();
        let mixed = self.groups.iter().filter(|group| *group & must != 0 && *group & out != 0).count();
        for group in &self.groups {
            let (x, r) = (group & must, group & out);
            let is_mixed = x != 0 && r != 0;
            if mixed > usize::from(is_mixed) {
                continue;
            }
            let (other_with, other_against) = (with - usize::from(x != 0), against - usize::from(r != 0));
            if x != 0 {
                let part = amount * SHARE[other_with + 1][other_against] * SHARE[count(x)][count(r)];
                self.each(x, |feature| into[feature] += part);
            }
            if r != 0 {
                let part = amount * SHARE[other_against + 1][other_with] * SHARE[count(r)][count(x)];
                self.each(r, |feature| into[feature] -= part);
            }
        }
    }

    fn each(&self, mut set: u64, mut f: impl FnMut(usize)) {
        while set != 0 {
            f(usize::from(self.features[set.trailing_zeros() as usize]));
            set &= set - 1;
        }
    }
}

/// Moves the parts of each group's features so that they add up to what the group has: by their sizes, or alike where all are
/// zero. A group without features keeps nothing.
pub(crate) fn agree(parts: &mut [f64], groups: &[f64], features: &Features) {
    let of = |group: usize| (0..features.len()).filter(move |j| features.group_of(*j) == Some(group));
    for (group, total) in groups.iter().enumerate() {
        let (n, sum, size) = of(group)
            .fold((0.0, 0.0, 0.0), |(n, sum, size), j| (n + 1.0, sum + parts[j], size + parts[j].abs()));
        let missing = total - sum;
        for j in of(group) {
            parts[j] += missing * if size > 0.0 { parts[j].abs() / size } else { 1.0 / n };
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::shapley::Background;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// All orders of `n` things.
    fn orders(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let longer = |order: &Vec<usize>| {
            (0..n)
                .map(|at| {
                    let mut order = order.clone();
                    order.insert(at, n - 1);
                    order
                })
                .collect::<Vec<_>>()
        };
        orders(n - 1).iter().flat_map(longer).collect()
    }

    /// Owen values by their definition: the mean, over all orders in which groups stay together, of what each feature changes.
    fn by_definition(groups: &[usize], value: impl Fn(&[bool]) -> f64) -> Vec<f64> {
        let n = groups.len();
        let together = |order: &Vec<usize>| {
            let seen: Vec<usize> = order.iter().map(|j| groups[*j]).collect();
            (0..n).all(|i| (0..i).all(|k| seen[k] != seen[i] || (k..i).all(|m| seen[m] == seen[i])))
        };
        let kept: Vec<Vec<usize>> = orders(n).into_iter().filter(together).collect();
        let mut values = vec![0.0; n];
        for order in &kept {
            let mut held = vec![false; n];
            for j in order {
                let before = value(&held);
                held[*j] = true;
                values[*j] += (value(&held) - before) / kept.len() as f64;
            }
        }
        values
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn agrees_with_the_definition(seed in any::<u64>(), groups in 1..5usize, refs in 1..4usize) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let n = 6;
            let group: Vec<usize> = (0..n).map(|j| j % groups).collect();
            let columns = (0..n).map(|j| (format!("f{j}"), Some(format!("g{}", group[j]))));
            let features = Features::new(columns).unwrap();
            let trees = Trees::random(&mut rng, 3, n as u16, 6);
            let mut row = || (0..n).map(|_| if rng.random_bool(0.1) { f64::NAN } else { rng.random_range(0.0..1.0) }).collect::<Vec<f64>>();
            let (asked, references): (Vec<f64>, Vec<Vec<f64>>) = (row(), (0..refs).map(|_| row()).collect());
            let mut parts = vec![0.0; n];
            Paths::new(&trees, &features, &references).explain(&trees, &asked, 1.0, &mut parts);
            let value = |held: &[bool]| {
                let mixed = |r: &Vec<f64>| (0..n).map(|j| if held[j] { asked[j] } else { r[j] }).collect::<Vec<f64>>();
                references.iter().map(|r| trees.predict(&mixed(r))).sum::<f64>() / refs as f64
            };
            for (ours, theirs) in parts.iter().zip(by_definition(&group, value)) {
                prop_assert!((ours - theirs).abs() < 1e-9, "{ours} against {theirs}");
            }
            // The features of a group add up to the group.
            let mut whole = vec![0.0; groups];
            Background::new(&trees, &features, &references).explain(&trees, &asked, 1.0, &mut whole);
            for (g, whole) in whole.iter().enumerate() {
                let sum: f64 = (0..n).filter(|j| group[*j] == g).map(|j| parts[j]).sum();
                prop_assert!((sum - whole).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn parts_are_moved_to_their_groups() {
        let features =
            Features::new([("a", Some("x")), ("b", Some("x")), ("c", Some("y")), ("id", None)]).unwrap();
        let mut parts = [3.0, -1.0, 0.0, 0.0];
        agree(&mut parts, &[4.0, 5.0], &features);
        assert_eq!(parts, [4.5, -0.5, 5.0, 0.0]);
    }
}
