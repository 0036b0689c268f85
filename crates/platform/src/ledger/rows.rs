//! The ledger's SQL: rows as they lie in the table, read leniently because they may have been tampered with, and
//! checked one at a time.

use chrono::DateTime;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::key::{Key, Sealed, hash_payload};
use super::{Damage, Entry, Stream};
use crate::store::{Backend, Connection};
use crate::{Digest, Error};

/// The format of the rows that this version writes.
const FORMAT: i64 = 1;

/// A row as it lies there: any column may hold anything.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    format: i64,
    recorded_at: i64,
    pub(crate) kind: Vec<u8>,
    payload_hash: Vec<u8>,
    pub(crate) prev_mac: Vec<u8>,
    pub(crate) mac: Vec<u8>,
    salt: Option<Vec<u8>>,
    pub(crate) payload: Option<Vec<u8>>,
}

/// Which rows of a stream to read, in order.
pub(crate) struct Range<'a> {
    pub(crate) stream: &'a Stream,
    /// Only rows of this kind, if given.
    pub(crate) kind: Option<&'a str>,
    pub(crate) from_seq: i64,
    pub(crate) limit: i64,
}

/// An entry that is ready but for its place in the chain.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) stream: Stream,
    pub(crate) kind: String,
    pub(crate) recorded_at: i64,
    pub(crate) salt: [u8; 16],
    pub(crate) payload: Vec<u8>,
}

impl Row {
    /// What is wrong with this row, taken by itself.
    pub(crate) fn check(&self, key: &Key, stream: &Stream) -> Result<(), Damage> {
        let mac = key.seal(&Sealed {
            stream: stream.as_str(),
            seq: self.seq,
            recorded_at: self.recorded_at,
            kind: &self.kind,
            payload_hash: &self.payload_hash,
            prev_mac: &self.prev_mac,
        });
        if self.format != FORMAT || self.mac != mac.0 {
            return Err(Damage::FlippedChain);
        }
        match (&self.salt, &self.payload) {
            (None, None) => Ok(()),
            (Some(salt), Some(payload)) if hash_payload(salt, payload).0[..] == self.payload_hash => Ok(()),
            _ => Err(Damage::FlippedPayload),
        }
    }

    /// The entry in a row that passed [`Self::check`].
    pub(crate) fn into_entry(self, stream: &Stream) -> Result<Entry, Error> {
        let seq = self.seq.unsigned_abs();
        let broken = |what| Error::Tampered { stream: stream.to_string(), seq, what };
        let chain = || broken(Damage::FlippedChain);
        let payload = self.payload.map(|bytes| serde_json::from_slice(&bytes));
        Ok(Entry {
            stream: stream.clone(),
            seq,
            recorded_at: DateTime::from_timestamp_micros(self.recorded_at)
                .ok_or_else(|| Error::InvalidTime { stream: stream.to_string(), seq })?,
            kind: String::from_utf8(self.kind).map_err(|_| chain())?,
            payload: payload.transpose().map_err(|_| broken(Damage::FlippedPayload))?,
            salt: self.salt.and_then(|salt| salt.try_into().ok()),
            payload_hash: Digest::from_slice(&self.payload_hash).ok_or_else(chain)?,
            prev_mac: Digest::from_slice(&self.prev_mac).ok_or_else(chain)?,
            mac: Digest::from_slice(&self.mac).ok_or_else(chain)?,
        })
    }

    fn from_sql(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let number = |index| row.try_get::<Option<i64>, usize>(index);
        let bytes = |index| row.try_get::<Option<Vec<u8>>, usize>(index);
        Ok(Self {
            seq: number(0)?.unwrap_or_default(),
            format: number(1)?.unwrap_or_default(),
            recorded_at: number(2)?.unwrap_or_default(),
            kind: bytes(3)?.unwrap_or_default(),
            payload_hash: bytes(4)?.unwrap_or_default(),
            prev_mac: bytes(5)?.unwrap_or_default(),
            mac: bytes(6)?.unwrap_or_default(),
            salt: bytes(7)?,
            payload: bytes(8)?,
        })
    }
}

