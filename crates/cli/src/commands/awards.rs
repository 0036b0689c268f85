//! `marquee awards`.

use std::ops::RangeInclusive;
use std::process::ExitCode;

use anyhow::{Result, bail};
use marquee_app::types::{AwardForecast, AwardsTest, Chance, NominationsRow, WinsRow};
use marquee_app::use_cases::awards::{AwardsAnswer, AwardsQuestion, awards, awards_test};
use marquee_domain::{Award, Day};
use serde_json::{Value, json};

use crate::about::{self, years};
use crate::context::Context;
use crate::show;

/// Flags of `marquee awards`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Tables that tell years alone, as the built-in ones of the Academy and the Golden Globes do, count from days that\ncame later in nearly all years: nominations from 15 March, wins from 30 April. A table of your own may give its days.\n\nExample: marquee awards --year 2012\n         marquee awards --year 2012 --nominations --award picture\n         marquee awards --test 2010..2012"
)]
pub(crate) struct Args {
    /// The year of the films (the newest with nominations).
    #[arg(long, value_parser = clap::value_parser!(i32).range(1870..=2199))]
    year: Option<i32>,
    /// Which films will be nominated, in place of who of the nominees will win.
    #[arg(long)]
    nominations: bool,
    /// Only this award of the Academy: picture, directing, "supporting actor" … May be repeated.
    #[arg(long, value_parser = oscar)]
    award: Vec<Award>,
    /// The day whose knowledge may be used (all).
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// How many chances of an award are shown; JSON has all.
    #[arg(long, default_value_t = 10)]
    limit: usize,
    /// Instead, test forecasts of the awards for films of these years, both ends included.
    #[arg(long, value_name = "YEAR..YEAR", value_parser = years, conflicts_with_all = ["year", "nominations", "award", "as_of"])]
    test: Option<RangeInclusive<i32>>,
}

fn oscar(text: &str) -> Result<Award, String> {
    let oscars = || Award::ALL.iter().filter(|award| award.is_oscar());
    let said = text.to_lowercase();
    let said = said.trim_start_matches("best ");
    let found = oscars().find(|award| name(**award) == said || award.as_str() == said);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = oscars().map(|award| name(*award)).collect();
        format!("no award is called `{text}`; known are {}", known.join(", "))
    })
}

/// An award's name, without who gives it.
fn name(award: Award) -> &'static str {
    award.as_str().split_once(' ').map_or(award.as_str(), |(_, name)| name)
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if let Some(test) = args.test {
        let found = awards_test(&context.workspace, test.clone(), &context.control, &context.permit).await?;
        return context.answer(&tested(&found), || figures(&found, &test));
    }
    let question = AwardsQuestion { year: args.year, nominations: args.nominations, as_of: args.as_of };
    let mut found = awards(&context.workspace, question, &context.control, &context.permit).await?;
    let given: Vec<&str> = found.forecasts.iter().map(|f| name(f.award)).collect();
    let given = given.join(", ");
    found.forecasts.retain(|f| args.award.is_empty() || args.award.contains(&f.award));
    if found.forecasts.is_empty() {
        bail!("there is no such award for films of {}; there are {given}", found.year);
    }
    let document = json!({
        "year": found.year,
        "asked": if args.nominations { "nominations" } else { "wins" },
        "golden_globes": { "nominations": found.globes.0, "wins": found.globes.1 },
        "awards": found.forecasts.iter().map(forecast).collect::<Vec<_>>(),
    });
    context.answer(&document, || text(&found, args.nominations, args.limit))
}

fn forecast(f: &AwardForecast) -> Value {
    let chance = |c: &Chance| {
        json!({
            "title_id": c.title.to_string(),
            "name": c.name,
            "people": c.people,
            "probability": c.probability.get(),
            "happened": c.happened,
            "drivers_log_odds": c.drivers.iter().map(|(group, effect)| json!({ "group": group, "effect": effect })).collect::<Vec<_>>(),
        })
    };
    json!({ "award": f.award.as_str(), "chances": f.chances.iter().map(chance).collect::<Vec<_>>() })
}

/// What speaks most for or against: groups that move the odds by a tenth or more.
fn why(chance: &Chance) -> String {
    let told = chance.drivers.iter().filter(|(_, effect)| effect.abs() >= 0.1).take(2);
    told.map(|(group, effect)| format!("{group} {effect:+.1}")).collect::<Vec<_>>().join(", ")
}

