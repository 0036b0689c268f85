//! The catalogue: from files of any kind to dated facts, in order.
//!
//! A source file goes one way through: a [`Mapping`] says what its columns mean, [`Lake::ingest`] reads, judges and
//! stores it (what it refused are [`Issue`](marquee_domain::Issue)s, counted and kept), a manifest commits it in one
//! step, and a [`Snapshot`] of the lake hands out facts in the order in which the world came to know them. Titles that
//! several tables name are matched by [`Identity`]. This is the only crate that knows Parquet, object stores and SQL.
//!
//! Read in this order: [`Mapping`], `ingest` (reader, workers, turnstile), `layout` (how facts lie in files), `manifest`
//! (how versions are made), [`Snapshot`].

mod builtin;
mod error;
mod facts;
mod identity;
mod ingest;
mod issues;
mod known;
mod lake;
mod layout;
mod manifest;
mod mapping;
mod read;
mod snapshot;
mod sql;
mod store;
mod titles;
mod values;

pub use builtin::{Source, SourceSet, builtin_maps};
pub use error::{CatalogueError, Result};
pub use facts::{FactFilter, FactStream, StatedFact};
pub use identity::{Entry, Identity, Member, Merge, MergedBy};
pub use ingest::{IngestOptions, IngestReport, RuleCount};
pub use issues::{IssueFilter, SourceIssue};
pub use known::{ANNOUNCED_LEAD, GREENLIGHT_LEAD, Known, RUN_KNOWN_AFTER};
pub use lake::Lake;
pub use manifest::{FileEntry, IngestEntry, MANIFEST_FORMAT, Role, RuleTotal};
pub use mapping::{ColumnMap, IdMap, Lookup, Mapping, ReleaseMap, Rule, Split, TitleYear, Where};
pub use snapshot::{Check, Snapshot};
pub use sql::{SqlAnswer, SqlColumn, SqlLimits};
pub use titles::{TitleQuery, TitleRow, TitleSort};
