//! What keeps models fit: what is due to be trained anew, drift, and contests of learners.

use std::path::PathBuf;

use marquee_app::types::{Contest as HouseContest, Drift as HouseDrift, PeriodScore as HousePeriod};
use marquee_app::use_cases::drift::DriftQuestion;
use marquee_app::use_cases::due::Due;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{Day, Horizon, Interval, Population, Target};

/// Which models are to be trained anew.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DueModels {
    /// The newest model of each question.
    pub models: Vec<DueModel>,
}

/// Whether a model is to be trained anew.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DueModel {
    /// The name that it is stored under.
    pub key: String,
    /// How much is known when it is asked.
    pub horizon: Horizon,
    /// What it predicts.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// Only outcomes known before this day were learned from.
    pub trained_before: Day,
    /// How many films it learned from.
    pub films: usize,
    /// How many days ago that day is.
    pub age_days: i32,
    /// How many films more it would learn from now.
    pub films_more: i64,
    /// Columns that have drifted; null where that could not be judged.
    pub drifted: Option<Vec<String>>,
    /// Why it is due; empty where it is not.
    #[schema(value_type = Vec<String>)]
    pub due: Vec<&'static str>,
    /// Whether it was trained anew.
    pub retrained: bool,
}

impl From<&[Due]> for DueModels {
    fn from(found: &[Due]) -> Self {
        Self { models: found.iter().map(DueModel::from).collect() }
    }
}

impl From<&Due> for DueModel {
    fn from(d: &Due) -> Self {
        Self {
            key: d.key.clone(),
            horizon: d.which.horizon.into(),
            target: d.which.target.into(),
            population: d.which.population.into(),
            trained_before: d.trained_before.into(),
            films: d.films,
            age_days: d.age,
            films_more: d.change,
            drifted: d.drifted.clone(),
            due: d.reasons.clone(),
            retrained: d.retrained,
        }
    }
}

/// Whether a year's films still look like those before.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Drift {
    /// How much is known.
    pub horizon: Horizon,
    /// What is predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// The year that is looked at.
    pub year: i32,
    /// How many films it has.
    pub films: usize,
    /// How many earlier films they are set against.
    pub earlier_films: usize,
    /// Whether any column has drifted.
    pub drifted: bool,
    /// Each column; `outcomes` is first.
    pub columns: Vec<DriftColumn>,
}

/// Whether a column has drifted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DriftColumn {
    /// Its name.
    pub name: String,
    /// The largest distance between the shares below any value, 0 to 1.
    pub distance: f64,
    /// The probability that a new value exceeds an earlier one: 0.5 where nothing is shifted.
    pub exceeds: f64,
    /// The probability that any column differs as much by chance.
    pub p_value: f64,
    /// Whether that is too small to be chance.
    pub drifted: bool,
}

impl Drift {
    /// What was found of this question.
    #[must_use]
    pub fn of(asked: &DriftQuestion, found: &HouseDrift) -> Self {
        let columns = found.columns.iter().map(|(name, c)| DriftColumn {
            name: name.clone(),
            distance: c.distance,
            exceeds: c.exceeds,
            p_value: c.p_value,
            drifted: c.drifted,
        });
        Self {
            horizon: asked.which.horizon.into(),
            target: asked.which.target.into(),
            population: asked.which.population.into(),
            year: asked.year,
            films: found.new,
            earlier_films: found.earlier,
            drifted: found.columns.iter().any(|(_, c)| c.drifted),
            columns: columns.collect(),
        }
    }
}

/// A challenger against the champion, on years that it was not chosen on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Contest {
    /// Whether the challenger won and is champion now.
    pub promoted: bool,
    /// How the champion did in each year.
    pub champion: Vec<PeriodScore>,
    /// How the challenger did.
    pub challenger: Vec<PeriodScore>,
    /// Mean CRPS of the challenger less the champion's: below zero is better.
    pub crps: Interval,
}

/// How a learner did in a period.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeriodScore {
    /// On how many films.
    pub n: usize,
    /// Continuous ranked probability score, natural log.
    #[schema(value_type = Option<f64>)]
    pub crps: f64,
    /// Root mean square error, natural log.
    #[schema(value_type = Option<f64>)]
    pub rmse: f64,
    /// Predicted tiers whose 80 or 90% interval covers too few or too many.
    pub tiers_outside: usize,
}

impl From<&HouseContest> for Contest {
    fn from(found: &HouseContest) -> Self {
        Self {
            promoted: found.won,
            champion: found.champion.iter().map(PeriodScore::from).collect(),
            challenger: found.challenger.iter().map(PeriodScore::from).collect(),
            crps: found.crps.into(),
        }
    }
}

impl From<&HousePeriod> for PeriodScore {
    fn from(p: &HousePeriod) -> Self {
        Self { n: p.n, crps: p.crps, rmse: p.rmse, tiers_outside: p.outside }
    }
}

/// A champion was taken back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RolledBack {
    /// Whether the champion before it is back: always true, or there is an error instead.
    pub rolled_back: bool,
}

/// Models that no question asks for any more were deleted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Pruned {
    /// Their files.
    pub deleted: Vec<String>,
}

impl From<&[PathBuf]> for Pruned {
    fn from(deleted: &[PathBuf]) -> Self {
        Self { deleted: deleted.iter().map(|path| path.display().to_string()).collect() }
    }
}
