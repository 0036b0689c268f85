//! Replay: what a year's choices would have made, had they been taken with what was known, by the grosses that came.
//!
//! Three policies spend the same budget on the same films: the optimiser's slate of whole films, the same share of every
//! film, and the biggest budgets in full. What each made is reckoned from actual grosses through the deal, so it is
//! gross-implied as the forecasts are: it judges the choice, not the deal. US dollars, nominal, undiscounted.

use std::time::{Duration, Instant};

use marquee_domain::{Control, Gross, Money};
use serde::Serialize;

use crate::simulate::{Draw, usd};
use crate::slate::{Outcome, SlateAnswer};
use crate::waterfall::Scenario;
use crate::{Candidate, Deal, InvestError, Simulation, SlateRules};

/// A film that could be funded: what was forecast of it, and what it then grossed worldwide.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// The project with its forecast.
    pub candidate: Candidate,
    /// Its worldwide gross, US dollars, nominal.
    pub actual: Gross,
}

/// How a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The slate that the optimiser chooses.
    Optimiser,
    /// The same share of every film.
    SpreadEvenly,
    /// Whole films, the dearest first, as long as they fit.
    BiggestBudgets,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Optimiser, Self::SpreadEvenly, Self::BiggestBudgets];

    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Optimiser => "optimiser",
            Self::SpreadEvenly => "spread evenly",
            Self::BiggestBudgets => "biggest budgets",
        }
    }
}

/// What one policy did in one replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The policy.
    pub policy: Policy,
    /// What it bought: film number and share of it.
    pub shares: Vec<(usize, f64)>,
    /// What is proven to be left: no slate is better by more than this fraction; none for the naive policies.
    pub gap: Option<f64>,
    /// What that cost.
    pub cost: Money,
    /// The mean profit that was projected for it.
    pub projected: Money,
    /// The profit by the grosses that came.
    pub profit: Money,
    /// What each film bought made, in the order of `shares`, for the share bought.
    pub profits: Vec<Money>,
}

/// Spends `rules`' budget by each policy on `films` and reckons what it made. The optimiser's slate may be within its gap
/// where `time_limit` runs out.
///
/// # Errors
/// As [`Simulation::run`] and [`SlateRules::choose`].
pub fn replay(
    films: &[Film],
    rules: &SlateRules,
    simulation: &Simulation,
    deal: &Deal,
    time_limit: Option<Duration>,
    control: &Control,
) -> Result<Vec<Replayed>, InvestError> {
    let candidates: Vec<Candidate> = films.iter().map(|f| f.candidate.clone()).collect();
    let draw = Draw::new(simulation, None, &candidates, deal)?;
    let scenarios = simulation.run_drawn(&draw, &candidates, control)?;
    // The time limit is for the search: what is drawn and reckoned is drawn and reckoned in full.
    let search = match time_limit {
        Some(limit) => control.clone().until(Instant::now() + limit),
        None => control.clone(),
    };
    let mut made = Vec::with_capacity(films.len());
    for film in films {
        let (plan, terms) = (draw.plan(&film.candidate)?, &draw.terms);
        let world = film.actual.0.major();
        let (home, abroad) = (world * terms.domestic_share, world * (1.0 - terms.domestic_share));
        made.push(draw.profit(&plan, &Scenario::as_planned(home, abroad)));
    }
    let costs: Vec<f64> = scenarios.returns().iter().map(|r| r.cost.major()).collect();
    let mut replayed = Vec::new();
    for policy in Policy::ALL {
        let mut gap = None;
        let shares = match policy {
            Policy::Optimiser => match rules.choose(&scenarios, &search)? {
                Outcome::Chosen(answer) | Outcome::TimedOut(answer) => {
                    gap = Some(answer.gap);
                    bought(&candidates, &answer)
                }
                // Under a budget alone the empty slate always keeps the rules.
                Outcome::Undecided { .. } | Outcome::Infeasible(_) => vec![],
            },
            Policy::SpreadEvenly => spread(&costs, rules.budget.major()),
            Policy::BiggestBudgets => biggest(&costs, rules.budget.major()),
        };
        let sum = |of: &dyn Fn(usize) -> f64| shares.iter().map(|(j, share)| share * of(*j)).sum::<f64>();
        replayed.push(Replayed {
            policy,
            gap,
            cost: usd(sum(&|j| costs[j]))?,
            projected: usd(sum(&|j| scenarios.returns()[j].mean_profit.major()))?,
            profit: usd(sum(&|j| made[j]))?,
            profits: shares.iter().map(|(j, share)| usd(share * made[*j])).collect::<Result<_, _>>()?,
            shares,
        });
    }
    Ok(replayed)
}

