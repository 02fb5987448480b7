//! Where one row of a table ends and the next one begins.
//!
//! In a table a quoted cell may hold line breaks (RFC 4180, section 2); a quotation mark opens a
//! cell only at its beginning, blanks before it left out, and is an ordinary character elsewhere. A
//! row ends with a line feed, a carriage return, or both. Rows are found in whatever pieces the
//! table comes in, and are the same ones in all of them.
//!
//! A quotation mark that was opened by mistake would swallow the rows behind it. If none within
//! [`LONGEST_ROW`] closes it, the row ends with its line, [damaged](Row::damaged), and the next
//! line is a row again.

use memchr::{memchr, memchr2, memchr3};

use super::Form;

/// The longest row, in bytes.
pub const LONGEST_ROW: usize = 64 << 10;

/// A row is longer than [`LONGEST_ROW`]: nothing behind it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row is longer than 64 KiB, so this is no list")]
pub struct EndlessRow;

/// One row, counted from where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Where its content ends and its line ending begins.
    pub content: usize,
    /// Where the next row begins.
    pub next: usize,
    /// Whether a quotation mark is opened in it and never closed: its cells are not known.
    pub damaged: bool,
}

/// Finds row after row.
#[derive(Debug, Clone)]
pub struct Splitter {
    form: Form,
    delimiter: u8,
    /// So much of the row's beginning has been looked at.
    scanned: usize,
    /// Where the quotation mark stands that is open.
    quoted: Option<usize>,
    /// Where the first cell of the row begins: behind the mark of UTF-8 in the very first row.
    first_cell: usize,
}

impl Splitter {
    /// For a table of this form; `mark` is the length of the mark of UTF-8 before its first row.
    #[must_use]
    pub fn new(form: Form, delimiter: u8, mark: usize) -> Self {
        Self {
            form,
            delimiter,
            scanned: 0,
            quoted: None,
            first_cell: mark,
        }
    }

    /// The row that `bytes` begins with; nothing while its end is not there yet. `end` says that
    /// nothing comes behind `bytes`. Call it again with the same beginning, and more behind it,
    /// until there is a row, and then with what begins at the next one.
    ///
    /// # Errors
    /// [`EndlessRow`]; then there is nothing more to be had.
    pub fn next(&mut self, bytes: &[u8], end: bool) -> Result<Option<Row>, EndlessRow> {
        // No further than a row may reach, so that it does not matter in what pieces it comes.
        let window = &bytes[..bytes.len().min(LONGEST_ROW + 2)];
        let end = end && window.len() == bytes.len();
        let row = match self.find(window, end) {
            Some(row) => row,
            None if window.is_empty() => return Ok(None),
            None if !end && window.len() < LONGEST_ROW + 2 => return Ok(None),
            None => self.unended(window),
        };
        if row.content > LONGEST_ROW {
            return Err(EndlessRow);
        }
        self.scanned = 0;
        self.quoted = None;
        self.first_cell = 0;
        Ok(Some(row))
    }

    /// A row that ends with the table, or with the line in which a quotation mark was left open.
    fn unended(&self, bytes: &[u8]) -> Row {
        let line_end = |open: usize| Some(open + memchr2(b'\n', b'\r', &bytes[open..])?);
        let content = self.quoted.and_then(line_end).unwrap_or(bytes.len());
        let ending = match &bytes[content..] {
            [b'\r', b'\n', ..] => 2,
            rest => rest.len().min(1),
        };
        Row {
            content,
            next: content + ending,
            damaged: self.quoted.is_some(),
        }
    }

    #[inline]
    fn find(&mut self, bytes: &[u8], end: bool) -> Option<Row> {
        let mut at = self.scanned;
        loop {
            let rest = &bytes[at..];
            let found = match (self.quoted, self.form) {
                (Some(_), _) => memchr(b'"', rest),
                (None, Form::Csv) => memchr3(b'\n', b'\r', b'"', rest),
                (None, Form::Lines) => memchr2(b'\n', b'\r', rest),
                (None, Form::Ndjson) => memchr(b'\n', rest),
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
                (b'"', Some(_)) if after == Some(&b'"') => at += 1,
                (b'"', Some(_)) => self.quoted = None,
                (b'"', None) => self.quoted = self.opens(bytes, place).then_some(place),
                (first, _) => {
                    let both = first == b'\r' && after == Some(&b'\n');
                    return Some(Row {
                        content: place,
                        next: at + usize::from(both),
                        damaged: false,
                    });
                }
            }
        }
    }

    /// Whether a quotation mark stands where a cell begins.
    fn opens(&self, bytes: &[u8], place: usize) -> bool {
        let before = bytes.get(self.first_cell..place).unwrap_or_default();
        let blank = |byte: &&u8| is_blank(**byte, self.delimiter);
        let before = before.iter().rev().find(|byte| !blank(byte));
        before.is_none_or(|byte| *byte == self.delimiter)
    }
}

