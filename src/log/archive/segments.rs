//! The index of the log, where it lies: made, opened, made again.

use std::io;
use std::os::unix::fs::FileExt;

use super::{Archive, LogError, damaged};
use crate::domain::{EntryId, EntryReader, Moment, Pseudonym};
use crate::log::LogName;
use crate::log::index::{ENTRIES, ReadAt, Segment, SegmentBuilder};
use crate::log::pace::make_way_after;
use crate::log::storage::Source;
use crate::log::tile::{WIDTH, entries, index_path};

/// How many entries a segment covers.
pub const SEGMENT: u64 = ENTRIES as u64;

impl ReadAt for Source {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(into, offset),
            Self::Memory(bytes) => bytes.read_at(offset, into),
        }
    }
}

impl Archive {
    /// The index of a segment; nothing where it is missing or damaged, and has to be made again.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub async fn segment(
        &self,
        log: LogName,
        number: u64,
    ) -> Result<Option<Segment<Source>>, LogError> {
        let Some(source) = self.storage.open(&path(log, number)).await? else {
            return Ok(None);
        };
        let opened = blocking(move || Ok(Segment::open(source).ok())).await?;
        Ok(opened)
    }

    /// The time of a segment's earliest and latest entry, remembered; nothing where it has no
    /// index.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub async fn span(
        &self,
        log: LogName,
        number: u64,
    ) -> Result<Option<(Moment, Moment)>, LogError> {
        if let Some(span) = self.spans().get(&(log, number)) {
            return Ok(Some(*span));
        }
        let Some(segment) = self.segment(log, number).await? else {
            return Ok(None);
        };
        let span = (segment.header().earliest, segment.header().latest);
        self.spans().insert((log, number), span);
        Ok(Some(span))
    }

    /// Where the entry of an id stands in a segment. `Err(())` when there is no index to say so.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub async fn position_of(
        &self,
        log: LogName,
        number: u64,
        id: EntryId,
    ) -> Result<Result<Option<u64>, ()>, LogError> {
        let Some(segment) = self.segment(log, number).await? else {
            return Ok(Err(()));
        };
        let found = blocking(move || Ok(segment.position_of(&id))).await?;
        Ok(found
            .map(|place| place.map(|place| number * SEGMENT + u64::from(place)))
            .map_err(|_| ()))
    }

    /// The places of all entries about some pseudonyms in a segment, in order. `Err(())` when
    /// there is no index to say so.
    ///
    /// # Errors
    /// [`LogError::Storage`].
    pub async fn positions_about(
        &self,
        log: LogName,
        number: u64,
        wanted: Vec<Pseudonym>,
    ) -> Result<Result<Vec<u64>, ()>, LogError> {
        let Some(segment) = self.segment(log, number).await? else {
            return Ok(Err(()));
        };
        let look_up = move || {
            let mut places = Vec::new();
            for pn in &wanted {
                let Ok(rows) = segment.rows_of(pn) else {
                    return Ok(Err(()));
                };
                let rows = rows
                    .iter()
                    .map(|row| number * SEGMENT + u64::from(row.position));
                places.extend(rows);
            }
            places.sort_unstable();
            Ok(Ok(places))
        };
        blocking(look_up).await
    }

    /// Makes the index of a segment that is full, from its entries.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn index(&self, log: LogName, number: u64, size: u64) -> Result<(), LogError> {
        let bytes = self.gather_segment(log, number, size).await?;
        self.storage
            .put(vec![(path(log, number), bytes.into())])
            .await?;
        Ok(())
    }

    /// The index of the entries behind the last full segment, made in memory.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn rest(&self, log: LogName, size: u64) -> Result<Segment<Source>, LogError> {
        let bytes = self.gather_segment(log, size / SEGMENT, size).await?;
        let broken = || damaged("the end of the log could not be indexed");
        blocking(move || Segment::open(Source::Memory(bytes)).map_err(|_| broken())).await
    }

    async fn gather_segment(
        &self,
        log: LogName,
        number: u64,
        size: u64,
    ) -> Result<Vec<u8>, LogError> {
        let mut builder = SegmentBuilder::new();
        let first = number * SEGMENT;
        let end = (first + SEGMENT).min(size);
        for bundle in first / WIDTH..end.div_ceil(WIDTH) {
            let bytes = self.bundle(log, bundle, size).await?;
            let from = (bundle * WIDTH - first) as u32;
            let work = move || {
                let mut reader = EntryReader::default();
                for (place, entry) in (from..).zip(entries(&bytes)) {
                    make_way_after(place as usize);
                    let entry = entry.map_err(|error| damaged(&error.to_string()))?;
                    let entry = reader
                        .read(entry)
                        .map_err(|error| damaged(&error.to_string()))?;
                    builder
                        .add(place, &entry)
                        .map_err(|_| damaged("a segment with too many entries"))?;
                }
                Ok(builder)
            };
            builder = blocking(work).await?;
        }
        blocking(move || Ok(builder.finish())).await
    }
}

fn path(log: LogName, number: u64) -> String {
    format!("{log}/index/{}", index_path(number))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| damaged("reading it was broken off"))?
}
