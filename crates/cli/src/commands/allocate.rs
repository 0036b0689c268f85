//! `marquee allocate`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{AllocationAnswer, AllocationOutcome, BestSpend, ElasticityEstimate};
use marquee_app::use_cases::allocate::{Allocated, Question, allocate};
use marquee_domain::{Day, Money};
use marquee_server::wire;

use crate::chart::Chart;
use crate::context::{Context, SCENARIOS};
use crate::export::{Cell, Export, Sheet};
use crate::{project_file, show};

/// Flags of `marquee allocate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee allocate examples/projects.toml --cap 600M\n\nHow a gross responds to spending is an assumption of the deal ([response] in `marquee deal`); each spend is held between half and twice its plan. What goes with what in the data stands below: it is no experiment."
)]
pub(crate) struct Args {
    /// A file with the projects, each as [[project]].
    projects: PathBuf,
    /// The most that may be spent in all.
    #[arg(long, value_name = "AMOUNT")]
    cap: Option<Money>,
    /// The day whose knowledge may be used.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    #[command(flatten)]
    export: Export,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let projects = project_file::read_all(&args.projects)?;
    let question = Question { plans: context.plans(projects, args.as_of, SCENARIOS)?, cap: args.cap };
    let found = allocate(&context.workspace, question, &context.control, &context.permit).await?;
    let spends = match &found.outcome {
        AllocationOutcome::Best(answer) => answer.spends.as_slice(),
        AllocationOutcome::CapTooLow { .. } => &[],
    };
    args.export.write(|| vec![sheet(spends)], || chart(spends))?;
    context.answer(&wire::money::Allocated::from(&found), || text(&found))
}

fn text(found: &Allocated) -> String {
    let answer: &AllocationAnswer = match &found.outcome {
        AllocationOutcome::Best(answer) => answer,
        AllocationOutcome::CapTooLow { cap, least } => {
            return format!(
                "half of every plan comes to {least}, above the cap of {cap}: raise it to {least}\n"
            );
        }
    };
    let headings =
        ["project", "on", "planned", "best", "within 1% of the best profit", "the last dollar brings"];
    let mut table = show::table(&headings, true);
    for s in &answer.spends {
        table.add_row([
            s.project.clone(),
            s.bucket.as_str().to_owned(),
            s.planned.to_string(),
            s.spend.to_string(),
            format!("{} – {}", s.nearly_as_good[0], s.nearly_as_good[1]),
            format!("${:.2}", s.marginal),
        ]);
    }
    show::whole(&mut table, 0);
    let more = show::fit(&mut table, &[5, 2]);
    format!(
        "{table}\n{more}\n{}\nas planned: {}\n\nwhat goes with what in the data (no experiment; 95% intervals):\n{}{}marketing itself: no table that is known states it\n\ngross-implied, by the deal's [response]; before incentives, overruns and expenses of sale\n",
        answer.in_words(),
        answer.planned_profit,
        evidence("worldwide gross with budget", &found.evidence.budget),
        evidence("what the budget leaves of it with opening theatres", &found.evidence.theatres)
    )
}

fn evidence(what: &str, estimate: &ElasticityEstimate) -> String {
    match estimate {
        ElasticityEstimate::Estimated(f) => format!(
            "{what}: {:.2} ({:.2} to {:.2}), {} of the variance, {} films of {} years\n",
            f.slope,
            f.interval[0],
            f.interval[1],
            show::percent(f.explained),
            f.rows,
            f.clusters
        ),
        ElasticityEstimate::TooLittle { rows, reason, .. } => format!("{what}: {rows} films; {reason}\n"),
    }
}

fn sheet(spends: &[BestSpend]) -> Sheet {
    let row = |s: &BestSpend| {
        vec![
            s.project.clone().into(),
            s.bucket.as_str().into(),
            s.planned.into(),
            s.spend.into(),
            s.nearly_as_good[0].into(),
            s.nearly_as_good[1].into(),
            Cell::Number(s.marginal),
        ]
    };
    let headings = vec![
        "project",
        "on",
        "planned_usd",
        "best_usd",
        "nearly_from_usd",
        "nearly_to_usd",
        "last_dollar_brings",
    ];
    Sheet { name: "spends", headings, rows: spends.iter().map(row).collect() }
}

fn chart(spends: &[BestSpend]) -> Chart {
    let range = |s: &BestSpend| [s.nearly_as_good[0].major(), s.spend.major(), s.nearly_as_good[1].major()];
    let of = spends.iter().map(|s| (format!("{}, {}", s.project, s.bucket.as_str()), range(s))).collect();
    Chart::Ranges { title: "spending that comes within 1% of the best profit".to_owned(), of }
}
