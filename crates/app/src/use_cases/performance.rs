//! Performance: what projects made against what was projected of them, and what the difference comes from.

use marquee_domain::{Control, Day, Project};
use marquee_invest::{Actual, Attribution, Deal, Simulation};
use marquee_platform::{Action, Permit};

use crate::choosing::{candidates, forecasts};
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Forecaster;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to compare.
#[derive(Debug, Clone)]
pub struct Question {
    /// The projects as they were planned.
    pub projects: Vec<Project>,
    /// What happened to each, in order.
    pub actuals: Vec<Actual>,
    /// The deal as it was planned.
    pub deal: Deal,
    /// The deal that was paid under; the planned one where nobody says.
    pub actual_deal: Option<Deal>,
    /// The day whose knowledge the projection may use; for each project its own where nobody says.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// The seed of all randomness.
    pub seed: u64,
}

/// Compares.
///
/// # Errors
/// A project that cannot be forecast or judged.
pub async fn performance(
    workspace: &Workspace,
    question: Question,
    control: &Control,
    permit: &Permit,
) -> Result<Vec<Attribution>, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Plans, permit).await?;
    let mut forecaster = Forecaster::new(knowledge, workspace.models());
    let control = control.clone();
    cpu::run(move || {
        let days = (question.as_of, question.today);
        let forecasts = forecasts(&mut forecaster, &question.projects, days, question.seed, &control)?;
        let candidates = candidates(&question.projects, &forecasts)?;
        let simulation = Simulation { seed: question.seed, ..Simulation::default() };
        let paid_under = question.actual_deal.as_ref().unwrap_or(&question.deal);
        let pairs = candidates.iter().zip(&question.actuals);
        let of = |(c, actual)| Ok(simulation.attribute(c, &question.deal, actual, paid_under)?);
        pairs.map(of).collect()
    })
    .await
}
