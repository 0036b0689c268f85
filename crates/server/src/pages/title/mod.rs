//! `/titles/{id}`: one title. What is known of it stands at once; the forecast and what follows from it are fragments with
//! addresses of their own, since the first question of a year may have to train a model.

mod answer;
mod beside;
mod plan;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use marquee_app::asked::Asked;
use marquee_app::forecasting::Inquiry;
use marquee_app::platform::Action;
use marquee_app::types::TitleRow;
use marquee_app::use_cases::forecast::{Answer, Question, forecast};
use marquee_app::use_cases::titles::title;
use marquee_domain::{Control, Day, Horizon, Money, Population, Target, TitleId};
use maud::{Markup, html};
use metrics::counter;

use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{Field, Tone, badge, choice, crumbs, field, later, notice, query, tabs};
use super::words::{self, date, money, whole};
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Rule::May(Action::Read);
    routes
        .get("/titles/{id}", read, show)
        .get("/titles/{id}/forecast", read, answer::show)
        .get("/titles/{id}/fan", read, answer::fan)
        .get("/titles/{id}/sensitivity", read, plan::sensitivity)
        .get("/titles/{id}/dates", read, plan::dates)
        .get("/titles/{id}/competition", read, beside::competition)
        .get("/titles/{id}/facts", read, beside::facts)
        .get("/titles/{id}/recorded", read, beside::recorded)
        .form("/titles/{id}/record", Rule::May(Action::Record), "forecast.record", record)
}

/// The targets that have a tab.
const TARGETS: [Target; 3] = [Target::Worldwide, Target::Domestic, Target::Opening];

/// On which terms a title is looked at: what its address says.
#[derive(Debug, Clone, PartialEq)]
struct Terms {
    id: TitleId,
    target: Target,
    as_of: Option<Day>,
    population: Option<Population>,
}

impl Terms {
    fn read(id: TitleId, params: &Params) -> Self {
        Self { id, target: params.target(), as_of: params.day("as_of"), population: params.population() }
    }

    /// An address of this title on these terms: `""` is the page itself.
    fn address(&self, part: &str) -> String {
        let path = format!("/titles/{}{part}", self.id);
        let as_of = self.as_of.map_or_else(String::new, |day| day.to_string());
        let target = if self.target == Target::Worldwide { "" } else { self.target.as_str() };
        let population = self.population.map_or("", |population| population.as_str());
        query(&path, &[("target", target), ("as_of", &as_of), ("population", population)])
    }

    fn inquiry(&self, server: &Server) -> Inquiry {
        Inquiry {
            asked: Asked::Title(self.id.to_string()),
            as_of: self.as_of,
            target: self.target,
            population: self.population,
            today: server.today(),
            seed: server.settings.seed,
        }
    }

    /// The day whose knowledge counts, where nothing better is known: that of the horizon that is usual for the target.
    fn day(&self, release: Option<Day>) -> Option<Day> {
        let usual = if self.target.is_opening() { Horizon::PreRelease } else { Horizon::Announced };
        self.as_of.or_else(|| release.map(|day| usual.as_of(day).0))
    }
}

/// A title, found, with what the catalogue says first of it.
struct Found {
    terms: Terms,
    row: TitleRow,
}

async fn find(server: &Server, caller: &Caller, asked: &str, params: &Params) -> Result<Found, Problem> {
    let row = title(&server.workspace, asked, &caller.permit).await?;
    Ok(Found { terms: Terms::read(row.id, params), row })
}

async fn show(
    State(server): State<Server>,
    caller: Caller,
    Path(asked): Path<String>,
    params: Params,
) -> Result<Response, Problem> {
    let found = find(&server, &caller, &asked, &params).await?;
    // One address for one title: whatever name it was asked for by.
    if asked != found.terms.id.to_string() {
        return Ok(Redirect::to(&found.terms.address("")).into_response());
    }
    let recorded = params.number::<u64>("recorded");
    Ok(page(&caller, of(&found.row.name), body(&found, recorded)).into_response())
}

fn of(name: &str) -> Page<'_> {
    Page { title: name, nav: Some(Nav::Titles) }
}

