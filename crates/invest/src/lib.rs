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
//! | `portfolio` | assets held in any share: mean-variance, mean-CVaR, the frontier, from any price table |
//! | `why` | a reason for each project, chosen or not |

mod deal;
mod error;
pub mod portfolio;
mod relaxation;
mod risk;
mod search;
mod simplex;
mod simulate;
mod slate;
mod waterfall;
mod why;

pub use deal::{AssumptionRow, Deal, MarketingPlan};
pub use error::InvestError;
pub use simulate::{Candidate, ProjectReturn, Scenarios, Simulation};
pub use slate::{Infeasible, Objective, Outcome, SlateAnswer, SlateRules};
pub use waterfall::{Cost, Payout, Waterfall};
pub use why::{Reason, Why};
