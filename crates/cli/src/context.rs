//! What every command runs in: settings, the workspace, who is asking, and how answers are shown.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use marquee_app::choosing::Plans;
use marquee_app::types::Deal;
use marquee_app::{Permit, Workspace, cpu};
use marquee_domain::{Control, Day, Project};
use serde::Serialize;

use crate::config::{Config, Flags};
use crate::deal_file;
use crate::progress::Bars;

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
pub(crate) fn say(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write the answer"),
    }
}

/// Scenarios where a command has no flag for their number: means need no more.
pub(crate) const SCENARIOS: u32 = 10_000;

/// What every command runs in.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) workspace: Workspace,
    pub(crate) permit: Permit,
    pub(crate) control: Control,
    bars: Bars,
    pub(crate) json: bool,
    pub(crate) now: DateTime<Utc>,
}

impl Context {
    /// Reads the settings.
    pub(crate) fn load(flags: &Flags, json: bool) -> Result<Self> {
        let config = Config::load(flags, |name| std::env::var(name).ok().filter(|v| !v.is_empty()))?;
        cpu::configure(config.threads.value);
        let bars = Bars::new(json);
        Ok(Self {
            workspace: match &config.state.value {
                None => Workspace::at(&config.data.value),
                Some(url) => Workspace::at(&config.data.value).with_state(url),
            },
            config,
            permit: Permit::local_owner(),
            control: bars.control(),
            bars,
            json,
            now: Utc::now(),
        })
    }

    /// The seed of all randomness.
    pub(crate) fn seed(&self) -> u64 {
        self.config.seed.value
    }

    /// The day of asking.
    pub(crate) fn today(&self) -> Day {
        Day::from_epoch_days((self.now.timestamp() / 86_400) as i32).unwrap_or(Day::MAX)
    }

    /// The deal terms in force.
    pub(crate) fn deal(&self) -> Result<Deal> {
        let Some(path) = &self.config.deal.value else { return Ok(Deal::default()) };
        deal_file::read(path)
    }

    /// Projects as a question about money wants them.
    pub(crate) fn plans(&self, projects: Vec<Project>, as_of: Option<Day>, scenarios: u32) -> Result<Plans> {
        Ok(Plans {
            projects,
            deal: self.deal()?,
            as_of,
            today: self.today(),
            scenarios: scenarios as usize,
            seed: self.seed(),
        })
    }

    /// Shows an answer: the JSON document where it was asked for, else the text for people.
    pub(crate) fn answer(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<ExitCode> {
        self.bars.clear();
        let said = if self.json { serde_json::to_string_pretty(document)? + "\n" } else { text() };
        say(said.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
