//! Replay: for each of several years, choose from the films that were released in it with what was known on its first of
//! January, and reckon what the choice made by the grosses that came.
//!
//! The films are those that the catalogue knows a budget and an outcome of: who was funded and never released is not among
//! them. Each is forecast by a model of films settled before that day.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use marquee_catalogue::{IngestOptions, SourceSet};
use marquee_domain::{AsOf, Control, Currency, Day, Gross, Horizon, Money, Population, Target, Weight};
use marquee_invest::{
    Candidate, Deal, Film, Objective, Policy, Replayed, Simulation, SlateRules, replay as run,
};
use marquee_learn::judge::{Estimate, paired_bootstrap};
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Terms, as_project};
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// How often a difference is drawn again.
const REPLICATES: usize = 2_000;
/// How near the optimiser must come to the best slate.
pub const GAP: f64 = 0.005;
/// Fewer years say nothing of how years differ.
const FEWEST_YEARS: usize = 5;

/// What to replay.
#[derive(Debug, Clone)]
pub struct Plan {
    /// A folder of tables to replay instead of the lake.
    pub source: Option<PathBuf>,
    /// Release years, both ends included.
    pub years: RangeInclusive<i32>,
    /// The budget of each year, as a share of what all its films cost with their marketing.
    pub share: f64,
    /// How many dollars of mean profit a dollar less of loss in the worst scenarios is worth to the optimiser.
    pub risk_aversion: Weight,
    /// The deal that profits are reckoned with.
    pub deal: Deal,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// How long the optimiser may search for each year's slate; until its gap is small where nothing is said.
    pub time_limit: Option<Duration>,
    /// The seed of all randomness.
    pub seed: u64,
}

/// One year.
#[derive(Debug)]
pub struct Year {
    /// The release year.
    pub year: i32,
    /// The films that could be funded, by name, as the policies number them.
    pub films: Vec<String>,
    /// The budget.
    pub budget: Money,
    /// What each policy did.
    pub policies: Vec<Replayed>,
}

/// A policy over all years.
#[derive(Debug)]
pub struct Record {
    /// The policy.
    pub policy: Policy,
    /// Profit of all years divided by cost of all years (0 where nothing was bought), with its interval over years drawn
    /// again; the ends are not numbers where there are fewer than five years.
    pub roi: Estimate,
    /// Years that ended in a loss.
    pub lost: usize,
    /// How much more the optimiser returned in the same years, with its interval; none for itself.
    pub behind: Option<Estimate>,
    /// Years in which it returned more than the optimiser.
    pub ahead: usize,
}

/// All years and what they say together.
#[derive(Debug)]
pub struct Replay {
    /// Years that had films, in order.
    pub years: Vec<Year>,
    /// Each policy, the optimiser first.
    pub records: Vec<Record>,
    /// Fingerprint of the lake's version.
    pub data: String,
}

/// Replays years.
///
/// # Errors
/// A share outside (0, 1], years without films, or what the rooms say.
pub async fn replay(
    workspace: &Workspace,
    plan: Plan,
    control: &Control,
    permit: &Permit,
) -> Result<Replay, AppError> {
    permit.require(Action::Read)?;
    let workspace = match &plan.source {
        None => workspace.clone(),
        Some(folder) => {
            let apart = workspace.of_source(folder);
            let set = SourceSet::detect(folder)?;
            apart.lake(permit).await?.ingest(&set, &IngestOptions::now(), control).await?;
            apart
        }
    };
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Plans, permit).await?;
    let data = knowledge.fingerprint.clone();
    let control = control.clone();
    cpu::run(move || {
        let forecaster = Forecaster::new(knowledge, workspace.models());
        let (mut years, total) = (Vec::new(), plan.years.clone().count() as u64);
        for (done, year) in plan.years.clone().enumerate() {
            years.extend(one_year(&forecaster, &plan, year, &control)?);
            control.step("replaying years", done as u64 + 1, total);
        }
        if years.is_empty() {
            let (from, to) = (plan.years.start(), plan.years.end());
            return Err(AppError::NothingTested(format!(
                "no film of {from} to {to} has a budget and a known worldwide gross"
            )));
        }
        let records = Policy::ALL.map(|policy| record(&years, policy, plan.seed));
        Ok(Replay { records: records.into_iter().collect::<Result<_, _>>()?, years, data })
    })
    .await
}

