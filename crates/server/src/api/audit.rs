//! The audit: who did what, when and from where; searched and exported.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use marquee_app::platform::{AuditFormat, AuditOutcome, AuditQuery};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{Query, Refused, whole};
use crate::guard::Deed;
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::audit::{AuditEntry, AuditPage};

/// Which entries are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditSearch {
    /// By this account's name.
    pub(crate) who: Option<String>,
    /// Actions that begin so, such as `account.`.
    pub(crate) action: Option<String>,
    /// Done to this, as `kind:id`.
    pub(crate) object: Option<String>,
    /// done, refused or failed.
    pub(crate) outcome: Option<String>,
    /// The first day, UTC.
    pub(crate) from: Option<String>,
    /// The last day, UTC.
    pub(crate) to: Option<String>,
    /// Entries before this one.
    #[param(minimum = 0)]
    pub(crate) cursor: Option<i64>,
    /// The most entries; 100 where it is not said, at most 1,000.
    pub(crate) limit: Option<usize>,
}

/// Entries, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", params(AuditSearch),
    responses((status = 200, body = AuditPage), Refused)
)]
pub(crate) async fn search(
    State(server): State<Server>,
    Query(wanted): Query<AuditSearch>,
) -> Result<Response, Problem> {
    let limit = wanted.limit.unwrap_or(100).clamp(1, 1_000);
    let found = server.office.audit.search(&query(wanted)?, limit).await?;
    let entries = found.records.iter().map(AuditEntry::from).collect();
    Ok(sensitive(Json(AuditPage { entries, next: found.next }).into_response()))
}

/// Entries as CSV, oldest first, with numbers and MACs to be held against a kept head.
#[utoipa::path(
    get, path = "/api/v1/audit/export", tag = "audit", params(AuditSearch),
    responses((status = 200, body = String, content_type = "text/csv"), Refused)
)]
pub(crate) async fn export(
    State(server): State<Server>,
    Query(wanted): Query<AuditSearch>,
) -> Result<Response, Problem> {
    let mut text = Vec::new();
    server.office.audit.export(&query(wanted)?, AuditFormat::Csv, &mut text).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok(sensitive((headers, text).into_response()))
}

pub(crate) fn query(wanted: AuditSearch) -> Result<AuditQuery, Problem> {
    let day = |text: Option<String>| {
        text.map(|text| {
            text.parse()
                .map_err(|_| Problem::unfit("invalid_value", format!("`{text}` is no day: YYYY-MM-DD")))
        })
        .transpose()
    };
    Ok(AuditQuery {
        who: wanted.who,
        action: wanted.action,
        object: wanted.object,
        outcome: wanted.outcome.as_deref().map(outcome).transpose()?,
        from: day(wanted.from)?,
        to: day(wanted.to)?,
        before: whole("cursor", wanted.cursor)?,
    })
}

fn outcome(word: &str) -> Result<AuditOutcome, Problem> {
    let known = [AuditOutcome::Done, AuditOutcome::Refused, AuditOutcome::Failed];
    let found = known.into_iter().find(|outcome| outcome.as_str() == word);
    found.ok_or_else(|| {
        Problem::unfit("invalid_value", format!("outcome: `{word}` is none of done, refused, failed"))
    })
}

/// Reading the audit is itself written to it.
pub(crate) fn sensitive(mut response: Response) -> Response {
    let object = "audit:entries".to_owned();
    response.extensions_mut().insert(Deed { object, sensitive: true, ..Deed::default() });
    response
}
