//! Lists that are brought in whole: what somebody objected to elsewhere, earlier.
//!
//! An imported listing stands beside what people register themselves, and neither is taken away
//! with the other. A list comes in parts, each some million rows at most, which are read and kept
//! beside the log. Once all are there, their numbers go into the store in the order of its buckets,
//! stretch by stretch: so the store is asked once a bucket and not once a number. A part that comes
//! again and a step that is taken again change nothing, and what is done is written down in the
//! store, so that any process can go on.
//!
//! * `new`: what is said of a list, and the name that comes of it.
//! * `rows`, `day`, `rejection`: from bytes to numbers, or to the reason why a row is rejected.
//! * `kept`: what is kept of each part beside the log: dates, and what was rejected.
//! * `record`: an import's document in the store.
//! * `find`: which lists a number came with; `listed`: which calls were to numbers of a list.
//! * `removal`: what is taken out, and what stays because another list has it.

mod day;
mod find;
mod kept;
mod listed;
mod new;
mod record;
mod rejection;
mod removal;
mod rows;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use day::{DateError, objected_on, today};
pub use find::FoundListing;
pub(super) use listed::ImportedLists;
pub use new::NewImport;
pub use record::{Counts, ImportView, State};
pub use rejection::{Rejected, Rejection};
pub use removal::TakeFrom;
pub use rows::{Only, PartError, Rows};

