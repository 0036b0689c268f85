//! `marquee games`.

use std::ops::RangeInclusive;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::builder::NonEmptyStringValueParser;
use marquee_app::types::Game;
use marquee_app::use_cases::games::{AskedGame, GameAnswer, GameQuestion, games, games_test};
use marquee_domain::{Day, FactKind};
use marquee_server::wire::Quantiles;
use serde_json::{Value, json};

use crate::about::{self, years};
use crate::context::Context;
use crate::one_number::{drivers, figures, tested};

/// Flags of `marquee games`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee games \"Grand Theft Auto: San Andreas\" --platform PS2\n         marquee games --new \"Halo 6\" --platform XOne --genre Shooter --publisher \"Microsoft Game Studios\" --year 2017\n         marquee games --test 2010..2012"
)]
pub(crate) struct Args {
    /// A game of the lake: its name or its id.
    #[arg(required_unless_present_any = ["new", "test"])]
    title: Option<String>,
    /// The name of a game that is not in the lake.
    #[arg(long, value_name = "NAME", conflicts_with = "title", requires = "platform", requires = "year", value_parser = NonEmptyStringValueParser::new())]
    new: Option<String>,
    /// The machine that it is for, in the words of the lake: PS4, XOne, PC …
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    platform: Option<String>,
    /// The genre of a new game.
    #[arg(long, requires = "new")]
    genre: Option<String>,
    /// The publisher of a new game.
    #[arg(long, requires = "new")]
    publisher: Option<String>,
    /// The year of a new game, from 1990 on.
    #[arg(long, requires = "new", value_parser = clap::value_parser!(i32).range(1990..=2199))]
    year: Option<i32>,
    /// The day whose knowledge may be used (the first day of its year, or today where that is yet to come).
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// Instead, test forecasts of the games of these years, both ends included.
    #[arg(long, value_name = "YEAR..YEAR", value_parser = years, conflicts_with_all = ["title", "new", "as_of", "platform"])]
    test: Option<RangeInclusive<i32>>,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if let Some(test) = &args.test {
        let terms = (test.clone(), context.seed());
        let found = games_test(&context.workspace, terms, &context.control, &context.permit).await?;
        let head = format!(
            "copies of games of {} sold over their lives, by a model of what was known before\n\n",
            about::span(test)
        );
        return context.answer(&tested(&found), || {
            let rows = std::iter::once(("games".to_owned(), &found));
            head + &figures(rows, "RMSE less it (95%)") + "errors are of natural logs of copies\n"
        });
    }
    let word = |text: Option<String>| text.map(|text| text.as_str().into());
    let asked = match (args.title, args.new, args.year) {
        (Some(title), ..) => AskedGame::Known(title, args.platform),
        (None, Some(name), Some(year)) => AskedGame::New(Game {
            name: name.as_str().into(),
            year,
            machine: word(args.platform),
            genre: word(args.genre),
            publisher: word(args.publisher),
        }),
        _ => bail!("name a game, or describe one with --new, --platform and --year"),
    };
    let question = GameQuestion { asked, as_of: args.as_of, today: context.today(), seed: context.seed() };
    let found = games(&context.workspace, question, &context.control, &context.permit).await?;
    context.answer(&document(&found), || text(&found))
}

fn document(found: &GameAnswer) -> Value {
    json!({
        "name": &*found.game.name,
        "year": found.game.year,
        "platform": found.game.machine.as_deref(),
        "genre": found.game.genre.as_deref(),
        "publisher": found.game.publisher.as_deref(),
        "as_of": found.as_of.to_string(),
        "games_learned_from": found.learned,
        "units": Quantiles::from(&found.units),
        "base": found.base,
        "drivers_log": drivers(&found.forecast),
        "actual": found.actual,
        "unheard": found.unheard.iter().map(|(kind, word)| json!({ "kind": kind.to_string(), "word": word })).collect::<Vec<_>>(),
    })
}

fn copies(n: f64) -> String {
    match n {
        n if n >= 999_500.0 => format!("{:.1}M", n / 1e6),
        n => format!("{:.0}k", n / 1e3),
    }
}

fn text(found: &GameAnswer) -> String {
    let (game, q) = (&found.game, found.units.quantiles());
    let of = |word: &Option<std::sync::Arc<str>>| word.as_deref().unwrap_or("?").to_owned();
    let mut out = format!(
        "{}, {}, {} by {}, {}, as known on {}\n\n",
        game.name,
        of(&game.machine),
        of(&game.genre),
        of(&game.publisher),
        game.year,
        found.as_of
    );
    out += &format!(
        "copies sold over its life: {} (80% {} – {}; 90% {} – {})\n",
        copies(q[3]),
        copies(q[1]),
        copies(q[5]),
        copies(q[0]),
        copies(q[6])
    );
    if let Some(actual) = found.actual {
        out += &format!("came to {}\n", copies(actual));
    }
    out += &format!("\na typical game sells {}", copies(found.base));
    for (group, effect) in found.forecast.drivers.iter().filter(|(_, effect)| effect.abs() >= 0.005) {
        out += &format!("; {group} × {:.2}", effect.exp());
    }
    for (kind, word) in &found.unheard {
        let kind = if *kind == FactKind::Distributor { "publisher".to_owned() } else { kind.to_string() };
        out += &format!("\nnote: no game of the {kind} `{word}` was known by then: it tells nothing");
    }
    out + &format!(
        "\nlearned from {} games whose sales the lake knows: who sold least is not in such tables\n",
        found.learned
    )
}
