//! Exact interventional Shapley values of a network with driver groups as the players.
//!
//! The game is that of [`crate::shapley`]: a coalition of groups takes its inputs from the row, all others take theirs from
//! a reference. What reaches a unit is a sum over groups, so that going from one coalition to the next in Gray code changes
//! it by one group's part. Groups whose parts agree in row and reference cannot matter and are left out; most rows agree
//! with most references in something.

use crate::dataset::Features;
use crate::network::{FittedNetwork, add};
use crate::shapley::SHARE;

/// The reference rows as a network's units see them.
#[derive(Debug, Clone)]
pub(crate) struct References {
    /// For each reference, for each group, what the group adds to each unit.
    parts: Vec<Vec<f64>>,
    base: f64,
}

impl References {
    /// The mean prediction over the references.
    pub(crate) fn base(&self) -> f64 {
        self.base
    }
}

impl FittedNetwork {
    /// Lays out reference rows, at least one.
    pub(crate) fn lay_out(&self, features: &Features, references: &[Vec<f64>]) -> References {
        let parts = references.iter().map(|row| self.parts(features, row)).collect();
        let base = references.iter().map(|row| self.predict(row)).sum::<f64>();
        References { parts, base: base / references.len().max(1) as f64 }
    }

    /// For each group, what it adds to each unit.
    fn parts(&self, features: &Features, row: &[f64]) -> Vec<f64> {
        let units = self.offsets.len();
        let mut parts = vec![0.0; features.groups().len() * units];
        for (input, weights) in self.inputs.iter().zip(self.weights.chunks(units)) {
            if let Some(group) = features.group_of(usize::from(input.column)) {
                add(&mut parts[group * units..(group + 1) * units], weights, input.of(row, self.clip));
            }
        }
        parts
    }

    /// Adds `weight` times each group's Shapley value to `into`, which has a place for each group.
    pub(crate) fn explain(
        &self,
        references: &References,
        features: &Features,
        row: &[f64],
        weight: f64,
        into: &mut [f64],
    ) {
        let units = self.offsets.len();
        let own = self.parts(features, row);
        let weight = weight / references.parts.len().max(1) as f64;
        for parts in &references.parts {
            let mut sums: Vec<f64> = self.offsets.iter().map(|&o| f64::from(o)).collect();
            let mut players: Vec<(usize, Vec<f64>)> = Vec::new();
            for (group, (own, theirs)) in own.chunks(units).zip(parts.chunks(units)).enumerate() {
                sums.iter_mut().zip(theirs).for_each(|(sum, part)| *sum += part);
                if own != theirs {
                    players.push((group, own.iter().zip(theirs).map(|(a, b)| a - b).collect()));
                }
            }
            let values = self.coalitions(&mut sums, &players);
            let n = players.len();
            for (player, (group, _)) in players.iter().enumerate() {
                let bit = 1 << player;
                let without = (0..values.len()).filter(|set| set & bit == 0);
                let share = |set: usize| {
                    let with = set.count_ones() as usize + 1;
                    SHARE[with][n - with] * (values[set | bit] - values[set])
                };
                into[*group] += weight * without.map(share).sum::<f64>();
            }
        }
    }

