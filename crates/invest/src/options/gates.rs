//! The stage gates of a film as data: what each stage costs and tells, and what may be decided before it.
//!
//! The gross is unknown until release, but not all of it stays unknown until then: scripts, tests, tracking and rivals'
//! dates each tell a part. A stage says which share of the variance (of the normal score of the log gross) it reveals;
//! the shares add up to all of it, so that the forecast's own distribution is what one ends with, whatever the stages.
//! At the gate before each stage one may go on, pay more for a larger film, wait, or abandon (L. Trigeorgis, *Real
//! Options*, MIT Press 1996; S. A. Ross 1978 and A. K. Dixit and R. S. Pindyck 1994 for the rule that a right not used
//! is still worth something).
//!
//! **Assumptions, none of them fitted**: the discount rate, how much each stage tells, salvage, the cost and effect of
//! waiting and expanding, the sequel. They are the user's to set; no default is offered. Money is US dollars, nominal,
//! gross-implied; values are discounted to the first gate.
//!
//! What is *not* here: rivals who act first, tax, the spread of receipts over windows (fold it into
//! `receipts_per_gross`), risk aversion beyond the discount rate.

use marquee_domain::Distribution;
use serde::{Deserialize, Serialize};

use crate::InvestError;

/// Shares of revealed variance below this, other than none, would need too fine a lattice.
const LEAST_SHARE: f64 = 1e-4;
/// The most stages; the most gates at which one may expand, since each doubles the work.
const MOST_STAGES: usize = 16;
const MOST_EXPANSIONS: usize = 4;
/// Log dollars in one standard score, beyond which the mean of a gross says nothing.
const MOST_SPREAD: f64 = 3.0;
/// More money than there is.
const MOST_MONEY: f64 = 1e13;

/// A film that is paid for in stages. See the module for what is assumed.
///
/// ```
/// use marquee_domain::Control;
/// use marquee_invest::options::{Stage, StageGates, lognormal_gross};
/// let stage = |name: &str, cost, reveals| Stage {
///     name: name.into(), cost, years: 1.0, reveals, abandon: Some(0.0), wait: None, expand: None,
/// };
/// let film = StageGates {
///     gross: lognormal_gross(60e6, 1.0)?,
///     receipts_per_gross: 0.7,
///     highest_gross: None,
///     discount_rate: 0.1,
///     stages: vec![stage("develop", 2e6, 0.3), stage("greenlight", 40e6, 0.4), stage("marketing", 20e6, 0.3)],
///     sequel: None,
/// };
/// let answer = film.worth(&Control::default())?;
/// // Committed to all three stages it loses money; with the right to stop it is worth developing.
/// assert_eq!((answer.committed.to_string(), answer.value.to_string()), ("-$2.9M".into(), "$8.9M".into()));
/// # Ok::<(), marquee_invest::InvestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageGates {
    /// The forecast of the worldwide gross, US dollars, nominal, as it is at the first gate.
    pub gross: Distribution,
    /// What comes back to whoever pays, per dollar of gross, at the end of the last stage; above zero.
    pub receipts_per_gross: f64,
    /// No gross is taken above this, as in a deal, US dollars; sequels are not held to it.
    #[serde(default)]
    pub highest_gross: Option<f64>,
    /// The annual discount rate, −0.5 to 1: 0.1 takes a tenth more to be worth the same a year later. An assumption.
    pub discount_rate: f64,
    /// The stages in order, 1 to 16; what they reveal adds up to 1.
    pub stages: Vec<Stage>,
    /// The right to a sequel once the gross is known.
    #[serde(default)]
    pub sequel: Option<Sequel>,
}

/// A stage, and what may be decided at the gate before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// For example `develop`, `greenlight`, `marketing`, `release`.
    pub name: String,
    /// Paid at the gate, US dollars.
    pub cost: f64,
    /// How long it takes, years, at most 50.
    pub years: f64,
    /// The share of the variance of the log gross that is known at its end and was not at its start: 0, or 0.0001 to 1.
    pub reveals: f64,
    /// What abandoning brings (the sale of rights or a set), US dollars, may be below zero; without it, one must go on.
    #[serde(default)]
    pub abandon: Option<f64>,
    /// The right to wait, once.
    #[serde(default)]
    pub wait: Option<Wait>,
    /// The right to make it larger.
    #[serde(default)]
    pub expand: Option<Expand>,
}

