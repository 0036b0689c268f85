//! A whole store as lines of JSON that both databases read: a backup that does not depend on where it was made.
//!
//! The first line names the format and the version of the tables, `{"marquee_state":1,"tables":4}`. Each table begins with
//! `{"table":"ledger_entry","columns":["stream",…]}` and has one array a row: text as a string, whole numbers as a number
//! without and others with a fraction, bytes as `{"base64":"…"}`, and what JSON has no number for as `{"real":"inf"}`. The
//! last line, `{"rows":N,"sha256":"…"}`, counts the rows and has the hash of every byte before it, so that an export that
//! was cut or changed by accident is refused. It is no signature: that is the ledger's affair.
//!
//! Not in it are the ledger's key and anchor file. Copy the anchor file *before* exporting: it may lag behind the entries,
//! never lead them.

use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Row as _, ValueRef as _};

use super::import::Import;
use super::target::{OPEN, Target};
use super::{Backend, Connection, StateStore, schema};
use crate::{Digest, Error};

/// The format that this version writes.
pub(super) const FORMAT: u32 = 1;
/// Rows that are read at a time.
const PAGE: i64 = 512;
const EXPORT: &str = "export the state store";
pub(super) const IMPORT: &str = "import into the state store";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) marquee_state: u32,
    pub(super) tables: i64,
}

/// The line before a table's rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) rows: u64,
    pub(super) sha256: Digest,
}

impl StateStore {
    /// Writes the whole store as lines of JSON and gives the number of rows. It is one state of the store: writes that are
    /// committed meanwhile are not in it, and everything that was acknowledged before is. Writing to `out` blocks the thread.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use marquee_platform::StateStore;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let at = |name: &str| folder.path().join(name).display().to_string();
    /// let mut backup = Vec::new();
    /// StateStore::open(&at("old.db")).await?.export(&mut backup).await?;
    /// let restored = StateStore::import(&at("new.db"), &backup[..]).await?;
    /// # restored.close().await;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Export`] if `out` fails; [`Error::Damaged`], [`Error::Database`].
    pub async fn export(&self, out: &mut impl Write) -> Result<u64, Error> {
        let fail = |source| self.failed(EXPORT, source);
        let backend = self.inner.target.backend;
        let mut lines = Lines { out, hash: Sha256::new() };
        let mut snapshot = self.snapshot().await.map_err(fail)?;
        let tables = schema::version(&mut snapshot, backend).await.map_err(fail)?.unwrap_or_default();
        lines.write(&Header { marquee_state: FORMAT, tables })?;
        let mut rows = 0;
        for table in schema::tables(&mut snapshot, backend).await.map_err(fail)? {
            if table == schema::VERSION {
                continue;
            }
            let mut pages = Pages::of(&mut snapshot, backend, &table).await.map_err(fail)?;
            let mut begun = false;
            loop {
                let page = pages.next(&mut snapshot).await.map_err(fail)?;
                let Some(first) = page.first() else { break };
                if !begun {
                    lines.write(&pages.heading(&table, first))?;
                    begun = true;
                }
                for row in &page {
                    lines.write(&pages.values(row).map_err(fail)?)?;
                }
                rows += page.len() as u64;
            }
        }
        lines.end(rows)?;
        Ok(rows)
    }

    /// Makes a store of what [`Self::export`] wrote, on either database and with the tables of this version, and opens it.
    /// Nothing is kept of an export that is not whole. Reading from `from` blocks the thread.
    ///
    /// # Errors
    /// [`Error::InvalidExport`] names the first line that is not in order; [`Error::InUse`] if the database holds rows
    /// already; and as [`Self::open`].
    pub async fn import(url: &str, from: impl Read) -> Result<Self, Error> {
        let target = Target::parse(url)?;
        let fail = |source| target.failed(IMPORT, source);
        target.create().await?;
        let mut connection = target.connect().await.map_err(|source| target.failed(OPEN, source))?;
        let mut import = Import::begin(from)?;
        let mut transaction = target.backend.begin(&mut connection).await.map_err(fail)?;
        import.make_tables(&mut transaction, &target).await?;
        import.fill(&mut transaction, &target).await?;
        schema::apply(&mut transaction, &target, import.version, schema::KNOWN).await?;
        transaction.commit().await.map_err(fail)?;
        connection.close().await.map_err(fail)?;
        Self::open(url).await
    }
}

