//! Frontier: efficient slates of projects, from the least risk to the largest mean.

use std::time::Duration;

use marquee_domain::{Control, Day, Project};
use marquee_invest::{Deal, Frontier, Simulation, SlateRules};
use marquee_platform::{Action, Permit};

use crate::choosing::{candidates, forecasts, limited};
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
    /// Budget and limits; the objective is not looked at.
    pub rules: SlateRules,
    /// At how many caps on risk a slate is looked for.
    pub points: usize,
    /// The deal that profits are reckoned with.
    pub deal: Deal,
    /// The day whose knowledge may be used; for each project its own where nobody says.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// How long to search once all are forecast; without an end where nothing is said.
    pub time_limit: Option<Duration>,
    /// The seed of all randomness.
    pub seed: u64,
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
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Plans, permit).await?;
    let mut forecaster = Forecaster::new(knowledge, workspace.models());
    let control = control.clone();
    cpu::run(move || {
        let days = (brief.as_of, brief.today);
        let forecasts = forecasts(&mut forecaster, &brief.projects, days, brief.seed, &control)?;
        let candidates = candidates(&brief.projects, &forecasts)?;
        let simulation = Simulation { scenarios: brief.scenarios, seed: brief.seed, ..Simulation::default() };
        let scenarios = simulation.run(&candidates, &brief.deal, &control)?;
        let control = limited(&control, brief.time_limit);
        Ok(brief.rules.frontier(&scenarios, brief.points, &control)?)
    })
    .await
}
