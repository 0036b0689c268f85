//! `marquee performance`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use marquee_app::types::{Actual, Attribution, Cause};
use marquee_app::use_cases::performance::{Question, performance};
use marquee_domain::{Budget, Day, Gross, Money, Spend};
use marquee_server::wire::{self, Amount};
use serde::Deserialize;
use serde_json::json;

use crate::chart::Chart;
use crate::context::{Context, SCENARIOS};
use crate::export::{Cell, Export, Sheet};
use crate::{deal_file, project_file, show};

/// Flags of `marquee performance`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee performance examples/project.toml --actuals examples/actuals.toml\n\nValues are net present on the planned first day, of all who finance and share: actual grosses paid through the deal, not what anybody reported. Parts are Shapley values and add up to the cent."
)]
pub(crate) struct Args {
    /// A file with the projects as they were planned.
    projects: PathBuf,
    /// A file with what happened: [[actual]] with project and worldwide, and what else went otherwise than planned (domestic,
    /// budget, marketing, release_date).
    #[arg(long, value_name = "FILE")]
    actuals: PathBuf,
    /// The deal that was paid under, where it is another.
    #[arg(long, value_name = "FILE")]
    actual_deal: Option<PathBuf>,
    /// The day whose knowledge the projection may use.
    #[arg(long, value_name = "DATE")]
    as_of: Option<Day>,
    #[command(flatten)]
    export: Export,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    actual: Vec<WrittenActual>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenActual {
    project: String,
    worldwide: Amount,
    domestic: Option<Amount>,
    budget: Option<Amount>,
    marketing: Option<Amount>,
    release_date: Option<wire::Day>,
}

impl WrittenActual {
    fn read(&self) -> Result<Actual> {
        let money = |amount: &Option<Amount>| amount.as_ref().map(Amount::money).transpose();
        let worldwide = self.worldwide.money().context("worldwide")?;
        if worldwide.minor() < 0 {
            bail!("a worldwide gross of {worldwide} is not possible");
        }
        Ok(Actual {
            worldwide: Gross(worldwide),
            domestic: money(&self.domestic).context("domestic")?.map(Gross),
            budget: money(&self.budget).context("budget")?.map(Budget),
            marketing: money(&self.marketing).context("marketing")?.map(Spend),
            release: self.release_date.as_ref().map(wire::Day::read).transpose().context("release_date")?,
        })
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let mut projects = project_file::read_all(&args.projects)?;
    let said = || format!("the file of actuals {} is not understood", args.actuals.display());
    let text = std::fs::read_to_string(&args.actuals)
        .with_context(|| format!("cannot read the file of actuals {}", args.actuals.display()))?;
    let written: Written = toml::from_str(&text).with_context(said)?;
    if let Some(lost) = written.actual.iter().find(|a| !projects.iter().any(|p| p.name == a.project)) {
        bail!("no project of {} is called `{}`", args.projects.display(), lost.project);
    }
    projects.retain(|p| written.actual.iter().any(|a| a.project == p.name));
    let of = |name: &str| written.actual.iter().rfind(|a| a.project == name);
    let actuals = projects
        .iter()
        .filter_map(|p| of(&p.name))
        .map(|a| a.read().with_context(|| format!("`{}`", a.project)).with_context(said));
    let question = Question {
        actuals: actuals.collect::<Result<_>>()?,
        plans: context.plans(projects, args.as_of, SCENARIOS)?,
        actual_deal: args.actual_deal.as_deref().map(deal_file::read).transpose()?,
    };
    let found = performance(&context.workspace, question, &context.control, &context.permit).await?;
    args.export.write(|| vec![sheet(&found)], || chart(&found))?;
    let document = json!({
        "note": "gross-implied, net present on the planned first day",
        "projects": found.iter().map(|a| json!({
            "project": a.project, "projected_usd": a.projected.major(), "actual_usd": a.actual.major(),
            "parts_usd": Cause::ALL.iter().zip(&a.parts).map(|(cause, part)| (word(*cause).to_owned(), json!(part.major())))
                .collect::<serde_json::Map<_, _>>(),
            "rank_of_gross_in_forecast": a.rank,
        })).collect::<Vec<_>>(),
        "together": { "projected_usd": sum(&found, |a| a.projected), "actual_usd": sum(&found, |a| a.actual),
            "parts_usd": Cause::ALL.iter().enumerate().map(|(i, cause)| (word(*cause).to_owned(), json!(sum(&found, |a| a.parts[i]))))
                .collect::<serde_json::Map<_, _>>() },
    });
    context.answer(&document, || text_of(&found))
}

fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Forecast => "forecast",
        Cause::Cost => "cost",
        Cause::Timing => "timing",
        Cause::Split => "split",
    }
}

fn sum(found: &[Attribution], of: impl Fn(&Attribution) -> Money) -> f64 {
    found.iter().map(|a| of(a).major()).sum()
}

fn text_of(found: &[Attribution]) -> String {
    let headings = ["project", "projected", "came to", "forecast", "cost", "timing", "split", "rank"];
    let mut table = show::table(&headings, true);
    for a in found {
        let [forecast, cost, timing, split] = a.parts;
        table.add_row([
            a.project.clone(),
            a.projected.to_string(),
            a.actual.to_string(),
            forecast.to_string(),
            cost.to_string(),
            timing.to_string(),
            split.to_string(),
            show::percent(a.rank),
        ]);
    }
    if found.len() > 1 {
        let mut row = vec!["together".to_owned(), show::usd(sum(found, |a| a.projected))];
        row.push(show::usd(sum(found, |a| a.actual)));
        row.extend((0..4).map(|i| show::usd(sum(found, |a| a.parts[i]))));
        row.push(String::new());
        table.add_row(row);
    }
    let more = show::fit(&mut table, &[7]);
    format!(
        "{table}\n{more}\nnet present on the planned first day, gross-implied\nforecast to split add up to the difference; a rank of 90% beat nine of ten cases of the forecast\n"
    )
}

fn sheet(found: &[Attribution]) -> Sheet {
    let row = |a: &Attribution| {
        let mut row: Vec<Cell> = vec![a.project.clone().into(), a.projected.into(), a.actual.into()];
        row.extend(a.parts.iter().map(|part| Cell::from(*part)));
        row.push(Cell::Share(a.rank));
        row
    };
    let headings = vec![
        "project",
        "projected_usd",
        "actual_usd",
        "forecast_usd",
        "cost_usd",
        "timing_usd",
        "split_usd",
        "gross_rank",
    ];
    Sheet { name: "performance", headings, rows: found.iter().map(row).collect() }
}

/// From projected to actual, cause by cause, over all projects.
fn chart(found: &[Attribution]) -> Chart {
    let mut at = sum(found, |a| a.projected);
    let mut of = vec![("projected".to_owned(), [at.min(0.0), at, at.max(0.0)])];
    for (i, cause) in Cause::ALL.iter().enumerate() {
        let next = at + sum(found, |a| a.parts[i]);
        of.push((word(*cause).to_owned(), [at.min(next), next, at.max(next)]));
        at = next;
    }
    of.push(("actual".to_owned(), [at.min(0.0), at, at.max(0.0)]));
    Chart::Ranges { title: "from projected to actual (net present value)".to_owned(), of }
}
