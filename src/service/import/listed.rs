//! Which calls were to numbers of an imported list.

use std::sync::Arc;

use super::kept::BLOCKS;
use super::record::{Record, State};
use super::removal::Known;
use crate::domain::{Moment, SellerRef};
use crate::service::matching::{ListedCall, Lists};
use crate::service::{Service, ServiceError};
use crate::store::{Kind, Spot};

/// The lists as they are when a match begins.
#[derive(Debug)]
pub(in crate::service) struct ImportedLists {
    service: Arc<Service>,
    lists: Vec<Known>,
}

impl ImportedLists {
    pub(in crate::service) async fn of(service: Arc<Service>) -> Result<Self, ServiceError> {
        let mut lists = Vec::new();
        for (id, document) in service.store.list(Kind::Import).await? {
            lists.push((id, Record::read(&document.body)?));
        }
        Ok(Self { service, lists })
    }

    /// Since when numbers may be listed that have no entry each; nothing where no list was ever
    /// brought in.
    pub(in crate::service) fn since(&self) -> Option<Moment> {
        let lists = self.lists.iter().filter(|(_, list)| !list.remove);
        lists.map(|(_, list)| list.first_begun()).min()
    }

    async fn find(&self, calls: &[ListedCall]) -> Result<Vec<bool>, ServiceError> {
        let subjects = self.service.keyring.subjects();
        let spots = calls
            .iter()
            .map(|call| Spot::of(&subjects.subject(&call.number)));
        let places: Vec<Spot> = spots.collect();
        let mut spots = places.clone();
        spots.sort_unstable();
        spots.dedup();
        let mut held = vec![false; calls.len()];
        let numbers = async |id: &str, list| {
            let has = self.service.numbers_of(id, list, &spots, &(0..BLOCKS));
            has.await
        };
        for (id, list) in &self.lists {
            let by = list.finished_at.filter(|_| list.state == State::Finished);
            let Some(by) = by.filter(|_| !list.remove) else {
                continue;
            };
            let concerns = |call: &ListedCall| {
                let for_whom =
                    list.seller == SellerRef::All || call.seller.as_ref() == Some(&list.seller);
                for_whom && by <= call.at
            };
            if !calls.iter().any(concerns) {
                continue;
            }
            let has = numbers(id, list).await?;
            let mut taken = Vec::new();
            for (removal, record) in &self.lists {
                if let Some(since) = record.may_have_taken(id, list) {
                    taken.push((since, numbers(removal, record).await?));
                }
            }
            for ((call, spot), held) in calls.iter().zip(&places).zip(&mut held) {
                let place = spots.partition_point(|other| other < spot);
                let out = taken
                    .iter()
                    .any(|(since, out)| *since <= call.at && out[place]);
                *held |= concerns(call) && has[place] && !out;
            }
        }
        Ok(held)
    }
}

impl Record {
    /// Since when a removal may have taken out numbers that a list brought in, if it may; also one
    /// that is under way, or broke off.
    fn may_have_taken(&self, id: &str, list: &Record) -> Option<Moment> {
        let meant = self.remove && self.seller == list.seller && self.from.has(id);
        // What came in again since is in again.
        let before = self.finished_at.is_some_and(|over| over < list.begun_at);
        (meant && !before).then(|| self.first_begun())
    }

    /// When it was begun. Of one that was begun again, the first time is not kept.
    fn first_begun(&self) -> Moment {
        match self.runs {
            1 => self.begun_at,
            _ => Moment::from_millis(0),
        }
    }
}

impl Lists for ImportedLists {
    fn held(&self, calls: &[ListedCall]) -> Result<Vec<bool>, ServiceError> {
        self.service.runtime.block_on(self.find(calls))
    }
}