fn one_year(
    forecaster: &Forecaster,
    plan: &Plan,
    year: i32,
    control: &Control,
) -> Result<Option<Year>, AppError> {
    let as_of = Day::new(year, 1, 1)?;
    let films = films(forecaster, plan, as_of, control)?;
    if films.is_empty() {
        return Ok(None);
    }
    let mut cost = 0.0;
    for film in &films {
        cost += plan.deal.cost_of(film.candidate.project())?.major();
    }
    let budget = Money::from_major((cost * plan.share).round(), Currency::USD)?;
    let objective = Objective::MeanLessRisk { risk_aversion: plan.risk_aversion };
    let rules = SlateRules { gap: GAP, ..SlateRules::new(budget, objective) };
    let simulation = Simulation { scenarios: plan.scenarios, seed: plan.seed, ..Simulation::default() };
    let policies = run(&films, &rules, &simulation, &plan.deal, plan.time_limit, control)?;
    let films = films.iter().map(|f| f.candidate.project().name.clone()).collect();
    Ok(Some(Year { year, films, budget, policies }))
}

/// The films of the year that begins on `as_of`, each forecast on that day by a model of funded films, flops included.
fn films(forecaster: &Forecaster, plan: &Plan, as_of: Day, control: &Control) -> Result<Vec<Film>, AppError> {
    let scope = forecaster.knowledge().scope(Target::Worldwide, as_of);
    let mut open = forecaster.knowledge().settled(&scope);
    open.retain(|e| {
        let funded = e.is_in(Population::Funded, Horizon::Greenlight, Target::Worldwide);
        funded && e.release.year() == as_of.year() && e.release > as_of && e.budget.is_some()
    });
    let terms = Terms {
        target: Target::Worldwide,
        population: Some(Population::Funded),
        as_of: AsOf(as_of),
        seed: plan.seed,
    };
    let mut films: Vec<Film> = Vec::with_capacity(open.len());
    for film in &open {
        let forecast = forecaster.title(film.title, &film.name, film.release, &terms, control)?;
        let profile = forecaster.history(Target::Worldwide, terms.as_of)?.profile(film.title);
        let twin = films.iter().any(|f| f.candidate.project().name == film.name);
        let name = if twin { format!("{} ({})", film.name, film.release) } else { film.name.clone() };
        let project = as_project(&name, &profile, film.release)?;
        films.push(Film {
            candidate: Candidate::new(project, std::slice::from_ref(&forecast))?,
            actual: Gross(Money::from_major(film.actual, Currency::USD)?),
        });
    }
    Ok(films)
}

fn record(years: &[Year], policy: Policy, seed: u64) -> Result<Record, AppError> {
    let of = |y: &Year, policy: Policy| {
        let found = y.policies.iter().find(|r| r.policy == policy);
        found.map_or((0.0, 0.0), |r| (r.profit.major(), r.cost.major()))
    };
    let roi = |rows: &[usize], policy: Policy| {
        let (profit, cost) = rows.iter().fold((0.0, 0.0), |(profit, cost), i| {
            let (p, c) = of(&years[*i], policy);
            (profit + p, cost + c)
        });
        if cost > 0.0 { profit / cost } else { 0.0 }
    };
    let rate = |y: &Year, policy| {
        let (profit, cost) = of(y, policy);
        if cost > 0.0 { profit / cost } else { 0.0 }
    };
    let bootstrap = |statistic: &dyn Fn(&[usize]) -> f64| {
        if years.len() < FEWEST_YEARS {
            let all: Vec<usize> = (0..years.len()).collect();
            return Ok(Estimate { value: statistic(&all), lower: f64::NAN, upper: f64::NAN });
        }
        paired_bootstrap(years.len(), REPLICATES, seed, statistic)
            .map_err(marquee_forecast::ForecastError::from)
    };
    let ours = Policy::Optimiser;
    let behind = (policy != ours).then(|| bootstrap(&|rows| roi(rows, ours) - roi(rows, policy)));
    Ok(Record {
        policy,
        roi: bootstrap(&|rows| roi(rows, policy))?,
        lost: years.iter().filter(|y| of(y, policy).0 < 0.0).count(),
        behind: behind.transpose()?,
        ahead: years.iter().filter(|y| rate(y, policy) > rate(y, ours)).count(),
    })
}