/// The right to put a stage off, once. What is learnt by waiting is a part of what the stage would have told anyway.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// How long, years, at most 50.
    pub years: f64,
    /// What holding on costs (options on rights, staff), paid at the gate, US dollars.
    pub cost: f64,
    /// The part of what this stage reveals that is known by then, 0 to 1.
    pub reveals: f64,
}

/// The right to spend more on a stage for a larger gross.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expand {
    /// On top of the stage's cost and paid with it, US dollars.
    pub cost: f64,
    /// The gross is multiplied by this, above 1, at most 10.
    pub factor: f64,
}

/// The right to a sequel, decided when the gross of the original is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequel {
    /// What it costs in all, paid at the decision, US dollars.
    pub cost: f64,
    /// From the decision to its receipts, years, at most 50.
    pub years: f64,
    /// The median of its gross as a multiple of the original's, above 0, at most 10.
    pub factor: f64,
    /// The standard deviation of the logarithm of that multiple, 0 to 3.
    pub log_sd: f64,
    /// The share of that variance that is known at the decision, 0 to 1.
    pub foreseen: f64,
}

/// A right that can be looked at by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOption {
    /// To stop at a gate.
    Abandon,
    /// To put a stage off.
    Wait,
    /// To pay more for a larger gross.
    Expand,
    /// To make a sequel.
    Sequel,
}

impl GateOption {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Abandon, Self::Wait, Self::Expand, Self::Sequel];

    /// As in "the right to …".
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abandon => "abandon",
            Self::Wait => "wait",
            Self::Expand => "expand",
            Self::Sequel => "make a sequel",
        }
    }
}

/// A lognormal gross: its median in US dollars, and the standard deviation of its natural logarithm.
///
/// # Errors
/// [`InvestError::Domain`] for a median that is not above zero or a deviation below zero.
pub fn lognormal_gross(median: f64, log_sd: f64) -> Result<Distribution, InvestError> {
    const SCORES: [f64; 3] = [0.674_489_750_196_081_7, 1.281_551_565_544_600_4, 1.644_853_626_951_472_2];
    let [inner, middle, outer] = SCORES.map(|score| score * log_sd);
    let around = [-outer, -middle, -inner, 0.0, inner, middle, outer];
    Ok(Distribution::from_logs(around.map(|distance| median.ln() + distance))?)
}

impl StageGates {
    /// Whether every figure is in its range and the shares add up.
    ///
    /// # Errors
    /// [`InvestError::NoStages`], [`InvestError::SettingOf`] (the stage, the figure, its value and its range),
    /// [`InvestError::Setting`], [`InvestError::Shares`].
    pub fn check(&self) -> Result<(), InvestError> {
        let spread = self.spread();
        if spread > MOST_SPREAD {
            let name = "log dollars per score in the upper tail of the gross";
            return Err(InvestError::Setting { name, value: spread, range: "at most 3" });
        }
        let project = Named("the project");
        project.within("receipts_per_gross", self.receipts_per_gross, [1e-6, 100.0], "in [0.000001, 100]")?;
        project.within("discount_rate", self.discount_rate, [-0.5, 1.0], "in [-0.5, 1]")?;
        let median = self.gross.median();
        project.within("median gross", median, [0.01, MOST_MONEY], "a cent to 1e13 dollars")?;
        if let Some(highest) = self.highest_gross {
            project.within("highest_gross", highest, [1.0, MOST_MONEY], "1 to 1e13 dollars")?;
        }
        if self.stages.is_empty() {
            return Err(InvestError::NoStages);
        }
        self.check_counts()?;
        self.stages.iter().try_for_each(Stage::check)?;
        let sum: f64 = self.stages.iter().map(|stage| stage.reveals).sum();
        if (sum - 1.0).abs() > 1e-9 {
            return Err(InvestError::Shares { sum });
        }
        self.sequel.as_ref().map_or(Ok(()), Sequel::check)
    }

    fn check_counts(&self) -> Result<(), InvestError> {
        let expansions = self.stages.iter().filter(|stage| stage.expand.is_some()).count();
        let refused =
            |name, count: usize, range| Err(InvestError::Setting { name, value: count as f64, range });
        if self.stages.len() > MOST_STAGES {
            return refused("number of stages", self.stages.len(), "1 to 16");
        }
        if expansions > MOST_EXPANSIONS {
            return refused("number of gates with an expansion", expansions, "at most 4");
        }
        Ok(())
    }

