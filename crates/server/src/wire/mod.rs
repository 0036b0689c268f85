//! What the outside sees: the JSON of the API and of the command line's `--json`, as types with a schema and an example
//! each.
//!
//! Written apart from the rooms' own types on purpose, with explicit conversions: renaming a field elsewhere changes
//! nothing here by accident. Amounts are US dollars, nominal, unless a key says otherwise; days are `YYYY-MM-DD`. What is
//! not known or does not apply is `null` and not left out. The names of all types are also the names of their schemas, so
//! that no two of them may be alike.

mod asked;
mod basics;
mod error;
mod words;

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod backtest;
pub mod dates;
pub mod documents;
pub mod forecast;
pub mod ingest;
pub mod jobs;
pub mod models;
pub mod money;
pub mod project;
pub mod slate;
pub mod sql;
pub mod titles;
pub mod track;

pub use asked::Terms;
pub use basics::{Amount, Day, Interval, Quantiles};
pub use error::WireError;
pub use words::{Horizon, Population, Target};

#[cfg(test)]
mod tests;

/// What is said beside every figure of money.
pub const GROSS_IMPLIED: &str = "gross-implied: reckoned from grosses through assumed deal terms";
