//! The runner: so many workers that claim what is due, and a keeper that takes back lost leases, starts schedules and
//! prunes.
//!
//! A worker runs one job at a time, in a task of its own, so that a panic ends the job and not the worker. While it runs,
//! the worker renews the lease, writes progress and log, and passes on that the job is to stop. A handler that does not
//! look whether it is to stop is not interrupted.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::Jobs;
use super::handler::{CancelFlag, Clock, Handlers, JobError, JobRun, cut};
use super::job::{JobId, VALUE_BYTES};
use super::lease::{Claim, ClaimId, Ending, LEASE, RENEWAL};
use crate::Error;

/// How often progress and log are written, if there is any.
const BEAT: Duration = Duration::from_millis(500);
/// How often the keeper looks: for jobs of other processes, for those whose time comes, for lost leases.
const ROUND: Duration = Duration::from_secs(1);
/// How often old jobs are removed.
const PRUNING: TimeDelta = TimeDelta::hours(1);
/// How long running jobs have to stop at a shutdown.
const GRACE: Duration = Duration::from_secs(20);
/// How often it is tried to write the end of a job, a second apart.
const TRIES: u32 = 5;

/// Hears of what went wrong while nobody waited for an answer.
type Report = Arc<dyn Fn(&Error) + Send + Sync>;

/// Runs jobs until it is told to shut down.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use marquee_platform::{Handlers, Jobs, Runner, StateStore};
/// use serde_json::json;
///
/// let folder = tempfile::tempdir()?;
/// let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let handlers = Handlers::default().on("nothing", |_| async { Ok(json!(null)) })?;
/// let runner = Runner::new(Jobs::open(store), handlers, 2).reporting(|error| eprintln!("{error}"));
/// let shutdown = async {}; // a signal, in earnest
/// runner.run(shutdown).await?;
/// # Ok(()) }
/// ```
pub struct Runner {
    jobs: Jobs,
    handlers: Handlers,
    workers: usize,
    clock: Clock,
    report: Report,
}

/// What does one job at a time.
pub(super) struct Worker {
    jobs: Jobs,
    handlers: Handlers,
    kinds: Arc<[String]>,
    name: String,
    clock: Clock,
    report: Report,
    stopping: watch::Receiver<bool>,
}

/// What looks after the queue.
pub(super) struct Keeper {
    jobs: Jobs,
    kinds: Arc<[String]>,
    workers: usize,
    report: Report,
    pruned: Option<DateTime<Utc>>,
}

/// A run in progress, as its worker sees it.
struct Attendance<'a> {
    worker: &'a Worker,
    claim: &'a Claim,
    run: &'a JobRun,
    renewed: DateTime<Utc>,
    lost: bool,
}

/// A task that ends with whoever waits for it.
struct Tied<T>(JoinHandle<T>);

/// Keeps a run in the list of those that can be told to stop.
struct Listed<'a> {
    jobs: &'a Jobs,
    claim: ClaimId,
}

impl Runner {
    /// A runner with so many workers (at least one), which claims jobs of the kinds that there are handlers for and leaves
    /// others to other processes.
    #[must_use]
    pub fn new(jobs: Jobs, handlers: Handlers, workers: usize) -> Self {
        Self { jobs, handlers, workers: workers.max(1), clock: Clock::system(), report: Arc::new(|_| {}) }
    }

    /// The same runner with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same runner, telling what went wrong while nobody waited for an answer, as when the store could not be written
    /// to. The runner goes on and tries again; this is for the log.
    #[must_use]
    pub fn reporting(self, report: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        Self { report: Arc::new(report), ..self }
    }

