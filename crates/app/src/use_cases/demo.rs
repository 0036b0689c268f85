//! The demo: the bundled film table from raw rows to a slate, on real films whose outcomes came later.
//!
//! It learns as of a day, forecasts the films of the five years after it, each as of its own day, shows how good that was
//! beside simple baselines, and chooses a slate from ten films that were to be released within the greenlight lead of 540
//! days: what they then grossed stands beside the choice. Data and models are kept in the demo's own folder; answers are
//! computed.

use std::path::Path;

use marquee_catalogue::{IngestOptions, IngestReport, Source, SourceSet};
use marquee_domain::{AsOf, Control, Day, Forecast, Horizon, Money, Population, Target, Weight};
use marquee_forecast::backtest::{Backtest, BacktestSpec, backtest_with};
use marquee_forecast::score::Prediction;
use marquee_forecast::{Example, FittedModel, ForecastError};
use marquee_invest::{Deal, Objective, Outcome, ProjectReturn, Simulation, SlateRules};
use marquee_platform::{Action, Permit};

use crate::BUNDLED_FILMS;
use crate::choosing::candidates;
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Terms, as_project};
use crate::knowledge::{Knowledge, Reach, learner};
use crate::models::{ModelKey, ModelStore};
use crate::workspace::Workspace;

/// How far ahead films are forecast, days.
const AHEAD: i32 = 5 * 365 + 1;
/// Candidates of the slate: how many, from films released within so many days, costing at least so much (US dollars).
const CANDIDATES: usize = 10;
const CANDIDATE_DAYS: i32 = 540;
const CANDIDATE_BUDGET: f64 = 5e6;
/// Forecasts that are shown one by one, of films whose middle forecast is at least so much (US dollars).
const SHOWN: usize = 4;
const SHOWN_GROSS: f64 = 3e7;

/// What to show.
#[derive(Debug, Clone)]
pub struct Show {
    /// The day as of which is learned.
    pub as_of: Day,
    /// What the slate may cost, marketing included.
    pub budget: Money,
    /// The deal that profits are reckoned with.
    pub deal: Deal,
    /// The seed of all randomness.
    pub seed: u64,
}

/// What was shown.
#[derive(Debug)]
pub struct Shown {
    /// What was read and refused.
    pub reports: Vec<IngestReport>,
    /// The table of figures, with all forecasts.
    pub backtest: Backtest,
    /// Some of the forecasts: big films spread evenly over the years, chosen without looking at what became of them.
    pub examples: Vec<Prediction>,
    /// The ten candidates.
    pub candidates: Vec<Candidate>,
    /// The slate, or why there is none.
    pub outcome: Outcome,
}

/// A candidate of the demo's slate.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its worldwide forecast as of the day.
    pub forecast: Forecast,
    /// Profit and return, gross-implied.
    pub returns: ProjectReturn,
    /// What it then grossed worldwide, US dollars, nominal.
    pub actual: f64,
}

/// Shows it.
///
/// # Errors
/// Where the data folder cannot be written; a day with too few settled films before it or none after it.
pub async fn demo(
    workspace: &Workspace,
    show: Show,
    control: &Control,
    permit: &Permit,
) -> Result<Shown, AppError> {
    permit.require(Action::Ingest)?;
    let workspace = workspace.demo();
    let table = unpack(workspace.folder())?;
    let set = SourceSet::of(vec![Source::detect(table)?]);
    let reports = workspace.lake(permit).await?.ingest(&set, &IngestOptions::now(), control).await?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Plans, permit).await?;
    let models = workspace.models();
    let control = control.clone();
    cpu::run(move || {
        let backtest = test(&knowledge, &models, &show, &control)?;
        let examples = spread(&backtest);
        let (candidates, outcome) = fund(knowledge, models, &show, &control)?;
        Ok(Shown { reports, backtest, examples, candidates, outcome })
    })
    .await
}

/// Puts the bundled table into the demo's folder, so that issues name a file that can be opened.
fn unpack(folder: &Path) -> Result<std::path::PathBuf, AppError> {
    let path = folder.join("films.csv");
    let failed = |source| AppError::File { path: path.clone(), doing: "writing", source };
    if std::fs::read(&path).ok().as_deref() != Some(BUNDLED_FILMS) {
        std::fs::create_dir_all(folder).map_err(failed)?;
        std::fs::write(&path, BUNDLED_FILMS).map_err(failed)?;
    }
    Ok(path)
}

