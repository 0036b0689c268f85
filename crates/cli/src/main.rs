//! `marquee`: the one binary. It reads flags, runs a use case and shows the answer, as tables for people or as one JSON
//! document for scripts. Exit codes: 0 done, 1 failed, 2 wrong usage.

mod about;
mod chart;
mod commands;
mod config;
mod context;
mod deal_file;
mod export;
mod gates_file;
mod one_number;
mod progress;
mod project_file;
mod rules;
mod show;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start"), false),
    };
    let json = cli.json();
    match runtime.block_on(cli.run()) {
        Ok(code) => code,
        Err(error) => fail(&error, json),
    }
}

/// Says what went wrong on standard error; as a JSON document too where one was asked for.
fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    // A cause that its context already quotes is not said twice.
    let mut said: Vec<&str> = Vec::new();
    for cause in &causes {
        if !said.iter().any(|s| s.contains(cause.as_str())) {
            said.push(cause);
        }
    }
    if json {
        println!("{}", serde_json::json!({ "error": said.join(": ") }));
    }
    eprintln!("error: {}", said.join(": "));
    ExitCode::FAILURE
}
