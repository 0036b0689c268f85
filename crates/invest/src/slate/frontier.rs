//! Efficient slates from the least risk to the largest mean, and the films that come in and go out between them.
//!
//! The frontier of whole projects is not convex: a trade-off between mean and risk finds only its corners. Here risk is
//! capped at steps and the mean is maximised under each cap (the ε-constraint method of Y. Y. Haimes, L. S. Lasdon and
//! D. A. Wismer 1971), which finds every efficient slate that a finer step would.

use std::collections::BTreeSet;

use marquee_domain::{Control, Money};
use serde::Serialize;

use super::problem::{Goal, Numbers};
use super::rules::Source;
use super::search::{Begin, search};
use super::{Choice, Infeasible, SlateAnswer, SlateRules, Solved, Warm, cents};
use crate::{InvestError, Scenarios};

/// What came of looking for efficient slates.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Frontier {
    /// Slates such that none has less risk for as large a mean.
    Efficient {
        /// From the least CVaR to the largest mean; each differs from the one before it.
        slates: Vec<FrontierSlate>,
        /// Whether all were found and proven (to within the rules' gap, here of the largest mean) before the effort that
        /// each is given, or time, ran out; each slate has its own gap.
        complete: bool,
    },
    /// No slate keeps the rules.
    Infeasible(Infeasible),
}

/// One efficient slate, and what is new in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrontierSlate {
    /// The slate; its objective is the mean profit.
    pub answer: SlateAnswer,
    /// Projects that the slate before it, with less risk, does not have; none for the first.
    pub comes_in: Vec<String>,
    /// Projects that the slate before it has and this one has not.
    pub goes_out: Vec<String>,
}

/// What the slate's next step would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextFilms {
    /// If there were more money (with shares: one project more); none where no more money changes the slate.
    pub into: Option<SlateChange>,
    /// If there were less money (with shares: one project fewer); none where nothing can go.
    pub out: Option<SlateChange>,
    /// Whether both were found and proven before time ran out; where not, the next film in may come at less money.
    pub complete: bool,
}

/// How a slate changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlateChange {
    /// The budget at which the slate becomes this one.
    pub budget: Money,
    /// The new slate.
    pub answer: SlateAnswer,
    /// Projects that it has and the old one has not.
    pub comes_in: Vec<String>,
    /// Projects that the old one has and it has not.
    pub goes_out: Vec<String>,
}

/// What a better slate must add to count as better, in units of the largest single mean or risk.
const BETTER: f64 = 1e-6;

impl SlateRules {
    /// Efficient slates from the least CVaR to the largest mean, found at `points` (2 to 1,000) caps evenly between the
    /// two; neighbours that are the same slate are given once. The rules' objective is not looked at, all other rules are.
    ///
    /// ```
    /// use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project, Weight};
    /// use marquee_invest::{Candidate, Deal, Frontier, Objective, Requires, Simulation, SlateRules};
    /// # fn project(name: &str, budget: f64) -> Result<Project, Box<dyn std::error::Error>> {
    /// #     Ok(Project::film(name, Budget(Money::from_major(budget, Currency::USD)?), "2010-07-02".parse()?))
    /// # }
    /// let gross = Distribution::new([5e6, 10e6, 30e6, 90e6, 180e6, 350e6, 500e6])?;
    /// let candidates = [("Original", 30e6), ("Sequel", 15e6)]
    ///     .map(|(name, budget)| Candidate::from_distributions(project(name, budget)?, None, Some(gross)).map_err(Into::into))
    ///     .into_iter().collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?;
    /// let scenarios = Simulation::default().run(&candidates, &Deal::default(), &Control::default())?;
    /// let rules = SlateRules {
    ///     requires: vec![Requires { project: "Sequel".into(), needs: "Original".into() }],
    ///     min_share: Some(0.2),
    ///     ..SlateRules::new("100M".parse()?, Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.0)? })
    /// };
    /// let found = rules.frontier(&scenarios, 5, &Control::default())?;
    /// let Frontier::Efficient { slates, complete: true } = found else { panic!("it is feasible") };
    /// assert_eq!(slates.len(), 5, "from nothing to all of both");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`SlateRules::choose`]; [`InvestError::Setting`] for `points` out of range.
    pub fn frontier(
        &self,
        scenarios: &Scenarios,
        points: usize,
        control: &Control,
    ) -> Result<Frontier, InvestError> {
        self.check(scenarios)?;
        if !(2..=1_000).contains(&points) {
            return Err(InvestError::Setting { name: "points", value: points as f64, range: "2 to 1000" });
        }
        let numbers = Numbers::new(scenarios);
        Choice { rules: self, scenarios, numbers: &numbers }.frontier(points, control)
    }

