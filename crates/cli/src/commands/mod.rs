//! The command line: one file for each command, with its flags, its help and how its answer is shown.

mod allocate;
mod awards;
mod backtest;
mod backup;
mod bench;
mod config;
mod dates;
mod deal;
mod demo;
mod doctor;
mod drift;
mod features;
mod forecast;
mod frontier;
mod games;
mod ingest;
mod issues;
mod models;
mod option;
mod performance;
mod reception;
mod replay;
mod sensitivity;
mod serve;
mod slate;
mod sql;
mod streaming;
mod stress;
mod titles;
mod track;
mod tune;
mod value;
mod weeks;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Flags;
use crate::context::{Context, say};

/// What a film will gross, how sure that is, why, and which projects to fund.
#[derive(Debug, Parser)]
#[command(name = "marquee", version, about, after_help = "Start with: marquee demo")]
pub(crate) struct Cli {
    /// The data folder (or MARQUEE_DATA; the platform's data folder by default).
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file (or MARQUEE_CONFIG).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The deal: a TOML file or a spreadsheet (or MARQUEE_DEAL; the built-in one by default; `marquee deal` prints it).
    #[arg(long, global = true, value_name = "FILE")]
    deal: Option<PathBuf>,
    /// Where the state is kept: sqlite://PATH or postgres://… (or MARQUEE_STATE; a file in the data folder by default).
    #[arg(long, global = true, value_name = "URL")]
    state: Option<String>,
    /// Print one JSON document instead of tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// From the bundled film table to forecasts and a slate.
    Demo(demo::Args),
    /// Read files into the lake.
    Ingest(ingest::Args),
    /// What ingest refused or repaired, and the rows in quarantine.
    Issues(issues::Args),
    /// Search, filter and sort titles.
    Titles(titles::Args),
    /// Forecast a title or a project.
    Forecast(forecast::Args),
    /// What a film takes week by week after its opening weekend.
    Weeks(weeks::Args),
    /// What titles on weekly lists will be viewed next week, and how long they stay.
    Streaming(streaming::Args),
    /// Who will win the Academy's awards, and which films will be nominated.
    Awards(awards::Args),
    /// How critics and viewers will score a film.
    Reception(reception::Args),
    /// How many copies a game sells over its life.
    Games(games::Args),
    /// When a title or a project had best open.
    Dates(dates::Args),
    /// On what a forecast hangs most.
    Sensitivity(sensitivity::Args),
    /// The track record: its entries, its head, its scores.
    Track(track::Args),
    /// How good forecasts are on titles whose outcomes came later.
    Backtest(backtest::Args),
    /// What models see of a title, by horizon.
    Features(features::Args),
    /// Search for a learner that does better on later years than the house's.
    Tune(tune::Args),
    /// Whether a year's films still look like those that its model learned from.
    Drift(drift::Args),
    /// The stored models: what each learned from, how it errs and for whom.
    Models(models::Args),
    /// What a project is worth to everybody who takes part, and what could go wrong.
    Value(value::Args),
    /// What becomes of projects when events happen for certain, or forecasts are biased.
    Stress(stress::Args),
    /// What a project is worth where one may decide stage by stage.
    Option(option::Args),
    /// How much to spend on development, production and marketing, and how little the data say about it.
    Allocate(allocate::Args),
    /// What each year's choices would have made, by the grosses that came.
    Replay(replay::Args),
    /// Choose which projects to fund under a budget.
    Slate(slate::Args),
    /// Print the deal in force: who is paid what, when, and on what assumptions.
    Deal(deal::Args),
    /// Efficient slates from the least risk to the largest mean; or portfolios of any assets with prices.
    Frontier(frontier::Args),
    /// What projects made against what was projected, and what the difference comes from.
    Performance(performance::Args),
    /// Ask the lake in SQL, read-only.
    Sql(sql::Args),
    /// Measure speed and memory.
    Bench(bench::Args),
    /// Serve the pages and the API to a team.
    Serve(serve::Args),
    /// Write everything into one folder, also while it is being used.
    Backup(backup::Args),
    /// Make a data folder out of a backup.
    Restore(backup::RestoreArgs),
    /// What is configured, reachable, stale, damaged.
    Doctor(doctor::Args),
    /// Print the effective settings and where each came from.
    Config(config::Args),
    /// Print shell completions.
    #[command(
        after_help = "Example: marquee completions bash > ~/.local/share/bash-completion/completions/marquee"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Ends the program as clap does where flags do not fit each other: with exit code 2.
pub(crate) fn wrong_usage(said: &str) -> ! {
    Cli::command().error(clap::error::ErrorKind::ValueValidation, said).exit()
}

impl Cli {
    /// Whether a JSON document was asked for.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Runs the command.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        if let Command::Completions { shell } = self.command {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Self::command(), "marquee", &mut script);
            say(&script)?;
            return Ok(ExitCode::SUCCESS);
        }
        let flags = Flags { data: self.data, config: self.config, deal: self.deal, state: self.state };
        let context = Context::load(&flags, self.json)?;
        match self.command {
            Command::Demo(args) => demo::run(&context, &args).await,
            Command::Ingest(args) => ingest::run(&context, args).await,
            Command::Issues(args) => issues::run(&context, args).await,
            Command::Titles(args) => titles::run(&context, args).await,
            Command::Forecast(args) => forecast::run(&context, args).await,
            Command::Weeks(args) => weeks::run(&context, args).await,
            Command::Streaming(args) => streaming::run(&context, args).await,
            Command::Awards(args) => awards::run(&context, args).await,
            Command::Reception(args) => reception::run(&context, args).await,
            Command::Games(args) => games::run(&context, args).await,
            Command::Dates(args) => dates::run(&context, args).await,
            Command::Sensitivity(args) => sensitivity::run(&context, args).await,
            Command::Track(args) => track::run(&context, &args).await,
            Command::Backtest(args) => backtest::run(&context, args).await,
            Command::Features(args) => features::run(&context, &args),
            Command::Tune(args) => tune::run(&context, args).await,
            Command::Drift(args) => drift::run(&context, args).await,
            Command::Models(args) => models::run(&context, args).await,
            Command::Value(args) => value::run(&context, args).await,
            Command::Stress(args) => stress::run(&context, args).await,
            Command::Option(args) => option::run(&context, args).await,
            Command::Allocate(args) => allocate::run(&context, args).await,
            Command::Replay(args) => replay::run(&context, args).await,
            Command::Slate(args) => slate::run(&context, args).await,
            Command::Deal(args) => deal::run(&context, &args),
            Command::Frontier(args) => frontier::run(&context, args).await,
            Command::Performance(args) => performance::run(&context, args).await,
            Command::Sql(args) => sql::run(&context, &args).await,
            Command::Bench(args) => bench::run(&context, &args).await,
            Command::Serve(args) => serve::run(&context, args).await,
            Command::Backup(args) => backup::run(&context, args).await,
            Command::Restore(args) => backup::run_restore(&context, args).await,
            Command::Doctor(args) => doctor::run(&context, &args).await,
            Command::Config(args) => config::run(&context, &args),
            Command::Completions { .. } => Ok(ExitCode::SUCCESS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_an_example() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("marquee "), "{} has no example", sub.get_name());
        }
    }
}
