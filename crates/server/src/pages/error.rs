//! What went wrong, as a page: a middleware turns the problems of page routes into HTML that says what and what to do.
//!
//! A script that asked for a fragment gets a notice; what is still being worked out says so and is asked for again.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Wants, bare};
use crate::guard::Origin;
use crate::problem::Problem;

/// Makes a page of each problem that a browser is to be told; what programs asked for stays problem details. Belongs
/// around all routes, inside the layer that writes problems out.
pub(crate) async fn as_page(request: Request, next: Next) -> Response {
    let wants = Wants::of(request.headers());
    let shown = wants == Wants::Fragment || reads_html(request.headers());
    let page = shown && !request.uri().path().starts_with("/api/");
    let id = request.extensions().get::<Origin>().map(|origin| origin.request.clone());
    let mut response = next.run(request).await;
    if !page {
        return response;
    }
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => show(&problem, wants, id.as_deref(), response.headers()),
        None => response,
    }
}

fn show(problem: &Problem, wants: Wants, id: Option<&str>, said: &HeaderMap) -> Response {
    let again = said.get(header::RETRY_AFTER).cloned();
    let seconds = again.as_ref().and_then(|value| value.to_str().ok()?.parse().ok());
    let body = match (wants, is_working(problem)) {
        (Wants::Fragment, true) => working(problem),
        (Wants::Fragment, false) => notice(problem, id),
        (Wants::Page, true) => {
            bare("Still working", html! { h1 { "Still working" } (working(problem)) (reload(seconds)) })
        }
        (Wants::Page, false) => bare(headline(problem), whole(problem, id)),
    };
    let mut response = (problem.status(), body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept, x-fragment"));
    if let Some(again) = again {
        headers.insert(header::RETRY_AFTER, again);
    }
    response
}

/// A problem inside a page that otherwise stands.
pub(crate) fn notice(problem: &Problem, id: Option<&str>) -> Markup {
    html! {
        div.notice.bad role="alert" {
            p { strong { (headline(problem)) } }
            p { (super::words::capital(problem.detail())) "." }
            @if let Some(id) = id.filter(|_| problem.status().is_server_error()) { p.small.soft { "Request " code { (id) } } }
        }
    }
}

/// What is being worked out at this moment: asked for again by itself.
fn working(problem: &Problem) -> Markup {
    let detail = match problem.code() {
        "training" => {
            "A model is being trained for this question: it takes up to a minute the first time, and none after."
        }
        _ => "This takes a while the first time. It goes on being worked out and appears here by itself.",
    };
    html! { div.working role="status" { p { (detail) } } }
}

fn reload(seconds: Option<u64>) -> Markup {
    html! {
        div data-reload=(seconds.unwrap_or(10).clamp(3, 30)) {}
        p.soft { "This page asks again by itself." }
        a.button href="" { "Ask now" }
    }
}

fn whole(problem: &Problem, id: Option<&str>) -> Markup {
    html! {
        div.head {
            h1 { (headline(problem)) }
            p.lede { (super::words::capital(problem.detail())) "." }
        }
        div.row {
            @if problem.code() == "too_many_requests" { a.button.main href="" { "Ask again" } }
            a.button href="/" { "Home" }
            a.button.quiet href="/titles" { "Search titles" }
        }
        p.small.soft {
            (problem.status().as_u16()) " · " (problem.code())
            @if let Some(id) = id { " · request " code { (id) } }
        }
    }
}

/// What a problem is called on a page.
fn headline(problem: &Problem) -> &'static str {
    match (problem.code(), problem.status()) {
        ("empty", _) => "Nothing is in the lake yet",
        ("no_title", _) => "No such title",
        ("ambiguous", _) => "Several titles are called so",
        ("denied" | "cross_site", _) => "You may not do this",
        ("too_many_requests", _) => "One moment",
        ("cannot_be_done", _) => "This cannot be answered",
        (_, StatusCode::NOT_FOUND) => "There is no such page",
        (_, StatusCode::UNAUTHORIZED) => "Log in first",
        (_, status) if status.is_server_error() => "Something went wrong here",
        _ => "This cannot be done",
    }
}

fn is_working(problem: &Problem) -> bool {
    matches!(problem.code(), "training" | "still_working")
}

fn reads_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn every_problem_is_a_sound_page() {
        let later = |code| Problem::later(StatusCode::SERVICE_UNAVAILABLE, code, "come again", 20);
        let problems = [
            Problem::not_found("there is nothing at /<script>alert(1)</script>"),
            Problem::unfit("cannot_be_done", "too few settled titles"),
            later("training"),
            later("stopped"),
            Problem::new(StatusCode::CONFLICT, "empty", "ingest a table first"),
        ];
        for problem in problems {
            let page = match is_working(&problem) {
                true => {
                    bare("Still working", html! { h1 { "Still working" } (working(&problem)) (reload(None)) })
                }
                false => bare(headline(&problem), whole(&problem, Some("0123"))),
            };
            let text = page.into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert"), "{text}");
        }
    }

    #[test]
    fn programs_are_told_apart_from_browsers() {
        let with =
            |accept: &'static str| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        assert!(reads_html(&with("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")));
        assert!(
            !reads_html(&with("application/json"))
                && !reads_html(&with("*/*"))
                && !reads_html(&HeaderMap::new())
        );
    }
}
