//! The deal: dated, editable assumptions that turn a gross into a profit, read from TOML.
//!
//! Nothing in it is fitted. Each figure carries its value, the day on which it was assumed and its source, or the word
//! "assumption"; what is computed from them is called gross-implied. Unknown keys are refused, so that a misspelt figure
//! cannot silently fall back to a default: there are no defaults but the file itself.

use marquee_domain::{Budget, Currency, Day, Gross, Money, Project, Spend};
use serde::{Deserialize, Serialize};

use crate::InvestError;

const VERSION: u32 = 1;

/// The assumptions between a gross and a profit. US dollars, nominal; shares are fractions.
///
/// ```
/// use marquee_invest::Deal;
/// let deal = Deal::default();
/// assert_eq!(deal.name(), "default");
/// let greedy = Deal::DEFAULT_TOML.replace("fee = { value = 0.15", "fee = { value = 1.5");
/// let said = Deal::from_toml(&greedy).unwrap_err().to_string();
/// assert_eq!(said, "deal: `distribution.fee` is 1.5, it must be a fraction in [0, 1)");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deal {
    version: u32,
    name: String,
    theatrical: Theatrical,
    ancillary: Ancillary,
    distribution: Distribution,
    marketing: Marketing,
    dependence: Dependence,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Theatrical {
    exhibitor_share_domestic: Assumption,
    exhibitor_share_international: Assumption,
    domestic_share_of_worldwide: Assumption,
    highest_gross_usd: Assumption,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ancillary {
    income_per_domestic_gross: Assumption,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Distribution {
    fee: Assumption,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marketing {
    fraction_of_budget: Assumption,
    floor_usd: Assumption,
    cap_usd: Assumption,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dependence {
    market_year: Assumption,
    genre: Assumption,
    franchise: Assumption,
}

/// One figure: its value, since when it is assumed, and on whose word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assumption {
    value: f64,
    dated: Day,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// One assumption as a table shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssumptionRow {
    /// Table and key in the file, for example `distribution.fee`.
    pub key: &'static str,
    /// The figure, in `unit`.
    pub value: f64,
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

/// The fractions of a gross that matter to a studio, in plain numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Terms {
    pub(crate) exhibitor_domestic: f64,
    pub(crate) exhibitor_international: f64,
    pub(crate) ancillary: f64,
    pub(crate) fee: f64,
    pub(crate) domestic_share: f64,
    pub(crate) highest_gross: f64,
}

/// Loadings on the shared factors: see the deal's `[dependence]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loadings {
    pub(crate) market_year: f64,
    pub(crate) genre: f64,
    pub(crate) franchise: f64,
}

type Check = (fn(f64) -> bool, &'static str);
const FRACTION: Check = (|v| (0.0..=1.0).contains(&v), "a fraction in [0, 1]");
const BELOW_ONE: Check = (|v| (0.0..1.0).contains(&v), "a fraction in [0, 1)");
const SHARE: Check = (|v| v > 0.0 && v <= 1.0, "a fraction in (0, 1]");
const FACTOR: Check = (|v| (0.0..=10.0).contains(&v), "a factor in [0, 10]");
const AMOUNT: Check = (|v| (0.0..=1e12).contains(&v), "an amount in [0, 1e12]");
const POSITIVE: Check = (|v| v > 0.0 && v <= 1e12, "an amount in (0, 1e12]");

impl Deal {
    /// The text of the bundled default deal, for users to copy and edit.
    pub const DEFAULT_TOML: &str = include_str!("../deals/default.toml");

    /// Reads and checks a deal.
    ///
    /// # Errors
    /// [`InvestError::DealText`] with the line for what is not TOML, unknown or missing; [`InvestError::DealVersion`];
    /// [`InvestError::DealValue`] with key, value and range; [`InvestError::DealContradiction`].
    pub fn from_toml(text: &str) -> Result<Self, InvestError> {
        let deal: Self = toml::from_str(text).map_err(|e| InvestError::DealText(e.to_string()))?;
        deal.check()?;
        Ok(deal)
    }

    /// The name that the file gives.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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

    fn usual_marketing(&self, budget: Budget) -> Result<Spend, InvestError> {
        let rule = &self.marketing;
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
        let cost = budget.0.major() + self.usual_marketing(budget)?.0.major();
        let terms = self.terms();
        let kept = terms.studio_share(terms.domestic_share, 1.0 - terms.domestic_share);
        Ok(Gross(Money::from_major(cost / kept, Currency::USD)?))
    }

    /// Every assumption with its date and source, in the order of the file.
    #[must_use]
    pub fn assumptions(&self) -> Vec<AssumptionRow> {
        let row = |(key, unit, _, a): (&'static str, &'static str, Check, &Assumption)| AssumptionRow {
            key,
            value: a.value,
            unit,
            dated: a.dated,
            source: a.source.clone(),
            note: a.note.clone(),
        };
        self.entries().into_iter().map(row).collect()
    }

    pub(crate) fn terms(&self) -> Terms {
        Terms {
            exhibitor_domestic: self.theatrical.exhibitor_share_domestic.value,
            exhibitor_international: self.theatrical.exhibitor_share_international.value,
            ancillary: self.ancillary.income_per_domestic_gross.value,
            fee: self.distribution.fee.value,
            domestic_share: self.theatrical.domestic_share_of_worldwide.value,
            highest_gross: self.theatrical.highest_gross_usd.value,
        }
    }

    pub(crate) fn loadings(&self) -> Loadings {
        let d = &self.dependence;
        Loadings { market_year: d.market_year.value, genre: d.genre.value, franchise: d.franchise.value }
    }

    /// The one list of figures: key, unit, allowed range, value.
    fn entries(&self) -> [(&'static str, &'static str, Check, &Assumption); 12] {
        let (t, m, d) = (&self.theatrical, &self.marketing, &self.dependence);
        let income = &self.ancillary.income_per_domestic_gross;
        [
            ("theatrical.exhibitor_share_domestic", "share of gross", BELOW_ONE, &t.exhibitor_share_domestic),
            (
                "theatrical.exhibitor_share_international",
                "share of gross",
                BELOW_ONE,
                &t.exhibitor_share_international,
            ),
            (
                "theatrical.domestic_share_of_worldwide",
                "share of gross",
                SHARE,
                &t.domestic_share_of_worldwide,
            ),
            ("theatrical.highest_gross_usd", "USD", POSITIVE, &t.highest_gross_usd),
            ("ancillary.income_per_domestic_gross", "USD per USD of domestic gross", FACTOR, income),
            ("distribution.fee", "share of receipts", BELOW_ONE, &self.distribution.fee),
            ("marketing.fraction_of_budget", "share of budget", FACTOR, &m.fraction_of_budget),
            ("marketing.floor_usd", "USD", AMOUNT, &m.floor_usd),
            ("marketing.cap_usd", "USD", AMOUNT, &m.cap_usd),
            ("dependence.market_year", "loading", FRACTION, &d.market_year),
            ("dependence.genre", "loading", FRACTION, &d.genre),
            ("dependence.franchise", "loading", FRACTION, &d.franchise),
        ]
    }

    fn check(&self) -> Result<(), InvestError> {
        if self.version != VERSION {
            return Err(InvestError::DealVersion { found: self.version, known: VERSION });
        }
        for (key, _, (inside, range), assumption) in self.entries() {
            if !inside(assumption.value) {
                return Err(InvestError::DealValue { key, value: assumption.value, range });
            }
            if assumption.source.trim().is_empty() {
                let said =
                    format!("`{key}` names no source; write where it comes from, or source = \"assumption\"");
                return Err(InvestError::DealContradiction(said));
            }
        }
        let (floor, cap) = (self.marketing.floor_usd.value, self.marketing.cap_usd.value);
        if floor > cap {
            let said = format!("`marketing.floor_usd` ({floor}) is above `marketing.cap_usd` ({cap})");
            return Err(InvestError::DealContradiction(said));
        }
        let l = self.loadings();
        let shared = l.market_year.powi(2) + l.genre.powi(2) + l.franchise.powi(2);
        if shared > 1.0 {
            let said = format!("the squares of the loadings in `dependence` add up to {shared:.3}, above 1");
            return Err(InvestError::DealContradiction(said));
        }
        Ok(())
    }
}

/// The bundled deal. A test reads it through [`Deal::from_toml`], so that it always exists.
impl Default for Deal {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the text is compiled in and a test reads it")]
        Self::from_toml(Self::DEFAULT_TOML).expect("the bundled deal is valid")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn refused(from: &str, to: &str, expect: &str) {
        let text = Deal::DEFAULT_TOML.replacen(from, to, 1);
        assert_ne!(text, Deal::DEFAULT_TOML, "the edit changed nothing");
        let said = Deal::from_toml(&text).expect_err("refused").to_string();
        assert!(said.contains(expect), "{said}");
    }

    #[test]
    fn the_bundled_deal_is_valid_and_every_figure_has_a_source() {
        let rows = Deal::from_toml(Deal::DEFAULT_TOML).expect("valid").assumptions();
        assert_eq!(rows.len(), 12);
        assert!(rows.iter().all(|r| !r.source.is_empty()));
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_key() {
        refused("value = 0.15", "value = nan", "`distribution.fee` is NaN");
        refused("value = 0.48", "value = -0.1", "exhibitor_share_domestic` is -0.1");
        refused("floor_usd = { value = 250000.0", "floor_usd = { value = 1e9", "above `marketing.cap_usd`");
        refused("market_year = { value = 0.25", "market_year = { value = 0.95", "add up to 1.145");
        refused("fee = {", "fees = {", "unknown field `fees`");
        refused("version = 1", "version = 2", "version 2");
        refused("source = \"assumption\", note", "source = \"\", note", "names no source");
        refused("dated = \"2026-01-01\"", "dated = \"soon\"", "not a day");
        assert!(Deal::from_toml("").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_deal_or_an_error(text in "\\PC{0,80}") {
            let _ = Deal::from_toml(&text);
        }
    }
}
