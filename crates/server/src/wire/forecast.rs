//! Forecasts: one with its drivers and comps, and what is answered beside it; the weeks of a run.

mod asked;
mod outlook;

use marquee_app::types::{Change, Unheard as HouseUnheard};
use marquee_app::use_cases::forecast::{Answer, WhatIf as HouseWhatIf};
use marquee_app::use_cases::weeks::Weeks;
use serde::Serialize;
use utoipa::ToSchema;

pub use asked::{Changes, DatesRequest, ForecastRequest, SensitivityRequest};
pub use outlook::{Outlook, OutlookRequest};

use crate::wire::money::Returns;
use crate::wire::{Day, Horizon, Population, Quantiles, Target};

/// What a title or a project will gross, how sure that is, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "The Lighthouse Keeper",
    "title_id": null,
    "target": "worldwide",
    "horizon": "greenlight",
    "population": "funded",
    "as_of": "2010-03-01",
    "release_date": "2011-06-17",
    "currency": "USD",
    "prices": "nominal",
    "quantiles": { "q05": 4.1e6, "q10": 6.6e6, "q25": 14.8e6, "q50": 33.2e6, "q75": 70.9e6, "q90": 135.0e6, "q95": 196.0e6 },
    "base_usd": 41.5e6,
    "drivers": [{
        "group": "money", "log_effect": -0.22, "effect_usd": -8.3e6,
        "features": [{ "feature": "log_budget", "log_effect": -0.22, "effect_usd": -8.3e6 }]
    }],
    "comps": [{
        "title_id": "8a3f0c55d1e2b794", "name": "1408", "release_date": "2007-06-22", "distance": 0.31,
        "budget_usd": 24.1e6, "gross_usd": 93.7e6, "price_year": 2010, "flop": false
    }],
    "model": {
        "sha256": "f6a0c2d4", "trained_before": "2010-01-01", "data": "1-5d41402a", "version": "0.1.0"
    }
}))]
pub struct Forecast {
    /// What it is called.
    pub name: String,
    /// The title's id in the catalogue; null for a project.
    pub title_id: Option<String>,
    /// What is predicted.
    pub target: Target,
    /// How much is known.
    pub horizon: Horizon,
    /// By the model of which films.
    pub population: Population,
    /// The day whose knowledge was used.
    pub as_of: Day,
    /// When it was or is to be released.
    pub release_date: Day,
    /// The currency of all amounts.
    #[schema(value_type = String, example = "USD")]
    pub currency: &'static str,
    /// The prices of all amounts but those of comps: those of the day that they are paid.
    #[schema(value_type = String, example = "nominal")]
    pub prices: &'static str,
    /// The gross, US dollars, nominal.
    pub quantiles: Quantiles,
    /// The forecast of a typical film, from which the drivers lead to the median. US dollars, nominal.
    pub base_usd: f64,
    /// What moves it, by group of features; they add up to the median less the base, without a remainder.
    pub drivers: Vec<Driver>,
    /// Comparable films, chosen without looking at their grosses, the nearest first.
    pub comps: Vec<Comp>,
    /// The model that it was made by.
    pub model: ModelOrigin,
}

/// What a group of features adds to a forecast.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Driver {
    /// The group.
    pub group: String,
    /// What it adds to the natural logarithm of the median.
    pub log_effect: f64,
    /// What it adds to the median, US dollars, nominal.
    pub effect_usd: f64,
    /// What each of its features adds; they add up to the group's.
    pub features: Vec<FeatureEffect>,
}

/// What one feature adds to a forecast.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FeatureEffect {
    /// The feature.
    pub feature: String,
    /// What it adds to the natural logarithm of the median.
    pub log_effect: f64,
    /// What it adds to the median, US dollars, nominal.
    pub effect_usd: f64,
}

