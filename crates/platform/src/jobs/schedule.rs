//! Schedules: jobs that are begun again and again, at the times of a cron expression in UTC.
//!
//! A schedule's job has the unique key `schedule:ID`, so that its runs never overlap: a time that comes while the last run
//! goes on is left out. Times that came while nobody looked (the program was down for a week) start one job, not many.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::Row as _;

use super::cron::next_after;
use super::job::{Change, JobEvent, JobId, JobState, NewJob, ScheduleId, check_text};
use super::rows::{self, Draft, Placed, SqlRow};
use super::{Jobs, rows::parsed};
use crate::Error;
use crate::store::Connection;

/// Schedules that are started in one write.
const STARTED_AT_ONCE: i64 = 100;

/// What is to be begun again and again.
///
/// ```
/// use marquee_platform::NewSchedule;
/// use serde_json::json;
///
/// let nightly = NewSchedule::new("Ingest what is new", "30 3 * * *", "ingest", json!({}));
/// assert!(nightly.enabled);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewSchedule {
    /// What it is called before people, and its jobs.
    pub label: String,
    /// Five fields (minute, hour, day of month, month, day of week) in UTC, or `@hourly`, `@daily` and the like.
    pub cron: String,
    /// Which handler does its jobs.
    pub kind: String,
    /// What the handler is given.
    pub payload: Value,
    /// The account that its jobs belong to.
    pub owner: Option<String>,
    /// How often each of its jobs may be tried.
    pub attempts: u32,
    /// Whether it starts jobs.
    pub enabled: bool,
}

/// A schedule as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Its name.
    pub id: ScheduleId,
    /// What was asked for.
    pub plan: NewSchedule,
    /// When it starts a job next; `None` while it is not enabled.
    pub next_at: Option<DateTime<Utc>>,
    /// The job that it started last, which may be pruned by now.
    pub last_job: Option<JobId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A handle on the schedules of a store; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use marquee_platform::{Jobs, NewSchedule, StateStore};
/// use serde_json::json;
///
/// let folder = tempfile::tempdir()?;
/// let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let schedules = Jobs::open(store).schedules();
/// let monday = "2026-01-05T12:00:00Z".parse()?;
/// let nightly = schedules.create(NewSchedule::new("Ingest", "30 3 * * *", "ingest", json!({})), monday).await?;
/// assert_eq!(nightly.next_at, Some("2026-01-06T03:30:00Z".parse()?));
/// assert_eq!(schedules.start_due("2026-01-06T03:30:00Z".parse()?).await?.len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Schedules {
    jobs: Jobs,
}

/// A due schedule with the job that it starts.
struct Due {
    schedule: ScheduleId,
    /// When it was to start; another process that saw it first has moved it on.
    next_at: i64,
    /// Of the plan that the job was made from.
    updated_at: i64,
    then: Option<i64>,
    draft: Draft,
}

impl NewSchedule {
    /// An enabled schedule that nobody owns and whose jobs are tried once.
    #[must_use]
    pub fn new(
        label: impl Into<String>,
        cron: impl Into<String>,
        kind: impl Into<String>,
        payload: Value,
    ) -> Self {
        Self {
            label: label.into(),
            cron: cron.into(),
            kind: kind.into(),
            payload,
            owner: None,
            attempts: 1,
            enabled: true,
        }
    }

    /// The job that it starts.
    fn job(&self, id: &ScheduleId) -> NewJob {
        let job = NewJob::new(self.kind.clone(), self.label.clone(), self.payload.clone());
        NewJob {
            owner: self.owner.clone(),
            unique: Some(format!("schedule:{id}")),
            attempts: self.attempts,
            ..job
        }
    }
}

impl Schedules {
    pub(super) fn of(jobs: Jobs) -> Self {
        Self { jobs }
    }

