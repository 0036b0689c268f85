//! Jobs: work that goes on behind the request that asked for it, survives a restart, and can be watched and cancelled.
//!
//! A job is a row in the state store: a kind, a payload that nobody here reads, and where it stands. A [`Runner`] claims
//! those that are due and hands them to [`Handlers`]; each claim is a lease that its worker renews. When a process dies,
//! its leases run out and its jobs are queued again, by whichever process sees it first. So **a handler must be able to
//! start over**: it may have been interrupted at any point of an earlier attempt. With several processes on one store, at
//! most one worker runs a job.
//!
//! Not here: what any kind of job does, and who may ask for it. Events are those of this process; of a job that another
//! process runs, read [`Jobs::get`] again.

mod cron;
mod handler;
mod job;
#[cfg(test)]
mod laws;
mod lease;
mod rows;
mod runner;
mod schedule;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, broadcast};

use crate::store::{BoxFuture, Connection};
use crate::{Error, StateStore};
pub use handler::{CancelFlag, Clock, Handler, Handlers, JobError, JobFuture, JobRun};
pub use job::{
    Change, Cursor, Job, JobEvent, JobFilter, JobId, JobState, Lease, LogLine, NewJob, Progress, ScheduleId,
};
use lease::{Claim, ClaimId, Ending, News};
use rows::Draft;
pub use runner::Runner;
pub use schedule::{NewSchedule, Schedule, Schedules};

/// Events that a listener may be behind before it misses some.
const EVENTS: usize = 1024;
/// How long finished jobs are kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// The most jobs or lines of a log that are given at once.
const PAGE: usize = 1000;

/// A handle on the jobs of a store; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chrono::Utc;
/// use marquee_platform::{JobChange, Handlers, JobState, Jobs, NewJob, StateStore};
/// use serde_json::json;
///
/// let folder = tempfile::tempdir()?;
/// let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let jobs = Jobs::open(store);
/// let handlers = Handlers::default().on("add", |run| async move {
///     run.log("adding");
///     Ok(json!(run.payload()[0].as_i64().unwrap_or(0) + run.payload()[1].as_i64().unwrap_or(0)))
/// })?;
///
/// let mut events = jobs.watch();
/// let id = jobs.enqueue(NewJob::new("add", "Two and two", json!([2, 2])), Utc::now()).await?;
/// let done = async {
///     while events.recv().await.is_ok_and(|event| event.change != JobChange::State(JobState::Done)) {}
/// };
/// jobs.run(handlers, 1, done).await?;
/// let job = jobs.get(&id).await?;
/// assert_eq!((job.state, job.result), (JobState::Done, Some(json!(4))));
/// assert_eq!(jobs.log(&id, 1).await?[0].message, "adding");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: StateStore,
    events: broadcast::Sender<JobEvent>,
    /// Told when a job may be due.
    wake: Notify,
    /// The runs of this process, so that they hear at once when they are to stop.
    live: Mutex<BTreeMap<ClaimId, CancelFlag>>,
}

