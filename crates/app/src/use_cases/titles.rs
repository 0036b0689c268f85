//! Titles: search, filter and sort the catalogue.

use marquee_catalogue::{TitleQuery, TitleRow};
use marquee_platform::Permit;

use crate::asked::find_title;
use crate::error::AppError;
use crate::workspace::Workspace;

/// Titles that a query finds.
///
/// # Errors
/// [`AppError::Empty`] before the first ingest; what the catalogue says.
pub async fn titles(
    workspace: &Workspace,
    query: &TitleQuery,
    permit: &Permit,
) -> Result<Vec<TitleRow>, AppError> {
    Ok(workspace.snapshot(permit).await?.titles(query).await?)
}

/// The one title that is meant: by id, by source id, by whole name, or by a part of it that no other has.
///
/// # Errors
/// [`AppError::NoTitle`] or [`AppError::ManyTitles`]; as [`titles`].
pub async fn title(workspace: &Workspace, asked: &str, permit: &Permit) -> Result<TitleRow, AppError> {
    let snapshot = workspace.snapshot(permit).await?;
    let entry = find_title(&snapshot, asked).await?;
    let row = snapshot.title(entry.title.id).await?;
    row.ok_or_else(|| AppError::NoTitle(asked.to_owned()))
}
