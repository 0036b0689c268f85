//! From projects to forecasts, candidates, scenarios and a choice.
//!
//! Not a use case: those that are about projects and money stand on it.

use std::time::{Duration, Instant};

use marquee_domain::{AsOf, Control, Day, Forecast, Project, Target};
use marquee_invest::{Candidate, Deal, Outcome, Scenarios, Simulation, SlateRules};

use crate::asked::project_day;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Terms};

/// How to choose.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Budget, objective and limits.
    pub rules: &'a SlateRules,
    /// The deal that profits are reckoned with.
    pub deal: &'a Deal,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// The seed of the scenarios.
    pub seed: u64,
    /// How long to search once everything is simulated; without an end where nothing is said.
    pub time_limit: Option<Duration>,
}

/// The worldwide forecast of each project: as of the first of `days`, or of the project's own day on the second, today.
///
/// # Errors
/// A project that cannot be forecast, or a stop.
pub fn forecasts(
    forecaster: &mut Forecaster,
    projects: &[Project],
    days: (Option<Day>, Day),
    seed: u64,
    control: &Control,
) -> Result<Vec<Forecast>, AppError> {
    let (as_of, today) = days;
    let mut forecasts = Vec::with_capacity(projects.len());
    for (i, project) in projects.iter().enumerate() {
        let as_of = AsOf(as_of.unwrap_or_else(|| project_day(project, today)));
        let terms = Terms { target: Target::Worldwide, population: None, as_of, seed };
        forecasts.push(forecaster.project(project, &terms, control)?);
        control.step("forecasting projects", i as u64 + 1, projects.len() as u64);
    }
    Ok(forecasts)
}

/// Each project with its forecast.
///
/// # Errors
/// A project that cannot be judged.
pub fn candidates(projects: &[Project], forecasts: &[Forecast]) -> Result<Vec<Candidate>, AppError> {
    let pairs = projects.iter().zip(forecasts);
    let candidates = pairs.map(|(p, f)| Candidate::new(p.clone(), std::slice::from_ref(f)));
    Ok(candidates.collect::<Result<_, _>>()?)
}

/// A control that stops after a time limit from now on.
pub fn limited(control: &Control, limit: Option<Duration>) -> Control {
    match limit {
        Some(limit) => control.clone().until(Instant::now() + limit),
        None => control.clone(),
    }
}

/// Simulates the projects together and chooses among them.
///
/// # Errors
/// A project that cannot be judged, or a stop.
pub fn choose(
    projects: &[Project],
    forecasts: &[Forecast],
    choice: &Choice<'_>,
    control: &Control,
) -> Result<(Scenarios, Outcome), AppError> {
    let candidates = candidates(projects, forecasts)?;
    let simulation = Simulation { scenarios: choice.scenarios, seed: choice.seed, ..Simulation::default() };
    let scenarios = simulation.run(&candidates, choice.deal, control)?;
    let outcome = choice.rules.choose(&scenarios, &limited(control, choice.time_limit))?;
    Ok((scenarios, outcome))
}
