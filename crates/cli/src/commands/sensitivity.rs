//! `marquee sensitivity`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{Change, Swing};
use marquee_app::use_cases::sensitivity::{Sensitivity, sensitivity};
use marquee_server::wire;

use crate::about::About;
use crate::context::Context;
use crate::show;

/// Flags of `marquee sensitivity`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee sensitivity \"Apocalypto\"\n         marquee sensitivity --project project.toml --target domestic"
)]
pub(crate) struct Args {
    #[command(flatten)]
    about: About,
}

/// How many characters a swing is drawn on.
const WIDTH: usize = 28;

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let about = args.about.inquiry(context)?;
    let found = sensitivity(&context.workspace, about, &context.control, &context.permit).await?;
    context.answer(&wire::dates::Sensitivity::from(&found), || text(&found))
}

fn text(found: &Sensitivity) -> String {
    let f = &found.forecast;
    let middle = f.distribution.median();
    let mut out = format!("{}, {} gross: {}\n", f.name, f.target, show::range(&f.distribution));
    out += &format!("as of {} ({}), by a model of {} films\n\n", f.as_of, f.horizon, f.population);
    if found.swings.is_empty() {
        return out + "nothing that was tried moves it\n";
    }
    let ends = found.swings.iter().flat_map(|s| [s.low.1, s.high.1]).chain([middle]).map(f64::ln);
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let place = |x: f64| ((x.ln() - low) / (high - low).max(1e-9) * (WIDTH - 1) as f64).round() as usize;
    let mut table = show::table(&["", "now", "lowest", "", "highest", ""], false);
    for Swing { kind, now, low, high } in &found.swings {
        let mut line = vec![' '; WIDTH];
        line[place(low.1.min(middle))..=place(high.1.max(middle))].fill('━');
        line[place(middle)] = '┃';
        table.add_row([
            kind.to_string().replace('_', " "),
            show::short(&written(*kind, &now.value()), 18),
            end(low, middle),
            line.into_iter().collect(),
            end(high, middle),
        ]);
    }
    out += &format!("The middle with one thing changed at a time; ┃ is {}\n{table}\n", show::usd(middle));
    out += "\namounts are tried at a quarter less and more, minutes at fifteen, the day up to 13 weeks away, words at each\nthat is common. Films like the changed one did as well as this: no proof that the change would.\n";
    out
}

fn end((change, median): &(Change, f64), middle: f64) -> String {
    let value = show::short(&written(change.kind(), &change.value()), 18);
    format!("{value} {:+.0}%", (median / middle - 1.0) * 100.0)
}

/// A figure or words of a kind, as people write them.
fn written(kind: marquee_domain::FactKind, value: &str) -> String {
    match (kind, value.parse()) {
        (marquee_domain::FactKind::Budget, Ok(amount)) => show::usd(amount),
        _ => value.to_owned(),
    }
}
