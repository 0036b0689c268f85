//! Answers of the forecasting room: a subject and a day in, a forecast out. Histories and models are kept for as long as
//! the [`Forecaster`] lives, so that a hundred projects of one day cost one fold.
//!
//! Not a use case: forecasting a title, choosing a slate and the demo stand on it.

use std::sync::{Arc, Mutex, PoisonError};

use marquee_domain::{
    AsOf, Budget, Control, Currency, Day, Distribution, Forecast, Horizon, Money, Population, Project,
    Target, TitleId, Vertical,
};
use marquee_forecast::tune::Learner;
use marquee_forecast::{FittedModel, ForecastError, History, Profile, Subject, has_charts, usual_population};
use marquee_platform::Permit;

use crate::asked::{Asked, Found, project_day};
use crate::error::AppError;
use crate::knowledge::{Knowledge, ModelAsk, training_cut};
use crate::learners::Which;
use crate::models::ModelStore;
use crate::recent::Recent;
use crate::recorded::Outcomes;
use crate::workspace::Workspace;

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

/// What is asked about, and on which terms.
#[derive(Debug, Clone)]
pub struct Inquiry {
    /// What is asked about.
    pub asked: Asked,
    /// The day whose knowledge may be used; for a title 30 days before its release and for its opening the day before, for a
    /// project its greenlight day or today.
    pub as_of: Option<Day>,
    /// What is predicted.
    pub target: Target,
    /// By the model of which films.
    pub population: Option<Population>,
    /// The day of asking.
    pub today: Day,
    /// The seed of all randomness.
    pub seed: u64,
}

impl Inquiry {
    /// Fetches what answering needs: the forecaster, and what was asked about.
    ///
    /// # Errors
    /// A title that cannot be told, an empty lake, or one that cannot be read.
    pub async fn open(
        &self,
        workspace: &Workspace,
        permit: &Permit,
    ) -> Result<(Arc<Forecaster>, Found), AppError> {
        let found = self.asked.find(&workspace.snapshot(permit).await?).await?;
        let reach = self.asked.reach(self.target, self.as_of, self.today);
        Ok((workspace.forecaster(reach, permit).await?, found))
    }
}

/// Histories that are kept: one for each target and day that was asked about lately.
const HISTORIES: usize = 32;
/// Models that are kept in memory.
const FITTED: usize = 64;

/// Makes forecasts from one version of the lake. Many may ask at once.
#[derive(Debug)]
pub struct Forecaster {
    knowledge: Knowledge,
    models: ModelStore,
    histories: Recent<(Target, AsOf), Arc<History>>,
    fitted: Recent<(ModelAsk, Learner), Arc<FittedModel>>,
    outcomes: Recent<Target, Arc<Outcomes>>,
    /// What is being fitted at this moment.
    fitting: Mutex<Vec<ModelAsk>>,
    /// Whether daily charts are among what is known.
    charted: bool,
}