    /// Runs jobs until `shutdown` is ready. Then running jobs are asked to stop and have 20 seconds to do so; those that
    /// do are queued again without the attempt being counted. A job that does not stop in time is left to its lease: it is
    /// queued again when that runs out. If the returned future is dropped, handlers are dropped with it.
    ///
    /// # Errors
    /// [`Error::Closed`] if the store was closed meanwhile; [`Error::NoRandomness`].
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let (stop, stopping) = watch::channel(false);
        let name = JobId::fresh()?;
        let mut tasks = JoinSet::new();
        for number in 1..=self.workers {
            let worker = self.worker(format!("{}-{number}", &name.as_str()[..8]), stopping.clone());
            tasks.spawn(worker.serve());
        }
        tasks.spawn(self.keeper().serve(self.clock.clone(), stopping));
        let early = tokio::select! {
            () = shutdown => None,
            ended = tasks.join_next() => ended,
        };
        stop.send_replace(true);
        let mut outcome = early.map_or(Ok(()), flatten);
        let rest = async {
            while let Some(ended) = tasks.join_next().await {
                outcome = std::mem::replace(&mut outcome, Ok(())).and(flatten(ended));
            }
        };
        // What did not stop in time ends with `tasks`.
        timeout(GRACE, rest).await.ok();
        outcome
    }

    pub(super) fn worker(&self, name: String, stopping: watch::Receiver<bool>) -> Worker {
        Worker {
            jobs: self.jobs.clone(),
            handlers: self.handlers.clone(),
            kinds: self.kinds(),
            name,
            clock: self.clock.clone(),
            report: self.report.clone(),
            stopping,
        }
    }

    pub(super) fn keeper(&self) -> Keeper {
        Keeper {
            jobs: self.jobs.clone(),
            kinds: self.kinds(),
            workers: self.workers,
            report: self.report.clone(),
            pruned: None,
        }
    }

    fn kinds(&self) -> Arc<[String]> {
        self.handlers.kinds().map(str::to_owned).collect()
    }
}

impl Worker {
    /// Runs what is due, and waits to be woken.
    async fn serve(self) -> Result<(), Error> {
        let mut stopping = self.stopping.clone();
        while !*stopping.borrow() {
            let pause = match self.turn().await {
                Ok(Some(_)) => continue,
                Ok(None) => None,
                Err(Error::Closed) => return Err(Error::Closed),
                Err(error) => {
                    (self.report)(&error);
                    Some(ROUND)
                }
            };
            let woken = async {
                match pause {
                    Some(pause) => sleep(pause).await,
                    None => self.jobs.inner.wake.notified().await,
                }
            };
            tokio::select! {
                () = woken => {}
                () = told_to_stop(&mut stopping) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Claims one job that is due and runs it to its end; which one, if there was any.
    pub(super) async fn turn(&self) -> Result<Option<JobId>, Error> {
        let now = self.clock.now();
        let Some(claim) = self.jobs.claim(self.kinds.clone(), self.name.clone(), now).await? else {
            return Ok(None);
        };
        self.attend(&claim, now).await?;
        Ok(Some(claim.job.id))
    }

    async fn attend(&self, claim: &Claim, now: DateTime<Utc>) -> Result<(), Error> {
        let run = JobRun::new(claim.job.clone(), self.clock.clone(), self.jobs.inner.events.clone());
        let _listed = self.jobs.list_run(claim.number.clone(), run.cancel_flag());
        // Whoever cancelled between the claim and now found no run to tell.
        if self.jobs.get(&claim.job.id).await.is_ok_and(|job| job.cancel_asked) {
            run.cancel_flag().set();
        }
        let mut attendance = Attendance { worker: self, claim, run: &run, renewed: now, lost: false };
        let mut task = self.begin(claim, &run);
        let outcome = attendance.wait(&mut task).await;
        if attendance.lost {
            return Ok(());
        }
        let stopped = *self.stopping.borrow() || self.stopping.has_changed().is_err();
        self.end(claim, &run, ending(outcome, stopped)).await
    }

    fn begin(&self, claim: &Claim, run: &JobRun) -> Tied<Result<Value, JobError>> {
        let (handler, run) = (self.handlers.of(&claim.job.kind), run.clone());
        Tied(tokio::spawn(async move {
            match handler {
                Some(handler) => handler(run).await,
                None => Err(JobError::Fatal("there is no handler for this kind".to_owned())),
            }
        }))
    }

    /// Writes the end of a run, in several tries: a database that is away for a moment should not cost a job's work.
    async fn end(&self, claim: &Claim, run: &JobRun, ending: Ending) -> Result<(), Error> {
        let (news, _) = run.news();
        let mut tries = 1;
        loop {
            let settled = self.jobs.settle(claim, news.clone(), ending.clone(), self.clock.now()).await;
            match settled {
                Err(error) if tries < TRIES && !matches!(error, Error::Closed) => (self.report)(&error),
                other => return other.map(|_| ()),
            }
            tries += 1;
            sleep(ROUND).await;
        }
    }
}

impl Attendance<'_> {
    /// Waits for the handler, looking after its lease meanwhile.
    async fn wait(
        &mut self,
        task: &mut Tied<Result<Value, JobError>>,
    ) -> Result<Result<Value, JobError>, JoinError> {
        let mut stopping = self.worker.stopping.clone();
        let mut told = false;
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                outcome = &mut task.0 => return outcome,
                _ = beats.tick() => self.beat(self.worker.clock.now()).await,
                () = told_to_stop(&mut stopping), if !told => {
                    told = true;
                    self.run.cancel_flag().set();
                }
            }
        }
    }

