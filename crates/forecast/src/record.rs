//! Track records: what the earlier titles of a company, franchise, director or genre came to, as known on a day.
//!
//! Outcomes are kept as log gross and as *residual*: log gross less what the budget alone led one to expect on the day
//! that the outcome became known. Means are shrunk towards zero by a prior weight, so that one lucky film does not make a
//! reputation, and weighted by recency.

use faer::MatRef;
use faer::linalg::solvers::Solve as _;
use marquee_domain::Day;

/// One settled outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The release day.
    pub release: Day,
    /// Natural log of the gross in dollars of 1982–84.
    pub log_gross: f64,
    /// The same less what its budget led one to expect (an opening: its budget and theatres), natural log.
    pub residual: f64,
    /// Natural log of the opening weekend in dollars of 1982–84; NaN where it is not known.
    pub log_opening: f64,
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

/// What the plain facts of a title lead one to expect of its outcome: log gross by least squares over outcomes as they
/// become known, older ones fading. Dollars of 1982–84, natural logs.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Sums of products of the facts, row by row.
    moments: Vec<f64>,
    /// Sums of products of the facts and the outcome.
    cross: Vec<f64>,
}

/// Each outcome takes this share of its weight from all earlier ones: about the last 2,000 count.
const FADE: f64 = 1.0 - 1.0 / 2_000.0;

impl Expectation {
    /// By a constant and the log budget. Before anything is known: a gross like the budget, held with the weight of five
    /// films around $5 million.
    #[must_use]
    pub fn by_budget() -> Self {
        let budgets = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|step| 5e6f64.ln() + step);
        Self::of_films(budgets.map(|budget| ([1.0, budget], budget)))
    }

    /// By a constant, the log budget, the log of opening theatres and its square. Before anything is known: an opening of
    /// $1,500 a theatre, held with the weight of five films from 10 to 4,000 theatres.
    #[must_use]
    pub fn by_theatres() -> Self {
        let films = [(1e6, 10.0), (2e7, 100.0), (4e6, 600.0), (5e7, 2_000.0), (3e7, 4_000.0)];
        Self::of_films(films.map(|(budget, theatres): (f64, f64)| {
            let t = theatres.ln();
            ([1.0, budget.ln(), t, t * t], 1_500f64.ln() + t)
        }))
    }

    /// By so many facts. Before anything is known: nothing, held with the weight of one outcome.
    #[must_use]
    pub fn of_nothing(facts: usize) -> Self {
        let mut moments = vec![0.0; facts * facts];
        (0..facts).for_each(|i| moments[i * facts + i] = 1.0);
        Self { moments, cross: vec![0.0; facts] }
    }

    fn of_films<const FACTS: usize>(films: [([f64; FACTS], f64); 5]) -> Self {
        let mut start = Self { moments: vec![0.0; FACTS * FACTS], cross: vec![0.0; FACTS] };
        films.iter().for_each(|(facts, gross)| start.observe(facts, *gross));
        start
    }

    /// Takes in an outcome. `facts` are as many as at the beginning.
    pub fn observe(&mut self, facts: &[f64], log_gross: f64) {
        let products = facts.iter().flat_map(|a| facts.iter().map(move |b| a * b));
        self.moments.iter_mut().zip(products).for_each(|(sum, product)| *sum = *sum * FADE + product);
        self.cross.iter_mut().zip(facts).for_each(|(sum, fact)| *sum = *sum * FADE + fact * log_gross);
    }

    /// The log gross that these facts lead one to expect.
    #[must_use]
    pub fn of(&self, facts: &[f64]) -> f64 {
        let n = self.cross.len();
        let moments = MatRef::from_row_major_slice(&self.moments, n, n);
        let cross = MatRef::from_column_major_slice(&self.cross, n, 1);
        let slopes = moments.partial_piv_lu().solve(cross);
        facts.iter().enumerate().map(|(i, fact)| slopes[(i, 0)] * fact).sum()
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
        let hit = Outcome { release: day(2000), log_gross: 18.0, residual: 2.0, log_opening: f64::NAN };
        let (mut once, mut often) = (Record::default(), Record::default());
        once.push(hit);
        (0..10).for_each(|_| often.push(hit));
        let (one, ten) = (shrunk([&once].into_iter(), day(2000)), shrunk([&often].into_iter(), day(2000)));
        assert!((one - 0.5).abs() < 1e-12 && (ten - 20.0 / 13.0).abs() < 1e-12, "{one} {ten}");
    }

    #[test]
    fn old_outcomes_fade() {
        let mut record = Record::default();
        record.push(Outcome { release: day(1990), log_gross: 18.0, residual: 2.0, log_opening: 17.0 });
        let early = shrunk([&record].into_iter(), day(1991));
        assert!(shrunk([&record].into_iter(), day(2010)) < early);
        assert_eq!(shrunk(std::iter::empty(), day(2010)), 0.0);
    }

    /// Known answer: the least-squares line through points of y = 2 + 0.5 x is that line.
    #[test]
    fn expectation_finds_the_line() {
        let mut line = Expectation::by_budget();
        for i in 0..20_000 {
            let x = 10.0 + f64::from(i % 100) / 10.0;
            line.observe(&[1.0, x], 2.0 + 0.5 * x);
        }
        assert!((line.of(&[1.0, 15.0]) - 9.5).abs() < 1e-2);
    }

    /// Before anything is known, the films that stand for it are met.
    #[test]
    fn expectations_begin_with_a_rule_of_thumb() {
        assert!((Expectation::by_budget().of(&[1.0, 16.0]) - 16.0).abs() < 1e-9);
        let t = 1_000f64.ln();
        let opening = Expectation::by_theatres().of(&[1.0, 17.0, t, t * t]);
        assert!((opening - (1_500f64.ln() + t)).abs() < 1e-6, "{opening}");
    }
}
