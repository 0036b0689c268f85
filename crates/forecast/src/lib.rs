//! The forecasting room: what a film will gross, how sure that is, and why; and what a title on a weekly list of streaming
//! will be viewed.
//!
//! Facts in order go through the [`History`] fold; [`features`] look at a subject through it as of its day; a
//! [`ModelSpec`] fits a [`FittedModel`] on a [`Panel`] of settled titles; the model turns a [`Subject`] into a
//! [`marquee_domain::Forecast`]. [`backtest`] does the same on titles whose outcomes came later, beside simple baselines.
//!
//! On the same panel stand [`what_if`] (a plan changed, dated, shaken), [`weeks`] (a run week by week), [`drift`] (whether a
//! year's films still look like those before) and [`tune`] (which learner does best on later years). [`streaming`] has its
//! own view of its titles, the lists that they are on.
//!
//! The room is pure: it reads no file and no clock, and knows nothing of investing or of where facts are kept.

pub mod awards;
pub mod backtest;
mod calendar;
mod card;
mod comps;
pub mod drift;
mod error;
mod example;
pub mod features;
#[cfg(test)]
mod frozen;
pub mod games;
mod history;
mod model;
mod panel;
pub mod prices;
mod profile;
pub mod reception;
mod record;
mod run;
mod scope;
pub mod score;
pub mod streaming;
pub mod table;
pub mod tune;
pub mod weeks;
pub mod what_if;

pub use card::{Card, Errors};
pub use error::ForecastError;
pub use example::{Example, examples, usual_population};
pub use history::{History, Subject, Unheard, fold};
pub use model::{FittedModel, ModelSpec};
pub use panel::{Panel, empty_history, history_as_of};
pub use profile::Profile;
pub use record::{Expectation, Outcome, Record};
pub use run::has_charts;
pub use scope::{Scope, outcome_kinds};
