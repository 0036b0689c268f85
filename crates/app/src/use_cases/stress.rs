//! Stress: what becomes of projects, each and together, when events that a deal names happen for certain, or forecasts are
//! biased.

use marquee_domain::Control;
use marquee_invest::{ProjectReturn, Stress, Together};
use marquee_platform::{Action, Permit};

use crate::choosing::Plans;
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to stress and how.
#[derive(Debug, Clone)]
pub struct Question {
    /// The projects, each funded in full; the risks of their deal can be made certain.
    pub plans: Plans,
    /// The tests; the usual ones of the deal where empty.
    pub tests: Vec<Stress>,
}

/// What became of the projects in one test.
#[derive(Debug)]
pub struct Stressed {
    /// The test; none for the projects as they are.
    pub stress: Option<Stress>,
    /// All projects together.
    pub together: Together,
    /// Each project, in order.
    pub returns: Vec<ProjectReturn>,
}

/// Stresses projects: as they are first, then each test, in order.
///
/// # Errors
/// A project that cannot be forecast or judged, a test that names no risk of the deal.
pub async fn stress(
    workspace: &Workspace,
    question: Question,
    control: &Control,
    permit: &Permit,
) -> Result<Vec<Stressed>, AppError> {
    permit.require(Action::Read)?;
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let Question { plans, tests } = question;
        let (_, candidates) = plans.forecast(&forecaster, &control)?;
        let simulation = plans.simulation();
        let tests = if tests.is_empty() { Stress::usual(&plans.deal) } else { tests };
        let tests = std::iter::once(None).chain(tests.into_iter().map(Some));
        let run = |stress: Option<Stress>| {
            let scenarios = simulation.run_under(stress.as_ref(), &candidates, &plans.deal, &control)?;
            Ok(Stressed { together: scenarios.together()?, returns: scenarios.returns().to_vec(), stress })
        };
        tests.map(run).collect()
    })
    .await
}
