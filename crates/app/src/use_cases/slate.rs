//! Slate: which of several projects to fund under a budget.

use std::time::Duration;

use marquee_domain::{Control, Day, Forecast, Project};
use marquee_invest::{Deal, NextFilms, Outcome, ProjectReturn, SlateRules};
use marquee_platform::{Action, Permit};

use crate::choosing::{Choice, choose, forecasts, limited};
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Forecaster;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to choose from and how.
#[derive(Debug, Clone)]
pub struct Brief {
    /// The candidates.
    pub projects: Vec<Project>,
    /// Budget, objective and limits.
    pub rules: SlateRules,
    /// The deal that profits are reckoned with.
    pub deal: Deal,
    /// The day whose knowledge may be used; for each project its own where nobody says.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// How long to search for the best slate once all are forecast; without an end where nothing is said.
    pub time_limit: Option<Duration>,
    /// Whether to look for the next film in and the next film out.
    pub next: bool,
    /// The seed of all randomness.
    pub seed: u64,
}

/// A chosen slate with what it rests on.
#[derive(Debug)]
pub struct Chosen {
    /// The worldwide forecast of each candidate, in order.
    pub forecasts: Vec<Forecast>,
    /// Profit and return of each candidate, gross-implied, in order.
    pub returns: Vec<ProjectReturn>,
    /// The slate, or why there is none.
    pub outcome: Outcome,
    /// The next film in and the next film out, where it was asked for and there is a slate.
    pub next: Option<NextFilms>,
}

/// Chooses a slate.
///
/// # Errors
/// A project that cannot be forecast or judged; an infeasible slate is an outcome, not an error.
pub async fn slate(
    workspace: &Workspace,
    brief: Brief,
    control: &Control,
    permit: &Permit,
) -> Result<Chosen, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Plans, permit).await?;
    let mut forecaster = Forecaster::new(knowledge, workspace.models());
    let control = control.clone();
    cpu::run(move || {
        let days = (brief.as_of, brief.today);
        let forecasts = forecasts(&mut forecaster, &brief.projects, days, brief.seed, &control)?;
        let choice = Choice {
            rules: &brief.rules,
            deal: &brief.deal,
            scenarios: brief.scenarios,
            seed: brief.seed,
            time_limit: brief.time_limit,
        };
        let (scenarios, outcome) = choose(&brief.projects, &forecasts, &choice, &control)?;
        let next = match &outcome {
            Outcome::Chosen(answer) | Outcome::TimedOut(answer) if brief.next => {
                let control = limited(&control, brief.time_limit);
                Some(brief.rules.next_films(&scenarios, answer, &control)?)
            }
            _ => None,
        };
        Ok(Chosen { forecasts, returns: scenarios.returns().to_vec(), outcome, next })
    })
    .await
}
