//! How good forecasts were: one table row for each horizon, target and population, and paired differences to a baseline.
//!
//! Everything is in natural-log dollars; what each figure means stands in `learn::metrics` and `learn::judge`. Coverage is
//! judged for each *predicted* tier inside the exact 99% binomial band, with Holm's correction over a row's tiers.

use std::collections::HashMap;

use marquee_domain::{Day, Distribution, Horizon, Population, Target};
pub use marquee_learn::judge::{Reliability, TierCoverage};
use marquee_learn::judge::{coverage_by_tier, paired_bootstrap};
use marquee_learn::{LearnError, metrics};

/// A forecast of a title whose outcome is known. Amounts are US dollars, nominal.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The id that the source of the outcome gives the title.
    pub source_id: String,
    /// Its name.
    pub title: String,
    /// Its release day.
    pub release: Day,
    /// What it cost to make, where that is known.
    pub budget: Option<f64>,
    /// How much was known.
    pub horizon: Horizon,
    /// What was predicted.
    pub target: Target,
    /// By the model of which films.
    pub population: Population,
    /// The day whose knowledge was used.
    pub as_of: Day,
    /// The answer.
    pub distribution: Distribution,
    /// What happened.
    pub actual: f64,
    /// The predicted tier, 0 for the smallest.
    pub tier: usize,
}

/// The figures of one set of forecasts.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// How many forecasts.
    pub n: usize,
    /// Share of the variance of log gross explained.
    pub r2: f64,
    /// Root mean square error, natural log.
    pub rmse: f64,
    /// Median absolute error as a share of the actual.
    pub median_ape: f64,
    /// Shares within 15, 25 and 50% of the actual.
    pub within: [f64; 3],
    /// Continuous ranked probability score, natural log.
    pub crps: f64,
    /// Share of actuals inside the 10–90% interval.
    pub cover80: f64,
    /// Share of actuals inside the 5–95% interval.
    pub cover90: f64,
}

/// A difference to a baseline on the same titles: ours less theirs, so that below zero is better for an error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The difference.
    pub value: f64,
    /// Lower end of the bootstrap 95% interval.
    pub lower: f64,
    /// Upper end of the bootstrap 95% interval.
    pub upper: f64,
}

/// A baseline beside ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Versus {
    /// What it is called.
    pub name: String,
    /// Its own figures on the titles that both forecast.
    pub score: Score,
    /// Our figures on those titles.
    pub ours: Score,
    /// Difference in mean squared log error.
    pub squared_error: Difference,
    /// Difference in median APE.
    pub median_ape: Difference,
    /// Difference in CRPS; none where the baseline gives no distribution.
    pub crps: Option<Difference>,
}

/// Bootstrap replicates of a paired difference, and the seed that draws them.
const REPLICATES: usize = 1_000;
const SEED: u64 = 20_130_101;

impl Score {
    /// The figures of these forecasts.
    #[must_use]
    pub fn of(predictions: &[&Prediction]) -> Self {
        let (actual, logs) = columns(predictions);
        let middle: Vec<f64> = logs.iter().map(|q| q[3]).collect();
        let coverage = |low: usize, high: usize| {
            let ends = |i: usize| logs.iter().map(|q| q[i]).collect::<Vec<f64>>();
            metrics::coverage(&actual, &ends(low), &ends(high))
        };
        Self {
            n: actual.len(),
            r2: metrics::r2(&actual, &middle),
            rmse: metrics::rmse(&actual, &middle),
            median_ape: metrics::median_ape(&actual, &middle),
            within: [0.15, 0.25, 0.5].map(|tolerance| metrics::share_within(&actual, &middle, tolerance)),
            crps: metrics::crps(&actual, &logs),
            cover80: coverage(1, 5),
            cover90: coverage(0, 6),
        }
    }
}

/// Coverage of the 80 and the 90% interval by predicted tier, in that order.
#[must_use]
pub fn coverage(predictions: &[&Prediction]) -> [Vec<TierCoverage>; 2] {
    let judge = |low: usize, high: usize, nominal: f64| {
        let inside = |p: &&Prediction| {
            let (y, q) = (p.actual.ln(), p.distribution.log_quantiles());
            (p.tier, y >= q[low] && y <= q[high])
        };
        coverage_by_tier(predictions.iter().map(inside), nominal)
    };
    [judge(1, 5, 0.8), judge(0, 6, 0.9)]
}

