//! Marquee's vocabulary: what a title, an amount of money, a dated fact, a forecast and a slate *are*.
//!
//! Every other crate speaks in these types. They carry the rules that must never be broken, so that a value which
//! exists is a value that is right: money does not mix currencies or price years, quantiles are ordered, a probability
//! lies in [0, 1], a fact says when it became known. Nothing here does I/O, reads a clock or draws a random number.
//!
//! Read in this order: [`Fact`] (what is known, and since when), [`AsOf`] and [`Horizon`] (what a question may know),
//! [`Distribution`] and [`Forecast`] (what an answer is), [`Project`] and [`Slate`] (what is decided with it).

mod award;
mod class;
mod control;
mod day;
mod distribution;
mod error;
mod fact;
mod forecast;
mod issue;
mod money;
mod probability;
mod project;
mod title;
mod words;

pub use award::Award;
pub use class::{Class, Held};
pub use control::{Cancelled, Control, Progress};
pub use day::{AsOf, Day, FIRST_YEAR, LAST_YEAR};
pub use distribution::{Distribution, LEVELS};
pub use error::DomainError;
pub use fact::{Fact, FactKind, FactValue, RecordedAt, ValueType};
pub use forecast::{Comp, Driver, FeatureEffect, Forecast, Horizon, Opinion, Population, Provenance, Target};
pub use issue::{Action, Issue};
pub use money::{Budget, Currency, Gross, Money, PriceYear, Spend, StudioShare};
pub use probability::{Coverage, Probability, Weight};
pub use project::{Project, Return, Slate, SlateChoice};
pub use title::{Release, SourceId, Territory, Title, TitleId, Vertical, Window, normalise_title};
