//! Branch and cut: the exact choice of whole projects, with a proven bound at any moment.
//!
//! Nodes are taken best bound first, each followed downwards to a leaf. A node's relaxation is tightened by the cut of its
//! own optimum; variables whose reduced cost proves that they cannot move are fixed. Good slates come from rounding and
//! from exchanges of one project for another, each judged by its exact objective. One thread, no randomness: the same
//! problem gives the same answer.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use marquee_domain::Control;

use crate::relaxation::{Point, Problem, Relaxation};
use crate::simplex::Bound;

/// What a search found. All amounts in USD.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The best slate; none where no slate keeps the cap on risk (or none was found in time).
    pub(crate) best: Option<Point>,
    /// No slate has a larger objective.
    pub(crate) bound: f64,
    /// Whether the search ended by itself.
    pub(crate) finished: bool,
    /// Whether nothing better exists but for rounding.
    pub(crate) exact: bool,
    pub(crate) nodes: u64,
    pub(crate) cuts: usize,
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

struct Search<'a> {
    problem: &'a Problem<'a>,
    relaxation: Relaxation,
    control: &'a Control,
    best: Option<Point>,
    /// How much may be left on the table, USD.
    slack: f64,
    /// The largest bound that was given up for lying within `slack` of the best.
    given_up: f64,
    nodes: u64,
    /// The best point known of the continuous problem, and its objective in USD.
    inside: (Vec<f64>, f64),
}

/// How far towards the relaxation's optimum a cut is taken.
const STEP_OUT: f64 = 0.4;
const ROOT_PART: f64 = 1e-3;
const NODE_PART: f64 = 0.05;
const ROOT_ROUNDS: usize = 400;
const NODE_ROUNDS: usize = 4;
const MOST_ROWS: usize = 90;
/// What an exact answer may miss, in units of the largest single mean or risk.
const EXACT: f64 = 1e-9;

