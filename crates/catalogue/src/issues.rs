//! What was refused or repaired, and the rows that wait in quarantine.

use std::io::{BufWriter, Write};
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, UInt16Type};
use marquee_domain::{Action, Issue};

use crate::error::{CatalogueError, Result};
use crate::facts::batches;
use crate::manifest::{IngestEntry, Manifest, Role, RuleTotal};
use crate::store::Store;

/// Which issues are wanted.
#[derive(Debug, Clone)]
pub struct IssueFilter {
    /// Of this source.
    pub source: Option<String>,
    /// By this rule.
    pub rule: Option<String>,
    /// With this action.
    pub action: Option<Action>,
    /// No more than this many, the earliest rows of each source.
    pub limit: usize,
}

impl Default for IssueFilter {
    fn default() -> Self {
        Self { source: None, rule: None, action: None, limit: 1_000 }
    }
}

/// An issue and the source that it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceIssue {
    /// The source's name.
    pub source: String,
    /// The issue.
    pub issue: Issue,
}

pub(crate) fn find(store: &Store, manifest: &Manifest, filter: &IssueFilter) -> Result<Vec<SourceIssue>> {
    let mut found = Vec::new();
    for entry in &manifest.entries {
        if filter.source.as_ref().is_some_and(|s| *s != entry.source) || found.len() >= filter.limit {
            continue;
        }
        let wanted = |rule: &RuleTotal| {
            filter.rule.as_ref().is_none_or(|r| *r == rule.rule)
                && filter.action.is_none_or(|a| a == rule.action)
        };
        // The earliest rows, without holding more than a few times as many.
        let (room, mut kept): (usize, Vec<(i64, u16, String)>) = (filter.limit - found.len(), Vec::new());
        each_finding(store, entry, Role::Issues, &mut |row, rule, text| {
            if entry.rules.get(usize::from(rule)).is_some_and(wanted) {
                kept.push((row, rule, text.to_owned()));
                if kept.len() > 4 * room + 1_024 {
                    kept.sort();
                    kept.truncate(room);
                }
            }
            Ok(())
        })?;
        kept.sort();
        kept.truncate(room);
        found.extend(kept.into_iter().map(|(row, rule, value)| issue(entry, row, rule, value)));
    }
    Ok(found)
}

fn issue(entry: &IngestEntry, row: i64, rule: u16, value: String) -> SourceIssue {
    let rule = &entry.rules[usize::from(rule)];
    let issue = Issue {
        file: entry.file.clone(),
        row: row as u64,
        column: rule.column.clone(),
        value,
        rule: rule.rule.clone(),
        message: rule.message.clone(),
        action: rule.action,
    };
    SourceIssue { source: entry.source.clone(), issue }
}

/// Writes quarantined rows of a source's files as they were read, under the header of the first; files with another
/// header have another shape and are left to an export of their own once the first are in order.
pub(crate) fn export(store: &Store, entries: &[IngestEntry], to: &Path) -> Result<u64> {
    let Some(first) = entries.first() else { return Ok(0) };
    let fail = |e: std::io::Error| CatalogueError::file(to, e);
    let mut file = BufWriter::new(std::fs::File::create(to).map_err(fail)?);
    let mut header = Vec::new();
    for (i, column) in first.columns.iter().enumerate() {
        if i > 0 {
            header.extend_from_slice(first.delimiter.to_string().as_bytes());
        }
        crate::read::split::push_cell(&mut header, column);
    }
    header.push(b'\n');
    file.write_all(&header).map_err(fail)?;
    let mut rows = 0;
    for entry in entries.iter().filter(|e| e.columns == first.columns && e.delimiter == first.delimiter) {
        each_finding(store, entry, Role::Quarantine, &mut |_, _, text| {
            rows += 1;
            file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(fail)
        })?;
    }
    file.flush().map_err(fail)?;
    Ok(rows)
}

pub(crate) fn each_finding(
    store: &Store,
    entry: &IngestEntry,
    role: Role,
    take: &mut dyn FnMut(i64, u16, &str) -> Result<()>,
) -> Result<()> {
    let columns = ["row", "rule", "text"].map(str::to_owned);
    for file in entry.files_of(role) {
        for batch in batches(store, file, &columns)? {
            let batch = batch?;
            let rows = batch.column(0).as_primitive_opt::<Int64Type>();
            let rules = batch.column(1).as_primitive_opt::<UInt16Type>();
            let (Some(rows), Some(rules), Some(texts)) =
                (rows, rules, batch.column(2).as_string_opt::<i32>())
            else {
                return Err(CatalogueError::lake(&file.path, "does not hold findings; run doctor"));
            };
            for i in 0..batch.num_rows() {
                take(rows.value(i), rules.value(i), texts.value(i))?;
            }
        }
    }
    Ok(())
}
