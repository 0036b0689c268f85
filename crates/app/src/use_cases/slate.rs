//! Slate: which of several projects to fund under a budget.

use std::time::Duration;

use marquee_domain::{Control, Forecast};
use marquee_invest::{NextFilms, Outcome, ProjectReturn, SlateRules};
use marquee_platform::{Action, Permit};

use crate::choosing::{Plans, limited};
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to choose from and how.
#[derive(Debug, Clone)]
pub struct Brief {
    /// The candidates.
    pub plans: Plans,
    /// Budget, objective and limits.
    pub rules: SlateRules,
    /// How long to search for the best slate once all are forecast; without an end where nothing is said.
    pub time_limit: Option<Duration>,
    /// Whether to look for the next film in and the next film out.
    pub next: bool,
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
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let Brief { plans, rules, time_limit, next } = brief;
        let (forecasts, candidates) = plans.forecast(&forecaster, &control)?;
        let scenarios = plans.simulation().run(&candidates, &plans.deal, &control)?;
        let outcome = rules.choose(&scenarios, &limited(&control, time_limit))?;
        let next = match &outcome {
            Outcome::Chosen(answer) | Outcome::TimedOut(answer) if next => {
                Some(rules.next_films(&scenarios, answer, &limited(&control, time_limit))?)
            }
            _ => None,
        };
        Ok(Chosen { forecasts, returns: scenarios.returns().to_vec(), outcome, next })
    })
    .await
}
