//! What runs for as long as the service does. One that breaks off is begun anew: a service whose
//! directory is confirmed no more, or whose letters lie, must not look alive.

use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::domain::{Context, Detail, Op};

/// How long after it broke off a task is begun anew.
const PAUSE: Duration = Duration::from_secs(1);

impl Service {
    /// Runs a task that never ends, by the name that log and record give it. Where it panics, that
    /// comes into both, and it is begun anew.
    pub fn keep_running<F>(
        self: &Arc<Self>,
        name: &'static str,
        task: impl Fn(Arc<Self>) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let service = self.clone();
        tokio::spawn(async move {
            loop {
                let work = task(service.clone());
                let running = tokio::spawn(async move {
                    break_off(name);
                    work.await;
                });
                match running.await {
                    Err(ended) if ended.is_panic() => service.report_break(name).await,
                    // It had nothing to do, or the process ends.
                    _ => return,
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    async fn report_break(&self, name: &str) {
        tracing::error!(
            task = name,
            "a background task broke off; it is begun anew. Please report what stands above"
        );
        let what = format!("a background task broke off and was begun anew: {name}");
        let incident = Context::of_service(Op::Incident, Detail::Incident { what });
        if let Err(error) = self.store.note(incident).await {
            tracing::warn!(%error, task = name, "that it broke off is not on record");
        }
    }
}

/// Panics once, in the task that the environment variable `METRUST_TEST_BREAK_OFF` names; never in a
/// release build.
fn break_off(name: &str) {
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicBool, Ordering};

        static DONE: AtomicBool = AtomicBool::new(false);
        let is_named = std::env::var("METRUST_TEST_BREAK_OFF").is_ok_and(|wanted| wanted == name);
        assert!(
            !is_named || DONE.swap(true, Ordering::Relaxed),
            "a test breaks this task off"
        );
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
