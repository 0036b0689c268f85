//! Answers of the forecasting room: a subject and a day in, a forecast out. Histories and models are kept for as long as
//! the [`Forecaster`] lives, so that a hundred projects of one day cost one fold.
//!
//! Not a use case: forecasting a title, choosing a slate and the demo stand on it.

use std::collections::HashMap;
use std::sync::Arc;

use marquee_catalogue::{Entry, Identity, Snapshot, TitleQuery};
use marquee_domain::{
    AsOf, Budget, Control, Currency, Day, Forecast, Horizon, Money, Population, Project, Target, TitleId,
    Vertical, normalise_title,
};
use marquee_forecast::{
    FittedModel, ForecastError, History, Profile, Scope, Subject, has_charts, usual_population,
};

use crate::error::AppError;
use crate::knowledge::{Knowledge, ModelAsk, training_cut};
use crate::models::ModelStore;

/// How a forecast is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// What is predicted.
    pub target: Target,
    /// By the model of which films; the usual one of the horizon where nothing is said.
    pub population: Option<Population>,
    /// The day whose knowledge may be used.
    pub as_of: AsOf,
    /// The seed of training.
    pub seed: u64,
}

/// Makes forecasts from one version of the lake.
#[derive(Debug)]
pub struct Forecaster {
    knowledge: Knowledge,
    models: ModelStore,
    histories: HashMap<(Target, AsOf), (Scope, Arc<History>)>,
    fitted: HashMap<String, Arc<FittedModel>>,
    /// Whether daily charts are among what is known.
    charted: bool,
}

impl Forecaster {
    /// A forecaster over what is known and the models that are kept.
    #[must_use]
    pub fn new(knowledge: Knowledge, models: ModelStore) -> Self {
        let charted = has_charts(&knowledge.facts);
        Self { knowledge, models, histories: HashMap::new(), fitted: HashMap::new(), charted }
    }

    /// What is known.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    /// The history of a target as of a day, folded once.
    ///
    /// # Errors
    /// What the fold says.
    pub fn history(&mut self, target: Target, as_of: AsOf) -> Result<Arc<History>, AppError> {
        if let Some((_, history)) = self.histories.get(&(target, as_of)) {
            return Ok(history.clone());
        }
        let scope = self.knowledge.scope(target, training_cut(as_of));
        let history = Arc::new(self.knowledge.history(&scope, as_of)?);
        self.histories.insert((target, as_of), (scope, history.clone()));
        Ok(history)
    }

    /// The model for a horizon and terms, read or fitted once.
    ///
    /// # Errors
    /// Too few settled titles, or a store that cannot be read or written.
    pub fn model(
        &mut self,
        horizon: Horizon,
        population: Population,
        terms: &Terms,
        control: &Control,
    ) -> Result<Arc<FittedModel>, AppError> {
        let cut = training_cut(terms.as_of);
        let ask = ModelAsk { horizon, target: terms.target, population, cut, seed: terms.seed };
        let name = format!("{ask:?}");
        if let Some(model) = self.fitted.get(&name) {
            return Ok(model.clone());
        }
        let model = Arc::new(self.knowledge.model(&self.models, &ask, control)?);
        self.fitted.insert(name, model.clone());
        Ok(model)
    }

    /// The forecast of a project.
    ///
    /// # Errors
    /// [`AppError::Released`] where the as-of day is not before the release; otherwise what the room says.
    pub fn project(
        &mut self,
        project: &Project,
        terms: &Terms,
        control: &Control,
    ) -> Result<Forecast, AppError> {
        let horizon = self.horizon(&project.name, project.release, terms)?;
        if horizon.sees_run() {
            let (name, release) = (project.name.clone(), project.release);
            return Err(AppError::Released { name, release, as_of: terms.as_of.0 });
        }
        let profile = Profile::of_project(project, horizon);
        let subject = Subject { profile, release: project.release, horizon, as_of: terms.as_of, title: None };
        self.subject(&subject, terms, control)
    }

