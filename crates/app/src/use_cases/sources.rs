//! Sources: which tables are in the lake, what of them was kept and refused and by which rules, and what each says of a title.

use chrono::{DateTime, Utc};
use marquee_catalogue::{FactFilter, Snapshot};
use marquee_domain::{Action as IssueAction, Day, FactKind, FactValue, Held, RecordedAt, TitleId, Vertical};
use marquee_platform::{Action, Permit};

use crate::asked::find_title;
use crate::error::AppError;
use crate::workspace::Workspace;

/// The lake as it is seen by somebody.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Its version.
    pub version: u64,
    /// What tells what is seen of it apart from other versions and views.
    pub fingerprint: String,
    /// The tables, in the order in which they were named.
    pub sources: Vec<Source>,
}

/// A table of the lake.
#[derive(Debug, Clone)]
pub struct Source {
    /// The source's name; several files may be of one.
    pub name: String,
    /// What its titles are.
    pub vertical: Vertical,
    /// The file's name.
    pub file: String,
    /// The SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Under what its facts are held.
    pub held: Held,
    /// Rows read.
    pub rows: u64,
    /// Rows that state facts.
    pub kept: u64,
    /// Rows in quarantine.
    pub refused: u64,
    /// Facts that it states.
    pub facts: u64,
    /// The last day on which one of its facts became known.
    pub newest: Option<Day>,
    /// When it was ingested.
    pub ingested: Option<DateTime<Utc>>,
    /// The rules that found something.
    pub rules: Vec<RuleFound>,
}

/// What a rule found in a table.
#[derive(Debug, Clone)]
pub struct RuleFound {
    /// The rule's name.
    pub rule: String,
    /// The column; empty where rows as a whole are at fault.
    pub column: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// What was done.
    pub action: IssueAction,
    /// How often.
    pub count: u64,
}

/// What is known of a title, and where each of it stands.
#[derive(Debug, Clone)]
pub struct Lineage {
    /// The title.
    pub title: TitleId,
    /// Its name.
    pub name: String,
    /// The facts, by kind and by the day on which they became known.
    pub lines: Vec<Line>,
}

/// A fact with where it stands.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it states.
    pub kind: FactKind,
    /// What it states it to be.
    pub value: FactValue,
    /// The first day on which the world could know it.
    pub known_on: Day,
    /// When it was ingested.
    pub recorded_at: Option<DateTime<Utc>>,
    /// The source.
    pub source: String,
    /// The file; more than one where several were ingested at that moment.
    pub file: String,
    /// The row in the file, from 1.
    pub row: u64,
}

/// Lists the tables of the lake.
///
/// # Errors
/// [`AppError::Empty`] before the first ingest; what the catalogue says.
pub async fn sources(workspace: &Workspace, permit: &Permit) -> Result<Sources, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let all = snapshot.sources().iter().map(|entry| Source {
        name: entry.source.clone(),
        vertical: entry.vertical,
        file: entry.file.clone(),
        sha256: entry.sha256.clone(),
        held: entry.held.clone(),
        rows: entry.rows,
        kept: entry.kept_rows,
        refused: entry.refused_rows,
        facts: entry.facts.values().sum(),
        newest: entry.newest_known,
        ingested: moment(entry.recorded_at),
        rules: entry
            .rules
            .iter()
            .filter(|total| total.count > 0)
            .map(|total| RuleFound {
                rule: total.rule.clone(),
                column: total.column.clone(),
                message: total.message.clone(),
                action: total.action,
                count: total.count,
            })
            .collect(),
    });
    Ok(Sources { version: snapshot.version(), fingerprint: snapshot.fingerprint(), sources: all.collect() })
}

/// What is known of the one title that is meant, fact by fact, with source, file and row.
///
/// # Errors
/// [`AppError::NoTitle`] or [`AppError::ManyTitles`]; as [`sources`].
pub async fn lineage(workspace: &Workspace, asked: &str, permit: &Permit) -> Result<Lineage, AppError> {
    permit.require(Action::Read)?;
    let snapshot = workspace.snapshot(permit).await?;
    let entry = find_title(&snapshot, asked).await?;
    let filter = FactFilter { titles: vec![entry.title.id], ..FactFilter::default() };
    let stated = snapshot.all_facts(&filter).await?;
    let mut lines: Vec<Line> = stated
        .into_iter()
        .map(|stated| Line {
            file: file(&snapshot, &stated.fact.source, stated.fact.recorded_at),
            kind: stated.fact.kind,
            value: stated.fact.value,
            known_on: stated.fact.known_on,
            recorded_at: moment(stated.fact.recorded_at),
            source: stated.fact.source.to_string(),
            row: stated.row,
        })
        .collect();
    lines.sort_by(|a, b| (a.kind, a.known_on, &a.source, a.row).cmp(&(b.kind, b.known_on, &b.source, b.row)));
    Ok(Lineage { title: entry.title.id, name: entry.title.name.clone(), lines })
}

/// The file of a source that was ingested at a moment.
fn file(snapshot: &Snapshot, source: &str, at: RecordedAt) -> String {
    let own = snapshot.sources().iter().filter(|entry| entry.source == source && entry.recorded_at == at);
    own.map(|entry| entry.file.as_str()).collect::<Vec<_>>().join(", ")
}

fn moment(at: RecordedAt) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(at.0)
}
