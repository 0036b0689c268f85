//! `marquee value`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{CurvePoint, RiskEffect, Valuation, Worth};
use marquee_app::use_cases::value::{Valued, value};
use marquee_domain::Day;
use marquee_server::wire;

use crate::chart::Chart;
use crate::context::Context;
use crate::export::{Cell, Export, Sheet};
use crate::{project_file, show};

/// Flags of `marquee value`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee value examples/project.toml\n\nWho takes part and on what terms says the deal: `marquee deal` prints the one in force, examples/deal.toml has lenders, presales and investors (give it with --deal). All figures are gross-implied."
)]
pub(crate) struct Args {
    /// A file with the project, or with several as [[project]].
    projects: PathBuf,
    /// The day whose knowledge may be used.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// Scenarios that are simulated.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    scenarios: u32,
    #[command(flatten)]
    export: Export,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let plans = context.plans(project_file::read_all(&args.projects)?, args.as_of, args.scenarios)?;
    let deal = plans.deal.name().to_owned();
    let found = value(&context.workspace, plans, &context.control, &context.permit).await?;
    args.export.write(|| sheets(&found.valuations), || chart(&found.valuations))?;
    let document = wire::money::Valuations::under(&deal, &found);
    context.answer(&document, || text(&found, &deal))
}

fn text(found: &Valued, deal: &str) -> String {
    let mut text = String::new();
    for (forecast, valuation) in found.forecasts.iter().zip(&found.valuations) {
        let (t, q) = (&valuation.together, forecast.distribution.quantiles());
        text += &format!(
            "{}\nworldwide gross {}, {} – {} (10–90%); cost {}, release {}\n",
            valuation.project,
            show::usd(q[3]),
            show::usd(q[1]),
            show::usd(q[5]),
            valuation.cost,
            valuation.release
        );
        text += &format!(
            "all together: mean profit {} ({} – {}, 10–90%)\nP(loss) {}, mean net present value {}\n\n",
            t.mean_profit, t.profit[1], t.profit[5], t.loss_probability, t.mean_npv
        );
        text += &participants(valuation);
        if !valuation.risks.is_empty() {
            text += &format!("\n{}", risks(&valuation.risks));
        }
        text.push('\n');
    }
    text + &format!(
        "gross-implied, under the deal \"{deal}\"\n`marquee deal` prints it; IRR and × (paid for put in) are the middle\n"
    )
}

fn participants(valuation: &Valuation) -> String {
    let headings = [
        "participant",
        "kind",
        "puts in",
        "mean profit",
        "profit 10–90%",
        "P(loss)",
        "IRR",
        "×",
        "paid back, by",
    ];
    let mut table = show::table(&headings, true);
    for worth in valuation.participants.iter().chain(
        // A deal of one participant says the same of all together.
        (valuation.participants.len() > 1).then_some(&valuation.together),
    ) {
        table.add_row(row(worth));
    }
    show::whole(&mut table, 0);
    let more = show::fit(&mut table, &[7, 1, 6, 2]);
    format!("{table}\n{more}")
}

fn row(w: &Worth) -> [String; 9] {
    let none = || "–".to_owned();
    [
        w.name.clone(),
        w.kind.map_or_else(String::new, |k| k.as_str().to_owned()),
        if w.puts_in.minor() == 0 { none() } else { w.puts_in.to_string() },
        w.mean_profit.to_string(),
        format!("{} – {}", w.profit[1], w.profit[5]),
        if w.irr.is_some() { w.loss_probability.to_string() } else { none() },
        w.irr.map_or_else(none, |r| r[3].to_string()),
        w.multiple.map_or_else(none, |m| format!("{:.2}", m[3])),
        w.paid_back.map_or_else(none, |p| match w.payback {
            Some(quarter) => format!("{p}, {quarter}"),
            None => p.to_string(),
        }),
    ]
}

fn risks(risks: &[RiskEffect]) -> String {
    let headings = ["risk", "kind", "probability", "where it happens", "expected", "evidence"];
    let mut table = show::table(&headings, false);
    for r in risks {
        table.add_row([
            r.name.clone(),
            r.kind.as_str().to_owned(),
            r.probability.map_or_else(|| "stress only".to_owned(), |p| p.to_string()),
            r.effect.to_string(),
            r.expected.map_or_else(|| "–".to_owned(), |m| m.to_string()),
            r.source.clone(),
        ]);
    }
    let more = show::fit(&mut table, &[5, 1, 4]);
    format!("{table}\n{more}")
}

