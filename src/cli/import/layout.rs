//! Which columns hold the numbers, found out from the first row.

use std::fs::File;
use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};

use super::Import;
use crate::cli::Failure;
use crate::service::table::{
    BYTE_ORDER_MARK, Column, Numbers, NumbersError, delimiter_of, foreign,
};
use crate::service::wash::{Form, Splitter};

/// As much of the beginning as is looked at.
const BEGINNING: u64 = 128 << 10;

/// What stands where. Columns are counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub numbers: Numbers,
    /// What their columns are called.
    pub names: Vec<String>,
    /// How many columns there are.
    pub columns: usize,
    pub date_column: Option<usize>,
    pub delimiter: u8,
}

impl Layout {
    /// Looks at the beginning of the file.
    pub fn find(import: &Import) -> Result<Self, Failure> {
        let file = &import.file;
        let mut start = Vec::new();
        File::open(file)
            .and_then(|opened| opened.take(BEGINNING).read_to_end(&mut start))
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
        let delimiter = import.delimiter.as_deref().map(delimiter).transpose()?;
        let columns = [import.column.as_deref(), import.date_column.as_deref()];
        Self::of(&start, delimiter, columns)
    }

    fn of(
        start: &[u8],
        delimiter: Option<u8>,
        columns: [Option<&str>; 2],
    ) -> Result<Self, Failure> {
        if let Some(foreign) = foreign(start, false) {
            return Err(Failure::usage(format!("this file is no list: {foreign}")));
        }
        let whole = (start.len() as u64) < BEGINNING;
        let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
        let delimiter = delimiter.unwrap_or_else(|| delimiter_of(start));
        let mut rows = Rows {
            rest: start,
            splitter: Splitter::new(Form::Csv, delimiter, 0),
            whole,
        };
        let no_row = || Failure::usage("there is no row in this file");
        let first_row = rows.next()?.ok_or_else(no_row)?;
        let mut first = ByteRecord::new();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(first_row);
        // A row in memory is always read, whatever stands in it.
        let _ = reader.read_byte_record(&mut first);
        let column = columns[0].map(Column::new);
        let numbers = Numbers::find(&first, first.len(), column.as_ref(), None);
        let numbers = numbers.map_err(|error| unknown(error, columns[0], first.len()))?;
        let heading = numbers.heading.then_some(&first);
        let date_column = columns[1].map(|given| {
            let place = Column::new(given).position(heading, first.len());
            place.ok_or_else(|| no_column(given, "the date", first.len()))
        });
        // What is wrong with a later row is told with its line when the file is cut.
        if numbers.heading && whole && matches!(rows.next(), Ok(None)) {
            return Err(no_row());
        }
        Ok(Self {
            names: numbers.names(&first),
            columns: first.len(),
            date_column: date_column.transpose()?,
            delimiter,
            numbers,
        })
    }

    /// As the service wants to hear it.
    pub fn delimiter(&self) -> String {
        match self.delimiter {
            b'\t' => "tab".to_owned(),
            sign => char::from(sign).to_string(),
        }
    }
}

fn delimiter(text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => Ok(*one),
        _ => Err(Failure::usage("--delimiter is one character, or tab")),
    }
}

fn unknown(error: NumbersError, given: Option<&str>, columns: usize) -> Failure {
    match error {
        NumbersError::Nothing => Failure::usage(
            "no column is named as that of a phone number usually is: say which one it is with \
             --column, by its name or its position from 1",
        ),
        NumbersError::Several => Failure::usage(
            "more than one column could be that of the phone numbers: say which one it is with \
             --column, by its name or its position from 1; or several, with commas between them",
        ),
        NumbersError::NoSuchColumn => no_column(given.unwrap_or_default(), "the number", columns),
    }
}

fn no_column(given: &str, what: &str, columns: usize) -> Failure {
    Failure::usage(format!(
        "there is no column {given} for {what}: the first row has {columns} columns"
    ))
}

/// The rows of the beginning that are not blank.
struct Rows<'a> {
    rest: &'a [u8],
    splitter: Splitter,
    whole: bool,
}

impl<'a> Rows<'a> {
    fn next(&mut self) -> Result<Option<&'a [u8]>, Failure> {
        loop {
            let row = self.splitter.next(self.rest, self.whole);
            let row = row.map_err(|error| Failure::usage(format!("the first row: {error}")))?;
            let Some(row) = row else { return Ok(None) };
            let (this, rest) = self.rest.split_at(row.next);
            self.rest = rest;
            if !this.trim_ascii().is_empty() {
                return Ok(Some(&this[..row.content]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = (Vec<usize>, Option<usize>, u8, bool);

    fn of(start: &str, columns: [Option<&str>; 2]) -> Result<Told, String> {
        let found = Layout::of(start.as_bytes(), None, columns);
        let told = |l: Layout| {
            (
                l.numbers.places,
                l.date_column,
                l.delimiter,
                l.numbers.heading,
            )
        };
        found.map(told).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_column_is_found_by_its_name_its_place_or_because_it_is_the_only_one() {
        let none = [None, None];
        assert_eq!(of("+32470000001\n", none), Ok((vec![0], None, b',', false)));
        assert_eq!(
            of("0470/00.00.01\n", none),
            Ok((vec![0], None, b',', false))
        );
        assert_eq!(of("phone\n0470\n", none), Ok((vec![0], None, b',', true)));
        assert_eq!(
            of("\u{feff}id;Phone Number\n1;2\n", none),
            Ok((vec![1], None, b';', true))
        );
        assert_eq!(
            of("a\t\"b,c\"\td\r1\r", [Some("D"), Some("1")]),
            Ok((vec![2], Some(0), b'\t', true))
        );
        let row = "7,+32470000001,2019-05-01\n";
        assert_eq!(
            of(row, [Some("2"), Some("3")]),
            Ok((vec![1], Some(2), b',', false))
        );
        for columns in [
            none,
            [Some("phone"), None],
            [Some("4"), None],
            [Some("0"), None],
        ] {
            let said = of(row, columns).unwrap_err();
            assert!(!said.contains("470"), "{said}");
        }
        for none_at_all in ["", "\n \n", "phone\r\n", "a,phone\n \n"] {
            let said = of(none_at_all, none).unwrap_err();
            assert!(said.contains("no row"), "{said}");
        }
        assert_eq!(
            of("phone;mobile\r1;2\r", none),
            Ok((vec![0, 1], None, b';', true))
        );
        assert!(
            of("number;called\n1;2\n", none)
                .unwrap_err()
                .contains("--column")
        );
        assert!(of("PK\u{3}\u{4}", none).unwrap_err().contains("zip"));
    }
}
