//! How good forecasts are on titles whose outcomes came later.

use marquee_app::types::{
    Backtest as HouseBacktest, Row, Score as HouseScore, TierCoverage as HouseTier, Versus as HouseVersus,
    WeeksTest as HouseWeeks,
};
use marquee_app::use_cases::backtest::{Profits, Tested};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::ingest::IngestReport;
use crate::wire::models::Member;
use crate::wire::{GROSS_IMPLIED, Horizon, Interval, Population, Target};

/// A backtest and what it was made from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BacktestAnswer {
    /// The table of figures.
    pub backtest: Backtest,
    /// How chances of a gross-implied profit came true.
    pub profits: Vec<ProfitsTest>,
    /// What was read, where a folder of tables was tested.
    pub ingested: Vec<IngestReport>,
    /// The fingerprint of the lake's version.
    pub data: String,
}

/// The table of a backtest. Errors are natural logs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Backtest {
    /// A row for each horizon, target and population.
    pub rows: Vec<BacktestRow>,
    /// The weeks of runs.
    pub weeks: Vec<WeeksTest>,
    /// What could not be tested.
    pub skipped: Vec<SkippedTest>,
    /// The sources of each target.
    pub sources: Vec<TargetSources>,
}

/// How good the forecasts of a horizon, target and population are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BacktestRow {
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
    /// How often intervals held the actual, by predicted tier.
    pub coverage_by_tier: CoverageByTier,
    /// Simple baselines, and those that were given, on the same titles.
    pub baselines: Vec<Versus>,
    /// The same model without each group of features.
    pub ablations: Vec<Versus>,
    /// The members of the ensemble.
    pub members: Vec<Member>,
}

/// Figures of forecasts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Score {
    /// How many.
    pub n: usize,
    /// The share of the variance of the log gross that is explained.
    #[schema(value_type = Option<f64>)]
    pub r2: f64,
    /// Root mean square error, natural log.
    #[schema(value_type = Option<f64>)]
    pub rmse: f64,
    /// Median absolute error as a share of the actual.
    #[schema(value_type = Option<f64>)]
    pub median_ape: f64,
    /// The share within 15% of the actual.
    #[schema(value_type = Option<f64>)]
    pub within_15: f64,
    /// The share within 25%.
    #[schema(value_type = Option<f64>)]
    pub within_25: f64,
    /// The share within 50%.
    #[schema(value_type = Option<f64>)]
    pub within_50: f64,
    /// Continuous ranked probability score, natural log.
    #[schema(value_type = Option<f64>)]
    pub crps: f64,
    /// The share of actuals inside the 10–90% interval.
    #[schema(value_type = Option<f64>)]
    pub cover80: f64,
    /// The share inside the 5–95% interval.
    #[schema(value_type = Option<f64>)]
    pub cover90: f64,
}

/// Coverage of the 80 and the 90% interval by predicted tier, the smallest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CoverageByTier {
    /// Of the 10–90% interval.
    #[serde(rename = "80")]
    pub eighty: Vec<TierCoverage>,
    /// Of the 5–95% interval.
    #[serde(rename = "90")]
    pub ninety: Vec<TierCoverage>,
}

/// How often an interval held the actual in a tier.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TierCoverage {
    /// The predicted tier, 0 for the smallest.
    pub tier: usize,
    /// Its titles.
    pub n: usize,
    /// Those whose actual lay inside.
    pub covered: usize,
    /// The counts that the claim allows at 99%, ends included.
    pub band: [usize; 2],
    /// Whether the claim stands at 1% over all tiers together.
    pub holds: bool,
}

/// Somebody else's forecasts beside ours on the same titles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Versus {
    /// What they are called.
    pub name: String,
    /// Their figures.
    pub score: Score,
    /// Our figures on the same titles.
    pub ours_on_the_same_titles: Score,
    /// Ours less theirs: below zero ours is better.
    pub difference: Differences,
}

/// Differences of figures, with 95% intervals of the bootstrap.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Differences {
    /// Of the mean squared log error.
    pub squared_error: Interval,
    /// Of the median absolute error as a share of the actual.
    pub median_ape: Interval,
    /// Of the continuous ranked probability score; null where the others give no distribution.
    pub crps: Option<Interval>,
}

/// How well the weeks of runs were forecast.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WeeksTest {
    /// On which films.
    pub population: Population,
    /// How many films were tested.
    pub films: usize,
    /// On how many films the model was fitted.
    pub trained_on: usize,
    /// How often intervals held the actual, by predicted tier.
    pub coverage_by_tier: CoverageByTier,
    /// All weeks together, then each.
    pub rows: Vec<WeeksRow>,
}

/// How well some weeks were forecast.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WeeksRow {
    /// The first week.
    pub first_week: u32,
    /// The last week.
    pub last_week: u32,
    /// Our figures over titles and weeks.
    pub score: Score,
    /// Those of the average curve of the year before.
    pub baseline: Score,
    /// Our median error less the baseline's, as a share of the baseline's.
    pub median_ape_against_it: Interval,
}

/// What could not be tested.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SkippedTest {
    /// How much was known.
    pub horizon: Horizon,
    /// What was to be predicted.
    pub target: Target,
    /// On which films.
    pub population: Population,
    /// Why not.
    pub reason: String,
}

