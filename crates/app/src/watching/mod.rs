//! Watching: what alert rules look for, and looking for it.
//!
//! Not a use case: it runs in the background and puts several of them to work, each rule with the permit of its owner as of
//! now. A rule whose owner was shut out rests, and what it had found stays as it is. Each look's findings go to the office's
//! [`Alerts`](marquee_platform::Alerts), which fire what is new and resolve what is gone; what channels are to hear is queued
//! as jobs of their own, at least once.

mod findings;
mod looks;
mod rules;

use chrono::{DateTime, Utc};
use marquee_domain::{Control, Project};
use marquee_invest::Deal;
use marquee_platform::{AlertRule, Look, Permit, Told};
use serde_json::Value;

use crate::error::AppError;
use crate::office::Office;
use crate::work::{About, Calling};
use crate::workspace::Workspace;

pub use rules::{Coverage, DataQuality, DriftWatch, LossProbability, OpeningBelow, Stale, Watch};

/// Alerts that are told of in one go.
const AT_ONCE: usize = 100;

/// What a look rests on besides the data.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The deal in force.
    pub deal: Deal,
    /// The seed of all randomness.
    pub seed: u64,
    /// The projects that the body of a project or a slate tells of: how it is written is a matter of the outside.
    pub read: fn(&Value) -> Result<Vec<Project>, String>,
}

/// What looking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watched {
    /// Rules that looked.
    pub looked: u64,
    /// Rules whose owner may not look any more.
    pub resting: u64,
    /// Rules whose look was not whole.
    pub faulty: u64,
    /// Findings that are new.
    pub fired: u64,
    /// Alerts that were found no more.
    pub resolved: u64,
    /// Calls that were queued.
    pub calls: u64,
}

/// Lets every rule that is switched on look, fires and resolves, and queues what channels are to hear.
///
/// # Errors
/// Where it was stopped, or the state store fails. That a rule could not look is kept with the rule.
pub async fn evaluate(
    workspace: &Workspace,
    office: &Office,
    terms: &Terms,
    now: DateTime<Utc>,
    control: &Control,
) -> Result<Watched, AppError> {
    let mut watched = Watched::default();
    let rules = office.alerts.rules().await?;
    for rule in rules.iter().filter(|rule| rule.plan.enabled) {
        let Some(permit) = permit(office, rule).await? else {
            watched.resting += 1;
            continue;
        };
        let at = looks::At { workspace, office, terms, now, control, permit: &permit };
        let look = match looks::look(&at, rule).await {
            Ok(look) => look,
            Err(error) if error.is_stop() => return Err(error),
            Err(error) => Look { blind: true, fault: Some(error.to_string()), ..Look::default() },
        };
        watched.looked += 1;
        watched.faulty += u64::from(look.fault.is_some());
        let taken = office.alerts.take(rule, look, now).await?;
        (watched.fired, watched.resolved) = (watched.fired + taken.fired, watched.resolved + taken.resolved);
    }
    watched.calls = tell(office, now).await?;
    Ok(watched)
}

/// Queues what channels are to hear of alerts; how many calls.
///
/// # Errors
/// Where the state store fails.
pub async fn tell(office: &Office, now: DateTime<Utc>) -> Result<u64, AppError> {
    let mut calls = 0;
    loop {
        let due = office.alerts.untold(AT_ONCE).await?;
        for (alert, told) in &due {
            let about = match told {
                Told::Fired => About::Fired { alert: alert.id.clone() },
                Told::Resolved => About::Resolved { alert: alert.id.clone() },
            };
            for channel in &alert.channels {
                let calling = Calling { channel: channel.clone(), about: about.clone() };
                office.jobs.enqueue(calling.job(alert.owner.as_str())?, now).await?;
                calls += 1;
            }
            office.alerts.told(&alert.id, *told).await?;
        }
        if due.is_empty() {
            return Ok(calls);
        }
    }
}

/// What the owner of a rule may do now; nothing for one who may not log in.
async fn permit(office: &Office, rule: &AlertRule) -> Result<Option<Permit>, AppError> {
    let account = office.accounts.get(&rule.plan.owner).await?;
    let account = account.filter(|account| !account.disabled);
    Ok(account.map(|account| office.policies.permit(&account, None)))
}
