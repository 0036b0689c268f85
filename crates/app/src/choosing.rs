//! From forecasts to a slate: candidates, scenarios, choice.
//!
//! Not a use case: `slate` and the demo stand on it.

use marquee_domain::{Control, Forecast, Project};
use marquee_invest::{Candidate, Deal, Outcome, ProjectReturn, Simulation, SlateRules};

use crate::error::AppError;

/// How to choose.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Budget, objective and limits.
    pub rules: &'a SlateRules,
    /// The deal that profits are reckoned with.
    pub deal: &'a Deal,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// The seed of the scenarios.
    pub seed: u64,
}

/// Simulates the projects together and chooses among them.
///
/// # Errors
/// A project that cannot be judged, or a stop.
pub fn choose(
    projects: &[Project],
    forecasts: &[Forecast],
    choice: &Choice<'_>,
    control: &Control,
) -> Result<(Vec<ProjectReturn>, Outcome), AppError> {
    let candidates: Vec<Candidate> = projects
        .iter()
        .zip(forecasts)
        .map(|(project, forecast)| Candidate::new(project.clone(), std::slice::from_ref(forecast)))
        .collect::<Result<_, _>>()?;
    let simulation = Simulation { scenarios: choice.scenarios, seed: choice.seed, ..Simulation::default() };
    let scenarios = simulation.run(&candidates, choice.deal, control)?;
    let outcome = choice.rules.choose(&scenarios, control)?;
    Ok((scenarios.returns().to_vec(), outcome))
}
