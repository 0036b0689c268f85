//! The state store: one database, SQLite's file or PostgreSQL's, with one writer, group commit and a pool of readers.
//!
//! A write is acknowledged only after the commit that holds it was synced (`synchronous=FULL`, `synchronous_commit=on`).
//! Writes that arrive while a commit runs wait in a queue and share the next one. Nothing outside this module begins a
//! write transaction. Several processes may have one store open: SQLite lets one write at a time, and on PostgreSQL the
//! writers take turns by a lock of their own.

mod check;
mod dialect;
mod import;
mod location;
#[cfg(test)]
pub(crate) mod places;
mod schema;
mod target;
mod transfer;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::oneshot;

use crate::Error;
pub use check::Integrity;
pub use location::Location;
pub(crate) use target::Backend;
use target::Target;
pub(crate) use writer::BoxFuture;
use writer::Writer;

/// What queries run on. Their SQL is what SQLite and PostgreSQL both understand: parameters are `$1`, `$2`, …; columns hold
/// whole numbers (`i64`, also for truths and for microseconds since 1970), `f64`, text and bytes.
pub(crate) type Connection = sqlx::AnyConnection;

/// A handle on an open state store; clones share it.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use marquee_platform::{Integrity, StateStore};
///
/// let folder = tempfile::tempdir()?;
/// let store = StateStore::open(&format!("sqlite://{}", folder.path().join("state.db").display())).await?;
/// assert_eq!(store.check().await?, Integrity::Sound);
/// store.close().await;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct StateStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    target: Arc<Target>,
    readers: AnyPool,
    writer: Writer,
    counters: Arc<Counters>,
}

/// What the writer has done since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Commits, each synced once.
    pub commits: u64,
    /// Writes that were committed and acknowledged.
    pub writes: u64,
    /// The most writes that shared one commit.
    pub largest_group: u64,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    largest_group: AtomicU64,
}

impl StateStore {
    /// Opens the store at a path, `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`, and brings its tables up to
    /// date. SQLite's file and its folder are made if they are not there; a database of PostgreSQL must be there, and its
    /// user be allowed to make tables in it. Needs a running tokio runtime, on which the writer then lives.
    ///
    /// # Errors
    /// [`Error::UnsupportedUrl`], [`Error::InvalidUrl`], [`Error::File`], [`Error::Damaged`], [`Error::NotAStore`],
    /// [`Error::Newer`], [`Error::Database`].
    pub async fn open(url: &str) -> Result<Self, Error> {
        let target = Arc::new(Target::parse(url)?);
        let fail = |source| target.failed(target::OPEN, source);

        target.create().await?;
        let mut connection = target.connect().await.map_err(fail)?;
        schema::migrate(&mut connection, &target).await?;
        let readers = target.readers().await.map_err(fail)?;
        let counters = Arc::<Counters>::default();
        let writer = Writer::start(connection, target.clone(), counters.clone());
        let inner = Inner { target, readers, writer, counters };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the store is, without user and password.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.inner.target.location
    }

