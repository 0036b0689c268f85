//! `marquee config`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::show;

/// Flags of `marquee config`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee config --data ./films\n\nThe configuration file knows: data, deal, seed, threads."
)]
pub(crate) struct Args {}

pub(crate) fn run(context: &Context, _: &Args) -> Result<ExitCode> {
    let rows = context.config.rows();
    let document: Map<String, Value> = rows
        .iter()
        .map(|(name, value, origin)| ((*name).to_owned(), json!({ "value": value, "origin": origin })))
        .collect();
    context.answer(&document, || {
        let mut table = show::table(&["setting", "value", "from"], false);
        for (name, value, origin) in &rows {
            table.add_row([*name, value, origin]);
        }
        format!("{table}\n")
    })
}