/// Lines that are written, and the hash of all their bytes.
struct Lines<'a, W> {
    out: &'a mut W,
    hash: Sha256,
}

impl<W: Write> Lines<'_, W> {
    fn write(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let fail = |source| Error::Export { source };
        let mut bytes = serde_json::to_vec(line).map_err(|error| fail(error.into()))?;
        bytes.push(b'\n');
        self.hash.update(&bytes);
        self.out.write_all(&bytes).map_err(fail)
    }

    fn end(mut self, rows: u64) -> Result<(), Error> {
        let sha256 = Digest(self.hash.clone().finalize().into());
        self.write(&End { rows, sha256 })?;
        self.out.flush().map_err(|source| Error::Export { source })
    }
}

/// A table that is read page by page: in SQLite by the number that each row has, in PostgreSQL by a cursor.
struct Pages {
    backend: Backend,
    sql: String,
    after: i64,
}

impl Pages {
    async fn of(connection: &mut Connection, backend: Backend, table: &str) -> Result<Self, sqlx::Error> {
        let name = schema::quoted(table);
        let sql = match backend {
            Backend::Sqlite => {
                format!("SELECT rowid, * FROM {name} WHERE rowid > $1 ORDER BY rowid LIMIT {PAGE}")
            }
            Backend::Postgres => {
                let cursor = schema::quoted(&format!("pages of {table}"));
                let declare = format!("DECLARE {cursor} NO SCROLL CURSOR FOR SELECT * FROM {name}");
                sqlx::raw_sql(AssertSqlSafe(declare)).execute(connection).await?;
                format!("FETCH {PAGE} FROM {cursor}")
            }
        };
        Ok(Self { backend, sql, after: i64::MIN })
    }

    /// The next rows; none after the last.
    async fn next(&mut self, connection: &mut Connection) -> Result<Vec<AnyRow>, sqlx::Error> {
        // A cursor's name is used once, so that its statement is not worth keeping.
        let query = sqlx::query(AssertSqlSafe(self.sql.clone())).persistent(false);
        if self.backend == Backend::Postgres {
            return query.fetch_all(connection).await;
        }
        let page = query.bind(self.after).fetch_all(connection).await?;
        if let Some(last) = page.last() {
            self.after = last.try_get(0)?;
        }
        Ok(page)
    }

    /// Columns that are not the table's own.
    fn extra(&self) -> usize {
        usize::from(self.backend == Backend::Sqlite)
    }

    fn heading(&self, table: &str, row: &AnyRow) -> Table {
        let columns = row.columns().iter().skip(self.extra());
        Table { table: table.to_owned(), columns: columns.map(|column| column.name().to_owned()).collect() }
    }

    fn values(&self, row: &AnyRow) -> Result<Vec<Value>, sqlx::Error> {
        (self.extra()..row.len()).map(|index| value_at(row, index)).collect()
    }
}

fn value_at(row: &AnyRow, index: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info().kind();
    Ok(match kind {
        AnyTypeInfoKind::Text => row.try_get::<String, _>(index)?.into(),
        AnyTypeInfoKind::Blob => json!({"base64": BASE64.encode(row.try_get::<Vec<u8>, _>(index)?)}),
        AnyTypeInfoKind::Real | AnyTypeInfoKind::Double => {
            let real: f64 = row.try_get(index)?;
            if real.is_finite() { real.into() } else { json!({"real": real.to_string()}) }
        }
        _ => row.try_get::<i64, _>(index)?.into(),
    })
}
