//! What was found: fired, told of, acknowledged, resolved.
//!
//! Telling is at least once: an alert stays in [`Alerts::untold`] until [`Alerts::told`] says that its calls are queued, so
//! that a crash between firing and queueing loses none.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::model::{AlertBody, Cursor};
use super::rows::{self, ALERT, AlertRow, RULE};
use super::{
    Alert, AlertFilter, AlertPage, AlertRule, Alerts, Finding, Look, Taken, Told, broken, not_found, time,
};
use crate::documents::{fresh_id, is_id};
use crate::{AccountId, Error, Severity};

impl Alerts {
    /// Takes in what a look of a rule came to: findings that are new fire, alerts whose finding is gone are resolved,
    /// unless the look was unsure of it. Nothing happens if the rule was removed, or no longer looks.
    ///
    /// # Errors
    /// [`Error::InvalidAlert`] for a finding without a key or with too long a one; [`Error::NotCommitted`],
    /// [`Error::Database`], [`Error::NoRandomness`].
    pub async fn take(&self, rule: &AlertRule, look: Look, now: DateTime<Utc>) -> Result<Taken, Error> {
        let now = now.timestamp_micros();
        let Look { findings, unsure, blind, fault } = look;
        let mut kept = BTreeSet::new();
        let mut fresh = Vec::new();
        for finding in findings {
            let row = self.alert_row(rule, finding, now)?;
            kept.insert(row.finding.clone());
            fresh.push(row);
        }
        let id = rule.id.clone();
        let body = self.seal(RULE, &id, &rule.plan.body(fault.as_deref()))?;
        let seen = rule.updated_at.timestamp_micros();
        let write = self.write("take in what an alert rule found", move |connection| {
            Box::pin(async move {
                let mut taken = Taken::default();
                if !rows::looked(connection, &id, seen, now, &body).await? {
                    return Ok(taken);
                }
                for row in &fresh {
                    taken.fired += rows::fire(connection, row).await?;
                }
                for (alert, finding) in rows::open_of(connection, &id).await? {
                    let unseen = blind || unsure.iter().any(|begin| finding.starts_with(begin));
                    if !unseen && !kept.contains(&finding) {
                        taken.resolved += rows::resolve(connection, &alert, now).await?;
                    }
                }
                Ok(taken)
            })
        });
        write.await
    }

    /// At most `limit` alerts, newest first; `after` is the `next` of the page before.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`]; [`Error::Database`]; [`Error::UnknownKey`], [`Error::SealBroken`], [`Error::InvalidRow`].
    pub async fn list(
        &self,
        filter: &AlertFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AlertPage, Error> {
        let after = after.map_or(Ok(Cursor::START), str::parse::<Cursor>)?;
        // One more than asked for tells whether there is another page.
        let limit = limit.clamp(1, 1_000);
        let filter = filter.clone();
        let read = self.read("list alerts", |c| Box::pin(rows::list(c, filter, after, limit as i64 + 1)));
        let found = read.await?;
        let more = found.len() > limit;
        let alerts = found.into_iter().take(limit).map(|row| self.alert_of(row));
        let alerts = alerts.collect::<Result<Vec<_>, _>>()?;
        let next = alerts.last().filter(|_| more).map(|last| Cursor::behind(last).to_string());
        Ok(AlertPage { alerts, next })
    }

    /// An alert; `None` if there is none of this id.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn get(&self, id: &str) -> Result<Option<Alert>, Error> {
        if !is_id(id) {
            return Ok(None);
        }
        let wanted = id.to_owned();
        let found = self.read("read an alert", |c| Box::pin(rows::alert(c, wanted))).await?;
        found.map(|row| self.alert_of(row)).transpose()
    }

    /// Notes that somebody has seen to an alert; who did so first stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotCommitted`], [`Error::Database`].
    pub async fn acknowledge(&self, id: &str, by: &AccountId, now: DateTime<Utc>) -> Result<(), Error> {
        let (wanted, by, now) = (id.to_owned(), by.to_string(), now.timestamp_micros());
        let write = self.write("acknowledge an alert", move |connection| {
            Box::pin(async move { rows::acknowledge(connection, &wanted, &by, now).await })
        });
        if write.await? { Ok(()) } else { Err(not_found("alert", id)) }
    }

    /// Alerts that channels have still to be told of, and what: at most `limit`, the oldest first.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn untold(&self, limit: usize) -> Result<Vec<(Alert, Told)>, Error> {
        let limit = limit.clamp(1, 1_000) as i64;
        let found = self.read("look for alerts to tell of", |c| Box::pin(rows::untold(c, limit))).await?;
        let mut untold = Vec::new();
        for row in found {
            let what = if row.told == 0 { Told::Fired } else { Told::Resolved };
            untold.push((self.alert_of(row)?, what));
        }
        Ok(untold)
    }

    /// Notes that channels are told this of an alert.
    ///
    /// # Errors
    /// [`Error::NotCommitted`], [`Error::Database`].
    pub async fn told(&self, id: &str, what: Told) -> Result<(), Error> {
        let (wanted, stage) = (id.to_owned(), if what == Told::Fired { 1 } else { 2 });
        let write = self.write("note that an alert was told of", move |connection| {
            Box::pin(async move { rows::told(connection, &wanted, stage).await })
        });
        write.await
    }

    fn alert_row(&self, rule: &AlertRule, finding: Finding, now: i64) -> Result<AlertRow, Error> {
        let closer = finding.is_closer_than(&rule.plan);
        let finding = finding.under(&rule.plan)?;
        let id = fresh_id()?;
        Ok(AlertRow {
            body: self.seal(ALERT, &id, &finding.body())?,
            id,
            rule: rule.id.clone(),
            finding: finding.key,
            severity: finding.severity.as_str().to_owned(),
            class: finding.class.to_string(),
            team: finding.team,
            owner: rule.plan.owner.to_string(),
            nda: finding.nda,
            closer: i64::from(closer),
            channels: serde_json::json!(rule.plan.channels).to_string(),
            fired_at: now,
            resolved_at: None,
            acknowledged_by: None,
            acknowledged_at: None,
            told: 0,
        })
    }

    fn alert_of(&self, row: AlertRow) -> Result<Alert, Error> {
        let id = row.id;
        let wrong = |reason: &dyn std::fmt::Display| broken(ALERT, &id, reason);
        let AlertBody { title, text, link } = self.unseal(ALERT, &id, row.body)?;
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == row.severity);
        let by = row.acknowledged_by.map(|by| by.parse::<AccountId>()).transpose();
        let by = by.map_err(|error| wrong(&error))?;
        let acknowledged = by.zip(row.acknowledged_at);
        let acknowledged =
            acknowledged.map(|(by, at)| Ok::<_, Error>((by, time(ALERT, &id, at)?))).transpose()?;
        Ok(Alert {
            rule: row.rule,
            found: Finding {
                key: row.finding,
                title,
                text,
                severity: severity.ok_or_else(|| wrong(&format!("the severity `{}`", row.severity)))?,
                link,
                class: row.class.parse().map_err(|error| wrong(&error))?,
                team: row.team,
                nda: row.nda,
            },
            owner: row.owner.parse().map_err(|error| wrong(&error))?,
            closer: row.closer != 0,
            channels: serde_json::from_str(&row.channels).map_err(|error| wrong(&error))?,
            fired_at: time(ALERT, &id, row.fired_at)?,
            resolved_at: row.resolved_at.map(|at| time(ALERT, &id, at)).transpose()?,
            acknowledged,
            id,
        })
    }
}
