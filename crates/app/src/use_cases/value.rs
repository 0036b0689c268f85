//! Value: what projects are worth to everybody who takes part, and what could go wrong.

use marquee_domain::{Control, Forecast};
use marquee_invest::Valuation;
use marquee_platform::{Action, Permit};

use crate::choosing::Plans;
use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::workspace::Workspace;

/// Projects with what they are worth.
#[derive(Debug)]
pub struct Valued {
    /// The worldwide forecast of each project, in order.
    pub forecasts: Vec<Forecast>,
    /// What each brings to everybody, in order.
    pub valuations: Vec<Valuation>,
}

/// Values projects.
///
/// # Errors
/// A project that cannot be forecast or judged, a deal that does not fit it.
pub async fn value(
    workspace: &Workspace,
    plans: Plans,
    control: &Control,
    permit: &Permit,
) -> Result<Valued, AppError> {
    permit.require(Action::Read)?;
    let forecaster = workspace.forecaster(Reach::Plans, permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let (forecasts, candidates) = plans.forecast(&forecaster, &control)?;
        let valuations = plans.simulation().value(None, &candidates, &plans.deal, &control)?;
        Ok(Valued { forecasts, valuations })
    })
    .await
}
