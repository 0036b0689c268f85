//! Performance: what projects made against what was projected of them, and what the difference comes from.

use marquee_domain::Control;
use marquee_invest::{Actual, Attribution, Deal};
use marquee_platform::{Action, Permit};

use crate::choosing::Plans;
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to compare.
#[derive(Debug, Clone)]
pub struct Question {
    /// The projects as they were planned, and the deal.
    pub plans: Plans,
    /// What happened to each, in order.
    pub actuals: Vec<Actual>,
    /// The deal that was paid under; the planned one where nobody says.
    pub actual_deal: Option<Deal>,
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
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let Question { plans, actuals, actual_deal } = question;
        let (_, candidates) = plans.forecast(&forecaster, &control)?;
        let simulation = plans.simulation();
        let paid_under = actual_deal.as_ref().unwrap_or(&plans.deal);
        let of = |(c, actual)| Ok(simulation.attribute(c, &plans.deal, actual, paid_under)?);
        candidates.iter().zip(&actuals).map(of).collect()
    })
    .await
}
