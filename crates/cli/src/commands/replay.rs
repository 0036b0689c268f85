//! `marquee replay`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{Estimate, Replayed};
use marquee_app::use_cases::replay::{GAP, Plan, Replay, Year, replay};
use marquee_domain::Weight;
use marquee_server::wire::{GROSS_IMPLIED, Interval};
use serde_json::{Value, json};

use crate::about::years;
use crate::chart::Chart;
use crate::context::Context;
use crate::export::{Cell, Export, Sheet};
use crate::show;

/// Flags of `marquee replay`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee replay --years 2005..2008\n\nEach year's slate is chosen with what was known on its first of January, from its funded films, and judged by the grosses that came through the deal's terms: gross-implied, not what anybody was paid."
)]
pub(crate) struct Args {
    /// Release years, both ends included: 2005..2008.
    #[arg(long, value_name = "FIRST..LAST", value_parser = years)]
    years: RangeInclusive<i32>,
    /// A folder of tables to replay instead of the data folder's.
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// The budget of each year, as a share of what all its films cost with their marketing.
    #[arg(long, default_value = "0.25", value_name = "FRACTION", value_parser = share)]
    share: f64,
    /// How many dollars of mean profit a dollar less of loss in the worst scenarios (CVaR) is worth.
    #[arg(long, default_value = "0.25", value_parser = crate::rules::weight)]
    risk_aversion: Weight,
    /// Scenarios that are simulated.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    scenarios: u32,
    /// Stop the optimiser's search for a year's slate after so many seconds; the answer says so.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time_limit: Option<u32>,
    #[command(flatten)]
    export: Export,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err(format!("{share} must be above 0 and up to 1")) }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let plan = Plan {
        source: args.source,
        years: args.years,
        share: args.share,
        risk_aversion: args.risk_aversion,
        deal: context.deal()?,
        scenarios: args.scenarios as usize,
        time_limit: args.time_limit.map(|s| std::time::Duration::from_secs(s.into())),
        seed: context.seed(),
    };
    let found = replay(&context.workspace, plan, &context.control, &context.permit).await?;
    args.export.write(|| sheets(&found), || chart(&found))?;
    let document = json!({
        "note": GROSS_IMPLIED,
        "data": found.data,
        "years": found.years.iter().map(year).collect::<Vec<_>>(),
        "policies": found.records.iter().map(|r| json!({
            "policy": r.policy, "years": found.years.len(), "years_lost": r.lost,
            "roi": Interval::from(r.roi),
            "optimiser_returned_more_by": r.behind.map(Interval::from),
            "years_ahead_of_the_optimiser": r.ahead,
        })).collect::<Vec<_>>(),
    });
    context.answer(&document, || text(&found))
}

fn text(found: &Replay) -> String {
    let mut by_year = show::table(
        &["year", "films", "budget", "policy", "bought", "cost", "projected", "made", "return"],
        true,
    );
    for y in &found.years {
        for (i, r) in y.policies.iter().enumerate() {
            let first = |text: String| if i == 0 { text } else { String::new() };
            by_year.add_row([
                first(y.year.to_string()),
                first(y.films.len().to_string()),
                first(y.budget.to_string()),
                r.policy.as_str().to_owned(),
                r.shares.len().to_string(),
                r.cost.to_string(),
                r.projected.to_string(),
                r.profit.to_string(),
                percent(rate(r)),
            ]);
        }
    }
    let more = show::fit(&mut by_year, &[4, 2, 1, 6]);
    let mut together = show::table(
        &["policy", "return, all years (95%)", "years lost", "optimiser ahead by (95%)", "and behind in"],
        true,
    );
    for r in &found.records {
        together.add_row([
            r.policy.as_str().to_owned(),
            between(r.roi, percent),
            format!("{} of {}", r.lost, found.years.len()),
            r.behind.map_or_else(String::new, |b| between(b, points)),
            if r.behind.is_some() { format!("{} years", r.ahead) } else { String::new() },
        ]);
    }
    let open = found.years.iter().filter(|y| y.policies.iter().any(|r| r.gap.is_some_and(|g| g > GAP)));
    let open: Vec<String> = open.map(|y| y.year.to_string()).collect();
    let open = if open.is_empty() {
        String::new()
    } else {
        format!("time ran out for the slates of {}\n", open.join(", "))
    };
    format!(
        "{by_year}\n{more}\n{together}\n\n{open}gross-implied; chosen with what was known on each 1 January\nintervals draw years again, from five years on; films never released are not in the data\n"
    )
}

