//! Benchmarks: programs that measure, never timed tests. Each one is run in a process of its own by the command line, so
//! that its peak memory is its own.

pub mod films_csv;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;

use marquee_catalogue::{IngestOptions, Source, SourceSet};
use marquee_domain::{
    AsOf, Budget, Control, Currency, Day, Distribution, Horizon, Money, Population, Project, Target,
    Vertical, Weight,
};
use marquee_invest::{Candidate, Deal, Objective, Outcome, Simulation, SlateRules};
use marquee_platform::Permit;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::cpu;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Terms};
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A generated CSV into the lake.
    Ingest,
    /// Fitting one model on the bundled table.
    Train,
    /// A forecast with drivers, comps and interval; distinct projects, nothing kept between them.
    Forecast,
    /// A slate of 200 projects in 10,000 scenarios.
    Slate,
}

impl What {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Train, Self::Forecast, Self::Slate];

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Train => "train",
            Self::Forecast => "forecast",
            Self::Slate => "slate",
        }
    }
}

/// A measured figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
}

/// What the generated table's columns mean.
const FILMS_MAP: &str = r#"
name = "bench"
id = [{ space = "bench", column = "id" }]
release = { column = "release_date", date = ["%Y-%m-%d"] }
unique = ["id"]
column = [
  { from = "title", kind = "name" },
  { from = "budget", kind = "budget" },
  { from = "domestic_gross", kind = "domestic_gross" },
  { from = "worldwide_gross", kind = "worldwide_gross" },
  { from = "runtime", kind = "runtime" },
  { from = "genre", kind = "genre" },
  { from = "language", kind = "language" },
  { from = "country", kind = "country" },
  { from = "director", kind = "director" },
]
"#;

/// Distinct projects that are forecast.
const PROJECTS: usize = 500;
/// Distinct projects whose ranges alone are forecast, one after the other.
const RESCORED: usize = 10_000;
/// The day on which they are judged: the bundled table ends a year later.
const JUDGED: (i32, u32, u32) = (2010, 1, 1);

/// Measures one thing in a workspace of its own. `megabytes` is the size of the generated table.
///
/// # Errors
/// Where the workspace cannot be written, or what the measured part says.
pub async fn measure(
    what: What,
    workspace: &Workspace,
    megabytes: u64,
    seed: u64,
) -> Result<Vec<Figure>, AppError> {
    let mut figures = match what {
        What::Ingest => ingest(workspace, megabytes, seed).await?,
        What::Train => train(workspace, seed).await?,
        What::Forecast => forecast(workspace, seed).await?,
        What::Slate => cpu::run(move || slate(seed)).await?,
    };
    figures.extend(peak_memory().map(|mb| figure("peak memory", mb, "MB")));
    Ok(figures)
}

fn figure(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
    Figure { name: name.into(), value, unit }
}

/// Writes the generated table.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_films(path: &Path, megabytes: u64, seed: u64) -> Result<u64, AppError> {
    let failed = |source| AppError::File { path: path.to_owned(), doing: "writing", source };
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    films_csv::films_csv(films_csv::rows_for(megabytes * 1_000_000), seed, &mut out).map_err(failed)
}

