//! Which films are nominated: a logistic regression for each award over the films of a year, on what is known before the
//! Academy nominates.
//!
//! What was tried on the films of 2000–2012, each year by a model of those before: these numbers reached an area under the
//! receiver's curve of .957 and an average precision of .443 as the mean of 20 awards, against .749 and .056 of the prior
//! nominations of directors and cast alone.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use marquee_domain::{Award, TitleId};
use marquee_learn::{Alternative, ChoiceSet, ChoiceSpec, FittedChoice};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::season::{Awards, Candidate, Season};
use super::{AwardForecast, Chance, drivers};
use crate::error::ForecastError;

/// The penalty on a number in its own standard deviations: the inverse of what scikit-learn calls `C`.
const PENALTY: f64 = 33.0;
/// The fewest films of a season that is learned from or forecast.
pub(super) const FEWEST_FILMS: usize = 50;
/// The fewest nominated films that an award is learned from.
const FEWEST: usize = 10;
/// The share of films that a genre must have to be seen.
const COMMON: f64 = 0.01;

/// The Golden Globes that are seen.
fn globes() -> impl Iterator<Item = Award> {
    Award::ALL.iter().copied().filter(|award| !award.is_oscar())
}

/// The driver groups of the numbers besides Golden Globes and genres, in order: how many Globes it is up for, parts of the year,
/// budget, length and its square, whether in English, whether a sequel, its companies' nominations and their rate.
const GROUPS: [&str; 14] = [
    "globes",
    "season",
    "season",
    "season",
    "season",
    "season",
    "season",
    "money",
    "runtime",
    "runtime",
    "language",
    "franchise",
    "company",
    "company",
];

/// The models.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Nominations {
    /// The genres that are seen, in order.
    genres: Vec<String>,
    /// The means of all numbers that were learned from, which stand for what is not known.
    means: Vec<f64>,
    awards: Vec<(Award, FittedChoice)>,
}

/// The prior nominations of directors and cast alone: what ours is measured against.
pub(super) fn prior(film: &Candidate) -> Vec<f64> {
    vec![1.0, film.people.0.ln_1p(), film.people.1.ln_1p()]
}

/// Fits a logistic regression on rows that begin with a one, with the penalty for numbers in their standard deviations.
pub(super) fn fit_logistic(rows: &[Vec<f64>], chosen: &[bool]) -> Result<FittedChoice, ForecastError> {
    let width = rows.first().map_or(0, Vec::len);
    let n = rows.len() as f64;
    let penalty = |j: usize| {
        let mean = rows.iter().map(|row| row[j]).sum::<f64>() / n;
        let variance = rows.iter().map(|row| (row[j] - mean).powi(2)).sum::<f64>() / n;
        // The intercept is free; so is what never varies, and never counts.
        if variance > 0.0 { PENALTY * variance } else { 1e-6 }
    };
    let penalties: Vec<f64> = (0..width).map(penalty).collect();
    let set = |(row, chosen): (&Vec<f64>, &bool)| {
        let yes = f64::from(u8::from(*chosen));
        ChoiceSet { alternatives: vec![sparse(row), vec![]], chosen: vec![yes, 1.0 - yes], weight: 1.0 }
    };
    let sets: Vec<ChoiceSet> = rows.iter().zip(chosen).map(set).collect();
    Ok(ChoiceSpec { penalties }.fit(&sets)?)
}

pub(super) fn sparse(row: &[f64]) -> Alternative {
    row.iter().copied().enumerate().filter(|(_, x)| *x != 0.0).collect()
}

/// The films of a season that were nominated for an award.
pub(super) fn nominated(season: &Season, award: Award) -> HashSet<TitleId> {
    season.nominees(award).into_iter().map(|ballot| ballot.title).collect()
}

/// Whether each film of some seasons was nominated for an award.
pub(super) fn chosen(seasons: &[&Season], award: Award) -> Vec<bool> {
    let of = |season: &&Season| {
        let nominated = nominated(season, award);
        season.films.iter().map(|film| nominated.contains(&film.title)).collect::<Vec<bool>>()
    };
    seasons.iter().flat_map(of).collect()
}

/// The seasons before a year whose films are known and whose nominations are.
pub(super) fn learned(awards: &Awards, before: i32) -> Vec<&Season> {
    let known = |season: &&Season| season.films.len() >= FEWEST_FILMS && !season.oscars.is_empty();
    awards.seasons.range(..before).map(|(_, season)| season).filter(known).collect()
}

impl Nominations {
    /// None where too few films are known of the seasons before.
    pub(super) fn fit(awards: &Awards, before: i32) -> Result<Option<Self>, ForecastError> {
        let seasons = learned(awards, before);
        let films: Vec<&Candidate> = seasons.iter().flat_map(|season| &season.films).collect();
        let mut count: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for genre in films.iter().flat_map(|film| &film.genres) {
            *count.entry(genre).or_default() += 1;
        }
        let common = |(_, n): &(&Arc<str>, usize)| *n as f64 >= COMMON * films.len() as f64;
        let genres: Vec<String> =
            count.into_iter().filter(common).map(|(genre, _)| genre.to_string()).collect();
        let mut model = Self { means: Vec::new(), genres, awards: Vec::new() };
        let blank: Vec<Vec<f64>> = films.iter().map(|film| model.numbers(film)).collect();
        model.means = means(&blank);
        let rows: Vec<Vec<f64>> = blank.into_iter().map(|row| model.filled(row)).collect();
        let fit = |award: Award| {
            let chosen = chosen(&seasons, award);
            let enough = chosen.iter().filter(|chosen| **chosen).count() >= FEWEST;
            enough.then(|| Ok((award, fit_logistic(&rows, &chosen)?))).transpose()
        };
        let oscars: Vec<Award> = Award::ALL.iter().copied().filter(|award| award.is_oscar()).collect();
        let fitted: Result<Vec<Option<_>>, ForecastError> = oscars.into_par_iter().map(fit).collect();
        model.awards = fitted?.into_iter().flatten().collect();
        Ok((!model.awards.is_empty()).then_some(model))
    }

