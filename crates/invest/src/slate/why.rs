//! A reason for each project, chosen or not: what it brings to the slate, or what keeps it out.
//!
//! Each reason looks one step around the chosen slate: one project out, in, or exchanged, everything else as it is. It is
//! not a new choice of the whole slate. A project that may be taken in part enters with its least share. Amounts are
//! changes of the objective, gross-implied US dollars.

use std::fmt;

use marquee_domain::Money;
use rayon::prelude::*;
use serde::Serialize;

use super::problem::{Exchange, Point, Problem};
use super::rules::Rule;
use super::{Choice, Constraint, usd};
use crate::InvestError;

/// Why a project is in the slate or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The project.
    pub project: String,
    /// Whether it was chosen.
    pub chosen: bool,
    /// The reason.
    pub reason: Reason,
}

/// What keeps a project in a slate or out of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The rules ask for it.
    MustHave {
        /// How much the objective would fall without it; negative where it would rise.
        dropping_costs: Money,
    },
    /// It earns its place.
    Earns {
        /// How much the objective would fall without it, with nothing in its place.
        dropping_costs: Money,
        /// The project that would best take its place; none where no other fits or helps.
        replacement: Option<String>,
        /// How much the objective would fall with that replacement.
        replacing_costs: Money,
    },
    /// The objective would rise without it, but a rule would be broken.
    Holds {
        /// The rule.
        rule: Constraint,
        /// How much dropping it would add to the objective.
        dropping_adds: Money,
    },
    /// The rules exclude it.
    Excluded,
    /// It would help, but the budget is spent.
    OverBudget {
        /// What is missing to add it.
        by: Money,
        /// How much it would add to the objective.
        would_add: Money,
    },
    /// It would help, but the slate has its largest number of projects.
    TooMany {
        /// How much it would add to the objective.
        would_add: Money,
    },
    /// It would help, but another rule forbids it beside the others.
    BreaksRule {
        /// The rule, or the first of several.
        rule: Constraint,
        /// How much it would add to the objective.
        would_add: Money,
    },
    /// With it the slate's CVaR would exceed the cap.
    OverRiskCap {
        /// By how much.
        by: Money,
    },
    /// It would lower the objective.
    LowersObjective {
        /// By how much; zero where it would change nothing.
        by: Money,
    },
    /// It would help and fits: the search stopped within its gap or was cut short.
    NotYet {
        /// How much it would add to the objective.
        would_add: Money,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.project, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MustHave { dropping_costs } => {
                write!(f, "in, because it must be; dropping it would cost {dropping_costs}")
            }
            Self::Earns { dropping_costs, replacement, replacing_costs } => {
                write!(f, "in; dropping it would cost {dropping_costs}")?;
                replacement
                    .as_ref()
                    .map_or(Ok(()), |name| write!(f, ", {replacing_costs} with `{name}` in its place"))
            }
            Self::Holds { rule, dropping_adds } => {
                write!(f, "in; dropping it would add {dropping_adds} but break a rule: {rule}")
            }
            Self::Excluded => f.write_str("out, because it is excluded"),
            Self::OverBudget { by, would_add } => {
                write!(f, "out; it would add {would_add} but the budget is {by} short")
            }
            Self::TooMany { would_add } => {
                write!(f, "out; it would add {would_add} but the slate is full")
            }
            Self::BreaksRule { rule, would_add } => {
                write!(f, "out; it would add {would_add} but break a rule: {rule}")
            }
            Self::OverRiskCap { by } => write!(f, "out; with it the risk would exceed its cap by {by}"),
            Self::LowersObjective { by } => write!(f, "out; it would lower the objective by {by}"),
            Self::NotYet { would_add } => {
                write!(f, "out; it would add {would_add}, the search stopped before it was tried")
            }
        }
    }
}

/// The reasons of all projects, in the order of the candidates.
pub(super) fn reasons(
    choice: &Choice<'_>,
    problem: &Problem<'_>,
    best: &Point,
) -> Result<Vec<Why>, InvestError> {
    let order = &problem.numbers.order;
    let total = problem.numbers.profits(&best.shares);
    let around = Around { choice, problem, best, total, activities: problem.activities(&best.shares) };
    let mut whys = (0..order.len())
        .into_par_iter()
        .map(|j| {
            let chosen = best.shares[j] > 0.0;
            let reason = if chosen { around.inside(j)? } else { around.outside(j)? };
            Ok((order[j], Why { project: around.name(j), chosen, reason }))
        })
        .collect::<Result<Vec<_>, InvestError>>()?;
    whys.sort_by_key(|(position, _)| *position);
    Ok(whys.into_iter().map(|(_, why)| why).collect())
}

/// A slate and what lies one step from it.
struct Around<'a> {
    choice: &'a Choice<'a>,
    problem: &'a Problem<'a>,
    best: &'a Point,
    /// The slate's joint profit by scenario.
    total: Vec<f64>,
    /// The left-hand side of every rule.
    activities: Vec<f64>,
}