/// A comparable film.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Comp {
    /// Its id in the catalogue.
    pub title_id: String,
    /// Its name.
    pub name: String,
    /// When it was released.
    pub release_date: Day,
    /// How far it is from the film that is asked about; 0 is the same in all that is compared.
    pub distance: f64,
    /// What it cost to make, US dollars in the prices of `price_year`.
    pub budget_usd: f64,
    /// What it grossed, US dollars in the prices of `price_year`.
    pub gross_usd: f64,
    /// The year in whose prices its amounts are.
    pub price_year: i32,
    /// Whether it grossed less than it cost to make; null for openings, which no budget measures.
    pub flop: Option<bool>,
}

/// Where a forecast comes from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModelOrigin {
    /// The SHA-256 of the stored model, hexadecimal.
    pub sha256: String,
    /// Only outcomes known before this day were learned from.
    pub trained_before: Day,
    /// The fingerprint of the lake's version that was learned from.
    pub data: String,
    /// The version of Marquee.
    pub version: String,
}

impl From<&marquee_domain::Forecast> for Forecast {
    fn from(f: &marquee_domain::Forecast) -> Self {
        let comp = |c: &marquee_domain::Comp| Comp {
            title_id: c.title.to_string(),
            name: c.name.clone(),
            release_date: c.release.into(),
            distance: c.distance,
            budget_usd: c.budget_usd,
            gross_usd: c.gross_usd,
            price_year: c.price_year,
            flop: (!f.target.is_opening()).then_some(c.flop),
        };
        Self {
            name: f.name.clone(),
            title_id: f.title.map(|t| t.to_string()),
            target: f.target.into(),
            horizon: f.horizon.into(),
            population: f.population.into(),
            as_of: f.as_of.into(),
            release_date: f.release.into(),
            currency: "USD",
            prices: "nominal",
            quantiles: (&f.distribution).into(),
            base_usd: f.base_usd,
            drivers: f.drivers.iter().map(Driver::from).collect(),
            comps: f.comps.iter().map(comp).collect(),
            model: ModelOrigin::from(&f.provenance),
        }
    }
}

impl From<&marquee_domain::Driver> for Driver {
    fn from(d: &marquee_domain::Driver) -> Self {
        let feature = |f: &marquee_domain::FeatureEffect| FeatureEffect {
            feature: f.feature.clone(),
            log_effect: f.log_effect,
            effect_usd: f.effect_usd,
        };
        Self {
            group: d.group.clone(),
            log_effect: d.log_effect,
            effect_usd: d.effect_usd,
            features: d.features.iter().map(feature).collect(),
        }
    }
}

impl From<&marquee_domain::Provenance> for ModelOrigin {
    fn from(p: &marquee_domain::Provenance) -> Self {
        Self {
            sha256: p.model.clone(),
            trained_before: p.trained_before.into(),
            data: p.data.clone(),
            version: p.version.clone(),
        }
    }
}

/// A forecast and what is answered beside it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastAnswer {
    /// The forecast.
    pub forecast: Forecast,
    /// The forecasts as of earlier horizons, the earliest first, where they were asked for.
    pub earlier: Vec<Forecast>,
    /// What of it would reach who finances the film; null where its cost is not known or no worldwide gross is predicted.
    pub returns: Option<Returns>,
    /// The forecast with changes made; null where none were asked for.
    pub what_if: Option<WhatIf>,
    /// What the run has taken by the as-of day, US dollars, nominal; null before it began.
    pub taken_usd: Option<f64>,
    /// What happened, US dollars, nominal; null where it is not known, and for projects.
    pub actual_usd: Option<f64>,
    /// The day of the newest fact in the lake: later markets are not known to the forecast.
    pub newest_fact: Day,
    /// Words of the title or project that tell the model nothing.
    pub unheard: Vec<Unheard>,
    /// The entry of the track record; null where it was not recorded.
    pub recorded: Option<Receipt>,
}

