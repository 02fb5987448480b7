//! Looking things up in a segment.

use std::io;
use std::ops::Range;

use super::head::{Head, Header, PREFIX, Shelf};
use super::row::{self, Row, WIDTH};
use super::{ENTRIES, ID_WIDTH, Part, SHELVES, checksum};
use crate::domain::{EntryId, Pseudonym};

/// Why a segment does not answer. The entries themselves always can.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// These bytes are not a segment, or not as they were written.
    #[error("an index of the log is damaged; delete it, and it is made again from the entries")]
    Damaged,
    /// They could not be read.
    #[error("an index of the log cannot be read")]
    Read(#[from] io::Error),
}

/// Where a segment's bytes are.
pub trait ReadAt {
    /// Fills `into` from `offset` on.
    ///
    /// # Errors
    /// When so many bytes are not there, or cannot be read.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..)?.get(..into.len()));
        into.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, into)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, into)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for std::sync::Arc<T> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, into)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Box<T> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, into)
    }
}

/// The shelves on which rows of some pseudonyms stand: what need not be read is not.
#[derive(Debug, Clone)]
pub struct Shelves([bool; SHELVES]);

impl Shelves {
    /// Every shelf.
    pub const ALL: Self = Self([true; SHELVES]);

    /// The shelves of these pseudonyms.
    pub fn of<'a>(wanted: impl IntoIterator<Item = &'a Pseudonym>) -> Self {
        let mut shelves = [false; SHELVES];
        for pn in wanted {
            shelves[usize::from(pn.0[0])] = true;
        }
        Self(shelves)
    }

    fn one(shelf: u8) -> Self {
        let mut shelves = [false; SHELVES];
        shelves[usize::from(shelf)] = true;
        Self(shelves)
    }
}

/// A segment. Its head is in memory, the rest is read when it is needed, and believed when its
/// checksum is right.
#[derive(Debug)]
pub struct Segment<R = Vec<u8>> {
    head: Head,
    source: R,
}

impl<R: ReadAt> Segment<R> {
    /// Reads the head.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn open(source: R) -> Result<Self, IndexError> {
        let mut prefix = [0; PREFIX];
        read(&source, 0, &mut prefix)?;
        let length = Head::length(&prefix).ok_or(IndexError::Damaged)?;
        let mut head = vec![0; length];
        read(&source, 0, &mut head)?;
        let head = Head::read(&head).ok_or(IndexError::Damaged)?;
        Ok(Self { head, source })
    }

    /// Where its bytes are.
    #[must_use]
    pub fn source(&self) -> &R {
        &self.source
    }

    /// What it covers.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.head.header
    }

    /// Everything about one pseudonym, in the order of the log.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn rows_of(&self, pn: &Pseudonym) -> Result<Vec<Row<'_>>, IndexError> {
        let wanted = Shelves::one(pn.0[0]);
        let mut rows = Vec::new();
        for part in [Part::Checks, Part::Others] {
            self.walk(part, &wanted, |row: &[u8; WIDTH]| {
                if row[..16] == pn.0 {
                    rows.push(self.row(row)?);
                }
                Ok(())
            })?;
        }
        rows.sort_by_key(|row| row.position);
        Ok(rows)
    }

    /// Where the entry with this id stands.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn position_of(&self, id: &EntryId) -> Result<Option<u16>, IndexError> {
        let wanted = Shelves::one(id.as_bytes()[15]);
        let mut position = None;
        self.walk(Part::Ids, &wanted, |row: &[u8; ID_WIDTH]| {
            if row[..16] == *id.as_bytes() && position.is_none() {
                position = Some(u16::from_le_bytes([row[16], row[17]]));
            }
            Ok(())
        })?;
        Ok(position)
    }

    /// Goes through the checks on these shelves. When it fails, some rows may have been given:
    /// they are right, but not all.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn checks<'s>(
        &'s self,
        shelves: &Shelves,
        mut each: impl FnMut(Row<'s>),
    ) -> Result<(), IndexError> {
        self.walk(Part::Checks, shelves, |row| {
            each(self.row(row)?);
            Ok(())
        })
    }

    /// Goes through the other rows on these shelves: registrations, withdrawals, openings.
    ///
    /// # Errors
    /// As [`checks`](Self::checks).
    pub fn others<'s>(
        &'s self,
        shelves: &Shelves,
        mut each: impl FnMut(Row<'s>),
    ) -> Result<(), IndexError> {
        self.walk(Part::Others, shelves, |row| {
            each(self.row(row)?);
            Ok(())
        })
    }

    fn row(&self, row: &[u8; WIDTH]) -> Result<Row<'_>, IndexError> {
        row::decode(row, &self.head.names).ok_or(IndexError::Damaged)
    }

    /// Gives the rows on these shelves, `N` bytes each. Shelves that stand side by side are read
    /// in one piece.
    fn walk<const N: usize>(
        &self,
        part: Part,
        wanted: &Shelves,
        mut each: impl FnMut(&[u8; N]) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let (shelves, start) = self.head.part(part);
        let mut piece = Vec::new();
        for run in runs(wanted, shelves) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else {
                continue;
            };
            let before = first.range().start;
            piece.resize((last.range().end - before) * N, 0);
            read(&self.source, start + (before * N) as u64, &mut piece)?;
            for shelf in run {
                let range = shelf.range();
                let rows = &piece[(range.start - before) * N..(range.end - before) * N];
                if checksum(rows) != shelf.checksum {
                    return Err(IndexError::Damaged);
                }
                rows.as_chunks().0.iter().try_for_each(&mut each)?;
            }
        }
        Ok(())
    }
}

/// Wanted shelves that stand side by side.
fn runs<'a>(wanted: &'a Shelves, shelves: &'a [Shelf]) -> impl Iterator<Item = &'a [Shelf]> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let is = |place: usize| wanted.0.get(place).copied();
        while is(next) == Some(false) {
            next += 1;
        }
        let from = next;
        while is(next) == Some(true) {
            next += 1;
        }
        let run: Range<usize> = from..next;
        (!run.is_empty()).then(|| shelves.get(run))?
    })
}

/// Bytes that are not there are damage too: a segment that was cut short.
fn read(source: &impl ReadAt, offset: u64, into: &mut [u8]) -> Result<(), IndexError> {
    source.read_at(offset, into).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            IndexError::Damaged
        } else {
            IndexError::Read(error)
        }
    })
}

const _: () = assert!(ENTRIES as usize * WIDTH < u32::MAX as usize);
