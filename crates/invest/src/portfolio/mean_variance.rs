//! Portfolios by expected return and volatility, after H. Markowitz (1952).
//!
//! Every problem is a parametric one: least variance for an appetite u, minimise ½ w·Σw − u μ·w. Between changes of the
//! bounds that bind, μ·w is linear in u and the variance in u² (Markowitz 1956), so that the appetite of the largest
//! Sharpe ratio or of a volatility is found by a few secants, exactly once the last piece is reached, and any bounds will
//! do. (The homogenised program of G. Cornuejols and R. Tütüncü, *Optimization Methods in Finance* (2006), §8.2, gives the
//! same portfolio in one solve but couples all bounds, which would cost the structure.)
//!
//! What is *not* here: estimation (`prices`, `estimates`) and tail risk (`cvar`).

use marquee_domain::Control;
use serde::Serialize;

use super::estimates::Estimates;
use super::interior::{Program, Solution, minimise};
use super::mandate::{Infeasible, Mandate};
use super::polytope::Polytope;
use super::structure::{Quadratic, dot};
use crate::InvestError;

/// What a good portfolio is.
///
/// ```
/// use marquee_domain::Control;
/// use marquee_invest::portfolio::{Estimates, Mandate, Outcome, Problem};
/// let names = vec!["bonds".to_owned(), "films".to_owned()];
/// let estimates = Estimates::new(names, vec![0.04, 0.12], vec![0.01, 0.0, 0.0, 0.09])?;
/// let mandate = Mandate { risk_free: 0.02, ..Mandate::default() };
/// let Outcome::Solved(best) = mandate.solve(&estimates, Problem::MaxSharpe, &Control::default())? else {
///     panic!("it is feasible")
/// };
/// // Uncorrelated: each by its return above the risk-free rate over its variance, 2 to 10/9.
/// assert!((best.weights[0].weight - 2.0 / (2.0 + 10.0 / 9.0)).abs() < 1e-6);
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The smallest volatility.
    MinVolatility,
    /// The largest expected return above the mandate's risk-free rate for each unit of volatility.
    MaxSharpe,
    /// The smallest volatility with an expected return of at least this.
    TargetReturn(f64),
    /// The largest expected return with a volatility of at most this.
    TargetVolatility(f64),
    /// The largest expected return less half of this risk aversion times the variance.
    MaxUtility(f64),
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<T = Portfolio> {
    /// The best, to within the gap that it states.
    Solved(T),
    /// Rounding stopped the solver before its gap was small: the best found, with the gap that is proven. Returns of
    /// very different sizes do this; rescale them or narrow the bounds.
    Unfinished(T),
    /// Nothing keeps the mandate or reaches what was asked.
    Infeasible(Infeasible),
}

/// One asset's share of a portfolio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holding {
    /// The asset.
    pub name: String,
    /// Its share; below zero where it is sold short.
    pub weight: f64,
}

/// A portfolio and its figures, over one period of the returns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Portfolio {
    /// The expected return.
    #[serde(rename = "return")]
    pub expected_return: f64,
    /// The standard deviation of the return.
    pub volatility: f64,
    /// Expected return above the risk-free rate over volatility; none without volatility.
    pub sharpe: Option<f64>,
    /// The mean loss in the worst scenarios, where these were what was asked about.
    pub cvar: Option<f64>,
    /// Every asset's share, in the order of the assets; they add up to 1.
    pub weights: Vec<Holding>,
    /// The objective is at most this fraction from the best there is, by duality.
    pub gap: f64,
}

/// Larger proven gaps, relative to the objective, are unfinished.
pub(super) const SOLVED: f64 = 1e-6;
/// Objectives below this fraction of a typical variance are not resolved relatively.
const SMALLEST: f64 = 1e-7;
/// Variances below this fraction of a typical asset's are none.
const RISKLESS: f64 = 1e-12;

