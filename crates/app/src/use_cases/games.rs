//! Games: how many copies one sells over its life, and how good such forecasts were.

use std::ops::RangeInclusive;

use marquee_domain::{AsOf, Control, Day, Distribution, Fact, FactKind, FactValue, TitleId, normalise_title};
use marquee_forecast::games::{FIRST_YEAR, Game, games as known_games, table};
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
    /// The day whose knowledge may be used; the first day of its year, or today where that is yet to come, where nobody says.
    pub as_of: Option<Day>,
    /// Today.
    pub today: Day,
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
    /// Its words that no game had by then, each with its kind: they tell nothing.
    pub unheard: Vec<(FactKind, String)>,
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
        let (game, actual) = find(&knowledge, question.asked)?;
        let (name, year) = (|| game.name.to_string(), game.year);
        if year < FIRST_YEAR {
            return Err(AppError::OldGame { name: name(), year, first: FIRST_YEAR });
        }
        let usual = Day::new(year, 1, 1)?.min(question.today.max(Day::new(FIRST_YEAR, 1, 1)?));
        let as_of = question.as_of.unwrap_or(usual);
        if as_of.year() > year {
            return Err(AppError::Out { name: name(), when: format!("in {year}"), as_of });
        }
        let cut = training_cut(AsOf(as_of));
        let known = knowledge.facts.partition_point(|fact| fact.known_on <= as_of);
        let known = &knowledge.facts[..known];
        let seen = table(known, std::slice::from_ref(&game), AsOf(as_of));
        let row = seen.rows.iter().find(|row| row.title.is_none());
        let row = row.ok_or_else(|| AppError::NoGame(name()))?;
        let spec = spec(cut, &knowledge, question.seed);
        let key = ModelKey::of::<FittedTable>(&spec);
        // What is asked about is not among what is learned from.
        let fitted = models.load_or_fit(&key, || Ok(spec.fit(&table(known, &[], AsOf(as_of)), &control)?))?;
        let forecast = fitted.forecast(row)?;
        Ok(GameAnswer {
            unheard: unheard(known, &game),
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

/// The game that is meant, and how many copies it sold where that is known.
fn find(knowledge: &Knowledge, asked: AskedGame) -> Result<(Game, Option<f64>), AppError> {
    let (text, machine) = match asked {
        AskedGame::New(game) => return Ok((as_known(&knowledge.facts, game), None)),
        AskedGame::Known(text, machine) => (text, machine),
    };
    let all = known_games(&knowledge.facts);
    let id = text.parse::<TitleId>().ok();
    let wanted = normalise_title(&text);
    let of = |meant: &dyn Fn(TitleId, &Game) -> bool| -> Vec<(TitleId, &Game, Option<f64>)> {
        let meant = all.iter().filter(|(title, (game, _))| meant(**title, game));
        meant.map(|(title, (game, sold))| (*title, game, *sold)).collect()
    };
    let mut named = of(&|title, game| id == Some(title) || *game.name == *text);
    if named.is_empty() {
        named = of(&|_, game| normalise_title(&game.name) == wanted);
    }
    if named.is_empty() {
        return Err(AppError::NoGame(text));
    }
    let machine_of = |game: &Game| game.machine.as_deref().unwrap_or("?").to_owned();
    let mut found = named.clone();
    if let Some(machine) = machine {
        found.retain(|(_, game, _)| machine_of(game).eq_ignore_ascii_case(&machine));
        if found.is_empty() {
            let mut known: Vec<String> = named.iter().map(|(_, game, _)| machine_of(game)).collect();
            known.sort_unstable();
            known.dedup();
            return Err(AppError::NotOnMachine { name: text, machine, known });
        }
    }
    match found.as_slice() {
        [(_, game, sold)] => Ok(((*game).clone(), *sold)),
        _ => {
            found.sort_by_key(|(title, game, _)| (game.year, *title));
            let line = |(title, game, _): &(TitleId, &Game, Option<f64>)| {
                format!("  {title}  {}  {}  {}", game.year, machine_of(game), game.name)
            };
            let (count, found) = (found.len(), found.iter().take(12).map(line).collect());
            Err(AppError::ManyGames { asked: text, count, found })
        }
    }
}

/// A game in the words of the lake, whatever their case.
fn as_known(facts: &[Fact], mut game: Game) -> Game {
    let words = [
        (FactKind::Platform, &mut game.machine),
        (FactKind::Genre, &mut game.genre),
        (FactKind::Distributor, &mut game.publisher),
    ];
    for (kind, word) in words {
        let Some(asked) = word else { continue };
        let texts = facts.iter().filter(|fact| fact.kind == kind).filter_map(|fact| match &fact.value {
            FactValue::Text(text) => Some(text),
            _ => None,
        });
        let mut alike = texts.filter(|text| text.to_lowercase() == asked.to_lowercase()).peekable();
        let exact = alike.clone().any(|text| text == asked);
        if let (Some(known), false) = (alike.peek(), exact) {
            *word = Some((*known).clone());
        }
    }
    game
}

/// The machine, genre and publisher of a game, where no game had them by what is known.
fn unheard(known: &[Fact], game: &Game) -> Vec<(FactKind, String)> {
    let words = [
        (FactKind::Platform, &game.machine),
        (FactKind::Genre, &game.genre),
        (FactKind::Distributor, &game.publisher),
    ];
    let told = |kind: FactKind, word: &str| {
        known
            .iter()
            .any(|fact| fact.kind == kind && matches!(&fact.value, FactValue::Text(t) if **t == *word))
    };
    let new = words.into_iter().filter_map(|(kind, word)| Some((kind, word.as_ref()?.to_string())));
    new.filter(|(kind, word)| !told(*kind, word)).collect()
}
