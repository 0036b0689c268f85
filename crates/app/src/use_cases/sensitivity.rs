//! Sensitivity: on what about a title or a project its forecast hangs most.

use marquee_domain::{Control, Forecast};
use marquee_forecast::what_if::{Swing, sensitivity as swings};
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::forecasting::Inquiry;
use crate::workspace::Workspace;

/// An answer.
#[derive(Debug)]
pub struct Sensitivity {
    /// The forecast as things stand.
    pub forecast: Forecast,
    /// How far its median swings, widest first.
    pub swings: Vec<Swing>,
}

/// Answers a question.
///
/// # Errors
/// As for a forecast; [`AppError::Begun`] once the run has begun.
pub async fn sensitivity(
    workspace: &Workspace,
    about: Inquiry,
    control: &Control,
    permit: &Permit,
) -> Result<Sensitivity, AppError> {
    permit.require(Action::Read)?;
    let (forecaster, found) = about.open(workspace, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let (subject, terms) = forecaster.look_at_plan(&about, &found)?;
        let forecast = forecaster.forecast(&subject, &terms, &control)?;
        let model = forecaster.model_for(&subject, &terms, &control)?;
        let history = forecaster.history(terms.target, subject.as_of)?;
        Ok(Sensitivity { forecast, swings: swings(&model, &history, &subject, &control)? })
    })
    .await
}
