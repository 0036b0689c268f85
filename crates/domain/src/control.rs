//! Control of a long computation: progress out, cancellation and a time budget in.
//!
//! Rooms are synchronous and take a [`Control`]; whoever runs them decides what progress looks like and when to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Receives progress: a label, how many steps are done, how many there are.
pub trait Progress: Send + Sync {
    /// Called after each step, from any thread.
    fn step(&self, label: &str, done: u64, total: u64);
}

/// The computation was stopped before it was done: cancelled, or out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped before it was done")]
pub struct Cancelled;

/// What a long computation is given: where to report, whether to go on.
///
/// ```
/// use marquee_domain::Control;
/// let control = Control::default();
/// assert!(control.check().is_ok());
/// control.cancel();
/// assert!(control.check().is_err());
/// ```
#[derive(Clone, Default)]
pub struct Control {
    progress: Option<Arc<dyn Progress>>,
    cancelled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Control {
    /// A control that reports to `progress`.
    #[must_use]
    pub fn with_progress(progress: Arc<dyn Progress>) -> Self {
        Self { progress: Some(progress), ..Self::default() }
    }

    /// The same control with a point in time after which [`Control::check`] says stop.
    #[must_use]
    pub fn until(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Reports a step.
    pub fn step(&self, label: &str, done: u64, total: u64) {
        if let Some(progress) = &self.progress {
            progress.step(label, done, total);
        }
    }

    /// Asks the computation to stop at its next check; every clone of this control sees it.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Cancelled`] after [`Control::cancel`] or the deadline.
    pub fn check(&self) -> Result<(), Cancelled> {
        let late = self.deadline.is_some_and(|d| Instant::now() >= d);
        if late || self.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("cancelled", &self.cancelled)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
