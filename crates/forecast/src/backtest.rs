//! Backtests: train on releases up to a year, forecast those of later years, each as of its own day.
//!
//! Training outcomes were known before the first test year began; a title is forecast by the model of that cut even where
//! its own as-of day is earlier; outcomes of the test years enter the histories only once they are known. Each population
//! has its own fit and calibration. Two simple baselines stand beside it on the same rows: log budget alone, and plain
//! boosting on the raw columns without histories.

use std::ops::RangeInclusive;

use marquee_domain::{Control, Day, Distribution, Fact, Horizon, Population, Target};
use marquee_learn::judge::TierCoverage;
use marquee_learn::{BoostingSpec, EnsembleSpec, MemberReport, MemberSpec, RidgeSpec};

use crate::error::ForecastError;
use crate::example::examples;
use crate::features::Vocabulary;
use crate::model::{FittedModel, Measure, ModelSpec, dataset};
use crate::panel::Panel;
use crate::run::has_charts;
use crate::scope::Scope;
use crate::score::{Prediction, Score, Versus, coverage, versus};
use crate::weeks::{self, WeeksSpec, WeeksTest};

/// What to test.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestSpec {
    /// The last release day that is learned from.
    pub train_to: Day,
    /// The release days that are forecast, both ends included; outcomes known before the first are learned from.
    pub test: RangeInclusive<Day>,
    /// At which horizons.
    pub horizons: Vec<Horizon>,
    /// Which targets.
    pub targets: Vec<Target>,
    /// Which populations.
    pub populations: Vec<Population>,
    /// Whether to test each model again without each of its driver groups.
    pub ablate: bool,
    /// Fingerprint of the lake's version that the facts are of.
    pub data: String,
    /// The learner.
    pub ensemble: EnsembleSpec,
}

impl BacktestSpec {
    /// The training and test periods of whole years, both ends included.
    ///
    /// # Errors
    /// Where a year is outside the range that Marquee keeps.
    pub fn years(
        train_to: i32,
        test: &RangeInclusive<i32>,
    ) -> Result<(Day, RangeInclusive<Day>), ForecastError> {
        let test = Day::new(*test.start(), 1, 1)?..=Day::new(*test.end(), 12, 31)?;
        Ok((Day::new(train_to, 12, 31)?, test))
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// How much was known.
    pub horizon: Horizon,
    /// What was predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// On how many titles the model was fitted.
    pub trained_on: usize,
    /// Our figures.
    pub score: Score,
    /// Coverage by predicted tier of the 80 and the 90% interval.
    pub coverage: [Vec<TierCoverage>; 2],
    /// Simple baselines on the same titles.
    pub baselines: Vec<Versus>,
    /// The same model without each of its driver groups on the same titles; none where that was not asked for.
    pub ablations: Vec<Versus>,
    /// The members of the ensemble, with weights and out-of-fold errors.
    pub members: Vec<MemberReport>,
}

/// A population of a target that could not be tested, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// How much was known.
    pub horizon: Horizon,
    /// What was to be predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// Why it was left out.
    pub reason: String,
}

/// What a backtest found.
#[derive(Debug, Clone, Default)]
pub struct Backtest {
    /// The table.
    pub rows: Vec<Row>,
    /// Each forecast, in the order of the rows and of release.
    pub predictions: Vec<Prediction>,
    /// What could not be tested.
    pub skipped: Vec<Skipped>,
    /// The weeks of runs, where domestic runs were tested as of their first Sunday.
    pub weeks: Vec<WeeksTest>,
    /// The sources of each target.
    pub scopes: Vec<Scope>,
}

/// Runs a backtest over all facts of a catalogue, in order of `known_on`.
///
/// # Errors
/// What the fold or the learner says. A population with too few titles is skipped, not an error.
pub fn backtest(facts: &[Fact], spec: &BacktestSpec, control: &Control) -> Result<Backtest, ForecastError> {
    backtest_with(facts, spec, &mut |model, panel| model.fit(panel, control), control)
}

