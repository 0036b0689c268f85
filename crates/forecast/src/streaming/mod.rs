//! Streaming: how many hours a title on a weekly list will be viewed next week, whether it stays, and for how long.
//!
//! Three models stand on the same view of a title in its week ([`Lists`]): the log ratio of next week's hours to this
//! week's among those that stay, the chance to stay, and the chance to leave after each further week, from which follows how
//! long it is listed. What leaves a list is known only to have less than its last place, so that hours are forecast *if it
//! stays*.

mod backtest;
mod lists;

use marquee_domain::{Control, Day, Distribution, LEVELS, Probability, TitleId};
use marquee_learn::{Dataset, EnsembleSpec, Example, Features, FittedEnsemble, LearnError, artefact};
use serde::{Deserialize, Serialize};

use crate::error::ForecastError;
use crate::model::ordered;
pub use backtest::{Baseline, StreamingTest, test};
pub use lists::{ListWeek, Listing, Lists};
use lists::{NUMBERS, WEEK, streak};

/// How many further weeks are looked at.
pub const AHEAD: usize = 12;
/// The weeks of a title from which its further weeks are learned.
const LANDMARKS: usize = 4;
/// The fewest rows that each model is fitted on.
const FEWEST: usize = 300;

/// A description of models of streaming that are not fitted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamingSpec {
    /// Only lists known before this day are learned from.
    pub trained_before: Day,
    /// Fingerprint of the lake's version that is learned from.
    pub data: String,
    /// The learner of each of the three models.
    pub ensemble: EnsembleSpec,
}

/// Fitted models of streaming.
#[derive(Debug, Clone)]
pub struct FittedStreaming {
    stored: Stored,
    next: FittedEnsemble,
    stay: FittedEnsemble,
    leave: FittedEnsemble,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    trained_before: Day,
    data: String,
    /// The lists that were learned from, in order.
    lists: Vec<String>,
    /// The fitted ensembles, as [`FittedStreaming`] names them.
    ensembles: [Vec<u8>; 3],
}

/// What is forecast of a title on a list.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamingForecast {
    /// The title.
    pub title: TitleId,
    /// Its name.
    pub name: String,
    /// Its list.
    pub list: String,
    /// The day on which its newest week became known.
    pub known: Day,
    /// That week.
    pub now: ListWeek,
    /// How many weeks without a gap it has been listed.
    pub weeks: usize,
    /// The probability that it is listed next week.
    pub stays: Probability,
    /// Hours viewed next week if it stays.
    pub hours: Distribution,
    /// The probabilities that it is still listed after one, two, … further weeks, falling.
    pub listed: [f64; AHEAD],
}

impl StreamingForecast {
    /// How many weeks without a gap it is listed in the end, by the middle of the forecast.
    #[must_use]
    pub fn weeks_in_all(&self) -> usize {
        self.weeks + self.listed.iter().take_while(|p| **p > 0.5).count()
    }
}

impl StreamingSpec {
    /// Fits the models on the lists known before [`StreamingSpec::trained_before`]: `lists` may hold later ones, which are
    /// passed over.
    ///
    /// # Errors
    /// [`ForecastError::TooFew`] below 300 weeks of titles that stay; otherwise what the learner says.
    pub fn fit(&self, lists: &Lists, control: &Control) -> Result<FittedStreaming, ForecastError> {
        let mut words: Vec<String> = lists
            .listings
            .values()
            .filter(|l| l.weeks.first().is_some_and(|week| week.known < self.trained_before))
            .map(|l| l.list.to_string())
            .collect();
        words.sort_unstable();
        words.dedup();
        let (mut next, mut stay) =
            (Dataset::new(features(&words, &[])?), Dataset::new(features(&words, &[])?));
        let mut leave = Dataset::new(features(&words, &FURTHER)?);
        for listing in lists.listings.values().filter(|listing| lists.debut_is_known(listing)) {
            for at in 0..listing.weeks.len() {
                self.learn(lists, listing, at, &words, (&mut next, &mut stay, &mut leave))?;
            }
        }
        if next.len() < FEWEST {
            let what = "weeks of titles that stay on a list".to_owned();
            return Err(ForecastError::TooFew { what, have: next.len(), need: FEWEST });
        }
        let fit = |data: &Dataset| self.ensemble.fit(data, control);
        let (next, stay, leave) = (fit(&next)?, fit(&stay)?, fit(&leave)?);
        let ensembles = [next.to_bytes()?, stay.to_bytes()?, leave.to_bytes()?];
        let (trained_before, data) = (self.trained_before, self.data.clone());
        let stored = Stored { trained_before, data, lists: words, ensembles };
        Ok(FittedStreaming { stored, next, stay, leave })
    }

    /// Takes in what a title's week says of the weeks after it that were known in time.
    fn learn(
        &self,
        lists: &Lists,
        listing: &Listing,
        at: usize,
        words: &[String],
        (next, stay, leave): (&mut Dataset, &mut Dataset, &mut Dataset),
    ) -> Result<(), ForecastError> {
        let week = listing.weeks[at];
        let row = || row(lists, listing, at, words);
        let dated = |after: usize, target: f64| {
            let known = week.known.plus(WEEK * after as i32);
            let settled = known < self.trained_before && Some(known) <= lists.last();
            settled.then(|| Example::new(week.known.epoch_days(), known.epoch_days(), target))
        };
        let following = |after: usize| follows(listing, at, after);
        if let Some(example) = dated(1, f64::from(u8::from(following(1).is_some()))) {
            stay.push(&row(), example)?;
            if let Some(after) = following(1) {
                next.push(&row(), Example { target: (after.hours / week.hours).ln(), ..example })?;
            }
        }
        // Only the first time that a title is listed tells how long it is.
        let first_spell = streak(&listing.weeks[..=at]) == at + 1;
        if !first_spell || at >= LANDMARKS {
            return Ok(());
        }
        for after in 1..=AHEAD {
            let stays = following(after).is_some();
            let Some(example) = dated(after, f64::from(u8::from(!stays))) else { break };
            leave.push(&further(row(), at, after), example)?;
            if !stays {
                break;
            }
        }
        Ok(())
    }
}

