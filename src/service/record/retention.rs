//! Retention: dropping the entries of years that are over.
//!
//! Hashes and checkpoints stay, so an old receipt still verifies, and the log is still one from
//! which nothing was taken unnoticed: that the entries of a year were dropped is an entry itself.

use serde::Serialize;

use crate::domain::{Context, Detail, Moment, Op, Principal, Role};
use crate::log::LogName;
use crate::service::{Service, ServiceError};

/// A log whose entries were dropped.
#[derive(Debug, Clone, Serialize)]
pub struct PrunedLog {
    /// The log.
    pub log: LogName,
    /// How many entries it had.
    pub entries: u64,
}

impl Service {
    /// Drops the entries of the years before `year`. Repeating it is harmless: what broke off is
    /// finished.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`]; [`ServiceError::TooYoung`] when one of the years must still be
    /// kept, and then nothing is dropped.
    pub async fn prune(&self, who: &Principal, year: u16) -> Result<Vec<PrunedLog>, ServiceError> {
        if who.role != Role::Operator {
            return Err(ServiceError::WrongRole("operator"));
        }
        let youngest = Moment::now().year().saturating_sub(self.record.keep_years);
        if year > youngest {
            return Err(ServiceError::TooYoung(youngest));
        }
        let archive = &self.record.archive;
        let Some(head) = archive.head().await? else {
            return Ok(Vec::new());
        };
        let mut pruned = Vec::new();
        for log in head.closed.iter().filter(|log| log.log.year() < year) {
            if archive.is_dropped(log.log).await? {
                // Finishes what may have broken off; it is on record already.
                archive.drop_entries(log.log).await?;
                continue;
            }
            let detail = Detail::Pruned {
                log: log.log.to_string(),
                entries: log.size,
            };
            let prune = Context::of_service(Op::Prune, detail).by(&who.key);
            self.store.note(prune).await?;
            archive.drop_entries(log.log).await?;
            pruned.push(PrunedLog {
                log: log.log,
                entries: log.size,
            });
        }
        Ok(pruned)
    }
}
