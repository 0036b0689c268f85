//! Verification: one walk along a stream, held against every head that was kept outside the database.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use super::anchors::{AnchorFault, Anchors};
use super::key::Key;
use super::rows::Row;
use super::{ERASED, Head, Stream};
use crate::Digest;

/// What was found when a stream was verified.
///
/// The walk recomputes every hash and MAC, then compares with the heads in the anchor file and, if one is given, with a
/// head that was kept elsewhere. That finds:
///
/// - by anybody without the key: a changed byte in any column, a changed order, an entry put in, taken out or moved to
///   another stream, a payload removed without a recorded erasure;
/// - a cut tail, and a tail that was rewritten by somebody **with** the key, up to the last anchored entry (every
///   acknowledged entry is anchored) as long as the anchor file was left alone; a removed anchor file, or a changed line
///   in it.
///
/// It does not find, **unless a head kept outside is given**:
///
/// - the owner of the key rewriting both the database and the anchor file;
/// - anybody putting back an older copy of both files, or cutting the tails of both to fit each other.
///
/// With an outside head, everything up to its entry is proved; entries after it are as above.
/// What is recorded falsely in the first place (a wrong clock, a wrong payload) no ledger finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Everything fits.
    Intact {
        /// Entries, erased ones included.
        entries: u64,
        /// The head; `None` if there is no entry.
        head: Option<Head>,
    },
    /// An entry is not what was recorded, or is missing although later ones are there.
    Broken {
        /// The first such entry.
        seq: u64,
        /// What does not fit.
        what: Damage,
    },
    /// Entries are missing from the end.
    CutTail {
        /// The last entry that a kept head proves.
        expected: u64,
        /// The last entry that is there.
        found: u64,
    },
    /// The entries fit each other but not a kept head: somebody with the key wrote them again.
    RewrittenTail {
        /// The first entry that differs from a kept head; the rewriting began there or at an entry before it, after the
        /// last kept head that still fits.
        at_seq: u64,
    },
    /// The entries fit, but the anchor file cannot vouch for them.
    Unanchored {
        /// The line (from 1) that was changed; `None` if the file is missing or empty.
        line: Option<usize>,
    },
}

/// What does not fit at an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Payload or salt do not have the recorded hash.
    FlippedPayload,
    /// A field of the chain (number, time, kind, hash, MAC) was changed.
    FlippedChain,
    /// There is no entry of this number.
    MissingEntry,
    /// The payload is gone and no erasure was recorded.
    UnrecordedErasure,
}

impl Verification {
    /// Whether everything fits.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        matches!(self, Self::Intact { .. })
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intact { entries, .. } => write!(f, "intact, {entries} entries"),
            Self::Broken { seq, what } => write!(f, "broken at entry {seq}: {what}"),
            Self::CutTail { expected, found } => {
                write!(f, "cut: ends at entry {found}, a kept head proves {expected}")
            }
            Self::RewrittenTail { at_seq } => {
                write!(f, "rewritten: entry {at_seq} is not the one of which the head was kept")
            }
            Self::Unanchored { line: Some(line) } => {
                write!(f, "not vouched for: line {line} of the anchor file was changed")
            }
            Self::Unanchored { line: None } => {
                write!(f, "not vouched for: the anchor file is missing or empty")
            }
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FlippedPayload => "its payload does not have the recorded hash",
            Self::FlippedChain => "a field of its chain was changed",
            Self::MissingEntry => "it is missing",
            Self::UnrecordedErasure => "its payload is gone and no erasure was recorded",
        })
    }
}

/// The state of a walk: everything before the next row fits.
pub(crate) struct Walk<'a> {
    key: &'a Key,
    stream: &'a Stream,
    /// Kept heads of this stream by entry, in order.
    kept: Vec<(u64, Digest)>,
    /// How many of them have been passed.
    passed: usize,
    head: Option<Row>,
    erased: BTreeSet<u64>,
}

/// The part of an erasure's payload that verification needs.
#[derive(Deserialize)]
struct Erasure {
    seq: u64,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(key: &'a Key, stream: &'a Stream, anchors: &Anchors, outside: Option<&Head>) -> Self {
        let kept = anchors.heads.iter().chain(outside);
        let kept = kept.filter(|head| head.stream == *stream);
        let mut kept: Vec<_> = kept.map(|head| (head.seq, head.mac)).collect();
        kept.sort_by_key(|(seq, mac)| (*seq, mac.0));
        kept.dedup();
        Self { key, stream, kept, passed: 0, head: None, erased: BTreeSet::new() }
    }

    /// Takes the next row; what is wrong with it, if anything.
    pub(crate) fn step(&mut self, row: Row) -> Option<Verification> {
        let seq = self.entries() + 1;
        let broken = |what| Some(Verification::Broken { seq, what });
        if u64::try_from(row.seq) != Ok(seq) {
            return broken(Damage::MissingEntry);
        }
        let prev_mac = self.head.as_ref().map_or(&[0; 32][..], |prev| &prev.mac);
        if row.prev_mac != prev_mac {
            return broken(Damage::FlippedChain);
        }
        if let Err(what) = row.check(self.key, self.stream) {
            return broken(what);
        }
        if !self.fits_kept_heads(seq, &row) {
            return Some(Verification::RewrittenTail { at_seq: seq });
        }
        self.note_erasure(seq, &row);
        self.head = Some(row);
        None
    }

    /// The outcome of a walk in which each row was in order.
    pub(crate) fn finish(self, anchors: &Anchors) -> Verification {
        let entries = self.entries();
        let expected = self.kept.last().map_or(0, |(seq, _)| *seq);
        if expected > entries {
            return Verification::CutTail { expected, found: entries };
        }
        if let Some(&seq) = self.erased.first() {
            let what = Damage::UnrecordedErasure;
            return Verification::Broken { seq, what };
        }
        match anchors.fault {
            Some(AnchorFault::Line(line)) => return Verification::Unanchored { line: Some(line) },
            Some(AnchorFault::Missing) if entries > 0 => {
                return Verification::Unanchored { line: None };
            }
            _ => {}
        }
        let head = self.head.map(|row| row.into_entry(self.stream));
        match head.transpose() {
            Ok(entry) => Verification::Intact { entries, head: entry.map(|entry| entry.head()) },
            // Its MAC is right, so that somebody with the key wrote what no version of this program writes.
            Err(_) => Verification::Broken { seq: entries, what: Damage::FlippedChain },
        }
    }

    fn entries(&self) -> u64 {
        self.head.as_ref().map_or(0, |row| row.seq.unsigned_abs())
    }

    fn fits_kept_heads(&mut self, seq: u64, row: &Row) -> bool {
        let here = self.kept[self.passed..].iter();
        let here: Vec<_> = here.take_while(|(kept, _)| *kept <= seq).collect();
        self.passed += here.len();
        here.iter().all(|(kept, mac)| *kept == seq && row.mac == mac.0)
    }

    /// An erasure must be recorded after the entry that it empties.
    fn note_erasure(&mut self, seq: u64, row: &Row) {
        match &row.payload {
            None => {
                self.erased.insert(seq);
            }
            Some(payload) if row.kind == ERASED.as_bytes() => {
                if let Ok(erasure) = serde_json::from_slice::<Erasure>(payload) {
                    self.erased.remove(&erasure.seq);
                }
            }
            Some(_) => {}
        }
    }
}
