//! `/models`: the stored models with what stands on their cards, which are due and why, whether films drifted away from what
//! they learned, and the registry of features.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use marquee_app::learners::Which;
use marquee_app::platform::Action;
use marquee_app::types::{Drift, Errors, Numeric, numbers};
use marquee_app::use_cases::drift::{DriftQuestion, drift};
use marquee_app::use_cases::due::{Due, DueQuestion, Policy, due};
use marquee_app::use_cases::models::{Models, Shown, model, models};
use marquee_app::work::Training;
use marquee_domain::{Control, Day, Horizon, Population, Target};
use maud::{Markup, html};

use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{
    Column, Field, Tone, badge, crumbs, field, group, head, later, nothing, notice, query, table, tile, tiles,
};
use super::words::{capital, change, count, date, horizon, kind, percent, population, target, whole};
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

/// Years that a year's films are set against.
const BACK: u32 = 5;
/// Columns that did not drift and are shown all the same.
const QUIET: usize = 5;
const PAGE: Page<'static> = Page { title: "Models", nav: Some(Nav::Models) };

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes
        .get("/models", read, show)
        .get("/models/list", read, show_list)
        .get("/models/due", read, show_due)
        .get("/models/features", read, show_features)
        .get("/models/drift", read, show_drift)
        .get("/models/drift/found", read, show_drifted)
        .get("/models/card/{key}", read, show_card)
        .form("/models/train", Rule::May(Action::Train), "models.train", train)
}

async fn show(caller: Caller, params: Params) -> Markup {
    page(&caller, PAGE, body(&caller, params.get("feature")))
}

async fn show_list(State(server): State<Server>, caller: Caller, wants: Wants) -> Result<Markup, Problem> {
    let found = models(&server.workspace, &caller.permit).await?;
    Ok(framed(wants, &caller, "Models", list(&found)))
}

async fn show_due(State(server): State<Server>, caller: Caller, wants: Wants) -> Result<Markup, Problem> {
    let (policy, as_of, seed) = (Policy::default(), server.today(), server.settings.seed);
    let question = DueQuestion { policy, as_of, retrain: false, seed };
    let found = due(&server.workspace, question, &Control::default(), &caller.permit).await?;
    Ok(framed(wants, &caller, "What is due", due_table(&found)))
}

async fn show_features(caller: Caller, wants: Wants, params: Params) -> Markup {
    match wants {
        Wants::Fragment => features(params.get("feature")),
        Wants::Page => page(&caller, PAGE, body(&caller, params.get("feature"))),
    }
}

async fn show_card(
    State(server): State<Server>,
    caller: Caller,
    Path(key): Path<String>,
) -> Result<Markup, Problem> {
    let found = model(&server.workspace, &key, &caller.permit).await?;
    Ok(page(&caller, PAGE, card(&found)))
}

async fn show_drift(caller: Caller, params: Params) -> Result<Markup, Problem> {
    let question = asked(&params, 0)?;
    let inside = later(
        "drift",
        &address("/models/drift/found", &question),
        "Setting a year's films against those before",
    );
    Ok(page(&caller, PAGE, drift_page(&question, inside)))
}

async fn show_drifted(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    params: Params,
) -> Result<Markup, Problem> {
    let question = asked(&params, server.settings.seed)?;
    let found = drift(&server.workspace, question.clone(), &Control::default(), &caller.permit).await?;
    let inside = drifted(&question, &found);
    Ok(match wants {
        Wants::Fragment => inside,
        Wants::Page => page(&caller, PAGE, drift_page(&question, inside)),
    })
}

/// Queues the training of what is due, and leads to the job.
async fn train(State(server): State<Server>, caller: Caller) -> Result<Response, Problem> {
    let job = Training { as_of: None, seed: server.settings.seed }.job(caller.account.id.as_str())?;
    let job = server.office.jobs.enqueue(job, server.now()).await?;
    let mut response = Redirect::to(&format!("/jobs/{job}")).into_response();
    response.extensions_mut().insert(Deed { object: format!("job:{job}"), ..Deed::default() });
    Ok(response)
}

