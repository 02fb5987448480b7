//! The numbers of a row, by one rule for whoever reads tables.

use encoding_rs::WINDOWS_1252;

use super::object::{self, Names, Object};
use super::{Cells, Form};
use crate::domain::{MAX_INPUT_BYTES, Notation, PhoneError, PhoneNumber, Region};

/// How characters beyond ASCII are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// Windows-1252, of which ISO 8859-1 is the larger part (WHATWG Encoding Standard, section 4.2).
    Windows1252,
}

impl Encoding {
    /// Reads its name: `utf-8`, `windows-1252`, or `latin-1` for the latter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "utf-8" => Some(Self::Utf8),
            "windows-1252" | "latin-1" | "iso-8859-1" => Some(Self::Windows1252),
            _ => None,
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// Why a row's number cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Its cell is no number.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// There is no such cell or member.
    #[error("the row has no cell for the number")]
    NoNumber,
    /// More cells than the first row: which of them is the number cannot be known.
    #[error(
        "the row has more cells than the first one, so nobody can tell which is the number; perhaps \
         a cell with the sign between the columns in it is not quoted"
    )]
    TooManyColumns,
    /// A quotation mark is opened and not closed, or closed in the middle of a cell.
    #[error(
        "a quotation mark is opened in the row and not closed, or closed in the middle of a cell"
    )]
    Quotes,
    /// Not a JSON object, or one that nothing can be added to.
    #[error("the line is not a JSON object, or has the number twice, or an answer already")]
    NotAnObject,
    /// The cell of the region is none.
    #[error(
        "the region of the row is neither two letters of ISO 3166-1 (GB for the United Kingdom) nor a country code"
    )]
    Region,
}

impl RowError {
    /// A name for programs. It never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Phone(error) => error.code(),
            Self::NoNumber => "no_number",
            Self::TooManyColumns => "too_many_columns",
            Self::Quotes => "row_quotes",
            Self::NotAnObject => "not_an_object",
            Self::Region => "region_unknown",
        }
    }
}

/// Where the numbers of a table are, and how they are written.
#[derive(Debug, Clone)]
pub struct NumberRules {
    /// The form.
    pub form: Form,
    /// Between the columns.
    pub delimiter: u8,
    /// How many columns the first row has.
    pub columns: usize,
    /// The columns of each number.
    pub places: Vec<Vec<usize>>,
    /// The members of the numbers.
    pub members: Vec<String>,
    /// Whether other members that are named as that of a phone number usually is count too.
    pub and_usual: bool,
    /// Members that no object may have, as the answer is put there.
    pub taken: &'static [&'static str],
    /// The encoding; where it is not known, a number that is not UTF-8 is taken for Windows-1252.
    pub encoding: Option<Encoding>,
    /// How they are written.
    pub notation: Notation,
    /// The column of a region that goes before that one.
    pub region_column: Option<usize>,
}

/// Reads the numbers of row after row.
#[derive(Debug)]
pub struct RowReader {
    rules: NumberRules,
    names: Names,
    cells: Cells,
    joined: Vec<u8>,
}

impl RowReader {
    /// For rows of a table.
    #[must_use]
    pub fn new(rules: NumberRules) -> Self {
        Self {
            names: Names::new(&rules.members, rules.and_usual, rules.taken),
            rules,
            cells: Cells::default(),
            joined: Vec::new(),
        }
    }

