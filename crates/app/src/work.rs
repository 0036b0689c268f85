//! Work that is done in the background: what each kind of job does, and with whose permission.
//!
//! A job is done in the name of the account that asked for it, by what that account may do at the time: one that was shut
//! out meanwhile gets nothing done. Handlers can be begun again at any time, as jobs are after a crash.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use marquee_domain::{Control, Day, Held, Progress};
use marquee_platform::{
    Alert, Call, Handlers, JobError, JobRun, NewJob, NewSchedule, Notice, Permit, Severity, deliver, shape,
    sign,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::error::AppError;
use crate::office::Office;
use crate::use_cases::due::{DueQuestion, Policy, due};
use crate::use_cases::ingest::{Input, Wish, ingest};
use crate::watching::{Terms, evaluate};
use crate::workspace::Workspace;

/// The kinds of job that there are.
pub const KINDS: [&str; 4] = [Upload::KIND, Training::KIND, Watching::KIND, Calling::KIND];

/// Tables that were uploaded, to be ingested.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    /// The name of the folder under [`uploads`] that holds the files, and nothing else; it is removed once they are ingested.
    pub folder: String,
    /// The names of the files.
    pub files: Vec<String>,
    /// The name of the mapping among them, where there is one.
    pub map: Option<String>,
    /// Whether a file takes the place of all files of its source.
    pub replace: bool,
    /// Under what the facts are held.
    pub held: Held,
}

/// The models that are due, to be trained.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Training {
    /// The day on which models are to be fit for questions; today where nobody says.
    pub as_of: Option<Day>,
    /// The seed of all randomness.
    pub seed: u64,
}

/// The alert rules, to look.
#[derive(Debug, Clone, Copy)]
pub struct Watching;

/// A webhook, to be called.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Calling {
    /// The channel's id.
    pub channel: String,
    /// What to say.
    pub about: About,
}

/// What a call says. The words themselves are read when it is made, so that no job holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum About {
    /// That an alert fired.
    Fired {
        /// Its id.
        alert: String,
    },
    /// That it was resolved.
    Resolved {
        /// Its id.
        alert: String,
    },
    /// That this is a test.
    Test,
}

/// The folder of tables that were uploaded and wait for their job.
#[must_use]
pub fn uploads(workspace: &Workspace) -> PathBuf {
    workspace.folder().join("uploads")
}

impl Upload {
    /// The name of these jobs.
    pub const KIND: &'static str = "ingest";

    /// The job, done in the name of an account.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn job(&self, owner: &str) -> Result<NewJob, AppError> {
        let label = format!("ingest {}", self.files.join(", "));
        job(Self::KIND, &label, self, owner)
    }
}

impl Training {
    /// The name of these jobs.
    pub const KIND: &'static str = "train";

    /// The job, done in the name of an account; one at a time.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn job(&self, owner: &str) -> Result<NewJob, AppError> {
        let one = job(Self::KIND, "train the models that are due", self, owner)?;
        Ok(NewJob { unique: Some(Self::KIND.to_owned()), ..one })
    }
}

impl Watching {
    /// The name of these jobs.
    pub const KIND: &'static str = "alerts";
    /// Seven minutes past every hour, out of step with what others start on the hour.
    const CRON: &'static str = "7 * * * *";
    const LABEL: &'static str = "look for what alert rules are about";

    /// The job: it belongs to nobody, since each rule looks in the name of its own owner.
    #[must_use]
    pub fn job() -> NewJob {
        NewJob { unique: Some(Self::KIND.to_owned()), ..NewJob::new(Self::KIND, Self::LABEL, json!({})) }
    }

    /// Makes the schedule by which rules look, where there is none of this kind. One that was changed or switched off stays
    /// as it is.
    ///
    /// # Errors
    /// Where the state store fails.
    pub async fn schedule(office: &Office, now: DateTime<Utc>) -> Result<(), AppError> {
        let schedules = office.jobs.schedules();
        if schedules.list().await?.iter().all(|schedule| schedule.plan.kind != Self::KIND) {
            schedules.create(NewSchedule::new(Self::LABEL, Self::CRON, Self::KIND, json!({})), now).await?;
        }
        Ok(())
    }
}

impl Calling {
    /// The name of these jobs.
    pub const KIND: &'static str = "webhook";
    const ATTEMPTS: u32 = 5;

    /// The job, in the name of the account whose rule it is.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn job(&self, owner: &str) -> Result<NewJob, AppError> {
        let (channel, label) = (&self.channel, "tell a channel of an alert");
        let unique = match &self.about {
            About::Fired { alert } => format!("{}:{channel}:{alert}:fired", Self::KIND),
            About::Resolved { alert } => format!("{}:{channel}:{alert}:resolved", Self::KIND),
            About::Test => format!("{}:{channel}:test", Self::KIND),
        };
        let one = job(Self::KIND, label, self, owner)?;
        Ok(NewJob { unique: Some(unique), attempts: Self::ATTEMPTS, ..one })
    }
}

