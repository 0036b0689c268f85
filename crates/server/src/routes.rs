//! The table of routes: each is added together with the rule of who may use it, and cannot be added without.
//!
//! A route either asks or acts. What acts is written to the audit under the name given here; the guard does that, so that
//! no handler can forget it.

use axum::Router;
use axum::http::Method;
use axum::middleware;
use axum::routing::MethodRouter;
use marquee_app::platform::Action;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::{Components, OpenApi};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::guard;
use crate::server::Server;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Anybody; the handler learns who it is where they are logged in.
    Open,
    /// Anybody who is logged in.
    SignedIn,
    /// Accounts whose policies allow this action.
    May(Action),
}

/// How a route answers those that are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// With problem details.
    Api,
    /// With a page; who is not logged in is sent to where they can.
    Page,
}

/// A route as the table has it: what tests hold every route against.
#[derive(Debug, Clone)]
#[cfg_attr(not(test), allow(dead_code))]
pub(crate) struct Listed {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) rule: Rule,
    pub(crate) face: Face,
    /// The name under which the audit has it; nothing for a route that only asks.
    pub(crate) act: Option<&'static str>,
}

/// Routes with their rules.
pub(crate) struct Routes {
    server: Server,
    face: Face,
    router: Router<Server>,
    listed: Vec<Listed>,
    document: OpenApi,
}

impl Routes {
    pub(crate) fn new(server: &Server, face: Face, document: OpenApi) -> Self {
        Self { server: server.clone(), face, router: Router::new(), listed: Vec::new(), document }
    }

    /// Adds a page.
    pub(crate) fn get<H, T>(self, path: &str, rule: Rule, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Server>,
        T: 'static,
    {
        self.add(Method::GET, path, rule, None, MethodRouter::new().get(handler))
    }

    /// Adds a form that only asks: a question too long for an address.
    pub(crate) fn post<H, T>(self, path: &str, rule: Rule, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Server>,
        T: 'static,
    {
        self.add(Method::POST, path, rule, None, MethodRouter::new().post(handler))
    }

    /// Adds a form that changes something; the audit has it as `act`.
    pub(crate) fn form<H, T>(self, path: &str, rule: Rule, act: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, Server>,
        T: 'static,
    {
        self.add(Method::POST, path, rule, Some(act), MethodRouter::new().post(handler))
    }

    /// Adds an operation of the API that only asks.
    pub(crate) fn ask(self, rule: Rule, operation: UtoipaMethodRouter<Server>) -> Self {
        self.operation(rule, None, operation)
    }

    /// Adds an operation of the API that changes something; the audit has it as `act`.
    pub(crate) fn act(self, act: &'static str, rule: Rule, operation: UtoipaMethodRouter<Server>) -> Self {
        self.operation(rule, Some(act), operation)
    }

    /// One operation, as its own description names it.
    fn operation(
        mut self,
        rule: Rule,
        act: Option<&'static str>,
        (schemas, paths, methods): UtoipaMethodRouter<Server>,
    ) -> Self {
        self.document.components.get_or_insert_with(Components::new).schemas.extend(schemas);
        for (path, item) in paths.paths {
            let method = method_of(&item);
            match self.document.paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => {
                    self.document.paths.paths.insert(path.clone(), item);
                }
            }
            self = self.add(method, &path, rule, act, methods.clone());
        }
        self
    }

    fn add(
        mut self,
        method: Method,
        path: &str,
        rule: Rule,
        act: Option<&'static str>,
        methods: MethodRouter<Server>,
    ) -> Self {
        let check = guard::Check { server: self.server.clone(), rule, face: self.face, act };
        let guarded = methods.route_layer(middleware::from_fn_with_state(check, guard::guard));
        self.router = self.router.route(path, guarded);
        self.listed.push(Listed { method, path: path.to_owned(), rule, face: self.face, act });
        self
    }

    /// The router, the table of what it serves, and its description.
    pub(crate) fn finish(self) -> (Router<Server>, Vec<Listed>, OpenApi) {
        (self.router, self.listed, self.document)
    }
}

/// The one method that an item describes.
fn method_of(item: &PathItem) -> Method {
    match item {
        PathItem { post: Some(_), .. } => Method::POST,
        PathItem { put: Some(_), .. } => Method::PUT,
        PathItem { patch: Some(_), .. } => Method::PATCH,
        PathItem { delete: Some(_), .. } => Method::DELETE,
        _ => Method::GET,
    }
}
