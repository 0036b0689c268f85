//! Games: how many copies one sells over its life, and how good such forecasts were.

use std::ops::RangeInclusive;

use marquee_domain::{AsOf, Control, Day, Distribution, TitleId, normalise_title};
use marquee_forecast::games::{Game, games as known_games, table};
use marquee_forecast::table::{FittedTable, TableForecast, TableSpec, TableTest, test as judge};
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{Knowledge, Reach, learner, training_cut};
use crate::models::ModelKey;
use crate::workspace::Workspace;

/// What is asked about.
#[derive(Debug, Clone, PartialEq)]
pub enum AskedGame {
    /// One of the catalogue's: its name or id, and its machine where several have it.
    Known(String, Option<String>),
    /// One that is not in the catalogue.
    New(Game),
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct GameQuestion {
    /// What is asked about.
    pub asked: AskedGame,
    /// The day whose knowledge may be used; the first day of its year where nobody says.
    pub as_of: Option<Day>,
    /// The seed of all randomness.
    pub seed: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct GameAnswer {
    /// The game.
    pub game: Game,
    /// The day whose knowledge was used.
    pub as_of: Day,
    /// Copies sold over its life, worldwide.
    pub units: Distribution,
    /// What a typical game would sell.
    pub base: f64,
    /// The forecast behind it, natural log of copies.
    pub forecast: TableForecast,
    /// How many games were learned from.
    pub learned: usize,
    /// What it came to, where that is known.
    pub actual: Option<f64>,
}

/// Forecasts how many copies a game sells, by a model of what was known before the first day of the as-of day's year.
///
/// # Errors
/// [`AppError::NoGame`], [`AppError::ManyGames`]; too few to learn from.
pub async fn games(
    workspace: &Workspace,
    question: GameQuestion,
    control: &Control,
    permit: &Permit,
) -> Result<GameAnswer, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Games, permit).await?;
    let (models, control) = (workspace.models(), control.clone());
    cpu::run(move || {
        let (title, game) = find(&knowledge, question.asked)?;
        let as_of = match question.as_of {
            Some(day) => day,
            None => Day::new(game.year, 1, 1)?,
        };
        let cut = training_cut(AsOf(as_of));
        let known = knowledge.facts.partition_point(|fact| fact.known_on <= as_of);
        let seen = table(&knowledge.facts[..known], std::slice::from_ref(&game), AsOf(as_of));
        let row = seen.rows.iter().find(|row| row.title.is_none());
        let row = row.ok_or_else(|| AppError::NoGame(game.name.to_string()))?;
        let spec = spec(cut, &knowledge, question.seed);
        let key = ModelKey::of::<FittedTable>(&spec);
        let fitted = models.load_or_fit(&key, || Ok(spec.fit(&seen, &control)?))?;
        let forecast = fitted.forecast(row)?;
        let actual = title.and_then(|title| {
            let all = table(&knowledge.facts, &[], AsOf(Day::MAX));
            all.rows.iter().find(|row| row.title == Some(title)).and_then(|row| Some(row.outcome?.0.exp()))
        });
        Ok(GameAnswer {
            game,
            as_of,
            units: Distribution::from_logs(forecast.quantiles)
                .map_err(marquee_forecast::ForecastError::from)?,
            base: forecast.base.exp(),
            forecast,
            learned: fitted.rows(),
            actual,
        })
    })
    .await
}

/// Tests forecasts of the games of some years, by a model of what was known before them.
///
/// # Errors
/// Too few to learn from or none to test.
pub async fn games_test(
    workspace: &Workspace,
    (years, seed): (RangeInclusive<i32>, u64),
    control: &Control,
    permit: &Permit,
) -> Result<TableTest, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Games, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let period = Day::new(*years.start(), 1, 1)?..=Day::new(*years.end(), 12, 31)?;
        let spec = spec(*period.start(), &knowledge, seed);
        Ok(judge(&table(&knowledge.facts, &[], AsOf(Day::MAX)), &spec, &period, &control)?)
    })
    .await
}

fn spec(cut: Day, knowledge: &Knowledge, seed: u64) -> TableSpec {
    TableSpec {
        what: "games".to_owned(),
        trained_before: cut,
        without: Vec::new(),
        data: knowledge.fingerprint.clone(),
        ensemble: learner(seed),
    }
}

fn find(knowledge: &Knowledge, asked: AskedGame) -> Result<(Option<TitleId>, Game), AppError> {
    let (text, machine) = match asked {
        AskedGame::New(game) => return Ok((None, game)),
        AskedGame::Known(text, machine) => (text, machine),
    };
    let all = known_games(&knowledge.facts);
    let id = text.parse::<TitleId>().ok();
    let wanted = normalise_title(&text);
    let meant = |title: TitleId, game: &Game| {
        let named = id == Some(title) || normalise_title(&game.name) == wanted;
        named && machine.as_ref().is_none_or(|m| game.machine.as_deref() == Some(m.as_str()))
    };
    let mut found: Vec<(TitleId, Game)> =
        all.into_iter().filter(|(title, game)| meant(*title, game)).collect();
    match found.len() {
        0 => Err(AppError::NoGame(text)),
        1 => Ok(found.pop().map_or_else(|| (None, Game::default()), |(title, game)| (Some(title), game))),
        count => {
            found.sort_by_key(|(title, game)| (game.year, *title));
            let line = |(title, game): &(TitleId, Game)| {
                format!("  {title}  {}  {}  {}", game.year, game.machine.as_deref().unwrap_or("?"), game.name)
            };
            let found = found.iter().take(12).map(line).collect();
            Err(AppError::ManyGames { asked: text, count, found })
        }
    }
}
