//! A network of one hidden layer of rectified units, fitted by Adam and averaged over seeds.
//!
//! Small and heavily decayed, it is a smooth answer where trees are a stepwise one, and the two err differently. One
//! hidden layer is also what keeps it explainable: what reaches a unit is a sum over inputs, so that all coalitions of
//! driver groups can be gone through one group at a time (see [`explain`]). Networks of several seeds over the same inputs
//! are one network with their units side by side, and are kept as one.

mod explain;
mod train;

pub(crate) use explain::References;

use crate::control::Steps;
use crate::dataset::{Dataset, Features};
use crate::error::{LearnError, require};
use crate::standard::Standard;
use serde::{Deserialize, Serialize};

/// The most driver groups that a network's features may belong to: explaining a row goes through their coalitions.
pub const MAX_NETWORK_GROUPS: usize = 16;

/// A description of a network; the defaults suit 1,000–10,000 noisy rows.
///
/// ```
/// use marquee_learn::NetworkSpec;
///
/// let quick = NetworkSpec { seeds: 1, updates: 100, ..NetworkSpec::default() };
/// assert!(quick.units > 0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Independent fits that are averaged.
    pub seeds: usize,
    /// Hidden units of each fit.
    pub units: usize,
    /// Updates of the weights, each on one batch: few rows are gone through more often than many.
    pub updates: usize,
    /// Rows in each step.
    pub batch: usize,
    /// Adam's step size at the beginning; it falls in a straight line to nothing at the end.
    pub learning_rate: f32,
    /// Pull of all weights but the offsets towards zero, on targets in standard deviations.
    pub decay: f32,
    /// How many standard deviations from its mean an input may count, above 0.
    pub clip: f64,
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self { seeds: 4, units: 32, updates: 700, batch: 200, learning_rate: 4e-3, decay: 0.02, clip: 4.0 }
    }
}

/// A fitted network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedNetwork {
    clip: f64,
    inputs: Vec<Standard>,
    /// For each input, its weight to each unit.
    weights: Vec<f32>,
    /// For each unit, what is added to its inputs.
    offsets: Vec<f32>,
    /// For each unit, its weight to the output, target units.
    outputs: Vec<f32>,
    intercept: f64,
}

impl NetworkSpec {
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        require((1..=100).contains(&self.seeds), "network seeds", self.seeds, "from 1 to 100")?;
        require((1..=1_000).contains(&self.units), "network units", self.units, "from 1 to 1000")?;
        require(
            (1..=1_000_000).contains(&self.updates),
            "network updates",
            self.updates,
            "from 1 to 1000000",
        )?;
        require((1..=100_000).contains(&self.batch), "network batch", self.batch, "from 1 to 100000")?;
        let rate = self.learning_rate;
        require(rate > 0.0 && rate <= 1.0, "network learning_rate", rate, "above 0, at most 1")?;
        require(self.decay >= 0.0 && self.decay.is_finite(), "network decay", self.decay, "0 or more")?;
        require(self.clip > 0.0, "network clip", self.clip, "above 0")
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
    ) -> Result<FittedNetwork, LearnError> {
        self.check()?;
        let columns = data.features().grouped();
        let found = groups_of(data.features(), columns.iter().copied()).count_ones() as usize;
        if found > MAX_NETWORK_GROUPS {
            let what = "driver groups of a network";
            return Err(LearnError::TooMany { what, found, limit: MAX_NETWORK_GROUPS });
        }
        let table = train::Table::new(data, &columns, rows, self.clip);
        let descend = |stream: usize| table.descend(self, seed, stream as u64, steps);
        let fits = steps.side_by_side("network", self.seeds, descend)?;
        Ok(table.join(&fits, self.clip))
    }
}

/// The groups of some columns, a bit each.
fn groups_of(features: &Features, columns: impl Iterator<Item = usize>) -> u64 {
    columns.filter_map(|column| features.group_of(column)).fold(0, |set, group| set | 1 << group)
}

impl FittedNetwork {
    /// The prediction for one row.
    ///
    /// # Panics
    /// If the row is shorter than the rows that the model was fitted on.
    pub fn predict(&self, row: &[f64]) -> f64 {
        let mut sums: Vec<f64> = self.offsets.iter().map(|&o| f64::from(o)).collect();
        for (input, weights) in self.inputs.iter().zip(self.weights.chunks(self.offsets.len())) {
            add(&mut sums, weights, input.of(row, self.clip));
        }
        self.output(&sums)
    }

