//! Finding single entries by their id, or by the id of the wash whose end they tell.
//!
//! What a segment's index covers is looked up there; what has no index yet, or has lost it, is
//! searched for the text of the id itself, which takes some milliseconds for 65,536 entries.

use memchr::memmem::Finder;

use crate::domain::{Detail, Entry, EntryId, Moment, ReportId};
use crate::log::tile::{WIDTH, entries};
use crate::log::{Closed, LogName, SEGMENT, TailReader};
use crate::service::{SearchPermit, Service, ServiceError};
use crate::store::TailBatch;

/// An entry that is looked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Sought {
    /// When it was made.
    at: Moment,
    /// Its own id, or that of the wash whose end it tells.
    name: Name,
}

#[derive(Debug, Clone, Copy)]
enum Name {
    Entry(EntryId),
    Wash(EntryId),
    Report(EntryId),
}

impl Sought {
    /// The entry of this id.
    pub fn entry(id: EntryId) -> Self {
        Self {
            at: Moment::from_millis(id.millis()),
            name: Name::Entry(id),
        }
    }

    /// The entry that tells how a wash ended, and was made at that moment.
    pub fn wash(id: EntryId, at: Moment) -> Self {
        Self {
            at,
            name: Name::Wash(id),
        }
    }

    /// The entry that says that a call was reported, made at that moment or soon after.
    pub fn report(id: ReportId, at: Moment) -> Self {
        Self {
            at,
            name: Name::Report(EntryId::from_bytes(*id.as_bytes())),
        }
    }

    fn is(&self, entry: &Entry) -> bool {
        match (self.name, &entry.context.detail) {
            (Name::Entry(id), _) => entry.id == id,
            (Name::Wash(id), Some(Detail::Washed(washed))) => washed.wash == *id.as_bytes(),
            (Name::Report(id), Some(Detail::Reported { report, .. })) => *report == *id.as_bytes(),
            (Name::Wash(_) | Name::Report(_), _) => false,
        }
    }

    /// What stands in its text and hardly anywhere else.
    fn text(&self) -> String {
        let (Name::Entry(id) | Name::Wash(id) | Name::Report(id)) = self.name;
        id.to_string()
    }
}

/// An entry that was found.
#[derive(Debug, Clone)]
pub(in crate::service) struct Found {
    /// In its canonical form.
    pub entry: Vec<u8>,
    /// Its log and its place there, if it is sealed.
    pub sealed: Option<(LogName, u64)>,
}

/// Looks for an entry in what a tail holds behind what is sealed; gives its canonical form.
fn find_in(page: &[TailBatch], sought: &Sought) -> Result<Option<Vec<u8>>, ServiceError> {
    for batch in page {
        let entries = batch
            .entries()
            .map_err(|_| ServiceError::Damaged("a batch of audit entries"))?;
        if let Some(entry) = entries.iter().find(|entry| sought.is(entry)) {
            let mut json = Vec::new();
            entry.write_json(&mut json);
            return Ok(Some(json));
        }
    }
    Ok(None)
}

impl Service {
    /// Finds an entry by its id.
    pub(in crate::service) async fn find(
        &self,
        permit: &SearchPermit,
        id: EntryId,
    ) -> Result<Option<Found>, ServiceError> {
        self.search(permit, &Sought::entry(id)).await
    }

    /// Finds an entry.
    pub(in crate::service) async fn search(
        &self,
        _permit: &SearchPermit,
        sought: &Sought,
    ) -> Result<Option<Found>, ServiceError> {
        // The tail first: what is sealed between the two looks is then in the log that is looked
        // at after it.
        if let Some(entry) = self.find_in_tails(sought).await? {
            return Ok(Some(Found {
                entry,
                sealed: None,
            }));
        }
        let Some(head) = self.record.archive.head().await? else {
            return Ok(None);
        };
        // The newest first, and none from before the entry's own year: a late entry of a year may
        // lie in the log of the next, never in that of an earlier one.
        let year = sought.at.year();
        for log in head.logs().into_iter().rev() {
            if log.log.year() < year {
                break;
            }
            if let Some((index, entry)) = self.find_in_log(&log, sought).await? {
                return Ok(Some(Found {
                    entry,
                    sealed: Some((log.log, index)),
                }));
            }
        }
        Ok(None)
    }

