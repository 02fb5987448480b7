//! What the holder of a code may know of what others asked.
//!
//! Nobody proves that a number is theirs. So a code opens what falls under its own opt-out, and
//! nothing of what others registered or asked beside it.

use super::held::Held;
use super::record::{Access, Opened, Record};
use super::{Service, ServiceError};
use crate::domain::{Channel, Channels, Moment, PhoneNumber, SellerRef};

/// What the holder of a code may know of what others asked: what falls under their own opt-out, and
/// nothing else.
#[derive(Debug)]
pub(in crate::service) struct MayKnow {
    record: Record,
    held: Vec<Held>,
}

impl MayKnow {
    /// The numbers, and since when each is with the code.
    pub fn numbers(&self) -> Vec<(PhoneNumber, Moment)> {
        let staying = self.held.iter().filter(|held| !held.leaving);
        let since = self.record.taken_up_at.unwrap_or(self.record.created_at);
        staying
            .map(|held| {
                let added = held
                    .added
                    .map(|added| added.since.unwrap_or(added.asked_at));
                (held.number, added.map_or(since, |added| added.max(since)))
            })
            .collect()
    }

    /// When it ended, if it did.
    pub fn until(&self) -> Option<Moment> {
        self.record.withdrawn_at
    }

    /// Whether a check for a seller at a moment falls under this opt-out.
    pub fn covers(
        &self,
        seller: Option<&SellerRef>,
        channels: Option<Channels>,
        at: Moment,
    ) -> bool {
        let record = &self.record;
        let of_seller = |one: &SellerRef| *one == SellerRef::All || Some(one) == seller;
        let joined = record.joined.iter().find(|one| Some(&one.seller) == seller);
        let joined = joined.map(|one| one.added.since.unwrap_or(one.added.asked_at));
        let of_channel = |channel| {
            record.channels.covers(channel)
                && channels.is_none_or(|channels| channels.covers(channel))
        };
        record.sellers.iter().any(of_seller)
            && (of_channel(Channel::Voice) || of_channel(Channel::Text))
            && joined.is_none_or(|joined| joined <= at)
    }
}

impl Service {
    /// What the holder of a code may know of what others asked, from one version of it.
    pub(in crate::service) async fn may_know(
        &self,
        access: &Access,
    ) -> Result<MayKnow, ServiceError> {
        let Opened { record, held, .. } = self.open_whole(access).await?;
        Ok(MayKnow { record, held })
    }
}
