//! Fitting a network: Adam (Kingma & Ba 2015) on squared error over shuffled batches.
//!
//! The gradient of one hidden layer is two matrix products, which `faer` does; the rest is written out.

use crate::control::Steps;
use crate::dataset::Dataset;
use crate::error::LearnError;
use crate::network::{FittedNetwork, NetworkSpec};
use crate::standard::Standard;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Adam's memory of gradients and of their squares, and what keeps its division finite.
const MOMENTUM: f32 = 0.9;
const SQUARES: f32 = 0.999;
const TINY: f32 = 1e-8;

/// Standardised rows.
pub(super) struct Table {
    inputs: Vec<Standard>,
    /// Row after row.
    x: Vec<f32>,
    /// Targets in standard deviations from their mean.
    y: Vec<f32>,
    /// Row weights with mean 1.
    w: Vec<f32>,
    mean: f64,
    sd: f64,
}

/// One seed's network, on standardised targets.
pub(super) struct Net {
    inputs: usize,
    units: usize,
    /// The weights of each input to all units, then the units' offsets, their outputs, and the intercept.
    numbers: Vec<f32>,
}

impl Table {
    pub(super) fn new(data: &Dataset, columns: &[usize], rows: &[usize], clip: f64) -> Self {
        let w = data.weights(rows);
        let total: f64 = w.iter().sum();
        let of_rows = |column: usize| rows.iter().map(|&i| data.column(column)[i]).collect::<Vec<f64>>();
        let inputs: Vec<Standard> =
            columns.iter().map(|&column| Standard::learn(column, &of_rows(column), &w)).collect();
        let mut x = Vec::with_capacity(rows.len() * inputs.len());
        for &i in rows {
            x.extend(inputs.iter().map(|s| s.z(data.column(usize::from(s.column))[i], clip) as f32));
        }
        let y = data.targets(rows);
        let mean = y.iter().zip(&w).map(|(y, w)| y * w).sum::<f64>() / total;
        let variance = y.iter().zip(&w).map(|(y, w)| w * (y - mean) * (y - mean)).sum::<f64>() / total;
        let sd = variance.sqrt().max(1e-12);
        let y = y.iter().map(|y| ((y - mean) / sd) as f32).collect();
        let w = w.iter().map(|w| (w * rows.len() as f64 / total) as f32).collect();
        Self { inputs, x, y, w, mean, sd }
    }

    /// Fits one seed's network.
    pub(super) fn descend(
        &self,
        spec: &NetworkSpec,
        seed: u64,
        stream: u64,
        steps: &Steps<'_>,
    ) -> Result<Net, LearnError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let inputs = self.inputs.len();
        let mut net = Net::draw(inputs, spec.units, &mut rng);
        let mut adam = Adam::new(net.numbers.len());
        let mut order: Vec<usize> = (0..self.y.len()).collect();
        let mut work = Work::default();
        let mut taken = 0;
        while taken < spec.updates {
            steps.check()?;
            order.shuffle(&mut rng);
            for batch in order.chunks(spec.batch).take(spec.updates - taken) {
                net.gradient(self, batch, spec.decay, &mut work);
                let left = 1.0 - taken as f32 / spec.updates as f32;
                adam.step(&mut net.numbers, &work.gradient, spec.learning_rate * left);
                taken += 1;
            }
        }
        Ok(net)
    }

    /// The mean of the networks as one, in target units.
    pub(super) fn join(self, fits: &[Net], clip: f64) -> FittedNetwork {
        let share = (self.sd / fits.len() as f64) as f32;
        let inputs = self.inputs.len();
        let weights = (0..inputs).flat_map(|i| fits.iter().flat_map(move |net| net.weights(i))).copied();
        let intercepts: f64 = fits.iter().map(|net| f64::from(net.intercept())).sum();
        FittedNetwork {
            clip,
            weights: weights.collect(),
            offsets: fits.iter().flat_map(Net::offsets).copied().collect(),
            outputs: fits.iter().flat_map(Net::outputs).map(|o| o * share).collect(),
            intercept: self.mean + self.sd * intercepts / fits.len() as f64,
            inputs: self.inputs,
        }
    }
}

/// What a step needs room for, kept from step to step.
#[derive(Default)]
struct Work {
    /// The batch's inputs, row after row.
    x: Vec<f32>,
    /// For each row, what reaches each unit; then what the unit is blamed for.
    hidden: Vec<f32>,
    gradient: Vec<f32>,
}

impl Net {
    /// Weights uniform within Glorot & Bengio's bounds (2010).
    fn draw(inputs: usize, units: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut uniform = |n: usize, fan: usize| -> Vec<f32> {
            let bound = (6.0 / fan as f32).sqrt();
            (0..n).map(|_| rng.random_range(-bound..bound)).collect()
        };
        let mut numbers = uniform((inputs + 1) * units, inputs + units);
        numbers.extend(uniform(units + 1, units + 1));
        Self { inputs, units, numbers }
    }

    fn weights(&self, input: usize) -> &[f32] {
        &self.numbers[input * self.units..(input + 1) * self.units]
    }

    fn offsets(&self) -> &[f32] {
        self.weights(self.inputs)
    }

    fn outputs(&self) -> &[f32] {
        self.weights(self.inputs + 1)
    }

    fn intercept(&self) -> f32 {
        self.numbers[self.numbers.len() - 1]
    }