fn job(kind: &str, label: &str, what: &impl Serialize, owner: &str) -> Result<NewJob, AppError> {
    let payload = serde_json::to_value(what).map_err(|e| AppError::Computation(e.to_string()))?;
    let label = label.chars().take(200).collect::<String>();
    Ok(NewJob { owner: Some(owner.to_owned()), attempts: 3, ..NewJob::new(kind, label, payload) })
}

/// What does each kind of job.
///
/// # Errors
/// A kind that cannot be one.
pub fn handlers(workspace: &Workspace, office: &Office, terms: &Terms) -> Result<Handlers, AppError> {
    let at = (workspace.clone(), office.clone());
    let (ingesting, watching) = (at.clone(), (at.clone(), terms.clone()));
    let calling = office.clone();
    let handlers = Handlers::default()
        .on(Upload::KIND, move |run| {
            let (workspace, office) = ingesting.clone();
            async move { ingest_upload(&workspace, &office, run).await }
        })?
        .on(Training::KIND, move |run| {
            let (workspace, office) = at.clone();
            async move { train(&workspace, &office, run).await }
        })?
        .on(Watching::KIND, move |run| {
            let ((workspace, office), terms) = watching.clone();
            async move { watch(&workspace, &office, &terms, run).await }
        })?
        .on(Calling::KIND, move |run| {
            let office = calling.clone();
            async move { call(&office, run).await }
        })?;
    Ok(handlers)
}

async fn ingest_upload(workspace: &Workspace, office: &Office, run: JobRun) -> Result<Value, JobError> {
    let upload: Upload = run.read_payload()?;
    let folder = uploads(workspace).join(&upload.folder);
    if !folder.exists() {
        // Ingested by an attempt that a crash kept from saying so.
        run.log("the uploaded files are gone: an earlier attempt ingested them");
        return Ok(json!({ "reports": [] }));
    }
    let permit = permit(office, &run).await?;
    let paths = upload.files.iter().map(|name| folder.join(name)).collect();
    let input = Input::Files(paths, upload.map.as_ref().map(|name| folder.join(name)));
    let wish = Wish { input, replace: upload.replace, held: upload.held };
    let (control, _watch) = control(&run);
    let done = ingest(workspace, wish, &control, &permit).await.map_err(|error| verdict(&error))?;
    for note in &done.notes {
        run.log(note);
    }
    remove(&folder, &run);
    Ok(json!({ "reports": done.reports, "notes": done.notes }))
}

async fn train(workspace: &Workspace, office: &Office, run: JobRun) -> Result<Value, JobError> {
    let training: Training = run.read_payload()?;
    let permit = permit(office, &run).await?;
    let as_of = training.as_of.unwrap_or_else(today);
    let question = DueQuestion { policy: Policy::default(), as_of, retrain: true, seed: training.seed };
    let (control, _watch) = control(&run);
    let found = due(workspace, question, &control, &permit).await.map_err(|error| verdict(&error))?;
    let said = found.iter().map(|due| {
        let which = due.which;
        let word = if due.retrained { "trained" } else { "up to date" };
        run.log(format!("{} {}, {}: {word}", which.horizon, which.target, which.population));
        json!({
            "horizon": which.horizon.as_str(), "target": which.target.as_str(),
            "population": which.population.as_str(), "retrained": due.retrained, "reasons": due.reasons,
        })
    });
    Ok(json!({ "models": said.collect::<Vec<_>>() }))
}

async fn watch(
    workspace: &Workspace,
    office: &Office,
    terms: &Terms,
    run: JobRun,
) -> Result<Value, JobError> {
    let (control, _watch) = control(&run);
    let done =
        evaluate(workspace, office, terms, run.now(), &control).await.map_err(|error| verdict(&error))?;
    // What kept a rule from looking may tell of something confidential: it is kept with the rule.
    run.log(format!(
        "{} rules looked, {} rest, {} could not see all",
        done.looked, done.resting, done.faulty
    ));
    Ok(json!({
        "looked": done.looked, "resting": done.resting, "faulty": done.faulty,
        "fired": done.fired, "resolved": done.resolved, "calls": done.calls,
    }))
}

