//! `marquee forecast`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use marquee_app::types::Unheard;
use marquee_app::use_cases::forecast::{Answer, Asked, Question, forecast};
use marquee_domain::{Day, Forecast, Population, Target};
use serde_json::json;

use crate::context::Context;
use crate::{project_file, show, wire};

/// Flags of `marquee forecast`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee forecast \"Apocalypto\" --as-of 2006-06-01\n         marquee forecast --project project.toml --record"
)]
pub(crate) struct Args {
    /// A title: its name, its id, or a source id such as tmdb:603.
    #[arg(required_unless_present = "project")]
    title: Option<String>,
    /// A project that is not in the catalogue.
    #[arg(long, value_name = "P.toml", conflicts_with = "title")]
    project: Option<PathBuf>,
    /// The day whose knowledge may be used (30 days before release for a title, for its opening the day before; a
    /// project's greenlight day or today).
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// What is predicted: opening, domestic or worldwide.
    #[arg(long, default_value = "worldwide")]
    target: Target,
    /// By the model of which films: funded, all, "budget >= 10M", credited or, from the day before release on, all or wide.
    #[arg(long)]
    population: Option<Population>,
    /// Also forecast as of each earlier horizon: how the range narrows as more is known.
    #[arg(long, conflicts_with = "project")]
    fan: bool,
    /// Commit the forecast to the track record.
    #[arg(long)]
    record: bool,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let asked = match (args.title, args.project) {
        (Some(title), _) => Asked::Title(title),
        (_, Some(path)) => Asked::Project(Box::new(project_file::read_one(&path)?)),
        _ => bail!("name a title, or a project file with --project"),
    };
    let question = Question {
        asked,
        as_of: args.as_of,
        target: args.target,
        population: args.population,
        fan: args.fan,
        record: args.record,
        deal: context.deal()?,
        seed: context.seed(),
        now: context.now,
    };
    let answer = forecast(&context.workspace, question, &context.control, &context.permit).await?;
    let document = json!({
        "forecast": wire::forecast(&answer.forecast),
        "earlier": answer.earlier.iter().map(wire::forecast).collect::<Vec<_>>(),
        "returns": answer.returns.as_ref().map(wire::returns),
        "taken_usd": answer.taken,
        "actual_usd": answer.actual,
        "newest_fact": answer.newest_fact.to_string(),
        "unheard": answer.unheard.iter().map(|u| json!({ "kind": u.kind.to_string(), "word": u.word })).collect::<Vec<_>>(),
        "recorded": answer.entry.as_ref().map(|e| json!({ "stream": e.stream.to_string(), "seq": e.seq, "mac": e.mac.to_string() })),
    });
    context.answer(&document, || text(&answer))
}

fn text(answer: &Answer) -> String {
    let f = &answer.forecast;
    let q = f.distribution.quantiles();
    let what = if f.target == Target::Opening {
        "opening weekend".to_owned()
    } else {
        format!("{} gross", f.target)
    };
    let mut out = format!("{}, {what}, released {}\n", f.name, f.release);
    out += &format!(
        "as of {} ({}), by a model of {} films trained on outcomes before {}\n\n",
        f.as_of, f.horizon, f.population, f.provenance.trained_before
    );
    let mut table = show::table(&["5%", "10%", "25%", "middle", "75%", "90%", "95%"], true);
    table.add_row(q.map(show::usd));
    out += &format!("{table}\n");
    if let Some(taken) = answer.taken {
        out += &format!("\ntaken so far: {}\n", show::usd(taken));
    }
    out += &returns(answer);
    if let Some(actual) = answer.actual {
        out += &format!("\nwhat happened: {}\n", show::usd(actual));
    }
    out += &fan(answer);
    out += &why(f, answer.taken.is_some());
    out += &comps(f);
    if f.as_of.0.days_since(answer.newest_fact) > 400 {
        out += &format!(
            "\nnote: the newest fact in the lake is of {}: later markets are not known to this forecast\n",
            answer.newest_fact
        );
    }
    out += &unheard(&answer.unheard);
    if let Some(entry) = &answer.entry {
        out += &format!("\nrecorded as entry {} of the track record\n", entry.seq);
    }
    out
}