fn text(found: &AwardsAnswer, nominations: bool, limit: usize) -> String {
    let what = if nominations { "to be nominated" } else { "to win" };
    let mut out = format!("the Academy's awards for films of {}: chances {what}\n\n", found.year);
    for f in &found.forecasts {
        let mut table = show::table(&[name(f.award), "", "chance", "", "why (log odds)"], false);
        for c in f.chances.iter().take(limit) {
            let told = match (c.happened, nominations) {
                (Some(true), true) => "nominated",
                (Some(true), false) => "won",
                _ => "",
            };
            table.add_row([
                show::short(&c.name, 34),
                show::short(&c.people.join(", "), 24),
                show::percent(c.probability.get()),
                told.to_owned(),
                why(c),
            ]);
        }
        out += &format!("{table}\n\n");
    }
    match found.globes {
        (0, _) => {
            out + "no Golden Globes of that year are known: the chances are less sure than those of other years\n"
        }
        (_, 0) if !nominations => {
            out + "who won the Golden Globes is not known yet: the chances are less sure than they will be\n"
        }
        _ => out,
    }
}

fn tested(t: &AwardsTest) -> Value {
    let named = |award: Option<Award>| award.map(Award::as_str);
    let wins = |row: &WinsRow| {
        json!({
            "award": named(row.award), "seasons": row.seasons, "nominees": row.n,
            "log_loss": row.log_loss[0], "log_loss_prior": row.log_loss[1], "log_loss_equal": row.log_loss[2],
            "first_won": row.first[0], "first_won_prior": row.first[1],
            "auc": row.auc[0], "auc_prior": row.auc[1],
            "average_precision": row.average_precision[0], "average_precision_prior": row.average_precision[1],
        })
    };
    let nominations = |row: &NominationsRow| {
        json!({
            "award": named(row.award), "films": row.n, "nominated": row.nominated.0, "not_among_films": row.nominated.1,
            "auc": row.auc[0], "auc_prior": row.auc[1],
            "average_precision": row.average_precision[0], "average_precision_prior": row.average_precision[1],
            "log_loss": row.log_loss[0], "log_loss_prior": row.log_loss[1],
        })
    };
    let (d, r) = (t.wins_difference, t.wins_reliability);
    json!({
        "wins": t.wins.iter().map(wins).collect::<Vec<_>>(),
        "wins_log_loss_less_prior": { "value": d.value, "lower": d.lower, "upper": d.upper },
        "wins_reliability": { "miscalibration": r.miscalibration, "by_chance": r.by_chance },
        "nominations": t.nominations.iter().map(nominations).collect::<Vec<_>>(),
        "people_are_known": t.people_are_known,
    })
}

fn figures(t: &AwardsTest, years: &RangeInclusive<i32>) -> String {
    let mut out = format!(
        "who won the Academy's awards for films of {}, by models of the years before; in brackets by prior\nnominations and wins alone\n\n",
        about::span(years)
    );
    let all = |award: Option<Award>| award.map_or("all", name).to_owned();
    let both = |x: [f64; 2]| format!("{:.3} [{:.3}]", x[0], x[1]);
    let mut table =
        show::table(&["award", "years", "nominees", "log loss", "equal", "favourite won", "AUC", "AP"], true);
    for row in &t.wins {
        table.add_row([
            all(row.award),
            row.seasons.to_string(),
            row.n.to_string(),
            both([row.log_loss[0], row.log_loss[1]]),
            format!("{:.3}", row.log_loss[2]),
            format!("{} [{}]", show::percent(row.first[0]), show::percent(row.first[1])),
            both(row.auc),
            both(row.average_precision),
        ]);
    }
    let (d, r) = (t.wins_difference, t.wins_reliability);
    out += &format!("{table}\n\n");
    out += &format!(
        "log loss less that of prior ones {:+.3} (95% {:+.3} to {:+.3}); ",
        d.value, d.lower, d.upper
    );
    out += &format!(
        "what was stated and what\nhappened differ {:.1} times as much as right chances do by luck (mean squared gap {:.5})\n",
        r.miscalibration / r.by_chance,
        r.miscalibration
    );
    if t.nominations.is_empty() {
        return out + "\nnominations are not tested: the lake knows too few films of the years before\n";
    }
    out += "\nwhich films were nominated, by what was known before; in brackets by the prior nominations of directors\nand cast alone\n\n";
    let mut table =
        show::table(&["award", "films", "nominated", "not among films", "AUC", "AP", "log loss"], true);
    for row in &t.nominations {
        table.add_row([
            row.award.map_or("all", name).to_owned(),
            row.n.to_string(),
            row.nominated.0.to_string(),
            row.nominated.1.to_string(),
            both(row.auc),
            both(row.average_precision),
            both(row.log_loss),
        ]);
    }
    out += &format!("{table}\n");
    match t.people_are_known {
        true => out,
        false => {
            out + "no table of credits is in the lake: whom films name, and what they had, is not known\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awards_are_called_by_their_names() {
        assert_eq!([oscar("picture"), oscar("Best Picture")], [Ok(Award::Picture), Ok(Award::Picture)]);
        assert_eq!(oscar("oscar supporting actor"), Ok(Award::SupportingActor));
        assert!(oscar("globe drama").is_err_and(|said| said.contains("picture, directing")));
    }
}
