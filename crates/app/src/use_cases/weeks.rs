//! Weeks: what a film takes week by week after its opening weekend, and in the end.

use marquee_domain::{Control, Day, Forecast, Horizon, Population, Target};
use marquee_forecast::has_charts;
use marquee_forecast::weeks::Week;
use marquee_platform::{Action, Permit};

use crate::asked::{Asked, Found};
use crate::cpu;
use crate::error::AppError;
use crate::forecasting::{Forecaster, Terms};
use crate::knowledge::{Reach, training_cut};
use crate::workspace::Workspace;

/// The weeks of a run as of its first Sunday.
#[derive(Debug)]
pub struct Weeks {
    /// The whole run.
    pub run: Forecast,
    /// On which films the model of weeks was trained.
    pub population: Population,
    /// What was taken by that Sunday, US dollars, nominal.
    pub taken: Option<f64>,
    /// The weeks from the second on, each with what it took where the catalogue knows, US dollars, nominal.
    pub weeks: Vec<(Week, Option<f64>)>,
}

/// Forecasts the weeks of a title's run in the United States and Canada.
///
/// # Errors
/// A title that cannot be told or has no daily chart; too few charted films to learn from.
pub async fn weeks(
    workspace: &Workspace,
    title: &str,
    seed: u64,
    control: &Control,
    permit: &Permit,
) -> Result<Weeks, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let found = Asked::Title(title.to_owned()).find(&snapshot).await?;
    let knowledge = workspace.knowledge(&snapshot, Reach::Runs, permit).await?;
    let (models, control) = (workspace.models(), control.clone());
    cpu::run(move || {
        if !has_charts(&knowledge.facts) {
            return Err(AppError::NoChart { name: found.name().to_owned() });
        }
        let scope = knowledge.scope(Target::Domestic, Day::MAX);
        let settled = knowledge.settled(&scope);
        let (name, stated) = (found.name().to_owned(), found.release()?);
        let Found::Title(title) = found else { return Err(AppError::NoTitle(name)) };
        let release = knowledge.release(&scope, title.id).unwrap_or(stated);
        let as_of = Horizon::Weekend1.as_of(release);
        let forecaster = Forecaster::new(knowledge, models.clone());
        let terms = Terms { target: Target::Domestic, population: None, as_of, seed };
        let subject = forecaster.look_at_title(title.id, &name, stated, &terms)?;
        let run = forecaster.forecast(&subject, &terms, &control)?;
        let population = run.population;
        let history = forecaster.history(Target::Domestic, as_of)?;
        let cut = training_cut(as_of);
        let fitted = forecaster.knowledge().weeks(&models, (population, cut, seed), &control)?;
        let forecast = fitted.weeks(&history, &subject)?;
        let took = settled.into_iter().find(|e| e.title == title.id).map(|e| e.weeks).unwrap_or_default();
        let took = took.into_iter().chain(std::iter::repeat(None));
        let taken = history.taken(title.id);
        Ok(Weeks { run, population, taken, weeks: forecast.into_iter().zip(took).collect() })
    })
    .await
}
