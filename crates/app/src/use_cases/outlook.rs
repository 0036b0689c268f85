//! Outlook: the ranges of many projects, without reasons: what screening a pile of them needs.

use marquee_domain::{AsOf, Control, Day, Distribution, Project, Target};
use marquee_platform::{Action, Permit};

use crate::asked::project_day;
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Terms;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Outlooks {
    /// The projects.
    pub projects: Vec<Project>,
    /// What is predicted.
    pub target: Target,
    /// The day whose knowledge may be used; for each project as [`project_day`] says where nobody does.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// The seed of all randomness.
    pub seed: u64,
}

/// The range of each project, in order. US dollars, nominal.
///
/// # Errors
/// A project that cannot be forecast, a lake that cannot be read, a stop.
pub async fn outlook(
    workspace: &Workspace,
    asked: Outlooks,
    control: &Control,
    permit: &Permit,
) -> Result<Vec<Distribution>, AppError> {
    permit.require(Action::Read)?;
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let one = |project: &Project| {
            let as_of = AsOf(asked.as_of.unwrap_or_else(|| project_day(project, asked.today)));
            let terms = Terms { target: asked.target, population: None, as_of, seed: asked.seed };
            forecaster.outlook(project, &terms, &control)
        };
        asked.projects.iter().map(one).collect()
    })
    .await
}
