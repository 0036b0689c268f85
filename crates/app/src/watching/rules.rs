//! The kinds of rule that there are, with what each has to be told.

use marquee_domain::{Horizon, Population, Target};
use marquee_platform::Error as PlatformError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::AppError;

/// What a rule looks for.
///
/// ```
/// use marquee_app::watching::Watch;
/// use serde_json::json;
///
/// assert!(Watch::read("stale", &json!({ "days": 7 })).is_ok());
/// let refusal = Watch::read("stale", &json!({ "day": 7 })).unwrap_err().to_string();
/// assert!(refusal.contains("unknown field `day`"), "{refusal}");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "settings", rename_all = "snake_case")]
pub enum Watch {
    /// A film of a saved project or slate is likely to lose money.
    LossProbability(LossProbability),
    /// An actual came in low in the range that was recorded for it.
    OpeningBelow(OpeningBelow),
    /// Too few actuals come in inside the ranges that were recorded.
    Coverage(Coverage),
    /// Too many rows of a source are refused.
    DataQuality(DataQuality),
    /// Nothing new comes in.
    Stale(Stale),
    /// A year's films do not look like those that its model learned from.
    Drift(DriftWatch),
}

/// Settings of [`Watch::LossProbability`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossProbability {
    /// The probability of a loss that is too much, 0 to 1; gross-implied.
    pub above: f64,
    /// The project or slate that is looked at; all that its owner sees where none is named.
    #[serde(default)]
    pub document: Option<String>,
    /// Scenarios that are simulated.
    #[serde(default = "scenarios")]
    pub scenarios: u32,
}

/// Settings of [`Watch::OpeningBelow`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningBelow {
    /// The share of the recorded distribution that an actual is to exceed, 0 to 1.
    pub quantile: f64,
    /// What was forecast.
    #[serde(default = "opening")]
    pub target: Target,
    /// Only what was released in so many days before the look.
    #[serde(default = "days")]
    pub days: u32,
}

/// Settings of [`Watch::Coverage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// The share of actuals inside the 10–90% range that is too little, 0 to 1.
    pub below: f64,
    /// How many forecasts must be scored before anything is said.
    pub least: usize,
}

/// Settings of [`Watch::DataQuality`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataQuality {
    /// The share of rows in quarantine that is too much, 0 to 1.
    pub refused_share_above: f64,
    /// The source that is looked at; each where none is named.
    #[serde(default)]
    pub source: Option<String>,
}

/// Settings of [`Watch::Stale`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// Days without an ingest that are too many.
    pub days: u32,
    /// The source that is looked at; all together where none is named.
    #[serde(default)]
    pub source: Option<String>,
}

/// Settings of [`Watch::Drift`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftWatch {
    /// How much may be known.
    pub horizon: Horizon,
    /// What is predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// The release year that is looked at; the last whole one where none is named.
    #[serde(default)]
    pub year: Option<i32>,
    /// How many years before it are what it is set against.
    #[serde(default = "back")]
    pub back: u32,
}

impl Watch {
    /// The rule of a kind with its settings.
    ///
    /// # Errors
    /// [`PlatformError::InvalidAlert`] for a kind that there is not, and for settings that do not fit it.
    pub fn read(kind: &str, settings: &Value) -> Result<Self, AppError> {
        let refuse = |reason: String| PlatformError::InvalidAlert { what: "settings", reason };
        let watch = serde_json::from_value::<Self>(json!({ "kind": kind, "settings": settings }));
        let watch = watch.map_err(|error| refuse(format!("do not fit: {error}")))?;
        match watch.fault() {
            Some(fault) => Err(refuse(format!("do not fit: {fault}")).into()),
            None => Ok(watch),
        }
    }

    /// What is wrong with the settings beyond their form.
    fn fault(&self) -> Option<&'static str> {
        let share = |x: f64| (0.0..=1.0).contains(&x);
        match self {
            Self::LossProbability(s) if !share(s.above) => Some("`above` is to be 0 to 1"),
            Self::LossProbability(s) if !(100..=100_000).contains(&s.scenarios) => {
                Some("`scenarios` are to be 100 to 100,000")
            }
            Self::OpeningBelow(s) if !share(s.quantile) => Some("`quantile` is to be 0 to 1"),
            Self::Coverage(s) if !share(s.below) => Some("`below` is to be 0 to 1"),
            Self::DataQuality(s) if !share(s.refused_share_above) => {
                Some("`refused_share_above` is to be 0 to 1")
            }
            Self::Drift(s) if !s.horizon.asks(s.target, s.population) => {
                Some("no model of these films forecasts that target at that horizon")
            }
            Self::Drift(s) if !(1..=50).contains(&s.back) => Some("`back` is to be 1 to 50"),
            _ => None,
        }
    }
}

fn scenarios() -> u32 {
    10_000
}

fn opening() -> Target {
    Target::Opening
}

fn days() -> u32 {
    60
}

fn back() -> u32 {
    10
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(kind: &str, settings: &Value, wanted: &str) {
        let found = Watch::read(kind, settings).map_or_else(|error| error.to_string(), |_| String::new());
        assert!(
            found.contains(wanted) && found.is_empty() == wanted.is_empty(),
            "{kind} {settings}: {found}"
        );
    }

    #[test]
    fn kinds_and_settings_are_closed() {
        check("loss_probability", &json!({ "above": 0.6 }), "");
        check("loss_probability", &json!({ "above": 1.5 }), "`above` is to be 0 to 1");
        check("loss_probability", &json!({ "above": 0.5, "scenarios": 1 }), "`scenarios`");
        check("opening_below", &json!({ "quantile": 0.1 }), "");
        check("opening_below", &json!({ "quantile": 0.1, "target": "worldwide", "days": 9 }), "");
        check("opening_below", &json!({ "quantile": "low" }), "do not fit");
        check("coverage", &json!({ "below": 0.7, "least": 20 }), "");
        check("coverage", &json!({ "below": 0.7 }), "missing field `least`");
        check("data_quality", &json!({ "refused_share_above": 0.1, "source": "films" }), "");
        check("stale", &json!({ "days": 7, "hours": 2 }), "unknown field `hours`");
        check("stale", &json!(null), "do not fit");
        check("flood", &json!({}), "unknown variant `flood`");
        check(
            "drift",
            &json!({ "horizon": "greenlight", "target": "worldwide", "population": "funded" }),
            "",
        );
        check(
            "drift",
            &json!({ "horizon": "greenlight", "target": "opening", "population": "wide" }),
            "no model",
        );
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let read = Watch::read("opening_below", &json!({ "quantile": 0.1 })).unwrap();
        assert_eq!(
            read,
            Watch::OpeningBelow(OpeningBelow { quantile: 0.1, target: Target::Opening, days: 60 })
        );
    }
}
