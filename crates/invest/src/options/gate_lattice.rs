//! The gates on a lattice: the nodes are the mean of the standard score of the gross, given what is known.
//!
//! That mean starts at zero and moves by a normal step of the share of variance that each stage reveals; at the end it is
//! the score itself, at which the forecast is read: no lognormal is fitted to it. How often a choice is made is an
//! expectation too; at a threshold, where it jumps, a node counts with the part of its cell that lies on the better side.

use marquee_domain::Control;

use super::gates::{GateOption, Sequel, StageGates};
use super::induction::{Carrier, Choice, Flow, Induction, Part, Prospect, Step, mark};
use super::lattice::{Axis, Kernel, REACH};
use crate::InvestError;

/// The widest distance of nodes, in scores.
const WIDEST: f64 = 0.01;
/// The narrowest step, in nodes, that [`Kernel::gaussian`] is exact for.
const NARROWEST: f64 = 1.4;

/// What backward induction on the lattice found at the first gate.
pub(super) struct Solved {
    /// US dollars, discounted to the first gate.
    pub(super) value: f64,
    /// The probability of each choice, by [`mark`].
    pub(super) marks: Vec<f64>,
    /// By gate: the score below which one abandons; see [`Induction::margins`].
    pub(super) abandon: Vec<Threshold>,
}

/// Where one abandons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Threshold {
    Never,
    Always,
    /// At means of the score below this.
    Below(f64),
}

/// The nodes.
pub(super) struct GateLattice<'a> {
    gates: &'a StageGates,
    axis: Axis,
    /// Whether anyone asks how often each choice is made.
    marked: bool,
}

impl<'a> GateLattice<'a> {
    pub(super) fn new(gates: &'a StageGates, marked: bool) -> Self {
        let parts = [Part::Whole, Part::Wait, Part::Rest];
        let steps = (0..gates.stages.len()).flat_map(|stage| parts.map(|part| Step { stage, part }));
        let narrowest =
            steps.map(|step| step.deviation(gates)).filter(|s| *s > 0.0).fold(f64::INFINITY, f64::min);
        let step = WIDEST.min(narrowest / NARROWEST);
        // Receipts grow with the gross, which moves their own mean up by its spread.
        Self { gates, axis: Axis::covering(REACH, REACH + gates.spread(), step), marked }
    }

    /// Solves the gates with these rights.
    pub(super) fn solve(&self, rights: &[GateOption], control: &Control) -> Result<Solved, InvestError> {
        let mut induction = Induction::new(self.gates, rights, self, control);
        let flow = induction.gate(0, 1.0)?;
        let first = |values: &Vec<f64>| values.get(self.axis.origin()).copied().unwrap_or_default();
        let abandon = induction.margins.iter().map(|margin| self.threshold(margin)).collect();
        Ok(Solved { value: first(&flow.cash), marks: flow.marks.iter().map(first).collect(), abandon })
    }

    /// The mean of the gross, US dollars, as forecast at a gate where the mean of the score is `score`.
    pub(super) fn mean_gross(&self, gate: usize, score: f64) -> f64 {
        let left: f64 = self.gates.stages[gate..].iter().map(|stage| stage.reveals).sum();
        // On an axis of the surprise, so that the score need not be a node.
        let grosses: Vec<f64> = self.axis.nodes().map(|z| self.gates.gross_at(score + z, 1.0)).collect();
        let kernel = Kernel::gaussian(left.sqrt(), self.axis.at(self.axis.origin() as f64 + 1.0));
        kernel.expect(&grosses).get(self.axis.origin()).copied().unwrap_or_default()
    }

    fn threshold(&self, margin: &[f64]) -> Threshold {
        match margin.iter().rposition(|m| *m > 0.0) {
            None => Threshold::Never,
            Some(last) if last + 1 == margin.len() => Threshold::Always,
            Some(last) => {
                let part = margin[last] / (margin[last] - margin[last + 1]);
                Threshold::Below(self.axis.at(last as f64 + part))
            }
        }
    }
}

