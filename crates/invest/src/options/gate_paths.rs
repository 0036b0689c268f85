//! The gates on simulated paths, by the regression of Longstaff and Schwartz.
//!
//! The same backward induction as on the lattice, but what a choice brings is regressed on what is known, and each path
//! keeps its own cash (see `longstaff_schwartz` for the paper). The regression is weighted by the size of the gross, since
//! the spread of receipts grows with it; its terms are powers of the score, and the gross times the same. The rule found
//! on the first set of paths decides on the second, whose mean is the value: biased low only.

use marquee_domain::{Control, Currency, Money};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use rayon::prelude::*;
use serde::Serialize;

use super::gates::{GateOption, Sequel, StageGates};
use super::induction::{Carrier, Choice, Flow, Induction, Part, Prospect, Step};
use super::longstaff_schwartz::{PairMean, Paths};
use super::regression::{Row, fit, row, value};
use crate::InvestError;

/// The most figures that are held for the paths at a time, 8 bytes each.
const MOST_FIGURES: usize = 100_000_000;

/// The value of stage gates by simulation. Gross-implied; US dollars, nominal, discounted to the first gate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SimulatedGates {
    /// The value with every right that is granted.
    pub value: Money,
    /// Its standard error, from antithetic pairs.
    pub standard_error: Money,
}

impl StageGates {
    /// The value with every right that is granted, by simulation: the check on [`StageGates::worth`].
    ///
    /// # Errors
    /// As [`StageGates::check`]; [`InvestError::Setting`] for a number of paths out of range or too many for the stages;
    /// [`InvestError::Cancelled`] when `control` says stop.
    pub fn simulate(&self, paths: Paths, control: &Control) -> Result<SimulatedGates, InvestError> {
        self.check()?;
        paths.check()?;
        let figures = 2 * paths.count * (2 * self.stages.len() + 2);
        if figures > MOST_FIGURES {
            let (name, value) = ("4 × paths × (stages + 1)", figures as f64);
            return Err(InvestError::Setting { name, value, range: "at most 100000000" });
        }
        let carrier = GatePaths::draw(self, paths);
        let flow = Induction::new(self, &GateOption::ALL, &carrier, control).gate(0, 1.0)?;
        let mut mean = PairMean::default();
        for pair in flow.cash[paths.count..].chunks_exact(2) {
            mean.add(pair[0], pair[1]);
        }
        let usd = |amount| Money::from_major(amount, Currency::USD);
        Ok(SimulatedGates { value: usd(mean.mean())?, standard_error: usd(mean.error())? })
    }
}

/// The scores of every path, of the first set and then of the second.
struct GatePaths<'a> {
    gates: &'a StageGates,
    /// The paths of the first set, by which rules are found.
    training: usize,
    /// What is known: at the first gate, after waiting there, at the second gate … and at the end.
    known: Vec<Vec<f64>>,
    /// The standard score of what is foreseen of the sequel.
    sequel: Vec<f64>,
    /// US dollars to which amounts are compared.
    scale: f64,
}

impl<'a> GatePaths<'a> {
    fn draw(gates: &'a StageGates, paths: Paths) -> Self {
        let columns = 2 * gates.stages.len() + 2;
        let sets = paths.blocks(0).into_iter().chain(paths.blocks(1)).collect::<Vec<_>>();
        let blocks: Vec<Vec<Vec<f64>>> =
            sets.into_par_iter().map(|(pairs, rng)| block(gates, pairs, rng)).collect();
        let joined = |column: usize| blocks.iter().flat_map(|block| block[column].iter().copied()).collect();
        let mut known: Vec<Vec<f64>> = (0..columns).map(joined).collect();
        let sequel = known.pop().unwrap_or_default();
        let costs: f64 = gates.stages.iter().map(|stage| stage.cost).sum();
        let scale = costs + gates.receipts_per_gross * gates.gross_at(0.0, 1.0);
        Self { gates, training: paths.count, known, sequel, scale }
    }

    /// What is known before a step.
    fn before_step(&self, step: Step) -> &[f64] {
        &self.known[2 * step.stage + usize::from(step.part == Part::Rest)]
    }

    /// The terms at a score, and the weight of their equation.
    fn terms(&self, score: f64) -> (Row, f64) {
        let gross = self.gates.receipts_per_gross * self.gates.gross_at(score, 1.0) / self.scale;
        let (square, cube) = (score * score, score * score * score);
        let terms = row([1.0, score, square, cube, gross, gross * score, gross * square]);
        (terms, 1.0 / (1.0 + gross))
    }
}

/// The columns of scores of a block of antithetic pairs; the last is the sequel's.
fn block(gates: &StageGates, pairs: usize, mut rng: ChaCha8Rng) -> Vec<Vec<f64>> {
    let parts = [Part::Wait, Part::Rest];
    let steps = (0..gates.stages.len()).flat_map(|stage| parts.map(|part| Step { stage, part }));
    let deviations: Vec<f64> = steps.map(|step| step.deviation(gates)).collect();
    let mut columns = vec![Vec::with_capacity(2 * pairs); deviations.len() + 2];
    for _ in 0..pairs {
        let mut score = 0.0;
        columns[0].extend([0.0, 0.0]);
        for (column, deviation) in columns[1..].iter_mut().zip(&deviations) {
            let draw: f64 = StandardNormal.sample(&mut rng);
            score += deviation * draw;
            column.extend([score, -score]);
        }
        let draw: f64 = StandardNormal.sample(&mut rng);
        columns[deviations.len() + 1].extend([draw, -draw]);
    }
    columns
}

impl Carrier for GatePaths<'_> {
    fn len(&self) -> usize {
        self.sequel.len()
    }

    fn end(&self, gates: &StageGates, multiplier: f64, sequel: Option<&Sequel>) -> Flow {
        let ahead = |sequel: &Sequel| {
            let sd = sequel.foreseen_sd();
            let mean = sequel.mean_factor() * (-sd * sd / 2.0).exp() * gates.discount(sequel.years);
            (sequel.cost, sd, mean)
        };
        let sequel = sequel.map(ahead);
        let end = self.known.last().map(Vec::as_slice).unwrap_or_default();
        let cash = end.par_iter().zip(&self.sequel).map(|(score, foreseen)| {
            let receipts = gates.receipts_per_gross * gates.gross_at(*score, multiplier);
            let right = sequel.map_or(0.0, |(cost, sd, mean)| receipts * mean * (sd * foreseen).exp() - cost);
            receipts + right.max(0.0)
        });
        Flow { cash: cash.collect(), marks: Vec::new() }
    }

    fn before(&self, step: Step, after: &Flow) -> Prospect {
        let known = self.before_step(step);
        let coefficients = fit(self.training, |path| {
            let (terms, weight) = self.terms(known[path]);
            Some((terms.map(|term| term * weight), after.cash[path] * weight))
        });
        let guess = known.par_iter().map(|score| value(&coefficients, &self.terms(*score).0)).collect();
        Prospect { guess, flow: after.clone() }
    }

    fn choose(&self, _gate: usize, prospects: &[(Choice, Prospect)]) -> Flow {
        let cash = (0..self.len()).into_par_iter().map(|path| {
            let mut best: Option<&Prospect> = None;
            for (_, prospect) in prospects {
                if best.is_none_or(|best| prospect.guess[path] > best.guess[path]) {
                    best = Some(prospect);
                }
            }
            best.map_or(0.0, |best| best.flow.cash[path])
        });
        Flow { cash: cash.collect(), marks: Vec::new() }
    }
}
