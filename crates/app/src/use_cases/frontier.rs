//! Frontier: efficient slates of projects, from the least risk to the largest mean.

use std::time::Duration;

use marquee_domain::Control;
use marquee_invest::{Frontier, SlateRules};
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
    /// Budget and limits; the objective is not looked at.
    pub rules: SlateRules,
    /// At how many caps on risk a slate is looked for.
    pub points: usize,
    /// How long to search once all are forecast; without an end where nothing is said.
    pub time_limit: Option<Duration>,
}

/// Finds the efficient slates.
///
/// # Errors
/// A project that cannot be forecast or judged; an infeasible frontier is an outcome, not an error.
pub async fn frontier(
    workspace: &Workspace,
    brief: Brief,
    control: &Control,
    permit: &Permit,
) -> Result<Frontier, AppError> {
    permit.require(Action::Read)?;
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let (_, candidates) = brief.plans.forecast(&forecaster, &control)?;
        let scenarios = brief.plans.simulation().run(&candidates, &brief.plans.deal, &control)?;
        Ok(brief.rules.frontier(&scenarios, brief.points, &limited(&control, brief.time_limit))?)
    })
    .await
}
