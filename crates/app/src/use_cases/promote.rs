//! Promote: a challenger becomes champion if it wins a contest on years that it was not chosen on; and the way back.

use marquee_domain::{Control, Day};
use marquee_forecast::Panel;
use marquee_forecast::tune::{Contest, contest, periods};
use marquee_platform::{Action, Permit};

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::{ModelAsk, Reach};
use crate::learners::{CONTEST_YEARS, Which, house};
use crate::workspace::Workspace;

/// Sets the challenger against the champion and, where it wins, puts it in the champion's place. The contest is over the
/// last years before `before`, or of all whose outcomes are known; they must be later than what the challenger was chosen on.
///
/// # Errors
/// [`AppError::NoChallenger`] where there is none, [`AppError::SeenBefore`] where it was chosen on these years; too few
/// films to learn from.
pub async fn promote(
    workspace: &Workspace,
    which: Which,
    (before, seed): (Option<i32>, u64),
    control: &Control,
    permit: &Permit,
) -> Result<Contest, AppError> {
    permit.require(Action::Train)?;
    let which = which.check()?;
    let learners = workspace.models().learners();
    let challenger = learners.challenger(which)?.ok_or(AppError::NoChallenger)?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge =
        workspace.knowledge(&snapshot, Reach::of(&[which.horizon], &[which.target]), permit).await?;
    let control = control.clone();
    cpu::run(move || {
        let end = knowledge.end(which, before)?;
        let years = periods(end, 1, CONTEST_YEARS)?;
        let first: Day = *years[0].start();
        if first < challenger.before {
            return Err(AppError::SeenBefore { first, before: challenger.before });
        }
        let champion = learners.champion(which, first)?;
        let scope = knowledge.scope(which.target, first);
        let panel = Panel::fold(&knowledge.facts, knowledge.settled(&scope), &scope, which.horizon)?;
        let model = ModelAsk { which, cut: first, seed }.spec(&knowledge.fingerprint, house());
        let mut found = contest(&panel, &model, &years, (&champion, &challenger.learner), &control)?;
        // Another search may have set another challenger meanwhile: nobody is crowned who did not fight.
        found.won = found.won && learners.promote(which, &challenger, end)?;
        Ok(found)
    })
    .await
}

/// Takes the champion before the present one back.
///
/// # Errors
/// [`AppError::NoEarlierChampion`] where there was none.
pub async fn rollback(workspace: &Workspace, which: Which, permit: &Permit) -> Result<(), AppError> {
    permit.require(Action::Train)?;
    match workspace.models().learners().rollback(which.check()?)? {
        true => Ok(()),
        false => Err(AppError::NoEarlierChampion),
    }
}
