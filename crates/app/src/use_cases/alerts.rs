//! Alerts: what rules found, the rules themselves, and the channels that hear of it.

use chrono::{DateTime, Utc};
use marquee_platform::{
    AccountId, Action, Alert, AlertFilter, AlertPage, AlertRule, Channel, Class, Error as PlatformError,
    Holding, JobId, NewChannel, NewRule, Permit,
};
use serde_json::Value;

use crate::error::AppError;
use crate::office::Office;
use crate::watching::{Watch, tell};
use crate::work::{About, Calling};

/// What is to be looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What the rule is called.
    pub label: String,
    /// What kind of rule it is, and what that has to be told: see [`Watch`].
    pub kind: String,
    /// As that kind has it.
    pub settings: Value,
    /// The team that it belongs to.
    pub team: String,
    /// How closely it is held.
    pub class: Class,
    /// The channels that hear of it.
    pub channels: Vec<String>,
    /// Whether it looks.
    pub enabled: bool,
}

/// Alerts that may be seen, newest first; a page may be short where others are between them.
///
/// # Errors
/// A cursor that is none.
pub async fn list(
    office: &Office,
    filter: &AlertFilter,
    (after, limit): (Option<&str>, usize),
    permit: &Permit,
) -> Result<AlertPage, AppError> {
    permit.require(Action::Read)?;
    let mut found = AlertPage { alerts: Vec::new(), next: after.map(str::to_owned) };
    loop {
        let room = limit.saturating_sub(found.alerts.len()).max(1);
        let page = office.alerts.list(filter, found.next.as_deref(), room).await?;
        found.alerts.extend(page.alerts.into_iter().filter(|alert| sees(alert, permit)));
        found.next = page.next;
        if found.next.is_none() || found.alerts.len() >= limit {
            return Ok(found);
        }
    }
}

