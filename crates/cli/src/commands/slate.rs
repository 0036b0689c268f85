//! `marquee slate`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{NextFilms, Objective, Outcome, SlateAnswer, SlateChange};
use marquee_app::use_cases::slate::{Brief, Chosen, slate};
use marquee_domain::{Money, Weight};
use marquee_server::wire;

use crate::chart::Chart;
use crate::context::Context;
use crate::export::{Cell, Export, Sheet};
use crate::rules::{RuleArgs, weight};
use crate::{project_file, show};

/// Flags of `marquee slate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee slate examples/projects.toml --budget 200M --limit genre=0.5 --next\n\nAll profits are gross-implied: reckoned from grosses through the deal terms of `marquee deal`."
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
    /// Say which film comes in next with more money, and which goes out first with less.
    #[arg(long)]
    next: bool,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    export: Export,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let projects = project_file::read_all(&args.projects)?;
    let objective = match args.max_cvar {
        Some(cvar_cap) => Objective::MeanUnderCap { cvar_cap },
        None => Objective::MeanLessRisk { risk_aversion: args.risk_aversion },
    };
    let brief = Brief {
        rules: args.rules.rules(&projects, args.budget, objective)?,
        plans: context.plans(projects, args.rules.as_of, args.rules.scenarios)?,
        time_limit: args.rules.time(),
        next: args.next,
    };
    let found = slate(&context.workspace, brief, &context.control, &context.permit).await?;
    args.export.write(|| sheets(&found), || chart(&found))?;
    context.answer(&wire::slate::SlateAnswer::from(&found), || text(&found))
}

fn answer_of(found: &Chosen) -> Option<&SlateAnswer> {
    match &found.outcome {
        Outcome::Chosen(answer) | Outcome::TimedOut(answer) => Some(answer),
        Outcome::Undecided { .. } | Outcome::Infeasible(_) => None,
    }
}

/// The share of a project that a slate takes.
fn share_of(found: &Chosen, name: &str) -> f64 {
    let choices = answer_of(found).map_or(&[][..], |a| a.slate.choices.as_slice());
    choices.iter().find(|c| c.project == name).map_or(0.0, |c| c.share)
}

fn text(found: &Chosen) -> String {
    let mut table = show::table(
        &["project", "cost", "worldwide gross (10–90%)", "P(loss)", "mean profit", "in", "why"],
        false,
    );
    let why = answer_of(found).map_or(&[][..], |answer| answer.why.as_slice());
    for (i, (f, r)) in found.forecasts.iter().zip(&found.returns).enumerate() {
        let share = share_of(found, &r.name);
        table.add_row([
            show::short(&f.name, 28),
            r.cost.to_string(),
            show::range(&f.distribution),
            r.loss_probability.to_string(),
            r.mean_profit.to_string(),
            if share >= 1.0 {
                "yes".to_owned()
            } else if share > 0.0 {
                show::percent(share)
            } else {
                String::new()
            },
            why.get(i).map_or_else(String::new, |w| w.reason.to_string()),
        ]);
    }
    let next = found.next.as_ref().map_or_else(String::new, next_in_words);
    format!("{table}\n\n{}{next}", outcome(&found.outcome))
}

fn next_in_words(next: &NextFilms) -> String {
    let names = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let said = |way: &str, change: Option<&SlateChange>| match change {
        Some(c) => {
            format!("{way} {}: in comes {}; out goes {}\n", c.budget, names(&c.comes_in), names(&c.goes_out))
        }
        None => format!("{way} any budget: nothing would change\n"),
    };
    let open = if next.complete { "" } else { "time ran out before both were proven\n" };
    format!("{}{}{open}", said("with", next.into.as_ref()), said("with less than", next.out.as_ref()))
}

fn sheets(found: &Chosen) -> Vec<Sheet> {
    let why = answer_of(found).map_or(&[][..], |answer| answer.why.as_slice());
    let row = |(i, r): (usize, &marquee_app::types::ProjectReturn)| {
        vec![
            r.name.clone().into(),
            Cell::Share(share_of(found, &r.name)),
            r.cost.into(),
            r.mean_profit.into(),
            r.profit[1].into(),
            r.profit[3].into(),
            r.profit[5].into(),
            Cell::Share(r.loss_probability.get()),
            r.cvar.into(),
            why.get(i).map_or(Cell::Empty, |w| w.reason.to_string().into()),
        ]
    };
    let headings = vec![
        "project",
        "share",
        "cost_usd",
        "mean_profit_usd",
        "profit_q10_usd",
        "profit_q50_usd",
        "profit_q90_usd",
        "loss_probability",
        "cvar_usd",
        "why",
    ];
    vec![Sheet { name: "slate", headings, rows: found.returns.iter().enumerate().map(row).collect() }]
}

/// The profit of each project, and of the slate below them.
fn chart(found: &Chosen) -> Chart {
    let range = |profit: &[Money; 7]| [1, 3, 5].map(|i| profit[i].major());
    let mark = |name: &str| if share_of(found, name) > 0.0 { format!("{name} ✓") } else { name.to_owned() };
    let mut of: Vec<_> = found.returns.iter().map(|r| (mark(&r.name), range(&r.profit))).collect();
    of.extend(answer_of(found).map(|a| ("the slate".to_owned(), range(&a.profit))));
    Chart::Ranges { title: "profit (10–90%)".to_owned(), of }
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
        Outcome::Undecided { least_found: Some(least) } => format!(
            "time ran out before a slate under the cap on risk was found; the least risk found is {least}\n"
        ),
        Outcome::Undecided { least_found: None } => {
            "time ran out before a slate that keeps the rules was found: give more --time-limit\n".to_owned()
        }
        Outcome::Infeasible(why) => format!("no slate keeps the rules: {why}\n"),
    }
}

fn chosen(answer: &SlateAnswer) -> String {
    let s = &answer.slate;
    let name = |c: &marquee_domain::SlateChoice| {
        if c.share < 1.0 { format!("{} ({})", c.project, show::percent(c.share)) } else { c.project.clone() }
    };
    let names: Vec<String> = s.choices.iter().map(name).collect();
    if names.is_empty() {
        return "the best slate is empty: each project's reason says what keeps it out\n".to_owned();
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