fn asked(params: &Params, seed: u64) -> Result<DriftQuestion, Problem> {
    let which = Which {
        horizon: params.number::<Horizon>("horizon").unwrap_or(Horizon::Announced),
        target: params.target(),
        population: params.population().unwrap_or(Population::All),
    };
    let year = params
        .number::<i32>("year")
        .ok_or_else(|| Problem::unfit("invalid_value", "year: say which year's films are looked at"))?;
    Ok(DriftQuestion { which: which.check()?, year, back: BACK, seed })
}

fn address(path: &str, question: &DriftQuestion) -> String {
    let Which { horizon, target, population } = question.which;
    let year = question.year.to_string();
    query(
        path,
        &[
            ("horizon", horizon.as_str()),
            ("target", target.as_str()),
            ("population", population.as_str()),
            ("year", &year),
        ],
    )
}

#[allow(clippy::needless_pass_by_value)] // what is inside is rendered once
fn framed(wants: Wants, caller: &Caller, title: &str, inside: Markup) -> Markup {
    match wants {
        Wants::Fragment => inside,
        Wants::Page => {
            page(caller, PAGE, html! { (crumbs(&[("Models", "/models")])) (head(title, None)) (inside) })
        }
    }
}

fn body(caller: &Caller, feature: &str) -> Markup {
    html! {
        (head("Models", Some("What was learned, from which films, and how it errs. A question gets a model of the lake as it is; one that is missing is trained then and there.")))
        section {
            div.row.apart {
                h2 { "What is due" }
                @if caller.permit.may(Action::Train) { form method="post" action="/models/train" { button.button.main type="submit" { "Train what is due" } } }
            }
            (later("due", "/models/due", "Looking at age, volume and drift"))
        }
        section { h2 { "Stored models" } (later("models", "/models/list", "Reading the models")) }
        section {
            h2 { "Features" }
            form.form method="get" action="/models" data-live="features" data-answer="/models/features" role="search" aria-label="Features" {
                div.filters {
                    div.broad { (field(&Field { kind: "search", ..Field::text("feature", "Name, group or formula", feature) })) }
                    button.button type="submit" { "Search" }
                }
            }
            div id="features" aria-live="polite" { (features(feature)) }
        }
    }
}

fn of(h: Horizon, t: Target, p: Population) -> String {
    format!("{}, {}, {}", target(t), horizon(h), population(p))
}

fn list(found: &Models) -> Markup {
    if found.shown.is_empty() && found.unreadable.is_empty() {
        let why = "A model is trained when the first question asks for it, which takes up to a minute, and kept for all that follow.";
        return nothing(
            "No model is stored yet",
            why,
            html! { a.button href="/titles" { "Ask about a title" } },
        );
    }
    let columns = [
        Column::text("Model"),
        Column::text("Knows outcomes before"),
        Column::number("Films"),
        Column::number("CRPS"),
        Column::number("Inside 80%"),
        Column::number("Inside 90%"),
        Column::number("Median error"),
        Column::text("Lake"),
        Column::text("Drift"),
    ];
    html! {
        (table("Stored models", &columns, html! {
            @for m in &found.shown {
                @let e = &m.card.errors;
                tr {
                    th scope="row" { a href={ "/models/card/" (m.key) } { (of(m.horizon, m.target, m.population)) } }
                    td.nowrap { (date(m.trained_before)) }
                    td.number { (whole(m.films as u64)) }
                    td.number { (number(e.crps)) }
                    td.number { (percent(e.cover[0])) }
                    td.number { (percent(e.cover[1])) }
                    td.number { (percent(e.median_ape)) }
                    td { @if m.current { (badge("current", Tone::Good)) } @else { (badge("earlier", Tone::Wait)) } }
                    td { (drift_link(m)) }
                }
            }
        }))
        @if !found.unreadable.is_empty() {
            (notice(Tone::Wait, html! { p { (count(found.unreadable.len() as u64, "file")) " cannot be read; what is asked for is trained again." } }))
        }
    }
}

/// The films of the last whole year that the model could have learned from by now, or did.
fn drift_link(shown: &Shown) -> Markup {
    let which = Which { horizon: shown.horizon, target: shown.target, population: shown.population };
    let question = DriftQuestion { which, year: shown.card.released.1.year(), back: BACK, seed: 0 };
    html! { a href=(address("/models/drift", &question)) { "of " (question.year) } }
}

