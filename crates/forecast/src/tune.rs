//! Tuning: which learner, with which groups of features, does best on years that come later.
//!
//! The first trial is the learner of the house; the next ones are drawn about it; each later one changes a little of the
//! best so far (an evolution strategy with one parent; Rechenberg 1973). A trial's learner follows from the seed, its number
//! and the trials before it, so that a search that was stopped goes on as if it had not been, and the same number of trials
//! gives the same bytes. Every trial forecasts the same films, of several periods in order of time, each by a model of what
//! was known before the period.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use marquee_domain::{Control, Day};
use marquee_learn::judge::paired_bootstrap;
use marquee_learn::{
    BoostingSpec, CalibrationSpec, EnsembleSpec, ForestSpec, ForwardChain, LearnError, MemberSpec,
    NetworkSpec, RidgeSpec, metrics,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::backtest::predict;
use crate::error::ForecastError;
use crate::features::{Raw, Vocabulary};
use crate::model::ModelSpec;
use crate::panel::Panel;
use crate::score::{Difference, Prediction, Score, coverage};

/// A learner, and the driver groups that it does without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    /// The ensemble; its seed is set by whoever fits it.
    pub ensemble: EnsembleSpec,
    /// Driver groups whose features it does not see.
    pub without: Vec<String>,
}

/// How a learner did in a period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PeriodScore {
    /// How many films.
    pub n: usize,
    /// Continuous ranked probability score, natural log.
    pub crps: f64,
    /// Root mean square error, natural log.
    pub rmse: f64,
    /// Predicted tiers whose 80 or 90% interval covers too few or too many.
    pub outside: usize,
}

/// One learner that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number; 0 is the learner of the house.
    pub number: usize,
    /// Which of each setting's values it has, in the order of [`SETTINGS`].
    pub values: Vec<usize>,
    /// Driver groups that it does without.
    pub without: Vec<String>,
    /// How it did in each period; empty where it could not be fitted.
    pub periods: Vec<PeriodScore>,
}

/// What can be set: a name, and the values to choose from, that of the house first.
pub const SETTINGS: [(&str, &[f64]); 19] = [
    ("boosting", &[1.0, 0.0]),
    ("ridge", &[1.0, 0.0]),
    ("network", &[1.0, 0.0]),
    ("forest", &[0.0, 1.0]),
    ("trees", &[300.0, 150.0, 600.0]),
    ("learning_rate", &[0.035, 0.02, 0.07]),
    ("max_depth", &[5.0, 3.0, 4.0, 6.0, 8.0]),
    ("min_leaf_weight", &[12.0, 5.0, 25.0, 50.0]),
    ("column_share", &[0.5, 0.3, 0.8]),
    ("l2", &[4.0, 1.0, 16.0]),
    ("units", &[32.0, 16.0, 64.0]),
    ("updates", &[700.0, 350.0, 1_400.0]),
    ("decay", &[0.02, 0.005, 0.08]),
    ("folds", &[5.0, 4.0, 8.0]),
    ("initial_share", &[0.35, 0.2, 0.5]),
    ("tiers", &[4.0, 3.0, 6.0]),
    ("half_life_days", &[1_500.0, 750.0, 3_000.0, 0.0]),
    ("scale_trees", &[80.0, 0.0, 160.0]),
    ("stack_shrinkage", &[0.02, 0.0, 0.2]),
];

/// How many trials are drawn about the learner of the house before the best is followed.
const DRAWN: usize = 8;
/// The chance that a setting is changed, in the drawn trials and later.
const CHANGED: [f64; 2] = [0.25, 0.12];
/// The chance that a group is left out or taken back.
const TOGGLED: [f64; 2] = [0.06, 0.05];

impl Trial {
    /// Mean CRPS over the films of all periods; none where it could not be fitted.
    #[must_use]
    pub fn crps(&self) -> Option<f64> {
        let films: usize = self.periods.iter().map(|p| p.n).sum();
        let total: f64 = self.periods.iter().map(|p| p.crps * p.n as f64).sum();
        (films > 0).then(|| total / films as f64).filter(|crps| crps.is_finite())
    }

