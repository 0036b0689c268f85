//! The SQL of alerts. Each change is one conditional statement, so that it is right also where another process writes at the
//! same time.

use sqlx::{AssertSqlSafe, Row as _};

use super::AlertFilter;
use super::model::Cursor;
use crate::store::{BoxFuture, Connection};

/// A row as the store's driver gives it.
type SqlRow = <<Connection as sqlx::Connection>::Database as sqlx::Database>::Row;

pub(super) const CHANNEL: &str = "alert_channel";
pub(super) const RULE: &str = "alert_rule";
pub(super) const ALERT: &str = "alert";
/// The tables whose bodies are sealed.
pub(super) const TABLES: [&str; 3] = [CHANNEL, RULE, ALERT];

const RULE_COLUMNS: &str =
    "id, kind, owner, team, class, channels, enabled, created_at, updated_at, checked_at, sealed_under, body";
const CHANNEL_COLUMNS: &str = "id, label, shape, created_at, updated_at, sealed_under, body";
const ALERT_COLUMNS: &str = "id, rule, finding, severity, class, team, owner, nda, closer, channels, fired_at, resolved_at, \
     acknowledged_by, acknowledged_at, told, sealed_under, body";

/// Sealed bytes, and the name of the key that they lie under.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) under: String,
    pub(super) bytes: Vec<u8>,
}

/// A channel as it lies in its table.
#[derive(Debug, Clone)]
pub(super) struct ChannelRow {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) shape: String,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) body: Body,
}

/// A rule as it lies in its table.
#[derive(Debug, Clone)]
pub(super) struct RuleRow {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) owner: String,
    pub(super) team: String,
    pub(super) class: String,
    pub(super) channels: String,
    pub(super) enabled: i64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) checked_at: Option<i64>,
    pub(super) body: Body,
}

/// An alert as it lies in its table.
#[derive(Debug, Clone)]
pub(super) struct AlertRow {
    pub(super) id: String,
    pub(super) rule: String,
    pub(super) finding: String,
    pub(super) severity: String,
    pub(super) class: String,
    pub(super) team: String,
    pub(super) owner: String,
    pub(super) nda: Option<String>,
    pub(super) closer: i64,
    pub(super) channels: String,
    pub(super) fired_at: i64,
    pub(super) resolved_at: Option<i64>,
    pub(super) acknowledged_by: Option<String>,
    pub(super) acknowledged_at: Option<i64>,
    pub(super) told: i64,
    pub(super) body: Body,
}

