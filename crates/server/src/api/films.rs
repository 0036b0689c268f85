//! Titles, forecasts of them and of projects, and what hangs on a forecast.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use marquee_app::use_cases::dates::{DatesQuestion, dates as best_dates};
use marquee_app::use_cases::forecast::{Question, forecast as foretell};
use marquee_app::use_cases::outlook::outlook as screen;
use marquee_app::use_cases::sensitivity::sensitivity as swings;
use marquee_app::use_cases::titles::{title as find_title, titles as search};
use marquee_domain::Control;
use metrics::counter;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::accounts::deed;
use crate::api::cursor::Cursor;
use crate::api::{Body, Query, Refused};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::Quantiles;
use crate::wire::dates::{Dates, Sensitivity};
use crate::wire::forecast::{
    DatesRequest, ForecastAnswer, ForecastRequest, Outlook, OutlookRequest, SensitivityRequest,
};
use crate::wire::titles::{Title, TitleSearch};

/// Titles, a page at a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TitlePage {
    /// The titles of this page.
    titles: Vec<Title>,
    /// What to send as `cursor` for the next page; none after the last.
    next: Option<String>,
}

/// Titles by name, year and genre.
#[utoipa::path(
    get, path = "/api/v1/titles", tag = "titles", params(TitleSearch),
    responses((status = 200, body = TitlePage), Refused)
)]
pub(crate) async fn titles(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<TitleSearch>,
) -> Result<Json<TitlePage>, Problem> {
    const MOST: usize = 500;
    let cursor = wanted.cursor.clone();
    let query = wanted.read();
    let limit = query.limit.clamp(1, MOST);
    let version = server.workspace.snapshot(&caller.permit).await?.fingerprint();
    let begin = cursor.map(|text| Cursor::read(&text, &version)).transpose()?.unwrap_or(0);
    let query =
        marquee_app::types::TitleQuery { limit: begin.saturating_add(limit).saturating_add(1), ..query };
    let rows = search(&server.workspace, &query, &caller.permit).await?;
    let more = rows.len() > begin + limit;
    let titles = rows.iter().skip(begin).take(limit).map(Title::from).collect();
    Ok(Json(TitlePage { titles, next: more.then(|| Cursor::write(begin + limit, &version)) }))
}

/// One title: by its id, a source id, its whole name or a part of it that no other has.
#[utoipa::path(
    get, path = "/api/v1/titles/{title}", tag = "titles",
    params(("title" = String, Path, description = "Id, source id such as tmdb:603, or name")),
    responses((status = 200, body = Title), Refused)
)]
pub(crate) async fn title(
    State(server): State<Server>,
    caller: Caller,
    Path(asked): Path<String>,
) -> Result<Json<Title>, Problem> {
    let row = find_title(&server.workspace, &asked, &caller.permit).await?;
    Ok(Json(Title::from(&row)))
}

/// What a title or a project will gross, how sure that is, and why; with `what_if`, also with something changed.
#[utoipa::path(
    post, path = "/api/v1/forecasts", tag = "forecasts", request_body = ForecastRequest,
    responses((status = 200, body = ForecastAnswer), Refused)
)]
pub(crate) async fn forecast(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<ForecastRequest>,
) -> Result<Json<ForecastAnswer>, Problem> {
    if asked.record {
        let detail = "this only asks: POST /api/v1/track records a forecast";
        return Err(Problem::unfit("not_recorded_here", detail));
    }
    answer(&server, &caller, asked).await.map(Json)
}

/// Commits a forecast to the track record, and gives it with its receipt.
#[utoipa::path(
    post, path = "/api/v1/track", tag = "track record", request_body = ForecastRequest,
    responses((status = 201, body = ForecastAnswer), Refused)
)]
pub(crate) async fn record(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<ForecastRequest>,
) -> Result<Response, Problem> {
    let answer = answer(&server, &caller, ForecastRequest { record: true, ..asked }).await?;
    counter!("marquee_forecasts_recorded_total").increment(1);
    let object = answer.recorded.as_ref().map_or_else(String::new, |entry| format!("track:{}", entry.seq));
    let after = serde_json::to_value(&answer.recorded).ok();
    Ok(deed((StatusCode::CREATED, Json(answer)).into_response(), object, None, after))
}

async fn answer(server: &Server, caller: &Caller, asked: ForecastRequest) -> Result<ForecastAnswer, Problem> {
    let question = Question {
        about: asked.inquiry(server.today(), server.settings.seed)?,
        fan: asked.fan,
        what_if: asked.what_if.map(|changes| changes.read()).transpose()?.unwrap_or_default(),
        record: asked.record,
        deal: server.deal.clone(),
        now: server.now(),
    };
    let found = foretell(&server.workspace, question, &Control::default(), &caller.permit).await?;
    let labels = [("horizon", found.forecast.horizon.as_str()), ("target", found.forecast.target.as_str())];
    counter!("marquee_forecasts_total", &labels).increment(1);
    Ok(ForecastAnswer::from(&found))
}

/// The ranges of many projects, without reasons: for screening.
#[utoipa::path(
    post, path = "/api/v1/outlooks", tag = "forecasts", request_body = OutlookRequest,
    responses((status = 200, body = [Outlook]), Refused)
)]
pub(crate) async fn outlook(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<OutlookRequest>,
) -> Result<Json<Vec<Outlook>>, Problem> {
    let outlooks = asked.read(server.today(), server.settings.seed)?;
    let names: Vec<String> = outlooks.projects.iter().map(|project| project.name.clone()).collect();
    let found = screen(&server.workspace, outlooks, &Control::default(), &caller.permit).await?;
    let one = |(name, range)| Outlook { name, quantiles: Quantiles::from(range) };
    Ok(Json(names.into_iter().zip(&found).map(one).collect()))
}

/// When a title or a project had best open: weekend by weekend, against the competition as known.
#[utoipa::path(
    post, path = "/api/v1/dates", tag = "forecasts", request_body = DatesRequest,
    responses((status = 200, body = Dates), Refused)
)]
pub(crate) async fn dates(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<DatesRequest>,
) -> Result<Json<Dates>, Problem> {
    let about = asked.inquiry(server.today(), server.settings.seed)?;
    let [from, to] = asked.ends()?;
    let target = about.target;
    let question = DatesQuestion { about, from, to };
    let found = best_dates(&server.workspace, question, &Control::default(), &caller.permit).await?;
    Ok(Json(Dates::of(target, &found)))
}

/// On what a forecast hangs most.
#[utoipa::path(
    post, path = "/api/v1/sensitivities", tag = "forecasts", request_body = SensitivityRequest,
    responses((status = 200, body = Sensitivity), Refused)
)]
pub(crate) async fn sensitivity(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<SensitivityRequest>,
) -> Result<Json<Sensitivity>, Problem> {
    let about = asked.inquiry(server.today(), server.settings.seed)?;
    let found = swings(&server.workspace, about, &Control::default(), &caller.permit).await?;
    Ok(Json(Sensitivity::from(&found)))
}
