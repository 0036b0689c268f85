//! From projects to forecasts, candidates and scenarios.
//!
//! Not a use case: those that are about projects and money stand on it.

use std::time::{Duration, Instant};

use marquee_domain::{AsOf, Control, Day, Forecast, Project, Target};
use marquee_invest::{Candidate, Deal, Simulation};

use crate::asked::project_day;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Terms};

/// Projects to be reckoned with: under which deal, with what knowledge, in how many scenarios.
#[derive(Debug, Clone)]
pub struct Plans {
    /// The projects.
    pub projects: Vec<Project>,
    /// The deal that their profits are reckoned with.
    pub deal: Deal,
    /// The day whose knowledge may be used; for each project as [`project_day`] says where nobody does.
    pub as_of: Option<Day>,
    /// The day of asking.
    pub today: Day,
    /// Scenarios that are simulated.
    pub scenarios: usize,
    /// The seed of all randomness.
    pub seed: u64,
}

impl Plans {
    /// Each project with its worldwide forecast, in order.
    ///
    /// # Errors
    /// A project that cannot be forecast or judged, or a stop.
    pub fn forecast(
        &self,
        forecaster: &Forecaster,
        control: &Control,
    ) -> Result<(Vec<Forecast>, Vec<Candidate>), AppError> {
        let mut forecasts = Vec::with_capacity(self.projects.len());
        for (i, project) in self.projects.iter().enumerate() {
            let as_of = AsOf(self.as_of.unwrap_or_else(|| project_day(project, self.today)));
            let terms = Terms { target: Target::Worldwide, population: None, as_of, seed: self.seed };
            forecasts.push(forecaster.project(project, &terms, control)?);
            control.step("forecasting projects", i as u64 + 1, self.projects.len() as u64);
        }
        let candidates = candidates(&self.projects, &forecasts)?;
        Ok((forecasts, candidates))
    }

    /// The simulation that the plans ask for.
    #[must_use]
    pub fn simulation(&self) -> Simulation {
        Simulation { scenarios: self.scenarios, seed: self.seed, ..Simulation::default() }
    }
}

/// Each project with its forecast.
///
/// # Errors
/// A project that cannot be judged.
pub fn candidates(projects: &[Project], forecasts: &[Forecast]) -> Result<Vec<Candidate>, AppError> {
    let pairs = projects.iter().zip(forecasts);
    let candidates = pairs.map(|(p, f)| Candidate::new(p.clone(), std::slice::from_ref(f)));
    Ok(candidates.collect::<Result<_, _>>()?)
}

/// A control that stops after a time limit from now on.
pub fn limited(control: &Control, limit: Option<Duration>) -> Control {
    match limit {
        Some(limit) => control.clone().until(Instant::now() + limit),
        None => control.clone(),
    }
}
