//! The bounded pool that rooms compute on: async stops here, and nothing long blocks the runtime that serves.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::error::AppError;

static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();

/// Sets how many threads compute; 0 takes one for each core. Only the first call counts.
pub fn configure(threads: usize) {
    POOL.get_or_init(|| build(threads));
}

/// Runs a computation on the pool and waits for it without blocking the caller's runtime.
///
/// # Errors
/// [`AppError::Computation`] where the computation was lost; otherwise its own error.
pub async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    let pool = POOL.get_or_init(|| build(0)).as_ref();
    let pool = pool.ok_or_else(|| AppError::Computation("no thread could be started".to_owned()))?;
    let (send, receive) = oneshot::channel();
    pool.spawn(move || {
        // A caller that has gone away needs no answer.
        let _ = send.send(work());
    });
    receive.await.map_err(|_| AppError::Computation("it stopped half-way; please report how".to_owned()))?
}

fn build(threads: usize) -> Option<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).panic_handler(|_| {}).build().ok()
}