/// Whether a byte may stand between a delimiter and a quotation mark.
pub(super) fn is_blank(byte: u8, delimiter: u8) -> bool {
    matches!(byte, b' ' | b'\t') && byte != delimiter
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::Cells;

    /// The contents of all rows of a table that comes in pieces of this length, and whether each is
    /// damaged.
    fn rows(list: &[u8], form: Form, piece: usize) -> Result<Vec<(Vec<u8>, bool)>, EndlessRow> {
        let mut splitter = Splitter::new(form, b',', 0);
        let mut rows = Vec::new();
        let (mut start, mut come) = (0, 0);
        loop {
            let end = come == list.len();
            match splitter.next(&list[start..come], end)? {
                Some(row) => {
                    let content = list[start..start + row.content].to_vec();
                    rows.push((content, row.damaged));
                    start += row.next;
                }
                None if end => return Ok(rows),
                None => come = (come + piece).min(list.len()),
            }
        }
    }

    fn whole(rows: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        rows.iter().map(|row| (row.to_vec(), false)).collect()
    }

    #[test]
    fn a_row_ends_where_its_line_does_unless_a_quoted_cell_holds_the_line_break() {
        let list = b"a,\"b\r\n\"\"c\",d\r\ne\"f,g\rh\n\n\"i\"j\"\nk, \"l\n\" ,m\n";
        let expected = whole(&[
            b"a,\"b\r\n\"\"c\",d",
            b"e\"f,g",
            b"h",
            b"",
            b"\"i\"j\"",
            b"k, \"l\n\" ,m",
        ]);
        for piece in 1..list.len() {
            assert_eq!(rows(list, Form::Csv, piece).unwrap(), expected, "{piece}");
        }
        assert_eq!(
            rows(b"\"a\n\"b", Form::Lines, 2).unwrap(),
            whole(&[b"\"a", b"\"b"])
        );
        assert_eq!(
            rows(b"{}\r\n{}", Form::Ndjson, 3).unwrap(),
            whole(&[b"{}\r", b"{}"])
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
    fn a_quotation_mark_that_nothing_closes_costs_its_own_line_and_no_other() {
        let far = [&b"c,d\r\n".repeat(20_000), b"\"".as_slice()].concat();
        for rest in [b"c,d\r\ne\n".as_slice(), b"", &far] {
            let list = [b"a,\"x\ny\",\"b\r\n", rest].concat();
            let expected = [
                vec![(b"a,\"x\ny\",\"b".to_vec(), true)],
                rows(rest, Form::Csv, 9_999).unwrap(),
            ]
            .concat();
            let pieces = if list.len() > 100 { 9_999 } else { 1 };
            for piece in [pieces, 7_777, list.len()] {
                assert!(rows(&list, Form::Csv, piece).unwrap() == expected);
            }
        }
    }

    #[test]
    fn a_row_without_end_is_an_error_and_no_row() {
        for long in [
            b"x".repeat(LONGEST_ROW + 1),
            [b"\"".as_slice(), &b"x".repeat(LONGEST_ROW)].concat(),
        ] {
            let long = [long, b"\n".to_vec()].concat();
            for piece in [9_999, LONGEST_ROW, long.len()] {
                assert_eq!(rows(&long, Form::Csv, piece), Err(EndlessRow));
            }
        }
        let most = [b"x".repeat(LONGEST_ROW), b"\r\nx".to_vec()].concat();
        assert_eq!(rows(&most, Form::Lines, 9_999).unwrap().len(), 2);
    }

    proptest! {
        #[test]
        fn rows_and_cells_are_those_that_the_csv_crate_finds(
            list in "[ab,\"\r\n]{0,40}",
            piece in 1_usize..41,
        ) {
            let found = rows(list.as_bytes(), Form::Csv, piece).unwrap();
            prop_assert_eq!(&found, &rows(list.as_bytes(), Form::Csv, 41).unwrap());
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(list.as_bytes());
            let expected: Vec<csv::ByteRecord> =
                reader.byte_records().map(Result::unwrap).collect();
            let mut cells = Cells::default();
            let found: Vec<_> = found.into_iter().filter(|(row, _)| !row.is_empty()).collect();
            // Where a mark is out of place, theirs is a guess and ours a refusal.
            if found.iter().any(|(row, damaged)| {
                cells.split(row, b',');
                *damaged || cells.damaged()
            }) {
                return Ok(());
            }
            prop_assert_eq!(found.len(), expected.len());
            for ((row, _), expected) in found.iter().zip(&expected) {
                cells.split(row, b',');
                prop_assert!(cells.iter(row).eq(expected));
            }
        }

        #[test]
        fn nothing_of_a_table_is_passed_over_and_its_pieces_do_not_matter(
            list in prop::collection::vec(prop::sample::select(b"a,\" \t\r\n;\xff".to_vec()), 0..200),
            piece in 1_usize..200,
        ) {
            let found = rows(&list, Form::Csv, piece).unwrap();
            prop_assert_eq!(&found, &rows(&list, Form::Csv, 200).unwrap());
            let ink = |bytes: &[u8]| -> Vec<u8> {
                let breaks = |byte: &&u8| !matches!(**byte, b'\r' | b'\n');
                bytes.iter().filter(breaks).copied().collect()
            };
            let rows: Vec<u8> = found.iter().flat_map(|(row, _)| row.clone()).collect();
            prop_assert_eq!(ink(&rows), ink(&list));
        }
    }
}
