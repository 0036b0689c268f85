//! Backtest: how good forecasts were on titles whose outcomes came later, beside baselines.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use marquee_catalogue::{IngestOptions, IngestReport, SourceSet};
use marquee_domain::{Budget, Control, Currency, Day, Distribution, Horizon, Money, Population, Target};
use marquee_forecast::ForecastError;
use marquee_forecast::backtest::{Backtest, BacktestSpec, Row, backtest as run};
use marquee_forecast::score::{Prediction, Reliability, Versus, versus};
use marquee_invest::Deal;
use marquee_platform::{Action, Permit};
use serde::Deserialize;

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{Reach, learner};
use crate::workspace::Workspace;

/// What to test.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A folder of tables to test on instead of the lake.
    pub source: Option<PathBuf>,
    /// The last release year that is learned from.
    pub train_to: i32,
    /// The release years that are forecast, both ends included.
    pub test: RangeInclusive<i32>,
    /// At which horizons; all where empty.
    pub horizons: Vec<Horizon>,
    /// Which targets; all where empty.
    pub targets: Vec<Target>,
    /// Which populations; all where empty.
    pub populations: Vec<Population>,
    /// Predictions of somebody else's, to be scored beside ours on the same titles.
    pub baseline: Option<PathBuf>,
    /// Whether to test each model again without each of its driver groups.
    pub ablate: bool,
    /// The deal by which a gross is a profit or a loss.
    pub deal: Deal,
    /// The seed of training.
    pub seed: u64,
}

/// What a backtest found.
#[derive(Debug)]
pub struct Tested {
    /// The table, the predictions and what was skipped.
    pub backtest: Backtest,
    /// The given baseline beside each row of the table that it has titles for, in order of the rows.
    pub given: Vec<Option<Versus>>,
    /// How the stated chances of a gross-implied profit came true; none where no worldwide forecast of funded films was
    /// tested.
    pub profits: Vec<Profits>,
    /// What was ingested for it; empty where the lake was tested.
    pub reports: Vec<IngestReport>,
    /// Fingerprint of the lake's version.
    pub data: String,
}

/// How the chances that funded films make a profit, gross-implied, came true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profits {
    /// How much was known.
    pub horizon: Horizon,
    /// The judgement.
    pub reliability: Reliability,
}

/// Runs a backtest.
///
/// # Errors
/// A folder without known tables, a baseline that is not one, or what the room says.
pub async fn backtest(
    workspace: &Workspace,
    plan: Plan,
    control: &Control,
    permit: &Permit,
) -> Result<Tested, AppError> {
    permit.require(Action::Read)?;
    let baseline = plan.baseline.as_deref().map(read_baseline).transpose()?;
    let (workspace, reports) = match &plan.source {
        None => (workspace.clone(), Vec::new()),
        Some(folder) => {
            let apart = workspace.of_source(folder);
            let set = SourceSet::detect(folder)?;
            let reports = apart.lake(permit).await?.ingest(&set, &IngestOptions::now(), control).await?;
            (apart, reports)
        }
    };
    let snapshot = workspace.snapshot(permit).await?;
    let horizons = or_all(&plan.horizons, Horizon::ALL);
    let reach = Reach::of(&horizons, &or_all(&plan.targets, Target::ALL));
    let knowledge = workspace.knowledge(&snapshot, reach, permit).await?;
    let data = knowledge.fingerprint.clone();
    let control = control.clone();
    let (backtest, given, profits) = cpu::run(move || {
        let backtest = run(&knowledge.facts, &spec(&plan, &knowledge.fingerprint)?, &control)?;
        if backtest.rows.is_empty() {
            let why = backtest.skipped.first().map(|s| s.reason.clone());
            return Err(AppError::NothingTested(why.unwrap_or_else(|| "nobody asks for these targets and populations at these horizons".to_owned())));
        }
        let given = beside(&backtest, baseline.as_deref().unwrap_or_default())?;
        if let (Some(path), true) = (&plan.baseline, given.iter().all(Option::is_none)) {
            let what = "none of its predictions is for a title and a row of this test: compare source_id, horizon, target and population with what --predictions writes";
            return Err(AppError::Baseline { path: path.clone(), what: what.to_owned() });
        }
        let profits = profits(&backtest, &plan)?;
        Ok((backtest, given, profits))
    })
    .await?;
    Ok(Tested { backtest, given, profits, reports, data })
}