    /// The forecast of a title of the catalogue that is released on `release`, where the source of the target's outcomes
    /// does not say better. What looks at a run does so as of its horizon's own day: the latest Sunday of the first three,
    /// or the day of release.
    ///
    /// # Errors
    /// [`AppError::Released`] where the as-of day is not before the release and the target has no daily chart,
    /// [`AppError::TooEarly`] where it is before anybody asks for the target; otherwise what the room says.
    pub fn title(
        &mut self,
        title: TitleId,
        name: &str,
        release: Day,
        terms: &Terms,
        control: &Control,
    ) -> Result<Forecast, AppError> {
        let release = self.history(terms.target, terms.as_of)?.release(title).unwrap_or(release);
        let horizon = self.horizon(name, release, terms)?;
        let as_of = if horizon.sees_run() { horizon.as_of(release) } else { terms.as_of };
        let terms = Terms { as_of, ..*terms };
        let mut subject = self.look(title, release, horizon, &terms)?;
        subject.profile.name = Some(name.into());
        self.subject(&subject, &terms, control)
    }

    /// A title as it is known on the as-of day.
    fn look(
        &mut self,
        title: TitleId,
        release: Day,
        horizon: Horizon,
        terms: &Terms,
    ) -> Result<Subject, AppError> {
        let profile = self.history(terms.target, terms.as_of)?.profile(title);
        Ok(Subject { profile, release, horizon, as_of: terms.as_of, title: Some(title) })
    }

