//! Stress: what becomes of projects, each and together, when events that a deal names happen for certain, or forecasts are
//! biased.

use marquee_domain::{Control, Day, Project};
use marquee_invest::{Deal, ProjectReturn, Simulation, Stress, Together};
use marquee_platform::{Action, Permit};

use crate::choosing::{candidates, forecasts};
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Forecaster;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to stress and how.
#[derive(Debug, Clone)]
pub struct Question {
    /// The projects, each funded in full.
    pub projects: Vec<Project>,
    /// The deal that profits are reckoned with, and whose risks can be made certain.
    pub deal: Deal,
    /// The tests; the usual ones of the deal where empty.
    pub tests: Vec<Stress>,
    /// The day whose knowledge may be used; for each project its own where nobody says.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// The seed of all randomness.
    pub seed: u64,
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
        let tests = if question.tests.is_empty() { Stress::usual(&question.deal) } else { question.tests };
        let tests = std::iter::once(None).chain(tests.into_iter().map(Some));
        let run = |stress: Option<Stress>| {
            let scenarios = simulation.run_under(stress.as_ref(), &candidates, &question.deal, &control)?;
            Ok(Stressed { together: scenarios.together()?, returns: scenarios.returns().to_vec(), stress })
        };
        tests.map(run).collect()
    })
    .await
}
