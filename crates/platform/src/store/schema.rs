//! The tables and how they came to be: a list of migrations, applied in order, each at most once.

use std::path::Path;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::Error;

/// Migration *n* (from 1) leads from version *n* − 1 to *n*. A released one is never edited.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/0001_ledger.sql")];

/// Brings the tables up to date in one transaction. Two processes that open a new store at once wait for each other.
pub(super) async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), Error> {
    let fail = |source| Error::database("migrate the tables", path, source);
    let known = MIGRATIONS.len() as i64;

    let begun = connection.begin_with("BEGIN IMMEDIATE").await;
    let mut transaction = begun.map_err(fail)?;
    let version = version(&mut transaction).await.map_err(fail)?;
    let found = version.ok_or_else(|| Error::NotAStore { path: path.into() })?;
    if found > known {
        return Err(Error::Newer { path: path.into(), found, known });
    }
    for migration in MIGRATIONS.iter().skip(found.max(0) as usize) {
        let applied = sqlx::raw_sql(*migration).execute(&mut *transaction).await;
        applied.map_err(fail)?;
    }
    if found < known {
        record(&mut transaction, known).await.map_err(fail)?;
    }
    transaction.commit().await.map_err(fail)
}

/// The version of the tables; 0 for an empty database, `None` for one that has tables but no version.
async fn version(connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    let tables = "SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema";
    let (all, ours): (i64, i64) = sqlx::query_as(tables).fetch_one(&mut *connection).await?;
    if ours == 0 {
        return Ok((all == 0).then_some(0));
    }
    let version = sqlx::query_scalar("SELECT version FROM schema_version");
    version.fetch_optional(connection).await
}

async fn record(connection: &mut SqliteConnection, version: i64) -> Result<(), sqlx::Error> {
    let table = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT; \
                 DELETE FROM schema_version";
    sqlx::raw_sql(table).execute(&mut *connection).await?;
    let insert = sqlx::query("INSERT INTO schema_version (version) VALUES (?)").bind(version);
    insert.execute(connection).await.map(|_| ())
}
