//! The database behind a store: which one a URL names, how to connect to it, and the few things that SQLite and
//! PostgreSQL do differently.
//!
//! Queries go through sqlx's `Any` driver, so that there is one code path. It sends `$1`, `$2`, … to both, binds a missing
//! value with its type, nests transactions as savepoints, and keeps the errors of the real driver. What it cannot do is
//! done in SQL: the settings of a connection, and reading a column of SQLite that may hold anything (`bytes_of`).
//! Its one trap: a missing `Option<f64>` is announced to PostgreSQL as a 4-byte float, and a statement keeps the types that
//! it was first sent with. Bind a number that may be missing as text or whole number, or leave the column out.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Any, AnyPool, ConnectOptions as _, Connection as _, Transaction};

use super::{Connection, Location};
use crate::Error;

/// Readers that may look at the same time.
const READERS: u32 = 4;
/// How long a second process may hold the write lock before a write of this one fails.
const BUSY: Duration = Duration::from_secs(10);
/// What is being done when the first connections are made.
pub(super) const OPEN: &str = "open the state store";
/// The advisory lock that a writer of PostgreSQL holds for its transaction ("marquee1" as bytes). Without it, two
/// processes would put different entries behind the same one.
const WRITE_LOCK: i64 = 0x6d61_7271_7565_6531;

/// The two databases that a store can live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// An address that was understood.
pub(super) struct Target {
    pub(super) location: Location,
    pub(super) backend: Backend,
    /// The address with everything in it; it is shown to nobody.
    writer: AnyConnectOptions,
    reader: AnyConnectOptions,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.location)
    }
}

impl Backend {
    /// What this connection speaks to.
    pub(crate) fn of(connection: &Connection) -> Self {
        if connection.backend_name() == "SQLite" { Self::Sqlite } else { Self::Postgres }
    }

    /// The bytes of a text column. SQLite keeps what somebody else wrote there even if it is no text.
    pub(crate) fn bytes_of(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST({column} AS BLOB)"),
            Self::Postgres => format!("convert_to({column}, 'UTF8')"),
        }
    }

    /// Begins a transaction that writes; it alone writes until it ends.
    pub(super) async fn begin(
        self,
        connection: &mut Connection,
    ) -> Result<Transaction<'_, Any>, sqlx::Error> {
        match self {
            Self::Sqlite => connection.begin_with("BEGIN IMMEDIATE").await,
            Self::Postgres => {
                // Each statement must see what the last holder of the lock committed, whatever the server's defaults are.
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
                let mut transaction = connection.begin_with(begin).await?;
                let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(WRITE_LOCK);
                lock.execute(&mut *transaction).await?;
                Ok(transaction)
            }
        }
    }

    /// What begins a transaction that reads one state of the store from its first query to its last.
    pub(super) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// A migration or another list of commands, in this backend's words.
    pub(super) fn dialect(self, sql: &'static str) -> Cow<'static, str> {
        match self {
            Self::Sqlite => sql.into(),
            Self::Postgres => super::dialect::to_postgres(sql).into(),
        }
    }

    async fn set(self, connection: &mut Connection, may_write: bool) -> Result<(), sqlx::Error> {
        let settings = sqlx::AssertSqlSafe(self.settings(may_write));
        sqlx::raw_sql(settings).execute(connection).await.map(|_| ())
    }

    fn settings(self, may_write: bool) -> String {
        match (self, may_write) {
            // What is deleted is overwritten, because an erased payload must not linger in free pages.
            (Self::Sqlite, true) => format!(
                "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON",
                BUSY.as_millis()
            ),
            (Self::Sqlite, false) => {
                format!("PRAGMA busy_timeout = {}; PRAGMA query_only = ON", BUSY.as_millis())
            }
            // A writer whose machine is gone gives up the lock once the server notices, after about 25 seconds.
            (Self::Postgres, true) => format!(
                "SET synchronous_commit = on; SET lock_timeout = {}; SET tcp_keepalives_idle = 10; \
                 SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3",
                BUSY.as_millis()
            ),
            (Self::Postgres, false) => "SET default_transaction_read_only = on".to_owned(),
        }
    }
}

