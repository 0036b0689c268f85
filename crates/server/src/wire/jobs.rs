//! Jobs, their logs, and what happens to them.

use marquee_app::platform::{self, JobChange, JobEvent, LogLine};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A job.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it does: ingest, train, alerts, webhook.
    pub kind: String,
    /// What it does, in words.
    pub label: String,
    /// The id of the account in whose name it is done.
    pub owner: Option<String>,
    /// queued, running, done, failed or cancelled.
    pub state: String,
    /// What it is doing.
    pub doing: String,
    /// Steps that are done.
    pub done: u64,
    /// Steps in all; 0 where that is not known.
    pub total: u64,
    /// How often it was begun.
    pub made: u32,
    /// How often it may be begun.
    pub attempts: u32,
    /// Whether it was asked to stop.
    pub cancel_asked: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// What came of it.
    pub result: Option<Value>,
    /// When it was asked for, RFC 3339.
    pub created_at: String,
    /// When it was last begun.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
}

/// Jobs, a page at a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobPage {
    /// The jobs of this page, newest first.
    pub jobs: Vec<Job>,
    /// What to send as `cursor` for the next page; none after the last.
    pub next: Option<String>,
}

/// A line of a job's log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobLine {
    /// Its number, from 1.
    pub line: u64,
    /// When it was written, RFC 3339.
    pub at: String,
    /// What it says.
    pub message: String,
}

/// A job that was taken on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobReceipt {
    /// Its id: GET /api/v1/jobs/{id} tells how it stands.
    pub job: String,
}

/// Something that happened to a job, as an event stream has it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobNews {
    /// The job's id.
    pub job: String,
    /// What it does.
    pub kind: String,
    /// Its new state.
    pub state: Option<String>,
    /// What it is doing.
    pub doing: Option<String>,
    /// Steps that are done.
    pub done: Option<u64>,
    /// Steps in all.
    pub total: Option<u64>,
}

impl From<&platform::Job> for Job {
    fn from(job: &platform::Job) -> Self {
        let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339();
        Self {
            id: job.id.to_string(),
            kind: job.kind.clone(),
            label: job.label.clone(),
            owner: job.owner.clone(),
            state: job.state.to_string(),
            doing: job.progress.what.clone(),
            done: job.progress.done,
            total: job.progress.total,
            made: job.made,
            attempts: job.attempts,
            cancel_asked: job.cancel_asked,
            error: job.error.clone(),
            result: job.result.clone(),
            created_at: time(job.created_at),
            started_at: job.started_at.map(time),
            finished_at: job.finished_at.map(time),
        }
    }
}

impl From<&LogLine> for JobLine {
    fn from(line: &LogLine) -> Self {
        Self { line: line.line, at: line.at.to_rfc3339(), message: line.message.clone() }
    }
}

impl From<&JobEvent> for JobNews {
    fn from(event: &JobEvent) -> Self {
        let quiet = Self {
            job: event.job.to_string(),
            kind: event.kind.clone(),
            state: None,
            doing: None,
            done: None,
            total: None,
        };
        match &event.change {
            JobChange::State(state) => Self { state: Some(state.to_string()), ..quiet },
            JobChange::Progress(at) => {
                Self { doing: Some(at.what.clone()), done: Some(at.done), total: Some(at.total), ..quiet }
            }
        }
    }
}