    /// Makes a schedule, which starts its first job at the first of its times after `now`.
    ///
    /// # Errors
    /// [`Error::InvalidCron`] says what is wrong with the expression; [`Error::InvalidName`] and [`Error::InvalidJob`] for
    /// what cannot be kept; [`Error::NotCommitted`], [`Error::Database`].
    pub async fn create(&self, plan: NewSchedule, now: DateTime<Utc>) -> Result<Schedule, Error> {
        let id = ScheduleId::fresh()?;
        let (next_at, payload) = check(&plan, &id, now)?;
        let schedule = Schedule { id, plan, next_at, last_job: None, created_at: now, updated_at: now };
        let stored = schedule.clone();
        let doing = "make a schedule";
        let insert = self.jobs.write(doing, move |connection| {
            Box::pin(async move { insert(connection, &stored, payload).await })
        });
        insert.await?;
        Ok(schedule)
    }

    /// Changes a schedule; its next time is the first after `now`.
    ///
    /// # Errors
    /// [`Error::NoSuchSchedule`], and as [`Self::create`].
    pub async fn update(
        &self,
        id: &ScheduleId,
        plan: NewSchedule,
        now: DateTime<Utc>,
    ) -> Result<Schedule, Error> {
        let (next_at, payload) = check(&plan, id, now)?;
        let wanted = id.clone();
        let update = self.jobs.write("change a schedule", move |connection| {
            Box::pin(async move { update(connection, &wanted, &plan, payload, next_at, now).await })
        });
        update.await?.ok_or_else(|| no_such_schedule(id))
    }

    /// Removes a schedule. Jobs that it started go on.
    ///
    /// # Errors
    /// [`Error::NoSuchSchedule`], [`Error::NotCommitted`], [`Error::Database`].
    pub async fn remove(&self, id: &ScheduleId) -> Result<(), Error> {
        let wanted = id.clone();
        let remove = self.jobs.write("remove a schedule", move |connection| {
            Box::pin(async move { remove(connection, &wanted).await })
        });
        if remove.await? { Ok(()) } else { Err(no_such_schedule(id)) }
    }

    /// A schedule.
    ///
    /// # Errors
    /// [`Error::NoSuchSchedule`], [`Error::Database`].
    pub async fn get(&self, id: &ScheduleId) -> Result<Schedule, Error> {
        let fail = |source| self.jobs.inner.store.failed("read a schedule", source);
        let mut connection = self.jobs.inner.store.readers().acquire().await.map_err(fail)?;
        find(&mut connection, id).await.map_err(fail)?.ok_or_else(|| no_such_schedule(id))
    }

    /// All schedules, by label.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn list(&self) -> Result<Vec<Schedule>, Error> {
        let fail = |source| self.jobs.inner.store.failed("list schedules", source);
        let mut connection = self.jobs.inner.store.readers().acquire().await.map_err(fail)?;
        all(&mut connection).await.map_err(fail)
    }

    /// Starts a schedule's job now, whether or not it is enabled; gives the one that is queued or running if there is one.
    ///
    /// # Errors
    /// [`Error::NoSuchSchedule`], [`Error::NotCommitted`], [`Error::Database`].
    pub async fn start(&self, id: &ScheduleId, now: DateTime<Utc>) -> Result<JobId, Error> {
        let job = self.get(id).await?.plan.job(id);
        let started = self.jobs.enqueue(job, now).await?;
        let (schedule, job) = (id.clone(), started.clone());
        let note = self.jobs.write("note a schedule's job", move |connection| {
            Box::pin(async move { note(connection, &schedule, &job).await })
        });
        note.await?;
        Ok(started)
    }

    /// Starts the jobs of the schedules whose time has come; gives those that were started. However many times came since
    /// somebody last looked, a schedule starts one job, and none while its last one is queued or running. A
    /// [`Runner`](crate::Runner) does this every second.
    ///
    /// # Errors
    /// [`Error::NotCommitted`], [`Error::Database`].
    pub async fn start_due(&self, now: DateTime<Utc>) -> Result<Vec<JobId>, Error> {
        let mut due = Vec::new();
        for schedule in self.due(now).await? {
            due.push(schedule.start(now)?);
        }
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let start = self.jobs.write("start scheduled jobs", move |connection| {
            Box::pin(async move { start_all(connection, due).await })
        });
        let started = start.await?;
        for event in &started {
            self.jobs.tell(event.clone());
            self.jobs.inner.wake.notify_one();
        }
        Ok(started.into_iter().map(|event| event.job).collect())
    }

    /// The schedules whose time has come, the longest waiting first.
    async fn due(&self, now: DateTime<Utc>) -> Result<Vec<Schedule>, Error> {
        let fail = |source| self.jobs.inner.store.failed("look for due schedules", source);
        let mut connection = self.jobs.inner.store.readers().acquire().await.map_err(fail)?;
        due(&mut connection, now.timestamp_micros()).await.map_err(fail)
    }
}

