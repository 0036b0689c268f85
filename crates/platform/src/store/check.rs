//! Reading a store through for damage. What a database does not notice about itself, the ledger's own verification does.

use sqlx::AssertSqlSafe;

use super::{Backend, Connection, schema};
use crate::Error;

/// What the database's own check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrity {
    /// Everything could be read and is in order.
    Sound,
    /// The database is damaged; one line for each finding.
    Damaged(Vec<String>),
}

/// Checks everything. Damage that stops the check altogether comes back as an error.
pub(super) async fn run(connection: &mut Connection) -> Result<Integrity, sqlx::Error> {
    let findings = match Backend::of(connection) {
        Backend::Sqlite => {
            let lines =
                sqlx::query_scalar::<_, String>("PRAGMA integrity_check").fetch_all(connection).await?;
            if lines == ["ok"] { Vec::new() } else { lines }
        }
        Backend::Postgres => read_through(connection).await?,
    };
    Ok(if findings.is_empty() { Integrity::Sound } else { Integrity::Damaged(findings) })
}

/// Reads every column of every row, long ones that lie apart included, and every table to its end even if one is damaged.
async fn read_through(connection: &mut Connection) -> Result<Vec<String>, sqlx::Error> {
    let mut findings = Vec::new();
    for table in schema::tables(connection, Backend::Postgres).await? {
        // The length of the whole row as text needs each of its bytes; counting it is free of sums that grow too large.
        let read = format!(
            "SELECT count(octet_length(CAST(entry AS TEXT))) FROM {} AS entry",
            schema::quoted(&table)
        );
        let read = sqlx::query_scalar::<_, i64>(AssertSqlSafe(read)).fetch_one(&mut *connection).await;
        if let Err(error) = read {
            // A broken row may also make the server stumble ("internal error", XX000).
            let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
            if !Error::is_damage(&error) && code.as_deref() != Some("XX000") {
                return Err(error);
            }
            findings.push(format!("{table}: {error}"));
        }
    }
    Ok(findings)
}
