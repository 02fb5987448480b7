//! From bytes to numbers.
//!
//! A row is read as every table's is. A list can be cut where a row ends, and each part read alone.

use serde::{Deserialize, Serialize};

use jiff::civil::Date;

use super::{Counts, DateError, Rejected, Rejection, day};
use crate::domain::{Notation, PhoneNumber};
use crate::store::Spot;
use crate::table::{
    BYTE_ORDER_MARK, DateOrder, EndlessRow, Foreign, Form, NumberRules, RowError, RowReader,
    Splitter, foreign, is_empty, is_separator_line, line_ends,
};

/// How rows are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// The columns of each number, from 0; a row may have several numbers, and a number may be put
    /// together from several cells.
    pub numbers: Vec<Vec<usize>>,
    /// How many columns there are. A row with more is rejected.
    pub columns: usize,
    /// The column of the date of the objection, from 0.
    pub date_column: Option<usize>,
    /// In which order day and month stand in dates of which either could be either.
    pub date_order: Option<DateOrder>,
    /// The column of each row's region, from 0.
    pub region_column: Option<usize>,
    /// Which rows are meant; all of them, if that is not said.
    pub only: Option<Only>,
    /// Between the columns.
    pub delimiter: u8,
    /// Whether the first line names the columns.
    pub heading: bool,
    /// How the numbers are written.
    #[serde(flatten)]
    pub notation: Notation,
}

/// The value that a row has in a column if it is meant: a list may have a flag, or changes of both
/// kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// The column, from 0.
    pub column: usize,
    /// What stands there; capitals and blanks around it do not matter.
    pub value: String,
}

/// Why a part is not read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// It is not text.
    #[error("{0}")]
    Foreign(#[from] Foreign),
    /// A row of it has no end.
    #[error("line {line} of this part: {error}; a part must end where a row does")]
    Row {
        /// Where that row begins, from 1.
        line: usize,
        /// What is wrong with it.
        error: EndlessRow,
    },
}

/// A part that was read.
#[derive(Debug)]
pub(super) struct Part {
    rows: u64,
    passed_over: u64,
    undated: u64,
    /// Each number once, sorted; with the first date of those that it has.
    pub listings: Vec<(Spot, Option<Date>)>,
    /// Rows that are not in, and rows that are in without their date.
    pub rejected: Vec<Rejected>,
}

impl Part {
    fn reject(&mut self, line: usize, reason: Rejection) {
        // A part has far fewer lines.
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.rejected.push(Rejected { line, reason });
    }

    pub fn counts(&self) -> Counts {
        Counts {
            rows: self.rows,
            rejected: self.rejected.len() as u64 - self.undated,
            passed_over: self.passed_over,
            undated: self.undated,
            numbers: self.listings.len() as u64,
        }
    }

    /// The first and the last date.
    pub fn days(&self) -> Option<(Date, Date)> {
        let days = self.listings.iter().filter_map(|(_, day)| *day);
        days.fold(None, |span, day| day::around(span, Some((day, day))))
    }
}

