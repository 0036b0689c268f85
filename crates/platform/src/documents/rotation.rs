//! Keys change: everything that lies under an older one is sealed again, in pieces, so that the old key can be thrown away.

use chrono::{DateTime, Utc};

use super::Documents;
use super::model::micros;
use super::rows::{self, Row};
use crate::Error;
use crate::store::Connection;

/// Rows that are looked up at a time.
const PIECE: i64 = 32;
/// Bytes that are written in one go, so that others who wait to write do not wait long.
const BYTES: usize = 4 << 20;

/// What a rotation came to.
///
/// ```
/// let done = marquee_platform::Rotation::default();
/// assert!(done.still_needed.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// How many revisions were sealed anew.
    pub resealed: u64,
    /// Those that do not open, as `ID/REVISION`: they stay as they are.
    pub broken: Vec<String>,
    /// The keys besides the current one that must be kept, because something lies under them still.
    pub still_needed: Vec<String>,
}

/// How far a rotation has come under one key.
type Place = (String, i64);

impl Documents {
    /// Seals everything anew that lies under another key than the current one, and, where all classes are sealed, what
    /// lies in plain. It may be interrupted at any time and begun again; others may read and write meanwhile. Run it once
    /// every process has the new keyring.
    ///
    /// # Errors
    /// [`Error::NotCommitted`]; [`Error::Database`]; [`Error::NoRandomness`]. What does not open is an outcome.
    pub async fn rotate(&self, now: DateTime<Utc>) -> Result<Rotation, Error> {
        let mut done = Rotation::default();
        let plain = self.seal_all.then_some("");
        for key in self.keys.ids().skip(1).chain(plain) {
            let mut place = Some((String::new(), 0));
            while let Some(after) = place {
                place = self.rotate_piece(key, &after, now, &mut done).await?;
            }
        }
        if done.resealed > 0 {
            self.store.checkpoint().await?;
        }
        done.still_needed = self.keys_in_use().await?;
        done.still_needed.retain(|key| key != self.keys.current());
        Ok(done)
    }

    /// The names of the keys under which anything is sealed; one that the keyring lacks is lost with what lies under it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn keys_in_use(&self) -> Result<Vec<String>, Error> {
        let fail = |source| self.store.failed("list the keys in use", source);
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        rows::keys(&mut connection).await.map_err(fail)
    }

    /// Seals the next rows under `key` (in plain, if it is empty) anew; where to go on, or `None` at the end.
    pub(super) async fn rotate_piece(
        &self,
        key: &str,
        after: &Place,
        now: DateTime<Utc>,
        done: &mut Rotation,
    ) -> Result<Option<Place>, Error> {
        let fail = |source| self.store.failed("look for documents under an older key", source);
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        let places = rows::under(&mut connection, key, after, PIECE).await.map_err(fail)?;
        let (mut waiting, mut bytes) = (Vec::new(), 0);
        for (document, revision) in &places {
            let found = rows::read(&mut connection, document, *revision).await.map_err(fail)?;
            let Some(row) = found else { continue };
            let (place, before) = (row.id(), row.sealed_under.clone());
            match row.sealed(&self.keys, micros(now)) {
                Ok(row) => {
                    bytes += row.body.len();
                    waiting.push((row, before));
                }
                Err(error @ Error::NoRandomness { .. }) => return Err(error),
                Err(_) => done.broken.push(place),
            }
            if bytes > BYTES {
                done.resealed += self.put_back(std::mem::take(&mut waiting)).await?;
                bytes = 0;
            }
        }
        done.resealed += self.put_back(waiting).await?;
        Ok(places.into_iter().last())
    }

    /// Seals the revisions of a document that lie in plain, now that it has become one to be sealed; whether there were any.
    pub(super) async fn seal_earlier(
        &self,
        connection: &mut Connection,
        document: &str,
        now: i64,
    ) -> Result<bool, Error> {
        let fail = |source| self.store.failed("seal earlier revisions", source);
        let (mut after, mut any) = ((document.to_owned(), 0), false);
        loop {
            let places = rows::under(connection, "", &after, PIECE).await.map_err(fail)?;
            let places: Vec<_> = places.into_iter().filter(|place| place.0 == document).collect();
            let Some(last) = places.last().cloned() else { return Ok(any) };
            for (document, revision) in &places {
                if let Some(row) = rows::read(connection, document, *revision).await.map_err(fail)? {
                    let row = row.sealed(&self.keys, now)?;
                    any |= rows::reseal(connection, &row, None).await.map_err(fail)?;
                }
            }
            after = last;
        }
    }

    /// Writes newly sealed rows; how many were still under the key that they were read under.
    async fn put_back(&self, rows: Vec<(Row, Option<String>)>) -> Result<u64, Error> {
        if rows.is_empty() {
            return Ok(0);
        }
        let store = self.store.clone();
        let written = self.store.write(move |connection| {
            Box::pin(async move {
                let mut count = 0;
                for (row, before) in &rows {
                    let done = rows::reseal(connection, row, before.as_deref()).await;
                    count += u64::from(done.map_err(|source| store.failed("seal a document anew", source))?);
                }
                Ok(count)
            })
        });
        written.await
    }
}
