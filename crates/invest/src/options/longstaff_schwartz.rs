//! The value of a [`Bermudan`] option by simulation.
//!
//! F. A. Longstaff and E. S. Schwartz, "Valuing American options by simulation: a simple least-squares approach", *Review
//! of Financial Studies* 14 (2001): backwards from the last date, the discounted cash of the paths that are in the money
//! is regressed on powers of their prices; where exercise pays more than the regression expects, it is exercised. The
//! rule found on one set of paths is then applied to a second, independent one: its mean is biased low only, since a rule
//! that is not the best cannot earn more than the best.
//!
//! Deviations from the paper: powers around the strike in the place of Laguerre polynomials (they span the same), the
//! second set, antithetic pairs. Paths come in blocks with one random stream each: the same seed gives the same bytes on
//! any number of threads.

use marquee_domain::Control;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use rayon::prelude::*;
use serde::Serialize;

use super::bermudan::{Bermudan, Motion};
use super::regression::{Row, fit, value};
use crate::InvestError;

/// Antithetic pairs in a block, which is one random stream.
const PAIRS: usize = 512;

/// The most paths of a simulation.
const MOST_PATHS: usize = 1_000_000;

/// The most prices that are held at a time, 16 bytes each.
const MOST_PRICES: usize = 20_000_000;

/// How many paths to simulate, and the randomness.
///
/// ```
/// use marquee_invest::options::Paths;
/// assert_eq!(Paths::default(), Paths { count: 100_000, seed: 1 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// Paths in each of the two sets, half of them mirrored: an even number, 2 to 1,000,000.
    pub count: usize,
    /// The same seed gives the same bytes.
    pub seed: u64,
}

impl Default for Paths {
    fn default() -> Self {
        Self { count: 100_000, seed: 1 }
    }
}

impl Paths {
    pub(super) fn check(self) -> Result<(), InvestError> {
        if self.count < 2 || self.count > MOST_PATHS || !self.count.is_multiple_of(2) {
            let (name, value) = ("paths", self.count as f64);
            return Err(InvestError::Setting { name, value, range: "an even number, 2 to 1000000" });
        }
        Ok(())
    }

    /// Blocks of antithetic pairs: how many pairs each has, and its random stream, of the first or second `set`.
    pub(super) fn blocks(self, set: u64) -> Vec<(usize, ChaCha8Rng)> {
        let pairs = self.count / 2;
        let block = |start: usize| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream((start / PAIRS) as u64 * 2 + set);
            (PAIRS.min(pairs - start), rng)
        };
        (0..pairs).step_by(PAIRS).map(block).collect()
    }
}

/// The mean of antithetic pairs and its standard error.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairMean {
    pairs: f64,
    sum: f64,
    squares: f64,
}

impl PairMean {
    pub(super) fn add(&mut self, one: f64, other: f64) {
        let mean = (one + other) / 2.0;
        self.pairs += 1.0;
        self.sum += mean;
        self.squares += mean * mean;
    }

    fn merge(self, other: Self) -> Self {
        let (pairs, sum) = (self.pairs + other.pairs, self.sum + other.sum);
        Self { pairs, sum, squares: self.squares + other.squares }
    }

    pub(super) fn mean(&self) -> f64 {
        self.sum / self.pairs
    }

    pub(super) fn error(&self) -> f64 {
        let variance = (self.squares / self.pairs - self.mean().powi(2)).max(0.0);
        (variance / (self.pairs - 1.0).max(1.0)).sqrt()
    }
}

/// When to exercise: where the payoff is above zero and no less than the regression expects of going on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExerciseRule {
    /// For each date but the last, coefficients on the powers of the prices' distance from the strike.
    coefficients: Vec<Row>,
    #[serde(skip)]
    option: Bermudan,
}

impl ExerciseRule {
    /// Whether to exercise on a date (1 is the first after today) at these prices, of which a put has one. Dates beyond
    /// the last are as the last: what is in the money is exercised.
    ///
    /// # Errors
    /// [`InvestError::Setting`] where the option that the rule is of is out of range, which no rule that was found is.
    pub fn exercises(&self, date: usize, prices: [f64; 2]) -> Result<bool, InvestError> {
        Ok(exercises(&self.option.checked()?, &self.coefficients, date, prices).is_some())
    }
}

/// What exercise on `date` pays if the rule says so.
fn exercises(motion: &Motion, coefficients: &[Row], date: usize, prices: [f64; 2]) -> Option<f64> {
    let payoff = motion.payoff(prices);
    let going_on = date.checked_sub(1).and_then(|i| coefficients.get(i));
    let expected = going_on.map_or(0.0, |row| value(row, &motion.terms(prices)));
    (payoff > 0.0 && payoff >= expected).then_some(payoff)
}

/// The value by simulation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulatedOption {
    /// The mean on the second, independent set of paths: biased low only.
    pub value: f64,
    /// Its standard error, from antithetic pairs; zero where it is exercised today.
    pub standard_error: f64,
    /// The mean on the paths by which the rule was found: the paper's estimate, on which it is a little too well fitted.
    pub in_sample: f64,
    /// When to exercise.
    pub rule: ExerciseRule,
}

