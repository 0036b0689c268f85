//! The SQL of documents, and rows sealed and opened.

use chrono::DateTime;
use sqlx::Row as _;

use super::model::{Cursor, broken};
use super::{Document, DocumentHeader};
use crate::store::Connection;
use crate::{Error, Keyring, Place, Sealed};

/// A row as the store's driver gives it.
type SqlRow = <<Connection as sqlx::Connection>::Database as sqlx::Database>::Row;

const TABLE: &str = "document_revision";

/// One revision as it lies in the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) document: String,
    pub(super) revision: i64,
    /// Microseconds since 1970 UTC, as every time here.
    pub(super) saved_at: i64,
    pub(super) class: String,
    pub(super) team: String,
    pub(super) owner: Option<String>,
    pub(super) nda: Option<String>,
    pub(super) sealed_under: Option<String>,
    pub(super) sealed_at: Option<i64>,
    pub(super) name: Vec<u8>,
    pub(super) body: Vec<u8>,
}

/// A revision with what its document says; without its body where that was not asked for.
#[derive(Debug)]
pub(super) struct Found {
    kind: String,
    created_at: i64,
    row: Row,
}

impl Row {
    /// The same revision, sealed under the current key whatever it was under before.
    pub(super) fn sealed(mut self, keys: &Keyring, now: i64) -> Result<Self, Error> {
        let key = self.id();
        let name = self.opened(keys, &self.name, "name")?;
        let body = self.opened(keys, &self.body, "body")?;
        let seal = |plain: &[u8], column| {
            let sealed = keys.seal(plain, &Place { table: TABLE, row: &key, column })?;
            Ok::<_, Error>((sealed.key_id().to_owned(), sealed.into_bytes()))
        };
        (_, self.name) = seal(&name, "name")?;
        let under;
        (under, self.body) = seal(&body, "body")?;
        self.sealed_under = Some(under);
        self.sealed_at = Some(now);
        Ok(self)
    }

    /// What a column says in plain.
    fn opened(&self, keys: &Keyring, bytes: &[u8], column: &str) -> Result<Vec<u8>, Error> {
        if self.sealed_under.is_none() {
            return Ok(bytes.to_vec());
        }
        let sealed = Sealed::from_bytes(bytes.to_vec())?;
        keys.open(&sealed, &Place { table: TABLE, row: &self.id(), column })
    }

    /// What identifies the row where its values are sealed.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.document, self.revision)
    }
}

impl Found {
    pub(super) fn header(self, keys: &Keyring) -> Result<DocumentHeader, Error> {
        let Self { kind, created_at, row } = self;
        let wrong = |reason| broken(&row.document, row.revision, reason);
        let time =
            |micros| DateTime::from_timestamp_micros(micros).ok_or_else(|| wrong("it has no valid time"));
        let name = row.opened(keys, &row.name, "name")?;
        Ok(DocumentHeader {
            kind,
            name: String::from_utf8(name).map_err(|_| wrong("its name is no text"))?,
            revision: row.revision.unsigned_abs(),
            created_at: time(created_at)?,
            updated_at: time(row.saved_at)?,
            id: row.document,
            class: row.class,
            team: row.team,
            owner: row.owner,
            nda: row.nda,
        })
    }

    pub(super) fn document(self, keys: &Keyring) -> Result<Document, Error> {
        let row = &self.row;
        let body = serde_json::from_slice(&row.opened(keys, &row.body, "body")?);
        let body = body.map_err(|error| broken(&row.document, row.revision, error.to_string()))?;
        Ok(Document { body, header: self.header(keys)? })
    }

    fn from_sql(found: &SqlRow, with_body: bool) -> Result<Self, sqlx::Error> {
        Ok(Self { kind: found.try_get(0)?, created_at: found.try_get(1)?, row: row(found, 2, with_body)? })
    }
}

/// Keeps a new document with its first revision.
pub(super) async fn create(
    connection: &mut Connection,
    id: &str,
    kind: &str,
    row: &Row,
) -> Result<(), sqlx::Error> {
    let document = "INSERT INTO document (id, kind, revision, created_at) VALUES ($1, $2, $3, $4)";
    let document = sqlx::query(document).bind(id.to_owned()).bind(kind.to_owned());
    document.bind(row.revision).bind(row.saved_at).execute(&mut *connection).await?;
    insert(connection, row).await
}

