//! `marquee features`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{Numeric, numbers};
use marquee_domain::Horizon;
use marquee_server::wire;

use crate::context::Context;
use crate::show;

/// Flags of `marquee features`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: marquee features --describe --horizon weekend_1")]
pub(crate) struct Args {
    /// Also print each one's formula, unit and what a missing value means.
    #[arg(long)]
    describe: bool,
    /// Only those that models of this horizon see.
    #[arg(long)]
    horizon: Option<Horizon>,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<ExitCode> {
    let seen = |n: &&Numeric| args.horizon.is_none_or(|horizon| n.horizons.contains(&horizon));
    let seen: Vec<&Numeric> = numbers().filter(seen).collect();
    let document: wire::models::Features = seen.iter().copied().collect();
    context.answer(&document, || {
        let mut head = vec!["feature", "group", "seen from", "to"];
        head.extend(args.describe.then_some("formula, unit; missing"));
        let mut table = show::table(&head, false);
        for n in &seen {
            let (from, to) = n.horizons.clone().into_inner();
            let mut row = vec![n.name.to_owned(), n.group.to_owned(), from.to_string(), to.to_string()];
            row.extend(args.describe.then(|| n.describe.to_owned()));
            table.add_row(row);
        }
        format!(
            "{table}\n{} numbers; those of talent are for credited films only. Genres, languages and age ratings that 30 training titles share are features of their own, before release also countries, sources and distributors. What cannot be computed is missing.\n",
            seen.len()
        )
    })
}
