//! What runs for as long as the service does, and what goes on record where it breaks off.

use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::domain::{Context, Detail, Op};

/// How long after the store refused it an incident is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

impl Service {
    /// Runs a task that never ends, by the name that log and record give it.
    pub fn keep_running<F>(
        self: &Arc<Self>,
        name: &'static str,
        task: impl Fn(Arc<Self>) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let service = self.clone();
        self.store
            .supervisor()
            .run(name, move || task(service.clone()));
    }

    /// Puts on record which tasks broke off; never returns.
    pub(super) async fn keep_incidents(&self) {
        let supervisor = self.store.supervisor();
        loop {
            let name = supervisor.panicked().await;
            let what = format!("a background task broke off and was begun anew: {name}");
            let incident = Context::of_service(Op::Incident, Detail::Incident { what });
            match self.store.note(incident).await {
                Ok(()) => supervisor.forget_panicked(),
                Err(error) => {
                    tracing::warn!(%error, task = name, "that it broke off is not on record yet");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::settings::{Overrides, Settings};

    #[tokio::test]
    async fn a_task_that_breaks_off_is_on_record() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let (service, _) = Service::start(&settings, data.path()).await.unwrap();
        let broken = AtomicBool::new(false);
        service.keep_running("a test's", move |_| {
            let again = broken.swap(true, Ordering::Relaxed);
            async move { assert!(again, "a test breaks it off") }
        });
        service.keep_running("incidents", |service| async move {
            service.keep_incidents().await;
        });
        let incident = loop {
            let page = service.store.tail(0, None, 100).await.unwrap();
            let entries = page.iter().flat_map(|batch| batch.entries().unwrap());
            let mut entries = entries.filter(|entry| entry.context.op == Op::Incident);
            if let Some(incident) = entries.next() {
                break incident;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let Some(Detail::Incident { what }) = &incident.context.detail else {
            panic!("{incident:?}");
        };
        assert!(what.contains("a test's"), "{what}");
        service.close().await;
    }
}
