//! Alerts: what rules found, the rules, and the channels that hear of it. What is secret of a channel goes in and never
//! comes out, and the audit has neither it nor what a closely held rule says.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use marquee_app::platform::{AlertFilter, AlertRule, Class};
use marquee_app::use_cases::alerts;
use marquee_app::work::Watching;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::api::accounts::deed;
use crate::api::{Body, Query, Refused};
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::alerts::{AlertList, AlertRuleBody, AlertRuleView, AlertView, ChannelBody, ChannelView};
use crate::wire::jobs::JobReceipt;

/// Which alerts are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertSearch {
    /// true for those that are not resolved, false for those that are; all where it is not said.
    open: Option<bool>,
    /// Only those of this rule.
    rule: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// The most alerts; 50 where it is not said, at most 500.
    limit: Option<usize>,
}

/// Alerts that you may see, newest first. Reading confidential ones is written to the audit.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "alerts", params(AlertSearch),
    responses((status = 200, body = AlertList), Refused)
)]
pub(crate) async fn list(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<AlertSearch>,
) -> Result<Response, Problem> {
    let place = (wanted.cursor.as_deref(), wanted.limit.unwrap_or(50).clamp(1, 500));
    let filter = AlertFilter { open: wanted.open, rule: wanted.rule };
    let found = alerts::list(&server.office, &filter, place, &caller.permit).await?;
    let sensitive = alerts::are_sensitive(&found.alerts);
    let page = AlertList { alerts: found.alerts.iter().map(AlertView::from).collect(), next: found.next };
    let mut answer = Json(page).into_response();
    answer.extensions_mut().insert(Deed { object: "alerts:list".to_owned(), sensitive, ..Deed::default() });
    Ok(answer)
}

/// Notes that you have seen to an alert.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 204), Refused)
)]
pub(crate) async fn acknowledge(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    alerts::acknowledge(&server.office, &id, server.now(), &caller.permit).await?;
    Ok(deed(StatusCode::NO_CONTENT.into_response(), format!("alert:{id}"), None, None))
}

/// Lets all rules look now and not at the next full hour, as a job.
#[utoipa::path(
    post, path = "/api/v1/alerts/look", tag = "alerts",
    responses((status = 202, body = JobReceipt), Refused)
)]
pub(crate) async fn look(State(server): State<Server>) -> Result<Response, Problem> {
    let job = server.office.jobs.enqueue(Watching::job(), server.now()).await?;
    Ok(accepted(job.as_str()))
}

/// The rules that you may see, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/alert-rules", tag = "alerts", responses((status = 200, body = [AlertRuleView]), Refused)
)]
pub(crate) async fn rules(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Vec<AlertRuleView>>, Problem> {
    let all = alerts::rules(&server.office, &caller.permit).await?;
    Ok(Json(all.iter().map(AlertRuleView::from).collect()))
}

/// Keeps a new rule. It looks in your name, by what you may see at the time.
#[utoipa::path(
    post, path = "/api/v1/alert-rules", tag = "alerts", request_body = AlertRuleBody,
    responses((status = 201, body = AlertRuleView), Refused)
)]
pub(crate) async fn create_rule(
    State(server): State<Server>,
    caller: Caller,
    Body(body): Body<AlertRuleBody>,
) -> Result<Response, Problem> {
    let rule = alerts::create_rule(&server.office, body.read()?, server.now(), &caller.permit).await?;
    let answer = (StatusCode::CREATED, Json(AlertRuleView::from(&rule))).into_response();
    Ok(deed(answer, format!("alert-rule:{}", rule.id), None, told(&rule)))
}

/// Changes a rule. From then on it looks in your name.
#[utoipa::path(
    put, path = "/api/v1/alert-rules/{id}", tag = "alerts", request_body = AlertRuleBody,
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 204), Refused)
)]
pub(crate) async fn update_rule(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<AlertRuleBody>,
) -> Result<Response, Problem> {
    let draft = body.read()?;
    let before = alerts::update_rule(&server.office, &id, draft, server.now(), &caller.permit).await?;
    let after = server.office.alerts.rule(&id).await?;
    let after = after.as_ref().and_then(told);
    Ok(deed(StatusCode::NO_CONTENT.into_response(), format!("alert-rule:{id}"), told(&before), after))
}