    async fn find_in_tails(&self, sought: &Sought) -> Result<Option<Vec<u8>>, ServiceError> {
        const PAGE: usize = 256;
        let head = self.record.archive.head().await?;
        for tail in 0..self.store.tails() {
            let cursors = head.as_ref().map(|head| &head.cursors);
            let cursor =
                cursors.and_then(|cursors| cursors.get(usize::from(tail)).copied().flatten());
            let mut reader = TailReader::new(tail, cursor, PAGE);
            loop {
                // Where its beginning is gone, all that was there is sealed by now.
                let page = reader.next(&self.store).await?.unwrap_or_default();
                if page.is_empty() {
                    break;
                }
                // Some hundred thousand entries may wait: not on a thread that answers.
                let sought = *sought;
                let found = tokio::task::spawn_blocking(move || find_in(&page, &sought));
                let found = found
                    .await
                    .map_err(|_| ServiceError::Damaged("a batch of audit entries"))??;
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    async fn find_in_log(
        &self,
        log: &Closed,
        sought: &Sought,
    ) -> Result<Option<(u64, Vec<u8>)>, ServiceError> {
        let archive = &self.record.archive;
        if archive.is_dropped(log.log).await? {
            return Ok(None);
        }
        let full = log.size / SEGMENT;
        for number in (0..log.size.div_ceil(SEGMENT)).rev() {
            if number < full {
                if let Some((earliest, latest)) = archive.span(log.log, number).await?
                    && (sought.at < earliest || sought.at > latest)
                {
                    continue;
                }
                if let Name::Entry(id) = sought.name
                    && let Ok(place) = archive.position_of(log.log, number, id).await?
                {
                    match place {
                        Some(index) => {
                            let entry = archive.entry(log.log, index, log.size).await?;
                            return Ok(Some((index, entry)));
                        }
                        None => continue,
                    }
                }
            }
            if let Some(found) = self.scan_segment(log, number, sought).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Looks through the entries of a segment themselves.
    async fn scan_segment(
        &self,
        log: &Closed,
        number: u64,
        sought: &Sought,
    ) -> Result<Option<(u64, Vec<u8>)>, ServiceError> {
        let text = sought.text();
        let finder = Finder::new(text.as_bytes());
        let end = ((number + 1) * SEGMENT).min(log.size);
        for bundle in (number * SEGMENT / WIDTH..end.div_ceil(WIDTH)).rev() {
            let bytes = self
                .record
                .archive
                .bundle(log.log, bundle, log.size)
                .await?;
            if finder.find(&bytes).is_none() {
                continue;
            }
            for (place, entry) in entries(&bytes).enumerate() {
                let entry = entry.map_err(|_| ServiceError::Damaged("an entry of the log"))?;
                let read = Entry::read_json(entry);
                let read = read.map_err(|_| ServiceError::Damaged("an entry of the log"))?;
                if sought.is(&read) {
                    return Ok(Some((bundle * WIDTH + place as u64, entry.to_vec())));
                }
            }
        }
        Ok(None)
    }

    /// Makes the index of every log anew. Returns how many segments it has.
    ///
    /// # Errors
    /// [`ServiceError::Log`].
    pub async fn reindex(&self, _permit: &SearchPermit) -> Result<u64, ServiceError> {
        let archive = &self.record.archive;
        let mut made = 0;
        let logs = archive
            .head()
            .await?
            .map(|head| head.logs())
            .unwrap_or_default();
        for log in logs {
            if archive.is_dropped(log.log).await? {
                continue;
            }
            for number in 0..log.size / SEGMENT {
                archive.index(log.log, number, log.size).await?;
                made += 1;
            }
        }
        Ok(made)
    }
}
