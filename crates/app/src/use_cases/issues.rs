//! Issues: what ingest refused or repaired, and the rows that wait in quarantine.

use std::path::Path;

use marquee_catalogue::{IssueFilter, SourceIssue};
use marquee_platform::{Action, Permit};

use crate::error::AppError;
use crate::workspace::Workspace;

/// Issues with their number by source and rule over all of them.
#[derive(Debug)]
pub struct Issues {
    /// Source, rule, and how often.
    pub totals: Vec<(String, String, u64)>,
    /// The issues asked for.
    pub found: Vec<SourceIssue>,
}

/// Lists issues.
///
/// # Errors
/// [`AppError::Empty`] before the first ingest; what the catalogue says.
pub async fn issues(
    workspace: &Workspace,
    filter: &IssueFilter,
    permit: &Permit,
) -> Result<Issues, AppError> {
    let snapshot = workspace.snapshot(permit).await?;
    let wanted = |source: &str| filter.source.as_deref().is_none_or(|s| s == source);
    let mut totals = Vec::new();
    for entry in snapshot.sources().iter().filter(|e| wanted(&e.source)) {
        let told = entry.rules.iter().filter(|total| total.count > 0);
        totals.extend(told.map(|total| (entry.source.clone(), total.rule.clone(), total.count)));
    }
    Ok(Issues { totals, found: snapshot.issues(filter).await? })
}

/// Writes the rows of a source that wait in quarantine to a CSV file; returns how many.
///
/// # Errors
/// A source that does not exist, or a file that cannot be written.
pub async fn export_quarantine(
    workspace: &Workspace,
    source: &str,
    to: &Path,
    permit: &Permit,
) -> Result<u64, AppError> {
    permit.require(Action::Read)?;
    Ok(workspace.snapshot(permit).await?.export_quarantine(source, to).await?)
}
