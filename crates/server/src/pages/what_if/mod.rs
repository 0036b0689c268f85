//! `/what-if`: inputs on the left, the answer on the right. A title of the catalogue with something about it changed, or a
//! project that is not in it. Changing anything asks again; without scripts the button does.

mod answer;
mod plan;

use axum::extract::{Query, State};
use axum::http::Uri;
use marquee_app::asked::Asked;
use marquee_app::forecasting::Inquiry;
use marquee_app::knowledge::Reach;
use marquee_app::platform::Action;
use marquee_app::use_cases::forecast::{Answer, Question, forecast};
use marquee_app::{AppError, cpu};
use marquee_domain::{Control, Day, FactKind, FactValue, Population, Target};
use maud::{Markup, html};

use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{Field, Tone, choice, crumbs, field, later, nothing, notice, query};
use super::words::{self, capital, date};
use crate::guard::{Caller, encode};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;
use plan::{Fault, Plan, WORDS};

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes.get("/what-if", read, show).get("/what-if/answer", read, show_answer)
}

/// The targets that can be chosen.
const TARGETS: [Target; 3] = [Target::Worldwide, Target::Domestic, Target::Opening];
/// Words of a kind that are offered in a field.
const OFFERED: usize = 80;

/// Which words stand beside each other in the form.
const ROWS: [&[&str]; 5] =
    [&["genres"], &["directors"], &["cast"], &["language", "age_rating"], &["franchise", "distributor"]];

/// What the plan in the form is held against.
#[derive(Debug, Clone)]
enum Base {
    /// A title of the catalogue as it was known on the day.
    Title { id: String, name: String, as_of: Day, plan: Plan },
    /// A project as it was when somebody kept it.
    Project { kept: String, plan: Plan },
    /// Nothing yet.
    None,
}

/// What is asked.
#[derive(Debug, Clone)]
struct Inputs {
    target: Target,
    as_of: Option<Day>,
    base: Base,
    plan: Plan,
    faults: Vec<Fault>,
}

impl Inputs {
    async fn read(server: &Server, caller: &Caller, params: &Params) -> Result<Self, Problem> {
        let (target, as_of) = (params.target(), params.day("as_of"));
        let base = match (params.get("title"), params.get("base")) {
            ("", "") => Base::None,
            ("", kept) => Base::Project {
                kept: kept.to_owned(),
                plan: Plan::read(&kept_params(kept), &Plan::default()).0,
            },
            (title, _) => title_base(server, caller, title, target, as_of).await?,
        };
        let so_far = match &base {
            Base::Title { plan, .. } => plan.clone(),
            Base::Project { .. } | Base::None => Plan::default(),
        };
        let (plan, faults) = Plan::read(params, &so_far);
        Ok(Self { target, as_of, base, plan, faults })
    }

    /// The pairs of the form that make this plan again.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let keys = ["name", "budget", "marketing", "release", "runtime", "opening_theatres"];
        let keys = keys.into_iter().chain(WORDS.iter().map(|(key, ..)| *key));
        keys.map(|key| (key, self.plan.text(key))).collect()
    }

    /// The address of this question, at a part of the page.
    fn address(&self, path: &str) -> String {
        let mut pairs = self.pairs();
        let as_of = self.as_of.map_or_else(String::new, |day| day.to_string());
        pairs.extend([("target", self.target.as_str().to_owned()), ("as_of", as_of)]);
        match &self.base {
            Base::Title { id, .. } => {
                // What is left empty was emptied: of a title that is told too.
                pairs.push(("title", id.clone()));
                let told: Vec<String> =
                    pairs.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
                return format!("{path}?{}", told.join("&"));
            }
            Base::Project { kept, .. } => pairs.push(("base", kept.clone())),
            Base::None => {}
        }
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
        query(path, &pairs)
    }

    /// The address on which this plan is what further changes are held against.
    fn keeping(&self) -> String {
        let pairs = self.pairs();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let kept = query("", &pairs);
        let base = Base::Project { kept: kept.trim_start_matches('?').to_owned(), plan: self.plan.clone() };
        Self { base, ..self.clone() }.address("/what-if")
    }

    fn inquiry(&self, server: &Server, asked: Asked, population: Option<Population>) -> Inquiry {
        let as_of = match &self.base {
            Base::Title { as_of, .. } => Some(*as_of),
            Base::Project { .. } | Base::None => self.as_of,
        };
        Inquiry {
            asked,
            as_of,
            target: self.target,
            population,
            today: server.today(),
            seed: server.settings.seed,
        }
    }
}

