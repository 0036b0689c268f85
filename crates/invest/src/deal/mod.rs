//! The deal: dated, editable assumptions and terms that turn a gross into money for everybody who takes part.
//!
//! Nothing in it is fitted to profits. Each figure carries its value, the day on which it was assumed and its source, or
//! the word "assumption"; what is computed from them is called gross-implied. There are no defaults but the file itself.
//! A deal that contradicts itself is refused with the line and the reason.
//!
//! | File | Holds |
//! |---|---|
//! | `text` | the tables of the file, as they are written |
//! | `figure` | a figure with its date and source, and what it may be |
//! | `check` | every figure with its range, and what must hold of several together |
//! | `participant` | who takes part, checked, in the order of payment |
//! | `line` | where in the text something stands |

mod check;
mod figure;
mod line;
mod participant;
mod text;

use marquee_domain::{Budget, Currency, Day, Gross, Money, Project, Spend};
use serde::Serialize;

use crate::allocation::{Bucket, PlannedSpend};
use crate::waterfall::cents;
use crate::{Elasticity, InvestError};
use check::{Fault, check_figures, check_together, entries};
pub(crate) use figure::Figure;
pub(crate) use participant::{Amount, Participant, Role};
use text::Text;
pub(crate) use text::{Incentive, Risk};
pub use text::{IncentiveKind, Kind, RiskKind};

const VERSION: u32 = 2;

/// A deal must leave at least this of a dollar of gross.
const LEAST_INCOME: f64 = 1e-4;

/// The assumptions and terms between a gross and everybody's money. US dollars, nominal; shares are fractions.
///
/// ```
/// use marquee_invest::Deal;
/// let deal = Deal::default();
/// assert_eq!(deal.name(), "default");
/// let greedy = Deal::DEFAULT_TOML.replace("fee = { value = 0.15", "fee = { value = 1.5");
/// let said = Deal::from_toml(&greedy).unwrap_err().to_string();
/// assert!(said.ends_with("`distribution.fee` is 1.5, it must be a fraction in [0, 1)"), "{said}");
/// assert!(said.starts_with("deal, line "), "{said}");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Deal {
    text: Text,
    participants: Vec<Participant>,
}

/// One assumption as a table shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssumptionRow {
    /// Where it stands in the file, for example `distribution.fee` or `window[2].income` (the first is 1).
    pub key: String,
    /// The figure, or the figures by week or quarter, in `unit`.
    pub values: Vec<f64>,
    /// What the figure counts.
    pub unit: &'static str,
    /// The day on which it was assumed.
    pub dated: Day,
    /// Where it comes from, or `assumption`.
    pub source: String,
    /// What else to know.
    pub note: Option<String>,
}

/// What is spent to release a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MarketingPlan {
    /// Prints and advertising.
    pub spend: Spend,
    /// Whether it follows from the deal's rule because the project plans none.
    pub assumed: bool,
}

/// What of a gross is left when cinemas, fees and commissions are paid, in plain numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Terms {
    /// Of a dollar of domestic and of international gross, from cinemas.
    pub(crate) theatrical: [f64; 2],
    /// The same from later windows.
    pub(crate) windows: [f64; 2],
    /// Incentives for a dollar of planned budget.
    pub(crate) incentives: f64,
    pub(crate) domestic_share: f64,
    pub(crate) highest_gross: f64,
}

/// Loadings on the shared factors: see the deal's `[dependence]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loadings {
    pub(crate) market_year: f64,
    pub(crate) season: f64,
    pub(crate) genre: f64,
    pub(crate) franchise: f64,
    pub(crate) cannibalisation: f64,
    /// Degrees of freedom of a t copula; none for a Gaussian one.
    pub(crate) tail_degrees: Option<f64>,
}

impl Deal {
    /// The text of the bundled default deal, for users to copy and edit.
    pub const DEFAULT_TOML: &str = include_str!("../../deals/default.toml");

    /// Reads and checks a deal.
    ///
    /// # Errors
    /// [`InvestError::DealText`] with the line for what is not TOML, unknown or missing; [`InvestError::DealVersion`];
    /// [`InvestError::DealValue`] with line, key, value and range; [`InvestError::DealContradiction`] with line and reason.
    pub fn from_toml(text: &str) -> Result<Self, InvestError> {
        let version = toml::from_str::<toml::Table>(text).ok().and_then(|t| t.get("version")?.as_integer());
        if let Some(found) = version.filter(|v| *v != i64::from(VERSION)) {
            return Err(InvestError::DealVersion { found, known: VERSION });
        }
        let read: Text = toml::from_str(text).map_err(|e| InvestError::DealText(e.to_string()))?;
        Self::checked(read).map_err(|fault| fault.in_text(text))
    }

