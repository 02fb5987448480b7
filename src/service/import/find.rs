//! Which lists did this number come with?

use serde::Serialize;

use jiff::civil::Date;

use super::{kept, operator};
use crate::domain::{Moment, PhoneNumber, Principal, SellerRef};
use crate::service::{Service, ServiceError};
use crate::store::{Kind, Spot};

/// A list that has a number.
#[derive(Debug, Clone, Serialize)]
pub struct FoundListing {
    /// The import's name.
    pub import: String,
    /// Where the list comes from.
    pub source: String,
    /// For whom the number was listed.
    pub seller: SellerRef,
    /// Whether the list took it out.
    pub remove: bool,
    /// The date of the objection, as far as it is known.
    pub date: Option<Date>,
    /// When the list was brought in.
    pub begun_at: Moment,
}

impl Service {
    /// The lists that a number came with, or was taken out with, the oldest first. That somebody
    /// looked for it goes on record.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn find_imports(
        &self,
        who: &Principal,
        phone: &PhoneNumber,
    ) -> Result<Vec<FoundListing>, ServiceError> {
        operator(who)?;
        let _permit = self.search_permit().await?;
        self.record_opening(who, phone).await?;
        let spot = Spot::of(&self.keyring.subjects().subject(phone));
        let storage = self.record.archive.storage();
        let mut found = Vec::new();
        for (id, document) in self.store.list(Kind::Import).await? {
            let record = super::Record::read(&document.body)?;
            let mut days = Vec::new();
            for number in record.done.keys() {
                days.extend(kept::find(storage, &id, *number, spot).await?);
            }
            // It may stand in several parts: the first objection counts.
            let known = days.iter().flatten().min().copied();
            if !days.is_empty() {
                let view = record.view(&id);
                found.push(FoundListing {
                    import: id,
                    source: view.source,
                    seller: view.seller,
                    remove: view.remove,
                    date: known,
                    begun_at: view.begun_at,
                });
            }
        }
        found.sort_by(|a, b| (a.begun_at, &a.import).cmp(&(b.begun_at, &b.import)));
        Ok(found)
    }
}
