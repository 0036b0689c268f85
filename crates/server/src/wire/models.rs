//! Stored models with their cards, the registry of features, and what keeps models fit.

mod upkeep;

use marquee_app::learners::{Chosen, Standing as HouseStanding};
use marquee_app::types::{Errors, MemberReport, Numeric};
use marquee_app::use_cases::models::{Models as HouseModels, Shown};
use serde::Serialize;
use utoipa::ToSchema;

pub use upkeep::{Contest, Drift, DriftColumn, DueModel, DueModels, PeriodScore, Pruned, RolledBack};

use crate::wire::ingest::FileNote;
use crate::wire::{Day, Horizon, Population, Target};

/// The stored models.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Models {
    /// Their cards.
    pub models: Vec<ModelCard>,
    /// Files that cannot be read.
    pub unreadable: Vec<FileNote>,
    /// Which learners fit them, where another than the house's was tuned.
    pub learners: Vec<Standing>,
}

/// A model's card: what it learned from, how it errs and for whom, what moves it, what it cannot say.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModelCard {
    /// The name that it is stored under.
    pub key: String,
    /// Its SHA-256, hexadecimal, as forecasts name it.
    pub sha256: String,
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
    /// The fingerprint of the lake's version that it learned from.
    pub data: String,
    /// Whether that is the lake as it is now.
    pub current: bool,
    /// The first and the last release that it learned from.
    pub released: [Day; 2],
    /// The first and the last release among those that it is judged on.
    pub judged: [Day; 2],
    /// How it errs on all of these, each predicted before it was learned from.
    pub errors: ModelErrors,
    /// How it errs by predicted tier, the smallest first.
    pub errors_by_tier: Vec<ModelErrors>,
    /// How it errs by genre, language and country, for those of at least 25 films.
    pub errors_by_word: Vec<WordErrors>,
    /// What moves it, the largest first.
    pub drivers: Vec<DriverSize>,
    /// The members of the ensemble.
    pub members: Vec<Member>,
    /// What it cannot say.
    pub limits: Vec<String>,
}

/// How a model errs. Logarithms are natural.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModelErrors {
    /// On how many films.
    pub n: usize,
    /// Mean of ln(predicted over actual): above zero where too much is promised.
    #[schema(value_type = Option<f64>)]
    pub bias: f64,
    /// Its standard error.
    #[schema(value_type = Option<f64>)]
    pub bias_error: f64,
    /// Root mean square error, natural log.
    #[schema(value_type = Option<f64>)]
    pub rmse: f64,
    /// Median absolute error as a share of the actual.
    #[schema(value_type = Option<f64>)]
    pub median_ape: f64,
    /// Of how many a range is told; the next three are of these, and null of none.
    pub ranged: usize,
    /// Continuous ranked probability score, natural log.
    #[schema(value_type = Option<f64>)]
    pub crps: f64,
    /// How often the 10–90% interval held the actual.
    #[schema(value_type = Option<f64>)]
    pub cover80: f64,
    /// How often the 5–95% interval held it.
    #[schema(value_type = Option<f64>)]
    pub cover90: f64,
}

/// How a model errs on films with a word.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WordErrors {
    /// What the word says: genre, language or country.
    pub kind: String,
    /// The word.
    pub word: String,
    /// How it errs on them.
    pub errors: ModelErrors,
}

/// How much a group of features moves forecasts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DriverSize {
    /// The group.
    pub group: String,
    /// The mean size of what it adds, natural log.
    pub mean_log_effect: f64,
}

/// A member of an ensemble.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Member {
    /// What kind of learner it is.
    pub member: String,
    /// Its weight, 0 to 1.
    pub weight: f64,
    /// Its root mean square error on what it had not learned from, natural log.
    #[schema(value_type = Option<f64>)]
    pub out_of_fold_rmse: f64,
}

/// Which learner fits the models of a question.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Standing {
    /// How much is known.
    pub horizon: Horizon,
    /// What is predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// The tuned learner that fits them; null for the house's.
    pub champion: Option<ChosenLearner>,
    /// How many champions there were.
    pub champions: usize,
    /// The learner that waits for a contest with the champion.
    pub challenger: Option<ChosenLearner>,
}

/// A tuned learner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChosenLearner {
    /// It was chosen on nothing released from this day on.
    pub chosen_before: Day,
    /// Groups of features that it does not see.
    pub without: Vec<String>,
}

impl From<&HouseModels> for Models {
    fn from(found: &HouseModels) -> Self {
        Self {
            models: found.shown.iter().map(ModelCard::from).collect(),
            unreadable: found.unreadable.iter().map(FileNote::from).collect(),
            learners: found.standings.iter().map(Standing::from).collect(),
        }
    }
}

