//! Reading files: what was read, and what was refused or repaired.

use std::collections::BTreeMap;
use std::path::PathBuf;

use marquee_app::types::{IngestReport as HouseReport, IssueFilter, Merge, SourceIssue};
use marquee_app::use_cases::ingest::Ingested;
use marquee_app::use_cases::issues::Issues as HouseIssues;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::wire::words::words;

/// How many issues are given, where it is not said.
const LIMIT: usize = 20;

words! {
    /// What was done about a defect.
    Action = marquee_domain::Action {
        /// The value was mended by a rule that says how.
        Repaired = "repaired",
        /// The value was left out; the rest of the row was kept.
        ValueRefused = "value_refused",
        /// The whole row waits in quarantine.
        RowRefused = "row_refused",
    }
}

/// What an ingest of several files did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IngestAnswer {
    /// Each file that was read.
    pub reports: Vec<IngestReport>,
    /// Files that were passed over.
    pub skipped_files: Vec<FileNote>,
    /// Titles of several tables that were found to be the same.
    pub merged_titles: Vec<MergedTitle>,
    /// What else to know.
    pub notes: Vec<String>,
}

/// What the ingest of a file did.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "source": "films", "file": "films.csv", "unchanged": false,
    "rows": 3201, "kept_rows": 3190, "refused_rows": 11, "skipped_rows": 0, "unknown_zeros": 61,
    "facts": { "budget": 3190, "genre": 2926 },
    "rules": { "release_date": { "action": "row_refused", "count": 11, "example": {
        "row": 17, "column": "Release Date", "value": "TBD", "message": "not a day"
    } } },
    "bytes": 1_020_304, "seconds": 0.41, "version": 1
}))]
pub struct IngestReport {
    /// The source's name.
    pub source: String,
    /// The file.
    pub file: String,
    /// Whether the lake held this file, read by this map, already; then nothing was done.
    pub unchanged: bool,
    /// Rows read.
    pub rows: u64,
    /// Rows that state facts.
    pub kept_rows: u64,
    /// Rows that went to quarantine.
    pub refused_rows: u64,
    /// Rows that the map leaves out.
    pub skipped_rows: u64,
    /// Zeros that mean unknown.
    pub unknown_zeros: u64,
    /// How many facts of each kind.
    pub facts: BTreeMap<String, u64>,
    /// The rules that found something, by name.
    pub rules: BTreeMap<String, RuleFound>,
    /// Bytes read.
    pub bytes: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The lake's version that holds it.
    pub version: u64,
}

/// What a rule found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleFound {
    /// What was done.
    pub action: Action,
    /// How often.
    pub count: u64,
    /// The first example.
    pub example: Option<RuleExample>,
}

/// A cell that a rule found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleExample {
    /// The row, as the source counts it.
    pub row: u64,
    /// The column.
    pub column: String,
    /// What stood there.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
}

/// Something about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileNote {
    /// The file.
    pub file: String,
    /// Why it was passed over, or cannot be read.
    pub why: String,
}

/// Two titles of different tables that are the same.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MergedTitle {
    /// The id of the title that stands for both.
    pub title_id: String,
    /// The id of the other.
    pub other: String,
    /// How it was found: by an `Id` that both state, or by `NameAndYear`.
    #[schema(example = "NameAndYear")]
    pub by: String,
    /// The id, or the name and year, that they share.
    pub key: String,
    /// Their names.
    pub names: [String; 2],
}

/// Which issues are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(example = json!({ "source": "films", "action": "row_refused", "limit": 5 }))]
pub struct IssueSearch {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of this rule.
    pub rule: Option<String>,
    /// Only those about which this was done.
    #[param(inline)]
    pub action: Option<Action>,
    /// The most issues that are given, the earliest rows of each source; 20 where it is not said.
    pub limit: Option<usize>,
}

