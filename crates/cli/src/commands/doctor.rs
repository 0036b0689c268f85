//! `marquee doctor`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use marquee_app::use_cases::doctor::{Health, doctor};
use serde_json::json;

use crate::context::Context;
use crate::show;

/// Flags of `marquee doctor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee doctor --head head.json\n\nExits with 1 where something is damaged."
)]
pub(crate) struct Args {
    /// A head of the track record that was kept elsewhere (`marquee track --export-head`).
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<ExitCode> {
    let kept = args.head.as_deref().map(super::track::read_head).transpose().context("--head")?;
    let found = doctor(&context.workspace, kept.as_ref(), context.now, &context.permit).await?;
    let word = |health: Health| match health {
        Health::Good => "good",
        Health::Stale => "look",
        Health::Bad => "bad",
    };
    let settings = context.config.rows();
    let document = json!({
        "settings": settings.iter().map(|(n, v, o)| json!({ "setting": n, "value": v, "origin": o })).collect::<Vec<_>>(),
        "findings": found.iter().map(|f| json!({ "part": f.part, "health": word(f.health), "said": f.said })).collect::<Vec<_>>(),
    });
    context.answer(&document, || {
        let mut table = show::table(&["part", "", "found"], false);
        for (name, value, origin) in &settings {
            table.add_row([format!("setting {name}"), "set".to_owned(), format!("{value} ({origin})")]);
        }
        for f in &found {
            table.add_row([f.part.as_str(), word(f.health), &f.said]);
        }
        format!("{table}\n")
    })?;
    let bad = found.iter().any(|f| f.health == Health::Bad);
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