pub(super) async fn insert_channel(connection: &mut Connection, row: &ChannelRow) -> Result<(), sqlx::Error> {
    let insert = format!("INSERT INTO alert_channel ({CHANNEL_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
    let insert = sqlx::query(AssertSqlSafe(insert)).bind(row.id.clone()).bind(row.label.clone());
    let insert = insert.bind(row.shape.clone()).bind(row.created_at).bind(row.updated_at);
    let insert = insert.bind(row.body.under.clone()).bind(row.body.bytes.clone());
    insert.execute(connection).await.map(|_| ())
}

pub(super) async fn update_channel(
    connection: &mut Connection,
    row: &ChannelRow,
) -> Result<bool, sqlx::Error> {
    let update = sqlx::query(
        "UPDATE alert_channel SET label = $2, shape = $3, updated_at = $4, sealed_under = $5, body = $6 WHERE id = $1",
    );
    let update = update.bind(row.id.clone()).bind(row.label.clone()).bind(row.shape.clone());
    let update = update.bind(row.updated_at).bind(row.body.under.clone()).bind(row.body.bytes.clone());
    Ok(update.execute(connection).await?.rows_affected() == 1)
}

/// The channel of this id, or all by label.
pub(super) async fn channels(
    connection: &mut Connection,
    id: Option<String>,
) -> Result<Vec<ChannelRow>, sqlx::Error> {
    let found = match id {
        Some(id) => {
            let one = format!("SELECT {CHANNEL_COLUMNS} FROM alert_channel WHERE id = $1");
            sqlx::query(AssertSqlSafe(one)).bind(id).fetch_all(connection).await?
        }
        None => {
            let all = format!("SELECT {CHANNEL_COLUMNS} FROM alert_channel ORDER BY label, id");
            sqlx::query(AssertSqlSafe(all)).fetch_all(connection).await?
        }
    };
    let channel = |row: &SqlRow| {
        Ok(ChannelRow {
            id: row.try_get(0)?,
            label: row.try_get(1)?,
            shape: row.try_get(2)?,
            created_at: row.try_get(3)?,
            updated_at: row.try_get(4)?,
            body: body(row, 5)?,
        })
    };
    found.iter().map(channel).collect()
}

pub(super) async fn insert_rule(connection: &mut Connection, row: &RuleRow) -> Result<(), sqlx::Error> {
    let insert = format!(
        "INSERT INTO alert_rule ({RULE_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, $11)"
    );
    let insert = sqlx::query(AssertSqlSafe(insert)).bind(row.id.clone()).bind(row.kind.clone());
    let insert = insert.bind(row.owner.clone()).bind(row.team.clone()).bind(row.class.clone());
    let insert =
        insert.bind(row.channels.clone()).bind(row.enabled).bind(row.created_at).bind(row.updated_at);
    let insert = insert.bind(row.body.under.clone()).bind(row.body.bytes.clone());
    insert.execute(connection).await.map(|_| ())
}

pub(super) async fn update_rule(connection: &mut Connection, row: &RuleRow) -> Result<bool, sqlx::Error> {
    let update = sqlx::query(
        "UPDATE alert_rule SET kind = $2, owner = $3, team = $4, class = $5, channels = $6, enabled = $7, \
         updated_at = $8, sealed_under = $9, body = $10 WHERE id = $1",
    );
    let update = update.bind(row.id.clone()).bind(row.kind.clone()).bind(row.owner.clone());
    let update = update.bind(row.team.clone()).bind(row.class.clone()).bind(row.channels.clone());
    let update = update.bind(row.enabled).bind(row.updated_at);
    let update = update.bind(row.body.under.clone()).bind(row.body.bytes.clone());
    Ok(update.execute(connection).await?.rows_affected() == 1)
}

/// The rule of this id, or all in the order in which they were made.
pub(super) async fn rules(
    connection: &mut Connection,
    id: Option<String>,
) -> Result<Vec<RuleRow>, sqlx::Error> {
    let found = match id {
        Some(id) => {
            let one = format!("SELECT {RULE_COLUMNS} FROM alert_rule WHERE id = $1");
            sqlx::query(AssertSqlSafe(one)).bind(id).fetch_all(connection).await?
        }
        None => {
            let all = format!("SELECT {RULE_COLUMNS} FROM alert_rule ORDER BY created_at, id");
            sqlx::query(AssertSqlSafe(all)).fetch_all(connection).await?
        }
    };
    let rule = |row: &SqlRow| {
        Ok(RuleRow {
            id: row.try_get(0)?,
            kind: row.try_get(1)?,
            owner: row.try_get(2)?,
            team: row.try_get(3)?,
            class: row.try_get(4)?,
            channels: row.try_get(5)?,
            enabled: row.try_get(6)?,
            created_at: row.try_get(7)?,
            updated_at: row.try_get(8)?,
            checked_at: row.try_get(9)?,
            body: body(row, 10)?,
        })
    };
    found.iter().map(rule).collect()
}

/// Notes that a rule looked; false if it is gone, no longer looks, or was changed since `seen`.
pub(super) async fn looked(
    connection: &mut Connection,
    rule: &str,
    seen: i64,
    now: i64,
    body: &Body,
) -> Result<bool, sqlx::Error> {
    let update = sqlx::query(
        "UPDATE alert_rule SET checked_at = $3, sealed_under = $4, body = $5 \
         WHERE id = $1 AND updated_at = $2 AND enabled = 1",
    );
    let update = update.bind(rule.to_owned()).bind(seen).bind(now);
    let update = update.bind(body.under.clone()).bind(body.bytes.clone());
    Ok(update.execute(connection).await?.rows_affected() == 1)
}

/// Puts a new alert down, unless its finding has fired and is not resolved; how many were put down.
pub(super) async fn fire(connection: &mut Connection, row: &AlertRow) -> Result<u64, sqlx::Error> {
    let insert = format!(
        "INSERT INTO alert ({ALERT_COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, NULL, NULL, 0, $12, $13) \
         ON CONFLICT (rule, finding) WHERE resolved_at IS NULL DO NOTHING"
    );
    let insert = sqlx::query(AssertSqlSafe(insert)).bind(row.id.clone()).bind(row.rule.clone());
    let insert = insert.bind(row.finding.clone()).bind(row.severity.clone()).bind(row.class.clone());
    let insert = insert.bind(row.team.clone()).bind(row.owner.clone()).bind(row.nda.clone()).bind(row.closer);
    let insert = insert.bind(row.channels.clone()).bind(row.fired_at);
    let insert = insert.bind(row.body.under.clone()).bind(row.body.bytes.clone());
    Ok(insert.execute(connection).await?.rows_affected())
}

/// The ids and findings of a rule's alerts that are not resolved.
pub(super) async fn open_of(
    connection: &mut Connection,
    rule: &str,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let open = sqlx::query("SELECT id, finding FROM alert WHERE rule = $1 AND resolved_at IS NULL");
    let found = open.bind(rule.to_owned()).fetch_all(connection).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) async fn resolve(connection: &mut Connection, alert: &str, now: i64) -> Result<u64, sqlx::Error> {
    let update = sqlx::query("UPDATE alert SET resolved_at = $2 WHERE id = $1 AND resolved_at IS NULL");
    Ok(update.bind(alert.to_owned()).bind(now).execute(connection).await?.rows_affected())
}

pub(super) async fn resolve_all(
    connection: &mut Connection,
    rule: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    let update = sqlx::query("UPDATE alert SET resolved_at = $2 WHERE rule = $1 AND resolved_at IS NULL");
    update.bind(rule.to_owned()).bind(now).execute(connection).await.map(|_| ())
}

/// Alerts behind a place, newest first.
pub(super) fn list(
    connection: &mut Connection,
    filter: AlertFilter,
    after: Cursor,
    limit: i64,
) -> BoxFuture<'_, Result<Vec<AlertRow>, sqlx::Error>> {
    let open = match filter.open {
        None => "",
        Some(true) => " AND resolved_at IS NULL",
        Some(false) => " AND resolved_at IS NOT NULL",
    };
    // What is not asked for is bound too, so that there is one order of parameters.
    let of = if filter.rule.is_some() { "rule = $4" } else { "CAST($4 AS TEXT) = ''" };
    let list = format!(
        "SELECT {ALERT_COLUMNS} FROM alert WHERE (fired_at < $1 OR (fired_at = $1 AND id > $2)) AND {of}{open} \
         ORDER BY fired_at DESC, id LIMIT $3"
    );
    Box::pin(async move {
        let list = sqlx::query(AssertSqlSafe(list)).bind(after.fired_at).bind(after.id).bind(limit);
        let found = list.bind(filter.rule.unwrap_or_default()).fetch_all(connection).await?;
        found.iter().map(alert_row).collect()
    })
}

