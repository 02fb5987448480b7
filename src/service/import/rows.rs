//! From bytes to numbers.
//!
//! A row is a line: comma-separated values (RFC 4180) with any sign between them, or nothing but a
//! number. So a list can be cut at any line end, and each part read alone. A quoted value with a
//! line end inside is the one thing that is not understood; its rows are rejected, not misread.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Day, Rejected, Rejection};
use crate::domain::{PhoneNumber, Region};
use crate::store::Spot;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How rows are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// The column of the number, from 0.
    pub column: u32,
    /// The column of the date of the objection, from 0.
    pub date_column: Option<u32>,
    /// Between the columns.
    pub delimiter: u8,
    /// Whether the first line names the columns.
    pub heading: bool,
    /// The country of numbers without a country code.
    #[serde(with = "region")]
    pub region: Option<Region>,
}

/// A part that was read.
pub(super) struct Part {
    pub rows: u64,
    /// Each number once, sorted; with the first date of those that it has.
    pub listings: Vec<(Spot, Option<Day>)>,
    pub rejected: Vec<Rejected>,
}

impl Part {
    /// The first and the last date.
    pub fn days(&self) -> Option<(Day, Day)> {
        let days = self.listings.iter().filter_map(|(_, day)| *day);
        days.fold(None, |span, day| Day::around(span, Some((day, day))))
    }
}

impl Rows {
    /// Reads a part. `date` is that of rows without one, `place` finds a number in the index.
    pub(super) fn read(
        &self,
        bytes: &[u8],
        is_first: bool,
        date: Option<Day>,
        today: Day,
        place: impl Fn(&PhoneNumber) -> Spot,
    ) -> Part {
        let mut part = Part {
            rows: 0,
            // A number and its line end are seldom shorter.
            listings: Vec::with_capacity(bytes.len() / 12),
            rejected: Vec::new(),
        };
        let mut rest = match is_first {
            true => bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes),
            false => bytes,
        };
        let mut line = 0;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let row = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            line += 1;
            if (line == 1 && is_first && self.heading) || row.trim_ascii().is_empty() {
                continue;
            }
            part.rows += 1;
            match self.row(row.strip_suffix(b"\r").unwrap_or(row), today) {
                Ok((number, day)) => part.listings.push((place(&number), day.or(date))),
                Err(reason) => part.rejected.push(Rejected { line, reason }),
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
        part
    }

    fn row(&self, row: &[u8], today: Day) -> Result<(PhoneNumber, Option<Day>), Rejection> {
        let cell = |column: u32| match memchr::memchr(b'"', row) {
            None => plain(row, column, self.delimiter)
                .map(Cow::Borrowed)
                .ok_or(Rejection::Columns),
            Some(_) => quoted(row, column, self.delimiter),
        };
        let text = cell(self.column)?;
        let number = PhoneNumber::parse_bytes(text.trim_ascii(), self.region);
        let number = number.map_err(Rejection::Phone)?;
        let day = match self.date_column {
            None => None,
            Some(column) => match cell(column)?.trim_ascii() {
                b"" => None,
                text => Some(Day::read(text, today).map_err(Rejection::Date)?),
            },
        };
        Ok((number, day))
    }
}

/// A cell of a row without quotation marks.
fn plain(row: &[u8], column: u32, delimiter: u8) -> Option<&[u8]> {
    let mut rest = row;
    for _ in 0..column {
        let end = memchr::memchr(delimiter, rest)?;
        rest = &rest[end + 1..];
    }
    let end = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// A cell of any row.
fn quoted(row: &[u8], column: u32, delimiter: u8) -> Result<Cow<'_, [u8]>, Rejection> {
    let mut rest = row;
    let mut found = None;
    // To the end of the row: a mark that is never closed makes all of it doubtful.
    for place in 0_u32.. {
        let (cell, others) = match rest.strip_prefix(b"\"") {
            None => {
                let end = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                let others = rest.get(end + 1..);
                (Cow::Borrowed(&rest[..end]), others)
            }
            Some(inside) => {
                let mut text = Vec::new();
                let mut inside = inside;
                loop {
                    let end = memchr::memchr(b'"', inside).ok_or(Rejection::Quotes)?;
                    text.extend_from_slice(&inside[..end]);
                    inside = &inside[end + 1..];
                    match inside.strip_prefix(b"\"") {
                        Some(others) => {
                            text.push(b'"');
                            inside = others;
                        }
                        None => break,
                    }
                }
                let others = match inside.split_first() {
                    None => None,
                    Some((next, others)) if *next == delimiter => Some(others),
                    Some(_) => return Err(Rejection::Quotes),
                };
                (Cow::Owned(text), others)
            }
        };
        if place == column {
            found = Some(cell);
        }
        match others {
            Some(others) => rest = others,
            None => break,
        }
    }
    found.ok_or(Rejection::Columns)
}

