//! Branch and cut: the exact choice of projects, with a proven bound at any moment.
//!
//! Nodes are taken best bound first, each followed downwards to a leaf. A node's relaxation is tightened by the cut of its
//! own optimum; projects whose reduced cost proves that they cannot move are fixed. What is branched on is whether a
//! project is in; shares above the least are left to the relaxation, which the cuts at a leaf bring to the optimum. Good
//! slates come from `improve`. One thread, no randomness: the same problem gives the same answer.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use marquee_domain::Control;

use super::problem::{Point, Problem};
use super::relaxation::Relaxation;
use crate::simplex::Bound;

/// From where a search begins and when it may end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Begin<'a> {
    /// A slate to begin with, where it keeps the rules.
    pub(crate) start: Option<&'a [f64]>,
    /// Cuts of the same scenarios that an earlier search made.
    pub(crate) cuts: &'a [Vec<f64>],
    /// What may be left on the table, as a fraction of the objective.
    pub(crate) gap: f64,
    /// What may be left on the table in any case.
    pub(crate) slack: f64,
    /// An objective that is good enough to stop; the search also stops once none can be as good.
    pub(crate) enough: Option<f64>,
    /// How many nodes may be looked at, where that is limited.
    pub(crate) most_nodes: Option<u64>,
}

/// What a search found. Amounts in USD, or in the soft rules' unit where their breach is minimised.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The best slate; none where no slate keeps the rules (or none was found in time).
    pub(crate) best: Option<Point>,
    /// No slate has a larger objective.
    pub(crate) bound: f64,
    /// Whether the search ended by itself.
    pub(crate) finished: bool,
    /// Whether nothing better exists but for rounding.
    pub(crate) exact: bool,
    pub(crate) nodes: u64,
    pub(crate) made: usize,
    /// The latest cuts.
    pub(crate) cuts: Vec<Vec<f64>>,
}

/// A part of all slates: projects fixed in or out, and a bound on what is inside.
struct Node {
    bound: f64,
    fixed: Vec<Option<bool>>,
}

enum Step {
    Closed,
    Branch(usize, bool),
}

pub(super) struct Search<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) relaxation: Relaxation,
    pub(super) control: &'a Control,
    pub(super) best: Option<Point>,
    gap: f64,
    least_slack: f64,
    enough: Option<f64>,
    most_nodes: u64,
    /// What an exact answer may miss.
    exact: f64,
    /// The largest bound that was given up for lying within the slack of the best.
    given_up: f64,
    nodes: u64,
    /// The best point known of the continuous problem, and its worth in USD.
    inside: (Vec<f64>, f64),
}

/// How far towards the relaxation's optimum a cut is taken.
const STEP_OUT: f64 = 0.4;
const ROOT_PART: f64 = 1e-3;

const NODE_PART: f64 = 0.05;
const ROOT_ROUNDS: usize = 400;
const NODE_ROUNDS: usize = 8;

/// Where all projects are whole or out, cuts go on until they promise nothing, or until so many.
const LEAF_ROUNDS: usize = 2_000;
const MOST_CUTS: usize = 90;
/// What an exact answer may miss, in units of the largest single mean or risk: of whole projects, and of shares.
const EXACT: (f64, f64) = (1e-9, 2e-8);
/// Less than half of a cent or of a project: what a breach, which is a whole number of them, may miss.
const EXACT_BREACH: f64 = 0.4;

/// Finds the best slate to within the gap.
pub(crate) fn search(problem: &Problem<'_>, begin: Begin<'_>, control: &Control) -> Found {
    let relaxation = Relaxation::new(problem, begin.cuts);
    let part = if problem.whole() { EXACT.0 } else { EXACT.1 };
    let exact = (part * relaxation.unit).max(if problem.goal.mends { EXACT_BREACH } else { 0.0 });
    let mut search = Search {
        problem,
        relaxation,
        control,
        best: None,
        gap: begin.gap,
        least_slack: begin.slack.max(exact),
        enough: begin.enough,
        most_nodes: begin.most_nodes.unwrap_or(u64::MAX),
        exact,
        given_up: f64::NEG_INFINITY,
        nodes: 0,
        inside: (vec![0.0; problem.len()], f64::NEG_INFINITY),
    };
    if let Some(start) = begin.start {
        search.offer(start);
    }
    if let Some(best) = &search.best {
        search.inside = (best.shares.clone(), problem.goal.trade.worth(best.mean, best.risk));
    }
    search.run()
}

