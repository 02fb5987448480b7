//! Where the sealing is done: behind whoever waits for an answer, but not for ever.
//!
//! An entry is on record once the store has it, so its sealing can wait for a quiet moment; a call
//! that is about to be made cannot. Therefore a cycle runs on threads that get hardly any of a
//! processor that others want. Where no quiet moment comes, and entries have waited for some periods,
//! cycles run on threads that get their part of it all the same, until nothing waits any more.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// After how many periods without a moment at which everything was sealed it becomes urgent.
const PATIENCE: u32 = 4;

/// How far the threads step back that wait for a quiet moment (`nice`): beside one that always has
/// work, a sixtieth of a processor is left to them. With nothing at all, what a busy neighbour does
/// on the same machine would stop a cycle halfway.
#[cfg(target_os = "linux")]
const STEP_FAR_BACK: i32 = 19;

/// How far the threads step back that do what is urgent (`nice`): two fifths of a processor that
/// answers checks all the time are left to them, where one third is needed.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 2;

/// How urgent a cycle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It waits for a quiet moment.
    Calm,
    /// It takes its part.
    Urgent,
}

impl Urgency {
    /// That of a cycle, everything having been sealed `behind` ago.
    pub(super) fn of(behind: Duration, period: Duration) -> Self {
        match behind > period.saturating_mul(PATIENCE) {
            true => Self::Urgent,
            false => Self::Calm,
        }
    }
}

/// Threads for either.
#[derive(Debug)]
pub(super) struct Lanes {
    calm: Runtime,
    urgent: Runtime,
}

impl Lanes {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            calm: runtime("sealer", step_far_back)?,
            urgent: runtime("sealer-urgent", step_back)?,
        })
    }

    pub(super) fn of(&self, urgency: Urgency) -> &Handle {
        match urgency {
            Urgency::Calm => self.calm.handle(),
            Urgency::Urgent => self.urgent.handle(),
        }
    }

    /// Ends the threads without waiting for what is under way there.
    pub(super) fn close(self) {
        self.calm.shutdown_background();
        self.urgent.shutdown_background();
    }
}

fn runtime(name: &str, begin: fn()) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .on_thread_start(begin)
        .enable_all()
        .build()
}

/// Whoever cannot step back works as before: slower for the others, and as right.
#[cfg(target_os = "linux")]
fn step_far_back() {
    let _ = rustix::process::setpriority_process(None, STEP_FAR_BACK);
}

#[cfg(target_os = "linux")]
fn step_back() {
    let _ = rustix::process::setpriority_process(None, STEP_BACK);
}

/// Elsewhere it would be the whole process's.
#[cfg(not(target_os = "linux"))]
fn step_far_back() {}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(5);

    #[test]
    fn what_has_waited_for_some_periods_is_urgent_and_nothing_else() {
        let waited = |seconds| Urgency::of(Duration::from_secs(seconds), PERIOD);
        assert_eq!(waited(0), Urgency::Calm);
        assert_eq!(waited(20), Urgency::Calm);
        assert_eq!(waited(21), Urgency::Urgent);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_calm_steps_back_further_than_what_is_urgent() {
        let own = || rustix::process::getpriority_process(None).unwrap();
        let lanes = Lanes::open().unwrap();
        let waiting = Builder::new_current_thread().build().unwrap();
        let steps = [Urgency::Calm, Urgency::Urgent].map(|urgency| {
            // What a lane's tasks leave to other threads steps back as they do.
            let work = lanes.of(urgency).spawn(async move {
                let others = tokio::task::spawn_blocking(own).await;
                (own(), others.unwrap())
            });
            waiting.block_on(work).unwrap()
        });
        lanes.close();
        assert_eq!(
            steps,
            [(STEP_FAR_BACK, STEP_FAR_BACK), (STEP_BACK, STEP_BACK)]
        );
    }
}
