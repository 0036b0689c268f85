//! What the forecasting room needs from the catalogue, fetched once: facts in order, the scope of each target, and models
//! that are fitted when they are first asked for and kept.
//!
//! Not a use case: several use cases stand on it. It fetches and remembers, and decides nothing a user asked for.

use std::sync::Arc;

use marquee_domain::{AsOf, Control, Day, Fact, FactKind, FactValue, Horizon, Population, Target, TitleId};
use marquee_forecast::tune::Learner;
use marquee_forecast::weeks::{FittedWeeks, WeeksSpec};
use marquee_forecast::{
    Example, FittedModel, ForecastError, History, ModelSpec, Panel, Scope, examples, history_as_of,
};
use marquee_learn::EnsembleSpec;

use crate::error::AppError;
use crate::learners::{Which, house};
use crate::models::{ModelKey, ModelStore};

/// Facts in order, with the fingerprint of the lake's version that they were read from.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// All facts that forecasting reads, in order of `known_on`.
    pub facts: Arc<Vec<Fact>>,
    /// Fingerprint of the lake's version.
    pub fingerprint: String,
}

/// How far into a title's life questions go, and with that how many facts they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Up to a month before release.
    Plans,
    /// Beyond: daily charts too, which are most of a large lake.
    Runs,
    /// Weekly lists of streaming, and nothing else.
    Lists,
    /// Plans, and awards.
    Awards,
    /// Plans, and scores.
    Scores,
    /// Games, and nothing else.
    Games,
}

impl Reach {
    /// As far as what is asked of these targets at these horizons goes.
    #[must_use]
    pub fn of(horizons: &[Horizon], targets: &[Target]) -> Self {
        let charted = |h: &Horizon| targets.iter().any(|target| h.asks_for(*target) && h.charts(*target));
        if horizons.iter().any(charted) { Self::Runs } else { Self::Plans }
    }

    /// The kinds of fact that are read.
    #[must_use]
    pub fn kinds(self) -> Vec<FactKind> {
        let further: &[FactKind] = match self {
            Self::Runs => &[FactKind::DailyGross, FactKind::DailyTheatres, FactKind::GrossToDate],
            Self::Awards => &[FactKind::AwardNomination, FactKind::AwardWin],
            Self::Scores => &[FactKind::CriticScore, FactKind::ViewerScore],
            Self::Plans => &[],
            Self::Lists => return LISTS.to_vec(),
            Self::Games => return GAMES.to_vec(),
        };
        KINDS.iter().chain(further).copied().collect()
    }
}

/// The kinds of fact that forecasts of streaming read.
const LISTS: [FactKind; 6] = [
    FactKind::Name,
    FactKind::Franchise,
    FactKind::WeeklyList,
    FactKind::WeeklyRank,
    FactKind::WeeklyHours,
    FactKind::WeeklyViews,
];

/// The kinds of fact that forecasts of games read.
const GAMES: [FactKind; 7] = [
    FactKind::Name,
    FactKind::ReleaseYear,
    FactKind::Platform,
    FactKind::Genre,
    FactKind::Distributor,
    FactKind::Units,
    FactKind::UnitsJapan,
];

/// The kinds of fact that all forecasting of grosses reads. Scores and crowd edits are not among them.
const KINDS: [FactKind; 22] = [
    FactKind::Name,
    FactKind::SourceId,
    FactKind::PlannedQuarter,
    FactKind::ReleaseDate,
    FactKind::Budget,
    FactKind::Language,
    FactKind::Country,
    FactKind::Genre,
    FactKind::Basis,
    FactKind::CreativeType,
    FactKind::Company,
    FactKind::Distributor,
    FactKind::Franchise,
    FactKind::Director,
    FactKind::Cast,
    FactKind::AgeRating,
    FactKind::Runtime,
    FactKind::DomesticGross,
    FactKind::WorldwideGross,
    FactKind::OpeningDayGross,
    FactKind::OpeningWeekendGross,
    FactKind::OpeningTheatres,
];

impl Knowledge {
    /// The release day of a title by the source of a scope's outcomes.
    #[must_use]
    pub fn release(&self, scope: &Scope, title: TitleId) -> Option<Day> {
        let stated =
            |f: &&Fact| f.title == title && f.kind == FactKind::ReleaseDate && *f.source == *scope.outcomes;
        self.facts.iter().find(stated).and_then(|fact| match fact.value {
            FactValue::Day(day) => Some(day),
            _ => None,
        })
    }

