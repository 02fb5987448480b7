//! Where one row of a list ends and the next one begins.
//!
//! In a table a quoted cell may hold line breaks (RFC 4180, section 2); a quotation mark opens a
//! cell only at its beginning, and is an ordinary character elsewhere. A row ends with a line feed,
//! a carriage return, or both, as the `csv` crate has it. Rows are found in whatever pieces the
//! list comes in, without looking at any byte twice.

use memchr::{memchr, memchr2, memchr3};

use super::Form;

/// The longest row, in bytes. Beyond it a quotation mark was most likely opened and never closed.
pub const LONGEST_ROW: usize = 64 << 10;

/// Why there is no further row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// It is too long.
    #[error(
        "a row is longer than 64 KiB: perhaps a quotation mark is opened in it and never closed"
    )]
    TooLong,
    /// The list ends inside of a quoted cell.
    #[error("a quotation mark is opened and never closed")]
    OpenQuote,
}

/// One row, counted from where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Where its content ends and its line ending begins.
    pub content: usize,
    /// Where the next row begins.
    pub next: usize,
}

/// Finds row after row.
#[derive(Debug, Clone)]
pub struct Splitter {
    form: Form,
    delimiter: u8,
    /// So much of the row's beginning has been looked at.
    scanned: usize,
    quoted: bool,
    /// Where the first cell of the row begins: behind the mark of UTF-8 in the very first row.
    first_cell: usize,
}

impl Splitter {
    /// For a list of this form; `mark` is the length of the mark of UTF-8 before its first row.
    #[must_use]
    pub fn new(form: Form, delimiter: u8, mark: usize) -> Self {
        Self {
            form,
            delimiter,
            scanned: 0,
            quoted: false,
            first_cell: mark,
        }
    }

    /// The row that `bytes` begins with; nothing while its end is not there yet. `end` says that
    /// nothing comes behind `bytes`. Call it again with the same beginning, and more behind it,
    /// until there is a row, and then with what begins at the next one.
    ///
    /// # Errors
    /// [`RowError`]; then there is nothing more to be had.
    pub fn next(&mut self, bytes: &[u8], end: bool) -> Result<Option<Row>, RowError> {
        let row = match self.find(bytes, end) {
            Some(row) => row,
            None if bytes.len() > LONGEST_ROW => return Err(RowError::TooLong),
            None if !end || bytes.is_empty() => return Ok(None),
            None if self.quoted => return Err(RowError::OpenQuote),
            None => Row {
                content: bytes.len(),
                next: bytes.len(),
            },
        };
        if row.content > LONGEST_ROW {
            return Err(RowError::TooLong);
        }
        self.scanned = 0;
        self.first_cell = 0;
        Ok(Some(row))
    }

    #[inline]
    fn find(&mut self, bytes: &[u8], end: bool) -> Option<Row> {
        let mut at = self.scanned;
        loop {
            let rest = &bytes[at..];
            let found = match (self.quoted, self.form) {
                (true, _) => memchr(b'"', rest),
                (false, Form::Csv) => memchr3(b'\n', b'\r', b'"', rest),
                (false, Form::Lines) => memchr2(b'\n', b'\r', rest),
                (false, Form::Ndjson) => memchr(b'\n', rest),
            };
            let Some(found) = found else {
                self.scanned = bytes.len();
                return None;
            };
            let place = at + found;
            let after = bytes.get(place + 1);
            if after.is_none() && !end && bytes[place] != b'\n' {
                // What comes next decides what this is.
                self.scanned = place;
                return None;
            }
            at = place + 1;
            match (bytes[place], self.quoted) {
                (b'"', true) if after == Some(&b'"') => at += 1,
                (b'"', true) => self.quoted = false,
                (b'"', false) => {
                    self.quoted =
                        place == self.first_cell || place > 0 && bytes[place - 1] == self.delimiter;
                }
                (b'\r', false) if after == Some(&b'\n') => {
                    return Some(Row {
                        content: place,
                        next: at + 1,
                    });
                }
                _ => {
                    return Some(Row {
                        content: place,
                        next: at,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The contents of all rows of a list that comes in pieces of this length.
    fn rows(list: &[u8], form: Form, piece: usize) -> Result<Vec<Vec<u8>>, RowError> {
        let mut splitter = Splitter::new(form, b',', 0);
        let mut rows = Vec::new();
        let (mut start, mut come) = (0, 0);
        loop {
            let end = come == list.len();
            match splitter.next(&list[start..come], end)? {
                Some(row) => {
                    rows.push(list[start..start + row.content].to_vec());
                    start += row.next;
                }
                None if end => return Ok(rows),
                None => come = (come + piece).min(list.len()),
            }
        }
    }

    #[test]
    fn a_row_ends_where_its_line_does_unless_a_quoted_cell_holds_the_line_break() {
        let list = b"a,\"b\r\n\"\"c\",d\r\ne\"f,g\rh\n\n\"i\"j\"\n";
        let expected: Vec<&[u8]> = vec![b"a,\"b\r\n\"\"c\",d", b"e\"f,g", b"h", b"", b"\"i\"j\""];
        for piece in 1..list.len() {
            assert_eq!(rows(list, Form::Csv, piece).unwrap(), expected, "{piece}");
        }
        assert_eq!(rows(b"\"a\n\"b", Form::Lines, 2).unwrap(), [b"\"a", b"\"b"]);
        assert_eq!(
            rows(b"{}\r\n{}", Form::Ndjson, 3).unwrap(),
            [b"{}\r".as_slice(), b"{}"]
        );
    }

    #[test]
    fn the_mark_of_utf8_does_not_hide_a_quotation_mark() {
        let mut splitter = Splitter::new(Form::Csv, b',', 3);
        let list = b"\xef\xbb\xbf\"a\nb\"\nc\n";
        let row = splitter.next(list, true).unwrap().unwrap();
        assert_eq!((row.content, row.next), (8, 9));
    }

    #[test]
    fn a_row_without_end_is_an_error_and_no_row() {
        let long = [b"x".repeat(LONGEST_ROW + 1), b"\n".to_vec()].concat();
        assert_eq!(rows(&long, Form::Lines, 9_999), Err(RowError::TooLong));
        assert_eq!(rows(&long, Form::Lines, long.len()), Err(RowError::TooLong));
        let most = [b"x".repeat(LONGEST_ROW), b"\n".to_vec()].concat();
        assert_eq!(rows(&most, Form::Lines, 9_999).unwrap().len(), 1);
        assert_eq!(rows(b"a,\"b\nc\n", Form::Csv, 3), Err(RowError::OpenQuote));
    }

    proptest! {
        #[test]
        fn rows_are_those_that_the_csv_crate_finds(
            list in "[ab,\"\r\n]{0,40}",
            piece in 1_usize..41,
        ) {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(list.as_bytes());
            let expected: Vec<csv::ByteRecord> =
                reader.byte_records().map(Result::unwrap).collect();
            let found = match rows(list.as_bytes(), Form::Csv, piece) {
                Ok(found) => found,
                Err(error) => {
                    prop_assert_eq!(error, RowError::OpenQuote);
                    return Ok(());
                }
            };
            let found: Vec<_> = found.into_iter().filter(|row| !row.is_empty()).collect();
            prop_assert_eq!(found.len(), expected.len());
            for (row, expected) in found.iter().zip(&expected) {
                for place in 0..=expected.len() {
                    let mut room = Vec::new();
                    let (count, cell) =
                        super::super::cells::cell(row, b',', place, &mut room);
                    prop_assert_eq!(count, expected.len());
                    prop_assert_eq!(cell, expected.get(place));
                }
            }
        }
    }
}
