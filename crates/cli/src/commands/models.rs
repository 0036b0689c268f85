//! `marquee models`.

use std::process::ExitCode;

use anyhow::Result;
use marquee_app::types::{Contest, Errors, PeriodScore};
use marquee_app::use_cases::due::{Due, DueQuestion, Policy, due};
use marquee_app::use_cases::models::{Models, Shown, model, models, prune};
use marquee_app::use_cases::promote::{promote, rollback};
use marquee_domain::Day;
use marquee_server::wire;

use crate::context::Context;
use crate::show;

/// Flags of `marquee models`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee models\n         marquee models show 3f9a\n         marquee models due --retrain\n         marquee models prune"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the stored models, as `marquee models` does.
    #[command(after_help = "Example: marquee models list")]
    List,
    /// A model's card: what it learned from, how it errs and for whom, what moves it.
    #[command(after_help = "Example: marquee models show 3f9a")]
    Show {
        /// The beginning of its key in the list, or of the SHA-256 that a forecast names.
        model: String,
    },
    /// Set the challenger that `marquee tune` found against the champion, on years that it was not chosen on; if it wins, it
    /// takes its place.
    #[command(
        after_help = "Example: marquee models promote --horizon announced --target domestic --population all"
    )]
    Promote {
        #[command(flatten)]
        models: crate::about::Models,
        /// Only films released before this year are looked at (all whose outcomes are known).
        #[arg(long, value_name = "YEAR")]
        before: Option<i32>,
    },
    /// Take the champion before the present one back.
    #[command(
        after_help = "Example: marquee models rollback --horizon announced --target domestic --population all"
    )]
    Rollback {
        #[command(flatten)]
        models: crate::about::Models,
    },
    /// Which models of grosses are to be trained anew: by age, by how many films more are known, by drift.
    #[command(after_help = "Example: marquee models due\n         marquee models due --retrain")]
    Due {
        /// The day on which they are to be fit for questions (today).
        #[arg(long, value_name = "DATE")]
        as_of: Option<Day>,
        /// A model is due so many days after the day before which its outcomes were known.
        #[arg(long, default_value_t = 365, value_name = "DAYS")]
        age: u32,
        /// Or once so many percent of its films have come to be known besides.
        #[arg(long, default_value_t = 5, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=1000))]
        volume: u32,
        /// Train what is due.
        #[arg(long)]
        retrain: bool,
    },
    /// Delete the models of earlier versions of the lake and those that cannot be read.
    #[command(after_help = "Example: marquee models prune")]
    Prune,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    match args.what {
        None | Some(What::List) => {
            let found = models(&context.workspace, &context.permit).await?;
            context.answer(&wire::models::Models::from(&found), || list(&found))
        }
        Some(What::Show { model: name }) => {
            let found = model(&context.workspace, &name, &context.permit).await?;
            context.answer(&wire::models::ModelCard::from(&found), || text(&found))
        }
        Some(What::Promote { models, before }) => {
            let terms = (before, context.seed());
            let found =
                promote(&context.workspace, models.which(), terms, &context.control, &context.permit).await?;
            context.answer(&wire::models::Contest::from(&found), || contested(&found))
        }
        Some(What::Rollback { models }) => {
            rollback(&context.workspace, models.which(), &context.permit).await?;
            let document = wire::models::RolledBack { rolled_back: true };
            context.answer(&document, || "the champion before this one is back\n".to_owned())
        }
        Some(What::Due { as_of, age, volume, retrain }) => {
            let question = DueQuestion {
                policy: Policy { days: age, share: f64::from(volume) / 100.0 },
                as_of: as_of.unwrap_or_else(|| context.today()),
                retrain,
                seed: context.seed(),
            };
            let found = due(&context.workspace, question, &context.control, &context.permit).await?;
            context.answer(&wire::models::DueModels::from(found.as_slice()), || all_due(&found, retrain))
        }
        Some(What::Prune) => {
            let gone = prune(&context.workspace, &context.permit).await?;
            let document = wire::models::Pruned::from(gone.as_slice());
            context.answer(&document, || match gone.len() {
                0 => "every stored model is of the lake as it is now: nothing was deleted\n".to_owned(),
                n => format!("{n} models deleted; what a question needs is trained again\n"),
            })
        }
    }
}

fn all_due(found: &[Due], retrain: bool) -> String {
    if found.is_empty() {
        return "no model of grosses that was trained by then is stored: the first forecast trains one\n"
            .to_owned();
    }
    let headings = ["horizon, target, films", "trained before", "age", "films", "more", "drift", "due"];
    let mut table = show::table(&headings, false);
    for d in found {
        let drift = match &d.drifted {
            None => "not judged".to_owned(),
            Some(columns) if columns.is_empty() => "none".to_owned(),
            Some(columns) => columns.join(", "),
        };
        let trained = if d.retrained { ": trained" } else { "" };
        table.add_row([
            format!("{} {}, {}", d.which.horizon, d.which.target, d.which.population),
            d.trained_before.to_string(),
            format!("{} days", d.age),
            d.films.to_string(),
            format!("{:+}", d.change),
            drift,
            if d.reasons.is_empty() { "no".to_owned() } else { format!("{}{trained}", d.reasons.join(", ")) },
        ]);
    }
    let hint = match retrain || found.iter().all(|d| d.reasons.is_empty()) {
        true => "",
        false => "`marquee models due --retrain` trains them; a question that needs one trains it itself\n",
    };
    format!(
        "{table}\n\nmore: films that it would learn from now besides; drift is judged on the last whole year before,\nwhere the model has not learned from it and enough films of it are known\n{hint}"
    )
}