fn kept_params(kept: &str) -> Params {
    let uri = format!("/?{kept}").parse::<Uri>();
    let pairs = uri.ok().and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    Params::of(pairs.map(|Query(pairs)| pairs).unwrap_or_default())
}

/// A title as a plan: as it was known on the day.
async fn title_base(
    server: &Server,
    caller: &Caller,
    title: &str,
    target: Target,
    as_of: Option<Day>,
) -> Result<Base, Problem> {
    let asked = Asked::Title(title.to_owned());
    let (population, today, seed) = (None, server.today(), server.settings.seed);
    let inquiry = Inquiry { asked, as_of, target, population, today, seed };
    let (forecaster, found) = inquiry.open(&server.workspace, &caller.permit).await?;
    let id = found.title().map(|id| id.to_string()).unwrap_or_default();
    let name = found.name().to_owned();
    let (subject, _) = cpu::run(move || forecaster.look_at_plan(&inquiry, &found)).await?;
    let profile = &subject.profile;
    let set = |words: &std::collections::BTreeSet<std::sync::Arc<str>>| {
        words.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let one = |word: &Option<std::sync::Arc<str>>| word.iter().map(ToString::to_string).collect::<Vec<_>>();
    let words = [
        set(&profile.genres),
        one(&profile.language),
        set(&profile.directors),
        set(&profile.cast),
        one(&profile.franchise),
        one(&profile.age_rating),
        one(&profile.distributor),
    ];
    let plan = Plan {
        name: name.clone(),
        budget: profile.budget,
        marketing: None,
        release: Some(subject.release),
        runtime: profile.runtime,
        theatres: profile.theatres,
        words,
    };
    Ok(Base::Title { id, name, as_of: subject.as_of.0, plan })
}

async fn show(State(server): State<Server>, caller: Caller, params: Params) -> Result<Markup, Problem> {
    let inputs = Inputs::read(&server, &caller, &params).await?;
    let offered = offered(&server, &caller).await;
    let begun = !matches!(inputs.base, Base::None) || inputs.plan != Plan::default();
    let right = match (begun, inputs.faults.is_empty()) {
        (false, _) => begin(),
        (true, false) => faulty(&inputs.faults),
        (true, true) => later("first", &inputs.address("/what-if/answer"), "Working out the answer"),
    };
    Ok(whole(&caller, &inputs, &offered, right))
}

async fn show_answer(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    params: Params,
) -> Result<Markup, Problem> {
    let inputs = Inputs::read(&server, &caller, &params).await?;
    let body = match inputs.faults.as_slice() {
        [] => compare(&server, &caller, &inputs).await?,
        faults => faulty(faults),
    };
    Ok(match wants {
        Wants::Fragment => html! { div.old { (body) } },
        Wants::Page => whole(&caller, &inputs, &offered(&server, &caller).await, body),
    })
}

/// Asks for what is and what would be, and shows them over each other.
async fn compare(server: &Server, caller: &Caller, inputs: &Inputs) -> Result<Markup, Problem> {
    let ask = async |about: Inquiry, what_if| -> Result<Answer, AppError> {
        let question = Question {
            about,
            fan: false,
            what_if,
            record: false,
            deal: server.deal.clone(),
            now: server.now(),
        };
        forecast(&server.workspace, question, &Control::default(), &caller.permit).await
    };
    if let Base::Title { id, plan, .. } = &inputs.base {
        let changes = inputs.plan.changes(plan);
        let answer = ask(inputs.inquiry(server, Asked::Title(id.clone()), None), changes.clone()).await?;
        return Ok(answer::of_title(&answer, &changes));
    }
    let project = match inputs.plan.project() {
        Ok(project) => Box::new(project),
        Err(faults) => return Ok(faulty(&faults)),
    };
    let kept = match &inputs.base {
        Base::Project { plan, .. } => plan.project().ok().map(Box::new),
        Base::Title { .. } | Base::None => None,
    };
    let before = match kept {
        Some(kept) => Some(ask(inputs.inquiry(server, Asked::Project(kept), None), Vec::new()).await?),
        None => None,
    };
    // Both by a model of the same films.
    let population = before.as_ref().map(|before| before.forecast.population);
    let after = ask(inputs.inquiry(server, Asked::Project(project), population), Vec::new()).await?;
    Ok(answer::of_project(before.as_ref(), &after, &inputs.keeping()))
}

fn whole(caller: &Caller, inputs: &Inputs, offered: &[(FactKind, Vec<String>)], right: Markup) -> Markup {
    let title = match &inputs.base {
        Base::Title { name, .. } => format!("What if · {name}"),
        Base::Project { .. } | Base::None => "What if".to_owned(),
    };
    page(caller, Page { title: &title, nav: Some(Nav::WhatIf) }, body(inputs, offered, right))
}

#[allow(clippy::needless_pass_by_value)] // the answer is rendered once
fn body(inputs: &Inputs, offered: &[(FactKind, Vec<String>)], right: Markup) -> Markup {
    html! {
        @match &inputs.base {
            Base::Title { id, name, as_of, .. } => {
                (crumbs(&[("Titles", "/titles"), (name, &format!("/titles/{id}"))]))
                div.head {
                    h1 { "What if" }
                    p.lede { (name) ", as it was known on " (date(*as_of)) ". Change anything: the answer is by the same model, with the knowledge of the same day." }
                    p { a href="/what-if" { "Describe a project instead" } }
                }
            }
            Base::Project { .. } => { div.head { h1 { "What if" } p.lede { "A project, beside what it was when you kept it." } p { a href="/what-if" { "Begin anew" } } } }
            Base::None => { div.head { h1 { "What if" } p.lede { "Describe a project and see what it is likely to do; or open a title and change something about it." } } }
        }
        div.columns.inputs {
            div.inputs { (form(inputs, offered)) }
            div id="answer" aria-live="polite" { div.old { (right) } }
        }
    }
}

fn form(inputs: &Inputs, offered: &[(FactKind, Vec<String>)]) -> Markup {
    let error = |key: &str| inputs.faults.iter().find(|(own, _)| *own == key).map(|(_, said)| said.as_str());
    let text = |key: &'static str, label: &'static str| Field {
        error: error(key),
        ..Field::text(key, label, inputs.plan.text(key))
    };
    let of_title = matches!(inputs.base, Base::Title { .. });
    let targets: Vec<(&str, &str)> = TARGETS.iter().map(|t| (t.as_str(), words::target(*t))).collect();
    let as_of = inputs.as_of.map_or_else(String::new, |day| day.to_string());
    html! {
        form.form method="get" action="/what-if" data-live="answer" data-answer="/what-if/answer" {
            @match &inputs.base {
                Base::Title { id, .. } => {
                    input type="hidden" name="title" value=(id);
                    input type="hidden" name="as_of" value=(as_of);
                }
                Base::Project { kept, .. } => { input type="hidden" name="base" value=(kept); (field(&text("name", "Name"))) }
                Base::None => { (field(&text("name", "Name"))) }
            }
            (choice("target", "What is forecast", &targets, inputs.target.as_str()))
            div.pair {
                (field(&Field { required: true, hint: Some("As 80M or 1.5B, US dollars."), ..text("budget", "Budget") }))
                @if of_title {
                    (field(&Field { kind: "number", ..text("opening_theatres", "Opening theatres") }))
                } @else {
                    (field(&Field { hint: Some("By the deal's rule if empty."), ..text("marketing", "Marketing") }))
                }
            }
            div.pair {
                (field(&Field { kind: "date", required: true, ..text("release", "Release") }))
                (field(&Field { kind: "number", hint: Some("Minutes."), ..text("runtime", "Runtime") }))
            }
            @for row in ROWS {
                div.pair[row.len() > 1] {
                    @for (key, label, kind) in WORDS.iter().filter(|(key, ..)| row.contains(key)) {
                        (field(&Field {
                            hint: kind.is_many().then_some("Several with ; between."),
                            list: list_of(offered, *kind),
                            ..text(key, label)
                        }))
                    }
                }
            }
            @if !of_title {
                (field(&Field { kind: "date", hint: Some("Empty: today, or the usual lead before a release that is past."), ..Field::text("as_of", "As known on", as_of) }))
            }
            button.button.main type="submit" formaction="/what-if/answer" { "Ask" }
        }
        @for (kind, words) in offered {
            datalist id={ "known-" (kind.as_str()) } { @for word in words { option value=(word) {} } }
        }
    }
}

fn list_of(offered: &[(FactKind, Vec<String>)], kind: FactKind) -> Option<&'static str> {
    let id = match kind {
        FactKind::Genre => "known-genre",
        FactKind::Language => "known-language",
        FactKind::AgeRating => "known-age_rating",
        FactKind::Distributor => "known-distributor",
        _ => return None,
    };
    offered.iter().any(|(own, _)| *own == kind).then_some(id)
}

