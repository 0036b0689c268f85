//! The API under `/api/v1`: a file for each subject, and the table of its routes. Health, measurements and the API's own
//! description lie beside it.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod audit;
mod cursor;
mod data;
pub(crate) mod describe;
mod documents;
pub(crate) mod entry;
mod films;
mod health;
pub(crate) mod jobs;
mod money;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::request::Parts;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::routes::{Face, Routes, Rule};
use crate::server::Server;
use marquee_app::platform::Action;

/// The table of the API's routes.
pub(crate) fn routes(server: &Server) -> Routes {
    let may = Rule::May;
    Routes::new(server, Face::Api, describe::document())
        .get("/api/openapi.json", Rule::Open, describe::openapi)
        .get("/health/live", Rule::Open, health::live)
        .get("/health/ready", Rule::Open, health::ready)
        .get("/metrics", Rule::Open, health::metrics)
        .act("account.set_up", Rule::Open, routes!(entry::set_up))
        .act("account.log_in", Rule::Open, routes!(entry::log_in))
        .act("account.log_out", Rule::SignedIn, routes!(entry::log_out))
        .ask(Rule::SignedIn, routes!(accounts::me))
        .act("account.password", Rule::SignedIn, routes!(accounts::change_password))
        .ask(Rule::SignedIn, routes!(accounts::my_sessions))
        .act("session.end", Rule::SignedIn, routes!(accounts::end_session))
        .ask(Rule::SignedIn, routes!(accounts::my_tokens))
        .act("token.issue", Rule::SignedIn, routes!(accounts::issue_token))
        .act("token.revoke", Rule::SignedIn, routes!(accounts::revoke_token))
        .ask(may(Action::Administer), routes!(accounts::list))
        .act("account.create", may(Action::Administer), routes!(accounts::create))
        .ask(may(Action::Administer), routes!(accounts::one))
        .act("account.update", may(Action::Administer), routes!(accounts::update))
        .ask(may(Action::Read), routes!(films::titles))
        .ask(may(Action::Read), routes!(films::title))
        .ask(may(Action::Read), routes!(films::forecast))
        .ask(may(Action::Read), routes!(films::outlook))
        .act("forecast.record", may(Action::Record), routes!(films::record))
        .ask(may(Action::Read), routes!(films::dates))
        .ask(may(Action::Read), routes!(films::sensitivity))
        .ask(may(Action::Read), routes!(money::slate))
        .ask(may(Action::Read), routes!(money::frontier))
        .ask(may(Action::Read), routes!(money::value))
        .ask(may(Action::Read), routes!(money::stress))
        .ask(may(Action::Read), routes!(money::option))
        .ask(may(Action::Read), routes!(money::allocate))
        .ask(may(Action::Read), routes!(data::issues))
        .ask(may(Action::Read), routes!(data::sql))
        .ask(may(Action::Read), routes!(data::models))
        .ask(may(Action::Read), routes!(data::model))
        .ask(may(Action::Read), routes!(data::features))
        .ask(may(Action::Read), routes!(data::track))
        .ask(may(Action::Read), routes!(documents::list))
        .act("document.create", may(Action::Plan), routes!(documents::create))
        .ask(may(Action::Read), routes!(documents::one))
        .ask(may(Action::Read), routes!(documents::revisions))
        .act("document.update", may(Action::Plan), routes!(documents::update))
        .act("document.remove", may(Action::Plan), routes!(documents::remove))
        .act("data.ingest", may(Action::Ingest), routes!(jobs::ingest))
        .act("models.train", may(Action::Train), routes!(jobs::train))
        .ask(Rule::SignedIn, routes!(jobs::list))
        .ask(Rule::SignedIn, routes!(jobs::events))
        .ask(Rule::SignedIn, routes!(jobs::one))
        .ask(Rule::SignedIn, routes!(jobs::log))
        .act("job.cancel", Rule::SignedIn, routes!(jobs::cancel))
        .act("job.retry", Rule::SignedIn, routes!(jobs::retry))
        .ask(may(Action::Read), routes!(alerts::list))
        .act("alert.acknowledge", may(Action::Read), routes!(alerts::acknowledge))
        .act("alerts.look", may(Action::Administer), routes!(alerts::look))
        .ask(may(Action::Read), routes!(alerts::rules))
        .act("alert_rule.create", may(Action::Plan), routes!(alerts::create_rule))
        .act("alert_rule.update", may(Action::Plan), routes!(alerts::update_rule))
        .act("alert_rule.remove", may(Action::Plan), routes!(alerts::remove_rule))
        .ask(may(Action::Plan), routes!(alerts::channels))
        .act("alert_channel.create", may(Action::Administer), routes!(alerts::create_channel))
        .act("alert_channel.update", may(Action::Administer), routes!(alerts::update_channel))
        .act("alert_channel.remove", may(Action::Administer), routes!(alerts::remove_channel))
        .act("alert_channel.test", may(Action::Administer), routes!(alerts::test_channel))
        .ask(may(Action::Audit), routes!(audit::search))
        .ask(may(Action::Audit), routes!(audit::export))
}

/// Why a request was not done.
#[derive(utoipa::IntoResponses)]
#[response(status = "4XX", description = "Why it was not done", content_type = "application/problem+json")]
#[allow(dead_code)] // it stands for what `Problem` answers, in the description alone
pub(crate) struct Refused(Problem);

/// A JSON body; what is wrong with one is said as a problem.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refuse(&rejection)),
        }
    }
}

/// A whole number that cannot be below zero.
pub(crate) fn whole(name: &str, number: Option<i64>) -> Result<Option<u64>, Problem> {
    let below = |_| Problem::unfit("invalid_value", format!("{name}: it cannot be below zero"));
    number.map(u64::try_from).transpose().map_err(below)
}

/// The question in an address; what is wrong with one is said as a problem.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Problem::unfit("invalid_query", rejection.body_text())),
        }
    }
}

fn refuse(rejection: &JsonRejection) -> Problem {
    let code = match rejection {
        JsonRejection::JsonDataError(_) => "invalid_body",
        JsonRejection::JsonSyntaxError(_) => "invalid_json",
        JsonRejection::MissingJsonContentType(_) => "not_json",
        _ => "unreadable_body",
    };
    Problem::new(rejection.status(), code, rejection.body_text())
}
