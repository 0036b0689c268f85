//! A reason for each project, chosen or not: what it brings to the slate, or what keeps it out.
//!
//! Each reason looks one step around the chosen slate: one project out, in, or exchanged, everything else as it is. It is
//! not a new choice of the whole slate. Amounts are changes of the objective, gross-implied US dollars.

use std::fmt;

use marquee_domain::{Currency, Money};
use rayon::prelude::*;
use serde::Serialize;

use crate::relaxation::{Point, Problem};
use crate::search::{Exchange, exchanges};
use crate::{InvestError, Scenarios};

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
            Self::Excluded => f.write_str("out, because it is excluded"),
            Self::OverBudget { by, would_add } => {
                write!(f, "out; it would add {would_add} but the budget is {by} short")
            }
            Self::TooMany { would_add } => {
                write!(f, "out; it would add {would_add} but the slate is full")
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
pub(crate) fn reasons(
    scenarios: &Scenarios,
    problem: &Problem<'_>,
    order: &[usize],
    best: &Point,
) -> Result<Vec<Why>, InvestError> {
    let shares: Vec<f64> = best.chosen.iter().map(|x| f64::from(u8::from(*x))).collect();
    let around = Around { scenarios, problem, order, best, total: problem.profits(&shares) };
    let mut whys = (0..order.len())
        .into_par_iter()
        .map(|j| {
            let chosen = best.chosen[j];
            let reason = if chosen { around.inside(j)? } else { around.outside(j)? };
            Ok((order[j], Why { project: around.name(j), chosen, reason }))
        })
        .collect::<Result<Vec<_>, InvestError>>()?;
    whys.sort_by_key(|(position, _)| *position);
    Ok(whys.into_iter().map(|(_, why)| why).collect())
}

/// A slate and what lies one step from it.
struct Around<'a> {
    scenarios: &'a Scenarios,
    problem: &'a Problem<'a>,
    order: &'a [usize],
    best: &'a Point,
    total: Vec<f64>,
}

impl Around<'_> {
    fn name(&self, j: usize) -> String {
        self.scenarios.returns()[self.order[j]].name.clone()
    }

    /// How much an exchange lowers the objective, the cap on risk aside, and the slate's risk after it.
    fn costs(&self, exchange: Exchange) -> (f64, f64) {
        let goal = self.problem.goal;
        let worth = |p: &Point| goal.reward * p.mean - goal.aversion * p.risk;
        let after = self.problem.exchanged(self.best, &self.total, exchange);
        (worth(self.best) - worth(&after), after.risk)
    }

    fn inside(&self, j: usize) -> Result<Reason, InvestError> {
        let dropping_costs = usd(self.costs(Exchange { leaves: Some(j), enters: None }).0)?;
        if self.problem.fixed[j] == Some(true) {
            return Ok(Reason::MustHave { dropping_costs });
        }
        let best = self.replacement(j);
        let replacement = best.map(|(other, _)| self.name(other));
        let replacing_costs = best.map_or(Ok(dropping_costs), |(_, cost)| usd(cost))?;
        Ok(Reason::Earns { dropping_costs, replacement, replacing_costs })
    }

    /// The best project to put in the place of `j`. The cut of the slate without `j` says how much each could add at
    /// most; they are tried in that order until no other can do better.
    fn replacement(&self, j: usize) -> Option<(usize, f64)> {
        let goal = self.problem.goal;
        let mut without: Vec<f64> = self.best.chosen.iter().map(|x| f64::from(u8::from(*x))).collect();
        without[j] = 0.0;
        let (risk, cut) = self.problem.tail_of(&without);
        let dropped = goal.reward * self.best.mean
            - goal.aversion * self.best.risk
            - (goal.reward * (self.best.mean - self.problem.mean[j]) - goal.aversion * risk);
        let mut tries: Vec<(f64, Exchange, usize)> = exchanges(self.problem, &self.best.chosen)
            .filter(|e| e.leaves == Some(j))
            .filter_map(|e| e.enters.map(|k| (e, k)))
            .map(|(e, k)| (dropped - goal.reward * self.problem.mean[k] + goal.aversion * cut[k], e, k))
            .collect();
        tries.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut best: Option<(usize, f64)> = None;
        for (least, exchange, k) in tries {
            if least >= best.map_or(dropped, |(_, cost)| cost) {
                break;
            }
            let (cost, risk) = self.costs(exchange);
            if risk <= goal.cap && cost < best.map_or(dropped, |(_, c)| c) {
                best = Some((k, cost));
            }
        }
        best
    }

    fn outside(&self, j: usize) -> Result<Reason, InvestError> {
        if self.problem.fixed[j] == Some(false) {
            return Ok(Reason::Excluded);
        }
        let (count, cost) = self.problem.count_and_cost(&self.best.chosen);
        let (loses, risk) = self.costs(Exchange { leaves: None, enters: Some(j) });
        let short = cost + i128::from(self.problem.cost[j]) - i128::from(self.problem.budget);
        let would_add = usd(-loses)?;
        Ok(if loses >= 0.0 {
            Reason::LowersObjective { by: usd(loses)? }
        } else if short > 0 {
            Reason::OverBudget { by: usd(short as f64 / 100.0)?, would_add }
        } else if count >= self.problem.most {
            Reason::TooMany { would_add }
        } else if risk > self.problem.goal.cap {
            Reason::OverRiskCap { by: usd(risk - self.problem.goal.cap)? }
        } else {
            Reason::NotYet { would_add }
        })
    }
}

fn usd(amount: f64) -> Result<Money, InvestError> {
    Ok(Money::from_major(amount, Currency::USD)?)
}
