//! The linear program of conditional value at risk over scenarios, by R. T. Rockafellar and S. Uryasev, "Optimization of
//! Conditional Value-at-Risk", *Journal of Risk* 2 (2000), with the scenarios eliminated by hand.
//!
//! minimise reward·w + mass × t + Σ zᵢ with zᵢ ≥ −rᵢ·w − t and zᵢ ≥ 0. The variables are the weights w, the threshold t and
//! an excess zᵢ for each scenario; the excesses appear only on a diagonal, so that a step solves with a matrix the size of
//! the weights, gathered in one pass over the scenarios: no cutting planes, no sparse factorisation.

use faer::linalg::solvers::Llt;
use rayon::prelude::*;

use super::interior::Structure;
use super::structure::{add_scaled, cholesky, dot, gram, part_length, solve_with, times, transposed};
use crate::simplex::Row;

/// The rows: first those on the weights alone, then one for each scenario.
pub(super) struct TailProgram<'a> {
    /// Scenario after scenario: the returns, then a 1 for the threshold.
    table: &'a [f64],
    /// Weights and the threshold.
    width: usize,
    rows: &'a [Row],
    factored: Option<Factored>,
}

struct Factored {
    /// What each scenario's row weighs.
    weights: Vec<f64>,
    /// That and the excess's own barrier, inverted.
    inverse: Vec<f64>,
    fixed: Vec<bool>,
    factor: Llt<f64>,
}

impl<'a> TailProgram<'a> {
    pub(super) fn new(table: &'a [f64], width: usize, rows: &'a [Row]) -> Self {
        Self { table, width, rows, factored: None }
    }

    /// `out[i] = f(table[i] · x, i)` on all threads.
    fn each(&self, x: &[f64], out: &mut [f64], f: impl Fn(f64, usize) -> f64 + Sync) {
        let length = part_length(out.len());
        let parts = out.par_chunks_mut(length).zip(self.table.par_chunks(length * self.width)).enumerate();
        parts.for_each(|(part, (out, table))| {
            times(table, x, out);
            out.iter_mut().enumerate().for_each(|(i, o)| *o = f(*o, part * length + i));
        });
    }

    /// `out += factor × Σ y[i] table[i]`, the same to the last bit on any number of threads.
    fn add_scenarios(&self, factor: f64, y: &[f64], out: &mut [f64]) {
        let length = part_length(y.len());
        let tables = self.table.par_chunks(length * self.width);
        let parts: Vec<Vec<f64>> =
            y.par_chunks(length).zip(tables).map(|(y, table)| transposed(table, self.width, y)).collect();
        parts.iter().for_each(|p| add_scaled(out, factor, p));
    }
}

impl Structure for TailProgram<'_> {
    fn curvature(&self, _: &[f64], out: &mut [f64]) {
        out.fill(0.0);
    }

    fn rows(&self, x: &[f64], out: &mut [f64]) {
        let (few, many) = out.split_at_mut(self.rows.len());
        let (point, excess) = x.split_at(self.width);
        few.iter_mut().zip(self.rows).for_each(|(o, row)| *o = dot(&row.coefficients, point));
        self.each(point, many, |reached, i| -reached - excess[i]);
    }

    fn add_transposed(&self, y: &[f64], out: &mut [f64]) {
        let (few, many) = y.split_at(self.rows.len());
        let (point, excess) = out.split_at_mut(self.width);
        self.rows.iter().zip(few).for_each(|(row, y)| add_scaled(point, *y, &row.coefficients));
        self.add_scenarios(-1.0, many, point);
        excess.iter_mut().zip(many).for_each(|(e, y)| *e -= y);
    }

    fn factor(&mut self, diagonal: &[f64], weights: &[f64]) -> bool {
        let (few, many) = weights.split_at(self.rows.len());
        let (own, excess) = diagonal.split_at(self.width);
        let inverse: Vec<f64> = excess.iter().zip(many).map(|(e, m)| (e + m).recip()).collect();
        let kept: Vec<f64> = (0..many.len()).map(|i| excess[i] * many[i] * inverse[i]).collect();
        let mut matrix = gram(self.table, self.width, &kept);
        for (row, w) in self.rows.iter().zip(few) {
            for (j, a) in row.coefficients.iter().enumerate() {
                row.coefficients.iter().enumerate().skip(j).for_each(|(i, b)| matrix[(i, j)] += w * a * b);
            }
        }
        let fixed: Vec<bool> = own.iter().map(|d| d.is_infinite()).collect();
        for j in 0..self.width {
            matrix[(j, j)] += if fixed[j] { 0.0 } else { own[j] };
            for i in (j..self.width).filter(|i| fixed[*i] || fixed[j]) {
                matrix[(i, j)] = f64::from(u8::from(i == j));
            }
        }
        self.factored =
            cholesky(matrix).map(|factor| Factored { weights: many.to_vec(), inverse, fixed, factor });
        self.factored.is_some()
    }

    fn solve(&self, right: &mut [f64]) {
        let Some(Factored { weights, inverse, fixed, factor }) = &self.factored else { return };
        let (point, excess) = right.split_at_mut(self.width);
        let shares: Vec<f64> = (0..excess.len()).map(|i| weights[i] * inverse[i] * excess[i]).collect();
        self.add_scenarios(-1.0, &shares, point);
        let free = |point: &mut [f64]| {
            point.iter_mut().zip(fixed).filter(|(_, f)| **f).for_each(|(p, _)| *p = 0.0);
        };
        free(point);
        solve_with(factor, point);
        free(point);
        let before = excess.to_vec();
        self.each(point, excess, |reached, i| (before[i] - weights[i] * reached) * inverse[i]);
    }

    fn linear(&self) -> bool {
        true
    }
}
