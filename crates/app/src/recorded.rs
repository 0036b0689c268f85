//! The track record's entries: what a recorded forecast says, and how it is scored once the actual is known.
//!
//! The payload is a stored format with its own version. A forecast that was recorded when the catalogue already knew the
//! outcome, or after the release, is kept and marked late; it is never scored.

use std::collections::HashMap;

use marquee_domain::{Day, Distribution, Forecast, Held, Target, TitleId, normalise_title};
use marquee_learn::metrics;
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::knowledge::Knowledge;

/// A forecast as the track record keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The version of this format.
    pub format: u32,
    /// The forecast, whole.
    pub forecast: Forecast,
    /// Whether the release was past or the catalogue knew the outcome already.
    pub late: bool,
    /// Under what it is held: as strictly as the strictest source that it may rest on.
    #[serde(default)]
    pub held: Held,
}

/// A recorded forecast beside what happened. Natural logs.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// What happened, US dollars, nominal.
    pub actual: f64,
    /// The share of the forecast distribution below the actual.
    pub pit: f64,
    /// Continuous ranked probability score.
    pub crps: f64,
    /// Absolute error of the median as a share of the actual.
    pub ape: f64,
}

impl Recorded {
    /// The kind of the ledger's entries.
    pub const KIND: &'static str = "forecast";
    const FORMAT: u32 = 1;

    /// A record of a forecast.
    #[must_use]
    pub fn new(forecast: &Forecast, late: bool, held: Held) -> Self {
        Self { format: Self::FORMAT, forecast: forecast.clone(), late, held }
    }

    /// The record as the ledger stores it.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn payload(&self) -> Result<serde_json::Value, AppError> {
        serde_json::to_value(self).map_err(|e| AppError::Computation(e.to_string()))
    }

    /// A record from the ledger.
    ///
    /// # Errors
    /// A payload that this version cannot read.
    pub fn read(payload: &serde_json::Value) -> Result<Self, AppError> {
        let version = payload.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if version > u64::from(Self::FORMAT) {
            let said =
                format!("the record has format {version}, newer than this Marquee: upgrade to read it");
            return Err(AppError::Computation(said));
        }
        serde_json::from_value(payload.clone())
            .map_err(|e| AppError::Computation(format!("a record is not readable: {e}")))
    }

    /// The score, where the actual is known and the record was made in time.
    #[must_use]
    pub fn score(&self, actual: Option<f64>) -> Option<Scored> {
        let actual = actual.filter(|a| *a > 0.0 && !self.late)?;
        let distribution: &Distribution = &self.forecast.distribution;
        let logs = distribution.log_quantiles();
        Some(Scored {
            actual,
            pit: distribution.probability_below(actual),
            crps: metrics::crps_row(actual.ln(), &logs),
            ape: metrics::ape(actual.ln(), logs[3]),
        })
    }
}

/// What a target came to, for every title of which the catalogue knows. US dollars, nominal.
#[derive(Debug)]
pub struct Outcomes {
    by_title: HashMap<TitleId, f64>,
    /// For projects, which are no titles of the catalogue: by name and year of release.
    by_name: HashMap<(String, i32), f64>,
}

impl Outcomes {
    /// The outcomes of a target.
    #[must_use]
    pub fn of(target: Target, knowledge: &Knowledge) -> Self {
        let settled = knowledge.settled(&knowledge.scope(target, Day::MAX));
        let (mut by_title, mut by_name) = (HashMap::new(), HashMap::new());
        for example in settled {
            by_title.entry(example.title).or_insert(example.actual);
            let named = (normalise_title(&example.name), example.release.year());
            by_name.entry(named).or_insert(example.actual);
        }
        Self { by_title, by_name }
    }

    /// What a forecast's target came to: by the title's id, or for a project by its name and the year of its release.
    #[must_use]
    pub fn actual(&self, forecast: &Forecast) -> Option<f64> {
        let found = match forecast.title {
            Some(id) => self.by_title.get(&id),
            None => self.by_name.get(&(normalise_title(&forecast.name), forecast.release.year())),
        };
        found.copied()
    }
}
