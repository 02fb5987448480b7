//! Reading the tail: what the database and the journal hold, as one.

use redb::{ReadableDatabase, ReadableTable};

use super::Files;
use super::journal::Record;
use super::state::read_record;
use super::tables::{TAIL, away};
use crate::store::StoreError;
use crate::store::batch::{Position, TailBatch};

/// How often a page is read anew while the writer goes on beside it.
const TRIES: usize = 100;

/// At most so many batches from a place on.
pub(super) fn page(files: &Files, from: u64, limit: usize) -> Result<Vec<TailBatch>, StoreError> {
    for _ in 0..TRIES {
        if let Some(page) = try_page(files, from, limit)? {
            let batches = page.iter();
            return batches
                .map(|record| read_record(record.place, &record.batch))
                .collect();
        }
    }
    Err(StoreError::Late)
}

/// The same, unless something came between the reading of the one and that of the other: then the
/// journal goes on behind what the database held.
fn try_page(files: &Files, from: u64, limit: usize) -> Result<Option<Vec<Record>>, StoreError> {
    let rows = rows(files, from, limit)?;
    let journaled = files.journal.read(from, limit)?;
    let base = files.journal.base();
    let mut next = from.max(base);
    let mut rows = rows.into_iter().filter(|row| row.place >= base).peekable();
    let mut page: Vec<Record> = Vec::with_capacity(journaled.len());
    for record in journaled {
        while let Some(row) = rows.next_if(|row| row.place <= record.place) {
            next = row.place + 1;
            page.push(row);
        }
        // There are more rows than were read.
        if page.len() >= limit {
            break;
        }
        if record.place > next {
            return Ok(None);
        }
        // While a store is being closed, both have it.
        if page.last().is_none_or(|last| last.place < record.place) {
            next = record.place + 1;
            page.push(record);
        }
    }
    page.extend(rows);
    page.truncate(limit);
    Ok(Some(page))
}

fn rows(files: &Files, from: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
    let read = files.database.begin_read().map_err(away)?;
    let tail = read.open_table(TAIL).map_err(away)?;
    let rows = tail.range(from..).map_err(away)?;
    rows.take(limit)
        .map(|row| {
            let (place, batch) = row.map_err(away)?;
            let (place, batch) = (place.value(), batch.value().to_vec());
            Ok(Record { place, batch })
        })
        .collect()
}

/// Where the newest batch lies.
pub(super) fn end(files: &Files) -> Result<Option<Position>, StoreError> {
    let read = files.database.begin_read().map_err(away)?;
    let tail = read.open_table(TAIL).map_err(away)?;
    let row = tail.last().map_err(away)?.map(|(place, _)| place.value());
    let journaled = files.journal.newest();
    Ok(row.max(journaled).map(|place| Position(place, 0)))
}
