//! The audit: who did what, when, from where, before and after, as the stream `audit` of the ledger.
//!
//! The ledger keeps it: an entry cannot be changed or left out unnoticed, and [`Audit::export`] gives what an auditor needs
//! to hold it against a head that was kept elsewhere. It is not a log: what goes in is what somebody decided to do, or was
//! refused. Secrets stay out, by the names of their keys ([`redact`]); the caller puts none into running text.
//! What is erased is erased as in any stream: the entry stays, its payload goes.

mod export;
mod redact;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::{Damage, Entry, Error, Head, Ledger, Stream};
pub use export::{AuditFormat, Exported};
pub use redact::redact;

/// The kind of the stream's entries, beside the ledger's own record of erasures.
const KIND: &str = "audit";
/// The format of the payloads that this version writes.
const FORMAT: u32 = 1;
/// The most characters of a name; what is longer is cut, because an audit refuses nothing.
const NAME: usize = 500;
/// The most bytes of JSON that `before` and `after` may have each.
const STATE: usize = 64 << 10;
/// Entries that are read at a time, at first and at most.
const PIECE: (u64, u64) = (32, 512);
/// Entries that one search looks at, at most; then it says where to go on.
const LOOK: u64 = 20_000;
/// How far a recorder's clock may have gone back without a search by day missing entries.
const SLACK: TimeDelta = TimeDelta::days(1);

/// What became of an action.
///
/// ```
/// assert_eq!(marquee_platform::AuditOutcome::Refused.as_str(), "refused");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AuditOutcome {
    /// It was done.
    #[default]
    Done,
    /// It was not allowed.
    Refused,
    /// It was allowed and went wrong.
    Failed,
    /// A later version wrote a word that this one does not know.
    Unknown,
}

/// One thing that somebody did or tried.
///
/// ```
/// use marquee_platform::AuditEntry;
/// use serde_json::json;
///
/// let entry = AuditEntry {
///     who: "ruth".to_owned(),
///     action: "account.update".to_owned(),
///     object: "account:4f1c".to_owned(),
///     after: Some(json!({"role": "analyst"})),
///     ..AuditEntry::default()
/// };
/// assert!(!entry.sensitive);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AuditEntry {
    /// The name of the account, or `local owner`.
    pub who: String,
    /// The account's identifier, if an account did it.
    pub account: Option<String>,
    /// What was done, from the general to the particular: `account.update`.
    pub action: String,
    /// What it was done to, as `kind:id`.
    pub object: String,
    /// The network address that it came from.
    pub from: Option<String>,
    /// The request that it was part of.
    pub request: Option<String>,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// The object before, as far as it matters.
    pub before: Option<Value>,
    /// The object after.
    pub after: Option<Value>,
    /// Whether confidential things were seen or changed.
    pub sensitive: bool,
}

/// An entry as it was found: the ledger's row, and what it says.
///
/// ```
/// # fn show(record: &marquee_platform::AuditRecord) -> String {
/// let what = record.what.as_ref().map_or("(erased)", |what| what.action.as_str());
/// format!("{} {what}", record.entry.seq)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// The ledger's entry, with its number and MAC.
    pub entry: Entry,
    /// What was done; `None` if the payload was erased, or if the entry records an erasure.
    pub what: Option<AuditEntry>,
}

/// Which entries to look for. What is left empty allows everything; only a query by day alone, or an empty one, finds
/// erased entries and the records of erasures.
///
/// ```
/// use marquee_platform::{AuditOutcome, AuditQuery};
///
/// let refused = AuditQuery { outcome: Some(AuditOutcome::Refused), ..AuditQuery::default() };
/// assert!(refused.who.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// The name or the identifier of an account.
    pub who: Option<String>,
    /// What the action begins with: `account.` finds all that was done to accounts.
    pub action: Option<String>,
    /// The object; with a `:` at its end all objects of the kind.
    pub object: Option<String>,
    /// What became of it.
    pub outcome: Option<AuditOutcome>,
    /// The first day, in UTC.
    pub from: Option<NaiveDate>,
    /// The last day, in UTC.
    pub to: Option<NaiveDate>,
    /// Only entries with a smaller number: where an earlier page ended.
    pub before: Option<u64>,
}

/// One page of what was found, the newest first.
///
/// ```
/// assert_eq!(marquee_platform::AuditPage::default().next, None);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AuditPage {
    /// What was found. There may be fewer than asked for, or none, although there are more further back.
    pub records: Vec<AuditRecord>,
    /// What to give as [`AuditQuery::before`] to go on; `None` at the end.
    pub next: Option<u64>,
}