    /// Whether each of its settings is one of those to choose from.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let known = self.values.iter().zip(SETTINGS).all(|(value, (_, choices))| *value < choices.len());
        known && self.values.len() == SETTINGS.len()
    }

    /// What differs from the learner of the house, in words.
    #[must_use]
    pub fn differs(&self) -> Vec<String> {
        let chosen = SETTINGS.iter().zip(&self.values).filter(|(_, value)| **value > 0);
        let set = chosen.filter_map(|((name, values), at)| values.get(*at).map(|v| format!("{name} {v}")));
        set.chain(self.without.iter().map(|group| format!("without {group}"))).collect()
    }

    /// The learner that was tried.
    #[must_use]
    pub fn learner(&self) -> Learner {
        let of = |name: &str| {
            let place = SETTINGS.iter().position(|(own, _)| *own == name).unwrap_or(0);
            let values = SETTINGS[place].1;
            values[self.values.get(place).copied().unwrap_or(0).min(values.len() - 1)]
        };
        let count = |name| of(name) as usize;
        let boosting = BoostingSpec {
            trees: count("trees"),
            learning_rate: of("learning_rate") as f32,
            max_depth: count("max_depth"),
            min_leaf_weight: of("min_leaf_weight") as f32,
            column_share: of("column_share"),
            l2: of("l2") as f32,
            ..BoostingSpec::default()
        };
        let network = NetworkSpec {
            units: count("units"),
            updates: count("updates"),
            decay: of("decay") as f32,
            ..NetworkSpec::default()
        };
        let members = [
            ("boosting", MemberSpec::Boosting(boosting)),
            ("ridge", MemberSpec::Ridge(RidgeSpec::default())),
            ("network", MemberSpec::Network(network)),
            ("forest", MemberSpec::Forest(ForestSpec::default())),
        ];
        let ensemble = EnsembleSpec {
            members: members
                .into_iter()
                .filter(|(name, _)| of(name) > 0.0)
                .map(|(_, member)| member)
                .collect(),
            chain: ForwardChain {
                folds: count("folds"),
                initial_share: of("initial_share"),
                ..ForwardChain::default()
            },
            calibration: CalibrationSpec {
                tiers: count("tiers"),
                half_life_days: Some(of("half_life_days")).filter(|days| *days > 0.0),
                scale_trees: count("scale_trees"),
                ..CalibrationSpec::default()
            },
            stack_shrinkage: of("stack_shrinkage"),
            ..EnsembleSpec::default()
        };
        Learner { ensemble, without: self.without.clone() }
    }

    /// The next trial after those that were made, not judged yet.
    fn next(done: &[Self], groups: &[String], seed: u64) -> Self {
        let number = done.len();
        let house =
            Self { number, values: vec![0; SETTINGS.len()], without: Vec::new(), periods: Vec::new() };
        if number == 0 {
            return house;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number as u64);
        let follows = number > DRAWN;
        let parent = best(done).filter(|_| follows).unwrap_or(&house);
        // Many draws give what was tried before; some do not.
        let mut drawn = house.clone();
        for _ in 0..100 {
            drawn = parent.changed(groups, usize::from(follows), &mut rng);
            drawn.number = number;
            if !done.iter().any(|t| t.values == drawn.values && t.without == drawn.without) {
                break;
            }
        }
        drawn
    }

    fn changed(&self, groups: &[String], stage: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut values = self.values.clone();
        for (value, (_, choices)) in values.iter_mut().zip(SETTINGS) {
            if rng.random_bool(CHANGED[stage]) {
                *value = rng.random_range(0..choices.len());
            }
        }
        // Somebody must predict.
        if (0..4).all(|member| SETTINGS[member].1[values[member]] == 0.0) {
            values[rng.random_range(0..3)] = 0;
        }
        let mut without: BTreeSet<String> = self.without.iter().cloned().collect();
        for group in groups {
            if rng.random_bool(TOGGLED[stage]) && !without.remove(group) && 2 * without.len() < groups.len() {
                without.insert(group.clone());
            }
        }
        Self { number: 0, values, without: without.into_iter().collect(), periods: Vec::new() }
    }
}

