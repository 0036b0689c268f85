//! `marquee backtest`.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use marquee_app::types::{Prediction, Row, TierCoverage, Versus, WeeksTest};
use marquee_app::use_cases::backtest::{Plan, Profits, Tested, backtest};
use marquee_domain::{Horizon, Population, Target};
use marquee_server::wire;

use crate::about::years;
use crate::context::Context;
use crate::show;

/// Flags of `marquee backtest`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee backtest --train-to 2005 --test 2006..2010 --predictions predictions.csv"
)]
pub(crate) struct Args {
    /// A folder of film tables to test on instead of the lake.
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// The last release year that is learned from.
    #[arg(long, value_name = "YEAR")]
    train_to: i32,
    /// The release years that are forecast, both ends included: 2013..2015.
    #[arg(long, value_name = "YEAR..YEAR", value_parser = years)]
    test: RangeInclusive<i32>,
    /// Only this horizon: greenlight, announced, pre_release, opening_day, weekend_1, weekend_2 or weekend_3. May be
    /// repeated.
    #[arg(long)]
    horizon: Vec<Horizon>,
    /// Only this target: opening_day, opening, domestic, international or worldwide. May be repeated.
    #[arg(long)]
    target: Vec<Target>,
    /// Only this population: funded, all, "budget >= 10M", credited or wide. May be repeated.
    #[arg(long)]
    population: Vec<Population>,
    /// Write each forecast to this CSV file.
    #[arg(long, value_name = "FILE.csv")]
    predictions: Option<PathBuf>,
    /// Also test each model without each group of features: what the group adds.
    #[arg(long)]
    ablate: bool,
    /// Predictions of somebody else's in the same columns, scored beside ours on the same titles.
    #[arg(long, value_name = "FILE.csv")]
    baseline: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if *args.test.start() <= args.train_to {
        let said = format!("--test begins in {}, not after --train-to {}", args.test.start(), args.train_to);
        crate::commands::wrong_usage(&said);
    }
    let plan = Plan {
        source: args.source,
        train_to: args.train_to,
        test: args.test,
        horizons: args.horizon,
        targets: args.target,
        populations: args.population,
        baseline: args.baseline,
        ablate: args.ablate,
        deal: context.deal()?,
        seed: context.seed(),
    };
    let tested = backtest(&context.workspace, plan, &context.control, &context.permit).await?;
    if let Some(path) = &args.predictions {
        write(path, &tested.backtest.predictions)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let document = wire::backtest::BacktestAnswer::from(&tested);
    context.answer(&document, || text(&tested))
}

/// One row for each title, horizon, target and population; amounts in whole US dollars.
fn write(path: &Path, predictions: &[Prediction]) -> Result<()> {
    let mut out = csv::Writer::from_path(path)?;
    out.write_record([
        "source_id",
        "title",
        "release_date",
        "horizon",
        "target",
        "population",
        "as_of",
        "q05",
        "q10",
        "q25",
        "q50",
        "q75",
        "q90",
        "q95",
        "actual",
    ])?;
    for p in predictions {
        let words = [
            p.source_id.clone(),
            p.title.clone(),
            p.release.to_string(),
            p.horizon.to_string(),
            p.target.to_string(),
            p.population.to_string(),
            p.as_of.to_string(),
        ];
        let amounts = p.distribution.quantiles().into_iter().chain([p.actual]).map(|a| format!("{a:.0}"));
        out.write_record(words.into_iter().chain(amounts))?;
    }
    out.flush()?;
    Ok(())
}

fn text(tested: &Tested) -> String {
    let found = &tested.backtest;
    let mut out = figures(&found.rows, &tested.given);
    out += &reached(&found.rows);
    out += &found.weeks.iter().map(weeks).collect::<String>();
    out += &ablations(&found.rows);
    for Profits { horizon, reliability: r } in &tested.profits {
        out += &format!(
            "\nchance of a gross-implied profit at {horizon}, {} funded films: Brier {:.4}, {:.0}% below that of their base rate of {:.0}%;\nmiscalibration {:.5}, where perfectly stated chances show {:.5} by chance at this n: {:.1} times as much\n",
            r.n,
            r.brier,
            (1.0 - r.brier / r.base_brier) * 100.0,
            r.base_rate * 100.0,
            r.miscalibration,
            r.by_chance,
            r.miscalibration / r.by_chance
        );
    }
    for scope in found.scopes.iter().filter(|scope| !scope.outcomes.is_empty()) {
        let people = scope.people.iter().cloned().collect::<Vec<_>>().join(", ");
        out += &format!(
            "\n{}: outcomes from {}; features from {}",
            scope.target,
            scope.outcomes,
            scope.features.iter().cloned().collect::<Vec<_>>().join(", ")
        );
        if !people.is_empty() {
            out += &format!("; people, for credited only, from {people}");
        }
    }
    out += "\n";
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for s in &found.skipped {
        let row = format!("{} {}, {}", s.horizon, s.target, s.population);
        match reasons.iter_mut().find(|(reason, _)| *reason == s.reason) {
            Some((_, rows)) => rows.push(row),
            None => reasons.push((&s.reason, vec![row])),
        }
    }
    for (reason, rows) in reasons {
        out += &format!("left out, for {reason}: {}\n", rows.join("; "));
    }
    out
}

/// The share within 15% that others claim for no horizon in particular.
const CLAIMED: f64 = 0.917;

/// At which horizon forecasts of whole runs first come as near as is claimed elsewhere, by population; nothing where no run
/// was tested after its opening.
fn reached(rows: &[Row]) -> String {
    let runs = || rows.iter().filter(|row| row.target == Target::Domestic && row.horizon.sees_run());
    let populations: Vec<Population> =
        Population::ALL.iter().copied().filter(|p| runs().any(|row| row.population == *p)).collect();
    let of = |population: &Population| {
        let mut own: Vec<&Row> = runs().filter(|row| row.population == *population).collect();
        own.sort_by_key(|row| row.horizon);
        match own.iter().find(|row| row.score.within[0] >= CLAIMED) {
            Some(first) => format!("{population} at {}", first.horizon),
            None => {
                let best = own.iter().map(|row| row.score.within[0]).fold(0.0, f64::max);
                format!("{population} at none of these (at most {:.1}%)", best * 100.0)
            }
        }
    };
    match populations.is_empty() {
        true => String::new(),
        false => format!(
            "\n91.7% of films within 15% of their domestic gross, first: {}\n",
            populations.iter().map(of).collect::<Vec<_>>().join("; ")
        ),
    }
}

/// How well the weeks of runs were forecast.
fn weeks(tested: &WeeksTest) -> String {
    let headings = [
        "weeks",
        "n",
        "R²",
        "RMSE",
        "median APE",
        "CRPS",
        "in 80%",
        "in 90%",
        "last year's curve",
        "against it (95%)",
    ];
    let mut table = show::table(&headings, true);
    for (i, row) in tested.rows.iter().enumerate() {
        let (s, d) = (&row.score, row.median_ape);
        let tiers = |k: usize| if i == 0 { &tested.coverage[k][..] } else { &[] };
        table.add_row([
            match row.weeks.start() == row.weeks.end() {
                true => format!("  {}", row.weeks.start()),
                false => format!("{} to {}", row.weeks.start(), row.weeks.end()),
            },
            s.n.to_string(),
            format!("{:.3}", s.r2),
            format!("{:.3}", s.rmse),
            format!("{:.3}", s.median_ape),
            format!("{:.3}", s.crps),
            covered(s.cover80, tiers(0)),
            covered(s.cover90, tiers(1)),
            format!("{:.3}", row.baseline.median_ape),
            format!("{:+.0}% ({:+.0}% to {:+.0}%)", d.value * 100.0, d.lower * 100.0, d.upper * 100.0),
        ]);
    }
    format!(
        "\nWeekly domestic grosses as of the first Sunday, {} films: {} tested, {} learned from; beside the median curve of\nthe films of the same kind of the year before, by median APE\n{table}\n",
        tested.population, tested.films, tested.trained_on
    )
}

/// What each group of features adds: how much worse CRPS is without it; nothing where that was not asked for.
fn ablations(rows: &[Row]) -> String {
    if rows.iter().all(|row| row.ablations.is_empty()) {
        return String::new();
    }
    let mut table = show::table(&["without", "horizon, target, films", "CRPS", "Δ CRPS (95%)", "R²"], true);
    for row in rows {
        let mut ranked: Vec<_> = row.ablations.iter().filter_map(|v| v.crps.map(|d| (v, d))).collect();
        ranked.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
        for (v, d) in ranked {
            table.add_row([
                v.name.clone(),
                format!("{} {}, {}", row.horizon, row.target, row.population),
                format!("{:.4}", v.score.crps),
                format!("{:+.4} ({:+.4} to {:+.4})", -d.value, -d.upper, -d.lower),
                format!("{:.3}", v.score.r2),
            ]);
        }
    }
    format!("\nWhat each group of features adds: above zero, forecasts are worse without it\n{table}\n")
}

/// The table of figures: ours, and under each row the baselines with the paired difference in squared log error.
pub(crate) fn figures(rows: &[Row], given: &[Option<Versus>]) -> String {
    let mut table = show::table(
        &[
            "horizon, target, films",
            "n",
            "R²",
            "RMSE",
            "median APE",
            "in 15/25/50%",
            "CRPS",
            "in 80%",
            "in 90%",
            "against us: Δ squared error (95%)",
        ],
        true,
    );
    for (i, row) in rows.iter().enumerate() {
        let s = &row.score;
        table.add_row([
            format!("{} {}, {}", row.horizon, row.target, row.population),
            s.n.to_string(),
            format!("{:.3}", s.r2),
            format!("{:.3}", s.rmse),
            format!("{:.3}", s.median_ape),
            within(s.within),
            format!("{:.3}", s.crps),
            covered(s.cover80, &row.coverage[0]),
            covered(s.cover90, &row.coverage[1]),
            String::new(),
        ]);
        for v in row.baselines.iter().chain(given.get(i).and_then(Option::as_ref)) {
            let b = &v.score;
            let spread = |d: &marquee_app::types::Difference| {
                format!("{:+.3} ({:+.3} to {:+.3})", -d.value, -d.upper, -d.lower)
            };
            let whole = |x: f64| if v.crps.is_some() { format!("{x:.3}") } else { String::new() };
            table.add_row([
                format!("  {}", v.name),
                b.n.to_string(),
                format!("{:.3}", b.r2),
                format!("{:.3}", b.rmse),
                format!("{:.3}", b.median_ape),
                within(b.within),
                whole(b.crps),
                whole(b.cover80),
                whole(b.cover90),
                spread(&v.squared_error),
            ]);
        }
    }
    format!("{table}\nlog errors are natural; * marks coverage outside its 99% band in a predicted tier\n")
}

fn within(shares: [f64; 3]) -> String {
    let [a, b, c] = shares.map(|s| format!("{:.0}", s * 100.0));
    format!("{a}/{b}/{c}")
}

fn covered(share: f64, tiers: &[TierCoverage]) -> String {
    let mark = if tiers.iter().all(|t| t.holds) { "" } else { "*" };
    format!("{share:.3}{mark}")
}