    /// Writes what is new, and renews the lease with it.
    async fn beat(&mut self, now: DateTime<Utc>) {
        let age = now.signed_duration_since(self.renewed);
        let (news, any) = self.run.news();
        if self.lost || !(any || age >= RENEWAL) {
            return;
        }
        match self.worker.jobs.renew(self.claim.number.clone(), news.clone(), now).await {
            Ok(Some(stop)) => {
                self.renewed = now;
                self.run.written(&news);
                if stop {
                    self.run.cancel_flag().set();
                }
            }
            Ok(None) => {
                self.lost = true;
                self.run.cancel_flag().set();
            }
            Err(error) => {
                (self.worker.report)(&error);
                // Others may take the job from now on; if nobody does, its end still counts.
                if age >= LEASE {
                    self.run.cancel_flag().set();
                }
            }
        }
    }
}

impl Keeper {
    async fn serve(mut self, clock: Clock, mut stopping: watch::Receiver<bool>) -> Result<(), Error> {
        while !*stopping.borrow() {
            self.round(clock.now()).await?;
            tokio::select! {
                () = sleep(ROUND) => {}
                () = told_to_stop(&mut stopping) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Does everything that is due by now. What goes wrong is reported and tried again next time, unless the store is
    /// closed.
    pub(super) async fn round(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        self.note(self.jobs.take_back(now).await)?;
        self.note(self.jobs.schedules().start_due(now).await)?;
        if let Some(due) = self.note(self.jobs.count_due(&self.kinds, self.workers, now).await)? {
            (0..due).for_each(|_| self.jobs.inner.wake.notify_one());
        }
        if self.pruned.is_none_or(|last| now.signed_duration_since(last) >= PRUNING) {
            self.note(self.jobs.prune(now).await)?;
            self.pruned = Some(now);
        }
        Ok(())
    }

    fn note<T>(&self, outcome: Result<T, Error>) -> Result<Option<T>, Error> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(Error::Closed) => Err(Error::Closed),
            Err(error) => {
                (self.report)(&error);
                Ok(None)
            }
        }
    }
}

impl Jobs {
    fn list_run(&self, claim: ClaimId, flag: CancelFlag) -> Listed<'_> {
        self.live().insert(claim.clone(), flag);
        Listed { jobs: self, claim }
    }
}

impl<T> Drop for Tied<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.jobs.live().remove(&self.claim);
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Runner");
        shown.field("handlers", &self.handlers).field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// How a run ended; `stopped` says that the runner had asked everything to stop.
fn ending(outcome: Result<Result<Value, JobError>, JoinError>, stopped: bool) -> Ending {
    let failed = |reason: &str, may_retry| Ending::Failed { reason: cut(reason), may_retry };
    match outcome {
        Ok(Ok(value)) if value.to_string().len() > VALUE_BYTES => failed(
            &format!("its result has more than {VALUE_BYTES} bytes: the handler should write a file"),
            false,
        ),
        Ok(Ok(value)) => Ending::Done(value),
        Ok(Err(JobError::Cancelled)) if stopped => Ending::GivenBack,
        Ok(Err(JobError::Cancelled)) => Ending::Cancelled,
        Ok(Err(JobError::Failed(reason))) => failed(&reason, true),
        Ok(Err(JobError::Fatal(reason))) => failed(&reason, false),
        Err(error) => match error.try_into_panic() {
            // To try again what is broken would break again.
            Ok(panic) => failed(&format!("its handler panicked: {}", words(panic.as_ref())), false),
            Err(_) => Ending::GivenBack,
        },
    }
}

/// Waits until the runner stops, or is gone.
async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    stopping.wait_for(|stop| *stop).await.ok();
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

fn flatten(ended: Result<Result<(), Error>, JoinError>) -> Result<(), Error> {
    ended.unwrap_or(Err(Error::Closed))
}
