//! What does the work: handlers by kind, and what one is handed when it runs.
//!
//! A handler must be able to start over. Its process may be killed at any point, and the next attempt begins from the same
//! payload; what an earlier one wrote must be found or replaced, not doubled. Only one worker runs a job at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Notify, broadcast};

use super::job::{Change, Job, JobEvent, JobId, Progress};
use super::lease::News;
use crate::Error;
use crate::ledger::check_name;

/// Lines that one run may log.
const MOST_LINES: usize = 10_000;
/// Longest line and longest reason, in bytes.
const LINE_BYTES: usize = 4_000;

/// What a handler gives: its result as JSON (at most 1 MiB), or why there is none.
pub type JobFuture = Pin<Box<dyn Future<Output = Result<Value, JobError>> + Send>>;

/// What does the jobs of one kind.
pub type Handler = Arc<dyn Fn(JobRun) -> JobFuture + Send + Sync>;

/// Why a handler gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It may go better another time: the job is tried again while it has attempts left, 5 s later, then 10 s, …, at most
    /// an hour.
    #[error("{0}")]
    Failed(String),
    /// Another attempt would be of no use.
    #[error("{0}")]
    Fatal(String),
    /// It stopped because it was asked to.
    #[error("cancelled")]
    Cancelled,
}

/// Handlers by kind.
///
/// ```
/// use marquee_platform::{Handlers, JobError};
/// use serde_json::json;
///
/// let handlers = Handlers::default().on("greet", |run| async move {
///     let name = run.payload()["name"].as_str().ok_or(JobError::Fatal("nobody to greet".into()))?.to_owned();
///     run.log(format!("greeting {name}"));
///     Ok(json!({"said": format!("hello, {name}")}))
/// })?;
/// # let _ = handlers;
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Handlers {
    by_kind: BTreeMap<String, Handler>,
}

/// Whether a job is to stop. A synchronous computation polls it; clones see the same.
///
/// ```
/// use marquee_platform::CancelFlag;
///
/// let flag = CancelFlag::default();
/// let polled = flag.clone();
/// flag.set();
/// assert!(polled.is_set());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancelFlag {
    set: Arc<AtomicBool>,
    told: Arc<Notify>,
}

/// The time, as a runner sees it: a test hands in one that it moves.
///
/// ```
/// use marquee_platform::Clock;
///
/// let stopped = Clock::new(|| chrono::DateTime::UNIX_EPOCH);
/// assert_eq!(stopped.now(), chrono::DateTime::UNIX_EPOCH);
/// ```
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

/// One attempt at a job, as its handler sees it; clones are the same attempt.
///
/// ```
/// use marquee_platform::{JobError, JobRun};
/// use serde_json::{Value, json};
///
/// # #[derive(serde::Deserialize)]
/// # struct Train { before: i32 }
/// async fn train(run: JobRun) -> Result<Value, JobError> {
///     let what: Train = run.read_payload()?;
///     // What computes for long belongs on a thread of its own.
///     let computed = tokio::task::spawn_blocking(move || {
///         for step in 0..100 {
///             if run.is_cancelled() {
///                 return Err(JobError::Cancelled);
///             }
///             run.progress("training", step, 100);
///         }
///         Ok(json!({"before": what.before}))
///     });
///     computed.await.map_err(|error| JobError::Fatal(error.to_string()))?
/// }
/// ```
#[derive(Clone)]
pub struct JobRun {
    inner: Arc<Inner>,
}

struct Inner {
    job: Job,
    clock: Clock,
    stop: CancelFlag,
    events: broadcast::Sender<JobEvent>,
    told: Mutex<Told>,
}

/// What the handler told and what of it was passed on.
#[derive(Default)]
struct Told {
    news: News,
    /// Whether there is progress that is not written yet.
    unwritten: bool,
    /// The progress that listeners last heard of.
    heard: Progress,
    /// Lines of this run, written ones included.
    logged: usize,
}

impl Handlers {
    /// These, and this one for the jobs of this kind; one that was there is replaced.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for a kind that is not allowed.
    pub fn on<F, R>(self, kind: &str, handler: F) -> Result<Self, Error>
    where
        F: Fn(JobRun) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Value, JobError>> + Send + 'static,
    {
        self.with(kind, Arc::new(move |run| Box::pin(handler(run))))
    }

    /// As [`Self::on`], with a handler that is boxed already.
    ///
    /// # Errors
    /// As [`Self::on`].
    pub fn with(mut self, kind: &str, handler: Handler) -> Result<Self, Error> {
        check_name("kind", kind)?;
        self.by_kind.insert(kind.to_owned(), handler);
        Ok(self)
    }

    /// The kinds that there are handlers for.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.by_kind.keys().map(String::as_str)
    }

    pub(super) fn of(&self, kind: &str) -> Option<Handler> {
        self.by_kind.get(kind).cloned()
    }
}

impl CancelFlag {
    /// Whether to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }

    /// Asks to stop. It cannot be taken back.
    pub fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }

    /// The bare flag, for computations that know no jobs. Who sets it does not wake those that wait.
    #[must_use]
    pub fn as_atomic(&self) -> Arc<AtomicBool> {
        self.set.clone()
    }

    /// Waits until somebody asks to stop.
    pub async fn wait(&self) {
        let mut told = pin!(self.told.notified());
        // First listen, then look: what is asked between the two is not missed.
        told.as_mut().enable();
        if !self.set.load(Ordering::SeqCst) {
            told.await;
        }
    }
}

