//! The ledger: append-only streams (the track record, the audit) that prove their own history.
//!
//! Each entry holds a salted SHA-256 of its payload and an HMAC-SHA-256 over itself and the MAC before it, so that a
//! payload (and its salt) can be erased while the chain still verifies. After each commit the heads go to an anchor file
//! apart from the database; an append is acknowledged only when both are synced. `Verification` says exactly what that
//! finds and what it does not. The ledger does not read payloads; an entry that refers to another one does so in there.

mod anchors;
mod entry;
mod key;
mod rows;
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::store::{BoxFuture, Connection};
use crate::{Error, Location, StateStore};
use anchors::{AnchorFault, AnchorFile, Anchorer, Anchors};
pub(crate) use entry::check_name;
pub use entry::{Entry, Head, Stream};
use key::Key;
pub(crate) use key::{fill_random, make_private};
use rows::{Draft, Range, Row};
use verify::Walk;
pub use verify::{Damage, Verification};

/// The kind of the entries that record an erasure.
pub(crate) const ERASED: &str = "erased";
/// Rows that are verified at a time.
const PAGE: i64 = 512;

/// The two files that the ledger keeps outside the database.
#[derive(Debug, Clone)]
pub struct LedgerFiles {
    /// The secret key: 32 bytes, readable by the owner only, made at first use. Without it nothing verifies: back it up.
    pub key: PathBuf,
    /// The anchor file: a head for each group of commits.
    pub anchors: PathBuf,
}

impl LedgerFiles {
    /// `ledger.key` and `heads.log` in this folder.
    #[must_use]
    pub fn beside(folder: &Path) -> Self {
        Self { key: folder.join("ledger.key"), anchors: folder.join("heads.log") }
    }
}

/// A handle on an open ledger; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use marquee_platform::{Head, Ledger, LedgerFiles, StateStore, Stream};
/// use serde_json::json;
///
/// let folder = tempfile::tempdir()?;
/// let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let ledger = Ledger::open(store, &LedgerFiles::beside(folder.path())).await?;
///
/// let track = Stream::track();
/// let forecast = ledger.append(&track, "forecast", &json!({"title": "Gigli"}), chrono::Utc::now()).await?;
/// let actual = json!({"forecast": forecast.seq, "gross": 6_087_542});
/// ledger.append(&track, "actual", &actual, chrono::Utc::now()).await?;
///
/// let kept = ledger.head(&track).await?.ok_or("empty")?.to_string(); // to be kept elsewhere
/// assert!(ledger.verify(&track, Some(&kept.parse::<Head>()?)).await?.is_intact());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Ledger {
    store: StateStore,
    key: Key,
    file: AnchorFile,
    anchorer: Anchorer,
    /// The last anchored entry of each stream when the ledger was opened; no stream may end before that.
    floor: Arc<BTreeMap<Stream, u64>>,
    /// Whether the anchor file vanished although there are entries.
    anchors_missing: bool,
}

impl Ledger {
    /// Opens the ledger in this store, making its key and its anchor file if it has never been used. Heads that a crash
    /// kept from being anchored are anchored now. A ledger that was tampered with opens too, so that it can be verified.
    ///
    /// # Errors
    /// [`Error::KeyMissing`], [`Error::InvalidKey`], [`Error::WrongKey`], [`Error::Newer`], [`Error::File`],
    /// [`Error::Database`], [`Error::Damaged`].
    pub async fn open(store: StateStore, files: &LedgerFiles) -> Result<Self, Error> {
        let streams = streams_in(&store).await?;
        let unused = streams.is_empty() && !files.anchors.exists();
        let key = Key::open(&files.key, unused)?;
        let file = AnchorFile::new(&files.anchors, key.clone());
        if file.names_another_key() {
            return Err(Error::WrongKey { key: files.key.clone(), anchors: files.anchors.clone() });
        }
        if streams.is_empty() {
            file.begin()?;
        }
        let anchors = file.read()?;
        let ledger = Self {
            store,
            key,
            anchorer: Anchorer::start(file.clone())?,
            file,
            floor: Arc::new(anchors.last()),
            anchors_missing: anchors.fault == Some(AnchorFault::Missing),
        };
        ledger.catch_up(&streams).await?;
        Ok(ledger)
    }

    /// Appends an entry and returns it once it is durable in the database and anchored.
    ///
    /// `recorded_at` is kept in whole microseconds. If the future is dropped early, the entry may or may not have been
    /// recorded.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for a kind that is not allowed; [`Error::CutTail`] and [`Error::AnchorsMissing`] if
    /// appending would hide that the ledger was tampered with; [`Error::NotCommitted`] if nothing was stored;
    /// [`Error::CommitUnknown`] if the connection was lost meanwhile; [`Error::NotAnchored`] if the entry is stored but not anchored.
    pub async fn append(
        &self,
        stream: &Stream,
        kind: &str,
        payload: &Value,
        recorded_at: DateTime<Utc>,
    ) -> Result<Entry, Error> {
        entry::check_name("kind", kind)?;
        if kind == ERASED {
            let name = kind.to_owned();
            return Err(Error::InvalidName { what: "kind", name });
        }
        let draft = draft(stream, kind, payload, recorded_at)?;
        let at = self.place();
        self.write(move |connection| Box::pin(async move { at.insert(connection, draft).await })).await
    }

