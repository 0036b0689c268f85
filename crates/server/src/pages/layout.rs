//! The frame around every page: head, rail, search, main, keys; and the bare one around logging in and errors.
//!
//! A page that was asked for by a script (`X-Fragment: 1`) is its body alone: the same handler serves both.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use marquee_app::platform::Action;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets;
use super::words::capital;
use crate::guard::Caller;

/// The pages that the rail leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nav {
    Home,
    Titles,
    WhatIf,
    Slate,
    Market,
    Track,
    Data,
    Models,
    Jobs,
    Alerts,
    Api,
    Admin,
}

/// A place on the rail.
struct Place {
    nav: Nav,
    label: &'static str,
    path: &'static str,
    /// The key after `g` that leads there.
    key: char,
    icon: &'static str,
    /// Whether phones have it in their bar, and not behind *Menu*.
    first: bool,
    /// What one has to be allowed to do to be led there; nothing where everybody is.
    needs: Option<Action>,
}

impl Place {
    const fn new(nav: Nav, label: &'static str, path: &'static str, key: char, icon: &'static str) -> Self {
        Self { nav, label, path, key, icon, first: false, needs: None }
    }

    const fn first(self) -> Self {
        Self { first: true, ..self }
    }

    const fn needs(self, action: Action) -> Self {
        Self { needs: Some(action), ..self }
    }
}

/// The rail, from the top. A page that is to be found gets a line here.
const RAIL: &[Place] = &[
    Place::new(Nav::Home, "Home", "/", 'h', HOUSE).first(),
    Place::new(Nav::Titles, "Titles", "/titles", 't', FILM).first(),
    Place::new(Nav::WhatIf, "What if", "/what-if", 'w', DIAL).first(),
    Place::new(Nav::Slate, "Slate", "/slate", 's', STACK).first(),
    Place::new(Nav::Market, "Market", "/market", 'k', GRID),
    Place::new(Nav::Track, "Track record", "/track", 'r', CHAIN),
    Place::new(Nav::Data, "Data", "/data", 'd', DRUM),
    Place::new(Nav::Models, "Models", "/models", 'm', NODES),
    Place::new(Nav::Jobs, "Jobs", "/jobs", 'j', CLOCK),
    Place::new(Nav::Alerts, "Alerts", "/alerts", 'l', BELL),
    Place::new(Nav::Api, "API", "/api", 'p', BRACES),
    Place::new(Nav::Admin, "Admin", "/admin", 'a', SHIELD).needs(Action::Administer),
];

/// The places on the rail for somebody.
fn places(caller: &Caller) -> impl Iterator<Item = &'static Place> + '_ {
    RAIL.iter().filter(|place| place.needs.is_none_or(|action| caller.permit.may(action)))
}

const HOUSE: &str = r#"<path d="M3 10.5 12 3l9 7.5V21h-6v-6H9v6H3z"/>"#;
const FILM: &str = r#"<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M8 4v16M16 4v16M3 9h5m8 0h5M3 15h5m8 0h5"/>"#;
const DIAL: &str = r#"<path d="M4 7h10m4 0h2M4 17h2m4 0h10"/><circle cx="16" cy="7" r="2.2"/><circle cx="8" cy="17" r="2.2"/>"#;
const BELL: &str = r#"<path d="M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 20.5h4"/>"#;
const STACK: &str = r#"<path d="M4 7.5 12 4l8 3.5-8 3.5zM4 12l8 3.5 8-3.5M4 16.5 12 20l8-3.5"/>"#;
const GRID: &str = r#"<path d="M4 20V10m5 10V4m5 16v-8m5 8V7"/>"#;
const CHAIN: &str = r#"<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.6l-1.3 1.3M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.6l1.3-1.3"/>"#;
const DRUM: &str = r#"<ellipse cx="12" cy="5.5" rx="8" ry="2.5"/><path d="M4 5.5v13c0 1.4 3.6 2.5 8 2.5s8-1.1 8-2.5v-13M4 12c0 1.4 3.6 2.5 8 2.5s8-1.1 8-2.5"/>"#;
const NODES: &str = r#"<circle cx="6" cy="6" r="2.2"/><circle cx="6" cy="18" r="2.2"/><circle cx="18" cy="12" r="2.2"/><path d="m8 7 8 4M8 17l8-4"/>"#;
const CLOCK: &str = r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>"#;
const BRACES: &str = r#"<path d="M8 4c-3 0-2 4-2 5.5S5 12 4 12c1 0 2 1 2 2.5S5 20 8 20M16 4c3 0 2 4 2 5.5s1 2.5 2 2.5c-1 0-2 1-2 2.5S19 20 16 20"/>"#;
const SHIELD: &str = r#"<path d="M12 3.5 19 6v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z"/>"#;
const MENU: &str = r#"<path d="M4 6h16M4 12h16M4 18h16"/>"#;
const THEME: &str =
    r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor"/>"#;
const KEYS: &str =
    r#"<rect x="2.5" y="6" width="19" height="12" rx="2"/><path d="M7 10h.01M12 10h.01M17 10h.01M8 14h8"/>"#;
const MARK: &str = r#"<path d="M3 20V5l9 7.5L21 5v15" stroke-width="2.6"/>"#;

/// What a page is called and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// The title of the window.
    pub(crate) title: &'a str,
    /// The place on the rail that it belongs to.
    pub(crate) nav: Option<Nav>,
}

/// How a page was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// As a page.
    Page,
    /// By a script, as the body alone.
    Fragment,
}

