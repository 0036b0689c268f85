//! The SQL of jobs but for how they change hands: to put one in the queue, to read, to cancel, to try again, to prune.
//!
//! Each change is one conditional statement, so that it is right also where another process writes at the same time.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::Row as _;

use super::job::{Job, JobFilter, JobId, JobState, Lease, LogLine, NewJob, Progress};
use crate::store::Connection;

type Db = <Connection as sqlx::Connection>::Database;
/// A row as the database of the state store gives it.
pub(super) type SqlRow = <Db as sqlx::Database>::Row;

/// The columns that [`job`] reads, in order.
macro_rules! columns {
    () => {
        "id, kind, label, owner, unique_key, payload, state, attempts, made, cancel_asked, progress_what, \
         progress_done, progress_total, next_run, created_at, started_at, finished_at, worker, lease_until, error, \
         result, runs"
    };
}
pub(super) use columns;

/// How often a job is tried to be put beside one with its key that ends at the same moment.
const TRIES: usize = 8;
/// Jobs that are pruned in one write, so that others need not wait long.
const PRUNED_AT_ONCE: i64 = 200;

/// A job that is ready to be queued.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) id: JobId,
    pub(super) job: NewJob,
    pub(super) payload: String,
    pub(super) now: i64,
}

/// Where a job was put.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) id: JobId,
    /// False if it is a job that was there.
    pub(super) fresh: bool,
}

/// Queues a job, unless one with its key is queued or running.
pub(super) async fn place(connection: &mut Connection, draft: &Draft) -> Result<Placed, sqlx::Error> {
    for _ in 0..TRIES {
        if insert(connection, draft).await? {
            return Ok(Placed { id: draft.id.clone(), fresh: true });
        }
        // None if the other one ended since: then there is room now.
        if let Some(id) = with_key(connection, draft.job.unique.as_deref()).await? {
            return Ok(Placed { id, fresh: false });
        }
    }
    Err(sqlx::Error::Protocol("a job with this key came and went again and again".to_owned()))
}

async fn insert(connection: &mut Connection, draft: &Draft) -> Result<bool, sqlx::Error> {
    let insert = sqlx::query(
        "INSERT INTO job (id, kind, label, owner, unique_key, payload, state, attempts, made, runs, cancel_asked, \
         progress_what, progress_done, progress_total, next_run, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, 0, 0, 0, '', 0, 0, $8, $9) \
         ON CONFLICT (unique_key) WHERE state IN ('queued', 'running') DO NOTHING",
    );
    let job = &draft.job;
    let insert = insert
        .bind(draft.id.as_str().to_owned())
        .bind(job.kind.clone())
        .bind(job.label.clone())
        .bind(job.owner.clone())
        .bind(job.unique.clone())
        .bind(draft.payload.clone())
        .bind(i64::from(job.attempts))
        .bind(job.run_after.map_or(draft.now, |time| time.timestamp_micros()))
        .bind(draft.now);
    Ok(insert.execute(connection).await?.rows_affected() == 1)
}

async fn with_key(connection: &mut Connection, key: Option<&str>) -> Result<Option<JobId>, sqlx::Error> {
    let find = "SELECT id FROM job WHERE unique_key = $1 AND state IN ('queued', 'running')";
    let row = sqlx::query(find).bind(key.map(str::to_owned)).fetch_optional(connection).await?;
    row.as_ref().map(|row| parsed(&row.try_get::<String, _>(0)?)).transpose()
}

pub(super) async fn find(connection: &mut Connection, id: &JobId) -> Result<Option<Job>, sqlx::Error> {
    let find = sqlx::query(concat!("SELECT ", columns!(), " FROM job WHERE id = $1"));
    let row = find.bind(id.as_str().to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(job).transpose()
}

pub(super) async fn list(
    connection: &mut Connection,
    filter: &JobFilter,
    limit: i64,
) -> Result<Vec<Job>, sqlx::Error> {
    let list = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM job WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR owner = $3) \
         AND ($4 IS NULL OR created_at < $4 OR (created_at = $4 AND id < $5)) \
         ORDER BY created_at DESC, id DESC LIMIT $6"
    ));
    let before = filter.before.as_ref();
    let rows = list
        .bind(filter.state.map(|state| state.as_str().to_owned()))
        .bind(filter.kind.clone())
        .bind(filter.owner.clone())
        .bind(before.map(|place| place.created_at))
        .bind(before.map(|place| place.id.as_str().to_owned()))
        .bind(limit);
    rows.fetch_all(connection).await?.iter().map(job).collect()
}

/// Cancels a queued job, and notes for a running one that it is to stop; `None` if it is neither.
pub(super) async fn cancel(
    connection: &mut Connection,
    id: &JobId,
    now: i64,
) -> Result<Option<Job>, sqlx::Error> {
    let cancel = sqlx::query(concat!(
        "UPDATE job SET cancel_asked = 1, \
         finished_at = CASE WHEN state = 'queued' THEN $2 ELSE finished_at END, \
         state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END \
         WHERE id = $1 AND state IN ('queued', 'running') RETURNING ",
        columns!()
    ));
    let row = cancel.bind(id.as_str().to_owned()).bind(now).fetch_optional(connection).await?;
    row.as_ref().map(job).transpose()
}