/// Where outcomes and features come from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TargetSources {
    /// What is predicted.
    pub target: Target,
    /// The source of its outcomes; empty where none states any.
    pub outcomes: String,
    /// The sources of features.
    pub features: Vec<String>,
    /// Tables of credits, the sources of people.
    pub people: Vec<String>,
}

/// How chances of a gross-implied profit came true.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProfitsTest {
    /// How much was known.
    pub horizon: Horizon,
    /// What must be said beside these figures.
    #[schema(value_type = String)]
    pub note: &'static str,
    /// How many chances were stated.
    pub n: usize,
    /// The share that made a profit.
    pub base_rate: f64,
    /// Brier's score: the mean squared difference between what was stated and what happened.
    pub brier: f64,
    /// That of always stating the base rate.
    pub base_brier: f64,
    /// The part of Brier's score that is due to stating wrong chances.
    pub miscalibration: f64,
    /// What of it perfectly stated chances would show by luck.
    pub miscalibration_by_chance: f64,
}

impl From<&Tested> for BacktestAnswer {
    fn from(tested: &Tested) -> Self {
        Self {
            backtest: Backtest::beside(&tested.backtest, &tested.given),
            profits: tested.profits.iter().map(ProfitsTest::from).collect(),
            ingested: tested.reports.iter().map(IngestReport::from).collect(),
            data: tested.data.clone(),
        }
    }
}

impl From<&HouseBacktest> for Backtest {
    fn from(found: &HouseBacktest) -> Self {
        Self::beside(found, &[])
    }
}

impl Backtest {
    /// With the baselines that were given, in step with the rows.
    #[must_use]
    pub fn beside(found: &HouseBacktest, given: &[Option<HouseVersus>]) -> Self {
        let rows = found.rows.iter().enumerate();
        let rows = rows.map(|(i, row)| BacktestRow::beside(row, given.get(i).and_then(Option::as_ref)));
        let skipped = found.skipped.iter().map(|s| SkippedTest {
            horizon: s.horizon.into(),
            target: s.target.into(),
            population: s.population.into(),
            reason: s.reason.clone(),
        });
        let sources = found.scopes.iter().map(|s| TargetSources {
            target: s.target.into(),
            outcomes: s.outcomes.clone(),
            features: s.features.iter().cloned().collect(),
            people: s.people.iter().cloned().collect(),
        });
        Self {
            rows: rows.collect(),
            weeks: found.weeks.iter().map(WeeksTest::from).collect(),
            skipped: skipped.collect(),
            sources: sources.collect(),
        }
    }
}

impl BacktestRow {
    fn beside(row: &Row, given: Option<&HouseVersus>) -> Self {
        Self {
            horizon: row.horizon.into(),
            target: row.target.into(),
            population: row.population.into(),
            trained_on: row.trained_on,
            score: (&row.score).into(),
            coverage_by_tier: (&row.coverage).into(),
            baselines: row.baselines.iter().chain(given).map(Versus::from).collect(),
            ablations: row.ablations.iter().map(Versus::from).collect(),
            members: row.members.iter().map(Member::from).collect(),
        }
    }
}

impl From<&HouseScore> for Score {
    fn from(s: &HouseScore) -> Self {
        let [within_15, within_25, within_50] = s.within;
        Self {
            n: s.n,
            r2: s.r2,
            rmse: s.rmse,
            median_ape: s.median_ape,
            within_15,
            within_25,
            within_50,
            crps: s.crps,
            cover80: s.cover80,
            cover90: s.cover90,
        }
    }
}

impl From<&[Vec<HouseTier>; 2]> for CoverageByTier {
    fn from([eighty, ninety]: &[Vec<HouseTier>; 2]) -> Self {
        let tiers = |tiers: &[HouseTier]| tiers.iter().map(TierCoverage::from).collect();
        Self { eighty: tiers(eighty), ninety: tiers(ninety) }
    }
}

impl From<&HouseTier> for TierCoverage {
    fn from(t: &HouseTier) -> Self {
        Self { tier: t.tier, n: t.n, covered: t.covered, band: [t.band.0, t.band.1], holds: t.holds }
    }
}

impl From<&HouseVersus> for Versus {
    fn from(v: &HouseVersus) -> Self {
        Self {
            name: v.name.clone(),
            score: (&v.score).into(),
            ours_on_the_same_titles: (&v.ours).into(),
            difference: Differences {
                squared_error: v.squared_error.into(),
                median_ape: v.median_ape.into(),
                crps: v.crps.map(Interval::from),
            },
        }
    }
}

impl From<&HouseWeeks> for WeeksTest {
    fn from(w: &HouseWeeks) -> Self {
        let rows = w.rows.iter().map(|row| WeeksRow {
            first_week: *row.weeks.start(),
            last_week: *row.weeks.end(),
            score: (&row.score).into(),
            baseline: (&row.baseline).into(),
            median_ape_against_it: row.median_ape.into(),
        });
        Self {
            population: w.population.into(),
            films: w.films,
            trained_on: w.trained_on,
            coverage_by_tier: (&w.coverage).into(),
            rows: rows.collect(),
        }
    }
}

impl From<&Profits> for ProfitsTest {
    fn from(p: &Profits) -> Self {
        let r = &p.reliability;
        Self {
            horizon: p.horizon.into(),
            note: GROSS_IMPLIED,
            n: r.n,
            base_rate: r.base_rate,
            brier: r.brier,
            base_brier: r.base_brier,
            miscalibration: r.miscalibration,
            miscalibration_by_chance: r.by_chance,
        }
    }
}