/// A fragment of the page, or without scripts a page of its own.
#[allow(clippy::needless_pass_by_value)] // a body is rendered once
fn part(wants: Wants, caller: &Caller, found: &Found, body: Markup) -> Markup {
    match wants {
        Wants::Fragment => body,
        Wants::Page => page(
            caller,
            of(&found.row.name),
            html! {
                (crumbs(&[("Titles", "/titles"), (&found.row.name, &found.terms.address(""))]))
                div.head { h1 { (found.row.name) } }
                (body)
            },
        ),
    }
}

/// The answer to what is asked of a title.
async fn ask(
    server: &Server,
    caller: &Caller,
    terms: &Terms,
    fan: bool,
    record: bool,
) -> Result<Answer, Problem> {
    let now: DateTime<Utc> = server.now();
    let about = terms.inquiry(server);
    let question = Question { about, fan, what_if: Vec::new(), record, deal: server.deal.clone(), now };
    let answer = forecast(&server.workspace, question, &Control::default(), &caller.permit).await?;
    let labels = [("horizon", answer.forecast.horizon.as_str()), ("target", answer.forecast.target.as_str())];
    counter!("marquee_forecasts_total", &labels).increment(1);
    Ok(answer)
}

async fn record(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let found = find(&server, &caller, &id, &Params::of(pairs)).await?;
    let answer = ask(&server, &caller, &found.terms, false, true).await?;
    let place = found.terms.address("");
    let mark = if place.contains('?') { '&' } else { '?' };
    let Some(entry) = answer.entry else { return Ok(Redirect::to(&place).into_response()) };
    counter!("marquee_forecasts_recorded_total").increment(1);
    let mut response = Redirect::to(&format!("{place}{mark}recorded={}", entry.seq)).into_response();
    response.extensions_mut().insert(Deed { object: format!("track:{}", entry.seq), ..Deed::default() });
    Ok(response)
}

fn body(found: &Found, recorded: Option<u64>) -> Markup {
    let Found { terms, row } = found;
    let address = |part| terms.address(part);
    html! {
        (crumbs(&[("Titles", "/titles")]))
        (title_head(row))
        @if let Some(seq) = recorded {
            (notice(Tone::Good, html! { p { "Recorded as entry " (whole(seq)) " of the track record. It is scored when the actual is known." } }))
        }
        (tabs_of(terms))
        @if row.release.is_none() {
            (notice(Tone::Wait, html! { p { "The catalogue knows no release day of it: without one it cannot be forecast. Ingest a table that states it." } }))
        } @else {
            (terms_form(terms, row))
            (later("forecast", &address("/forecast"), "Working out the forecast"))
            section {
                h2 { "As more became known" }
                p.section-note { "The forecast at each horizon up to this one, each by a model that knew no more than its day." }
                (later("fan", &address("/fan"), "Working out earlier horizons"))
            }
            section {
                h2 { "On what it hangs" }
                p.section-note { "The middle with one thing changed at a time." }
                (later("sensitivity", &address("/sensitivity"), "Trying one change after another"))
            }
            section {
                h2 { "When it would best open" }
                (later("dates", &address("/dates"), "Trying a year of weekends"))
            }
            section {
                h2 { "What opens around it" }
                (later("competition", &address("/competition"), "Looking three weeks around"))
            }
        }
        section {
            h2 { "What is known, and since when" }
            (later("facts", &address("/facts"), "Reading its facts"))
        }
        (known_by_now(row))
        section {
            h2 { "Recorded forecasts" }
            (later("recorded", &address("/recorded"), "Reading the track record"))
        }
    }
}

fn title_head(row: &TitleRow) -> Markup {
    html! {
        div.head {
            h1 { (row.name) }
            div.row {
                @for genre in &row.genres { (badge(genre, Tone::Plain)) }
                @for id in row.source_ids.iter().take(4) { span.soft.small { code { (id.to_string()) } } }
            }
        }
        dl.facts {
            div { dt { "Release" } dd { @match row.release { Some(day) => (date(day)), None => "not known" } } }
            div { dt { "Budget" } dd { (amount(row.budget)) } }
            div { dt { "Id" } dd { code { (row.id.to_string()) } } }
        }
    }
}