impl Bermudan {
    /// The value today by simulation.
    ///
    /// # Errors
    /// [`InvestError::Setting`] for a figure out of its range, [`InvestError::Cancelled`] when `control` says stop.
    pub fn longstaff_schwartz(
        &self,
        paths: Paths,
        control: &Control,
    ) -> Result<SimulatedOption, InvestError> {
        let motion = self.checked()?;
        paths.check()?;
        if paths.count * self.dates > MOST_PRICES {
            let value = (paths.count * self.dates) as f64;
            return Err(InvestError::Setting { name: "paths × dates", value, range: "at most 20000000" });
        }
        let (coefficients, in_sample) = find_rule(&motion, self.dates, paths, control)?;
        let means: Vec<PairMean> = paths
            .blocks(1)
            .into_par_iter()
            .map(|(pairs, mut rng)| {
                control.check()?;
                let mut mean = PairMean::default();
                for _ in 0..pairs {
                    let [one, other] = earned(&motion, &coefficients, self.dates, &mut rng);
                    mean.add(one, other);
                }
                Ok(mean)
            })
            .collect::<Result<_, InvestError>>()?;
        let mean = means.into_iter().fold(PairMean::default(), PairMean::merge);
        let now = motion.payoff(motion.today());
        let (value, standard_error) =
            if now >= mean.mean() { (now, 0.0) } else { (mean.mean(), mean.error()) };
        let rule = ExerciseRule { coefficients, option: *self };
        Ok(SimulatedOption { value, standard_error, in_sample: in_sample.max(now), rule })
    }
}

impl Motion {
    fn today(&self) -> [f64; 2] {
        self.prices(&self.logs())
    }

    fn logs(&self) -> [f64; 2] {
        let mut logs = [0.0; 2];
        logs.iter_mut().zip(&self.assets).for_each(|(log, asset)| *log = asset.start);
        logs
    }

    fn prices(&self, logs: &[f64; 2]) -> [f64; 2] {
        let mut prices = [0.0; 2];
        for (price, log) in prices.iter_mut().zip(logs).take(self.factors()) {
            *price = log.exp();
        }
        prices
    }

    /// Moves a pair of mirrored paths on by one date.
    fn advance(&self, pair: &mut [[f64; 2]; 2], rng: &mut ChaCha8Rng) {
        let mut scores = [0.0; 2];
        for score in scores.iter_mut().take(self.factors()) {
            *score = StandardNormal.sample(rng);
        }
        for (path, sign) in pair.iter_mut().zip([1.0, -1.0]) {
            for (log, asset) in path.iter_mut().zip(&self.assets) {
                let moved: f64 = asset.loadings.iter().zip(scores).map(|(l, z)| l * z).sum();
                *log += asset.drift + sign * moved;
            }
        }
    }
}

/// What a fresh pair of mirrored paths earns under the rule, discounted to today.
fn earned(motion: &Motion, coefficients: &[Row], dates: usize, rng: &mut ChaCha8Rng) -> [f64; 2] {
    let (mut pair, mut cash, mut discount) = ([motion.logs(); 2], [None; 2], 1.0);
    for date in 1..=dates {
        motion.advance(&mut pair, rng);
        discount *= motion.discount;
        for (path, cash) in pair.iter().zip(&mut cash) {
            if cash.is_none() {
                let payoff = exercises(motion, coefficients, date, motion.prices(path));
                *cash = payoff.map(|payoff| payoff * discount);
            }
        }
    }
    cash.map(Option::unwrap_or_default)
}

/// The coefficients for each date but the last, and the mean discounted cash of the paths by which they were found.
fn find_rule(
    motion: &Motion,
    dates: usize,
    paths: Paths,
    control: &Control,
) -> Result<(Vec<Row>, f64), InvestError> {
    let prices = simulate(motion, dates, paths);
    let on = |date: usize, path: usize| prices[date - 1].get(path).copied().unwrap_or_default();
    let mut cash: Vec<f64> = (0..paths.count).map(|path| motion.payoff(on(dates, path))).collect();
    let mut coefficients = vec![Row::default(); dates - 1];
    for date in (1..dates).rev() {
        control.check()?;
        cash.iter_mut().for_each(|cash| *cash *= motion.discount);
        coefficients[date - 1] = fit(paths.count, |path| {
            let prices = on(date, path);
            (motion.payoff(prices) > 0.0).then(|| (motion.terms(prices), cash[path]))
        });
        cash.par_iter_mut().enumerate().for_each(|(path, cash)| {
            *cash = exercises(motion, &coefficients, date, on(date, path)).unwrap_or(*cash);
        });
    }
    let sum: f64 = cash.iter().sum();
    Ok((coefficients, motion.discount * sum / paths.count as f64))
}

/// The prices of the first set: date after date, each path's.
fn simulate(motion: &Motion, dates: usize, paths: Paths) -> Vec<Vec<[f64; 2]>> {
    let blocks: Vec<Vec<[f64; 2]>> = paths
        .blocks(0)
        .into_par_iter()
        .map(|(pairs, mut rng)| {
            let mut pair_by_pair = vec![[motion.logs(); 2]; pairs];
            let mut prices = Vec::with_capacity(2 * pairs * dates);
            for _ in 0..dates {
                for pair in &mut pair_by_pair {
                    motion.advance(pair, &mut rng);
                    prices.extend(pair.iter().map(|path| motion.prices(path)));
                }
            }
            prices
        })
        .collect();
    let of = |date: usize| {
        blocks.iter().flat_map(move |block| {
            let width = block.len() / dates;
            block[date * width..(date + 1) * width].iter().copied()
        })
    };
    (0..dates).map(|date| of(date).collect()).collect()
}