/// The audit of a ledger; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use marquee_platform::{Audit, AuditEntry, AuditQuery, Ledger, LedgerFiles, StateStore};
/// use serde_json::json;
///
/// # let folder = tempfile::tempdir()?;
/// # let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let audit = Audit::over(Ledger::open(store, &LedgerFiles::beside(folder.path())).await?);
/// let entry = AuditEntry {
///     who: "ruth".to_owned(),
///     action: "account.update".to_owned(),
///     object: "account:4f1c".to_owned(),
///     after: Some(json!({"role": "analyst", "password": "hunter2"})),
///     ..AuditEntry::default()
/// };
/// audit.record(entry, chrono::Utc::now()).await?;
///
/// let found = audit.search(&AuditQuery { who: Some("ruth".to_owned()), ..AuditQuery::default() }, 10).await?;
/// let what = found.records[0].what.clone().ok_or("erased")?;
/// assert_eq!(what.after, Some(json!({"role": "analyst", "password": "[redacted]"})));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Audit {
    ledger: Ledger,
    stream: Stream,
}

impl Audit {
    /// The audit in this ledger.
    #[must_use]
    pub fn over(ledger: Ledger) -> Self {
        Self { ledger, stream: Stream::audit() }
    }

    /// Records what somebody did, and returns once that is durable and anchored. Secrets are taken out first; names
    /// beyond 500 characters and states beyond 64 KiB are cut.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub async fn record(&self, entry: AuditEntry, now: DateTime<Utc>) -> Result<Entry, Error> {
        let payload = entry.into_payload();
        self.ledger.append(&self.stream, KIND, &payload, now).await
    }

    /// At most `limit` entries that fit the query, the newest first. It reads backwards in pieces, begins with the last
    /// day asked for and ends with the first; what is further back than 20,000 entries is left to the next page.
    ///
    /// Days are found by the order of the stream: if the recorder's clock once went back by more than a day, entries of
    /// around that time may be missed by a query with days.
    ///
    /// # Errors
    /// As [`Ledger::read`]; [`Error::Tampered`] also if an entry is missing.
    pub async fn search(&self, query: &AuditQuery, limit: usize) -> Result<AuditPage, Error> {
        let head = self.head().await?;
        let top = self.top(query, head.as_ref()).await?;
        self.search_below(query, top, limit).await
    }

    /// Removes what an entry says for good; that it was there, and that it was erased, stays. Who asked for that is
    /// recorded by the caller, as with any other action.
    ///
    /// # Errors
    /// As [`Ledger::erase`].
    pub async fn erase(&self, seq: u64, reason: &str, now: DateTime<Utc>) -> Result<Entry, Error> {
        self.ledger.erase(&self.stream, seq, reason, now).await
    }

    async fn head(&self) -> Result<Option<Head>, Error> {
        self.ledger.head(&self.stream).await
    }

    /// As [`Self::search`], from entry `top` down.
    async fn search_below(&self, query: &AuditQuery, top: u64, limit: usize) -> Result<AuditPage, Error> {
        let start = query.from.and_then(|day| midnight(day).checked_sub_signed(SLACK));
        let bottom = top.saturating_sub(LOOK);
        let (mut top, mut size) = (top, PIECE.0);
        let mut page = AuditPage::default();
        while top > bottom {
            let piece = self.piece(top, size.min(top - bottom)).await?;
            for entry in piece.into_iter().rev() {
                top = entry.seq - 1;
                if start.is_some_and(|start| entry.recorded_at < start) {
                    return Ok(page);
                }
                page.records.extend(query.take(entry));
                if page.records.len() >= limit {
                    page.next = (top > 0).then_some(top + 1);
                    return Ok(page);
                }
            }
            size = (size * 2).min(PIECE.1);
        }
        page.next = (top > 0).then_some(top + 1);
        Ok(page)
    }

    /// The `size` entries that end with number `top`.
    async fn piece(&self, top: u64, size: u64) -> Result<Vec<Entry>, Error> {
        let first = top - size + 1;
        let piece = self.ledger.read(&self.stream, first, size as usize).await?;
        let found = piece.iter().map(|entry| Some(entry.seq)).chain(std::iter::repeat(None));
        match (first..=top).zip(found).find(|(wanted, found)| Some(*wanted) != *found) {
            None => Ok(piece),
            Some((seq, _)) => {
                Err(Error::Tampered { stream: self.stream.to_string(), seq, what: Damage::MissingEntry })
            }
        }
    }

    /// The newest entry that a query needs to look at.
    async fn top(&self, query: &AuditQuery, head: Option<&Head>) -> Result<u64, Error> {
        let last = head.map_or(0, |head| head.seq);
        let top = query.before.map_or(last, |before| before.saturating_sub(1).min(last));
        match query.to.and_then(end_of).and_then(|end| end.checked_add_signed(SLACK)) {
            Some(time) => self.last_before(time, top).await,
            None => Ok(top),
        }
    }

    /// The last of the entries up to `top` that was recorded before this time: a binary search.
    async fn last_before(&self, time: DateTime<Utc>, top: u64) -> Result<u64, Error> {
        let (mut below, mut above) = (0, top + 1);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            let earlier = self.piece(middle, 1).await?.iter().all(|entry| entry.recorded_at < time);
            *(if earlier { &mut below } else { &mut above }) = middle;
        }
        Ok(below)
    }
}

