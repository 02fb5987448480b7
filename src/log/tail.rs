//! What a tail holds behind what is sealed, page after page.
//!
//! Each page begins with the batch that was read last: while it is there, nothing can have been
//! missed. Where it is not, the tail was trimmed behind it, as all of that is sealed by now, or
//! exchanged.

use super::Cursor;
use crate::store::{Position, Store, StoreError, TailBatch};

/// Reads a tail.
#[derive(Debug, Clone, Copy)]
pub struct TailReader {
    tail: u16,
    /// The batch that was read last.
    last: Option<Cursor>,
    /// How many batches are read at a time.
    page: usize,
}

impl TailReader {
    /// From behind a cursor, or from the start of the tail.
    #[must_use]
    pub fn new(tail: u16, cursor: Option<Cursor>, page: usize) -> Self {
        Self {
            tail,
            last: cursor,
            page,
        }
    }

    /// Where the batch lies that was read last.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.last.map(|cursor| cursor.position)
    }

    /// The next batches, none at the end of the tail; nothing where the batch that was read last is
    /// not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next(&mut self, store: &Store) -> Result<Option<Vec<TailBatch>>, StoreError> {
        let mut page = store.tail(self.tail, self.position(), self.page).await?;
        let newest = page.last().map(Cursor::on);
        if let Some(anchor) = self.last {
            match page.first() {
                Some(batch) if anchor.is_on(batch) => drop(page.remove(0)),
                _ => return Ok(None),
            }
        }
        self.last = newest;
        Ok(Some(page))
    }
}
