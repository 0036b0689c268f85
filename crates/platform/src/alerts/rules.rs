//! Rules: made, changed, removed, listed.

use chrono::{DateTime, Utc};

use super::model::RuleBody;
use super::rows::{self, RULE, RuleRow};
use super::{AlertRule, Alerts, NewRule, broken, not_found, time};
use crate::Error;
use crate::documents::{fresh_id, is_id};

impl Alerts {
    /// Keeps a new rule.
    ///
    /// # Errors
    /// [`Error::InvalidAlert`] and [`Error::InvalidName`] for what cannot be kept; [`Error::NotCommitted`],
    /// [`Error::Database`], [`Error::NoRandomness`].
    pub async fn create_rule(&self, plan: NewRule, now: DateTime<Utc>) -> Result<AlertRule, Error> {
        plan.check()?;
        let id = fresh_id()?;
        let row = self.rule_row(&id, &plan, now)?;
        let write = self.write("keep an alert rule", move |connection| {
            Box::pin(async move { rows::insert_rule(connection, &row).await })
        });
        write.await?;
        Ok(AlertRule { id, plan, created_at: now, updated_at: now, checked_at: None, fault: None })
    }

    /// Changes a rule. One that no longer looks resolves what it had found.
    ///
    /// # Errors
    /// [`Error::NotFound`]; and as [`Self::create_rule`].
    pub async fn update_rule(&self, id: &str, plan: &NewRule, now: DateTime<Utc>) -> Result<(), Error> {
        plan.check()?;
        let row = self.rule_row(id, plan, now)?;
        let write = self.write("change an alert rule", move |connection| {
            Box::pin(async move {
                let found = rows::update_rule(connection, &row).await?;
                if found && row.enabled == 0 {
                    rows::resolve_all(connection, &row.id, row.updated_at).await?;
                }
                Ok(found)
            })
        });
        if write.await? { Ok(()) } else { Err(not_found("alert rule", id)) }
    }

    /// Removes a rule and resolves what it had found.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotCommitted`], [`Error::Database`].
    pub async fn remove_rule(&self, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let (wanted, now) = (id.to_owned(), now.timestamp_micros());
        let write = self.write("remove an alert rule", move |connection| {
            Box::pin(async move {
                rows::resolve_all(connection, &wanted, now).await?;
                rows::remove(connection, RULE, &wanted).await
            })
        });
        if write.await? { Ok(()) } else { Err(not_found("alert rule", id)) }
    }

    /// A rule; `None` if there is none of this id.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::UnknownKey`], [`Error::SealBroken`], [`Error::InvalidRow`].
    pub async fn rule(&self, id: &str) -> Result<Option<AlertRule>, Error> {
        if !is_id(id) {
            return Ok(None);
        }
        let wanted = id.to_owned();
        let found = self.read("read an alert rule", |c| Box::pin(rows::rules(c, Some(wanted)))).await?;
        found.into_iter().next().map(|row| self.rule_of(row)).transpose()
    }

    /// All rules, the oldest first.
    ///
    /// # Errors
    /// As [`Self::rule`].
    pub async fn rules(&self) -> Result<Vec<AlertRule>, Error> {
        let found = self.read("list the alert rules", |c| Box::pin(rows::rules(c, None))).await?;
        found.into_iter().map(|row| self.rule_of(row)).collect()
    }

    fn rule_row(&self, id: &str, plan: &NewRule, now: DateTime<Utc>) -> Result<RuleRow, Error> {
        let now = now.timestamp_micros();
        Ok(RuleRow {
            id: id.to_owned(),
            kind: plan.kind.clone(),
            owner: plan.owner.to_string(),
            team: plan.team.clone(),
            class: plan.class.to_string(),
            channels: serde_json::json!(plan.channels).to_string(),
            enabled: i64::from(plan.enabled),
            created_at: now,
            updated_at: now,
            checked_at: None,
            body: self.seal(RULE, id, &plan.body(None))?,
        })
    }

    fn rule_of(&self, row: RuleRow) -> Result<AlertRule, Error> {
        let id = row.id;
        let wrong = |reason: &dyn std::fmt::Display| broken(RULE, &id, reason);
        let RuleBody { label, settings, fault } = self.unseal(RULE, &id, row.body)?;
        Ok(AlertRule {
            plan: NewRule {
                label,
                settings,
                kind: row.kind,
                owner: row.owner.parse().map_err(|error| wrong(&error))?,
                team: row.team,
                class: row.class.parse().map_err(|error| wrong(&error))?,
                channels: serde_json::from_str(&row.channels).map_err(|error| wrong(&error))?,
                enabled: row.enabled != 0,
            },
            created_at: time(RULE, &id, row.created_at)?,
            updated_at: time(RULE, &id, row.updated_at)?,
            checked_at: row.checked_at.map(|at| time(RULE, &id, at)).transpose()?,
            fault,
            id,
        })
    }
}
