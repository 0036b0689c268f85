//! One number of a title from what was known of it on its day: the model that scores and units share.
//!
//! A [`TitleTable`] is rows of numbers and words, each seen on its own day, with the outcome where that is known by now. What
//! makes the rows ([`crate::reception`], [`crate::games`]) decides what they mean; here they are fitted, forecast and tested.
//! A model predicts the outcome less the row's *level* (what was usual lately), so that nothing that drifts with the years is
//! learned. What a title does not state (a number, or any word of a kind) counts as the mean of those that do, and what fewer
//! than two thirds state is not seen: absence is no feature.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use marquee_domain::{Control, Day, FactKind, LEVELS, TitleId};
use marquee_learn::judge::{TierCoverage, coverage_by_tier, paired_bootstrap};
use marquee_learn::{
    Dataset, EnsembleSpec, Example, Features, FittedEnsemble, LearnError, artefact, metrics,
};
use serde::{Deserialize, Serialize};

use crate::error::ForecastError;
use crate::features::STATED;
use crate::model::ordered;
use crate::score::Difference;

/// The fewest rows that a model is fitted on.
const FEWEST: usize = 300;
/// A word has a column of its own where at least this many rows that are learned from have it.
const COMMON: usize = 25;

/// Titles as they were seen on their days.
#[derive(Debug, Clone)]
pub struct TitleTable {
    /// The numbers of each row, each with its driver group.
    pub numbers: &'static [(&'static str, &'static str)],
    /// The kinds of the words of each row, each with its driver group.
    pub words: &'static [(FactKind, &'static str)],
    /// What the simple ways to guess are called.
    pub guesses: &'static [&'static str],
    /// The rows, in any order.
    pub rows: Vec<TableRow>,
}

/// A title as it was seen on its day.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// The title; none for one that is not in the catalogue.
    pub title: Option<TitleId>,
    /// Its name.
    pub name: String,
    /// Its release day, or the first day of its year.
    pub release: Day,
    /// The outcome and the day on which it became known.
    pub outcome: Option<(f64, Day)>,
    /// What was usual lately, in the unit of the outcome.
    pub level: f64,
    /// One number for each of [`TitleTable::numbers`]; NaN where not known.
    pub numbers: Vec<f64>,
    /// Its words.
    pub words: Vec<(FactKind, Arc<str>)>,
    /// The simple ways to guess, in the unit of the outcome.
    pub guesses: Vec<f64>,
}

/// A description of a model of one number that is not fitted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSpec {
    /// What is forecast, for messages and for keys.
    pub what: String,
    /// Only outcomes known before this day are learned from.
    pub trained_before: Day,
    /// Driver groups whose columns the model is not to see.
    pub without: Vec<String>,
    /// Fingerprint of the lake's version that is learned from.
    pub data: String,
    /// The learner.
    pub ensemble: EnsembleSpec,
}

/// A fitted model of one number.
#[derive(Debug, Clone)]
pub struct FittedTable {
    stored: Stored,
    ensemble: FittedEnsemble,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    what: String,
    trained_before: Day,
    data: String,
    rows: usize,
    columns: Vec<Column>,
    ensemble: Vec<u8>,
}

/// A column, with the mean of what was learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Column {
    name: String,
    group: String,
    from: Source,
    mean: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Source {
    /// The number in this place.
    Number(usize),
    /// Whether a row has a word.
    Word(FactKind, String),
}

/// What is forecast of one title.
#[derive(Debug, Clone, PartialEq)]
pub struct TableForecast {
    /// The quantiles at [`LEVELS`], rising, in the unit of the outcome.
    pub quantiles: [f64; 7],
    /// What a typical title would have: the drivers start here.
    pub base: f64,
    /// Contributions by group, largest first; with the base they add up to the median.
    pub drivers: Vec<(String, f64)>,
    /// The predicted tier, from zero for the smallest.
    pub tier: usize,
}

impl TableSpec {
    /// Fits the model on the rows whose outcomes were known in time.
    ///
    /// # Errors
    /// [`ForecastError::TooFew`] below 300; otherwise what the learner says.
    pub fn fit(&self, table: &TitleTable, control: &Control) -> Result<FittedTable, ForecastError> {
        let known = |row: &&TableRow| row.outcome.is_some_and(|(_, known)| known < self.trained_before);
        let rows: Vec<&TableRow> = table.rows.iter().filter(known).collect();
        if rows.len() < FEWEST {
            let what = format!("{} before {}", self.what, self.trained_before);
            return Err(ForecastError::TooFew { what, have: rows.len(), need: FEWEST });
        }
        let columns = self.columns(table, &rows);
        let features = Features::new(columns.iter().map(|c| (c.name.as_str(), Some(c.group.as_str()))))?;
        let mut data = Dataset::new(features);
        for row in &rows {
            let Some((outcome, known)) = row.outcome else { continue };
            let (day, known) = (row.release.epoch_days(), known.max(row.release).epoch_days());
            data.push(&encode(&columns, row), Example::new(day, known, outcome - row.level))?;
        }
        let ensemble = self.ensemble.fit(&data, control)?;
        let stored = Stored {
            what: self.what.clone(),
            trained_before: self.trained_before,
            data: self.data.clone(),
            rows: rows.len(),
            columns,
            ensemble: ensemble.to_bytes()?,
        };
        Ok(FittedTable { stored, ensemble })
    }

