//! What a portfolio may hold, and why no portfolio can: bounds, group limits, and the smallest fix of each.
//!
//! What is *not* here: what a good portfolio is (`mean_variance`, `cvar`).

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::estimates::check_shape;
use super::polytope::Polytope;
use crate::InvestError;

/// The least and the most of each asset, as shares of the whole; below zero means sold short.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bounds {
    /// The same for every asset.
    All {
        /// The least share.
        lower: f64,
        /// The largest share.
        upper: f64,
    },
    /// Of each asset, in the order of their names.
    Each {
        /// The least shares.
        lower: Vec<f64>,
        /// The largest shares.
        upper: Vec<f64>,
    },
}

/// A limit on what some assets are together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What the group is called.
    pub name: String,
    /// The assets in it.
    pub members: Vec<String>,
    /// Together at least this share.
    pub at_least: Option<f64>,
    /// Together at most this share.
    pub at_most: Option<f64>,
}

/// What a portfolio may hold. Weights always add up to 1.
///
/// ```
/// use marquee_domain::Control;
/// use marquee_invest::portfolio::{Bounds, Estimates, Infeasible, Mandate, Outcome, Problem};
/// let names = vec!["bonds".to_owned(), "films".to_owned()];
/// let estimates = Estimates::new(names, vec![0.03, 0.12], vec![0.0025, 0.0, 0.0, 0.09])?;
/// let mandate = Mandate { bounds: Bounds::All { lower: 0.0, upper: 0.4 }, ..Mandate::default() };
/// let Outcome::Infeasible(why) = mandate.solve(&estimates, Problem::MinVolatility, &Control::default())? else {
///     panic!("two times 0.4 is not 1")
/// };
/// assert_eq!(why.to_string(), "the upper bounds add up to 0.8, weights to 1: raise each upper bound to at least 0.5");
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mandate {
    /// The least and the most of each asset.
    pub bounds: Bounds,
    /// Limits on groups of assets; groups may overlap.
    pub groups: Vec<Group>,
    /// What money earns without risk over the period of the returns: Sharpe ratios are above it.
    pub risk_free: f64,
}

impl Default for Mandate {
    /// Long only, without groups, above a risk-free rate of zero.
    fn default() -> Self {
        Self { bounds: Bounds::All { lower: 0.0, upper: 1.0 }, groups: vec![], risk_free: 0.0 }
    }
}

/// A group's limit, and where it must move for any portfolio to exist while all else stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupFix {
    /// The group.
    pub group: String,
    /// Whether it is the group's upper limit; else its lower one.
    pub upper: bool,
    /// The limit.
    pub limit: f64,
    /// The nearest limit that leaves a portfolio.
    pub move_to: f64,
}

/// Why no portfolio keeps a mandate or reaches what was asked: what binds, and its smallest fix.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Infeasible {
    /// An asset's lower bound is above its upper one.
    BoundsCross {
        /// The asset.
        asset: String,
        /// Its lower bound: lower it,
        lower: f64,
        /// or raise its upper bound.
        upper: f64,
    },
    /// The upper bounds add up to less than 1.
    UpperBoundsTooLow {
        /// What they add up to.
        total: f64,
        /// Upper bounds below this, raised to it, suffice.
        raise_to: f64,
    },
    /// The lower bounds add up to more than 1.
    LowerBoundsTooHigh {
        /// What they add up to.
        total: f64,
        /// Lower bounds above this, lowered to it, suffice.
        lower_to: f64,
    },
    /// The groups' limits contradict each other or the bounds.
    Groups {
        /// Each limit that, moved alone, frees the rest; empty where more than one must move.
        fixes: Vec<GroupFix>,
    },
    /// No portfolio is expected to return so much.
    ReturnOutOfReach {
        /// What was asked: lower it to
        target: f64,
        /// the largest expected return.
        best: f64,
    },
    /// No portfolio is so quiet.
    VolatilityOutOfReach {
        /// What was asked: raise it to
        target: f64,
        /// the smallest volatility.
        least: f64,
    },
    /// No portfolio is expected to return more than money does without risk.
    NothingBeatsRiskFree {
        /// The risk-free rate: it would have to be below
        risk_free: f64,
        /// the largest expected return.
        best: f64,
    },
    /// A portfolio without risk returns more than the risk-free rate: no Sharpe ratio is the largest.
    RiskFreeTooLow {
        /// The risk-free rate: raise it to
        risk_free: f64,
        /// what is earned without risk.
        earned: f64,
    },
}

impl fmt::Display for Infeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let r = |x: &f64| (x * 1e6).round() / 1e6;
        match self {
            Self::BoundsCross { asset, lower, upper } => {
                write!(
                    f,
                    "the lower bound of `{asset}`, {lower}, is above its upper bound, {upper}: swap or move one"
                )
            }
            Self::UpperBoundsTooLow { total, raise_to } => {
                let (total, to) = (r(total), r(raise_to));
                write!(
                    f,
                    "the upper bounds add up to {total}, weights to 1: raise each upper bound to at least {to}"
                )
            }
            Self::LowerBoundsTooHigh { total, lower_to } => {
                let (total, to) = (r(total), r(lower_to));
                write!(
                    f,
                    "the lower bounds add up to {total}, weights to 1: lower each lower bound to at most {to}"
                )
            }
            Self::Groups { fixes } => write_groups(f, fixes),
            Self::ReturnOutOfReach { target, best } => {
                write!(f, "no portfolio is expected to return {target}: ask for at most {}", r(best))
            }
            Self::VolatilityOutOfReach { target, least } => {
                write!(f, "no portfolio has a volatility of {target} or less: allow at least {}", r(least))
            }
            Self::NothingBeatsRiskFree { risk_free, best } => write!(
                f,
                "no portfolio is expected to return more than {}, the risk-free rate is {risk_free}: lower it or widen \
                 the bounds",
                r(best)
            ),
            Self::RiskFreeTooLow { risk_free, earned } => write!(
                f,
                "a portfolio without risk returns {}, the risk-free rate is {risk_free}, so no Sharpe ratio is the \
                 largest: raise it to {}",
                r(earned),
                r(earned)
            ),
        }
    }
}