impl Around<'_> {
    fn name(&self, j: usize) -> String {
        self.choice.scenarios.returns()[self.problem.numbers.order[j]].name.clone()
    }

    /// How much an exchange lowers the objective, the cap on risk aside, and the slate's risk after it.
    fn costs(&self, exchange: Exchange) -> (f64, f64) {
        let worth = |p: &Point| self.problem.goal.trade.worth(p.mean, p.risk);
        let after = self.problem.exchanged(self.best, &self.total, exchange);
        (worth(self.best) - worth(&after), after.risk)
    }

    /// The first rule that an exchange breaks, and by how much.
    fn broken(&self, exchange: Exchange) -> Option<(&Rule, f64)> {
        let after = |(rule, activity): (&Rule, &f64)| {
            let saved = exchange.leaves.map_or(0.0, |j| rule.charge(j, self.best.shares[j]));
            let spent = exchange.enters.map_or(0.0, |j| rule.charge(j, self.problem.least_share[j]));
            activity - saved + spent - rule.limit
        };
        let mut all = self.problem.rules.iter().zip(&self.activities);
        all.find(|(r, a)| after((r, a)) > self.problem.tolerance(r)).map(|(r, a)| (r, after((r, a))))
    }

    fn inside(&self, j: usize) -> Result<Reason, InvestError> {
        let dropped = Exchange { leaves: Some(j), enters: None };
        let cost = self.costs(dropped).0;
        let dropping_costs = usd(cost)?;
        if self.problem.fixed[j] == Some(true) {
            return Ok(Reason::MustHave { dropping_costs });
        }
        if let Some((rule, _)) = self.broken(dropped).filter(|_| dropping_costs.minor() < 0) {
            return Ok(Reason::Holds { rule: rule.name.clone(), dropping_adds: usd(-cost)? });
        }
        let best = self.replacement(j);
        let replacement = best.map(|(other, _)| self.name(other));
        let replacing_costs = best.map_or(Ok(dropping_costs), |(_, cost)| usd(cost))?;
        Ok(Reason::Earns { dropping_costs, replacement, replacing_costs })
    }

    /// The best project to put in the place of `j`. The cut of the slate without `j` says how much each could add at
    /// most; they are tried in that order until no other can do better.
    fn replacement(&self, j: usize) -> Option<(usize, f64)> {
        let (goal, numbers) = (self.problem.goal, self.problem.numbers);
        let mut without = self.best.shares.clone();
        without[j] = 0.0;
        let (risk, cut) = numbers.tail_of(&without);
        let mean = self.best.mean - self.best.shares[j] * numbers.mean[j];
        let dropped = goal.trade.worth(self.best.mean, self.best.risk) - goal.trade.worth(mean, risk);
        let least =
            |k: usize| dropped - self.problem.least_share[k] * goal.trade.worth(numbers.mean[k], cut[k]);
        let free = (0..self.problem.len())
            .filter(|k| self.best.shares[*k] == 0.0 && self.problem.fixed[*k].is_none())
            .map(|k| (Exchange { leaves: Some(j), enters: Some(k) }, k));
        let mut tries: Vec<(f64, Exchange, usize)> = free.map(|(e, k)| (least(k), e, k)).collect();
        tries.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut best: Option<(usize, f64)> = None;
        for (least, exchange, k) in tries {
            let beaten = best.map_or(dropped, |(_, cost)| cost);
            if least >= beaten {
                break;
            }
            if self.broken(exchange).is_some() {
                continue;
            }
            let (cost, risk) = self.costs(exchange);
            if risk <= goal.cap && cost < beaten {
                best = Some((k, cost));
            }
        }
        best
    }

    fn outside(&self, j: usize) -> Result<Reason, InvestError> {
        if self.problem.fixed[j] == Some(false) {
            return Ok(Reason::Excluded);
        }
        let enters = Exchange { leaves: None, enters: Some(j) };
        let (loses, risk) = self.costs(enters);
        let would_add = usd(-loses)?;
        if loses >= -self.rounding() {
            return Ok(Reason::LowersObjective { by: usd(loses.max(0.0))? });
        }
        Ok(match self.broken(enters) {
            Some((Rule { name: Constraint::Budget, .. }, by)) => {
                Reason::OverBudget { by: usd(by / 100.0)?, would_add }
            }
            Some((Rule { name: Constraint::MaxProjects, .. }, _)) => Reason::TooMany { would_add },
            Some((rule, _)) => Reason::BreaksRule { rule: rule.name.clone(), would_add },
            None if risk > self.problem.goal.cap => {
                Reason::OverRiskCap { by: usd(risk - self.problem.goal.cap)? }
            }
            None => Reason::NotYet { would_add },
        })
    }

    /// Less than this is nothing, where shares are found to their precision.
    fn rounding(&self) -> f64 {
        if self.problem.whole() { 0.0 } else { self.problem.risk_tolerance() * 10.0 }
    }
}