impl AuditOutcome {
    /// The word that is recorded.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    fn of(word: &str) -> Self {
        let known = [Self::Done, Self::Refused, Self::Failed];
        known.into_iter().find(|outcome| outcome.as_str() == word).unwrap_or(Self::Unknown)
    }
}

impl AuditEntry {
    fn into_payload(self) -> Value {
        json!({
            "version": FORMAT,
            "who": cut(self.who),
            "account": self.account.map(cut),
            "action": cut(self.action),
            "object": cut(self.object),
            "from": self.from.map(cut),
            "request": self.request.map(cut),
            "outcome": self.outcome.as_str(),
            "before": self.before.map(state),
            "after": self.after.map(state),
            "sensitive": self.sensitive,
        })
    }

    /// What a payload says. A later version may have written it: what is missing or of another form is left empty.
    fn from_payload(payload: &Map<String, Value>) -> Self {
        let optional = |name| payload.get(name).and_then(Value::as_str).map(str::to_owned);
        let text = |name| optional(name).unwrap_or_default();
        let state = |name| payload.get(name).filter(|value| !value.is_null()).cloned();
        Self {
            who: text("who"),
            account: optional("account"),
            action: text("action"),
            object: text("object"),
            from: optional("from"),
            request: optional("request"),
            outcome: AuditOutcome::of(&text("outcome")),
            before: state("before"),
            after: state("after"),
            sensitive: payload.get("sensitive").and_then(Value::as_bool).unwrap_or_default(),
        }
    }
}

impl AuditQuery {
    /// The record of an entry that fits.
    fn take(&self, entry: Entry) -> Option<AuditRecord> {
        let payload = entry.payload.as_ref().filter(|_| entry.kind == KIND).and_then(Value::as_object);
        let what = payload.map(AuditEntry::from_payload);
        let early = self.from.is_some_and(|day| entry.recorded_at < midnight(day));
        let late = self.to.and_then(end_of).is_some_and(|end| entry.recorded_at >= end);
        let fits = match &what {
            Some(what) => self.fits(what),
            None => *self == Self { from: self.from, to: self.to, before: self.before, ..Self::default() },
        };
        (fits && !early && !late).then_some(AuditRecord { entry, what })
    }

    fn fits(&self, what: &AuditEntry) -> bool {
        let who = |name: &String| what.who == *name || what.account.as_ref() == Some(name);
        let object = |name: &String| {
            what.object == *name || (name.ends_with(':') && what.object.starts_with(name.as_str()))
        };
        self.who.as_ref().is_none_or(who)
            && self.action.as_ref().is_none_or(|prefix| what.action.starts_with(prefix.as_str()))
            && self.object.as_ref().is_none_or(object)
            && self.outcome.is_none_or(|outcome| what.outcome == outcome)
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(NAME) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// What is kept of a state: no secrets, and no more than a reader can take.
fn state(mut value: Value) -> Value {
    redact(&mut value);
    let bytes = value.to_string().len();
    if bytes > STATE { Value::from(format!("[left out: {bytes} bytes]")) } else { value }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// When the next day begins; `None` after the last day of the calendar.
fn end_of(day: NaiveDate) -> Option<DateTime<Utc>> {
    day.succ_opt().map(midnight)
}

#[cfg(test)]
mod tests;
