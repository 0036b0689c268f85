//! What can go wrong in the platform. Findings about a ledger or a store are outcomes
//! ([`Verification`](crate::Verification), [`Integrity`](crate::Integrity)), not errors.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::{Action, Damage, Location};

/// Why the platform could not do what was asked: what, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address names no backend that this build has.
    #[error(
        "no state store for `{url}`: give a path, `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`"
    )]
    UnsupportedUrl {
        /// The address as it was given, or its scheme alone where the rest may hold a password.
        url: String,
    },
    /// The address of a PostgreSQL database cannot be read. It is not shown, because it may hold a password.
    #[error(
        "the state store's address cannot be read: {reason}; `postgres://USER:PASSWORD@HOST/DATABASE` is wanted"
    )]
    InvalidUrl {
        /// What is wrong with it.
        reason: String,
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
    #[error("could not {doing} in {place}: {source}")]
    Database {
        /// What was being done, as a verb.
        doing: &'static str,
        /// The database.
        place: Location,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The database is damaged, or its file is no database.
    #[error("{place} is damaged ({reason}): restore it from a backup, or move it aside to begin a new one")]
    Damaged {
        /// The database.
        place: Location,
        /// What the database said.
        reason: String,
    },
    /// The database belongs to another program.
    #[error("{place} is a database of another program: name another one")]
    NotAStore {
        /// The database.
        place: Location,
    },
    /// A file or database was written by a newer version.
    #[error("{place} has format {found}, this version reads up to {known}: use a newer marquee")]
    Newer {
        /// Which file or database.
        place: Location,
        /// Its format.
        found: i64,
        /// The newest format that is understood here.
        known: i64,
    },
    /// A group of writes could not be committed; none of them is stored.
    #[error("could not commit to {place}: {reason}; nothing of this group was stored")]
    NotCommitted {
        /// The database.
        place: Location,
        /// What the database said.
        reason: String,
    },
    /// The connection was lost after a group of writes was sent off to be committed and before the answer came.
    #[error(
        "the connection to {place} was lost while committing ({reason}): look whether it was stored before you repeat it"
    )]
    CommitUnknown {
        /// The database.
        place: Location,
        /// What the connection said.
        reason: String,
    },
    /// An export could not be written.
    #[error("the export could not be written: {source}")]
    Export {
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What should be imported is no whole export.
    #[error("line {line} of the export {reason}; nothing was imported")]
    InvalidExport {
        /// The first line, from 1, that is not in order.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A database into which something should be imported has been used.
    #[error("{place} is in use already: import into a new database")]
    InUse {
        /// The database.
        place: Location,
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
    #[error(
        "{actor} may not {action}: ask an administrator, or the owner of the data folder, for a permit to {action}"
    )]
    Denied {
        /// Who.
        actor: String,
        /// What.
        action: Action,
    },

    // Audit, sealing, documents, webhooks.
    /// A keyring could not be read. The text is not shown: it holds keys.
    #[error("the keyring in {origin}{} {reason}: a line is `ID:BASE64`, with 32 bytes in base64", at_line(*line))]
    InvalidKeyring {
        /// Where the keyring was read from.
        origin: String,
        /// The line, from 1, unless the whole is meant.
        line: Option<usize>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A value was sealed under a key that is not on the keyring.
    #[error(
        "{place} is sealed under key `{key}`, which the keyring lacks: put that key back as a further line"
    )]
    UnknownKey {
        /// Where the value lies.
        place: String,
        /// The name of the key.
        key: String,
    },
    /// These bytes do not have the form of a sealed value.
    #[error("this is no sealed value ({reason}): it was altered, or written by a newer marquee")]
    NotSealed {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A sealed value does not open. Which of the two it is, the cipher does not tell.
    #[error("the sealed value in {place} was altered or belongs to another place: restore it from a backup")]
    SealBroken {
        /// Where the value lies.
        place: String,
    },
    /// A value is too long to be sealed.
    #[error("{place} is too long to be sealed")]
    TooLongToSeal {
        /// Where the value was to lie.
        place: String,
    },
    /// A document cannot be kept as it is.
    #[error("the document's {what} cannot be kept: {reason}")]
    InvalidDocument {
        /// Which part of it.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A kept document is not what a version of this program writes.
    #[error(
        "revision {revision} of document {id} cannot be read ({reason}): restore the store from a backup"
    )]
    BrokenDocument {
        /// The document.
        id: String,
        /// Its revision.
        revision: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The place to go on from was not handed out by a listing.
    #[error("`{cursor}` is no place in a list: give what an earlier page named as its next")]
    InvalidCursor {
        /// The text as it was given.
        cursor: String,
    },
    /// A webhook's signature does not prove what it should.
    #[error("the webhook's signature is not accepted: {reason}")]
    BadSignature {
        /// Why not.
        reason: &'static str,
    },

    // Accounts, permissions.
    /// There is no such thing, or none that the asker may see: nothing tells the two apart.
    #[error("there is no {kind} `{id}`")]
    NotFound {
        /// What kind of thing.
        kind: String,
        /// Which one.
        id: String,
    },
    /// Not one of a few known words.
    #[error("`{text}` is no {what}: use one of {known}")]
    UnknownWord {
        /// `action`, `class`, `role`.
        what: &'static str,
        /// The word as it was given.
        text: String,
        /// The words that there are.
        known: String,
    },
    /// Not 32 lower-case hex digits.
    #[error("`{text}` is no {what}: 32 digits of 0-9 and a-f are wanted")]
    InvalidId {
        /// What it should name.
        what: &'static str,
        /// The text as it was given.
        text: String,
    },
    /// A policy that cannot be used.
    #[error("line {line} of the policies: {reason}")]
    InvalidPolicy {
        /// The line, from 1; 0 if it concerns none.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of the accounts' secret does not hold one.
    #[error(
        "{} holds {bytes} bytes where the accounts' secret has 32: restore it, or move it aside to have a new one made",
        path.display()
    )]
    InvalidSecret {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// Something about an account that is not accepted.
    #[error("this {what} is not accepted: {reason}")]
    InvalidField {
        /// `name`, `team`, `password` and so on.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// Another account has this name.
    #[error("there is an account `{name}` already: choose another name")]
    NameTaken {
        /// The name, or the log-in elsewhere, that is taken.
        name: String,
    },
    /// Without this administrator nobody could administer.
    #[error("`{name}` is the last administrator: make somebody else one first")]
    LastAdministrator {
        /// Who.
        name: String,
    },
    /// The first account is made only with the code on the operator's terminal.
    #[error("this is not the set-up code: take it from the terminal on which marquee was started")]
    WrongSetUpCode,
    /// There are accounts, so that set-up is over.
    #[error("marquee was set up before: log in, or ask an administrator for an account")]
    AlreadySetUp,
    /// The present password was not given.
    #[error("this is not the present password")]
    WrongPassword,
    /// Too many failures, for now.
    #[error("too many attempts: try again at {until}")]
    TryLater {
        /// From when on.
        until: DateTime<Utc>,
    },
    /// A password could not be hashed.
    #[error("could not hash a password: {reason}")]
    Hashing {
        /// What the hash said.
        reason: String,
    },
    /// A row of the accounts' tables cannot be read.
    #[error("the {what} `{id}` is stored with {reason}: restore the state store")]
    InvalidRow {
        /// `account`, `session` or `token`.
        what: &'static str,
        /// Which one.
        id: String,
        /// What is wrong.
        reason: String,
    },

    // Jobs and schedules.
    /// There is no such job; finished ones are kept for 30 days.
    #[error("there is no job `{id}`: it may have been removed, as finished ones are after 30 days")]
    NoSuchJob {
        /// The job that was asked for.
        id: String,
    },
    /// There is no such schedule.
    #[error("there is no schedule `{id}`: list the schedules for those that there are")]
    NoSuchSchedule {
        /// The schedule that was asked for.
        id: String,
    },
    /// A job or a schedule has a part that cannot be kept.
    #[error("the {what} of a job {reason}")]
    InvalidJob {
        /// Which part.
        what: &'static str,
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// Only a failed job can be tried again.
    #[error("job `{id}` cannot be tried again: {reason}")]
    NotRetryable {
        /// The job that was asked for.
        id: String,
        /// Why not.
        reason: String,
    },
    /// A cron expression that cannot be read, or that never comes.
    #[error("`{text}` is no schedule: {reason}")]
    InvalidCron {
        /// The expression as it was given.
        text: String,
        /// What is wrong with it, and what is allowed.
        reason: String,
    },

    // Alerts.
    /// A rule, a channel or a finding has a part that cannot be kept. Nothing secret is shown.
    #[error("the {what} of an alert rule or channel {reason}")]
    InvalidAlert {
        /// Which part.
        what: &'static str,
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// An address that nothing is posted to. It is not shown, because it is a secret.
    #[error("the address of a webhook {reason}")]
    InvalidHook {
        /// What is wrong with it, and what is wanted.
        reason: &'static str,
    },
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(" (line {line})")).unwrap_or_default()
}

fn reserved(name: &str) -> &'static str {
    if name == crate::ledger::ERASED { " (this one is kept for erasures)" } else { "" }
}

impl Error {
    /// Whether Marquee, its machine or its operator is to blame, and not what was asked.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(
            self,
            Self::InvalidName { .. }
                | Self::InvalidDigest { .. }
                | Self::InvalidHead { .. }
                | Self::InvalidPayload { .. }
                | Self::NoSuchEntry { .. }
                | Self::NotErasable { .. }
                | Self::WrongHead { .. }
                | Self::Denied { .. }
                | Self::InvalidDocument { .. }
                | Self::InvalidCursor { .. }
                | Self::BadSignature { .. }
                | Self::NotFound { .. }
                | Self::UnknownWord { .. }
                | Self::InvalidId { .. }
                | Self::InvalidPolicy { .. }
                | Self::InvalidField { .. }
                | Self::NameTaken { .. }
                | Self::LastAdministrator { .. }
                | Self::WrongSetUpCode
                | Self::AlreadySetUp
                | Self::WrongPassword
                | Self::TryLater { .. }
                | Self::NoSuchJob { .. }
                | Self::NoSuchSchedule { .. }
                | Self::InvalidJob { .. }
                | Self::NotRetryable { .. }
                | Self::InvalidCron { .. }
                | Self::InvalidAlert { .. }
                | Self::InvalidHook { .. }
        )
    }

    /// Sorts what the database said: damage is told apart from everything else.
    pub(crate) fn database(doing: &'static str, place: impl Into<Location>, source: sqlx::Error) -> Self {
        let place = place.into();
        if Self::is_damage(&source) {
            let reason = source.to_string();
            return Self::Damaged { place, reason };
        }
        Self::Database { doing, place, source }
    }

    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        Self::File { doing, path, source }
    }

    /// Of SQLite SQLITE_CORRUPT (11) and SQLITE_NOTADB (26), with their extended codes in the higher bytes. Of PostgreSQL a
    /// damaged table or index (XX001, XX002) and a file that is gone or cannot be read (58P01, 58030).
    pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
        let Some(error) = error.as_database_error() else {
            return false;
        };
        let code = error.code().unwrap_or_default();
        if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
            return matches!(code.parse::<i32>().map(|code| code & 0xff), Ok(11 | 26));
        }
        matches!(&*code, "XX001" | "XX002" | "58P01" | "58030")
    }
}
