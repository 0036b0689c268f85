//! The binary as its users meet it. One test program for all of it, because each links the whole product.
#![allow(clippy::unwrap_used)]

mod awards;
mod charts;
mod command_line;
mod common;
mod invest;
#[cfg(unix)]
mod kill;
mod plans;
mod scores;
mod streaming;