impl Rows {
    /// Reads a part. `date` is that of rows without one, `place` finds a number in the index.
    ///
    /// # Errors
    /// [`PartError`]; then nothing of it is read.
    pub(super) fn read(
        &self,
        bytes: &[u8],
        is_first: bool,
        date: Option<Date>,
        today: Date,
        place: impl Fn(&PhoneNumber) -> Spot,
    ) -> Result<Part, PartError> {
        let mut part = Part {
            rows: 0,
            passed_over: 0,
            undated: 0,
            // A number and its line end are seldom shorter.
            listings: Vec::with_capacity(bytes.len() / 12),
            rejected: Vec::new(),
        };
        let mut rest = bytes;
        if is_first {
            if let Some(foreign) = foreign(bytes, false) {
                return Err(foreign.into());
            }
            rest = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        }
        let mut heading = is_first && self.heading;
        let mut splitter = Splitter::new(Form::Csv, self.delimiter, 0);
        let mut reader = RowReader::new(self.rules());
        let mut also = Vec::new();
        let mut line = 1;
        while let Some(row) = splitter
            .next(rest, true)
            .map_err(|error| PartError::Row { line, error })?
        {
            let content = &rest[..row.content];
            rest = &rest[row.next..];
            let first = line;
            line += 1 + line_ends(content);
            let separator_line = first == 1 && is_first && is_separator_line(content);
            if is_empty(content) || separator_line || std::mem::take(&mut heading) {
                continue;
            }
            also.clear();
            let number = reader.read(content, row.damaged, &mut also);
            if number == Err(RowError::Quotes) {
                // What it swallowed may be rows: each is told.
                for (later, line) in lines(content).enumerate() {
                    if !is_empty(line) {
                        part.rows += 1;
                        part.reject(first + later, Rejection::Row(RowError::Quotes));
                    }
                }
                continue;
            }
            part.rows += 1;
            if number == Err(RowError::TooManyColumns) {
                part.reject(first, Rejection::Row(RowError::TooManyColumns));
                continue;
            }
            if !self.is_meant(&reader, content) {
                part.passed_over += 1;
                continue;
            }
            // Of a row with one number that can be read and one that cannot, the first counts, and
            // the row is told all the same.
            let why = number.err();
            also.extend(number);
            // An objection holds, whenever it was made.
            let day = self.day(&reader, content, today).unwrap_or_else(|error| {
                if why.is_none() {
                    part.undated += 1;
                    part.reject(first, Rejection::Date(error));
                }
                None
            });
            let day = day.or(date);
            let found = also.drain(..).map(|number| (place(&number), day));
            part.listings.extend(found);
            if let Some(why) = why {
                part.reject(first, Rejection::Row(why));
            }
        }
        // Where it stands twice, an unknown date comes first, and then the earliest.
        part.listings.sort_unstable();
        part.listings.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = kept.1.or(later.1);
            }
            same
        });
        Ok(part)
    }

    /// How many rows there are, their numbers, and the lines that are rejected: for whoever compares
    /// readers.
    #[cfg(any(test, fuzzing))]
    pub(in crate::service) fn told(
        &self,
        bytes: &[u8],
        is_first: bool,
    ) -> Result<super::Told, PartError> {
        let numbers = std::cell::RefCell::<std::collections::BTreeSet<_>>::default();
        let place = |number: &PhoneNumber| {
            numbers.borrow_mut().insert(*number);
            Spot::of(&crate::privacy::Subject([0; 16]))
        };
        let part = self.read(bytes, is_first, None, day::today(), place)?;
        let rejected = part.rejected.iter();
        let rejected = rejected.map(|row| (row.line as usize, row.reason.code()));
        Ok((part.rows, numbers.take(), rejected.collect()))
    }

    /// The date of the row that was read last.
    fn day(&self, reader: &RowReader, row: &[u8], today: Date) -> Result<Option<Date>, DateError> {
        let column = self.date_column;
        let cell = column.and_then(|column| reader.last_cells().get(row, column));
        let cell = String::from_utf8_lossy(cell.unwrap_or_default());
        day::objected_on(&cell, self.date_order, today)
    }

    /// Whether the row that was read last is one of those that are meant.
    fn is_meant(&self, reader: &RowReader, row: &[u8]) -> bool {
        let Some(only) = &self.only else {
            return true;
        };
        let cell = reader.last_cells().get(row, only.column);
        let cell = cell.unwrap_or_default().trim_ascii();
        cell.eq_ignore_ascii_case(only.value.trim().as_bytes())
    }

    fn rules(&self) -> NumberRules {
        NumberRules {
            form: Form::Csv,
            delimiter: self.delimiter,
            columns: self.columns,
            places: self.numbers.clone(),
            members: Vec::new(),
            and_usual: false,
            taken: &[],
            encoding: None,
            notation: self.notation,
            region_column: self.region_column,
        }
    }
}