    /// Removes the payload and the salt of an entry for good and records that in the same stream. Returns the entry that
    /// records it: kind `erased`, payload `{"seq": …, "reason": …}`.
    ///
    /// The hash stays, so that the chain still verifies; without the salt it tells nothing about the payload. SQLite
    /// overwrites what it frees. PostgreSQL frees the old version of the row at once and overwrites its bytes when their
    /// space is used again; its server's log, like all copies and backups, is the caller's.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`]; [`Error::NotErasable`] if it was erased before or records an erasure; and as
    /// [`Self::append`].
    pub async fn erase(
        &self,
        stream: &Stream,
        seq: u64,
        reason: &str,
        recorded_at: DateTime<Utc>,
    ) -> Result<Entry, Error> {
        let payload = json!({"seq": seq, "reason": reason});
        let draft = draft(stream, ERASED, &payload, recorded_at)?;
        let at = self.place();
        let erased =
            self.write(move |connection| Box::pin(async move { at.erase(connection, seq, draft).await }));
        let entry = erased.await?;
        self.store.checkpoint().await?;
        Ok(entry)
    }

    /// At most `limit` entries from number `from_seq` (the first is 1) on, in order, each checked against its MAC.
    ///
    /// # Errors
    /// [`Error::Tampered`] for an entry that is not what was recorded; [`Error::Database`].
    pub async fn read(&self, stream: &Stream, from_seq: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        self.select(stream, None, from_seq, limit).await
    }

