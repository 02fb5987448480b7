//! Which columns hold the numbers, found out from the first row.

use std::io::Read;

use super::Import;
use crate::cli::Failure;
use crate::cli::source::Source;
use crate::cli::survey;
use crate::domain::Notation;
use crate::table::{Column, Form, Layout, LayoutError, Wanted, is_empty};

/// As much of the beginning as is looked at.
const BEGINNING: u64 = 128 << 10;

/// What stands where. Columns are counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub table: Layout,
    pub date: Option<usize>,
    /// The column and the value of the rows that are meant.
    pub only: Option<(usize, String)>,
}

/// What is said of the columns on the command line.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub number: Option<&'a str>,
    pub date: Option<&'a str>,
    pub region: Option<&'a str>,
    /// COLUMN=VALUE.
    pub only: Option<&'a str>,
    pub delimiter: Option<&'a str>,
    pub heading: Option<bool>,
}

impl Columns {
    /// Looks at the beginning of the file.
    pub fn find(import: &Import, source: &Source) -> Result<Self, Failure> {
        let mut start = Vec::new();
        source
            .reader()
            .and_then(|from| from.take(BEGINNING).read_to_end(&mut start))
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", source.name)))?;
        let known = source.delimiter.map(|sign| char::from(sign).to_string());
        let mut said = import.said();
        said.delimiter = known.as_deref().or(said.delimiter);
        let columns = Self::of(&start, &said)?;
        let notation = Notation::from(&import.notation);
        survey::look(&columns.table, &start, is_whole(&start), notation)?;
        Ok(columns)
    }

    fn of(start: &[u8], said: &Said<'_>) -> Result<Self, Failure> {
        let wanted = Wanted {
            form: Form::Csv,
            column: said.number.map(Column::new),
            columns: None,
            delimiter: said.delimiter.map(delimiter).transpose()?,
            heading: said.heading,
            encoding: None,
            region_column: said.region.map(Column::new),
            taken: &[],
        };
        let whole = is_whole(start);
        let no_row = || Failure::usage("there is no row in this file");
        let table = Layout::find(start, whole, &wanted).map_err(|error| unreadable(&error))?;
        let table = table.filter(|table| !table.head.first.is_empty());
        let table = table.ok_or_else(no_row)?;
        if table.heading && whole && rows(&table, start) < 2 {
            return Err(no_row());
        }
        let place = |column: &str| {
            let place = table.place(&Column::new(column));
            place.map_err(|error| unreadable(&error))
        };
        let date = said.date.map(place).transpose()?;
        let only = said.only.map(|only| {
            let (column, value) = only.split_once('=').ok_or_else(|| {
                Failure::usage("--where is a column and a value: --where do_not_call=Y")
            })?;
            Ok::<_, Failure>((place(column)?, value.to_owned()))
        });
        let only = only.transpose()?;
        Ok(Self { table, date, only })
    }

    /// As the service wants to hear it.
    pub fn delimiter(&self) -> String {
        match self.table.head.delimiter {
            b'\t' => "tab".to_owned(),
            sign => char::from(sign).to_string(),
        }
    }
}

/// Whether this is all of the file.
fn is_whole(start: &[u8]) -> bool {
    (start.len() as u64) < BEGINNING
}

/// How many rows there are, the heading included, if they are not more than two.
fn rows(table: &Layout, mut rest: &[u8]) -> usize {
    let mut splitter = table.splitter();
    let mut rows = 0;
    // What is wrong with a later row is told with its line when the file is cut.
    while let Ok(Some(row)) = splitter.next(rest, true)
        && rows < 2 + usize::from(table.head.separator_line)
    {
        rows += usize::from(!is_empty(&rest[..row.content]));
        rest = &rest[row.next..];
    }
    rows - usize::from(table.head.separator_line)
}

fn delimiter(text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => Ok(*one),
        _ => Err(Failure::usage("--delimiter is one character, or tab")),
    }
}

fn unreadable(error: &LayoutError) -> Failure {
    let remedy = match error {
        LayoutError::NoColumn | LayoutError::SeveralColumns => {
            "\n  remedy:     say which one it is with --column, by its name or its position from 1; \
             or several, with commas between them; 1+2 is one number in two columns"
        }
        _ => "",
    };
    Failure::usage(format!("this file cannot be read: {error}{remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = (String, Option<usize>, u8, bool);

    fn of(start: &str, columns: [Option<&str>; 2]) -> Result<Told, String> {
        let said = Said {
            number: columns[0],
            date: columns[1],
            ..Said::default()
        };
        let found = Columns::of(start.as_bytes(), &said);
        let told = |l: Columns| {
            (
                l.table.numbers.positions(),
                l.date,
                l.table.head.delimiter,
                l.table.heading,
            )
        };
        found.map(told).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_column_is_found_by_its_name_its_place_or_because_it_is_the_only_one() {
        let none = [None, None];
        assert_eq!(
            of("+32470000001\n", none),
            Ok(("1".to_owned(), None, b',', false))
        );
        assert_eq!(
            of("0470/00.00.01\n", none),
            Ok(("1".to_owned(), None, b',', false))
        );
        assert_eq!(
            of("phone\n0470\n", none),
            Ok(("1".to_owned(), None, b',', true))
        );
        assert_eq!(
            of("\u{feff}id;Phone Number\n1;2\n", none),
            Ok(("2".to_owned(), None, b';', true))
        );
        assert_eq!(
            of("a\t\"b,c\"\td\r1\r", [Some("D"), Some("1")]),
            Ok(("3".to_owned(), Some(0), b'\t', true))
        );
        let row = "7,+32470000001,2019-05-01\n";
        assert_eq!(
            of(row, [Some("2"), Some("3")]),
            Ok(("2".to_owned(), Some(2), b',', false))
        );
        assert_eq!(of(row, none), Ok(("2".to_owned(), None, b',', false)));
        for columns in [[Some("phone"), None], [Some("4"), None], [Some("0"), None]] {
            let said = of(row, columns).unwrap_err();
            assert!(!said.contains("470"), "{said}");
        }
        for none_at_all in ["", "\n \n", "phone\r\n", "a,phone\n \n"] {
            let said = of(none_at_all, none).unwrap_err();
            assert!(said.contains("no row"), "{said}");
        }
        assert_eq!(
            of("phone;mobile\r1;2\r", none),
            Ok(("1,2".to_owned(), None, b';', true))
        );
        assert!(
            of("number;called\n1;2\n", none)
                .unwrap_err()
                .contains("--column")
        );
        assert!(of("PK\u{3}\u{4}", none).unwrap_err().contains("zip"));
    }
}