impl IssueSearch {
    /// The search that is meant.
    #[must_use]
    pub fn read(self) -> IssueFilter {
        IssueFilter {
            source: self.source,
            rule: self.rule,
            action: self.action.map(marquee_domain::Action::from),
            limit: self.limit.unwrap_or(LIMIT),
        }
    }
}

/// What ingest refused or repaired.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Issues {
    /// How many of each source and rule.
    pub totals: Vec<IssueTotal>,
    /// The issues that were asked for.
    pub issues: Vec<Issue>,
}

/// How many issues of a rule a source has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssueTotal {
    /// The source.
    pub source: String,
    /// The rule.
    pub rule: String,
    /// How many.
    pub count: u64,
}

/// A defect in a source file.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "source": "films", "file": "films.csv", "row": 17, "column": "Release Date", "value": "TBD",
    "rule": "release_date", "message": "not a day", "action": "row_refused"
}))]
pub struct Issue {
    /// The source.
    pub source: String,
    /// The file.
    pub file: String,
    /// The row, as the source counts it.
    pub row: u64,
    /// The column.
    pub column: String,
    /// What stood there.
    pub value: String,
    /// The rule that it breaks.
    pub rule: String,
    /// What is wrong with it.
    pub message: String,
    /// What was done about it.
    pub action: Action,
}

impl From<&Ingested> for IngestAnswer {
    fn from(done: &Ingested) -> Self {
        Self {
            reports: done.reports.iter().map(IngestReport::from).collect(),
            skipped_files: done.skipped.iter().map(FileNote::from).collect(),
            merged_titles: done.merges.iter().map(MergedTitle::from).collect(),
            notes: done.notes.clone(),
        }
    }
}

impl From<&HouseReport> for IngestReport {
    fn from(r: &HouseReport) -> Self {
        let example = |e: &marquee_domain::Issue| RuleExample {
            row: e.row,
            column: e.column.clone(),
            value: e.value.clone(),
            message: e.message.clone(),
        };
        let rules = r.rules.iter().map(|(rule, found)| {
            let example = found.example.as_ref().map(example);
            (rule.clone(), RuleFound { action: found.action.into(), count: found.count, example })
        });
        Self {
            source: r.source.clone(),
            file: r.file.clone(),
            unchanged: r.unchanged,
            rows: r.rows,
            kept_rows: r.kept_rows,
            refused_rows: r.refused_rows,
            skipped_rows: r.skipped_rows,
            unknown_zeros: r.unknown_zeros,
            facts: r.facts.iter().map(|(kind, n)| (kind.to_string(), *n)).collect(),
            rules: rules.collect(),
            bytes: r.bytes,
            seconds: r.seconds,
            version: r.version,
        }
    }
}

impl From<&(PathBuf, String)> for FileNote {
    fn from((path, why): &(PathBuf, String)) -> Self {
        Self { file: path.display().to_string(), why: why.clone() }
    }
}

impl From<&Merge> for MergedTitle {
    fn from(m: &Merge) -> Self {
        Self {
            title_id: m.canonical.to_string(),
            other: m.other.to_string(),
            by: format!("{:?}", m.by),
            key: m.key.clone(),
            names: [m.names.0.clone(), m.names.1.clone()],
        }
    }
}

impl From<&HouseIssues> for Issues {
    fn from(found: &HouseIssues) -> Self {
        let total = |(source, rule, count): &(String, String, u64)| IssueTotal {
            source: source.clone(),
            rule: rule.clone(),
            count: *count,
        };
        Self {
            totals: found.totals.iter().map(total).collect(),
            issues: found.found.iter().map(Issue::from).collect(),
        }
    }
}

impl From<&SourceIssue> for Issue {
    fn from(s: &SourceIssue) -> Self {
        let i = &s.issue;
        Self {
            source: s.source.clone(),
            file: i.file.clone(),
            row: i.row,
            column: i.column.clone(),
            value: i.value.clone(),
            rule: i.rule.clone(),
            message: i.message.clone(),
            action: i.action.into(),
        }
    }
}
