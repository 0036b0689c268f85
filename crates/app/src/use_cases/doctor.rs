//! Doctor: what is configured, reachable, stale, damaged.

use chrono::{DateTime, Utc};
use marquee_forecast::FittedModel;
use marquee_forecast::streaming::FittedStreaming;
use marquee_forecast::weeks::FittedWeeks;
use marquee_platform::{Action, Head, Integrity, Permit};

use crate::error::AppError;
use crate::models::{Kept, ModelStore, Stored};
use crate::workspace::Workspace;

/// How an examined part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nothing to do.
    Good,
    /// It works; look at it.
    Stale,
    /// It does not work, or cannot be trusted.
    Bad,
}

/// One examined part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was examined.
    pub part: String,
    /// How it is.
    pub health: Health,
    /// What was found and, where something is wrong, what to do.
    pub said: String,
}

/// Days after which a source counts as stale.
const STALE_DAYS: i64 = 400;

/// Examines a data folder; `kept` is a head of the track record that was kept elsewhere.
///
/// # Errors
/// Only where the permit does not allow to look: what is damaged is a finding.
pub async fn doctor(
    workspace: &Workspace,
    kept: Option<&Head>,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<Vec<Finding>, AppError> {
    permit.require(Action::Read)?;
    let mut found = vec![folder(workspace)];
    found.extend(lake(workspace, now, permit).await);
    found.push(models(workspace));
    found.extend(ledger(workspace, kept, permit).await);
    Ok(found)
}

fn finding(part: impl Into<String>, health: Health, said: impl Into<String>) -> Finding {
    Finding { part: part.into(), health, said: said.into() }
}

fn folder(workspace: &Workspace) -> Finding {
    let path = workspace.folder();
    let probe = path.join(".doctor");
    let writable = std::fs::create_dir_all(path)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    match writable {
        Ok(()) => finding("data folder", Health::Good, path.display().to_string()),
        Err(e) => finding(
            "data folder",
            Health::Bad,
            format!("{} cannot be written ({e}): name another with --data", path.display()),
        ),
    }
}

async fn lake(workspace: &Workspace, now: DateTime<Utc>, permit: &Permit) -> Vec<Finding> {
    let snapshot = match workspace.snapshot(permit).await {
        Ok(snapshot) => snapshot,
        Err(AppError::Empty(_)) => {
            return vec![finding("lake", Health::Stale, "empty: `marquee ingest FILE` fills it")];
        }
        Err(e) => return vec![finding("lake", Health::Bad, e.to_string())],
    };
    let check = match snapshot.check().await {
        Ok(check) => check,
        Err(e) => return vec![finding("lake", Health::Bad, e.to_string())],
    };
    let mut found = Vec::new();
    let size =
        format!("version {}, {} files, {:.1} MB", check.version, check.files, check.bytes as f64 / 1e6);
    found.push(if check.is_sound() {
        finding("lake", Health::Good, size)
    } else {
        let broken: Vec<String> = check.missing.iter().chain(&check.damaged).cloned().collect();
        finding(
            "lake",
            Health::Bad,
            format!("{size}; missing or damaged: {}: ingest the source again", broken.join(", ")),
        )
    });
    if !check.orphans.is_empty() {
        let said = format!(
            "{} files of an ingest that did not finish; the next ingest removes them",
            check.orphans.len()
        );
        found.push(finding("lake, left over", Health::Stale, said));
    }
    for (source, recorded) in &check.newest {
        let days = (now.timestamp_micros() - recorded.0) / 86_400_000_000;
        let health = if days > STALE_DAYS { Health::Stale } else { Health::Good };
        found.push(finding(format!("source {source}"), health, format!("ingested {days} days ago")));
    }
    found
}

fn models(workspace: &Workspace) -> Finding {
    let store = workspace.models();
    let mut damaged: Vec<String> = Vec::new();
    let counts = [
        count::<FittedModel>(&store, &mut damaged),
        count::<FittedWeeks>(&store, &mut damaged),
        count::<FittedStreaming>(&store, &mut damaged),
    ];
    let stored: usize = match counts.into_iter().sum() {
        Ok(stored) => stored,
        Err(e) => return finding("models", Health::Bad, AppError::to_string(&e)),
    };
    match damaged.is_empty() {
        true => finding("models", Health::Good, format!("{stored} stored")),
        false => {
            let said = format!(
                "{}; `marquee models prune` deletes these files, and they are trained again",
                damaged.join("; ")
            );
            finding("models", Health::Bad, said)
        }
    }
}

/// How many models of a kind are stored, and which of them cannot be read.
fn count<M: Stored>(store: &ModelStore, damaged: &mut Vec<String>) -> Result<usize, AppError> {
    let kept = store.all::<M>()?;
    let why = |k: &Kept<M>| k.model.as_ref().err().map(|why| format!("{}: {why}", k.path.display()));
    damaged.extend(kept.iter().filter_map(why));
    Ok(kept.len())
}

async fn ledger(workspace: &Workspace, kept: Option<&Head>, permit: &Permit) -> Vec<Finding> {
    if !workspace.has_ledger() {
        let (health, said) = match kept {
            None => (Health::Good, "not begun: `marquee forecast … --record` begins it".to_owned()),
            Some(head) => {
                let said =
                    format!("removed since a head of entry {} was kept: restore it from a backup", head.seq);
                (Health::Bad, said)
            }
        };
        return vec![finding("track record", health, said)];
    }
    match examine_ledger(workspace, kept, permit).await {
        Ok(found) => found,
        Err(e) => vec![finding("track record", Health::Bad, e.to_string())],
    }
}

async fn examine_ledger(
    workspace: &Workspace,
    kept: Option<&Head>,
    permit: &Permit,
) -> Result<Vec<Finding>, AppError> {
    let mut found = Vec::new();
    match workspace.store(permit).await?.check().await? {
        Integrity::Sound => found.push(finding("state store", Health::Good, "sound")),
        Integrity::Damaged(lines) => {
            found.push(finding(
                "state store",
                Health::Bad,
                format!("{}: restore it from a backup", lines.join("; ")),
            ));
        }
    }
    let ledger = workspace.ledger(permit).await?;
    let mut streams = ledger.streams().await?;
    // A stream that was removed whole is found by the head that was kept elsewhere.
    streams.extend(kept.map(|head| head.stream.clone()).filter(|stream| !streams.contains(stream)));
    for stream in streams {
        let kept = kept.filter(|head| head.stream == stream);
        let verification = ledger.verify(&stream, kept).await?;
        let health = if verification.is_intact() { Health::Good } else { Health::Bad };
        found.push(finding(format!("ledger {stream}"), health, verification.to_string()));
    }
    Ok(found)
}
