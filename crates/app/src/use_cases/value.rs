//! Value: what projects are worth to everybody who takes part, and what could go wrong.

use marquee_domain::{Control, Day, Forecast, Project};
use marquee_invest::{Deal, Simulation, Valuation};
use marquee_platform::{Action, Permit};

use crate::choosing::{candidates, forecasts};
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Forecaster;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to value and how.
#[derive(Debug, Clone)]
pub struct Question {
    /// The projects.
    pub projects: Vec<Project>,
    /// The deal that they are paid under.
    pub deal: Deal,
    /// The day whose knowledge may be used; for each project its own where nobody says.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// The seed of all randomness.
    pub seed: u64,
}

/// Projects with what they are worth.
#[derive(Debug)]
pub struct Valued {
    /// The worldwide forecast of each project, in order.
    pub forecasts: Vec<Forecast>,
    /// What each brings to everybody, in order.
    pub valuations: Vec<Valuation>,
}

/// Values projects.
///
/// # Errors
/// A project that cannot be forecast or judged, a deal that does not fit it.
pub async fn value(
    workspace: &Workspace,
    question: Question,
    control: &Control,
    permit: &Permit,
) -> Result<Valued, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Plans, permit).await?;
    let mut forecaster = Forecaster::new(knowledge, workspace.models());
    let control = control.clone();
    cpu::run(move || {
        let days = (question.as_of, question.today);
        let forecasts = forecasts(&mut forecaster, &question.projects, days, question.seed, &control)?;
        let candidates = candidates(&question.projects, &forecasts)?;
        let simulation =
            Simulation { scenarios: question.scenarios, seed: question.seed, ..Simulation::default() };
        let valuations = simulation.value(None, &candidates, &question.deal, &control)?;
        Ok(Valued { forecasts, valuations })
    })
    .await
}
