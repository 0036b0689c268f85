//! The one error of this crate: what stopped an ingest or a question, where, and what to do about it.

use std::path::PathBuf;

use marquee_domain::Cancelled;

/// Why the catalogue could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what its format promises.
    #[error("{file}: {what}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// No mapping says what the columns of a file mean.
    #[error("{file}: no built-in map fits its columns ({}); save this starter map, edit it and give it with --map:\n{starter}", columns.join(", "))]
    NoMap {
        /// The file.
        file: String,
        /// The columns that it has.
        columns: Vec<String>,
        /// A mapping file to start from.
        starter: String,
    },
    /// A mapping is not well formed, or does not fit the file.
    #[error("map {origin}: {what}")]
    Mapping {
        /// The mapping's file or name.
        origin: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The lake is damaged, newer than this program, or cannot be reached.
    #[error("lake {at}: {what}")]
    Lake {
        /// The lake's place, or the file within it.
        at: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A statement that is not allowed, not understood, or too large.
    #[error("sql: {0}")]
    Sql(String),
    /// The caller stopped it, or its time ran out.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The object store refused an operation.
    #[error("lake storage: {0}")]
    Store(#[from] object_store::Error),
    /// A Parquet file could not be read or written.
    #[error("parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Columns could not be put together.
    #[error("columns: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A thread of an ingest ended without an answer.
    #[error("{0} stopped without an answer; run it again, and report it if it happens twice")]
    Lost(&'static str),
}

impl CatalogueError {
    pub(crate) fn format(file: &str, what: impl Into<String>) -> Self {
        Self::Format { file: file.to_owned(), what: what.into() }
    }

    pub(crate) fn lake(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Lake { at: at.into(), what: what.into() }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::File { path: path.into(), source }
    }
}

/// The result of anything here.
pub type Result<T, E = CatalogueError> = std::result::Result<T, E>;

impl CatalogueError {
    /// Whether the lake or its machine is to blame and not what was asked.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::File { .. }
                | Self::Lake { .. }
                | Self::Store(_)
                | Self::Parquet(_)
                | Self::Arrow(_)
                | Self::Lost(_)
        )
    }
}
