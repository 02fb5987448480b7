//! The receipt of a whole wash: its entry, and the proof that it stays in the log.

use crate::domain::{Detail, Entry, EntryId, Moment, Principal, Washed};
use crate::service::record::receipt::Receipt;
use crate::service::record::search::Sought;
use crate::service::{Service, ServiceError};
use crate::store::Kind;

/// What is known of a wash that has ended.
#[derive(Debug, Clone)]
pub struct WashReceipt {
    /// What the entry says.
    pub washed: Washed,
    /// The entry and its proof.
    pub receipt: Receipt,
}

impl Service {
    /// The receipt of a wash that has ended, for whoever began it and for those who read the audit.
    ///
    /// # Errors
    /// [`ServiceError::UnknownWash`], also for the washes of others and for one that is under way.
    pub async fn wash_receipt(
        &self,
        who: &Principal,
        wash: EntryId,
    ) -> Result<WashReceipt, ServiceError> {
        let permit = self.search_permit().await?;
        let damaged = || ServiceError::Damaged("the record of a wash");
        let document = self.store.get(Kind::Wash, &wash.to_string()).await?;
        let document = document.ok_or(ServiceError::UnknownWash)?;
        let at: i64 = document.body.parse().map_err(|_| damaged())?;
        let at = Moment::from_millis(at);
        let found = self.search(&permit, &Sought::wash(wash, at)).await?;
        let found = found.ok_or(ServiceError::UnknownWash)?;
        let entry = Entry::read_json(&found.entry).map_err(|_| damaged())?;
        let washed = match &entry.context.detail {
            Some(Detail::Washed(washed)) => washed.clone(),
            _ => return Err(damaged()),
        };
        let receipt = self.receipt_of(who, found).await;
        let receipt = receipt.map_err(|error| match error {
            ServiceError::UnknownEntry => ServiceError::UnknownWash,
            error => error,
        })?;
        Ok(WashReceipt { washed, receipt })
    }
}
