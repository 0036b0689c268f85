//! From a forecast to money, risk and a slate that can be defended.
//!
//! The way through: a [`Deal`] (editable, dated assumptions) and a project's cost make a [`Waterfall`]; a [`Simulation`]
//! draws joint outcomes of all [`Candidate`]s and pays each through its waterfall into a matrix of profits,
//! [`Scenarios`]; [`SlateRules`] choose whole projects from that matrix, exactly.
//!
//! What is *not* here: forecasting (a `marquee_domain::Forecast` comes in as a value), files, clocks, and any figure that
//! was fitted to reported profits. Every profit is **gross-implied**: it follows from a gross and an assumed deal. All
//! money is US dollars, nominal, undiscounted, over the whole run (cinemas and the ancillary windows together).
//!
//! | File | Holds |
//! |---|---|
//! | `deal` | the assumptions, read from TOML and checked |
//! | `waterfall` | who is paid from a gross, in which order, to the cent |
//! | `simulate` | correlated scenarios and each project's return |
//! | `risk` | conditional value at risk, quantiles |
//! | `slate`, `search`, `relaxation`, `simplex` | the choice: rules and answer, branch and bound, its cuts, its linear programs |
//! | `options` | the worth of deciding later: stage gates, and the contracts by which their methods are judged |
//! | `allocation`, `elasticity` | how much to spend on development, production and marketing, and how little data say it |
//! | `why` | a reason for each project, chosen or not |

mod allocation;
mod deal;
mod elasticity;
mod error;
pub mod options;
mod relaxation;
mod risk;
mod search;
mod simplex;
mod simulate;
mod slate;
mod waterfall;
mod why;

pub use allocation::{
    Allocation, AllocationAnswer, AllocationOutcome, BestSpend, Bound, Bucket, ElasticityCase, PlannedSpend,
    SpendingProject,
};
pub use deal::{AssumptionRow, Deal, MarketingPlan};
pub use elasticity::{Elasticity, ElasticityEstimate, FittedElasticity, Observed, estimate_elasticity};
pub use error::InvestError;
pub use simulate::{Candidate, ProjectReturn, Scenarios, Simulation};
pub use slate::{Infeasible, Objective, Outcome, SlateAnswer, SlateRules};
pub use waterfall::{Cost, Payout, Waterfall};
pub use why::{Reason, Why};
