//! Ingest: files into the lake, with what was refused and why.

use std::path::PathBuf;

use marquee_catalogue::{IngestOptions, IngestReport, Merge, Snapshot, Source, SourceSet};
use marquee_domain::Control;
use marquee_platform::{Action, Permit};

use crate::error::AppError;
use crate::workspace::Workspace;

/// What to ingest.
#[derive(Debug, Clone)]
pub enum Input {
    /// Files, read by this mapping, or by a built-in one where there is none.
    Files(Vec<PathBuf>, Option<PathBuf>),
    /// The known tables of a folder.
    Folder(PathBuf),
}

/// What was ingested.
#[derive(Debug)]
pub struct Ingested {
    /// One report a table.
    pub reports: Vec<IngestReport>,
    /// Files of a folder that no built-in map knows, and why.
    pub skipped: Vec<(PathBuf, String)>,
    /// Titles of several tables that were found to be one.
    pub merges: Vec<Merge>,
    /// What could not be matched, in words.
    pub notes: Vec<String>,
}

/// Ingests, table by table; each is visible whole or not at all. A file takes the place of the one of its name in its
/// source; with `replace`, of all files of its source. Files that earlier, unfinished ingests left are removed.
///
/// # Errors
/// A file that cannot be read, a mapping that does not fit, a lake that cannot be written, or a stop.
pub async fn ingest(
    workspace: &Workspace,
    input: Input,
    replace: bool,
    control: &Control,
    permit: &Permit,
) -> Result<Ingested, AppError> {
    permit.require(Action::Write)?;
    let set = match input {
        Input::Folder(folder) => SourceSet::detect(&folder)?,
        Input::Files(paths, map) => {
            let read = |path: PathBuf| match &map {
                Some(map) => Source::with_map(path, map),
                None => Source::detect(path),
            };
            SourceSet::of(paths.into_iter().map(read).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let lake = workspace.lake(permit).await?;
    let reports = lake.ingest(&set, &IngestOptions { replace, ..IngestOptions::now() }, control).await?;
    lake.clean().await?;
    let snapshot = lake.snapshot().await?;
    let identity = snapshot.identity().await?;
    let mut notes = identity.notes().to_vec();
    notes.extend(reports.iter().filter_map(|r| several_files(&snapshot, &r.source)));
    notes.dedup();
    Ok(Ingested { reports, skipped: set.skipped, merges: identity.merges().to_vec(), notes })
}

/// Says so where a source has several files: what a second file states is added, not put in the first one's place.
fn several_files(snapshot: &Snapshot, source: &str) -> Option<String> {
    let files: Vec<&str> =
        snapshot.sources().iter().filter(|e| e.source == source).map(|e| e.file.as_str()).collect();
    (files.len() > 1).then(|| {
        format!("{source} is now made of {}; `--replace` would keep the last alone", files.join(", "))
    })
}
