//! The one error of this crate: input that cannot be valued, with what to change.

use marquee_domain::{Cancelled, DomainError, Money};

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
        found: i64,
        /// The version that is understood.
        known: u32,
    },
    /// A figure of a deal outside its range.
    #[error("deal{}: `{key}` is {value}, it must be {range}", at_line(*line))]
    DealValue {
        /// The line of the text, from 1.
        line: Option<usize>,
        /// Table and key, for example `distribution.fee`.
        key: String,
        /// What was given.
        value: f64,
        /// What is allowed, in words.
        range: &'static str,
    },
    /// Two figures of a deal that contradict each other.
    #[error("deal{}: {said}", at_line(*line))]
    DealContradiction {
        /// The line of the text, from 1.
        line: Option<usize>,
        /// What contradicts what, and what to do.
        said: String,
    },
    /// Loans and equity of fixed amounts that exceed what they finance.
    #[error(
        "project `{project}`: loans and equity of {financed} are to finance {what} of {cost}; lower them in the deal"
    )]
    OverFinanced {
        /// The project.
        project: String,
        /// What they finance.
        what: &'static str,
        /// How much they come to.
        financed: Money,
        /// What it costs.
        cost: Money,
    },
    /// A stress test names an event that the deal does not have.
    #[error("no risk of the deal is called `{name}`; it has: {known}")]
    UnknownRisk {
        /// The name.
        name: String,
        /// The deal's risks.
        known: String,
    },
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
    /// A film without a stage.
    #[error("there is no stage to decide about; give at least one")]
    NoStages,
    /// A figure of a stage, a project or a row that is outside its range.
    #[error("`{name}` of `{whose}` is {value}, it must be {range}")]
    SettingOf {
        /// The stage, the project or the row.
        whose: String,
        /// The figure.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed, in words.
        range: &'static str,
    },
    /// Stages that do not reveal what there is to be known.
    #[error("what the stages reveal adds up to {sum}, it must be 1: by release the gross is known")]
    Shares {
        /// The sum of the stages' `reveals`.
        sum: f64,
    },
    /// Two spends of a project on one thing.
    #[error("`{project}` spends on {bucket} twice; give the sum")]
    SpentTwice {
        /// The project.
        project: String,
        /// On what.
        bucket: &'static str,
    },
    /// A price table that is not CSV text or has no assets.
    #[error("the price table, line {line}, {problem}")]
    PriceText {
        /// The line.
        line: u64,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A row of a price table with more or fewer fields than its header.
    #[error(
        "the price table, line {line}, has {found} fields, its header {expected}; leave a missing price blank"
    )]
    PriceRow {
        /// The line.
        line: u64,
        /// Its fields.
        found: usize,
        /// The header's.
        expected: usize,
    },
    /// A date of a price table that is none or comes out of order.
    #[error("the price table, line {line}: `{value}` {problem}")]
    PriceDay {
        /// The line.
        line: u64,
        /// What stands there.
        value: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// A price that is not a number above zero.
    #[error(
        "the price table, line {line}, column `{column}`: `{value}` is not a price above 0; correct it or leave it blank"
    )]
    PriceCell {
        /// The line.
        line: u64,
        /// The asset.
        column: String,
        /// What stands there.
        value: String,
    },
    /// An asset with too few prices to say anything of its returns.
    #[error("`{name}` has {found} prices, too few to tell its risk from; take it out or give more")]
    TooFewPrices {
        /// The asset.
        name: String,
        /// How many prices it has.
        found: usize,
    },
    /// Two assets that hardly trade on the same days.
    #[error(
        "`{first}` and `{second}` share {found} returns, two are needed to tell how they move together; take one out"
    )]
    TooFewShared {
        /// One asset.
        first: String,
        /// The other.
        second: String,
        /// How many rows both have returns in.
        found: usize,
    },
    /// An asset without a name, or with that of another.
    #[error("the asset name `{name}` is blank or comes twice; give each asset its own name")]
    AssetName {
        /// The name.
        name: String,
    },
    /// Figures of assets whose numbers do not agree.
    #[error(
        "there are {found} {what} where {expected} belong; give one for each asset (or pair, or scenario)"
    )]
    AssetShape {
        /// Which figures.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A group with an asset that is not among those to choose from.
    #[error("the group `{group}` names `{name}`, which is not among the assets")]
    UnknownAsset {
        /// The group.
        group: String,
        /// The name.
        name: String,
    },
}

fn at_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}
