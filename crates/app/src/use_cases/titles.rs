//! Titles: search, filter and sort the catalogue.

use marquee_catalogue::{TitleQuery, TitleRow};
use marquee_platform::Permit;

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