/// Finds the best slate to within `gap`, a fraction of the first good slate's objective, starting from `start` where it is one.
pub(crate) fn search(problem: &Problem<'_>, start: &[bool], gap: f64, control: &Control) -> Found {
    let relaxation = Relaxation::new(problem);
    let slack = EXACT * relaxation.unit;
    let given_up = f64::NEG_INFINITY;
    let inside = (vec![0.0; problem.len()], f64::NEG_INFINITY);
    let mut search = Search { problem, relaxation, control, best: None, slack, given_up, nodes: 0, inside };
    search.offer(start);
    search.slack = slack.max(gap * search.best.as_ref().map_or(0.0, |b| b.objective.abs()));
    if let Some(best) = &search.best {
        let shares = best.chosen.iter().map(|x| f64::from(u8::from(*x))).collect();
        search.inside = (shares, best.objective);
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
            let spread = *first.get_or_insert(node.bound - self.target());
            self.report((node.bound - self.target()) / spread);
            if !self.descend(node, &mut heap) {
                finished = false;
                break;
            }
        }
        let open = heap.peek().map_or(f64::NEG_INFINITY, |n| n.bound);
        let stopped = if finished { f64::NEG_INFINITY } else { open.max(self.given_up) };
        let best = self.best.as_ref().map_or(f64::NEG_INFINITY, |b| b.objective);
        let bound = if finished { best.max(self.given_up) } else { best.max(stopped).max(self.given_up) };
        let exact = finished && bound - best <= EXACT * self.relaxation.unit;
        let cuts = self.relaxation.cuts();
        Found { best: self.best, bound, finished, exact, nodes: self.nodes, cuts }
    }

    /// Follows a node downwards, leaving siblings on the heap; false where it was stopped on the way.
    fn descend(&mut self, mut node: Node, heap: &mut BinaryHeap<Node>) -> bool {
        loop {
            if self.control.check().is_err() {
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

    /// Bounds a node and decides what to do with it; nothing where it was stopped.
    fn solve(&mut self, node: &mut Node) -> Option<Step> {
        self.relaxation.tidy(MOST_ROWS);
        self.enter(node);
        let rounds = if self.nodes == 1 { ROOT_ROUNDS } else { NODE_ROUNDS };
        for round in 0.. {
            let Some(bound) = self.relaxation.solve() else { return Some(Step::Closed) };
            node.bound = node.bound.min(bound.value * self.relaxation.unit);
            if node.bound <= self.target() {
                self.given_up = self.given_up.max(node.bound);
                return Some(Step::Closed);
            }
            self.fix_by_reduced_cost(node, &bound);
            let shares = self.shares();
            let branch = self.branching_project(node, &shares);
            let more = self.separate(&shares, node.bound, round, rounds, branch.is_none());
            if self.control.check().is_err() {
                return None;
            }
            if !more {
                self.offer_rounding(node, &shares);
                return Some(self.step(node, &shares, branch));
            }
        }
        Some(Step::Closed)
    }

    fn step(&mut self, node: &Node, shares: &[f64], fractional: Option<usize>) -> Step {
        // A whole slate whose bound is not met for rounding alone: any free project splits it further.
        let open = || node.fixed.iter().position(Option::is_none);
        match fractional.or_else(open) {
            Some(project) => Step::Branch(project, shares[project] >= 0.5),
            None => {
                let whole: Vec<bool> = node.fixed.iter().map(|f| *f == Some(true)).collect();
                self.offer(&whole);
                Step::Closed
            }
        }
    }

    fn enter(&mut self, node: &Node) {
        for (j, fixed) in node.fixed.iter().enumerate() {
            let (low, high) = match fixed {
                None => (0.0, 1.0),
                Some(true) => (1.0, 1.0),
                Some(false) => (0.0, 0.0),
            };
            self.relaxation.program.set_bounds(j, low, high);
        }
    }

    /// A project whose move off its better bound would cost more than is left above the best cannot move.
    fn fix_by_reduced_cost(&mut self, node: &mut Node, bound: &Bound) {
        let (unit, target) = (self.relaxation.unit, self.target());
        for (j, fixed) in node.fixed.iter_mut().enumerate().filter(|(_, f)| f.is_none()) {
            let without = (bound.value - bound.reduced[j].abs()) * unit;
            if without <= target {
                self.given_up = self.given_up.max(without);
                let up = bound.reduced[j] > 0.0;
                *fixed = Some(up);
                let at = f64::from(u8::from(up));
                self.relaxation.program.set_bounds(j, at, at);
            }
        }
    }

    /// Shares of the projects in the relaxation, those within rounding of a whole made whole.
    fn shares(&self) -> Vec<f64> {
        let snap = |x: &f64| if (x - x.round()).abs() < 1e-7 { x.round() } else { *x };
        self.relaxation.program.values()[..self.problem.len()].iter().map(snap).collect()
    }

    /// The project furthest from whole, dear ones first.
    fn branching_project(&self, node: &Node, shares: &[f64]) -> Option<usize> {
        let split = |j: usize| shares[j].min(1.0 - shares[j]);
        let worth = |j: usize| split(j) * self.problem.cost[j] as f64;
        let open = (0..shares.len()).filter(|j| node.fixed[*j].is_none() && split(*j) > 0.0);
        open.max_by(|a, b| worth(*a).total_cmp(&worth(*b)))
    }

    /// Adds the cut of the relaxation's optimum where that promises progress; says whether it did.
    fn separate(&mut self, shares: &[f64], bound: f64, round: usize, rounds: usize, whole: bool) -> bool {
        if round >= rounds && !whole {
            return false;
        }
        let n = self.problem.len();
        let assumed = self.relaxation.program.values()[n] * self.relaxation.unit;
        let goal = self.problem.goal;
        let least = 1e-8 * self.relaxation.unit;
        let left = (bound - self.target()).max(0.0) / goal.aversion.max(goal.reward);
        let part = if rounds == ROOT_ROUNDS { ROOT_PART } else { NODE_PART };
        let enough = if whole || !left.is_finite() { least } else { (part * left).max(least) };
        if rounds == ROOT_ROUNDS && !whole && self.separate_inside(shares, assumed, enough) {
            return true;
        }
        let (risk, cut) = self.problem.tail_of(shares);
        if risk - assumed > enough {
            self.relaxation.add_cut(cut);
        }
        risk - assumed > enough
    }

    /// Cuts between the relaxation's optimum and the best point inside (W. Ben-Ameur and J. Neto, "Acceleration of
    /// cutting-plane and column generation algorithms", *Networks* 49, 2007): far fewer cuts than at the optimum alone.
    fn separate_inside(&mut self, shares: &[f64], assumed: f64, enough: f64) -> bool {
        let goal = self.problem.goal;
        let mixed: Vec<f64> = shares
            .iter()
            .zip(&self.inside.0)
            .map(|(out, inside)| STEP_OUT * out + (1.0 - STEP_OUT) * inside)
            .collect();
        let (risk, cut) = self.problem.tail_of(&mixed);
        let mean: f64 = self.problem.mean.iter().zip(&mixed).map(|(m, x)| m * x).sum();
        let worth = goal.reward * mean - goal.aversion * risk;
        if risk <= goal.cap && worth > self.inside.1 {
            self.inside = (mixed, worth);
        }
        let at_optimum: f64 = cut.iter().zip(shares).map(|(g, x)| g * x).sum();
        let cuts_off = at_optimum - assumed > enough;
        if cuts_off {
            self.relaxation.add_cut(cut);
        }
        cuts_off
    }

    /// Rounds the relaxation to a slate that the rules allow, and offers it.
    fn offer_rounding(&mut self, node: &Node, shares: &[f64]) {
        let problem = self.problem;
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]).then(a.cmp(b)));
        let mut chosen: Vec<bool> = node.fixed.iter().map(|f| *f == Some(true)).collect();
        for j in order {
            if shares[j] > 0.0 && node.fixed[j].is_none() {
                chosen[j] = true;
                let (count, cost) = problem.count_and_cost(&chosen);
                chosen[j] = count <= problem.most && cost <= i128::from(problem.budget);
            }
        }
        self.offer(&chosen);
    }

    /// Takes a slate as the best where it is, and looks at its neighbours.
    fn offer(&mut self, chosen: &[bool]) {
        if !self.problem.allows(chosen) || self.promise(chosen) <= self.value() {
            return;
        }
        let point = self.problem.evaluate(chosen);
        if point.objective > self.value() {
            self.best = Some(point);
            self.exchange();
        }
    }

    /// What the cuts allow a slate at most.
    fn promise(&self, chosen: &[bool]) -> f64 {
        let goal = self.problem.goal;
        let mean: f64 = self.problem.mean.iter().zip(chosen).filter(|(_, x)| **x).map(|(m, _)| m).sum();
        let risk = self.relaxation.risks(chosen).into_iter().fold(f64::NEG_INFINITY, f64::max);
        if risk > goal.cap + 1e-3 { f64::NEG_INFINITY } else { goal.reward * mean - goal.aversion * risk }
    }

    /// Moves to better neighbours (one project in, out, or exchanged) until there is none.
    fn exchange(&mut self) {
        while let Some(best) = self.best.clone().filter(|_| self.control.check().is_ok()) {
            let shares: Vec<f64> = best.chosen.iter().map(|x| f64::from(u8::from(*x))).collect();
            let (_, cut) = self.problem.tail_of(&shares);
            self.relaxation.add_cut(cut);
            let total = self.problem.profits(&shares);
            let risks = self.relaxation.risks(&best.chosen);
            let mut moves: Vec<(f64, Exchange)> = exchanges(self.problem, &best.chosen)
                .map(|e| (self.promise_of(&best, &risks, e), e))
                .filter(|(promise, _)| {
                    *promise > best.objective + self.slack.min(1e-6 * best.objective.abs())
                })
                .collect();
            moves.sort_by(|a, b| b.0.total_cmp(&a.0));
            let better = moves
                .into_iter()
                .map(|(_, e)| self.problem.exchanged(&best, &total, e))
                .filter(|p| p.objective > best.objective)
                // Anew from the columns, so that no rounding of an exchange is kept.
                .map(|p| self.problem.evaluate(&p.chosen))
                .find(|p| p.objective > best.objective);
            match better {
                Some(point) => self.best = Some(point),
                None => return,
            }
        }
    }

    fn promise_of(&self, from: &Point, risks: &[f64], exchange: Exchange) -> f64 {
        let goal = self.problem.goal;
        let change =
            |of: &dyn Fn(usize) -> f64| exchange.enters.map_or(0.0, of) - exchange.leaves.map_or(0.0, of);
        let mean = from.mean + change(&|j| self.problem.mean[j]);
        let risk = risks
            .iter()
            .enumerate()
            .map(|(k, r)| r + change(&|j| self.relaxation.recent()[k][j]))
            .fold(f64::NEG_INFINITY, f64::max);
        if risk > goal.cap + 1e-3 { f64::NEG_INFINITY } else { goal.reward * mean - goal.aversion * risk }
    }

    fn value(&self) -> f64 {
        self.best.as_ref().map_or(f64::NEG_INFINITY, |b| b.objective)
    }

    /// Nodes with a bound up to here need not be looked at.
    fn target(&self) -> f64 {
        self.value() + self.slack
    }

    fn report(&self, left: f64) {
        if self.nodes.is_multiple_of(16) && left.is_finite() {
            self.control.step("choosing the slate", ((1.0 - left.clamp(0.0, 1.0)) * 1000.0) as u64, 1000);
        }
    }
}