/// What is compared of a part: how many rows it has, their numbers, and the lines that are rejected.
#[cfg(any(test, fuzzing))]
pub(super) type Told = (
    u64,
    std::collections::BTreeSet<PhoneNumber>,
    Vec<(usize, &'static str)>,
);

use super::{Service, ServiceError};
use crate::domain::{Context, Detail, Moment, Op, PhoneNumber, Principal, Role, SellerRef};
use crate::log::LogError;
use crate::store::{ImportPart, Kind, SellerNumber, Spot};
use record::Record;

/// The longest part, in bytes.
pub const LONGEST_PART: usize = 16 << 20;

/// The most parts of a list.
pub const MOST_PARTS: u32 = 100_000;

/// How many parts are worked on at the same time; more wait.
const AT_ONCE: usize = 4;

/// How often a document is tried to be changed that others change at the same time.
const TRIES: usize = 200;

/// Lets only so many parts be worked on at a time.
#[derive(Debug)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Service {
    /// Begins to bring a list in, or goes on where it broke off, which may have been in another
    /// process. A list that is in already is brought in once more, which changes what has changed
    /// since.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`], [`ServiceError::UnknownSeller`], [`ServiceError::UnknownList`],
    /// [`ServiceError::SeveralLists`], [`ServiceError::Contradiction`].
    pub async fn begin_import(
        &self,
        who: &Principal,
        new: NewImport,
    ) -> Result<ImportView, ServiceError> {
        operator(who)?;
        new.check()?;
        self.listed_for(&new.seller)?;
        let from = self.taken_from(&new).await?;
        let id = new.id();
        for _ in 0..TRIES {
            let found = self.import_record(&id).await?;
            if let Some((record, _)) = &found
                && record.state == State::UnderWay
                && record.rows == new.rows
            {
                return Ok(record.view(&id));
            }
            // On record first: nothing is changed before.
            let detail = Detail::ImportBegun {
                removal: new.remove,
                note: new.source.clone(),
                file: new.file,
            };
            self.note_import(who, &new.seller, detail).await?;
            let runs = found.as_ref().map_or(0, |(record, _)| record.runs);
            let record = Record::new(&new, from.clone(), runs + 1, who.key.clone());
            let body = record.write()?;
            let put = match found {
                None => self.store.create(Kind::Import, &id, body).await?,
                Some((_, version)) => self.store.replace(Kind::Import, &id, version, body).await?,
            };
            if put {
                return Ok(record.view(&id));
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Waits until another part may be worked on. Get this before the part is in memory.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when the service ends.
    pub async fn import_turn(&self) -> Result<OwnedSemaphorePermit, ServiceError> {
        let turn = self.turns.0.clone().acquire_owned().await;
        turn.map_err(|_| ServiceError::Conflict)
    }

    /// Reads one part, and keeps its numbers for when all parts are there. When it answers, that is
    /// durable. A part that comes again is not read again.
    ///
    /// # Errors
    /// [`ServiceError::UnreadablePart`], and others; sending it again is harmless.
    pub async fn import_part(
        &self,
        who: &Principal,
        id: &str,
        number: u32,
        bytes: bytes::Bytes,
    ) -> Result<Counts, ServiceError> {
        operator(who)?;
        let (record, _) = self.known_import(id).await?;
        if let Some(counts) = record.done.get(&number) {
            return Ok(*counts);
        }
        if record.state != State::UnderWay {
            return Err(ServiceError::ImportState("this import is finished"));
        }
        if !(1..=record.parts).contains(&number) {
            return Err(ServiceError::ImportState("this import has no such part"));
        }
        let (reader, subjects) = (record.rows.clone(), self.keyring.subjects().clone());
        let (date, today) = (record.date, day::today());
        let read = tokio::task::spawn_blocking(move || {
            let place = |phone: &PhoneNumber| Spot::of(&subjects.subject(phone));
            let read = reader.read(&bytes, number == 1, date, today, place)?;
            let object = kept::write(&read.listings, &read.rejected);
            let object = object.map_err(|_| ServiceError::Damaged("this part of the list"))?;
            Ok::<_, ServiceError>((read.counts(), read.days(), object))
        });
        let lost = |_| ServiceError::Damaged("this part of the list");
        let (counts, days, object) = read.await.map_err(lost)??;
        // Where it comes from is written down before it counts.
        let path = kept::path(id, number);
        let storage = self.record.archive.storage();
        storage
            .put(vec![(path, object.into())])
            .await
            .map_err(LogError::from)?;
        self.change_import(id, |record| {
            if record.state != State::UnderWay {
                return Err(ServiceError::ImportState("this import is finished"));
            }
            record.done.entry(number).or_insert(counts);
            record.days = day::around(record.days, days);
            Ok(())
        })
        .await?;
        Ok(counts)
    }

    /// Takes one step: what all parts have of a stretch of the index goes into the list, or out.
    /// Sorted together, they cost the store a fraction of what they would one part at a time. When
    /// it answers, that is durable: the next check sees it. A step that was taken is not taken
    /// again. What is taken out stays in if another list has it. Returns how many listings it changed.
    ///
    /// # Errors
    /// [`ServiceError::ImportState`] when a part is missing. After another error some of the
    /// numbers may be in, and taking the step again is harmless.
    pub async fn import_step(
        &self,
        who: &Principal,
        id: &str,
        number: u32,
    ) -> Result<u64, ServiceError> {
        operator(who)?;
        let (record, _) = self.known_import(id).await?;
        if let Some(changed) = record.stepped.get(&number) {
            return Ok(*changed);
        }
        if record.state != State::UnderWay {
            return Err(ServiceError::ImportState("this import is finished"));
        }
        if record.done.len() < record.parts as usize {
            return Err(ServiceError::ImportState("not every part is in"));
        }
        if !(1..=record.steps).contains(&number) {
            return Err(ServiceError::ImportState("this import has no such step"));
        }
        let seller = self.listed_for(&record.seller)?;
        let wide = kept::BLOCKS / record.steps as usize;
        let first = (number as usize - 1) * wide;
        let storage = self.record.archive.storage();
        let mut spots = Vec::new();
        for part in 1..=record.parts {
            spots.extend(kept::spots(storage, id, part, first..first + wide).await?);
        }
        let sorted = tokio::task::spawn_blocking(move || {
            // Each part is sorted, which the stable sort makes use of.
            spots.sort();
            spots.dedup();
            spots
        });
        let spots = sorted
            .await
            .map_err(|_| ServiceError::Damaged("what is kept of an import"))?;
        let (changed, staying) = if record.remove {
            let blocks = first..first + wide;
            self.take_out(&record, seller, spots, blocks).await?
        } else {
            let part = ImportPart {
                seller,
                remove: None,
                spots,
            };
            (self.store.import(part).await?.unwrap_or(0), 0)
        };
        self.change_import(id, |record| {
            if record.state != State::UnderWay {
                return Err(ServiceError::ImportState("this import is finished"));
            }
            if record.stepped.insert(number, changed).is_none() {
                record.staying += staying;
            }
            Ok(())
        })
        .await?;
        Ok(changed)
    }

    /// Finishes an import of which every part is in and every step taken. Finishing it again changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::ImportState`] when a part or a step is missing, or there is no row at all.
    pub async fn finish_import(
        &self,
        who: &Principal,
        id: &str,
    ) -> Result<ImportView, ServiceError> {
        operator(who)?;
        let (record, _) = self.known_import(id).await?;
        if record.state == State::Finished {
            return Ok(record.view(id));
        }
        if record.done.len() < record.parts as usize {
            return Err(ServiceError::ImportState("not every part is in"));
        }
        if record.stepped.len() < record.steps as usize {
            return Err(ServiceError::ImportState("not every step is taken"));
        }
        let total = record.total();
        if total.rows == 0 {
            return Err(ServiceError::ImportState("there is no row in this list"));
        }
        let detail = Detail::ImportFinished {
            removal: record.remove,
            note: record.source.clone(),
            file: record.file()?,
            numbers: total.numbers,
            changed: record.changed(),
            rejected: total.rejected,
        };
        self.note_import(who, &record.seller, detail).await?;
        let at = Moment::now();
        let record = self
            .change_import(id, |record| {
                record.state = State::Finished;
                record.finished_at.get_or_insert(at);
                Ok(())
            })
            .await?;
        Ok(record.view(id))
    }

    /// Every import, the newest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn imports(&self, who: &Principal) -> Result<Vec<ImportView>, ServiceError> {
        operator(who)?;
        let mut views = Vec::new();
        for (id, document) in self.store.list(Kind::Import).await? {
            views.push(Record::read(&document.body)?.view(&id));
        }
        views.sort_by(|a, b| (b.begun_at, &b.id).cmp(&(a.begun_at, &a.id)));
        Ok(views)
    }

    /// One import, which of its parts are in, and which steps are taken.
    ///
    /// # Errors
    /// [`ServiceError::UnknownImport`].
    pub async fn import(
        &self,
        who: &Principal,
        id: &str,
    ) -> Result<(ImportView, Vec<u32>, Vec<u32>), ServiceError> {
        operator(who)?;
        let (record, _) = self.known_import(id).await?;
        let view = record.view(id);
        Ok((
            view,
            record.done.into_keys().collect(),
            record.stepped.into_keys().collect(),
        ))
    }

    /// The rows of a part that were rejected.
    ///
    /// # Errors
    /// [`ServiceError::UnknownImport`], [`ServiceError::ImportState`] when the part is not in.
    pub async fn rejected_rows(
        &self,
        who: &Principal,
        id: &str,
        number: u32,
    ) -> Result<Vec<Rejected>, ServiceError> {
        operator(who)?;
        let (record, _) = self.known_import(id).await?;
        if !record.done.contains_key(&number) {
            return Err(ServiceError::ImportState("this part is not in"));
        }
        kept::rejected(self.record.archive.storage(), id, number).await
    }

    async fn note_import(
        &self,
        who: &Principal,
        seller: &SellerRef,
        detail: Detail,
    ) -> Result<(), ServiceError> {
        let context = Context {
            seller: Some(seller.clone()),
            ..Context::of_service(Op::Import, detail).by(&who.key)
        };
        Ok(self.store.note(context).await?)
    }

    /// The place of a seller in the index.
    fn listed_for(&self, seller: &SellerRef) -> Result<SellerNumber, ServiceError> {
        let SellerRef::One(id) = seller else {
            return Ok(SellerNumber::ALL);
        };
        let directory = self.directory.current()?;
        let record = directory.sellers.get(id);
        record.ok_or(ServiceError::UnknownSeller)?.number()
    }

    async fn import_record(&self, id: &str) -> Result<Option<(Record, u64)>, ServiceError> {
        let Some(document) = self.store.get(Kind::Import, id).await? else {
            return Ok(None);
        };
        Ok(Some((Record::read(&document.body)?, document.version)))
    }

    async fn known_import(&self, id: &str) -> Result<(Record, u64), ServiceError> {
        let found = self.import_record(id).await?;
        found.ok_or(ServiceError::UnknownImport)
    }

    async fn change_import(
        &self,
        id: &str,
        change: impl Fn(&mut Record) -> Result<(), ServiceError>,
    ) -> Result<Record, ServiceError> {
        for _ in 0..TRIES {
            let (mut record, version) = self.known_import(id).await?;
            change(&mut record)?;
            let body = record.write()?;
            if self.store.replace(Kind::Import, id, version, body).await? {
                return Ok(record);
            }
        }
        Err(ServiceError::Conflict)
    }
}

fn operator(who: &Principal) -> Result<(), ServiceError> {
    match who.role {
        Role::Operator => Ok(()),
        _ => Err(ServiceError::WrongRole("operator")),
    }
}