fn contested(found: &Contest) -> String {
    let headings = [
        "year",
        "films",
        "champion: CRPS",
        "RMSE",
        "tiers outside",
        "challenger: CRPS",
        "RMSE",
        "tiers outside",
    ];
    let mut table = show::table(&headings, true);
    for (i, (old, new)) in found.champion.iter().zip(&found.challenger).enumerate() {
        let of =
            |p: &PeriodScore| [format!("{:.4}", p.crps), format!("{:.3}", p.rmse), p.outside.to_string()];
        let year = found.periods.get(i).map(|period| period.start().year().to_string());
        let first = [year.unwrap_or_default(), old.n.to_string()];
        table.add_row(first.into_iter().chain(of(old)).chain(of(new)));
    }
    let d = found.crps;
    let verdict = match found.won {
        true => "the challenger wins and is champion now; `marquee models rollback` takes that back",
        false => "the champion stays: a challenger must be better beyond chance, and cover as well",
    };
    format!(
        "{table}\n\nCRPS of the challenger less the champion's: {:+.4} (95%: {:+.4} to {:+.4})\n{verdict}\n",
        d.value, d.lower, d.upper
    )
}

fn list(found: &Models) -> String {
    let mut table = show::table(
        &["model", "horizon, target, films", "trained before", "films", "RMSE", "median APE", "lake"],
        false,
    );
    for s in &found.shown {
        table.add_row([
            s.key.get(..8).unwrap_or(&s.key).to_owned(),
            format!("{} {}, {}", s.horizon, s.target, s.population),
            s.trained_before.to_string(),
            s.films.to_string(),
            format!("{:.3}", s.card.errors.rmse),
            show::percent(s.card.errors.median_ape),
            if s.current { "as now" } else { "earlier" }.to_owned(),
        ]);
    }
    let mut out = match found.shown.is_empty() {
        true => "no model is stored yet: the first forecast trains one\n".to_owned(),
        false => format!(
            "{table}\n\n`marquee models show MODEL` prints a card; errors are out of fold, natural logs. Models of weeks, streaming,\nawards, scores and games are stored beside these\n"
        ),
    };
    for s in &found.standings {
        let which = format!("{} {}, {}", s.which.horizon, s.which.target, s.which.population);
        let champion = match &s.champion {
            Some(c) => format!("a tuned one, for questions from {} on", c.before),
            None => "the learner of the house".to_owned(),
        };
        let waits =
            if s.challenger.is_some() { "; a challenger waits for `marquee models promote`" } else { "" };
        out += &format!("champion of {which}: {champion}{waits}\n");
    }
    for (path, why) in &found.unreadable {
        out += &format!("cannot be read: {}: {why}\n", path.display());
    }
    if !found.unreadable.is_empty() || found.shown.iter().any(|s| !s.current) {
        out += "`marquee models prune` deletes what no question asks for any more\n";
    }
    out
}

fn text(s: &Shown) -> String {
    let c = &s.card;
    let mut out = format!("model {}: {} gross at {}, {} films\n", s.key, s.target, s.horizon, s.population);
    out += &format!(
        "learned from {} films released {} to {}, their outcomes known before {}\nlake {}{}; SHA-256 {}\n",
        s.films,
        c.released.0,
        c.released.1,
        s.trained_before,
        s.data,
        if s.current { "" } else { ", not as it is now" },
        s.sha256
    );
    let members: Vec<String> =
        s.members.iter().map(|m| format!("{} {:.2} (RMSE {:.3})", m.label, m.weight, m.rmse)).collect();
    out += &format!("members by weight: {}\n", members.join(", "));
    out += &format!(
        "\nHow it errs on the {} of them released from {} to {}, each predicted before it was learned from:\n{}\n",
        c.errors.n,
        c.judged.0,
        c.judged.1,
        errors(
            std::iter::once(("all".to_owned(), &c.errors))
                .chain(c.tiers.iter().enumerate().map(|(i, e)| (format!("predicted tier {}", i + 1), e)))
        )
    );
    out += &format!(
        "CRPS and coverage are of the {} after the first block of time, by ranges that the blocks before had taught\n",
        c.errors.ranged
    );
    let leaning: Vec<(String, &Errors)> = c
        .words
        .iter()
        .filter(|(_, _, e)| e.bias.abs() > 2.0 * e.bias_error)
        .map(|(kind, word, e)| (format!("{kind} {word}"), e))
        .collect();
    out +=
        &format!("\nFor whom it leans, of {} genres, languages and countries told apart:\n", c.words.len());
    out += &match leaning.is_empty() {
        true => "none by more than two standard errors\n".to_owned(),
        false => format!(
            "{}\nabove zero it promises too much; one in twenty leans so far by chance\n",
            errors(leaning)
        ),
    };
    let mut table = show::table(&["group", "mean effect, ln"], true);
    for (group, size) in &c.drivers {
        table.add_row([group.clone(), format!("{size:.3}")]);
    }
    out += &format!("\nWhat moves it:\n{table}\n\nLimits:\n");
    for limit in wire::models::limits(s) {
        out += &format!("- {limit}\n");
    }
    out
}

fn errors<'a>(rows: impl IntoIterator<Item = (String, &'a Errors)>) -> comfy_table::Table {
    let headings = ["films", "n", "bias, ln", "± 1 s.e.", "RMSE", "median APE", "CRPS", "80%", "90%"];
    let mut table = show::table(&headings, true);
    let some = |x: f64| if x.is_nan() { String::new() } else { format!("{x:.3}") };
    for (name, e) in rows {
        table.add_row([
            name,
            e.n.to_string(),
            format!("{:+.2}", e.bias),
            format!("{:.2}", e.bias_error),
            format!("{:.3}", e.rmse),
            show::percent(e.median_ape),
            some(e.crps),
            some(e.cover[0]),
            some(e.cover[1]),
        ]);
    }
    table
}
