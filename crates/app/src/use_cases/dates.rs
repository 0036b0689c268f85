//! Dates: when a title or a project had best open, weekend by weekend, against the competition as known.

use marquee_domain::{AsOf, Control, Day, Horizon, Population};
use marquee_forecast::what_if::{Weekend, weekends};
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Inquiry;
use crate::workspace::Workspace;

/// A question.
#[derive(Debug, Clone)]
pub struct DatesQuestion {
    /// What is to open, and what is to be large.
    pub about: Inquiry,
    /// The first day that comes into question, if it is after the as-of day; half a year before the plan where nobody says.
    pub from: Option<Day>,
    /// The last one; half a year after the plan where nobody says.
    pub to: Option<Day>,
}

/// An answer.
#[derive(Debug)]
pub struct Dates {
    /// The title or project.
    pub name: String,
    /// How much was known.
    pub horizon: Horizon,
    /// The day whose knowledge was used.
    pub as_of: AsOf,
    /// Which films the model speaks of.
    pub population: Population,
    /// What it comes to on its own day.
    pub planned: Weekend,
    /// What it comes to on each Friday, in order of time.
    pub weekends: Vec<Weekend>,
}

/// Answers a question: by the model that sees release dates, also where only the season is planned yet.
///
/// # Errors
/// As for a forecast; [`AppError::Begun`] once the run has begun.
pub async fn dates(
    workspace: &Workspace,
    question: DatesQuestion,
    control: &Control,
    permit: &Permit,
) -> Result<Dates, AppError> {
    permit.require(Action::Read)?;
    let (forecaster, found) = question.about.open(workspace, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let (plan, terms) = forecaster.look_at_plan(&question.about, &found)?;
        let (subject, as_of) = (plan.dated(), plan.as_of);
        let model = forecaster.model_for(&subject, &terms, &control)?;
        let history = forecaster.history(terms.target, as_of)?;
        let half_a_year = |weeks: i32| subject.release.plus(7 * weeks);
        let span = (question.from.unwrap_or(half_a_year(-26)), question.to.unwrap_or(half_a_year(26)));
        let mut all = weekends(&model, &history, &subject, span, &control)?.into_iter();
        let planned = all.next().ok_or_else(|| AppError::Computation("no weekend was judged".to_owned()))?;
        let mut weekends: Vec<Weekend> = all.chain([planned.clone()]).collect();
        weekends.sort_by_key(|weekend| weekend.release);
        let (name, horizon, population) = (found.name().to_owned(), subject.horizon, model.population());
        Ok(Dates { name, horizon, as_of, population, planned, weekends })
    })
    .await
}
