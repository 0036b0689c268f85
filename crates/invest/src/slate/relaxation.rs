//! The linear relaxation of a slate problem, with risk by cutting planes over the scenarios.
//!
//! Risk is a single variable above all cuts ([`Numbers::tail_of`](super::problem::Numbers::tail_of)), so that the program
//! has as many rows as rules and cuts, not as scenarios. Each project has a column that says whether it is in; one that
//! may be taken in part has a second, for what it takes above its least share, which is at most the first: the tightest
//! linear program for "zero or at least so much".

use super::problem::Problem;
use crate::simplex::{Bound, Row, Simplex, Status};

/// How many cuts judge whether a slate is worth its exact figures.
const REMEMBERED: usize = 100;

/// The linear relaxation, in its own units: money of risk divided by `money`, the objective by `unit`.
pub(crate) struct Relaxation {
    pub(crate) program: Simplex,
    least_share: Vec<f64>,
    /// The projects that may be taken in part, in the order of their second columns.
    parts: Vec<usize>,
    /// The cuts made last, in USD: underestimates of any slate's risk.
    cuts: Vec<Vec<f64>>,
    made: usize,
    /// Rows at the start of the program that always stay.
    frame: usize,
    /// The largest single mean or risk, USD.
    money: f64,
    /// What an objective of 1 in the program is: USD, or cents or a count where breach is minimised.
    pub(crate) unit: f64,
}

impl Relaxation {
    pub(crate) fn new(problem: &Problem<'_>, known_cuts: &[Vec<f64>]) -> Self {
        let n = problem.len();
        let money = problem.numbers.unit();
        let parts: Vec<usize> = (0..n).filter(|j| problem.least_share[*j] < 1.0).collect();
        let worst_breach = worst_breach(problem);
        let mut relaxation = Self {
            program: Simplex::new(vec![], vec![], vec![]),
            least_share: problem.least_share.clone(),
            parts,
            cuts: vec![],
            made: 0,
            frame: 0,
            money,
            unit: if problem.goal.mends { worst_breach } else { money },
        };
        relaxation.program = relaxation.columns(problem);
        relaxation.rows(problem, worst_breach);
        relaxation.frame = relaxation.program.rows();
        if problem.goal.weighs_risk() {
            relaxation.add_cut(problem.numbers.mean.iter().map(|m| -m).collect());
            known_cuts.iter().for_each(|cut| relaxation.add_cut(cut.clone()));
        }
        relaxation
    }

    /// Objective and bounds: in or out, the parts, risk, breach.
    fn columns(&self, problem: &Problem<'_>) -> Simplex {
        let (numbers, goal) = (problem.numbers, problem.goal);
        let worth: Vec<f64> = numbers.mean.iter().map(|m| goal.trade.reward * m / self.money).collect();
        let (nothing, n) = (vec![0.0; problem.len()], problem.len());
        let mends = f64::from(u8::from(goal.mends));
        let cost = self.expand(&worth, &nothing, -goal.trade.aversion, -mends);
        // Risk lies between minus the mean and the sum of the single risks: it is coherent.
        let safest: f64 = numbers.mean.iter().map(|m| m.max(0.0) / self.money).sum();
        let riskiest: f64 = numbers.risk.iter().map(|r| r.max(0.0) / self.money).sum();
        let cap = (goal.cap / self.money).min(riskiest + 1e-6);
        let (mut lower, mut upper) = (vec![0.0; cost.len()], vec![1.0; cost.len()]);
        let risk = n + self.parts.len();
        lower[risk] = (-safest - 1e-6).min(cap);
        upper[risk] = cap;
        Simplex::new(cost, lower, upper)
    }

    fn rows(&mut self, problem: &Problem<'_>, worst_breach: f64) {
        for rule in &problem.rules {
            let scale = 1.0 / rule.scale.max(rule.limit.abs().min(2.0 * rule.most()));
            let by = |of: &[f64]| of.iter().map(|c| c * scale).collect::<Vec<f64>>();
            let breach = -rule.gives * worst_breach * scale;
            let coefficients = self.expand(&by(&rule.on_share), &by(&rule.on_in), 0.0, breach);
            self.program.add_row(Row { coefficients, limit: rule.limit * scale + 1e-13 });
        }
        for k in 0..self.parts.len() {
            let mut coefficients = vec![0.0; self.risk_at() + 2];
            coefficients[self.parts[k]] = -1.0;
            coefficients[problem.len() + k] = 1.0;
            self.program.add_row(Row { coefficients, limit: 0.0 });
        }
    }

