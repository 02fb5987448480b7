//! Some rows that are asked about together.

use super::cells;
use super::layout::{Encoding, Form, Layout};
use super::object::{self, Object};
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
    /// How many of the lines need an answer.
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
        self.lines.len() >= ROWS || self.end() >= BYTES
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
            region,
            room: Vec::new(),
            heading: layout.heading,
            marked: layout.marked,
        }
    }

    /// The line of the next row, which ends here.
    pub fn line(&mut self, content: &[u8], end: u32, next: u32) -> Line {
        let mut line = Line {
            content: end,
            next,
            kind: Kind::Blank,
            missing: 0,
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
        let read = match self.layout.form {
            Form::Lines => self.number(content),
            Form::Csv => self.cell(content, &mut line),
            Form::Ndjson => self.member(content, &mut line),
        };
        line.kind = match read {
            Ok(number) => Kind::Number(number),
            Err(why) => Kind::Unreadable(why),
        };
        line
    }

    fn cell(&mut self, content: &[u8], line: &mut Line) -> Result<PhoneNumber, Unreadable> {
        let mut room = std::mem::take(&mut self.room);
        let layout = &self.layout;
        let (count, cell) = cells::cell(content, layout.delimiter, layout.place, &mut room);
        let number = match cell {
            _ if count > layout.columns => Err(Unreadable::TooManyColumns),
            None => Err(Unreadable::NoNumber),
            Some(cell) => self.number(cell),
        };
        let missing = layout.columns.saturating_sub(count);
        // A row of 64 KiB has no more cells than that.
        line.missing = u16::try_from(missing).unwrap_or(u16::MAX);
        self.room = room;
        number
    }

    fn member(&mut self, content: &[u8], line: &mut Line) -> Result<PhoneNumber, Unreadable> {
        let object = Object::read(content, &self.layout.member);
        let object = object.map_err(|_| Unreadable::NotAnObject)?;
        line.empty = object.empty;
        let value = object.number.ok_or(Unreadable::NoNumber)?;
        let text = object::text(value).ok_or(Unreadable::Phone(PhoneError::NotANumber))?;
        self.number(text.as_bytes())
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
