//! Some rows that are asked about together.

use super::cells;
use super::layout::{Encoding, Form, Layout};
use super::object::{self, Names, Object};
use crate::domain::{PhoneError, PhoneNumber, Region};
use crate::service::table::BYTE_ORDER_MARK;

/// How many rows go to the store at once.
pub(super) const ROWS: usize = 512;

/// How many bytes of rows are held together at most, unless one row alone has more.
pub(super) const BYTES: usize = 256 << 10;

/// Rows, one after the other, as they came.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub bytes: Vec<u8>,
    pub lines: Vec<Line>,
    /// Further numbers of the lines, in order: each line says how many it has.
    pub also: Vec<PhoneNumber>,
    /// How many numbers, and rows without one, need an answer.
    pub asked: usize,
}

/// One line of the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Where its content ends, in the group's bytes.
    pub content: u32,
    /// Where the next line begins.
    pub next: u32,
    pub kind: Kind,
    /// How many cells it has fewer than the first row.
    pub missing: u16,
    /// How many further numbers it has: each is asked about too.
    pub also: u16,
    /// An object without any member.
    pub empty: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// An empty line, which comes back as it is.
    Blank,
    /// The names of the columns.
    Heading,
    Number(PhoneNumber),
    Unreadable(Unreadable),
}

impl Line {
    /// Whether the store is asked about it, and an entry made.
    pub fn needs_answer(&self) -> bool {
        matches!(self.kind, Kind::Number(_) | Kind::Unreadable(_))
    }
}

/// Why a row's number cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    Phone(PhoneError),
    /// There is no such cell or member.
    NoNumber,
    /// More cells than the first row: which of them is the number cannot be known.
    TooManyColumns,
    /// Not a JSON object, or one that nothing can be added to.
    NotAnObject,
}

impl Unreadable {
    /// A name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Phone(error) => error.code(),
            Self::NoNumber => "no_number",
            Self::TooManyColumns => "too_many_columns",
            Self::NotAnObject => "not_an_object",
        }
    }
}

impl Group {
    /// Whether it is time to ask about it.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= ROWS || self.asked >= ROWS || self.end() >= BYTES
    }

    /// Where its last line ends.
    pub fn end(&self) -> usize {
        self.lines.last().map_or(0, |line| line.next as usize)
    }

    /// Whether these are the decisions of its rows.
    pub fn fits(&self, decisions: usize) -> bool {
        self.asked == decisions
    }
}

/// Reads the number of each row.
#[derive(Debug)]
pub(super) struct RowReader {
    layout: Layout,
    names: Names,
    region: Option<Region>,
    room: Vec<u8>,
    /// Whether the first row is still to come, and whether the very beginning of the list is.
    heading: bool,
    marked: bool,
}

impl RowReader {
    pub fn new(layout: &Layout, region: Option<Region>) -> Self {
        Self {
            layout: layout.clone(),
            names: Names::new(&layout.members, layout.and_usual),
            region,
            room: Vec::new(),
            heading: layout.heading,
            marked: layout.marked,
        }
    }

    /// The line of the next row, which ends here. If it has more than one number, the others are put
    /// into `also`.
    pub fn line(
        &mut self,
        content: &[u8],
        end: u32,
        next: u32,
        also: &mut Vec<PhoneNumber>,
    ) -> Line {
        let mut line = Line {
            content: end,
            next,
            kind: Kind::Blank,
            missing: 0,
            also: 0,
            empty: false,
        };
        let content = match self.marked {
            true => content.get(BYTE_ORDER_MARK.len()..).unwrap_or_default(),
            false => content,
        };
        self.marked = false;
        if self.layout.is_blank(content) {
            return line;
        }
        if self.heading {
            self.heading = false;
            line.kind = Kind::Heading;
            return line;
        }
        let before = also.len();
        let read = match self.layout.form {
            Form::Lines => self.number(content),
            Form::Csv => self.cells(content, &mut line, also),
            Form::Ndjson => self.members(content, &mut line, also),
        };
        // A row of 64 KiB has no more numbers than that.
        line.also = u16::try_from(also.len() - before).unwrap_or(u16::MAX);
        line.kind = match read {
            Ok(number) => Kind::Number(number),
            Err(why) => Kind::Unreadable(why),
        };
        line
    }

