//! Where a store is, as errors and people may see it: never with a user or a password.

use std::fmt;
use std::path::{Path, PathBuf};

/// The place of a state store, or of a file beside it.
///
/// ```
/// use marquee_platform::Location;
///
/// let file = std::path::Path::new("data/state.db");
/// assert_eq!(Location::from(file).to_string(), "data/state.db");
/// let server = Location::Postgres { host: "db.example".into(), port: 5432, database: "marquee".into() };
/// assert_eq!(server.to_string(), "postgres://db.example:5432/marquee");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file: SQLite's database, or one that the ledger keeps.
    File(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres {
        /// The host's name or address, or the folder of the server's socket.
        host: String,
        /// The port, also where a socket is named after it.
        port: u16,
        /// The database.
        database: String,
    },
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres { host, port, database } if host.starts_with('/') => {
                write!(f, "postgres:///{database}?host={host}&port={port}")
            }
            Self::Postgres { host, port, database } => write!(f, "postgres://{host}:{port}/{database}"),
        }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::File(path.into())
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Location> for Location {
    fn from(location: &Location) -> Self {
        location.clone()
    }
}
