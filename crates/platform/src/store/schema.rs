//! The tables and how they came to be: a list of migrations, applied in order, each at most once.

use sqlx::AssertSqlSafe;

use super::Connection;
use super::target::{Backend, Target};
use crate::Error;

/// Migration *n* (from 1) leads from version *n* − 1 to *n*. A released one is never edited. They are written in SQLite's
/// words; `dialect` translates them.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_ledger.sql"),
    include_str!("../../migrations/0002_accounts.sql"),
    include_str!("../../migrations/0003_jobs.sql"),
    include_str!("../../migrations/0004_documents.sql"),
    include_str!("../../migrations/0005_alerts.sql"),
];

const MIGRATE: &str = "migrate the tables";

/// The version of the tables that this program writes.
pub(super) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The table that holds the version.
pub(super) const VERSION: &str = "schema_version";

/// Brings the tables up to date in one transaction. Two processes that open a new store at once wait for each other.
pub(super) async fn migrate(connection: &mut Connection, target: &Target) -> Result<(), Error> {
    let fail = |source| target.failed(MIGRATE, source);
    let mut transaction = target.backend.begin(connection).await.map_err(fail)?;
    let found = found(&mut transaction, target).await?;
    apply(&mut transaction, target, found, KNOWN).await?;
    transaction.commit().await.map_err(fail)
}

/// The version of the tables that are there, 0 if none are; refuses those of other programs and of later versions.
pub(super) async fn found(connection: &mut Connection, target: &Target) -> Result<i64, Error> {
    let place = || target.location.clone();
    let version = version(connection, target.backend).await;
    let version = version.map_err(|source| target.failed(MIGRATE, source))?;
    let found = version.ok_or_else(|| Error::NotAStore { place: place() })?;
    if found > KNOWN {
        return Err(Error::Newer { place: place(), found, known: KNOWN });
    }
    Ok(found.max(0))
}

/// Leads the tables from one version to a later one, in the transaction of the caller.
pub(super) async fn apply(
    connection: &mut Connection,
    target: &Target,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let fail = |source| target.failed(MIGRATE, source);
    for migration in MIGRATIONS.iter().take(to as usize).skip(from as usize) {
        let commands = AssertSqlSafe(target.backend.dialect(migration));
        sqlx::raw_sql(commands).execute(&mut *connection).await.map_err(fail)?;
    }
    if from < to {
        record(connection, target.backend, to).await.map_err(fail)?;
    }
    Ok(())
}

/// The tables of the store in the order in which they were made, so that a table comes after those that it refers to. In
/// PostgreSQL those of the schema in which unqualified names are made.
pub(super) async fn tables(
    connection: &mut Connection,
    backend: Backend,
) -> Result<Vec<String>, sqlx::Error> {
    let names = match backend {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
        }
        Backend::Postgres => {
            "SELECT CAST(relname AS TEXT) FROM pg_catalog.pg_class \
             WHERE relkind IN ('r', 'p') AND relnamespace = \
             (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) ORDER BY oid"
        }
    };
    sqlx::query_scalar(names).fetch_all(connection).await
}

/// A name as SQL quotes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The version of the tables; 0 for an empty database, `None` for one that has tables but no version.
pub(super) async fn version(
    connection: &mut Connection,
    backend: Backend,
) -> Result<Option<i64>, sqlx::Error> {
    let tables = tables(connection, backend).await?;
    if !tables.iter().any(|name| name == VERSION) {
        return Ok(tables.is_empty().then_some(0));
    }
    let version = sqlx::query_scalar("SELECT version FROM schema_version");
    version.fetch_optional(connection).await
}

async fn record(connection: &mut Connection, backend: Backend, version: i64) -> Result<(), sqlx::Error> {
    let table = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT; \
                 DELETE FROM schema_version";
    sqlx::raw_sql(AssertSqlSafe(backend.dialect(table))).execute(&mut *connection).await?;
    let insert = sqlx::query("INSERT INTO schema_version (version) VALUES ($1)").bind(version);
    insert.execute(connection).await.map(|_| ())
}