/// Sets a baseline beside ours, on the titles that both forecast; none where they share no title. `whole` says whether
/// the baseline gives distributions or middles only.
///
/// # Errors
/// What the bootstrap says of its input.
pub fn versus(
    name: &str,
    ours: &[&Prediction],
    theirs: &[&Prediction],
    whole: bool,
) -> Result<Option<Versus>, LearnError> {
    let by_id: HashMap<&str, &Prediction> = theirs.iter().map(|p| (p.source_id.as_str(), *p)).collect();
    let pairs: Vec<(&Prediction, &Prediction)> =
        ours.iter().filter_map(|p| by_id.get(p.source_id.as_str()).map(|b| (*p, *b))).collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    let (ours, theirs): (Vec<&Prediction>, Vec<&Prediction>) = pairs.into_iter().unzip();
    let ((actual, a), (their_actual, b)) = (columns(&ours), columns(&theirs));
    let difference = |loss: &dyn Fn(&[f64]) -> f64, each: &dyn Fn(f64, &[f64; 7]) -> f64| {
        let losses =
            |y: &[f64], q: &[[f64; 7]]| y.iter().zip(q).map(|(y, q)| each(*y, q)).collect::<Vec<f64>>();
        let (ours, theirs) = (losses(&actual, &a), losses(&their_actual, &b));
        let pick = |all: &[f64], rows: &[usize]| rows.iter().map(|i| all[*i]).collect::<Vec<f64>>();
        let estimate = paired_bootstrap(ours.len(), REPLICATES, SEED, |rows| {
            loss(&pick(&ours, rows)) - loss(&pick(&theirs, rows))
        })?;
        Ok::<_, LearnError>(Difference {
            value: estimate.value,
            lower: estimate.lower,
            upper: estimate.upper,
        })
    };
    Ok(Some(Versus {
        name: name.to_owned(),
        score: Score::of(&theirs),
        ours: Score::of(&ours),
        squared_error: difference(&mean, &|y, q| (y - q[3]).powi(2))?,
        median_ape: difference(&median, &|y, q| metrics::ape(y, q[3]))?,
        crps: if whole { Some(difference(&mean, &metrics::crps_row)?) } else { None },
    }))
}

/// Log actuals and log quantiles.
fn columns(predictions: &[&Prediction]) -> (Vec<f64>, Vec<[f64; 7]>) {
    predictions.iter().map(|p| (p.actual.ln(), p.distribution.log_quantiles())).unzip()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    metrics::median(values.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(id: usize, middle: f64, actual: f64) -> Prediction {
        let log = [-1.0, -0.8, -0.4, 0.0, 0.4, 0.8, 1.0].map(|d| middle.ln() + d);
        let release = Day::new(2014, 1, 1).expect("a day");
        Prediction {
            source_id: id.to_string(),
            title: format!("Title {id}"),
            release,
            budget: None,
            horizon: Horizon::Announced,
            target: Target::Worldwide,
            population: Population::All,
            as_of: release.plus(-30),
            distribution: Distribution::from_logs(log).expect("ordered"),
            actual,
            tier: id % 2,
        }
    }

    #[test]
    fn a_better_forecast_is_told_from_a_worse_one_on_the_same_titles() {
        let good: Vec<Prediction> =
            (0..60).map(|i| prediction(i, 1e6 * (1.0 + i as f64), 1.1e6 * (1.0 + i as f64))).collect();
        let poor: Vec<Prediction> = (30..90).map(|i| prediction(i, 5e6, 1.1e6 * (1.0 + i as f64))).collect();
        let (ours, theirs): (Vec<_>, Vec<_>) = (good.iter().collect(), poor.iter().collect());
        let found = versus("poor", &ours, &theirs, true).expect("scored").expect("shared titles");
        assert_eq!((found.ours.n, found.score.n), (30, 30));
        assert!(found.squared_error.upper < 0.0 && found.crps.is_some_and(|d| d.upper < 0.0));
        assert!((found.ours.rmse - 1.1f64.ln()).abs() < 1e-12);
        assert_eq!(versus("none", &ours[..10], &theirs, true).expect("scored"), None);
    }

    #[test]
    fn coverage_counts_what_lies_inside() {
        let all: Vec<Prediction> =
            (0..40).map(|i| prediction(i, 1e6, if i < 20 { 1e6 } else { 1e9 })).collect();
        let [eighty, ninety] = coverage(&all.iter().collect::<Vec<_>>());
        assert_eq!(eighty.len(), 2);
        assert!(ninety.iter().all(|t| t.n == 20 && t.covered == 10 && !t.holds));
        let score = Score::of(&all.iter().collect::<Vec<_>>());
        assert_eq!((score.cover80, score.within[0]), (0.5, 0.5));
    }
}
