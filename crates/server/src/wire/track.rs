//! The track record: its entries, whether it is intact, how its forecasts did.

use marquee_app::use_cases::track::{Track, Tracked};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::forecast::Forecast;

/// The track record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrackRecord {
    /// Whether everything fits: nothing was changed, cut or written again.
    pub intact: bool,
    /// What was found, in words.
    pub verification: String,
    /// Its head: who keeps it elsewhere can prove later that all up to it is as it was. Null where nothing was recorded.
    pub head: Option<Head>,
    /// How the scored forecasts did; null where none was scored yet.
    pub summary: Option<TrackSummary>,
    /// The newest entries.
    pub entries: Vec<TrackEntry>,
}

/// The head of a ledger's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "version": 1, "stream": "track", "seq": 12,
    "mac": "9c1185a5c5e9fc54612808977ee8f548b2258d31ddadef707b6b7a2a1a0a0a0a",
    "at": "2026-11-26T20:36:00.000001Z"
}))]
pub struct Head {
    /// The version of this format.
    pub version: u32,
    /// The stream.
    pub stream: String,
    /// Its last entry, from 1.
    pub seq: u64,
    /// That entry's code, which depends on every entry before it; hexadecimal.
    pub mac: String,
    /// When that entry was recorded.
    #[schema(format = DateTime)]
    pub at: String,
}

/// How scored forecasts did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrackSummary {
    /// How many.
    pub n: usize,
    /// The mean continuous ranked probability score, natural log: smaller is better.
    pub crps: f64,
    /// The share of actuals inside the 10–90% range.
    pub cover80: f64,
}

/// An entry of the track record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrackEntry {
    /// Its place, from 1.
    pub seq: u64,
    /// When it was recorded.
    #[schema(format = DateTime, example = "2026-11-26T20:36:00.000001+00:00")]
    pub recorded_at: String,
    /// Its code, which depends on every entry before it; hexadecimal.
    pub mac: String,
    /// The forecast; null where it was erased.
    pub forecast: Option<Forecast>,
    /// Whether it was recorded when the outcome could be known already, so that it is not scored; null where it was erased.
    pub late: Option<bool>,
    /// How it did; null where that is not known yet.
    pub score: Option<TrackScore>,
}

/// How a recorded forecast did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TrackScore {
    /// What happened, US dollars, nominal.
    pub actual_usd: f64,
    /// The share of the forecast that lies below it, 0 to 1.
    pub pit: f64,
    /// The continuous ranked probability score, natural log.
    pub crps: f64,
    /// How far the median lies from it, as a share of it.
    pub ape: f64,
}

impl Head {
    /// A head as it is kept: its text is a document already, which says the format's version too.
    #[must_use]
    pub fn of(head: &marquee_app::types::Head) -> Option<Self> {
        serde_json::from_str(&head.to_string()).ok()
    }
}

impl From<&Track> for TrackRecord {
    fn from(found: &Track) -> Self {
        Self {
            intact: found.verification.is_intact(),
            verification: found.verification.to_string(),
            head: found.head.as_ref().and_then(Head::of),
            summary: found.summary.map(|s| TrackSummary { n: s.n, crps: s.crps, cover80: s.cover80 }),
            entries: found.entries.iter().map(TrackEntry::from).collect(),
        }
    }
}

impl From<&Tracked> for TrackEntry {
    fn from(t: &Tracked) -> Self {
        Self {
            seq: t.entry.seq,
            recorded_at: t.entry.recorded_at.to_rfc3339(),
            mac: t.entry.mac.to_string(),
            forecast: t.recorded.as_ref().map(|r| Forecast::from(&r.forecast)),
            late: t.recorded.as_ref().map(|r| r.late),
            score: t.scored.as_ref().map(|s| TrackScore {
                actual_usd: s.actual,
                pit: s.pit,
                crps: s.crps,
                ape: s.ape,
            }),
        }
    }
}