    /// Log dollars per standard score in the upper tail.
    pub(super) fn spread(&self) -> f64 {
        self.gross.at_score(3.0) - self.gross.at_score(2.0)
    }

    /// Whether a right is granted anywhere.
    pub(super) fn grants(&self, option: GateOption) -> bool {
        match option {
            GateOption::Abandon => self.stages.iter().any(|stage| stage.abandon.is_some()),
            GateOption::Wait => self.stages.iter().any(|stage| stage.wait.is_some()),
            GateOption::Expand => self.stages.iter().any(|stage| stage.expand.is_some()),
            GateOption::Sequel => self.sequel.is_some(),
        }
    }

    /// What a dollar after some years is worth.
    pub(super) fn discount(&self, years: f64) -> f64 {
        (1.0 + self.discount_rate).powf(-years)
    }

    /// The gross of a film enlarged by `multiplier` at a normal score, US dollars.
    pub(super) fn gross_at(&self, score: f64, multiplier: f64) -> f64 {
        (self.gross.at_score(score).exp() * multiplier).min(self.highest_gross.unwrap_or(f64::INFINITY))
    }
}

impl Stage {
    fn check(&self) -> Result<(), InvestError> {
        let named = Named(&self.name);
        named.within("cost", self.cost, [0.0, MOST_MONEY], "0 to 1e13 dollars")?;
        named.within("years", self.years, [0.0, 50.0], "in [0, 50]")?;
        named.share("reveals", self.reveals)?;
        if let Some(salvage) = self.abandon {
            named.within("abandon", salvage, [-MOST_MONEY, MOST_MONEY], "-1e13 to 1e13 dollars")?;
        }
        if let Some(wait) = self.wait {
            named.within("wait.years", wait.years, [0.0, 50.0], "in [0, 50]")?;
            named.within("wait.cost", wait.cost, [0.0, MOST_MONEY], "0 to 1e13 dollars")?;
            named.within("wait.reveals", wait.reveals, [0.0, 1.0], "in [0, 1]")?;
            named.share("reveals × wait.reveals", self.reveals * wait.reveals)?;
            named.share("reveals × (1 - wait.reveals)", self.reveals * (1.0 - wait.reveals))?;
        }
        if let Some(expand) = self.expand {
            named.within("expand.cost", expand.cost, [0.0, MOST_MONEY], "0 to 1e13 dollars")?;
            named.within("expand.factor", expand.factor, [1.0 + 1e-9, 10.0], "above 1, at most 10")?;
        }
        Ok(())
    }

    /// The part of what the stage reveals that waiting tells in advance.
    pub(super) fn foresight(&self) -> f64 {
        self.wait.map_or(0.0, |wait| wait.reveals)
    }
}

impl Sequel {
    fn check(&self) -> Result<(), InvestError> {
        let named = Named("the sequel");
        named.within("cost", self.cost, [0.0, MOST_MONEY], "0 to 1e13 dollars")?;
        named.within("years", self.years, [0.0, 50.0], "in [0, 50]")?;
        named.within("factor", self.factor, [1e-6, 10.0], "in [0.000001, 10]")?;
        named.within("log_sd", self.log_sd, [0.0, MOST_SPREAD], "in [0, 3]")?;
        named.within("foreseen", self.foreseen, [0.0, 1.0], "in [0, 1]")
    }

    /// The standard deviation of what is known at the decision.
    pub(super) fn foreseen_sd(&self) -> f64 {
        self.log_sd * self.foreseen.sqrt()
    }

    /// The mean of its gross as a multiple of the original's.
    pub(super) fn mean_factor(&self) -> f64 {
        self.factor * (self.log_sd * self.log_sd / 2.0).exp()
    }
}

/// Checks of figures that belong to someone.
struct Named<'a>(&'a str);

impl Named<'_> {
    fn within(
        &self,
        name: &'static str,
        value: f64,
        [low, high]: [f64; 2],
        range: &'static str,
    ) -> Result<(), InvestError> {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(InvestError::SettingOf { whose: self.0.to_owned(), name, value, range })
    }

    fn share(&self, name: &'static str, value: f64) -> Result<(), InvestError> {
        // Products of shares such as 0.2 × (1 - 0.2) may miss the bound by rounding.
        let least = if value == 0.0 { 0.0 } else { LEAST_SHARE * (1.0 - 1e-9) };
        self.within(name, value, [least, 1.0], "0, or 0.0001 to 1")
    }
}

#[cfg(test)]
#[path = "gates_tests.rs"]
mod tests;
