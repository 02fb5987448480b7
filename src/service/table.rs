//! What tables that people bring have in common, whatever is looked for in them: the sign between
//! their columns, the names of these, and the mark at the beginning.
//!
//! * `numbers`: which columns hold the numbers.
//! * `foreign`: files that are no tables, by their first bytes.

mod foreign;
mod numbers;

use std::borrow::Cow;

use csv::ByteRecord;

pub use foreign::{ENOUGH, Foreign, foreign};
pub use numbers::{Numbers, NumbersError};
pub(super) use numbers::{is_perhaps, is_phone};

/// How UTF-8 is marked at the beginning of a file (EF BB BF), as some spreadsheets want it.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A column, as whoever brings the table names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column(String);

impl Column {
    /// A name from the heading, or a position from 1. Capitals, blanks and dashes of names do not
    /// matter. A name goes before a position.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text as it was given.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The position from 1 that this is, if it is not a name.
    pub(super) fn counted(&self) -> Option<usize> {
        self.0.trim().parse().ok()
    }

    /// The place from 0 in a table of so many columns.
    #[must_use]
    pub fn position(&self, heading: Option<&ByteRecord>, columns: usize) -> Option<usize> {
        let named = heading.and_then(|heading| named(heading, &plain(self.0.as_bytes())));
        let counted = || {
            let place = self.counted()?.checked_sub(1)?;
            (place < columns).then_some(place)
        };
        named.or_else(counted)
    }

    /// The places from 0, sorted and each once, of every column that is meant: all those of this
    /// name, or of several names or positions with commas between them.
    pub(super) fn places(
        &self,
        heading: Option<&ByteRecord>,
        columns: usize,
    ) -> Option<Vec<usize>> {
        let of_name = |name: &str| -> Vec<usize> {
            let name = plain(name.as_bytes());
            let cells = heading.into_iter().flatten().enumerate();
            let cells = cells.filter(|(_, cell)| !name.is_empty() && plain(cell) == name);
            cells.map(|(place, _)| place).collect()
        };
        let mut places = of_name(&self.0);
        if places.is_empty() {
            for one in self.0.split(',') {
                let named = of_name(one);
                match named.is_empty() {
                    true => places.push(Self::new(one).position(None, columns)?),
                    false => places.extend(named),
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        Some(places)
    }
}

/// How many lines end in these bytes: with a line feed, a carriage return, or both.
#[must_use]
pub fn line_ends(bytes: &[u8]) -> usize {
    let alone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    memchr::memchr_iter(b'\n', bytes).count()
        + memchr::memchr_iter(b'\r', bytes).filter(alone).count()
}

/// The first column of this name.
pub(super) fn named(heading: &ByteRecord, name: &str) -> Option<usize> {
    heading.iter().position(|column| plain(column) == name)
}

/// A name in small letters, with underscores for blanks and dashes.
pub(super) fn plain(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name.trim_ascii()).to_lowercase();
    name.replace([' ', '-'], "_")
}

/// What stands between the columns of the first line: of the usual signs the most frequent one
/// outside quotation marks.
#[must_use]
pub fn delimiter_of(start: &[u8]) -> u8 {
    const USUAL: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut counts = [0_u32; 4];
    let mut quoted = false;
    let mut seen = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            // Empty lines before the first row are skipped, as the rows' reader does.
            b'\n' | b'\r' if !quoted && seen => break,
            _ if quoted => {}
            _ => {
                if let Some(place) = USUAL.iter().position(|usual| usual == byte) {
                    counts[place] += 1;
                }
            }
        }
        seen |= !matches!(byte, b'\n' | b'\r');
    }
    let most = (0..4).rev().max_by_key(|place| counts[*place]);
    most.map_or(b',', |place| USUAL[place])
}

/// A cell that no spreadsheet takes for a formula: an apostrophe stands before what could be one.
/// A number in international form is none.
#[must_use]
pub fn harmless(cell: &str) -> Cow<'_, str> {
    let number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match cell.strip_prefix('+') {
        Some(rest) if number(rest) => Cow::Borrowed(cell),
        _ if formula => Cow::Owned(format!("'{cell}")),
        _ => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1+1", "-2", "@sum(a1)", "\t=1", "+"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["", "+32475123456", "They called =)", "1-2"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