/// Gives the fitted model of a spec on a panel: by fitting it, or from wherever it was kept.
pub type Fit<'a> = dyn FnMut(&ModelSpec, &Panel) -> Result<FittedModel, ForecastError> + 'a;

/// As [`backtest`], with models from `fit`.
///
/// # Errors
/// As [`backtest`], and what `fit` says.
pub fn backtest_with(
    facts: &[Fact],
    spec: &BacktestSpec,
    fit: &mut Fit<'_>,
    control: &Control,
) -> Result<Backtest, ForecastError> {
    let cut = *spec.test.start();
    let charted = has_charts(facts);
    let mut found = Backtest::default();
    for target in &spec.targets {
        let scope = Scope::infer(*target, facts, cut);
        let settled = examples(facts, &scope);
        for horizon in spec.horizons.iter().filter(|h| h.asks_for(*target)) {
            control.check()?;
            if horizon.charts(*target) && !charted {
                let asked = spec.populations.iter().filter(|p| horizon.asks(*target, **p));
                found.skipped.extend(asked.map(|population| Skipped {
                    horizon: *horizon,
                    target: *target,
                    population: *population,
                    reason: "the lake has no daily chart".to_owned(),
                }));
                continue;
            }
            let panel = Panel::fold(facts, settled.clone(), &scope, *horizon)?;
            for population in spec.populations.iter().filter(|p| horizon.asks(*target, **p)) {
                control.check()?;
                let model = ModelSpec {
                    horizon: *horizon,
                    target: *target,
                    population: *population,
                    trained_before: cut,
                    train_to: spec.train_to,
                    without: Vec::new(),
                    data: spec.data.clone(),
                    ensemble: spec.ensemble.clone(),
                };
                test(&panel, &model, spec, fit, control, &mut found)?;
                if (*target, *horizon) == (Target::Domestic, Horizon::Weekend1) {
                    test_weeks(&panel, *population, spec, control, &mut found)?;
                }
            }
        }
        found.scopes.push(scope);
    }
    Ok(found)
}

fn test_weeks(
    panel: &Panel,
    population: Population,
    spec: &BacktestSpec,
    control: &Control,
    found: &mut Backtest,
) -> Result<(), ForecastError> {
    let weeks = WeeksSpec {
        population,
        trained_before: *spec.test.start(),
        train_to: spec.train_to,
        data: spec.data.clone(),
        ensemble: spec.ensemble.clone(),
    };
    match weeks::test(panel, &weeks, &spec.test, control) {
        Ok(tested) => found.weeks.push(tested),
        Err(few @ ForecastError::TooFew { .. }) => found.skipped.push(Skipped {
            horizon: Horizon::Weekend1,
            target: Target::Domestic,
            population,
            reason: few.to_string(),
        }),
        Err(other) => return Err(other),
    }
    Ok(())
}

fn test(
    panel: &Panel,
    model: &ModelSpec,
    spec: &BacktestSpec,
    fit: &mut Fit<'_>,
    control: &Control,
    found: &mut Backtest,
) -> Result<(), ForecastError> {
    let ModelSpec { horizon, target, population, .. } = *model;
    let mut skip = |reason: String| found.skipped.push(Skipped { horizon, target, population, reason });
    let mut tested = panel.members(population, target);
    tested.retain(|i| spec.test.contains(&panel.examples[*i].release));
    if tested.is_empty() {
        skip(format!("no such title was released from {} to {}", spec.test.start(), spec.test.end()));
        return Ok(());
    }
    let fitted = match fit(model, panel) {
        Err(few @ ForecastError::TooFew { .. }) => {
            skip(few.to_string());
            return Ok(());
        }
        other => other?,
    };
    let ours = predict(panel, &tested, target, population, |i| {
        fitted.distribution(&panel.raws[i], panel.origins[i])
    })?;
    let refs: Vec<&Prediction> = ours.iter().collect();
    let mut baselines = Vec::new();
    for (name, columns, member) in baselines_of(horizon) {
        let theirs = simple(panel, model, &tested, columns, &member, control)?;
        baselines.extend(versus(name, &refs, &theirs.iter().collect::<Vec<_>>(), false)?);
    }
    let groups = if spec.ablate { fitted.groups() } else { &[] };
    let mut ablations = Vec::new();
    for group in groups {
        control.check()?;
        let blind = ModelSpec { without: vec![group.clone()], ..model.clone() }.fit(panel, control)?;
        let theirs = predict(panel, &tested, target, population, |i| {
            blind.distribution(&panel.raws[i], panel.origins[i])
        })?;
        ablations.extend(versus(group, &refs, &theirs.iter().collect::<Vec<_>>(), true)?);
    }
    found.rows.push(Row {
        horizon,
        target,
        population,
        trained_on: fitted.rows(),
        score: Score::of(&refs),
        coverage: coverage(&refs),
        baselines,
        ablations,
        members: fitted.ensemble().report().members.clone(),
    });
    found.predictions.extend(ours);
    Ok(())
}