/// The lines of a row, whatever ends them.
fn lines(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr2_iter(b'\n', b'\r', row);
    let ends = ends.filter(|end| row[*end] == b'\n' || row.get(end + 1) != Some(&b'\n'));
    let mut start = 0;
    ends.chain([row.len()]).map(move |end| {
        let line = &row[start..end];
        start = (end + 1).min(row.len());
        line
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Region;
    use crate::privacy::Subject;

    /// A spot that is nothing but the number's last digits.
    fn place(number: &PhoneNumber) -> Spot {
        let digits: u64 = number.e164()[1..].parse().unwrap();
        let mut subject = [0; 16];
        subject[..8].copy_from_slice(&(digits << 2).to_be_bytes());
        Spot::of(&Subject(subject))
    }

    fn lines() -> Rows {
        Rows {
            numbers: vec![vec![0]],
            columns: 1,
            date_column: None,
            date_order: None,
            region_column: None,
            only: None,
            delimiter: b',',
            heading: false,
            notation: Notation::default(),
        }
    }

    fn today() -> Date {
        "2026-11-25".parse().unwrap()
    }

    fn read(rows: &Rows, text: &str) -> Part {
        rows.read(text.as_bytes(), true, None, today(), place)
            .unwrap()
    }

    fn reasons(part: &Part) -> Vec<(u32, &'static str)> {
        let told = |row: &Rejected| (row.line, row.reason.code());
        part.rejected.iter().map(told).collect()
    }

    #[test]
    fn lines_are_numbers_and_what_is_none_is_told_with_its_line() {
        let text =
            "\u{feff}+32470000001\r\n\r\n  +32 470 00 00 02 \n0470000003\n112\nabc\n+32470000001";
        let part = read(&lines(), text);
        assert_eq!((part.rows, part.listings.len()), (6, 2));
        let told = [
            (4, "phone_needs_region"),
            (5, "phone_emergency_or_short"),
            (6, "phone_letters"),
        ];
        assert_eq!(reasons(&part), told);
        let belgian = Rows {
            notation: Region::parse("BE").ok().into(),
            ..lines()
        };
        assert_eq!(read(&belgian, text).listings.len(), 3);
        assert_eq!(read(&lines(), "").rows, 0);
    }

    #[test]
    fn columns_are_found_with_and_without_quotation_marks() {
        let rows = Rows {
            numbers: vec![vec![2]],
            columns: 4,
            date_column: Some(0),
            date_order: None,
            region_column: None,
            only: None,
            delimiter: b';',
            heading: true,
            notation: Notation::default(),
        };
        let text = "when;who;phone\n\
            2019-05-01;\"a;b \"\"c\"\"\";\"+32470000001\";x\n\
            2019-05-02 10:00;;+32470000002\n\
            ;;+32470000003\n\
            2019-05-03;x\n\
            2019-05-04;a\"b;+32470000004;x;y\n\
            2019-05-05;\"a\"b;+32470000005\n\
            01/05/2019;;+32470000006\n\
            1979-12-31;;+32470000007\n\
            2026-11-26;;+32470000008\n\
            20190506;;+32470000009\n";
        let part = read(&rows, text);
        assert_eq!(
            reasons(&part),
            [
                (5, "no_number"),
                (6, "too_many_columns"),
                (7, "row_quotes"),
                (8, "date_ambiguous"),
                (9, "date_too_early"),
                (10, "date_in_the_future"),
            ]
        );
        let days: Vec<_> = part
            .listings
            .iter()
            .map(|(_, day)| day.map(|d| d.to_string()))
            .collect();
        let expected = [
            Some("2019-05-01"),
            Some("2019-05-02"),
            None,
            // In, without the dates that cannot be read.
            None,
            None,
            None,
            Some("2019-05-06"),
        ];
        assert_eq!(
            days.iter().map(|d| d.as_deref()).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(
            part.days(),
            Some(("2019-05-01".parse().unwrap(), "2019-05-06".parse().unwrap()))
        );
        let known = "2018-01-01".parse().ok();
        let part = rows
            .read(text.as_bytes(), true, known, today(), place)
            .unwrap();
        assert_eq!(part.listings[2].1, known);
        // Only the first part has the heading.
        assert_eq!(
            reasons(
                &rows
                    .read(b"a;b;phone\n", false, None, today(), place)
                    .unwrap()
            )[0]
            .0,
            1
        );
    }

    #[test]
    fn of_a_number_that_stands_twice_the_first_objection_counts() {
        let rows = Rows {
            date_column: Some(1),
            columns: 2,
            ..lines()
        };
        let text = "+32470000001,2020-01-01\n+32470000001,\n+32470000001,2019-01-01\n";
        let part = read(&rows, text);
        let day: Date = "2019-01-01".parse().unwrap();
        assert_eq!(
            part.listings
                .iter()
                .map(|(_, day)| *day)
                .collect::<Vec<_>>(),
            [Some(day)]
        );
    }

    #[test]
    fn lines_within_quotation_marks_are_rows_only_where_a_mark_was_opened_by_mistake() {
        let rows = Rows {
            columns: 2,
            ..lines()
        };
        let text = "+32470000001,\"a\r+32470000002\r\nb\"\n+32470000003,x\r+32470000004,y\r\r\n";
        let part = read(&rows, text);
        assert_eq!((part.rows, part.listings.len()), (3, 3));
        assert_eq!(
            part.listings[0].0,
            place(&PhoneNumber::parse("+32470000001", None).unwrap())
        );
        // The next mark is far below; each of the lines between is told.
        let text = "+32470000001,\"An\n+32470000002,Bo\n\n+32470000003,\"Cy\"\n+32470000004,x\n";
        let part = read(&rows, text);
        assert_eq!((part.rows, part.listings.len()), (4, 1));
        let told = [1, 2, 4].map(|line| (line, "row_quotes"));
        assert_eq!(reasons(&part), told);
        let text = "+32470000001,\"5 inch\n+32470000002,x\n+32470000003,6\"\n\"+32470000004\",x\n";
        assert_eq!(
            reasons(&read(&rows, text)),
            [1, 2, 3].map(|line| (line, "row_quotes"))
        );
        // Where none follows, only the line with the mark is lost.
        let part = read(&rows, "+32470000001,x\n+32470000002,\"a\n+32470000003,x\n");
        assert_eq!((part.rows, part.listings.len()), (3, 2));
        assert_eq!(reasons(&part), [(2, "row_quotes")]);
        let zip = rows.read(b"PK\x03\x04\n", true, None, today(), place);
        assert!(matches!(zip, Err(PartError::Foreign(_))));
    }

    #[test]
    fn a_row_may_have_two_numbers_and_what_cannot_be_read_is_told() {
        let rows = Rows {
            numbers: vec![vec![1], vec![2]],
            columns: 3,
            ..lines()
        };
        let text = "a,+32470000001,+32470000002\nb,,+32470000003\nc,+32470000004\nd,,\ne,+32470000005,x\nf\n";
        let part = read(&rows, text);
        assert_eq!((part.rows, part.listings.len()), (6, 5));
        let told = [(4, "phone_empty"), (5, "phone_letters"), (6, "no_number")];
        assert_eq!(reasons(&part), told);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange_and_no_row_is_lost(
            bytes in prop::collection::vec(prop::sample::select(b"+32470 ;,\"\r\n-a\xff".to_vec()), 0..300),
            column in 0_usize..3,
            date in prop::option::of(0_usize..3),
        ) {
            let rows = Rows { numbers: vec![vec![column]], columns: 3, date_column: date, ..lines() };
            let part = rows.read(&bytes, false, None, today(), place).unwrap();
            if !bytes.contains(&b'"') {
                let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
                let lines = lines.filter(|line| !line.trim_ascii().is_empty());
                prop_assert_eq!(part.rows as usize, lines.count());
            }
            prop_assert!(part.listings.len() + part.rejected.len() - part.undated as usize <= part.rows as usize);
            prop_assert!(part.rejected.is_sorted_by_key(|row| row.line));
        }
    }
}