fn due_table(found: &[Due]) -> Markup {
    if found.is_empty() {
        return html! { p.soft { "No model is stored yet, so none is due." } };
    }
    let waiting = found.iter().filter(|due| !due.reasons.is_empty()).count();
    let columns = [
        Column::text("Model"),
        Column::number("Age in days"),
        Column::number("Films"),
        Column::number("Would learn"),
        Column::text("Drifted"),
        Column::text("Due for"),
    ];
    html! {
        p { @match waiting { 0 => { "Nothing is due." } n => { strong { (count(n as u64, "model")) } @if n == 1 { " is due." } @else { " are due." } } } }
        (table("How the newest models stand", &columns, html! {
            @for d in found {
                tr {
                    th scope="row" { a href={ "/models/card/" (d.key) } { (of(d.which.horizon, d.which.target, d.which.population)) } }
                    td.number { (d.age) }
                    td.number { (whole(d.films as u64)) }
                    td.number { @match d.change { 0 => { "the same" } n if n > 0 => { "+" (whole(n.unsigned_abs())) } n => { "−" (whole(n.unsigned_abs())) } } }
                    td { @match &d.drifted { None => { span.soft { "cannot be judged" } } Some(columns) if columns.is_empty() => { "none" } Some(columns) => { (columns.iter().map(|c| group(c)).collect::<Vec<_>>().join(", ")) } } }
                    td { @if d.reasons.is_empty() { (badge("fit", Tone::Good)) } @else { @for reason in &d.reasons { (badge(reason, Tone::Wait)) " " } } }
                }
            }
        }))
        p.section-note { "Due once it is a year old, could learn from a twentieth more films, or has met films unlike those that it knows." }
    }
}

fn card(m: &Shown) -> Markup {
    let c = &m.card;
    let span = |(from, to): (Day, Day)| format!("{} to {}", date(from), date(to));
    html! {
        (crumbs(&[("Models", "/models")]))
        (head(&of(m.horizon, m.target, m.population), Some("What it learned from, and how it errs on films that it had not seen.")))
        (tiles(html! {
            (tile("Films", &whole(m.films as u64), html! { span.soft.small { "released " (span(c.released)) } }))
            (tile("CRPS", &number(c.errors.crps), html! { span.soft.small { "natural-log dollars, over " (count(c.errors.ranged as u64, "film")) } }))
            (tile("Inside 80%", &percent(c.errors.cover[0]), html! { span.soft.small { "and " (percent(c.errors.cover[1])) " inside 90%" } }))
            (tile("Median error", &percent(c.errors.median_ape), html! { span.soft.small { "of the actual" } }))
        }))
        section {
            h2 { "How it errs" }
            p.section-note { "Judged on releases from " (span(c.judged)) ". Bias is the mean of what was said over what came, with what chance alone allows." }
            (errors_table("Errors by predicted size", std::iter::once(("All".to_owned(), &c.errors)).chain(c.tiers.iter().enumerate().map(|(i, e)| (format!("Tier {}, {}", i + 1, if i == 0 { "the smallest" } else if i + 1 == c.tiers.len() { "the largest" } else { "between" }), e)))))
        }
        @if !c.words.is_empty() {
            section { h2 { "By genre, language, country" } (errors_table("Errors by word", c.words.iter().map(|(k, word, e)| (format!("{}: {word}", kind(*k)), e)))) }
        }
        section {
            h2 { "What moves it" }
            (table("Drivers", &[Column::text("Group"), Column::number("Mean size, as a factor")], html! {
                @for (name, size) in &c.drivers { tr { th scope="row" { (group(name)) } td.number { "×" (format!("{:.2}", size.exp())) } } }
            }))
        }
        section {
            h2 { "Its members" }
            (table("Members of the ensemble", &[Column::text("Member"), Column::number("Weight"), Column::number("Error out of fold")], html! {
                @for member in &m.members { tr { th scope="row" { (member.label) } td.number { (percent(member.weight)) } td.number { (number(member.rmse)) } } }
            }))
        }
        dl.facts {
            div { dt { "Key" } dd { code { (m.key) } } }
            div { dt { "SHA-256" } dd { code { (m.sha256) } } }
            div { dt { "Lake" } dd { @if m.current { (badge("current", Tone::Good)) } @else { (badge("earlier", Tone::Wait)) } } }
            div { dt { "Drift" } dd { (drift_link(m)) } }
        }
    }
}