/// A region by its two letters.
mod region {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Region;

    pub fn serialize<S: Serializer>(region: &Option<Region>, to: S) -> Result<S::Ok, S::Error> {
        match region {
            Some(region) => to.serialize_some(region.as_str()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Region>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let region = text.map(|text| Region::parse(&text)).transpose();
        region.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
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
            column: 0,
            date_column: None,
            delimiter: b',',
            heading: false,
            region: None,
        }
    }

    fn today() -> Day {
        "2026-11-25".parse().unwrap()
    }

    fn read(rows: &Rows, text: &str) -> Part {
        rows.read(text.as_bytes(), true, None, today(), place)
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
            region: Region::parse("BE").ok(),
            ..lines()
        };
        assert_eq!(read(&belgian, text).listings.len(), 3);
        assert_eq!(read(&lines(), "").rows, 0);
    }

    #[test]
    fn columns_are_found_with_and_without_quotation_marks() {
        let rows = Rows {
            column: 2,
            date_column: Some(0),
            delimiter: b';',
            heading: true,
            region: None,
        };
        let text = "when;who;phone\n\
            2019-05-01;\"a;b \"\"c\"\"\";\"+32470000001\";x\n\
            2019-05-02 10:00;;+32470000002\n\
            ;;+32470000003\n\
            2019-05-03;x\n\
            2019-05-04;\"open;+32470000004\n\
            2019-05-05;\"a\"b;+32470000005\n\
            01/05/2019;;+32470000006\n\
            1979-12-31;;+32470000007\n\
            2026-11-26;;+32470000008\n\
            20190506;;+32470000009\n";
        let part = read(&rows, text);
        assert_eq!(
            reasons(&part),
            [
                (5, "row_columns"),
                (6, "row_quotes"),
                (7, "row_quotes"),
                (8, "date_unreadable"),
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
        let part = rows.read(text.as_bytes(), true, known, today(), place);
        assert_eq!(part.listings[2].1, known);
        // Only the first part has the heading.
        assert_eq!(
            reasons(&rows.read(b"a;b;phone\n", false, None, today(), place))[0].0,
            1
        );
    }

    #[test]
    fn of_a_number_that_stands_twice_the_first_objection_counts() {
        let rows = Rows {
            date_column: Some(1),
            ..lines()
        };
        let text = "+32470000001,2020-01-01\n+32470000001,\n+32470000001,2019-01-01\n";
        let part = read(&rows, text);
        let day: Day = "2019-01-01".parse().unwrap();
        assert_eq!(
            part.listings
                .iter()
                .map(|(_, day)| *day)
                .collect::<Vec<_>>(),
            [Some(day)]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange_and_no_row_is_lost(
            bytes in prop::collection::vec(prop::sample::select(b"+32470 ;,\"\r\n-a\xff".to_vec()), 0..300),
            column in 0_u32..3,
            date in prop::option::of(0_u32..3),
        ) {
            let rows = Rows { column, date_column: date, ..lines() };
            let part = rows.read(&bytes, false, None, today(), place);
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            prop_assert_eq!(part.rows as usize, lines.count());
            prop_assert!(part.listings.len() + part.rejected.len() <= part.rows as usize);
            prop_assert!(part.rejected.is_sorted_by_key(|row| row.line));
        }

        #[test]
        fn cells_are_read_as_the_csv_crate_reads_them(
            row in "[a-c\"; ]{0,20}",
            column in 0_u32..4,
        ) {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .delimiter(b';')
                .from_reader(row.as_bytes());
            let record = reader.byte_records().next().and_then(Result::ok).unwrap_or_default();
            // Where marks are out of place, theirs is a guess and ours a refusal.
            if let Ok(cell) = quoted(row.as_bytes(), column, b';') && !row.is_empty() {
                prop_assert_eq!(record.get(column as usize), Some(&*cell));
            }
        }
    }
}