    /// A row over shares and presence as a row over the program's columns.
    fn expand(&self, on_share: &[f64], on_in: &[f64], risk: f64, breach: f64) -> Vec<f64> {
        let first = on_share.iter().zip(on_in).zip(&self.least_share);
        let mut row: Vec<f64> = first.map(|((share, is_in), least)| share * least + is_in).collect();
        row.extend(self.parts.iter().map(|j| on_share[*j] * (1.0 - self.least_share[*j])));
        row.extend([risk, breach]);
        row
    }

    fn risk_at(&self) -> usize {
        self.least_share.len() + self.parts.len()
    }

    /// How many cuts were made.
    pub(crate) fn made(&self) -> usize {
        self.made
    }

    /// Adds a cut.
    pub(crate) fn add_cut(&mut self, losses: Vec<f64>) {
        let on_share: Vec<f64> = losses.iter().map(|g| g / self.money).collect();
        let coefficients = self.expand(&on_share, &vec![0.0; on_share.len()], -1.0, 0.0);
        self.program.add_row(Row { coefficients, limit: 0.0 });
        self.made += 1;
        if self.cuts.len() >= 2 * REMEMBERED {
            self.cuts.drain(..REMEMBERED);
        }
        self.cuts.push(losses);
    }

    /// Lets go of cuts that do not bind when there are more than `most`.
    pub(crate) fn tidy(&mut self, most: usize) {
        if self.program.rows() > self.frame + most {
            self.program.drop_loose_rows(self.frame, 1e-6);
        }
    }

    /// Holds a project in or out, or sets it free.
    pub(crate) fn hold(&mut self, j: usize, fixed: Option<bool>) {
        let (low, high) = match fixed {
            None => (0.0, 1.0),
            Some(true) => (1.0, 1.0),
            Some(false) => (0.0, 0.0),
        };
        self.program.set_bounds(j, low, high);
        if let Ok(k) = self.parts.binary_search(&j) {
            self.program.set_bounds(self.least_share.len() + k, 0.0, high);
        }
    }

    /// How much each project is in, those within rounding of a whole made whole.
    pub(crate) fn presence(&self) -> Vec<f64> {
        let snap = |x: &f64| if (x - x.round()).abs() < 1e-7 { x.round() } else { *x };
        self.program.values()[..self.least_share.len()].iter().map(snap).collect()
    }

    /// The share of each project, where it is in by `presence`.
    pub(crate) fn shares(&self, presence: &[f64]) -> Vec<f64> {
        let n = presence.len();
        let mut shares: Vec<f64> = presence.iter().zip(&self.least_share).map(|(z, m)| z * m).collect();
        for (k, j) in self.parts.iter().enumerate() {
            let above = self.program.values()[n + k].clamp(0.0, presence[*j]);
            shares[*j] = (shares[*j] + (1.0 - self.least_share[*j]) * above).min(1.0);
        }
        shares
    }

    /// The risk that the program reckons with, USD.
    pub(crate) fn risk(&self) -> f64 {
        self.program.values()[self.risk_at()] * self.money
    }

    /// What the latest cuts say of a slate: underestimates of its risk, USD.
    pub(crate) fn risks(&self, shares: &[f64]) -> Vec<f64> {
        self.recent().iter().map(|cut| super::problem::dot(cut, shares)).collect()
    }

    /// The latest cuts, USD by project.
    pub(crate) fn recent(&self) -> &[Vec<f64>] {
        &self.cuts[self.cuts.len().saturating_sub(REMEMBERED)..]
    }

    /// Solves within the current bounds; nothing where there is no point.
    pub(crate) fn solve(&mut self) -> Option<Bound> {
        match self.program.solve() {
            Status::Infeasible => None,
            Status::Done => Some(self.program.bound()),
        }
    }
}

/// The largest breach that the soft rules can have.
fn worst_breach(problem: &Problem<'_>) -> f64 {
    let soft = problem.rules.iter().filter(|r| r.gives > 0.0);
    // A little room, so that the bound on the breach itself never binds.
    soft.map(|r| 1.01 * (r.most() - r.limit) / r.gives).fold(1.0, f64::max)
}
