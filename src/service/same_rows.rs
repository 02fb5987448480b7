//! Wash, import and match read the same rows, cells and numbers of any bytes. Compared by a test, and
//! by a fuzzer.

use std::collections::BTreeSet;

use super::import::Rows;
use super::matching::{CallsError, Column, Mapping, Unreadable, read_calls};
use super::wash::washed_rows;
use crate::domain::{Notation, PhoneNumber, Region};
use crate::table::{
    Cells, Form, Layout, LayoutError, RowError, Splitter, TextReader, Wanted, is_empty, line_ends,
};

/// A row as a wash reads it: where it begins, what it holds, its numbers, and why one of them cannot
/// be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Washed {
    pub start: usize,
    pub content: Vec<u8>,
    pub numbers: Vec<PhoneNumber>,
    pub error: Option<RowError>,
}

/// Compares the three. The first bytes say how the others are to be read.
///
/// # Panics
/// Where they differ.
pub fn compare(bytes: &[u8]) {
    let [how, piece, cut, bytes @ ..] = bytes else {
        return;
    };
    let Some(list) = text(bytes) else { return };
    // The sign between the columns may be said; so may the column, and whether there is a heading.
    let delimiter = [b',', b';', b'\t', b'|'][usize::from(how & 3)];
    let delimiter = (how & 64 == 0).then_some(delimiter);
    let heading = (how & 32 == 0).then_some(how & 4 != 0);
    let column = [Some("1"), Some("1"), Some("2"), None][usize::from(how >> 3 & 3)];
    let notation = Notation::from(Region::parse("BE").ok());
    let wanted = Wanted {
        form: Form::Csv,
        column: column.map(Column::new),
        columns: None,
        delimiter,
        heading,
        encoding: None,
        region_column: None,
        taken: &[],
    };
    let layout = match Layout::find(&list, true, &wanted) {
        Ok(Some(layout)) => layout,
        Ok(None) => panic!("all of it is there"),
        Err(error) => return refused(&list, &error, delimiter),
    };
    let rows = washed_rows(&list, list.len() + 1, &wanted, notation);
    let in_pieces = washed_rows(&list, usize::from(*piece) + 1, &wanted, notation);
    assert_eq!(rows, in_pieces, "in whatever pieces it comes");
    let rows = match rows {
        Ok(rows) => rows,
        // A row has no end: nobody reads on behind it.
        Err(_) => return endless(&list, &layout, notation),
    };
    imported(&list, usize::from(*cut), &layout, &rows, notation);
    matched(&list, &layout, &rows, notation);
}

/// What comes out of any coding; nothing of what is none.
fn text(bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;

    let mut text = Vec::new();
    let mut reader = TextReader::new(bytes).ok()?;
    reader.read_to_end(&mut text).ok()?;
    // What was packed twice is unpacked once.
    let mut again = Vec::new();
    let mut reader = TextReader::new(&*text).ok()?;
    reader.read_to_end(&mut again).ok()?;
    (text == again).then_some(text)
}

/// A list that cannot be washed at all cannot be matched either.
fn refused(list: &[u8], error: &LayoutError, delimiter: Option<u8>) {
    let mapping = Mapping {
        called: Some(Column::new("1")),
        time: Some(Column::new("1")),
        delimiter,
        ..Mapping::default()
    };
    if let LayoutError::Head(_) = error {
        assert!(read_calls(list, &mapping).is_err(), "{error}");
    }
}

/// How an import reads a table that is laid out so.
fn import(layout: &Layout, notation: Notation) -> Rows {
    Rows {
        numbers: layout.numbers.places.clone(),
        columns: layout.columns,
        date_column: None,
        date_order: None,
        region_column: None,
        only: None,
        delimiter: layout.head.delimiter,
        heading: layout.heading,
        notation,
    }
}

/// How a match does; of several numbers it takes the first.
fn mapping(layout: &Layout, notation: Notation) -> Mapping {
    let called = layout.numbers.places[0][0] + 1;
    let column = || Some(Column::new(&called.to_string()));
    Mapping {
        called: column(),
        time: column(),
        heading: false,
        delimiter: Some(layout.head.delimiter),
        notation,
        ..Mapping::default()
    }
}

fn endless(list: &[u8], layout: &Layout, notation: Notation) {
    assert!(import(layout, notation).told(list, true).is_err());
    assert!(read_calls(list, &mapping(layout, notation)).is_err());
}

