//! Joint scenarios of all candidates, and what each returns.
//!
//! Each project's outcome is read from its forecast at a standard normal score; scores of different projects move
//! together through shared factors (a Gaussian factor copula: the market of the release year, genre, franchise) with the
//! deal's loadings, and the forecast's own distribution stays what it was. Scenarios come in antithetic pairs (J. M.
//! Hammersley and K. W. Morton 1956): the second half mirrors the first.
//!
//! Every random stream is keyed by what it belongs to (a year, a genre, a franchise, a project's name) and the seed, not
//! by position: the same seed gives the same bytes whatever the thread count or the order of projects, and adding a
//! project moves no other's outcomes.

use std::collections::{BTreeMap, BTreeSet};

use marquee_domain::{
    Budget, Control, Currency, Day, Distribution, Forecast, Gross, Money, PriceYear, Probability, Project,
    Return, Spend, Target, normalise_title,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use rayon::prelude::*;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::deal::{Loadings, Terms};
use crate::risk::{Tail, loss_share, mean, quantiles};
use crate::{Cost, Deal, InvestError, MarketingPlan};

/// The most scenarios that one simulation holds.
const MOST_SCENARIOS: usize = 1_000_000;

/// A project with the distribution of its domestic gross, its worldwide gross, or both. US dollars, nominal.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    project: Project,
    domestic: Option<Distribution>,
    worldwide: Option<Distribution>,
}

impl Candidate {
    /// A project with its forecasts, at most one for each target.
    ///
    /// # Errors
    /// [`InvestError::Domain`] for a project that cannot be judged, [`InvestError::Currency`],
    /// [`InvestError::NoForecast`], [`InvestError::TwoForecasts`].
    pub fn new(project: Project, forecasts: &[Forecast]) -> Result<Self, InvestError> {
        let of = |target: Target| {
            let mut found = forecasts.iter().filter(|f| f.target == target).map(|f| f.distribution);
            let first = found.next();
            match found.next() {
                Some(_) => Err(InvestError::TwoForecasts {
                    project: project.name.clone(),
                    target: target.as_str().to_owned(),
                }),
                None => Ok(first),
            }
        };
        let (domestic, worldwide) = (of(Target::Domestic)?, of(Target::Worldwide)?);
        Self::from_distributions(project, domestic, worldwide)
    }

