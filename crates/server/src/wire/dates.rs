//! When a film had best open, and on what its forecast hangs most.

use marquee_app::types::{Change, Swing as HouseSwing, Weekend as HouseWeekend};
use marquee_app::use_cases::dates::Dates as HouseDates;
use marquee_app::use_cases::sensitivity::Sensitivity as HouseSensitivity;
use serde::Serialize;
use utoipa::ToSchema;

pub use crate::wire::forecast::{DatesRequest, SensitivityRequest};

use crate::wire::forecast::Forecast;
use crate::wire::{Day, Horizon, Population, Quantiles, Target};

/// Forecasts of a film by the weekend that it opens on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Dates {
    /// What it is called.
    pub name: String,
    /// What is predicted.
    pub target: Target,
    /// How much is known.
    pub horizon: Horizon,
    /// By the model of which films.
    pub population: Population,
    /// The day whose knowledge was used.
    pub as_of: Day,
    /// The weekend that is planned.
    pub planned: Weekend,
    /// All weekends, in order of time.
    pub weekends: Vec<Weekend>,
}

/// A forecast of a film that opens on a day.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Weekend {
    /// The release day.
    pub release_date: Day,
    /// The gross, US dollars, nominal.
    pub quantiles: Quantiles,
    /// How many other titles are known on the as-of day to open within a week of it.
    pub rivals_known: usize,
}

/// On what a forecast hangs most, one thing changed at a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Sensitivity {
    /// The forecast as it is.
    pub forecast: Forecast,
    /// What was changed, the widest swing first.
    pub swings: Vec<Swing>,
}

/// How far one thing moves a forecast.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Swing {
    /// What is changed: budget, release_date, genre …
    #[schema(example = "budget")]
    pub kind: String,
    /// What it is now.
    #[schema(example = "25000000")]
    pub now: String,
    /// The change that lowers the median most.
    pub low: SwingEnd,
    /// The change that raises it most.
    pub high: SwingEnd,
}

/// One end of a swing.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SwingEnd {
    /// What it is changed to.
    #[schema(example = "31250000")]
    pub value: String,
    /// The median then, US dollars, nominal.
    pub median_usd: f64,
}

impl Dates {
    /// What was found of this target.
    #[must_use]
    pub fn of(target: marquee_domain::Target, found: &HouseDates) -> Self {
        Self {
            name: found.name.clone(),
            target: target.into(),
            horizon: found.horizon.into(),
            population: found.population.into(),
            as_of: found.as_of.into(),
            planned: (&found.planned).into(),
            weekends: found.weekends.iter().map(Weekend::from).collect(),
        }
    }
}

impl From<&HouseWeekend> for Weekend {
    fn from(weekend: &HouseWeekend) -> Self {
        Self {
            release_date: weekend.release.into(),
            quantiles: (&weekend.distribution).into(),
            rivals_known: weekend.rivals,
        }
    }
}

impl From<&HouseSensitivity> for Sensitivity {
    fn from(found: &HouseSensitivity) -> Self {
        Self { forecast: (&found.forecast).into(), swings: found.swings.iter().map(Swing::from).collect() }
    }
}

impl From<&HouseSwing> for Swing {
    fn from(s: &HouseSwing) -> Self {
        let end = |(change, median): &(Change, f64)| SwingEnd { value: change.value(), median_usd: *median };
        Self { kind: s.kind.to_string(), now: s.now.value(), low: end(&s.low), high: end(&s.high) }
    }
}