fn bought(candidates: &[Candidate], answer: &SlateAnswer) -> Vec<(usize, f64)> {
    let find = |name: &str| candidates.iter().position(|c| c.project().name == name);
    answer.slate.choices.iter().filter_map(|c| Some((find(&c.project)?, c.share))).collect()
}

/// The same share of every film: all of each where the budget allows it.
fn spread(costs: &[f64], budget: f64) -> Vec<(usize, f64)> {
    let share = (budget / costs.iter().sum::<f64>()).min(1.0);
    (0..costs.len()).map(|j| (j, share)).collect()
}

/// Whole films, the dearest first, as long as they fit; the first of equals first.
fn biggest(costs: &[f64], budget: f64) -> Vec<(usize, f64)> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|a, b| costs[*b].total_cmp(&costs[*a]));
    let mut left = budget;
    let mut shares = vec![];
    for j in order {
        if costs[j] <= left {
            left -= costs[j];
            shares.push((j, 1.0));
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use marquee_domain::{Currency, Weight};

    use super::*;
    use crate::Objective;
    use crate::simulate::tests::{calm, gross, project};

    fn film(name: &str, budget: f64, middle: f64, actual: f64) -> Film {
        let candidate = Candidate::from_distributions(project(name, budget), None, Some(gross(middle, 0.5)));
        let actual = Gross(Money::from_major(actual, Currency::USD).unwrap());
        Film { candidate: candidate.unwrap(), actual }
    }

    /// A cheap film that is forecast well and does well, and a dear one that is forecast badly and sinks.
    #[test]
    fn each_policy_buys_what_it_says_and_makes_what_its_films_made() {
        let films = [film("good", 20e6, 200e6, 150e6), film("dear", 60e6, 30e6, 0.0)];
        let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.1).unwrap() };
        let rules = SlateRules::new("100M".parse().unwrap(), objective);
        let simulation = Simulation { scenarios: 500, ..Simulation::default() };
        let found = replay(&films, &rules, &simulation, &calm(&[]), None, &Control::default()).unwrap();
        let of = |policy| found.iter().find(|r| r.policy == policy).unwrap();
        let (best, even, big) = (of(Policy::Optimiser), of(Policy::SpreadEvenly), of(Policy::BiggestBudgets));
        assert_eq!(best.shares, [(0, 1.0)]);
        assert_eq!(even.shares, [(0, 100.0 / 120.0), (1, 100.0 / 120.0)]);
        assert_eq!(big.shares, [(1, 1.0)], "90 of 100 are spent, and the other does not fit");
        // 150 at .45 home: (67.5 × .52 + 82.5 × .40 + 67.5 × .50) × .85 = 86.57, less 30.
        assert!((best.profit.major() - 56.57e6).abs() < 0.02e6, "{}", best.profit);
        assert_eq!(big.profit, "-90M".parse().unwrap());
        let half = (best.profit.major() - 90e6) * 100.0 / 120.0;
        assert!((even.profit.major() - half).abs() < 1.0, "{}", even.profit);
        assert!(best.projected.minor() > 0 && big.projected.minor() < 0);
    }
}
