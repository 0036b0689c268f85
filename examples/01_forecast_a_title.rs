//! The first lesson: from a film table to a forecast with its reasons, and what if it had cost twice as much.
//!
//! ```sh
//! cargo run --release -p marquee --example 01_forecast_a_title
//! ```
//!
//! What the command line does is no more than this: open a workspace, ask a use case, show what it answers.

use std::path::PathBuf;

use chrono::Utc;
use marquee_app::asked::Asked;
use marquee_app::forecasting::Inquiry;
use marquee_app::types::{Change, Deal};
use marquee_app::use_cases::forecast::{Question, forecast};
use marquee_app::use_cases::ingest::{Input, Wish, ingest};
use marquee_app::{BUNDLED_FILMS, Permit, Workspace};
use marquee_domain::{Control, Day, Target};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Everything is kept in one folder; nothing else is needed.
    let folder = std::env::temp_dir().join("marquee-example-01");
    std::fs::create_dir_all(&folder)?;
    let table: PathBuf = folder.join("films.csv");
    std::fs::write(&table, BUNDLED_FILMS)?;
    let (workspace, permit, control) = (Workspace::at(&folder), Permit::local_owner(), Control::default());

    // A table becomes facts, each with the day on which the world could know it. What is wrong with it is told.
    let ingested =
        ingest(&workspace, Wish::usual(Input::Files(vec![table], None)), &control, &permit).await?;
    for report in &ingested.reports {
        println!("{} rows of {}, {} of them refused", report.rows, report.source, report.refused_rows);
    }

    // A question names the day whose knowledge it may use: half a year before the release.
    let today = Day::new(2006, 6, 1)?;
    let question = Question {
        about: Inquiry {
            asked: Asked::Title("Apocalypto".to_owned()),
            as_of: Some(today),
            target: Target::Worldwide,
            population: None,
            today,
            seed: 0,
        },
        fan: false,
        what_if: vec![Change::Budget(80e6)],
        record: false,
        deal: Deal::default(),
        now: Utc::now(),
    };
    let answer = forecast(&workspace, question, &control, &permit).await?;

    // The answer is a distribution, with reasons that add up to its middle and films to compare it with.
    let found = &answer.forecast;
    let [low, .., high] = found.distribution.quantiles();
    println!("\n{} as of {}: ${low:.0} to ${high:.0}, nine times in ten", found.name, found.as_of);
    println!("from ${:.0} for a typical film", found.base_usd);
    for driver in &found.drivers {
        println!("  {:>12} {:+.0}", driver.group, driver.effect_usd);
    }
    println!("to ${:.0} in the middle", found.distribution.median());
    for comp in found.comps.iter().take(3) {
        println!("  like {} ({}), which took ${:.0}", comp.name, comp.release, comp.gross_usd);
    }
    if let Some(what_if) = &answer.what_if {
        println!("at twice the cost ${:.0}", what_if.forecast.distribution.median());
    }
    if let Some(actual) = answer.actual {
        println!("it took ${actual:.0}");
    }
    Ok(())
}
