//! Ingest: files into the lake, with what was refused and why.

use std::path::PathBuf;

use marquee_catalogue::{IngestOptions, IngestReport, Merge, Snapshot, Source, SourceSet};
use marquee_domain::{Control, Held};
use marquee_platform::{Action, Holding, Permit};

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

/// A wish to ingest.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What to ingest.
    pub input: Input,
    /// Whether a file takes the place of all files of its source, not only of the one of its own name.
    pub replace: bool,
    /// Under what the facts are held: who may see them, and whatever is made of them.
    pub held: Held,
}

impl Wish {
    /// A wish to ingest as usual: beside other files, for everybody with an account.
    #[must_use]
    pub fn usual(input: Input) -> Self {
        Self { input, replace: false, held: Held::default() }
    }
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
/// source. Files that earlier, unfinished ingests left are removed.
///
/// # Errors
/// A file that cannot be read, a mapping that does not fit, a lake that cannot be written, or a stop; a class and a team
/// under which whoever asks would not see their own facts.
pub async fn ingest(
    workspace: &Workspace,
    wish: Wish,
    control: &Control,
    permit: &Permit,
) -> Result<Ingested, AppError> {
    permit.require(Action::Ingest)?;
    let Held { class, team } = &wish.held;
    let holding = Holding { kind: "source", id: "", class: *class, team, owner: None, nda: None };
    permit.require_with(Action::Ingest, &holding)?;
    let set = match wish.input {
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
    let options = IngestOptions { replace: wish.replace, held: wish.held, ..IngestOptions::now() };
    let reports = lake.ingest(&set, &options, control).await?;
    lake.clean().await?;
    let snapshot = workspace.snapshot(permit).await?;
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
