//! The lake from the outside. One test program for all of it, because each links the whole query engine.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod common;
mod kill;
mod lake;
mod tables;
