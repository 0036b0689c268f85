//! `marquee frontier`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use marquee_app::types::{
    Bounds, CvarProblem, Frontier, FrontierSlate, Mandate, Objective, Portfolio, PortfolioOutcome, Problem,
};
use marquee_app::use_cases::frontier::{Brief, frontier};
use marquee_app::use_cases::portfolio::{Ask, Found, Question, portfolio};
use marquee_domain::{Money, Weight};
use marquee_server::wire;
use serde_json::{Value, json};

use crate::chart::Chart;
use crate::context::Context;
use crate::export::{Cell, Export, Sheet};
use crate::rules::RuleArgs;
use crate::{project_file, show};

/// Flags of `marquee frontier`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee frontier examples/projects.toml --budget 200M\nExample: marquee frontier --prices prices.csv --problem max-sharpe --bounds=-1,1 --risk-free 0.02 --json\n\nSlates are of whole projects (or shares, with --min-share); portfolios of any assets with a price table: dates in the first column, a column for each asset. Profits of projects are gross-implied."
)]
pub(crate) struct Args {
    /// A file with the candidates, each as [[project]].
    #[arg(required_unless_present = "prices", requires = "budget")]
    projects: Option<PathBuf>,
    /// What the slate may cost, marketing included: 200M.
    #[arg(long)]
    budget: Option<Money>,
    /// At how many caps on risk a slate is looked for, or how many portfolios.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000))]
    points: u32,
    #[command(flatten)]
    rules: RuleArgs,
    /// A table of prices instead of projects: CSV, gzipped or not.
    #[arg(long, value_name = "FILE", conflicts_with = "projects")]
    prices: Option<PathBuf>,
    /// With --prices: what a good portfolio is.
    #[arg(long, value_enum, default_value = "frontier", requires = "prices")]
    problem: Goal,
    /// With --prices: the return or volatility that target-return and target-volatility ask for, or the risk aversion of
    /// max-utility and mean-cvar.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, requires = "prices")]
    target: Option<f64>,
    /// With --prices: the least and the most of each asset.
    #[arg(long, value_name = "LEAST,MOST", default_value = "0,1", allow_hyphen_values = true, value_parser = bounds, requires = "prices")]
    bounds: (f64, f64),
    /// With --prices: what money earns a year without risk.
    #[arg(long, default_value_t = 0.0, value_name = "RATE", allow_hyphen_values = true, requires = "prices")]
    risk_free: f64,
    /// With --prices: how many rows of the table are a year.
    #[arg(long, default_value_t = 252.0, value_name = "N", requires = "prices")]
    periods: f64,
    /// With --prices and a CVaR: the share of rows that counts as worst.
    #[arg(long, default_value_t = 0.05, value_name = "FRACTION", requires = "prices")]
    tail: f64,
    #[command(flatten)]
    export: Export,
}

/// What a good portfolio is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Goal {
    /// Several portfolios from the smallest volatility to the largest return.
    Frontier,
    MinVolatility,
    MaxSharpe,
    /// The smallest volatility with at least --target return.
    TargetReturn,
    /// The largest return with at most --target volatility.
    TargetVolatility,
    /// The largest return less half of --target times the variance.
    MaxUtility,
    /// The smallest mean loss in the worst periods.
    MinCvar,
    /// The largest mean less --target times that loss.
    MeanCvar,
}

fn bounds(text: &str) -> Result<(f64, f64), String> {
    let wrong = || format!("`{text}` is not two numbers such as -1,1");
    let (low, high) = text.split_once(',').ok_or_else(wrong)?;
    let number = |t: &str| t.trim().parse::<f64>().map_err(|_| wrong());
    Ok((number(low)?, number(high)?))
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    match (&args.prices, &args.projects, args.budget) {
        (Some(prices), ..) => of_prices(context, &args, prices.clone()).await,
        (None, Some(projects), Some(budget)) => of_projects(context, &args, projects, budget).await,
        _ => super::wrong_usage("give a file of projects and a --budget, or --prices"),
    }
}

async fn of_projects(
    context: &Context,
    args: &Args,
    path: &std::path::Path,
    budget: Money,
) -> Result<ExitCode> {
    let projects = project_file::read_all(path)?;
    let objective = Objective::MeanLessRisk { risk_aversion: Weight::try_from(0.0)? };
    let brief = Brief {
        rules: args.rules.rules(&projects, budget, objective)?,
        plans: context.plans(projects, args.rules.as_of, args.rules.scenarios)?,
        points: args.points as usize,
        time_limit: args.rules.time(),
    };
    let found = frontier(&context.workspace, brief, &context.control, &context.permit).await?;
    let slates = match &found {
        Frontier::Efficient { slates, .. } => slates.as_slice(),
        Frontier::Infeasible(_) => &[],
    };
    args.export.write(|| vec![slates_sheet(slates)], || slates_chart(slates))?;
    context.answer(&wire::slate::FrontierAnswer::from(&found), || slates_text(&found))
}