impl Schedule {
    /// What is to be written if it is to start.
    fn start(self, now: DateTime<Utc>) -> Result<Due, Error> {
        let job = self.plan.job(&self.id);
        let payload = job.check()?;
        // An expression that another version wrote and this one cannot read: it stops instead of starting for ever.
        let then = next_after(&self.plan.cron, now).ok().map(|time| time.timestamp_micros());
        Ok(Due {
            schedule: self.id,
            next_at: self.next_at.map_or(i64::MIN, |time| time.timestamp_micros()),
            updated_at: self.updated_at.timestamp_micros(),
            then,
            draft: Draft { id: JobId::fresh()?, job, payload, now: now.timestamp_micros() },
        })
    }
}

/// The next time of a plan that can be kept, and its payload as JSON.
fn check(
    plan: &NewSchedule,
    id: &ScheduleId,
    now: DateTime<Utc>,
) -> Result<(Option<DateTime<Utc>>, String), Error> {
    check_text("cron expression", &plan.cron)?;
    let payload = plan.job(id).check()?;
    let next = next_after(&plan.cron, now)?;
    Ok((plan.enabled.then_some(next), payload))
}

fn no_such_schedule(id: &ScheduleId) -> Error {
    Error::NoSuchSchedule { id: id.to_string() }
}

macro_rules! columns {
    () => {
        "id, label, cron, kind, payload, owner, attempts, enabled, next_at, last_job, created_at, updated_at"
    };
}

async fn insert(
    connection: &mut Connection,
    schedule: &Schedule,
    payload: String,
) -> Result<(), sqlx::Error> {
    let insert = sqlx::query(concat!(
        "INSERT INTO schedule (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, $10)"
    ));
    let plan = &schedule.plan;
    let insert = insert
        .bind(schedule.id.as_str().to_owned())
        .bind(plan.label.clone())
        .bind(plan.cron.clone())
        .bind(plan.kind.clone())
        .bind(payload)
        .bind(plan.owner.clone())
        .bind(i64::from(plan.attempts))
        .bind(i64::from(plan.enabled))
        .bind(schedule.next_at.map(|time| time.timestamp_micros()))
        .bind(schedule.created_at.timestamp_micros());
    insert.execute(connection).await.map(|_| ())
}

