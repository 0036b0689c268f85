//! The weeks of a run: what a film takes in its second week and later ones, as of its first Sunday.
//!
//! One model speaks of all weeks: a row is a film and a week. It sees what a `weekend_1` model sees of the film, the number
//! of the week and the leisure that the week's days leave, and predicts the natural log of the week's gross over the
//! opening weekend's. On earlier years that did as well as a model for each week and as a chain from week to week, and a
//! quarter better than the average curve of the year before. A week is one that the chart lists whole: what is said of a
//! late week is said of a film that is still playing.

mod backtest;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use marquee_domain::{Control, Day, Distribution, Horizon, LEVELS, Population, Target};
use marquee_learn::{
    Dataset, EnsembleSpec, Example as LearnExample, Features, FittedEnsemble, LearnError, artefact,
};
use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::error::ForecastError;
use crate::features::{Raw, Vocabulary, fill_blanks};
use crate::history::{History, Subject};
use crate::model::ordered;
use crate::panel::Panel;

pub use backtest::{WeeksRow, WeeksTest, test};

/// The weeks that are forecast: the second to the twelfth.
pub const WEEKS: RangeInclusive<u32> = 2..=12;
/// The fewest films that a model is fitted on.
const FEWEST: usize = 100;

/// The Friday on which a week of a release begins: the first week has the first Friday on or after the release.
#[must_use]
pub fn friday_of(release: Day, week: u32) -> Day {
    Horizon::Weekend1.as_of(release).0.plus(7 * week as i32 - 9)
}

/// A description of a model of weeks that is not fitted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct WeeksSpec {
    /// On which films: all that a chart follows, or the wide ones.
    pub population: Population,
    /// Only weeks that were over before this day are learned from.
    pub trained_before: Day,
    /// Only releases up to and including this day are learned from.
    pub train_to: Day,
    /// Fingerprint of the lake's version that is learned from.
    pub data: String,
    /// The learner.
    pub ensemble: EnsembleSpec,
}

/// A fitted model of weeks.
#[derive(Debug, Clone)]
pub struct FittedWeeks {
    stored: Stored,
    ensemble: FittedEnsemble,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    population: Population,
    trained_before: Day,
    data: String,
    films: usize,
    vocabulary: Vocabulary,
    ensemble: Vec<u8>,
}

/// A week of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Week {
    /// Its number; the first holds the first Friday.
    pub number: u32,
    /// The Friday on which it begins.
    pub friday: Day,
    /// What it takes if the film still plays all of it, US dollars, nominal.
    pub distribution: Distribution,
}

impl WeeksSpec {
    /// Fits the model on the panel of domestic runs as of the first Sunday.
    ///
    /// # Errors
    /// [`ForecastError::TooFew`] below 100 films with a whole second week; otherwise what the learner says.
    pub fn fit(&self, panel: &Panel, control: &Control) -> Result<FittedWeeks, ForecastError> {
        let usable = |i: &usize| panel.examples[*i].release <= self.train_to;
        let rows: Vec<usize> =
            panel.members(self.population, Target::Domestic).into_iter().filter(usable).collect();
        let over = |release: Day, week: u32| friday_of(release, week).plus(6) < self.trained_before;
        let films: Vec<usize> = rows
            .into_iter()
            .filter(|i| {
                let example = &panel.examples[*i];
                weeks_of(&example.weeks).any(|(week, _)| over(example.release, week))
            })
            .collect();
        if films.len() < FEWEST {
            let what = format!("weeks of a run, {}", self.population);
            return Err(ForecastError::TooFew { what, have: films.len(), need: FEWEST });
        }
        let mut raws: Vec<Raw> = films.iter().map(|i| panel.raws[*i].clone()).collect();
        let vocabulary = Vocabulary::learn(&raws, Horizon::Weekend1, false);
        fill_blanks(&mut raws);
        let mut taken: Vec<Taken<'_>> = Vec::new();
        for (i, raw) in films.iter().zip(&raws) {
            let example = &panel.examples[*i];
            let (release, from) = (example.release, opening(raw, panel.origins[*i]));
            let over = weeks_of(&example.weeks).filter(|(week, _)| over(release, *week));
            taken.extend(over.map(|(week, gross)| Taken { raw, release, week, log: gross.ln() - from }));
        }
        let mut data = Dataset::new(features(&vocabulary)?);
        let weights = weights(&taken);
        for Taken { raw, release, week, log } in taken {
            let known = friday_of(release, week).plus(6).epoch_days();
            let weight = weights.get(&week).copied().unwrap_or(1.0);
            let dated = LearnExample { weight, ..LearnExample::new(release.epoch_days(), known, log) };
            data.push(&row(&vocabulary, raw, release, week), dated)?;
        }
        let ensemble = self.ensemble.fit(&data, control)?;
        let stored = Stored {
            population: self.population,
            trained_before: self.trained_before,
            data: self.data.clone(),
            films: films.len(),
            vocabulary,
            ensemble: ensemble.to_bytes()?,
        };
        Ok(FittedWeeks { stored, ensemble })
    }
}

impl FittedWeeks {
    /// The kind under which models of weeks are stored.
    pub const KIND: &str = "forecast-weeks-1";

    /// On which films.
    #[must_use]
    pub fn population(&self) -> Population {
        self.stored.population
    }

