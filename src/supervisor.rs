//! What runs for as long as the service does. A task that panics is begun anew, and that goes on
//! record: a service whose directory is confirmed no more, or whose letters lie, must not look alive.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long after it panicked a task is begun anew.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// Starts tasks, begins those anew that panic, and remembers which did.
#[derive(Debug, Clone, Default)]
pub struct Supervisor(Arc<Panicked>);

#[derive(Debug, Default)]
struct Panicked {
    names: Mutex<VecDeque<&'static str>>,
    more: Notify,
}

impl Supervisor {
    /// Runs a task that never ends, by the name that log and record give it. One that does end is
    /// left so: it had nothing to do, or the process ends.
    pub fn run<F>(
        &self,
        name: &'static str,
        mut task: impl FnMut() -> F + Send + 'static,
    ) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let supervisor = self.clone();
        #[expect(clippy::disallowed_methods, reason = "what ends here is begun anew")]
        tokio::spawn(async move {
            loop {
                let running = AssertUnwindSafe(async { task().await });
                if running.catch_unwind().await.is_ok() {
                    return;
                }
                tracing::error!(
                    task = name,
                    "a background task broke off; it is begun anew. Please report what stands above"
                );
                supervisor.remember(name);
                tokio::time::sleep(RESTART_DELAY).await;
            }
        })
    }

    /// The task that panicked longest ago and is not forgotten yet, waiting for one if need be.
    pub async fn panicked(&self) -> &'static str {
        loop {
            let more = self.0.more.notified();
            if let Some(name) = self.names().front() {
                return name;
            }
            more.await;
        }
    }

    /// Forgets that one: it is on record.
    pub fn forget_panicked(&self) {
        self.names().pop_front();
    }

    fn remember(&self, name: &'static str) {
        let mut names = self.names();
        // One that panics again and again is told of as often as that can be put on record.
        if !names.contains(&name) {
            names.push_back(name);
        }
        self.0.more.notify_one();
    }

    fn names(&self) -> MutexGuard<'_, VecDeque<&'static str>> {
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn run_async(work: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(work);
    }

    #[test]
    fn a_task_that_panics_is_begun_anew_and_remembered_until_that_is_on_record() {
        run_async(async {
            let supervisor = Supervisor::default();
            let starts = Arc::new(AtomicUsize::new(0));
            let counted = starts.clone();
            let ended = supervisor.run("one", move || {
                let start = counted.fetch_add(1, Ordering::Relaxed);
                // As well before as after it first waits.
                assert!(start > 0, "a test breaks it off");
                async move {
                    tokio::task::yield_now().await;
                    assert!(start > 1, "a test breaks it off");
                }
            });
            assert_eq!(supervisor.panicked().await, "one");
            assert_eq!(supervisor.panicked().await, "one", "until it is on record");
            ended.await.unwrap();
            assert_eq!(starts.load(Ordering::Relaxed), 3);
            supervisor.forget_panicked();
            // It panicked twice before anybody looked, and is told of once.
            supervisor.run("two", || async { panic!("a test breaks it off") });
            assert_eq!(supervisor.panicked().await, "two");
        });
    }

    #[test]
    fn a_task_that_is_stopped_is_not_begun_anew() {
        run_async(async {
            let supervisor = Supervisor::default();
            let held = Arc::new(());
            let kept = held.clone();
            let task = supervisor.run("one", move || {
                let kept = kept.clone();
                async move {
                    std::future::pending::<()>().await;
                    drop(kept);
                }
            });
            tokio::task::yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            assert_eq!(Arc::strong_count(&held), 1, "nothing of it runs on");
        });
    }
}
