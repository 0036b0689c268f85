//! Portfolios by expected return and conditional value at risk: the mean loss over the worst part of equally likely
//! scenarios, by R. T. Rockafellar and S. Uryasev (2000), with the scenario on the edge counted in part (`risk`).
//!
//! What is *not* here: where scenarios come from, and whole projects (`slate`). The answer is the optimum of the linear
//! program over all scenarios, with a gap that is proven by its multipliers and not taken from the solver.

use marquee_domain::Control;
use serde::Serialize;

use super::estimates::{check_names, check_shape};
use super::interior::{Program, Solution, minimise};
use super::mandate::{Infeasible, Mandate};
use super::mean_variance::{Outcome, SOLVED, portfolio};
use super::polytope::Polytope;
use super::structure::{add_scaled, dot};
use super::tail::TailProgram;
use crate::InvestError;
use crate::risk::Tail;
use crate::simplex::Row;

/// Equally likely joint returns of assets over one period, simple, as fractions.
///
/// ```
/// use marquee_domain::Control;
/// use marquee_invest::portfolio::{CvarProblem, Mandate, Outcome, ReturnScenarios};
/// let names = vec!["steady".to_owned(), "wild".to_owned()];
/// let scenarios = ReturnScenarios::new(names, &[0.01, 0.3, 0.02, -0.2, 0.01, 0.1, 0.0, 0.05])?;
/// let outcome = Mandate::default().solve_cvar(&scenarios, CvarProblem::MinCvar, 0.25, &Control::default())?;
/// let Outcome::Solved(best) = outcome else { panic!("it is feasible") };
/// // Steady's worst is 0 and wild's is −0.2, in different scenarios: with 7% in wild, neither loses.
/// assert!(best.cvar.is_some_and(|c| c < 0.0));
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnScenarios {
    names: Vec<String>,
    /// Scenario after scenario: returns over `unit`, then a 1 for the threshold.
    table: Vec<f64>,
    unit: f64,
    mean: Vec<f64>,
}

/// What a good portfolio is, by its tail.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CvarProblem {
    /// The smallest mean loss in the worst scenarios.
    MinCvar,
    /// The largest expected return less this risk aversion times that loss.
    MeanCvar(f64),
    /// The smallest such loss with an expected return of at least this.
    TargetReturn(f64),
}

impl ReturnScenarios {
    /// Scenarios from returns, scenario after scenario.
    ///
    /// # Errors
    /// [`InvestError::AssetName`] for a name that is blank or comes twice, [`InvestError::AssetShape`] where the returns
    /// are no whole number of scenarios or none, [`InvestError::Setting`] for a return that is not finite.
    pub fn new(names: Vec<String>, returns: &[f64]) -> Result<Self, InvestError> {
        check_names(&names)?;
        let n = names.len();
        let scenarios = (returns.len() / n.max(1)).max(1);
        check_shape("returns in scenarios", returns, scenarios * n)?;
        let square = returns.iter().map(|r| r * r).sum::<f64>() / returns.len() as f64;
        let unit = if square > 0.0 { square.sqrt() } else { 1.0 };
        let mut table = Vec::with_capacity(scenarios * (n + 1));
        let mut mean = vec![0.0; n];
        for line in returns.chunks(n) {
            add_scaled(&mut mean, 1.0 / scenarios as f64, line);
            table.extend(line.iter().map(|r| r / unit));
            table.push(1.0);
        }
        Ok(Self { names, table, unit, mean })
    }

    /// The assets' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many scenarios there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len() / (self.names.len() + 1)
    }

    /// Whether there is none; there always is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The mean return of each asset.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// A portfolio's return in each scenario; assets without a weight have none of it.
    #[must_use]
    pub fn returns(&self, weights: &[f64]) -> Vec<f64> {
        let mut weights = weights.to_vec();
        weights.resize(self.names.len(), 0.0);
        // The threshold's column counts for nothing.
        weights.push(0.0);
        self.table.chunks(weights.len()).map(|line| self.unit * dot(line, &weights)).collect()
    }

    /// Each asset's loss over scenarios weighted by `y`, which add up to `mass`.
    fn tilted_losses(&self, y: &[f64], mass: f64) -> Vec<f64> {
        let width = self.names.len() + 1;
        let mut sum = vec![0.0; width];
        y.iter().zip(self.table.chunks(width)).for_each(|(y, line)| add_scaled(&mut sum, *y, line));
        sum.pop();
        sum.iter().map(|s| -self.unit * s / mass).collect()
    }
}