fn spec(plan: &Plan, data: &str) -> Result<BacktestSpec, AppError> {
    let (train_to, test) = BacktestSpec::years(plan.train_to, &plan.test)?;
    Ok(BacktestSpec {
        train_to,
        test,
        horizons: or_all(&plan.horizons, Horizon::ALL),
        targets: or_all(&plan.targets, Target::ALL),
        populations: or_all(&plan.populations, Population::ALL),
        ablate: plan.ablate,
        data: data.to_owned(),
        ensemble: learner(plan.seed),
    })
}

fn or_all<T: Copy>(chosen: &[T], all: &[T]) -> Vec<T> {
    if chosen.is_empty() { all.to_vec() } else { chosen.to_vec() }
}

fn beside(backtest: &Backtest, baseline: &[Prediction]) -> Result<Vec<Option<Versus>>, AppError> {
    let one = |row: &Row| {
        let of_row = |p: &&Prediction| {
            (p.horizon, p.target, p.population) == (row.horizon, row.target, row.population)
        };
        let ours: Vec<&Prediction> = backtest.predictions.iter().filter(of_row).collect();
        let theirs: Vec<&Prediction> = baseline.iter().filter(of_row).collect();
        versus("given", &ours, &theirs, true).map_err(ForecastError::from)
    };
    Ok(backtest.rows.iter().map(one).collect::<Result<Vec<_>, _>>()?)
}

/// Judges the stated chances of a gross-implied profit, on funded films: the flops are among them.
fn profits(backtest: &Backtest, plan: &Plan) -> Result<Vec<Profits>, AppError> {
    let mut found = Vec::new();
    for horizon in Horizon::ALL {
        let of_row = |p: &&Prediction| {
            (p.horizon, p.target, p.population) == (*horizon, Target::Worldwide, Population::Funded)
        };
        let (mut stated, mut happened) = (Vec::new(), Vec::new());
        for p in backtest.predictions.iter().filter(of_row) {
            let Some(budget) = p.budget else { continue };
            let budget = Budget(Money::from_major(budget, Currency::USD)?);
            let gross = plan.deal.break_even(budget)?.0.major();
            stated.push(1.0 - p.distribution.probability_below(gross));
            happened.push(p.actual > gross);
        }
        if !stated.is_empty() {
            let reliability = Reliability::of(&stated, &happened, plan.seed).map_err(ForecastError::from)?;
            found.push(Profits { horizon: *horizon, reliability });
        }
    }
    Ok(found)
}

/// One line of a file of predictions.
#[derive(Debug, Deserialize)]
struct Line {
    source_id: String,
    title: String,
    release_date: String,
    horizon: String,
    target: String,
    population: String,
    as_of: String,
    q05: f64,
    q10: f64,
    q25: f64,
    q50: f64,
    q75: f64,
    q90: f64,
    q95: f64,
    actual: f64,
}

/// Reads somebody else's predictions; lines at horizons or of targets and populations that Marquee does not know are
/// passed over.
fn read_baseline(path: &Path) -> Result<Vec<Prediction>, AppError> {
    let refuse = |what: String| AppError::Baseline { path: path.to_owned(), what };
    let mut reader = csv::Reader::from_path(path).map_err(|e| refuse(e.to_string()))?;
    let mut found = Vec::new();
    for (i, line) in reader.deserialize::<Line>().enumerate() {
        let line = line.map_err(|e| refuse(e.to_string()))?;
        let words = (line.horizon.parse(), line.target.parse(), line.population.parse());
        let (Ok(horizon), Ok(target), Ok(population)) = words else { continue };
        let at = |what: String| refuse(format!("row {}, title {}: {what}", i + 1, line.title));
        let quantiles = [line.q05, line.q10, line.q25, line.q50, line.q75, line.q90, line.q95];
        let finite = quantiles.iter().chain([&line.actual]).all(|amount| amount.is_finite());
        if !finite || line.actual <= 0.0 {
            return Err(at("its quantiles must be finite dollars and its actual above zero".to_owned()));
        }
        // The log of less than a dollar is no use to anybody.
        let quantiles = quantiles.map(|q| q.max(1.0));
        let day = |text: &str| text.parse::<Day>().map_err(|e| at(e.to_string()));
        found.push(Prediction {
            release: day(&line.release_date)?,
            as_of: day(&line.as_of)?,
            distribution: Distribution::new(quantiles).map_err(|e| at(e.to_string()))?,
            budget: None,
            horizon,
            target,
            population,
            actual: line.actual,
            tier: 0,
            source_id: line.source_id.clone(),
            title: line.title.clone(),
        });
    }
    if found.is_empty() {
        return Err(refuse(
            "it holds no prediction at a horizon and of a target that Marquee knows".to_owned(),
        ));
    }
    Ok(found)
}
