//! Solving with a covariance between weights: dense by Cholesky, factor form by the identity of M. Woodbury ("Inverting
//! Modified Matrices", 1950), so that a step over n assets and k factors costs n k² and not n³.
//!
//! What is *not* here: the scenario tail (`tail`), whose matrix is another.

use faer::linalg::matmul::matmul as product;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::solvers::{Llt, Solve as _};
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use rayon::prelude::*;

use super::estimates::Covariance;
use super::interior::Structure;
use crate::simplex::Row;

/// So many rows of a table at least are worth a thread of their own.
const ROWS_FOR_A_THREAD: usize = 1024;
/// A fixed number of parts, whatever the threads: sums come out the same to the last bit.
const PARTS: usize = 16;
/// Rows that are scaled and multiplied at a time: they stay in cache.
const BLOCK: usize = 256;

/// Rows of a table in fixed parts.
pub(super) fn part_length(rows: usize) -> usize {
    rows.div_ceil(PARTS).max(ROWS_FOR_A_THREAD)
}

/// tableᵀ diag(weights) table, its lower triangle; `table` is row after row, each `width` long.
pub(super) fn gram(table: &[f64], width: usize, weights: &[f64]) -> Mat<f64> {
    let length = part_length(weights.len());
    let of_part = |(table, weights): (&[f64], &[f64])| part(table, width, weights);
    if weights.len() <= length {
        return part(table, width, weights);
    }
    let parts: Vec<Mat<f64>> =
        table.par_chunks(length * width).zip(weights.par_chunks(length)).map(of_part).collect();
    let mut total = Mat::<f64>::zeros(width, width);
    parts.iter().for_each(|p| total += p.as_ref());
    total
}

fn part(table: &[f64], width: usize, weights: &[f64]) -> Mat<f64> {
    let mut total = Mat::<f64>::zeros(width, width);
    let mut scaled = vec![0.0; BLOCK.min(weights.len()) * width];
    for (rows, weights) in table.chunks(BLOCK * width).zip(weights.chunks(BLOCK)) {
        let scaled = &mut scaled[..rows.len()];
        for ((to, from), weight) in scaled.chunks_mut(width).zip(rows.chunks(width)).zip(weights) {
            to.iter_mut().zip(from).for_each(|(t, f)| *t = weight * f);
        }
        // Row after row is column after column to faer.
        let left = MatRef::from_column_major_slice(rows, width, weights.len());
        let right = MatRef::from_column_major_slice(scaled, width, weights.len());
        let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
        matmul(total.as_mut(), lower, Accum::Add, left, full, right.transpose(), full, 1.0, Par::Seq);
    }
    total
}

/// A Cholesky factor of a lower triangle, after a nudge where rounding has made it indefinite.
pub(super) fn cholesky(mut matrix: Mat<f64>) -> Option<Llt<f64>> {
    let most = (0..matrix.nrows()).map(|i| matrix[(i, i)]).fold(0.0, f64::max);
    if !most.is_finite() {
        return None;
    }
    for nudge in [0.0, 1e-14, 1e-11] {
        (0..matrix.nrows()).for_each(|i| matrix[(i, i)] += nudge * most);
        if let Ok(factor) = matrix.llt(Side::Lower) {
            return Some(factor);
        }
    }
    None
}

/// Solves in place with a factor.
pub(super) fn solve_with(factor: &Llt<f64>, right: &mut [f64]) {
    let n = right.len();
    factor.solve_in_place(MatMut::from_column_major_slice_mut(right, n, 1));
}

/// tableᵀ x; `table` is row after row.
pub(super) fn transposed(table: &[f64], width: usize, x: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    let left = MatRef::from_column_major_slice(table, width, x.len());
    let right = MatRef::from_column_major_slice(x, x.len(), 1);
    product(
        MatMut::from_column_major_slice_mut(&mut sums, width, 1),
        Accum::Replace,
        left,
        right,
        1.0,
        Par::Seq,
    );
    sums
}

/// `out = table x`; `table` is row after row.
pub(super) fn times(table: &[f64], x: &[f64], out: &mut [f64]) {
    let (rows, width) = (out.len(), x.len());
    let left = MatRef::from_row_major_slice(table, rows, width);
    let right = MatRef::from_column_major_slice(x, width, 1);
    product(MatMut::from_column_major_slice_mut(out, rows, 1), Accum::Replace, left, right, 1.0, Par::Seq);
}

/// The inner product, in four sums.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0; 4];
    for (x, y) in a4.zip(b4) {
        (0..4).for_each(|k| sums[k] += x[k] * y[k]);
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// `out += factor × row`.
pub(super) fn add_scaled(out: &mut [f64], factor: f64, row: &[f64]) {
    out.iter_mut().zip(row).for_each(|(o, r)| *o += factor * r);
}

/// ½ `aversion` × variance between the weights, under a few linear rows.
pub(super) struct Quadratic<'a> {
    covariance: &'a Covariance,
    aversion: f64,
    rows: &'a [Row],
    /// In factor form: loadings and rows side by side, an asset a line.
    wide: Vec<f64>,
    factored: Factored,
}

enum Factored {
    Nothing,
    Dense { fixed: Vec<bool>, factor: Llt<f64> },
    Woodbury(Woodbury),
}

/// D + U S Uᵀ, D and S diagonal.
struct Woodbury {
    /// D⁻¹; zero where a variable is fixed.
    inverse: Vec<f64>,
    /// S: 1 for each factor, the weight of each row.
    scale: Vec<f64>,
    /// Of S⁻¹ + Uᵀ D⁻¹ U.
    factor: Llt<f64>,
}