/// An import has the numbers of all rows that a wash asks about, and tells of the others by their
/// lines; also where it comes in two parts.
fn imported(list: &[u8], cut: usize, layout: &Layout, rows: &[Washed], notation: Notation) {
    let (mut numbers, mut told, mut count) = (BTreeSet::new(), Vec::new(), 0);
    for row in rows {
        numbers.extend(row.numbers.iter().copied());
        let line = 1 + line_ends(&list[..row.start]);
        match row.error {
            // Each line that the quotation mark swallowed is told.
            Some(RowError::Quotes) => {
                let mut at = 0;
                let mut splitter = Splitter::new(Form::Lines, 0, 0);
                while let Ok(Some(one)) = splitter.next(&row.content[at..], true) {
                    if !is_empty(&row.content[at..at + one.content]) {
                        count += 1;
                        told.push((
                            line + line_ends(&row.content[..at]),
                            RowError::Quotes.code(),
                        ));
                    }
                    at += one.next;
                }
            }
            Some(error) => {
                count += 1;
                told.push((line, error.code()));
            }
            None => count += 1,
        }
    }
    let reader = import(layout, notation);
    // A part ends where a row does.
    let start = rows.get(cut % rows.len().max(1)).map_or(0, |row| row.start);
    let (first, second) = list.split_at(start);
    let whole = reader.told(list, true);
    assert_eq!(whole, Ok((count, numbers, told)), "imported");
    if start > 0
        && let (Ok(first_part), Ok(second)) = (reader.told(first, true), reader.told(second, false))
    {
        let lines = line_ends(first);
        let later = second.2.into_iter().map(|(line, why)| (lines + line, why));
        let rejected = first_part.2.into_iter().chain(later).collect();
        let numbers = first_part.1.union(&second.1).copied().collect();
        let both = (first_part.0 + second.0, numbers, rejected);
        assert_eq!(whole, Ok(both), "in two parts");
    }
}

/// A match has the same rows with the same cells; of one with as many cells as the first row has, it
/// has the same number.
fn matched(list: &[u8], layout: &Layout, rows: &[Washed], notation: Notation) {
    let calls = match read_calls(list, &mapping(layout, notation)) {
        Ok(calls) => calls,
        Err(CallsError::Empty) => return assert!(rows.is_empty(), "{rows:?}"),
        Err(error) => panic!("{error}"),
    };
    // To a match that is not told of it the heading is a row.
    let above = usize::from(layout.heading);
    assert_eq!(calls.len(), rows.len() + above, "{rows:?}, {calls:?}");
    let mut cells = Cells::default();
    for (row, call) in rows.iter().zip(&calls[above..]) {
        cells.split(&row.content, layout.head.delimiter);
        assert!(cells.iter(&row.content).eq(&call.columns), "{row:?}");
        let damaged = row.error == Some(RowError::Quotes) || cells.len() != layout.columns;
        match &call.call {
            Err(Unreadable::Columns) => assert!(damaged, "{row:?}"),
            Err(Unreadable::Number(why)) if layout.numbers.places.len() == 1 => {
                assert_eq!(row.error, Some((*why).into()));
            }
            Ok(call) => assert!(row.numbers.contains(&call.number), "{row:?}"),
            // Few cells are both a time and a number.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What tables are made of, and what takes them apart.
    const PARTS: [&[u8]; 24] = [
        b"+32470000001",
        b"0470 00 00 02",
        b"=\"0470000003\"",
        b"112",
        b",",
        b",",
        b";",
        b"\"",
        b"\"\"",
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"\t",
        b"x",
        b"phone",
        b"sep=;\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\0",
        b"\xe9",
        b"|",
        b"VARCHAR(1)",
    ];

    #[test]
    fn what_the_fuzzer_found_is_read_in_one_way() {
        compare(include_bytes!("../../fuzz/seeds/tables/table"));
        // A number in Windows-1252.
        compare(include_bytes!("../../fuzz/seeds/tables/windows_1252"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn wash_import_and_match_read_the_same_of_any_table(
            how in any::<[u8; 3]>(),
            parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..40),
        ) {
            compare(&[&how[..], &parts.concat()].concat());
        }

        #[test]
        fn wash_import_and_match_read_the_same_of_any_bytes(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            compare(&bytes);
        }
    }
}