impl Mandate {
    /// The best portfolio by its mean loss over the worst `tail` of the scenarios, in (0, 1).
    ///
    /// # Errors
    /// As [`Mandate::solve`], and [`InvestError::Setting`] for a tail that is not between 0 and 1.
    pub fn solve_cvar(
        &self,
        scenarios: &ReturnScenarios,
        problem: CvarProblem,
        tail: f64,
        control: &Control,
    ) -> Result<Outcome, InvestError> {
        if !(tail > 0.0 && tail < 1.0) {
            return Err(InvestError::Setting { name: "tail", value: tail, range: "above 0 and below 1" });
        }
        let (reward, aversion, target) = match problem {
            CvarProblem::MinCvar => (0.0, 1.0, None),
            CvarProblem::MeanCvar(aversion) => (1.0, aversion, None),
            CvarProblem::TargetReturn(target) => (0.0, 1.0, Some(target)),
        };
        if !(aversion.is_finite() && aversion >= 0.0) {
            return Err(InvestError::Setting {
                name: "risk aversion",
                value: aversion,
                range: "zero or more",
            });
        }
        let mut allowed = match self.allowed(&scenarios.names)? {
            Ok(allowed) => allowed,
            Err(why) => return Ok(Outcome::Infeasible(why)),
        };
        if let Some(target) = target {
            check_shape("target return", &[target], 1)?;
            let best = allowed.maximise(&scenarios.mean).map_or(f64::NEG_INFINITY, |(best, _)| best);
            if target > best {
                return Ok(Outcome::Infeasible(Infeasible::ReturnOutOfReach { target, best }));
            }
            allowed = allowed.with_return(&scenarios.mean, target);
        }
        let question =
            Question { scenarios, allowed, reward, aversion, tail: Tail::of(scenarios.len(), tail) };
        let (weights, gap) = question.solve(control)?;
        Ok(self.answer(&question, weights, gap))
    }

    fn answer(&self, question: &Question<'_>, weights: Vec<f64>, gap: f64) -> Outcome {
        let mut returns = question.scenarios.returns(&weights);
        let mean = dot(&question.scenarios.mean, &weights);
        let squares: f64 = returns.iter().map(|r| (r - mean).powi(2)).sum();
        let volatility = (squares / (returns.len() as f64 - 1.0).max(1.0)).sqrt();
        let figures = (mean, volatility, Some(question.tail.cvar(&mut returns)));
        let found = portfolio(&question.scenarios.names, weights, figures, (self.risk_free, gap));
        if gap <= SOLVED { Outcome::Solved(found) } else { Outcome::Unfinished(found) }
    }
}

/// minimise `aversion` × CVaR − `reward` × mean over what is allowed.
struct Question<'a> {
    scenarios: &'a ReturnScenarios,
    allowed: Polytope,
    reward: f64,
    aversion: f64,
    tail: Tail,
}

