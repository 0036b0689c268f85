//! One file for each thing that a user can ask. Each has its own request and answer types, and none names another.

pub mod awards;
pub mod backtest;
pub mod dates;
pub mod demo;
pub mod doctor;
pub mod drift;
pub mod due;
pub mod forecast;
pub mod games;
pub mod ingest;
pub mod issues;
pub mod models;
pub mod option;
pub mod promote;
pub mod reception;
pub mod replay;
pub mod sensitivity;
pub mod slate;
pub mod sql;
pub mod streaming;
pub mod stress;
pub mod titles;
pub mod track;
pub mod tune;
pub mod value;
pub mod weeks;