    /// The next film in and the next film out of a slate that these rules chose.
    ///
    /// Of whole projects: the smallest budget at which a slate better by a millionth of the largest single project's
    /// mean or risk exists, and the best slate at it; and the best slate at a budget a cent below the least that the
    /// slate itself needs. Of projects that may be taken in part, where any money moves every share: the best slate
    /// with one project more and with one fewer, at the same budget.
    ///
    /// # Errors
    /// As [`SlateRules::choose`]; [`InvestError::UnknownProject`] for a slate of other projects.
    pub fn next_films(
        &self,
        scenarios: &Scenarios,
        answer: &SlateAnswer,
        control: &Control,
    ) -> Result<NextFilms, InvestError> {
        self.check(scenarios)?;
        let numbers = Numbers::new(scenarios);
        let choice = Choice { rules: self, scenarios, numbers: &numbers };
        let shares = choice.shares_of(answer)?;
        if self.min_share.is_some_and(|m| m < 1.0) {
            return choice.next_by_number(answer, &shares, control);
        }
        // The next film out takes one search and comes first: the next film in may take all the time there is.
        let (out, other) = choice.next_out(&shares, control)?;
        let (into, one) = choice.next_in(&shares, control)?;
        Ok(NextFilms { into, out, complete: one && other })
    }
}