impl Question<'_> {
    /// The weights and the gap that is proven for them, relative to the objective or to the size of the returns.
    fn solve(&self, control: &Control) -> Result<(Vec<f64>, f64), InvestError> {
        let n = self.scenarios.names.len();
        if self.aversion == 0.0 {
            let corner = self.allowed.maximise(&self.scenarios.mean);
            return Ok(corner.map_or((self.allowed.inside(), f64::INFINITY), |(_, weights)| (weights, 0.0)));
        }
        let rows: Vec<Row> = self.allowed.rows.iter().map(with_threshold).collect();
        let program = self.program(&rows);
        let mut structure = TailProgram::new(&self.scenarios.table, n + 1, &rows);
        let solution = minimise(&mut structure, &program, control)?;
        let mut weights = solution.x[..n].to_vec();
        self.allowed.tidy(&mut weights);
        let gap = self.gap(&weights, &solution, rows.len());
        Ok((weights, gap))
    }

    /// In units of the returns' size, the excesses costing 1: a mass of scenarios each.
    fn program(&self, rows: &[Row]) -> Program {
        let ReturnScenarios { table, unit, mean, .. } = self.scenarios;
        let (n, scenarios, mass) = (mean.len(), self.scenarios.len(), self.tail.mass);
        let reward = self.reward / self.aversion * mass / unit;
        let mut cost: Vec<f64> = mean.iter().map(|m| -reward * m).collect();
        cost.push(mass);
        cost.resize(n + 1 + scenarios, 1.0);
        let mut start = self.allowed.inside();
        let losses: Vec<f64> = table.chunks(n + 1).map(|line| -dot(&line[..n], &start)).collect();
        let mut worst = losses.clone();
        let edge = self.tail.whole.min(scenarios - 1);
        let (_, threshold, _) = worst.select_nth_unstable_by(edge, |a, b| b.total_cmp(a));
        let threshold = *threshold;
        start.push(threshold);
        start.extend(losses.iter().map(|l| (l - threshold).max(0.0) + 0.3));
        let bounds = |weights: &[f64], threshold: f64, excess: f64| {
            let mut all = weights.to_vec();
            all.push(threshold);
            all.resize(n + 1 + scenarios, excess);
            all
        };
        let lower = bounds(&self.allowed.lower, f64::NEG_INFINITY, 0.0);
        let upper = bounds(&self.allowed.upper, f64::INFINITY, f64::INFINITY);
        let limits = rows.iter().map(|r| r.limit).chain(std::iter::repeat_n(0.0, scenarios)).collect();
        Program { cost, lower, upper, limits, weights: n, start }
    }

    /// CVaR is the largest mean loss over all weightings of the scenarios: any weighting bounds it from below by a linear
    /// function of the weights, whose least value over what is allowed no portfolio can beat.
    fn gap(&self, weights: &[f64], solution: &Solution, rows: usize) -> f64 {
        let (mass, mean, unit) = (self.tail.mass, &self.scenarios.mean, self.scenarios.unit);
        let (of_rows, of_scenarios) = solution.multipliers.split_at(rows);
        let mut slope = self.scenarios.tilted_losses(&weighting(of_scenarios, mass), mass);
        slope.iter_mut().zip(mean).for_each(|(s, m)| *s = self.aversion * *s - self.reward * m);
        // The program's unit of cost: a mass of scenarios over the returns' size.
        let prices: Vec<f64> = of_rows.iter().map(|y| y * self.aversion * unit / mass).collect();
        let bounded = dot(&slope, weights) - self.allowed.distance_from_best(&slope, &prices, weights);
        let risk = self.tail.cvar(&mut self.scenarios.returns(weights));
        let objective = self.aversion * risk - self.reward * dot(mean, weights);
        let size = objective.abs().max(1e-3 * (self.aversion + self.reward) * unit);
        (objective - bounded).max(0.0) / size
    }
}

/// A row on the weights, with nothing for the threshold.
fn with_threshold(row: &Row) -> Row {
    let mut coefficients = row.coefficients.clone();
    coefficients.push(0.0);
    Row { coefficients, limit: row.limit }
}

/// Multipliers made a weighting: each between 0 and 1, together `mass`.
fn weighting(multipliers: &[f64], mass: f64) -> Vec<f64> {
    let mut y: Vec<f64> = multipliers.iter().map(|m| m.clamp(0.0, 1.0)).collect();
    let total: f64 = y.iter().sum();
    if total > mass {
        y.iter_mut().for_each(|y| *y *= mass / total);
    } else {
        let share = (mass - total) / (y.len() as f64 - total).max(f64::MIN_POSITIVE);
        y.iter_mut().for_each(|y| *y += (1.0 - *y) * share);
    }
    y
}

#[cfg(test)]
#[path = "cvar_tests.rs"]
mod tests;