    /// Adds `weight` times what each feature adds on the straight way from each reference to the row, on average, to `into`.
    ///
    /// A unit's sum goes in a straight line, so that it is above zero on one stretch of the way, and there each input adds in
    /// proportion to how far it goes.
    pub(crate) fn along_the_way(&self, references: &[Vec<f64>], row: &[f64], weight: f64, into: &mut [f64]) {
        let units = self.offsets.len();
        let own: Vec<f64> = self.inputs.iter().map(|input| input.of(row, self.clip)).collect();
        let sums = |values: &[f64]| {
            let mut sums: Vec<f64> = self.offsets.iter().map(|&o| f64::from(o)).collect();
            for (value, weights) in values.iter().zip(self.weights.chunks(units)) {
                add(&mut sums, weights, *value);
            }
            sums
        };
        let (to, weight) = (sums(&own), weight / references.len().max(1) as f64);
        for reference in references {
            let theirs: Vec<f64> = self.inputs.iter().map(|input| input.of(reference, self.clip)).collect();
            let rates: Vec<f64> = sums(&theirs)
                .iter()
                .zip(&to)
                .zip(&self.outputs)
                .map(|((from, to), output)| f64::from(*output) * above_zero(*from, *to))
                .collect();
            for (j, input) in self.inputs.iter().enumerate() {
                let way = own[j] - theirs[j];
                if way != 0.0 {
                    let weights = &self.weights[j * units..(j + 1) * units];
                    let rate: f64 = rates.iter().zip(weights).map(|(r, w)| r * f64::from(*w)).sum();
                    into[usize::from(input.column)] += weight * way * rate;
                }
            }
        }
    }

    /// The output for each coalition of the players, by the set of their bits.
    fn coalitions(&self, sums: &mut [f64], players: &[(usize, Vec<f64>)]) -> Vec<f64> {
        let mut values = vec![0.0; 1 << players.len()];
        values[0] = self.output(sums);
        for step in 1..values.len() {
            let set = step ^ (step >> 1);
            let turned = step.trailing_zeros() as usize;
            let change = &players[turned].1;
            if set >> turned & 1 == 1 {
                sums.iter_mut().zip(change).for_each(|(sum, part)| *sum += part);
            } else {
                sums.iter_mut().zip(change).for_each(|(sum, part)| *sum -= part);
            }
            values[set] = self.output(sums);
        }
        values
    }
}

/// The share of the way from one number to another that lies above zero.
fn above_zero(from: f64, to: f64) -> f64 {
    match (from > 0.0, to > 0.0) {
        (true, true) => 1.0,
        (false, false) => 0.0,
        (true, false) => from / (from - to),
        (false, true) => to / (to - from),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::shapley::{by_definition, value_of};
    use crate::standard::Standard;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn agrees_with_the_definition(seed in any::<u64>(), groups in 1..5usize, refs in 1..4usize) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let columns = (0..7).map(|j| (format!("f{j}"), Some(format!("g{}", j % groups))));
            let features = Features::new(columns).unwrap();
            let mut draw = |n: usize| (0..n).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<f32>>();
            let network = FittedNetwork {
                clip: 2.0,
                inputs: (0..7).map(|j| Standard::learn(j, &[-1.0, 0.5, 1.0], &[1.0; 3])).collect(),
                weights: draw(35),
                offsets: draw(5),
                outputs: draw(5),
                intercept: 17.0,
            };
            let mut row = || (0..7).map(|_| if rng.random_bool(0.2) { f64::NAN } else { rng.random_range(-2.0..2.0) }).collect::<Vec<f64>>();
            let (asked, references): (Vec<f64>, Vec<Vec<f64>>) = (row(), (0..refs).map(|_| row()).collect());
            let value = |set| value_of(set, &features, &references, &asked, |mixed| network.predict(mixed));
            let laid_out = network.lay_out(&features, &references);
            let mut phi = vec![0.0; groups];
            network.explain(&laid_out, &features, &asked, 1.0, &mut phi);
            for (ours, theirs) in phi.iter().zip(by_definition(groups, value)) {
                prop_assert!((ours - theirs).abs() < 1e-9, "{ours} against {theirs}");
            }
            let total = laid_out.base() + phi.iter().sum::<f64>();
            prop_assert!((total - network.predict(&asked)).abs() < 1e-9);
            let mut parts = vec![0.0; 7];
            network.along_the_way(&references, &asked, 1.0, &mut parts);
            let total = laid_out.base() + parts.iter().sum::<f64>();
            prop_assert!((total - network.predict(&asked)).abs() < 1e-9, "the way ends where the row is");
        }
    }
}
