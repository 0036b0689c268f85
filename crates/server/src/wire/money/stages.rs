//! The stages of a project as people write them, in JSON and in TOML alike, with costs as money or as parts of its budget.

use marquee_domain::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::{Amount, WireError};

/// A stage of a film.
///
/// ```
/// use marquee_server::wire::money::Stage;
/// let stage: Stage = serde_json::from_str(
///     r#"{"name": "develop", "cost": {"budget": 0.03}, "years": 1.0, "reveals": 0.05, "abandon": "0"}"#,
/// )?;
/// assert_eq!(stage.read(20e6, 10e6).map(|stage| stage.cost), Ok(0.6e6));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "make", "cost": { "budget": 0.97 }, "years": 1.25, "reveals": 0.1, "abandon": "0",
    "wait": { "years": 0.5, "cost": { "budget": 0.005 }, "reveals": 0.3 },
    "expand": { "cost": { "marketing": 0.5 }, "factor": 1.06 }
}))]
pub struct Stage {
    /// What it is called.
    pub name: String,
    /// What it costs, paid when it begins.
    pub cost: StageCost,
    /// How many years it takes.
    pub years: f64,
    /// The part of the uncertainty about the gross (variance of its logarithm) that is gone when it ends; the parts of all
    /// stages add up to 1.
    pub reveals: f64,
    /// What stopping before it brings in; without it one must go on.
    pub abandon: Option<StageCost>,
    /// The right to wait before it.
    pub wait: Option<StageWait>,
    /// The right to enlarge the film when it begins.
    pub expand: Option<StageExpand>,
}

/// The right to wait before a stage, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageWait {
    /// How many years.
    pub years: f64,
    /// What waiting costs.
    pub cost: StageCost,
    /// The part of what the stage would reveal that waiting reveals already.
    pub reveals: f64,
}

/// The right to enlarge a film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageExpand {
    /// What that costs.
    pub cost: StageCost,
    /// What it multiplies the gross by.
    pub factor: f64,
}

/// The right to make a sequel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "cost": { "budget": 1.8 }, "years": 2.5, "factor": 0.75, "log_sd": 0.6, "foreseen": 0.3 }))]
pub struct StageSequel {
    /// What it costs, its marketing included.
    pub cost: StageCost,
    /// How many years after the film it is released.
    pub years: f64,
    /// What it grosses, on average, as a multiple of the film's gross.
    pub factor: f64,
    /// The standard deviation of the logarithm of that multiple.
    pub log_sd: f64,
    /// The part of that uncertainty which is gone when the sequel is decided on.
    pub foreseen: f64,
}

/// Money such as `"2M"`, US dollars, nominal; or a part of what the project costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum StageCost {
    /// Money.
    Money(String),
    /// A part of the project's budget, of its marketing, or of both.
    Part(CostPart),
}

/// A part of what a project costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "budget": 0.03 }))]
pub struct CostPart {
    /// As a fraction of what it costs to make.
    #[serde(default)]
    pub budget: f64,
    /// As a fraction of what it costs to release.
    #[serde(default)]
    pub marketing: f64,
}

impl Stage {
    /// The stage that is meant, of a project with this budget and this marketing. US dollars, nominal.
    ///
    /// # Errors
    /// [`WireError::Stage`] with its name and what of it cannot be.
    pub fn read(&self, budget: f64, marketing: f64) -> Result<marquee_app::types::Stage, WireError> {
        let usd = |cost: &StageCost| cost.usd(budget, marketing);
        let read = || {
            let wait = self.wait.as_ref().map(|w| {
                usd(&w.cost).map(|cost| marquee_app::types::Wait { years: w.years, cost, reveals: w.reveals })
            });
            let expand = self
                .expand
                .as_ref()
                .map(|e| usd(&e.cost).map(|cost| marquee_app::types::Expand { cost, factor: e.factor }));
            Ok(marquee_app::types::Stage {
                name: self.name.clone(),
                cost: usd(&self.cost)?,
                years: self.years,
                reveals: self.reveals,
                abandon: self.abandon.as_ref().map(usd).transpose()?,
                wait: wait.transpose()?,
                expand: expand.transpose()?,
            })
        };
        read().map_err(|why| WireError::Stage { name: self.name.clone(), why: Box::new(why) })
    }
}

impl StageSequel {
    /// The sequel that is meant, of a project with this budget and this marketing. US dollars, nominal.
    ///
    /// # Errors
    /// [`WireError`] with what of its cost cannot be.
    pub fn read(&self, budget: f64, marketing: f64) -> Result<marquee_app::types::Sequel, WireError> {
        Ok(marquee_app::types::Sequel {
            cost: self.cost.usd(budget, marketing).map_err(WireError::within("sequel"))?,
            years: self.years,
            factor: self.factor,
            log_sd: self.log_sd,
            foreseen: self.foreseen,
        })
    }
}

impl StageCost {
    fn usd(&self, budget: f64, marketing: f64) -> Result<f64, WireError> {
        match self {
            Self::Money(text) => Amount::Text(text.clone()).money().map(Money::major),
            Self::Part(CostPart { budget: 0.0, marketing: 0.0 }) => Err(WireError::NoCost),
            Self::Part(part) => Ok(part.budget * budget + part.marketing * marketing),
        }
    }
}
