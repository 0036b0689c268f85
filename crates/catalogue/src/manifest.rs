//! Which files make up the lake: one manifest for each version, and a version for each ingest.
//!
//! A manifest is written under a name that nobody else may take (`manifest/v00000007.json`, created only where it is not
//! there), after everything that it names is on disk. So a reader sees a version or does not; of two writers who want
//! the same version one wins, and the other takes its change to the next. Older manifests stay: they are the lake's
//! history, and what they name stays with them.

use std::collections::BTreeMap;

use marquee_domain::{Action, Day, FactKind, Held, RecordedAt, Vertical};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{CatalogueError, Result};
use crate::layout::Layout;
use crate::read::hex;
use crate::store::Store;

/// The version of the manifest's own format.
pub const MANIFEST_FORMAT: u32 = 1;
/// The folder of manifests.
const FOLDER: &str = "manifest";

/// The lake's contents at one version: the current ingest of each source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub format: u32,
    pub version: u64,
    pub entries: Vec<IngestEntry>,
}

/// One ingest of one source, as the lake keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IngestEntry {
    /// The source's name.
    pub source: String,
    /// What its titles are.
    pub vertical: Vertical,
    /// The file's name.
    pub file: String,
    /// The SHA-256 of the file's bytes.
    pub sha256: String,
    /// The SHA-256 of the map and of the side tables that it names.
    pub map_sha256: String,
    /// When it was ingested.
    pub recorded_at: RecordedAt,
    /// Its place among the sources: names and canonical ids come from the lowest.
    pub priority: u32,
    /// Rows read.
    pub rows: u64,
    /// Rows that state facts.
    pub kept_rows: u64,
    /// Rows in quarantine.
    pub refused_rows: u64,
    /// Rows that the map leaves out.
    pub skipped_rows: u64,
    /// Zeros that mean unknown.
    pub unknown_zeros: u64,
    /// Bytes read.
    pub bytes: u64,
    /// How many facts of each kind it states.
    pub facts: BTreeMap<FactKind, u64>,
    /// The rules that were checked, with what they found.
    pub rules: Vec<RuleTotal>,
    /// The last day on which one of its facts became known.
    pub newest_known: Option<Day>,
    /// The source's columns.
    pub columns: Vec<String>,
    /// How its cells are parted in quarantined rows.
    pub delimiter: char,
    /// Its files in the lake.
    pub files: Vec<FileEntry>,
    /// Under what its facts are held.
    #[serde(default)]
    pub held: Held,
    /// Facts by the year in which they became known, roughly: to read large lakes piece by piece.
    pub(crate) years: BTreeMap<i32, u64>,
    /// What the columns of its files state.
    pub(crate) layout: Layout,
}

/// A rule and what it found in one ingest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleTotal {
    /// The rule's name, for example `budget.range`.
    pub rule: String,
    /// The column; empty where rows as a whole are at fault.
    pub column: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// What was done.
    pub action: Action,
    /// How often.
    pub count: u64,
    /// The first example: row and value.
    pub example: Option<(u64, String)>,
}

/// A file in the lake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its path within the lake.
    pub path: String,
    /// What it holds.
    pub role: Role,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// XXH3 (128 bits) of its bytes, in hexadecimal.
    pub checksum: String,
    /// The first and the last day on which one of its facts became known.
    pub known: Option<(Day, Day)>,
}

/// What a file in the lake holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Facts.
    Facts,
    /// Refused and repaired values.
    Issues,
    /// Refused rows, as they were read.
    Quarantine,
}

impl Manifest {
    /// The newest version that can be read, with the names of newer ones that cannot: a write that was cut off before it
    /// was acknowledged.
    pub(crate) fn newest(store: &Store) -> Result<(Self, Vec<String>)> {
        let mut torn = Vec::new();
        for (path, version) in Self::versions(store)?.into_iter().rev() {
            match Self::parse(&store.get(&path)?, &path) {
                Ok(manifest) if manifest.version == version => return Ok((manifest, torn)),
                Err(newer @ CatalogueError::Lake { .. }) => return Err(newer),
                _ => torn.push(path),
            }
        }
        match torn.first() {
            None => Ok((Self { format: MANIFEST_FORMAT, version: 0, entries: Vec::new() }, torn)),
            Some(path) => {
                Err(CatalogueError::lake(path, "no manifest can be read; restore the lake from a copy"))
            }
        }
    }

