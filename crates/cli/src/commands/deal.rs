//! `marquee deal`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::Deal;
use serde_json::json;

use crate::context::Context;
use crate::deal_file;
use crate::export::{put, xlsx_of};
use crate::show;

/// Flags of `marquee deal`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee deal > my_deal.toml && marquee --deal my_deal.toml value examples/project.toml\n\nA spreadsheet that --xlsx writes can be edited and given to --deal again."
)]
pub(crate) struct Args {
    /// Show each assumption with its date and source as a table instead.
    #[arg(long)]
    table: bool,
    /// Write the deal as a spreadsheet too.
    #[arg(long, value_name = "FILE")]
    xlsx: Option<std::path::PathBuf>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<ExitCode> {
    let deal = context.deal()?;
    let text = match &context.config.deal.value {
        Some(path) => deal_file::text(path)?,
        None => Deal::DEFAULT_TOML.to_owned(),
    };
    if let Some(path) = &args.xlsx {
        put(path, &xlsx_of(&[deal_file::sheet(&text)?])?)?;
    }
    let rows = deal.assumptions();
    let document = json!({ "deal": text, "assumptions": rows });
    context.answer(&document, || {
        if !args.table {
            return text.clone();
        }
        let mut table = show::table(&["assumption", "value", "unit", "since", "source"], false);
        for row in &rows {
            let values: Vec<String> = row.values.iter().map(ToString::to_string).collect();
            let (unit, dated) = (row.unit.to_owned(), row.dated.to_string());
            table.add_row([row.key.clone(), values.join(" "), unit, dated, row.source.clone()]);
        }
        show::whole(&mut table, 0);
        format!("{table}\n")
    })
}