    /// A project with distributions of its grosses, from wherever they come.
    ///
    /// # Errors
    /// As [`Candidate::new`].
    pub fn from_distributions(
        project: Project,
        domestic: Option<Distribution>,
        worldwide: Option<Distribution>,
    ) -> Result<Self, InvestError> {
        project.check()?;
        must_be_dollars(&project.name, "budget", project.budget.0)?;
        if let Some(spend) = project.marketing {
            must_be_dollars(&project.name, "marketing", spend.0)?;
        }
        if domestic.is_none() && worldwide.is_none() {
            return Err(InvestError::NoForecast(project.name));
        }
        Ok(Self { project, domestic, worldwide })
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Domestic and international gross at a normal score. Where both targets are forecast they move as one.
    fn grosses(&self, score: f64, terms: &Terms) -> (f64, f64) {
        let at = |d: &Distribution| d.at_score(score).exp();
        let domestic = self.domestic.as_ref().map(at);
        let worldwide = self.worldwide.as_ref().map(at);
        let (domestic, worldwide) = match (domestic, worldwide) {
            (Some(d), Some(w)) => (d, w.max(d)),
            (Some(d), None) => (d, d / terms.domestic_share),
            (None, Some(w)) => (w * terms.domestic_share, w),
            (None, None) => (0.0, 0.0),
        };
        let held = (terms.highest_gross / worldwide).min(1.0);
        // A gross beyond the largest float is as far beyond the cap as any other.
        if !worldwide.is_finite() {
            let highest = terms.highest_gross;
            return (highest * terms.domestic_share, highest * (1.0 - terms.domestic_share));
        }
        (domestic * held, (worldwide - domestic) * held)
    }

    /// The domestic part of the worldwide gross that break-even is stated at.
    fn domestic_share(&self, terms: &Terms) -> f64 {
        match (&self.domestic, &self.worldwide) {
            (Some(d), Some(w)) => (d.median() / w.median()).clamp(0.0, 1.0),
            _ => terms.domestic_share,
        }
    }

    /// P(worldwide gross > `amount`).
    fn probability_above(&self, amount: f64, terms: &Terms) -> f64 {
        if amount >= terms.highest_gross {
            return 0.0;
        }
        let below = match (&self.worldwide, &self.domestic) {
            (Some(w), _) => w.probability_below(amount),
            (None, Some(d)) => d.probability_below(amount * terms.domestic_share),
            (None, None) => 1.0,
        };
        (1.0 - below).clamp(0.0, 1.0)
    }
}

fn must_be_dollars(project: &str, what: &str, amount: Money) -> Result<(), InvestError> {
    if amount.currency() == Currency::USD && amount.price_year() == PriceYear::Nominal {
        return Ok(());
    }
    Err(InvestError::Currency { what: format!("the {what} of `{project}`"), amount: amount.to_string() })
}

/// How to simulate.
///
/// ```
/// use marquee_domain::{Budget, Control, Currency, Distribution, Money, Project, Vertical};
/// use marquee_invest::{Candidate, Deal, Simulation};
/// # let project = Project {
/// #     name: "Land Girls II".into(), vertical: Vertical::Film, release: "2010-07-02".parse()?,
/// #     budget: Budget(Money::from_major(30e6, Currency::USD)?), marketing: None, greenlit: None, genres: vec![],
/// #     language: None, countries: vec![], basis: None, creative_type: None, companies: vec![], distributor: None,
/// #     franchise: None, directors: vec![], cast: vec![], age_rating: None, runtime: None,
/// #     opening_theatres: None,
/// # };
/// let gross = Distribution::new([5e6, 10e6, 30e6, 80e6, 180e6, 350e6, 500e6])?;
/// let candidate = Candidate::from_distributions(project, None, Some(gross))?;
/// let scenarios = Simulation::default().run(&[candidate], &Deal::default(), &Control::default())?;
/// let result = &scenarios.returns()[0];
/// assert_eq!(result.break_even.to_string(), "$78.0M");
/// assert_eq!(result.loss_probability.to_string(), "49%");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Simulation {
    /// How many scenarios, 1 to 1,000,000.
    pub scenarios: usize,
    /// The randomness: the same seed gives the same bytes.
    pub seed: u64,
    /// The share of scenarios that counts as worst in every CVaR.
    pub tail: Probability,
}

impl Default for Simulation {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a literal inside [0, 1]")]
        let tail = Probability::try_from(0.05).expect("a probability");
        Self { scenarios: 10_000, seed: 1, tail }
    }
}

/// What one project returns over its whole run. Gross-implied; US dollars, nominal, undiscounted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProjectReturn {
    /// The project.
    pub name: String,
    /// What it costs to make.
    pub budget: Budget,
    /// What it costs to release.
    pub marketing: Spend,
    /// Whether the marketing follows from the deal's rule.
    pub marketing_assumed: bool,
    /// Budget and marketing.
    pub cost: Money,
    /// The worldwide gross at which the studio's share equals the cost, at the domestic share of the medians.
    pub break_even: Gross,
    /// Probability by the forecast itself that the worldwide gross exceeds `break_even`.
    pub above_break_even: Probability,
    /// Mean profit over the scenarios.
    pub mean_profit: Money,
    /// Monte Carlo standard error of `mean_profit`, as if scenarios were independent (antithetic pairs do better).
    pub mean_error: Money,
    /// Profit at the levels 5, 10, 25, 50, 75, 90 and 95%.
    pub profit: [Money; 7],
    /// Mean profit divided by cost.
    pub mean_roi: Return,
    /// Profit divided by cost at the same levels.
    pub roi: [Return; 7],
    /// Share of scenarios that lose money.
    pub loss_probability: Probability,
    /// Mean loss in the worst `tail` of scenarios: positive is a loss.
    pub cvar: Money,
    /// The share of scenarios that counts as worst.
    pub tail: Probability,
    /// The planned release day.
    pub release: Day,
    /// Its genres.
    pub genres: Vec<String>,
    /// Its countries.
    pub countries: Vec<String>,
    /// Who distributes it.
    pub distributor: Option<String>,
    /// The series of titles that it continues.
    pub franchise: Option<String>,
    /// Expected cash by calendar quarter, in order.
    pub cash: Vec<CashQuarter>,
}

/// The expected cash of a project in one calendar quarter. US dollars, nominal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CashQuarter {
    /// The calendar year.
    pub year: i32,
    /// The quarter, 1 to 4.
    pub quarter: u8,
    /// What is spent in it.
    pub spent: Money,
    /// What is received in it, on average over the scenarios.
    pub received: Money,
}

