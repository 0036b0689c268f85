//! The data: sources and their issues, questions in SQL, models, features, the track record.

use axum::Json;
use axum::extract::{Path, State};
use marquee_app::types::numbers;
use marquee_app::use_cases::issues::issues as found_issues;
use marquee_app::use_cases::models::{model as one_model, models as all_models};
use marquee_app::use_cases::sql::sql as ask_lake;
use marquee_app::use_cases::track::track as read_track;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::{Body, Query, Refused};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::ingest::{IssueSearch, Issues};
use crate::wire::models::{Features, ModelCard, Models};
use crate::wire::sql::{SqlAnswer, SqlRequest};
use crate::wire::track::TrackRecord;

/// What ingest refused or repaired.
#[utoipa::path(
    get, path = "/api/v1/issues", tag = "data", params(IssueSearch),
    responses((status = 200, body = Issues), Refused)
)]
pub(crate) async fn issues(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<IssueSearch>,
) -> Result<Json<Issues>, Problem> {
    let mut filter = wanted.read();
    filter.limit = filter.limit.min(1_000);
    let found = found_issues(&server.workspace, &filter, &caller.permit).await?;
    Ok(Json(Issues::from(&found)))
}

/// A question in SQL over the part of the lake that you may see: read-only, with bounds on rows, memory and time.
#[utoipa::path(
    post, path = "/api/v1/sql", tag = "data", request_body = SqlRequest,
    responses((status = 200, body = SqlAnswer), Refused)
)]
pub(crate) async fn sql(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<SqlRequest>,
) -> Result<Json<SqlAnswer>, Problem> {
    let limits = asked.limits()?;
    Ok(Json(ask_lake(&server.workspace, &asked.query, &limits, &caller.permit).await?.into()))
}

/// The stored models with their cards.
#[utoipa::path(get, path = "/api/v1/models", tag = "models", responses((status = 200, body = Models), Refused))]
pub(crate) async fn models(State(server): State<Server>, caller: Caller) -> Result<Json<Models>, Problem> {
    Ok(Json(Models::from(&all_models(&server.workspace, &caller.permit).await?)))
}

/// One stored model, by its key, its SHA-256, or the beginning of either.
#[utoipa::path(
    get, path = "/api/v1/models/{key}", tag = "models",
    params(("key" = String, Path, description = "Key or SHA-256, or the beginning of either")),
    responses((status = 200, body = ModelCard), Refused)
)]
pub(crate) async fn model(
    State(server): State<Server>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Json<ModelCard>, Problem> {
    Ok(Json(ModelCard::from(&one_model(&server.workspace, &key, &caller.permit).await?)))
}

/// What models see of a title, with formula, unit and what a missing value means.
#[utoipa::path(get, path = "/api/v1/features", tag = "models", responses((status = 200, body = Features), Refused))]
pub(crate) async fn features() -> Json<Features> {
    Json(numbers().collect())
}

/// How much of the track record is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrackSearch {
    /// The most entries, the newest; 20 where it is not said, at most 1,000.
    limit: Option<usize>,
}

/// The track record: its newest entries with their scores, its head, whether it is intact.
#[utoipa::path(
    get, path = "/api/v1/track", tag = "track record", params(TrackSearch),
    responses((status = 200, body = TrackRecord), Refused)
)]
pub(crate) async fn track(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<TrackSearch>,
) -> Result<Json<TrackRecord>, Problem> {
    let limit = wanted.limit.unwrap_or(20).min(1_000);
    let found = read_track(&server.workspace, limit, None, &caller.permit).await?;
    Ok(Json(TrackRecord::from(&found)))
}
