//! `marquee titles`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{TitleQuery, TitleSort};
use marquee_app::use_cases::titles::titles;
use marquee_server::wire;

use crate::context::Context;
use crate::show;

/// Flags of `marquee titles`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: marquee titles pirates --from 2000 --sort budget --limit 5")]
pub(crate) struct Args {
    /// A part of the name.
    text: Option<String>,
    /// The first release year.
    #[arg(long, value_name = "YEAR")]
    from: Option<i32>,
    /// The last release year.
    #[arg(long, value_name = "YEAR")]
    to: Option<i32>,
    /// A genre.
    #[arg(long)]
    genre: Option<String>,
    /// Sort by this; the newest, dearest or highest come first.
    #[arg(long, value_enum, default_value_t = Sort::Release)]
    sort: Sort,
    /// Turn the order round.
    #[arg(long)]
    reverse: bool,
    /// The most titles that are shown.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    Name,
    Release,
    Budget,
    Gross,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let sort = match args.sort {
        Sort::Name => TitleSort::Name,
        Sort::Release => TitleSort::Release,
        Sort::Budget => TitleSort::Budget,
        Sort::Gross => TitleSort::Gross,
    };
    let years = (args.from.is_some() || args.to.is_some())
        .then(|| (args.from.unwrap_or(i32::MIN), args.to.unwrap_or(i32::MAX)));
    let query = TitleQuery {
        text: args.text,
        years,
        genre: args.genre,
        sort,
        descending: (args.sort != Sort::Name) != args.reverse,
        limit: args.limit,
    };
    let rows = titles(&context.workspace, &query, &context.permit).await?;
    let document: Vec<wire::titles::Title> = rows.iter().map(wire::titles::Title::from).collect();
    context.answer(&document, || {
        if rows.is_empty() {
            return "no title matches; try a shorter part of the name\n".to_owned();
        }
        let mut table = show::table(&["title", "release", "budget", "domestic", "worldwide", "id"], true);
        show::whole(&mut table, 5);
        for row in &rows {
            let amount = |m: Option<marquee_domain::Money>| m.map(|m| m.to_string()).unwrap_or_default();
            table.add_row([
                show::short(&row.name, 40),
                row.release.map(|d| d.to_string()).unwrap_or_default(),
                amount(row.budget),
                amount(row.domestic_gross),
                amount(row.worldwide_gross),
                row.id.to_string(),
            ]);
        }
        format!("{table}\n")
    })
}
