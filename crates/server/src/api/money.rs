//! What projects are worth, which to fund, and what could go wrong.

use axum::Json;
use axum::extract::State;
use marquee_app::use_cases::allocate::allocate as spread;
use marquee_app::use_cases::frontier::frontier as efficient;
use marquee_app::use_cases::option::option as stage;
use marquee_app::use_cases::slate::slate as choose;
use marquee_app::use_cases::stress::stress as shake;
use marquee_app::use_cases::value::value as weigh;
use marquee_domain::Control;

use crate::api::{Body, Refused};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::Terms;
use crate::wire::money::{
    AllocateRequest, Allocated, OptionAnswer, OptionRequest, StressAnswer, StressRequest, Valuations,
    ValueRequest,
};
use crate::wire::slate::{FrontierAnswer, FrontierRequest, SlateAnswer, SlateRequest};

fn terms(server: &Server) -> Terms {
    Terms { deal: server.deal.clone(), today: server.today(), seed: server.settings.seed }
}

/// Which projects to fund under a budget and rules. An infeasible wish is an answer that names the smallest fixes.
#[utoipa::path(
    post, path = "/api/v1/slates", tag = "money", request_body = SlateRequest,
    responses((status = 200, body = SlateAnswer), Refused)
)]
pub(crate) async fn slate(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<SlateRequest>,
) -> Result<Json<SlateAnswer>, Problem> {
    let brief = asked.read(terms(&server))?;
    let chosen = choose(&server.workspace, brief, &Control::default(), &caller.permit).await?;
    Ok(Json(SlateAnswer::from(&chosen)))
}

/// Efficient slates, from the least risk to the largest mean.
#[utoipa::path(
    post, path = "/api/v1/frontiers", tag = "money", request_body = FrontierRequest,
    responses((status = 200, body = FrontierAnswer), Refused)
)]
pub(crate) async fn frontier(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<FrontierRequest>,
) -> Result<Json<FrontierAnswer>, Problem> {
    let brief = asked.read(terms(&server))?;
    let found = efficient(&server.workspace, brief, &Control::default(), &caller.permit).await?;
    Ok(Json(FrontierAnswer::from(&found)))
}

/// What projects are worth to everybody who takes part, gross-implied.
#[utoipa::path(
    post, path = "/api/v1/values", tag = "money", request_body = ValueRequest,
    responses((status = 200, body = Valuations), Refused)
)]
pub(crate) async fn value(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<ValueRequest>,
) -> Result<Json<Valuations>, Problem> {
    let plans = asked.read(terms(&server))?;
    let deal = plans.deal.name().to_owned();
    let found = weigh(&server.workspace, plans, &Control::default(), &caller.permit).await?;
    Ok(Json(Valuations::under(&deal, &found)))
}

/// What becomes of projects when events happen for certain, or forecasts are biased.
#[utoipa::path(
    post, path = "/api/v1/stresses", tag = "money", request_body = StressRequest,
    responses((status = 200, body = StressAnswer), Refused)
)]
pub(crate) async fn stress(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<StressRequest>,
) -> Result<Json<StressAnswer>, Problem> {
    let question = asked.read(terms(&server))?;
    let found = shake(&server.workspace, question, &Control::default(), &caller.permit).await?;
    Ok(Json(StressAnswer::from(found.as_slice())))
}

/// What a project is worth where one may decide stage by stage.
#[utoipa::path(
    post, path = "/api/v1/options", tag = "money", request_body = OptionRequest,
    responses((status = 200, body = OptionAnswer), Refused)
)]
pub(crate) async fn option(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<OptionRequest>,
) -> Result<Json<OptionAnswer>, Problem> {
    let question = asked.read(terms(&server))?;
    let found = stage(&server.workspace, question, &Control::default(), &caller.permit).await?;
    Ok(Json(OptionAnswer::from(&found)))
}

/// How much to spend on development, production and marketing, and how little the data say about it.
#[utoipa::path(
    post, path = "/api/v1/allocations", tag = "money", request_body = AllocateRequest,
    responses((status = 200, body = Allocated), Refused)
)]
pub(crate) async fn allocate(
    State(server): State<Server>,
    caller: Caller,
    Body(asked): Body<AllocateRequest>,
) -> Result<Json<Allocated>, Problem> {
    let question = asked.read(terms(&server))?;
    let found = spread(&server.workspace, question, &Control::default(), &caller.permit).await?;
    Ok(Json(Allocated::from(&found)))
}
