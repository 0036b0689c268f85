//! `marquee option`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{AbandonBelow, GateAnswer};
use marquee_app::use_cases::option::{Question, Staged, option};
use marquee_domain::Day;
use marquee_server::wire;

use crate::chart::Chart;
use crate::context::Context;
use crate::export::{Cell, Export, Sheet};
use crate::{gates_file, project_file, show};

/// Flags of `marquee option`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee option examples/project.toml --gates examples/gates.toml\n\nWhat a dollar of gross leaves and what waiting costs come from the deal (`marquee deal`). Nobody trades a gross: the value is an expected one at an assumed discount rate, not the cost of a hedge."
)]
pub(crate) struct Args {
    /// A file with the project.
    project: PathBuf,
    /// A file with its stages, each as [[stage]].
    #[arg(long, value_name = "FILE")]
    gates: PathBuf,
    /// The day whose knowledge may be used.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// Value the stages by simulation too (Longstaff and Schwartz), on so many paths.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    paths: u32,
    #[command(flatten)]
    export: Export,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let project = project_file::read_one(&args.project)?;
    let deal = context.deal()?;
    let (stages, sequel) = gates_file::read(&args.gates, &project, &deal)?;
    let question = Question {
        project,
        stages,
        sequel,
        deal,
        as_of: args.as_of,
        today: context.today(),
        paths: args.paths as usize,
        seed: context.seed(),
    };
    let found = option(&context.workspace, question, &context.control, &context.permit).await?;
    args.export.write(|| sheets(&found.answer), || chart(&found.answer))?;
    context.answer(&wire::money::OptionAnswer::from(&found), || text(&found))
}

fn text(found: &Staged) -> String {
    let (a, q) = (&found.answer, found.forecast.distribution.quantiles());
    let mut text = format!(
        "{}\nworldwide gross {}, {} – {} (10–90%)\nworth {} with every right used at its best, {} committed to every stage\n",
        found.forecast.name,
        show::usd(q[3]),
        show::usd(q[1]),
        show::usd(q[5]),
        a.value,
        a.committed
    );
    if let Some(s) = &found.simulated {
        text += &format!("by simulation {} (standard error {})\n", s.value, s.standard_error);
    }
    let mut rights = show::table(&["the right to", "adds alone", "adds to the others"], true);
    for o in &a.options {
        rights.add_row([o.option.as_str().to_owned(), o.alone.to_string(), o.adds.to_string()]);
    }
    let mut gates = show::table(
        &["before", "reached", "abandoned", "waits", "enlarged", "abandon below a forecast of"],
        true,
    );
    for g in &a.gates {
        gates.add_row([
            g.stage.clone(),
            g.reached.to_string(),
            g.abandoned.to_string(),
            g.waits.to_string(),
            g.enlarged.to_string(),
            below(&g.abandon),
        ]);
    }
    let more = show::fit(&mut gates, &[4, 3]);
    format!(
        "{text}\n{rights}\n\n{gates}\n{more}\nreleased with probability {}, a sequel with {}; forecasts are medians as they then are\ngross-implied, discounted to the first stage, without incentives and expenses of sale\n",
        a.released, a.sequel
    )
}

fn below(abandon: &AbandonBelow) -> String {
    match abandon {
        AbandonBelow::NotAllowed => "may not".to_owned(),
        AbandonBelow::Always => "any".to_owned(),
        AbandonBelow::Never => "never".to_owned(),
        AbandonBelow::Forecast { median, .. } => median.to_string(),
    }
}

fn sheets(a: &GateAnswer) -> Vec<Sheet> {
    let rights = a.options.iter().map(|o| {
        vec![o.option.as_str().into(), o.only.into(), o.without.into(), o.alone.into(), o.adds.into()]
    });
    let gates = a.gates.iter().map(|g| {
        let share = |p: marquee_domain::Probability| Cell::Share(p.get());
        let median = match g.abandon {
            AbandonBelow::Forecast { median, .. } => median.0.into(),
            _ => below(&g.abandon).into(),
        };
        vec![
            g.stage.clone().into(),
            share(g.reached),
            share(g.abandoned),
            share(g.waits),
            share(g.enlarged),
            median,
        ]
    });
    vec![
        Sheet {
            name: "rights",
            headings: vec!["right", "only_usd", "without_usd", "adds_alone_usd", "adds_to_the_others_usd"],
            rows: rights.collect(),
        },
        Sheet {
            name: "gates",
            headings: vec!["stage", "reached", "abandoned", "waits", "enlarged", "abandon_below_usd"],
            rows: gates.collect(),
        },
    ]
}

/// From committed to all rights: what it is worth with each right alone.
fn chart(a: &GateAnswer) -> Chart {
    let (committed, value) = (a.committed.major(), a.value.major());
    let mut of =
        vec![("committed to every stage".to_owned(), [committed.min(0.0), committed, committed.max(0.0)])];
    of.extend(a.options.iter().map(|o| {
        let only = o.only.major();
        (format!("with the right to {} alone", o.option.as_str()), [committed.min(only), only, only])
    }));
    of.push(("with every right".to_owned(), [committed.min(value), value, value]));
    Chart::Ranges { title: "worth, by the rights that one has".to_owned(), of }
}