/// Makes one call. Neither its address nor what it says goes to the log.
async fn call(office: &Office, run: JobRun) -> Result<Value, JobError> {
    let calling: Calling = run.read_payload()?;
    let failed = |error: marquee_platform::Error| JobError::Failed(error.to_string());
    let Some(channel) = office.alerts.channel(&calling.channel).await.map_err(failed)? else {
        return Ok(json!({ "told": false, "why": "the channel was removed" }));
    };
    let Some(notice) = notice(office, &calling.about, run.now()).await.map_err(failed)? else {
        return Ok(json!({ "told": false, "why": "it was over before it could be told" }));
    };
    let body = shape(&channel.shape, &notice).to_string().into_bytes();
    let signature = sign(&channel.secret, run.now(), &body);
    let delivery = run.id().to_string();
    let to_private = office.webhooks_to_private;
    let told = deliver(Call { hook: channel.hook, body, signature, delivery, to_private }).await;
    match told {
        Ok(status) => Ok(json!({ "told": true, "status": status })),
        Err(error) if error.is_final() => Err(JobError::Fatal(error.to_string())),
        Err(error) => Err(JobError::Failed(error.to_string())),
    }
}

/// What a call says; nothing where the alert is gone, or was resolved before anybody heard that it fired: its end is told
/// by a call of its own, which must not come first.
async fn notice(
    office: &Office,
    about: &About,
    now: DateTime<Utc>,
) -> Result<Option<Notice>, marquee_platform::Error> {
    let (alert, resolved) = match about {
        About::Test => return Ok(Some(test(office, now))),
        About::Fired { alert } => {
            (office.alerts.get(alert).await?.filter(|a| a.resolved_at.is_none()), false)
        }
        About::Resolved { alert } => {
            (office.alerts.get(alert).await?.filter(|a| a.resolved_at.is_some()), true)
        }
    };
    Ok(alert.map(|alert| said(office, alert, resolved)))
}

fn said(office: &Office, alert: Alert, resolved: bool) -> Notice {
    let at = alert.resolved_at.filter(|_| resolved).unwrap_or(alert.fired_at);
    let found = alert.found;
    let (title, text, link) = if alert.closer {
        // Whoever reads the channel need not be who may see it.
        let text = "What it says is held more closely than its rule: open Marquee to read it.".to_owned();
        ("An alert fired".to_owned(), text, "/alerts".to_owned())
    } else {
        (found.title, found.text, found.link.unwrap_or_else(|| "/alerts".to_owned()))
    };
    Notice {
        title,
        text,
        severity: found.severity,
        link: absolute(office, &link),
        at,
        key: alert.id,
        resolved,
    }
}

fn test(office: &Office, now: DateTime<Utc>) -> Notice {
    Notice {
        title: "A test from Marquee".to_owned(),
        text: "Somebody asked for it; nothing is wrong.".to_owned(),
        severity: Severity::Info,
        link: absolute(office, "/alerts"),
        at: now,
        key: "test".to_owned(),
        resolved: false,
    }
}

fn absolute(office: &Office, path: &str) -> Option<String> {
    office.public_url.as_ref().map(|url| format!("{url}{path}"))
}

/// What the account that asked for a job may do now.
async fn permit(office: &Office, run: &JobRun) -> Result<Permit, JobError> {
    let fatal = |said: &str| JobError::Fatal(said.to_owned());
    let owner = run.owner().ok_or_else(|| fatal("this job names no account to be done for"))?;
    let id = owner.parse().map_err(|_| fatal("this job's account is no account's id"))?;
    let account = office.accounts.get(&id).await.map_err(|e| JobError::Failed(e.to_string()))?;
    let account = account.ok_or_else(|| fatal("the account that asked for this is gone"))?;
    Ok(office.policies.permit(&account, None))
}

/// What another attempt may mend is tried again; the rest is not.
fn verdict(error: &AppError) -> JobError {
    match error {
        _ if error.is_stop() => JobError::Cancelled,
        AppError::Fitting => JobError::Failed(error.to_string()),
        _ if error.is_fault() => JobError::Failed(error.to_string()),
        _ => JobError::Fatal(error.to_string()),
    }
}

/// Passes a job's cancellation on for as long as it is kept.
struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A control that reports to a job and stops with it.
fn control(run: &JobRun) -> (Control, Watch) {
    struct Told(JobRun);
    impl Progress for Told {
        fn step(&self, label: &str, done: u64, total: u64) {
            self.0.progress(label, done, total);
        }
    }
    let control = Control::with_progress(Arc::new(Told(run.clone())));
    let (flag, told) = (run.cancel_flag(), control.clone());
    let watch = tokio::spawn(async move {
        flag.wait().await;
        told.cancel();
    });
    (control, Watch(watch))
}

fn remove(folder: &Path, run: &JobRun) {
    if let Err(error) = std::fs::remove_dir_all(folder) {
        run.log(format!("the uploaded files could not be removed from {}: {error}", folder.display()));
    }
}

fn today() -> Day {
    Day::from_epoch_days((Utc::now().timestamp() / 86_400) as i32).unwrap_or(Day::MAX)
}