fn sheets(found: &Replay) -> Vec<Sheet> {
    let by_policy = found.years.iter().flat_map(|y| {
        y.policies.iter().map(|r| {
            vec![
                Cell::Number(y.year.into()),
                r.policy.as_str().into(),
                Cell::Number(r.shares.len() as f64),
                r.cost.into(),
                r.projected.into(),
                r.profit.into(),
                Cell::Share(rate(r)),
            ]
        })
    });
    let films = found.years.iter().flat_map(|y| {
        y.policies.iter().flat_map(|r| {
            r.shares.iter().zip(&r.profits).map(|((film, share), profit)| {
                vec![
                    Cell::Number(y.year.into()),
                    r.policy.as_str().into(),
                    y.films.get(*film).cloned().unwrap_or_default().into(),
                    Cell::Share(*share),
                    (*profit).into(),
                ]
            })
        })
    });
    vec![
        Sheet {
            name: "years",
            headings: vec![
                "year",
                "policy",
                "films_bought",
                "cost_usd",
                "projected_usd",
                "profit_usd",
                "roi",
            ],
            rows: by_policy.collect(),
        },
        Sheet {
            name: "films",
            headings: vec!["year", "policy", "film", "share", "profit_usd"],
            rows: films.collect(),
        },
    ]
}

/// Profit of each policy by year, from the worst year through the middle one to the best.
fn chart(found: &Replay) -> Chart {
    let of = found.records.iter().map(|record| {
        let of_policy = found.years.iter().flat_map(|y| &y.policies).filter(|r| r.policy == record.policy);
        let mut profits: Vec<f64> = of_policy.map(|r| r.profit.major()).collect();
        profits.sort_by(f64::total_cmp);
        let at = |i: usize| profits.get(i).copied().unwrap_or(0.0);
        let last = profits.len().saturating_sub(1);
        (record.policy.as_str().to_owned(), [at(0), at(last / 2), at(last)])
    });
    let title = "profit of a year by policy: worst, middle, best".to_owned();
    Chart::Ranges { title, of: of.collect() }
}

fn rate(r: &Replayed) -> f64 {
    if r.cost.minor() > 0 { r.profit.major() / r.cost.major() } else { 0.0 }
}

/// A figure with its interval, where there are years enough for one.
fn between(of: Estimate, word: fn(f64) -> String) -> String {
    if of.lower.is_nan() {
        return word(of.value);
    }
    format!("{} ({} to {})", word(of.value), word(of.lower), word(of.upper))
}

fn percent(share: f64) -> String {
    format!("{:+.0}%", share * 100.0)
}

fn points(share: f64) -> String {
    format!("{:+.0} points", share * 100.0)
}

fn year(y: &Year) -> Value {
    json!({
        "year": y.year, "films": y.films.len(), "budget_usd": y.budget.major(),
        "policies": y.policies.iter().map(|r| json!({
            "policy": r.policy, "gap": r.gap, "cost_usd": r.cost.major(), "projected_profit_usd": r.projected.major(),
            "profit_usd": r.profit.major(), "roi": rate(r),
            "bought": r.shares.iter().zip(&r.profits).map(|((film, share), profit)| json!({
                "film": y.films.get(*film), "share": share, "profit_usd": profit.major(),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}
