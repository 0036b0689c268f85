//! From a forecast to money, risk and a slate that can be defended.
//!
//! The way through: a [`Deal`] (editable, dated assumptions and terms) says who is paid what when. A [`Simulation`] draws
//! joint outcomes of all [`Candidate`]s; as one profit a project they are the [`Scenarios`] from which [`SlateRules`] choose
//! projects, whole or in part, exactly; through the [`Waterfall`], to the cent, they are each participant's [`Worth`].
//!
//! What is *not* here: forecasting (a `marquee_domain::Forecast` comes in as a value), files, clocks, and any figure that
//! was fitted to reported profits. Every profit is **gross-implied**: it follows from a gross and an assumed deal. All
//! money is US dollars, nominal, over the whole run (cinemas and later windows together); undiscounted but where a net
//! present value says so.
//!
//! | File | Holds |
//! |---|---|
//! | `deal` | assumptions and terms, read from TOML and checked |
//! | `waterfall` | one outcome paid to everybody, by quarter, to the cent |
//! | `simulate` | outcomes that move together, events that strike, each project's return |
//! | `value` | what a project is worth to each participant, what each risk costs |
//! | `attribution` | what was made against what was projected, and why |
//! | `replay` | what a year's choices would have made, by the grosses that came |
//! | `risk` | conditional value at risk, quantiles |
//! | `slate` | the choice: what is asked and answered |
//! | `slate::rules`, `slate::check` | every rule as linear rows over the projects; rules that cannot be meant |
//! | `slate::problem`, `slate::relaxation` | the choice as numbers, and its cuts |
//! | `slate::search`, `slate::improve` | branch and cut; good slates by rounding and exchange |
//! | `slate::why`, `slate::fixes` | a reason for each project; the smallest change where no slate keeps the rules |
//! | `slate::frontier` | efficient slates, the next film in and the next film out |
//! | `simplex` | linear programs, for slates and portfolios |
//! | `options` | the worth of deciding later: stage gates, and the contracts by which their methods are judged |
//! | `allocation`, `elasticity` | how much to spend on development, production and marketing, and how little data say it |
//! | `portfolio` | assets held in any share: mean-variance, mean-CVaR, the frontier, from any price table |

mod allocation;
mod attribution;
mod deal;
mod elasticity;
mod error;
pub mod options;
pub mod portfolio;
mod replay;
mod risk;
mod simplex;
mod simulate;
mod slate;
mod value;
mod waterfall;

pub use allocation::{
    Allocation, AllocationAnswer, AllocationOutcome, BestSpend, Bound, Bucket, ElasticityCase, PlannedSpend,
    SpendingProject,
};
pub use attribution::{Actual, Attribution, Cause};
pub use deal::{AssumptionRow, Deal, IncentiveKind, Kind, MarketingPlan, RiskKind};
pub use elasticity::{Elasticity, ElasticityEstimate, FittedElasticity, Observed, estimate_elasticity};
pub use error::InvestError;
pub use replay::{Film, Policy, Replayed, replay};
pub use simulate::{Candidate, CashQuarter, ProjectReturn, Scenarios, Simulation, Stress, Together};
pub use slate::{
    AtMost, Constraint, Enough, Fix, Frontier, FrontierSlate, Infeasible, Limit, LimitBy, NextFilms,
    Objective, Outcome, Reason, Requires, SlateAnswer, SlateChange, SlateRules, SpendLimit, Tentpoles, Why,
};
pub use value::{CurvePoint, RiskEffect, Valuation, Worth};
pub use waterfall::{Costs, Flows, Measures, Quarter, Scenario, Waterfall};
