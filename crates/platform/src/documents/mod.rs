//! Documents: what people make and keep (projects, slates, deals, scripts, reports), with every revision.
//!
//! A body is JSON that this module does not read. Who may see what is not decided here: a class is a word to this module, and
//! the caller filters what it hands on. What is decided here is what a stolen database tells: the name and the body of a
//! document are sealed unless its class is `public` or `internal` and no agreement covers it. Kind, class, team, owner,
//! agreement, times and lengths lie in plain, so that the caller can filter and list.

mod model;
mod rotation;
mod rows;

use chrono::{DateTime, Utc};

use crate::ledger::{check_name, fill_random};
use crate::{Error, Keyring, StateStore};
pub use model::{Contents, Document, DocumentHeader, Edit, Listing};
use model::{Cursor, micros};
pub use rotation::Rotation;
use rows::Row;

/// The documents in a state store; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chrono::Utc;
/// use marquee_platform::{Contents, Documents, Edit, Keyring, StateStore};
/// use serde_json::json;
///
/// # let folder = tempfile::tempdir()?;
/// # let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let documents = Documents::open(store, Keyring::load(None, &folder.path().join("seal.keys"))?);
/// let mut contents = Contents {
///     name: "Ishtar".to_owned(),
///     class: "confidential".to_owned(),
///     team: "slate".to_owned(),
///     owner: None,
///     nda: None,
///     body: json!({"budget": 51_000_000}),
/// };
/// let made = documents.create("project", &contents, Utc::now()).await?;
///
/// contents.body = json!({"budget": 55_000_000});
/// assert_eq!(documents.update(&made.id, 1, &contents, Utc::now()).await?, Edit::Done { revision: 2 });
/// // Somebody else still has revision 1 before them: nothing is overwritten.
/// assert_eq!(documents.update(&made.id, 1, &contents, Utc::now()).await?, Edit::Changed { revision: 2 });
/// let first = documents.at(&made.id, 1).await?.ok_or("gone")?;
/// assert_eq!(first.body, json!({"budget": 51_000_000}));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Documents {
    store: StateStore,
    keys: Keyring,
    seal_all: bool,
}

impl Documents {
    /// The documents in this store, sealed under this keyring.
    #[must_use]
    pub fn open(store: StateStore, keys: Keyring) -> Self {
        Self { store, keys, seal_all: false }
    }

    /// The same with documents of every class sealed. Those that were kept before are sealed by [`Self::rotate`].
    #[must_use]
    pub fn sealing_all(self) -> Self {
        Self { seal_all: true, ..self }
    }

    /// Keeps a new document as revision 1.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for a kind or class that is not 1 to 64 of `a-z`, `0-9`, `-` and `_`;
    /// [`Error::InvalidDocument`] for a name, a team, an owner or an agreement that is empty or longer than 200 characters,
    /// and for a body beyond 8 MiB of JSON or 100 levels; [`Error::NoRandomness`]; [`Error::NotCommitted`];
    /// [`Error::Database`].
    pub async fn create(
        &self,
        kind: &str,
        contents: &Contents,
        now: DateTime<Utc>,
    ) -> Result<DocumentHeader, Error> {
        check_name("kind", kind)?;
        let id = fresh_id()?;
        let row = self.row(&id, 1, contents, now)?;
        let at = row.saved_at;
        let (store, new) = (self.store.clone(), (id.clone(), kind.to_owned()));
        let written = self.store.write(move |connection| {
            Box::pin(async move {
                let made = rows::create(connection, &new.0, &new.1, &row).await;
                made.map_err(|source| store.failed("create a document", source))
            })
        });
        written.await?;
        DocumentHeader::of(id, kind.to_owned(), contents, at)
    }

    /// The current revision; `None` if there is no such document.
    ///
    /// # Errors
    /// [`Error::UnknownKey`], [`Error::SealBroken`], [`Error::NotSealed`], [`Error::BrokenDocument`]; [`Error::Database`].
    pub async fn get(&self, id: &str) -> Result<Option<Document>, Error> {
        self.find(id, None).await
    }