    /// The forecasts of the same title and target as `latest` at the horizons before its own, each by the usual model of its
    /// horizon, in order of time. Where the catalogue knew too little then, a horizon is left out.
    ///
    /// # Errors
    /// As [`Forecaster::title`].
    pub fn earlier(
        &mut self,
        latest: &Forecast,
        seed: u64,
        control: &Control,
    ) -> Result<Vec<Forecast>, AppError> {
        let Some(title) = latest.title else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for horizon in self.asked(latest.target).into_iter().filter(|h| *h < latest.horizon) {
            let as_of = horizon.as_of(latest.release);
            let terms = Terms { target: latest.target, population: None, as_of, seed };
            let mut subject = self.look(title, latest.release, horizon, &terms)?;
            subject.profile.name = Some(latest.name.as_str().into());
            match self.subject(&subject, &terms, control) {
                Ok(forecast) => found.push(forecast),
                Err(AppError::Forecast(ForecastError::Unknown { .. } | ForecastError::TooFew { .. })) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }

    /// The horizons at which a target is asked for and the catalogue has what they look at, in order of time.
    fn asked(&self, target: Target) -> Vec<Horizon> {
        let seen = |h: &&Horizon| h.asks_for(target) && (self.charted || !h.is_charted());
        Horizon::ALL.iter().filter(seen).copied().collect()
    }

    /// The latest horizon of those asked whose day has come.
    fn horizon(&self, name: &str, release: Day, terms: &Terms) -> Result<Horizon, AppError> {
        let (name, as_of) = (|| name.to_owned(), terms.as_of);
        let asked = self.asked(terms.target);
        let Some(first) = asked.first() else {
            return Err(AppError::Lacking { name: name(), missing: "daily chart" });
        };
        let latest = asked.iter().rev().find(|h| h.as_of(release) <= as_of);
        match latest {
            None if *first == Horizon::Greenlight => Ok(*first),
            None => {
                Err(AppError::TooEarly { name: name(), target: terms.target, from: first.as_of(release).0 })
            }
            Some(h) if as_of.0 >= release && !h.sees_run() => {
                Err(AppError::Released { name: name(), release, as_of: as_of.0 })
            }
            Some(h) => Ok(*h),
        }
    }

    fn subject(&mut self, subject: &Subject, terms: &Terms, control: &Control) -> Result<Forecast, AppError> {
        let history = self.history(terms.target, terms.as_of)?;
        let population = terms.population.unwrap_or_else(|| usual_population(subject, terms.target));
        if !subject.horizon.asks(terms.target, population) {
            return Err(AppError::NotAsked { horizon: subject.horizon, target: terms.target, population });
        }
        let model = self.model(subject.horizon, population, terms, control)?;
        Ok(model.forecast(&history, subject, &self.knowledge.fingerprint)?)
    }
}

/// The day on which a project is judged where nobody says: its greenlight day; else today, while that is before the
/// release; else the usual lead before the release.
#[must_use]
pub fn project_day(project: &Project, today: Day) -> Day {
    let today = (today < project.release).then_some(today);
    project.greenlit.or(today).unwrap_or_else(|| Horizon::Greenlight.as_of(project.release).0)
}

/// Finds the one title that a user means: by id, by source id, by whole name, or by part of a name.
///
/// # Errors
/// [`AppError::NoTitle`] or [`AppError::ManyTitles`].
pub async fn find_title(snapshot: &Snapshot, asked: &str) -> Result<Entry, AppError> {
    let identity = snapshot.identity().await?;
    if let Some(entry) = by_id(&identity, asked) {
        return Ok(entry.clone());
    }
    let query = TitleQuery { text: Some(asked.to_owned()), limit: usize::MAX, ..TitleQuery::default() };
    let rows = snapshot.titles(&query).await?;
    let wanted = normalise_title(asked);
    let whole: Vec<TitleId> =
        rows.iter().filter(|r| normalise_title(&r.name) == wanted).map(|r| r.id).collect();
    let found = if whole.is_empty() { rows.iter().map(|r| r.id).collect() } else { whole };
    match found.as_slice() {
        [] => Err(AppError::NoTitle(asked.to_owned())),
        [one] => identity.get(*one).cloned().ok_or_else(|| AppError::NoTitle(asked.to_owned())),
        many => {
            let line = |id: &TitleId| {
                let row = rows.iter().find(|r| r.id == *id)?;
                let year = row.release.map_or_else(|| "undated".to_owned(), |d| d.to_string());
                Some(format!("  {}  {}  {}", row.id, year, row.name))
            };
            Err(AppError::ManyTitles {
                asked: asked.to_owned(),
                count: many.len(),
                found: many.iter().filter_map(line).take(12).collect(),
            })
        }
    }
}

fn by_id<'a>(identity: &'a Identity, asked: &str) -> Option<&'a Entry> {
    let own = asked.parse::<TitleId>().ok();
    let stated = asked.split_once(':').map(|(space, id)| TitleId::of(Vertical::Film, space, id));
    [own, stated].into_iter().flatten().find_map(|id| identity.get(identity.canonical(id)))
}

/// A title of the catalogue as a project: what investing needs to know of it.
///
/// # Errors
/// [`AppError::Lacking`] without a budget; an amount that cannot be kept.
pub fn as_project(name: &str, profile: &Profile, release: Day) -> Result<Project, AppError> {
    let lacking = || AppError::Lacking { name: name.to_owned(), missing: "budget" };
    let words = |set: &std::collections::BTreeSet<Arc<str>>| set.iter().map(ToString::to_string).collect();
    let word = |one: &Option<Arc<str>>| one.as_ref().map(ToString::to_string);
    Ok(Project {
        name: name.to_owned(),
        vertical: Vertical::Film,
        budget: Budget(Money::from_major(profile.budget.ok_or_else(lacking)?, Currency::USD)?),
        marketing: None,
        release,
        greenlit: None,
        genres: words(&profile.genres),
        language: word(&profile.language),
        countries: words(&profile.countries),
        basis: word(&profile.basis),
        creative_type: word(&profile.creative_type),
        companies: words(&profile.companies),
        distributor: word(&profile.distributor),
        franchise: word(&profile.franchise),
        directors: words(&profile.directors),
        cast: words(&profile.cast),
        age_rating: word(&profile.age_rating),
        runtime: profile.runtime.map(|m| m as u32),
        opening_theatres: profile.theatres.map(|t| t as u32),
    })
}
