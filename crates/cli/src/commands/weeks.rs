//! `marquee weeks`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::use_cases::weeks::{Weeks, weeks};
use marquee_server::wire;

use crate::context::Context;
use crate::show;

/// Flags of `marquee weeks`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: marquee weeks \"My Film\"")]
pub(crate) struct Args {
    /// A title: its name, its id, or a source id such as tmdb:603.
    title: String,
}

/// How many characters the longest bar has.
const WIDTH: f64 = 30.0;

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let found =
        weeks(&context.workspace, &args.title, context.seed(), &context.control, &context.permit).await?;
    context.answer(&wire::forecast::WeeksAnswer::from(&found), || text(&found))
}

fn text(found: &Weeks) -> String {
    let run = &found.run;
    let mut out =
        format!("{}, week by week in the United States and Canada, released {}\n", run.name, run.release);
    out += &format!("as of {} ({}), by a model of {} films\n\n", run.as_of, run.horizon, found.population);
    if let Some(taken) = found.taken {
        out += &format!("taken so far: {}; ", show::usd(taken));
    }
    out += &format!("in the end: {}\n\n", show::range(&run.distribution));
    let known = found.weeks.iter().any(|(_, actual)| actual.is_some());
    let mut headings = vec!["week", "from Friday", "", "middle", "10% to 90%"];
    headings.extend(known.then_some("what it took"));
    let mut table = show::table(&headings, false);
    let most = found.weeks.iter().map(|(week, _)| week.distribution.median()).fold(1.0, f64::max);
    for (week, actual) in &found.weeks {
        let q = week.distribution.quantiles();
        let mut row = vec![
            week.number.to_string(),
            week.friday.to_string(),
            "▇".repeat((q[3] / most * WIDTH).round() as usize),
            show::usd(q[3]),
            format!("{} – {}", show::usd(q[1]), show::usd(q[5])),
        ];
        row.extend(known.then(|| actual.map(show::usd).unwrap_or_default()));
        table.add_row(row);
    }
    out += &format!("{table}\n\na week is what a film takes that still plays all of it\n");
    out
}