/// The best trial so far: of the lowest CRPS, the first of equals.
#[must_use]
pub fn best(trials: &[Trial]) -> Option<&Trial> {
    let scored = trials.iter().filter_map(|t| t.crps().map(|crps| (crps, t)));
    scored.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.number.cmp(&b.1.number))).map(|(_, trial)| trial)
}

/// The last `count` periods of `years` whole release years, both ends included, that end before `cut`, the first of a year, in order of time.
///
/// # Errors
/// Where a year is outside the range that Marquee keeps.
pub fn periods(cut: Day, years: i32, count: i32) -> Result<Vec<RangeInclusive<Day>>, ForecastError> {
    let one = |k: i32| {
        let first = cut.year() - years * (count - k);
        Ok(Day::new(first, 1, 1)?..=Day::new(first + years - 1, 12, 31)?)
    };
    (0..count).map(one).collect()
}

/// Goes on with a search: makes the next trial after those `done`. `model` says what is asked; its own learner is passed over.
///
/// # Errors
/// A stop. A learner that cannot be fitted is a trial without a score.
pub fn next_trial(
    panel: &Panel,
    model: &ModelSpec,
    periods: &[RangeInclusive<Day>],
    done: &[Trial],
    seed: u64,
    control: &Control,
) -> Result<Trial, ForecastError> {
    let mut trial = Trial::next(done, &groups(panel, model), seed);
    match forecasts(panel, model, periods, &trial.learner(), control) {
        Ok(all) => trial.periods = all.iter().map(|of| score(of)).collect(),
        Err(stop @ (ForecastError::Cancelled(_) | ForecastError::Learn(LearnError::Cancelled))) => {
            return Err(stop);
        }
        Err(few @ ForecastError::TooFew { .. }) if trial.number == 0 => return Err(few),
        Err(_) => {}
    }
    Ok(trial)
}

/// The driver groups of what a model may see.
fn groups(panel: &Panel, model: &ModelSpec) -> Vec<String> {
    let raws: Vec<Raw> = model.training_rows(panel).into_iter().map(|i| panel.raws[i].clone()).collect();
    let people = model.population == marquee_domain::Population::Credited;
    let columns = Vocabulary::learn(&raws, model.horizon, people).columns();
    columns.into_iter().map(|c| c.group.to_owned()).collect::<BTreeSet<String>>().into_iter().collect()
}

fn score(of: &[Prediction]) -> PeriodScore {
    let all: Vec<&Prediction> = of.iter().collect();
    let Score { n, crps, rmse, .. } = Score::of(&all);
    let outside = coverage(&all).iter().flatten().filter(|tier| !tier.holds).count();
    PeriodScore { n, crps, rmse, outside }
}

/// The forecasts of each period's films by a learner that knew what was known before it.
fn forecasts(
    panel: &Panel,
    model: &ModelSpec,
    periods: &[RangeInclusive<Day>],
    learner: &Learner,
    control: &Control,
) -> Result<Vec<Vec<Prediction>>, ForecastError> {
    let of = |period: &RangeInclusive<Day>| {
        control.check()?;
        let (first, seed) = (*period.start(), model.ensemble.seed);
        let spec = ModelSpec {
            trained_before: first,
            train_to: first.plus(-1),
            without: learner.without.clone(),
            ensemble: EnsembleSpec { seed, ..learner.ensemble.clone() },
            ..model.clone()
        };
        let fitted = spec.fit(panel, control)?;
        let mut tested = panel.members(model.population, model.target);
        tested.retain(|i| period.contains(&panel.examples[*i].release));
        if tested.is_empty() {
            let what = format!("films released from {} to {}", first, period.end());
            return Err(ForecastError::TooFew { what, have: 0, need: 1 });
        }
        predict(panel, &tested, model.target, model.population, |i| {
            fitted.distribution(&panel.raws[i], panel.origins[i])
        })
    };
    periods.iter().map(of).collect()
}

/// A challenger beside the champion, on the same films.
#[derive(Debug, Clone, PartialEq)]
pub struct Contest {
    /// The periods, both ends included.
    pub periods: Vec<RangeInclusive<Day>>,
    /// How the champion did in each period.
    pub champion: Vec<PeriodScore>,
    /// How the challenger did.
    pub challenger: Vec<PeriodScore>,
    /// Mean CRPS of the challenger less the champion's, over all films: below zero is better.
    pub crps: Difference,
    /// Whether the challenger wins: the whole 95% interval of that lies below zero, and no more of its tiers cover too few or
    /// too many.
    pub won: bool,
}

