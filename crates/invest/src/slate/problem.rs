//! The slate problem as numbers: what is maximised, what each slate is worth, exactly.
//!
//! A slate is a vector of shares: 0 is out, 1 is all of a project, and a project that may be taken in part has at least
//! its least share. Conditional value at risk is the largest mean loss over all weightings of the worst scenarios, so the
//! tail of any slate gives a linear underestimate of the risk of *every* slate: a cut (J. E. Kelley, "The Cutting-Plane
//! Method for Solving Convex Programs", 1960).

use super::rules::Rule;
use crate::Scenarios;
use crate::risk::{Tail, mean};

/// Mean profit (USD) times `reward` less CVaR (USD) times `aversion`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trade {
    pub(crate) reward: f64,
    pub(crate) aversion: f64,
}

impl Trade {
    pub(crate) fn worth(self, mean: f64, risk: f64) -> f64 {
        // Where risk does not count it may be infinite or unknown.
        self.reward * mean - if self.aversion == 0.0 { 0.0 } else { self.aversion * risk }
    }
}

/// What is maximised: a trade of mean against risk, or (where `mends`) as little breach of the soft rules as can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Goal {
    pub(crate) trade: Trade,
    /// Whether the breach of the soft rules is minimised, and nothing else.
    pub(crate) mends: bool,
    /// The largest risk, USD.
    pub(crate) cap: f64,
}

impl Goal {
    /// A trade under a cap on risk.
    pub(crate) fn new(reward: f64, aversion: f64, cap: f64) -> Self {
        Self { trade: Trade { reward, aversion }, mends: false, cap }
    }

    /// Whether risk is looked at, by objective or cap.
    pub(crate) fn weighs_risk(&self) -> bool {
        self.trade.aversion > 0.0 || self.cap < f64::INFINITY
    }
}

/// What the scenarios say of each project, in a canonical order. Profits in USD, costs in cents.
pub(crate) struct Numbers<'a> {
    /// The canonical order: which candidate is at each place.
    pub(crate) order: Vec<usize>,
    columns: Vec<&'a [f64]>,
    /// The same scenario after scenario: a cut adds up whole scenarios.
    rows: Vec<f64>,
    pub(crate) mean: Vec<f64>,
    /// Each project's own CVaR.
    pub(crate) risk: Vec<f64>,
    pub(crate) cost: Vec<f64>,
    tail: Tail,
}

impl<'a> Numbers<'a> {
    /// Names order the projects, so that the order in which they come cannot decide between equals.
    pub(crate) fn new(scenarios: &'a Scenarios) -> Self {
        let returns = scenarios.returns();
        let mut order: Vec<usize> = (0..returns.len()).collect();
        order.sort_by(|a, b| returns[*a].name.cmp(&returns[*b].name));
        let columns: Vec<&[f64]> = order.iter().map(|j| scenarios.profits(*j)).collect();
        let tail = Tail::of(scenarios.len(), scenarios.tail().get());
        Self {
            rows: (0..scenarios.len()).flat_map(|s| columns.iter().map(move |c| c[s])).collect(),
            mean: columns.iter().map(|c| mean(c)).collect(),
            risk: columns.iter().map(|c| tail.cvar(&mut c.to_vec())).collect(),
            cost: order.iter().map(|j| returns[*j].cost.minor() as f64).collect(),
            order,
            columns,
            tail,
        }
    }

    /// The largest single mean or risk: the unit of money.
    pub(crate) fn unit(&self) -> f64 {
        self.mean.iter().chain(&self.risk).map(|x| x.abs()).fold(1.0, f64::max)
    }

    /// How many nodes one of many searches may take: some seconds' worth, counted and not timed, so that the answer is
    /// the same on every machine.
    pub(crate) fn effort(&self) -> u64 {
        (4_000_000_000 / self.rows.len().max(1) as u64).clamp(500, 100_000)
    }

    /// Joint profit by scenario of a slate.
    pub(crate) fn profits(&self, shares: &[f64]) -> Vec<f64> {
        let mut total = vec![0.0; self.columns.first().map_or(0, |c| c.len())];
        for (column, share) in self.columns.iter().zip(shares).filter(|(_, s)| **s > 0.0) {
            total.iter_mut().zip(*column).for_each(|(t, p)| *t += share * p);
        }
        total
    }

    /// Mean profit of a slate.
    pub(crate) fn mean_of(&self, shares: &[f64]) -> f64 {
        dot(&self.mean, shares)
    }

    /// The risk of a slate and its cut: the mean loss of each project over that slate's tail.
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
        (dot(&cut, shares), cut)
    }
}

/// The slate problem: numbers, rules, goal; projects in the canonical order.
pub(crate) struct Problem<'a> {
    pub(crate) numbers: &'a Numbers<'a>,
    /// The least share of a project that is in: 1 for all or nothing.
    pub(crate) least_share: Vec<f64>,
    /// Projects that must be in or out.
    pub(crate) fixed: Vec<Option<bool>>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) goal: Goal,
}

/// A slate with its exact figures, USD; the breach of soft rules in their own unit (cents or a count).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) shares: Vec<f64>,
    pub(crate) mean: f64,
    pub(crate) risk: f64,
    /// What the goal says; minus infinity where the slate is over the cap.
    pub(crate) objective: f64,
}

/// One project leaves, one enters (with its least share), or both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) leaves: Option<usize>,
    pub(crate) enters: Option<usize>,
}

