//! The slate: which whole projects to fund under a budget, by mean profit against the risk of the worst scenarios.
//!
//! Two objectives: mean profit less `risk_aversion` times CVaR, or mean profit with CVaR under a cap (R. T. Rockafellar and
//! S. Uryasev 2000). Risk is that of the slate as a whole in the joint scenarios, so that dependence counts. The choice is
//! exact, or comes with the gap that is proven. All money is gross-implied: US dollars, nominal, undiscounted.

use std::collections::BTreeSet;
use std::fmt;

use marquee_domain::{Control, Currency, Money, PriceYear, Slate, SlateChoice, Weight};
use serde::Serialize;

use crate::relaxation::{Goal, Point, Problem, by_scenario};
use crate::risk::{Tail, loss_share, mean, quantiles};
use crate::search::{Found, search};
use crate::why::{Why, reasons};
use crate::{InvestError, Scenarios};

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
/// use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project, Vertical, Weight};
/// use marquee_invest::{Candidate, Deal, Objective, Outcome, Simulation, SlateRules};
/// # fn project(name: &str, budget: f64) -> Result<Project, Box<dyn std::error::Error>> { Ok(Project {
/// #     name: name.into(), vertical: Vertical::Film, release: "2010-07-02".parse()?,
/// #     budget: Budget(Money::from_major(budget, Currency::USD)?), marketing: None, greenlit: None, genres: vec![],
/// #     language: None, countries: vec![], basis: None, creative_type: None, companies: vec![], distributor: None,
/// #     franchise: None, directors: vec![], cast: vec![], age_rating: None, runtime: None,
/// #     opening_theatres: None,
/// # }) }
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
    /// Time ran out before any slate under the cap on risk was found, or none was shown to exist.
    Undecided {
        /// The least risk (CVaR) that was found.
        least_found: Money,
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
    /// Whether no better slate exists, but for rounding (a billionth of the largest single project's mean or risk).
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

/// Why no slate keeps the rules: the constraint that binds and the smallest change that frees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Infeasible {
    /// The projects that must be in cost more than the budget.
    MustHaveOverBudget {
        /// What they cost together: raise the budget to this,
        cost: Money,
        /// The budget.
        budget: Money,
        /// or drop this one, the cheapest whose absence suffices; none where one alone does not.
        drop: Option<String>,
    },
    /// A project must be in and must not be in.
    MustHaveExcluded {
        /// Its name: take it off one of the two lists.
        project: String,
    },
    /// More projects must be in than the largest number.
    TooManyMustHave {
        /// How many must be in: raise the largest number to this.
        must_have: usize,
        /// The largest number.
        max_projects: usize,
    },
    /// The least number is above the largest.
    NumbersCross {
        /// The least number.
        min_projects: usize,
        /// The largest number.
        max_projects: usize,
    },
    /// There are fewer projects than the least number.
    TooFewProjects {
        /// The least number.
        min_projects: usize,
        /// How many are not excluded: lower the least number to this.
        available: usize,
    },
    /// Even the cheapest slate with the least number of projects costs more than the budget.
    TooFewAffordable {
        /// The least number.
        min_projects: usize,
        /// What the cheapest such slate costs: raise the budget to this,
        cheapest: Money,
        /// The budget.
        budget: Money,
        /// or lower the least number to this.
        affordable: usize,
    },
    /// No slate under the other rules has a risk within the cap.
    RiskOverCap {
        /// The least CVaR that such a slate can have: raise the cap to this.
        least: Money,
        /// The cap.
        cap: Money,
    },
}

