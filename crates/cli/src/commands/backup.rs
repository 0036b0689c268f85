//! `marquee backup` and `marquee restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use marquee_app::use_cases::backup::{Index, backup, restore};

use crate::context::Context;

/// Flags of `marquee backup`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee backup /backups/2027-03-01\n\nIt may be taken while `marquee serve` runs. Without the keys nothing in it that is sealed can be read, and the ledger\ncannot be verified: keep them elsewhere, or say --with-keys and guard the folder."
)]
pub(crate) struct Args {
    /// The folder to write to; new or empty.
    folder: PathBuf,
    /// Put the keys into it too: of the ledger, the accounts and sealed documents.
    #[arg(long)]
    with_keys: bool,
}

/// Flags of `marquee restore`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee restore /backups/2027-03-01 --data /srv/marquee-new\n\nThe data folder must be new or empty. With --state the state goes to another database than the folder's own, such as\npostgres://marquee@localhost/marquee: this is how an installation moves from SQLite to PostgreSQL."
)]
pub(crate) struct RestoreArgs {
    /// The backup's folder.
    folder: PathBuf,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let what = (args.with_keys, context.now);
    let index = backup(&context.workspace, &args.folder, what, &context.control, &context.permit).await?;
    let keys = if index.keys { "with the keys: guard it" } else { "without the keys: keep those elsewhere" };
    let to = args.folder.display().to_string();
    context.answer(&index, || format!("{} to {to}, {keys}\n", told("backed up", &index)))
}

pub(crate) async fn run_restore(context: &Context, args: RestoreArgs) -> Result<ExitCode> {
    let data = context.workspace.folder();
    let state = context.config.state.value.as_deref();
    let index = restore(&args.folder, data, state, &context.control, &context.permit).await?;
    let keys = if index.keys {
        ""
    } else {
        "Put the keys (ledger.key, accounts.key, seal.keys) beside them before use.\n"
    };
    let to = data.display().to_string();
    context.answer(&index, || {
        format!("{} to {to}, as of {}\n{keys}", told("restored", &index), index.at.to_rfc3339())
    })
}

fn told(done: &str, index: &Index) -> String {
    let bytes: u64 = index.files.iter().map(|file| file.bytes).sum();
    let megabytes = bytes as f64 / 1e6;
    format!("{done} {} files and {} rows, {megabytes:.1} MB,", index.files.len(), index.rows)
}