/// A forecast with changes made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WhatIf {
    /// The forecast of the changed film.
    pub forecast: Forecast,
    /// What of it would reach who finances the film.
    pub returns: Option<Returns>,
    /// Changed words that tell the model nothing.
    pub unheard: Vec<Unheard>,
    /// Changes that this model does not see.
    pub unseen: Vec<Changed>,
}

/// A word that no settled title had: it tells a model nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unheard {
    /// What it is said of: genre, language, country …
    #[schema(example = "genre")]
    pub kind: String,
    /// The word.
    #[schema(example = "Sci-Fi")]
    pub word: String,
}

/// A change of a film.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Changed {
    /// What is changed: budget, release_date, genre …
    #[schema(example = "budget")]
    pub kind: String,
    /// What it is changed to.
    #[schema(example = "80000000")]
    pub value: String,
}

/// Where the track record keeps a forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Receipt {
    /// The stream of the ledger.
    pub stream: String,
    /// The entry's place in it, from 1.
    pub seq: u64,
    /// The entry's code, which depends on every entry before it; hexadecimal.
    pub mac: String,
}

impl From<&Answer> for ForecastAnswer {
    fn from(a: &Answer) -> Self {
        Self {
            forecast: (&a.forecast).into(),
            earlier: a.earlier.iter().map(Forecast::from).collect(),
            returns: a.returns.as_ref().map(Returns::from),
            what_if: a.what_if.as_ref().map(WhatIf::from),
            taken_usd: a.taken,
            actual_usd: a.actual,
            newest_fact: a.newest_fact.into(),
            unheard: a.unheard.iter().map(Unheard::from).collect(),
            recorded: a.entry.as_ref().map(|e| Receipt {
                stream: e.stream.to_string(),
                seq: e.seq,
                mac: e.mac.to_string(),
            }),
        }
    }
}

impl From<&HouseWhatIf> for WhatIf {
    fn from(w: &HouseWhatIf) -> Self {
        Self {
            forecast: (&w.forecast).into(),
            returns: w.returns.as_ref().map(Returns::from),
            unheard: w.unheard.iter().map(Unheard::from).collect(),
            unseen: w.unseen.iter().map(Changed::from).collect(),
        }
    }
}

impl From<&HouseUnheard> for Unheard {
    fn from(u: &HouseUnheard) -> Self {
        Self { kind: u.kind.to_string(), word: u.word.to_string() }
    }
}

impl From<&Change> for Changed {
    fn from(c: &Change) -> Self {
        Self { kind: c.kind().to_string(), value: c.value() }
    }
}

/// What a film takes week by week in the United States and Canada.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WeeksAnswer {
    /// The forecast of the whole run.
    pub run: Forecast,
    /// By the model of which films' weeks.
    pub population: Population,
    /// What it has taken by the as-of day, US dollars, nominal.
    pub taken_usd: Option<f64>,
    /// The weeks, in order.
    pub weeks: Vec<WeekForecast>,
}

/// What a film takes in one week, if it still plays all of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WeekForecast {
    /// Its number; the first holds the first Friday.
    pub number: u32,
    /// The Friday on which it begins.
    pub from: Day,
    /// The Thursday on which it ends.
    pub to: Day,
    /// What it takes, US dollars, nominal.
    pub quantiles: Quantiles,
    /// What it took, US dollars, nominal; null where that is not known.
    pub actual_usd: Option<f64>,
}

impl From<&Weeks> for WeeksAnswer {
    fn from(w: &Weeks) -> Self {
        let week = |(week, actual): &(marquee_app::types::Week, Option<f64>)| WeekForecast {
            number: week.number,
            from: week.friday.into(),
            to: week.friday.plus(6).into(),
            quantiles: (&week.distribution).into(),
            actual_usd: *actual,
        };
        Self {
            run: (&w.run).into(),
            population: w.population.into(),
            taken_usd: w.taken,
            weeks: w.weeks.iter().map(week).collect(),
        }
    }
}
