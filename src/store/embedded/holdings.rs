//! What registrations hold in the index.

use std::collections::HashMap;

use redb::{ReadTransaction, ReadableTable, Table, WriteTransaction};

use super::index::Index;
use super::tables::{HOLDINGS, MEMBERS, away};
use crate::domain::Locator;
use crate::privacy::Subject;
use crate::store::layout::{Member, Place};
use crate::store::{Changed, Listing, StoreError};

/// What a registration holds of a number.
#[derive(Debug, Default)]
struct Holding {
    version: u64,
    members: Vec<Member>,
}

/// All of them, while a batch of changes is made.
pub(super) struct Holdings<'t> {
    held: Table<'t, &'static [u8], &'static [u8]>,
    counts: Table<'t, (&'static [u8; 16], i64), u32>,
    /// Those that the batch has looked at.
    known: HashMap<(Subject, Locator), Holding>,
}

impl<'t> Holdings<'t> {
    pub(super) fn open(write: &'t WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            held: write.open_table(HOLDINGS).map_err(away)?,
            counts: write.open_table(MEMBERS).map_err(away)?,
            known: HashMap::new(),
        })
    }

    /// Puts a listing, or removes it.
    pub(super) fn change(
        &mut self,
        index: &mut Index,
        listing: &Listing,
        put: bool,
    ) -> Result<Changed, StoreError> {
        let name = (listing.subject, listing.registration);
        let holding = match self.known.entry(name) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let row = self.held.get(key(&name).as_slice()).map_err(away)?;
                let holding = row.map(|row| Holding::read(row.value())).transpose()?;
                new.insert(holding.unwrap_or_default())
            }
        };
        if listing.version < holding.version {
            return Ok(Changed::Outdated(holding.version));
        }
        holding.version = listing.version;
        let place = Place::of(&listing.subject);
        let member = place.member(listing.seller, listing.channels);
        let held = holding.members.iter().position(|held| *held == member);
        let counted = (&listing.subject.0, member.get());
        let count = |counts: &Table<_, _>| -> Result<u32, StoreError> {
            Ok(counts
                .get(counted)
                .map_err(away)?
                .map_or(0, |row| row.value()))
        };
        match (held, put) {
            (None, true) => {
                holding.members.push(member);
                let others = count(&self.counts)?;
                self.counts.insert(counted, others + 1).map_err(away)?;
                index.insert(place.bucket, member);
            }
            (Some(at), false) => {
                holding.members.swap_remove(at);
                match count(&self.counts)?.saturating_sub(1) {
                    0 => {
                        self.counts.remove(counted).map_err(away)?;
                        index.remove(place.bucket, member);
                    }
                    others => drop(self.counts.insert(counted, others).map_err(away)?),
                }
            }
            _ => return Ok(Changed::Unchanged),
        }
        Ok(Changed::Done)
    }

    /// Writes down what the batch has made of them. Where nothing is held any more, the version
    /// stays.
    pub(super) fn write(mut self) -> Result<(), StoreError> {
        for (name, holding) in &self.known {
            let row = holding.write();
            self.held
                .insert(key(name).as_slice(), row.as_slice())
                .map_err(away)?;
        }
        Ok(())
    }
}

/// Fills the index with what registrations hold.
pub(super) fn load(read: &ReadTransaction, index: &mut Index) -> Result<(), StoreError> {
    for row in read
        .open_table(MEMBERS)
        .map_err(away)?
        .iter()
        .map_err(away)?
    {
        let (counted, _) = row.map_err(away)?;
        let (subject, member) = counted.value();
        let bucket = Place::of(&Subject(*subject)).bucket;
        index.insert(bucket, Member::from_stored(member));
    }
    Ok(())
}

/// Subject first, so that a number's holdings lie together.
fn key((subject, registration): &(Subject, Locator)) -> Vec<u8> {
    [subject.0.as_slice(), registration.as_str().as_bytes()].concat()
}

impl Holding {
    fn read(row: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged("what a registration holds".to_owned());
        let (words, []) = row.as_chunks::<8>() else {
            return Err(damaged());
        };
        let (version, members) = words.split_first().ok_or_else(damaged)?;
        let members = members.iter().map(|member| i64::from_be_bytes(*member));
        Ok(Self {
            version: u64::from_be_bytes(*version),
            members: members.map(Member::from_stored).collect(),
        })
    }

    fn write(&self) -> Vec<u8> {
        let members = self
            .members
            .iter()
            .flat_map(|member| member.get().to_be_bytes());
        self.version
            .to_be_bytes()
            .into_iter()
            .chain(members)
            .collect()
    }
}