impl fmt::Display for Infeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MustHaveOverBudget { cost, budget, drop } => {
                write!(
                    f,
                    "the projects that must be in cost {cost}, the budget is {budget}: raise it to {cost}"
                )?;
                drop.as_ref().map_or(Ok(()), |name| write!(f, " or drop `{name}`"))
            }
            Self::MustHaveExcluded { project } => {
                write!(f, "`{project}` must be in and is excluded: take it off one of the two lists")
            }
            Self::TooManyMustHave { must_have, max_projects } => write!(
                f,
                "{must_have} projects must be in, the largest number is {max_projects}: raise it to {must_have}"
            ),
            Self::NumbersCross { min_projects, max_projects } => write!(
                f,
                "the least number of projects, {min_projects}, is above the largest, {max_projects}: swap or drop one"
            ),
            Self::TooFewProjects { min_projects, available } => write!(
                f,
                "at least {min_projects} projects are asked for and {available} are available: lower it to {available}"
            ),
            Self::TooFewAffordable { min_projects, cheapest, budget, affordable } => write!(
                f,
                "the cheapest {min_projects} projects cost {cheapest}, the budget is {budget}: raise it to {cheapest} \
                 or ask for {affordable}"
            ),
            Self::RiskOverCap { least, cap } => write!(
                f,
                "every slate loses {least} or more on average in the worst scenarios, the cap is {cap}: raise it to \
                 {least}"
            ),
        }
    }
}

impl SlateRules {
    /// Rules with a budget and an objective, and nothing else: the exact best of any number of projects.
    #[must_use]
    pub fn new(budget: Money, objective: Objective) -> Self {
        Self {
            budget,
            objective,
            min_projects: None,
            max_projects: None,
            must_have: vec![],
            excluded: vec![],
            gap: 0.0,
        }
    }

    /// Chooses the best slate of whole projects. A deadline or cancellation of `control` ends the search early with
    /// [`Outcome::TimedOut`]: set one for more than some forty projects, where proving the last thousandth can take long.
    ///
    /// # Errors
    /// [`InvestError::Currency`] for a budget or cap not in nominal US dollars, [`InvestError::UnknownProject`] for a
    /// name that no candidate has, [`InvestError::Setting`] for a gap below 0 or not a number.
    pub fn choose(&self, scenarios: &Scenarios, control: &Control) -> Result<Outcome, InvestError> {
        self.check(scenarios)?;
        // Names order the projects, so that the order in which they come cannot decide between equals.
        let mut order: Vec<usize> = (0..scenarios.projects()).collect();
        order.sort_by(|a, b| scenarios.returns()[*a].name.cmp(&scenarios.returns()[*b].name));
        let problem = self.problem(scenarios, &order);
        if let Some(reason) = self.infeasible(scenarios, &problem, &order)? {
            return Ok(Outcome::Infeasible(reason));
        }
        let start = match self.start(&problem, control)? {
            Start::From(start) => start,
            Start::Ends(outcome) => return Ok(*outcome),
        };
        let found = search(&problem, &start, self.gap, control);
        let Some(best) = &found.best else {
            return Ok(Outcome::Undecided { least_found: usd(problem.evaluate(&start).risk)? });
        };
        let answer = answer(scenarios, &problem, &order, &found, best)?;
        Ok(if found.finished { Outcome::Chosen(answer) } else { Outcome::TimedOut(answer) })
    }

    fn check(&self, scenarios: &Scenarios) -> Result<(), InvestError> {
        if !(self.gap >= 0.0 && self.gap.is_finite()) {
            return Err(InvestError::Setting { name: "gap", value: self.gap, range: "zero or more" });
        }
        let cap = match self.objective {
            Objective::MeanUnderCap { cvar_cap } => Some(("the cap on risk", cvar_cap)),
            Objective::MeanLessRisk { .. } => None,
        };
        for (what, money) in [("the slate's budget", self.budget)].into_iter().chain(cap) {
            if money.currency() != Currency::USD || money.price_year() != PriceYear::Nominal {
                return Err(InvestError::Currency { what: what.to_owned(), amount: money.to_string() });
            }
        }
        let known: BTreeSet<&str> = scenarios.returns().iter().map(|r| r.name.as_str()).collect();
        for (rule, names) in [("must_have", &self.must_have), ("excluded", &self.excluded)] {
            if let Some(name) = names.iter().find(|n| !known.contains(n.as_str())) {
                return Err(InvestError::UnknownProject { rule, name: name.clone() });
            }
        }
        Ok(())
    }