/// Which columns a baseline sees, by name.
type Keep = fn(&str) -> bool;

/// The simple baselines: their name, which columns they see, and the learner. From `opening_day` on they too forecast how
/// often what was taken so far will be taken in the end.
fn baselines_of(horizon: Horizon) -> [(&'static str, Keep, MemberSpec); 2] {
    let boosting = BoostingSpec { seeds: 1, ..BoostingSpec::default() };
    let (line, seen): (_, Keep) = match horizon {
        Horizon::Greenlight | Horizon::Announced => ("log budget alone", |name| name == "log_budget"),
        Horizon::PreRelease => ("log theatres alone", |name| name == "opening_theatres"),
        _ => ("multiple by gross a theatre", |name| name == "per_theatre"),
    };
    [
        (line, seen, MemberSpec::Ridge(RidgeSpec::default())),
        ("plain boosting on raw columns", is_raw, MemberSpec::Boosting(boosting)),
    ]
}

/// Whether a column is in the source tables as such, without any history.
fn is_raw(name: &str) -> bool {
    const NUMBERS: [&str; 13] = [
        "log_budget",
        "planned_year",
        "quarter",
        "week",
        "weekday",
        "runtime",
        "opening_theatres",
        "recent_gross",
        "recent_share",
        "recent_theatres",
        "drop",
        "midweek",
        "theatre_change",
    ];
    name.contains('=') || NUMBERS.contains(&name)
}

/// A member alone on some of the columns. It gives a middle, and no distribution: all its quantiles are the same.
fn simple(
    panel: &Panel,
    model: &ModelSpec,
    tested: &[usize],
    columns: Keep,
    member: &MemberSpec,
    control: &Control,
) -> Result<Vec<Prediction>, ForecastError> {
    let rows = model.training_rows(panel);
    let raws: Vec<_> = rows.iter().map(|i| panel.raws[*i].clone()).collect();
    let vocabulary = Vocabulary::learn(&raws, model.horizon, false).only(|column| columns(&column.name));
    let data = dataset(panel, &rows, &vocabulary, model.target)?;
    let all: Vec<usize> = (0..data.len()).collect();
    let measure = Measure::of(model.horizon, model.target);
    let fitted = member.fit(&data, &all, model.ensemble.seed, control)?;
    predict(panel, tested, model.target, model.population, |i| {
        let learned = fitted.predict(&vocabulary.encode(&panel.raws[i]));
        let middle = measure.log(learned) + panel.origins[i];
        Ok((0, Distribution::from_logs([middle; 7])?))
    })
}

pub(crate) fn predict(
    panel: &Panel,
    tested: &[usize],
    target: Target,
    population: Population,
    distribution: impl Fn(usize) -> Result<(usize, Distribution), ForecastError>,
) -> Result<Vec<Prediction>, ForecastError> {
    let one = |i: &usize| {
        let example = &panel.examples[*i];
        let (tier, distribution) = distribution(*i)?;
        Ok(Prediction {
            source_id: example.source_id.clone(),
            title: example.name.clone(),
            release: example.release,
            budget: example.budget,
            horizon: panel.horizon,
            target,
            population,
            as_of: example.as_of(panel.horizon).0,
            distribution,
            actual: example.actual,
            tier,
        })
    };
    tested.iter().map(one).collect()
}