    /// The first number of a row; further ones are put into `also`. A row of which a number cannot
    /// be read is an error, and all numbers that can be are in `also` then.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn read(
        &mut self,
        row: &[u8],
        damaged: bool,
        also: &mut Vec<PhoneNumber>,
    ) -> Result<PhoneNumber, RowError> {
        match self.rules.form {
            _ if damaged => Err(RowError::Quotes),
            Form::Lines => self.number(row, self.rules.notation),
            Form::Csv => self.cells(row, also),
            Form::Ndjson => self.members(row, also),
        }
    }

    /// The cells of the row that was read last, if it was one of a table and not damaged.
    #[must_use]
    pub fn last_cells(&self) -> &Cells {
        &self.cells
    }

    fn cells(&mut self, row: &[u8], also: &mut Vec<PhoneNumber>) -> Result<PhoneNumber, RowError> {
        let before = also.len();
        let mut cells = std::mem::take(&mut self.cells);
        cells.split(row, self.rules.delimiter);
        let read = if cells.damaged() {
            Err(RowError::Quotes)
        } else if cells.len() > self.rules.columns {
            Err(RowError::TooManyColumns)
        } else {
            self.numbers(row, &cells, also)
        };
        let doubtful = cells.quoted() && self.swallows_rows(row);
        self.cells = cells;
        if doubtful {
            also.truncate(before);
            return Err(RowError::Quotes);
        }
        read
    }

    fn numbers(
        &mut self,
        row: &[u8],
        cells: &Cells,
        also: &mut Vec<PhoneNumber>,
    ) -> Result<PhoneNumber, RowError> {
        let notation = match self
            .rules
            .region_column
            .and_then(|place| cells.get(row, place))
        {
            Some(cell) if !cell.trim_ascii().is_empty() => {
                let region = Region::parse_cell(&super::columns::text(cell));
                Notation {
                    region: Some(region.map_err(|_| RowError::Region)?),
                    ..self.rules.notation
                }
            }
            _ => self.rules.notation,
        };
        let mut joined = std::mem::take(&mut self.joined);
        let mut number = |parts: &Vec<usize>| match parts.as_slice() {
            [place] => self.number(cells.get(row, *place).ok_or(RowError::NoNumber)?, notation),
            parts => {
                joined.clear();
                for place in parts {
                    let part = cells
                        .get(row, *place)
                        .ok_or(RowError::NoNumber)?
                        .trim_ascii();
                    if part.is_empty() {
                        return Err(PhoneError::Empty.into());
                    }
                    joined.extend_from_slice(part);
                }
                self.number(&joined, notation)
            }
        };
        let read = match self.rules.places.as_slice() {
            [one] => number(one),
            several => together(several.iter().map(number), also),
        };
        self.joined = joined;
        read
    }

    /// Whether a line of a row of several could be a row of its own: then a quotation mark was
    /// opened by mistake, and the rows up to the next mark only seem to be one cell.
    fn swallows_rows(&self, row: &[u8]) -> bool {
        let Some(end) = memchr::memrchr2(b'\n', b'\r', row) else {
            return false;
        };
        let mut cells = Cells::default();
        let mut is_row = |line: &[u8]| {
            let line: Vec<u8> = line.iter().copied().filter(|byte| *byte != b'"').collect();
            cells.split(&line, self.rules.delimiter);
            let is_number = |place: &usize| {
                let cell = cells.get(&line, *place).unwrap_or_default();
                self.number(cell, self.rules.notation).is_ok()
            };
            cells.len() == self.rules.columns && self.rules.places.iter().flatten().any(is_number)
        };
        let (lines, last) = (&row[..end], &row[end + 1..]);
        // What stands behind the mark that closes the cell is the rest of its row.
        let inside = last.split(|byte| *byte == b'"').next().unwrap_or_default();
        let last = inside.contains(&self.rules.delimiter).then_some(last);
        let lines = lines.split(|byte| matches!(byte, b'\n' | b'\r')).skip(1);
        lines.chain(last).any(&mut is_row)
    }

    fn members(
        &mut self,
        row: &[u8],
        also: &mut Vec<PhoneNumber>,
    ) -> Result<PhoneNumber, RowError> {
        let object = Object::read(row, &mut self.names).map_err(|_| RowError::NotAnObject)?;
        let number = |value| {
            let text = object::text(value).ok_or(PhoneError::NotANumber)?;
            self.number(text.as_bytes(), self.rules.notation)
        };
        let first = object.number.ok_or(RowError::NoNumber)?;
        match object.also.is_empty() {
            true => number(first.1),
            false => {
                let all = std::iter::once(&first).chain(&object.also);
                together(all.map(|(_, value)| number(value)), also)
            }
        }
    }

    #[inline]
    fn number(&self, cell: &[u8], notation: Notation) -> Result<PhoneNumber, RowError> {
        Ok(number(cell, self.rules.encoding, notation)?)
    }
}

/// The number in a cell. Where the encoding is not known, one that is not UTF-8 is taken for
/// Windows-1252.
///
/// # Errors
/// [`PhoneError`].
#[inline]
pub fn number(
    cell: &[u8],
    encoding: Option<Encoding>,
    notation: Notation,
) -> Result<PhoneNumber, PhoneError> {
    let text = cell.trim_ascii();
    let utf8 = match encoding {
        _ if text.is_ascii() => true,
        Some(encoding) => encoding == Encoding::Utf8,
        None => std::str::from_utf8(text).is_ok(),
    };
    if utf8 {
        return PhoneNumber::parse_bytes(text, notation);
    }
    // No number is longer.
    let text = &text[..text.len().min(MAX_INPUT_BYTES + 1)];
    let text = WINDOWS_1252.decode_without_bom_handling(text).0;
    PhoneNumber::parse(text.trim(), notation)
}

/// What the cells of one row say together: its number, and in `also` the others that it has. A cell
/// without anything is passed over; with one that cannot be read the whole row cannot be, and its
/// numbers are asked about all the same.
fn together(
    cells: impl Iterator<Item = Result<PhoneNumber, RowError>>,
    also: &mut Vec<PhoneNumber>,
) -> Result<PhoneNumber, RowError> {
    let before = also.len();
    let (mut number, mut empty, mut unread) = (None, None, None);
    for cell in cells {
        match cell {
            Ok(one) if number == Some(one) || also[before..].contains(&one) => {}
            Ok(one) => match number {
                None => number = Some(one),
                Some(_) => also.push(one),
            },
            Err(why @ (RowError::NoNumber | RowError::Phone(PhoneError::Empty))) => {
                empty.get_or_insert(why);
            }
            Err(why) => {
                unread.get_or_insert(why);
            }
        }
    }
    match (unread, number) {
        (None, Some(number)) => Ok(number),
        (Some(why), number) => {
            also.extend(number);
            Err(why)
        }
        (None, None) => Err(empty.unwrap_or(RowError::NoNumber)),
    }
}
