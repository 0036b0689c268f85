//! A small dense dual simplex for bounded variables, made for branch and cut: bounds change, rows are added and removed,
//! and the last basis is always a warm start, because with boxed variables it can be kept dual feasible by moving
//! non-basic variables to their other bound (C. E. Lemke 1954; A. Koberstein 2005, ch. 3).
//!
//! Floating point never decides what is pruned: [`Simplex::bound`] turns any duals into a valid bound by weak duality,
//! whatever the pivots did.

/// `coefficients · x ≤ limit`.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) coefficients: Vec<f64>,
    pub(crate) limit: f64,
}

/// How a solve ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Status {
    /// The values are optimal, or the pivots ran out first: the duals are usable all the same.
    Done,
    /// No point satisfies the rows within the bounds; proven by weak duality with these multipliers.
    Infeasible,
}

/// maximise `cost · x` subject to rows and finite bounds. Columns 0..n are the variables, then one slack for each row.
pub(crate) struct Simplex {
    cost: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    rows: Vec<Row>,
    table: Vec<Vec<f64>>,
    basis: Vec<usize>,
    basic: Vec<bool>,
    value: Vec<f64>,
    reduced: Vec<f64>,
    pivots: usize,
}

/// A bound by weak duality and what each variable contributes to it.
pub(crate) struct Bound {
    /// No feasible point has a larger objective.
    pub(crate) value: f64,
    /// Cost less what the rows charge, by variable: moving a variable off its better bound costs this for each unit.
    pub(crate) reduced: Vec<f64>,
}

const FEASIBLE: f64 = 1e-9;
const PIVOT: f64 = 1e-8;
const REFACTOR_AFTER: usize = 400;

