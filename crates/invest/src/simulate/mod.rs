//! Joint scenarios of all candidates, and what each returns.
//!
//! Each project's outcome is read from its forecast at a standard normal score; scores of different projects move
//! together ([`factors`]), and events strike them ([`events`]). Every random stream is keyed by what it belongs to (a year,
//! a genre, a franchise, a project's name) and the seed, not by position: the same seed gives the same bytes whatever the
//! thread count or the order of projects, and adding a project moves no other's outcomes unless it opens in the same week.

mod candidate;
mod events;
mod factors;

use std::collections::BTreeSet;

use marquee_domain::{Budget, Control, Currency, Day, Gross, Money, Probability, Return, Spend};
use rayon::prelude::*;
use serde::Serialize;

use crate::deal::{Risk, Terms};
use crate::risk::{Tail, loss_share, mean, quantiles};
use crate::waterfall::{Costs, Flows, Quarter, Scenario, Waterfall};
use crate::{Deal, InvestError, MarketingPlan};
pub use candidate::Candidate;
pub use events::Stress;
use factors::Factors;

/// The most scenarios that one simulation holds.
const MOST_SCENARIOS: usize = 1_000_000;

/// How to simulate.
///
/// ```
/// use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project};
/// use marquee_invest::{Candidate, Deal, Simulation};
/// let budget = Budget(Money::from_major(30e6, Currency::USD)?);
/// let project = Project::film("Land Girls II", budget, "2010-07-02".parse()?);
/// let gross = Distribution::new([5e6, 10e6, 30e6, 80e6, 180e6, 350e6, 500e6])?;
/// let candidate = Candidate::from_distributions(project, None, Some(gross))?;
/// let scenarios = Simulation::default().run(&[candidate], &Deal::default(), &Control::default())?;
/// let result = &scenarios.returns()[0];
/// assert_eq!(result.break_even.to_string(), "$78.0M");
/// assert_eq!(result.loss_probability.to_string(), "50%");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Simulation {
    /// How many scenarios, 1 to 1,000,000.
    pub scenarios: usize,
    /// The randomness: the same seed gives the same bytes.
    pub seed: u64,
    /// The share of scenarios that counts as worst in every CVaR.
    pub tail: Probability,
}

impl Default for Simulation {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a literal inside [0, 1]")]
        let tail = Probability::try_from(0.05).expect("a probability");
        Self { scenarios: 10_000, seed: 1, tail }
    }
}

/// What one project returns over its whole run to all who finance it and share in it. Gross-implied; US dollars, nominal,
/// undiscounted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProjectReturn {
    /// The project.
    pub name: String,
    /// What it costs to make.
    pub budget: Budget,
    /// What it costs to release.
    pub marketing: Spend,
    /// Whether the marketing follows from the deal's rule.
    pub marketing_assumed: bool,
    /// Budget, marketing, and expenses of sale where the deal has any; as planned.
    pub cost: Money,
    /// The worldwide gross whose income and incentives equal the cost, at the domestic share of the medians.
    pub break_even: Gross,
    /// Probability by the forecast itself that the worldwide gross exceeds `break_even`.
    pub above_break_even: Probability,
    /// What the grosses leave on average, before any cost and without incentives.
    pub mean_income: Money,
    /// Mean profit over the scenarios.
    pub mean_profit: Money,
    /// Monte Carlo standard error of `mean_profit`, as if scenarios were independent (antithetic pairs do better).
    pub mean_error: Money,
    /// Profit at the levels 5, 10, 25, 50, 75, 90 and 95%.
    pub profit: [Money; 7],
    /// Mean profit divided by cost.
    pub mean_roi: Return,
    /// Profit divided by cost at the same levels.
    pub roi: [Return; 7],
    /// Share of scenarios that lose money.
    pub loss_probability: Probability,
    /// Mean loss in the worst `tail` of scenarios: positive is a loss.
    pub cvar: Money,
    /// The share of scenarios that counts as worst.
    pub tail: Probability,
    /// The planned release day.
    pub release: Day,
    /// Its genres.
    pub genres: Vec<String>,
    /// Its countries.
    pub countries: Vec<String>,
    /// Who distributes it.
    pub distributor: Option<String>,
    /// The series of titles that it continues.
    pub franchise: Option<String>,
    /// Expected cash by calendar quarter, in order.
    pub cash: Vec<CashQuarter>,
}