    /// The output where this reaches each unit.
    fn output(&self, sums: &[f64]) -> f64 {
        let through = sums.iter().zip(&self.outputs).map(|(s, o)| s.max(0.0) * f64::from(*o));
        self.intercept + through.sum::<f64>()
    }

    /// Whether decoded parts are finite, belong together and name existing columns.
    pub(crate) fn is_well_formed(&self, features: &Features) -> bool {
        let units = self.offsets.len();
        let known = |i: &Standard| i.is_finite() && features.group_of(usize::from(i.column)).is_some();
        let mut numbers = self.weights.iter().chain(&self.offsets).chain(&self.outputs);
        let groups = groups_of(features, self.inputs.iter().map(|i| usize::from(i.column)));
        units > 0
            && self.outputs.len() == units
            && self.weights.len() == self.inputs.len() * units
            && self.inputs.iter().all(known)
            && numbers.all(|w| w.is_finite())
            && self.intercept.is_finite()
            && self.clip > 0.0
            && groups.count_ones() as usize <= MAX_NETWORK_GROUPS
    }
}

/// Adds `times` the weights to the sums.
fn add(sums: &mut [f64], weights: &[f32], times: f64) {
    if times != 0.0 {
        sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += f64::from(*w) * times);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::dataset::Example;
    use crate::ridge::RidgeSpec;
    use marquee_domain::Control;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Noise about a product, which no sum of one-feature terms can follow.
    fn products(n: i32) -> Dataset {
        let names = [("a", Some("first")), ("b", Some("second")), ("idle", Some("third")), ("id", None)];
        let mut data = Dataset::new(Features::new(names).unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for day in 0..n {
            let (a, b): (f64, f64) = (rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
            let target = 17.0 + 2.0 * a * b + rng.random_range(-0.2..0.2);
            let idle = if day % 3 == 0 { f64::NAN } else { f64::from(day % 5) };
            data.push(&[a, b, idle, f64::from(day)], Example::new(day, day, target)).unwrap();
        }
        data
    }

    fn fit(spec: &NetworkSpec, data: &Dataset, rows: usize, seed: u64) -> FittedNetwork {
        let rows: Vec<usize> = (0..rows).collect();
        spec.fit(data, &rows, seed, &Steps::new(&Control::default(), spec.steps())).unwrap()
    }

    #[test]
    fn a_product_is_found_where_a_line_sees_nothing() {
        let data = products(1_200);
        let spec = NetworkSpec { seeds: 2, updates: 1_000, decay: 1e-3, ..NetworkSpec::default() };
        let network = fit(&spec, &data, 800, 1);
        let rows: Vec<usize> = (0..800).collect();
        let ridge = RidgeSpec::default().fit(&data, &rows).unwrap();
        let held = 800..1_200;
        let targets = data.targets(&held.clone().collect::<Vec<_>>());
        let error = |predict: &dyn Fn(&[f64]) -> f64| {
            let predicted: Vec<f64> = held.clone().map(|i| predict(&data.row(i))).collect();
            crate::metrics::rmse(&targets, &predicted)
        };
        let (ours, line) = (error(&|r| network.predict(r)), error(&|r| ridge.predict(r)));
        // The noise alone is 0.115, the product 0.667.
        assert!(ours < 0.2 && line > 0.6, "{ours} and {line}");
    }

    #[test]
    fn a_seed_fixes_every_byte() {
        let data = products(300);
        let spec = NetworkSpec { seeds: 3, updates: 6, ..NetworkSpec::default() };
        let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        let one = threads(1).install(|| fit(&spec, &data, 300, 8));
        assert_eq!(one, threads(4).install(|| fit(&spec, &data, 300, 8)));
        assert_ne!(one, fit(&spec, &data, 300, 9));
        assert!(one.is_well_formed(data.features()));
    }

    #[test]
    fn too_many_groups_are_refused() {
        let columns = (0..=MAX_NETWORK_GROUPS).map(|j| (format!("x{j}"), Some(format!("g{j}"))));
        let mut data = Dataset::new(Features::new(columns).unwrap());
        for day in 0..4 {
            data.push(&[f64::from(day); MAX_NETWORK_GROUPS + 1], Example::new(day, day, 1.0)).unwrap();
        }
        let spec = NetworkSpec::default();
        let refused = spec.fit(&data, &[0, 1, 2, 3], 0, &Steps::new(&Control::default(), 4));
        assert!(matches!(refused, Err(LearnError::TooMany { found: 17, limit: 16, .. })));
    }
}