impl Simplex {
    /// A program without rows. All bounds must be finite.
    pub(crate) fn new(cost: Vec<f64>, lower: Vec<f64>, upper: Vec<f64>) -> Self {
        let n = cost.len();
        let mut program = Self {
            reduced: cost.clone(),
            cost,
            lower,
            upper,
            rows: vec![],
            table: vec![],
            basis: vec![],
            basic: vec![false; n],
            value: vec![0.0; n],
            pivots: 0,
        };
        for j in 0..n {
            program.value[j] = program.resting_place(j);
        }
        program
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The variables' values.
    pub(crate) fn values(&self) -> &[f64] {
        &self.value[..self.cost.len()]
    }

    /// Adds a row; it may be violated until the next solve.
    pub(crate) fn add_row(&mut self, row: Row) {
        let slack = self.value.len();
        let mut line = row.coefficients.clone();
        line.resize(slack + 1, 0.0);
        line[slack] = 1.0;
        for (other, basic) in self.table.iter_mut().zip(&self.basis) {
            other.push(0.0);
            let factor = row.coefficients.get(*basic).copied().unwrap_or(0.0);
            if factor != 0.0 {
                line.iter_mut().zip(other.iter()).for_each(|(a, b)| *a -= factor * b);
            }
        }
        let activity: f64 = row.coefficients.iter().zip(&self.value).map(|(a, x)| a * x).sum();
        self.value.push(row.limit - activity);
        self.reduced.push(0.0);
        self.basic.push(true);
        self.basis.push(slack);
        self.table.push(line);
        self.rows.push(row);
    }

    /// Changes a variable's bounds.
    pub(crate) fn set_bounds(&mut self, j: usize, lower: f64, upper: f64) {
        if self.lower[j] == lower && self.upper[j] == upper {
            return;
        }
        (self.lower[j], self.upper[j]) = (lower, upper);
        if !self.basic[j] {
            let place = self.resting_place(j);
            self.shift(j, place - self.value[j]);
            self.value[j] = place;
        }
    }

    /// Removes rows, not among the first `keep`, whose slack is basic and at least `slack`.
    pub(crate) fn drop_loose_rows(&mut self, keep: usize, slack: f64) {
        let n = self.cost.len();
        let loose = |i: usize| i >= keep && self.basic[n + i] && self.value[n + i] >= slack;
        let gone: Vec<bool> = (0..self.rows.len()).map(loose).collect();
        if gone.iter().any(|g| *g) {
            let mut position = gone.iter();
            self.rows.retain(|_| !position.next().copied().unwrap_or(false));
            let wanted: Vec<bool> = self.basic[..n].to_vec();
            let slacks: Vec<bool> =
                self.basic[n..].iter().zip(&gone).filter(|(_, g)| !**g).map(|(b, _)| *b).collect();
            self.rebuild(&wanted, &slacks);
        }
    }

    /// Pivots until the values are feasible, and so optimal.
    pub(crate) fn solve(&mut self) -> Status {
        let most = 200 + 20 * self.rows.len();
        for _ in 0..most {
            if self.pivots >= REFACTOR_AFTER {
                let n = self.cost.len();
                let (wanted, slacks) = (self.basic[..n].to_vec(), self.basic[n..].to_vec());
                self.rebuild(&wanted, &slacks);
            }
            let Some((r, below)) = self.leaving() else { return Status::Done };
            match self.entering(r, below) {
                Some(q) => self.pivot(r, q, below),
                None if self.proves_infeasible(r, below) => return Status::Infeasible,
                None => return Status::Done,
            }
        }
        Status::Done
    }

    /// A valid bound on the objective within the current bounds, by the current duals.
    pub(crate) fn bound(&self) -> Bound {
        let n = self.cost.len();
        let duals: Vec<f64> = self.reduced[n..].iter().map(|d| (-d).max(0.0)).collect();
        self.weak_duality(&self.cost, &duals)
    }

    fn weak_duality(&self, cost: &[f64], duals: &[f64]) -> Bound {
        let mut reduced = cost.to_vec();
        let mut value = 0.0;
        for (row, dual) in self.rows.iter().zip(duals).filter(|(_, y)| **y > 0.0) {
            value += dual * row.limit;
            reduced.iter_mut().zip(&row.coefficients).for_each(|(r, a)| *r -= dual * a);
        }
        for (j, r) in reduced.iter().enumerate() {
            value += (r * self.lower[j]).max(r * self.upper[j]);
        }
        Bound { value, reduced }
    }

    fn proves_infeasible(&self, r: usize, below: bool) -> bool {
        let n = self.cost.len();
        let sign = if below { 1.0 } else { -1.0 };
        let ray: Vec<f64> = self.table[r][n..].iter().map(|t| (sign * t).max(0.0)).collect();
        self.weak_duality(&vec![0.0; n], &ray).value < -FEASIBLE / 10.0
    }

    /// The bound at which a non-basic variable is dual feasible; the nearer one where both are.
    fn resting_place(&self, j: usize) -> f64 {
        if j >= self.cost.len() {
            return 0.0;
        }
        let (low, high, d) = (self.lower[j], self.upper[j], self.reduced[j]);
        match d {
            d if d > 1e-12 => high,
            d if d < -1e-12 => low,
            _ if (self.value[j] - low).abs() <= (self.value[j] - high).abs() => low,
            _ => high,
        }
    }

    fn limits(&self, j: usize) -> (f64, f64) {
        if j < self.cost.len() { (self.lower[j], self.upper[j]) } else { (0.0, f64::INFINITY) }
    }

    /// Moves a non-basic variable by `change`: the basic ones follow.
    fn shift(&mut self, j: usize, change: f64) {
        if change != 0.0 {
            for (line, basic) in self.table.iter().zip(&self.basis) {
                self.value[*basic] -= line[j] * change;
            }
        }
    }

    /// The row whose basic variable is furthest outside its bounds, and whether it is below them.
    fn leaving(&self) -> Option<(usize, bool)> {
        let mut worst = (FEASIBLE, None);
        for (i, j) in self.basis.iter().enumerate() {
            let (low, high) = self.limits(*j);
            let (under, over) = (low - self.value[*j], self.value[*j] - high);
            if under.max(over) > worst.0 {
                worst = (under.max(over), Some((i, under > over)));
            }
        }
        worst.1
    }

    /// The ratio test: the column that may enter with the smallest dual step; among near ties the largest pivot.
    fn entering(&self, r: usize, below: bool) -> Option<usize> {
        let mut best: Option<(f64, f64, usize)> = None;
        for (j, t) in self.table[r].iter().enumerate() {
            if self.basic[j] || t.abs() < PIVOT {
                continue;
            }
            let (low, high) = self.limits(j);
            if low == high {
                continue;
            }
            let at_lower = self.value[j] == low;
            // The row's variable rises when t × (change of x_j) is negative.
            if (at_lower == (*t < 0.0)) != below {
                continue;
            }
            let ratio = self.reduced[j].abs() / t.abs();
            let wins = best.is_none_or(|(least, pivot, _)| {
                ratio < least - 1e-12 || (ratio <= least + 1e-12 && t.abs() > pivot)
            });
            if wins {
                best = Some((ratio, t.abs(), j));
            }
        }
        best.map(|(_, _, j)| j)
    }

    fn pivot(&mut self, r: usize, q: usize, below: bool) {
        let leaving = self.basis[r];
        let (low, high) = self.limits(leaving);
        let target = if below { low } else { high };
        let step = (self.value[leaving] - target) / self.table[r][q];
        self.shift(q, step);
        self.value[q] += step;
        self.value[leaving] = target;
        self.eliminate(r, q);
        let factor = self.reduced[q];
        self.reduced.iter_mut().zip(&self.table[r]).for_each(|(d, t)| *d -= factor * t);
        self.reduced[q] = 0.0;
        self.basic[leaving] = false;
        self.basic[q] = true;
        self.basis[r] = q;
        self.pivots += 1;
    }

    fn eliminate(&mut self, r: usize, q: usize) {
        let mut line = std::mem::take(&mut self.table[r]);
        let scale = 1.0 / line[q];
        line.iter_mut().for_each(|t| *t *= scale);
        line[q] = 1.0;
        for other in &mut self.table {
            let factor = other.get(q).copied().unwrap_or(0.0);
            if factor != 0.0 {
                other.iter_mut().zip(&line).for_each(|(a, b)| *a -= factor * b);
                other[q] = 0.0;
            }
        }
        self.table[r] = line;
    }

    /// Computes everything anew from the rows for the basis of these variables and slacks; where that basis is singular
    /// or no longer dual feasible, from the basis of all slacks, which always is.
    fn rebuild(&mut self, variables: &[bool], slacks: &[bool]) {
        let (n, m) = (self.cost.len(), self.rows.len());
        self.table = (0..m)
            .map(|i| {
                let mut line = self.rows[i].coefficients.clone();
                line.resize(n + m, 0.0);
                line[n + i] = 1.0;
                line
            })
            .collect();
        self.basis = (n..n + m).collect();
        let mut open: Vec<bool> = slacks.iter().map(|basic| !basic).collect();
        for q in (0..n).filter(|j| variables[*j]) {
            let size = |i: &usize| self.table[*i][q].abs();
            let row = (0..m).filter(|i| open[*i]).max_by(|a, b| size(a).total_cmp(&size(b)));
            if let Some(r) = row.filter(|r| size(r) > PIVOT) {
                self.eliminate(r, q);
                self.basis[r] = q;
                open[r] = false;
            }
        }
        self.settle();
        let dual_feasible = (n..n + m).all(|j| self.basic[j] || self.reduced[j] <= 1e-9);
        if !dual_feasible && variables.iter().any(|v| *v) {
            self.rebuild(&vec![false; n], &vec![true; m]);
        }
        self.pivots = 0;
    }

    /// Reduced costs, resting places and basic values of the current table.
    fn settle(&mut self) {
        let (n, m) = (self.cost.len(), self.rows.len());
        self.basic = vec![false; n + m];
        self.reduced = self.cost.clone();
        self.reduced.resize(n + m, 0.0);
        self.value.resize(n + m, 0.0);
        for (line, j) in self.table.iter().zip(&self.basis) {
            self.basic[*j] = true;
            let cost = self.cost.get(*j).copied().unwrap_or(0.0);
            if cost != 0.0 {
                self.reduced.iter_mut().zip(line).for_each(|(d, t)| *d -= cost * t);
            }
        }
        for j in 0..n + m {
            if self.basic[j] {
                self.reduced[j] = 0.0;
            } else {
                self.value[j] = self.resting_place(j);
            }
        }
        for i in 0..m {
            let line = &self.table[i];
            let limits = self.rows.iter().zip(&line[n..]).map(|(row, t)| row.limit * t);
            let fixed = (0..n + m).filter(|j| !self.basic[*j]).map(|j| line[j] * self.value[j]);
            self.value[self.basis[i]] = limits.sum::<f64>() - fixed.sum::<f64>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(coefficients: &[f64], limit: f64) -> Row {
        Row { coefficients: coefficients.to_vec(), limit }
    }

    #[test]
    fn a_textbook_program() {
        // maximise 3x + 5y, x ≤ 4, 2y ≤ 12, 3x + 2y ≤ 18: (2, 6) with 36 (Hillier and Lieberman, the Wyndor example).
        let mut program = Simplex::new(vec![3.0, 5.0], vec![0.0; 2], vec![100.0; 2]);
        for (a, b) in [([1.0, 0.0], 4.0), ([0.0, 2.0], 12.0), ([3.0, 2.0], 18.0)] {
            program.add_row(row(&a, b));
        }
        assert_eq!(program.solve(), Status::Done);
        assert!((program.bound().value - 36.0).abs() < 1e-9);
        assert!((program.values()[0] - 2.0).abs() < 1e-9);
        program.set_bounds(1, 0.0, 3.0);
        assert_eq!(program.solve(), Status::Done);
        assert!((program.bound().value - 27.0).abs() < 1e-9);
        program.add_row(row(&[-1.0, -1.0], -10.0));
        assert_eq!(program.solve(), Status::Infeasible);
    }

    proptest! {
        /// A fractional knapsack has a greedy optimum; the path there goes through changed bounds and dropped rows.
        #[test]
        fn agrees_with_the_fractional_knapsack(
            items in proptest::collection::vec((0.01..1.0f64, 0.01..1.0f64), 1..30), share in 0.05..0.95f64,
            detour in proptest::collection::vec((0usize..30, any::<bool>()), 0..20),
        ) {
            let n = items.len();
            let total: f64 = items.iter().map(|i| i.1).sum();
            let mut program = Simplex::new(items.iter().map(|i| i.0).collect(), vec![0.0; n], vec![1.0; n]);
            program.add_row(row(&items.iter().map(|i| i.1).collect::<Vec<_>>(), share * total));
            for (j, up) in detour {
                let at = if up { 1.0 } else { 0.0 };
                program.set_bounds(j % n, at, at);
                program.add_row(row(&vec![1.0; n], n as f64));
                program.solve();
                program.drop_loose_rows(1, 1e-6);
            }
            (0..n).for_each(|j| program.set_bounds(j, 0.0, 1.0));
            program.add_row(row(&vec![1.0; n], n as f64));
            prop_assert_eq!(program.solve(), Status::Done);
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|a, b| (items[*b].0 / items[*b].1).total_cmp(&(items[*a].0 / items[*a].1)));
            let (mut room, mut best) = (share * total, 0.0);
            for j in order {
                let part = (room / items[j].1).min(1.0);
                room -= part * items[j].1;
                best += part * items[j].0;
            }
            let found = program.bound().value;
            prop_assert!((found - best).abs() < 1e-7, "{} {}", found, best);
        }
    }
}