/// All participants of a project, and all together.
fn everybody(v: &Valuation) -> impl Iterator<Item = &Worth> {
    v.participants.iter().chain([&v.together])
}

fn sheets(valuations: &[Valuation]) -> Vec<Sheet> {
    vec![
        Sheet {
            name: "participants",
            headings: vec![
                "project",
                "participant",
                "kind",
                "puts_in_usd",
                "mean_profit_usd",
                "profit_q10_usd",
                "profit_q50_usd",
                "profit_q90_usd",
                "loss_probability",
                "mean_npv_usd",
                "irr_q50",
                "multiple_q50",
                "paid_back_by",
                "peak_funding_q50_usd",
            ],
            rows: valuations.iter().flat_map(|v| everybody(v).map(|w| worth_row(v, w))).collect(),
        },
        Sheet {
            name: "cash so far",
            headings: vec!["project", "participant", "quarter", "q05_usd", "q50_usd", "q95_usd"],
            rows: valuations.iter().flat_map(cash_rows).collect(),
        },
        Sheet {
            name: "risks",
            headings: vec!["project", "risk", "probability", "effect_usd", "expected_usd", "source"],
            rows: valuations.iter().flat_map(|v| v.risks.iter().map(|r| risk_row(v, r))).collect(),
        },
    ]
}

fn worth_row(v: &Valuation, w: &Worth) -> Vec<Cell> {
    vec![
        v.project.clone().into(),
        w.name.clone().into(),
        w.kind.map_or(Cell::Empty, |k| k.as_str().into()),
        w.puts_in.into(),
        w.mean_profit.into(),
        w.profit[1].into(),
        w.profit[3].into(),
        w.profit[5].into(),
        Cell::Share(w.loss_probability.get()),
        w.mean_npv.into(),
        w.irr.map_or(Cell::Empty, |r| Cell::Share(r[3].0)),
        w.multiple.map_or(Cell::Empty, |m| Cell::Number(m[3])),
        w.payback.map_or(Cell::Empty, |q| q.to_string().into()),
        w.peak_funding[3].into(),
    ]
}

fn cash_rows(v: &Valuation) -> Vec<Vec<Cell>> {
    let row = |w: &Worth, c: &CurvePoint| {
        let (project, name, quarter) = (v.project.clone(), w.name.clone(), c.quarter.to_string());
        vec![project.into(), name.into(), quarter.into(), c.low.into(), c.median.into(), c.high.into()]
    };
    everybody(v).flat_map(|w| w.curve.iter().map(|c| row(w, c)).collect::<Vec<_>>()).collect()
}

fn risk_row(v: &Valuation, r: &RiskEffect) -> Vec<Cell> {
    vec![
        v.project.clone().into(),
        r.name.clone().into(),
        r.probability.map_or(Cell::Empty, |p| Cell::Share(p.get())),
        r.effect.into(),
        r.expected.map_or(Cell::Empty, Cell::from),
        r.source.clone().into(),
    ]
}

/// One project's cash over time, or the profits of several.
fn chart(valuations: &[Valuation]) -> Chart {
    let usd = marquee_domain::Money::major;
    if let [v] = valuations {
        let of = |f: &dyn Fn(&CurvePoint) -> f64| v.together.curve.iter().map(f).collect::<Vec<_>>();
        return Chart::Fan {
            title: format!("{}: cash so far, all together (5–95%)", v.project),
            periods: v.together.curve.iter().map(|c| c.quarter.to_string()).collect(),
            low: of(&|c| usd(c.low)),
            middle: of(&|c| usd(c.median)),
            high: of(&|c| usd(c.high)),
        };
    }
    let range = |v: &Valuation| [1, 3, 5].map(|i| usd(v.together.profit[i]));
    Chart::Ranges {
        title: "profit, all together (10–90%)".to_owned(),
        of: valuations.iter().map(|v| (v.project.clone(), range(v))).collect(),
    }
}
