//! The slate problem as numbers, its exact objective, and its linear relaxation by cutting planes over the scenarios.
//!
//! Conditional value at risk is the largest mean loss over all weightings of the worst scenarios, so for every slate `x`
//! (also a fractional one) the tail of `x` gives a linear underestimate of the risk of *every* slate: a cut (J. E. Kelley,
//! "The Cutting-Plane Method for Solving Convex Programs", 1960). With risk a single variable above all cuts, the program
//! has as many rows as cuts, not as scenarios.

use crate::risk::Tail;
use crate::simplex::{Bound, Row, Simplex, Status};

/// What is maximised: `reward × mean − aversion × risk`, with risk at most `cap`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Goal {
    pub(crate) reward: f64,
    pub(crate) aversion: f64,
    pub(crate) cap: f64,
}

/// The slate problem. Profits in USD, costs in cents; projects in a canonical order.
pub(crate) struct Problem<'a> {
    pub(crate) columns: Vec<&'a [f64]>,
    /// The same scenario after scenario: a cut adds up whole scenarios.
    pub(crate) rows: std::sync::Arc<[f64]>,
    pub(crate) mean: Vec<f64>,
    /// Each project's own CVaR.
    pub(crate) risk: Vec<f64>,
    pub(crate) cost: Vec<i64>,
    pub(crate) budget: i64,
    pub(crate) least: usize,
    pub(crate) most: usize,
    pub(crate) fixed: Vec<Option<bool>>,
    pub(crate) goal: Goal,
    pub(crate) tail: Tail,
}

/// A slate with its exact figures, USD.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) chosen: Vec<bool>,
    pub(crate) mean: f64,
    pub(crate) risk: f64,
    pub(crate) objective: f64,
}

/// Profits scenario after scenario.
pub(crate) fn by_scenario(columns: &[&[f64]]) -> std::sync::Arc<[f64]> {
    let scenarios = columns.first().map_or(0, |c| c.len());
    (0..scenarios).flat_map(|s| columns.iter().map(move |c| c[s])).collect()
}

impl Problem<'_> {
    /// How many projects there are.
    pub(crate) fn len(&self) -> usize {
        self.cost.len()
    }

    /// Whether a slate keeps budget, numbers and fixed projects; risk is not looked at.
    pub(crate) fn allows(&self, chosen: &[bool]) -> bool {
        let (count, cost) = self.count_and_cost(chosen);
        let fixed = chosen.iter().zip(&self.fixed).all(|(x, f)| f.is_none_or(|f| f == *x));
        fixed && cost <= i128::from(self.budget) && (self.least..=self.most).contains(&count)
    }

    /// How many projects a slate has, and what they cost in cents.
    pub(crate) fn count_and_cost(&self, chosen: &[bool]) -> (usize, i128) {
        let costs = chosen.iter().zip(&self.cost).filter(|(x, _)| **x).map(|(_, c)| i128::from(*c));
        (chosen.iter().filter(|x| **x).count(), costs.sum())
    }

    /// Joint profit by scenario of a slate, fractional ones included.
    pub(crate) fn profits(&self, shares: &[f64]) -> Vec<f64> {
        let mut total = vec![0.0; self.columns.first().map_or(0, |c| c.len())];
        for (column, share) in self.columns.iter().zip(shares).filter(|(_, s)| **s > 0.0) {
            total.iter_mut().zip(*column).for_each(|(t, p)| *t += share * p);
        }
        total
    }

    /// The exact figures of a slate.
    pub(crate) fn evaluate(&self, chosen: &[bool]) -> Point {
        let shares: Vec<f64> = chosen.iter().map(|x| f64::from(u8::from(*x))).collect();
        let mut profits = self.profits(&shares);
        let mean = self.mean.iter().zip(&shares).map(|(m, x)| m * x).sum();
        let risk = self.tail.cvar(&mut profits);
        self.point(chosen.to_vec(), mean, risk)
    }

    /// A slate whose mean and risk are known.
    pub(crate) fn point(&self, chosen: Vec<bool>, mean: f64, risk: f64) -> Point {
        // A tenth of a cent of rounding must not break a cap.
        let kept = risk <= self.goal.cap + 1e-3;
        let worth = self.goal.reward * mean - self.goal.aversion * risk;
        Point { chosen, mean, risk, objective: if kept { worth } else { f64::NEG_INFINITY } }
    }

    /// The risk of a slate, fractional ones included, and its cut: the mean loss of each project over that slate's tail.
    pub(crate) fn tail_of(&self, shares: &[f64]) -> (f64, Vec<f64>) {
        let total = self.profits(shares);
        let mut order: Vec<u32> = (0..total.len() as u32).collect();
        let by_profit = |a: &u32, b: &u32| total[*a as usize].total_cmp(&total[*b as usize]).then(a.cmp(b));
        if self.tail.whole < order.len() {
            order.select_nth_unstable_by(self.tail.whole, by_profit);
        }
        let edge = order.get(self.tail.whole).copied();
        let mut worst = order[..self.tail.whole.min(order.len())].to_vec();
        worst.sort_unstable();
        let mut cut = vec![0.0; self.columns.len()];
        let mut charge = |scenario: u32, weight: f64| {
            let start = scenario as usize * cut.len();
            let row = &self.rows[start..start + cut.len()];
            cut.iter_mut().zip(row).for_each(|(c, p)| *c -= weight * p);
        };
        worst.iter().for_each(|s| charge(*s, 1.0));
        edge.iter().for_each(|s| charge(*s, self.tail.part));
        cut.iter_mut().for_each(|c| *c /= self.tail.mass);
        let risk = cut.iter().zip(shares).map(|(g, x)| g * x).sum();
        (risk, cut)
    }
}