impl Problem<'_> {
    /// How many projects there are.
    pub(crate) fn len(&self) -> usize {
        self.fixed.len()
    }

    /// Whether every project is all or nothing.
    pub(crate) fn whole(&self) -> bool {
        self.least_share.iter().all(|m| *m >= 1.0)
    }

    /// How far a rule may be passed for rounding: rows are whole numbers, so whole projects keep them exactly.
    pub(super) fn tolerance(&self, rule: &Rule) -> f64 {
        if self.whole() { 0.25 } else { 1e-8 * rule.scale }
    }

    /// How far a slate may be over the cap for rounding: a tenth of a cent; with shares, which are
    /// found to a finite precision, also a hundred-millionth of the largest single risk.
    pub(crate) fn risk_tolerance(&self) -> f64 {
        1e-3 + if self.whole() { 0.0 } else { 1e-8 * self.numbers.unit() }
    }

    /// The left-hand side of every rule.
    pub(crate) fn activities(&self, shares: &[f64]) -> Vec<f64> {
        self.rules.iter().map(|rule| rule.activity(shares)).collect()
    }

    /// The breach of the soft rules; nothing where a hard one is broken.
    pub(crate) fn breach(&self, activities: &[f64]) -> Option<f64> {
        let mut worst = 0.0f64;
        for (rule, activity) in self.rules.iter().zip(activities) {
            let over = activity - rule.limit;
            if rule.gives > 0.0 {
                worst = worst.max(over / rule.gives);
            } else if over > self.tolerance(rule) {
                return None;
            }
        }
        Some(worst)
    }

    /// The breach after an exchange; nothing where it breaks a hard rule.
    pub(crate) fn breach_after(&self, activities: &[f64], shares: &[f64], exchange: Exchange) -> Option<f64> {
        let mut worst = 0.0f64;
        for (rule, activity) in self.rules.iter().zip(activities) {
            let saved = exchange.leaves.map_or(0.0, |j| rule.charge(j, shares[j]));
            let spent = exchange.enters.map_or(0.0, |j| rule.charge(j, self.least_share[j]));
            let over = activity - saved + spent - rule.limit;
            if rule.gives > 0.0 {
                worst = worst.max(over / rule.gives);
            } else if over > self.tolerance(rule) {
                return None;
            }
        }
        Some(worst)
    }

    /// Whether a slate keeps the hard rules, the fixed projects and the least shares; risk is not looked at.
    pub(crate) fn allows(&self, shares: &[f64]) -> bool {
        let each = shares.iter().zip(&self.fixed).zip(&self.least_share);
        let kept = |((share, fixed), least): ((&f64, &Option<bool>), &f64)| {
            let is_in = *share > 0.0;
            fixed.is_none_or(|f| f == is_in) && (!is_in || (*least..=1.0).contains(share))
        };
        each.into_iter().all(kept) && self.breach(&self.activities(shares)).is_some()
    }

    /// The exact figures of a slate.
    pub(crate) fn evaluate(&self, shares: &[f64]) -> Point {
        let mut profits = self.numbers.profits(shares);
        let mean = self.numbers.mean_of(shares);
        let risk = self.numbers.tail.cvar(&mut profits);
        let breach = self.breach(&self.activities(shares)).unwrap_or(f64::INFINITY);
        self.point(shares.to_vec(), mean, risk, breach)
    }

    fn point(&self, shares: Vec<f64>, mean: f64, risk: f64, breach: f64) -> Point {
        let objective = self.promise(mean, risk, breach);
        Point { shares, mean, risk, objective }
    }

    /// What a slate with these figures is worth to the goal; where they underestimate risk, no less than it is worth.
    pub(crate) fn promise(&self, mean: f64, risk: f64, breach: f64) -> f64 {
        match &self.goal {
            goal if risk > goal.cap + self.risk_tolerance() => f64::NEG_INFINITY,
            goal if goal.mends => -breach,
            goal => goal.trade.worth(mean, risk),
        }
    }

    /// The exact figures of a slate after an exchange; `total` is the joint profit before it.
    pub(crate) fn exchanged(&self, from: &Point, total: &[f64], exchange: Exchange) -> Point {
        let mut profits = total.to_vec();
        let mut shares = from.shares.clone();
        let mut mean = from.mean;
        let mut change = |j: usize, share: f64| {
            let by = share - shares[j];
            profits.iter_mut().zip(self.numbers.columns[j]).for_each(|(t, p)| *t += by * p);
            mean += by * self.numbers.mean[j];
            shares[j] = share;
        };
        exchange.leaves.into_iter().for_each(|j| change(j, 0.0));
        exchange.enters.into_iter().for_each(|j| change(j, self.least_share[j]));
        let risk = self.numbers.tail.cvar(&mut profits);
        let breach = self.breach(&self.activities(&shares)).unwrap_or(f64::INFINITY);
        self.point(shares, mean, risk, breach)
    }

    /// Every exchange that the rules allow, with the breach after it.
    pub(crate) fn exchanges<'b>(&'b self, shares: &'b [f64]) -> impl Iterator<Item = (Exchange, f64)> + 'b {
        let activities = self.activities(shares);
        let side = move |inside: bool| {
            let free =
                (0..shares.len()).filter(move |j| (shares[*j] > 0.0) == inside && self.fixed[*j].is_none());
            std::iter::once(None).chain(free.map(Some))
        };
        let all = side(true)
            .flat_map(move |leaves| side(false).map(move |enters| Exchange { leaves, enters }))
            .filter(|e| e.leaves.is_some() || e.enters.is_some());
        all.filter_map(move |e| self.breach_after(&activities, shares, e).map(|breach| (e, breach)))
    }
}

/// The scalar product, in four sums that the processor adds side by side.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (quads_a, rest_a) = a.as_chunks::<4>();
    let (quads_b, rest_b) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (x, y) in quads_a.iter().zip(quads_b) {
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}