impl Jobs {
    /// The jobs in this store. Nothing runs before [`Self::run`].
    #[must_use]
    pub fn open(store: StateStore) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        let (wake, live) = (Notify::new(), Mutex::default());
        Self { inner: Arc::new(Inner { store, events, wake, live }) }
    }

    /// Queues a job and gives its name, once it is durable. If one with its unique key is queued or running, it gives the
    /// name of that one and nothing is queued.
    ///
    /// # Errors
    /// [`Error::InvalidName`] and [`Error::InvalidJob`] for what cannot be kept; [`Error::NotCommitted`],
    /// [`Error::Database`].
    pub async fn enqueue(&self, job: NewJob, now: DateTime<Utc>) -> Result<JobId, Error> {
        let (kind, owner) = (job.kind.clone(), job.owner.clone());
        let payload = job.check()?;
        let draft = Draft { id: JobId::fresh()?, job, payload, now: now.timestamp_micros() };
        let placed = self
            .write("queue a job", move |connection| {
                Box::pin(async move { rows::place(connection, &draft).await })
            })
            .await?;
        if placed.fresh {
            let job = placed.id.clone();
            self.tell(JobEvent { job, kind, owner, change: Change::State(JobState::Queued) });
            self.inner.wake.notify_one();
        }
        Ok(placed.id)
    }

    /// A job.
    ///
    /// # Errors
    /// [`Error::NoSuchJob`], [`Error::Database`].
    pub async fn get(&self, id: &JobId) -> Result<Job, Error> {
        let fail = |source| self.inner.store.failed("read a job", source);
        let mut connection = self.inner.store.readers().acquire().await.map_err(fail)?;
        let found = rows::find(&mut connection, id).await.map_err(fail)?;
        found.ok_or_else(|| no_such_job(id))
    }

    /// At most `limit` jobs (and at most 1,000), newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn list(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>, Error> {
        let fail = |source| self.inner.store.failed("list jobs", source);
        let mut connection = self.inner.store.readers().acquire().await.map_err(fail)?;
        rows::list(&mut connection, filter, limit.min(PAGE) as i64).await.map_err(fail)
    }

    /// Cancels a job: a queued one at once; the handler of a running one is asked to stop, and the job is cancelled when
    /// it does. Nothing happens to a job that has ended. Gives the job as it stands then.
    ///
    /// # Errors
    /// [`Error::NoSuchJob`], [`Error::NotCommitted`], [`Error::Database`].
    pub async fn cancel(&self, id: &JobId, now: DateTime<Utc>) -> Result<Job, Error> {
        let (wanted, now) = (id.clone(), now.timestamp_micros());
        let Some(job) = self
            .write("cancel a job", move |connection| {
                Box::pin(async move { rows::cancel(connection, &wanted, now).await })
            })
            .await?
        else {
            return self.get(id).await;
        };
        let runs = self.live();
        runs.iter().filter(|(claim, _)| claim.job == *id).for_each(|(_, flag)| flag.set());
        drop(runs);
        if job.state == JobState::Cancelled {
            self.tell(job.event(Change::State(job.state)));
        }
        Ok(job)
    }

    /// Queues a failed job again, with all its attempts. Gives the job as it stands then.
    ///
    /// # Errors
    /// [`Error::NotRetryable`] if it has not failed, or another one with its unique key is queued or running;
    /// [`Error::NoSuchJob`], [`Error::NotCommitted`], [`Error::Database`].
    pub async fn retry(&self, id: &JobId, now: DateTime<Utc>) -> Result<Job, Error> {
        let (wanted, now) = (id.clone(), now.timestamp_micros());
        if let Some(job) = self
            .write("try a job again", move |connection| {
                Box::pin(async move { rows::retry(connection, &wanted, now).await })
            })
            .await?
        {
            self.tell(job.event(Change::State(job.state)));
            self.inner.wake.notify_one();
            return Ok(job);
        }
        let reason = match self.get(id).await?.state {
            JobState::Failed => "another job with its unique key is queued or running".to_owned(),
            state => format!("it is {state}, and only failed jobs are"),
        };
        Err(Error::NotRetryable { id: id.to_string(), reason })
    }

    /// The log of a job from a line on (the first is 1), at most 1,000 lines; none for a job that is not there.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn log(&self, id: &JobId, from_line: u64) -> Result<Vec<LogLine>, Error> {
        let fail = |source| self.inner.store.failed("read the log of a job", source);
        let from_line = i64::try_from(from_line).unwrap_or(i64::MAX);
        let mut connection = self.inner.store.readers().acquire().await.map_err(fail)?;
        rows::log(&mut connection, id, from_line, PAGE as i64).await.map_err(fail)
    }

    /// What happens from now on to the jobs of this process: changes of state, and progress as it is made. A listener that
    /// is more than 1,024 events behind misses some and is told so.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<JobEvent> {
        self.inner.events.subscribe()
    }

    /// The schedules that start jobs.
    #[must_use]
    pub fn schedules(&self) -> Schedules {
        Schedules::of(self.clone())
    }

    /// Runs jobs with so many workers until `shutdown` is ready; [`Runner`] has the details and more to set.
    ///
    /// # Errors
    /// [`Error::Closed`] if the store was closed meanwhile.
    pub async fn run(
        &self,
        handlers: Handlers,
        workers: usize,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        Runner::new(self.clone(), handlers, workers).run(shutdown).await
    }

    /// Takes back the jobs whose lease ran out because their worker is gone: queued again if they have attempts left,
    /// failed otherwise. Gives them as they stand then. Jobs that workers of this process still run are kept. A [`Runner`]
    /// does this every second.
    ///
    /// # Errors
    /// [`Error::NotCommitted`], [`Error::Database`].
    pub async fn take_back(&self, now: DateTime<Utc>) -> Result<Vec<Job>, Error> {
        let now = now.timestamp_micros();
        let doing = "take back jobs";
        let fail = |source| self.inner.store.failed(doing, source);
        let mut connection = self.inner.store.readers().acquire().await.map_err(fail)?;
        let any = lease::any_gone(&mut connection, now).await.map_err(fail)?;
        drop(connection);
        if !any {
            return Ok(Vec::new());
        }
        let live: Vec<ClaimId> = self.live().keys().cloned().collect();
        let taken = self.write(doing, move |connection| {
            Box::pin(async move { lease::take_back(connection, &live, now).await })
        });
        let taken = taken.await?;
        for job in &taken {
            self.tell(job.event(Change::State(job.state)));
        }
        Ok(taken)
    }

    /// Removes the jobs that ended more than 30 days ago, with their logs; how many. A [`Runner`] does this every hour.
    ///
    /// # Errors
    /// [`Error::NotCommitted`], [`Error::Database`].
    pub async fn prune(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let before = now.timestamp_micros().saturating_sub(KEPT.num_microseconds().unwrap_or(i64::MAX));
        let mut pruned = 0;
        loop {
            match self
                .write("remove old jobs", move |connection| Box::pin(rows::prune(connection, before)))
                .await?
            {
                0 => return Ok(pruned),
                some => pruned += some,
            }
        }
    }

    /// Takes a job that is due for a worker.
    async fn claim(
        &self,
        kinds: Arc<[String]>,
        worker: String,
        now: DateTime<Utc>,
    ) -> Result<Option<Claim>, Error> {
        let now = now.timestamp_micros();
        let claimed = self
            .write("claim a job", move |connection| {
                Box::pin(async move { lease::claim(connection, &kinds, &worker, now).await })
            })
            .await?;
        if let Some(claim) = &claimed {
            self.tell(claim.job.event(Change::State(JobState::Running)));
        }
        Ok(claimed)
    }

    /// Keeps a lease; whether its job is to stop, or `None` if the lease is lost.
    async fn renew(&self, claim: ClaimId, news: News, now: DateTime<Utc>) -> Result<Option<bool>, Error> {
        let now = now.timestamp_micros();
        self.write("renew the lease of a job", move |connection| {
            Box::pin(async move { lease::renew(connection, &claim, &news, now).await })
        })
        .await
    }

    /// Ends a run; how the job stands then, or `None` if the lease was lost.
    async fn settle(
        &self,
        claim: &Claim,
        news: News,
        ending: Ending,
        now: DateTime<Utc>,
    ) -> Result<Option<JobState>, Error> {
        let (number, now) = (claim.number.clone(), now.timestamp_micros());
        let settled = self
            .write("end a job", move |connection| {
                Box::pin(async move { lease::settle(connection, &number, &news, &ending, now).await })
            })
            .await?;
        if let Some(state) = settled {
            self.tell(claim.job.event(Change::State(state)));
        }
        Ok(settled)
    }

    /// How many jobs of these kinds are due, counted up to `most`.
    async fn count_due(&self, kinds: &[String], most: usize, now: DateTime<Utc>) -> Result<usize, Error> {
        let fail = |source| self.inner.store.failed("look for jobs", source);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut connection = self.inner.store.readers().acquire().await.map_err(fail)?;
        let due = lease::count_due(&mut connection, kinds, now.timestamp_micros(), most).await;
        Ok(usize::try_from(due.map_err(fail)?).unwrap_or(0))
    }

    fn tell(&self, event: JobEvent) {
        // Nobody may be listening.
        self.inner.events.send(event).ok();
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<ClaimId, CancelFlag>> {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes in the next group commit.
    async fn write<T, F>(&self, doing: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send + 'static,
    {
        let store = self.inner.store.clone();
        self.inner
            .store
            .write(move |connection| {
                Box::pin(async move { work(connection).await.map_err(|source| store.failed(doing, source)) })
            })
            .await
    }
}

fn no_such_job(id: &JobId) -> Error {
    Error::NoSuchJob { id: id.to_string() }
}