/// What came of it stands apart: a forecast as of an earlier day did not know it.
fn known_by_now(row: &TitleRow) -> Markup {
    html! {
        @if row.domestic_gross.is_some() || row.worldwide_gross.is_some() {
            section {
                h2 { "Known by now" }
                div.kept-apart {
                    dl.facts {
                        div { dt { "Domestic gross" } dd { (amount(row.domestic_gross)) } }
                        div { dt { "Worldwide gross" } dd { (amount(row.worldwide_gross)) } }
                    }
                    p.small.soft { "The forecasts above did not know these: they use what was known on their own day, and nothing later." }
                }
            }
        }
    }
}

fn amount(amount: Option<Money>) -> String {
    amount.map_or_else(|| "not known".to_owned(), |amount| money(amount.major()))
}

fn tabs_of(terms: &Terms) -> Markup {
    let all: Vec<(&str, String)> = TARGETS
        .iter()
        .map(|target| {
            // Which films a model speaks of differs by target: the usual ones again.
            let other = Terms { target: *target, population: None, ..terms.clone() };
            (words::target(*target), other.address(""))
        })
        .collect();
    tabs("What is forecast", &all, words::target(terms.target))
}

fn terms_form(terms: &Terms, row: &TitleRow) -> Markup {
    let mut populations: Vec<(&str, &str)> = vec![("", "The usual ones")];
    populations.extend(Population::ALL.iter().map(|p| (p.as_str(), words::population(*p))));
    let usual = Terms { as_of: None, ..terms.clone() }.day(row.release);
    let hint = usual.map_or_else(String::new, |day| format!("The usual day is {}.", date(day)));
    let as_of = terms.as_of.map_or_else(String::new, |day| day.to_string());
    html! {
        form.form.no-print method="get" action={ "/titles/" (terms.id) } {
            input type="hidden" name="target" value=(terms.target.as_str());
            div.filters {
                (field(&Field { kind: "date", hint: Some(&hint), ..Field::text("as_of", "As known on", as_of) }))
                (choice("population", "By a model of", &populations, terms.population.map_or("", |p| p.as_str())))
                button.button type="submit" { "Ask" }
            }
        }
    }
}

#[cfg(test)]
pub(super) use answer::tests::hostile as hostile_answer;

/// A title that a hostile table could hold.
#[cfg(test)]
fn hostile(release: Option<&str>) -> Found {
    let id = TitleId::of(marquee_domain::Vertical::Film, "t", "1");
    let row = TitleRow {
        id,
        name: "<script>alert(1)</script> & \"Co\"".to_owned(),
        release: release.and_then(|day| day.parse().ok()),
        genres: vec!["<b>Drama".to_owned()],
        budget: None,
        domestic_gross: None,
        worldwide_gross: Money::from_major(12e6, marquee_domain::Currency::USD).ok(),
        source_ids: vec![],
    };
    Found { terms: Terms::read(id, &Params::default()), row }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::hostile as found;
    use super::*;

    #[test]
    fn a_title_is_sound_whatever_it_is_called() {
        for found in [found(Some("2015-07-03")), found(None)] {
            let text = page(&somebody("Ana"), of(&found.row.name), body(&found, Some(7))).into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert") && !text.contains("<b>Drama"), "{text}");
            assert!(text.contains("data-src"));
        }
    }

    #[test]
    fn addresses_say_what_differs_from_the_usual_alone() {
        let terms = found(None).terms;
        assert_eq!(terms.address("/fan"), format!("/titles/{}/fan", terms.id));
        let other = Terms { target: Target::Opening, as_of: "2015-06-01".parse().ok(), ..terms };
        assert!(other.address("").ends_with("?target=opening&as_of=2015-06-01"));
    }

    #[test]
    fn the_usual_day_is_that_of_the_target() {
        let terms = found(None).terms;
        let release = "2015-07-03".parse().ok();
        assert_eq!(terms.day(release).map(|day| day.to_string()).as_deref(), Some("2015-06-03"));
        let opening = Terms { target: Target::Opening, ..terms };
        assert_eq!(opening.day(release).map(|day| day.to_string()).as_deref(), Some("2015-07-02"));
    }
}
