//! What can go wrong when a user asks for something: what, where, and what to do.

use std::path::PathBuf;

use marquee_catalogue::CatalogueError;
use marquee_domain::DomainError;
use marquee_forecast::ForecastError;
use marquee_invest::InvestError;

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nothing was ingested yet.
    #[error(
        "the lake in {0} holds no titles yet: `marquee ingest FILE` fills it, `marquee demo` shows the bundled table"
    )]
    Empty(PathBuf),
    /// No title matches.
    #[error(
        "no title matches `{0}`: `marquee titles TEXT` searches, and a title's id or source id (tmdb:603) always works"
    )]
    NoTitle(String),
    /// Several titles match.
    #[error("`{asked}` matches {count} titles: say which by its id:\n{}", .found.join("\n"))]
    ManyTitles {
        /// What was asked for.
        asked: String,
        /// How many.
        count: usize,
        /// The first of them, one line each.
        found: Vec<String>,
    },
    /// The title lacks what a forecast needs.
    #[error(
        "`{name}` cannot be forecast: the catalogue knows no {missing} of it; ingest a table that states it, or describe it as a project file for `--project`"
    )]
    Lacking {
        /// The title.
        name: String,
        /// What is missing.
        missing: &'static str,
    },
    /// No daily chart follows the title.
    #[error(
        "`{name}` cannot be forecast there: that takes daily charts (`daily_gross`, `daily_theatres`, `gross_to_date`) and a table of opening days and weekends, and the lake has none that it is in"
    )]
    NoChart {
        /// The title.
        name: String,
    },
    /// The as-of day is not before the release.
    #[error(
        "`{name}` was released on {release}, and {as_of} is not before that: ask as of an earlier day, or for `--target domestic` where the lake has its daily chart"
    )]
    Released {
        /// The title.
        name: String,
        /// Its release day.
        release: marquee_domain::Day,
        /// The day that was asked for.
        as_of: marquee_domain::Day,
    },
    /// The as-of day is before the target is forecast.
    #[error("the {target} of `{name}` is forecast from {from} on: ask as of that day, or for another target")]
    TooEarly {
        /// The title.
        name: String,
        /// The target.
        target: marquee_domain::Target,
        /// The first day.
        from: marquee_domain::Day,
    },
    /// A what-if about a run.
    #[error("the run of `{name}` has begun by {as_of}: ask what if as of a day before its release")]
    Begun {
        /// The title.
        name: String,
        /// The day that was asked for.
        as_of: marquee_domain::Day,
    },
    /// No model speaks of these films there.
    #[error(
        "no model of {population} films forecasts {target} at {horizon}: leave `--population` out for the usual one"
    )]
    NotAsked {
        /// The horizon.
        horizon: marquee_domain::Horizon,
        /// The target.
        target: marquee_domain::Target,
        /// The population.
        population: marquee_domain::Population,
    },
    /// A file could not be read or written.
    #[error("{doing} {} failed: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A backup, or the folder for one, cannot be used.
    #[error("{} {what}", .path.display())]
    Backup {
        /// Which folder or file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A stored model cannot be used.
    #[error("the stored model {} cannot be used ({source}): delete the file, and it is trained again", .path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<ForecastError>,
    },
    /// No stored model is so called, or several are.
    #[error("{} stored model begins with `{name}`: `marquee models` lists them by key", if *.several { "more than one" } else { "no" })]
    NoModel {
        /// What was asked for.
        name: String,
        /// Whether there are several.
        several: bool,
    },
    /// The model that answers is being fitted.
    #[error("the model that answers this is being trained at this moment: ask again in a minute")]
    Fitting,
    /// There is nobody to set against the champion.
    #[error("there is no challenger for these models: `marquee tune` searches for one")]
    NoChallenger,
    /// A contest over years that the challenger was chosen on.
    #[error(
        "a contest from {first} on is none: the challenger was chosen on films released up to {before}; give a later year by --before"
    )]
    SeenBefore {
        /// The first day of the contest.
        first: marquee_domain::Day,
        /// The day before which all that it was chosen on was released.
        before: marquee_domain::Day,
    },
    /// There are no weekly lists.
    #[error(
        "the lake holds no weekly lists: ingest a table that states `weekly_list`, `weekly_rank` and `weekly_hours`"
    )]
    NoLists,
    /// Nobody states scores.
    #[error("the lake holds no scores of {opinion}: ingest a table that states `{kind}`")]
    NoScores {
        /// Whose.
        opinion: marquee_domain::Opinion,
        /// The kind of fact.
        kind: marquee_domain::FactKind,
    },
    /// No such game is known.
    #[error(
        "no game is called `{0}`: `marquee titles` searches; a game that is not in the lake is described with --new, --platform, --genre, --publisher and --year"
    )]
    NoGame(String),
    /// The game is not for that machine.
    #[error("`{name}` is not for `{machine}` as far as the lake knows; it is for {}", .known.join(", "))]
    NotOnMachine {
        /// The game.
        name: String,
        /// The machine that was asked for.
        machine: String,
        /// Its machines.
        known: Vec<String>,
    },
    /// Games so old are not forecast.
    #[error(
        "`{name}` is of {year}: games before {first} are not forecast, since only what sold well is known of them"
    )]
    OldGame {
        /// The game.
        name: String,
        /// Its year.
        year: i32,
        /// The first year that is.
        first: i32,
    },
    /// Several games are called so.
    #[error("`{asked}` is the name of {count} games: say which with --platform or by its id:\n{}", .found.join("\n"))]
    ManyGames {
        /// What was asked for.
        asked: String,
        /// How many.
        count: usize,
        /// The first of them, one line each.
        found: Vec<String>,
    },
    /// No awards are known.
    #[error(
        "the lake holds no awards{}: ingest tables that state `award_nomination` and `award_win`, such as oscars.tsv",
        .as_of.map_or_else(String::new, |day| format!(" that were known on {day}"))
    )]
    NoAwards {
        /// The day whose knowledge was to be used, where one was asked for.
        as_of: Option<marquee_domain::Day>,
    },
    /// No awards for the films of a year are known.
    #[error(
        "nothing is known{} of the {what} for films of {year}; of those of {first} to {last} something is. Tables that are told apart by year alone count from late days: the Golden Globes' nominations from 10 March, the Academy's from 15 March, its awards from 30 April",
        .as_of.map_or_else(String::new, |day| format!(" by {day}"))
    )]
    NoSeason {
        /// What was asked for.
        what: &'static str,
        /// The year of the films.
        year: i32,
        /// The first year of which something is known.
        first: i32,
        /// The last.
        last: i32,
        /// The day whose knowledge was to be used, where one was asked for.
        as_of: Option<marquee_domain::Day>,
    },
    /// Too few films are known to forecast nominations.
    #[error(
        "the lake knows too few films of {year} or of the years before to say which are nominated: ingest a table of films beside that of awards"
    )]
    NoFilms {
        /// The year of the films.
        year: i32,
    },
    /// What is asked about is out by then.
    #[error("`{name}` is out {when}, and {as_of} is not before that: ask as of an earlier day")]
    Out {
        /// The title.
        name: String,
        /// When.
        when: String,
        /// The day that was asked for.
        as_of: marquee_domain::Day,
    },
    /// There was no champion before.
    #[error("these models had no other champion: there is nothing to take back")]
    NoEarlierChampion,
    /// The file of learners cannot be used.
    #[error("{}: {what}; move it away to go back to the learner of the house", .path.display())]
    Learners {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No weekly list names the title.
    #[error("`{name}` is on no weekly list known by {as_of}: `marquee streaming` prints those of that day")]
    NotListed {
        /// The title.
        name: String,
        /// The day whose knowledge was used.
        as_of: marquee_domain::Day,
    },
    /// A file of predictions is not what a baseline needs.
    #[error("{}: {what}", .path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        what: String,
    },
    /// No row of a backtest could be filled.
    #[error("nothing could be tested: {0}; `marquee titles --sort release` shows which years there are")]
    NothingTested(String),
    /// A background computation ended without an answer.
    #[error("a computation ended without an answer: {0}")]
    Computation(String),
    /// The catalogue below failed.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The forecasting room failed.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// The investing room failed.
    #[error(transparent)]
    Invest(#[from] InvestError),
    /// The platform failed.
    #[error(transparent)]
    Platform(#[from] marquee_platform::Error),
    /// A value that may not exist.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

impl AppError {
    /// Whether it was stopped: cancelled, or out of time.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        matches!(
            self,
            Self::Catalogue(CatalogueError::Cancelled(_))
                | Self::Forecast(ForecastError::Cancelled(_))
                | Self::Invest(InvestError::Cancelled(_))
        )
    }

    /// Whether Marquee or its machine is to blame (a file, a database, a lost computation) and not what was asked.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            Self::File { .. } | Self::Model { .. } | Self::Learners { .. } | Self::Computation(_) => true,
            Self::Catalogue(inner) => inner.is_fault(),
            Self::Platform(inner) => inner.is_fault(),
            _ => false,
        }
    }
}
