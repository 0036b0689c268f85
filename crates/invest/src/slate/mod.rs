//! The slate: which projects to fund under a budget and other rules, by mean profit against the risk of the worst
//! scenarios.
//!
//! Two objectives: mean profit less `risk_aversion` times CVaR, or mean profit with CVaR under a cap (R. T. Rockafellar and
//! S. Uryasev 2000). Risk is that of the slate as a whole in the joint scenarios, so that dependence counts. Projects are
//! taken whole, or where the rules say so in part: nothing or at least a share, with cost, cash and profit in proportion.
//! The choice is exact (shares to their precision), or comes with the gap that is proven. All money is gross-implied: US
//! dollars, nominal, undiscounted.

mod check;
mod fixes;
mod frontier;
mod improve;
mod problem;
mod relaxation;
mod rules;
mod search;
mod why;

use std::collections::BTreeSet;

use marquee_domain::{Control, Currency, Money, Slate, SlateChoice, Weight};
use serde::Serialize;

use crate::risk::{loss_share, quantiles};
use crate::simulate::usd;
use crate::{InvestError, ProjectReturn, Scenarios};

pub use fixes::{Enough, Fix, Infeasible};
pub use frontier::{Frontier, FrontierSlate, NextFilms, SlateChange};
pub use rules::{AtMost, Constraint, Limit, LimitBy, Requires, SpendLimit, Tentpoles};
pub use why::{Reason, Why};

use problem::{Goal, Numbers, Point, Problem};
use rules::{Rows, Source};
use search::{Begin, Found, search};

/// What a good slate is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Maximise mean profit − `risk_aversion` × CVaR.
    MeanLessRisk {
        /// How many dollars of mean profit a dollar less of CVaR is worth; 0 looks at the mean alone.
        risk_aversion: Weight,
    },
    /// Maximise mean profit with CVaR at most a cap.
    MeanUnderCap {
        /// The largest mean loss in the worst scenarios; negative asks for a profit even there.
        cvar_cap: Money,
    },
}

/// The rules of a choice.
///
/// ```
/// use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project, Weight};
/// use marquee_invest::{Candidate, Deal, Objective, Outcome, Simulation, SlateRules};
/// # fn project(name: &str, budget: f64) -> Result<Project, Box<dyn std::error::Error>> {
/// #     Ok(Project::film(name, Budget(Money::from_major(budget, Currency::USD)?), "2010-07-02".parse()?))
/// # }
/// let gross = Distribution::new([5e6, 10e6, 30e6, 90e6, 180e6, 350e6, 500e6])?;
/// let candidates = [("Hit", 20e6), ("Same again, dearer", 60e6)]
///     .map(|(name, budget)| Candidate::from_distributions(project(name, budget)?, None, Some(gross)).map_err(Into::into))
///     .into_iter().collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?;
/// let scenarios = Simulation::default().run(&candidates, &Deal::default(), &Control::default())?;
/// let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.25)? };
/// let rules = SlateRules::new("100M".parse()?, objective);
/// let Outcome::Chosen(answer) = rules.choose(&scenarios, &Control::default())? else { panic!("it is feasible") };
/// assert_eq!(answer.slate.choices.len(), 1);
/// assert_eq!(answer.slate.choices[0].project, "Hit");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlateRules {
    /// The most that the chosen projects may cost together, marketing included.
    pub budget: Money,
    /// What a good slate is.
    pub objective: Objective,
    /// At least so many projects.
    pub min_projects: Option<usize>,
    /// At most so many projects.
    pub max_projects: Option<usize>,
    /// Names of projects that must be in.
    pub must_have: Vec<String>,
    /// Names of projects that must not be in.
    pub excluded: Vec<String>,
    /// Whether projects may be taken in part: nothing, or at least this share in (0, 1]. Not said: all or nothing.
    pub min_share: Option<f64>,
    /// Names of projects that are all or nothing all the same.
    pub whole: Vec<String>,
    /// Limits on what is spent by calendar year.
    pub spend_limits: Vec<SpendLimit>,
    /// The most that the slate may need at the end of any calendar quarter: what was spent less what was received up to
    /// then, as expected.
    pub peak_cash: Option<Money>,
    /// Projects that need others.
    pub requires: Vec<Requires>,
    /// Sets of which only so many may be in.
    pub at_most: Vec<AtMost>,
    /// How many dear projects may be released in one month.
    pub tentpoles: Option<Tentpoles>,
    /// Limits on concentration.
    pub limits: Vec<Limit>,
    /// The search may stop within this fraction of the objective: 0 asks for the exact best.
    pub gap: f64,
}