fn test(
    knowledge: &Knowledge,
    models: &ModelStore,
    show: &Show,
    control: &Control,
) -> Result<Backtest, AppError> {
    let spec = BacktestSpec {
        train_to: show.as_of.plus(-1),
        test: show.as_of..=show.as_of.plus(AHEAD),
        horizons: vec![Horizon::Greenlight, Horizon::Announced],
        targets: vec![Target::Domestic, Target::Worldwide],
        populations: vec![Population::All],
        ablate: false,
        data: knowledge.fingerprint.clone(),
        ensemble: learner(show.seed),
    };
    let mut failed = None;
    let found = backtest_with(
        &knowledge.facts,
        &spec,
        &mut |model, panel| {
            let key = ModelKey::of::<FittedModel>(model);
            models.load_or_fit(&key, || Ok(model.fit(panel, control)?)).map_err(|error| match error {
                AppError::Forecast(error) => error,
                other => {
                    failed = Some(other);
                    ForecastError::Cancelled(marquee_domain::Cancelled)
                }
            })
        },
        control,
    );
    match (found, failed) {
        (_, Some(error)) => Err(error),
        (found, None) => Ok(found?),
    }
}

/// Big films spread evenly over the test years.
fn spread(backtest: &Backtest) -> Vec<Prediction> {
    let told = |p: &&Prediction| p.target == Target::Worldwide && p.horizon == Horizon::Announced;
    let mut all: Vec<&Prediction> = backtest.predictions.iter().filter(told).collect();
    all.retain(|p| p.distribution.median() >= SHOWN_GROSS);
    all.sort_by(|a, b| a.release.cmp(&b.release).then(a.source_id.cmp(&b.source_id)));
    evenly(&all, SHOWN).into_iter().cloned().collect()
}

/// `count` elements, evenly spaced.
fn evenly<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let count = count.min(all.len());
    (0..count).map(|i| all[(2 * i + 1) * all.len() / (2 * count)].clone()).collect()
}

fn fund(
    knowledge: Knowledge,
    models: ModelStore,
    show: &Show,
    control: &Control,
) -> Result<(Vec<Candidate>, Outcome), AppError> {
    let scope = knowledge.scope(Target::Worldwide, show.as_of);
    let window = show.as_of.plus(1)..=show.as_of.plus(CANDIDATE_DAYS);
    let mut open: Vec<Example> = knowledge.settled(&scope);
    open.retain(|e| {
        let costs = e.budget.is_some_and(|budget| budget >= CANDIDATE_BUDGET);
        let funded = e.is_in(Population::Funded, Horizon::Greenlight, Target::Worldwide);
        window.contains(&e.release) && costs && funded
    });
    let budget = |e: &Example| e.budget.unwrap_or(0.0);
    open.sort_by(|a, b| budget(a).total_cmp(&budget(b)).then(a.title.cmp(&b.title)));
    let chosen = evenly(&open, CANDIDATES);
    let as_of = AsOf(show.as_of);
    let terms = Terms { target: Target::Worldwide, population: None, as_of, seed: show.seed };
    let forecaster = Forecaster::new(knowledge, models);
    let (mut projects, mut forecasts) = (Vec::new(), Vec::new());
    for film in &chosen {
        let forecast = forecaster.title(film.title, &film.name, film.release, &terms, control)?;
        let profile = forecaster.history(Target::Worldwide, as_of)?.profile(film.title);
        projects.push(as_project(&film.name, &profile, film.release)?);
        forecasts.push(forecast);
    }
    let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.25)? };
    let rules = SlateRules::new(show.budget, objective);
    let simulation = Simulation { seed: show.seed, ..Simulation::default() };
    let scenarios = simulation.run(&candidates(&projects, &forecasts)?, &show.deal, control)?;
    let outcome = rules.choose(&scenarios, control)?;
    let candidates = forecasts.into_iter().zip(scenarios.returns().to_vec()).zip(&chosen);
    let candidates =
        candidates.map(|((forecast, returns), film)| Candidate { forecast, returns, actual: film.actual });
    Ok((candidates.collect(), outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_spread_evenly() {
        let all: Vec<usize> = (0..100).collect();
        assert_eq!(evenly(&all, 4), [12, 37, 62, 87]);
        assert_eq!(evenly(&all[..2], 6), [0, 1]);
        assert!(evenly(&all[..0], 6).is_empty());
    }
}
