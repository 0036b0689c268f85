//! `marquee sql`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::SqlLimits;
use marquee_app::use_cases::sql::sql;
use marquee_server::wire;
use serde_json::Value;

use crate::context::Context;
use crate::show;

/// Flags of `marquee sql`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee sql \"SELECT kind, count(*) AS n FROM facts GROUP BY kind ORDER BY n DESC\"\n\nTables: facts, titles, issues, sources."
)]
pub(crate) struct Args {
    /// A SELECT statement.
    query: String,
    /// The most rows that are printed.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    rows: usize,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<ExitCode> {
    let limits = SqlLimits { rows: args.rows, ..SqlLimits::default() };
    let found = sql(&context.workspace, &args.query, &limits, &context.permit).await?;
    let document = wire::sql::SqlAnswer::from(found);
    context.answer(&document, || {
        let headings: Vec<&str> = document.columns.iter().map(|c| c.name.as_str()).collect();
        let mut table = show::table(&headings, false);
        for row in &document.rows {
            table.add_row(row.iter().map(cell));
        }
        let more = if document.truncated {
            format!("only the first {} rows are shown: --rows shows more\n", args.rows)
        } else {
            String::new()
        };
        format!("{table}\n{more}")
    })
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