/// What came of a choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The best slate, to within the gap that the rules allow.
    Chosen(SlateAnswer),
    /// Time ran out: the best slate so far, with its proven gap.
    TimedOut(SlateAnswer),
    /// Time ran out before any slate that keeps all rules was found, or none was shown to exist.
    Undecided {
        /// The least risk (CVaR) that was found among slates that keep all rules but a cap on it; none where none was.
        least_found: Option<Money>,
    },
    /// No slate keeps the rules.
    Infeasible(Infeasible),
}

/// A slate with its proof and its reasons. Gross-implied; US dollars, nominal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlateAnswer {
    /// What was chosen, in the order of the candidates.
    pub slate: Slate,
    /// What the rules maximise, for this slate.
    pub objective: Money,
    /// No slate has a larger objective.
    pub bound: Money,
    /// `bound` less `objective`, as a fraction of the objective's size.
    pub gap: f64,
    /// Whether no better slate exists, but for rounding: a billionth of the largest single project's mean or risk; where
    /// projects are taken in part, a fifty-millionth.
    pub exact: bool,
    /// Joint profit at the levels 5, 10, 25, 50, 75, 90 and 95%.
    pub profit: [Money; 7],
    /// Why each project is in or out, in the order of the candidates.
    pub why: Vec<Why>,
    /// How many parts of the set of slates were looked at.
    pub nodes: u64,
    /// How many linear underestimates of risk were needed.
    pub cuts: usize,
}

impl SlateRules {
    /// Rules with a budget and an objective, and nothing else: the exact best of any number of whole projects.
    #[must_use]
    pub fn new(budget: Money, objective: Objective) -> Self {
        Self {
            budget,
            objective,
            min_projects: None,
            max_projects: None,
            must_have: vec![],
            excluded: vec![],
            min_share: None,
            whole: vec![],
            spend_limits: vec![],
            peak_cash: None,
            requires: vec![],
            at_most: vec![],
            tentpoles: None,
            limits: vec![],
            gap: 0.0,
        }
    }

    /// Chooses the best slate. A deadline or cancellation of `control` ends the search early with [`Outcome::TimedOut`]:
    /// set one for more than some forty projects, where proving the last thousandth can take long.
    ///
    /// # Errors
    /// [`InvestError::Currency`] for money not in nominal US dollars, [`InvestError::UnknownProject`] for a name that no
    /// candidate has, [`InvestError::Setting`] for a gap or least share out of range, [`InvestError::Rule`] for a rule
    /// that cannot be meant.
    pub fn choose(&self, scenarios: &Scenarios, control: &Control) -> Result<Outcome, InvestError> {
        self.check(scenarios)?;
        let numbers = Numbers::new(scenarios);
        let choice = Choice { rules: self, scenarios, numbers: &numbers };
        choice.outcome(self.goal(), &Warm::default(), control)
    }

    fn goal(&self) -> Goal {
        match self.objective {
            Objective::MeanLessRisk { risk_aversion } => Goal::new(1.0, risk_aversion.get(), f64::INFINITY),
            Objective::MeanUnderCap { cvar_cap } => Goal::new(1.0, 0.0, cvar_cap.major()),
        }
    }
}

/// Rules over scenarios, made ready for any number of searches.
#[derive(Clone, Copy)]
struct Choice<'a> {
    rules: &'a SlateRules,
    scenarios: &'a Scenarios,
    numbers: &'a Numbers<'a>,
}