fn write_groups(f: &mut fmt::Formatter<'_>, fixes: &[GroupFix]) -> fmt::Result {
    write!(f, "the limits of the groups cannot be kept together")?;
    if fixes.is_empty() {
        return write!(f, ": more than one must move; drop some and ask again");
    }
    for (i, fix) in fixes.iter().enumerate() {
        let (word, side) = if fix.upper { ("raise", "at most") } else { ("lower", "at least") };
        let or = if i == 0 { ":" } else { ", or" };
        let to = (fix.move_to * 1e6).round() / 1e6;
        write!(f, "{or} {word} `{}` from {side} {} to {to}", fix.group, fix.limit)?;
    }
    Ok(())
}

/// One limit of a group as a row: `coefficients · w ≤ limit`, signs turned for a lower one.
struct Limit {
    group: String,
    upper: bool,
    coefficients: Vec<f64>,
    limit: f64,
}

impl Mandate {
    /// What is allowed of these assets.
    pub(super) fn allowed(&self, names: &[String]) -> Result<Result<Polytope, Infeasible>, InvestError> {
        check_shape("risk-free rate", &[self.risk_free], 1)?;
        let (lower, upper) = self.bounds_of(names.len())?;
        let limits = self.limits(names)?;
        if let Some(why) = contradiction(names, &lower, &upper) {
            return Ok(Err(why));
        }
        let free = Polytope::new(lower, upper);
        let with = |left_out: Option<usize>| {
            let kept = limits.iter().enumerate().filter(|(i, _)| Some(*i) != left_out);
            kept.fold(free.clone(), |p, (_, l)| p.with(l.coefficients.clone(), l.limit))
        };
        let all = with(None);
        if limits.is_empty() || !all.is_empty() {
            return Ok(Ok(all));
        }
        let fix = |(i, l): (usize, &Limit)| {
            let down: Vec<f64> = l.coefficients.iter().map(|c| -c).collect();
            let (least, _) = with(Some(i)).maximise(&down)?;
            let sign = if l.upper { 1.0 } else { -1.0 };
            Some(GroupFix {
                group: l.group.clone(),
                upper: l.upper,
                limit: sign * l.limit,
                move_to: -sign * least,
            })
        };
        Ok(Err(Infeasible::Groups { fixes: limits.iter().enumerate().filter_map(fix).collect() }))
    }

    fn bounds_of(&self, n: usize) -> Result<(Vec<f64>, Vec<f64>), InvestError> {
        let (lower, upper) = match &self.bounds {
            Bounds::All { lower, upper } => (vec![*lower; n], vec![*upper; n]),
            Bounds::Each { lower, upper } => (lower.clone(), upper.clone()),
        };
        check_shape("lower bounds", &lower, n)?;
        check_shape("upper bounds", &upper, n)?;
        Ok((lower, upper))
    }

    fn limits(&self, names: &[String]) -> Result<Vec<Limit>, InvestError> {
        let mut limits = vec![];
        for group in &self.groups {
            let known: BTreeSet<&String> = group.members.iter().collect();
            if let Some(name) = known.iter().find(|m| !names.contains(m)) {
                return Err(InvestError::UnknownAsset { group: group.name.clone(), name: (*name).clone() });
            }
            for (upper, limit) in [(true, group.at_most), (false, group.at_least)] {
                let Some(limit) = limit else { continue };
                check_shape("group limit", &[limit], 1)?;
                let sign = if upper { 1.0 } else { -1.0 };
                let coefficients = names.iter().map(|n| if known.contains(n) { sign } else { 0.0 }).collect();
                limits.push(Limit { group: group.name.clone(), upper, coefficients, limit: sign * limit });
            }
        }
        Ok(limits)
    }
}

/// Bounds that cross or do not allow a sum of 1.
fn contradiction(names: &[String], lower: &[f64], upper: &[f64]) -> Option<Infeasible> {
    if let Some(i) = (0..names.len()).find(|i| lower[*i] > upper[*i]) {
        return Some(Infeasible::BoundsCross { asset: names[i].clone(), lower: lower[i], upper: upper[i] });
    }
    let (least, most): (f64, f64) = (lower.iter().sum(), upper.iter().sum());
    if most < 1.0 - 1e-9 {
        return Some(Infeasible::UpperBoundsTooLow { total: most, raise_to: floor_for(upper, 1.0) });
    }
    if least > 1.0 + 1e-9 {
        let turned: Vec<f64> = lower.iter().map(|l| -l).collect();
        return Some(Infeasible::LowerBoundsTooHigh { total: least, lower_to: -floor_for(&turned, -1.0) });
    }
    None
}

/// The level to which all smaller values must rise for the sum to reach `total`.
fn floor_for(values: &[f64], total: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut rest: f64 = sorted.iter().sum();
    let mut below = 0.0;
    for (i, value) in sorted.iter().enumerate() {
        rest -= value;
        below += 1.0;
        let level = (total - rest) / below;
        if sorted.get(i + 1).is_none_or(|next| level <= *next) {
            return level;
        }
    }
    total
}