    fn checked(text: Text) -> Result<Self, Fault> {
        check_figures(&text)?;
        check_together(&text)?;
        let participants = participant::read(&text)?;
        let deal = Self { text, participants };
        if deal.income_per_gross() < LEAST_INCOME {
            let said =
                "what cinemas, the distributor and agents take leaves nothing of a gross: lower a share"
                    .to_owned();
            return Err(Fault::new(&[line::Step::Key("distribution")], said));
        }
        Ok(deal)
    }

    /// The name that the file gives.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text.name
    }

    /// What is spent to release `project`: its own plan, or the deal's rule.
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the amount cannot be kept.
    pub fn marketing_for(&self, project: &Project) -> Result<MarketingPlan, InvestError> {
        if let Some(spend) = project.marketing {
            return Ok(MarketingPlan { spend, assumed: false });
        }
        Ok(MarketingPlan { spend: self.usual_marketing(project.budget)?, assumed: true })
    }

    /// What a project costs by plan: budget, marketing, and expenses of sale that participants advance.
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the amount cannot be kept.
    pub fn cost_of(&self, project: &Project) -> Result<Money, InvestError> {
        let marketing = self.marketing_for(project)?.spend.0;
        let expenses = self.expenses(project.budget, Spend(marketing));
        Ok(project.budget.0.checked_add(marketing)?.checked_add(expenses)?)
    }

    /// Expenses of sale that participants advance.
    pub(crate) fn expenses(&self, budget: Budget, marketing: Spend) -> Money {
        let advanced = |p: &Participant| match p.role {
            Role::Expenses { amount } => cents(amount, budget.0.minor(), marketing.0.minor()),
            _ => 0,
        };
        Money::from_minor(self.participants.iter().map(advanced).sum(), Currency::USD)
    }

    fn usual_marketing(&self, budget: Budget) -> Result<Spend, InvestError> {
        let rule = &self.text.marketing;
        let amount = budget.0.major() * rule.fraction_of_budget.value;
        let held = amount.clamp(rule.floor_usd.value, rule.cap_usd.value);
        Ok(Spend(Money::from_major(held, Currency::USD)?))
    }

    /// The worldwide gross at which a film of this budget (US dollars, nominal) breaks even, gross-implied, with the
    /// marketing and the domestic share that the deal assumes where nobody plans others.
    ///
    /// ```
    /// use marquee_domain::{Budget, Currency, Money};
    /// use marquee_invest::Deal;
    ///
    /// let budget = Budget(Money::from_major(40e6, Currency::USD)?);
    /// let gross = Deal::default().break_even(budget)?;
    /// assert!(gross.0.major() > 40e6 && gross.0.major() < 200e6);
    /// # Ok::<(), marquee_invest::InvestError>(())
    /// ```
    ///
    /// # Errors
    /// [`InvestError::Domain`] where the amount cannot be kept.
    pub fn break_even(&self, budget: Budget) -> Result<Gross, InvestError> {
        let marketing = self.usual_marketing(budget)?.0.major();
        let terms = self.terms();
        let gross = terms.break_even(budget.0.major(), marketing, terms.domestic_share);
        Ok(Gross(Money::from_major(gross, Currency::USD)?))
    }

    /// What a dollar of worldwide gross leaves to those who finance and share, at the deal's domestic share.
    #[must_use]
    pub fn income_per_gross(&self) -> f64 {
        let terms = self.terms();
        terms.income(terms.domestic_share, 1.0 - terms.domestic_share, 1.0)
    }

    /// The gross above which none is taken, US dollars.
    #[must_use]
    pub fn highest_gross(&self) -> f64 {
        self.text.theatrical.highest_gross_usd.value
    }

    /// What is spent on one thing for a budget and a marketing plan, and how the gross is believed to respond to it; held
    /// between half and twice of that, beyond which nobody should believe it.
    ///
    /// # Errors
    /// [`InvestError::Setting`] for figures that are no elasticity, which a checked deal has not.
    pub fn planned_spends(&self, budget: Budget, marketing: Spend) -> Result<Vec<PlannedSpend>, InvestError> {
        let r = &self.text.response;
        let (budget, share) = (budget.0.major(), r.development_share_of_budget.value);
        let all = [
            (Bucket::Development, budget * share, &r.development),
            (Bucket::Production, budget * (1.0 - share), &r.production),
            (Bucket::Marketing, marketing.0.major(), &r.marketing),
        ];
        let spend = |(bucket, planned, response): (Bucket, f64, &figure::Series)| {
            let at = |i: usize| response.value.as_slice().get(i).copied().unwrap_or(0.0);
            let elasticity = Elasticity::new([at(0), at(1), at(2)])?;
            Ok(PlannedSpend { bucket, planned, least: planned / 2.0, most: planned * 2.0, elasticity })
        };
        all.into_iter().filter(|(_, planned, _)| *planned > 0.0).map(spend).collect()
    }

    /// What a year of waiting costs.
    #[must_use]
    pub fn discount_rate(&self) -> f64 {
        self.text.discounting.rate.value
    }

    /// Every assumption with its date and source, in the order of the file.
    #[must_use]
    pub fn assumptions(&self) -> Vec<AssumptionRow> {
        entries(&self.text).iter().map(check::Entry::row).collect()
    }

    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    pub(crate) fn participants(&self) -> &[Participant] {
        &self.participants
    }

    pub(crate) fn terms(&self) -> Terms {
        let mut theatrical = [0.0; 2];
        let mut windows = [0.0; 2];
        for (s, territory) in self.text.territory.iter().enumerate() {
            theatrical[territory.of as usize] +=
                territory.part.value * (1.0 - self.exhibitor_share(s)) * (1.0 - self.off_the_top(s));
        }
        for (w, window) in self.text.window.iter().enumerate() {
            let off = self.off_the_top(self.text.territory.len() + w);
            windows[window.of as usize] += window.income.value * (1.0 - off);
        }
        Terms {
            theatrical,
            windows,
            incentives: self.text.incentive.iter().map(incentive_rate).sum(),
            domestic_share: self.text.theatrical.domestic_share_of_worldwide.value,
            highest_gross: self.text.theatrical.highest_gross_usd.value,
        }
    }

    /// What cinemas of a territory keep over a whole run: shares by week, weighed by what each week takes.
    pub(crate) fn exhibitor_share(&self, territory: usize) -> f64 {
        let weeks = self.text.theatrical.week_shares.value.as_slice();
        let Some(of) = self.text.territory.get(territory) else { return 0.0 };
        let shares = of.exhibitor_share.value.as_slice();
        let last = shares.last().copied().unwrap_or(0.0);
        let total: f64 = weeks.iter().sum();
        let kept = weeks.iter().enumerate().map(|(w, part)| part * shares.get(w).copied().unwrap_or(last));
        kept.sum::<f64>() / total
    }

    /// What the distributor and agents take of the receipts of a stream before anybody recoups.
    fn off_the_top(&self, stream: usize) -> f64 {
        let commission = |p: &Participant| match &p.role {
            Role::Commission { share, covers } if covers.contains(&stream) => *share,
            _ => 0.0,
        };
        self.text.distribution.fee.value + self.participants.iter().map(commission).sum::<f64>()
    }

    pub(crate) fn loadings(&self) -> Loadings {
        let d = &self.text.dependence;
        Loadings {
            market_year: d.market_year.value,
            season: d.season.value,
            genre: d.genre.value,
            franchise: d.franchise.value,
            cannibalisation: d.cannibalisation.value,
            tail_degrees: d.tail_degrees.as_ref().map(|f| f.value),
        }
    }
}

