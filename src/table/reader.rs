//! The rows of a whole file, one after the other.

use std::io::{self, Read};

use super::{
    BYTE_ORDER_MARK, EndlessRow, Form, Head, HeadError, Row, Splitter, TextReader, is_empty,
};

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// Reads row after row, in memory that does not grow with the file. Empty lines, and the one that
/// says what stands between the columns, are no rows.
pub struct Rows<R> {
    from: TextReader<R>,
    head: Head,
    splitter: Splitter,
    read: Vec<u8>,
    /// Where the next row begins in `read`.
    at: usize,
    ended: bool,
    /// Whether the file's first line is still to come.
    first: bool,
    /// How many rows were read.
    rows: u64,
}

/// Why rows cannot be read at all, or not to their end.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The beginning.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The row behind those that were read has no end.
    #[error("row {0} is longer than 64 KiB, so this is no list")]
    Endless(u64),
    /// The bytes do not come.
    #[error("it cannot be read to its end")]
    Read(#[from] io::Error),
}

impl<R: Read> Rows<R> {
    /// Looks at the beginning of a file. `delimiter` is what stands between its columns, if that is
    /// known.
    ///
    /// # Errors
    /// [`RowsError`].
    pub fn new(from: R, form: Form, delimiter: Option<u8>) -> Result<Self, RowsError> {
        let mut from = TextReader::new(from)?;
        let (mut read, mut ended) = (Vec::new(), false);
        let head = loop {
            if let Some(head) = Head::find(&read, ended, form, delimiter)? {
                break head;
            }
            ended = !more(&mut from, &mut read)?;
        };
        Ok(Self {
            from,
            splitter: head.splitter(),
            head,
            read,
            at: 0,
            ended,
            first: true,
            rows: 0,
        })
    }

    /// What the beginning tells.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The content of the next row, the heading included, and whether a quotation mark is opened in
    /// it and never closed; nothing at the end.
    ///
    /// # Errors
    /// [`RowsError`]; no row that comes after can be read either.
    pub fn next_row(&mut self) -> Result<Option<(&[u8], bool)>, RowsError> {
        loop {
            let row = self.splitter.next(&self.read[self.at..], self.ended);
            let row = row.map_err(|EndlessRow| RowsError::Endless(self.rows + 1))?;
            let Some(row) = row else {
                if self.ended {
                    return Ok(None);
                }
                self.read.drain(..self.at);
                self.at = 0;
                self.ended = !more(&mut self.from, &mut self.read)?;
                continue;
            };
            let (start, end) = self.content(row);
            let separator_line = std::mem::take(&mut self.first) && self.head.separator_line;
            if !separator_line && !is_empty(&self.read[start..end]) {
                self.rows += 1;
                return Ok(Some((&self.read[start..end], row.damaged)));
            }
        }
    }

    /// Where the content of a row lies, which is passed over.
    fn content(&mut self, row: Row) -> (usize, usize) {
        let mark = match self.first && self.head.marked {
            true => BYTE_ORDER_MARK.len(),
            false => 0,
        };
        let start = self.at;
        self.at += row.next;
        let end = start + row.content;
        ((start + mark).min(end), end)
    }
}

/// Reads some more; false at the end.
fn more(from: &mut impl Read, into: &mut Vec<u8>) -> io::Result<bool> {
    let read = from.take(PIECE as u64).read_to_end(into)?;
    Ok(read > 0)
}
