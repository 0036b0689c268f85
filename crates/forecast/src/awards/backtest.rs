//! How good forecasts of awards were on later seasons, beside prior nominations alone.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use marquee_domain::{Award, Control};
use marquee_learn::judge::{Reliability, paired_bootstrap};
use marquee_learn::metrics::{auc, average_precision};

use super::nominations::{FEWEST_FILMS, chance, chosen, fit_logistic, learned, prior};
use super::wins::{alternative, fit_choice, questions};
use super::{Awards, AwardsSpec};
use crate::error::ForecastError;
use crate::score::Difference;

/// What a test of awards found.
#[derive(Debug, Clone, PartialEq)]
pub struct AwardsTest {
    /// Who won, by award; the last row is of all awards.
    pub wins: Vec<WinsRow>,
    /// Log loss of the winners, ours less that of prior nominations and wins; awards drawn anew: below zero is better.
    pub wins_difference: Difference,
    /// How the stated chances to win came true.
    pub wins_reliability: Reliability,
    /// Who was nominated, by award; the last row is of all awards. Empty without enough films.
    pub nominations: Vec<NominationsRow>,
    /// Whether the lake names directors and cast of films, without whom prior nominations tell nothing apart.
    pub people_are_known: bool,
}

/// Figures of the winners of one award, or of all.
#[derive(Debug, Clone, PartialEq)]
pub struct WinsRow {
    /// The award; none for all together.
    pub award: Option<Award>,
    /// In how many seasons it was given.
    pub seasons: usize,
    /// How many were nominated.
    pub n: usize,
    /// Mean negative log of the probability that the winner was given: of ours, of prior nominations and wins alone, of equal
    /// chances.
    pub log_loss: [f64; 3],
    /// How often the one with the best chance won: of ours and of prior nominations and wins alone.
    pub first: [f64; 2],
    /// Area under the receiver's curve of both.
    pub auc: [f64; 2],
    /// Average precision of both.
    pub average_precision: [f64; 2],
}

/// Figures of the nominations for one award; or of all: their means, but all the films and all that were nominated.
#[derive(Debug, Clone, PartialEq)]
pub struct NominationsRow {
    /// The award; none for all.
    pub award: Option<Award>,
    /// How many films there were to choose from.
    pub n: usize,
    /// How many of them were nominated, and how many were that are not among them.
    pub nominated: (usize, usize),
    /// Area under the receiver's curve: of ours and of the prior nominations of directors and cast alone.
    pub auc: [f64; 2],
    /// Average precision of both.
    pub average_precision: [f64; 2],
    /// Mean log loss of both, natural logs.
    pub log_loss: [f64; 2],
}

/// Tests models of the seasons before `years` on these.
///
/// # Errors
/// [`ForecastError::TooFew`] where there are too few to learn from or none to test; otherwise what the learner says.
pub fn test(
    awards: &Awards,
    spec: &AwardsSpec,
    years: &RangeInclusive<i32>,
    control: &Control,
) -> Result<AwardsTest, ForecastError> {
    let fitted = spec.fit(awards, control)?;
    control.check()?;
    let told = tell_winners(awards, spec, years, &fitted)?;
    if told.is_empty() {
        let what = format!("awards for films of {} to {}", years.start(), years.end());
        return Err(ForecastError::Untested { what });
    }
    let mut kinds: Vec<Award> = told.iter().map(|t| t.award).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |award: &Award| {
        let own: Vec<&Told> = told.iter().filter(|t| t.award == *award).collect();
        wins_row(Some(*award), &own)
    };
    let all: Vec<&Told> = told.iter().collect();
    let wins = kinds.iter().map(of).chain([wins_row(None, &all)]).collect();
    let gain = |rows: &[usize]| {
        let sum: f64 = rows.iter().map(|i| told[*i].loss(0) - told[*i].loss(1)).sum();
        sum / rows.len() as f64
    };
    let estimate = paired_bootstrap(told.len(), 2_000, 20_250_101, gain)?;
    let stated: Vec<f64> = told.iter().flat_map(|t| t.given[0].clone()).collect();
    let happened: Vec<bool> = told.iter().flat_map(Told::won).collect();
    Ok(AwardsTest {
        wins,
        wins_difference: Difference { value: estimate.value, lower: estimate.lower, upper: estimate.upper },
        wins_reliability: Reliability::of(&stated, &happened, 20_250_101)?,
        nominations: test_nominations(awards, spec, years, &fitted)?,
        people_are_known: learned(awards, spec.before)
            .iter()
            .flat_map(|season| &season.films)
            .any(|film| film.people != (0.0, 0.0)),
    })
}

/// The chances of one award's nominees beside what happened.
struct Told {
    award: Award,
    shares: Vec<f64>,
    /// Ours, those of prior nominations and wins, equal ones.
    given: [Vec<f64>; 3],
}

impl Told {
    fn won(&self) -> Vec<bool> {
        self.shares.iter().map(|share| *share > 0.0).collect()
    }

    fn loss(&self, of: usize) -> f64 {
        let won = self.shares.iter().zip(&self.given[of]).filter(|(share, _)| **share > 0.0);
        won.map(|(share, p)| -share * p.ln()).sum()
    }

