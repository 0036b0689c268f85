//! Reception: how critics and viewers will score a film, and how good such forecasts were.

use std::ops::RangeInclusive;

use marquee_domain::{AsOf, Control, Day, FactKind, Horizon, Opinion};
use marquee_forecast::reception::{PEOPLE, Reviews, best, day_of, outcome_kind, table};
use marquee_forecast::table::{FittedTable, TableForecast, TableSpec, TableTest, TitleTable, test as judge};
use marquee_forecast::{ForecastError, Profile};
use marquee_platform::{Action, Permit};

use crate::asked::{Asked, Found, project_day};
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{Knowledge, Reach, learner, training_cut};
use crate::models::{ModelKey, ModelStore};
use crate::workspace::Workspace;

/// A question.
#[derive(Debug, Clone)]
pub struct ReceptionQuestion {
    /// What is asked about.
    pub asked: Asked,
    /// The day whose knowledge may be used; a month before release, or a project's greenlight day, where nobody says.
    pub as_of: Option<Day>,
    /// Today.
    pub today: Day,
    /// The seed of all randomness.
    pub seed: u64,
}

/// What one side will say.
#[derive(Debug, Clone, PartialEq)]
pub struct Reception {
    /// Whose opinion.
    pub opinion: Opinion,
    /// The table whose scores are meant.
    pub source: String,
    /// The most that can be said.
    pub best: f64,
    /// Whether people were seen: by the model of films whose director is named.
    pub credited: bool,
    /// How many films were learned from.
    pub learned: usize,
    /// The forecast. Its quantiles are held to what can be said; but for that, base and drivers add up to the median.
    pub forecast: TableForecast,
    /// What it came to, where that is known.
    pub actual: Option<f64>,
    /// Its words that no scored film had by then, each with its kind: they tell nothing.
    pub unheard: Vec<(FactKind, String)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceptionAnswer {
    /// The title or project.
    pub name: String,
    /// Its release day.
    pub release: Day,
    /// The day whose knowledge was used.
    pub as_of: Day,
    /// What each side will say, of those whose scores the lake has enough of.
    pub opinions: Vec<Reception>,
}

/// Forecasts how a film will be received, by models of what was known before the first day of the as-of day's year.
///
/// # Errors
/// [`AppError::NoScores`] where no table states any; too few of every opinion to learn from; an unknown title; [`AppError::Out`]
/// where it is out by then.
pub async fn reception(
    workspace: &Workspace,
    question: ReceptionQuestion,
    control: &Control,
    permit: &Permit,
) -> Result<ReceptionAnswer, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let found = question.asked.find(&snapshot).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Scores, permit).await?;
    let (models, control) = (workspace.models(), control.clone());
    cpu::run(move || {
        let release = found.release()?;
        let usual = match &found {
            Found::Title(_) => day_of(release),
            Found::Project(project) => project_day(project, question.today),
        };
        let as_of = question.as_of.unwrap_or(usual);
        if as_of >= release {
            let (name, when) = (found.name().to_owned(), format!("on {release}"));
            return Err(AppError::Out { name, when, as_of });
        }
        let view = View { knowledge, models, found, release, as_of, seed: question.seed };
        let (mut opinions, mut lacking) = (Vec::new(), None);
        for opinion in Opinion::ALL.iter().copied() {
            match view.of(opinion, &control) {
                Ok(told) => opinions.extend(told),
                Err(AppError::Forecast(why @ ForecastError::TooFew { .. })) => lacking = Some(why.into()),
                Err(other) => return Err(other),
            }
        }
        if opinions.is_empty() {
            return Err(lacking.unwrap_or_else(|| no_scores(Opinion::Critics)));
        }
        Ok(ReceptionAnswer { name: view.found.name().to_owned(), release, as_of, opinions })
    })
    .await
}

/// A film as of a day, and what it is judged with.
struct View {
    knowledge: Knowledge,
    models: ModelStore,
    found: Found,
    release: Day,
    as_of: Day,
    seed: u64,
}

