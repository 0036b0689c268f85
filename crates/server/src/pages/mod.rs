//! The pages: what people see in a browser. Each page is a file; `layout` frames them, `parts` are what they are made of.
//!
//! A page's handler asks a use case and renders its answer; nothing is computed here. Pages work without scripts where
//! that is possible, and never fetch anything from elsewhere.

mod account;
mod admin;
mod alerts;
mod api;
mod assets;
mod charts;
#[cfg(test)]
mod check;
mod data;
mod entry;
mod error;
mod home;
mod jobs;
mod layout;
mod market;
mod models;
mod params;
mod parts;
mod plots;
mod range;
mod returns;
mod slate;
mod title;
mod titles;
mod track;
mod what_if;
mod words;

pub(crate) use error::as_page;

use utoipa::openapi::OpenApi;

use crate::routes::{Face, Routes};
use crate::server::Server;

/// The table of pages.
pub(crate) fn routes(server: &Server) -> Routes {
    let routes = Routes::new(server, Face::Page, OpenApi::default());
    let routes = assets::routes(routes);
    let routes = entry::routes(routes);
    let routes = home::routes(routes);
    let routes = titles::routes(routes);
    let routes = title::routes(routes);
    let routes = what_if::routes(routes);
    let routes = track::routes(routes);
    let routes = slate::routes(routes);
    let routes = data::routes(routes);
    let routes = jobs::routes(routes);
    let routes = models::routes(routes);
    let routes = market::routes(routes);
    let routes = alerts::routes(routes);
    let routes = account::routes(routes);
    let routes = admin::routes(routes);
    api::routes(routes)
}
