//! Which column is the number, found out from the first line.

use std::fs::File;
use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};

use super::Import;
use crate::cli::Failure;

/// As much of the beginning as is looked at.
const FIRST_LINE: u64 = 64 << 10;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a column of numbers is usually called.
const NUMBER: &[&str] = &[
    "phone",
    "phone_number",
    "number",
    "msisdn",
    "telephone",
    "mobile",
    "e164",
    "called_number",
];

/// What stands where. Columns are counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub column: usize,
    pub date_column: Option<usize>,
    delimiter: u8,
    pub heading: bool,
}

impl Layout {
    /// Looks at the first line of the file.
    pub fn find(import: &Import) -> Result<Self, Failure> {
        let file = &import.file;
        let mut start = Vec::new();
        File::open(file)
            .and_then(|opened| opened.take(FIRST_LINE).read_to_end(&mut start))
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
        let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
        let line = start
            .split(|byte| *byte == b'\n')
            .find(|line| !line.trim_ascii().is_empty());
        let line = line.ok_or_else(|| Failure::usage("the file is empty"))?;
        let delimiter = delimiter.unwrap_or_else(|| delimiter_of(line));
        let mut first = ByteRecord::new();
        let mut rows = ReaderBuilder::new()
            .has_headers(false)
            .delimiter(delimiter)
            .from_reader(line);
        // A line in memory is always read, whatever stands in it.
        let _ = rows.read_byte_record(&mut first);
        // A heading is above the first row: lines before it would be taken for rows.
        let may_be_heading = start.starts_with(line);
        // A first row in which no cell has three digits is no number and no date.
        let heading = may_be_heading
            && !first
                .iter()
                .any(|cell| cell.iter().filter(|b| b.is_ascii_digit()).count() >= 3);
        let find = |what: &str, given: &str| {
            let named = heading
                .then(|| place_of(&first, &plain(given.as_bytes())))
                .flatten();
            let counted = || {
                let position: usize = given.trim().parse().ok()?;
                position.checked_sub(1).filter(|place| *place < first.len())
            };
            named.or_else(counted).ok_or_else(|| {
                Failure::usage(format!(
                    "there is no column {given} for {what}: the first line has {} columns{}",
                    first.len(),
                    if heading { "" } else { ", and no names" }
                ))
            })
        };
        let column = match columns[0] {
            Some(given) => find("the number", given)?,
            None if first.len() == 1 => 0,
            None => {
                let usual = NUMBER.iter().find_map(|name| place_of(&first, name));
                usual.filter(|_| heading).ok_or_else(|| {
                    Failure::usage(
                        "no column is named as that of a number usually is: say which one it is \
                         with --column, by its name or its position from 1",
                    )
                })?
            }
        };
        Ok(Self {
            column,
            date_column: columns[1]
                .map(|given| find("the date", given))
                .transpose()?,
            delimiter,
            heading,
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

/// Of the usual signs the most frequent one outside quotation marks.
fn delimiter_of(line: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in line {
        quoted ^= *byte == b'"';
        for (sign, count) in &mut counts {
            *count += u32::from(!quoted && byte == sign);
        }
    }
    // Of several the first.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(sign, _)| *sign)
}

/// The first column of this name.
fn place_of(heading: &ByteRecord, name: &str) -> Option<usize> {
    heading.iter().position(|column| plain(column) == name)
}

/// A name in small letters, with underscores for blanks and dashes.
fn plain(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name.trim_ascii()).to_lowercase();
    name.replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(
        start: &str,
        columns: [Option<&str>; 2],
    ) -> Result<(usize, Option<usize>, u8, bool), String> {
        let found = Layout::of(start.as_bytes(), None, columns);
        found
            .map(|l| (l.column, l.date_column, l.delimiter, l.heading))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_column_is_found_by_its_name_its_place_or_because_it_is_the_only_one() {
        let none = [None, None];
        assert_eq!(of("+32470000001\n", none), Ok((0, None, b',', false)));
        assert_eq!(of("0470/00.00.01\n", none), Ok((0, None, b',', false)));
        assert_eq!(of("phone\n0470\n", none), Ok((0, None, b',', true)));
        assert_eq!(
            of("\u{feff}id;Phone Number\n", none),
            Ok((1, None, b';', true))
        );
        assert_eq!(
            of("a\t\"b,c\"\td\n", [Some("D"), Some("1")]),
            Ok((2, Some(0), b'\t', true))
        );
        let row = "7,+32470000001,2019-05-01\n";
        assert_eq!(
            of(row, [Some("2"), Some("3")]),
            Ok((1, Some(2), b',', false))
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
        assert!(of("\n \n", none).is_err());
    }
}