impl Forecaster {
    /// A forecaster over what is known and the models that are kept.
    #[must_use]
    pub fn new(knowledge: Knowledge, models: ModelStore) -> Self {
        let charted = has_charts(&knowledge.facts);
        Self {
            knowledge,
            models,
            histories: Recent::new(HISTORIES),
            fitted: Recent::new(FITTED),
            outcomes: Recent::new(Target::ALL.len()),
            fitting: Mutex::default(),
            charted,
        }
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
    pub fn history(&self, target: Target, as_of: AsOf) -> Result<Arc<History>, AppError> {
        if let Some(history) = self.histories.get(&(target, as_of)) {
            return Ok(history);
        }
        let scope = self.knowledge.scope(target, training_cut(as_of));
        let history = Arc::new(self.knowledge.history(&scope, as_of)?);
        self.histories.put((target, as_of), history.clone());
        Ok(history)
    }

    /// What a forecast's target came to, where the catalogue knows by now. US dollars, nominal.
    #[must_use]
    pub fn actual(&self, forecast: &Forecast) -> Option<f64> {
        let outcomes = self.outcomes.get(&forecast.target).unwrap_or_else(|| {
            let found = Arc::new(Outcomes::of(forecast.target, &self.knowledge));
            self.outcomes.put(forecast.target, found.clone());
            found
        });
        outcomes.actual(forecast)
    }

    /// The day on which something is judged where nobody says: a project as [`project_day`] says; a title 30 days before
    /// its release, for its opening the day before. When it opens at home, the source of the openings says; that only
    /// chooses the day to ask about.
    ///
    /// # Errors
    /// A title without a release day.
    fn day(&self, found: &Found, target: Target, today: Day) -> Result<AsOf, AppError> {
        let release = found.release()?;
        Ok(match (found, target) {
            (Found::Project(project), _) => AsOf(project_day(project, today)),
            (Found::Title(title), Target::OpeningDay | Target::Opening) => {
                let scope = self.knowledge.scope(target, Day::MAX);
                Horizon::PreRelease.as_of(self.knowledge.release(&scope, title.id).unwrap_or(release))
            }
            (Found::Title(_), Target::Domestic | Target::International | Target::Worldwide) => {
                Horizon::Announced.as_of(release)
            }
        })
    }

    /// What was found as it is known on the inquiry's day, at the latest horizon whose day has come, with the terms to
    /// forecast it on. What looks at a run does so as of its horizon's own day: the latest Sunday of the first three, or the
    /// day of release.
    ///
    /// # Errors
    /// [`AppError::Released`] where the as-of day is not before the release and nobody charts the target's run,
    /// [`AppError::TooEarly`] where it is before anybody asks for the target.
    pub fn look(&self, inquiry: &Inquiry, found: &Found) -> Result<(Subject, Terms), AppError> {
        let Inquiry { target, population, seed, .. } = *inquiry;
        let as_of = match inquiry.as_of {
            Some(day) => AsOf(day),
            None => self.day(found, target, inquiry.today)?,
        };
        let terms = Terms { target, population, as_of, seed };
        let subject = match found {
            Found::Project(project) => self.look_at_project(project, &terms)?,
            Found::Title(title) => self.look_at_title(title.id, &title.name, found.release()?, &terms)?,
        };
        Ok((subject, terms))
    }

    /// As [`Forecaster::look`], of a plan that can still be changed.
    ///
    /// # Errors
    /// [`AppError::Begun`] once the run has begun.
    pub fn look_at_plan(&self, inquiry: &Inquiry, found: &Found) -> Result<(Subject, Terms), AppError> {
        let (subject, terms) = self.look(inquiry, found)?;
        match subject.horizon.sees_run() {
            true => Err(AppError::Begun { name: found.name().to_owned(), as_of: subject.as_of.0 }),
            false => Ok((subject, terms)),
        }
    }

    /// The forecast of a project.
    ///
    /// # Errors
    /// [`AppError::Released`] where the as-of day is not before the release; otherwise what the room says.
    pub fn project(&self, project: &Project, terms: &Terms, control: &Control) -> Result<Forecast, AppError> {
        let subject = self.look_at_project(project, terms)?;
        self.forecast(&subject, terms, control)
    }

    /// The forecast of a title of the catalogue that is released on `release`, where the source of the target's outcomes
    /// does not say better.
    ///
    /// # Errors
    /// As [`Forecaster::look`]; otherwise what the room says.
    pub fn title(
        &self,
        title: TitleId,
        name: &str,
        release: Day,
        terms: &Terms,
        control: &Control,
    ) -> Result<Forecast, AppError> {
        let subject = self.look_at_title(title, name, release, terms)?;
        self.forecast(&subject, terms, control)
    }

    /// The range of a project alone, without reasons: US dollars, nominal.
    ///
    /// # Errors
    /// As [`Forecaster::project`].
    pub fn outlook(
        &self,
        project: &Project,
        terms: &Terms,
        control: &Control,
    ) -> Result<Distribution, AppError> {
        let subject = self.look_at_project(project, terms)?;
        let model = self.model_for(&subject, terms, control)?;
        Ok(model.outlook(&*self.history(terms.target, subject.as_of)?, &subject)?)
    }

    fn look_at_project(&self, project: &Project, terms: &Terms) -> Result<Subject, AppError> {
        let horizon = self.horizon(&project.name, project.release, terms)?;
        if horizon.sees_run() {
            let (name, release) = (project.name.clone(), project.release);
            return Err(AppError::Released { name, release, as_of: terms.as_of.0 });
        }
        let profile = Profile::of_project(project, horizon);
        Ok(Subject { profile, release: project.release, horizon, as_of: terms.as_of, title: None })
    }

    /// A title of the catalogue that is released on `release`, where the source of the target's outcomes does not say better,
    /// as [`Forecaster::look`] has it.
    ///
    /// # Errors
    /// As [`Forecaster::look`].
    pub fn look_at_title(
        &self,
        title: TitleId,
        name: &str,
        release: Day,
        terms: &Terms,
    ) -> Result<Subject, AppError> {
        let release = self.history(terms.target, terms.as_of)?.release(title).unwrap_or(release);
        let horizon = self.horizon(name, release, terms)?;
        let as_of = if horizon.sees_run() { horizon.as_of(release) } else { terms.as_of };
        let mut subject = self.as_known(title, release, horizon, terms.target, as_of)?;
        subject.profile.name = Some(name.into());
        Ok(subject)
    }

    /// A title as it is known on a day.
    fn as_known(
        &self,
        title: TitleId,
        release: Day,
        horizon: Horizon,
        target: Target,
        as_of: AsOf,
    ) -> Result<Subject, AppError> {
        let profile = self.history(target, as_of)?.profile(title);
        Ok(Subject { profile, release, horizon, as_of, title: Some(title) })
    }

    /// The forecasts of the same title and target as `latest` at the horizons before its own, each by the usual model of its
    /// horizon, in order of time. Where the catalogue knew too little then, a horizon is left out.
    ///
    /// # Errors
    /// As [`Forecaster::title`].
    pub fn earlier(
        &self,
        latest: &Forecast,
        seed: u64,
        control: &Control,
    ) -> Result<Vec<Forecast>, AppError> {
        let Some(title) = latest.title else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for horizon in self.asked(latest.target).into_iter().filter(|h| *h < latest.horizon) {
            let as_of = horizon.as_of(latest.release);
            let terms = Terms { target: latest.target, population: None, as_of, seed };
            let mut subject = self.as_known(title, latest.release, horizon, latest.target, as_of)?;
            subject.profile.name = Some(latest.name.as_str().into());
            match self.forecast(&subject, &terms, control) {
                Ok(forecast) => found.push(forecast),
                Err(AppError::Forecast(ForecastError::Unknown { .. } | ForecastError::TooFew { .. })) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }

    /// The horizons at which a target is asked for and the catalogue has what they look at, in order of time.
    fn asked(&self, target: Target) -> Vec<Horizon> {
        let seen = |h: &&Horizon| h.asks_for(target) && (self.charted || !h.charts(target));
        Horizon::ALL.iter().filter(seen).copied().collect()
    }

    /// The latest horizon of those asked whose day has come.
    fn horizon(&self, name: &str, release: Day, terms: &Terms) -> Result<Horizon, AppError> {
        let (name, as_of) = (|| name.to_owned(), terms.as_of);
        let asked = self.asked(terms.target);
        let Some(first) = asked.first() else {
            return Err(AppError::NoChart { name: name() });
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

    /// The forecast of a subject as of its own day.
    ///
    /// # Errors
    /// As [`Forecaster::model_for`]; otherwise what the room says.
    pub fn forecast(
        &self,
        subject: &Subject,
        terms: &Terms,
        control: &Control,
    ) -> Result<Forecast, AppError> {
        let model = self.model_for(subject, terms, control)?;
        let history = self.history(terms.target, subject.as_of)?;
        Ok(model.forecast(&history, subject, &self.knowledge.fingerprint)?)
    }

    /// The model that speaks of a subject: of the population that was asked for, or its usual one.
    ///
    /// # Errors
    /// [`AppError::NotAsked`] where no such model speaks of the target there; too few settled titles, or a store that cannot
    /// be read or written.
    pub fn model_for(
        &self,
        subject: &Subject,
        terms: &Terms,
        control: &Control,
    ) -> Result<Arc<FittedModel>, AppError> {
        let (horizon, target) = (subject.horizon, terms.target);
        let population = terms.population.unwrap_or_else(|| usual_population(subject, target));
        if !horizon.asks(target, population) {
            return Err(AppError::NotAsked { horizon, target, population });
        }
        self.model(horizon, population, &Terms { as_of: subject.as_of, ..*terms }, control)
    }

    /// The model for a horizon and terms, read or fitted once.
    ///
    /// # Errors
    /// Too few settled titles, or a store that cannot be read or written.
    pub fn model(
        &self,
        horizon: Horizon,
        population: Population,
        terms: &Terms,
        control: &Control,
    ) -> Result<Arc<FittedModel>, AppError> {
        let cut = training_cut(terms.as_of);
        let which = Which { horizon, target: terms.target, population };
        let ask = ModelAsk { which, cut, seed: terms.seed };
        let learner = self.models.learners().champion(which, cut)?;
        let key = (ask, learner);
        if let Some(model) = self.fitted.get(&key) {
            return Ok(model);
        }
        let _turn = Turn::take(&self.fitting, &key.0)?;
        let model = Arc::new(self.knowledge.model(&self.models, &key.0, control)?);
        self.fitted.put(key, model.clone());
        Ok(model)
    }
}

/// The turn to fit a model. Who comes second is told to come again: to wait would hold up the threads that fit it.
struct Turn<'a> {
    fitting: &'a Mutex<Vec<ModelAsk>>,
    ask: ModelAsk,
}

impl<'a> Turn<'a> {
    fn take(fitting: &'a Mutex<Vec<ModelAsk>>, ask: &ModelAsk) -> Result<Self, AppError> {
        let mut taken = fitting.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.contains(ask) {
            return Err(AppError::Fitting);
        }
        taken.push(ask.clone());
        Ok(Self { fitting, ask: ask.clone() })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut taken = self.fitting.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|ask| *ask != self.ask);
    }
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
