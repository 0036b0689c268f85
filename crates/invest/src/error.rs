//! The one error of this crate: input that cannot be valued, with what to change.

use marquee_domain::{Cancelled, DomainError};

/// Why a deal, a project or a slate's rules were refused. An infeasible slate is not an error but an
/// [`Outcome`](crate::Outcome).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvestError {
    /// A deal that is not TOML, misses a key or has one that is not known; the text names the line.
    #[error("the deal cannot be read: {0}")]
    DealText(String),
    /// A deal written for another version of this program.
    #[error("the deal has version {found}, this program reads version {known}; see the bundled default deal")]
    DealVersion {
        /// The version in the text.
        found: u32,
        /// The version that is understood.
        known: u32,
    },
    /// A figure of a deal outside its range.
    #[error("deal: `{key}` is {value}, it must be {range}")]
    DealValue {
        /// Table and key, for example `distribution.fee`.
        key: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed, in words.
        range: &'static str,
    },
    /// Two figures of a deal that contradict each other.
    #[error("deal: {0}")]
    DealContradiction(String),
    /// A project that was not forecast.
    #[error("project `{0}` has no forecast of its domestic or worldwide gross; forecast it first")]
    NoForecast(String),
    /// Two forecasts of one target for one project.
    #[error("project `{project}` has two forecasts of its {target} gross; give one")]
    TwoForecasts {
        /// The project's name.
        project: String,
        /// Which target.
        target: String,
    },
    /// Two projects of the same name: a slate names its projects.
    #[error("two projects are called `{0}`; give each its own name")]
    SameName(String),
    /// Money that is not in nominal US dollars, as forecasts are.
    #[error("{what}: {amount} is not in nominal US dollars, as forecasts are; convert it first")]
    Currency {
        /// Whose money, and which.
        what: String,
        /// The amount.
        amount: String,
    },
    /// A setting outside its range.
    #[error("`{name}` is {value}, it must be {range}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed, in words.
        range: &'static str,
    },
    /// A project named in a rule that is not among the candidates.
    #[error("`{name}` is named in `{rule}` but is not among the candidates")]
    UnknownProject {
        /// The rule.
        rule: &'static str,
        /// The name.
        name: String,
    },
    /// A rule of a slate that cannot be meant.
    #[error("the rule `{rule}` is {value}, it must be {range}")]
    Rule {
        /// The rule, for example `limits[0].at_most`.
        rule: String,
        /// What was given.
        value: String,
        /// What is allowed, in words.
        range: &'static str,
    },
    /// No candidate at all.
    #[error("there are no candidate projects to simulate; give at least one")]
    NoCandidates,
    /// The simulation was stopped before it was done.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// An amount or project that the vocabulary refuses.
    #[error(transparent)]
    Domain(#[from] DomainError),
}