    /// The number of the newest version, readable or not: changes with every commit.
    pub(crate) fn newest_number(store: &Store) -> Result<u64> {
        Ok(Self::versions(store)?.last().map_or(0, |(_, version)| *version))
    }

    /// A certain version.
    pub(crate) fn at(store: &Store, version: u64) -> Result<Self> {
        let path = Self::path(version);
        let bytes = store.get(&path).map_err(|_| CatalogueError::lake(&path, "there is no such version"))?;
        Self::parse(&bytes, &path)
    }

    /// All manifests, oldest first.
    pub(crate) fn versions(store: &Store) -> Result<Vec<(String, u64)>> {
        let number = |path: &str| path.strip_prefix("manifest/v")?.strip_suffix(".json")?.parse().ok();
        let listed = store.list(FOLDER)?;
        let mut all: Vec<(String, u64)> =
            listed.into_iter().filter_map(|(p, ..)| number(&p).map(|v| (p, v))).collect();
        all.sort_by_key(|(_, v)| *v);
        Ok(all)
    }

    /// Puts an ingest in the place of the earlier one of the same file (`replace`: of all files of its source), in a new
    /// version. Gives the version, or the present one where another writer has brought in the same ingest meanwhile.
    pub(crate) fn commit(store: &Store, entry: &IngestEntry, replace: bool) -> Result<u64> {
        loop {
            let (mut manifest, torn) = Self::newest(store)?;
            if manifest.may_stand(&entry.source, replace)
                && manifest.entries.iter().any(|e| e.same_input(entry))
            {
                return Ok(manifest.version);
            }
            manifest.version += 1 + torn.len() as u64;
            manifest.entries.retain(|e| e.source != entry.source || (e.file != entry.file && !replace));
            manifest.entries.push(entry.clone());
            manifest
                .entries
                .sort_by(|a, b| (a.priority, &a.source, &a.file).cmp(&(b.priority, &b.source, &b.file)));
            let path = Self::path(manifest.version);
            let text =
                serde_json::to_vec(&manifest).map_err(|e| CatalogueError::lake(&path, e.to_string()))?;
            if store.create(&path, text)? {
                return Ok(manifest.version);
            }
        }
    }

    /// Whether an ingest that the lake holds already may stand as it is: not where it is to take the place of others.
    pub(crate) fn may_stand(&self, source: &str, replace: bool) -> bool {
        !replace || self.entries.iter().filter(|e| e.source == source).count() == 1
    }

    /// A hash over what was ingested and how, and over nothing else: not the clock, not the files' layout.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for entry in &self.entries {
            hash.update(format!(
                "{}\n{}\n{}\n{}\n",
                entry.source, entry.sha256, entry.map_sha256, entry.layout.compiled
            ));
        }
        hex(&hash.finalize())
    }

    fn path(version: u64) -> String {
        format!("{FOLDER}/v{version:08}.json")
    }

    fn parse(bytes: &[u8], path: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let fail = |e: serde_json::Error| CatalogueError::format(path, e.to_string());
        let Format { format } = serde_json::from_slice(bytes).map_err(fail)?;
        if format > MANIFEST_FORMAT {
            let what =
                format!("is in format {format}, this program reads up to {MANIFEST_FORMAT}; use a newer one");
            return Err(CatalogueError::lake(path, what));
        }
        serde_json::from_slice(bytes).map_err(fail)
    }
}

impl IngestEntry {
    /// Whether it holds the same file of the same source, read by the same map, under the same class and team.
    pub(crate) fn same_input(&self, other: &Self) -> bool {
        self.source == other.source
            && self.sha256 == other.sha256
            && self.map_sha256 == other.map_sha256
            && self.held == other.held
    }

    /// Its files of one role.
    pub(crate) fn files_of(&self, role: Role) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().filter(move |f| f.role == role)
    }
}