/// One project leaves, one enters, or both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) leaves: Option<usize>,
    pub(crate) enters: Option<usize>,
}

/// Every exchange that the rules allow.
pub(crate) fn exchanges<'a>(
    problem: &'a Problem<'_>,
    chosen: &'a [bool],
) -> impl Iterator<Item = Exchange> + 'a {
    let (count, cost) = problem.count_and_cost(chosen);
    let side = move |inside: bool| {
        let free = (0..chosen.len()).filter(move |j| chosen[*j] == inside && problem.fixed[*j].is_none());
        std::iter::once(None).chain(free.map(Some))
    };
    let all = side(true).flat_map(move |leaves| side(false).map(move |enters| Exchange { leaves, enters }));
    all.filter(move |e| {
        let saved = e.leaves.map_or(0, |j| i128::from(problem.cost[j]));
        let spent = e.enters.map_or(0, |j| i128::from(problem.cost[j]));
        let number = count + usize::from(e.enters.is_some()) - usize::from(e.leaves.is_some());
        let moves = e.leaves.is_some() || e.enters.is_some();
        moves
            && cost - saved + spent <= i128::from(problem.budget)
            && (problem.least..=problem.most).contains(&number)
    })
}

impl Problem<'_> {
    /// The exact figures of a slate after an exchange; `total` is the joint profit before it.
    pub(crate) fn exchanged(&self, from: &Point, total: &[f64], exchange: Exchange) -> Point {
        let mut profits = total.to_vec();
        let mut chosen = from.chosen.clone();
        let mut mean = from.mean;
        if let Some(j) = exchange.leaves {
            profits.iter_mut().zip(self.columns[j]).for_each(|(t, p)| *t -= p);
            chosen[j] = false;
            mean -= self.mean[j];
        }
        if let Some(j) = exchange.enters {
            profits.iter_mut().zip(self.columns[j]).for_each(|(t, p)| *t += p);
            chosen[j] = true;
            mean += self.mean[j];
        }
        let risk = self.tail.cvar(&mut profits);
        self.point(chosen, mean, risk)
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