impl From<&Shown> for ModelCard {
    fn from(s: &Shown) -> Self {
        let c = &s.card;
        let word = |(kind, word, errors): &(marquee_domain::FactKind, String, Errors)| WordErrors {
            kind: kind.to_string(),
            word: word.clone(),
            errors: errors.into(),
        };
        let driver =
            |(group, size): &(String, f64)| DriverSize { group: group.clone(), mean_log_effect: *size };
        Self {
            key: s.key.clone(),
            sha256: s.sha256.clone(),
            horizon: s.horizon.into(),
            target: s.target.into(),
            population: s.population.into(),
            trained_before: s.trained_before.into(),
            films: s.films,
            data: s.data.clone(),
            current: s.current,
            released: [c.released.0.into(), c.released.1.into()],
            judged: [c.judged.0.into(), c.judged.1.into()],
            errors: (&c.errors).into(),
            errors_by_tier: c.tiers.iter().map(ModelErrors::from).collect(),
            errors_by_word: c.words.iter().map(word).collect(),
            drivers: c.drivers.iter().map(driver).collect(),
            members: s.members.iter().map(Member::from).collect(),
            limits: limits(s),
        }
    }
}

impl From<&Errors> for ModelErrors {
    fn from(e: &Errors) -> Self {
        let [cover80, cover90] = e.cover;
        Self {
            n: e.n,
            bias: e.bias,
            bias_error: e.bias_error,
            rmse: e.rmse,
            median_ape: e.median_ape,
            ranged: e.ranged,
            crps: e.crps,
            cover80,
            cover90,
        }
    }
}

impl From<&MemberReport> for Member {
    fn from(m: &MemberReport) -> Self {
        Self { member: m.label.clone(), weight: m.weight, out_of_fold_rmse: m.rmse }
    }
}

impl From<&HouseStanding> for Standing {
    fn from(s: &HouseStanding) -> Self {
        Self {
            horizon: s.which.horizon.into(),
            target: s.which.target.into(),
            population: s.which.population.into(),
            champion: s.champion.as_ref().map(ChosenLearner::from),
            champions: s.champions,
            challenger: s.challenger.as_ref().map(ChosenLearner::from),
        }
    }
}

impl From<&Chosen> for ChosenLearner {
    fn from(c: &Chosen) -> Self {
        Self { chosen_before: c.before.into(), without: c.learner.without.clone() }
    }
}

/// What a model cannot say, in words.
#[must_use]
pub fn limits(s: &Shown) -> Vec<String> {
    use marquee_domain::Population;
    let films = match s.population {
        Population::Funded => {
            "films with a budget of $100,000 or more and any recorded gross: one that was never released is unknown to it"
        }
        Population::All if s.horizon.charts(s.target) => {
            "films that a daily chart follows and that opened above $10,000"
        }
        Population::All => {
            "films that grossed $100,000 or more: told of a film that may sink, it promises too much"
        }
        Population::Big => "films of $10 million or more that grossed $100,000 or more",
        Population::Credited => "films that a table of credits lists, which was made of the better known",
        Population::Wide => "films that open in 600 theatres or more",
    };
    vec![
        format!("it speaks of {films}"),
        "grosses are theatrical and as one public source states them; two sources differ by over 5% on one in five".to_owned(),
        "it says how films like this one did, not what a change would do".to_owned(),
        "`marquee backtest` measures coverage of its ranges out of time".to_owned(),
    ]
}

/// The numbers that models see of a title.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Features {
    /// Each of them.
    pub features: Vec<Feature>,
}

/// A number that models see of a title.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "log_budget", "group": "money", "from": "greenlight", "to": "weekend_3", "monotone": 1,
    "describe": "natural log of the budget, US dollars of 1982–84"
}))]
pub struct Feature {
    /// Its name.
    #[schema(value_type = String)]
    pub name: &'static str,
    /// Its driver group.
    #[schema(value_type = String)]
    pub group: &'static str,
    /// The first horizon whose models see it.
    pub from: Horizon,
    /// The last one.
    pub to: Horizon,
    /// 1 where more of it never lowers a forecast, 0 where nothing is demanded.
    pub monotone: i8,
    /// Its formula, its unit, and what a missing value means.
    #[schema(value_type = String)]
    pub describe: &'static str,
}

impl<'a> FromIterator<&'a Numeric> for Features {
    fn from_iter<I: IntoIterator<Item = &'a Numeric>>(numbers: I) -> Self {
        Self { features: numbers.into_iter().map(Feature::from).collect() }
    }
}

impl From<&Numeric> for Feature {
    fn from(n: &Numeric) -> Self {
        Self {
            name: n.name,
            group: n.group,
            from: (*n.horizons.start()).into(),
            to: (*n.horizons.end()).into(),
            monotone: n.monotone,
            describe: n.describe,
        }
    }
}
