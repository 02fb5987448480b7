//! Reading sealed log and unsealed tail as one, oldest first, at constant memory.
//!
//! While it reads, the sealer goes on: what lay in the tail may lie in the log by now. The last
//! sealed batch stays in the tail as an anchor, so a reader sees whether the tail still begins
//! where the log that it read ended; where it does not, it reads on in the log.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use memchr::memmem::Finder;

use super::Filter;
use crate::domain::{Entry, EntryId, EntryReader, Moment, Principal, Pseudonym, SellerRef};
use crate::log::tile::{WIDTH, entries};
use crate::log::{Closed, Head, SEGMENT, TailReader};
use crate::service::{SearchPermit, Service, ServiceError};
use crate::store::{Position, TailBatch};

/// How many batches are read at a time. Packed they are small; only one at a time is unpacked.
const PAGE: usize = 64;

/// Reads entries one after the other, oldest first. What is written after the reading began is
/// left for the next one, but for what was sealed meanwhile, so that it ends.
#[derive(Debug)]
pub struct Reader {
    service: Arc<Service>,
    permit: SearchPermit,
    filter: Filter,
    /// What was asked for reaches back beyond this moment, and what was before it is gone.
    gone_before: Option<Moment>,
    wanted: Option<Wanted>,
    /// The logs as they were last seen, oldest first.
    head: Option<Head>,
    /// Which of them is read, and the next of its entries.
    log: usize,
    index: u64,
    /// Where each tail ended when the reading began.
    end: Vec<Option<Position>>,
    tail: Option<Tail>,
    /// Places in the log that the index named, in order.
    places: VecDeque<u64>,
    entries: VecDeque<Entry>,
    /// The entry that was in the tail when the reading was to go on behind it, until it has come.
    skip_until: Option<EntryId>,
    done: bool,
}

/// A tail on the way.
#[derive(Debug)]
struct Tail {
    number: u16,
    reader: TailReader,
    batches: VecDeque<TailBatch>,
    /// How many entries of the tail were read since the log's end.
    read: u64,
}

/// A number's names in the log, and how to find them in a bundle without reading it.
#[derive(Debug)]
struct Wanted {
    pseudonyms: HashSet<Pseudonym>,
    finders: Vec<Finder<'static>>,
}

impl Wanted {
    fn new(pseudonyms: Vec<Pseudonym>) -> Self {
        let finders = pseudonyms.iter().map(|pn| {
            let text = HEXLOWER.encode(&pn.0);
            Finder::new(text.as_bytes()).into_owned()
        });
        Self {
            finders: finders.collect(),
            pseudonyms: pseudonyms.into_iter().collect(),
        }
    }

    fn may_be_in(&self, bundle: &[u8]) -> bool {
        self.finders
            .iter()
            .any(|finder| finder.find(bundle).is_some())
    }
}

impl Reader {
    /// Begins a reading for somebody. Looking for one number's entries tells about a person, so
    /// it is on record itself and never goes unseen.
    ///
    /// # Errors
    /// [`ServiceError::Store`], [`ServiceError::UnknownEntry`] when
    /// the entry to go on after is not there; [`ServiceError::UnknownAgency`] and
    /// [`ServiceError::UnknownSeller`] for names that nobody has, [`ServiceError::EntriesGone`] for
    /// a time of which nothing is left: that there is no entry would not be true of them.
    pub async fn begin(
        service: Arc<Service>,
        permit: SearchPermit,
        who: &Principal,
        filter: Filter,
    ) -> Result<Self, ServiceError> {
        let seller = match &filter.seller {
            Some(SellerRef::One(seller)) => Some(seller),
            Some(SellerRef::All) | None => None,
        };
        let directory = service.directory();
        directory.knowing(filter.agency.as_ref(), seller).await?;
        let gone_before = service.gone_before().await?;
        if let (Some(gone), Some(to)) = (gone_before, filter.to)
            && to <= gone
        {
            return Err(ServiceError::EntriesGone(gone));
        }
        let mut end = Vec::new();
        for tail in 0..service.store.tails() {
            end.push(service.store.tail_end(tail).await?);
        }
        let mut wanted = None;
        if let Some(phone) = &filter.phone {
            service.record_opening(who, phone).await?;
            wanted = Some(Wanted::new(service.pseudonyms_of(phone)));
        }
        let head = service.record.archive.head().await?;
        let mut reader = Self {
            service,
            permit,
            gone_before: gone_before.filter(|gone| filter.from.is_none_or(|from| from < *gone)),
            filter,
            wanted,
            head,
            log: 0,
            index: 0,
            end,
            tail: None,
            places: VecDeque::new(),
            entries: VecDeque::new(),
            skip_until: None,
            done: false,
        };
        if let Some(id) = reader.filter.after {
            reader.go_behind(id).await?;
        }
        Ok(reader)
    }