/// The expected cash of all who finance a project and share in it, in one calendar quarter. US dollars, nominal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CashQuarter {
    /// The calendar year.
    pub year: i32,
    /// The quarter, 1 to 4.
    pub quarter: u8,
    /// What is spent in it, as planned.
    pub spent: Money,
    /// What is received in it at the mean grosses of the scenarios.
    pub received: Money,
}

/// The joint scenarios: a matrix of profits, projects by scenarios, and each project's summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenarios {
    returns: Vec<ProjectReturn>,
    /// Project after project, each with its profits by scenario. USD.
    profits: Vec<f64>,
    scenarios: usize,
    tail: Probability,
    seed: u64,
}

/// All projects of a set of scenarios taken together, each in full. Gross-implied; US dollars, nominal, undiscounted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Together {
    /// What they cost together.
    pub cost: Money,
    /// Mean profit.
    pub mean_profit: Money,
    /// Profit at the levels 5, 10, 25, 50, 75, 90 and 95%.
    pub profit: [Money; 7],
    /// Probability that they lose money together.
    pub loss_probability: Probability,
    /// Mean loss in the worst scenarios: positive is a loss.
    pub cvar: Money,
    /// The share of scenarios that counts as worst.
    pub tail: Probability,
}

impl Scenarios {
    /// All projects together, each in full.
    ///
    /// # Errors
    /// [`InvestError::Domain`] for amounts that cannot be kept.
    pub fn together(&self) -> Result<Together, InvestError> {
        let mut joint = vec![0.0; self.scenarios];
        let mut cost = Money::from_minor(0, Currency::USD);
        for (j, r) in self.returns.iter().enumerate() {
            cost = cost.checked_add(r.cost)?;
            joint.iter_mut().zip(self.profits(j)).for_each(|(sum, profit)| *sum += profit);
        }
        joint.sort_unstable_by(f64::total_cmp);
        Ok(Together {
            cost,
            mean_profit: usd(mean(&joint))?,
            profit: all_usd(quantiles(&joint))?,
            loss_probability: loss_share(&joint).try_into()?,
            cvar: usd(Tail::of(joint.len(), self.tail.get()).cvar(&mut joint))?,
            tail: self.tail,
        })
    }