fn errors_table<'a>(caption: &str, rows: impl Iterator<Item = (String, &'a Errors)>) -> Markup {
    let columns = [
        Column::text("Films"),
        Column::number("How many"),
        Column::number("Bias"),
        Column::number("RMSE"),
        Column::number("Median error"),
        Column::number("CRPS"),
        Column::number("Inside 80%"),
        Column::number("Inside 90%"),
    ];
    table(
        caption,
        &columns,
        html! {
            @for (name, e) in rows {
                tr {
                    th scope="row" { (name) }
                    td.number { (whole(e.n as u64)) }
                    td.number { (change(e.bias.exp() - 1.0)) " " span.soft { "± " (percent((1.645 * e.bias_error).exp() - 1.0)) } @if e.bias.abs() > 2.0 * e.bias_error { " " (badge("not chance", Tone::Wait)) } }
                    td.number { (number(e.rmse)) }
                    td.number { (percent(e.median_ape)) }
                    td.number { (number(e.crps)) }
                    td.number { (percent(e.cover[0])) }
                    td.number { (percent(e.cover[1])) }
                }
            }
        },
    )
}

fn number(x: f64) -> String {
    if x.is_finite() { format!("{x:.3}") } else { "not known".to_owned() }
}

#[allow(clippy::needless_pass_by_value)] // what is inside is rendered once
fn drift_page(question: &DriftQuestion, inside: Markup) -> Markup {
    let Which { horizon: h, target: t, population: p } = question.which;
    let year = |key: i32| address("/models/drift", &DriftQuestion { year: key, ..question.clone() });
    html! {
        (crumbs(&[("Models", "/models")]))
        (head(&format!("Drift in {}", question.year), Some(&format!("{}: whether the films of {} still look like those of the {} years before, and their outcomes fall where they were said to.", of(h, t, p), question.year, question.back))))
        (inside)
        nav.pager aria-label="Years" { span.row { a.button href=(year(question.year - 1)) { (question.year - 1) } a.button href=(year(question.year + 1)) { (question.year + 1) } } }
    }
}

fn drifted(question: &DriftQuestion, found: &Drift) -> Markup {
    let n = found.columns.iter().filter(|(_, c)| c.drifted).count();
    let quiet = found.columns.iter().skip(1).filter(|(_, c)| !c.drifted).take(QUIET).map(|(name, _)| name);
    let quiet: Vec<&String> = quiet.collect();
    let columns = [
        Column::text("What"),
        Column::number("Higher than before"),
        Column::number("Distance"),
        Column::number("p, all together"),
        Column::text(""),
    ];
    html! {
        p {
            (count(found.new as u64, "film")) " of " (question.year) " against " (whole(found.earlier as u64)) " before: "
            strong { @match n { 0 => { "none of " (whole(found.columns.len() as u64)) " columns has drifted" } n => { (whole(n as u64)) " of " (whole(found.columns.len() as u64)) " columns have drifted" } } }
            ", at a chance of 2% that any would seem to."
        }
        (table("Columns", &columns, html! {
            @for (i, (name, c)) in found.columns.iter().enumerate() {
                @if i == 0 || c.drifted || quiet.contains(&name) {
                    tr {
                        th scope="row" { @if i == 0 { "Outcomes" } @else { (group(name)) } }
                        td.number { (percent(c.exceeds)) }
                        td.number { (format!("{:.2}", c.distance)) }
                        td.number { (format!("{:.3}", c.p_value)) }
                        td { @if c.drifted { (badge("drifted", Tone::Wait)) } }
                    }
                }
            }
        }))
        p.section-note { "Outcomes are the shares of their forecasts below what happened: 50% is as forecast. Only the " (QUIET) " least quiet of the columns that did not drift are shown." }
    }
}

