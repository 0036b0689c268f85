//! `marquee demo`.

use std::process::ExitCode;

use anyhow::Result;
use comfy_table::CellAlignment;
use marquee_app::OfficeSettings;
use marquee_app::types::{Outcome, Score};
use marquee_app::use_cases::demo::{Show, Shown, demo};
use marquee_domain::{Day, Money};
use marquee_server::Settings;
use marquee_server::wire::Quantiles;
use marquee_server::wire::backtest::Backtest;
use marquee_server::wire::forecast::Forecast;
use marquee_server::wire::ingest::IngestReport;
use marquee_server::wire::money::Returns;
use marquee_server::wire::slate::SlateOutcome;
use serde_json::json;

use crate::context::{Context, say};
use crate::show;

/// Flags of `marquee demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: marquee demo --as-of 2004-01-01 --budget 300M")]
pub(crate) struct Args {
    /// The day as of which is learned.
    #[arg(long, value_name = "DATE", default_value = "2006-01-01")]
    as_of: Day,
    /// What the slate may cost, marketing included.
    #[arg(long, default_value = "200M")]
    budget: Money,
    /// End there, instead of serving the pages with the demo's data.
    #[arg(long)]
    no_serve: bool,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<ExitCode> {
    let show = Show { as_of: args.as_of, budget: args.budget, deal: context.deal()?, seed: context.seed() };
    let shown = demo(&context.workspace, show, &context.control, &context.permit).await?;
    let document = json!({
        "as_of": args.as_of.to_string(),
        "ingested": shown.reports.iter().map(IngestReport::from).collect::<Vec<_>>(),
        "backtest": Backtest::from(&shown.backtest),
        "examples": shown.examples.iter().map(|p| json!({
            "title": p.title, "release_date": p.release.to_string(), "as_of": p.as_of.to_string(),
            "quantiles": Quantiles::from(&p.distribution), "actual_usd": p.actual,
        })).collect::<Vec<_>>(),
        "candidates": shown.candidates.iter().map(|c| json!({
            "forecast": Forecast::from(&c.forecast), "returns": Returns::from(&c.returns), "actual_usd": c.actual,
        })).collect::<Vec<_>>(),
        "slate": SlateOutcome::from(&shown.outcome),
    });
    let answered = context.answer(&document, || text(args, &shown))?;
    if args.no_serve || context.json {
        return Ok(answered);
    }
    say(b"\nThe same data in pages:\n")?;
    let settings = Settings { seed: context.seed(), ..Settings::default() };
    let workspace = context.workspace.demo();
    super::serve::serve(&workspace, context.deal()?, OfficeSettings::default(), settings).await
}

fn text(args: &Args, shown: &Shown) -> String {
    let mut out = format!(
        "1  Read the bundled film table; what was refused or repaired:\n{}",
        super::ingest::reports(&shown.reports, 3)
    );
    out += &format!(
        "\n2  Learn as of {}, forecast films of the five years after it (grossing $100,000 or more):\n",
        args.as_of
    );
    let mut figures = show::table(
        &["R², median APE", "n", "ours", "log budget", "plain boosting", "RMSE", "CRPS", "in 80%"],
        true,
    );
    for row in &shown.backtest.rows {
        let both = |s: &Score| format!("{:.3}, {:.3}", s.r2, s.median_ape);
        let of = |i: usize| row.baselines.get(i).map_or(String::new(), |v| both(&v.score));
        let s = &row.score;
        figures.add_row([
            format!("{} {}", row.horizon, row.target),
            s.n.to_string(),
            both(s),
            of(0),
            of(1),
            format!("{:.3}", s.rmse),
            format!("{:.3}", s.crps),
            show::percent(s.cover80),
        ]);
    }
    out += &format!("{figures}\n");
    for s in &shown.backtest.skipped {
        out += &format!("left out {} {}: {}\n", s.horizon, s.target, s.reason);
    }
    out += "\n3  Some of these forecasts, 30 days before release, and what happened (worldwide):\n";
    let mut some = show::table(&["title", "release", "forecast (10–90%)", "actual"], true);
    for p in &shown.examples {
        some.add_row([
            show::short(&p.title, 34),
            p.release.to_string(),
            show::range(&p.distribution),
            show::usd(p.actual),
        ]);
    }
    out += &format!(
        "{some}\n\n4  Choose from ten films to come as of {}, with {} to spend:\n",
        args.as_of, args.budget
    );
    out += &candidates(shown);
    out + &super::slate::outcome(&shown.outcome)
}

fn candidates(shown: &Shown) -> String {
    let chosen = |name: &str| match &shown.outcome {
        Outcome::Chosen(a) | Outcome::TimedOut(a) => a.slate.choices.iter().any(|c| c.project == name),
        _ => false,
    };
    let mut table =
        show::table(&["", "project", "cost", "worldwide gross (10–90%)", "P(loss)", "then grossed"], true);
    if let Some(names) = table.column_mut(1) {
        names.set_cell_alignment(CellAlignment::Left);
    }
    for c in &shown.candidates {
        let mark = if chosen(&c.forecast.name) { "✓" } else { "" };
        table.add_row([
            mark.to_owned(),
            show::short(&c.forecast.name, 30),
            c.returns.cost.to_string(),
            show::range(&c.forecast.distribution),
            c.returns.loss_probability.to_string(),
            show::usd(c.actual),
        ]);
    }
    format!("{table}\n")
}
