//! Progress bars on standard error, for anything that takes over a second; nothing where nobody watches.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use marquee_domain::{Control, Progress};

/// How long work goes on before a bar is shown.
const PATIENCE: Duration = Duration::from_millis(700);

struct Bars {
    screen: MultiProgress,
    started: Instant,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Progress for Bars {
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

/// A control that shows bars where standard error is a terminal and the output is for people.
pub(crate) fn control(quiet: bool) -> Control {
    if quiet || !std::io::stderr().is_terminal() {
        return Control::default();
    }
    Control::with_progress(Arc::new(Bars {
        screen: MultiProgress::new(),
        started: Instant::now(),
        bars: Mutex::default(),
    }))
}
