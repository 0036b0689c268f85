//! `/slate`: which films to fund. Projects from a text, a file or documents, a budget, what is good, and limits; then the
//! slate with its reasons, what would come next, the frontier, and what becomes of it under stress.
//!
//! The question is put into the page as the API's own request, and each part of the answer is asked for with it, so that
//! parts come when they are ready and what is kept is worked out here again.

mod answer;
mod form;

use axum::Form;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::FormRejection;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use marquee_app::platform::{Action, AuditEntry, AuditOutcome, DocumentHeader};
use marquee_app::use_cases::documents::{self, Draft};
use marquee_app::use_cases::frontier::{self, frontier};
use marquee_app::use_cases::slate::slate;
use marquee_app::use_cases::stress::{Question as StressQuestion, stress};
use marquee_domain::{Class, Control, Held};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{Field, Tone, choice, field, head, notice};
use super::words::capital;
use crate::guard::{Caller, Deed, Origin};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;
use crate::wire::Terms;
use crate::wire::slate::{SlateAnswer, SlateRequest};
use form::{Inputs, Kept, strictest};

/// Kept projects that are offered.
const OFFERED: usize = 60;
/// At how many caps on risk a slate is looked for.
const POINTS: usize = 12;
const PAGE: Page<'static> = Page { title: "Slate", nav: Some(Nav::Slate) };

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes
        .get("/slate", read, show)
        .post("/slate", read, ask)
        .post("/slate/answer", read, show_answer)
        .post("/slate/frontier", read, show_frontier)
        .post("/slate/stress", read, show_stress)
        .form("/slate/keep", Rule::May(Action::Plan), "document.create", keep)
}

/// The question as the page carries it.
#[derive(Debug, Deserialize)]
struct Carried {
    question: String,
    #[serde(default)]
    class: String,
    #[serde(default)]
    name: String,
}

impl Carried {
    fn request(&self) -> Result<SlateRequest, Problem> {
        serde_json::from_str(&self.question).map_err(|error| Problem::bad("invalid_body", error.to_string()))
    }
}

async fn show(State(server): State<Server>, caller: Caller, params: Params) -> Result<Markup, Problem> {
    let kept = offered(&server, &caller).await?;
    let (inputs, right) = match params.get("example") {
        "ten" => {
            let inputs = Inputs::ten();
            let right = asked(&inputs.request(vec![])?, Class::Internal)?;
            (inputs, right)
        }
        _ => (Inputs::usual(), html! { (kept_notice(params.get("kept"))) (begin()) }),
    };
    Ok(whole(&caller, &inputs, &kept, right))
}

/// Reads the form, and answers with a page that asks for the parts of the answer.
async fn ask(
    State(server): State<Server>,
    caller: Caller,
    origin: Origin,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<Markup, Problem> {
    let parts =
        parts.map_err(|rejection| Problem::new(rejection.status(), "not_a_form", rejection.body_text()))?;
    let inputs = received(parts).await?;
    let kept = offered(&server, &caller).await?;
    let right = match question(&server, &caller, &origin, &inputs).await {
        Ok((request, class)) => asked(&request, class)?,
        Err(problem) if problem.status().is_server_error() => return Err(problem),
        Err(problem) => faulty(problem.detail()),
    };
    Ok(whole(&caller, &inputs, &kept, right))
}

async fn received(mut parts: Multipart) -> Result<Inputs, Problem> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        Problem::new(error.status(), "broken_upload", error.body_text())
    };
    let mut inputs = Inputs::default();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let text = part.text().await.map_err(broken)?;
        if !inputs.put(&name, &text) {
            return Err(Problem::unfit("unknown_field", format!("the form has no field `{name}`")));
        }
    }
    Ok(inputs)
}

/// The request that a form means, and the strictest class of what it rests on.
async fn question(
    server: &Server,
    caller: &Caller,
    origin: &Origin,
    inputs: &Inputs,
) -> Result<(SlateRequest, Class), Problem> {
    let (mut bodies, mut classes) = (Vec::new(), Vec::new());
    for id in &inputs.kept {
        let document = documents::get(&server.office, id, None, &caller.permit).await?;
        if documents::is_sensitive(&document.header) {
            note_reading(server, caller, origin, &document.header).await?;
        }
        classes.push(document.header.class);
        bodies.push(document.body);
    }
    let request = inputs.request(bodies)?;
    // What cannot be meant is said beside the form, and not in each part of the answer.
    request.clone().read(terms(server))?;
    Ok((request, strictest(classes.iter().map(String::as_str))))
}

