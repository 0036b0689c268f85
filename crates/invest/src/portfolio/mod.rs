//! Portfolios of assets that can be held in any share: mean-variance by H. Markowitz, "Portfolio Selection", *Journal of
//! Finance* 7 (1952), and mean-CVaR by R. T. Rockafellar and S. Uryasev (2000).
//!
//! What is *not* here: whole projects, which are a slate (`SlateRules`), and files. Returns are simple, as fractions of
//! what was put in, over one period.
//!
//! | File | Holds |
//! |---|---|
//! | `prices` | a table of prices, read and checked, and its estimates |
//! | `estimates` | expected returns and covariance, dense or by factors |
//! | `mandate` | what may be held, and why nothing can be |
//! | `mean_variance` | minimum volatility, maximum Sharpe ratio, targets, utility, the frontier |
//! | `cvar` | the same by the mean loss in the worst scenarios |
//! | `polytope` | the allowed weights: exact linear programs, proofs of gaps |
//! | `interior`, `structure`, `tail` | the interior-point method and the two matrices that it solves with |

mod cvar;
mod estimates;
mod interior;
mod mandate;
mod mean_variance;
mod polytope;
mod prices;
mod structure;
mod tail;

pub use cvar::{CvarProblem, ReturnScenarios};
pub use estimates::{Estimates, Repair};
pub use mandate::{Bounds, Group, GroupFix, Infeasible, Mandate};
pub use mean_variance::{Holding, Outcome, Portfolio, Problem};
pub use prices::PriceTable;