    fn cells(
        &mut self,
        content: &[u8],
        line: &mut Line,
        also: &mut Vec<PhoneNumber>,
    ) -> Result<PhoneNumber, Unreadable> {
        let mut room = std::mem::take(&mut self.room);
        let layout = &self.layout;
        let (mut columns, before) = (0, also.len());
        let mut cell = |place: usize| {
            let (count, cell) = cells::cell(content, layout.delimiter, place, &mut room);
            columns = count;
            self.number(cell.ok_or(Unreadable::NoNumber)?)
        };
        let mut number = match layout.places.as_slice() {
            [place] => cell(*place),
            places => together(places.iter().map(|place| cell(*place)), also),
        };
        if columns > layout.columns {
            // Then none of the cells is surely that of a number.
            also.truncate(before);
            number = Err(Unreadable::TooManyColumns);
        }
        let missing = layout.columns.saturating_sub(columns);
        // A row of 64 KiB has no more cells than that.
        line.missing = u16::try_from(missing).unwrap_or(u16::MAX);
        self.room = room;
        number
    }

    fn members(
        &mut self,
        content: &[u8],
        line: &mut Line,
        also: &mut Vec<PhoneNumber>,
    ) -> Result<PhoneNumber, Unreadable> {
        let object = Object::read(content, &mut self.names);
        let object = object.map_err(|_| Unreadable::NotAnObject)?;
        line.empty = object.empty;
        let number = |value| {
            let text = object::text(value).ok_or(Unreadable::Phone(PhoneError::NotANumber))?;
            self.number(text.as_bytes())
        };
        let first = object.number.ok_or(Unreadable::NoNumber)?;
        match object.also.is_empty() {
            true => number(first.1),
            false => {
                let all = std::iter::once(&first).chain(&object.also);
                together(all.map(|(_, value)| number(value)), also)
            }
        }
    }

    #[inline]
    fn number(&self, text: &[u8]) -> Result<PhoneNumber, Unreadable> {
        let text = text.trim_ascii();
        if text.is_ascii() {
            return PhoneNumber::parse_bytes(text, self.region).map_err(Unreadable::Phone);
        }
        let latin1 = match self.layout.encoding {
            Some(Encoding::Latin1) => true,
            Some(Encoding::Utf8) => false,
            None => std::str::from_utf8(text).is_err(),
        };
        let number = match latin1 {
            // Each byte is the character of the same number; no number is longer.
            true => {
                let most = crate::domain::MAX_INPUT_BYTES + 1;
                let text: String = text.iter().take(most).copied().map(char::from).collect();
                PhoneNumber::parse(text.trim(), self.region)
            }
            false => PhoneNumber::parse_bytes(text, self.region),
        };
        number.map_err(Unreadable::Phone)
    }
}

/// What the cells of one row say together: its number, and in `also` the others that it has. A cell
/// without anything is passed over; with one that cannot be read the whole row cannot be, and its
/// numbers are asked about all the same.
fn together(
    cells: impl Iterator<Item = Result<PhoneNumber, Unreadable>>,
    also: &mut Vec<PhoneNumber>,
) -> Result<PhoneNumber, Unreadable> {
    let before = also.len();
    let (mut number, mut empty, mut unread) = (None, None, None);
    for cell in cells {
        match cell {
            Ok(one) if number == Some(one) || also[before..].contains(&one) => {}
            Ok(one) => match number {
                None => number = Some(one),
                Some(_) => also.push(one),
            },
            Err(why @ (Unreadable::NoNumber | Unreadable::Phone(PhoneError::Empty))) => {
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
        (None, None) => Err(empty.unwrap_or(Unreadable::NoNumber)),
    }
}