async fn update(
    connection: &mut Connection,
    id: &ScheduleId,
    plan: &NewSchedule,
    payload: String,
    next_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<Schedule>, sqlx::Error> {
    let update = sqlx::query(concat!(
        "UPDATE schedule SET label = $2, cron = $3, kind = $4, payload = $5, owner = $6, attempts = $7, enabled = $8, \
         next_at = $9, updated_at = $10 WHERE id = $1 RETURNING ",
        columns!()
    ));
    let update = update
        .bind(id.as_str().to_owned())
        .bind(plan.label.clone())
        .bind(plan.cron.clone())
        .bind(plan.kind.clone())
        .bind(payload)
        .bind(plan.owner.clone())
        .bind(i64::from(plan.attempts))
        .bind(i64::from(plan.enabled))
        .bind(next_at.map(|time| time.timestamp_micros()))
        .bind(now.timestamp_micros());
    update.fetch_optional(connection).await?.as_ref().map(schedule).transpose()
}

async fn remove(connection: &mut Connection, id: &ScheduleId) -> Result<bool, sqlx::Error> {
    let delete = sqlx::query("DELETE FROM schedule WHERE id = $1").bind(id.as_str().to_owned());
    Ok(delete.execute(connection).await?.rows_affected() == 1)
}

async fn note(connection: &mut Connection, id: &ScheduleId, job: &JobId) -> Result<(), sqlx::Error> {
    let note = sqlx::query("UPDATE schedule SET last_job = $2 WHERE id = $1");
    let note = note.bind(id.as_str().to_owned()).bind(job.as_str().to_owned());
    note.execute(connection).await.map(|_| ())
}

async fn find(connection: &mut Connection, id: &ScheduleId) -> Result<Option<Schedule>, sqlx::Error> {
    let find = sqlx::query(concat!("SELECT ", columns!(), " FROM schedule WHERE id = $1"));
    let row = find.bind(id.as_str().to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(schedule).transpose()
}

async fn all(connection: &mut Connection) -> Result<Vec<Schedule>, sqlx::Error> {
    let all = sqlx::query(concat!("SELECT ", columns!(), " FROM schedule ORDER BY label, id"));
    all.fetch_all(connection).await?.iter().map(schedule).collect()
}

async fn due(connection: &mut Connection, now: i64) -> Result<Vec<Schedule>, sqlx::Error> {
    let due = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM schedule WHERE enabled = 1 AND next_at <= $1 ORDER BY next_at, id LIMIT $2"
    ));
    let rows = due.bind(now).bind(STARTED_AT_ONCE).fetch_all(connection).await?;
    rows.iter().map(schedule).collect()
}

/// Starts those that nobody started or changed meanwhile.
async fn start_all(connection: &mut Connection, due: Vec<Due>) -> Result<Vec<JobEvent>, sqlx::Error> {
    let mut started = Vec::new();
    for due in due {
        if !move_on(connection, &due).await? {
            continue;
        }
        let Placed { id, fresh } = rows::place(connection, &due.draft).await?;
        if fresh {
            note(connection, &due.schedule, &id).await?;
            let (kind, owner) = (due.draft.job.kind, due.draft.job.owner);
            started.push(JobEvent { job: id, kind, owner, change: Change::State(JobState::Queued) });
        }
    }
    Ok(started)
}

/// Moves a schedule on to its next time; false if another process did so first, or somebody changed it.
async fn move_on(connection: &mut Connection, due: &Due) -> Result<bool, sqlx::Error> {
    let update = sqlx::query(
        "UPDATE schedule SET next_at = $3, enabled = CASE WHEN $3 IS NULL THEN 0 ELSE 1 END \
         WHERE id = $1 AND enabled = 1 AND next_at = $2 AND updated_at = $4",
    );
    let update = update.bind(due.schedule.as_str().to_owned()).bind(due.next_at).bind(due.then);
    let update = update.bind(due.updated_at);
    Ok(update.execute(connection).await?.rows_affected() == 1)
}

fn schedule(row: &SqlRow) -> Result<Schedule, sqlx::Error> {
    let plan = NewSchedule {
        label: row.try_get(1)?,
        cron: row.try_get(2)?,
        kind: row.try_get(3)?,
        payload: rows::json(&row.try_get::<String, _>(4)?)?,
        owner: row.try_get(5)?,
        attempts: rows::small(row.try_get(6)?),
        enabled: row.try_get::<i64, _>(7)? != 0,
    };
    Ok(Schedule {
        id: parsed(&row.try_get::<String, _>(0)?)?,
        plan,
        next_at: rows::optional_time(row, 8)?,
        last_job: row.try_get::<Option<String>, _>(9)?.as_deref().map(parsed).transpose()?,
        created_at: rows::time(row.try_get(10)?)?,
        updated_at: rows::time(row.try_get(11)?)?,
    })
}
