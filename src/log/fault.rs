//! Places in the sealing cycle at which a test may end the process, as a power cut would, or stop
//! it, as a machine does that is put to sleep.
//!
//! In a release build there are none.

use bytes::Bytes;

/// Ends the process at once if the environment variable `METRUST_TEST_SEALER_STOP` names this
/// place, as in `after-commit` or, for the third time that it is passed, `after-commit:3`; stops it
/// (SIGSTOP) if `METRUST_TEST_SEALER_SLEEP` does.
#[cfg(debug_assertions)]
pub(super) fn point(place: &str) {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use rustix::process::{Signal, getpid, kill_process};

    static PASSED: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);
    for (variable, signal) in [
        ("METRUST_TEST_SEALER_STOP", Signal::KILL),
        ("METRUST_TEST_SEALER_SLEEP", Signal::STOP),
    ] {
        let Ok(wanted) = std::env::var(variable) else {
            continue;
        };
        let (name, time) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        if name != place {
            continue;
        }
        let Ok(mut passed) = PASSED.lock() else {
            return;
        };
        let count = passed
            .get_or_insert_default()
            .entry(place.to_owned())
            .or_default();
        *count += 1;
        if Ok(*count) == time.parse() {
            let _ = kill_process(getpid(), signal);
        }
    }
}

/// Ends the process at once if the environment variable `METRUST_TEST_SEALER_STOP` names this
/// place; never in a release build.
#[cfg(not(debug_assertions))]
pub(super) fn point(_place: &str) {}

/// Flips a bit of every so many-th object that is written, as a disk or a memory that fails does, if
/// the environment variable `METRUST_TEST_SEALER_SPOIL` says how many; never in a release build.
pub(super) fn spoil(object: Bytes) -> Bytes {
    #[cfg(debug_assertions)]
    if let Some(every) = std::env::var("METRUST_TEST_SEALER_SPOIL")
        .ok()
        .and_then(|n| n.parse::<u32>().ok())
    {
        use std::sync::atomic::{AtomicU32, Ordering};

        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        let count = WRITTEN.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(every) {
            let mut spoilt = object.to_vec();
            if let Some(byte) = spoilt.last_mut() {
                *byte ^= 1;
            }
            return spoilt.into();
        }
    }
    object
}

/// After how many entries a cycle takes no more: `usual`, unless the environment variable
/// `METRUST_TEST_SEALER_CYCLE` says fewer; never in a release build.
pub(super) fn cycle(usual: usize) -> usize {
    #[cfg(debug_assertions)]
    if let Some(count) = std::env::var("METRUST_TEST_SEALER_CYCLE")
        .ok()
        .and_then(|n| n.parse().ok())
    {
        return count;
    }
    usual
}

/// How many sealers a process runs: one, but for tests of several at once.
pub(super) fn sealers() -> usize {
    #[cfg(debug_assertions)]
    if let Some(count) = std::env::var("METRUST_TEST_SEALERS")
        .ok()
        .and_then(|n| n.parse().ok())
    {
        return count;
    }
    1
}
