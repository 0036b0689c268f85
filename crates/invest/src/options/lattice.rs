//! Expectations over a Gaussian step, on equally spaced nodes.
//!
//! The transition weights from one node to the others are the normal density at their distance, made to sum to one: the
//! quadrature lattice of A. D. Andricopoulos, M. Widdicks, P. W. Duck and D. P. Newton, "Universal option valuation using
//! quadrature methods", *Journal of Financial Economics* 67 (2003). Unlike a binomial tree it has no error in time: one
//! step spans the whole interval between two decisions. What is left is the error of the trapezoidal rule at kinks, of
//! the order of the squared distance of nodes.
//!
//! Beyond the last node a value is held at that node's; axes reach so far that it is not seen from the middle.

use rayon::prelude::*;

/// Standard deviations to which axes and weights reach: a normal variable is beyond with probability 1e-15.
pub(super) const REACH: f64 = 8.0;

/// Equally spaced nodes of which one is zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    below: usize,
    above: usize,
    step: f64,
}

impl Axis {
    /// Nodes `step` apart that cover `-below ..= above`.
    pub(super) fn covering(below: f64, above: f64, step: f64) -> Self {
        Self { below: (below / step).ceil() as usize, above: (above / step).ceil() as usize, step }
    }

    pub(super) fn len(&self) -> usize {
        self.below + self.above + 1
    }

    /// The index of the node at zero.
    pub(super) fn origin(&self) -> usize {
        self.below
    }

    /// The place of a node; between two nodes for an index that is not whole.
    pub(super) fn at(&self, index: f64) -> f64 {
        (index - self.below as f64) * self.step
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.len()).map(|i| self.at(i as f64))
    }
}

/// The weights of a Gaussian step between nodes.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    weights: Vec<f64>,
}

impl Kernel {
    /// A step of standard deviation `deviation` between nodes `step` apart: no step at all for zero, else at least 1.4
    /// nodes wide, where the trapezoidal rule is exact to 1e-16 for smooth values.
    pub(super) fn gaussian(deviation: f64, step: f64) -> Self {
        if deviation <= 0.0 {
            return Self { weights: vec![1.0] };
        }
        let reach = (REACH * deviation / step).ceil() as i32;
        let density = |k: i32| (-0.5 * (f64::from(k) * step / deviation).powi(2)).exp();
        let weights: Vec<f64> = (-reach..=reach).map(density).collect();
        let total: f64 = weights.iter().sum();
        Self { weights: weights.iter().map(|w| w / total).collect() }
    }

    /// The expectation of `values` after the step, as seen from each node.
    pub(super) fn expect(&self, values: &[f64]) -> Vec<f64> {
        let (Some(first), Some(last)) = (values.first(), values.last()) else { return Vec::new() };
        let reach = self.weights.len() / 2;
        let mut padded = vec![*first; values.len() + 2 * reach];
        padded[reach..reach + values.len()].copy_from_slice(values);
        padded[reach + values.len()..].fill(*last);
        padded.windows(self.weights.len()).map(|window| dot(window, &self.weights)).collect()
    }

    /// The same on a square of two independent coordinates, given row after row.
    pub(super) fn expect_square(&self, values: &[f64], width: usize) -> Vec<f64> {
        let once = transpose(&self.along_rows(values, width), width);
        transpose(&self.along_rows(&once, width), width)
    }

    fn along_rows(&self, values: &[f64], width: usize) -> Vec<f64> {
        values.par_chunks(width).flat_map_iter(|row| self.expect(row)).collect()
    }
}

/// The inner product, in eight sums so that it runs in vector registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0; 8];
    for (x, y) in a.zip(b) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f64>() + rest
}

fn transpose(values: &[f64], width: usize) -> Vec<f64> {
    (0..values.len()).map(|i| values[i % width * width + i / width]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// E[e^(bz)] = e^(b²/2), and the mean and the variance of a step are kept.
    #[test]
    fn moments_of_a_step() {
        for (deviation, step) in [(1.0, 0.01), (0.014, 0.01), (0.3, 0.05)] {
            let axis = Axis::covering(10.0, 10.0, step);
            let kernel = Kernel::gaussian(deviation, step);
            let middle = |f: fn(f64) -> f64| {
                let values: Vec<f64> = axis.nodes().map(f).collect();
                kernel.expect(&values)[axis.origin()]
            };
            // Beyond eight deviations lies 1e-12 of a mean that grows.
            assert!((middle(f64::exp) / (deviation * deviation / 2.0).exp() - 1.0).abs() < 1e-11);
            assert!(middle(|x| x).abs() < 1e-14);
            assert!((middle(|x| x * x) / (deviation * deviation) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn no_step_changes_nothing() {
        let values = [3.0, 1.0, 4.0];
        assert_eq!(Kernel::gaussian(0.0, 0.1).expect(&values), values);
    }

    #[test]
    fn a_square_is_two_axes() {
        let axis = Axis::covering(9.0, 9.0, 0.25);
        let kernel = Kernel::gaussian(1.0, 0.25);
        let square: Vec<f64> =
            axis.nodes().flat_map(|x| axis.nodes().map(move |y| x * x * (0.5 * y).exp())).collect();
        let found = kernel.expect_square(&square, axis.len())[axis.origin() * axis.len() + axis.origin()];
        assert!((found - 0.125f64.exp()).abs() < 1e-9, "{found}");
    }
}
