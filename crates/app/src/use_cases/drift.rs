//! Drift: whether a year's films still look like those that its model learned from, and its outcomes fall where it said.

use marquee_domain::{Control, Day};
use marquee_forecast::Panel;
use marquee_forecast::drift::{Drift, drift as judge, fewest};
use marquee_learn::drift::DriftSpec;
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{ModelAsk, Reach};
use crate::learners::Which;
use crate::workspace::Workspace;

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftQuestion {
    /// Of which models.
    pub which: Which,
    /// The release year that is looked at.
    pub year: i32,
    /// How many years before it are what it is set against.
    pub back: u32,
    /// The seed of all randomness.
    pub seed: u64,
}

/// Looks for drift in the films of a year whose outcomes are known by now.
///
/// # Errors
/// [`AppError::NotAsked`] where no model speaks of the target there; too few settled titles.
pub async fn drift(
    workspace: &Workspace,
    question: DriftQuestion,
    control: &Control,
    permit: &Permit,
) -> Result<Drift, AppError> {
    permit.require(Action::Read)?;
    let DriftQuestion { year, back, seed, .. } = question;
    let which = question.which.check()?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge =
        workspace.knowledge(&snapshot, Reach::of(&[which.horizon], &[which.target]), permit).await?;
    let (models, control) = (workspace.models(), control.clone());
    cpu::run(move || {
        let first = Day::new(year, 1, 1)?;
        let new = first..=Day::new(year, 12, 31)?;
        let earlier = Day::new(year.saturating_sub_unsigned(back), 1, 1)?..=first.plus(-1);
        let scope = knowledge.scope(which.target, first);
        let panel = Panel::fold(&knowledge.facts, knowledge.settled(&scope), &scope, which.horizon)?;
        fewest(&panel, (which.population, which.target), [&earlier, &new])?;
        let ask = ModelAsk { which, cut: first, seed };
        let model = knowledge.model(&models, &ask, &control)?;
        let spec = DriftSpec { seed, ..DriftSpec::default() };
        Ok(judge(&panel, &model, (&earlier, &new), spec)?)
    })
    .await
}
