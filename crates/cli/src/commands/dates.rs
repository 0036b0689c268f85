//! `marquee dates`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::Weekend;
use marquee_app::use_cases::dates::{Dates, DatesQuestion, dates};
use marquee_domain::Day;
use marquee_server::wire;

use crate::about::About;
use crate::context::Context;
use crate::show;

/// Flags of `marquee dates`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee dates --project project.toml --from 2027-05-01 --to 2027-09-01\n         marquee dates \"Apocalypto\" --all"
)]
pub(crate) struct Args {
    #[command(flatten)]
    about: About,
    /// The first day that comes into question, if it is after the as-of day (half a year before the plan).
    #[arg(long, value_name = "DATE")]
    from: Option<Day>,
    /// The last one (half a year after the plan).
    #[arg(long, value_name = "DATE")]
    to: Option<Day>,
    /// Print every weekend in order of time, not only the best and the worst.
    #[arg(long)]
    all: bool,
}

/// How many of the best and how many of the worst weekends are shown.
const SHOWN: usize = 6;
/// How many characters the longest bar has.
const WIDTH: f64 = 24.0;

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && to < from
    {
        crate::commands::wrong_usage(&format!("--to {to} is before --from {from}"));
    }
    let all = args.all;
    let question = DatesQuestion { about: args.about.inquiry(context)?, from: args.from, to: args.to };
    let target = question.about.target;
    let found = dates(&context.workspace, question, &context.control, &context.permit).await?;
    let document = wire::dates::Dates::of(target, &found);
    context.answer(&document, || text(&found, target.as_str(), all))
}

fn text(found: &Dates, target: &str, all: bool) -> String {
    let mut out = format!("{}: the {target} gross by the weekend it opens on\n", found.name);
    out +=
        &format!("as of {} ({}), by a model of {} films\n\n", found.as_of, found.horizon, found.population);
    let median = |weekend: &Weekend| weekend.distribution.median();
    let mut ranked: Vec<&Weekend> = found.weekends.iter().collect();
    ranked.sort_by(|a, b| median(b).total_cmp(&median(a)).then(a.release.cmp(&b.release)));
    let planned = ranked.iter().position(|w| w.release == found.planned.release).unwrap_or(0);
    let shown: Vec<&Weekend> = match all {
        true => found.weekends.iter().collect(),
        false => {
            let kept = |i: usize| i < SHOWN || i + SHOWN >= ranked.len() || i == planned;
            ranked.iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, w)| *w).collect()
        }
    };
    let largest = ranked.first().map_or(1.0, |best| median(best));
    let mut table = show::table(&["opens", "", "middle", "10% to 90%", "against plan", "rivals"], false);
    for weekend in shown {
        let q = weekend.distribution.quantiles();
        let over = q[3] / median(&found.planned) - 1.0;
        let against = match weekend.release == found.planned.release {
            true => "planned".to_owned(),
            false => format!("{:+.0}%", over * 100.0),
        };
        table.add_row([
            weekend.release.to_string(),
            "▇".repeat((q[3] / largest * WIDTH).round() as usize),
            show::usd(q[3]),
            format!("{} – {}", show::usd(q[1]), show::usd(q[5])),
            against,
            // Nobody knows yet what opens beyond the announced calendar.
            match weekend.release.days_since(found.as_of.0) <= 30 {
                true => weekend.rivals.to_string(),
                false => "–".to_owned(),
            },
        ]);
    }
    out += &format!(
        "{table}\n\nthe plan is number {} of {} weekends by its middle; ",
        planned + 1,
        ranked.len()
    );
    out += "rivals are the titles known by then to open within a week.\n";
    out += "Beyond the announced calendar the usual competition of the week counts. Films that opened then did as well as\nthis; strong films choose strong dates, so that a date alone may do less.\n";
    out
}