    /// How many scenarios there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scenarios
    }

    /// Whether there is no scenario: never, for what a simulation made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scenarios == 0
    }

    /// How many projects there are.
    #[must_use]
    pub fn projects(&self) -> usize {
        self.returns.len()
    }

    /// Each project's return, in the order in which the candidates came.
    #[must_use]
    pub fn returns(&self) -> &[ProjectReturn] {
        &self.returns
    }

    /// Profits of a project by scenario, USD; empty for a number that no project has.
    #[must_use]
    pub fn profits(&self, project: usize) -> &[f64] {
        let start = project.saturating_mul(self.scenarios);
        self.profits.get(start..start.saturating_add(self.scenarios)).unwrap_or_default()
    }

    /// The share of scenarios that counts as worst.
    #[must_use]
    pub fn tail(&self) -> Probability {
        self.tail
    }

    /// The seed that drew them.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl Simulation {
    /// Draws the scenarios and pays every project in each of them.
    ///
    /// # Errors
    /// [`InvestError::Setting`] for a scenario count or tail out of range, [`InvestError::NoCandidates`],
    /// [`InvestError::SameName`], [`InvestError::UnknownRisk`] for a stress that the deal does not know,
    /// [`InvestError::OverFinanced`], [`InvestError::Cancelled`] when `control` says stop, [`InvestError::Domain`] for
    /// amounts that cannot be kept.
    pub fn run(
        &self,
        candidates: &[Candidate],
        deal: &Deal,
        control: &Control,
    ) -> Result<Scenarios, InvestError> {
        self.run_under(None, candidates, deal, control)
    }

    /// The same under a stress test: the same draws, with events made certain or forecasts moved.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn run_under(
        &self,
        stress: Option<&Stress>,
        candidates: &[Candidate],
        deal: &Deal,
        control: &Control,
    ) -> Result<Scenarios, InvestError> {
        self.run_drawn(&Draw::new(self, stress, candidates, deal)?, candidates, control)
    }

    /// The same from what is drawn already.
    pub(crate) fn run_drawn(
        &self,
        draw: &Draw<'_>,
        candidates: &[Candidate],
        control: &Control,
    ) -> Result<Scenarios, InvestError> {
        let mut profits = vec![0.0; candidates.len() * self.scenarios];
        let returns = candidates
            .par_iter()
            .zip(profits.par_chunks_mut(self.scenarios))
            .map(|(candidate, column)| {
                control.check()?;
                let plan = draw.plan(candidate)?;
                let outcomes = draw.outcomes(candidate);
                for (cell, outcome) in column.iter_mut().zip(&outcomes) {
                    *cell = draw.profit(&plan, outcome);
                }
                let cash = draw.cash(candidate, &plan, &outcomes)?;
                let income = |o: &Scenario| draw.terms.income(o.domestic, o.international, o.windows);
                let mean_income = usd(outcomes.iter().map(income).sum::<f64>() / outcomes.len() as f64)?;
                Ok(ProjectReturn { cash, mean_income, ..self.summarise(draw, candidate, &plan, column)? })
            })
            .collect::<Result<Vec<_>, InvestError>>()?;
        Ok(Scenarios { returns, profits, scenarios: self.scenarios, tail: self.tail, seed: self.seed })
    }

    fn check(&self, candidates: &[Candidate]) -> Result<(), InvestError> {
        if self.scenarios == 0 || self.scenarios > MOST_SCENARIOS {
            let value = self.scenarios as f64;
            return Err(InvestError::Setting { name: "scenarios", value, range: "1 to 1000000" });
        }
        if self.tail.get() <= 0.0 {
            return Err(InvestError::Setting { name: "tail", value: self.tail.get(), range: "in (0, 1]" });
        }
        if candidates.is_empty() {
            return Err(InvestError::NoCandidates);
        }
        let mut names = BTreeSet::new();
        match candidates.iter().find(|c| !names.insert(&c.project.name)) {
            Some(twin) => Err(InvestError::SameName(twin.project.name.clone())),
            None => Ok(()),
        }
    }

    fn summarise(
        &self,
        draw: &Draw<'_>,
        candidate: &Candidate,
        plan: &ProjectPlan,
        profits: &[f64],
    ) -> Result<ProjectReturn, InvestError> {
        let mut sorted = profits.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = quantiles(&sorted);
        let average = mean(profits);
        let spread: f64 = profits.iter().map(|p| (p - average).powi(2)).sum();
        let n = profits.len() as f64;
        let share = candidate.domestic_share(&draw.terms);
        let (budget, marketing) =
            (plan.costs.budget.0.major(), plan.costs.marketing.0.major() + plan.expenses);
        let break_even = draw.terms.break_even(budget, marketing, share);
        Ok(ProjectReturn {
            name: candidate.project.name.clone(),
            budget: plan.costs.budget,
            marketing: plan.costs.marketing,
            marketing_assumed: plan.marketing.assumed,
            cost: plan.cost,
            break_even: Gross(usd(break_even)?),
            above_break_even: candidate.probability_above(break_even, &draw.terms).try_into()?,
            mean_income: usd(0.0)?,
            mean_profit: usd(average)?,
            mean_error: usd(spread.sqrt() / n)?,
            profit: all_usd(at)?,
            mean_roi: Return(average / plan.cost.major()),
            roi: at.map(|p| Return(p / plan.cost.major())),
            loss_probability: loss_share(profits).try_into()?,
            cvar: usd(Tail::of(profits.len(), self.tail.get()).cvar(&mut sorted))?,
            tail: self.tail,
            release: candidate.project.release,
            genres: candidate.project.genres.clone(),
            countries: candidate.project.countries.clone(),
            distributor: candidate.project.distributor.clone(),
            franchise: candidate.project.franchise.clone(),
            cash: vec![],
        })
    }
}

/// Everything that outcomes are drawn from, once for all candidates.
pub(crate) struct Draw<'a> {
    simulation: &'a Simulation,
    pub(crate) deal: &'a Deal,
    stress: Option<&'a Stress>,
    pub(crate) terms: Terms,
    factors: Factors,
}

/// What a project costs by plan.
pub(crate) struct ProjectPlan {
    pub(crate) costs: Costs,
    pub(crate) marketing: MarketingPlan,
    /// Expenses of sale that participants advance, USD.
    expenses: f64,
    /// Budget, marketing and expenses.
    pub(crate) cost: Money,
}

impl<'a> Draw<'a> {
    pub(crate) fn new(
        simulation: &'a Simulation,
        stress: Option<&'a Stress>,
        candidates: &[Candidate],
        deal: &'a Deal,
    ) -> Result<Self, InvestError> {
        simulation.check(candidates)?;
        if let Some(stress) = stress {
            stress.check(deal)?;
        }
        let factors = Factors::draw(simulation.seed, simulation.scenarios, candidates, deal.loadings());
        Ok(Self { simulation, deal, stress, terms: deal.terms(), factors })
    }