impl Carrier for GateLattice<'_> {
    fn len(&self) -> usize {
        self.axis.len()
    }

    fn end(&self, gates: &StageGates, multiplier: f64, sequel: Option<&Sequel>) -> Flow {
        let mut cash: Vec<f64> = self.axis.nodes().map(|score| gates.gross_at(score, multiplier)).collect();
        let mut marks = Vec::new();
        if let Some(sequel) = sequel {
            let ahead = gates.receipts_per_gross * sequel.mean_factor() * gates.discount(sequel.years);
            let forwards: Vec<f64> = cash.iter().map(|gross| gross * ahead).collect();
            let (worth, made) = calls(&forwards, sequel.cost, sequel.foreseen_sd());
            cash.iter_mut().zip(worth).for_each(|(gross, w)| *gross = *gross * gates.receipts_per_gross + w);
            if self.marked {
                marks = vec![Vec::new(); mark(gates.stages.len(), Choice::Go)];
                marks.push(made);
            }
        } else {
            cash.iter_mut().for_each(|gross| *gross *= gates.receipts_per_gross);
        }
        Flow { cash, marks }
    }

    fn before(&self, step: Step, after: &Flow) -> Prospect {
        let distance = self.axis.at(self.axis.origin() as f64 + 1.0);
        let kernel = Kernel::gaussian(step.deviation(self.gates), distance);
        let cash = kernel.expect(&after.cash);
        let marks = after.marks.iter().map(|mark| kernel.expect(mark)).collect();
        Prospect { guess: cash.clone(), flow: Flow { cash, marks } }
    }

    fn choose(&self, gate: usize, prospects: &[(Choice, Prospect)]) -> Flow {
        let best =
            |node: usize| prospects.iter().map(|(_, p)| p.guess[node]).fold(f64::NEG_INFINITY, f64::max);
        let cash = (0..self.len()).map(best).collect();
        if !self.marked {
            return Flow { cash, marks: Vec::new() };
        }
        let mut marks = vec![Vec::new(); mark(self.gates.stages.len(), Choice::Go) + 1];
        for ((choice, prospect), part) in prospects.iter().zip(parts(prospects, self.len())) {
            for (total, mark) in marks.iter_mut().zip(&prospect.flow.marks) {
                add(total, &part, mark);
            }
            let ones = vec![1.0; self.len()];
            add(&mut marks[mark(gate, *choice)], &part, &ones);
        }
        Flow { cash, marks }
    }
}

/// Adds `part` of `values` to `total`, node by node; an empty total or value is zero everywhere.
fn add(total: &mut Vec<f64>, part: &[f64], values: &[f64]) {
    if !values.is_empty() {
        total.resize(part.len(), 0.0);
        total.iter_mut().zip(part).zip(values).for_each(|((t, p), v)| *t += p * v);
    }
}

/// For each prospect, the part of each node's cell in which it is the best; the first of equals.
fn parts(prospects: &[(Choice, Prospect)], len: usize) -> Vec<Vec<f64>> {
    let mut left = vec![1.0; len];
    let mut taken = Vec::with_capacity(prospects.len());
    for (which, (_, prospect)) in prospects.iter().enumerate() {
        let rivals = || prospects.iter().enumerate().filter(|(other, _)| *other != which);
        let best = |node: usize| rivals().map(|(_, (_, p))| p.guess[node]).fold(f64::NEG_INFINITY, f64::max);
        let margin: Vec<f64> = (0..len).map(|node| prospect.guess[node] - best(node)).collect();
        let last = which + 1 == prospects.len();
        let part = |(node, left): (usize, &mut f64)| {
            let part = if last { *left } else { left.min(positive_part(&margin, node)) };
            *left -= part;
            part
        };
        taken.push(left.iter_mut().enumerate().map(part).collect());
    }
    taken
}

/// The part of a node's cell, half way to each neighbour, in which a margin is not below zero; linear between nodes.
fn positive_part(margin: &[f64], node: usize) -> f64 {
    let here = margin[node];
    let half = |neighbour: Option<&f64>| {
        let edge = neighbour.map_or(here, |n| (here + n) / 2.0);
        match (here >= 0.0, edge >= 0.0) {
            (true, true) => 0.5,
            (false, false) => 0.0,
            (true, false) => 0.5 * here / (here - edge),
            (false, true) => 0.5 * edge / (edge - here),
        }
    };
    half(node.checked_sub(1).and_then(|left| margin.get(left))) + half(margin.get(node + 1))
}

/// The undiscounted call on a lognormal forward and the probability of exercise, for each forward: F. Black, "The pricing
/// of commodity contracts", *Journal of Financial Economics* 3 (1976). Without deviation, exercise where it pays.
fn calls(forwards: &[f64], strike: f64, deviation: f64) -> (Vec<f64>, Vec<f64>) {
    if deviation > 0.0 && strike > 0.0 {
        return forwards.iter().map(|forward| black(*forward, strike, deviation)).unzip();
    }
    let margin: Vec<f64> = forwards.iter().map(|forward| forward - strike).collect();
    let made = (0..margin.len()).map(|node| positive_part(&margin, node)).collect();
    (margin.iter().map(|m| m.max(0.0)).collect(), made)
}

pub(super) fn black(forward: f64, strike: f64, deviation: f64) -> (f64, f64) {
    let high = (forward / strike).ln() / deviation + deviation / 2.0;
    let exercised = normal_cdf(high - deviation);
    (forward * normal_cdf(high) - strike * exercised, exercised)
}

/// The standard normal distribution function, to about twelve digits.
fn normal_cdf(x: f64) -> f64 {
    statrs::function::erf::erfc(-x / std::f64::consts::SQRT_2) / 2.0
}
