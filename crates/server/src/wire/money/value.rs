//! What a project is worth to everybody who takes part in it.

use marquee_app::types::{Kind, RiskKind as HouseRiskKind};
use marquee_app::use_cases::value::Valued;
use marquee_domain::{Money, Probability};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::forecast::Forecast;
use crate::wire::words::words;
use crate::wire::{GROSS_IMPLIED, Quantiles};

words! {
    /// How somebody takes part in a film.
    ParticipantKind = Kind {
        /// Lends a principal and is repaid with interest.
        Loan = "loan",
        /// Invests, and is paid back with a premium.
        Equity = "equity",
        /// Pays a minimum guarantee on delivery for receipts of territories or windows.
        Guarantee = "guarantee",
        /// Takes a share of receipts off the top.
        Commission = "commission",
        /// Advances expenses of a sale.
        Expenses = "expenses",
        /// Worked for an amount that is paid later, from receipts.
        Deferral = "deferral",
        /// Has a share of what is left.
        Profit = "profit",
    }
}

words! {
    /// What sort of thing may go wrong.
    RiskKind = HouseRiskKind {
        /// Overrun and delay.
        Production = "production",
        /// Volatility of the whole market, competition.
        Market = "market",
        /// What is made is not what was planned.
        Creative = "creative",
        /// Screens, the effect of marketing.
        Distribution = "distribution",
        /// Cinemas against streaming.
        Technology = "technology",
    }
}

/// What projects are worth under a deal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Valuations {
    /// The deal's name.
    pub deal: String,
    /// The projects, in the order of the question.
    pub projects: Vec<Valuation>,
}

/// What a project is worth. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Valuation {
    /// The project.
    pub project: String,
    /// What must be said beside these figures.
    #[schema(value_type = String)]
    pub note: &'static str,
    /// What it costs by plan: budget, marketing and expenses of sale.
    pub cost_usd: f64,
    /// The quarter of release, as planned.
    #[schema(example = "2011 Q2")]
    pub release_quarter: String,
    /// All who finance it or share in it; agents and cinemas are outside.
    pub together: Worth,
    /// Each participant, in the order of the deal.
    pub participants: Vec<Worth>,
    /// What leaves the film before anybody recoups: each territory's cinemas, then the distributor.
    pub outside: Vec<OutsideShare>,
    /// Every risk of the deal that concerns the project, in its order.
    pub risks: Vec<RiskEffect>,
    /// The forecast that all of it was reckoned from.
    pub forecast: Forecast,
}

/// What a project is worth to one participant, or to all together. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Worth {
    /// The participant.
    pub name: String,
    /// How it takes part; null for all together.
    pub kind: Option<ParticipantKind>,
    /// The mean of what it puts in.
    pub puts_in_usd: f64,
    /// Mean profit: what it is paid less what it puts in.
    pub mean_profit_usd: f64,
    /// Profit.
    pub profit_usd: Quantiles,
    /// Mean net present value on the first quarter's start, at the deal's rate.
    pub mean_npv_usd: f64,
    /// Net present value.
    pub npv_usd: Quantiles,
    /// Internal rate of return a year, 0.1 is a tenth; null for who puts nothing in.
    pub irr: Option<Quantiles>,
    /// Paid divided by put in; null for who puts nothing in.
    pub multiple: Option<Quantiles>,
    /// The probability that it loses money, 0 to 1.
    pub loss_probability: f64,
    /// The mean loss in the worst scenarios (CVaR): positive is a loss.
    pub cvar_usd: f64,
    /// The probability that it gets its money back, 0 to 1; null for who puts nothing in.
    pub paid_back_probability: Option<f64>,
    /// The quarter by which half of the scenarios that pay it back have done so.
    #[schema(example = "2012 Q3")]
    pub paid_back_by: Option<String>,
    /// The deepest that its cash falls.
    pub peak_funding_usd: Quantiles,
    /// Its cash so far, by quarter.
    pub curve: Vec<CashPoint>,
}

/// The sum of cash up to the end of a quarter. US dollars, nominal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CashPoint {
    /// The quarter.
    #[schema(example = "2011 Q2")]
    pub quarter: String,
    /// In one of twenty scenarios it is lower.
    pub q05: f64,
    /// The middle.
    pub q50: f64,
    /// In one of twenty it is higher.
    pub q95: f64,
}

/// What leaves a film before anybody recoups.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OutsideShare {
    /// Who gets it.
    pub name: String,
    /// How much, on average. US dollars, nominal.
    pub mean_usd: f64,
}

/// What a risk does to a project.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RiskEffect {
    /// The risk.
    pub name: String,
    /// Its kind.
    pub kind: RiskKind,
    /// Its probability by the deal, 0 to 1; null for one that is for stress tests alone.
    pub probability: Option<f64>,
    /// The mean change of profit where it happens. US dollars, nominal.
    pub effect_usd: f64,
    /// That times its probability; null without one. US dollars, nominal.
    pub expected_usd: Option<f64>,
    /// The evidence.
    pub source: String,
}

impl Valuations {
    /// What was found under the deal of this name.
    #[must_use]
    pub fn under(deal: &str, found: &Valued) -> Self {
        let pairs = found.forecasts.iter().zip(&found.valuations);
        Self { deal: deal.to_owned(), projects: pairs.map(|(f, v)| Valuation::of(f, v)).collect() }
    }
}

impl Valuation {
    /// A valuation with the forecast that it was reckoned from.
    #[must_use]
    pub fn of(forecast: &marquee_domain::Forecast, v: &marquee_app::types::Valuation) -> Self {
        let outside =
            |(name, mean): &(String, Money)| OutsideShare { name: name.clone(), mean_usd: mean.major() };
        Self {
            project: v.project.clone(),
            note: GROSS_IMPLIED,
            cost_usd: v.cost.major(),
            release_quarter: v.release.to_string(),
            together: (&v.together).into(),
            participants: v.participants.iter().map(Worth::from).collect(),
            outside: v.outside.iter().map(outside).collect(),
            risks: v.risks.iter().map(RiskEffect::from).collect(),
            forecast: forecast.into(),
        }
    }
}

impl From<&marquee_app::types::Worth> for Worth {
    fn from(w: &marquee_app::types::Worth) -> Self {
        let point = |c: &marquee_app::types::CurvePoint| CashPoint {
            quarter: c.quarter.to_string(),
            q05: c.low.major(),
            q50: c.median.major(),
            q95: c.high.major(),
        };
        Self {
            name: w.name.clone(),
            kind: w.kind.map(ParticipantKind::from),
            puts_in_usd: w.puts_in.major(),
            mean_profit_usd: w.mean_profit.major(),
            profit_usd: w.profit.into(),
            mean_npv_usd: w.mean_npv.major(),
            npv_usd: w.npv.into(),
            irr: w.irr.map(|r| r.map(|x| x.0).into()),
            multiple: w.multiple.map(Quantiles::from),
            loss_probability: w.loss_probability.get(),
            cvar_usd: w.cvar.major(),
            paid_back_probability: w.paid_back.map(Probability::get),
            paid_back_by: w.payback.map(|q| q.to_string()),
            peak_funding_usd: w.peak_funding.into(),
            curve: w.curve.iter().map(point).collect(),
        }
    }
}

impl From<&marquee_app::types::RiskEffect> for RiskEffect {
    fn from(r: &marquee_app::types::RiskEffect) -> Self {
        Self {
            name: r.name.clone(),
            kind: r.kind.into(),
            probability: r.probability.map(Probability::get),
            effect_usd: r.effect.major(),
            expected_usd: r.expected.map(Money::major),
            source: r.source.clone(),
        }
    }
}
