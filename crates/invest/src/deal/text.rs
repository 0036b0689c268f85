//! The deal as it is written in TOML: one type for each table of the file. Unknown keys are refused, so that a misspelt
//! figure cannot silently fall back to a default.

use serde::{Deserialize, Serialize};

use super::figure::{Figure, Series};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    pub(crate) version: u32,
    pub(crate) name: String,
    pub(crate) currency: String,
    pub(crate) theatrical: Theatrical,
    pub(crate) territory: Vec<Territory>,
    #[serde(default)]
    pub(crate) window: Vec<Window>,
    pub(crate) distribution: Distribution,
    pub(crate) marketing: Marketing,
    pub(crate) spending: Spending,
    pub(crate) discounting: Discounting,
    #[serde(default)]
    pub(crate) incentive: Vec<Incentive>,
    pub(crate) participant: Vec<Written>,
    #[serde(default)]
    pub(crate) risk: Vec<Risk>,
    pub(crate) response: Response,
    pub(crate) dependence: Dependence,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Theatrical {
    pub(crate) domestic_share_of_worldwide: Figure,
    pub(crate) highest_gross_usd: Figure,
    pub(crate) week_shares: Series,
    pub(crate) collected: Series,
}

/// Which gross something is a part of, or is reckoned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Domestic,
    International,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Territory {
    pub(crate) name: String,
    pub(crate) of: Side,
    pub(crate) part: Figure,
    pub(crate) exhibitor_share: Series,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    pub(crate) name: String,
    pub(crate) of: Side,
    pub(crate) income: Figure,
    pub(crate) opens: Figure,
    pub(crate) months: Figure,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Distribution {
    pub(crate) fee: Figure,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marketing {
    pub(crate) fraction_of_budget: Figure,
    pub(crate) floor_usd: Figure,
    pub(crate) cap_usd: Figure,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spending {
    pub(crate) production_months: Figure,
    pub(crate) delivery_months_before_release: Figure,
    pub(crate) marketing_months: Figure,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Discounting {
    pub(crate) rate: Figure,
}

/// How an incentive is turned into money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncentiveKind {
    /// A tax credit that the state pays out.
    Refundable,
    /// A tax credit that is sold to whoever owes tax, below its face value.
    Transferable,
    /// A tax credit that is worth only what tax its owner owes.
    NonTransferable,
    /// A part of the spending that is paid back.
    Rebate,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Incentive {
    pub(crate) name: String,
    pub(crate) kind: IncentiveKind,
    /// Part of the budget that qualifies.
    pub(crate) qualified: Figure,
    /// Part of what qualifies that is granted.
    pub(crate) rate: Figure,
    /// What a buyer pays for a dollar of credit: transferable only.
    pub(crate) price: Option<Figure>,
    /// Part of the credit that there is tax to set against: non-transferable only.
    pub(crate) usable: Option<Figure>,
    /// Months after delivery until it is paid.
    pub(crate) received_months_after_delivery: Figure,
}

/// A participant as it is written: which keys go together depends on the kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) amount: Option<WrittenAmount>,
    pub(crate) interest: Option<f64>,
    pub(crate) fee: Option<f64>,
    pub(crate) premium: Option<f64>,
    pub(crate) share: Option<f64>,
    pub(crate) profit: Option<f64>,
    pub(crate) covers: Option<Vec<String>>,
    pub(crate) repaid_from: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) after: Vec<String>,
}

/// How a participant takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Lends a principal and is repaid with interest: senior, gap, mezzanine, against a tax credit.
    Loan,
    /// Invests, and is paid back with a premium.
    Equity,
    /// Pays a minimum guarantee on delivery for the receipts of territories or windows, and keeps them until it is recouped.
    Guarantee,
    /// Takes a share of receipts off the top: a sales agent, a collection agent.
    Commission,
    /// Advances expenses of a sale, recouped without interest.
    Expenses,
    /// Worked for an amount that is paid later, from receipts.
    Deferral,
    /// Has a share of what is left.
    Profit,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum WrittenAmount {
    Money(String),
    /// US dollars.
    Number(f64),
    Of(OfWhat),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfWhat {
    pub(crate) budget: Option<f64>,
    pub(crate) marketing: Option<f64>,
    pub(crate) rest: Option<f64>,
}

/// What kind of thing can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskKind {
    /// Overrun and delay.
    Production,
    /// Volatility of the whole market, competition.
    Market,
    /// What is made is not what was planned.
    Creative,
    /// Screens, the effect of marketing.
    Distribution,
    /// Cinemas against streaming.
    Technology,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Risk {
    pub(crate) name: String,
    pub(crate) kind: RiskKind,
    #[serde(default)]
    pub(crate) shared: bool,
    pub(crate) budget_from: Option<f64>,
    pub(crate) budget_below: Option<f64>,
    /// Absent: for stress tests alone.
    pub(crate) probability: Option<Figure>,
    pub(crate) budget: Option<Figure>,
    pub(crate) marketing: Option<Figure>,
    pub(crate) delay_quarters: Option<Figure>,
    pub(crate) domestic: Option<Figure>,
    pub(crate) international: Option<Figure>,
    pub(crate) windows: Option<Figure>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Response {
    pub(crate) development: Series,
    pub(crate) production: Series,
    pub(crate) marketing: Series,
    pub(crate) development_share_of_budget: Figure,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dependence {
    pub(crate) market_year: Figure,
    pub(crate) season: Figure,
    pub(crate) genre: Figure,
    pub(crate) franchise: Figure,
    pub(crate) cannibalisation: Figure,
    pub(crate) tail_degrees: Option<Figure>,
}

impl Risk {
    /// What it changes, in the order of the file.
    pub(crate) fn effects(&self) -> [Option<&Figure>; 6] {
        [
            &self.budget,
            &self.marketing,
            &self.delay_quarters,
            &self.domestic,
            &self.international,
            &self.windows,
        ]
        .map(Option::as_ref)
    }
}

impl IncentiveKind {
    /// As a deal writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refundable => "refundable",
            Self::Transferable => "transferable",
            Self::NonTransferable => "non_transferable",
            Self::Rebate => "rebate",
        }
    }
}

impl Kind {
    /// As a deal writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loan => "loan",
            Self::Equity => "equity",
            Self::Guarantee => "guarantee",
            Self::Commission => "commission",
            Self::Expenses => "expenses",
            Self::Deferral => "deferral",
            Self::Profit => "profit",
        }
    }
}

impl RiskKind {
    /// As a deal writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Market => "market",
            Self::Creative => "creative",
            Self::Distribution => "distribution",
            Self::Technology => "technology",
        }
    }
}