impl Mandate {
    /// The best portfolio for a problem.
    ///
    /// # Errors
    /// [`InvestError::AssetShape`] for bounds of another number of assets, [`InvestError::UnknownAsset`] for a group
    /// with an asset that is not there, [`InvestError::Setting`] for a figure that is not finite, or below zero where it
    /// may not be, and [`InvestError::Cancelled`] when `control` says stop.
    pub fn solve(
        &self,
        estimates: &Estimates,
        problem: Problem,
        control: &Control,
    ) -> Result<Outcome, InvestError> {
        problem.check()?;
        let allowed = match self.allowed(estimates.names())? {
            Ok(allowed) => allowed,
            Err(why) => return Ok(Outcome::Infeasible(why)),
        };
        let search = Search { estimates, allowed, risk_free: self.risk_free, control };
        search.solve(problem)
    }

    /// The efficient frontier: `points` portfolios from the smallest volatility to the largest expected return, evenly by
    /// expected return, each of the smallest volatility for its return. A point that rounding left unfinished makes the
    /// frontier unfinished.
    ///
    /// # Errors
    /// As [`Mandate::solve`], and [`InvestError::Setting`] for fewer than two points.
    pub fn frontier(
        &self,
        estimates: &Estimates,
        points: usize,
        control: &Control,
    ) -> Result<Outcome<Vec<Portfolio>>, InvestError> {
        if points < 2 {
            let range = "2 or more";
            return Err(InvestError::Setting { name: "points of the frontier", value: points as f64, range });
        }
        let allowed = match self.allowed(estimates.names())? {
            Ok(allowed) => allowed,
            Err(why) => return Ok(Outcome::Infeasible(why)),
        };
        Search { estimates, allowed, risk_free: self.risk_free, control }.frontier(points)
    }
}

impl Problem {
    fn check(self) -> Result<(), InvestError> {
        let (name, value, least) = match self {
            Self::MinVolatility | Self::MaxSharpe => return Ok(()),
            Self::TargetReturn(value) => ("target return", value, f64::MIN),
            Self::TargetVolatility(value) => ("target volatility", value, 0.0),
            Self::MaxUtility(value) => ("risk aversion", value, 0.0),
        };
        if value.is_finite() && value >= least {
            return Ok(());
        }
        let range = if least < 0.0 { "finite" } else { "zero or more" };
        Err(InvestError::Setting { name, value, range })
    }
}

struct Search<'a> {
    estimates: &'a Estimates,
    allowed: Polytope,
    risk_free: f64,
    control: &'a Control,
}

/// Weights with the gap, relative to the objective, that is proven for them.
#[derive(Clone)]
struct Found {
    weights: Vec<f64>,
    gap: f64,
}

