//! Option: what a project is worth where one may decide stage by stage, and where to stop.

use marquee_domain::{AsOf, Control, Day, Forecast, Project, Target};
use marquee_invest::Deal;
use marquee_invest::options::{GateAnswer, Paths, Sequel, SimulatedGates, Stage, StageGates};
use marquee_platform::{Action, Permit};

use crate::asked::project_day;
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Terms;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What to value and how.
#[derive(Debug, Clone)]
pub struct Question {
    /// The project.
    pub project: Project,
    /// Its stages in order, and what may be decided before each.
    pub stages: Vec<Stage>,
    /// The right to a sequel.
    pub sequel: Option<Sequel>,
    /// The deal: what a dollar of gross leaves, and what waiting costs.
    pub deal: Deal,
    /// The day whose knowledge may be used; the project's own where nobody says.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// How many paths are simulated beside the lattice; none where zero.
    pub paths: usize,
    /// The seed of all randomness.
    pub seed: u64,
}

/// A project's worth by stages.
#[derive(Debug)]
pub struct Staged {
    /// Its worldwide forecast.
    pub forecast: Forecast,
    /// What it is worth, by lattice.
    pub answer: GateAnswer,
    /// The same by Longstaff and Schwartz, where paths were asked for.
    pub simulated: Option<SimulatedGates>,
}

/// Values a project's stages.
///
/// # Errors
/// A project that cannot be forecast, stages that do not fit together.
pub async fn option(
    workspace: &Workspace,
    question: Question,
    control: &Control,
    permit: &Permit,
) -> Result<Staged, AppError> {
    permit.require(Action::Read)?;
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let as_of = AsOf(question.as_of.unwrap_or_else(|| project_day(&question.project, question.today)));
        let terms = Terms { target: Target::Worldwide, population: None, as_of, seed: question.seed };
        let forecast = forecaster.project(&question.project, &terms, &control)?;
        let gates = StageGates {
            gross: forecast.distribution,
            receipts_per_gross: question.deal.income_per_gross(),
            highest_gross: Some(question.deal.highest_gross()),
            discount_rate: question.deal.discount_rate(),
            stages: question.stages,
            sequel: question.sequel,
        };
        let answer = gates.worth(&control)?;
        let paths = Paths { count: question.paths, seed: question.seed };
        let simulated = (question.paths > 0).then(|| gates.simulate(paths, &control)).transpose()?;
        Ok(Staged { forecast, answer, simulated })
    })
    .await
}
