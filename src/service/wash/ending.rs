//! The entry that says how a wash ended.

use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;

use super::Wash;
use crate::domain::{Context, Detail, EntryId, Moment, Op, Washed};
use crate::service::ServiceError;
use crate::service::record::search::Sought;
use crate::store::{Change, Kind};

/// For how long it is tried to put the end of a wash on record.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_secs(2);

/// What a complete wash comes to, once it is on record.
#[derive(Debug, Clone)]
pub struct Summary {
    pub(super) washed: Washed,
}

impl Summary {
    /// The wash.
    #[must_use]
    pub fn id(&self) -> EntryId {
        EntryId::from_bytes(self.washed.wash)
    }

    /// SHA-256 of the list, in hexadecimal digits.
    #[must_use]
    pub fn input(&self) -> String {
        HEXLOWER.encode(&self.washed.input)
    }

    /// What the entry says.
    #[must_use]
    pub fn washed(&self) -> &Washed {
        &self.washed
    }
}

impl Wash {
    /// Puts the end of the wash on record, once, and keeps trying for a while if the store is away.
    pub(super) async fn put_on_record(&self, washed: &Washed) -> Result<(), ServiceError> {
        let at = Moment::now();
        let begun = Instant::now();
        let mut pause = Duration::from_millis(50);
        let mut perhaps = false;
        loop {
            let error = match self.try_to_record(at, washed, perhaps).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if begun.elapsed() > PATIENCE {
                return Err(error);
            }
            // From now on it may be there although nobody said so.
            perhaps = true;
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(PAUSE);
        }
    }

    async fn try_to_record(
        &self,
        at: Moment,
        washed: &Washed,
        perhaps: bool,
    ) -> Result<(), ServiceError> {
        let service = &self.service;
        // Where to look comes first: an entry that cannot be found would be no receipt.
        let when = at.millis().to_string();
        let (id, store) = (self.id.to_string(), &service.store);
        store.create(Kind::Wash, &id, when).await?;
        if perhaps {
            let permit = service.search_permit().await?;
            let sought = Sought::wash(self.id, at);
            if service.search(&permit, &sought).await?.is_some() {
                return Ok(());
            }
        }
        let context = Context {
            op: Op::Wash,
            detail: Some(Detail::Washed(washed.clone())),
            ..(*self.authorization.context).clone()
        };
        let note = Change::note(at, context, None);
        store.change(vec![note]).await?;
        Ok(())
    }
}