/// Keeps a further revision if the current one is still the expected one. The revision that is current then, and whether it
/// is this one.
pub(super) async fn advance(
    connection: &mut Connection,
    expected: i64,
    row: &Row,
) -> Result<(Option<i64>, bool), sqlx::Error> {
    let advance = sqlx::query("UPDATE document SET revision = $1 WHERE id = $2 AND revision = $3");
    let advance = advance.bind(row.revision).bind(row.document.clone()).bind(expected);
    if advance.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok((current(connection, &row.document).await?, false));
    }
    insert(connection, row).await?;
    Ok((Some(row.revision), true))
}

/// Removes a document and all its revisions if the current one is still the expected one. The revision that was current,
/// and whether it was removed.
pub(super) async fn remove(
    connection: &mut Connection,
    id: &str,
    expected: i64,
) -> Result<(Option<i64>, bool), sqlx::Error> {
    let document = sqlx::query("DELETE FROM document WHERE id = $1 AND revision = $2");
    let document = document.bind(id.to_owned()).bind(expected).execute(&mut *connection).await?;
    if document.rows_affected() == 0 {
        return Ok((current(connection, id).await?, false));
    }
    let revisions = sqlx::query("DELETE FROM document_revision WHERE document = $1").bind(id.to_owned());
    revisions.execute(connection).await?;
    Ok((Some(expected), true))
}

/// The current revision of a document, or a given one.
pub(super) async fn find(
    connection: &mut Connection,
    id: &str,
    revision: Option<i64>,
) -> Result<Option<Found>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT d.kind, d.created_at, r.document, r.revision, r.saved_at, r.class, r.team, r.owner, r.nda, \
         r.sealed_under, r.sealed_at, r.name, r.body FROM document d JOIN document_revision r ON r.document = d.id \
         WHERE d.id = $1 AND r.revision = COALESCE($2, d.revision)",
    );
    let found = found.bind(id.to_owned()).bind(revision).fetch_optional(connection).await?;
    found.map(|found| Found::from_sql(&found, true)).transpose()
}

/// The current revisions of a kind behind a place, without bodies, the newest document first.
pub(super) async fn list(
    connection: &mut Connection,
    kind: &str,
    after: &Cursor,
    limit: i64,
) -> Result<Vec<Found>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT d.kind, d.created_at, r.document, r.revision, r.saved_at, r.class, r.team, r.owner, r.nda, \
         r.sealed_under, r.sealed_at, r.name FROM document d \
         JOIN document_revision r ON r.document = d.id AND r.revision = d.revision \
         WHERE d.kind = $1 AND (d.created_at < $2 OR (d.created_at = $2 AND d.id < $3)) \
         ORDER BY d.created_at DESC, d.id DESC LIMIT $4",
    );
    let found = found.bind(kind.to_owned()).bind(after.created_at).bind(after.id.clone()).bind(limit);
    headers(&found.fetch_all(connection).await?)
}

/// Every revision of a document, without bodies, the newest first.
pub(super) async fn history(connection: &mut Connection, id: &str) -> Result<Vec<Found>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT d.kind, d.created_at, r.document, r.revision, r.saved_at, r.class, r.team, r.owner, r.nda, \
         r.sealed_under, r.sealed_at, r.name FROM document d JOIN document_revision r ON r.document = d.id \
         WHERE d.id = $1 ORDER BY r.revision DESC",
    );
    headers(&found.bind(id.to_owned()).fetch_all(connection).await?)
}