fn features(wanted: &str) -> Markup {
    let text = wanted.to_lowercase();
    let found: Vec<&Numeric> = numbers()
        .filter(|n| [n.name, n.group, n.describe].iter().any(|own| own.to_lowercase().contains(&text)))
        .collect();
    if found.is_empty() {
        return html! { div.old { (nothing("No feature matches", "Try a shorter word: budget, theatres, season.", html! { a.button href="/models" { "Show all" } })) } };
    }
    let columns = [
        Column::text("Feature"),
        Column::text("Group"),
        Column::text("What it is"),
        Column::text("Seen from"),
        Column::text("More of it"),
    ];
    html! {
        div.old.stack {
            p.small.soft { (count(found.len() as u64, "feature")) "; beside these, words of each kind (genres, languages, countries …) are seen as they are." }
            (table("Features", &columns, html! {
                @for n in &found {
                    tr {
                        th scope="row" { code { (n.name) } }
                        td { (capital(&n.group.replace('_', " "))) }
                        td { (n.describe) }
                        td.nowrap { (horizon(*n.horizons.start())) }
                        td { @match n.monotone { 0 => { span.soft { "may lower it" } } _ => { "never lowers it" } } }
                    }
                }
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;
    use marquee_app::types::{Card, MemberReport};

    fn errors() -> Errors {
        Errors {
            n: 900,
            bias: 0.2,
            bias_error: 0.03,
            rmse: 1.1,
            median_ape: 0.5,
            ranged: 0,
            crps: f64::NAN,
            cover: [f64::NAN; 2],
        }
    }

    fn shown() -> Shown {
        let days = (Day::MIN, Day::MAX);
        let card = Card {
            released: days,
            judged: days,
            errors: errors(),
            tiers: vec![errors(), errors(), errors()],
            words: vec![(marquee_domain::FactKind::Genre, "<i>".to_owned(), errors())],
            drivers: vec![("star_power".to_owned(), 0.3)],
        };
        Shown {
            key: "announced-domestic".to_owned(),
            horizon: Horizon::Announced,
            target: Target::Domestic,
            population: Population::All,
            trained_before: Day::MIN,
            films: 900,
            data: String::new(),
            current: false,
            sha256: "0123".to_owned(),
            members: vec![MemberReport { label: "<b>trees".to_owned(), weight: 0.7, rmse: 1.0 }],
            card,
        }
    }

    #[test]
    fn models_their_cards_and_what_is_due_are_sound() {
        let found = Models {
            shown: vec![shown()],
            unreadable: vec![("x".into(), "y".to_owned())],
            standings: vec![],
        };
        check::fragment(&list(&found).into_string());
        check::fragment(
            &list(&Models { shown: vec![], unreadable: vec![], standings: vec![] }).into_string(),
        );
        let text = page(&somebody("Ana"), PAGE, card(&shown())).into_string();
        check::sound(&text);
        assert!(
            text.contains("not chance") && text.contains("not known") && !text.contains("<b>trees"),
            "{text}"
        );
        let which =
            Which { horizon: Horizon::Announced, target: Target::Domestic, population: Population::All };
        let one = Due {
            which,
            key: "k".to_owned(),
            trained_before: Day::MIN,
            films: 900,
            age: 400,
            change: -3,
            drifted: Some(vec!["budget".to_owned()]),
            reasons: vec!["age"],
            retrained: false,
        };
        let text = due_table(&[one]).into_string();
        check::fragment(&text);
        assert!(text.contains("is due") && text.contains("−3"), "{text}");
        check::fragment(&due_table(&[]).into_string());
    }

    #[test]
    fn features_are_searched_and_drift_is_shown() {
        check::sound(&page(&somebody("Ana"), PAGE, body(&somebody("Ana"), "budget")).into_string());
        assert!(features("no such word").into_string().contains("No feature matches"));
        let which =
            Which { horizon: Horizon::Announced, target: Target::Domestic, population: Population::All };
        let question = DriftQuestion { which, year: 2008, back: BACK, seed: 0 };
        let found = Drift { earlier: 100, new: 30, columns: vec![] };
        check::sound(
            &page(&somebody("Ana"), PAGE, drift_page(&question, drifted(&question, &found))).into_string(),
        );
    }
}