/// The joint scenarios: a matrix of profits, projects by scenarios, and each project's summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenarios {
    returns: Vec<ProjectReturn>,
    /// Project after project, each with its profits by scenario. USD.
    profits: Vec<f64>,
    scenarios: usize,
    tail: Probability,
    seed: u64,
}

impl Scenarios {
    /// How many scenarios there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scenarios
    }

    /// Whether there is no scenario: never, for what a simulation made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scenarios == 0
    }

    /// How many projects there are.
    #[must_use]
    pub fn projects(&self) -> usize {
        self.returns.len()
    }

    /// Each project's return, in the order in which the candidates came.
    #[must_use]
    pub fn returns(&self) -> &[ProjectReturn] {
        &self.returns
    }

    /// Profits of a project by scenario, USD; empty for a number that no project has.
    #[must_use]
    pub fn profits(&self, project: usize) -> &[f64] {
        let start = project.saturating_mul(self.scenarios);
        self.profits.get(start..start.saturating_add(self.scenarios)).unwrap_or_default()
    }

    /// The share of scenarios that counts as worst.
    #[must_use]
    pub fn tail(&self) -> Probability {
        self.tail
    }

    /// The seed that drew them.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl Simulation {
    /// Draws the scenarios and pays every project in each of them.
    ///
    /// # Errors
    /// [`InvestError::Setting`] for a scenario count or tail out of range, [`InvestError::NoCandidates`],
    /// [`InvestError::SameName`], [`InvestError::Cancelled`] when `control` says stop, [`InvestError::Domain`] for
    /// amounts that cannot be kept.
    pub fn run(
        &self,
        candidates: &[Candidate],
        deal: &Deal,
        control: &Control,
    ) -> Result<Scenarios, InvestError> {
        self.check(candidates)?;
        let (terms, factors) = (deal.terms(), Factors::draw(self, candidates, deal.loadings()));
        let mut profits = vec![0.0; candidates.len() * self.scenarios];
        let returns = candidates
            .par_iter()
            .zip(profits.par_chunks_mut(self.scenarios))
            .map(|(candidate, column)| {
                control.check()?;
                let plan = deal.marketing_for(&candidate.project)?;
                let cost = Cost { budget: candidate.project.budget, marketing: plan.spend }.total()?;
                factors.scores(candidate, column);
                for cell in column.iter_mut() {
                    let (domestic, international) = candidate.grosses(*cell, &terms);
                    *cell = terms.studio_share(domestic, international) - cost.major();
                }
                self.summarise(candidate, &terms, plan, cost, column)
            })
            .collect::<Result<Vec<_>, InvestError>>()?;
        Ok(Scenarios { returns, profits, scenarios: self.scenarios, tail: self.tail, seed: self.seed })
    }

    fn check(&self, candidates: &[Candidate]) -> Result<(), InvestError> {
        if self.scenarios == 0 || self.scenarios > MOST_SCENARIOS {
            let value = self.scenarios as f64;
            return Err(InvestError::Setting { name: "scenarios", value, range: "1 to 1000000" });
        }
        if self.tail.get() <= 0.0 {
            return Err(InvestError::Setting { name: "tail", value: self.tail.get(), range: "in (0, 1]" });
        }
        if candidates.is_empty() {
            return Err(InvestError::NoCandidates);
        }
        let mut names = BTreeSet::new();
        match candidates.iter().find(|c| !names.insert(&c.project.name)) {
            Some(twin) => Err(InvestError::SameName(twin.project.name.clone())),
            None => Ok(()),
        }
    }

    fn summarise(
        &self,
        candidate: &Candidate,
        terms: &Terms,
        plan: MarketingPlan,
        cost: Money,
        profits: &[f64],
    ) -> Result<ProjectReturn, InvestError> {
        let usd = |amount: f64| Money::from_major(amount, Currency::USD);
        let mut sorted = profits.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = quantiles(&sorted);
        let mut profit = [Money::from_minor(0, Currency::USD); 7];
        for (money, amount) in profit.iter_mut().zip(at) {
            *money = usd(amount)?;
        }
        let average = mean(profits);
        let spread: f64 = profits.iter().map(|p| (p - average).powi(2)).sum();
        let n = profits.len() as f64;
        let share = candidate.domestic_share(terms);
        let break_even = cost.major() / terms.studio_share(share, 1.0 - share);
        Ok(ProjectReturn {
            name: candidate.project.name.clone(),
            budget: candidate.project.budget,
            marketing: plan.spend,
            marketing_assumed: plan.assumed,
            cost,
            break_even: Gross(usd(break_even)?),
            above_break_even: candidate.probability_above(break_even, terms).try_into()?,
            mean_profit: usd(average)?,
            mean_error: usd(spread.sqrt() / n)?,
            profit,
            mean_roi: Return(average / cost.major()),
            roi: at.map(|p| Return(p / cost.major())),
            loss_probability: loss_share(profits).try_into()?,
            cvar: usd(Tail::of(profits.len(), self.tail.get()).cvar(&mut sorted))?,
            tail: self.tail,
            release: candidate.project.release,
            genres: candidate.project.genres.clone(),
            countries: candidate.project.countries.clone(),
            distributor: candidate.project.distributor.clone(),
            franchise: candidate.project.franchise.clone(),
            cash: cash(candidate.project.release, cost, usd(average + cost.major())?),
        })
    }
}

