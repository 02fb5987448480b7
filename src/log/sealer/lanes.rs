//! Where the sealing is done: behind whoever waits for an answer, but not for ever.
//!
//! An entry is on record once the store has it, so its sealing can wait for a quiet moment; a call
//! that is about to be made cannot. Therefore a cycle runs on threads that get hardly any of a
//! processor that others want. Where no quiet moment comes, and entries have waited for some periods,
//! cycles run on threads that get a part of it all the same, until all is sealed that waited; where
//! that part does not do, on threads that get a larger one. Were the larger part the first, checks
//! that leave enough of the processor for both would still be halved for seconds.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::log::pace;

/// After how many periods without a moment at which everything was sealed a cycle takes a part.
const PATIENCE: u32 = 4;

/// After how many it takes a larger one.
const ENDURANCE: u32 = 8;

/// How far the threads step back that wait for a quiet moment (`nice`): beside one that always has
/// work, a sixtieth of a processor is left to them. With nothing at all, what a busy neighbour does
/// on the same machine would stop a cycle halfway.
const CALM: i32 = 19;

/// How far the threads step back that do what has waited: about a quarter of a processor that
/// answers checks all the time is left to them, which seals about as many as it answers.
const STEADY: i32 = 7;

/// How far the threads step back that do what is urgent: two fifths of a processor that answers
/// checks all the time are left to them.
const URGENT: i32 = 2;

/// How many threads of a lane do what takes long: while one writes a commit out, another makes the
/// next. A commit takes tens of megabytes for moments, and what a thread once took the system's
/// allocator keeps for it: with a thread of many for each, the process would grow for as long as it
/// runs.
const AT_WORK: usize = 2;

/// How urgent a cycle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It waits for a quiet moment.
    Calm,
    /// It takes a part.
    Steady,
    /// It takes a larger part.
    Urgent,
}

impl Urgency {
    /// That of a cycle, everything having been sealed `behind` ago.
    pub(super) fn of(behind: Duration, period: Duration) -> Self {
        if behind > period.saturating_mul(ENDURANCE) {
            Self::Urgent
        } else if behind > patience(period) {
            Self::Steady
        } else {
            Self::Calm
        }
    }
}

/// How long after everything was sealed nothing waits for a quiet moment any more.
pub(super) fn patience(period: Duration) -> Duration {
    period.saturating_mul(PATIENCE)
}

/// Threads for each.
#[derive(Debug)]
pub(super) struct Lanes {
    calm: Runtime,
    steady: Runtime,
    urgent: Runtime,
    hurry: Arc<AtomicBool>,
}

impl Lanes {
    pub(super) fn open() -> io::Result<Self> {
        let hurry = Arc::<AtomicBool>::default();
        Ok(Self {
            calm: runtime("sealer", CALM, Some(hurry.clone()))?,
            steady: runtime("sealer-steady", STEADY, None)?,
            urgent: runtime("sealer-urgent", URGENT, None)?,
            hurry,
        })
    }

    /// Whether what is at work on the calm threads makes way no longer.
    pub(super) fn hurry(&self, hurry: bool) {
        self.hurry.store(hurry, Ordering::Relaxed);
    }

    pub(super) fn of(&self, urgency: Urgency) -> &Handle {
        match urgency {
            Urgency::Calm => self.calm.handle(),
            Urgency::Steady => self.steady.handle(),
            Urgency::Urgent => self.urgent.handle(),
        }
    }

    /// Ends the threads without waiting for what is under way there.
    pub(super) fn close(self) {
        self.calm.shutdown_background();
        self.steady.shutdown_background();
        self.urgent.shutdown_background();
    }
}

fn runtime(name: &str, step_back: i32, hurry: Option<Arc<AtomicBool>>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.on_thread_start(move || {
        pace::take_it_easy(hurry.clone());
        // On Linux this is about the calling thread alone; elsewhere it would be about all. Whoever
        // may not step back works as before: slower for the others, and as right.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, step_back);
        #[cfg(not(target_os = "linux"))]
        let _ = step_back;
    });
    let builder = builder.worker_threads(1).max_blocking_threads(AT_WORK);
    builder.thread_name(name).enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(5);

    #[test]
    fn the_longer_something_has_waited_the_more_urgent_it_is() {
        let waited = |seconds| Urgency::of(Duration::from_secs(seconds), PERIOD);
        assert_eq!(waited(0), Urgency::Calm);
        assert_eq!(waited(20), Urgency::Calm);
        assert_eq!(waited(21), Urgency::Steady);
        assert_eq!(waited(40), Urgency::Steady);
        assert_eq!(waited(41), Urgency::Urgent);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_less_urgent_step_back_further() {
        let own = || rustix::process::getpriority_process(None).unwrap();
        let lanes = Lanes::open().unwrap();
        let waiting = Builder::new_current_thread().build().unwrap();
        let steps = [Urgency::Calm, Urgency::Steady, Urgency::Urgent].map(|urgency| {
            // What a lane's tasks leave to other threads steps back as they do.
            let work = lanes.of(urgency).spawn(async move {
                let others = tokio::task::spawn_blocking(own).await;
                (own(), others.unwrap())
            });
            waiting.block_on(work).unwrap()
        });
        lanes.close();
        assert_eq!(steps, [CALM, STEADY, URGENT].map(|step| (step, step)));
    }
}