impl<S: Send + Sync> FromRequestParts<S> for Wants {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Wants {
    pub(crate) fn of(headers: &axum::http::HeaderMap) -> Self {
        if headers.contains_key("x-fragment") { Self::Fragment } else { Self::Page }
    }
}

/// A page in its frame, or where a script asked its body alone.
pub(crate) fn answer(wants: Wants, caller: &Caller, of: Page<'_>, body: Markup) -> Markup {
    match wants {
        Wants::Page => page(caller, of, body),
        Wants::Fragment => body,
    }
}

/// A page in its frame. The body begins with its `h1`: see [`super::parts::head`].
#[allow(clippy::needless_pass_by_value)] // a body is rendered once
pub(crate) fn page(caller: &Caller, of: Page<'_>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            (html_head(of.title))
            body {
                a.skip href="#main" { "Skip to the page" }
                div.frame {
                    (rail(caller, of.nav))
                    (top())
                    main id="main" tabindex="-1" { (body) }
                    footer.foot {
                        "Marquee " (env!("CARGO_PKG_VERSION"))
                        " · Every answer is a range. Profit is gross-implied: reckoned from grosses through assumed deal terms."
                    }
                    (bar(of.nav))
                }
                (keys(caller))
            }
        }
    }
}

/// A page without the frame: logging in, setting up, what went wrong.
#[allow(clippy::needless_pass_by_value)] // a body is rendered once
pub(crate) fn bare(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            (html_head(title))
            body {
                a.skip href="#main" { "Skip to the page" }
                div.entry {
                    main id="main" tabindex="-1" {
                        a.wordmark href="/" { (icon(MARK)) "Marquee" }
                        div.card { (body) }
                    }
                }
            }
        }
    }
}

fn html_head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
            title { (title) " · Marquee" }
            meta name="theme-color" content="#faf9f5" media="(prefers-color-scheme: light)";
            meta name="theme-color" content="#121412" media="(prefers-color-scheme: dark)";
            meta name="plotly" content=(assets::url("plotly.js"));
            link rel="manifest" href="/manifest.webmanifest";
            link rel="icon" href=(assets::url("icon.svg")) type="image/svg+xml";
            link rel="stylesheet" href=(assets::url("style.css"));
            script src=(assets::url("boot.js")) {}
            script src=(assets::url("app.js")) defer {}
        }
    }
}

fn rail(caller: &Caller, here: Option<Nav>) -> Markup {
    let account = &caller.account;
    html! {
        nav.rail id="rail" popover aria-label="Pages" {
            a.wordmark href="/" { (icon(MARK)) "Marquee" }
            ul {
                @for place in places(caller) {
                    li {
                        a href=(place.path) data-key=(place.key) aria-current=[current(place, here)] {
                            (icon(place.icon)) (place.label)
                        }
                    }
                }
            }
            div.who {
                div {
                    strong { a href="/account" { (account.display) } }
                    span.soft {
                        (capital(account.role.as_str()))
                        @if !account.team.is_empty() { " · " (account.team) }
                    }
                }
                form method="post" action="/log-out" { button.button type="submit" { "Log out" } }
            }
        }
    }
}

fn top() -> Markup {
    html! {
        header.top {
            a.wordmark href="/" { (icon(MARK)) span.unseen { "Marquee" } }
            form role="search" action="/titles" method="get" {
                label.unseen for="find" { "Search titles" }
                input id="find" type="search" name="text" placeholder="Search titles" autocomplete="off";
                kbd aria-hidden="true" { "/" }
            }
            span.spring {}
            button.icon type="button" data-keys aria-label="Keys" title="Keys (?)" { (icon(KEYS)) }
            button.icon type="button" data-theme-toggle aria-label="Light or dark" title="Light or dark" { (icon(THEME)) }
        }
    }
}

fn bar(here: Option<Nav>) -> Markup {
    html! {
        nav.bar aria-label="Pages, short" {
            ul {
                @for place in RAIL.iter().filter(|place| place.first) {
                    li { a href=(place.path) aria-current=[current(place, here)] { (icon(place.icon)) (place.label) } }
                }
                li { button type="button" popovertarget="rail" { (icon(MENU)) "Menu" } }
            }
        }
    }
}

fn keys(caller: &Caller) -> Markup {
    html! {
        dialog id="keys" aria-labelledby="keys-title" {
            h2 id="keys-title" { "Keys" }
            div.keys {
                kbd { "/" } span { "Search titles" }
                @for place in places(caller) {
                    span { kbd { "g" } " " kbd { (place.key) } } span { (place.label) }
                }
                kbd { "?" } span { "Show these keys" }
                kbd { "Esc" } span { "Close, or leave a field" }
            }
            button.button type="button" data-close { "Close" }
        }
    }
}

fn current(place: &Place, here: Option<Nav>) -> Option<&'static str> {
    (Some(place.nav) == here).then_some("page")
}

fn icon(paths: &str) -> Markup {
    html! {
        svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"
            stroke-linejoin="round" aria-hidden="true" { (PreEscaped(paths)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;

    #[test]
    fn a_page_is_sound_whatever_it_holds() {
        let page = page(
            &somebody("<b>Ana</b>"),
            Page { title: "</title><script>", nav: Some(Nav::Titles) },
            html! {
                h1 { "Titles" }
            },
        );
        let text = page.into_string();
        check::sound(&text);
        assert!(!text.contains("<b>Ana") && !text.contains("</title><script>"), "{text}");
        assert_eq!(text.matches("aria-current=\"page\"").count(), 2);
    }

    #[test]
    fn keys_and_places_are_told_apart() {
        for (i, place) in RAIL.iter().enumerate() {
            assert!(RAIL[..i].iter().all(|other| other.key != place.key && other.path != place.path));
        }
        assert!((1..=4).contains(&RAIL.iter().filter(|place| place.first).count()));
    }

    #[test]
    fn a_bare_page_is_sound() {
        check::sound(&bare("Log in", html! { h1 { "Log in" } }).into_string());
    }
}