/// The week that many weeks later, where the title is listed without a gap until then.
fn follows(listing: &Listing, at: usize, after: usize) -> Option<ListWeek> {
    let later = listing.weeks.get(at + after)?;
    let days = later.known.days_since(listing.weeks[at].known);
    (days == WEEK * after as i32).then_some(*later)
}

/// What the model of leaving sees besides: how far ahead, and how old the title is then.
const FURTHER: [(&str, &str); 3] = [("ahead", "age"), ("log_ahead", "age"), ("weeks_then", "age")];

fn further(mut row: Vec<f64>, at: usize, after: usize) -> Vec<f64> {
    row.extend([after as f64, (after as f64).ln(), (at + after) as f64]);
    row
}

fn features(lists: &[String], further: &[(&str, &str)]) -> Result<Features, LearnError> {
    let lists: Vec<String> = lists.iter().map(|list| format!("list={list}")).collect();
    let lists = lists.iter().map(|name| (name.as_str(), Some("list")));
    let numbers = NUMBERS.iter().map(|(name, group)| (*name, Some(*group)));
    Features::new(numbers.chain(lists).chain(further.iter().map(|(name, group)| (*name, Some(*group)))))
}

fn row(lists: &Lists, listing: &Listing, at: usize, words: &[String]) -> Vec<f64> {
    let mut row = lists.numbers(listing, at).to_vec();
    row.extend(words.iter().map(|word| f64::from(u8::from(**word == *listing.list))));
    row
}

impl FittedStreaming {
    /// The kind under which models of streaming are stored.
    pub const KIND: &str = "forecast-streaming-1";

    /// Only lists known before this day were learned from.
    #[must_use]
    pub fn trained_before(&self) -> Day {
        self.stored.trained_before
    }

    /// Fingerprint of the lake's version that was learned from.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.stored.data
    }

    /// The forecast of a title in its newest week.
    ///
    /// # Errors
    /// What the learner says.
    pub fn forecast(
        &self,
        lists: &Lists,
        title: TitleId,
    ) -> Result<Option<StreamingForecast>, ForecastError> {
        let Some(listing) = lists.listings.get(&title) else { return Ok(None) };
        match listing.weeks.len() {
            0 => Ok(None),
            n => self.forecast_at(lists, title, listing, n - 1).map(Some),
        }
    }

    pub(crate) fn forecast_at(
        &self,
        lists: &Lists,
        title: TitleId,
        listing: &Listing,
        at: usize,
    ) -> Result<StreamingForecast, ForecastError> {
        let now = listing.weeks[at];
        let row = row(lists, listing, at, &self.stored.lists);
        let learned = self.next.distribution(&row)?;
        let logs = ordered(LEVELS.map(|level| learned.quantile(level) + now.hours.ln()));
        let chance =
            |model: &FittedEnsemble, row: &[f64]| Ok::<_, LearnError>(certain(model.predict(row)?.centre));
        let stays = chance(&self.stay, &row)?;
        let mut listed = [0.0; AHEAD];
        let mut still = 1.0;
        for (i, p) in listed.iter_mut().enumerate() {
            // One week ahead the model of staying has learned from more.
            still *= match i {
                0 => stays,
                _ => 1.0 - chance(&self.leave, &further(row.clone(), at, i + 1))?,
            };
            *p = still;
        }
        Ok(StreamingForecast {
            title,
            name: if listing.name.is_empty() { title.to_string() } else { listing.name.to_string() },
            list: listing.list.to_string(),
            known: now.known,
            now,
            weeks: streak(&listing.weeks[..=at]),
            stays: stays.try_into()?,
            hours: Distribution::from_logs(logs)?,
            listed,
        })
    }

    /// The models as bytes: a versioned artefact with its own checksum.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ForecastError> {
        Ok(artefact::encode(Self::KIND, &self.stored).map_err(LearnError::from)?)
    }

    /// Models from their bytes.
    ///
    /// # Errors
    /// Damaged, truncated or newer artefacts are refused; so are those that see other numbers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForecastError> {
        let stored: Stored = artefact::decode(Self::KIND, bytes).map_err(LearnError::from)?;
        let read = |i: usize| FittedEnsemble::from_bytes(&stored.ensembles[i]);
        let (next, stay, leave) = (read(0)?, read(1)?, read(2)?);
        for (model, further) in [(&next, &[][..]), (&stay, &[]), (&leave, &FURTHER)] {
            if *model.features() != features(&stored.lists, further)? {
                return Err(ForecastError::Foreign { column: "another set of numbers".to_owned() });
            }
        }
        Ok(Self { stored, next, stay, leave })
    }
}

/// A predicted share held to what a probability can be believed to be.
fn certain(share: f64) -> f64 {
    share.clamp(0.02, 0.98)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