    /// A revision as it was kept; `None` if there is no such document or revision. Its class is of then: show it only to
    /// those who may see both that class and the current one.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn at(&self, id: &str, revision: u64) -> Result<Option<Document>, Error> {
        match i64::try_from(revision) {
            Ok(revision) => self.find(id, Some(revision)).await,
            Err(_) => Ok(None),
        }
    }

    /// At most `limit` documents of a kind without their bodies, the newest first by when they were created; `after` is the
    /// `next` of the page before.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`]; and as [`Self::get`].
    pub async fn list(&self, kind: &str, after: Option<&str>, limit: usize) -> Result<Listing, Error> {
        let after = after.map_or(Ok(Cursor::START), str::parse::<Cursor>)?;
        check_name("kind", kind)?;
        let fail = |source| self.store.failed("list documents", source);
        // One more than asked for tells whether there is another page.
        let limit = i64::try_from(limit).unwrap_or(i64::MAX).clamp(1, i64::MAX - 1);
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        let found = rows::list(&mut connection, kind, &after, limit + 1).await.map_err(fail)?;
        drop(connection);
        let more = found.len() as i64 > limit;
        let headers = found.into_iter().take(limit as usize).map(|row| row.header(&self.keys));
        let documents = headers.collect::<Result<Vec<_>, _>>()?;
        let next = documents.last().filter(|_| more).map(|last| Cursor::behind(last).to_string());
        Ok(Listing { documents, next })
    }

    /// Every revision of a document without its body, the newest first; nothing if there is no such document. The times of
    /// change and the classes are of each revision.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn history(&self, id: &str) -> Result<Vec<DocumentHeader>, Error> {
        if !is_id(id) {
            return Ok(Vec::new());
        }
        let fail = |source| self.store.failed("read a document's history", source);
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        let found = rows::history(&mut connection, id).await.map_err(fail)?;
        drop(connection);
        found.into_iter().map(|row| row.header(&self.keys)).collect()
    }

    /// Keeps a further revision, if the current one is still the expected one. Where the document becomes one to be sealed,
    /// its earlier revisions are sealed too.
    ///
    /// # Errors
    /// As [`Self::create`]. That the document has changed, or is gone, is an outcome.
    pub async fn update(
        &self,
        id: &str,
        expected: u64,
        contents: &Contents,
        now: DateTime<Utc>,
    ) -> Result<Edit, Error> {
        if !is_id(id) {
            contents.check()?;
            return Ok(Edit::Missing);
        }
        let expected = i64::try_from(expected).unwrap_or(i64::MAX);
        let row = self.row(id, expected.saturating_add(1), contents, now)?;
        let (all, id) = (self.clone(), id.to_owned());
        let written = self.store.write(move |connection| {
            Box::pin(async move {
                let fail = |source| all.store.failed("update a document", source);
                let (current, done) = rows::advance(connection, expected, &row).await.map_err(fail)?;
                let seal = done && row.sealed_under.is_some();
                let sealed = seal && all.seal_earlier(connection, &id, row.saved_at).await?;
                Ok((edit(current, done), sealed))
            })
        });
        let (outcome, sealed) = written.await?;
        if sealed {
            self.store.checkpoint().await?;
        }
        Ok(outcome)
    }

    /// Removes a document with all its revisions for good, if the current one is still the expected one. The database
    /// overwrites what it frees; copies and backups are the caller's.
    ///
    /// # Errors
    /// [`Error::NotCommitted`]; [`Error::Database`]. That the document has changed, or is gone, is an outcome.
    pub async fn remove(&self, id: &str, expected: u64) -> Result<Edit, Error> {
        if !is_id(id) {
            return Ok(Edit::Missing);
        }
        let expected = i64::try_from(expected).unwrap_or(i64::MAX);
        let (store, id) = (self.store.clone(), id.to_owned());
        let written = self.store.write(move |connection| {
            Box::pin(async move {
                let removed = rows::remove(connection, &id, expected).await;
                removed.map_err(|source| store.failed("remove a document", source))
            })
        });
        let (current, removed) = written.await?;
        if removed {
            self.store.checkpoint().await?;
        }
        Ok(edit(current, removed))
    }

    async fn find(&self, id: &str, revision: Option<i64>) -> Result<Option<Document>, Error> {
        if !is_id(id) {
            return Ok(None);
        }
        let fail = |source| self.store.failed("read a document", source);
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        let found = rows::find(&mut connection, id, revision).await.map_err(fail)?;
        drop(connection);
        found.map(|found| found.document(&self.keys)).transpose()
    }

    /// The row of a revision, checked, and sealed where it must be.
    fn row(&self, id: &str, revision: i64, contents: &Contents, now: DateTime<Utc>) -> Result<Row, Error> {
        let body = contents.check()?;
        let row = Row {
            document: id.to_owned(),
            revision,
            saved_at: micros(now),
            class: contents.class.clone(),
            team: contents.team.clone(),
            owner: contents.owner.clone(),
            nda: contents.nda.clone(),
            sealed_under: None,
            sealed_at: None,
            name: contents.name.clone().into_bytes(),
            body,
        };
        if self.seal_all || contents.must_be_sealed() { row.sealed(&self.keys, micros(now)) } else { Ok(row) }
    }
}

fn edit(current: Option<i64>, done: bool) -> Edit {
    let current = current.map(i64::unsigned_abs);
    match current {
        None => Edit::Missing,
        Some(revision) if done => Edit::Done { revision },
        Some(revision) => Edit::Changed { revision },
    }
}

/// Sixteen random bytes as hex digits: nobody can guess which documents there are.
pub(crate) fn fresh_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Anything else names no document and is not sent to the database.
pub(crate) fn is_id(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
