//! `marquee track`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use marquee_app::types::Head;
use marquee_app::use_cases::track::{Track, track};
use marquee_server::wire;

use crate::context::Context;
use crate::show;

/// Flags of `marquee track`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee track --export-head head.json\n\nKeep an exported head elsewhere: only it shows that the owner of the key rewrote everything."
)]
pub(crate) struct Args {
    /// The most entries that are shown.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Write the head to this file.
    #[arg(long, value_name = "FILE")]
    export_head: Option<PathBuf>,
    /// Verify against a head that was kept elsewhere.
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
}

/// Reads an exported head.
pub(super) fn read_head(path: &Path) -> Result<Head> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.trim().parse::<Head>().with_context(|| format!("{} is not a head of a track record", path.display()))
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<ExitCode> {
    let kept = args.head.as_deref().map(read_head).transpose()?;
    let found = track(&context.workspace, args.limit, kept, &context.permit).await?;
    if let Some(path) = &args.export_head {
        let head = found.head.as_ref().context("no forecast was recorded yet: there is no head to export")?;
        std::fs::write(path, format!("{head}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    context.answer(&wire::track::TrackRecord::from(&found), || text(&found))?;
    Ok(if found.verification.is_intact() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(found: &Track) -> String {
    let mut out = format!("{}\n", found.verification);
    if let Some(head) = &found.head {
        out += &format!("head: {head}\n");
    }
    if found.entries.is_empty() {
        return out + "no forecast was recorded yet: `marquee forecast … --record`\n";
    }
    let mut table =
        show::table(&["#", "recorded", "title", "as of", "forecast", "actual", "percentile"], false);
    for t in &found.entries {
        let recorded = t.entry.recorded_at.format("%Y-%m-%d").to_string();
        let Some(r) = &t.recorded else {
            table.add_row([t.entry.seq.to_string(), recorded, "erased".to_owned()]);
            continue;
        };
        let (actual, place) = match (&t.scored, r.late) {
            (Some(s), _) => (show::usd(s.actual), show::percent(s.pit)),
            (None, true) => ("recorded late".to_owned(), "not scored".to_owned()),
            (None, false) => ("not yet".to_owned(), String::new()),
        };
        table.add_row([
            t.entry.seq.to_string(),
            recorded,
            show::short(&r.forecast.name, 28),
            r.forecast.as_of.to_string(),
            show::range(&r.forecast.distribution),
            actual,
            place,
        ]);
    }
    out += &format!("\n{table}\n");
    if let Some(s) = found.summary {
        out += &format!(
            "\n{} scored: CRPS {:.3}, {} inside the 10–90% range\n",
            s.n,
            s.crps,
            show::percent(s.cover80)
        );
    }
    out
}
