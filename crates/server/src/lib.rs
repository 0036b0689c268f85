//! Marquee over HTTP: the API under `/api/v1`, its wire types, and the pages.
//!
//! The server is thin: a handler converts wire types, calls one use case of `marquee-app`, and converts its answer back.
//! Each route states who may use it where it is added, and nothing is reachable that was added without saying so.
//!
//! Read in this order: `server` (what a server is made of, how it starts and stops), `routes` (the table of routes and
//! their rules), `guard` (who is asking, and whether they may), `http` (what every request goes through), `api`, `pages`.

mod api;
mod guard;
mod http;
mod measures;
mod pages;
mod problem;
mod routes;
mod server;
mod settings;
#[cfg(test)]
mod tests;
pub mod wire;

pub use server::{Running, ServeError, start};
pub use settings::{Settings, Tls};