/// What earlier searches over the same scenarios found.
#[derive(Debug, Clone, Default)]
struct Warm {
    start: Option<Vec<f64>>,
    cuts: Vec<Vec<f64>>,
    /// What may be left on the table in any case, USD.
    slack: f64,
    /// How many nodes the search may take, where that is limited.
    most_nodes: Option<u64>,
}

/// What a search for the best slate came to.
enum Solved {
    Best(Box<(Found, Point)>),
    /// No slate keeps all rules, and that is proven.
    Nowhere,
    Unknown {
        /// The least risk found, USD, of slates that keep all rules but the cap.
        least_risk: Option<f64>,
    },
}

/// Whether any slate keeps all rules.
enum Feasible {
    Slate(Vec<f64>),
    Nowhere,
    Unknown { least_risk: Option<f64> },
}

impl<'a> Choice<'a> {
    /// The projects, in the canonical order.
    fn projects(&self) -> Vec<&'a ProjectReturn> {
        self.numbers.order.iter().map(|j| &self.scenarios.returns()[*j]).collect()
    }

    /// The problem of some rules with a goal, without those that are dropped.
    fn problem(
        &self,
        rules: &SlateRules,
        goal: Goal,
        dropped: &BTreeSet<Source>,
        soft: Option<Source>,
    ) -> Problem<'a> {
        let projects = self.projects();
        let least = |p: &&ProjectReturn| {
            if rules.whole.contains(&p.name) { 1.0 } else { rules.min_share.unwrap_or(1.0) }
        };
        let fixed = |p: &&ProjectReturn| match &p.name {
            name if rules::must_have(rules, dropped, name) => Some(true),
            name if rules::excluded(rules, dropped, name) => Some(false),
            _ => None,
        };
        Problem {
            numbers: self.numbers,
            least_share: projects.iter().map(least).collect(),
            fixed: projects.iter().map(fixed).collect(),
            rules: Rows::of(rules, &projects, dropped, soft),
            goal,
        }
    }

    /// The best slate under all rules with a goal.
    fn solve(&self, goal: Goal, warm: &Warm, control: &Control) -> (Problem<'a>, Solved) {
        let problem = self.problem(self.rules, goal, &BTreeSet::new(), None);
        let known = warm.start.clone().filter(|s| problem.allows(s));
        let known = known.filter(|s| problem.evaluate(s).objective > f64::NEG_INFINITY);
        let start = match known.map_or_else(|| feasible(&problem, warm.most_nodes, control), Feasible::Slate)
        {
            Feasible::Slate(start) => start,
            Feasible::Nowhere => return (problem, Solved::Nowhere),
            Feasible::Unknown { least_risk } => return (problem, Solved::Unknown { least_risk }),
        };
        let Warm { cuts, slack, most_nodes, .. } = warm;
        let (slack, most_nodes, gap) = (*slack, *most_nodes, self.rules.gap);
        let begin = Begin { start: Some(&start), cuts, gap, slack, enough: None, most_nodes };
        let found = search(&problem, begin, control);
        let solved = match found.best.clone() {
            Some(best) => Solved::Best(Box::new((found, best))),
            // The start keeps all rules, so that the search has at least that.
            None => Solved::Unknown { least_risk: Some(problem.evaluate(&start).risk) },
        };
        (problem, solved)
    }

    /// What comes of the rules with a goal.
    fn outcome(&self, goal: Goal, warm: &Warm, control: &Control) -> Result<Outcome, InvestError> {
        let (problem, solved) = self.solve(goal, warm, control);
        Ok(match solved {
            Solved::Nowhere => Outcome::Infeasible(self.infeasible(goal.cap, control)?),
            Solved::Unknown { least_risk } => {
                Outcome::Undecided { least_found: least_risk.map(usd).transpose()? }
            }
            Solved::Best(best) => {
                let answer = self.answer(&problem, &best.0, &best.1)?;
                if best.0.finished { Outcome::Chosen(answer) } else { Outcome::TimedOut(answer) }
            }
        })
    }

    fn answer(&self, problem: &Problem<'_>, found: &Found, best: &Point) -> Result<SlateAnswer, InvestError> {
        let mut joint = self.numbers.profits(&best.shares);
        joint.sort_unstable_by(f64::total_cmp);
        let mut profit = [Money::from_minor(0, Currency::USD); 7];
        for (money, amount) in profit.iter_mut().zip(quantiles(&joint)) {
            *money = usd(amount)?;
        }
        let choices = self.choices(&best.shares);
        let cost = choices.iter().map(|c| i128::from(c.cost.minor())).sum();
        let slate = Slate {
            choices,
            cost: cents(cost)?,
            mean_profit: usd(best.mean)?,
            cvar: usd(best.risk)?,
            tail: self.scenarios.tail(),
            loss_probability: loss_share(&joint).try_into()?,
        };
        let left = (found.bound - best.objective).max(0.0);
        Ok(SlateAnswer {
            slate,
            objective: usd(best.objective)?,
            bound: usd(found.bound)?,
            gap: if left > 0.0 { left / best.objective.abs().max(1.0) } else { 0.0 },
            exact: found.exact,
            profit,
            why: why::reasons(self, problem, best)?,
            nodes: found.nodes,
            cuts: found.made,
        })
    }

    /// What is chosen, in the order of the candidates. A part of a cost is rounded down, so that parts that keep the
    /// budget do so in cents.
    fn choices(&self, shares: &[f64]) -> Vec<SlateChoice> {
        let mut chosen: Vec<(usize, f64)> = self
            .numbers
            .order
            .iter()
            .copied()
            .zip(shares.iter().copied())
            .filter(|(_, s)| *s > 0.0)
            .collect();
        chosen.sort_unstable_by_key(|(j, _)| *j);
        let choice = |(j, share): (usize, f64)| {
            let project = &self.scenarios.returns()[j];
            let part = Money::from_minor((project.cost.minor() as f64 * share).floor() as i64, Currency::USD);
            let cost = if share < 1.0 { part } else { project.cost };
            SlateChoice { project: project.name.clone(), share, cost }
        };
        chosen.into_iter().map(choice).collect()
    }
}