    fn problem<'a>(&self, scenarios: &'a Scenarios, order: &[usize]) -> Problem<'a> {
        let columns: Vec<&[f64]> = order.iter().map(|j| scenarios.profits(*j)).collect();
        let tail = Tail::of(scenarios.len(), scenarios.tail().get());
        let fixed = order.iter().map(|j| {
            let name = &scenarios.returns()[*j].name;
            let (must, out) = (self.must_have.contains(name), self.excluded.contains(name));
            if must { Some(true) } else { out.then_some(false) }
        });
        let goal = match self.objective {
            Objective::MeanLessRisk { risk_aversion } => {
                Goal { reward: 1.0, aversion: risk_aversion.get(), cap: f64::INFINITY }
            }
            Objective::MeanUnderCap { cvar_cap } => {
                Goal { reward: 1.0, aversion: 0.0, cap: cvar_cap.major() }
            }
        };
        Problem {
            mean: columns.iter().map(|c| mean(c)).collect(),
            risk: columns.iter().map(|c| tail.cvar(&mut c.to_vec())).collect(),
            cost: order.iter().map(|j| scenarios.returns()[*j].cost.minor()).collect(),
            budget: self.budget.minor(),
            least: self.min_projects.unwrap_or(0),
            most: self.max_projects.unwrap_or(usize::MAX),
            fixed: fixed.collect(),
            rows: by_scenario(&columns),
            columns,
            goal,
            tail,
        }
    }

    /// Whether budget, numbers and names contradict each other; risk is not looked at.
    fn infeasible(
        &self,
        scenarios: &Scenarios,
        problem: &Problem<'_>,
        order: &[usize],
    ) -> Result<Option<Infeasible>, InvestError> {
        if let Some(project) = self.must_have.iter().find(|n| self.excluded.contains(n)) {
            return Ok(Some(Infeasible::MustHaveExcluded { project: project.clone() }));
        }
        let must: Vec<usize> = (0..problem.len()).filter(|j| problem.fixed[*j] == Some(true)).collect();
        let available = problem.fixed.iter().filter(|f| **f != Some(false)).count();
        let (least, most) = (problem.least, problem.most);
        if least > most {
            return Ok(Some(Infeasible::NumbersCross { min_projects: least, max_projects: most }));
        }
        if must.len() > most {
            return Ok(Some(Infeasible::TooManyMustHave { must_have: must.len(), max_projects: most }));
        }
        if available < least {
            return Ok(Some(Infeasible::TooFewProjects { min_projects: least, available }));
        }
        let costs = cheapest_costs(problem);
        let over = |cost: i128| cost > i128::from(problem.budget);
        let needed = costs.first().copied().unwrap_or(0);
        if over(needed) && !must.is_empty() {
            let excess = needed - i128::from(problem.budget);
            let enough = must.iter().filter(|j| i128::from(problem.cost[**j]) >= excess);
            let drop = enough.min_by_key(|j| problem.cost[**j]);
            let drop = drop.map(|j| scenarios.returns()[order[*j]].name.clone());
            return Ok(Some(Infeasible::MustHaveOverBudget {
                cost: cents(needed)?,
                budget: self.budget,
                drop,
            }));
        }
        let cheapest = costs.get(least.saturating_sub(must.len())).copied().unwrap_or(needed);
        if over(cheapest) {
            let affordable = costs.iter().filter(|c| !over(**c)).count().saturating_sub(1) + must.len();
            let cheapest = cents(cheapest)?;
            let budget = self.budget;
            let reason = Infeasible::TooFewAffordable { min_projects: least, cheapest, budget, affordable };
            return Ok(Some(reason));
        }
        Ok(None)
    }

    /// A slate that keeps all rules: the cheapest, or where that is too risky the least risky.
    fn start(&self, problem: &Problem<'_>, control: &Control) -> Result<Start, InvestError> {
        let mut start: Vec<bool> = problem.fixed.iter().map(|f| *f == Some(true)).collect();
        let missing = problem.least.saturating_sub(start.iter().filter(|x| **x).count());
        for j in by_cost(problem).into_iter().take(missing) {
            start[j] = true;
        }
        if problem.evaluate(&start).risk <= problem.goal.cap {
            return Ok(Start::From(start));
        }
        let goal = Goal { reward: 0.0, aversion: 1.0, cap: f64::INFINITY };
        let safest = Problem {
            columns: problem.columns.clone(),
            rows: problem.rows.clone(),
            mean: problem.mean.clone(),
            risk: problem.risk.clone(),
            cost: problem.cost.clone(),
            fixed: problem.fixed.clone(),
            goal,
            ..*problem
        };
        let found = search(&safest, &start, 0.0, control);
        let best = found.best.unwrap_or_else(|| safest.evaluate(&start));
        if best.risk <= problem.goal.cap {
            return Ok(Start::From(best.chosen));
        }
        if -found.bound <= problem.goal.cap {
            return Ok(Start::Ends(Box::new(Outcome::Undecided { least_found: usd(best.risk)? })));
        }
        let reason = Infeasible::RiskOverCap { least: usd(best.risk)?, cap: usd(problem.goal.cap)? };
        Ok(Start::Ends(Box::new(Outcome::Infeasible(reason))))
    }
}