impl Terms {
    /// What a domestic and an international gross leave to those who finance and share, all in one unit of money;
    /// `windows` is a factor on what later windows bring.
    pub(crate) fn income(&self, domestic: f64, international: f64, windows: f64) -> f64 {
        domestic * (self.theatrical[0] + windows * self.windows[0])
            + international * (self.theatrical[1] + windows * self.windows[1])
    }

    /// The worldwide gross whose income and incentives equal the cost; all in one unit of money.
    pub(crate) fn break_even(&self, budget: f64, marketing: f64, domestic_share: f64) -> f64 {
        let kept = self.income(domestic_share, 1.0 - domestic_share, 1.0);
        (budget * (1.0 - self.incentives) + marketing).max(0.0) / kept
    }
}

/// What an incentive brings for a dollar of planned budget.
pub(crate) fn incentive_rate(incentive: &Incentive) -> f64 {
    let turned = match incentive.kind {
        IncentiveKind::Refundable | IncentiveKind::Rebate => 1.0,
        IncentiveKind::Transferable => incentive.price.as_ref().map_or(0.0, |p| p.value),
        IncentiveKind::NonTransferable => incentive.usable.as_ref().map_or(0.0, |u| u.value),
    };
    incentive.qualified.value * incentive.rate.value * turned
}

/// The bundled deal. A test reads it through [`Deal::from_toml`], so that it always exists.
impl Default for Deal {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the text is compiled in and a test reads it")]
        Self::from_toml(Self::DEFAULT_TOML).expect("the bundled deal is valid")
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
