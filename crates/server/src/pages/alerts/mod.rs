//! `/alerts`: what rules found and nobody has seen to yet, what is over, the rules, and the channels that hear of it.
//!
//! The forms offer what a rule is usually told; the API takes all of it. What is secret of a channel goes in and is never
//! shown.

mod shown;
#[cfg(test)]
mod tests;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use marquee_app::platform::{Action, AlertFilter, Class};
use marquee_app::use_cases::alerts::{self, Draft};
use marquee_app::work::Watching;
use serde_json::{Map, Value, json};

use super::layout::{Nav, Page, page};
use super::params::Params;
use crate::api::alerts::told;
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;
use crate::wire::alerts::ChannelBody;
use shown::{Shown, body};

/// Alerts that are shown: those that are open, and those that are over.
const OPEN: usize = 100;
const OVER: usize = 20;

type Pairs = Result<Form<Vec<(String, String)>>, FormRejection>;

pub(super) fn routes(routes: Routes) -> Routes {
    let (read, plan, administer) =
        (Rule::May(Action::Read), Rule::May(Action::Plan), Rule::May(Action::Administer));
    routes
        .get("/alerts", read, show)
        .form("/alerts/{id}/acknowledge", read, "alert.acknowledge", acknowledge)
        .form("/alerts/look", administer, "alerts.look", look)
        .form("/alerts/rules", plan, "alert_rule.create", create_rule)
        .form("/alerts/rules/{id}/switch", plan, "alert_rule.update", switch_rule)
        .form("/alerts/rules/{id}/remove", plan, "alert_rule.remove", remove_rule)
        .form("/alerts/channels", administer, "alert_channel.create", create_channel)
        .form("/alerts/channels/{id}/test", administer, "alert_channel.test", test_channel)
        .form("/alerts/channels/{id}/remove", administer, "alert_channel.remove", remove_channel)
}

async fn show(State(server): State<Server>, caller: Caller) -> Result<Response, Problem> {
    whole(&server, &caller, None).await
}

/// The page, with what was wrong with a form.
async fn whole(server: &Server, caller: &Caller, wrong: Option<&str>) -> Result<Response, Problem> {
    let (office, permit) = (&server.office, &caller.permit);
    let only = |open| AlertFilter { open: Some(open), rule: None };
    let shown = Shown {
        open: alerts::list(office, &only(true), (None, OPEN), permit).await?.alerts,
        over: alerts::list(office, &only(false), (None, OVER), permit).await?.alerts,
        rules: alerts::rules(office, permit).await?,
        channels: match permit.may(Action::Plan) {
            true => alerts::channels(office, permit).await?,
            false => Vec::new(),
        },
    };
    let body = body(caller, &shown, wrong, server.now());
    let mut answer = page(caller, Page { title: "Alerts", nav: Some(Nav::Alerts) }, body).into_response();
    // Reading confidential ones is written to the audit.
    let sensitive = alerts::are_sensitive(&shown.open) || alerts::are_sensitive(&shown.over);
    answer.extensions_mut().insert(Deed { object: "alerts:list".to_owned(), sensitive, ..Deed::default() });
    Ok(answer)
}

async fn acknowledge(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    alerts::acknowledge(&server.office, &id, server.now(), &caller.permit).await?;
    Ok(back(Deed { object: format!("alert:{id}"), ..Deed::default() }))
}

async fn look(State(server): State<Server>) -> Result<Response, Problem> {
    let job = server.office.jobs.enqueue(Watching::job(), server.now()).await?;
    Ok(back(Deed { object: format!("job:{job}"), ..Deed::default() }))
}

async fn create_rule(State(server): State<Server>, caller: Caller, form: Pairs) -> Result<Response, Problem> {
    let made = match draft(pairs(form)?) {
        Ok(draft) => alerts::create_rule(&server.office, draft, server.now(), &caller.permit).await,
        Err(wrong) => return refused(&server, &caller, &wrong).await,
    };
    match made.map_err(Problem::from) {
        Ok(rule) => Ok(back(Deed {
            object: format!("alert-rule:{}", rule.id),
            after: told(&rule),
            ..Deed::default()
        })),
        Err(problem) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            refused(&server, &caller, problem.detail()).await
        }
        Err(problem) => Err(problem),
    }
}

/// Switches a rule off or on; from then on it looks in the name of whoever did so.
async fn switch_rule(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let all = alerts::rules(&server.office, &caller.permit).await?;
    let rule = all.into_iter().find(|rule| rule.id == id);
    let plan = rule.ok_or_else(|| Problem::not_found(format!("there is no alert rule `{id}`")))?.plan;
    let draft = Draft {
        label: plan.label,
        kind: plan.kind,
        settings: plan.settings,
        team: plan.team,
        class: plan.class,
        channels: plan.channels,
        enabled: !plan.enabled,
    };
    let enabled = draft.enabled;
    alerts::update_rule(&server.office, &id, draft, server.now(), &caller.permit).await?;
    let (object, after) = (format!("alert-rule:{id}"), Some(json!({ "enabled": enabled })));
    Ok(back(Deed { object, after, ..Deed::default() }))
}