pub(super) async fn alert(connection: &mut Connection, id: String) -> Result<Option<AlertRow>, sqlx::Error> {
    let one = format!("SELECT {ALERT_COLUMNS} FROM alert WHERE id = $1");
    let found = sqlx::query(AssertSqlSafe(one)).bind(id).fetch_optional(connection).await?;
    found.as_ref().map(alert_row).transpose()
}

/// Notes who has seen to an alert, where nobody had; whether there is one of this id.
pub(super) async fn acknowledge(
    connection: &mut Connection,
    id: &str,
    by: &str,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let update = sqlx::query(
        "UPDATE alert SET acknowledged_at = CASE WHEN acknowledged_by IS NULL THEN $3 ELSE acknowledged_at END, \
         acknowledged_by = COALESCE(acknowledged_by, $2) WHERE id = $1",
    );
    let update = update.bind(id.to_owned()).bind(by.to_owned()).bind(now);
    Ok(update.execute(connection).await?.rows_affected() == 1)
}

/// Alerts of which there is something to tell, the oldest first.
pub(super) async fn untold(connection: &mut Connection, limit: i64) -> Result<Vec<AlertRow>, sqlx::Error> {
    let untold = format!(
        "SELECT {ALERT_COLUMNS} FROM alert WHERE told < 2 AND (told = 0 OR resolved_at IS NOT NULL) \
         ORDER BY fired_at, id LIMIT $1"
    );
    let found = sqlx::query(AssertSqlSafe(untold)).bind(limit).fetch_all(connection).await?;
    found.iter().map(alert_row).collect()
}

