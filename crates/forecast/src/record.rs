//! Track records: what the earlier titles of a company, franchise, director or genre came to, as known on a day.
//!
//! Outcomes are kept as log gross and as *residual*: log gross less what the budget alone led one to expect on the day
//! that the outcome became known. Means are shrunk towards zero by a prior weight, so that one lucky film does not make a
//! reputation, and weighted by recency.

use marquee_domain::Day;

/// One settled outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The release day.
    pub release: Day,
    /// Natural log of the gross in dollars of 1982–84.
    pub log_gross: f64,
    /// The same less what was expected of its budget, natural log.
    pub residual: f64,
}

/// The outcomes of one name, in the order in which they became known.
#[derive(Debug, Clone, Default)]
pub struct Record {
    outcomes: Vec<Outcome>,
}

/// How many of the latest outcomes a record's means look at.
const LATEST: usize = 24;
/// Years after which an outcome counts half.
const HALF_LIFE_YEARS: f64 = 6.0;
/// Outcomes' worth of "nothing special" that a mean residual is shrunk with.
const PRIOR: f64 = 3.0;

impl Record {
    /// Adds an outcome that has just become known.
    pub fn push(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }

    /// How many outcomes are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// The outcome that became known last.
    #[must_use]
    pub fn last(&self) -> Option<&Outcome> {
        self.outcomes.last()
    }

    /// The highest log gross.
    #[must_use]
    pub fn best(&self) -> Option<f64> {
        self.outcomes.iter().map(|o| o.log_gross).reduce(f64::max)
    }

    /// The plain mean of the log gross.
    #[must_use]
    pub fn mean_log(&self) -> Option<f64> {
        let n = self.outcomes.len();
        (n > 0).then(|| self.outcomes.iter().map(|o| o.log_gross).sum::<f64>() / n as f64)
    }

    /// Recency-weighted sum of residuals and of weights over the latest outcomes, seen from `day`.
    #[must_use]
    pub fn weighted(&self, day: Day) -> (f64, f64) {
        self.outcomes.iter().rev().take(LATEST).fold((0.0, 0.0), |(sum, weight), o| {
            let age_years = f64::from(day.days_since(o.release).max(0)) / 365.25;
            let w = 0.5f64.powf(age_years / HALF_LIFE_YEARS);
            (sum + w * o.residual, weight + w)
        })
    }
}

/// Mean residual of several records together, shrunk towards zero: 0 where nothing is known.
#[must_use]
pub(crate) fn shrunk<'a>(records: impl Iterator<Item = &'a Record>, day: Day) -> f64 {
    let (sum, weight) = records.map(|r| r.weighted(day)).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    sum / (weight + PRIOR)
}

/// What a budget alone leads one to expect: log gross on log budget by least squares over outcomes as they become known,
/// older ones fading. Dollars of 1982–84, natural logs.
#[derive(Debug, Clone)]
pub struct Expectation {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

/// Each outcome takes this share of its weight from all earlier ones: about the last 2,000 count.
const FADE: f64 = 1.0 - 1.0 / 2_000.0;

impl Default for Expectation {
    /// Before anything is known: a gross like the budget, held with the weight of five films around $5 million.
    fn default() -> Self {
        let centre = 5e6f64.ln();
        let mut start = Self { weight: 0.0, x: 0.0, y: 0.0, xx: 0.0, xy: 0.0 };
        for step in [-1.0, -0.5, 0.0, 0.5, 1.0] {
            start.observe(centre + step, centre + step);
        }
        start
    }
}

impl Expectation {
    /// Takes in an outcome.
    pub fn observe(&mut self, log_budget: f64, log_gross: f64) {
        for sum in [&mut self.weight, &mut self.x, &mut self.y, &mut self.xx, &mut self.xy] {
            *sum *= FADE;
        }
        self.weight += 1.0;
        self.x += log_budget;
        self.y += log_gross;
        self.xx += log_budget * log_budget;
        self.xy += log_budget * log_gross;
    }

    /// The log gross that a log budget leads one to expect.
    #[must_use]
    pub fn of(&self, log_budget: f64) -> f64 {
        let (mean_x, mean_y) = (self.x / self.weight, self.y / self.weight);
        let variance = self.xx / self.weight - mean_x * mean_x;
        let slope = if variance > 1e-9 { (self.xy / self.weight - mean_x * mean_y) / variance } else { 1.0 };
        mean_y + slope * (log_budget - mean_x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32) -> Day {
        Day::new(year, 6, 1).expect("a day")
    }

    #[test]
    fn one_hit_is_shrunk_and_ten_are_believed() {
        let hit = Outcome { release: day(2000), log_gross: 18.0, residual: 2.0 };
        let (mut once, mut often) = (Record::default(), Record::default());
        once.push(hit);
        (0..10).for_each(|_| often.push(hit));
        let (one, ten) = (shrunk([&once].into_iter(), day(2000)), shrunk([&often].into_iter(), day(2000)));
        assert!((one - 0.5).abs() < 1e-12 && (ten - 20.0 / 13.0).abs() < 1e-12, "{one} {ten}");
    }

    #[test]
    fn old_outcomes_fade() {
        let mut record = Record::default();
        record.push(Outcome { release: day(1990), log_gross: 18.0, residual: 2.0 });
        let early = shrunk([&record].into_iter(), day(1991));
        assert!(shrunk([&record].into_iter(), day(2010)) < early);
        assert_eq!(shrunk(std::iter::empty(), day(2010)), 0.0);
    }

    /// Known answer: the least-squares line through points of y = 2 + 0.5 x is that line.
    #[test]
    fn expectation_finds_the_line() {
        let mut line = Expectation::default();
        for i in 0..20_000 {
            let x = 10.0 + f64::from(i % 100) / 10.0;
            line.observe(x, 2.0 + 0.5 * x);
        }
        assert!((line.of(15.0) - 9.5).abs() < 1e-2);
    }
}
