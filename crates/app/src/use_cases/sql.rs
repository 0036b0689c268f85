//! SQL: read-only questions over the lake.

use marquee_catalogue::{SqlAnswer, SqlLimits};
use marquee_platform::Permit;

use crate::error::AppError;
use crate::workspace::Workspace;

/// Answers a `SELECT` over the newest version of the lake.
///
/// # Errors
/// [`AppError::Empty`] before the first ingest; a statement that is not read-only or not understood.
pub async fn sql(
    workspace: &Workspace,
    query: &str,
    limits: &SqlLimits,
    permit: &Permit,
) -> Result<SqlAnswer, AppError> {
    Ok(workspace.snapshot(permit).await?.sql(query, limits).await?)
}
