//! What a job is, as the rest of the program sees it: its names, its states, what is asked for and what is told.
//!
//! Not here: how one is stored (`rows`), how it changes hands (`lease`), who does the work (`handler`, `runner`).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::Error;
use crate::ledger::{check_name, fill_random};

/// Longest label and unique key, in bytes.
const TEXT_BYTES: usize = 300;
/// Longest payload and result, in bytes of JSON: a job names what it works on, and does not carry it.
pub(super) const VALUE_BYTES: usize = 1 << 20;
/// More attempts than this are a loop.
const MOST_ATTEMPTS: u32 = 100;

/// The name of a job: 32 lower-case hex digits.
///
/// ```
/// use marquee_platform::JobId;
///
/// assert!("00112233445566778899aabbccddeeff".parse::<JobId>().is_ok());
/// assert!("job 7".parse::<JobId>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(String);

/// The name of a schedule: 32 lower-case hex digits.
///
/// ```
/// use marquee_platform::ScheduleId;
///
/// assert!("00112233445566778899aabbccddeeff".parse::<ScheduleId>().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId(String);

/// Where a job stands.
///
/// ```
/// use marquee_platform::JobState;
///
/// assert_eq!("running".parse::<JobState>()?, JobState::Running);
/// assert!(JobState::Failed.is_final() && !JobState::Queued.is_final());
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits for a worker, for its time, or for its next attempt.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Its handler gave a result.
    Done,
    /// Its attempts are used up, or another one would be of no use.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// What is being done, for people.
    pub what: String,
    /// Steps that are done.
    pub done: u64,
    /// Steps that there are; 0 if nobody knows.
    pub total: u64,
}

/// Who runs a job, and how long others keep their hands off it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The worker.
    pub worker: String,
    /// Until when, unless it is renewed.
    pub until: DateTime<Utc>,
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// Which handler does it.
    pub kind: String,
    /// What it is called before people.
    pub label: String,
    /// The account that asked for it.
    pub owner: Option<String>,
    /// While this job is queued or running, no other with this key is.
    pub unique: Option<String>,
    /// What the handler is given.
    pub payload: Value,
    /// Where it stands.
    pub state: JobState,
    /// How often it may be tried.
    pub attempts: u32,
    /// How often it was tried, the running attempt included.
    pub made: u32,
    /// Whether its handler was asked to stop.
    pub cancel_asked: bool,
    /// How far it is, or was.
    pub progress: Progress,
    /// Not before this time, while it is queued.
    pub next_run: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the last attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, failed or cancelled.
    pub finished_at: Option<DateTime<Utc>>,
    /// Who runs it, while it is running.
    pub lease: Option<Lease>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// What its handler gave.
    pub result: Option<Value>,
}

/// A job to be done.
///
/// ```
/// use marquee_platform::NewJob;
/// use serde_json::json;
///
/// let train = NewJob::new("train", "Train the models of 2010", json!({"before": 2010}));
/// let once = NewJob { unique: Some("train-2010".into()), attempts: 3, ..train };
/// assert_eq!(once.attempts, 3);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Which handler does it: 1 to 64 lower-case letters, digits, `-` or `_`.
    pub kind: String,
    /// What it is called before people.
    pub label: String,
    /// What the handler is given.
    pub payload: Value,
    /// The account that asks for it.
    pub owner: Option<String>,
    /// While this job is queued or running, a second one with this key is not made.
    pub unique: Option<String>,
    /// Not before this time; at once if there is none.
    pub run_after: Option<DateTime<Utc>>,
    /// How often it may be tried: 1 to 100. An attempt whose process was killed counts, one that a shutdown interrupted
    /// does not.
    pub attempts: u32,
}

/// Which jobs to list, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobFilter {
    /// Only those that stand so.
    pub state: Option<JobState>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those that this account asked for.
    pub owner: Option<String>,
    /// Only those behind this place: [`Job::cursor`] of the last one of the page before.
    pub before: Option<Cursor>,
}

/// A place in the list of jobs. Its text can stand in a URL.
///
/// ```
/// use marquee_platform::JobCursor;
///
/// let text = "1700000000000000-00112233445566778899aabbccddeeff";
/// assert_eq!(text.parse::<JobCursor>()?.to_string(), text);
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Microseconds since 1970-01-01 UTC.
    pub(super) created_at: i64,
    pub(super) id: JobId,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Its number, from 1 over all attempts.
    pub line: u64,
    /// When the handler wrote it.
    pub at: DateTime<Utc>,
    /// What it wrote.
    pub message: String,
}

/// Something happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEvent {
    /// The job.
    pub job: JobId,
    /// Its kind.
    pub kind: String,
    /// The account that asked for it, so that nobody is told of another's work.
    pub owner: Option<String>,
    /// What happened.
    pub change: Change,
}

/// What happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stands so now.
    State(JobState),
    /// It is so far now.
    Progress(Progress),
}

