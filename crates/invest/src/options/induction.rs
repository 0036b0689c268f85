//! Backwards through the gates: at each, the best of what may be done, given what is known.
//!
//! R. Bellman's principle, written once for both methods. What differs is who carries the values: the nodes of a lattice,
//! where an expectation is a weighted sum, or simulated paths, where a regression estimates it and the path's own cash is
//! what is averaged in the end. A film that was enlarged is another film, so that each expansion branches the recursion;
//! waiting does not, since what one knows after the stage is the same.

use marquee_domain::Control;

use super::gates::{GateOption, Sequel, StageGates};
use crate::InvestError;

/// What is done at a gate. Of what is worth the same, the first is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Go,
    Expand,
    Wait,
    Abandon,
}

/// A part of a stage during which something is learnt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) stage: usize,
    pub(super) part: Part,
}

/// Which part of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, without waiting.
    Whole,
    /// The wait before it.
    Wait,
    /// What is left of it after a wait.
    Rest,
}

impl Step {
    /// The standard deviation of what is learnt, in scores.
    pub(super) fn deviation(self, gates: &StageGates) -> f64 {
        let stage = &gates.stages[self.stage];
        let part = match self.part {
            Part::Whole => 1.0,
            Part::Wait => stage.foresight(),
            Part::Rest => 1.0 - stage.foresight(),
        };
        (stage.reveals * part).sqrt()
    }
}

/// What is carried back: cash at each node or on each path, and how often each choice is made from there on (at the places
/// that [`mark`] says; empty where never, or where nobody asks).
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) cash: Vec<f64>,
    pub(super) marks: Vec<Vec<f64>>,
}

/// The place of a choice at a gate among the marks; that of making a sequel is after those of the last gate.
pub(super) fn mark(gate: usize, choice: Choice) -> usize {
    4 * gate + choice as usize
}

/// What a choice brings: by what the decision may know, and in fact. The two are the same on a lattice.
#[derive(Debug, Clone)]
pub(super) struct Prospect {
    pub(super) guess: Vec<f64>,
    pub(super) flow: Flow,
}

impl Prospect {
    fn certain(amount: f64, len: usize) -> Self {
        let cash = vec![amount; len];
        Self { guess: cash.clone(), flow: Flow { cash, marks: Vec::new() } }
    }

    /// The same after it is discounted and a cost is paid.
    fn less(mut self, discount: f64, cost: f64) -> Self {
        for value in self.guess.iter_mut().chain(&mut self.flow.cash) {
            *value = *value * discount - cost;
        }
        self
    }
}

/// Who carries the values.
pub(super) trait Carrier {
    /// How many nodes or paths.
    fn len(&self) -> usize;
    /// Receipts and the sequel, at the end of the last stage.
    fn end(&self, gates: &StageGates, multiplier: f64, sequel: Option<&Sequel>) -> Flow;
    /// What comes after a step, seen from before it.
    fn before(&self, step: Step, after: &Flow) -> Prospect;
    /// The best of the prospects by their guesses; never without any.
    fn choose(&self, gate: usize, prospects: &[(Choice, Prospect)]) -> Flow;
}

/// The recursion, with the rights that are granted in it.
pub(super) struct Induction<'a, C> {
    pub(super) gates: &'a StageGates,
    pub(super) rights: &'a [GateOption],
    pub(super) carrier: &'a C,
    pub(super) control: &'a Control,
    /// For each gate: how much better abandoning is than the best that can be done instead, where nothing was enlarged
    /// and one has not waited there; empty where one may not abandon.
    pub(super) margins: Vec<Vec<f64>>,
}

impl<'a, C: Carrier> Induction<'a, C> {
    pub(super) fn new(
        gates: &'a StageGates,
        rights: &'a [GateOption],
        carrier: &'a C,
        control: &'a Control,
    ) -> Self {
        Self { gates, rights, carrier, control, margins: vec![Vec::new(); gates.stages.len()] }
    }

    fn may(&self, option: GateOption) -> bool {
        self.rights.contains(&option)
    }

    /// The values at a gate of a film that was enlarged by `multiplier`; at the end for the gate after the last.
    pub(super) fn gate(&mut self, gate: usize, multiplier: f64) -> Result<Flow, InvestError> {
        self.control.check()?;
        let gates = self.gates;
        let Some(stage) = gates.stages.get(gate) else {
            let sequel = gates.sequel.as_ref().filter(|_| self.may(GateOption::Sequel));
            return Ok(self.carrier.end(gates, multiplier, sequel));
        };
        let mut ahead = vec![(Choice::Go, stage.cost, self.gate(gate + 1, multiplier)?)];
        if let Some(expand) = stage.expand.filter(|_| self.may(GateOption::Expand)) {
            let larger = self.gate(gate + 1, multiplier * expand.factor)?;
            ahead.push((Choice::Expand, stage.cost + expand.cost, larger));
        }
        let mut prospects = self.prospects(gate, Part::Whole, &ahead);
        if let Some(wait) = stage.wait.filter(|_| self.may(GateOption::Wait)) {
            let later = self.carrier.choose(gate, &self.prospects(gate, Part::Rest, &ahead));
            let waiting = self.carrier.before(Step { stage: gate, part: Part::Wait }, &later);
            prospects
                .insert(ahead.len(), (Choice::Wait, waiting.less(gates.discount(wait.years), wait.cost)));
        }
        if multiplier == 1.0 {
            self.margins[gate] = margin_of_abandoning(&prospects);
        }
        Ok(self.carrier.choose(gate, &prospects))
    }

    /// What may be done but waiting: to go ahead in each way, to abandon.
    fn prospects(&self, gate: usize, part: Part, ahead: &[(Choice, f64, Flow)]) -> Vec<(Choice, Prospect)> {
        let stage = &self.gates.stages[gate];
        let discount = self.gates.discount(stage.years);
        let going = |(choice, cost, after): &(Choice, f64, Flow)| {
            (*choice, self.carrier.before(Step { stage: gate, part }, after).less(discount, *cost))
        };
        let salvage = stage.abandon.filter(|_| self.may(GateOption::Abandon));
        let stopping =
            salvage.map(|salvage| (Choice::Abandon, Prospect::certain(salvage, self.carrier.len())));
        ahead.iter().map(going).chain(stopping).collect()
    }
}

fn margin_of_abandoning(prospects: &[(Choice, Prospect)]) -> Vec<f64> {
    let Some(((Choice::Abandon, stopping), others)) = prospects.split_last() else { return Vec::new() };
    let best =
        |node: usize| others.iter().map(|(_, other)| other.guess[node]).fold(f64::NEG_INFINITY, f64::max);
    stopping.guess.iter().enumerate().map(|(node, salvage)| salvage - best(node)).collect()
}