    async fn go_behind(&mut self, id: EntryId) -> Result<(), ServiceError> {
        let found = self.service.find(&self.permit, id).await?;
        match found.ok_or(ServiceError::UnknownEntry)?.sealed {
            Some((name, index)) => {
                // The head may be from before it was sealed.
                self.head = self.service.record.archive.head().await?;
                let logs = self.head.as_ref().map(Head::logs).unwrap_or_default();
                let place = logs.iter().position(|log| log.log == name);
                self.log = place.ok_or(ServiceError::UnknownEntry)?;
                self.index = index + 1;
            }
            None => {
                let head = self.head.as_ref();
                (self.log, self.index) = head.map_or((0, 0), |head| (head.closed.len(), head.size));
                self.skip_until = Some(id);
            }
        }
        Ok(())
    }

    /// The moment before which entries are missing here: they were dropped as their time had passed,
    /// or lost. Nothing where none of those that were asked for is.
    #[must_use]
    pub fn gone_before(&self) -> Option<Moment> {
        self.gone_before
    }

    /// The next entry; nothing when there are no more.
    ///
    /// # Errors
    /// [`ServiceError`]; the reading then is not complete.
    pub async fn next(&mut self) -> Result<Option<Entry>, ServiceError> {
        loop {
            let pseudonyms = self.wanted.as_ref().map(|wanted| &wanted.pseudonyms);
            while let Some(entry) = self.entries.pop_front() {
                if let Some(id) = self.skip_until {
                    if entry.id == id {
                        self.skip_until = None;
                    }
                    continue;
                }
                if self.filter.admits(&entry, pseudonyms) {
                    return Ok(Some(entry));
                }
            }
            if self.done {
                // The entry to go on behind has not come: nothing may be taken for complete.
                return match self.skip_until {
                    Some(_) => Err(ServiceError::UnknownEntry),
                    None => Ok(None),
                };
            }
            match &self.tail {
                None => self.read_log().await?,
                Some(_) => self.read_tail().await?,
            }
        }
    }

    fn current_log(&self) -> Option<Closed> {
        self.head.as_ref()?.logs().into_iter().nth(self.log)
    }

    /// Reads the next bundle of the log, or goes on to the next log or to the tail.
    async fn read_log(&mut self) -> Result<(), ServiceError> {
        let Some(log) = self.current_log() else {
            return self.begin_tail(0);
        };
        if let Some(place) = self.places.front() {
            return self.read_places(&log, place / WIDTH).await;
        }
        if self.index >= log.size {
            self.log += 1;
            self.index = 0;
            return Ok(());
        }
        if self.index.is_multiple_of(SEGMENT) && self.skip_segment(&log).await? {
            return Ok(());
        }
        let archive = &self.service.record.archive;
        let number = self.index / WIDTH;
        let Some(bundle) = archive
            .bundle_unless_dropped(log.log, number, log.size)
            .await?
        else {
            // A year whose entries were dropped: its hashes are there, and nothing to read.
            self.index = log.size;
            return Ok(());
        };
        let skipped = (self.index % WIDTH) as usize;
        self.index = ((number + 1) * WIDTH).min(log.size);
        if self
            .wanted
            .as_ref()
            .is_none_or(|wanted| wanted.may_be_in(&bundle))
        {
            let mut reader = EntryReader::default();
            for entry in entries(&bundle).skip(skipped) {
                let entry = entry.map_err(|_| ServiceError::Damaged("an entry of the log"))?;
                let entry = reader.read(entry);
                self.entries
                    .push_back(entry.map_err(|_| ServiceError::Damaged("an entry of the log"))?);
            }
        }
        Ok(())
    }

