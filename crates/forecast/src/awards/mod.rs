//! Awards: which of an award's nominees wins, and which films of a year are nominated.
//!
//! Both look at seasons ([`Awards`]): a season is the year of its films, and what its prize-givings say from July of that year
//! to June of the next. Who wins is a conditional logit over an award's nominees ([`FittedAwards::winners`]): chances of one
//! award sum to one, numbers count alike in all awards but for what an award has of its own, and older seasons count less.
//! Whether a film is nominated is a logistic regression of its own for each award ([`FittedAwards::nominees`]).
//!
//! A season is looked at on its eve: what became known before its first nomination by the Academy, or before its first win. It
//! is forecast by a model of earlier seasons alone.

mod backtest;
mod nominations;
mod season;
mod wins;

use marquee_domain::{Award, Control, Probability, TitleId};
use marquee_learn::{LearnError, artefact};
use serde::{Deserialize, Serialize};

use crate::error::ForecastError;
pub use backtest::{AwardsTest, NominationsRow, WinsRow, test};
use nominations::Nominations;
pub use season::{Awards, Ballot, Candidate, Season, newest};
use wins::Wins;

/// A description of models of awards that are not fitted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct AwardsSpec {
    /// Only seasons of films before this year are learned from.
    pub before: i32,
    /// Fingerprint of the lake's version that is learned from.
    pub data: String,
}

/// Fitted models of awards.
#[derive(Debug, Clone)]
pub struct FittedAwards {
    stored: Stored,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    before: i32,
    data: String,
    wins: Wins,
    /// None without enough films of the years that were learned from.
    nominations: Option<Nominations>,
}

/// The chance of one nominee, or of one film to be nominated.
#[derive(Debug, Clone, PartialEq)]
pub struct Chance {
    /// The film.
    pub title: TitleId,
    /// Its name.
    pub name: String,
    /// Who is named; nobody of a film that is not nominated yet.
    pub people: Vec<String>,
    /// The probability.
    pub probability: Probability,
    /// What happened, where that is known.
    pub happened: Option<bool>,
    /// Why: what each group of numbers adds to the log odds, against the mean of the others, largest first.
    pub drivers: Vec<(&'static str, f64)>,
}

/// The chances of one award.
#[derive(Debug, Clone, PartialEq)]
pub struct AwardForecast {
    /// The award.
    pub award: Award,
    /// The year of the films.
    pub year: i32,
    /// The chances, largest first.
    pub chances: Vec<Chance>,
}

impl AwardsSpec {
    /// Fits the models on seasons before [`AwardsSpec::before`]; `awards` may hold later ones, which are passed over.
    ///
    /// # Errors
    /// [`ForecastError::TooFew`] below 100 awards that somebody won; otherwise what the learner says.
    pub fn fit(&self, awards: &Awards, control: &Control) -> Result<FittedAwards, ForecastError> {
        control.check()?;
        let wins = Wins::fit(awards, self.before)?;
        control.check()?;
        let nominations = Nominations::fit(awards, self.before)?;
        Ok(FittedAwards {
            stored: Stored { before: self.before, data: self.data.clone(), wins, nominations },
        })
    }
}

impl FittedAwards {
    /// The kind under which models of awards are stored.
    pub const KIND: &str = "forecast-awards-1";

    /// Only seasons of films before this year were learned from.
    #[must_use]
    pub fn before(&self) -> i32 {
        self.stored.before
    }

    /// Fingerprint of the lake's version that was learned from.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.stored.data
    }

    /// The chances of each award's nominees in a season to win.
    ///
    /// # Errors
    /// Where a chance is no probability.
    pub fn winners(&self, awards: &Awards, season: &Season) -> Result<Vec<AwardForecast>, ForecastError> {
        self.stored.wins.forecast(awards, season)
    }

    /// The chances of a season's films to be nominated, for each award that enough films were learned for.
    ///
    /// # Errors
    /// Where a chance is no probability.
    pub fn nominees(&self, awards: &Awards, season: &Season) -> Result<Vec<AwardForecast>, ForecastError> {
        self.stored.nominations.as_ref().map_or(Ok(Vec::new()), |model| model.forecast(awards, season))
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
        let fits = stored.wins.fits() && stored.nominations.as_ref().is_none_or(Nominations::fits);
        match fits {
            true => Ok(Self { stored }),
            false => Err(ForecastError::Foreign { column: "another set of numbers".to_owned() }),
        }
    }
}

/// What each group of numbers adds to the log odds of each alternative, against the mean of all, largest first.
fn drivers(terms: &[Vec<f64>], groups: &[&'static str]) -> Vec<Vec<(&'static str, f64)>> {
    let n = terms.len().max(1) as f64;
    let mean = |j: usize| terms.iter().map(|t| t[j]).sum::<f64>() / n;
    let means: Vec<f64> = (0..groups.len()).map(mean).collect();
    let of = |terms: &Vec<f64>| {
        let mut found: Vec<(&'static str, f64)> = Vec::new();
        for ((term, mean), group) in terms.iter().zip(&means).zip(groups) {
            match found.iter_mut().find(|(own, _)| own == group) {
                Some((_, sum)) => *sum += term - mean,
                None => found.push((group, term - mean)),
            }
        }
        found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(b.0)));
        found
    };
    terms.iter().map(of).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
