//! `marquee slate`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use marquee_app::types::{Objective, Outcome, SlateAnswer, SlateRules};
use marquee_app::use_cases::slate::{Brief, Chosen, slate};
use marquee_domain::{Day, Money, Weight};
use serde_json::json;

use crate::context::Context;
use crate::{project_file, show, wire};

/// Flags of `marquee slate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee slate projects.toml --budget 200M --risk-aversion 0.5\n\nAll profits are gross-implied: reckoned from grosses through the deal terms of `marquee deal`."
)]
pub(crate) struct Args {
    /// A file with the candidates, each as [[project]].
    projects: PathBuf,
    /// What the slate may cost, marketing included: 200M.
    #[arg(long)]
    budget: Money,
    /// How many dollars of mean profit a dollar less of loss in the worst scenarios (CVaR) is worth.
    #[arg(long, default_value = "0.25", conflicts_with = "max_cvar", value_parser = weight)]
    risk_aversion: Weight,
    /// Maximise mean profit with at most this mean loss in the worst scenarios instead.
    #[arg(long, value_name = "AMOUNT")]
    max_cvar: Option<Money>,
    /// At least so many projects.
    #[arg(long, value_name = "N")]
    min_projects: Option<usize>,
    /// At most so many projects.
    #[arg(long, value_name = "N")]
    max_projects: Option<usize>,
    /// A project that must be in. May be repeated.
    #[arg(long, value_name = "NAME")]
    must_have: Vec<String>,
    /// A project that must not be in. May be repeated.
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// The day whose knowledge may be used.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// Scenarios that are simulated.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    scenarios: u32,
    /// Stop searching after so many seconds, with the best slate so far and its proven gap.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time_limit: Option<u32>,
}

pub(super) fn weight(text: &str) -> Result<Weight, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    Weight::try_from(number).map_err(|e| e.to_string())
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let projects = project_file::read_all(&args.projects)?;
    for name in args.must_have.iter().chain(&args.exclude) {
        if !projects.iter().any(|p| p.name == *name) {
            bail!("no project of {} is called `{name}`", args.projects.display());
        }
    }
    let objective = match args.max_cvar {
        Some(cvar_cap) => Objective::MeanUnderCap { cvar_cap },
        None => Objective::MeanLessRisk { risk_aversion: args.risk_aversion },
    };
    let rules = SlateRules {
        min_projects: args.min_projects,
        max_projects: args.max_projects,
        must_have: args.must_have,
        excluded: args.exclude,
        ..SlateRules::new(args.budget, objective)
    };
    let brief = Brief {
        projects,
        rules,
        deal: context.deal()?,
        as_of: args.as_of,
        today: context.today(),
        scenarios: args.scenarios as usize,
        time_limit: args.time_limit.map(|seconds| Duration::from_secs(seconds.into())),
        seed: context.seed(),
    };
    let found = slate(&context.workspace, brief, &context.control, &context.permit).await?;
    let document = json!({
        "slate": wire::outcome(&found.outcome),
        "projects": found.returns.iter().map(wire::returns).collect::<Vec<_>>(),
        "forecasts": found.forecasts.iter().map(wire::forecast).collect::<Vec<_>>(),
    });
    context.answer(&document, || text(&found))
}

fn text(found: &Chosen) -> String {
    let mut table = show::table(
        &["project", "cost", "worldwide gross (10–90%)", "P(loss)", "mean profit", "in", "why"],
        false,
    );
    let why = match &found.outcome {
        Outcome::Chosen(answer) | Outcome::TimedOut(answer) => answer.why.as_slice(),
        _ => &[],
    };
    for (i, (f, r)) in found.forecasts.iter().zip(&found.returns).enumerate() {
        let (chosen, reason) =
            why.get(i).map_or((false, String::new()), |w| (w.chosen, w.reason.to_string()));
        table.add_row([
            show::short(&f.name, 28),
            r.cost.to_string(),
            show::range(&f.distribution),
            r.loss_probability.to_string(),
            r.mean_profit.to_string(),
            if chosen { "yes" } else { "" }.to_owned(),
            reason,
        ]);
    }
    format!("{table}\n\n{}", outcome(&found.outcome))
}

/// The slate in words.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Chosen(answer) => chosen(answer),
        Outcome::TimedOut(answer) => format!(
            "{}time ran out: no slate is better by more than {:.2}%\n",
            chosen(answer),
            answer.gap * 100.0
        ),
        Outcome::Undecided { least_found } => {
            format!(
                "time ran out before a slate under the cap on risk was found; the least risk found is {least_found}\n"
            )
        }
        Outcome::Infeasible(why) => format!("no slate keeps the rules: {why}\n"),
    }
}

fn chosen(answer: &SlateAnswer) -> String {
    let s = &answer.slate;
    let names: Vec<&str> = s.choices.iter().map(|c| c.project.as_str()).collect();
    if names.is_empty() {
        return "the best slate is empty: no project is worth its risk under these terms\n".to_owned();
    }
    let [low, .., high] = &answer.profit;
    let proof = if answer.exact { "exact: no slate is better" } else { "best found" };
    format!(
        "slate: {}\ncost {}; mean profit {} ({low} – {high}, 5–95%); P(loss) {}; mean loss in the worst {}: {} ({proof}; gross-implied)\n",
        names.join(", "),
        s.cost,
        s.mean_profit,
        s.loss_probability,
        s.tail,
        s.cvar
    )
}