impl Clock {
    /// The computer's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Utc::now)
    }

    /// A clock of one's own.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl JobRun {
    pub(super) fn new(job: Job, clock: Clock, events: broadcast::Sender<JobEvent>) -> Self {
        let (stop, told) = (CancelFlag::default(), Mutex::default());
        Self { inner: Arc::new(Inner { job, clock, stop, events, told }) }
    }

    /// The job.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.inner.job.id
    }

    /// The account that asked for it.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.inner.job.owner.as_deref()
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.job.made
    }

    /// The time, as the runner's clock shows it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// What the job was given.
    #[must_use]
    pub fn payload(&self) -> &Value {
        &self.inner.job.payload
    }

    /// What the job was given, as a type.
    ///
    /// # Errors
    /// [`JobError::Fatal`] if it does not fit.
    pub fn read_payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        T::deserialize(self.payload())
            .map_err(|error| JobError::Fatal(format!("the payload does not fit: {error}")))
    }

    /// Says how far it is: `total` is 0 if nobody knows. Listeners hear of it at once if it shows (another `what`, another
    /// per cent); it is written at most twice a second. Cheap enough for an inner loop.
    pub fn progress(&self, what: &str, done: u64, total: u64) {
        let mut told = self.told();
        let now = &mut told.news.progress;
        if now.what != what {
            now.what = cut(what);
        }
        (now.done, now.total) = (done, total);
        told.unwritten = true;
        if shows(&told.heard, &told.news.progress) {
            self.pass_on(&mut told);
        }
    }

    /// Adds a line to the job's log: at most 4,000 bytes a line and 10,000 lines a run, the rest is left out.
    pub fn log(&self, line: impl AsRef<str>) {
        let at = self.inner.clock.now().timestamp_micros();
        let mut told = self.told();
        told.logged = told.logged.saturating_add(1);
        match told.logged.cmp(&MOST_LINES) {
            std::cmp::Ordering::Less => told.news.lines.push((at, cut(line.as_ref()))),
            std::cmp::Ordering::Equal => told.news.lines.push((at, "further lines are left out".to_owned())),
            std::cmp::Ordering::Greater => {}
        }
    }

    /// Whether to stop: the job was cancelled, the program is shutting down, or the lease was lost. A handler that stops
    /// gives [`JobError::Cancelled`] whatever the reason; what a shutdown interrupted is begun anew.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.inner.stop.is_set()
    }

    /// The flag behind [`Self::is_cancelled`].
    #[must_use]
    pub fn cancel_flag(&self) -> CancelFlag {
        self.inner.stop.clone()
    }

    /// What is to be written: the progress and the lines since [`Self::written`], and whether there is any of it.
    pub(super) fn news(&self) -> (News, bool) {
        let mut told = self.told();
        if told.heard != told.news.progress {
            self.pass_on(&mut told);
        }
        let any = told.unwritten || !told.news.lines.is_empty();
        told.unwritten = false;
        (told.news.clone(), any)
    }

    /// Forgets the lines that were written.
    pub(super) fn written(&self, news: &News) {
        let mut told = self.told();
        let lines = news.lines.len().min(told.news.lines.len());
        told.news.lines.drain(..lines);
    }

    fn pass_on(&self, told: &mut Told) {
        told.heard = told.news.progress.clone();
        // Nobody may be listening.
        self.inner.events.send(self.inner.job.event(Change::Progress(told.heard.clone()))).ok();
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.inner.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_kind.keys()).finish()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

impl fmt::Debug for JobRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRun")
            .field("job", self.id())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}

/// Whether listeners would see the difference.
fn shows(heard: &Progress, now: &Progress) -> bool {
    // In u128: `done` may be anything.
    let per_cent = |p: &Progress| (u128::from(p.done) * 100).checked_div(u128::from(p.total));
    heard.what != now.what || heard.total != now.total || per_cent(heard) != per_cent(now)
}

/// A text that both databases can hold, not too long.
pub(super) fn cut(text: &str) -> String {
    let mut end = text.len().min(LINE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let more = if end < text.len() { "…" } else { "" };
    format!("{}{more}", text[..end].replace('\0', "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(heard: (&str, u64, u64), now: (&str, u64, u64), wanted: bool) {
        let progress = |(what, done, total): (&str, u64, u64)| Progress { what: what.into(), done, total };
        assert_eq!(shows(&progress(heard), &progress(now)), wanted, "{heard:?} {now:?}");
    }

    #[test]
    fn listeners_hear_of_what_shows() {
        check(("fit", 0, 1000), ("fit", 9, 1000), false);
        check(("fit", 9, 1000), ("fit", 10, 1000), true);
        check(("fit", 9, 1000), ("fold", 9, 1000), true);
        check(("fit", 9, 0), ("fit", 10, 0), false);
        check(("fit", 9, 0), ("fit", 9, 10), true);
        check(("fit", u64::MAX, 1), ("fit", u64::MAX - 1, 1), true);
    }

    #[test]
    fn long_and_odd_lines_are_cut() {
        assert_eq!(cut("a\0b"), "a\u{fffd}b");
        let long = "é".repeat(LINE_BYTES);
        assert_eq!(cut(&format!("x{long}")).len(), LINE_BYTES - 1 + "…".len());
    }

    #[tokio::test]
    async fn a_flag_that_was_set_before_is_seen() {
        let flag = CancelFlag::default();
        let waiting = tokio::spawn({
            let flag = flag.clone();
            async move { flag.wait().await }
        });
        flag.set();
        waiting.await.unwrap();
        flag.wait().await;
    }
}
