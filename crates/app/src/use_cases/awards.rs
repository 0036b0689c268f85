//! Awards: which nominees win, which films are nominated, and how good such forecasts were.

use std::ops::RangeInclusive;

use marquee_domain::{AsOf, Control, Day, Target};
use marquee_forecast::awards::{
    AwardForecast, Awards, AwardsSpec, AwardsTest, FittedAwards, Season, newest, test as judge,
};
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{Knowledge, Reach};
use crate::models::ModelKey;
use crate::workspace::Workspace;

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct AwardsQuestion {
    /// The year of the films; the newest where nobody says.
    pub year: Option<i32>,
    /// Whether nominations are asked for, in place of wins.
    pub nominations: bool,
    /// The day whose knowledge may be used; all where nobody says.
    pub as_of: Option<Day>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AwardsAnswer {
    /// The year of the films.
    pub year: i32,
    /// How many nominations for Golden Globes are known, and how many of those won.
    pub globes: (usize, usize),
    /// The chances, by award.
    pub forecasts: Vec<AwardForecast>,
}

/// Forecasts the awards for the films of a year, by models of the years before.
///
/// # Errors
/// [`AppError::NoAwards`], [`AppError::NoSeason`] or [`AppError::NoFilms`] where too little is known; too few to learn from.
pub async fn awards(
    workspace: &Workspace,
    question: AwardsQuestion,
    control: &Control,
    permit: &Permit,
) -> Result<AwardsAnswer, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Awards, permit).await?;
    let (models, control) = (workspace.models(), control.clone());
    cpu::run(move || {
        let as_of = AsOf(question.as_of.unwrap_or(Day::MAX));
        let none = || AppError::NoAwards { as_of: question.as_of };
        let newest = || newest(&knowledge.facts, as_of, !question.nominations);
        let year = question.year.or_else(newest).ok_or_else(none)?;
        let awards = look(&knowledge, first_day(year)?, as_of);
        let nominated = |season: &&Season| question.nominations || !season.oscars.is_empty();
        let season = match awards.seasons.get(&year).filter(nominated) {
            Some(season) => season,
            None => {
                let what = if question.nominations { "awards" } else { "Academy's nominations" };
                let mut known = awards.seasons.values().filter(nominated).map(|season| season.year);
                let first = known.next().ok_or_else(none)?;
                let last = known.next_back().unwrap_or(first);
                return Err(AppError::NoSeason { what, year, first, last, as_of: question.as_of });
            }
        };
        let spec = AwardsSpec { before: year, data: knowledge.fingerprint.clone() };
        let key = ModelKey::of::<FittedAwards>(&spec);
        let fitted = models.load_or_fit(&key, || Ok(spec.fit(&awards, &control)?))?;
        let forecasts = match question.nominations {
            true => fitted.nominees(&awards, season)?,
            false => fitted.winners(&awards, season)?,
        };
        if forecasts.iter().all(|forecast| forecast.chances.is_empty()) {
            return Err(AppError::NoFilms { year });
        }
        let won = season.globes.iter().filter(|ballot| ballot.won.is_some()).count();
        Ok(AwardsAnswer { year, globes: (season.globes.len(), won), forecasts })
    })
    .await
}

/// Tests forecasts of awards on the films of some years, by models of those before.
///
/// # Errors
/// Too few awards to learn from or none to test.
pub async fn awards_test(
    workspace: &Workspace,
    years: RangeInclusive<i32>,
    control: &Control,
    permit: &Permit,
) -> Result<AwardsTest, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Awards, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let before = *years.start();
        let awards = look(&knowledge, first_day(before)?, AsOf(Day::MAX));
        let spec = AwardsSpec { before, data: knowledge.fingerprint.clone() };
        Ok(judge(&awards, &spec, &years, &control)?)
    })
    .await
}

/// The seasons as known on a day, with films of the sources that were complete before `cut`.
fn look(knowledge: &Knowledge, cut: Day, as_of: AsOf) -> Awards {
    Awards::of(&knowledge.facts, &knowledge.scope(Target::Worldwide, cut), as_of)
}

fn first_day(year: i32) -> Result<Day, AppError> {
    Ok(Day::new(year, 1, 1)?)
}
