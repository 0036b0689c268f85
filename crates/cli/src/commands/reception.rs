//! `marquee reception`.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use marquee_app::asked::Asked;
use marquee_app::types::TableTest;
use marquee_app::use_cases::reception::{
    Reception, ReceptionAnswer, ReceptionQuestion, reception, reception_test,
};
use marquee_domain::{Day, FactKind, Opinion};
use marquee_server::wire::Quantiles;
use serde_json::{Value, json};

use crate::about::{self, years};
use crate::context::Context;
use crate::one_number::{drivers, figures, tested};
use crate::{project_file, show};

/// Flags of `marquee reception`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee reception \"The Departed\"\n         marquee reception --test 2006..2010 --opinion viewers"
)]
pub(crate) struct Args {
    /// A title: its name, its id, or a source id such as tmdb:603.
    #[arg(required_unless_present_any = ["project", "test"])]
    title: Option<String>,
    /// A project that is not in the catalogue.
    #[arg(long, value_name = "P.toml", conflicts_with = "title")]
    project: Option<PathBuf>,
    /// The day whose knowledge may be used (30 days before release; a project's greenlight day or today).
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    /// Instead, test forecasts of the films of these years, both ends included.
    #[arg(long, value_name = "YEAR..YEAR", value_parser = years, conflicts_with_all = ["title", "project", "as_of"])]
    test: Option<RangeInclusive<i32>>,
    /// Only test critics or viewers.
    #[arg(long, requires = "test")]
    opinion: Option<Opinion>,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    if let Some(test) = &args.test {
        return tests(context, test, args.opinion).await;
    }
    let asked = match (args.title, args.project) {
        (Some(title), _) => Asked::Title(title),
        (_, Some(path)) => Asked::Project(Box::new(project_file::read_one(&path)?)),
        _ => bail!("name a title, or a project file with --project"),
    };
    let question =
        ReceptionQuestion { asked, as_of: args.as_of, today: context.today(), seed: context.seed() };
    let found = reception(&context.workspace, question, &context.control, &context.permit).await?;
    let document = json!({
        "name": found.name,
        "release": found.release.to_string(),
        "as_of": found.as_of.to_string(),
        "opinions": found.opinions.iter().map(opinion).collect::<Vec<_>>(),
    });
    context.answer(&document, || text(&found))
}

fn opinion(r: &Reception) -> Value {
    json!({
        "opinion": r.opinion.as_str(),
        "source": r.source,
        "best": r.best,
        "population": if r.credited { "credited" } else { "all" },
        "films_learned_from": r.learned,
        "score": Quantiles::from(r.forecast.quantiles),
        "base": r.forecast.base,
        "drivers": drivers(&r.forecast),
        "actual": r.actual,
        "unheard": r.unheard.iter().map(|(kind, word)| json!({ "kind": kind.to_string(), "word": word })).collect::<Vec<_>>(),
    })
}

fn text(found: &ReceptionAnswer) -> String {
    let mut out = format!("{}, release {}, as known on {}\n\n", found.name, found.release, found.as_of);
    let mut table = show::table(&["scores of", "median", "80%", "90%", "came to", "why"], false);
    for r in &found.opinions {
        let q = r.forecast.quantiles;
        let digits = if r.best > 10.0 { 0 } else { 1 };
        let range = |low: f64, high: f64| format!("{low:.digits$} – {high:.digits$}");
        let why: Vec<String> = r
            .forecast
            .drivers
            .iter()
            .take(4)
            .map(|(group, effect)| format!("{group} {effect:+.1}"))
            .collect();
        table.add_row([
            format!("{} (of {:.0})", r.opinion, r.best),
            format!("{:.digits$}", q[3]),
            range(q[1], q[5]),
            range(q[0], q[6]),
            r.actual.map_or_else(String::new, |score| format!("{score:.digits$}")),
            format!("{:.digits$} is usual; {}", r.forecast.base, why.join(", ")),
        ]);
    }
    out += &format!("{table}\n");
    for r in &found.opinions {
        let people = if r.credited { "whose director is named" } else { "without regard to people" };
        out += &format!("\n{}: scores of {}, learned from {} films {people}", r.opinion, r.source, r.learned);
    }
    let mut noted: Vec<&(FactKind, String)> = Vec::new();
    for new in found.opinions.iter().flat_map(|r| &r.unheard) {
        if !noted.contains(&new) {
            noted.push(new);
        }
    }
    for (kind, word) in noted {
        let kind = kind.to_string().replace('_', " ");
        out += &format!("\nnote: no film of the {kind} `{word}` had been scored by then: it tells nothing");
    }
    out + "\nit is forecast how it is scored if it is: films that nobody reviews are not among those learned from\n"
}

async fn tests(context: &Context, years: &RangeInclusive<i32>, only: Option<Opinion>) -> Result<ExitCode> {
    let (mut found, mut skipped): (Vec<(Opinion, bool, TableTest)>, Vec<String>) = (Vec::new(), Vec::new());
    for opinion in Opinion::ALL.iter().copied().filter(|opinion| only.is_none_or(|o| o == *opinion)) {
        for credited in [true, false] {
            let terms = (years.clone(), context.seed());
            let what = (opinion, credited);
            let test = reception_test(&context.workspace, what, terms, &context.control, &context.permit);
            match test.await {
                Ok(test) => found.push((opinion, credited, test)),
                Err(why) => skipped.push(format!("{opinion}, {}: {why}", population(credited))),
            }
        }
    }
    if found.is_empty() {
        bail!("nothing could be tested\n  {}", skipped.join("\n  "));
    }
    let document = json!({
        "tests": found.iter().map(|(opinion, credited, t)| {
            let mut value = tested(t);
            value["opinion"] = json!(opinion.as_str());
            value["population"] = json!(population(*credited));
            value
        }).collect::<Vec<_>>(),
        "skipped": skipped,
    });
    context.answer(&document, || {
        let rows = found.iter().map(|(opinion, credited, t)| (format!("{opinion}, {}", population(*credited)), t));
        let mut out = format!(
            "scores of films of {}, a month before release, by models of what was known before\n\n",
            about::span(years)
        );
        out += &figures(rows, "RMSE less it (95%)");
        out += "errors are in points: of 100 of critics, of 10 of viewers; people are seen of credited films alone\n";
        skipped.iter().for_each(|why| out += &format!("not tested: {why}\n"));
        out
    })
}

fn population(credited: bool) -> &'static str {
    if credited { "credited" } else { "all" }
}
