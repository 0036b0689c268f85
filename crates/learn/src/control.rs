//! Progress of a fit whose parts run side by side. Nothing here can change a result.

use crate::error::LearnError;
use marquee_domain::Control;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the steps of a job and asks between them whether to go on.
pub(crate) struct Steps<'a> {
    control: &'a Control,
    done: AtomicU64,
    total: u64,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(control: &'a Control, total: usize) -> Self {
        Self { control, done: AtomicU64::new(0), total: total as u64 }
    }

    pub(crate) fn check(&self) -> Result<(), LearnError> {
        self.control.check().map_err(|_| LearnError::Cancelled)
    }

    /// Does `each` of `0..parts` side by side, a step each; results come in their order.
    pub(crate) fn side_by_side<T: Send>(
        &self,
        label: &str,
        parts: usize,
        each: impl Fn(usize) -> Result<T, LearnError> + Sync,
    ) -> Result<Vec<T>, LearnError> {
        let part = |number: usize| {
            self.check()?;
            let done = each(number)?;
            self.finish(label);
            Ok(done)
        };
        (0..parts).into_par_iter().map(part).collect()
    }

    pub(crate) fn finish(&self, label: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.control.step(label, done.min(self.total), self.total);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use marquee_domain::Progress;
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);

    impl Progress for Log {
        fn step(&self, label: &str, done: u64, total: u64) {
            self.0.lock().unwrap().push(format!("{label} {done}/{total}"));
        }
    }

    #[test]
    fn steps_are_counted_and_reported() {
        let log = Arc::new(Log::default());
        let control = Control::with_progress(log.clone());
        let steps = Steps::new(&control, 2);
        steps.finish("forest");
        steps.finish("ridge");
        assert_eq!(*log.0.lock().unwrap(), ["forest 1/2", "ridge 2/2"]);
    }

    #[test]
    fn a_cancelled_or_late_job_stops() {
        let control = Control::default();
        assert_eq!(Steps::new(&control, 1).check(), Ok(()));
        control.cancel();
        assert_eq!(Steps::new(&control, 1).check(), Err(LearnError::Cancelled));
        let late = Control::default().until(Instant::now());
        assert_eq!(Steps::new(&late, 1).check(), Err(LearnError::Cancelled));
    }
}