    /// Where the index of the next segment tells which of its entries are wanted, or that none
    /// is, goes past it.
    async fn skip_segment(&mut self, log: &Closed) -> Result<bool, ServiceError> {
        let number = self.index / SEGMENT;
        let archive = &self.service.record.archive;
        if number >= log.size / SEGMENT {
            return Ok(false);
        }
        let Filter { from, to, .. } = &self.filter;
        if from.is_some() || to.is_some() {
            let span = archive.span(log.log, number).await?;
            let outside = span.is_some_and(|(earliest, latest)| {
                from.is_some_and(|from| latest < from) || to.is_some_and(|to| earliest >= to)
            });
            if outside {
                self.index += SEGMENT;
                return Ok(true);
            }
        }
        let Some(wanted) = &self.wanted else {
            return Ok(false);
        };
        let pseudonyms = wanted.pseudonyms.iter().copied().collect();
        match archive.positions_about(log.log, number, pseudonyms).await? {
            Ok(places) => {
                self.places = places.into();
                self.index += SEGMENT;
                Ok(true)
            }
            Err(()) => Ok(false),
        }
    }

    /// Reads the places that the index named in one bundle.
    async fn read_places(&mut self, log: &Closed, bundle: u64) -> Result<(), ServiceError> {
        let archive = &self.service.record.archive;
        let bytes = archive.bundle(log.log, bundle, log.size).await?;
        let mut reader = EntryReader::default();
        for (place, entry) in (bundle * WIDTH..).zip(entries(&bytes)) {
            if self.places.front() != Some(&place) {
                continue;
            }
            self.places.pop_front();
            let entry = entry.ok().and_then(|entry| reader.read(entry).ok());
            let entry = entry.ok_or(ServiceError::Damaged("an entry of the log"))?;
            self.entries.push_back(entry);
        }
        if self
            .places
            .front()
            .is_some_and(|place| place / WIDTH == bundle)
        {
            return Err(ServiceError::Damaged("the index of the log"));
        }
        Ok(())
    }

    /// The logs are read to the end that was last seen: on to a tail.
    fn begin_tail(&mut self, number: u16) -> Result<(), ServiceError> {
        if usize::from(number) >= self.end.len() {
            self.done = true;
            return Ok(());
        }
        let head = self.head.as_ref();
        let anchor = head.and_then(|head| head.cursors.get(usize::from(number)).copied().flatten());
        self.tail = Some(Tail {
            number,
            reader: TailReader::new(number, anchor, PAGE),
            batches: VecDeque::new(),
            read: 0,
        });
        Ok(())
    }

    async fn read_tail(&mut self) -> Result<(), ServiceError> {
        let Some(tail) = &mut self.tail else {
            return Ok(());
        };
        if let Some(batch) = tail.batches.pop_front() {
            let found = batch
                .entries()
                .map_err(|_| ServiceError::Damaged("a batch of audit entries"))?;
            tail.read += found.len() as u64;
            self.entries.extend(found);
            return Ok(());
        }
        let number = tail.number;
        let end = self.end.get(usize::from(number)).copied().flatten();
        let at = tail.reader.position();
        if end.is_none_or(|end| at.is_some_and(|at| at >= end)) {
            return self.begin_tail(number + 1);
        }
        let Some(mut batches) = tail.reader.next(&self.service.store).await? else {
            return self.back_to_log().await;
        };
        batches.retain(|batch| end.is_some_and(|end| batch.position <= end));
        if batches.is_empty() {
            return self.begin_tail(number + 1);
        }
        tail.batches = batches.into();
        Ok(())
    }

    /// What was to come next is sealed by now: reads on in the log behind what was read.
    async fn back_to_log(&mut self) -> Result<(), ServiceError> {
        let read = self.tail.take().map_or(0, |tail| tail.read);
        let before = self.head.take();
        let head = self.service.record.archive.head().await?;
        let unchanged =
            head.as_ref().map(|head| head.sequence) == before.as_ref().map(|head| head.sequence);
        if unchanged {
            // Not sealed, and yet not there: the store came back without it.
            return Err(ServiceError::Store(crate::store::StoreError::Lost));
        }
        let (log, size) = before.map_or((0, 0), |head| (head.closed.len(), head.size));
        self.head = head;
        self.log = log;
        self.index = size + read;
        // A year may have ended within what was read of the tail.
        while let Some(log) = self.current_log().filter(|log| self.index > log.size) {
            self.index -= log.size;
            self.log += 1;
        }
        Ok(())
    }
}
