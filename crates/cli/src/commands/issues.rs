//! `marquee issues`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use marquee_app::types::IssueFilter;
use marquee_app::use_cases::issues::{export_quarantine, issues};
use marquee_domain::Action;
use marquee_server::wire;
use serde_json::json;

use crate::context::Context;
use crate::show;

/// Flags of `marquee issues`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee issues --source films --rule release_date --limit 5\n         marquee issues --source films --export refused.csv\n\nCorrect the exported rows and ingest that file: it is added to its source. Or correct the source file itself and ingest it again: it takes the place of what it was."
)]
pub(crate) struct Args {
    /// Only this source.
    #[arg(long)]
    source: Option<String>,
    /// Only this rule.
    #[arg(long)]
    rule: Option<String>,
    /// Only what was done so: repaired, value_refused, row_refused.
    #[arg(long, value_parser = action)]
    action: Option<Action>,
    /// The most issues that are shown.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Write the rows of --source that wait in quarantine to this CSV file.
    #[arg(long, value_name = "FILE", requires = "source")]
    export: Option<PathBuf>,
}

fn action(word: &str) -> Result<Action, String> {
    let all = [Action::Repaired, Action::ValueRefused, Action::RowRefused];
    all.into_iter()
        .find(|a| a.as_str() == word)
        .ok_or_else(|| "one of repaired, value_refused, row_refused".to_owned())
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if let (Some(to), Some(source)) = (&args.export, &args.source) {
        let rows =
            export_quarantine(&context.workspace, source, to, &context.permit).await.context("--export")?;
        return context.answer(&json!({ "exported": rows, "file": to }), || {
            format!("{rows} rows of {source} written to {}: correct them, then `marquee ingest` that file, by the same map: it is added to {source}\n", to.display())
        });
    }
    let filter = IssueFilter { source: args.source, rule: args.rule, action: args.action, limit: args.limit };
    let found = issues(&context.workspace, &filter, &context.permit).await?;
    context.answer(&wire::ingest::Issues::from(&found), || {
        if found.totals.is_empty() {
            return "no issues: everything that was read was understood\n".to_owned();
        }
        let mut totals = show::table(&["source", "rule", "issues"], false);
        for (source, rule, count) in &found.totals {
            totals.add_row([source.as_str(), rule, &count.to_string()]);
        }
        let mut each = show::table(&["source", "row", "column", "value", "done", "why"], false);
        for s in &found.found {
            each.add_row([
                s.source.clone(),
                s.issue.row.to_string(),
                s.issue.column.clone(),
                show::short(&s.issue.value, 24),
                s.issue.action.as_str().replace('_', " "),
                s.issue.message.clone(),
            ]);
        }
        format!("{totals}\n\n{each}\n")
    })
}