fn slates_text(found: &Frontier) -> String {
    let (slates, complete) = match found {
        Frontier::Efficient { slates, complete } => (slates, *complete),
        Frontier::Infeasible(why) => return format!("no slate keeps the rules: {why}\n"),
    };
    let headings =
        ["mean loss in the worst 5%", "mean profit", "P(loss)", "cost", "films", "in comes", "out goes"];
    let mut table = show::table(&headings, false);
    for s in slates {
        let slate = &s.answer.slate;
        table.add_row([
            slate.cvar.to_string(),
            slate.mean_profit.to_string(),
            slate.loss_probability.to_string(),
            slate.cost.to_string(),
            slate.choices.len().to_string(),
            s.comes_in.join(", "),
            s.goes_out.join(", "),
        ]);
    }
    let open = if complete { "" } else { "time ran out before all were found and proven\n" };
    format!(
        "{table}\n\n{open}from the least risk to the largest mean; a negative loss is a profit even there; gross-implied\n"
    )
}

fn slates_sheet(slates: &[FrontierSlate]) -> Sheet {
    let row = |s: &FrontierSlate| {
        let slate = &s.answer.slate;
        let names: Vec<&str> = slate.choices.iter().map(|c| c.project.as_str()).collect();
        vec![
            slate.cvar.into(),
            slate.mean_profit.into(),
            Cell::Share(slate.loss_probability.get()),
            slate.cost.into(),
            names.join(", ").into(),
            s.comes_in.join(", ").into(),
            s.goes_out.join(", ").into(),
        ]
    };
    let headings = vec![
        "cvar_usd",
        "mean_profit_usd",
        "loss_probability",
        "cost_usd",
        "projects",
        "comes_in",
        "goes_out",
    ];
    Sheet { name: "frontier", headings, rows: slates.iter().map(row).collect() }
}

fn slates_chart(slates: &[FrontierSlate]) -> Chart {
    let point = |s: &FrontierSlate| (s.answer.slate.cvar.major(), s.answer.slate.mean_profit.major());
    Chart::Line {
        title: "efficient slates".to_owned(),
        x: "mean loss in the worst 5%".to_owned(),
        y: "mean profit".to_owned(),
        money: true,
        points: slates.iter().map(point).collect(),
    }
}

fn ask(args: &Args) -> Result<Ask> {
    let target = |what: &str| match args.target {
        Some(target) => target,
        None => super::wrong_usage(&format!("{what} needs a --target")),
    };
    let cvar = |problem| Ask::Cvar { tail: args.tail, problem };
    Ok(match args.problem {
        Goal::Frontier => Ask::Frontier(args.points as usize),
        Goal::MinVolatility => Ask::MeanVariance(Problem::MinVolatility),
        Goal::MaxSharpe => Ask::MeanVariance(Problem::MaxSharpe),
        Goal::TargetReturn => Ask::MeanVariance(Problem::TargetReturn(target("target-return"))),
        Goal::TargetVolatility => Ask::MeanVariance(Problem::TargetVolatility(target("target-volatility"))),
        Goal::MaxUtility => Ask::MeanVariance(Problem::MaxUtility(target("max-utility"))),
        Goal::MinCvar => cvar(CvarProblem::MinCvar),
        Goal::MeanCvar => cvar(CvarProblem::MeanCvar(target("mean-cvar"))),
    })
}

async fn of_prices(context: &Context, args: &Args, prices: PathBuf) -> Result<ExitCode> {
    let (lower, upper) = args.bounds;
    let mandate =
        Mandate { bounds: Bounds::All { lower, upper }, risk_free: args.risk_free, ..Mandate::default() };
    let ask = ask(args)?;
    let question = Question { prices, mandate, ask, periods_per_year: args.periods };
    let found = portfolio(question, &context.control).await?;
    let portfolios = match &found.outcome {
        PortfolioOutcome::Solved(all) | PortfolioOutcome::Unfinished(all) => all.as_slice(),
        PortfolioOutcome::Infeasible(_) => &[],
    };
    args.export.write(|| vec![portfolios_sheet(portfolios)], || portfolios_chart(portfolios))?;
    context.answer(&portfolios_document(&found, portfolios, ask), || portfolios_text(&found, portfolios))
}