    /// The numbers that vary and the words that are common among the rows that are learned from.
    fn columns(&self, table: &TitleTable, rows: &[&TableRow]) -> Vec<Column> {
        let seen = |group: &str| !self.without.iter().any(|own| own == group);
        let numbers =
            table.numbers.iter().enumerate().map(|(i, (name, group))| (*name, *group, Source::Number(i)));
        let mut count: BTreeMap<(FactKind, &str), usize> = BTreeMap::new();
        for (kind, word) in rows.iter().flat_map(|row| &row.words) {
            *count.entry((*kind, word)).or_default() += 1;
        }
        let enough = |n: usize| n as f64 >= STATED * rows.len() as f64;
        let states = |row: &&&TableRow, kind| row.words.iter().any(|(own, _)| *own == kind);
        let told: Vec<FactKind> = table
            .words
            .iter()
            .map(|(kind, _)| *kind)
            .filter(|kind| enough(rows.iter().filter(|row| states(row, *kind)).count()))
            .collect();
        let common =
            count.into_iter().filter(|((kind, _), n)| told.contains(kind) && *n >= COMMON && *n < rows.len());
        let words: Vec<(String, &str, Source)> = common
            .filter_map(|((kind, word), _)| {
                let group = table.words.iter().find(|(own, _)| *own == kind)?.1;
                Some((format!("{kind}={word}"), group, Source::Word(kind, word.to_owned())))
            })
            .collect();
        let numbers = numbers.map(|(name, group, from)| (name.to_owned(), group, from));
        numbers
            .chain(words)
            .filter(|(_, group, _)| seen(group))
            .filter_map(|(name, group, from)| {
                let values = rows.iter().map(|row| value(&from, row)).filter(|x| !x.is_nan());
                let (n, sum, least, most) = values
                    .fold((0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY), |(n, sum, least, most), x| {
                        (n + 1.0, sum + x, x.min(least), x.max(most))
                    });
                (least < most && enough(n as usize)).then(|| Column {
                    name,
                    group: group.to_owned(),
                    from,
                    mean: sum / n,
                })
            })
            .collect()
    }
}

fn value(from: &Source, row: &TableRow) -> f64 {
    match from {
        Source::Number(i) => row.numbers.get(*i).copied().unwrap_or(f64::NAN),
        Source::Word(kind, word) => {
            let mut own = row.words.iter().filter(|(own, _)| own == kind).peekable();
            match own.peek() {
                Some(_) => f64::from(u8::from(own.any(|(_, w)| **w == **word))),
                None => f64::NAN,
            }
        }
    }
}

fn encode(columns: &[Column], row: &TableRow) -> Vec<f64> {
    let cell = |column: &Column| match value(&column.from, row) {
        x if x.is_nan() => column.mean,
        x => x,
    };
    columns.iter().map(cell).collect()
}

impl FittedTable {
    /// The kind under which models of one number are stored.
    pub const KIND: &str = "forecast-table-1";

    /// Only outcomes known before this day were learned from.
    #[must_use]
    pub fn trained_before(&self) -> Day {
        self.stored.trained_before
    }

    /// Fingerprint of the lake's version that was learned from.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.stored.data
    }

    /// How many titles it was fitted on.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.stored.rows
    }

    /// The forecast of a row of a table that is made as the one that was learned from.
    ///
    /// # Errors
    /// What the learner says.
    pub fn forecast(&self, row: &TableRow) -> Result<TableForecast, ForecastError> {
        let cells = encode(&self.stored.columns, row);
        let learned = self.ensemble.distribution(&cells)?;
        let why = self.ensemble.drivers(&cells)?;
        let groups = self.ensemble.features().groups().iter().cloned();
        let mut drivers: Vec<(String, f64)> = groups.zip(why.contributions).collect();
        drivers.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        Ok(TableForecast {
            quantiles: ordered(LEVELS.map(|level| learned.quantile(level) + row.level)),
            base: why.base + row.level,
            drivers,
            tier: learned.tier(),
        })
    }

    /// The model as bytes: a versioned artefact with its own checksum.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ForecastError> {
        Ok(artefact::encode(Self::KIND, &self.stored).map_err(LearnError::from)?)
    }

    /// A model from its bytes.
    ///
    /// # Errors
    /// Damaged, truncated or newer artefacts are refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForecastError> {
        let stored: Stored = artefact::decode(Self::KIND, bytes).map_err(LearnError::from)?;
        let ensemble = FittedEnsemble::from_bytes(&stored.ensemble)?;
        Ok(Self { stored, ensemble })
    }
}

