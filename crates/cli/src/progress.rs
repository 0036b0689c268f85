//! Progress bars on standard error, for anything that takes over a second; nothing where nobody watches.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use marquee_domain::{Control, Progress};

/// How long work goes on before a bar is shown.
const PATIENCE: Duration = Duration::from_millis(700);

/// The bars of one command; none where standard error is no terminal or the output is for scripts.
pub(crate) struct Bars(Option<Arc<Shown>>);

struct Shown {
    screen: MultiProgress,
    started: Instant,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    pub(crate) fn new(quiet: bool) -> Self {
        let watched = !quiet && std::io::stderr().is_terminal();
        Self(watched.then(|| {
            let (screen, started) = (MultiProgress::new(), Instant::now());
            Arc::new(Shown { screen, started, bars: Mutex::default() })
        }))
    }

    /// A control that moves these bars.
    pub(crate) fn control(&self) -> Control {
        match &self.0 {
            Some(shown) => Control::with_progress(shown.clone()),
            None => Control::default(),
        }
    }

    /// Takes all bars off the screen, before an answer is printed.
    pub(crate) fn clear(&self) {
        let Some(shown) = &self.0 else { return };
        if let Ok(mut bars) = shown.bars.lock() {
            bars.drain().for_each(|(_, bar)| bar.finish_and_clear());
        }
    }
}

impl Progress for Shown {
    fn step(&self, label: &str, done: u64, total: u64) {
        let Ok(mut bars) = self.bars.lock() else { return };
        if done >= total {
            if let Some(bar) = bars.remove(label) {
                bar.finish_and_clear();
            }
            return;
        }
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let bar = bars.entry(label.to_owned()).or_insert_with(|| {
            let bar = self.screen.add(ProgressBar::new(total));
            let style = ProgressStyle::with_template("{msg:32} {bar:30} {percent:>3}%  {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(label.to_owned());
            bar
        });
        bar.set_length(total);
        bar.set_position(done);
    }
}
