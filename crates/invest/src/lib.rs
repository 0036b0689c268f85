//! From a forecast to money, risk and a slate that can be defended.
//!
//! The way through: a [`Deal`] (editable, dated assumptions) and a project's cost make a [`Waterfall`]; a [`Simulation`]
//! draws joint outcomes of all [`Candidate`]s and pays each through its waterfall into a matrix of profits,
//! [`Scenarios`]; [`SlateRules`] choose projects, whole or in part, from that matrix, exactly.
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
//! | `slate` | the choice: what is asked and answered |
//! | `slate::rules`, `slate::check` | every rule as linear rows over the projects; rules that cannot be meant |
//! | `slate::problem`, `slate::relaxation`, `slate::simplex` | the choice as numbers, its cuts, its linear programs |
//! | `slate::search`, `slate::improve` | branch and cut; good slates by rounding and exchange |
//! | `slate::why`, `slate::fixes` | a reason for each project; the smallest change where no slate keeps the rules |
//! | `slate::frontier` | efficient slates, the next film in and the next film out |

mod deal;
mod error;
mod risk;
mod simulate;
mod slate;
mod waterfall;

pub use deal::{AssumptionRow, Deal, MarketingPlan};
pub use error::InvestError;
pub use simulate::{Candidate, CashQuarter, ProjectReturn, Scenarios, Simulation};
pub use slate::{
    AtMost, Change, Constraint, Enough, Fix, Frontier, FrontierSlate, Infeasible, Limit, LimitBy, NextFilms,
    Objective, Outcome, Reason, Requires, SlateAnswer, SlateRules, SpendLimit, Tentpoles, Why,
};
pub use waterfall::{Cost, Payout, Waterfall};
