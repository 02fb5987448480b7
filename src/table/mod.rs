//! One reader of tables, whoever brings them and whatever is looked for in them.
//!
//! * `foreign`: files that are no tables, by their first bytes.
//! * `coding`: from bytes to text: gzip, zstd, UTF-16.
//! * `rows`, `cells`, `object`: where a row ends, and what is in it.
//! * `head`, `columns`, `layout`: what the first row tells: the sign between the columns, and which
//!   columns hold the numbers.
//! * `numbers`: the numbers of a row; `dates`: its dates and times.
//! * `reader`: the rows of a whole file.
//! * `sheet`: spreadsheets; `workbook`, `package`, `number_format`: those that are read cell by cell.
//! * `survey`: a look at the first rows.

mod cells;
mod coding;
mod columns;
mod dates;
mod foreign;
mod head;
mod layout;
mod number_format;
mod numbers;
mod object;
mod package;
mod reader;
mod rows;
mod sheet;
#[cfg(test)]
mod sheet_tests;
mod survey;
mod workbook;
mod workbook_cells;

use std::borrow::Cow;

pub use cells::Cells;
pub use coding::{Coding, Decoder, Text, TextReader, is_text};
pub use columns::{Column, Numbers, NumbersError, named};
pub use dates::{DateOrder, NoDate, NoTime, TimeRules, When, read_date, read_zone};
pub use foreign::{Foreign, foreign};
pub use head::{Head, HeadError, is_empty, is_separator_line};
pub use layout::{Layout, LayoutError, Wanted};
pub use numbers::{Encoding, NumberRules, RowError, RowReader, number};
pub use reader::{Rows, RowsError};
pub use rows::{EndlessRow, LONGEST_ROW, Row, Splitter};
pub use sheet::{
    MOST_ROWS, SheetError, SheetLimits, WriteError, csv_to_sheet, is_sheet, may_be_workbook,
    sheet_to_table, workbook_to_table,
};
pub use survey::{Survey, Unreadable};

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With a sign between its columns (RFC 4180).
    Csv,
    /// One number a line.
    Lines,
    /// One JSON object a line.
    Ndjson,
}

/// How UTF-8 is marked at the beginning of a file (EF BB BF), as some spreadsheets want it.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How many lines end in these bytes: with a line feed, a carriage return, or both.
#[must_use]
pub fn line_ends(bytes: &[u8]) -> usize {
    let alone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    memchr::memchr_iter(b'\n', bytes).count()
        + memchr::memchr_iter(b'\r', bytes).filter(alone).count()
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