/// Looks for any slate that keeps all rules: the cheapest, or where that is too risky or breaks one, by a search for the
/// least risk that stops at the first under the cap (or after so many nodes, where they are limited).
fn feasible(problem: &Problem<'_>, most_nodes: Option<u64>, control: &Control) -> Feasible {
    let start = problem.cheapest();
    let allowed = problem.allows(&start);
    if allowed && problem.evaluate(&start).objective > f64::NEG_INFINITY {
        return Feasible::Slate(start);
    }
    let cap = problem.goal.cap;
    let capped = cap < f64::INFINITY;
    let safest = Problem {
        numbers: problem.numbers,
        least_share: problem.least_share.clone(),
        fixed: problem.fixed.clone(),
        rules: problem.rules.clone(),
        goal: Goal::new(0.0, if capped { 1.0 } else { 0.0 }, f64::INFINITY),
    };
    let enough = if capped { -cap } else { 0.0 };
    let start = allowed.then_some(start.as_slice());
    let begin = Begin { start, enough: Some(enough), most_nodes, ..Begin::default() };
    let found = search(&safest, begin, control);
    match found.best {
        Some(best) if problem.evaluate(&best.shares).objective > f64::NEG_INFINITY => {
            Feasible::Slate(best.shares)
        }
        best if !found.finished && found.bound >= enough => {
            Feasible::Unknown { least_risk: best.map(|b| b.risk) }
        }
        _ => Feasible::Nowhere,
    }
}

fn cents(amount: i128) -> Result<Money, InvestError> {
    let minor = i64::try_from(amount).map_err(|_| marquee_domain::DomainError::Overflow)?;
    Ok(Money::from_minor(minor, Currency::USD))
}

#[cfg(test)]
#[path = "slate_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "brute_tests.rs"]
mod brute_tests;
