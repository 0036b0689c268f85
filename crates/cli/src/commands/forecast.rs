//! `marquee forecast`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use marquee_app::asked::Asked;
use marquee_app::types::Unheard;
use marquee_app::use_cases::forecast::{Answer, Question, WhatIf, forecast};
use marquee_domain::{Forecast, Population, Target};
use marquee_server::wire;

use crate::about::{self, About};
use crate::context::Context;
use crate::show;

/// Flags of `marquee forecast`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee forecast \"Apocalypto\" --as-of 2006-06-01\n         marquee forecast --project project.toml --record"
)]
pub(crate) struct Args {
    #[command(flatten)]
    about: About,
    /// Also forecast as of each earlier horizon: how the range narrows as more is known.
    #[arg(long, conflicts_with = "project")]
    fan: bool,
    /// What if: also forecast it with this changed, as `budget=80M,release_date=2015-07-03,genres=Action,Comedy`.
    #[arg(long, value_name = "FIELD=VALUE,…", conflicts_with = "record")]
    set: Vec<String>,
    /// Also print what each feature of a group adds.
    #[arg(long)]
    features: bool,
    /// Commit the forecast to the track record.
    #[arg(long)]
    record: bool,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let what_if = args.set.iter().map(|text| about::changes(text)).collect::<Result<Vec<_>>>()?.concat();
    if let Some((i, twice)) =
        what_if.iter().enumerate().find(|(i, c)| what_if[..*i].iter().any(|o| o.kind() == c.kind()))
    {
        bail!("--set gives {} twice, the second time as {} (place {})", twice.kind(), twice.value(), i + 1);
    }
    let about = args.about.inquiry(context)?;
    let names_people = match &about.asked {
        Asked::Project(project) => !project.directors.is_empty() || !project.cast.is_empty(),
        Asked::Title(_) => false,
    };
    let question = Question {
        about,
        fan: args.fan,
        what_if,
        record: args.record,
        deal: context.deal()?,
        now: context.now,
    };
    let answer = forecast(&context.workspace, question, &context.control, &context.permit).await?;
    let document = wire::forecast::ForecastAnswer::from(&answer);
    let unseen = names_people && answer.forecast.population != Population::Credited;
    context.answer(&document, || {
        let mut out = text(&answer, args.features);
        if unseen {
            out += "\nnote: its people are not seen: models of credited films alone look at them (`--population credited`)\n";
        }
        out
    })
}

fn text(answer: &Answer, features: bool) -> String {
    let f = &answer.forecast;
    let q = f.distribution.quantiles();
    let what = match f.target {
        Target::OpeningDay => "opening day".to_owned(),
        Target::Opening => "opening weekend".to_owned(),
        target => format!("{target} gross"),
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
    out += &answer.what_if.as_ref().map(|w| what_if(answer, w)).unwrap_or_default();
    out += &fan(answer);
    out += &why(f, answer.taken.is_some(), features);
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
        "gross-implied, with {} to make and {} to market{assumed}: `marquee deal` shows the terms\n",
        r.budget, r.marketing
    );
    out
}

/// The forecast with changes made, beside the one without.
fn what_if(answer: &Answer, changed: &WhatIf) -> String {
    let (before, after) =
        (answer.forecast.distribution.quantiles(), changed.forecast.distribution.quantiles());
    let mut table = show::table(&["", "5%", "10%", "25%", "middle", "75%", "90%", "95%"], true);
    let mut row = |name: &str, cells: [String; 7]| {
        table.add_row(std::iter::once(name.to_owned()).chain(cells));
    };
    row("as it is", before.map(show::usd));
    row("changed", after.map(show::usd));
    row("", std::array::from_fn(|i| format!("{:+.0}%", (after[i] / before[i] - 1.0) * 100.0)));
    let mut out = format!("\nWhat if:\n{table}\n");
    if let (Some(before), Some(after)) = (&answer.returns, &changed.returns) {
        out += &format!(
            "P(loss) from {} to {}, mean return from {} to {}, gross-implied\n",
            before.loss_probability, after.loss_probability, before.mean_roi, after.mean_roi
        );
    }
    out += &unheard(&changed.unheard);
    for change in &changed.unseen {
        let kind = change.kind().to_string().replace('_', " ");
        out += &format!(
            "note: this model does not tell {kind} {} from what it was; `marquee features` lists what it sees, and people are seen by `--population credited` alone\n",
            change.value()
        );
    }
    let effect =
        |f: &Forecast, group: &str| f.drivers.iter().find(|d| d.group == group).map_or(0.0, |d| d.log_effect);
    let mut table = show::table(&["group", "as it is", "changed", "log"], true);
    for driver in &changed.forecast.drivers {
        let (old, new) = (effect(&answer.forecast, &driver.group), driver.log_effect);
        if (new - old).abs() >= 0.005 {
            let row = [old, new, new - old].map(|x| format!("{x:+.2}"));
            table.add_row(std::iter::once(driver.group.clone()).chain(row));
        }
    }
    if table.row_count() > 0 {
        out += &format!("\nBy way of these groups:\n{table}\n");
    }
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

/// The drivers that move the forecast by at least half a percent, each with its features where these are asked for.
fn why(f: &Forecast, running: bool, features: bool) -> String {
    let (typical, middle) = (show::usd(f.base_usd), show::usd(f.distribution.median()));
    let mut table = show::table(&["group", "log", "dollars"], true);
    for d in f.drivers.iter().filter(|d| d.log_effect.abs() >= 0.005) {
        table.add_row([d.group.clone(), format!("{:+.2}", d.log_effect), signed(d.effect_usd)]);
        let parts = d.features.iter().filter(|_| features);
        let (told, small): (Vec<_>, Vec<_>) = parts.partition(|part| part.log_effect.abs() >= 0.005);
        for part in told {
            let name = format!("  {}", part.feature);
            table.add_row([name, format!("{:+.2}", part.log_effect), signed(part.effect_usd)]);
        }
        let (log, usd) =
            small.iter().fold((0.0, 0.0), |(log, usd), f| (log + f.log_effect, usd + f.effect_usd));
        if log.abs() >= 0.005 {
            table.add_row(["  all others".to_owned(), format!("{log:+.2}"), signed(usd)]);
        }
    }
    let so_far = if running { " that has taken as much" } else { "" };
    let told = if features { "`marquee features --describe` tells what each is\n" } else { "" };
    format!("\nWhy: from {typical} for a typical film{so_far} to {middle}\n{table}\n{told}")
}

/// The comparable films; nothing where there is none.
fn comps(f: &Forecast) -> String {
    let Some(first) = f.comps.first() else { return String::new() };
    let mut table = show::table(&["title", "release", "distance", "budget", "gross", ""], true);
    for c in &f.comps {
        // No opening weekend is measured by a budget.
        let flop = if c.flop && !f.target.is_opening() { "below its budget" } else { "" };
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