    /// Only weeks that were over before this day were learned from.
    #[must_use]
    pub fn trained_before(&self) -> Day {
        self.stored.trained_before
    }

    /// Fingerprint of the lake's version that it learned from.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.stored.data
    }

    /// How many films it was fitted on.
    #[must_use]
    pub fn films(&self) -> usize {
        self.stored.films
    }

    /// All [`WEEKS`] of a subject that is looked at as of its first Sunday, in its history.
    ///
    /// # Errors
    /// [`ForecastError::Unknown`] where no chart follows it; otherwise what the learner says.
    pub fn weeks(&self, history: &History, subject: &Subject) -> Result<Vec<Week>, ForecastError> {
        let origin = subject.origin(history);
        if !origin.is_finite() {
            let name = subject.profile.name.as_deref().unwrap_or("unnamed").to_owned();
            return Err(ForecastError::Unknown { name, missing: "a daily chart", as_of: subject.as_of.0 });
        }
        let raw = Raw::of(history, subject);
        let of = |number: u32| {
            let distribution = self.distribution(&raw, origin, subject.release, number)?.1;
            Ok(Week { number, friday: friday_of(subject.release, number), distribution })
        };
        WEEKS.map(of).collect()
    }

    /// The predicted tier and the distribution of a week's gross, US dollars, nominal; `origin` is [`Subject::origin`].
    pub(crate) fn distribution(
        &self,
        raw: &Raw,
        origin: f64,
        release: Day,
        week: u32,
    ) -> Result<(usize, Distribution), ForecastError> {
        let learned = self.ensemble.distribution(&row(&self.stored.vocabulary, raw, release, week))?;
        let from = opening(raw, origin);
        let logs = LEVELS.map(|level| learned.quantile(level) + from);
        Ok((learned.tier(), Distribution::from_logs(ordered(logs))?))
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
    /// Damaged, truncated or newer artefacts are refused; so is one that sees a number unknown here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForecastError> {
        let stored: Stored = artefact::decode(Self::KIND, bytes).map_err(LearnError::from)?;
        if let Some(name) = stored.vocabulary.unknown() {
            return Err(ForecastError::Foreign { column: name.to_owned() });
        }
        let ensemble = FittedEnsemble::from_bytes(&stored.ensemble)?;
        Ok(Self { stored, ensemble })
    }
}

/// A week of a film that is learned from.
struct Taken<'a> {
    raw: &'a Raw,
    release: Day,
    week: u32,
    /// ln of its gross over the opening weekend's.
    log: f64,
}

/// How much each week counts: the inverse of its variance, so that the second week, which varies little, is not lost among
/// those that vary much; 1 on average.
fn weights(taken: &[Taken<'_>]) -> BTreeMap<u32, f64> {
    let mut logs: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for week in taken {
        logs.entry(week.week).or_default().push(week.log);
    }
    let inverse = |logs: &Vec<f64>| {
        let n = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / n;
        1.0 / (logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).clamp(0.01, 10.0)
    };
    let inverses: BTreeMap<u32, f64> = logs.iter().map(|(week, logs)| (*week, inverse(logs))).collect();
    let total: f64 = logs.iter().map(|(week, logs)| inverses[week] * logs.len() as f64).sum();
    inverses.into_iter().map(|(week, inverse)| (week, inverse * taken.len() as f64 / total)).collect()
}

/// The whole weeks among an example's, with their numbers.
fn weeks_of(weeks: &[Option<f64>]) -> impl Iterator<Item = (u32, f64)> {
    WEEKS.zip(weeks).filter_map(|(number, gross)| gross.map(|gross| (number, gross)))
}

/// ln of what the opening weekend took: of all that was taken so far its share; all of it where the chart does not tell.
fn opening(raw: &Raw, origin: f64) -> f64 {
    origin + raw.number("recent_share").filter(|share| share.is_finite()).unwrap_or(0.0)
}

/// What the model sees: the film, and the week.
fn features(vocabulary: &Vocabulary) -> Result<Features, LearnError> {
    let film: Vec<(String, &str)> = vocabulary.columns().into_iter().map(|c| (c.name, c.group)).collect();
    let week = calendar::week(Day::MIN).map(|(name, _)| (name.to_owned(), "season"));
    let all = film.into_iter().chain([("week_number".to_owned(), "week")]).chain(week);
    let all: Vec<(String, &str)> = all.collect();
    Features::new(all.iter().map(|(name, group)| (name.as_str(), Some(*group))))
}

fn row(vocabulary: &Vocabulary, raw: &Raw, release: Day, week: u32) -> Vec<f64> {
    let mut row = vocabulary.encode(raw);
    row.push(f64::from(week));
    row.extend(calendar::week(friday_of(release, week)).map(|(_, value)| value));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Friday, a Wednesday and a Sunday opening of July 2014.
    #[test]
    fn weeks_begin_on_fridays() {
        let of = |day, week| friday_of(Day::new(2014, 7, day).expect("a day"), week).to_string();
        assert_eq!([of(4, 1), of(4, 2), of(4, 12)], ["2014-07-04", "2014-07-11", "2014-09-19"]);
        assert_eq!([of(2, 1), of(6, 1)], ["2014-07-04", "2014-07-11"]);
    }
}
