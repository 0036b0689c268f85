//! How much to spend on development, production and marketing, and how little the data say about it.

use marquee_app::types::{
    AllocationAnswer, AllocationOutcome as HouseOutcome, BestSpend as HouseSpend, Bucket,
    ElasticityEstimate as HouseEstimate,
};
use marquee_app::use_cases::allocate::Allocated as HouseAllocated;
use marquee_domain::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::words::words;

words! {
    /// What money is spent on.
    SpendOn = Bucket {
        /// Before anybody decides to make it.
        Development = "development",
        /// To make it.
        Production = "production",
        /// To release it.
        Marketing = "marketing",
    }
}

/// The best spending, and what goes with what in the data.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Allocated {
    /// The best spending by the responses that the deal assumes.
    pub allocation: AllocationOutcome,
    /// What goes with what in the data: no experiment, and no effect of spending.
    pub evidence: SpendingEvidence,
}

/// What came of looking for the best spending. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AllocationOutcome {
    /// The best spending.
    Best {
        /// What must be said beside these figures.
        #[schema(value_type = String)]
        note: &'static str,
        /// What is spent in all.
        total_usd: f64,
        /// The expected profit of that.
        profit_usd: f64,
        /// The expected profit as planned.
        planned_profit_usd: f64,
        /// What one more dollar of the cap brings; 0 without a cap that holds.
        another_dollar_of_cap_brings: f64,
        /// The totals whose expected profit is within 1% of the best: the least and the most.
        nearly_as_good_usd: [f64; 2],
        /// Each project's spends.
        spends: Vec<BestSpend>,
        /// What would be best if the responses were at a quantile of theirs.
        if_responses_are: Vec<ResponseCase>,
    },
    /// The cap is below the least that may be spent.
    CapTooLow {
        /// The cap.
        cap_usd: f64,
        /// The least that may be spent: half of every plan.
        least_usd: f64,
    },
}

/// How much is best to spend on one thing. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BestSpend {
    /// The project.
    pub project: String,
    /// On what.
    pub on: SpendOn,
    /// How much is planned.
    pub planned_usd: f64,
    /// How much is best.
    pub spend_usd: f64,
    /// The spends whose expected profit is within 1% of the best: the least and the most.
    pub nearly_as_good_usd: [f64; 2],
    /// Expected receipts that one more dollar brings.
    pub marginal: f64,
}

/// What would be best if the responses were at one of their quantiles. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ResponseCase {
    /// Which quantile: 0.05, 0.5 or 0.95.
    pub level: f64,
    /// The total that would then be best.
    pub best_total_usd: f64,
    /// Its expected profit.
    pub profit_usd: f64,
    /// What the answer loses against it.
    pub loss_usd: f64,
}

/// What goes with what in the data.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpendingEvidence {
    /// The worldwide gross with the budget.
    pub gross_on_budget: ElasticityEstimate,
    /// What the budget leaves of it with the theatres of the opening.
    pub residual_on_theatres: ElasticityEstimate,
}

/// A slope of the logarithm of a gross on that of a spend.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ElasticityEstimate {
    /// A slope and how wide it is.
    Estimated(FittedElasticity),
    /// Too little data for either.
    TooLittle {
        /// How many films there are.
        rows: usize,
        /// How many groups of films that fare alike they make.
        clusters: usize,
        /// What is missing.
        reason: String,
    },
}

/// A slope with its uncertainty.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FittedElasticity {
    /// Per cent of gross that go with one per cent of spend.
    pub slope: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The 95% interval.
    pub interval: [f64; 2],
    /// The share of the variance of the log gross that goes with the log spend.
    pub explained: f64,
    /// How many films.
    pub rows: usize,
    /// How many groups of films that fare alike.
    pub clusters: usize,
}

impl From<&HouseAllocated> for Allocated {
    fn from(found: &HouseAllocated) -> Self {
        Self {
            allocation: (&found.outcome).into(),
            evidence: SpendingEvidence {
                gross_on_budget: (&found.evidence.budget).into(),
                residual_on_theatres: (&found.evidence.theatres).into(),
            },
        }
    }
}

impl From<&HouseOutcome> for AllocationOutcome {
    fn from(outcome: &HouseOutcome) -> Self {
        match outcome {
            HouseOutcome::Best(answer) => best(answer),
            HouseOutcome::CapTooLow { cap, least } => {
                Self::CapTooLow { cap_usd: cap.major(), least_usd: least.major() }
            }
        }
    }
}

fn best(a: &AllocationAnswer) -> AllocationOutcome {
    let cases = a.cases.iter().map(|c| ResponseCase {
        level: c.level,
        best_total_usd: c.total.major(),
        profit_usd: c.profit.major(),
        loss_usd: c.loss.major(),
    });
    AllocationOutcome::Best {
        note: "gross-implied: reckoned from grosses through assumed deal terms and responses",
        total_usd: a.total.major(),
        profit_usd: a.profit.major(),
        planned_profit_usd: a.planned_profit.major(),
        another_dollar_of_cap_brings: a.worth_of_cap,
        nearly_as_good_usd: a.nearly_as_good.map(Money::major),
        spends: a.spends.iter().map(BestSpend::from).collect(),
        if_responses_are: cases.collect(),
    }
}

impl From<&HouseSpend> for BestSpend {
    fn from(s: &HouseSpend) -> Self {
        Self {
            project: s.project.clone(),
            on: s.bucket.into(),
            planned_usd: s.planned.major(),
            spend_usd: s.spend.major(),
            nearly_as_good_usd: s.nearly_as_good.map(Money::major),
            marginal: s.marginal,
        }
    }
}

impl From<&HouseEstimate> for ElasticityEstimate {
    fn from(estimate: &HouseEstimate) -> Self {
        match estimate {
            HouseEstimate::Estimated(f) => Self::Estimated(FittedElasticity {
                slope: f.slope,
                standard_error: f.standard_error,
                interval: f.interval,
                explained: f.explained,
                rows: f.rows,
                clusters: f.clusters,
            }),
            HouseEstimate::TooLittle { rows, clusters, reason } => {
                Self::TooLittle { rows: *rows, clusters: *clusters, reason: reason.clone() }
            }
        }
    }
}