/// Whoever reads something confidential is named for it, once for each document.
async fn note_reading(
    server: &Server,
    caller: &Caller,
    origin: &Origin,
    header: &DocumentHeader,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        who: caller.account.name.clone(),
        account: Some(caller.account.id.to_string()),
        action: "sensitive.read".to_owned(),
        object: format!("{}:{}", header.kind, header.id),
        from: Some(origin.address.to_string()),
        request: Some(origin.request.clone()),
        outcome: AuditOutcome::Done,
        before: None,
        after: None,
        sensitive: true,
    };
    server.office.audit.record(entry, server.now()).await?;
    Ok(())
}

fn terms(server: &Server) -> Terms {
    Terms { deal: server.deal.clone(), today: server.today(), seed: server.settings.seed }
}

async fn offered(server: &Server, caller: &Caller) -> Result<Vec<Kept>, Problem> {
    let found = documents::list(&server.office, "project", (None, OFFERED), &caller.permit).await?;
    Ok(found.documents.into_iter().map(|d| Kept { id: d.id, name: d.name, class: d.class }).collect())
}

async fn show_answer(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    carried: Result<Form<Carried>, FormRejection>,
) -> Result<Markup, Problem> {
    let request = read(carried)?.request()?;
    let budget = request.budget.clone();
    let asked = serde_json::to_value(&request).map_err(|error| Problem::internal(&error))?;
    let found =
        slate(&server.workspace, request.read(terms(&server))?, &Control::default(), &caller.permit).await?;
    let budget = budget.money().map_err(|error| Problem::unfit("invalid_value", error.to_string()))?;
    let inside = answer::whole(&found, budget.major(), &asked);
    // On a page of its own the answer's further parts ask with the question too.
    Ok(match wants {
        Wants::Fragment => inside,
        Wants::Page => framed(wants, &caller, html! { (question_form(&asked.to_string())) (inside) }),
    })
}

async fn show_frontier(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    carried: Result<Form<Carried>, FormRejection>,
) -> Result<Markup, Problem> {
    let brief = read(carried)?.request()?.read(terms(&server))?;
    let brief = frontier::Brief {
        plans: brief.plans,
        rules: brief.rules,
        points: POINTS,
        time_limit: brief.time_limit,
    };
    let found = frontier(&server.workspace, brief, &Control::default(), &caller.permit).await?;
    Ok(framed(wants, &caller, answer::frontier(&found)))
}

async fn show_stress(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    carried: Result<Form<Carried>, FormRejection>,
) -> Result<Markup, Problem> {
    let plans = read(carried)?.request()?.read(terms(&server))?.plans;
    let question = StressQuestion { plans, tests: Vec::new() };
    let found = stress(&server.workspace, question, &Control::default(), &caller.permit).await?;
    Ok(framed(wants, &caller, answer::stressed(&found)))
}

/// Keeps the question with its answer, which is worked out again: what a browser says an answer was is not believed.
async fn keep(
    State(server): State<Server>,
    caller: Caller,
    carried: Result<Form<Carried>, FormRejection>,
) -> Result<Response, Problem> {
    let carried = read(carried)?;
    let request = carried.request()?;
    let asked = serde_json::to_value(&request).map_err(|error| Problem::internal(&error))?;
    let found =
        slate(&server.workspace, request.read(terms(&server))?, &Control::default(), &caller.permit).await?;
    let class = carried.class.parse::<Class>();
    let class = class.map_err(|error| Problem::unfit("invalid_value", format!("class: {error}")))?;
    let lake = server.workspace.held(&caller.permit).await?;
    // A slate is held at least as strictly as the data that it rests on.
    let held = match lake.class > class {
        true => lake,
        false => Held { class, team: caller.account.team.clone() },
    };
    let body = json!({ "question": asked, "answer": SlateAnswer::from(&found) });
    let name = carried.name.trim().to_owned();
    let draft = Draft { name, held, nda: None, body };
    let header = documents::create(&server.office, "slate", &draft, server.now(), &caller.permit).await?;
    let place = format!("/slate?kept={}", header.id);
    let mut response = Redirect::to(&place).into_response();
    let after = json!({ "name": header.name, "class": header.class, "team": header.team });
    let object = format!("slate:{}", header.id);
    response.extensions_mut().insert(Deed { object, after: Some(after), ..Deed::default() });
    Ok(response)
}

fn read(carried: Result<Form<Carried>, FormRejection>) -> Result<Carried, Problem> {
    let Form(carried) =
        carried.map_err(|rejection| Problem::new(rejection.status(), "not_a_form", rejection.body_text()))?;
    Ok(carried)
}

