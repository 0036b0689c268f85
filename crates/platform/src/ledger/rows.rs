//! The ledger's SQL: rows as they lie in the table, read leniently because they may have been tampered with, and
//! checked one at a time.

use chrono::DateTime;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::key::{Key, Sealed, hash_payload};
use super::{Damage, Entry, Stream};
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

    fn from_sql(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get_unchecked(0)?,
            format: row.try_get_unchecked(1)?,
            recorded_at: row.try_get_unchecked(2)?,
            kind: row.try_get_unchecked(3)?,
            payload_hash: row.try_get_unchecked(4)?,
            prev_mac: row.try_get_unchecked(5)?,
            mac: row.try_get_unchecked(6)?,
            salt: row.try_get_unchecked(7)?,
            payload: row.try_get_unchecked(8)?,
        })
    }
}

pub(crate) async fn select(
    connection: &mut SqliteConnection,
    range: &Range<'_>,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT seq, format, recorded_at, kind, payload_hash, prev_mac, mac, salt, payload FROM ledger_entry \
         WHERE stream = ?1 AND (?2 IS NULL OR kind = ?2) AND seq >= ?3 ORDER BY seq LIMIT ?4",
    );
    let rows = rows.bind(range.stream.as_str()).bind(range.kind).bind(range.from_seq).bind(range.limit);
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(Row::from_sql).collect()
}

/// The last row of a stream.
pub(crate) async fn last(
    connection: &mut SqliteConnection,
    stream: &Stream,
) -> Result<Option<Row>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT seq, format, recorded_at, kind, payload_hash, prev_mac, mac, salt, payload FROM ledger_entry \
         WHERE stream = ?1 ORDER BY seq DESC LIMIT 1",
    );
    let row = row.bind(stream.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(Row::from_sql).transpose()
}

/// The streams that have entries, by name; names that no version ever wrote are left out.
pub(crate) async fn streams(connection: &mut SqliteConnection) -> Result<Vec<Stream>, sqlx::Error> {
    let names = sqlx::query("SELECT DISTINCT stream FROM ledger_entry ORDER BY stream");
    let names = names.fetch_all(connection).await?;
    let name = |row: &SqliteRow| row.try_get_unchecked::<Vec<u8>, _>(0).ok();
    let names = names.iter().filter_map(name);
    Ok(names.filter_map(|name| String::from_utf8(name).ok()?.parse().ok()).collect())
}

/// Seals a draft behind `prev`, the last row, and stores it.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
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
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
pub(crate) async fn blank(
    connection: &mut SqliteConnection,
    stream: &Stream,
    seq: i64,
) -> Result<(), sqlx::Error> {
    let blank = "UPDATE ledger_entry SET payload = NULL, salt = NULL WHERE stream = ? AND seq = ?";
    let blank = sqlx::query(blank).bind(stream.as_str()).bind(seq);
    blank.execute(connection).await.map(|_| ())
}
