//! Least squares over very many paths, by blocks.
//!
//! The moments of each block of paths are added in the order of the blocks, so that the coefficients are the same bytes
//! on any number of threads. A term that depends on earlier ones (as all but the first do where every path is in the same
//! state) is left out with the coefficient zero instead of failing.

use rayon::prelude::*;

/// The most terms of a regression; terms that are not used are zero.
pub(super) const TERMS: usize = 10;

/// The terms of one path, or the coefficients on them.
pub(super) type Row = [f64; TERMS];

/// These terms, and zeros for the rest.
pub(super) fn row<const N: usize>(terms: [f64; N]) -> Row {
    let mut row = [0.0; TERMS];
    row.iter_mut().zip(terms).for_each(|(place, term)| *place = term);
    row
}

/// How many paths make a block.
const BLOCK: usize = 4096;

/// Below this share of its own size, what earlier terms leave of a term is rounding.
const DEPENDENT: f64 = 1e-10;

/// The coefficients that bring the terms closest to the responses, over the paths for which `path` has both.
pub(super) fn fit(paths: usize, path: impl Fn(usize) -> Option<(Row, f64)> + Sync) -> Row {
    let blocks: Vec<Moments> = (0..paths.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let mut moments = Moments::default();
            let end = (block * BLOCK + BLOCK).min(paths);
            (block * BLOCK..end).filter_map(&path).for_each(|(row, response)| moments.add(&row, response));
            moments
        })
        .collect();
    let mut all = Moments::default();
    blocks.iter().for_each(|block| all.merge(block));
    all.solve()
}

/// The value of the terms under the coefficients.
pub(super) fn value(coefficients: &Row, terms: &Row) -> f64 {
    coefficients.iter().zip(terms).map(|(c, t)| c * t).sum()
}

/// Sums of products of terms with each other (lower triangle) and with the response.
#[derive(Default)]
struct Moments {
    products: [Row; TERMS],
    responses: Row,
}

impl Moments {
    fn add(&mut self, row: &Row, response: f64) {
        for (i, left) in row.iter().enumerate() {
            for (sum, right) in self.products[i][..=i].iter_mut().zip(row) {
                *sum += left * right;
            }
            self.responses[i] += left * response;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.products.iter_mut().zip(&other.products) {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        }
        self.responses.iter_mut().zip(&other.responses).for_each(|(a, b)| *a += b);
    }

    /// The normal equations by Cholesky's factorisation, without the terms that depend on earlier ones.
    fn solve(&self) -> Row {
        let lower = self.factor();
        let mut forward = [0.0; TERMS];
        for j in 0..TERMS {
            let known: f64 = (0..j).map(|k| lower[j][k] * forward[k]).sum();
            forward[j] = if lower[j][j] > 0.0 { (self.responses[j] - known) / lower[j][j] } else { 0.0 };
        }
        let mut coefficients = [0.0; TERMS];
        for j in (0..TERMS).rev() {
            let known: f64 = (j + 1..TERMS).map(|k| lower[k][j] * coefficients[k]).sum();
            coefficients[j] = if lower[j][j] > 0.0 { (forward[j] - known) / lower[j][j] } else { 0.0 };
        }
        coefficients
    }

    fn factor(&self) -> [Row; TERMS] {
        let mut lower = [[0.0; TERMS]; TERMS];
        for j in 0..TERMS {
            let own = self.products[j][j];
            let left = own - lower[j][..j].iter().map(|l| l * l).sum::<f64>();
            if left > DEPENDENT * own {
                lower[j][j] = left.sqrt();
                for i in j + 1..TERMS {
                    let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
                    lower[i][j] = (self.products[i][j] - known) / lower[j][j];
                }
            }
        }
        lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_found_again() {
        let found = fit(10_000, |i| {
            let x = i as f64 / 5000.0 - 1.0;
            Some((row([1.0, x, x * x, x * x * x]), 2.0 - x + 0.5 * x * x * x))
        });
        let wanted = row([2.0, -1.0, 0.0, 0.5]);
        assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn terms_that_depend_are_left_out() {
        let found = fit(5000, |i| Some((row([1.0, 3.0, 0.0, 2.0]), (i % 2) as f64)));
        assert!((value(&found, &row([1.0, 3.0, 0.0, 2.0])) - 0.5).abs() < 1e-12);
        assert_eq!(fit(0, |_| None), [0.0; TERMS]);
    }
}