    /// As [`Self::read`], but only entries of this kind.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn find(
        &self,
        stream: &Stream,
        kind: &str,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        self.select(stream, Some(kind), from_seq, limit).await
    }

    /// The head of a stream, to be shown, exported and kept elsewhere; `None` if the stream has no entry.
    ///
    /// # Errors
    /// [`Error::Tampered`] if the last entry is not what was recorded; [`Error::Database`].
    pub async fn head(&self, stream: &Stream) -> Result<Option<Head>, Error> {
        let fail = |source| self.store.failed("read the ledger's head", source);
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        let row = rows::last(&mut connection, stream).await.map_err(fail)?;
        let entry = row.map(|row| self.checked(row, stream)).transpose()?;
        Ok(entry.map(|entry| entry.head()))
    }

    /// The streams that have entries or anchors, by name: those that `doctor` verifies.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::File`].
    pub async fn streams(&self) -> Result<Vec<Stream>, Error> {
        let mut streams = streams_in(&self.store).await?;
        streams.extend(self.read_anchors().await?.last().into_keys());
        streams.sort();
        streams.dedup();
        Ok(streams)
    }

    /// Walks a whole stream and holds it against the anchor file and, if given, against a head that was kept elsewhere.
    /// What was found is an outcome; see [`Verification`] for what can be found.
    ///
    /// # Errors
    /// [`Error::WrongHead`] if `kept` belongs to another stream; [`Error::Damaged`], [`Error::Database`] and
    /// [`Error::File`] if the stream or the anchors cannot be read at all.
    pub async fn verify(&self, stream: &Stream, kept: Option<&Head>) -> Result<Verification, Error> {
        if let Some(head) = kept.filter(|head| head.stream != *stream) {
            return Err(Error::WrongHead { stream: stream.to_string(), head: head.stream.to_string() });
        }
        let fail = |source| self.store.failed("verify the ledger", source);
        // Anchors first: entries that are recorded meanwhile make the database lead them, which is in order.
        let anchors = self.read_anchors().await?;
        let mut walk = Walk::new(&self.key, stream, &anchors, kept);
        let mut snapshot = self.store.snapshot().await.map_err(fail)?;
        let mut from_seq = i64::MIN;
        loop {
            let range = Range { stream, kind: None, from_seq, limit: PAGE };
            let page = rows::select(&mut snapshot, &range).await.map_err(fail)?;
            let Some(last) = page.last() else {
                return Ok(walk.finish(&anchors));
            };
            from_seq = last.seq.saturating_add(1);
            for row in page {
                if let Some(found) = walk.step(row) {
                    return Ok(found);
                }
            }
        }
    }

    /// Queues the work and waits until the entry that it returns is committed, then anchored.
    async fn write<F>(&self, work: F) -> Result<Entry, Error>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<Entry, Error>> + Send + 'static,
    {
        if self.anchors_missing {
            return Err(Error::AnchorsMissing { path: self.file.path().into() });
        }
        let (tell, told) = oneshot::channel();
        let anchorer = self.anchorer.clone();
        let acknowledge = move |written| match written {
            Ok(entry) => anchorer.anchor(entry, tell),
            Err(error) => {
                tell.send(Err(error)).ok();
            }
        };
        self.store.submit(work, acknowledge).await?;
        told.await.map_err(|_| Error::Closed)?
    }

    async fn select(
        &self,
        stream: &Stream,
        kind: Option<&str>,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let fail = |source| self.store.failed("read the ledger", source);
        let range = Range {
            stream,
            kind,
            from_seq: i64::try_from(from_seq).unwrap_or(i64::MAX),
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
        };
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        let rows = rows::select(&mut connection, &range).await.map_err(fail)?;
        rows.into_iter().map(|row| self.checked(row, stream)).collect()
    }

    fn checked(&self, row: Row, stream: &Stream) -> Result<Entry, Error> {
        row.check(&self.key, stream).map_err(|what| Error::Tampered {
            stream: stream.to_string(),
            seq: row.seq.unsigned_abs(),
            what,
        })?;
        row.into_entry(stream)
    }

    async fn read_anchors(&self) -> Result<Anchors, Error> {
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || file.read());
        read.await.map_err(|_| Error::Closed)?
    }

    /// Anchors the head of each stream whose last entry is sound and was committed but not anchored before a crash.
    async fn catch_up(&self, streams: &[Stream]) -> Result<(), Error> {
        if self.anchors_missing {
            return Ok(());
        }
        let mut behind = Vec::new();
        for stream in streams {
            let anchored = self.floor.get(stream).copied().unwrap_or(0);
            match self.head(stream).await {
                Ok(Some(head)) if head.seq > anchored => behind.push(head),
                // A last entry that is not sound must not be vouched for; verification will name it.
                Ok(_) | Err(Error::Tampered { .. } | Error::InvalidTime { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if behind.is_empty() {
            return Ok(());
        }
        let written = self.file.append(behind.iter());
        written.map_err(|source| Error::file("repair the ledger's anchors", self.file.path(), source))
    }

    fn place(&self) -> Place {
        Place { key: self.key.clone(), floor: self.floor.clone(), place: self.store.location().clone() }
    }
}

/// What the writer needs to put an entry in its place.
struct Place {
    key: Key,
    floor: Arc<BTreeMap<Stream, u64>>,
    place: Location,
}

impl Place {
    async fn insert(&self, connection: &mut Connection, draft: Draft) -> Result<Entry, Error> {
        let fail = |source| Error::database("append to the ledger", &self.place, source);
        let stream = draft.stream.clone();
        let last = rows::last(connection, &stream).await.map_err(fail)?;
        let found = last.as_ref().map_or(0, |row| row.seq.unsigned_abs());
        let anchored = self.floor.get(&stream).copied().unwrap_or(0);
        if found < anchored {
            return Err(Error::CutTail { stream: stream.to_string(), found, anchored });
        }
        let row = rows::insert(connection, &self.key, draft, last.as_ref()).await;
        row.map_err(fail)?.into_entry(&stream)
    }

    async fn erase(&self, connection: &mut Connection, seq: u64, draft: Draft) -> Result<Entry, Error> {
        let fail = |source| Error::database("erase from the ledger", &self.place, source);
        let stream = draft.stream.clone();
        let missing = || Error::NoSuchEntry { stream: stream.to_string(), seq };
        let number = i64::try_from(seq).map_err(|_| missing())?;
        let range = Range { stream: &stream, kind: None, from_seq: number, limit: 1 };
        let found = rows::select(connection, &range).await.map_err(fail)?;
        let row = found.first().filter(|row| row.seq == number).ok_or_else(missing)?;
        let refusal = match row {
            row if row.kind == ERASED.as_bytes() => Some("it records an erasure"),
            row if row.payload.is_none() => Some("it was erased before"),
            _ => None,
        };
        if let Some(reason) = refusal {
            return Err(Error::NotErasable { stream: stream.to_string(), seq, reason });
        }
        rows::blank(connection, &stream, number).await.map_err(fail)?;
        self.insert(connection, draft).await
    }
}

fn draft(stream: &Stream, kind: &str, payload: &Value, recorded_at: DateTime<Utc>) -> Result<Draft, Error> {
    let payload =
        serde_json::to_vec(payload).map_err(|error| Error::InvalidPayload { reason: error.to_string() })?;
    Ok(Draft {
        stream: stream.clone(),
        kind: kind.to_owned(),
        recorded_at: recorded_at.timestamp_micros(),
        salt: key::fresh_salt()?,
        payload,
    })
}

async fn streams_in(store: &StateStore) -> Result<Vec<Stream>, Error> {
    let fail = |source| store.failed("list the ledger's streams", source);
    let mut connection = store.readers().acquire().await.map_err(fail)?;
    rows::streams(&mut connection).await.map_err(fail)
}
