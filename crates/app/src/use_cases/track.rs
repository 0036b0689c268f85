//! Track: the record of forecasts, its head, and its scores.

use marquee_platform::{Entry, Head, Permit, Stream, Verification};

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::recorded::{Recorded, Scored, actual_of};
use crate::workspace::Workspace;

/// The track record.
#[derive(Debug)]
pub struct Track {
    /// Whether the chain is intact.
    pub verification: Verification,
    /// The newest entry's place and MAC, to be kept elsewhere; none before the first entry.
    pub head: Option<Head>,
    /// The newest entries, newest last.
    pub entries: Vec<Tracked>,
    /// Over all scored entries: how many, mean CRPS, share inside the 10–90% interval.
    pub summary: Option<Summary>,
}

/// One recorded forecast.
#[derive(Debug)]
pub struct Tracked {
    /// The ledger's entry.
    pub entry: Entry,
    /// What was recorded; none where the payload was erased.
    pub recorded: Option<Recorded>,
    /// How it did, where the actual is known and it was recorded in time.
    pub scored: Option<Scored>,
}

/// How the scored forecasts did together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many are scored.
    pub n: usize,
    /// Mean continuous ranked probability score, natural log.
    pub crps: f64,
    /// Share of actuals inside the 10–90% interval.
    pub cover80: f64,
}

/// Entries that are read at a time.
const PAGE: usize = 500;

/// Reads the track record; `kept` is a head that was kept elsewhere, to be verified against.
///
/// # Errors
/// Where the ledger cannot be opened; a record that this version cannot read.
pub async fn track(
    workspace: &Workspace,
    latest: usize,
    kept: Option<Head>,
    permit: &Permit,
) -> Result<Track, AppError> {
    let ledger = workspace.ledger(permit).await?;
    let stream = Stream::track();
    let verification = ledger.verify(&stream, kept.as_ref()).await?;
    let head = ledger.head(&stream).await?;
    let mut entries = Vec::new();
    let mut from = 1;
    loop {
        let page = ledger.find(&stream, Recorded::KIND, from, PAGE).await?;
        let Some(last) = page.last() else { break };
        from = last.seq + 1;
        entries.extend(page);
    }
    let knowledge = match workspace.snapshot(permit).await {
        Ok(snapshot) => Some(workspace.knowledge(&snapshot, Reach::Plans, permit).await?),
        Err(AppError::Empty(_)) => None,
        Err(other) => return Err(other),
    };
    let tracked = cpu::run(move || {
        let one = |entry: Entry| {
            let recorded = entry.payload.as_ref().map(Recorded::read).transpose()?;
            let actual =
                recorded.as_ref().zip(knowledge.as_ref()).and_then(|(r, k)| actual_of(&r.forecast, k));
            let scored = recorded.as_ref().and_then(|r| r.score(actual));
            Ok(Tracked { entry, recorded, scored })
        };
        entries.into_iter().map(one).collect::<Result<Vec<Tracked>, AppError>>()
    })
    .await?;
    let summary = summarise(&tracked);
    let skip = tracked.len().saturating_sub(latest);
    Ok(Track { verification, head, entries: tracked.into_iter().skip(skip).collect(), summary })
}

fn summarise(tracked: &[Tracked]) -> Option<Summary> {
    let scored: Vec<&Scored> = tracked.iter().filter_map(|t| t.scored.as_ref()).collect();
    let n = scored.len();
    (n > 0).then(|| Summary {
        n,
        crps: scored.iter().map(|s| s.crps).sum::<f64>() / n as f64,
        cover80: scored.iter().filter(|s| (0.1..=0.9).contains(&s.pit)).count() as f64 / n as f64,
    })
}