pub(super) async fn told(connection: &mut Connection, id: &str, stage: i64) -> Result<(), sqlx::Error> {
    let update = sqlx::query("UPDATE alert SET told = $2 WHERE id = $1 AND told < $2");
    update.bind(id.to_owned()).bind(stage).execute(connection).await.map(|_| ())
}

/// Removes a row of one of the tables; whether it was there.
pub(super) async fn remove(
    connection: &mut Connection,
    table: &'static str,
    id: &str,
) -> Result<bool, sqlx::Error> {
    let delete = sqlx::query(AssertSqlSafe(format!("DELETE FROM {table} WHERE id = $1"))).bind(id.to_owned());
    Ok(delete.execute(connection).await?.rows_affected() == 1)
}

/// Every sealed body of a table with the id of its row.
pub(super) fn bodies<'c>(
    connection: &'c mut Connection,
    table: &'static str,
) -> BoxFuture<'c, Result<Vec<(String, Body)>, sqlx::Error>> {
    Box::pin(async move {
        let all = AssertSqlSafe(format!("SELECT id, sealed_under, body FROM {table} ORDER BY id"));
        let found = sqlx::query(all).fetch_all(connection).await?;
        found.iter().map(|row| Ok((row.try_get(0)?, body(row, 1)?))).collect()
    })
}

/// Puts a newly sealed body in place of one that still lies under the key that it was read under.
pub(super) async fn reseal(
    connection: &mut Connection,
    table: &'static str,
    id: &str,
    under: &str,
    new: &Body,
) -> Result<u64, sqlx::Error> {
    let update =
        format!("UPDATE {table} SET sealed_under = $3, body = $4 WHERE id = $1 AND sealed_under = $2");
    let update = sqlx::query(AssertSqlSafe(update)).bind(id.to_owned()).bind(under.to_owned());
    let update = update.bind(new.under.clone()).bind(new.bytes.clone());
    Ok(update.execute(connection).await?.rows_affected())
}

fn alert_row(row: &SqlRow) -> Result<AlertRow, sqlx::Error> {
    Ok(AlertRow {
        id: row.try_get(0)?,
        rule: row.try_get(1)?,
        finding: row.try_get(2)?,
        severity: row.try_get(3)?,
        class: row.try_get(4)?,
        team: row.try_get(5)?,
        owner: row.try_get(6)?,
        nda: row.try_get(7)?,
        closer: row.try_get(8)?,
        channels: row.try_get(9)?,
        fired_at: row.try_get(10)?,
        resolved_at: row.try_get(11)?,
        acknowledged_by: row.try_get(12)?,
        acknowledged_at: row.try_get(13)?,
        told: row.try_get(14)?,
        body: body(row, 15)?,
    })
}

fn body(row: &SqlRow, first: usize) -> Result<Body, sqlx::Error> {
    Ok(Body { under: row.try_get(first)?, bytes: row.try_get(first + 1)? })
}
