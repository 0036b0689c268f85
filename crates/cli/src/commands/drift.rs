//! `marquee drift`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::Drift;
use marquee_app::use_cases::drift::{DriftQuestion, drift};
use marquee_server::wire;

use crate::about::Models;
use crate::context::Context;
use crate::show;

/// Flags of `marquee drift`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee drift --year 2008 --horizon announced --target domestic --population all"
)]
pub(crate) struct Args {
    /// The release year that is looked at.
    #[arg(long)]
    year: i32,
    /// How many years before it are what it is set against.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    back: u32,
    #[command(flatten)]
    models: Models,
}

/// How many columns that did not drift are shown.
const QUIET: usize = 5;

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let question =
        DriftQuestion { which: args.models.which(), year: args.year, back: args.back, seed: context.seed() };
    let found = drift(&context.workspace, question.clone(), &context.control, &context.permit).await?;
    context.answer(&wire::models::Drift::of(&question, &found), || text(&question, &found))
}

fn text(asked: &DriftQuestion, found: &Drift) -> String {
    let mut out = format!(
        "{} films of {} against {} of the {} years before: {} {}, {}\n\n",
        found.new,
        asked.year,
        found.earlier,
        asked.back,
        asked.which.horizon,
        asked.which.target,
        asked.which.population
    );
    let mut table = show::table(&["", "higher than before", "distance", "p, all together", ""], true);
    let mut quiet = 0;
    for (i, (name, c)) in found.columns.iter().enumerate() {
        quiet += usize::from(!c.drifted && i > 0);
        if c.drifted || i == 0 || quiet <= QUIET {
            table.add_row([
                name.clone(),
                show::percent(c.exceeds),
                format!("{:.2}", c.distance),
                format!("{:.3}", c.p_value),
                if c.drifted { "drifted" } else { "" }.to_owned(),
            ]);
        }
    }
    out += &format!("{table}\n\n");
    let drifted = found.columns.iter().filter(|(_, c)| c.drifted).count();
    out += &match drifted {
        0 => format!("none of {} columns has drifted", found.columns.len()),
        n => format!("{n} of {} columns have drifted", found.columns.len()),
    };
    out += ", at a chance of 2% that any of them would seem to\n`outcomes` are the shares of their forecasts below what happened: 50% is as forecast\n";
    out
}