impl Woodbury {
    /// `wide` is U, a variable a line.
    fn solve(&self, wide: &[f64], right: &mut [f64]) {
        let width = self.scale.len();
        right.iter_mut().zip(&self.inverse).for_each(|(r, i)| *r *= i);
        let mut shares = transposed(wide, width, right);
        solve_with(&self.factor, &mut shares);
        let mut spread = vec![0.0; right.len()];
        times(wide, &shares, &mut spread);
        right.iter_mut().zip(&self.inverse).zip(&spread).for_each(|((r, i), s)| *r -= i * s);
    }

    /// What `solve` left: `right` − (D + U S Uᵀ) x.
    fn left(&self, wide: &[f64], right: &[f64], x: &[f64]) -> Vec<f64> {
        let width = self.scale.len();
        let mut shares = transposed(wide, width, x);
        shares.iter_mut().zip(&self.scale).for_each(|(h, s)| *h *= s);
        let mut spread = vec![0.0; x.len()];
        times(wide, &shares, &mut spread);
        let one = |(((r, x), i), s): (((&f64, &f64), &f64), &f64)| if *i > 0.0 { r - x / i - s } else { 0.0 };
        right.iter().zip(x).zip(&self.inverse).zip(&spread).map(one).collect()
    }
}

impl<'a> Quadratic<'a> {
    pub(super) fn new(covariance: &'a Covariance, aversion: f64, rows: &'a [Row]) -> Self {
        let wide = match covariance {
            Covariance::Dense(_) => vec![],
            Covariance::Factors { loadings, specific, .. } => {
                let factors = loadings.len() / specific.len().max(1);
                let root = aversion.sqrt();
                let line = |i: usize| {
                    let own = loadings[i * factors..(i + 1) * factors].iter().map(move |g| root * g);
                    own.chain(rows.iter().map(move |r| r.coefficients[i]))
                };
                (0..specific.len()).flat_map(line).collect()
            }
        };
        Self { covariance, aversion, rows, wide, factored: Factored::Nothing }
    }

    fn dense(&self, sigma: &[f64], diagonal: &[f64], weights: &[f64]) -> Option<Factored> {
        let n = diagonal.len();
        let mut matrix = Mat::from_fn(n, n, |i, j| self.aversion * sigma[j * n + i]);
        for (row, w) in self.rows.iter().zip(weights) {
            for j in 0..n {
                let charge = w * row.coefficients[j];
                (j..n).for_each(|i| matrix[(i, j)] += charge * row.coefficients[i]);
            }
        }
        let fixed: Vec<bool> = diagonal.iter().map(|d| d.is_infinite()).collect();
        for j in 0..n {
            matrix[(j, j)] += if fixed[j] { 0.0 } else { diagonal[j] };
            for i in (j..n).filter(|i| fixed[*i] || fixed[j]) {
                matrix[(i, j)] = f64::from(u8::from(i == j));
            }
        }
        Some(Factored::Dense { fixed, factor: cholesky(matrix)? })
    }

    fn woodbury(&self, specific: &[f64], diagonal: &[f64], weights: &[f64]) -> Option<Factored> {
        let inverse: Vec<f64> =
            specific.iter().zip(diagonal).map(|(s, d)| (self.aversion * s + d).recip()).collect();
        let width = self.wide.len() / specific.len().max(1);
        let mut scale = vec![1.0; width - self.rows.len()];
        scale.extend(weights);
        let mut small = gram(&self.wide, width, &inverse);
        (0..width).for_each(|k| small[(k, k)] += scale[k].recip());
        Some(Factored::Woodbury(Woodbury { inverse, scale, factor: cholesky(small)? }))
    }
}

impl Structure for Quadratic<'_> {
    fn curvature(&self, x: &[f64], out: &mut [f64]) {
        self.covariance.times(x, out);
        out.iter_mut().for_each(|o| *o *= self.aversion);
    }

    fn rows(&self, x: &[f64], out: &mut [f64]) {
        out.iter_mut().zip(self.rows).for_each(|(o, row)| *o = dot(&row.coefficients, x));
    }

    fn add_transposed(&self, y: &[f64], out: &mut [f64]) {
        self.rows.iter().zip(y).for_each(|(row, y)| add_scaled(out, *y, &row.coefficients));
    }

    fn factor(&mut self, diagonal: &[f64], weights: &[f64]) -> bool {
        let made = match self.covariance {
            Covariance::Dense(sigma) => self.dense(sigma, diagonal, weights),
            Covariance::Factors { specific, .. } => self.woodbury(specific, diagonal, weights),
        };
        self.factored = made.unwrap_or(Factored::Nothing);
        !matches!(self.factored, Factored::Nothing)
    }

    fn solve(&self, right: &mut [f64]) {
        match &self.factored {
            Factored::Nothing => {}
            Factored::Dense { fixed, factor } => {
                solve_with(factor, right);
                right.iter_mut().zip(fixed).filter(|(_, f)| **f).for_each(|(r, _)| *r = 0.0);
            }
            Factored::Woodbury(made) => {
                let wanted = right.to_vec();
                made.solve(&self.wide, right);
                // The weight of a row that binds grows without limit and magnifies rounding: solve for what is left.
                for _ in 0..if self.rows.is_empty() { 0 } else { 2 } {
                    let mut left = made.left(&self.wide, &wanted, right);
                    made.solve(&self.wide, &mut left);
                    add_scaled(right, 1.0, &left);
                }
            }
        }
    }

    fn linear(&self) -> bool {
        false
    }
}