async fn remove_rule(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let before = alerts::remove_rule(&server.office, &id, server.now(), &caller.permit).await?;
    Ok(back(Deed { object: format!("alert-rule:{id}"), before: told(&before), ..Deed::default() }))
}

async fn create_channel(
    State(server): State<Server>,
    caller: Caller,
    form: Pairs,
) -> Result<Response, Problem> {
    let params = Params::of(pairs(form)?);
    let given = |key| Some(params.get(key).to_owned()).filter(|text| !text.is_empty());
    let body = ChannelBody {
        // Two fields of one page may not be called the same.
        label: params.get("channel-label").to_owned(),
        shape: params.get("shape").to_owned(),
        url: given("url"),
        secret: given("secret"),
        routing_key: given("routing_key"),
    };
    let new = match body.read(None) {
        Ok(new) => new,
        Err(wrong) => return refused(&server, &caller, &wrong).await,
    };
    let made = alerts::create_channel(&server.office, &new, server.now(), &caller.permit).await;
    match made.map_err(Problem::from) {
        Ok(channel) => {
            let after = json!({ "label": channel.label, "shape": channel.shape });
            let object = format!("alert-channel:{}", channel.id);
            Ok(back(Deed { object, after: Some(after), ..Deed::default() }))
        }
        Err(problem) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            refused(&server, &caller, problem.detail()).await
        }
        Err(problem) => Err(problem),
    }
}

async fn test_channel(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    alerts::test_channel(&server.office, &id, server.now(), &caller.permit).await?;
    Ok(back(Deed { object: format!("alert-channel:{id}"), ..Deed::default() }))
}

async fn remove_channel(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    alerts::remove_channel(&server.office, &id, &caller.permit).await?;
    Ok(back(Deed { object: format!("alert-channel:{id}"), ..Deed::default() }))
}

/// Back to the page, once it is done.
fn back(deed: Deed) -> Response {
    let mut response = Redirect::to("/alerts").into_response();
    response.extensions_mut().insert(deed);
    response
}

/// The page again, with what was wrong.
async fn refused(server: &Server, caller: &Caller, wrong: &str) -> Result<Response, Problem> {
    let mut again = whole(server, caller, Some(wrong)).await?;
    *again.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(again)
}

fn pairs(form: Pairs) -> Result<Vec<(String, String)>, Problem> {
    let form = form.map_err(|_| Problem::bad("not_a_form", "this is not what the form sends"))?;
    Ok(form.0)
}

/// The rule that a form asks for.
fn draft(pairs: Vec<(String, String)>) -> Result<Draft, String> {
    let channels = pairs.iter().filter(|(key, _)| key == "channel").map(|(_, id)| id.clone()).collect();
    let params = Params::of(pairs);
    let class = params.get("class").parse::<Class>().map_err(|error| error.to_string())?;
    Ok(Draft {
        label: params.get("label").to_owned(),
        kind: params.get("kind").to_owned(),
        settings: settings(&params)?,
        team: params.get("team").to_owned(),
        class,
        channels,
        enabled: true,
    })
}

/// What a kind is told, from a bound and a subject.
fn settings(params: &Params) -> Result<Value, String> {
    let bound = || params.number::<f64>("bound").filter(|x| x.is_finite()).ok_or("Bound: give a number.");
    let share = || bound().map(|bound| bound / 100.0);
    let mut told = Map::new();
    let subject = match params.get("kind") {
        "loss_probability" => {
            told.insert("above".to_owned(), json!(share()?));
            Some("document")
        }
        "opening_below" => {
            told.insert("quantile".to_owned(), json!(share()?));
            None
        }
        "coverage" => {
            told.insert("below".to_owned(), json!(share()?));
            told.insert("least".to_owned(), json!(20));
            None
        }
        "data_quality" => {
            told.insert("refused_share_above".to_owned(), json!(share()?));
            Some("source")
        }
        "stale" => {
            told.insert("days".to_owned(), json!(bound()?.clamp(0.0, 36_500.0) as u32));
            Some("source")
        }
        "drift" => {
            told.insert("horizon".to_owned(), json!("greenlight"));
            told.insert("target".to_owned(), json!("worldwide"));
            told.insert("population".to_owned(), json!("funded"));
            None
        }
        _ => return Err("What to look for: choose one.".to_owned()),
    };
    if let Some(key) = subject.filter(|_| !params.get("subject").is_empty()) {
        told.insert(key.to_owned(), json!(params.get("subject")));
    }
    Ok(Value::Object(told))
}