fn portfolios_text(found: &Found, portfolios: &[Portfolio]) -> String {
    if let PortfolioOutcome::Infeasible(why) = &found.outcome {
        return format!("no portfolio: {why}\n");
    }
    let percent = |x: f64| format!("{:.2}%", x * 100.0);
    let mut text = String::new();
    if let [one] = portfolios {
        text += &format!("return {}, volatility {}", percent(one.expected_return), percent(one.volatility));
        text += &one.sharpe.map_or_else(String::new, |s| format!(", Sharpe ratio {s:.3}"));
        text += &one
            .cvar
            .map_or_else(String::new, |c| format!(", mean loss of a row in the worst ones {}", percent(c)));
        let mut table = show::table(&["asset", "weight"], true);
        for w in one.weights.iter().filter(|w| w.weight.abs() > 5e-5) {
            table.add_row([w.name.clone(), percent(w.weight)]);
        }
        text += &format!("\n\n{table}\n");
    } else {
        let mut table = show::table(&["return", "volatility", "Sharpe ratio", "assets held"], true);
        for p in portfolios {
            let held = p.weights.iter().filter(|w| w.weight.abs() > 5e-5).count();
            let sharpe = p.sharpe.map_or_else(|| "–".to_owned(), |s| format!("{s:.3}"));
            table.add_row([percent(p.expected_return), percent(p.volatility), sharpe, held.to_string()]);
        }
        text += &format!("{table}\n");
    }
    if let Some(repair) = found.repair {
        text += &format!(
            "\nthe pairwise covariances contradicted each other (smallest eigenvalue {:.2e}); mended by {:.2}%\n",
            repair.smallest_eigenvalue,
            repair.relative_change * 100.0
        );
    }
    if let PortfolioOutcome::Unfinished(_) = found.outcome {
        text += "rounding stopped the search before its gap was small: rescale the returns or narrow the bounds\n";
    }
    text
}

/// One portfolio's own document where one was asked for, so that `return`, `volatility` and `sharpe` stand at the top.
fn portfolios_document(found: &Found, portfolios: &[Portfolio], ask: Ask) -> Value {
    if let PortfolioOutcome::Infeasible(why) = &found.outcome {
        return json!({ "outcome": "infeasible", "why": why.to_string() });
    }
    let word = if matches!(found.outcome, PortfolioOutcome::Solved(_)) { "solved" } else { "unfinished" };
    let one = |p: &Portfolio| {
        json!({
            "outcome": word, "return": p.expected_return, "volatility": p.volatility, "sharpe": p.sharpe, "cvar": p.cvar,
            "gap": p.gap,
            "weights": p.weights.iter().map(|w| (w.name.clone(), json!(w.weight))).collect::<serde_json::Map<_, _>>(),
        })
    };
    let mut document = match (ask, portfolios) {
        (Ask::Frontier(_), all) => {
            json!({ "outcome": word, "frontier": all.iter().map(one).collect::<Vec<_>>() })
        }
        (_, [p, ..]) => one(p),
        (_, []) => json!({ "outcome": word }),
    };
    if let (Some(repair), Some(object)) = (found.repair, document.as_object_mut()) {
        object.insert("covariance_mended_by".to_owned(), json!(repair.relative_change));
    }
    document
}

fn portfolios_sheet(portfolios: &[Portfolio]) -> Sheet {
    let rows = portfolios.iter().enumerate().flat_map(|(i, p)| {
        p.weights.iter().map(move |w| {
            vec![
                Cell::Number((i + 1) as f64),
                Cell::Share(p.expected_return),
                Cell::Share(p.volatility),
                p.sharpe.map_or(Cell::Empty, Cell::Number),
                w.name.clone().into(),
                Cell::Share(w.weight),
            ]
        })
    });
    let headings = vec!["portfolio", "return", "volatility", "sharpe", "asset", "weight"];
    Sheet { name: "portfolios", headings, rows: rows.collect() }
}

fn portfolios_chart(portfolios: &[Portfolio]) -> Chart {
    Chart::Line {
        title: "efficient portfolios".to_owned(),
        x: "volatility a year".to_owned(),
        y: "return a year".to_owned(),
        money: false,
        points: portfolios.iter().map(|p| (p.volatility, p.expected_return)).collect(),
    }
}
