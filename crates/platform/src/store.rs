//! The state store: one SQLite file in WAL mode, one writer with group commit, a pool of readers.
//!
//! A write is acknowledged only after the commit that holds it was synced (`synchronous=FULL`). Writes that arrive while
//! a commit runs wait in a queue and share the next one. Nothing outside this module begins a write transaction.

mod schema;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::oneshot;

use crate::Error;
pub(crate) use writer::BoxFuture;
use writer::Writer;

/// Readers that may look at the same time.
const READERS: u32 = 4;
/// How long a second process may hold the write lock before a write of this one fails.
const BUSY: Duration = Duration::from_secs(10);

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
    path: PathBuf,
    readers: SqlitePool,
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

/// What SQLite's own check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrity {
    /// Every page, index and constraint is in order.
    Sound,
    /// The file is damaged; one line for each finding.
    Damaged(Vec<String>),
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    largest_group: AtomicU64,
}

impl StateStore {
    /// Opens the store at a path or `sqlite://PATH`, creating the file and its folder if they are not there, and brings
    /// its tables up to date. Needs a running tokio runtime, on which the writer then lives.
    ///
    /// # Errors
    /// [`Error::UnsupportedUrl`], [`Error::File`], [`Error::Damaged`], [`Error::NotAStore`], [`Error::Newer`],
    /// [`Error::Database`].
    pub async fn open(url: &str) -> Result<Self, Error> {
        let path = path_of(url)?;
        make_folder_of(&path)?;
        let fail = |source| Error::database("open the state store", &path, source);

        let mut connection = connect(&path).await.map_err(fail)?;
        schema::migrate(&mut connection, &path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options(&path).read_only(true))
            .await
            .map_err(fail)?;
        let counters = Arc::<Counters>::default();
        let writer = Writer::start(connection, path.clone(), counters.clone());
        let inner = Inner { path, readers, writer, counters };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
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

    /// Reads the whole file and checks every page and index, as `doctor` does.
    ///
    /// # Errors
    /// [`Error::Database`] if the check could not run; damage is an outcome, not an error.
    pub async fn check(&self) -> Result<Integrity, Error> {
        let found = sqlx::query_scalar::<_, String>("PRAGMA integrity_check")
            .fetch_all(&self.inner.readers)
            .await
            .map_err(|source| self.failed("check the integrity", source));
        match found {
            Ok(lines) if lines == ["ok"] => Ok(Integrity::Sound),
            Ok(lines) => Ok(Integrity::Damaged(lines)),
            Err(Error::Damaged { reason, .. }) => Ok(Integrity::Damaged(vec![reason])),
            Err(other) => Err(other),
        }
    }

    /// Finishes what is queued and closes the file. Later calls on any clone fail with [`Error::Closed`].
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    /// Connections for reading. They cannot write.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }

    /// Runs `work` in the next group commit and hands its result to `acknowledge` once that commit is durable. If `work`
    /// fails, what it wrote is undone and the rest of the group goes on.
    pub(crate) async fn submit<T, F, A>(&self, work: F, acknowledge: A) -> Result<(), Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        A: FnOnce(Result<T, Error>) + Send + 'static,
    {
        self.inner.writer.submit(work, acknowledge).await
    }

    /// Moves what was committed from the write-ahead log into the database file and empties the log, so that erased bytes
    /// stay in neither. A reader in the middle of a transaction postpones that to a later call; this is not an error.
    pub(crate) async fn checkpoint(&self) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        self.inner.writer.checkpoint(tell).await?;
        told.await.map_err(|_| Error::Closed)?
    }

    pub(crate) fn failed(&self, doing: &'static str, source: sqlx::Error) -> Error {
        if matches!(source, sqlx::Error::PoolClosed) {
            return Error::Closed;
        }
        Error::database(doing, &self.inner.path, source)
    }
}

/// The writer's connection. What is deleted is overwritten, because an erased payload must not linger in free pages.
async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    use sqlx::ConnectOptions as _;
    let options = options(path).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal);
    options.pragma("secure_delete", "ON").connect().await
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).synchronous(SqliteSynchronous::Full).busy_timeout(BUSY)
}

fn path_of(url: &str) -> Result<PathBuf, Error> {
    let path = match url.split_once("://") {
        Some(("sqlite", path)) => path,
        Some(_) => "",
        None => url,
    };
    if path.is_empty() || path == ":memory:" {
        return Err(Error::UnsupportedUrl { url: url.to_owned() });
    }
    Ok(PathBuf::from(path))
}

fn make_folder_of(path: &Path) -> Result<(), Error> {
    let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|source| Error::file("create folder", folder, source))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check_path(url: &str, wanted: Option<&str>) {
        assert_eq!(path_of(url).ok(), wanted.map(PathBuf::from), "{url}");
    }

    #[test]
    fn a_url_or_a_path_names_the_file() {
        check_path("sqlite:///var/m.db", Some("/var/m.db"));
        check_path("sqlite://m.db", Some("m.db"));
        check_path("folder/m.db", Some("folder/m.db"));
        check_path("postgres://host/db", None);
        check_path("sqlite://", None);
        check_path(":memory:", None);
        check_path("", None);
    }

    async fn open_file(bytes: &[u8]) -> Error {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.db");
        std::fs::write(&path, bytes).unwrap();
        StateStore::open(path.to_str().unwrap()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let junk = [b'x'; 9000];
        assert!(matches!(open_file(&junk).await, Error::Damaged { .. }));
    }

    #[tokio::test]
    async fn databases_of_others_and_of_later_versions_are_refused() {
        use sqlx::Connection as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.db");
        let url = path.to_str().unwrap().to_owned();

        let mut other = connect(&path).await.unwrap();
        let table = "CREATE TABLE guests (name TEXT)";
        sqlx::raw_sql(table).execute(&mut other).await.unwrap();
        let error = StateStore::open(&url).await.unwrap_err();
        assert!(matches!(error, Error::NotAStore { .. }), "{error}");

        sqlx::raw_sql("DROP TABLE guests").execute(&mut other).await.unwrap();
        other.close().await.unwrap();
        StateStore::open(&url).await.unwrap().close().await;
        let mut later = connect(&path).await.unwrap();
        let bump = "UPDATE schema_version SET version = 99";
        sqlx::raw_sql(bump).execute(&mut later).await.unwrap();
        let error = StateStore::open(&url).await.unwrap_err();
        assert!(matches!(error, Error::Newer { found: 99, known: 1, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_closed_store_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = StateStore::open(folder.path().join("a/b/m.db").to_str().unwrap()).await.unwrap();
        store.close().await;
        assert!(matches!(store.checkpoint().await, Err(Error::Closed)));
        assert!(matches!(store.check().await, Err(Error::Closed)));
        store.close().await;
    }
}
