//! Waiting for a condition or a future, never for a length of time.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything in this suite may take that is not itself a promise: generous, because
/// machines are slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until `probe` gives something, and returns it; panics with `what` after
/// `within`.
#[track_caller]
pub fn until<T>(what: &str, within: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(
            start.elapsed() < within,
            "waited {within:?} in vain until {what}"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// [`until`], for a plain condition and with all patience.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    until(what, PATIENCE, || holds().then_some(()));
}

/// Runs a future to its end.
pub fn run_async<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}