impl Job {
    /// Its place in the list of jobs.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { created_at: self.created_at.timestamp_micros(), id: self.id.clone() }
    }

    pub(super) fn event(&self, change: Change) -> JobEvent {
        JobEvent { job: self.id.clone(), kind: self.kind.clone(), owner: self.owner.clone(), change }
    }
}

impl NewJob {
    /// A job that nobody owns, that is begun at once and tried once.
    #[must_use]
    pub fn new(kind: impl Into<String>, label: impl Into<String>, payload: Value) -> Self {
        Self {
            kind: kind.into(),
            label: label.into(),
            payload,
            owner: None,
            unique: None,
            run_after: None,
            attempts: 1,
        }
    }

    /// Passes if it can be kept; gives the payload as JSON.
    pub(super) fn check(&self) -> Result<String, Error> {
        check_name("kind", &self.kind)?;
        check_text("label", &self.label)?;
        check_text("owner", self.owner.as_deref().unwrap_or_default())?;
        check_text("unique key", self.unique.as_deref().unwrap_or_default())?;
        if !(1..=MOST_ATTEMPTS).contains(&self.attempts) {
            let reason = format!("is {}: give 1 to {MOST_ATTEMPTS}", self.attempts);
            return Err(Error::InvalidJob { what: "number of attempts", reason });
        }
        let text = serde_json::to_string(&self.payload);
        let text = text.map_err(|error| Error::InvalidPayload { reason: error.to_string() })?;
        if text.len() > VALUE_BYTES {
            let reason = format!("has {} bytes: at most {VALUE_BYTES} are kept, so name a file", text.len());
            return Err(Error::InvalidJob { what: "payload", reason });
        }
        Ok(text)
    }
}

impl JobState {
    /// Whether nothing more happens to it unless somebody tries it again.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let all = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];
        all.into_iter().find(|state| state.as_str() == text).ok_or_else(|| Error::InvalidJob {
            what: "state",
            reason: format!("is `{text}`: use queued, running, done, failed or cancelled"),
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.created_at, self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // From the right: a time before 1970 has a sign.
        let parts = text.rsplit_once('-');
        let read =
            parts.and_then(|(time, id)| Some(Self { created_at: time.parse().ok()?, id: id.parse().ok()? }));
        read.ok_or_else(|| Error::InvalidCursor { cursor: text.chars().take(200).collect() })
    }
}

impl JobId {
    pub(super) fn fresh() -> Result<Self, Error> {
        fresh_id().map(Self)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ScheduleId {
    pub(super) fn fresh() -> Result<Self, Error> {
        fresh_id().map(Self)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for JobId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        check_id("job", text).map(Self)
    }
}

impl FromStr for ScheduleId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        check_id("schedule", text).map(Self)
    }
}

/// Passes for a text that both databases can hold.
pub(super) fn check_text(what: &'static str, text: &str) -> Result<(), Error> {
    let reason = match text {
        long if long.len() > TEXT_BYTES => format!("has {} bytes: at most {TEXT_BYTES} are kept", long.len()),
        odd if odd.contains('\0') => "holds a zero byte: leave it out".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::InvalidJob { what, reason })
}

fn fresh_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn check_id(what: &'static str, text: &str) -> Result<String, Error> {
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() == 32 && text.bytes().all(digit) {
        return Ok(text.to_owned());
    }
    Err(Error::InvalidId { what, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn check(job: &NewJob, wanted: &str) {
        let found = job.check().map_err(|error| error.to_string());
        assert_eq!(found.err().unwrap_or_default(), wanted);
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let job = NewJob::new("train", "Train", json!({}));
        check(&job, "");
        check(
            &NewJob { kind: "Train all".into(), ..job.clone() },
            "`Train all` cannot name a kind: use 1 to 64 lower-case letters, digits, `-` or `_`",
        );
        check(&NewJob { attempts: 0, ..job.clone() }, "the number of attempts of a job is 0: give 1 to 100");
        check(
            &NewJob { label: "x".repeat(301), ..job.clone() },
            "the label of a job has 301 bytes: at most 300 are kept",
        );
        check(
            &NewJob { unique: Some("a\0b".into()), ..job.clone() },
            "the unique key of a job holds a zero byte: leave it out",
        );
        check(
            &NewJob { payload: json!("x".repeat(VALUE_BYTES)), ..job },
            "the payload of a job has 1048578 bytes: at most 1048576 are kept, so name a file",
        );
    }

    #[test]
    fn names_and_places_are_read_back() {
        let id = JobId::fresh().unwrap();
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
        assert_ne!(JobId::fresh().unwrap(), id);
        for created_at in [i64::MIN, -1, 0, i64::MAX] {
            let cursor = Cursor { created_at, id: id.clone() };
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        for text in ["", "-", "7", "7-x", "00112233445566778899AABBCCDDEEFF"] {
            assert!(text.parse::<Cursor>().is_err() && text.parse::<JobId>().is_err(), "{text}");
        }
    }
}