/// Removes a rule and resolves what it had found.
#[utoipa::path(
    delete, path = "/api/v1/alert-rules/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 204), Refused)
)]
pub(crate) async fn remove_rule(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let before = alerts::remove_rule(&server.office, &id, server.now(), &caller.permit).await?;
    Ok(deed(StatusCode::NO_CONTENT.into_response(), format!("alert-rule:{id}"), told(&before), None))
}

/// The channels, without what is secret of them.
#[utoipa::path(
    get, path = "/api/v1/alert-channels", tag = "alerts", responses((status = 200, body = [ChannelView]), Refused)
)]
pub(crate) async fn channels(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Vec<ChannelView>>, Problem> {
    let all = alerts::channels(&server.office, &caller.permit).await?;
    Ok(Json(all.iter().map(ChannelView::from).collect()))
}

/// Keeps a new channel. Its address, secret and routing key are sealed and never shown again.
#[utoipa::path(
    post, path = "/api/v1/alert-channels", tag = "alerts", request_body = ChannelBody,
    responses((status = 201, body = ChannelView), Refused)
)]
pub(crate) async fn create_channel(
    State(server): State<Server>,
    caller: Caller,
    Body(body): Body<ChannelBody>,
) -> Result<Response, Problem> {
    let new = body.read(None).map_err(|why| Problem::unfit("invalid_value", why))?;
    let channel = alerts::create_channel(&server.office, &new, server.now(), &caller.permit).await?;
    let (view, object) = (ChannelView::from(&channel), format!("alert-channel:{}", channel.id));
    let after = serde_json::to_value(&view).ok();
    Ok(deed((StatusCode::CREATED, Json(view)).into_response(), object, None, after))
}

/// Changes a channel. What is left out of address, secret and routing key stays as it is.
#[utoipa::path(
    put, path = "/api/v1/alert-channels/{id}", tag = "alerts", request_body = ChannelBody,
    params(("id" = String, Path, description = "The channel's id")),
    responses((status = 204), Refused)
)]
pub(crate) async fn update_channel(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ChannelBody>,
) -> Result<Response, Problem> {
    let after = serde_json::json!({ "label": body.label, "shape": body.shape });
    let change = |before| body.read(Some(before)).map_err(|why| Problem::unfit("invalid_value", why));
    alerts::update_channel(&server.office, &id, change, server.now(), &caller.permit).await?;
    Ok(deed(StatusCode::NO_CONTENT.into_response(), format!("alert-channel:{id}"), None, Some(after)))
}

/// Removes a channel.
#[utoipa::path(
    delete, path = "/api/v1/alert-channels/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The channel's id")),
    responses((status = 204), Refused)
)]
pub(crate) async fn remove_channel(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    alerts::remove_channel(&server.office, &id, &caller.permit).await?;
    Ok(deed(StatusCode::NO_CONTENT.into_response(), format!("alert-channel:{id}"), None, None))
}

/// Sends a test to a channel, as a job that tells how it went.
#[utoipa::path(
    post, path = "/api/v1/alert-channels/{id}/test", tag = "alerts",
    params(("id" = String, Path, description = "The channel's id")),
    responses((status = 202, body = JobReceipt), Refused)
)]
pub(crate) async fn test_channel(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = alerts::test_channel(&server.office, &id, server.now(), &caller.permit).await?;
    let mut answer = accepted(job.as_str());
    answer.extensions_mut().insert(Deed { object: format!("alert-channel:{id}"), ..Deed::default() });
    Ok(answer)
}

fn accepted(job: &str) -> Response {
    let receipt = (StatusCode::ACCEPTED, Json(JobReceipt { job: job.to_owned() })).into_response();
    deed(receipt, format!("job:{job}"), None, None)
}

/// What the audit has of a rule: nothing of what a closely held one says.
pub(crate) fn told(rule: &AlertRule) -> Option<Value> {
    let open = matches!(rule.plan.class, Class::Public | Class::Internal);
    open.then(|| serde_json::to_value(AlertRuleView::from(rule)).ok()).flatten()
}
