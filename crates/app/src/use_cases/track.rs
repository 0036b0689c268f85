//! Track: the record of forecasts, its head, and its scores.

use std::collections::BTreeMap;

use marquee_domain::{Held, Horizon};
use marquee_platform::{Entry, Head, Holding, Permit, Stream, Verification};

use crate::cpu;
use crate::error::AppError;
use crate::knowledge::Reach;
use crate::recorded::{Recorded, Scored};
use crate::workspace::Workspace;

/// The track record.
#[derive(Debug)]
pub struct Track {
    /// Whether the chain is intact.
    pub verification: Verification,
    /// The newest entry's place and MAC, to be kept elsewhere; none before the first entry.
    pub head: Option<Head>,
    /// The newest entries that may be seen, newest last.
    pub entries: Vec<Tracked>,
    /// Over all scored entries: how many, mean CRPS, share inside the 10–90% interval.
    pub summary: Option<Summary>,
    /// How the scored forecasts did in detail, and how many there are of which kind.
    pub standing: Standing,
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

/// How the recorded forecasts stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Intervals around the middle: the share that they are to hold, and how many actuals they held.
    pub held: Vec<(f64, usize)>,
    /// In how many tenths of its forecast each actual fell, from the lowest: even where forecasts are calibrated.
    pub tenths: [usize; 10],
    /// How they did by how much was known.
    pub horizons: Vec<HorizonScore>,
    /// How many were recorded too late to be scored.
    pub late: usize,
    /// How many wait for their actual.
    pub waiting: usize,
}

/// How the scored forecasts of a horizon did.
#[derive(Debug, Clone, PartialEq)]
pub struct HorizonScore {
    /// How much was known.
    pub horizon: Horizon,
    /// How many.
    pub n: usize,
    /// Mean continuous ranked probability score, natural log.
    pub crps: f64,
    /// Median absolute error of the middle as a share of the actual.
    pub median_ape: f64,
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
    let forecaster = match workspace.forecaster(Reach::Plans, permit).await {
        Ok(forecaster) => Some(forecaster),
        Err(AppError::Empty(_)) => None,
        Err(other) => return Err(other),
    };
    let permit = permit.clone();
    let tracked = cpu::run(move || {
        let one = |entry: Entry| {
            let recorded = entry.payload.as_ref().map(Recorded::read).transpose()?;
            if recorded.as_ref().is_some_and(|recorded| !sees(&permit, &entry, &recorded.held)) {
                return Ok(None);
            }
            let actual = recorded.as_ref().zip(forecaster.as_ref()).and_then(|(r, f)| f.actual(&r.forecast));
            let scored = recorded.as_ref().and_then(|r| r.score(actual));
            Ok(Some(Tracked { entry, recorded, scored }))
        };
        entries.into_iter().filter_map(|entry| one(entry).transpose()).collect::<Result<Vec<_>, AppError>>()
    })
    .await?;
    let (summary, standing) = (summarise(&tracked), stand(&tracked));
    let skip = tracked.len().saturating_sub(latest);
    Ok(Track { verification, head, entries: tracked.into_iter().skip(skip).collect(), summary, standing })
}

/// Whether a recorded forecast may be seen.
fn sees(permit: &Permit, entry: &Entry, held: &Held) -> bool {
    let id = entry.seq.to_string();
    let (class, team) = (held.class, held.team.as_str());
    permit.sees(&Holding { kind: "forecast", id: &id, class, team, owner: None, nda: None })
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

fn stand(tracked: &[Tracked]) -> Standing {
    let mut standing =
        Standing { held: [0.5, 0.8, 0.9].map(|share| (share, 0)).to_vec(), ..Standing::default() };
    let mut horizons: BTreeMap<Horizon, Vec<&Scored>> = BTreeMap::new();
    for one in tracked {
        match (&one.recorded, &one.scored) {
            (Some(recorded), Some(scored)) => {
                horizons.entry(recorded.forecast.horizon).or_default().push(scored);
                for (share, n) in &mut standing.held {
                    *n += usize::from((scored.pit - 0.5).abs() <= *share / 2.0);
                }
                standing.tenths[((scored.pit * 10.0) as usize).min(9)] += 1;
            }
            (Some(recorded), None) if recorded.late => standing.late += 1,
            (Some(_), None) => standing.waiting += 1,
            (None, _) => {}
        }
    }
    standing.horizons = horizons.into_iter().map(|(horizon, scored)| of_horizon(horizon, &scored)).collect();
    standing
}

fn of_horizon(horizon: Horizon, scored: &[&Scored]) -> HorizonScore {
    let n = scored.len();
    let mut errors: Vec<f64> = scored.iter().map(|s| s.ape).collect();
    errors.sort_by(f64::total_cmp);
    let median_ape = (errors[(n - 1) / 2] + errors[n / 2]) / 2.0;
    HorizonScore { horizon, n, crps: scored.iter().map(|s| s.crps).sum::<f64>() / n as f64, median_ape }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horizon_is_scored_by_its_mean_and_its_median() {
        let scored = |crps, ape| Scored { actual: 1e6, pit: 0.5, crps, ape };
        let all = [scored(0.2, 0.1), scored(0.4, 0.9), scored(0.6, 0.3)];
        let found = of_horizon(Horizon::Announced, &all.iter().collect::<Vec<_>>());
        assert_eq!((found.n, found.median_ape), (3, 0.3));
        assert!((found.crps - 0.4).abs() < 1e-12);
        let found = of_horizon(Horizon::Announced, &all[..2].iter().collect::<Vec<_>>());
        assert!((found.median_ape - 0.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_recorded_stands_at_nothing() {
        let standing = stand(&[]);
        assert_eq!(standing.held, [(0.5, 0), (0.8, 0), (0.9, 0)]);
        assert!(standing.horizons.is_empty() && standing.tenths == [0; 10]);
    }
}