async fn ingest(workspace: &Workspace, megabytes: u64, seed: u64) -> Result<Vec<Figure>, AppError> {
    let folder = workspace.folder();
    let failed = |source| AppError::File { path: folder.to_owned(), doing: "writing", source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let (table, map) = (folder.join("films.csv"), folder.join("films.toml"));
    let bytes = write_films(&table, megabytes, seed)?;
    std::fs::write(&map, FILMS_MAP).map_err(failed)?;
    let lake = workspace.lake(&Permit::local_owner()).await?;
    let set = SourceSet::of(vec![Source::with_map(table, &map)?]);
    let began = Instant::now();
    let reports = lake.ingest(&set, &IngestOptions::now(), &Control::default()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let facts: u64 = reports.iter().flat_map(|r| r.facts.values()).sum();
    Ok(vec![
        figure("CSV", bytes as f64 / 1e6, "MB"),
        figure("facts", facts as f64, ""),
        figure("time", seconds, "s"),
        figure("speed", bytes as f64 / 1e6 / seconds, "MB/s"),
    ])
}

async fn forecaster(workspace: &Workspace) -> Result<Forecaster, AppError> {
    let folder = workspace.folder();
    let table = folder.join("films.csv");
    let failed = |source| AppError::File { path: table.clone(), doing: "writing", source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(&table, crate::BUNDLED_FILMS).map_err(failed)?;
    let permit = Permit::local_owner();
    let set = SourceSet::of(vec![Source::detect(table.clone())?]);
    workspace.lake(&permit).await?.ingest(&set, &IngestOptions::now(), &Control::default()).await?;
    let snapshot = workspace.snapshot(&permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Plans, &permit).await?;
    Ok(Forecaster::new(knowledge, workspace.models()))
}

fn terms(seed: u64) -> Result<Terms, AppError> {
    let (year, month, day) = JUDGED;
    let as_of = AsOf(Day::new(year, month, day)?);
    Ok(Terms { target: Target::Worldwide, population: Some(Population::Funded), as_of, seed })
}

async fn train(workspace: &Workspace, seed: u64) -> Result<Vec<Figure>, AppError> {
    let forecaster = forecaster(workspace).await?;
    cpu::run(move || {
        let began = Instant::now();
        let model =
            forecaster.model(Horizon::Greenlight, Population::Funded, &terms(seed)?, &Control::default())?;
        Ok(vec![
            figure("titles", model.rows() as f64, ""),
            figure("time", began.elapsed().as_secs_f64(), "s"),
        ])
    })
    .await
}

async fn forecast(workspace: &Workspace, seed: u64) -> Result<Vec<Figure>, AppError> {
    let forecaster = forecaster(workspace).await?;
    cpu::run(move || {
        let terms = terms(seed)?;
        let (measured, many) = (projects(PROJECTS, seed)?, projects(RESCORED, seed.wrapping_add(1))?);
        // The model and the history are read once; what is measured is a forecast of a project never seen before.
        forecaster.project(&measured[0], &terms, &Control::default())?;
        let mut milliseconds = Vec::with_capacity(PROJECTS);
        for project in &measured[1..] {
            let began = Instant::now();
            let found = forecaster.project(project, &terms, &Control::default())?;
            milliseconds.push(began.elapsed().as_secs_f64() * 1e3);
            debug_assert!(!found.comps.is_empty());
        }
        let began = Instant::now();
        for project in &many {
            forecaster.outlook(project, &terms, &Control::default())?;
        }
        let rescored = began.elapsed().as_secs_f64();
        milliseconds.sort_by(f64::total_cmp);
        let at = |share: f64| milliseconds[((milliseconds.len() - 1) as f64 * share) as usize];
        Ok(vec![
            figure("projects", milliseconds.len() as f64, ""),
            figure("p50", at(0.5), "ms"),
            figure("p99", at(0.99), "ms"),
            figure("10,000 ranges without reasons", rescored, "s"),
        ])
    })
    .await
}

fn slate(seed: u64) -> Result<Vec<Figure>, AppError> {
    const CANDIDATES: usize = 200;
    let candidates = projects(CANDIDATES, seed)?
        .into_iter()
        .map(|project| {
            let middle = project.budget.0.major() * (0.6 + 2.4 * (project.name.len() % 7) as f64 / 6.0);
            let gross = Distribution::new([0.15, 0.25, 0.5, 1.0, 1.9, 3.4, 5.0].map(|f| f * middle))?;
            Ok(Candidate::from_distributions(project, None, Some(gross))?)
        })
        .collect::<Result<Vec<_>, AppError>>()?;
    let began = Instant::now();
    let simulation = Simulation { scenarios: 10_000, seed, ..Simulation::default() };
    let scenarios = simulation.run(&candidates, &Deal::default(), &Control::default())?;
    let simulated = began.elapsed().as_secs_f64();
    let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.5)? };
    let rules = SlateRules::new(Money::from_major(2e9, Currency::USD)?, objective);
    let outcome = rules.choose(&scenarios, &Control::default())?;
    let mut figures = vec![
        figure("simulate 200 × 10,000", simulated, "s"),
        figure("choose", began.elapsed().as_secs_f64() - simulated, "s"),
    ];
    if let Outcome::Chosen(answer) | Outcome::TimedOut(answer) = &outcome {
        figures.push(figure("chosen", answer.slate.choices.len() as f64, "projects"));
        figures.push(figure("proven gap", answer.gap * 100.0, "%"));
    }
    Ok(figures)
}

/// Made-up projects, each unlike the others.
fn projects(count: usize, seed: u64) -> Result<Vec<Project>, AppError> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut unit = || (dice.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let genres = ["Drama", "Comedy", "Action", "Adventure", "Thriller/Suspense", "Horror", "Romantic Comedy"];
    let (year, month, day) = JUDGED;
    let judged = Day::new(year, month, day)?;
    (0..count)
        .map(|i| {
            let budget = Money::from_major(1e6 * (1.0 + 99.0 * unit()).round(), Currency::USD)?;
            Ok(Project {
                name: format!("Project {i}{}", "x".repeat((7.0 * unit()) as usize)),
                vertical: Vertical::Film,
                budget: Budget(budget),
                marketing: None,
                release: judged.plus(60 + (400.0 * unit()) as i32),
                greenlit: None,
                genres: vec![genres[(unit() * genres.len() as f64) as usize % genres.len()].to_owned()],
                language: None,
                countries: Vec::new(),
                basis: Some("Original Screenplay".to_owned()),
                creative_type: Some("Contemporary Fiction".to_owned()),
                companies: Vec::new(),
                distributor: Some("Universal".to_owned()),
                franchise: None,
                directors: Vec::new(),
                cast: Vec::new(),
                age_rating: Some("PG-13".to_owned()),
                runtime: Some(90 + (50.0 * unit()) as u32),
                opening_theatres: None,
            })
        })
        .collect()
}

/// The most memory that this process has held, MB; none where the system does not tell.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}
