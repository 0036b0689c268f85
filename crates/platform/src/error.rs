//! What can go wrong in the platform. Findings about a ledger or a store are outcomes
//! ([`Verification`](crate::Verification), [`Integrity`](crate::Integrity)), not errors.

use std::path::PathBuf;

use crate::{Action, Damage};

/// Why the platform could not do what was asked: what, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address names no backend that this build has.
    #[error("no state store for `{url}`: give a path or `sqlite://PATH`")]
    UnsupportedUrl {
        /// The address as it was given.
        url: String,
    },
    /// A file could not be read or written.
    #[error("could not {doing} {}: {source}", path.display())]
    File {
        /// What was being done, as a verb.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("could not {doing} in {}: {source}", path.display())]
    Database {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The database file.
        path: PathBuf,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The database file is damaged, or is no database.
    #[error("{} is damaged ({reason}): restore it from a backup, or move it aside to begin a new one", path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// The database belongs to another program.
    #[error("{} is a database of another program: name another file", path.display())]
    NotAStore {
        /// The database file.
        path: PathBuf,
    },
    /// A file was written by a newer version.
    #[error("{} has format {found}, this version reads up to {known}: use a newer marquee", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is understood here.
        known: i64,
    },
    /// A group of writes could not be committed; none of them is stored.
    #[error("could not commit to {}: {reason}; nothing of this group was stored", path.display())]
    NotCommitted {
        /// The database file.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
    /// The store was closed, or its runtime is shutting down.
    #[error("the state store is closed: open it again")]
    Closed,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {reason}")]
    NoRandomness {
        /// What it said.
        reason: String,
    },
    /// A stream or kind has a name that is not allowed.
    #[error(
        "`{name}` cannot name a {what}: use 1 to 64 lower-case letters, digits, `-` or `_`{}",
        reserved(name)
    )]
    InvalidName {
        /// `stream` or `kind`.
        what: &'static str,
        /// The name as it was given.
        name: String,
    },
    /// Not 64 lower-case hex digits.
    #[error("`{text}` is no digest: 64 digits of 0-9 and a-f are wanted")]
    InvalidDigest {
        /// The text as it was given.
        text: String,
    },
    /// A kept head could not be read.
    #[error("`{text}` is no ledger head: {reason}")]
    InvalidHead {
        /// The text as it was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A payload could not be encoded as JSON.
    #[error("the payload cannot be encoded: {reason}")]
    InvalidPayload {
        /// What is wrong with it.
        reason: String,
    },
    /// A time outside what the ledger can hold.
    #[error("entry {seq} of `{stream}` has no valid time: run `marquee doctor`")]
    InvalidTime {
        /// The stream.
        stream: String,
        /// Its entry.
        seq: u64,
    },
    /// The key is gone although there are entries made with it.
    #[error(
        "the ledger's key {} is missing although the ledger was begun with one: restore it; a new one cannot continue this ledger",
        path.display()
    )]
    KeyMissing {
        /// Where the key should be.
        path: PathBuf,
    },
    /// The key file does not hold a key.
    #[error("{} holds {bytes} bytes where a ledger key has 32: restore it", path.display())]
    InvalidKey {
        /// The key file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// The key is another one than the ledger was begun with.
    #[error("{} is not the key with which {} was begun: restore the right one", key.display(), anchors.display())]
    WrongKey {
        /// The key file.
        key: PathBuf,
        /// The anchor file, which names another key.
        anchors: PathBuf,
    },
    /// The anchor file is gone although there are entries.
    #[error(
        "{} is missing or empty although the ledger has entries: restore it, or move the ledger aside to begin a new one",
        path.display()
    )]
    AnchorsMissing {
        /// Where the anchor file should be.
        path: PathBuf,
    },
    /// The entry is committed, but its head could not be anchored.
    #[error("entry {seq} of `{stream}` is stored but {} could not be written: {reason}", path.display())]
    NotAnchored {
        /// The stream.
        stream: String,
        /// Its entry.
        seq: u64,
        /// The anchor file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The tail of the stream was cut: to append would hide that.
    #[error(
        "`{stream}` ends at entry {found} but was anchored at {anchored}: nothing is appended to a cut ledger; run `marquee doctor` and restore the store"
    )]
    CutTail {
        /// The stream.
        stream: String,
        /// The last entry that is there.
        found: u64,
        /// The last entry that was anchored.
        anchored: u64,
    },
    /// An entry is not what was recorded.
    #[error("entry {seq} of `{stream}` is not what was recorded ({what}): run `marquee doctor`")]
    Tampered {
        /// The stream.
        stream: String,
        /// Its entry.
        seq: u64,
        /// What does not fit.
        what: Damage,
    },
    /// There is no such entry.
    #[error("`{stream}` has no entry {seq}")]
    NoSuchEntry {
        /// The stream.
        stream: String,
        /// The entry that was asked for.
        seq: u64,
    },
    /// The entry was erased before, or records an erasure.
    #[error("entry {seq} of `{stream}` cannot be erased: {reason}")]
    NotErasable {
        /// The stream.
        stream: String,
        /// The entry that was asked for.
        seq: u64,
        /// Why not.
        reason: &'static str,
    },
    /// A head of one stream was held against another.
    #[error("this head belongs to `{head}`, not to `{stream}`")]
    WrongHead {
        /// The stream to be verified.
        stream: String,
        /// The stream of the head.
        head: String,
    },
    /// The holder of a permit may not do this.
    #[error("{actor} may not {action}: ask the owner of the data folder for a permit to {action}")]
    Denied {
        /// Who.
        actor: String,
        /// What.
        action: Action,
    },
}

fn reserved(name: &str) -> &'static str {
    if name == crate::ledger::ERASED { " (this one is kept for erasures)" } else { "" }
}

impl Error {
    /// Sorts what SQLite said: a damaged file is told apart from everything else.
    pub(crate) fn database(doing: &'static str, path: impl Into<PathBuf>, source: sqlx::Error) -> Self {
        let path = path.into();
        if is_damage(&source) {
            let reason = source.to_string();
            return Self::Damaged { path, reason };
        }
        Self::Database { doing, path, source }
    }

    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        Self::File { doing, path, source }
    }
}

/// SQLITE_CORRUPT (11) and SQLITE_NOTADB (26), with their extended codes in the higher bytes.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let code = code.and_then(|code| code.parse::<i32>().ok());
    matches!(code.map(|code| code & 0xff), Some(11 | 26))
}
