//! Tune: searches for a learner that does better than the house's, on years that come later than what it learned from.

use std::fs;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use marquee_domain::{Control, Day};
use marquee_forecast::Panel;
use marquee_forecast::features::registry;
use marquee_forecast::tune::{SETTINGS, Trial, best, next_trial, periods};
use marquee_platform::{Action, Permit};
use sha2::{Digest, Sha256};

use crate::cpu;
use crate::error::AppError;
use crate::hex::hex;
use crate::knowledge::{ModelAsk, Reach};
use crate::learners::{CONTEST_YEARS, Chosen, Which, house};
use crate::workspace::Workspace;

/// What to search for, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct TunePlan {
    /// Of which models.
    pub which: Which,
    /// Only films released before this year are looked at; by default all whose outcomes are known.
    pub before: Option<i32>,
    /// How many trials there are to be in all, those of an earlier search counted.
    pub trials: usize,
    /// No trial is begun after so long.
    pub time: Option<Duration>,
    /// The seed of all randomness.
    pub seed: u64,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// All trials, in order; the first is the learner of the house.
    pub trials: Vec<Trial>,
    /// How many of them were made by an earlier search.
    pub resumed: usize,
    /// The periods that they forecast.
    pub periods: Vec<RangeInclusive<Day>>,
    /// The best of them.
    pub best: Option<usize>,
    /// Whether it was made the challenger: it is not where the learner of the house is the best.
    pub challenges: bool,
    /// Where the trials are kept.
    pub file: PathBuf,
}

/// How many periods of how many years trials forecast. The [`CONTEST_YEARS`] after them are kept for the contest.
const PERIODS: (i32, i32) = (3, 2);

/// Searches, or goes on with a search that was stopped; the best learner becomes the challenger.
///
/// # Errors
/// Nobody asks for these models, or too few films to learn from.
pub async fn tune(
    workspace: &Workspace,
    plan: TunePlan,
    control: &Control,
    permit: &Permit,
) -> Result<Tuned, AppError> {
    permit.require(Action::Train)?;
    let which = plan.which.check()?;
    let snapshot = workspace.snapshot(permit).await?;
    let knowledge =
        workspace.knowledge(&snapshot, Reach::of(&[which.horizon], &[which.target]), permit).await?;
    let (models, control) = (workspace.models(), control.clone());
    cpu::run(move || {
        let began = Instant::now();
        let end = knowledge.end(which, plan.before)?;
        let judged = periods(Day::new(end.year() - CONTEST_YEARS, 1, 1)?, PERIODS.1, PERIODS.0)?;
        let scope = knowledge.scope(which.target, *judged[0].start());
        let panel = Panel::fold(&knowledge.facts, knowledge.settled(&scope), &scope, which.horizon)?;
        let ask = ModelAsk { which, cut: *judged[0].start(), seed: plan.seed };
        let model = ask.spec(&knowledge.fingerprint, house());
        let file =
            models.folder().join(format!("tune-{}.jsonl", key(&plan, &judged, &knowledge.fingerprint)));
        let mut trials = read(&file)?;
        trials.truncate(plan.trials);
        let resumed = trials.len();
        while trials.len() < plan.trials && plan.time.is_none_or(|time| began.elapsed() < time) {
            control.step("trying learners", trials.len() as u64, plan.trials as u64);
            let trial = next_trial(&panel, &model, &judged, &trials, plan.seed, &control)?;
            append(&file, &trial)?;
            trials.push(trial);
        }
        let found = best(&trials).map(|trial| (trial.number, trial.learner()));
        let challenges = found.as_ref().is_some_and(|(number, _)| *number > 0);
        if let Some((_, learner)) = found.clone().filter(|_| challenges) {
            models.learners().challenge(which, Chosen { learner, before: end_of(&judged) })?;
        }
        Ok(Tuned {
            resumed,
            periods: judged,
            best: found.map(|(number, _)| number),
            challenges,
            file,
            trials,
        })
    })
    .await
}

/// The day after the last period.
fn end_of(judged: &[RangeInclusive<Day>]) -> Day {
    judged.last().map_or(Day::MAX, |period| period.end().plus(1))
}

/// The name of a search: everything but its length that decides its bytes.
fn key(plan: &TunePlan, judged: &[RangeInclusive<Day>], data: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let seen = registry();
    let described = format!("{version}|{seen}|{:?}|{judged:?}|{}|{data}|{SETTINGS:?}", plan.which, plan.seed);
    hex(&Sha256::digest(described.as_bytes())[..8])
}

/// The trials of an earlier search; a last line that was not finished is made again.
fn read(file: &Path) -> Result<Vec<Trial>, AppError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(AppError::File { path: file.to_owned(), doing: "reading", source }),
    };
    let read = |line| serde_json::from_str::<Trial>(line).ok().filter(Trial::is_sound);
    let whole = text.lines().map_while(read);
    let trials: Vec<Trial> = whole.enumerate().map_while(|(i, t)| (t.number == i).then_some(t)).collect();
    let kept: String = text.lines().take(trials.len()).map(|line| format!("{line}\n")).collect();
    if kept != text {
        fs::write(file, kept).map_err(|source| AppError::File {
            path: file.to_owned(),
            doing: "writing",
            source,
        })?;
    }
    Ok(trials)
}

fn append(file: &Path, trial: &Trial) -> Result<(), AppError> {
    let write = || {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut out = fs::OpenOptions::new().create(true).append(true).open(file)?;
        out.write_all(format!("{}\n", serde_json::to_string(trial)?).as_bytes())?;
        out.sync_all()
    };
    write().map_err(|source| AppError::File { path: file.to_owned(), doing: "writing", source })
}