/// The way from a gross to a return, gross-implied; nothing without a deal to reckon with.
fn returns(answer: &Answer) -> String {
    let (Some((gross, chance)), Some(r)) = (&answer.break_even, &answer.returns) else {
        return String::new();
    };
    let mut out = format!(
        "\nbreak-even at {gross} worldwide: passed with probability {chance}; P(loss) {}; mean return {}\n",
        r.loss_probability, r.mean_roi
    );
    let assumed = if r.marketing_assumed { ", assumed" } else { "" };
    out += &format!(
        "gross-implied, with {} to make and {} to market{assumed}: `marquee config --deal` shows the terms\n",
        r.budget, r.marketing
    );
    out
}

/// Words that tell the model nothing; with those that it knows, where they are few enough to choose from.
fn unheard(words: &[Unheard]) -> String {
    let mut out = String::new();
    for Unheard { kind, word, known } in words {
        let known = match known.len() {
            0 => String::new(),
            1..=30 => format!("; known are {}", known.join(", ")),
            n => format!("; {n} others are known"),
        };
        let kind = kind.to_string().replace('_', " ");
        out += &format!("\nnote: no film of the {kind} `{word}` had settled by then{known}\n");
    }
    out
}

/// How many characters a range is drawn on.
const WIDTH: usize = 32;

/// The forecasts of all horizons one under the other, their 10–90% ranges drawn on one logarithmic scale; nothing where
/// none but the last was asked for.
fn fan(answer: &Answer) -> String {
    if answer.earlier.is_empty() {
        return String::new();
    }
    let all: Vec<&Forecast> = answer.earlier.iter().chain([&answer.forecast]).collect();
    let logs: Vec<[f64; 7]> = all.iter().map(|f| f.distribution.log_quantiles()).collect();
    let ends = logs.iter().flat_map(|q| [q[1], q[5]]).chain(answer.actual.map(f64::ln));
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let place = |x: f64| ((x - low) / (high - low).max(1e-9) * (WIDTH - 1) as f64).round() as usize;
    let mut table = show::table(&["horizon", "as of", "films", "middle", "10% to 90%, log scale"], false);
    for (f, q) in all.iter().zip(&logs) {
        let mut line = vec![' '; WIDTH];
        line[place(q[1])..=place(q[5])].fill('─');
        line[place(q[3])] = '●';
        if let Some(actual) = answer.actual {
            line[place(actual.ln())] = '×';
        }
        let row = [f.horizon.to_string(), f.as_of.to_string(), f.population.to_string()];
        table
            .add_row(row.into_iter().chain([show::usd(f.distribution.median()), line.into_iter().collect()]));
    }
    let happened = if answer.actual.is_some() { "; × is what happened" } else { "" };
    format!(
        "\nAs more became known, from {} to {}{happened}:\n{table}\n",
        show::usd(low.exp()),
        show::usd(high.exp())
    )
}

/// The drivers that move the forecast by at least half a percent.
fn why(f: &Forecast, running: bool) -> String {
    let (typical, middle) = (show::usd(f.base_usd), show::usd(f.distribution.median()));
    let mut table = show::table(&["group", "log", "dollars"], true);
    for d in f.drivers.iter().filter(|d| d.log_effect.abs() >= 0.005) {
        table.add_row([d.group.clone(), format!("{:+.2}", d.log_effect), signed(d.effect_usd)]);
    }
    let so_far = if running { " that has taken as much" } else { "" };
    format!("\nWhy: from {typical} for a typical film{so_far} to {middle}\n{table}\n")
}

/// The comparable films; nothing where there is none.
fn comps(f: &Forecast) -> String {
    let Some(first) = f.comps.first() else { return String::new() };
    let mut table = show::table(&["title", "release", "distance", "budget", "gross", ""], true);
    for c in &f.comps {
        // No opening weekend is measured by a budget.
        let flop = if c.flop && f.target != Target::Opening { "below its budget" } else { "" };
        table.add_row([
            show::short(&c.name, 36),
            c.release.to_string(),
            format!("{:.2}", c.distance),
            show::usd(c.budget_usd),
            show::usd(c.gross_usd),
            flop.to_owned(),
        ]);
    }
    let year = first.price_year;
    format!("\nComparable films, chosen without looking at their grosses; {year} dollars\n{table}\n")
}

fn signed(amount: f64) -> String {
    if amount < 0.0 { show::usd(amount) } else { format!("+{}", show::usd(amount)) }
}