    pub(crate) fn plan(&self, candidate: &Candidate) -> Result<ProjectPlan, InvestError> {
        let project = &candidate.project;
        let marketing = self.deal.marketing_for(project)?;
        let costs = Costs { budget: project.budget, marketing: marketing.spend, release: project.release };
        let expenses = self.deal.expenses(costs.budget, costs.marketing);
        let cost = costs.budget.0.checked_add(costs.marketing.0)?.checked_add(expenses)?;
        Ok(ProjectPlan { costs, marketing, expenses: expenses.major(), cost })
    }

    /// Domestic and international gross of a candidate in each scenario, USD, before any event.
    pub(crate) fn grosses(&self, candidate: &Candidate) -> Vec<(f64, f64)> {
        let mut scores = vec![0.0; self.simulation.scenarios];
        self.factors.scores(candidate, &mut scores);
        scores.iter().map(|score| candidate.grosses(*score, &self.terms)).collect()
    }

    /// What happens to a candidate in each scenario.
    pub(crate) fn outcomes(&self, candidate: &Candidate) -> Vec<Scenario> {
        self.outcomes_of(&self.grosses(candidate), candidate, None)
    }

    /// The same from its grosses, `without` one of the risks where that is named.
    pub(crate) fn outcomes_of(
        &self,
        grosses: &[(f64, f64)],
        candidate: &Candidate,
        without: Option<&str>,
    ) -> Vec<Scenario> {
        let moved = 1.0 + self.stress.map_or(0.0, |s| s.forecast_bias);
        let mut outcomes: Vec<Scenario> =
            grosses.iter().map(|(home, abroad)| Scenario::as_planned(home * moved, abroad * moved)).collect();
        for risk in events::concerning(self.deal, candidate) {
            if without != Some(&risk.name) {
                events::strike(risk, candidate, self.simulation.seed, self.stress, &mut outcomes);
            }
        }
        outcomes
    }

    /// What is spent and received by quarter at the mean grosses.
    fn cash(
        &self,
        candidate: &Candidate,
        plan: &ProjectPlan,
        outcomes: &[Scenario],
    ) -> Result<Vec<CashQuarter>, InvestError> {
        let waterfall = Waterfall::new(self.deal, &candidate.project.name, plan.costs)?;
        let mean_of =
            |of: &dyn Fn(&Scenario) -> f64| outcomes.iter().map(of).sum::<f64>() / outcomes.len() as f64;
        let scenario = Scenario::as_planned(mean_of(&|o| o.domestic), mean_of(&|o| o.international));
        let mut flows = Flows::default();
        waterfall.pay(&scenario, &mut flows);
        let mut together = [vec![], vec![]];
        waterfall.together(&flows, &mut together);
        let [paid, drawn] = together;
        let at = |q: usize| {
            let Quarter { year, quarter } = waterfall.quarter(q);
            let money = |cents| Money::from_minor(cents, Currency::USD);
            CashQuarter { year, quarter, spent: money(drawn[q]), received: money(paid[q]) }
        };
        Ok((0..flows.quarters).map(at).collect())
    }

    /// The deal's risks that concern a candidate.
    pub(crate) fn risks(&self, candidate: &Candidate) -> Vec<&'a Risk> {
        events::concerning(self.deal, candidate)
    }

    /// What everybody who finances or shares makes of an outcome together, USD.
    pub(crate) fn profit(&self, plan: &ProjectPlan, o: &Scenario) -> f64 {
        let (budget, marketing) = (plan.costs.budget.0.major(), plan.costs.marketing.0.major());
        self.terms.income(o.domestic, o.international, o.windows) + self.terms.incentives * budget
            - budget * (1.0 + o.overrun)
            - marketing * o.marketing
            - plan.expenses
    }
}

pub(crate) fn usd(amount: f64) -> Result<Money, InvestError> {
    Ok(Money::from_major(amount, Currency::USD)?)
}

pub(crate) fn all_usd(amounts: [f64; 7]) -> Result<[Money; 7], InvestError> {
    let mut all = [Money::from_minor(0, Currency::USD); 7];
    for (money, amount) in all.iter_mut().zip(amounts) {
        *money = usd(amount)?;
    }
    Ok(all)
}

#[cfg(test)]
#[path = "tests.rs"]
pub(crate) mod tests;