#[allow(clippy::needless_pass_by_value)] // what is inside is rendered once
fn framed(wants: Wants, caller: &Caller, inside: Markup) -> Markup {
    match wants {
        Wants::Fragment => inside,
        Wants::Page => page(caller, PAGE, html! { (head("Slate", None)) (inside) }),
    }
}

fn begin() -> Markup {
    html! {
        div.nothing {
            strong { "Nothing is asked yet" }
            p { "Give some projects and a budget: the answer is the best slate that keeps the limits, why each film is in or out, what more money would bring, and what could go wrong." }
            a.button.main href="/slate?example=ten" { "Try the ten example projects" }
        }
    }
}

/// That a slate was kept, after it was.
fn kept_notice(id: &str) -> Markup {
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return html! {};
    }
    notice(
        Tone::Good,
        html! { p role="status" { strong { "The slate is kept. " } "It stands on " a href="/" { "the first page" } ", and programs find it under " code { "/api/v1/documents/" (id) } "." } },
    )
}

fn faulty(detail: &str) -> Markup {
    notice(Tone::Bad, html! { p { strong { "This cannot be asked" } } pre.kept { (capital(detail)) } })
}

/// The question as a form of the page, with which the parts of its answer are asked for.
fn question_form(question: &str) -> Markup {
    html! { form id="question" method="post" action="/slate/answer" { input type="hidden" name="question" value=(question); } }
}

/// The question, carried in the page, and the places of its answers.
fn asked(request: &SlateRequest, class: Class) -> Result<Markup, Problem> {
    let question = serde_json::to_string(request).map_err(|error| Problem::internal(&error))?;
    Ok(html! {
        (question_form(&question))
        (answer::later("slate", "question", "/slate/answer", "Forecasting each film and choosing"))
        section.no-print {
            h2 { "Keep it" }
            form.form method="post" action="/slate/keep" {
                input type="hidden" name="question" value=(question);
                div.pair {
                    (field(&Field { required: true, ..Field::text("name", "Name", "") }))
                    (choice("class", "Class", &[("internal", "Internal"), ("confidential", "Confidential"), ("public", "Public")], class.as_str()))
                }
                @if class > Class::Internal { p.small.soft { "It rests on projects of class " (class.as_str()) ": keep it no less closely." } }
                div.row { button.button type="submit" { "Keep the slate" } }
            }
        }
    })
}

#[allow(clippy::needless_pass_by_value)] // the answer is rendered once
fn whole(caller: &Caller, inputs: &Inputs, kept: &[Kept], right: Markup) -> Markup {
    page(
        caller,
        PAGE,
        html! {
            (head("Slate", Some("Which films to fund under a budget: by joint outcomes of all candidates, with the risk that they share. Profit is gross-implied.")))
            @if inputs.text.is_empty() { p { a.button href="/slate?example=ten" { "Try the ten example projects" } } }
            div.columns.inputs.slate {
                div.inputs { (form::form(inputs, kept)) }
                div.stack { (right) }
            }
        },
    )
}

/// The question again with some of its projects alone, and without rules that name others.
pub(super) fn narrowed(asked: &Value, names: &[&str]) -> Value {
    let mut narrowed = asked.clone();
    if let Some(projects) = narrowed["projects"].as_array_mut() {
        projects.retain(|project| project["name"].as_str().is_some_and(|name| names.contains(&name)));
    }
    narrowed["rules"] = json!({});
    narrowed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::check::{self, somebody};
    use super::*;

    #[test]
    fn the_page_is_sound_before_and_after_asking() {
        let hostile = "<script>alert(1)</script>".to_owned();
        let kept = [Kept { id: "1".to_owned(), name: hostile.clone(), class: "confidential".to_owned() }];
        let mut inputs = Inputs::ten();
        assert!(inputs.put("must_have", &hostile));
        let right = asked(&inputs.request(vec![]).unwrap(), Class::Confidential).unwrap();
        for (inputs, right) in
            [(Inputs::usual(), begin()), (inputs.clone(), right), (inputs, faulty(&hostile))]
        {
            let text = whole(&somebody("Ana"), &inputs, &kept, right).into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert"), "{text}");
        }
    }

    #[test]
    fn a_question_narrows_to_what_was_chosen() {
        let request = serde_json::to_value(Inputs::ten().request(vec![]).unwrap()).unwrap();
        let narrowed = narrowed(&request, &["Cellar Door"]);
        assert_eq!(narrowed["projects"].as_array().map(Vec::len), Some(1));
        assert!(serde_json::from_value::<SlateRequest>(narrowed).is_ok());
    }
}