    /// Half the mean squared error's gradient over a batch, with decay, into `work.gradient`.
    fn gradient(&self, table: &Table, batch: &[usize], decay: f32, work: &mut Work) {
        let (p, h, n) = (self.inputs, self.units, batch.len());
        let Work { x, hidden, gradient } = work;
        x.clear();
        batch.iter().for_each(|&i| x.extend_from_slice(&table.x[i * p..(i + 1) * p]));
        hidden.clear();
        (0..n).for_each(|_| hidden.extend_from_slice(self.offsets()));
        // Row after row is column after column to faer.
        let rows = MatRef::from_column_major_slice(x, p, n);
        let weights = MatRef::from_column_major_slice(&self.numbers[..p * h], h, p);
        let reached = MatMut::from_column_major_slice_mut(hidden, h, n);
        matmul(reached, Accum::Add, weights, rows, 1.0, Par::Seq);

        gradient.clear();
        gradient.extend(self.numbers.iter().map(|w| decay * w));
        let (of_weights, rest) = gradient.split_at_mut(p * h);
        let (of_offsets, rest) = rest.split_at_mut(h);
        let (of_outputs, of_intercept) = rest.split_at_mut(h);
        of_offsets.fill(0.0);
        of_intercept.fill(0.0);
        for (&i, reached) in batch.iter().zip(hidden.chunks_mut(h)) {
            let through = reached.iter().zip(self.outputs()).map(|(r, o)| r.max(0.0) * o);
            let error = (self.intercept() + through.sum::<f32>() - table.y[i]) * table.w[i] / n as f32;
            of_intercept[0] += error;
            let units = reached.iter_mut().zip(self.outputs()).zip(&mut *of_offsets).zip(&mut *of_outputs);
            for (((reached, output), offset), of_output) in units {
                *of_output += error * reached.max(0.0);
                let blame = if *reached > 0.0 { error * output } else { 0.0 };
                *offset += blame;
                *reached = blame;
            }
        }
        let blame = MatRef::from_column_major_slice(hidden, h, n);
        let of_weights = MatMut::from_column_major_slice_mut(of_weights, h, p);
        matmul(of_weights, Accum::Add, blame, rows.transpose(), 1.0, Par::Seq);
    }
}

struct Adam {
    momentum: Vec<f32>,
    squares: Vec<f32>,
    /// What the memories still lack for having begun at zero.
    lack: (f32, f32),
}

impl Adam {
    fn new(numbers: usize) -> Self {
        Self { momentum: vec![0.0; numbers], squares: vec![0.0; numbers], lack: (1.0, 1.0) }
    }

    fn step(&mut self, numbers: &mut [f32], gradient: &[f32], rate: f32) {
        self.lack = (self.lack.0 * MOMENTUM, self.lack.1 * SQUARES);
        let rate = rate * (1.0 - self.lack.1).sqrt() / (1.0 - self.lack.0);
        let state = self.momentum.iter_mut().zip(&mut self.squares);
        for ((number, g), (momentum, square)) in numbers.iter_mut().zip(gradient).zip(state) {
            *momentum += (1.0 - MOMENTUM) * (g - *momentum);
            *square += (1.0 - SQUARES) * (g * g - *square);
            *number -= rate * *momentum / (square.sqrt() + TINY);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::dataset::{Example, Features};

    /// The gradient by its definition: how the loss changes as each number does.
    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let mut data = Dataset::new(Features::new([("a", Some("g")), ("b", Some("g"))]).unwrap());
        for day in 0..9 {
            let (a, b) = (f64::from(day * 5 % 7), f64::from(day * 3 % 4));
            let example = Example { weight: 1.0 + f64::from(day % 2), ..Example::new(day, day, a * b) };
            data.push(&[a, b], example).unwrap();
        }
        let rows: Vec<usize> = (0..9).collect();
        let table = Table::new(&data, &[0, 1], &rows, 4.0);
        let mut net = Net::draw(2, 3, &mut ChaCha8Rng::seed_from_u64(5));
        let decay = 0.3;
        let loss = |net: &Net| {
            let of_row = |i: usize| {
                let unit = |j: usize| {
                    let sum = net.weights(0)[j] * table.x[2 * i] + net.weights(1)[j] * table.x[2 * i + 1];
                    f64::from(net.outputs()[j]) * f64::from(sum + net.offsets()[j]).max(0.0)
                };
                let error =
                    f64::from(net.intercept()) + (0..3).map(unit).sum::<f64>() - f64::from(table.y[i]);
                0.5 * f64::from(table.w[i]) * error * error / 9.0
            };
            let decayed = net.weights(0).iter().chain(net.weights(1)).chain(net.outputs());
            let penalty: f64 = decayed.map(|w| f64::from(*w).powi(2)).sum();
            (0..9).map(of_row).sum::<f64>() + 0.5 * f64::from(decay) * penalty
        };
        let mut work = Work::default();
        net.gradient(&table, &rows, decay, &mut work);
        for k in 0..net.numbers.len() {
            let (at, step) = (net.numbers[k], 1e-3);
            let mut moved = |to: f32| {
                net.numbers[k] = to;
                loss(&net)
            };
            let slope = (moved(at + step) - moved(at - step)) / f64::from(2.0 * step);
            net.numbers[k] = at;
            assert!((slope - f64::from(work.gradient[k])).abs() < 2e-3, "number {k}: {slope}");
        }
    }
}
