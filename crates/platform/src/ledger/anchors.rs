//! The anchor file (`heads.log`): heads of the streams, kept apart from the database, so that a database which was cut
//! or rewritten no longer fits.
//!
//! The first line names the format and the key; each further line is a head with its own MAC. Lines are only ever
//! appended, each write is synced, and each write happens after the commit that it anchors: the file may lag behind the
//! database, never lead it. Lines are not chained to each other, because two processes may append in either order.
//! A last line without its line end is what a crash leaves; it is cut off before the next write.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::key::{Key, sync_folder_of};
use super::{Entry, Head, Stream};
use crate::{Digest, Error};

/// The format of the anchor file.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    key: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    stream: Stream,
    seq: u64,
    mac: Digest,
    at: DateTime<Utc>,
    /// The MAC over the four fields above.
    tag: Digest,
}

/// What the anchor file says.
#[derive(Debug, Default)]
pub(crate) struct Anchors {
    /// Every head with a valid MAC, in the order of the file.
    pub(crate) heads: Vec<Head>,
    /// What is wrong with the file, first fault first.
    pub(crate) fault: Option<AnchorFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnchorFault {
    /// There is no file, or nothing in it.
    Missing,
    /// This line (from 1) is not one that the key's owner wrote.
    Line(usize),
}

impl Anchors {
    /// The last anchored entry of each stream.
    pub(crate) fn last(&self) -> BTreeMap<Stream, u64> {
        let mut last = BTreeMap::new();
        for head in &self.heads {
            let seq = last.entry(head.stream.clone()).or_insert(0);
            *seq = head.seq.max(*seq);
        }
        last
    }
}

/// The anchor file of one ledger.
#[derive(Debug, Clone)]
pub(crate) struct AnchorFile {
    path: Arc<PathBuf>,
    key: Key,
}

impl AnchorFile {
    pub(crate) fn new(path: &Path, key: Key) -> Self {
        Self { path: Arc::new(path.into()), key }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins the file unless it has been begun. Only for a ledger without entries.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        let fail = |source| Error::file("begin the ledger's anchors", self.path(), source);
        let mut options = OpenOptions::new();
        let opened = options.read(true).append(true).create(true).open(self.path());
        let mut file = opened.map_err(fail)?;
        file.lock().map_err(fail)?;
        if cut_torn_line(&mut file).map_err(fail)? > 0 {
            return Ok(());
        }
        let header = Header { version: FORMAT, key: self.key.id() };
        file.write_all(&line(&header)).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        sync_folder_of(self.path()).map_err(fail)
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Newer`] and [`Error::WrongKey`] if the first line says so.
    pub(crate) fn read(&self) -> Result<Anchors, Error> {
        let bytes = match self.read_locked() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::file("read the ledger's anchors", self.path(), error)),
        };
        let mut anchors = Anchors::default();
        // What follows the last line end is a line that a crash tore.
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
        if whole == 0 {
            anchors.fault = Some(AnchorFault::Missing);
            return Ok(anchors);
        }
        for (index, text) in bytes[..whole - 1].split(|&b| b == b'\n').enumerate() {
            let sound = match index {
                0 => self.check_header(text)?,
                _ => self.check_line(text, &mut anchors.heads),
            };
            if !sound && anchors.fault.is_none() {
                anchors.fault = Some(AnchorFault::Line(index + 1));
            }
        }
        Ok(anchors)
    }

    /// Appends these heads and syncs. The file must be there: to begin a new one would hide that the old one is gone.
    pub(crate) fn append<'a>(&self, heads: impl Iterator<Item = &'a Head>) -> std::io::Result<()> {
        let mut file = OpenOptions::new().read(true).append(true).open(self.path())?;
        file.lock()?;
        cut_torn_line(&mut file)?;
        let bytes: Vec<u8> = heads.flat_map(|head| self.line_of(head)).collect();
        file.write_all(&bytes)?;
        file.sync_data()
    }

    fn line_of(&self, head: &Head) -> Vec<u8> {
        line(&Line {
            stream: head.stream.clone(),
            seq: head.seq,
            mac: head.mac,
            at: head.at,
            tag: self.key.seal_anchor(head),
        })
    }

    fn read_locked(&self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(self.path())?;
        file.lock_shared()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn check_header(&self, text: &[u8]) -> Result<bool, Error> {
        let Ok(header) = serde_json::from_slice::<Header>(text) else {
            return Ok(false);
        };
        if header.version > FORMAT {
            return Err(Error::Newer {
                place: self.path().into(),
                found: header.version.into(),
                known: FORMAT.into(),
            });
        }
        Ok(header.version == FORMAT && header.key == self.key.id())
    }

    fn check_line(&self, text: &[u8], heads: &mut Vec<Head>) -> bool {
        let Ok(line) = serde_json::from_slice::<Line>(text) else {
            return false;
        };
        let head = Head { stream: line.stream, seq: line.seq, mac: line.mac, at: line.at };
        let sound = self.key.seal_anchor(&head) == line.tag;
        if sound {
            heads.push(head);
        }
        sound
    }

    /// Whether the first line names another key, as opposed to being damaged.
    pub(crate) fn names_another_key(&self) -> bool {
        let bytes = self.read_locked().unwrap_or_default();
        let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
        serde_json::from_slice::<Header>(first).is_ok_and(|header| header.key != self.key.id())
    }
}

/// The JSON of a line with its line end. These structs have no map with odd keys and no failing field, so that encoding
/// cannot fail; an empty line would be found as damage.
fn line(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Cuts what follows the last line end; the length that is left.
fn cut_torn_line(file: &mut File) -> std::io::Result<u64> {
    const STEP: u64 = 4096;
    let length = file.metadata()?.len();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut piece = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|&b| b == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(end)
}

/// Acknowledges an entry once its head, or a later one of its stream, is anchored.
type Acknowledge = oneshot::Sender<Result<Entry, Error>>;

/// The thread that appends to the anchor file: one sync for all entries that wait.
#[derive(Debug, Clone)]
pub(crate) struct Anchorer {
    queue: mpsc::Sender<(Entry, Acknowledge)>,
}

impl Anchorer {
    pub(crate) fn start(file: AnchorFile) -> Result<Self, Error> {
        let (queue, entries) = mpsc::channel();
        let path = file.path.clone();
        std::thread::Builder::new()
            .name("ledger-anchors".to_owned())
            .spawn(move || serve(&file, &entries))
            .map_err(|source| Error::file("start the thread for", path.as_ref(), source))?;
        Ok(Self { queue })
    }

    /// Anchors a committed entry, then acknowledges it.
    pub(crate) fn anchor(&self, entry: Entry, acknowledge: Acknowledge) {
        // A thread that is gone drops the acknowledgement, which the caller sees as a closed ledger.
        self.queue.send((entry, acknowledge)).ok();
    }
}

fn serve(file: &AnchorFile, entries: &mpsc::Receiver<(Entry, Acknowledge)>) {
    while let Ok(first) = entries.recv() {
        let group: Vec<_> = std::iter::once(first).chain(entries.try_iter()).collect();
        let mut heads = BTreeMap::<Stream, Head>::new();
        for (entry, _) in &group {
            let head = heads.entry(entry.stream.clone()).or_insert(entry.head());
            if head.seq < entry.seq {
                *head = entry.head();
            }
        }
        let failure = file.append(heads.values()).err();
        for (entry, acknowledge) in group {
            let outcome = match &failure {
                None => Ok(entry),
                Some(error) => Err(Error::NotAnchored {
                    stream: entry.stream.to_string(),
                    seq: entry.seq,
                    path: file.path().into(),
                    reason: error.to_string(),
                }),
            };
            // Nobody waits any more if the caller's future was dropped; the entry is recorded all the same.
            acknowledge.send(outcome).ok();
        }
    }
}
