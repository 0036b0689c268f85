//! One file for each thing that a user can ask. Each has its own request and answer types, and none names another.

pub mod backtest;
pub mod demo;
pub mod doctor;
pub mod forecast;
pub mod ingest;
pub mod issues;
pub mod slate;
pub mod sql;
pub mod titles;
pub mod track;