/// Queues a failed job as if it had never been tried; `None` if it has not failed or its key is taken.
pub(super) async fn retry(
    connection: &mut Connection,
    id: &JobId,
    now: i64,
) -> Result<Option<Job>, sqlx::Error> {
    let retry = sqlx::query(concat!(
        "UPDATE job SET state = 'queued', made = 0, cancel_asked = 0, next_run = $2, finished_at = NULL \
         WHERE id = $1 AND state = 'failed' AND NOT EXISTS (SELECT 1 FROM job AS other \
         WHERE other.unique_key = job.unique_key AND other.state IN ('queued', 'running')) RETURNING ",
        columns!()
    ));
    let row = retry.bind(id.as_str().to_owned()).bind(now).fetch_optional(connection).await?;
    row.as_ref().map(job).transpose()
}

pub(super) async fn log(
    connection: &mut Connection,
    id: &JobId,
    from_line: i64,
    limit: i64,
) -> Result<Vec<LogLine>, sqlx::Error> {
    let lines =
        "SELECT line, logged_at, message FROM job_log WHERE job = $1 AND line >= $2 ORDER BY line LIMIT $3";
    let lines = sqlx::query(lines).bind(id.as_str().to_owned()).bind(from_line).bind(limit);
    let line = |row: &SqlRow| {
        let number: i64 = row.try_get(0)?;
        Ok(LogLine { line: number.unsigned_abs(), at: time(row.try_get(1)?)?, message: row.try_get(2)? })
    };
    lines.fetch_all(connection).await?.iter().map(line).collect()
}

/// Adds lines to a job's log, behind those that are there.
pub(super) async fn append_log(
    connection: &mut Connection,
    id: &JobId,
    lines: &[(i64, String)],
) -> Result<(), sqlx::Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let last = sqlx::query("SELECT line FROM job_log WHERE job = $1 ORDER BY line DESC LIMIT 1");
    let last = last.bind(id.as_str().to_owned()).fetch_optional(&mut *connection).await?;
    let mut number: i64 = last.map_or(Ok(0), |row| row.try_get(0))?;
    for (at, message) in lines {
        number += 1;
        let insert = "INSERT INTO job_log (job, line, logged_at, message) VALUES ($1, $2, $3, $4)";
        let insert = sqlx::query(insert).bind(id.as_str().to_owned()).bind(number);
        insert.bind(*at).bind(message.clone()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes some of the jobs that ended before this time, with their logs; how many.
pub(super) async fn prune(connection: &mut Connection, before: i64) -> Result<u64, sqlx::Error> {
    let old = "SELECT id FROM job WHERE finished_at < $1 ORDER BY finished_at LIMIT $2";
    let old = sqlx::query(old).bind(before).bind(PRUNED_AT_ONCE).fetch_all(&mut *connection).await?;
    let mut pruned = 0;
    for row in &old {
        let id: String = row.try_get(0)?;
        // Not one that is tried again since.
        let job = sqlx::query("DELETE FROM job WHERE id = $1 AND finished_at < $2");
        let gone = job.bind(id.clone()).bind(before).execute(&mut *connection).await?.rows_affected();
        if gone == 1 {
            sqlx::query("DELETE FROM job_log WHERE job = $1").bind(id).execute(&mut *connection).await?;
        }
        pruned += gone;
    }
    Ok(pruned)
}

/// A job from [`columns`].
pub(super) fn job(row: &SqlRow) -> Result<Job, sqlx::Error> {
    let worker: Option<String> = row.try_get(17)?;
    let until = optional_time(row, 18)?;
    Ok(Job {
        id: parsed(&row.try_get::<String, _>(0)?)?,
        kind: row.try_get(1)?,
        label: row.try_get(2)?,
        owner: row.try_get(3)?,
        unique: row.try_get(4)?,
        payload: json(&row.try_get::<String, _>(5)?)?,
        state: parsed::<JobState>(&row.try_get::<String, _>(6)?)?,
        attempts: small(row.try_get(7)?),
        made: small(row.try_get(8)?),
        cancel_asked: row.try_get::<i64, _>(9)? != 0,
        progress: Progress {
            what: row.try_get(10)?,
            done: row.try_get::<i64, _>(11)?.unsigned_abs(),
            total: row.try_get::<i64, _>(12)?.unsigned_abs(),
        },
        next_run: time(row.try_get(13)?)?,
        created_at: time(row.try_get(14)?)?,
        started_at: optional_time(row, 15)?,
        finished_at: optional_time(row, 16)?,
        lease: worker.zip(until).map(|(worker, until)| Lease { worker, until }),
        error: row.try_get(19)?,
        result: row.try_get::<Option<String>, _>(20)?.as_deref().map(json).transpose()?,
    })
}

/// How often the job of such a row was claimed.
pub(super) fn runs(row: &SqlRow) -> Result<i64, sqlx::Error> {
    row.try_get(21)
}

pub(super) fn time(micros: i64) -> Result<DateTime<Utc>, sqlx::Error> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| sqlx::Error::Decode(format!("{micros} is no time").into()))
}

pub(super) fn optional_time(row: &SqlRow, column: usize) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    row.try_get::<Option<i64>, _>(column)?.map(time).transpose()
}

pub(super) fn json(text: &str) -> Result<Value, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) fn parsed<T: FromStr<Err = crate::Error>>(text: &str) -> Result<T, sqlx::Error> {
    text.parse().map_err(|error: crate::Error| sqlx::Error::Decode(error.into()))
}

pub(super) fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