/// What a test of a model of one number found, in the unit of the outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct TableTest {
    /// How many titles.
    pub n: usize,
    /// Share of the variance of the outcome explained.
    pub r2: f64,
    /// Root mean square error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Continuous ranked probability score.
    pub crps: f64,
    /// Coverage of the 10–90% and of the 5–95% interval.
    pub cover: [f64; 2],
    /// The same by predicted tier.
    pub tiers: [Vec<TierCoverage>; 2],
    /// Simple ways to guess, on the same titles.
    pub baselines: Vec<Guess>,
    /// What was forecast of each title, with what happened.
    pub told: Vec<(TableRow, TableForecast)>,
}

/// A simple way to guess, on the same titles as ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// What it is.
    pub name: &'static str,
    /// Its root mean square error.
    pub rmse: f64,
    /// Root mean square error, ours less its own, titles drawn anew: below zero is better.
    pub difference: Difference,
}

/// Tests a model of what was known before `period` on the titles that were released in it.
///
/// # Errors
/// [`ForecastError::TooFew`] where there are too few to learn from or none to test; otherwise what the learner says.
pub fn test(
    table: &TitleTable,
    spec: &TableSpec,
    period: &RangeInclusive<Day>,
    control: &Control,
) -> Result<TableTest, ForecastError> {
    let fitted = spec.fit(table, control)?;
    let tested = table.rows.iter().filter(|row| row.outcome.is_some() && period.contains(&row.release));
    let told = tested
        .map(|row| Ok((row.clone(), fitted.forecast(row)?)))
        .collect::<Result<Vec<(TableRow, TableForecast)>, ForecastError>>()?;
    let n = told.len();
    if n == 0 {
        let what = format!("{} from {} to {}", spec.what, period.start(), period.end());
        return Err(ForecastError::Untested { what });
    }
    let actual: Vec<f64> = told.iter().filter_map(|(row, _)| Some(row.outcome?.0)).collect();
    let quantiles: Vec<[f64; 7]> = told.iter().map(|(_, f)| f.quantiles).collect();
    let at = |i: usize| quantiles.iter().map(|q| q[i]).collect::<Vec<f64>>();
    let middles = at(3);
    let errors =
        |guess: &[f64]| -> Vec<f64> { actual.iter().zip(guess).map(|(y, p)| (y - p).powi(2)).collect() };
    let ours = errors(&middles);
    let root = |errors: &[f64], rows: &[usize]| {
        (rows.iter().map(|i| errors[*i]).sum::<f64>() / rows.len() as f64).sqrt()
    };
    let all: Vec<usize> = (0..n).collect();
    let baseline = |(k, name): (usize, &&'static str)| {
        let theirs = errors(&told.iter().map(|(row, _)| row.guesses[k]).collect::<Vec<f64>>());
        let estimate =
            paired_bootstrap(n, 1_000, 20_250_101, |rows| root(&ours, rows) - root(&theirs, rows))?;
        let difference = Difference { value: estimate.value, lower: estimate.lower, upper: estimate.upper };
        Ok(Guess { name, rmse: root(&theirs, &all), difference })
    };
    let baselines = table.guesses.iter().enumerate().map(baseline).collect::<Result<_, ForecastError>>()?;
    let ends = [(1, 5, 0.8), (0, 6, 0.9)];
    let tiers = ends.map(|(low, high, nominal)| {
        let inside = told
            .iter()
            .zip(&actual)
            .map(|((_, f), y)| (f.tier, (f.quantiles[low]..=f.quantiles[high]).contains(y)));
        coverage_by_tier(inside, nominal)
    });
    Ok(TableTest {
        n,
        r2: metrics::r2(&actual, &middles),
        rmse: metrics::rmse(&actual, &middles),
        mae: actual.iter().zip(&middles).map(|(y, p)| (y - p).abs()).sum::<f64>() / n as f64,
        crps: metrics::crps(&actual, &quantiles),
        cover: ends.map(|(low, high, _)| metrics::coverage(&actual, &at(low), &at(high))),
        tiers,
        baselines,
        told,
    })
}

/// A small learner for tests.
#[cfg(test)]
pub(crate) fn small_learner() -> EnsembleSpec {
    use marquee_learn::{BoostingSpec, ForwardChain, MemberSpec, RidgeSpec};
    let boosting = BoostingSpec { seeds: 1, trees: 60, learning_rate: 0.1, ..BoostingSpec::default() };
    EnsembleSpec {
        members: vec![MemberSpec::Boosting(boosting), MemberSpec::Ridge(RidgeSpec::default())],
        chain: ForwardChain { folds: 3, ..ForwardChain::default() },
        ..EnsembleSpec::default()
    }
}
