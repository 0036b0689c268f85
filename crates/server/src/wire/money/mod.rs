//! Money: what of a gross reaches whom. All of it is gross-implied, through the terms of a deal; US dollars, nominal.

mod allocation;
mod asked;
mod option;
mod stages;
mod value;

use marquee_app::types::ProjectReturn;
use marquee_app::use_cases::stress::Stressed;
use serde::Serialize;
use utoipa::ToSchema;

pub use allocation::{
    Allocated, AllocationOutcome, BestSpend, ElasticityEstimate, FittedElasticity, ResponseCase, SpendOn,
    SpendingEvidence,
};
pub use asked::{AllocateRequest, OptionRequest, StressRequest, ValueRequest};
pub use option::{AbandonBelow, Gate, OptionAnswer, Right, SimulatedValue};
pub use stages::{CostPart, Stage, StageCost, StageExpand, StageSequel, StageWait};
pub use value::{
    CashPoint, OutsideShare, ParticipantKind, RiskEffect, RiskKind, Valuation, Valuations, Worth,
};

use crate::wire::{GROSS_IMPLIED, Quantiles};

/// Profit and return of a project, of all who finance it and share in it. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "The Lighthouse Keeper",
    "note": "gross-implied: reckoned from a gross through assumed deal terms",
    "budget_usd": 25.0e6, "marketing_usd": 14.5e6, "marketing_assumed": true, "cost_usd": 40.1e6,
    "break_even_gross_usd": 77.3e6, "probability_above_break_even": 0.22,
    "mean_profit_usd": -9.2e6,
    "profit_usd": { "q05": -36.0e6, "q10": -34.5e6, "q25": -30.0e6, "q50": -19.6e6, "q75": 1.0e6, "q90": 32.0e6, "q95": 60.5e6 },
    "mean_roi": -0.23,
    "roi": { "q05": -0.9, "q10": -0.86, "q25": -0.75, "q50": -0.49, "q75": 0.02, "q90": 0.8, "q95": 1.51 },
    "loss_probability": 0.74, "cvar_usd": 37.2e6, "tail": 0.05
}))]
pub struct Returns {
    /// The project.
    pub name: String,
    /// What must be said beside these figures.
    #[schema(value_type = String)]
    pub note: &'static str,
    /// What it costs to make.
    pub budget_usd: f64,
    /// What it costs to release.
    pub marketing_usd: f64,
    /// Whether the marketing follows from the deal's rule because the project plans none.
    pub marketing_assumed: bool,
    /// Budget, marketing, and expenses of sale where the deal has any; as planned.
    pub cost_usd: f64,
    /// The worldwide gross whose income and incentives equal the cost.
    pub break_even_gross_usd: f64,
    /// The probability that the worldwide gross exceeds that, 0 to 1.
    pub probability_above_break_even: f64,
    /// The mean profit.
    pub mean_profit_usd: f64,
    /// Profit.
    pub profit_usd: Quantiles,
    /// Mean profit divided by cost: 0.1 is a tenth.
    pub mean_roi: f64,
    /// Profit divided by cost.
    pub roi: Quantiles,
    /// The probability that it loses money, 0 to 1.
    pub loss_probability: f64,
    /// The mean loss in the worst scenarios (CVaR): positive is a loss.
    pub cvar_usd: f64,
    /// The share of scenarios that counts as worst.
    pub tail: f64,
}

impl From<&ProjectReturn> for Returns {
    fn from(r: &ProjectReturn) -> Self {
        Self {
            name: r.name.clone(),
            note: "gross-implied: reckoned from a gross through assumed deal terms",
            budget_usd: r.budget.0.major(),
            marketing_usd: r.marketing.0.major(),
            marketing_assumed: r.marketing_assumed,
            cost_usd: r.cost.major(),
            break_even_gross_usd: r.break_even.0.major(),
            probability_above_break_even: r.above_break_even.get(),
            mean_profit_usd: r.mean_profit.major(),
            profit_usd: r.profit.into(),
            mean_roi: r.mean_roi.0,
            roi: r.roi.map(|x| x.0).into(),
            loss_probability: r.loss_probability.get(),
            cvar_usd: r.cvar.major(),
            tail: r.tail.get(),
        }
    }
}

/// What becomes of projects when events happen for certain, or forecasts are biased.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StressAnswer {
    /// What must be said beside these figures.
    #[schema(value_type = String)]
    pub note: &'static str,
    /// The tests; the first is of the projects as they are.
    pub tests: Vec<StressTest>,
}

/// All projects together, under one test.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StressTest {
    /// What the test is called.
    pub test: String,
    /// The risks of the deal that happen in every scenario; null for the projects as they are.
    pub certain: Option<Vec<String>>,
    /// By what fraction every gross is moved, −0.2 takes a fifth off; null for the projects as they are.
    pub forecast_bias: Option<f64>,
    /// What they cost together.
    pub cost_usd: f64,
    /// Their mean profit.
    pub mean_profit_usd: f64,
    /// Their profit.
    pub profit_usd: Quantiles,
    /// The probability that they lose money together, 0 to 1.
    pub loss_probability: f64,
    /// The mean loss in the worst scenarios (CVaR): positive is a loss.
    pub cvar_usd: f64,
    /// The share of scenarios that counts as worst.
    pub tail: f64,
    /// Each project.
    pub projects: Vec<Returns>,
}

impl From<&[Stressed]> for StressAnswer {
    fn from(tests: &[Stressed]) -> Self {
        Self { note: GROSS_IMPLIED, tests: tests.iter().map(StressTest::from).collect() }
    }
}

impl From<&Stressed> for StressTest {
    fn from(s: &Stressed) -> Self {
        let t = &s.together;
        Self {
            test: s.stress.as_ref().map_or("as they are", |s| s.name.as_str()).to_owned(),
            certain: s.stress.as_ref().map(|s| s.certain.clone()),
            forecast_bias: s.stress.as_ref().map(|s| s.forecast_bias),
            cost_usd: t.cost.major(),
            mean_profit_usd: t.mean_profit.major(),
            profit_usd: t.profit.into(),
            loss_probability: t.loss_probability.get(),
            cvar_usd: t.cvar.major(),
            tail: t.tail.get(),
            projects: s.returns.iter().map(Returns::from).collect(),
        }
    }
}
