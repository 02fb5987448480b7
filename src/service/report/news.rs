//! Telling a person that something has changed about their report, where they left an address.

use std::time::Duration;

use super::list::{PIECE, untold};
use super::record::damaged;
use crate::domain::{Locator, ReportId};
use crate::service::letters::ReportNews;
use crate::service::{Service, ServiceError};

/// How often answers that are late are looked for.
const LOOK: Duration = Duration::from_secs(600);

impl Service {
    /// Keeps the address that belongs to a code for news of a report that was just made. The report
    /// stands, whatever becomes of that.
    pub(super) async fn expect_news(&self, locator: Locator) {
        if let Err(error) = self.keep_address(locator).await {
            tracing::warn!(%error, "an address could not be kept for news of a report");
        }
    }

    /// Sends word of an answer, and lets the address go if nothing else is open.
    pub(super) async fn tell_of_answer(&self, id: ReportId, locator: &str) {
        let Some(locator) = Locator::parse(locator) else {
            return;
        };
        let told = async {
            self.send_news(locator, &id, ReportNews::Answered).await?;
            if !self.has_open_report(locator.as_str()).await? {
                self.release_address(locator).await?;
            }
            Ok::<_, ServiceError>(())
        };
        if let Err(error) = told.await {
            tracing::warn!(%error, "a person could not be told of an answer by mail");
        }
    }

    /// Looks for answers that are late, and sends word of each once; never returns.
    pub(in crate::service) async fn keep_reports(&self) {
        loop {
            if let Err(error) = self.tell_of_late_answers().await {
                tracing::debug!(%error, "late answers could not be looked for");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn tell_of_late_answers(&self) -> Result<(), ServiceError> {
        // Nobody can be told: that a report is late shows on its page all the same.
        if !self.has_mail() {
            return Ok(());
        }
        let mut untold = untold();
        loop {
            let late = self.store.page(&mut untold, PIECE).await?;
            if late.is_empty() {
                return Ok(());
            }
            for listed in late {
                let id = ReportId::parse(&listed.id).ok_or_else(damaged)?;
                // One that is damaged must not keep the others from being told.
                let Ok((kept, _)) = self.read_report(id, &listed.document.body) else {
                    tracing::error!(report = %id, "a report is damaged");
                    continue;
                };
                // The same news of one report is one letter while it waits, whoever tells.
                if let Some(locator) = Locator::parse(&kept.locator) {
                    self.send_news(locator, &id, ReportNews::Overdue).await?;
                }
                self.update_report(id, |kept, _| kept.told_late = true)
                    .await?;
            }
        }
    }
}