    /// Whether the one with the best chance won; of several with as much the share that did.
    fn first(&self, of: usize) -> f64 {
        let most = self.given[of].iter().copied().fold(0.0, f64::max);
        let best = self.won().into_iter().zip(&self.given[of]).filter(|(_, p)| **p == most);
        let (n, won) = best.fold((0.0, 0.0), |(n, won), (w, _)| (n + 1.0, won + f64::from(u8::from(w))));
        won / n
    }
}

fn tell_winners(
    awards: &Awards,
    spec: &AwardsSpec,
    years: &RangeInclusive<i32>,
    fitted: &super::FittedAwards,
) -> Result<Vec<Told>, ForecastError> {
    let (kinds, prior) = fit_choice(awards, spec.before, |question| question.prior.clone())?;
    let mut told = Vec::new();
    for season in awards.seasons.range(years.clone()).map(|(_, season)| season) {
        for question in questions(season) {
            let Some(shares) = question.shares() else { continue };
            let rows: Vec<_> =
                question.prior.iter().map(|row| alternative(row, &kinds, question.award)).collect();
            let equal = vec![1.0 / shares.len() as f64; shares.len()];
            let given = [fitted.stored.wins.probabilities(&question), prior.probabilities(&rows), equal];
            told.push(Told { award: question.award, shares, given });
        }
    }
    Ok(told)
}

fn wins_row(award: Option<Award>, told: &[&Told]) -> WinsRow {
    let n = told.len() as f64;
    let mean = |of: &dyn Fn(&Told) -> f64| told.iter().map(|t| of(t)).sum::<f64>() / n;
    let happened: Vec<bool> = told.iter().flat_map(|t| t.won()).collect();
    let given = |of: usize| told.iter().flat_map(|t| t.given[of].clone()).collect::<Vec<f64>>();
    let both = |of: &dyn Fn(&[f64]) -> f64| [of(&given(0)), of(&given(1))];
    WinsRow {
        award,
        seasons: told.len(),
        n: happened.len(),
        log_loss: [0, 1, 2].map(|of| mean(&|t| t.loss(of))),
        first: [0, 1].map(|of| mean(&|t| t.first(of))),
        auc: both(&|p| auc(p, &happened)),
        average_precision: both(&|p| average_precision(p, &happened)),
    }
}

fn test_nominations(
    awards: &Awards,
    spec: &AwardsSpec,
    years: &RangeInclusive<i32>,
    fitted: &super::FittedAwards,
) -> Result<Vec<NominationsRow>, ForecastError> {
    let Some(model) = &fitted.stored.nominations else { return Ok(Vec::new()) };
    let before = learned(awards, spec.before);
    let rows: Vec<Vec<f64>> = before.iter().flat_map(|season| season.films.iter().map(prior)).collect();
    let mut found = Vec::new();
    for award in model.awards() {
        let baseline = fit_logistic(&rows, &chosen(&before, award))?;
        let (mut ours, mut theirs, mut happened, mut missing) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for season in awards.seasons.range(years.clone()).map(|(_, season)| season) {
            let nominees =
                season.nominees(award).into_iter().map(|ballot| ballot.title).collect::<HashSet<_>>();
            if nominees.is_empty() || season.films.len() < FEWEST_FILMS {
                continue;
            }
            ours.extend(model.probabilities(season, award).unwrap_or_default());
            theirs.extend(season.films.iter().map(|film| chance(&baseline, &prior(film))));
            let among = chosen(&[season], award);
            missing += nominees.len() - among.iter().filter(|nominated| **nominated).count();
            happened.extend(among);
        }
        let yes = happened.iter().filter(|happened| **happened).count();
        if yes == 0 {
            continue;
        }
        let both = |of: &dyn Fn(&[f64]) -> f64| [of(&ours), of(&theirs)];
        found.push(NominationsRow {
            award: Some(award),
            n: happened.len(),
            nominated: (yes, missing),
            auc: both(&|p| auc(p, &happened)),
            average_precision: both(&|p| average_precision(p, &happened)),
            log_loss: both(&|p| log_loss(p, &happened)),
        });
    }
    if !found.is_empty() {
        found.push(mean_row(&found));
    }
    Ok(found)
}

fn log_loss(stated: &[f64], happened: &[bool]) -> f64 {
    let loss = |(p, happened): (&f64, &bool)| -(if *happened { *p } else { 1.0 - p }).max(1e-12).ln();
    stated.iter().zip(happened).map(loss).sum::<f64>() / stated.len() as f64
}

fn mean_row(rows: &[NominationsRow]) -> NominationsRow {
    let mean = |of: &dyn Fn(&NominationsRow) -> [f64; 2]| {
        [0, 1].map(|i| rows.iter().map(|row| of(row)[i]).sum::<f64>() / rows.len() as f64)
    };
    NominationsRow {
        award: None,
        n: rows.iter().map(|row| row.n).max().unwrap_or(0),
        nominated: rows.iter().fold((0, 0), |(yes, no), row| (yes + row.nominated.0, no + row.nominated.1)),
        auc: mean(&|row| row.auc),
        average_precision: mean(&|row| row.average_precision),
        log_loss: mean(&|row| row.log_loss),
    }
}
