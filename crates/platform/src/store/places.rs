//! Where tests keep a store: on SQLite always, and on PostgreSQL too where `MARQUEE_TEST_POSTGRES` holds the URL of a user
//! who may create databases. Each place is a folder of its own and, on PostgreSQL, a database of its own that is dropped
//! with it. The tests of the crate and those beside it share this file.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use sqlx::any::AnyConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Connection as _};

const SERVER: &str = "MARQUEE_TEST_POSTGRES";

/// A folder, and the URL of a store that is used with it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    database: Option<Database>,
}

/// A database of PostgreSQL that lives as long as its place.
struct Database {
    server: PgConnectOptions,
    name: String,
}

/// One place for each backend that there is.
pub(crate) async fn places() -> Vec<Place> {
    let mut places = vec![Place::sqlite()];
    places.extend(Place::postgres().await);
    places
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    /// `None`, and a line that says so, where there is no server.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(SERVER) else {
            eprintln!("skipped on PostgreSQL: {SERVER} is not set (.ci/postgres starts a server for it)");
            return None;
        };
        let database = Database { server: server.parse().unwrap(), name: random_name() };
        database.admin(&format!("CREATE DATABASE {}", database.name)).await;
        Some(Self { folder: tempfile::tempdir().unwrap(), database: Some(database) })
    }

    /// Another place on the same backend.
    pub(crate) async fn beside(&self) -> Self {
        match self.database {
            None => Self::sqlite(),
            Some(_) => Self::postgres().await.unwrap(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.database.is_none()
    }

    /// The file of SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("state.db")
    }

    pub(crate) fn url(&self) -> String {
        match &self.database {
            None => self.file().to_str().unwrap().to_owned(),
            Some(database) => database.options().to_url_lossy().to_string(),
        }
    }

    /// A connection of nobody's, to look or change things behind the store's back.
    pub(crate) async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let url = match &self.database {
            None => format!("sqlite:{}?mode=rwc", self.file().display()),
            Some(_) => self.url(),
        };
        let mut connection = AnyConnectOptions::from_str(&url).unwrap().connect().await.unwrap();
        if self.is_sqlite() {
            sqlx::raw_sql("PRAGMA synchronous = OFF").execute(&mut connection).await.unwrap();
        }
        connection
    }

    /// Runs commands behind the store's back.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = self.connect().await;
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Puts the rows of this table, in a database that nobody has open, in place of the other's.
    pub(crate) async fn copy_rows_to(&self, other: &Self, table: &str) {
        if self.is_sqlite() {
            std::fs::copy(self.file(), other.file()).unwrap();
            return;
        }
        // A copy of the database would be more honest, and takes the server seconds.
        let read = format!("SELECT CAST(coalesce(json_agg(entry), '[]') AS TEXT) FROM {table} AS entry");
        let mut from = self.connect().await;
        let rows: String = sqlx::query_scalar(AssertSqlSafe(read)).fetch_one(&mut from).await.unwrap();
        from.close().await.unwrap();
        other.run(&format!("DELETE FROM {table}")).await;
        let write = format!(
            "INSERT INTO {table} SELECT * FROM json_populate_recordset(CAST(NULL AS {table}), CAST($1 AS JSON))"
        );
        let mut to = other.connect().await;
        sqlx::query(AssertSqlSafe(write)).bind(rows).execute(&mut to).await.unwrap();
        to.close().await.unwrap();
    }
}

impl Database {
    fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    async fn admin(&self, sql: &str) {
        let mut server = self.server.connect().await.unwrap();
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&mut server).await.unwrap();
        server.close().await.unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A test's own runtime cannot wait for another future while it is in one.
        std::thread::scope(|scope| {
            let dropping = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(self.admin(&drop));
            });
            if dropping.join().is_err() {
                eprintln!("the test database {} could not be dropped", self.name);
            }
        });
    }
}

/// A name that no other test, run or machine on this server uses.
fn random_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("marquee_test_{now:x}_{}_{count}", std::process::id())
}
