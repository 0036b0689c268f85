//! What a ledger holds: named streams of entries, and their heads.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, Error};

/// The format of an exported head.
const HEAD_FORMAT: u32 = 1;

/// The name of one append-only sequence: 1 to 64 lower-case letters, digits, `-` or `_`.
///
/// ```
/// use marquee_platform::Stream;
///
/// assert_eq!(Stream::track().as_str(), "track");
/// assert!("Box Office".parse::<Stream>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stream(String);

impl Stream {
    /// The track record: answers committed before the outcome is known, and their scores.
    #[must_use]
    pub fn track() -> Self {
        Self("track".to_owned())
    }

    /// The audit: who did what.
    #[must_use]
    pub fn audit() -> Self {
        Self("audit".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Stream {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        check_name("stream", name)?;
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for Stream {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl From<Stream> for String {
    fn from(stream: Stream) -> Self {
        stream.0
    }
}

/// Streams and kinds share one rule, so that both can stand in a file name, a URL and a flag.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::InvalidName { what, name: name.to_owned() })
}

/// One entry, checked against its MAC when it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The stream that it belongs to.
    pub stream: Stream,
    /// Its place in the stream, from 1 without gaps.
    pub seq: u64,
    /// When it was recorded, by the recorder's clock, in whole microseconds.
    pub recorded_at: DateTime<Utc>,
    /// What sort of payload it holds.
    pub kind: String,
    /// The payload; `None` once it was erased.
    pub payload: Option<Value>,
    /// What was hashed before the payload, so that a hash cannot be guessed back; `None` once it was erased.
    pub salt: Option<[u8; 16]>,
    /// The salted SHA-256 of the payload; stays when the payload is erased.
    pub payload_hash: Digest,
    /// The MAC of the entry before; all zeros in the first.
    pub prev_mac: Digest,
    /// The HMAC-SHA-256 over everything above except payload and salt, and over `prev_mac`.
    pub mac: Digest,
}

impl Entry {
    /// The head of the stream if it ended with this entry.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { stream: self.stream.clone(), seq: self.seq, mac: self.mac, at: self.recorded_at }
    }
}

/// The end of a stream: whoever keeps one elsewhere can later prove that nothing up to it was changed or removed.
///
/// Its text is one line of JSON, to be printed, mailed, or time-stamped by somebody else.
///
/// ```
/// use marquee_platform::{Digest, Head, Stream};
///
/// let head = Head { stream: Stream::track(), seq: 12, mac: Digest([7; 32]), at: Default::default() };
/// assert_eq!(head.to_string().parse::<Head>()?, head);
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The stream.
    pub stream: Stream,
    /// Its last entry.
    pub seq: u64,
    /// That entry's MAC, which depends on every entry before it.
    pub mac: Digest,
    /// When that entry was recorded.
    pub at: DateTime<Utc>,
}

/// The exported form of a [`Head`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    version: u32,
    stream: Stream,
    seq: u64,
    mac: Digest,
    at: DateTime<Utc>,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = HeadLine {
            version: HEAD_FORMAT,
            stream: self.stream.clone(),
            seq: self.seq,
            mac: self.mac,
            at: self.at,
        };
        f.write_str(&serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Head {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |reason: String| Error::InvalidHead { text: text.to_owned(), reason };
        let line: HeadLine = serde_json::from_str(text.trim()).map_err(|error| refuse(error.to_string()))?;
        if line.version != HEAD_FORMAT {
            return Err(refuse(format!("its version is {}, not {HEAD_FORMAT}", line.version)));
        }
        Ok(Self { stream: line.stream, seq: line.seq, mac: line.mac, at: line.at })
    }
}