    /// What the writer has done since the store was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.inner.counters;
        Stats {
            commits: counters.commits.load(Ordering::Relaxed),
            writes: counters.writes.load(Ordering::Relaxed),
            largest_group: counters.largest_group.load(Ordering::Relaxed),
        }
    }

    /// Reads everything and says what is damaged, as `doctor` does. SQLite checks every page, index and constraint of its
    /// file; PostgreSQL reads every row, and finds what its own checksums and formats tell it.
    ///
    /// # Errors
    /// [`Error::Database`] if the check could not run; damage is an outcome, not an error.
    pub async fn check(&self) -> Result<Integrity, Error> {
        let fail = |source| self.failed("check the integrity", source);
        let mut connection = self.readers().acquire().await.map_err(fail)?;
        match check::run(&mut connection).await.map_err(fail) {
            Ok(found) => Ok(found),
            Err(Error::Damaged { reason, .. }) => Ok(Integrity::Damaged(vec![reason])),
            Err(other) => Err(other),
        }
    }

    /// Finishes what is queued and closes the database. Later calls on any clone fail with [`Error::Closed`].
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    /// Connections for reading. They cannot write.
    pub(crate) fn readers(&self) -> &AnyPool {
        &self.inner.readers
    }

    /// A transaction that reads one state of the store however often it asks, while others write.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.inner.readers.begin_with(self.inner.target.backend.begin_snapshot()).await
    }

    /// Runs `work` in the next group commit and hands its result to `acknowledge` once that commit is durable. If `work`
    /// fails, what it wrote is undone and the rest of the group goes on.
    pub(crate) async fn submit<T, F, A>(&self, work: F, acknowledge: A) -> Result<(), Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        A: FnOnce(Result<T, Error>) + Send + 'static,
    {
        self.inner.writer.submit(work, acknowledge).await
    }

    /// Runs `work` in the next group commit and gives its result once that commit is durable.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let acknowledge = move |result| {
            // Whoever went away needs no answer.
            tell.send(result).ok();
        };
        self.submit(work, acknowledge).await?;
        told.await.map_err(|_| Error::Closed)?
    }

    /// Sees to it that erased bytes do not linger. On SQLite what was committed is moved from the write-ahead log into the
    /// database file, where what is freed is overwritten, and the log is emptied. On PostgreSQL the old versions of rows are
    /// freed, so that no query and no copy by `pg_dump` sees them; in the server's files the bytes are overwritten as their
    /// space is used again, and its own log and archives are its owner's. A reader in the middle of a transaction postpones
    /// that to a later call; this is not an error.
    pub(crate) async fn checkpoint(&self) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        self.inner.writer.checkpoint(tell).await?;
        told.await.map_err(|_| Error::Closed)?
    }

    pub(crate) fn failed(&self, doing: &'static str, source: sqlx::Error) -> Error {
        if matches!(source, sqlx::Error::PoolClosed) {
            return Error::Closed;
        }
        self.inner.target.failed(doing, source)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::places::{Place, places};
    use super::*;

    async fn open(place: &Place) -> StateStore {
        StateStore::open(&place.url()).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let place = Place::sqlite();
        std::fs::write(place.file(), [b'x'; 9000]).unwrap();
        let error = StateStore::open(&place.url()).await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }

    #[tokio::test]
    async fn databases_of_others_and_of_later_versions_are_refused() {
        for place in places().await {
            place.run("CREATE TABLE guests (name TEXT)").await;
            let error = StateStore::open(&place.url()).await.unwrap_err();
            assert!(matches!(error, Error::NotAStore { .. }), "{error}");

            place.run("DROP TABLE guests").await;
            open(&place).await.close().await;
            place.run("UPDATE schema_version SET version = 99").await;
            let error = StateStore::open(&place.url()).await.unwrap_err();
            assert!(matches!(error, Error::Newer { found: 99, known: schema::KNOWN, .. }), "{error}");
        }
    }

    /// Tables in another schema are another's: it is the current one that holds the store.
    #[tokio::test]
    async fn a_schema_of_postgres_is_a_place_of_its_own() {
        let Some(place) = Place::postgres().await else { return };
        place.run("CREATE TABLE guests (name TEXT); CREATE SCHEMA films").await;
        let url = format!("{}&options=-csearch_path%3Dfilms", place.url());
        StateStore::open(&url).await.unwrap().close().await;
        place.run("SELECT 1 FROM films.ledger_entry").await;
    }

    #[tokio::test]
    async fn a_store_is_opened_again_and_by_two_at_once() {
        for place in places().await {
            let url = place.url();
            let (one, other) = tokio::join!(StateStore::open(&url), StateStore::open(&url));
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!(one.check().await.unwrap(), Integrity::Sound);
            one.close().await;
            other.checkpoint().await.unwrap();
            other.close().await;
            open(&place).await.close().await;
        }
    }

    #[tokio::test]
    async fn a_closed_store_says_so() {
        for place in places().await {
            let store = open(&place).await;
            store.close().await;
            assert!(matches!(store.checkpoint().await, Err(Error::Closed)));
            assert!(matches!(store.check().await, Err(Error::Closed)));
            store.close().await;
        }
    }

    #[tokio::test]
    async fn the_folder_of_a_file_is_made() {
        let place = Place::sqlite();
        let path = place.folder().join("a/b/m.db");
        StateStore::open(path.to_str().unwrap()).await.unwrap().close().await;
        assert!(path.exists());
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        for place in places().await {
            let store = open(&place).await;
            let mut reader = store.readers().acquire().await.unwrap();
            let write = sqlx::raw_sql("UPDATE schema_version SET version = 0").execute(&mut *reader).await;
            assert!(write.is_err());
        }
    }

    #[tokio::test]
    async fn errors_name_the_database_and_keep_the_password() {
        let url = "postgres://ada:cret@127.0.0.1:1/marquee";
        let error = StateStore::open(url).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("postgres://127.0.0.1:1/marquee"), "{shown}");
        assert!(!shown.contains("cret") && !shown.contains("ada"), "{shown}");
        for place in places().await {
            let store = open(&place).await;
            let password = place.url().split([':', '@']).nth(2).map(str::to_owned);
            assert!(password.is_none_or(|password| !format!("{store:?}").contains(&password)));
        }
    }

    /// Every type of value comes back as it was bound, missing ones too, and by the same statement.
    #[tokio::test]
    async fn values_come_back_as_they_were_bound() {
        for place in places().await {
            let store = open(&place).await;
            type Values = (Option<i64>, Option<String>, Option<Vec<u8>>, f64);
            let full: Values =
                (Some(i64::MIN), Some("naïve \u{1f3ac}".to_owned()), Some(vec![0, 255, 0]), 0.1);
            let blank: Values = (None, None, None, -0.0);
            let (bound, empty) = (full.clone(), (Some(0), Some(String::new()), Some(Vec::new()), f64::MAX));
            let rows = vec![blank.clone(), bound, empty.clone(), blank.clone()];
            let back = store.write(move |connection| {
                Box::pin(async move {
                    let fail = |source| Error::database("try values", std::path::Path::new("t"), source);
                    let backend = Backend::of(connection);
                    let table = "CREATE TABLE trial (at INTEGER, i INTEGER, t TEXT, b BLOB, r REAL) STRICT;";
                    let table = sqlx::AssertSqlSafe(backend.dialect(table));
                    sqlx::raw_sql(table).execute(&mut *connection).await.map_err(fail)?;
                    for (at, (i, t, b, r)) in rows.into_iter().enumerate() {
                        let insert = "INSERT INTO trial (at, i, t, b, r) VALUES ($5, $1, $2, $3, $4)";
                        let insert = sqlx::query(insert).bind(i).bind(t).bind(b).bind(r).bind(at as i64);
                        insert.execute(&mut *connection).await.map_err(fail)?;
                    }
                    let rows = sqlx::query_as::<_, Values>("SELECT i, t, b, r FROM trial ORDER BY at");
                    rows.fetch_all(&mut *connection).await.map_err(fail)
                })
            });
            assert_eq!(back.await.unwrap(), [blank.clone(), full, empty, blank]);
        }
    }

    /// Text is ordered and compared by its bytes on both.
    #[tokio::test]
    async fn text_is_ordered_by_its_bytes() {
        for place in places().await {
            let store = open(&place).await;
            let ordered = store.write(move |connection| {
                Box::pin(async move {
                    let fail = |source| Error::database("try an order", std::path::Path::new("t"), source);
                    let backend = Backend::of(connection);
                    let table = "CREATE TABLE trial (t TEXT PRIMARY KEY) STRICT; \
                                 INSERT INTO trial VALUES ('b'), ('Z'), ('é'), ('a-b'), ('aa')";
                    let table = sqlx::AssertSqlSafe(backend.dialect(table));
                    sqlx::raw_sql(table).execute(&mut *connection).await.map_err(fail)?;
                    let ordered = sqlx::query_scalar::<_, String>("SELECT t FROM trial ORDER BY t");
                    ordered.fetch_all(&mut *connection).await.map_err(fail)
                })
            });
            assert_eq!(ordered.await.unwrap(), ["Z", "a-b", "aa", "b", "é"]);
        }
    }

    /// On PostgreSQL an error spoils the transaction until a savepoint before it; SQLite goes on.
    #[tokio::test]
    async fn a_write_that_passes_over_an_error_harms_no_other() {
        for place in places().await {
            let store = open(&place).await;
            let careless = store.write(|connection| {
                Box::pin(async move {
                    let nothing =
                        sqlx::raw_sql("SELECT nothing FROM nowhere").execute(&mut *connection).await;
                    assert!(nothing.is_err());
                    Ok(())
                })
            });
            let (careless, other) = tokio::join!(careless, bump(&store));
            assert_eq!((careless.is_ok(), other.unwrap()), (place.is_sqlite(), schema::KNOWN + 1));
            assert_eq!(bump(&store).await.unwrap(), schema::KNOWN + 2);
        }
    }

    async fn bump(store: &StateStore) -> Result<i64, Error> {
        let place = store.location().clone();
        let bump = store.write(move |connection| {
            Box::pin(async move {
                let fail = |source| Error::database("bump", &place, source);
                let bump = "UPDATE schema_version SET version = version + 1 RETURNING version";
                sqlx::query_scalar(bump).fetch_one(connection).await.map_err(fail)
            })
        });
        bump.await
    }

    /// Ends the writer's connection from within, as a server does that is restarted.
    async fn cut(store: &StateStore) -> Result<(), Error> {
        let cut = store.write(|connection| {
            Box::pin(async move {
                let cut = "SELECT pg_terminate_backend(pg_backend_pid())";
                // What the write makes of it does not matter: there is nothing left to keep it in.
                sqlx::raw_sql(cut).execute(connection).await.ok();
                Ok(())
            })
        });
        cut.await
    }

    #[tokio::test]
    async fn a_lost_connection_fails_its_group_and_no_later_one() {
        let Some(place) = Place::postgres().await else { return };
        let store = open(&place).await;
        let (before, cut, after) = tokio::join!(bump(&store), cut(&store), bump(&store));
        for lost in [before.map(|_| ()), cut, after.map(|_| ())] {
            let lost = lost.unwrap_err();
            assert!(matches!(lost, Error::NotCommitted { .. }), "{lost}");
        }
        assert_eq!(bump(&store).await.unwrap(), schema::KNOWN + 1);

        // Lost while nothing was written: nobody notices.
        place
            .run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        assert_eq!(bump(&store).await.unwrap(), schema::KNOWN + 2);
        assert_eq!(store.check().await.unwrap(), Integrity::Sound);
        store.checkpoint().await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_lost_in_the_commit_leaves_the_outcome_open() {
        let Some(place) = Place::postgres().await else { return };
        let store = open(&place).await;
        // A constraint that is checked at the very end of the transaction.
        place.run("CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS \
                   $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; \
                   CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON schema_version DEFERRABLE INITIALLY DEFERRED \
                   FOR EACH ROW EXECUTE FUNCTION cut()").await;
        let lost = bump(&store).await.unwrap_err();
        assert!(matches!(lost, Error::CommitUnknown { .. }), "{lost}");
        place.run("DROP TRIGGER cut ON schema_version").await;
        assert_eq!(bump(&store).await.unwrap(), schema::KNOWN + 1);
    }

    #[tokio::test]
    async fn a_table_whose_file_is_gone_is_damage() {
        let Some(place) = Place::postgres().await else { return };
        let store = open(&place).await;
        place.run("UPDATE pg_class SET relfilenode = 4000000000 WHERE relname = 'schema_version'").await;
        let Integrity::Damaged(lines) = store.check().await.unwrap() else { panic!("it was not noticed") };
        assert!(lines.len() == 1 && lines[0].starts_with("schema_version: "), "{lines:?}");
    }

    #[tokio::test]
    async fn a_page_that_was_overwritten_is_damage() {
        let place = Place::sqlite();
        open(&place).await.close().await;
        let mut bytes = std::fs::read(place.file()).unwrap();
        let end = bytes.len();
        bytes[4096..end].fill(0xaa);
        std::fs::write(place.file(), bytes).unwrap();
        let found = match StateStore::open(&place.url()).await {
            Ok(store) => store.check().await.unwrap(),
            Err(error) => Integrity::Damaged(vec![error.to_string()]),
        };
        assert!(matches!(found, Integrity::Damaged(_)));
    }
}