impl Search<'_> {
    fn solve(&self, problem: Problem) -> Result<Outcome, InvestError> {
        let found = match problem {
            Problem::MinVolatility => self.least_variance(1.0, 0.0)?,
            Problem::MaxUtility(0.0) => self.boldest()?,
            Problem::MaxUtility(aversion) => self.least_variance(aversion, 1.0)?,
            Problem::TargetReturn(target) => {
                let best = self.mean(&self.largest_return());
                if target > best + 1e-12 * best.abs() {
                    return Ok(Outcome::Infeasible(Infeasible::ReturnOutOfReach { target, best }));
                }
                self.with_return(target)?
            }
            Problem::TargetVolatility(target) => match self.with_volatility(target)? {
                Ok(found) => found,
                Err(why) => return Ok(Outcome::Infeasible(why)),
            },
            Problem::MaxSharpe => match self.largest_sharpe()? {
                Ok(found) => found,
                Err(why) => return Ok(Outcome::Infeasible(why)),
            },
        };
        let solved = found.gap <= SOLVED;
        let portfolio = self.portfolio(&found);
        Ok(if solved { Outcome::Solved(portfolio) } else { Outcome::Unfinished(portfolio) })
    }

    fn frontier(&self, points: usize) -> Result<Outcome<Vec<Portfolio>>, InvestError> {
        let quietest = self.least_variance(1.0, 0.0)?;
        let (low, high) = (self.mean(&quietest), self.mean(&self.largest_return()));
        let mut found = vec![quietest];
        for point in 1..points {
            self.control.step("frontier", point as u64, points as u64);
            found.push(self.with_return(low + (high - low) * point as f64 / (points - 1) as f64)?);
        }
        let solved = found.iter().all(|f| f.gap <= SOLVED);
        let portfolios = found.iter().map(|f| self.portfolio(f)).collect();
        Ok(if solved { Outcome::Solved(portfolios) } else { Outcome::Unfinished(portfolios) })
    }

    fn mean(&self, found: &Found) -> f64 {
        self.estimates.expected_return(&found.weights)
    }

    /// The corner with the largest expected return.
    fn largest_return(&self) -> Found {
        let corner = self.allowed.maximise(self.estimates.mean());
        let weights = corner.map_or_else(|| self.allowed.inside(), |(_, weights)| weights);
        Found { weights, gap: 0.0 }
    }

    /// The least variance among all that have the largest expected return; under groups, a corner.
    fn boldest(&self) -> Result<Found, InvestError> {
        match self.allowed.best_face(self.estimates.mean()) {
            Some(face) => self.quadratic(&face, 1.0, 0.0),
            None => Ok(self.largest_return()),
        }
    }

    /// The least variance for an expected return of at least `target`, which is within reach.
    fn with_return(&self, target: f64) -> Result<Found, InvestError> {
        let best = self.mean(&self.largest_return());
        let worst = -self.allowed.maximise(&self.turned_mean()).map_or(best, |(value, _)| value);
        // The largest return leaves the solver no room.
        if target >= best - 1e-9 * (best - worst) {
            return self.boldest();
        }
        let allowed = self.allowed.clone().with_return(self.estimates.mean(), target);
        self.quadratic(&allowed, 1.0, 0.0)
    }

    fn turned_mean(&self) -> Vec<f64> {
        self.estimates.mean().iter().map(|m| -m).collect()
    }

    fn least_variance(&self, aversion: f64, reward: f64) -> Result<Found, InvestError> {
        self.quadratic(&self.allowed, aversion, reward)
    }

    /// minimise ½ `aversion` w·Σw − `reward` μ·w over `allowed`.
    fn quadratic(&self, allowed: &Polytope, aversion: f64, reward: f64) -> Result<Found, InvestError> {
        let (mean, spread) = (self.estimates.mean(), self.estimates.spread());
        let n = mean.len() as f64;
        // Weights add up to 1: a constant off every mean changes nothing but the scale.
        let middle = mean.iter().sum::<f64>() / n;
        let widest = mean.iter().map(|m| (m - middle).abs()).fold(0.0, f64::max);
        let typical = spread.variances().iter().sum::<f64>() / n;
        let unit = (aversion * typical + reward * widest).max(f64::MIN_POSITIVE);
        let cost: Vec<f64> = mean.iter().map(|m| reward * (middle - m) / unit).collect();
        let start = allowed.inside();
        let limits = allowed.rows.iter().map(|r| r.limit).collect();
        let (lower, upper) = (allowed.lower.clone(), allowed.upper.clone());
        let program = Program { cost, lower, upper, limits, weights: start.len(), start };
        let mut structure = Quadratic::new(spread, aversion / unit, &allowed.rows);
        let Solution { x: mut weights, multipliers } = minimise(&mut structure, &program, self.control)?;
        allowed.tidy(&mut weights);
        let mut slope = vec![0.0; weights.len()];
        spread.times(&weights, &mut slope);
        slope.iter_mut().for_each(|s| *s *= aversion / unit);
        let variance = dot(&slope, &weights);
        slope.iter_mut().zip(&program.cost).for_each(|(s, c)| *s += c);
        let objective = (0.5 * variance + dot(&program.cost, &weights)).abs().max(0.5 * variance);
        let gap = allowed.distance_from_best(&slope, &multipliers, &weights) / objective.max(SMALLEST);
        Ok(Found { weights, gap })
    }

    /// The largest expected return with a volatility of at most `target`.
    fn with_volatility(&self, target: f64) -> Result<Result<Found, Infeasible>, InvestError> {
        let quietest = self.least_variance(1.0, 0.0)?;
        let least = self.estimates.volatility(&quietest.weights);
        if target < least * (1.0 - 1e-9) {
            return Ok(Err(Infeasible::VolatilityOutOfReach { target, least }));
        }
        let boldest = self.boldest()?;
        if self.estimates.volatility(&boldest.weights) <= target {
            return Ok(Ok(boldest));
        }
        let over = |found: &Found, _: f64| self.estimates.variance(&found.weights) - target * target;
        self.appetite(quietest, over, |u| u * u, f64::sqrt).map(Ok)
    }

    fn largest_sharpe(&self) -> Result<Result<Found, Infeasible>, InvestError> {
        let best = self.mean(&self.largest_return());
        if best - self.risk_free <= 1e-12 {
            return Ok(Err(Infeasible::NothingBeatsRiskFree { risk_free: self.risk_free, best }));
        }
        let quietest = self.least_variance(1.0, 0.0)?;
        let typical = self.estimates.spread().variances().iter().sum::<f64>() / quietest.weights.len() as f64;
        let (earned, risk_free) = (self.mean(&quietest), self.risk_free);
        if earned - risk_free > 1e-6 * (best - risk_free)
            && self.estimates.variance(&quietest.weights) <= RISKLESS * typical
        {
            return Ok(Err(Infeasible::RiskFreeTooLow { risk_free, earned }));
        }
        // At the tangent u = variance / excess: below it u × excess falls short of the variance.
        let over = |found: &Found, u: f64| {
            u * (self.mean(found) - self.risk_free) - self.estimates.variance(&found.weights)
        };
        self.appetite(quietest, over, |u| u, |u| u).map(Ok)
    }

    /// The portfolio of the appetite u at which `over`, which rises through zero, is zero: secants (the Illinois rule,
    /// M. Dowell and P. Jarratt 1971) in `to(u)`, in which `over` is linear piece by piece.
    fn appetite(
        &self,
        quietest: Found,
        over: impl Fn(&Found, f64) -> f64,
        to: impl Fn(f64) -> f64,
        from: impl Fn(f64) -> f64,
    ) -> Result<Found, InvestError> {
        let mut low = (0.0, over(&quietest, 0.0));
        let size = low.1.abs().max(self.estimates.variance(&quietest.weights)).max(f64::MIN_POSITIVE);
        if low.1 >= 0.0 {
            return Ok(quietest);
        }
        let boldest = self.largest_return();
        let reach = (self.mean(&boldest) - self.mean(&quietest)).max(1e-12);
        let mut u = self.estimates.variance(&boldest.weights).max(size) / reach.max(self.mean(&boldest));
        let mut found = self.least_variance(1.0, u)?;
        let mut high = (to(u), over(&found, u));
        for _ in 0..40 {
            if high.1 >= 0.0 {
                break;
            }
            low = high;
            u *= 4.0;
            found = self.least_variance(1.0, u)?;
            high = (to(u), over(&found, u));
        }
        let mut same_side = 0;
        for _ in 0..60 {
            if high.1.min(-low.1) <= 0.0 || high.0 - low.0 <= 1e-12 * high.0 {
                break;
            }
            let at = (low.0 * high.1 - high.0 * low.1) / (high.1 - low.1);
            let u = from(at);
            found = self.least_variance(1.0, u)?;
            let value = over(&found, u);
            if value.abs() <= 1e-10 * size {
                break;
            }
            let (near, far) = if value < 0.0 { (&mut low, &mut high) } else { (&mut high, &mut low) };
            *near = (at, value);
            // An end that stays for a second time counts half.
            let side = if value < 0.0 { -1 } else { 1 };
            far.1 *= if side == same_side { 0.5 } else { 1.0 };
            same_side = side;
        }
        Ok(found)
    }

    fn portfolio(&self, found: &Found) -> Portfolio {
        let volatility = self.estimates.volatility(&found.weights);
        portfolio(
            self.estimates.names(),
            found.weights.clone(),
            (self.mean(found), volatility, None),
            (self.risk_free, found.gap),
        )
    }
}

/// Puts a portfolio's figures together: expected return, volatility and CVaR; risk-free rate and proven gap.
pub(super) fn portfolio(
    names: &[String],
    weights: Vec<f64>,
    (expected_return, volatility, cvar): (f64, f64, Option<f64>),
    (risk_free, gap): (f64, f64),
) -> Portfolio {
    let holding = |(name, weight): (&String, f64)| Holding { name: name.clone(), weight };
    Portfolio {
        expected_return,
        volatility,
        sharpe: (volatility > 1e-12).then(|| (expected_return - risk_free) / volatility),
        cvar,
        weights: names.iter().zip(weights).map(holding).collect(),
        gap,
    }
}

#[cfg(test)]
#[path = "mean_variance_tests.rs"]
mod tests;