/// The columns of a row. In SQLite's file a value may be of another type than its column says; PostgreSQL has no such rows.
fn columns(backend: Backend) -> String {
    let numbers = ["seq", "format", "recorded_at"];
    let blobs = ["payload_hash", "prev_mac", "mac", "salt", "payload"];
    let as_number = |column: &&str| match backend {
        Backend::Sqlite => format!("CAST({column} AS INTEGER)"),
        Backend::Postgres => (*column).to_owned(),
    };
    let as_blob = |column: &&str| match backend {
        Backend::Sqlite => backend.bytes_of(column),
        Backend::Postgres => (*column).to_owned(),
    };
    let columns = numbers.iter().map(as_number).chain([backend.bytes_of("kind")]);
    columns.chain(blobs.iter().map(as_blob)).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn select(connection: &mut Connection, range: &Range<'_>) -> Result<Vec<Row>, sqlx::Error> {
    let columns = columns(Backend::of(connection));
    let kind = if range.kind.is_some() { "AND kind = $4 " } else { "" };
    let rows = AssertSqlSafe(format!(
        "SELECT {columns} FROM ledger_entry WHERE stream = $1 AND seq >= $2 {kind}ORDER BY seq LIMIT $3"
    ));
    let mut rows = sqlx::query(rows).bind(range.stream.as_str()).bind(range.from_seq).bind(range.limit);
    if let Some(kind) = range.kind {
        rows = rows.bind(kind);
    }
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(Row::from_sql).collect()
}

/// The last row of a stream.
pub(crate) async fn last(connection: &mut Connection, stream: &Stream) -> Result<Option<Row>, sqlx::Error> {
    let columns = columns(Backend::of(connection));
    let row = AssertSqlSafe(format!(
        "SELECT {columns} FROM ledger_entry WHERE stream = $1 ORDER BY seq DESC LIMIT 1"
    ));
    let row = sqlx::query(row).bind(stream.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(Row::from_sql).transpose()
}

/// The streams that have entries, by name; names that no version ever wrote are left out.
pub(crate) async fn streams(connection: &mut Connection) -> Result<Vec<Stream>, sqlx::Error> {
    let name = Backend::of(connection).bytes_of("stream");
    let names = AssertSqlSafe(format!(
        "SELECT {name} FROM (SELECT DISTINCT stream FROM ledger_entry) AS names ORDER BY stream"
    ));
    let names: Vec<Option<Vec<u8>>> = sqlx::query_scalar(names).fetch_all(connection).await?;
    Ok(names.into_iter().flatten().filter_map(|name| String::from_utf8(name).ok()?.parse().ok()).collect())
}

/// Seals a draft behind `prev`, the last row, and stores it.
pub(crate) async fn insert(
    connection: &mut Connection,
    key: &Key,
    draft: Draft,
    prev: Option<&Row>,
) -> Result<Row, sqlx::Error> {
    let seq = prev.map_or(0, |row| row.seq).saturating_add(1);
    let prev_mac = prev.map_or_else(|| vec![0; 32], |row| row.mac.clone());
    let payload_hash = hash_payload(&draft.salt, &draft.payload);
    let mac = key.seal(&Sealed {
        stream: draft.stream.as_str(),
        seq,
        recorded_at: draft.recorded_at,
        kind: draft.kind.as_bytes(),
        payload_hash: &payload_hash.0,
        prev_mac: &prev_mac,
    });
    let insert = sqlx::query(
        "INSERT INTO ledger_entry \
         (stream, seq, format, recorded_at, kind, payload_hash, prev_mac, mac, salt, payload) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    );
    let insert = insert
        .bind(draft.stream.as_str().to_owned())
        .bind(seq)
        .bind(FORMAT)
        .bind(draft.recorded_at)
        .bind(draft.kind.clone())
        .bind(payload_hash.0.to_vec())
        .bind(prev_mac.clone())
        .bind(mac.0.to_vec())
        .bind(draft.salt.to_vec())
        .bind(draft.payload.clone());
    insert.execute(connection).await?;
    Ok(Row {
        seq,
        format: FORMAT,
        recorded_at: draft.recorded_at,
        kind: draft.kind.into_bytes(),
        payload_hash: payload_hash.0.to_vec(),
        prev_mac,
        mac: mac.0.to_vec(),
        salt: Some(draft.salt.to_vec()),
        payload: Some(draft.payload),
    })
}

/// Removes the payload and the salt of one row; its hash stays.
pub(crate) async fn blank(connection: &mut Connection, stream: &Stream, seq: i64) -> Result<(), sqlx::Error> {
    let blank = "UPDATE ledger_entry SET payload = NULL, salt = NULL WHERE stream = $1 AND seq = $2";
    let blank = sqlx::query(blank).bind(stream.as_str()).bind(seq);
    blank.execute(connection).await.map(|_| ())
}
