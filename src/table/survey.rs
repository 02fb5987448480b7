//! A look at the first rows of a table before anything is done with it: whether the columns that were
//! taken hold numbers, and which others do.

use super::columns::text;
use super::{Cells, Form, Layout, RowError, RowReader, is_empty};
use crate::domain::{Notation, PhoneError, PhoneNumber};

/// What the first rows show.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Survey {
    /// How many rows were looked at.
    pub rows: usize,
    /// How many of them have a number that can be read.
    pub readable: usize,
    /// How many have something else in its place.
    pub other: usize,
    /// Whether these are all rows.
    pub whole: bool,
    /// The first row of which a number cannot be read.
    pub unreadable: Option<Unreadable>,
    /// The other columns, from 0, of which most cells are telephone numbers.
    pub others: Vec<usize>,
}

/// A row of which a number cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Which row it is, from 1, the heading not counted.
    pub row: usize,
    /// Why not.
    pub why: RowError,
    /// What its cell looks like: a 9 for each digit and an a for each letter.
    pub shape: String,
}

/// Cells of fewer digits than this are years, prices or codes.
const DIGITS_OF_A_NUMBER: usize = 7;

/// So many rows with something else than a number tell that the others have none.
const ENOUGH: usize = 100;

/// So much of a cell is shown.
const SHOWN: usize = 30;

impl Survey {
    /// Looks at the rows that `start` has; `end` says that the table ends with it.
    #[must_use]
    pub fn of(layout: &Layout, start: &[u8], end: bool, notation: Notation) -> Self {
        let mut survey = Self {
            whole: end,
            ..Self::default()
        };
        let mut reader = RowReader::new(layout.rules(notation));
        let mut cells = Cells::default();
        let mut numbers = vec![0_usize; layout.columns];
        let mut filled = vec![0_usize; layout.columns];
        for (row, damaged) in rows(layout, start, end) {
            survey.rows += 1;
            let mut also = Vec::new();
            let read = reader.read(row, damaged, &mut also);
            survey.readable += usize::from(read.is_ok() || !also.is_empty());
            if layout.head.form == Form::Csv {
                cells.split(row, layout.head.delimiter);
            }
            let empty = [RowError::NoNumber, RowError::Phone(PhoneError::Empty)];
            survey.other += usize::from(read.is_err_and(|why| !empty.contains(&why)));
            if let Err(why) = read
                && survey.unreadable.is_none()
            {
                let place = layout.numbers.places.iter().flatten().next();
                let cell = match layout.head.form {
                    Form::Csv => cells.get(row, *place.unwrap_or(&0)).unwrap_or_default(),
                    Form::Lines | Form::Ndjson => row,
                };
                survey.unreadable = Some(Unreadable {
                    row: survey.rows,
                    why,
                    shape: shape(&text(cell)),
                });
            }
            for (place, cell) in cells.iter(row).enumerate().take(layout.columns) {
                let cell = text(cell);
                filled[place] += usize::from(!cell.trim().is_empty());
                numbers[place] += usize::from(is_number(&cell, notation));
            }
        }
        let mostly = |place: &usize| 2 * numbers[*place] > filled[*place];
        let taken = |place: &usize| layout.numbers.places.iter().flatten().any(|at| at == place);
        let others = (0..layout.columns).filter(|place| mostly(place) && !taken(place));
        survey.others = others.collect();
        survey
    }

    /// Whether there is no number in any row. A list may begin with people of whom none is known, so
    /// of a part of it this is said only if many rows have something else in its place.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.rows > 0 && self.readable == 0 && (self.whole || self.other >= ENOUGH)
    }
}

/// The rows of the beginning, without the heading.
fn rows<'a>(
    layout: &Layout,
    start: &'a [u8],
    end: bool,
) -> impl Iterator<Item = (&'a [u8], bool)> + use<'a> {
    let mut splitter = layout.splitter();
    let mut rest = start;
    let mut before = usize::from(layout.heading) + usize::from(layout.head.separator_line);
    std::iter::from_fn(move || {
        loop {
            let row = splitter.next(rest, end).ok()??;
            let content = &rest[..row.content];
            rest = &rest[row.next..];
            if is_empty(content) {
                continue;
            }
            if before == 0 {
                let mark = super::BYTE_ORDER_MARK;
                return Some((content.strip_prefix(mark).unwrap_or(content), row.damaged));
            }
            before -= 1;
        }
    })
}

fn is_number(cell: &str, notation: Notation) -> bool {
    let digits = cell.chars().filter(|c| c.is_numeric()).count();
    digits >= DIGITS_OF_A_NUMBER && PhoneNumber::parse(cell.trim(), notation).is_ok()
}

/// What a cell looks like, and nothing that it says.
fn shape(cell: &str) -> String {
    let sign = |c: char| match c {
        c if c.is_numeric() => '9',
        c if c.is_alphabetic() => 'a',
        c if c.is_control() => ' ',
        c => c,
    };
    cell.trim().chars().take(SHOWN).map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Region;
    use crate::table::{Column, Wanted};

    fn wanted(column: Option<&str>) -> Wanted {
        Wanted {
            form: Form::Csv,
            column: column.map(Column::new),
            columns: None,
            delimiter: None,
            heading: None,
            encoding: None,
            region_column: None,
            taken: &[],
        }
    }

    fn survey(table: &str, column: Option<&str>) -> Survey {
        let wanted = wanted(column);
        let layout = Layout::find(table.as_bytes(), true, &wanted)
            .unwrap()
            .unwrap();
        Survey::of(
            &layout,
            table.as_bytes(),
            true,
            Region::parse("BE").ok().into(),
        )
    }

    #[test]
    fn other_columns_with_numbers_are_seen_and_years_and_prices_are_none() {
        let table = "name;number;telephone;since;backup\n\
            An;470000778;+32470000621;2019;02 555 06 01\n\
            Bo;470000779;;2020;025550602\n";
        let seen = survey(table, None);
        assert_eq!((seen.rows, seen.readable), (2, 1));
        assert_eq!(seen.others, [1, 4]);
        assert!(survey("phone,x\n+32470000001,1\n", None).others.is_empty());
        assert!(survey("+32470000001\n", None).others.is_empty());
    }

    #[test]
    fn of_rows_that_cannot_be_read_the_shape_of_one_is_shown_and_no_more() {
        let seen = survey("\u{feff}sep=;\nid;phone\n7;Jan 0470/12\n8;\n", None);
        assert!(seen.is_hopeless());
        let one = seen.unreadable.unwrap();
        assert_eq!((one.row, one.shape.as_str()), (1, "aaa 9999/99"));
        assert!(!survey("phone\n", None).is_hopeless());
        // What comes first need not be what all are like.
        let begins = |row: &str| {
            let table = format!("phone\n{}", row.repeat(150));
            let wanted = wanted(None);
            let layout = Layout::find(table.as_bytes(), false, &wanted)
                .unwrap()
                .unwrap();
            Survey::of(&layout, table.as_bytes(), false, Notation::default()).is_hopeless()
        };
        assert!(begins("unknown\n") && !begins("\"\"\n"));
    }
}