/// How many cuts judge whether a slate is worth its exact figures.
const REMEMBERED: usize = 100;

/// The linear relaxation, in its own units: money divided by `unit`.
pub(crate) struct Relaxation {
    pub(crate) program: Simplex,
    /// The cuts made last, in USD: underestimates of any slate's risk.
    cuts: Vec<Vec<f64>>,
    made: usize,
    /// Fixed rows at the start of the program: budget, largest and least number.
    frame: usize,
    pub(crate) unit: f64,
}

impl Relaxation {
    pub(crate) fn new(problem: &Problem<'_>) -> Self {
        let sizes = problem.mean.iter().chain(&problem.risk).map(|x| x.abs());
        let unit = sizes.fold(1.0, f64::max);
        let n = problem.len();
        let goal = problem.goal;
        let mut cost: Vec<f64> = problem.mean.iter().map(|m| goal.reward * m / unit).collect();
        cost.push(-goal.aversion);
        // Risk lies between minus the mean and the sum of the single risks: it is coherent.
        let safest: f64 = problem.mean.iter().map(|m| m.max(0.0) / unit).sum();
        let riskiest: f64 = problem.risk.iter().map(|r| r.max(0.0) / unit).sum();
        let cap = (goal.cap / unit).min(riskiest);
        let mut lower = vec![0.0; n];
        let mut upper = vec![1.0; n];
        lower.push((-safest - 1e-6).min(cap));
        upper.push(cap);
        let mut program = Simplex::new(cost, lower, upper);
        let with_risk = |mut coefficients: Vec<f64>, limit: f64| {
            coefficients.push(0.0);
            Row { coefficients, limit }
        };
        let scale = problem.cost.iter().copied().fold(problem.budget.max(1), i64::max) as f64;
        let costs = problem.cost.iter().map(|c| *c as f64 / scale).collect();
        program.add_row(with_risk(costs, problem.budget as f64 / scale + 1e-13));
        program.add_row(with_risk(vec![1.0; n], problem.most.min(n) as f64));
        program.add_row(with_risk(vec![-1.0; n], -(problem.least as f64)));
        let mut relaxation = Self { frame: program.rows(), program, cuts: vec![], made: 0, unit };
        relaxation.add_cut(problem.mean.iter().map(|m| -m).collect());
        relaxation
    }

    /// How many cuts were made.
    pub(crate) fn cuts(&self) -> usize {
        self.made
    }

    /// Adds a cut from [`Problem::tail_of`].
    pub(crate) fn add_cut(&mut self, losses: Vec<f64>) {
        let mut coefficients: Vec<f64> = losses.iter().map(|g| g / self.unit).collect();
        coefficients.push(-1.0);
        self.program.add_row(Row { coefficients, limit: 0.0 });
        self.made += 1;
        if self.cuts.len() >= 2 * REMEMBERED {
            self.cuts.drain(..REMEMBERED);
        }
        self.cuts.push(losses);
    }

    /// Lets go of rows that do not bind when there are more than `most`.
    pub(crate) fn tidy(&mut self, most: usize) {
        if self.program.rows() > most {
            self.program.drop_loose_rows(self.frame, 1e-6);
        }
    }

    /// What the latest cuts say of a slate: underestimates of its risk, USD.
    pub(crate) fn risks(&self, chosen: &[bool]) -> Vec<f64> {
        let at = |cut: &Vec<f64>| cut.iter().zip(chosen).filter(|(_, x)| **x).map(|(g, _)| g).sum();
        self.recent().iter().map(at).collect()
    }

    /// The latest cuts, USD by project.
    pub(crate) fn recent(&self) -> &[Vec<f64>] {
        &self.cuts[self.cuts.len().saturating_sub(REMEMBERED)..]
    }

    /// Solves within the current bounds.
    pub(crate) fn solve(&mut self) -> Option<Bound> {
        match self.program.solve() {
            Status::Infeasible => None,
            Status::Done => Some(self.program.bound()),
        }
    }
}