/// The first rows, in the order of document and revision, that lie under this key behind a place; those in plain for an
/// empty name.
pub(super) async fn under(
    connection: &mut Connection,
    key: &str,
    after: &(String, i64),
    limit: i64,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let plain = "SELECT document, revision FROM document_revision WHERE sealed_under IS NULL \
                 AND (document > $1 OR (document = $1 AND revision > $2)) ORDER BY document, revision LIMIT $3";
    let sealed = "SELECT document, revision FROM document_revision WHERE sealed_under = $4 \
                  AND (document > $1 OR (document = $1 AND revision > $2)) ORDER BY document, revision LIMIT $3";
    let query = sqlx::query(if key.is_empty() { plain } else { sealed });
    let query = query.bind(after.0.clone()).bind(after.1).bind(limit);
    let query = if key.is_empty() { query } else { query.bind(key.to_owned()) };
    let found = query.fetch_all(connection).await?;
    found.iter().map(|found| Ok((found.try_get(0)?, found.try_get(1)?))).collect()
}

/// One revision, whatever its document says.
pub(super) async fn read(
    connection: &mut Connection,
    document: &str,
    revision: i64,
) -> Result<Option<Row>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT document, revision, saved_at, class, team, owner, nda, sealed_under, sealed_at, name, body \
         FROM document_revision WHERE document = $1 AND revision = $2",
    );
    let found = found.bind(document.to_owned()).bind(revision).fetch_optional(connection).await?;
    found.map(|found| row(&found, 0, true)).transpose()
}

/// Puts a newly sealed row in the place of the one that was under `before`, if that is still there.
pub(super) async fn reseal(
    connection: &mut Connection,
    row: &Row,
    before: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let query = sqlx::query(
        "UPDATE document_revision SET name = $1, body = $2, sealed_under = $3, sealed_at = $4 \
         WHERE document = $5 AND revision = $6 AND COALESCE(sealed_under, '') = $7",
    );
    let query = query.bind(row.name.clone()).bind(row.body.clone()).bind(row.sealed_under.clone());
    let query = query.bind(row.sealed_at).bind(row.document.clone()).bind(row.revision);
    let done = query.bind(before.unwrap_or_default().to_owned()).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

/// The names of the keys under which anything is sealed.
pub(super) async fn keys(connection: &mut Connection) -> Result<Vec<String>, sqlx::Error> {
    let found = "SELECT DISTINCT sealed_under FROM document_revision WHERE sealed_under IS NOT NULL ORDER BY sealed_under";
    let found = sqlx::query(found).fetch_all(connection).await?;
    found.iter().map(|found| found.try_get(0)).collect()
}

async fn insert(connection: &mut Connection, row: &Row) -> Result<(), sqlx::Error> {
    let insert = sqlx::query(
        "INSERT INTO document_revision \
         (document, revision, saved_at, class, team, owner, nda, sealed_under, sealed_at, name, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let insert = insert.bind(row.document.clone()).bind(row.revision).bind(row.saved_at);
    let insert =
        insert.bind(row.class.clone()).bind(row.team.clone()).bind(row.owner.clone()).bind(row.nda.clone());
    let insert = insert.bind(row.sealed_under.clone()).bind(row.sealed_at);
    let insert = insert.bind(row.name.clone()).bind(row.body.clone());
    insert.execute(connection).await.map(|_| ())
}

async fn current(connection: &mut Connection, id: &str) -> Result<Option<i64>, sqlx::Error> {
    let found = sqlx::query("SELECT revision FROM document WHERE id = $1").bind(id.to_owned());
    found.fetch_optional(connection).await?.map(|found| found.try_get(0)).transpose()
}

fn headers(found: &[SqlRow]) -> Result<Vec<Found>, sqlx::Error> {
    found.iter().map(|found| Found::from_sql(found, false)).collect()
}

/// A revision whose columns begin at `first`.
fn row(found: &SqlRow, first: usize, with_body: bool) -> Result<Row, sqlx::Error> {
    Ok(Row {
        document: found.try_get(first)?,
        revision: found.try_get(first + 1)?,
        saved_at: found.try_get(first + 2)?,
        class: found.try_get(first + 3)?,
        team: found.try_get(first + 4)?,
        owner: found.try_get(first + 5)?,
        nda: found.try_get(first + 6)?,
        sealed_under: found.try_get(first + 7)?,
        sealed_at: found.try_get(first + 8)?,
        name: found.try_get(first + 9)?,
        body: if with_body { found.try_get(first + 10)? } else { Vec::new() },
    })
}
