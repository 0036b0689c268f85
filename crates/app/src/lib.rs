//! The use cases: one file for each thing that a user can ask, in `use_cases`.
//!
//! A use case takes the ports it uses and a [`Permit`], fetches from the catalogue and the platform, lets the rooms
//! compute on one bounded pool (async stops here), and joins their answers. Use cases do not call each other; what
//! several of them stand on lies beside this file: the [`Workspace`] (where things are kept), [`asked`] (what is asked
//! about), [`Knowledge`] (facts in order, and models), [`forecasting`] and [`choosing`].

pub mod asked;
pub mod bench;
pub mod choosing;
pub mod cpu;
mod error;
pub mod forecasting;
mod hex;
pub mod knowledge;
pub mod learners;
pub mod models;
mod office;
mod recent;
pub mod recorded;
pub mod use_cases;
pub mod watching;
pub mod work;
mod workspace;

pub use error::AppError;
pub use knowledge::Knowledge;
pub use marquee_platform::Permit;
pub use office::{Office, OfficeSettings};
pub use workspace::Workspace;

/// The bundled film table, as `data/README.md` describes it: CSV, 3,201 films.
pub const BUNDLED_FILMS: &[u8] = include_bytes!("../../../data/films.csv");

/// What the office is made of.
pub mod platform {
    pub use marquee_platform::*;
}

/// What requests and answers are made of, from the rooms and ports below: a caller needs no other crate than this one and
/// the domain.
pub mod types {
    pub use marquee_catalogue::{
        IngestReport, IssueFilter, Merge, SourceIssue, SqlAnswer, SqlLimits, TitleQuery, TitleRow, TitleSort,
    };
    pub use marquee_forecast::awards::{AwardForecast, AwardsTest, Chance, NominationsRow, WinsRow};
    pub use marquee_forecast::backtest::{Backtest, Row};
    pub use marquee_forecast::drift::Drift;
    pub use marquee_forecast::features::{Numeric, numbers};
    pub use marquee_forecast::games::Game;
    pub use marquee_forecast::score::{Difference, Prediction, Reliability, Score, TierCoverage, Versus};
    pub use marquee_forecast::streaming::{Baseline, StreamingForecast, StreamingTest};
    pub use marquee_forecast::table::{Guess, TableForecast, TableRow, TableTest};
    pub use marquee_forecast::tune::{Contest, PeriodScore, Trial};
    pub use marquee_forecast::weeks::{Week, WeeksTest};
    pub use marquee_forecast::what_if::{Change, Swing, Weekend};
    pub use marquee_forecast::{Card, Errors, Unheard};
    pub use marquee_invest::options::{AbandonBelow, Expand, GateAnswer, Sequel, Stage, Wait};
    pub use marquee_invest::portfolio::{
        Bounds, CvarProblem, Holding, Mandate, Outcome as PortfolioOutcome, Portfolio, Problem, Repair,
    };
    pub use marquee_invest::{
        Actual, AllocationAnswer, AllocationOutcome, AtMost, Attribution, BestSpend, Bucket, Candidate,
        Cause, CurvePoint, Deal, ElasticityEstimate, Enough, Frontier, FrontierSlate, Infeasible, Kind,
        Limit, LimitBy, NextFilms, Objective, Outcome, Policy, ProjectReturn, Replayed, Requires, RiskEffect,
        RiskKind, Simulation, SlateAnswer, SlateChange, SlateRules, SpendLimit, Stress, Tentpoles, Together,
        Valuation, Why, Worth,
    };
    pub use marquee_learn::MemberReport;
    pub use marquee_learn::judge::Estimate;
    pub use marquee_platform::{Entry, Head};
}