    /// The sources of a target, judged by what was known before `cut`.
    #[must_use]
    pub fn scope(&self, target: Target, cut: Day) -> Scope {
        Scope::infer(target, &self.facts, cut)
    }

    /// Settled titles of a scope, in order of release.
    #[must_use]
    pub fn settled(&self, scope: &Scope) -> Vec<Example> {
        examples(&self.facts, scope)
    }

    /// The history of a scope as of a day.
    ///
    /// # Errors
    /// What the fold says.
    pub fn history(&self, scope: &Scope, as_of: AsOf) -> Result<History, AppError> {
        Ok(history_as_of(&self.facts, scope, as_of)?)
    }

    /// The model of a horizon, target and population trained before `cut`: from the store, or fitted now and stored.
    ///
    /// # Errors
    /// Too few settled titles, a stop, or a store that cannot be written.
    pub fn model(
        &self,
        store: &ModelStore,
        ask: &ModelAsk,
        control: &Control,
    ) -> Result<FittedModel, AppError> {
        let spec = ask.spec(&self.fingerprint, store.learners().champion(ask.which, ask.cut)?);
        let key = ModelKey::of::<FittedModel>(&spec);
        store.load_or_fit(&key, || {
            let scope = self.scope(ask.which.target, ask.cut);
            let panel = Panel::fold(&self.facts, self.settled(&scope), &scope, ask.which.horizon)?;
            Ok(spec.fit(&panel, control)?)
        })
    }

    /// The model of the weeks of runs trained before `cut`: from the store, or fitted now and stored.
    ///
    /// # Errors
    /// As [`Knowledge::model`].
    pub fn weeks(
        &self,
        store: &ModelStore,
        (population, cut, seed): (Population, Day, u64),
        control: &Control,
    ) -> Result<FittedWeeks, AppError> {
        let ensemble = learner(seed);
        let data = self.fingerprint.clone();
        let spec = WeeksSpec { population, trained_before: cut, train_to: cut, data, ensemble };
        let key = ModelKey::of::<FittedWeeks>(&spec);
        store.load_or_fit(&key, || {
            let scope = self.scope(Target::Domestic, cut);
            let panel = Panel::fold(&self.facts, self.settled(&scope), &scope, Horizon::Weekend1)?;
            Ok(spec.fit(&panel, control)?)
        })
    }

    /// The first day of the year after which nothing of these films is known: of `before`, or where nobody says of the year
    /// after the last whose film has an outcome.
    ///
    /// # Errors
    /// Where no outcome is known, or the year is outside the range that Marquee keeps.
    pub fn end(&self, which: Which, before: Option<i32>) -> Result<Day, AppError> {
        let last = || {
            let settled = self.settled(&self.scope(which.target, Day::MAX));
            let member = |e: &&Example| e.is_in(which.population, which.horizon, which.target);
            settled.iter().filter(member).map(|e| e.release.year()).max()
        };
        let what = || format!("{} {}, {}", which.horizon, which.target, which.population);
        let none = || ForecastError::TooFew { what: what(), have: 0, need: 1 };
        let year = before.or_else(|| last().map(|year| year + 1)).ok_or_else(none)?;
        Ok(Day::new(year, 1, 1)?)
    }
}

/// Which model is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAsk {
    /// Of which kind.
    pub which: Which,
    /// Only outcomes known before this day are learned from.
    pub cut: Day,
    /// The seed of all randomness in training.
    pub seed: u64,
}

impl ModelAsk {
    /// The model, to be fitted by a learner on the lake with this fingerprint.
    #[must_use]
    pub fn spec(&self, data: &str, learner: Learner) -> ModelSpec {
        let Which { horizon, target, population } = self.which;
        ModelSpec {
            horizon,
            target,
            population,
            trained_before: self.cut,
            train_to: self.cut,
            without: learner.without,
            data: data.to_owned(),
            ensemble: EnsembleSpec { seed: self.seed, ..learner.ensemble },
        }
    }
}

/// The learner that everything in this house is fitted with.
#[must_use]
pub fn learner(seed: u64) -> EnsembleSpec {
    EnsembleSpec { seed, ..house().ensemble }
}

/// The training cut for a question: the first day of the year of its as-of day, so that one model serves a year of
/// questions and never knows more than they may.
#[must_use]
pub fn training_cut(as_of: AsOf) -> Day {
    Day::new(as_of.0.year(), 1, 1).unwrap_or(as_of.0)
}
