//! `marquee ingest`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::IngestReport;
use marquee_app::use_cases::ingest::{Ingested, Input, Wish, ingest};
use marquee_domain::{Class, Held};
use marquee_server::wire;

use crate::context::Context;
use crate::show;

/// Flags of `marquee ingest`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee ingest data/films.csv\n         marquee ingest my_films.xlsx --map my_films.toml\n\nReads CSV, TSV, JSON, NDJSON, XLSX and Parquet, plain or gzip."
)]
pub(crate) struct Args {
    /// Files.
    #[arg(required_unless_present = "source")]
    files: Vec<PathBuf>,
    /// What the columns mean; built-in maps know the bundled table and the usual public ones.
    #[arg(long, value_name = "MAP.toml")]
    map: Option<PathBuf>,
    /// A folder whose known tables are read.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "map"])]
    source: Option<PathBuf>,
    /// Let the file take the place of all files of its source, not only of the one of its own name.
    #[arg(long)]
    replace: bool,
    /// Who may see the facts and what is made of them: public, internal, confidential (its team) or nda.
    #[arg(long, default_value = "internal")]
    class: Class,
    /// The team that the facts belong to.
    #[arg(long, default_value = "")]
    team: String,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let input = match args.source {
        Some(folder) => Input::Folder(folder),
        None => Input::Files(args.files, args.map),
    };
    let held = Held { class: args.class, team: args.team };
    let wish = Wish { input, replace: args.replace, held };
    let done = ingest(&context.workspace, wish, &context.control, &context.permit).await?;
    context.answer(&wire::ingest::IngestAnswer::from(&done), || text(&done))
}

fn text(done: &Ingested) -> String {
    let mut out = reports(&done.reports, 8);
    if !done.merges.is_empty() {
        let differ = done.merges.iter().filter(|m| m.names.0 != m.names.1).count();
        out += &format!(
            "\n{} titles of several tables were matched ({differ} under different names): --json lists them\n",
            done.merges.len()
        );
    }
    for (path, why) in &done.skipped {
        out += &format!("passed over {}: {why}\n", path.display());
    }
    for note in &done.notes {
        out += &format!("note: {note}\n");
    }
    out
}

/// What was read, refused and repaired, with the `rules_shown` most frequent rules.
pub(crate) fn reports(reports: &[IngestReport], rules_shown: usize) -> String {
    let mut table = show::table(&["source", "rows", "facts", "refused rows", "issues", "MB/s"], true);
    for r in reports {
        let issues: u64 = r.rules.values().map(|c| c.count).sum();
        let speed = if r.unchanged {
            "unchanged".to_owned()
        } else {
            format!("{:.0}", r.bytes as f64 / 1e6 / r.seconds.max(1e-9))
        };
        let facts: u64 = r.facts.values().sum();
        table.add_row([
            r.source.clone(),
            r.rows.to_string(),
            facts.to_string(),
            r.refused_rows.to_string(),
            issues.to_string(),
            speed,
        ]);
    }
    let mut out = format!("{table}\n");
    let mut rules: Vec<_> =
        reports.iter().flat_map(|r| r.rules.iter().map(move |(rule, c)| (r, rule, c))).collect();
    rules.sort_by_key(|(_, _, c)| std::cmp::Reverse(c.count));
    for (r, rule, c) in rules.iter().take(rules_shown) {
        let example = c.example.as_ref().map_or_else(String::new, |e| {
            format!("{} (row {}: `{}`)", e.message, e.row, show::short(&e.value, 24))
        });
        out += &format!(
            "  {:>5} {} {}.{rule}: {example}\n",
            c.count,
            c.action.as_str().replace('_', " "),
            r.source
        );
    }
    if rules.len() > rules_shown {
        out += &format!("  and {} more rules: `marquee issues` lists them\n", rules.len() - rules_shown);
    }
    out
}
