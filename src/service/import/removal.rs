//! Taking a list out again. The index knows a number once for each seller, whichever list it came
//! with; what each list has is kept beside the log. So a number goes out of the index only if no
//! other list still has it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::record::{Record, State};
use super::{NewImport, TRIES, kept};
use crate::domain::SellerRef;
use crate::service::{Service, ServiceError};
use crate::store::{ImportPart, Kind, SellerNumber, Spot};

/// Out of which lists numbers are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeFrom {
    /// The only one for these sellers; or it is no removal.
    Only,
    /// These, by source or id.
    Lists(Vec<String>),
    /// Every one: also what another list still has.
    Every,
}

/// The same, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TakenFrom {
    /// It is no removal.
    Nothing,
    /// The lists of these ids.
    Lists(Vec<String>),
    /// Every list.
    Every,
}

impl TakenFrom {
    pub(super) fn has(&self, id: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Lists(ids) => ids.iter().any(|known| known == id),
            Self::Every => true,
        }
    }
}

/// A list that is known, with its id.
pub(super) type Known = (String, Record);

impl Service {
    /// Out of which lists this one is taken.
    pub(super) async fn taken_from(&self, new: &NewImport) -> Result<TakenFrom, ServiceError> {
        if !new.remove {
            return match new.from {
                TakeFrom::Only => Ok(TakenFrom::Nothing),
                _ => Err(ServiceError::Contradiction(
                    "only a removal takes numbers out of other lists",
                )),
            };
        }
        let lists = self.lists_for(&new.seller).await?;
        let lists = lists.into_iter().filter(|(_, list)| !list.remove);
        let ids = |names: &[String]| -> Vec<String> {
            let is = |(id, list): &Known| names.contains(id) || names.contains(&list.source);
            lists.clone().filter(is).map(|(id, _)| id).collect()
        };
        match &new.from {
            TakeFrom::Every => Ok(TakenFrom::Every),
            TakeFrom::Only => {
                let all: Vec<String> = lists.map(|(id, _)| id).collect();
                match all.len() {
                    0 | 1 => Ok(TakenFrom::Lists(all)),
                    _ => Err(ServiceError::SeveralLists),
                }
            }
            TakeFrom::Lists(names) => {
                let each = names.iter().map(std::slice::from_ref);
                if names.is_empty() || each.map(ids).any(|found| found.is_empty()) {
                    return Err(ServiceError::UnknownList);
                }
                Ok(TakenFrom::Lists(ids(names)))
            }
        }
    }

    /// Takes these numbers out of the index, but not those that another list has. Returns how many
    /// were there, and how many stay.
    pub(super) async fn take_out(
        &self,
        record: &Record,
        seller: SellerNumber,
        spots: Vec<Spot>,
        blocks: Range<usize>,
    ) -> Result<(u64, u64), ServiceError> {
        for _ in 0..TRIES {
            // Before it is looked up which lists there are: what comes in later is not taken out.
            let puts = self.store.puts(seller).await?;
            let lists = self.lists_for(&record.seller).await?;
            let staying = self.held(record, &lists, &spots, &blocks).await?;
            let gone = spots.iter().zip(&staying).filter(|(_, stays)| !**stays);
            let part = ImportPart {
                seller,
                remove: Some(puts),
                spots: gone.map(|(spot, _)| *spot).collect(),
            };
            let stay = staying.iter().filter(|stays| **stays).count() as u64;
            if let Some(changed) = self.store.import(part).await? {
                return Ok((changed, stay));
            }
        }
        Err(ServiceError::Conflict)
    }

    /// For each of these numbers, which are sorted, whether another list has it than those that the
    /// removal takes it from.
    async fn held(
        &self,
        removal: &Record,
        lists: &[Known],
        spots: &[Spot],
        blocks: &Range<usize>,
    ) -> Result<Vec<bool>, ServiceError> {
        let mut held = vec![false; spots.len()];
        // A list that was brought in after the removal began is not what was meant by it.
        let others = lists.iter().filter(|(id, list)| {
            let meant = removal.from.has(id);
            !(list.remove || (meant && list.begun_at <= removal.begun_at))
        });
        for (id, list) in others {
            let mut has = self.numbers_of(id, list, spots, blocks).await?;
            for (taken, earlier) in lists {
                if earlier.took_from(id, list) && has.contains(&true) {
                    let out = self.numbers_of(taken, earlier, spots, blocks).await?;
                    has.iter_mut().zip(out).for_each(|(has, out)| *has &= !out);
                }
            }
            held.iter_mut()
                .zip(has)
                .for_each(|(held, has)| *held |= has);
        }
        Ok(held)
    }

    /// For each of these numbers whether a list has it.
    pub(super) async fn numbers_of(
        &self,
        id: &str,
        list: &Record,
        spots: &[Spot],
        blocks: &Range<usize>,
    ) -> Result<Vec<bool>, ServiceError> {
        let mut has = vec![false; spots.len()];
        for part in 1..=list.parts {
            let theirs = kept::spots(self.record.archive.storage(), id, part, blocks.clone()).await;
            let theirs = match theirs {
                // It has not come yet.
                Err(_) if list.state == State::UnderWay && !list.done.contains_key(&part) => {
                    continue;
                }
                theirs => theirs?,
            };
            let mut at = 0;
            for spot in theirs {
                at += spots[at..].partition_point(|mine| *mine < spot);
                if spots.get(at) == Some(&spot) {
                    has[at] = true;
                }
            }
        }
        Ok(has)
    }

    /// Every list that was brought in or taken out for the same sellers.
    async fn lists_for(&self, seller: &SellerRef) -> Result<Vec<Known>, ServiceError> {
        let mut lists = Vec::new();
        for (id, document) in self.store.list(Kind::Import).await? {
            let record = Record::read(&document.body)?;
            if record.seller == *seller {
                lists.push((id, record));
            }
        }
        Ok(lists)
    }
}

impl Record {
    /// Whether this is a removal that took its numbers from that list, and is done.
    fn took_from(&self, id: &str, list: &Record) -> bool {
        let meant = self.from.has(id);
        // What came in again since is in again.
        meant
            && self.state == State::Finished
            && list
                .finished_at
                .is_some_and(|finished| finished < self.begun_at)
    }
}