    pub(super) fn fits(&self) -> bool {
        let width = self.width();
        self.means.len() == width && self.awards.iter().all(|(_, fit)| fit.coefficients().len() == width)
    }

    fn width(&self) -> usize {
        1 + GROUPS.len() + globes().count() + self.genres.len()
    }

    fn groups(&self) -> Vec<&'static str> {
        let all = std::iter::once("intercept").chain(GROUPS).chain(globes().map(|_| "globes"));
        all.chain(self.genres.iter().map(|_| "genre")).collect()
    }

    /// The awards that were learned.
    pub(super) fn awards(&self) -> impl Iterator<Item = Award> {
        self.awards.iter().map(|(award, _)| *award)
    }

    /// One, those of [`GROUPS`], Golden Globes, genres; NaN where not known.
    fn numbers(&self, film: &Candidate) -> Vec<f64> {
        let flag = |yes: bool| f64::from(u8::from(yes));
        let long = film.runtime.map_or(f64::NAN, |minutes| (minutes.clamp(60.0, 240.0) / 105.0).ln());
        let numbers = [
            (film.globes.len() as f64).ln_1p(),
            flag(film.month <= 3),
            flag((4..=6).contains(&film.month)),
            flag((7..=9).contains(&film.month)),
            flag(film.month == 10),
            flag(film.month == 11),
            flag(film.month == 12),
            film.budget.map_or(f64::NAN, |budget| budget.max(1e5).ln()),
            long,
            long.powi(2),
            film.english.map_or(f64::NAN, flag),
            flag(film.sequel),
            film.company.0,
            film.company.1,
        ];
        let globes = globes().map(|award| flag(film.globes.contains(&award)));
        let genres = self.genres.iter().map(|genre| match film.genres.is_empty() {
            true => f64::NAN,
            false => flag(film.genres.iter().any(|own| **own == **genre)),
        });
        std::iter::once(1.0).chain(numbers).chain(globes).chain(genres).collect()
    }

    fn filled(&self, mut row: Vec<f64>) -> Vec<f64> {
        for (x, mean) in row.iter_mut().zip(&self.means) {
            if x.is_nan() {
                *x = *mean;
            }
        }
        row
    }

    fn row(&self, film: &Candidate) -> Vec<f64> {
        self.filled(self.numbers(film))
    }

    /// The probability of each film of a season to be nominated for an award; none where it was not learned.
    pub(super) fn probabilities(&self, season: &Season, award: Award) -> Option<Vec<f64>> {
        let fit = self.awards.iter().find(|(own, _)| *own == award).map(|(_, fit)| fit)?;
        Some(season.films.iter().map(|film| chance(fit, &self.row(film))).collect())
    }

    pub(super) fn forecast(
        &self,
        awards: &Awards,
        season: &Season,
    ) -> Result<Vec<AwardForecast>, ForecastError> {
        // Of a handful of films nothing can be said: the others that there were are not known.
        if season.films.len() < FEWEST_FILMS {
            return Ok(Vec::new());
        }
        let rows: Vec<Vec<f64>> = season.films.iter().map(|film| self.row(film)).collect();
        let groups = self.groups();
        let known = !season.oscars.is_empty();
        let of = |(award, fit): &(Award, FittedChoice)| {
            let nominated = nominated(season, *award);
            let terms = |row: &Vec<f64>| row.iter().zip(fit.coefficients()).map(|(x, b)| x * b).collect();
            let why = drivers(&rows.iter().map(terms).collect::<Vec<_>>(), &groups);
            let answer = |((film, row), drivers): ((&Candidate, &Vec<f64>), _)| {
                Ok(Chance {
                    title: film.title,
                    name: awards.name(film.title),
                    people: Vec::new(),
                    probability: chance(fit, row).try_into()?,
                    happened: known.then(|| nominated.contains(&film.title)),
                    drivers,
                })
            };
            let chances = season.films.iter().zip(&rows).zip(why).map(answer);
            let mut chances = chances.collect::<Result<Vec<Chance>, ForecastError>>()?;
            chances.sort_by(|a, b| b.probability.get().total_cmp(&a.probability.get()));
            Ok(AwardForecast { award: *award, year: season.year, chances })
        };
        self.awards.iter().map(of).collect()
    }
}

pub(super) fn chance(fit: &FittedChoice, row: &[f64]) -> f64 {
    fit.probabilities(&[sparse(row), Vec::new()])[0]
}

/// The mean of each column over what is known of it; 0 where nothing is.
fn means(rows: &[Vec<f64>]) -> Vec<f64> {
    let width = rows.first().map_or(0, Vec::len);
    let mean = |j: usize| {
        let known = rows.iter().map(|row| row[j]).filter(|x| !x.is_nan());
        let (sum, n) = known.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
        if n > 0.0 { sum / n } else { 0.0 }
    };
    (0..width).map(mean).collect()
}
