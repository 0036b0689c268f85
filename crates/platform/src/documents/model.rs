//! What a document is, which contents are refused, and what an edit comes to.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::Error;
use crate::ledger::check_name;

/// The most bytes of JSON in a body.
const BODY: usize = 8 << 20;
/// The most characters in a name, a team, an owner or an agreement.
const NAME: usize = 200;
/// The most levels in a body: readers of JSON stop at 128.
const DEPTH: usize = 100;
/// The classes that need not be sealed. Any other is, so that a class of a later version is not left open by mistake.
const OPEN: [&str; 2] = ["public", "internal"];

/// What can be changed in a document.
///
/// ```
/// use marquee_platform::Contents;
///
/// let contents = Contents {
///     name: "Ishtar".to_owned(),
///     class: "internal".to_owned(),
///     team: "slate".to_owned(),
///     owner: None,
///     nda: None,
///     body: serde_json::json!({"budget": 51_000_000}),
/// };
/// assert!(!contents.must_be_sealed());
/// assert!(Contents { nda: Some("acme".to_owned()), ..contents }.must_be_sealed());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its class: how far it may be seen.
    pub class: String,
    /// The team that it belongs to; empty where it is no team's.
    pub team: String,
    /// The account that owns it, if it is not the team's.
    pub owner: Option<String>,
    /// The non-disclosure agreement that covers it, if one does.
    pub nda: Option<String>,
    /// What it says: up to 8 MiB of JSON.
    pub body: Value,
}

/// What a list shows of a document.
///
/// ```
/// # fn show(header: &marquee_platform::DocumentHeader) -> String {
/// format!("{} (revision {}, {})", header.name, header.revision, header.class)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentHeader {
    /// Its identifier: 32 hex digits.
    pub id: String,
    /// What it is: `project`, `slate`, `deal`, `script`, `report`.
    pub kind: String,
    /// As in [`Contents`].
    pub name: String,
    /// As in [`Contents`].
    pub class: String,
    /// As in [`Contents`].
    pub team: String,
    /// As in [`Contents`].
    pub owner: Option<String>,
    /// As in [`Contents`].
    pub nda: Option<String>,
    /// Which revision this is, from 1.
    pub revision: u64,
    /// When the document was created, in whole microseconds.
    pub created_at: DateTime<Utc>,
    /// When this revision was kept.
    pub updated_at: DateTime<Utc>,
}

/// A document at one revision.
///
/// ```
/// # fn edit(document: marquee_platform::Document) -> marquee_platform::Contents {
/// let mut contents = document.into_contents();
/// contents.name.push_str(" II");
/// contents
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Everything but the body.
    pub header: DocumentHeader,
    /// What it says.
    pub body: Value,
}

/// One page of a list.
///
/// ```
/// assert!(marquee_platform::Listing::default().next.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The documents, without their bodies.
    pub documents: Vec<DocumentHeader>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// What a change came to.
///
/// ```
/// use marquee_platform::Edit;
///
/// let outcome = Edit::Changed { revision: 3 };
/// assert!(matches!(outcome, Edit::Changed { revision } if revision > 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// It was made.
    Done {
        /// The revision that was kept; the last one, if the document was removed.
        revision: u64,
    },
    /// Somebody else was faster, and nothing was changed: look at theirs first.
    Changed {
        /// The current revision.
        revision: u64,
    },
    /// There is no such document.
    Missing,
}

impl Contents {
    /// Whether name and body are sealed in the store whatever its settings: always, but for the classes `public` and
    /// `internal` without an agreement.
    #[must_use]
    pub fn must_be_sealed(&self) -> bool {
        self.nda.is_some() || !OPEN.contains(&self.class.as_str())
    }

    /// The bytes of the body, if these contents can be kept.
    pub(super) fn check(&self) -> Result<Vec<u8>, Error> {
        check_name("class", &self.class)?;
        check_text("name", &self.name)?;
        if !self.team.is_empty() {
            check_text("team", &self.team)?;
        }
        self.owner.as_ref().map_or(Ok(()), |owner| check_text("owner", owner))?;
        self.nda.as_ref().map_or(Ok(()), |nda| check_text("agreement", nda))?;

        let refuse = |reason| Error::InvalidDocument { what: "body", reason };
        if is_deeper(&self.body, DEPTH) {
            return Err(refuse(format!("it is nested in more than {DEPTH} levels")));
        }
        let body = serde_json::to_vec(&self.body).map_err(|error| refuse(error.to_string()))?;
        if body.len() > BODY {
            return Err(refuse(format!("it has {} bytes where {BODY} are allowed", body.len())));
        }
        Ok(body)
    }
}

impl DocumentHeader {
    /// The header of a document that was just created.
    pub(super) fn of(id: String, kind: String, contents: &Contents, at: i64) -> Result<Self, Error> {
        let at = DateTime::from_timestamp_micros(at).ok_or_else(|| broken(&id, 1, "it has no valid time"))?;
        Ok(Self {
            id,
            kind,
            name: contents.name.clone(),
            class: contents.class.clone(),
            team: contents.team.clone(),
            owner: contents.owner.clone(),
            nda: contents.nda.clone(),
            revision: 1,
            created_at: at,
            updated_at: at,
        })
    }
}

impl Document {
    /// What can be changed, to be changed and handed back.
    #[must_use]
    pub fn into_contents(self) -> Contents {
        let DocumentHeader { name, class, team, owner, nda, .. } = self.header;
        Contents { name, class, team, owner, nda, body: self.body }
    }
}

/// A place in a list: behind the document of this time and identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) created_at: i64,
    pub(super) id: String,
}

impl Cursor {
    pub(super) const START: Self = Self { created_at: i64::MAX, id: String::new() };

    pub(super) fn behind(header: &DocumentHeader) -> Self {
        Self { created_at: micros(header.created_at), id: header.id.clone() }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.created_at, self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once(':').filter(|(_, id)| super::is_id(id));
        let cursor =
            parts.and_then(|(at, id)| Some(Self { created_at: at.parse().ok()?, id: id.to_owned() }));
        cursor.ok_or_else(|| Error::InvalidCursor { cursor: text.chars().take(NAME).collect() })
    }
}

/// Microseconds since 1970 UTC.
pub(super) fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

pub(super) fn broken(id: &str, revision: i64, reason: impl Into<String>) -> Error {
    Error::BrokenDocument { id: id.to_owned(), revision: revision.unsigned_abs(), reason: reason.into() }
}

fn check_text(what: &'static str, text: &str) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::InvalidDocument { what, reason });
    let length = text.chars().count();
    if text.trim().is_empty() {
        return refuse("it is empty".to_owned());
    }
    if length > NAME {
        return refuse(format!("it has {length} characters where {NAME} are allowed"));
    }
    if text.chars().any(char::is_control) {
        return refuse("it holds a line end or another control character".to_owned());
    }
    Ok(())
}

/// Walks by a list of what waits and not by recursion: no nesting can exhaust the stack.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let mut waiting = vec![(value, 0)];
    while let Some((value, depth)) = waiting.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if depth == levels => return true,
            Value::Array(items) => waiting.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => waiting.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    false
}