impl Search<'_> {
    fn run(mut self) -> Found {
        let mut heap = BinaryHeap::new();
        let trivial = self.relaxation.program.bound().value * self.relaxation.unit;
        heap.push(Node { bound: trivial, fixed: self.problem.fixed.clone() });
        let mut finished = true;
        let mut first = None;
        while let Some(node) = heap.pop() {
            if node.bound <= self.target() {
                self.given_up = self.given_up.max(node.bound);
                break;
            }
            if self.enough.is_some_and(|enough| node.bound < enough) {
                heap.push(node);
                finished = false;
                break;
            }
            let spread = *first.get_or_insert(node.bound - self.target());
            self.report((node.bound - self.target()) / spread);
            if !self.descend(node, &mut heap) {
                finished = false;
                break;
            }
        }
        let open = heap.peek().map_or(f64::NEG_INFINITY, |n| n.bound);
        let open = if finished { f64::NEG_INFINITY } else { open };
        let best = self.value();
        let bound = best.max(self.given_up).max(open);
        let exact = finished && bound - best <= self.exact;
        let (made, cuts) = (self.relaxation.made(), self.relaxation.recent().to_vec());
        Found { best: self.best, bound, finished, exact, nodes: self.nodes, made, cuts }
    }

    /// Follows a node downwards, leaving siblings on the heap; false where it was stopped on the way.
    fn descend(&mut self, mut node: Node, heap: &mut BinaryHeap<Node>) -> bool {
        loop {
            if self.stops() {
                heap.push(node);
                return false;
            }
            self.nodes += 1;
            match self.solve(&mut node) {
                None => {
                    heap.push(node);
                    return false;
                }
                Some(Step::Closed) => return true,
                Some(Step::Branch(project, up)) => {
                    let mut sibling = node.fixed.clone();
                    sibling[project] = Some(!up);
                    heap.push(Node { bound: node.bound, fixed: sibling });
                    node.fixed[project] = Some(up);
                }
            }
        }
    }

    fn stops(&self) -> bool {
        self.control.check().is_err()
            || self.enough.is_some_and(|e| self.value() >= e)
            || self.nodes >= self.most_nodes
    }

    /// Bounds a node and decides what to do with it; nothing where it was stopped.
    fn solve(&mut self, node: &mut Node) -> Option<Step> {
        self.relaxation.tidy(MOST_CUTS);
        (0..node.fixed.len()).for_each(|j| self.relaxation.hold(j, node.fixed[j]));
        for round in 0.. {
            let Some(bound) = self.relaxation.solve() else { return Some(Step::Closed) };
            node.bound = node.bound.min(bound.value * self.relaxation.unit);
            if self.gives_up(node.bound) {
                return Some(Step::Closed);
            }
            self.fix_by_reduced_cost(node, &bound);
            let presence = self.relaxation.presence();
            let shares = self.relaxation.shares(&presence);
            let open: Vec<(usize, f64)> =
                presence.iter().copied().enumerate().filter(|(_, x)| *x > 0.0 && *x < 1.0).collect();
            let more = self.separate(&shares, node.bound, round, open.is_empty());
            if self.control.check().is_err() {
                return None;
            }
            if !more {
                self.offer_rounding(&node.fixed, &presence, &shares);
                return Some(self.step(node, &open, &shares));
            }
        }
        Some(Step::Closed)
    }

    /// Closes a node or says where to branch; `open` are the projects that are partly in.
    fn step(&mut self, node: &Node, open: &[(usize, f64)], shares: &[f64]) -> Step {
        if open.is_empty() {
            self.offer_settled(shares);
        }
        if self.gives_up(node.bound) {
            return Step::Closed;
        }
        if let Some((project, presence)) = self.branching_project(open) {
            return Step::Branch(project, presence >= 0.5);
        }
        // A slate whose bound is not met for rounding alone: any free project splits it further.
        if let Some(project) = node.fixed.iter().position(Option::is_none) {
            return Step::Branch(project, shares[project] > 0.0);
        }
        if !self.problem.whole() {
            // The cuts ended within their precision of the best shares.
            self.given_up = self.given_up.max(node.bound);
        }
        Step::Closed
    }

    /// The project whose worst scenarios lie furthest below its mean: where it is only partly in, the relaxation spreads
    /// its risk as no whole project does. Without risk the dearest.
    fn branching_project(&self, open: &[(usize, f64)]) -> Option<(usize, f64)> {
        let numbers = self.problem.numbers;
        let weighs_risk = self.problem.goal.weighs_risk();
        let worth = |j: usize| if weighs_risk { numbers.mean[j] + numbers.risk[j] } else { numbers.cost[j] };
        open.iter().copied().max_by(|a, b| worth(a.0).total_cmp(&worth(b.0)))
    }

    /// Whether a bound is not worth following: it is kept for the gap.
    fn gives_up(&mut self, bound: f64) -> bool {
        let gives_up = bound <= self.target();
        if gives_up {
            self.given_up = self.given_up.max(bound);
        }
        gives_up
    }

    /// A project whose move off its better bound would cost more than is left above the best cannot move.
    fn fix_by_reduced_cost(&mut self, node: &mut Node, bound: &Bound) {
        for (j, fixed) in node.fixed.iter_mut().enumerate().filter(|(_, f)| f.is_none()) {
            let without = (bound.value - bound.reduced[j].abs()) * self.relaxation.unit;
            if without <= self.target() {
                self.given_up = self.given_up.max(without);
                *fixed = Some(bound.reduced[j] > 0.0);
                self.relaxation.hold(j, *fixed);
            }
        }
    }

    /// Adds the cut of the relaxation's optimum where that promises progress; says whether it did.
    fn separate(&mut self, shares: &[f64], bound: f64, round: usize, whole: bool) -> bool {
        let root = self.nodes == 1;
        let rounds = if root { ROOT_ROUNDS } else { NODE_ROUNDS };
        let out_of_rounds = round >= if whole { LEAF_ROUNDS } else { rounds };
        if out_of_rounds || !self.problem.goal.weighs_risk() {
            return false;
        }
        let trade = self.problem.goal.trade;
        let assumed = self.relaxation.risk();
        let least = self.least_violation();
        let left = (bound - self.target()).max(0.0) / trade.aversion.max(trade.reward);
        let part = if root { ROOT_PART } else { NODE_PART };
        let enough = if whole || !left.is_finite() { least } else { (part * left).max(least) };
        if root && !whole && self.separate_inside(shares, assumed, enough) {
            return true;
        }
        let (risk, cut) = self.problem.numbers.tail_of(shares);
        if risk - assumed > enough {
            self.relaxation.add_cut(cut);
        }
        risk - assumed > enough
    }

    /// The least underestimate of risk that is worth a cut, USD: with shares a part of what the answer may miss.
    fn least_violation(&self) -> f64 {
        let trade = self.problem.goal.trade;
        let money = self.problem.numbers.unit();
        if self.problem.whole() { 1e-8 * money } else { 0.25 * EXACT.1 * money / trade.aversion.max(1.0) }
    }

    /// Cuts between the relaxation's optimum and the best point inside (W. Ben-Ameur and J. Neto, "Acceleration of
    /// cutting-plane and column generation algorithms", *Networks* 49, 2007): far fewer cuts than at the optimum alone.
    fn separate_inside(&mut self, shares: &[f64], assumed: f64, enough: f64) -> bool {
        let mixed: Vec<f64> = shares
            .iter()
            .zip(&self.inside.0)
            .map(|(out, inside)| STEP_OUT * out + (1.0 - STEP_OUT) * inside)
            .collect();
        let (goal, numbers) = (self.problem.goal, self.problem.numbers);
        let (risk, cut) = numbers.tail_of(&mixed);
        let worth = goal.trade.worth(numbers.mean_of(&mixed), risk);
        if risk <= goal.cap && worth > self.inside.1 {
            self.inside = (mixed, worth);
        }
        let cuts_off = super::problem::dot(&cut, shares) - assumed > enough;
        if cuts_off {
            self.relaxation.add_cut(cut);
        }
        cuts_off
    }

    pub(super) fn value(&self) -> f64 {
        self.best.as_ref().map_or(f64::NEG_INFINITY, |b| b.objective)
    }

    /// How much may be left on the table.
    pub(super) fn slack(&self) -> f64 {
        self.least_slack.max(self.gap * self.best.as_ref().map_or(0.0, |b| b.objective.abs()))
    }

    /// Nodes with a bound up to here need not be looked at.
    fn target(&self) -> f64 {
        self.value() + self.slack()
    }

    fn report(&self, left: f64) {
        if self.nodes.is_multiple_of(16) && left.is_finite() {
            self.control.step("choosing the slate", ((1.0 - left.clamp(0.0, 1.0)) * 1000.0) as u64, 1000);
        }
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound)
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}