impl View {
    /// What one side will say; nothing where no table states what it says.
    fn of(&self, opinion: Opinion, control: &Control) -> Result<Option<Reception>, AppError> {
        let cut = training_cut(AsOf(self.as_of));
        let mut reviews = Reviews::new(opinion, &self.knowledge.facts, cut);
        if reviews.source().is_empty() {
            return Ok(None);
        }
        let known = self.knowledge.facts.iter().take_while(|fact| fact.known_on <= self.as_of);
        known.for_each(|fact| reviews.observe(fact));
        let profile = match &self.found {
            Found::Title(title) => reviews.profile(title.id),
            Found::Project(project) => Profile::of_project(project, Horizon::Announced),
        };
        let (credited, fitted) = self.model(opinion, !profile.directors.is_empty(), cut, control)?;
        let row = reviews.row(self.found.title(), &profile, self.release, self.as_of);
        let mut forecast = fitted.forecast(&row)?;
        forecast.quantiles = forecast.quantiles.map(|score| score.clamp(0.0, best(opinion)));
        Ok(Some(Reception {
            opinion,
            source: reviews.source().to_owned(),
            best: best(opinion),
            credited,
            learned: fitted.rows(),
            forecast,
            actual: score(&self.knowledge, opinion, &self.found, reviews.source()),
            unheard: reviews.unheard(&profile),
        }))
    }

    /// The model of credited films where a director is named and enough are to learn from, else that of all; says which.
    fn model(
        &self,
        opinion: Opinion,
        credited: bool,
        cut: Day,
        control: &Control,
    ) -> Result<(bool, FittedTable), AppError> {
        let spec = spec(opinion, credited, cut, &self.knowledge.fingerprint, self.seed);
        let key = ModelKey::of::<FittedTable>(&spec);
        let fitted = self.models.load_or_fit(&key, || {
            let table = population(&self.knowledge, opinion, credited, cut);
            Ok(spec.fit(&table, control)?)
        });
        match fitted {
            Err(AppError::Forecast(ForecastError::TooFew { .. })) if credited => {
                self.model(opinion, false, cut, control)
            }
            fitted => Ok((credited, fitted?)),
        }
    }
}

/// Tests forecasts of an opinion on the films of some years, by a model of what was known before: of films whose director is
/// named, or of all without people.
///
/// # Errors
/// [`AppError::NoScores`] where no table states any; too few to learn from or none to test.
pub async fn reception_test(
    workspace: &Workspace,
    (opinion, credited): (Opinion, bool),
    (years, seed): (RangeInclusive<i32>, u64),
    control: &Control,
    permit: &Permit,
) -> Result<TableTest, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Scores, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let period = Day::new(*years.start(), 1, 1)?..=Day::new(*years.end(), 12, 31)?;
        let cut = *period.start();
        let table = population(&knowledge, opinion, credited, cut);
        if table.rows.is_empty() && !credited {
            return Err(no_scores(opinion));
        }
        let spec = spec(opinion, credited, cut, &knowledge.fingerprint, seed);
        Ok(judge(&table, &spec, &period, &control)?)
    })
    .await
}

fn no_scores(opinion: Opinion) -> AppError {
    AppError::NoScores { opinion, kind: outcome_kind(opinion) }
}

fn spec(opinion: Opinion, credited: bool, cut: Day, data: &str, seed: u64) -> TableSpec {
    let people = if credited { "credited" } else { "all" };
    let without: &[&str] = if credited { &[] } else { &PEOPLE };
    TableSpec {
        what: format!("scores of {opinion}, {people}"),
        trained_before: cut,
        without: without.iter().map(|group| (*group).to_owned()).collect(),
        data: data.to_owned(),
        ensemble: learner(seed),
    }
}

/// The films with a score: those whose director was named, or all.
fn population(knowledge: &Knowledge, opinion: Opinion, credited: bool, cut: Day) -> TitleTable {
    let (mut table, named) = table(&knowledge.facts, opinion, cut);
    let mut named = named.into_iter();
    table.rows.retain(|_| named.next().unwrap_or(false) || !credited);
    table
}

/// What a title was scored in the end.
fn score(knowledge: &Knowledge, opinion: Opinion, found: &Found, source: &str) -> Option<f64> {
    let title = found.title()?;
    let stated = |fact: &&marquee_domain::Fact| {
        fact.title == title && fact.kind == outcome_kind(opinion) && *fact.source == *source
    };
    knowledge.facts.iter().find(stated).and_then(|fact| match fact.value {
        marquee_domain::FactValue::Number(score) => Some(score),
        _ => None,
    })
}