/// Notes that whoever asks has seen to an alert.
///
/// # Errors
/// [`PlatformError::NotFound`] where there is none, or none that may be seen.
pub async fn acknowledge(
    office: &Office,
    id: &str,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<Alert, AppError> {
    permit.require(Action::Read)?;
    let alert = office.alerts.get(id).await?.filter(|alert| sees(alert, permit));
    let alert = alert.ok_or_else(|| missing("alert", id))?;
    office.alerts.acknowledge(id, account(permit)?, now).await?;
    Ok(alert)
}

/// The rules that may be seen, the oldest first. What kept one from seeing all may tell of what only its owner sees: others
/// are not told.
///
/// # Errors
/// Where the state store fails.
pub async fn rules(office: &Office, permit: &Permit) -> Result<Vec<AlertRule>, AppError> {
    permit.require(Action::Read)?;
    let mut all = office.alerts.rules().await?;
    all.retain(|rule| permit.sees(&holding(rule)));
    for rule in all.iter_mut().filter(|rule| permit.account() != Some(&rule.plan.owner)) {
        rule.fault = None;
    }
    Ok(all)
}

/// Keeps a new rule, owned by whoever asks.
///
/// # Errors
/// A kind that there is not, settings that do not fit it, a channel that is not there.
pub async fn create_rule(
    office: &Office,
    draft: Draft,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<AlertRule, AppError> {
    permit.require(Action::Plan)?;
    let plan = plan(office, draft, account(permit)?.clone()).await?;
    Ok(office.alerts.create_rule(plan, now).await?)
}

/// Changes a rule, which from now on looks in the name of whoever asks; gives it as it was.
///
/// # Errors
/// [`PlatformError::NotFound`] where there is none, or none that may be seen; and as [`create_rule`].
pub async fn update_rule(
    office: &Office,
    id: &str,
    draft: Draft,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<AlertRule, AppError> {
    permit.require(Action::Plan)?;
    let before = own(office, id, permit).await?;
    let plan = plan(office, draft, account(permit)?.clone()).await?;
    office.alerts.update_rule(id, &plan, now).await?;
    tell(office, now).await?;
    Ok(before)
}

/// Removes a rule and resolves what it had found; gives it as it was.
///
/// # Errors
/// [`PlatformError::NotFound`] where there is none, or none that may be seen.
pub async fn remove_rule(
    office: &Office,
    id: &str,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<AlertRule, AppError> {
    permit.require(Action::Plan)?;
    let before = own(office, id, permit).await?;
    office.alerts.remove_rule(id, now).await?;
    tell(office, now).await?;
    Ok(before)
}

/// The channels, without what is secret of them, for those who make rules.
///
/// # Errors
/// Where the state store fails.
pub async fn channels(office: &Office, permit: &Permit) -> Result<Vec<Channel>, AppError> {
    permit.require(Action::Plan)?;
    Ok(office.alerts.channels().await?)
}

/// Keeps a new channel.
///
/// # Errors
/// A label or a secret that cannot be kept.
pub async fn create_channel(
    office: &Office,
    new: &NewChannel,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<Channel, AppError> {
    permit.require(Action::Administer)?;
    Ok(office.alerts.create_channel(new, now).await?)
}

/// Changes a channel: `change` makes of what is kept what is to be kept.
///
/// # Errors
/// [`PlatformError::NotFound`]; what `change` says; and as [`create_channel`].
pub async fn update_channel<E: From<AppError>>(
    office: &Office,
    id: &str,
    change: impl FnOnce(NewChannel) -> Result<NewChannel, E>,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<(), E> {
    permit.require(Action::Administer).map_err(AppError::from)?;
    let before = office.alerts.channel(id).await.map_err(AppError::from)?;
    let new = change(before.ok_or_else(|| missing("alert channel", id))?)?;
    Ok(office.alerts.update_channel(id, &new, now).await.map_err(AppError::from)?)
}

/// Removes a channel.
///
/// # Errors
/// [`PlatformError::NotFound`].
pub async fn remove_channel(office: &Office, id: &str, permit: &Permit) -> Result<(), AppError> {
    permit.require(Action::Administer)?;
    Ok(office.alerts.remove_channel(id).await?)
}

/// Queues a call that says that it is a test; the job tells how it went.
///
/// # Errors
/// [`PlatformError::NotFound`].
pub async fn test_channel(
    office: &Office,
    id: &str,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<JobId, AppError> {
    permit.require(Action::Administer)?;
    office.alerts.channel(id).await?.ok_or_else(|| missing("alert channel", id))?;
    let calling = Calling { channel: id.to_owned(), about: About::Test };
    Ok(office.jobs.enqueue(calling.job(account(permit)?.as_str())?, now).await?)
}

/// Whether an alert may be seen.
#[must_use]
pub fn sees(alert: &Alert, permit: &Permit) -> bool {
    let (class, team, nda) = (alert.found.class, alert.found.team.as_str(), alert.found.nda.as_deref());
    // What is held more closely than the rule is its team's, also where the rule's owner has left that.
    let owner = (!alert.closer || team.is_empty()).then_some(&alert.owner);
    permit.sees(&Holding { kind: "alert", id: &alert.id, class, team, owner, nda })
}

/// Whether alerts tell of something that whoever reads it is to be named for.
#[must_use]
pub fn are_sensitive(alerts: &[Alert]) -> bool {
    alerts.iter().any(|alert| matches!(alert.found.class, Class::Confidential | Class::Nda))
}

/// The plan of a draft, whose kind, settings and channels are such as there are.
async fn plan(office: &Office, draft: Draft, owner: AccountId) -> Result<NewRule, AppError> {
    let Draft { label, kind, settings, team, class, channels, enabled } = draft;
    Watch::read(&kind, &settings)?;
    let known = office.alerts.channels().await?;
    if let Some(id) = channels.iter().find(|id| known.iter().all(|channel| channel.id != **id)) {
        return Err(missing("alert channel", id));
    }
    Ok(NewRule { label, kind, settings, owner, team, class, channels, enabled })
}

/// A rule that may be changed, without what kept it from seeing all.
async fn own(office: &Office, id: &str, permit: &Permit) -> Result<AlertRule, AppError> {
    let rule = office.alerts.rule(id).await?.ok_or_else(|| missing("alert rule", id))?;
    permit.require_with(Action::Plan, &holding(&rule))?;
    Ok(AlertRule { fault: None, ..rule })
}

fn holding(rule: &AlertRule) -> Holding<'_> {
    let plan = &rule.plan;
    let owner = Some(&plan.owner);
    Holding { kind: "alert rule", id: &rule.id, class: plan.class, team: &plan.team, owner, nda: None }
}

/// Rules look in the name of an account: the person at the keyboard has none.
fn account(permit: &Permit) -> Result<&AccountId, AppError> {
    let reason = "need an account to belong to: log in".to_owned();
    permit.account().ok_or_else(|| PlatformError::InvalidAlert { what: "settings", reason }.into())
}

fn missing(kind: &str, id: &str) -> AppError {
    PlatformError::NotFound { kind: kind.to_owned(), id: id.chars().take(64).collect() }.into()
}