impl Target {
    /// Understands a path, `sqlite://PATH`, or `postgres://…`.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        match url.split_once(':') {
            Some(("sqlite", path)) => Self::sqlite(url, path.strip_prefix("//").unwrap_or(path)),
            Some(("postgres" | "postgresql", _)) => Self::postgres(url),
            _ if url.contains("://") => Err(unsupported(url)),
            _ => Self::sqlite(url, url),
        }
    }

    fn sqlite(url: &str, path: &str) -> Result<Self, Error> {
        if path.is_empty() || path == ":memory:" {
            return Err(unsupported(url));
        }
        Ok(Self {
            location: Location::from(Path::new(path)),
            backend: Backend::Sqlite,
            writer: options(&file_url(path, "rw"))?,
            reader: options(&file_url(path, "ro"))?,
        })
    }

    fn postgres(url: &str) -> Result<Self, Error> {
        let invalid = |reason: &str| Error::InvalidUrl { reason: reason.to_owned() };
        let Some((_, rest)) = url.split_once("://") else {
            return Err(unsupported(url));
        };
        // A password with one of these in it would end the address early and its rest be taken for the host or database.
        if let Some(end) = rest.find(['/', '?', '#']).filter(|end| rest[*end..].contains('@')) {
            let found = rest[end..].chars().next().unwrap_or_default();
            return Err(invalid(&format!(
                "there is an `@` after a `{found}`; in a user or password write / as %2F, ? as %3F, # as %23 and @ as %40"
            )));
        }
        let parsed = PgConnectOptions::from_str(url).map_err(|error| invalid(&reason_of(&error)))?;
        let socket = parsed.get_socket().map(|folder| folder.to_string_lossy().into_owned());
        let location = Location::Postgres {
            host: socket.unwrap_or_else(|| parsed.get_host().to_owned()),
            port: parsed.get_port(),
            database: parsed.get_database().unwrap_or(parsed.get_username()).to_owned(),
        };
        let options = options(url)?;
        Ok(Self { location, backend: Backend::Postgres, writer: options.clone(), reader: options })
    }

    /// Makes SQLite's file and its folder if they are not there. A database of PostgreSQL is its owner's to make.
    pub(super) async fn create(&self) -> Result<(), Error> {
        let Location::File(path) = &self.location else {
            return Ok(());
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| Error::file("create folder", folder, source))?;
        }
        let url = file_url(&path.to_string_lossy(), "rwc");
        let made = options(&url)?.connect().await.map_err(|source| self.failed(OPEN, source))?;
        made.close().await.map_err(|source| self.failed(OPEN, source))
    }

    /// A connection for the writer.
    pub(super) async fn connect(&self) -> Result<Connection, sqlx::Error> {
        let mut connection = self.writer.connect().await?;
        self.backend.set(&mut connection, true).await?;
        Ok(connection)
    }

    /// Connections that cannot write.
    pub(super) async fn readers(&self) -> Result<AnyPool, sqlx::Error> {
        let backend = self.backend;
        AnyPoolOptions::new()
            .max_connections(READERS)
            .after_connect(move |connection, _| Box::pin(async move { backend.set(connection, false).await }))
            .connect_with(self.reader.clone())
            .await
    }

    /// Whether a connection that did nothing for a while can still be used.
    pub(super) async fn is_usable(&self, connection: &mut Connection) -> bool {
        self.backend == Backend::Sqlite || connection.ping().await.is_ok()
    }

    pub(super) fn failed(&self, doing: &'static str, source: sqlx::Error) -> Error {
        Error::database(doing, &self.location, source)
    }
}

fn options(url: &str) -> Result<AnyConnectOptions, Error> {
    let options = AnyConnectOptions::from_str(url);
    options.map_err(|error| Error::InvalidUrl { reason: reason_of(&error) })
}

/// A URL that holds this path whatever is in it: with every other byte escaped, nothing in it means anything.
fn file_url(path: &str, mode: &str) -> String {
    let mut url = String::from("sqlite:");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url + "?mode=" + mode
}

/// What sqlx found wrong with an address, without its own preface.
fn reason_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(reason) => reason.to_string(),
        other => other.to_string(),
    }
}

/// Names the scheme alone where the rest may hold a password.
fn unsupported(url: &str) -> Error {
    let url = match url.split_once(':') {
        Some((scheme, _)) if !scheme.is_empty() && scheme != "sqlite" => format!("{scheme}:…"),
        _ => url.to_owned(),
    };
    Error::UnsupportedUrl { url }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(url: &str, wanted: Option<&str>) {
        let found = Target::parse(url).ok().map(|target| target.location.to_string());
        assert_eq!(found.as_deref(), wanted, "{url}");
    }

    #[test]
    fn a_url_or_a_path_names_the_database() {
        check("sqlite:///var/m.db", Some("/var/m.db"));
        check("sqlite://m.db", Some("m.db"));
        check("folder/m.db", Some("folder/m.db"));
        check("postgres://ada:secret@db.example:7777/marquee", Some("postgres://db.example:7777/marquee"));
        check("postgresql://ada:secret@[::1]/marquee?sslmode=require", Some("postgres://[::1]:5432/marquee"));
        check("postgres://ada:a%2Fb%40c@h:1/m", Some("postgres://h:1/m"));
        check("postgres:///m?host=/run/pg&port=5&user=ada", Some("postgres:///m?host=/run/pg&port=5"));
        check("mysql://host/db", None);
        check("sqlite://", None);
        check(":memory:", None);
        check("sqlite::memory:", None);
        check("", None);
    }

    #[test]
    fn an_address_that_is_refused_keeps_its_password() {
        for url in [
            "postgres://ada:se/cret@host/db",
            "postgres://ada:12#cret@host/db",
            "postgres://ada:cret?@host/db",
            "postgres://ada:cret@host:nonsense/db",
            "postgres:ada:cret@host/db",
            "postgres://ada:cret@host/db?sslmode=odd",
            "mysql://ada:cret@host/db",
        ] {
            let error = Target::parse(url).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("cret") && !shown.contains("12"), "{url}: {shown}");
        }
        let target = Target::parse("postgres://ada:cret@host/db").unwrap();
        assert_eq!(format!("{target:?}"), "Target(postgres://host:5432/db)");
    }

    /// Spaces, question marks, percent signs and steps upwards are a file's own affair.
    #[tokio::test]
    async fn any_name_of_a_file_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        for name in ["a b?c#d%41&.db", "in/../e.db", "ünï\"<>`.db"] {
            let path = folder.path().join(name);
            let target = Target::parse(path.to_str().unwrap()).unwrap();
            target.create().await.unwrap();
            target.connect().await.unwrap().close().await.unwrap();
            target.readers().await.unwrap().close().await;
            assert!(path.exists(), "{name}");
        }
        assert!(folder.path().join("e.db").exists());
    }
}
