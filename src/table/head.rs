//! What the beginning of a table tells: what stands between its columns, and its first row.

use super::columns::text;
use super::foreign::{Foreign, foreign};
use super::rows::{EndlessRow, LONGEST_ROW, Row, Splitter};
use super::{BYTE_ORDER_MARK, Cells, Form};

/// The beginning of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The form.
    pub form: Form,
    /// Between the columns.
    pub delimiter: u8,
    /// Whether the table begins with the mark of UTF-8.
    pub marked: bool,
    /// Whether its first line is `sep=` and a sign, by which spreadsheets are told what stands
    /// between the columns.
    pub separator_line: bool,
    /// The cells of the first row; none when there is no row. Of [`Form::Lines`] and
    /// [`Form::Ndjson`] it has one cell.
    pub first: Vec<String>,
    /// Whether a quotation mark of the first row is not closed, or closed in the middle of a cell.
    pub damaged: bool,
}

/// Why a table cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It is no table.
    #[error(transparent)]
    Foreign(#[from] Foreign),
    /// It begins with more empty lines than are read.
    #[error("there is no row in its first 64 KiB")]
    NoRow,
    /// The first row has no end.
    #[error(transparent)]
    Endless(#[from] EndlessRow),
    /// The first row cannot be taken apart.
    #[error("a quotation mark is opened in the first row, or closed in the middle of a cell")]
    Quotes,
}

impl Head {
    /// Finds it in a table that begins with `start`; nothing while that does not tell it yet. `end`
    /// says that nothing comes behind, `delimiter` what stands between the columns, if that is known.
    ///
    /// # Errors
    /// [`HeadError`].
    pub fn find(
        start: &[u8],
        end: bool,
        form: Form,
        delimiter: Option<u8>,
    ) -> Result<Option<Self>, HeadError> {
        if !end && start.len() < super::foreign::ENOUGH {
            return Ok(None);
        }
        if let Some(foreign) = foreign(start, form == Form::Ndjson) {
            return Err(foreign.into());
        }
        let marked = start.starts_with(BYTE_ORDER_MARK);
        let mark = if marked { BYTE_ORDER_MARK.len() } else { 0 };
        let said = match form {
            Form::Csv => separator(&start[mark..]),
            Form::Lines | Form::Ndjson => None,
        };
        let delimiter = match (form, delimiter.or(said)) {
            (Form::Csv, None) => match delimiter_of(&start[mark..], end) {
                Some(delimiter) => delimiter,
                None => return Ok(None),
            },
            (_, known) => known.unwrap_or(b'\t'),
        };
        let mut head = Self {
            form,
            delimiter,
            marked,
            separator_line: said.is_some(),
            first: Vec::new(),
            damaged: false,
        };
        let (mut splitter, mut at, mut lines) = (head.splitter(), 0, 0);
        while let Some(row) = splitter.next(&start[at..], end)? {
            let content = head.content(start, at, row);
            at += row.next;
            if is_empty(content) || (std::mem::replace(&mut lines, 1) == 0 && head.separator_line) {
                continue;
            }
            if form == Form::Csv {
                let mut cells = Cells::default();
                cells.split(content, head.delimiter);
                head.damaged = row.damaged || cells.damaged();
                head.first = cells
                    .iter(content)
                    .map(|cell| text(cell).into_owned())
                    .collect();
            } else {
                head.first = vec![text(content).into_owned()];
            }
            return Ok(Some(head));
        }
        if !end && start.len() > LONGEST_ROW {
            return Err(HeadError::NoRow);
        }
        // A table without a single row is one too.
        Ok(end.then_some(head))
    }

    /// What finds its rows, the separator line and the empty ones included.
    #[must_use]
    pub fn splitter(&self) -> Splitter {
        let mark = if self.marked {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        Splitter::new(self.form, self.delimiter, mark)
    }

    /// The content of a row that begins at `at`, without the mark of UTF-8.
    fn content<'a>(&self, start: &'a [u8], at: usize, row: Row) -> &'a [u8] {
        let content = &start[at..at + row.content];
        match at {
            0 if self.marked => content.get(BYTE_ORDER_MARK.len()..).unwrap_or_default(),
            _ => content,
        }
    }
}

/// Whether a row only says what stands between the columns. The mark of UTF-8 is no part of it.
#[must_use]
pub fn is_separator_line(row: &[u8]) -> bool {
    separator(row).is_some()
}

/// Whether a row is an empty line, or the end of a file as DOS marked it (1A).
#[must_use]
pub fn is_empty(row: &[u8]) -> bool {
    matches!(row.trim_ascii(), b"" | b"\x1a")
}

/// What a first line `sep=;` says.
fn separator(start: &[u8]) -> Option<u8> {
    let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    match line.split_first_chunk::<4>()? {
        (word, [sign] | [sign, b'"']) if word.eq_ignore_ascii_case(b"sep=") => Some(*sign),
        _ => None,
    }
}

/// What stands between the columns of the first line: of the usual signs the most frequent one
/// outside quotation marks. Nothing while that line goes on; `end` says that nothing comes behind.
fn delimiter_of(start: &[u8], end: bool) -> Option<u8> {
    const USUAL: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut counts = [0_u32; 4];
    let mut quoted = false;
    let mut seen = false;
    // No further than a row may reach, so that it does not matter in what pieces it comes.
    let window = &start[..start.len().min(LONGEST_ROW + 2)];
    let mut ended = end || window.len() < start.len();
    for byte in window {
        match byte {
            b'"' => quoted = !quoted,
            // Empty lines before the first row are skipped, as the rows' reader does.
            b'\n' | b'\r' if !quoted && seen => {
                ended = true;
                break;
            }
            _ if quoted => {}
            _ => {
                if let Some(place) = USUAL.iter().position(|usual| usual == byte) {
                    counts[place] += 1;
                }
            }
        }
        seen |= !byte.is_ascii_whitespace();
    }
    let most = (0..4).rev().max_by_key(|place| counts[*place]);
    let most = most.map_or(b',', |place| USUAL[place]);
    ended.then_some(most)
}
