//! `marquee stress`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::Stress;
use marquee_app::use_cases::stress::{Question, Stressed, stress};
use marquee_domain::Day;
use marquee_server::wire;

use crate::chart::Chart;
use crate::context::Context;
use crate::export::{Cell, Export, Sheet};
use crate::{project_file, show};

/// Flags of `marquee stress`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee stress examples/projects.toml --event \"cinemas closed\" --event strike --bias -0.2\n\nEvents are the [[risk]] tables of the deal: `marquee deal` prints them. All profits are gross-implied."
)]
pub(crate) struct Args {
    /// A file with the projects, each as [[project]]; all of them are funded.
    projects: PathBuf,
    /// A risk of the deal that happens for certain. May be repeated, each a test of its own; without --event and --bias all
    /// that are shared or for stress alone.
    #[arg(long, value_name = "NAME")]
    event: Vec<String>,
    /// A fraction by which every forecast is biased: -0.2. May be repeated.
    #[arg(long, value_name = "FRACTION", allow_hyphen_values = true)]
    bias: Vec<f64>,
    /// The day whose knowledge may be used.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// Scenarios that are simulated.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    scenarios: u32,
    #[command(flatten)]
    export: Export,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let events = args.event.iter().map(|name| Stress::of_event(name));
    let tests = events.chain(args.bias.iter().map(|bias| Stress::of_bias(*bias))).collect();
    let plans = context.plans(project_file::read_all(&args.projects)?, args.as_of, args.scenarios)?;
    let question = Question { plans, tests };
    let found = stress(&context.workspace, question, &context.control, &context.permit).await?;
    args.export.write(|| sheets(&found), || chart(&found))?;
    context.answer(&wire::money::StressAnswer::from(found.as_slice()), || text(&found))
}

fn name(stressed: &Stressed) -> &str {
    stressed.stress.as_ref().map_or("as they are", |s| s.name.as_str())
}

fn text(found: &[Stressed]) -> String {
    let headings = ["test", "mean profit", "change", "profit 10–90%", "P(loss)", "mean loss in the worst 5%"];
    let mut table = show::table(&headings, true);
    let base = found.first().map_or(0.0, |s| s.together.mean_profit.major());
    for stressed in found {
        let t = &stressed.together;
        let change = t.mean_profit.major() - base;
        table.add_row([
            name(stressed).to_owned(),
            t.mean_profit.to_string(),
            if stressed.stress.is_some() { show::usd(change) } else { String::new() },
            format!("{} – {}", t.profit[1], t.profit[5]),
            t.loss_probability.to_string(),
            t.cvar.to_string(),
        ]);
    }
    let more = show::fit(&mut table, &[2, 5]);
    let what = match found.first() {
        Some(s) => format!("{} projects for {}, all funded", s.returns.len(), s.together.cost),
        None => String::new(),
    };
    format!("{table}\n{more}\n{what}\ngross-implied; a negative loss is a profit even there\n")
}

fn sheets(found: &[Stressed]) -> Vec<Sheet> {
    let row = |s: &Stressed| {
        let t = &s.together;
        vec![
            name(s).into(),
            t.mean_profit.into(),
            t.profit[1].into(),
            t.profit[3].into(),
            t.profit[5].into(),
            Cell::Share(t.loss_probability.get()),
            t.cvar.into(),
        ]
    };
    let headings = vec![
        "test",
        "mean_profit_usd",
        "profit_q10_usd",
        "profit_q50_usd",
        "profit_q90_usd",
        "loss_probability",
        "cvar_usd",
    ];
    vec![Sheet { name: "stress", headings, rows: found.iter().map(row).collect() }]
}

fn chart(found: &[Stressed]) -> Chart {
    let range = |s: &Stressed| [1, 3, 5].map(|i| s.together.profit[i].major());
    let of = found.iter().map(|s| (name(s).to_owned(), range(s))).collect();
    Chart::Ranges { title: "profit of all projects together (10–90%)".to_owned(), of }
}