/// Sets a challenger against the champion over periods that neither was chosen on.
///
/// # Errors
/// What the learner says of either.
pub fn contest(
    panel: &Panel,
    model: &ModelSpec,
    periods: &[RangeInclusive<Day>],
    (champion, challenger): (&Learner, &Learner),
    control: &Control,
) -> Result<Contest, ForecastError> {
    let old = forecasts(panel, model, periods, champion, control)?;
    let mut new = forecasts(panel, model, periods, challenger, control)?;
    // Both are judged by the champion's tiers: more or fewer of them would be other tests.
    for (new, old) in new.iter_mut().flatten().zip(old.iter().flatten()) {
        new.tier = old.tier;
    }
    let losses = |all: &[Vec<Prediction>]| -> Vec<f64> {
        let row = |p: &Prediction| metrics::crps_row(p.actual.ln(), &p.distribution.log_quantiles());
        all.iter().flatten().map(row).collect()
    };
    let (was, is) = (losses(&old), losses(&new));
    let estimate = paired_bootstrap(was.len(), 1_000, model.ensemble.seed, |rows| {
        rows.iter().map(|i| is[*i] - was[*i]).sum::<f64>() / rows.len() as f64
    })?;
    let scores = |all: &[Vec<Prediction>]| all.iter().map(|of| score(of)).collect::<Vec<_>>();
    let (champion, challenger) = (scores(&old), scores(&new));
    let outside = |of: &[PeriodScore]| of.iter().map(|p| p.outside).sum::<usize>();
    let won = estimate.upper < 0.0 && outside(&challenger) <= outside(&champion);
    let crps = Difference { value: estimate.value, lower: estimate.lower, upper: estimate.upper };
    Ok(Contest { periods: periods.to_vec(), champion, challenger, crps, won })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<String> {
        ["genre", "money", "season"].map(str::to_owned).to_vec()
    }

    /// A search over a made-up score: the further from the house, the better.
    fn search(trials: usize, mut done: Vec<Trial>) -> Vec<Trial> {
        while done.len() < trials {
            let mut next = Trial::next(&done, &groups(), 7);
            let crps = 1.0 - next.values.iter().sum::<usize>() as f64 / 100.0;
            next.periods = vec![PeriodScore { n: 10, crps, rmse: 0.5, outside: 0 }];
            done.push(next);
        }
        done
    }

    #[test]
    fn a_search_that_was_stopped_goes_on_as_if_it_had_not_been() {
        let whole = search(40, Vec::new());
        assert_eq!(search(40, search(17, Vec::new())), whole);
        assert!(whole[0].differs().is_empty());
        assert_eq!(whole[0].learner().ensemble, EnsembleSpec::default());
        let (first, last) = (best(&whole[..10]).expect("tried"), best(&whole).expect("tried"));
        assert!(last.crps() < first.crps(), "what is better is followed");
        for (i, trial) in whole.iter().enumerate() {
            assert!(!trial.learner().ensemble.members.is_empty());
            assert!(trial.without.len() <= 2, "{:?}", trial.without);
            assert!(!whole[..i].iter().any(|t| t.values == trial.values && t.without == trial.without));
        }
    }

    #[test]
    fn a_trial_that_could_not_be_fitted_is_never_the_best() {
        let mut trials = search(3, Vec::new());
        trials[1].periods.clear();
        trials[2].periods[0].crps = f64::NAN;
        assert_eq!(best(&trials).map(|t| t.number), Some(0));
    }

    #[test]
    fn periods_end_before_the_cut() {
        let cut = Day::new(2006, 1, 1).expect("a day");
        let found = periods(cut, 2, 3).expect("in range");
        let ends = found.iter().map(|p| format!("{} {}", p.start(), p.end()));
        let ends: Vec<String> = ends.collect();
        assert_eq!(ends, ["2000-01-01 2001-12-31", "2002-01-01 2003-12-31", "2004-01-01 2005-12-31"]);
    }
}