/// The commonest words of some kinds, to be offered while one types; none where nothing can be read.
async fn offered(server: &Server, caller: &Caller) -> Vec<(FactKind, Vec<String>)> {
    let Ok(forecaster) = server.workspace.forecaster(Reach::Plans, &caller.permit).await else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for kind in [FactKind::Genre, FactKind::Language, FactKind::AgeRating, FactKind::Distributor] {
        let mut counts: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        for fact in forecaster.knowledge().facts.iter().filter(|fact| fact.kind == kind) {
            if let FactValue::Text(word) = &fact.value {
                *counts.entry(word).or_default() += 1;
            }
        }
        let mut words: Vec<(&str, usize)> = counts.into_iter().collect();
        words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let mut words: Vec<String> =
            words.into_iter().take(OFFERED).map(|(word, _)| word.to_owned()).collect();
        words.sort_unstable();
        if !words.is_empty() {
            found.push((kind, words));
        }
    }
    found
}

fn begin() -> Markup {
    let why = "Say at least what it costs and when it opens. The answer is a range, with what drives it, what it may earn, and what the model does not see.";
    nothing("No answer yet", why, html! { a.button href="/titles" { "Or begin with a title" } })
}

fn faulty(faults: &[Fault]) -> Markup {
    notice(
        Tone::Bad,
        html! {
            p { strong { "Not yet" } }
            @for (key, said) in faults { p { (capital(&key.replace('_', " "))) ": " (said) "." } }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;

    fn inputs(base: Base, faults: Vec<Fault>) -> Inputs {
        let plan =
            Plan { name: "<script>alert(1)</script>".to_owned(), budget: Some(80e6), ..Plan::default() };
        Inputs { target: Target::Worldwide, as_of: None, base, plan, faults }
    }

    #[test]
    fn every_state_of_the_page_is_sound() {
        let hostile = "\"><script>alert(1)</script>".to_owned();
        let plan = Plan::default();
        let bases = [
            Base::None,
            Base::Project { kept: hostile.clone(), plan: plan.clone() },
            Base::Title { id: hostile.clone(), name: hostile.clone(), as_of: Day::MIN, plan },
        ];
        let offered = [(FactKind::Genre, vec![hostile])];
        for base in bases {
            let inputs = inputs(base, vec![("budget", "<b>no".to_owned())]);
            let right = html! { (begin()) (faulty(&inputs.faults)) };
            let text = whole(&somebody("Ana"), &inputs, &offered, right).into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert") && !text.contains("<b>no"), "{text}");
        }
    }

    #[test]
    fn what_is_kept_comes_back() {
        let inputs = inputs(Base::None, vec![]);
        let address = inputs.keeping();
        let uri: Uri = address.parse().expect("an address");
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&uri).expect("pairs");
        let params = Params::of(pairs);
        let kept = Plan::read(&kept_params(params.get("base")), &Plan::default()).0;
        assert_eq!(kept, inputs.plan);
        assert_eq!(Plan::read(&params, &Plan::default()).0, inputs.plan);
    }
}