impl Choice<'_> {
    fn frontier(&self, points: usize, control: &Control) -> Result<Frontier, InvestError> {
        let open = f64::INFINITY;
        let mut warm = Warm { most_nodes: Some(self.numbers.effort()), ..Warm::default() };
        let (_, largest) = self.solve(Goal::new(1.0, 0.0, open), &warm, control);
        let top = match largest {
            Solved::Best(best) => *best,
            Solved::Nowhere => return Ok(Frontier::Infeasible(self.infeasible(open, control)?)),
            Solved::Unknown { .. } => return Ok(Frontier::Efficient { slates: vec![], complete: false }),
        };
        // One measure for all: what a gap leaves on the table of the largest mean.
        warm.slack = self.rules.gap * top.1.mean.abs();
        let (_, safest) = self.solve(Goal::new(0.0, 1.0, open), &warm, control);
        let Solved::Best(safest) = safest else {
            return Ok(Frontier::Efficient { slates: vec![], complete: false });
        };
        let mut complete = top.0.finished && safest.0.finished;
        let (low, high) = (safest.1.risk, top.1.risk);
        warm.start = Some(safest.1.shares);
        warm.cuts = safest.0.cuts;
        let mut slates: Vec<FrontierSlate> = vec![];
        for step in 0..points {
            let cap = low + (high - low).max(0.0) * step as f64 / (points - 1) as f64;
            let (problem, solved) = self.solve(Goal::new(1.0, 0.0, cap), &warm, control);
            let Solved::Best(best) = solved else {
                complete = false;
                continue;
            };
            let (found, point) = *best;
            complete &= found.finished;
            let same = |shares: &[f64]| shares.iter().zip(&point.shares).all(|(a, b)| (a - b).abs() < 1e-7);
            let before = warm.start.as_deref();
            if !before.is_some_and(same) || slates.is_empty() {
                let answer = self.answer(&problem, &found, &point)?;
                let old = if slates.is_empty() { &point.shares } else { before.unwrap_or(&point.shares) };
                let (comes_in, goes_out) = self.differences(old, &point.shares);
                slates.push(FrontierSlate { answer, comes_in, goes_out });
            }
            warm = Warm { start: Some(point.shares), cuts: found.cuts, ..warm };
        }
        Ok(Frontier::Efficient { slates, complete })
    }

    /// The names of the projects that a slate has and another has not, both ways, in the order of the candidates.
    fn differences(&self, old: &[f64], new: &[f64]) -> (Vec<String>, Vec<String>) {
        let only = |these: &[f64], those: &[f64]| {
            let mut places: Vec<usize> = (0..these.len())
                .filter(|j| these[*j] > 0.0 && those[*j] == 0.0)
                .map(|j| self.numbers.order[j])
                .collect();
            places.sort_unstable();
            places.into_iter().map(|j| self.scenarios.returns()[j].name.clone()).collect()
        };
        (only(new, old), only(old, new))
    }

    /// The shares of a slate in the canonical order.
    fn shares_of(&self, answer: &SlateAnswer) -> Result<Vec<f64>, InvestError> {
        let projects = self.projects();
        let mut shares = vec![0.0; projects.len()];
        for choice in &answer.slate.choices {
            let Some(j) = projects.iter().position(|p| p.name == choice.project) else {
                return Err(InvestError::UnknownProject { rule: "slate", name: choice.project.clone() });
            };
            shares[j] = choice.share;
        }
        Ok(shares)
    }

    /// The smallest budget at which a better slate exists, and the best slate at it: larger and larger budgets until one
    /// is better, then bisection between the largest that is not and what the better slate needs, down to the cent.
    fn next_in(&self, shares: &[f64], control: &Control) -> Result<(Option<SlateChange>, bool), InvestError> {
        let now = self.rules.budget.minor();
        let all = self.numbers.cost.iter().sum::<f64>() as i64;
        let mut steps = [20, 5, 1].map(|part| now.saturating_add(all / part)).into_iter();
        let (mut low, mut proven) = (now, true);
        let better = loop {
            let Some(budget) = steps.next() else { return Ok((None, proven)) };
            let (found, finished) = self.better(budget, shares, control)?;
            proven &= finished;
            match found {
                Some(better) => break better,
                None => low = budget,
            }
        };
        let mut best = better;
        let mut high = self.needs(&best)?;
        let mut halve = true;
        while high - low > 1 {
            let budget = if halve { low + (high - low) / 2 } else { high - 1 };
            let (found, finished) = self.better(budget, shares, control)?;
            proven &= finished;
            match found {
                Some(better) => {
                    best = better;
                    high = self.needs(&best)?.min(budget);
                }
                None => low = budget,
            }
            // Where halving found nothing, the slate at hand may well be the first: a cent less decides.
            halve = !halve;
        }
        let rules = SlateRules { budget: cents(i128::from(high))?, ..self.rules.clone() };
        let (change, finished) = self.change(&rules, shares, Some(best), control)?;
        Ok((change, proven && finished))
    }

    /// A slate at a budget that is better than this one, and whether the search ended by itself.
    fn better(
        &self,
        budget: i64,
        shares: &[f64],
        control: &Control,
    ) -> Result<(Option<Vec<f64>>, bool), InvestError> {
        let rules = SlateRules { budget: cents(i128::from(budget))?, ..self.rules.clone() };
        let problem = self.problem(&rules, rules.goal(), &BTreeSet::new(), None);
        let now = problem.evaluate(shares).objective;
        let enough = now + (BETTER * self.numbers.unit()).max(0.01);
        let most_nodes = Some(self.numbers.effort());
        let begin = Begin { start: Some(shares), enough: Some(enough), most_nodes, ..Begin::default() };
        let found = search(&problem, begin, control);
        let ended = found.finished || found.bound < enough;
        let better = found.best.filter(|b| b.objective >= enough).map(|b| b.shares);
        Ok((better.clone(), ended || better.is_some()))
    }

    /// The least budget at which a slate keeps all rules, in cents.
    fn needs(&self, shares: &[f64]) -> Result<i64, InvestError> {
        let none = SlateRules { budget: cents(0)?, ..self.rules.clone() };
        let problem = self.problem(&none, none.goal(), &BTreeSet::new(), Some(Source::Budget));
        let breach = problem.breach(&problem.activities(shares)).unwrap_or(0.0);
        let mut least = (breach - 1e-6).ceil() as i64;
        // Limits are fractions of the budget in whole cents: rounding may let a few cents less do.
        while least > 0 && self.keeps(least - 1, shares)? {
            least -= 1;
        }
        Ok(least)
    }

    /// Whether a slate keeps all rules at a budget.
    fn keeps(&self, budget: i64, shares: &[f64]) -> Result<bool, InvestError> {
        let rules = SlateRules { budget: cents(i128::from(budget))?, ..self.rules.clone() };
        Ok(self.problem(&rules, rules.goal(), &BTreeSet::new(), None).allows(shares))
    }

    /// The best slate at a budget a cent below the least that the slate needs.
    fn next_out(
        &self,
        shares: &[f64],
        control: &Control,
    ) -> Result<(Option<SlateChange>, bool), InvestError> {
        let needs = self.needs(shares)?;
        if needs < 1 {
            return Ok((None, true));
        }
        let rules = SlateRules { budget: cents(i128::from(needs - 1))?, ..self.rules.clone() };
        self.change(&rules, shares, None, control)
    }

    fn next_by_number(
        &self,
        answer: &SlateAnswer,
        shares: &[f64],
        control: &Control,
    ) -> Result<NextFilms, InvestError> {
        let now = answer.slate.choices.len();
        let more = SlateRules {
            min_projects: Some(now.saturating_add(1).max(self.rules.min_projects.unwrap_or(0))),
            ..self.rules.clone()
        };
        let (into, one) = self.change(&more, shares, None, control)?;
        let Some(most) = now.checked_sub(1) else { return Ok(NextFilms { into, out: None, complete: one }) };
        let fewer = SlateRules { max_projects: Some(most), ..self.rules.clone() };
        let (out, other) = self.change(&fewer, shares, None, control)?;
        Ok(NextFilms { into, out, complete: one && other })
    }

    /// The best slate under changed rules, beside the one that was; none where no slate keeps them.
    fn change(
        &self,
        rules: &SlateRules,
        old: &[f64],
        start: Option<Vec<f64>>,
        control: &Control,
    ) -> Result<(Option<SlateChange>, bool), InvestError> {
        let choice = Choice { rules, scenarios: self.scenarios, numbers: self.numbers };
        let (problem, solved) = choice.solve(rules.goal(), &Warm { start, ..Warm::default() }, control);
        Ok(match solved {
            Solved::Best(best) => {
                let answer = choice.answer(&problem, &best.0, &best.1)?;
                let (comes_in, goes_out) = self.differences(old, &best.1.shares);
                (Some(SlateChange { budget: rules.budget, answer, comes_in, goes_out }), best.0.finished)
            }
            Solved::Nowhere => (None, true),
            Solved::Unknown { .. } => (None, false),
        })
    }
}

#[cfg(test)]
#[path = "frontier_tests.rs"]
mod tests;
