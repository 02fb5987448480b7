//! Some rows that are asked about together.

use crate::domain::{Notation, PhoneNumber};
use crate::table::{BYTE_ORDER_MARK, Layout, Row, RowError, RowReader, is_empty};

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
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// An empty line, or one that only says what stands between the columns; it comes back as it is.
    Blank,
    /// The names of the columns.
    Heading,
    Number(PhoneNumber),
    Unreadable(RowError),
}

impl Line {
    /// Whether the store is asked about it, and an entry made.
    pub fn needs_answer(&self) -> bool {
        matches!(self.kind, Kind::Number(_) | Kind::Unreadable(_))
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

/// Reads the lines of a wash.
#[derive(Debug)]
pub(super) struct LineReader {
    rows: RowReader,
    columns: usize,
    /// Rows that stand before the first one with a number, and whether one of them is the first line
    /// of the list.
    heading: bool,
    separator_line: bool,
    marked: bool,
}

impl LineReader {
    pub fn new(layout: &Layout, notation: Notation) -> Self {
        Self {
            rows: RowReader::new(layout.rules(notation)),
            columns: layout.columns,
            heading: layout.heading,
            separator_line: layout.head.separator_line,
            marked: layout.head.marked,
        }
    }

    /// The line of the next row, which begins at `start` and was found there. If it has more than
    /// one number, the others are put into `also`.
    pub fn line(
        &mut self,
        bytes: &[u8],
        start: usize,
        row: Row,
        also: &mut Vec<PhoneNumber>,
    ) -> Line {
        let content = &bytes[start..start + row.content];
        let mut line = Line {
            // Groups are far smaller than 4 GiB.
            content: (start + row.content) as u32,
            next: (start + row.next) as u32,
            kind: Kind::Blank,
            missing: 0,
            also: 0,
        };
        let content = match std::mem::take(&mut self.marked) {
            true => content.get(BYTE_ORDER_MARK.len()..).unwrap_or_default(),
            false => content,
        };
        if is_empty(content) || std::mem::take(&mut self.separator_line) {
            return line;
        }
        if std::mem::take(&mut self.heading) {
            line.kind = Kind::Heading;
            return line;
        }
        let before = also.len();
        line.kind = match self.rows.read(content, row.damaged, also) {
            Ok(number) => Kind::Number(number),
            Err(why) => Kind::Unreadable(why),
        };
        // A row of 64 KiB has no more numbers and no more cells than that.
        let few = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        line.also = few(also.len() - before);
        if self.columns > 1 && !row.damaged {
            line.missing = few(self.columns.saturating_sub(self.rows.last_cells().len()));
        }
        line
    }
}