enum Start {
    From(Vec<bool>),
    Ends(Box<Outcome>),
}

/// Free projects, cheapest first.
fn by_cost(problem: &Problem<'_>) -> Vec<usize> {
    let mut free: Vec<usize> = (0..problem.len()).filter(|j| problem.fixed[*j].is_none()).collect();
    free.sort_by_key(|j| problem.cost[*j]);
    free
}

/// What the projects that must be in cost with none, one, two … of the cheapest others, in cents.
fn cheapest_costs(problem: &Problem<'_>) -> Vec<i128> {
    let must = problem.fixed.iter().zip(&problem.cost).filter(|(f, _)| **f == Some(true));
    let mut cost: i128 = must.map(|(_, c)| i128::from(*c)).sum();
    let mut costs = vec![cost];
    for j in by_cost(problem) {
        cost += i128::from(problem.cost[j]);
        costs.push(cost);
    }
    costs
}

fn answer(
    scenarios: &Scenarios,
    problem: &Problem<'_>,
    order: &[usize],
    found: &Found,
    best: &Point,
) -> Result<SlateAnswer, InvestError> {
    let mut chosen: Vec<usize> = (0..order.len()).filter(|j| best.chosen[*j]).map(|j| order[j]).collect();
    chosen.sort_unstable();
    let choices = chosen.iter().map(|j| &scenarios.returns()[*j]);
    let choices: Vec<SlateChoice> =
        choices.map(|r| SlateChoice { project: r.name.clone(), share: 1.0, cost: r.cost }).collect();
    let shares: Vec<f64> = best.chosen.iter().map(|x| f64::from(u8::from(*x))).collect();
    let mut joint = problem.profits(&shares);
    joint.sort_unstable_by(f64::total_cmp);
    let mut profit = [Money::from_minor(0, Currency::USD); 7];
    for (money, amount) in profit.iter_mut().zip(quantiles(&joint)) {
        *money = usd(amount)?;
    }
    let slate = Slate {
        choices,
        cost: cents(problem.count_and_cost(&best.chosen).1)?,
        mean_profit: usd(best.mean)?,
        cvar: usd(best.risk)?,
        tail: scenarios.tail(),
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
        why: reasons(scenarios, problem, order, best)?,
        nodes: found.nodes,
        cuts: found.cuts,
    })
}

fn usd(amount: f64) -> Result<Money, InvestError> {
    Ok(Money::from_major(amount, Currency::USD)?)
}

fn cents(amount: i128) -> Result<Money, InvestError> {
    let minor = i64::try_from(amount).map_err(|_| marquee_domain::DomainError::Overflow)?;
    Ok(Money::from_minor(minor, Currency::USD))
}

#[cfg(test)]
#[path = "slate_tests.rs"]
mod tests;
