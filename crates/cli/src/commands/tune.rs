//! `marquee tune`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use marquee_app::types::Trial;
use marquee_app::use_cases::tune::{TunePlan, Tuned, tune};
use marquee_server::wire::models::PeriodScore;
use serde_json::json;

use crate::about::Models;
use crate::context::Context;
use crate::show;

/// Flags of `marquee tune`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee tune --target domestic --population all --trials 40 --minutes 10\n         marquee models promote --target domestic --population all"
)]
pub(crate) struct Args {
    #[command(flatten)]
    models: Models,
    /// Only films released before this year are looked at (all whose outcomes are known).
    #[arg(long, value_name = "YEAR")]
    before: Option<i32>,
    /// How many trials there are to be in all; a search that was stopped goes on.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    trials: u32,
    /// Begin no trial after so many minutes.
    #[arg(long, value_parser = minutes)]
    minutes: Option<Duration>,
}

/// How many of the best trials are shown.
const SHOWN: usize = 8;

fn minutes(text: &str) -> Result<Duration, String> {
    let wrong = |_| format!("`{text}` is no number of minutes above zero");
    let minutes: f64 = text.parse().map_err(|_| wrong(()))?;
    match Duration::try_from_secs_f64(minutes * 60.0) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(wrong(())),
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let plan = TunePlan {
        which: args.models.which(),
        before: args.before,
        trials: args.trials as usize,
        time: args.minutes,
        seed: context.seed(),
    };
    let found = tune(&context.workspace, plan.clone(), &context.control, &context.permit).await?;
    let one = |t: &Trial| {
        json!({
            "number": t.number, "crps": t.crps(), "differs": t.differs(),
            "periods": t.periods.iter().map(PeriodScore::from).collect::<Vec<_>>(),
        })
    };
    let ends = found.periods.iter().map(|p| [p.start().to_string(), p.end().to_string()]);
    let document = json!({
        "trials": found.trials.iter().map(one).collect::<Vec<_>>(),
        "resumed": found.resumed,
        "periods": ends.collect::<Vec<_>>(),
        "best": found.best,
        "challenges": found.challenges,
        "file": found.file,
    });
    context.answer(&document, || text(&plan, &found))
}

fn text(plan: &TunePlan, found: &Tuned) -> String {
    let which = plan.which;
    let mut out = format!("learners of {} {}, {}: ", which.horizon, which.target, which.population);
    out += &format!("{} trials, {} of them from before\n", found.trials.len(), found.resumed);
    let years: Vec<String> =
        found.periods.iter().map(|p| format!("{}–{}", p.start().year(), p.end().year())).collect();
    out += &format!("each forecasts the films of {}, from what was known before\n\n", years.join(", "));
    let mut ranked: Vec<&Trial> = found.trials.iter().collect();
    ranked.sort_by(|a, b| {
        let crps = |t: &Trial| t.crps().unwrap_or(f64::MAX);
        crps(a).total_cmp(&crps(b)).then(a.number.cmp(&b.number))
    });
    let mut table = show::table(&["trial", "CRPS", "by period", "differs from the house in"], false);
    for trial in ranked.iter().take(SHOWN).chain(ranked.iter().skip(SHOWN).find(|t| t.number == 0)) {
        let periods: Vec<String> = trial.periods.iter().map(|p| format!("{:.4}", p.crps)).collect();
        let differs = trial.differs();
        table.add_row([
            trial.number.to_string(),
            trial.crps().map_or_else(|| "failed".to_owned(), |crps| format!("{crps:.4}")),
            periods.join(" "),
            if differs.is_empty() { "nothing".to_owned() } else { differs.join(", ") },
        ]);
    }
    out += &format!("{table}\n\n");
    out += match found.challenges {
        _ if found.best.is_none() => "no trial could be judged\n",
        true => {
            "the best is the challenger now: `marquee models promote` sets it against the champion on the years after these;\nthe best of many looks better than it is\n"
        }
        false => "the learner of the house is the best so far\n",
    };
    out += &format!("the trials are kept in {}\n", found.file.display());
    out
}
