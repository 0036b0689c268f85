//! Alerts: rules that look for something, what they found, and the channels that hear of it.
//!
//! What a kind of rule looks for is not known here: a look's findings are handed in, and [`Alerts::take`] fires those that
//! are new and resolves those that are gone. What rules and alerts say may tell of something confidential, and the address
//! of a webhook is a secret itself, so all of that is sealed. Who may see what is not decided here: the caller filters.

mod channels;
mod matters;
mod model;
mod rows;
mod rules;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{BoxFuture, Connection};
use crate::{Error, Keyring, Place, Sealed, StateStore};
pub use model::{
    Alert, AlertFilter, AlertPage, AlertRule, Channel, Finding, Look, NewChannel, NewRule, Taken, Told,
};
use rows::Body;

/// The rules, channels and alerts of a state store; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chrono::Utc;
/// use marquee_platform::{AlertFilter, Alerts, Class, Finding, Keyring, Look, NewRule, Severity, StateStore};
///
/// # let folder = tempfile::tempdir()?;
/// # let store = StateStore::open(folder.path().join("state.db").to_str().ok_or("odd path")?).await?;
/// let alerts = Alerts::open(store, Keyring::load(None, &folder.path().join("seal.keys"))?);
/// let plan = NewRule {
///     label: "Nothing new for a week".to_owned(),
///     kind: "stale".to_owned(),
///     settings: serde_json::json!({ "days": 7 }),
///     owner: "00112233445566778899aabbccddeeff".parse()?,
///     team: String::new(),
///     class: Class::Internal,
///     channels: Vec::new(),
///     enabled: true,
/// };
/// let rule = alerts.create_rule(plan, Utc::now()).await?;
/// let found = Finding {
///     key: "source:films".to_owned(),
///     title: "Nothing new from films".to_owned(),
///     text: "The last table came nine days ago.".to_owned(),
///     severity: Severity::Warning,
///     link: None,
///     class: Class::Internal,
///     team: String::new(),
///     nda: None,
/// };
/// let look = Look { findings: vec![found], ..Look::default() };
/// assert_eq!(alerts.take(&rule, look.clone(), Utc::now()).await?.fired, 1);
/// assert_eq!(alerts.take(&rule, look, Utc::now()).await?.fired, 0, "it is known by now");
/// assert_eq!(alerts.take(&rule, Look::default(), Utc::now()).await?.resolved, 1);
/// assert_eq!(alerts.list(&AlertFilter::default(), None, 10).await?.alerts.len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Alerts {
    store: StateStore,
    keys: Keyring,
}

impl Alerts {
    /// The alerts in this store, sealed under this keyring.
    #[must_use]
    pub fn open(store: StateStore, keys: Keyring) -> Self {
        Self { store, keys }
    }

    /// Seals everything anew that lies under another key than the current one; how much. What does not open stays as it
    /// is. It may be interrupted and begun again.
    ///
    /// # Errors
    /// [`Error::NotCommitted`], [`Error::Database`], [`Error::NoRandomness`].
    pub async fn rotate(&self) -> Result<u64, Error> {
        let mut count = 0;
        for table in rows::TABLES {
            for (id, body) in
                self.read("look for alerts under an older key", |c| rows::bodies(c, table)).await?
            {
                if body.under == self.keys.current() {
                    continue;
                }
                let place = Place { table, row: &id, column: "body" };
                let plain = Sealed::from_bytes(body.bytes).and_then(|sealed| self.keys.open(&sealed, &place));
                let Ok(plain) = plain else { continue };
                let sealed = self.keys.seal(&plain, &place)?;
                let new = Body { under: sealed.key_id().to_owned(), bytes: sealed.into_bytes() };
                let under = body.under;
                let write = self.write("seal an alert anew", move |connection| {
                    Box::pin(async move { rows::reseal(connection, table, &id, &under, &new).await })
                });
                count += write.await?;
            }
        }
        Ok(count)
    }

    fn seal(&self, table: &'static str, row: &str, body: &impl Serialize) -> Result<Body, Error> {
        let plain = serde_json::to_vec(body);
        let plain = plain.map_err(|error| Error::InvalidPayload { reason: error.to_string() })?;
        let sealed = self.keys.seal(&plain, &Place { table, row, column: "body" })?;
        Ok(Body { under: sealed.key_id().to_owned(), bytes: sealed.into_bytes() })
    }

    fn unseal<T: DeserializeOwned>(&self, table: &'static str, row: &str, body: Body) -> Result<T, Error> {
        let sealed = Sealed::from_bytes(body.bytes)?;
        let plain = self.keys.open(&sealed, &Place { table, row, column: "body" })?;
        serde_json::from_slice(&plain).map_err(|error| broken(table, row, &error))
    }

    /// Reads over a connection of its own.
    async fn read<T, F>(&self, doing: &'static str, work: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        let fail = |source| self.store.failed(doing, source);
        let mut connection = self.store.readers().acquire().await.map_err(fail)?;
        work(&mut connection).await.map_err(fail)
    }

    /// Writes in the next group commit.
    async fn write<T, F>(&self, doing: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send + 'static,
    {
        let store = self.store.clone();
        self.store
            .write(move |connection| {
                Box::pin(async move { work(connection).await.map_err(|source| store.failed(doing, source)) })
            })
            .await
    }
}

fn not_found(kind: &str, id: &str) -> Error {
    Error::NotFound { kind: kind.to_owned(), id: id.chars().take(64).collect() }
}

/// A row that holds what no version of this program wrote.
fn broken(what: &'static str, id: &str, reason: &dyn std::fmt::Display) -> Error {
    Error::InvalidRow { what, id: id.to_owned(), reason: reason.to_string() }
}

fn time(what: &'static str, id: &str, micros: i64) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| broken(what, id, &"a time that is none"))
}
