//! The cells of one row.

use memchr::{memchr, memchr_iter};

use super::rows::is_blank;

/// Where the cells of a row are. One is used for row after row, so that no row needs room of its
/// own.
#[derive(Debug, Default)]
pub struct Cells {
    /// Where each cell ends: in the row, or, if one is quoted, in `unquoted`.
    ends: Vec<u32>,
    unquoted: Vec<u8>,
    /// Whether a cell is quoted.
    quoted: bool,
    damaged: bool,
}

impl Cells {
    /// Finds the cells of a row, which is at most [`LONGEST_ROW`](super::LONGEST_ROW) long.
    #[inline]
    pub fn split(&mut self, row: &[u8], delimiter: u8) {
        self.ends.clear();
        self.damaged = false;
        self.quoted = memchr(b'"', row).is_some();
        if self.quoted {
            self.unquote(row, delimiter);
        } else {
            let ends = memchr_iter(delimiter, row).chain([row.len()]);
            self.ends.extend(ends.map(|end| end as u32));
        }
    }

    /// How many there are; at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether something stands behind a quotation mark that closes a cell, or none closes it: then
    /// nobody can tell which cell is which.
    #[must_use]
    pub fn damaged(&self) -> bool {
        self.damaged
    }

    /// Whether a quotation mark stands in the row.
    #[must_use]
    pub fn quoted(&self) -> bool {
        self.quoted
    }

    /// A cell of `row`, which is the row that was split; counted from 0.
    #[inline]
    #[must_use]
    pub fn get<'a>(&'a self, row: &'a [u8], place: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(place)? as usize;
        // Between two cells of a row stands its delimiter; between unquoted ones nothing.
        let gap = usize::from(!self.quoted);
        let start = match place.checked_sub(1) {
            Some(before) => self.ends[before] as usize + gap,
            None => 0,
        };
        let text = if self.quoted { &self.unquoted } else { row };
        text.get(start..end)
    }

    /// All of them.
    pub fn iter<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        (0..self.len()).filter_map(|place| self.get(row, place))
    }

    fn unquote(&mut self, row: &[u8], delimiter: u8) {
        self.unquoted.clear();
        let mut rest = row;
        loop {
            let blanks = rest.iter().take_while(|byte| is_blank(**byte, delimiter));
            rest = match rest[blanks.count()..].strip_prefix(b"\"") {
                Some(inside) => self.closed(inside, delimiter),
                None => rest,
            };
            let end = memchr(delimiter, rest).unwrap_or(rest.len());
            self.unquoted.extend_from_slice(&rest[..end]);
            self.ends.push(self.unquoted.len() as u32);
            match rest.get(end + 1..) {
                Some(others) => rest = others,
                None => return,
            }
        }
    }

    /// Takes the inside of a quoted cell; what follows its closing mark.
    fn closed<'a>(&mut self, mut inside: &'a [u8], delimiter: u8) -> &'a [u8] {
        loop {
            let Some(mark) = memchr(b'"', inside) else {
                self.damaged = true;
                return inside;
            };
            self.unquoted.extend_from_slice(&inside[..mark]);
            inside = &inside[mark + 1..];
            let Some(others) = inside.strip_prefix(b"\"") else {
                break;
            };
            self.unquoted.push(b'"');
            inside = others;
        }
        let blanks = inside.iter().take_while(|byte| is_blank(**byte, delimiter));
        let rest = &inside[blanks.count()..];
        self.damaged |= rest.first().is_some_and(|byte| *byte != delimiter);
        rest
    }
}