/// All cost in the quarter of release, all receipts in the next.
fn cash(release: Day, cost: Money, receipts: Money) -> Vec<CashQuarter> {
    let none = Money::from_minor(0, Currency::USD);
    let (year, quarter) = (release.year(), (release.month() as u8).div_ceil(3));
    let (next_year, next) = if quarter == 4 { (year + 1, 1) } else { (year, quarter + 1) };
    vec![
        CashQuarter { year, quarter, spent: cost, received: none },
        CashQuarter { year: next_year, quarter: next, spent: none, received: receipts },
    ]
}

/// The shared factors of a set of candidates, each drawn once: half as many draws as scenarios, the rest mirrored.
struct Factors {
    loadings: Loadings,
    seed: u64,
    drawn: BTreeMap<String, Vec<f64>>,
}

impl Factors {
    fn draw(simulation: &Simulation, candidates: &[Candidate], loadings: Loadings) -> Self {
        let half = simulation.scenarios.div_ceil(2);
        let keys: BTreeSet<String> =
            candidates.iter().flat_map(|c| shares(c, loadings)).map(|(key, _)| key).collect();
        let drawn = keys.into_par_iter().map(|key| {
            let draws = normals(simulation.seed, &key, half);
            (key, draws)
        });
        Self { loadings, seed: simulation.seed, drawn: drawn.collect::<Vec<_>>().into_iter().collect() }
    }

    /// Writes the candidate's normal scores, one for each scenario: unit variance by construction.
    fn scores(&self, candidate: &Candidate, scores: &mut [f64]) {
        let half = scores.len().div_ceil(2);
        let shared = shares(candidate, self.loadings);
        let explained: f64 = shared.iter().map(|(_, loading)| loading * loading).sum();
        let own = (1.0 - explained).max(0.0).sqrt();
        let own_draws = normals(self.seed, &format!("project\u{1f}{}", candidate.project.name), half);
        let (first, second) = scores.split_at_mut(half);
        for (score, draw) in first.iter_mut().zip(own_draws) {
            *score = own * draw;
        }
        for (key, loading) in &shared {
            for (score, draw) in first.iter_mut().zip(self.drawn.get(key).into_iter().flatten()) {
                *score += loading * draw;
            }
        }
        for (mirrored, score) in second.iter_mut().zip(first.iter()) {
            *mirrored = -score;
        }
    }
}

/// The shared factors of a candidate with its loading on each.
fn shares(candidate: &Candidate, loadings: Loadings) -> Vec<(String, f64)> {
    let project = &candidate.project;
    let mut shares = vec![(format!("year\u{1f}{}", project.release.year()), loadings.market_year)];
    let genres: BTreeSet<String> = project.genres.iter().map(|g| g.trim().to_lowercase()).collect();
    let each = loadings.genre / (genres.len().max(1) as f64).sqrt();
    shares.extend(genres.into_iter().map(|genre| (format!("genre\u{1f}{genre}"), each)));
    if let Some(franchise) = &project.franchise {
        shares.push((format!("franchise\u{1f}{}", normalise_title(franchise)), loadings.franchise));
    }
    shares
}

/// Standard normal draws of the stream that `key` names.
fn normals(seed: u64, key: &str, count: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(xxh3_64(key.as_bytes()));
    StandardNormal.sample_iter(rng).take(count).collect()
}

#[cfg(test)]
#[path = "simulate_tests.rs"]
pub(crate) mod tests;
