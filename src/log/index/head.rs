//! The head of a segment: what is in it, and where.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::row::{Names, kind};
use super::{ENTRIES, Part, SHELVES, checksum};
use crate::domain::{AgencyId, Moment, Op, SellerRef};

const MAGIC: [u8; 8] = *b"mtrindex";
const VERSION: u32 = 1;
/// Magic, version and length.
pub(super) const PREFIX: usize = 16;
const FIXED: usize = PREFIX + 4 + 8 * 4 + 8 + 8 + 4 + 4;
const SHELF: usize = 4 + 8;
const DIGEST: usize = 32;
/// As many names as entries, each of at most 63 bytes.
const LONGEST: usize = FIXED + 3 * SHELVES * SHELF + 2 * ENTRIES as usize * 64 + DIGEST;

/// What a segment covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// How many entries.
    pub entries: u32,
    /// The earliest entry's time; the epoch when there is none.
    pub earliest: Moment,
    /// The latest entry's time; the epoch when there is none.
    pub latest: Moment,
    /// Entries of each kind that is counted, in the order of `row::kind`; the last are `prune` and
    /// `import`.
    pub(super) kinds: [u32; 8],
}

impl Default for Header {
    fn default() -> Self {
        Self {
            entries: 0,
            earliest: Moment::from_millis(0),
            latest: Moment::from_millis(0),
            kinds: [0; 8],
        }
    }
}

impl Header {
    /// How many entries of one kind.
    #[must_use]
    pub fn count_of(&self, op: Op) -> u32 {
        kind(op).map_or(0, |kind| self.kinds[usize::from(kind)])
    }
}

/// The rows that begin (or the ids that end) with one byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shelf {
    /// Before it in its part.
    pub start: u32,
    pub rows: u32,
    pub checksum: u64,
}

/// A head that was read.
#[derive(Debug)]
pub(super) struct Head {
    pub header: Header,
    pub names: Names,
    shelves: [Vec<Shelf>; 3],
    /// Where each part begins.
    starts: [u64; 3],
}

impl Head {
    /// The head of these rows, sorted as they will stand.
    pub fn write(header: &Header, names: &Names, parts: &[(Part, &[u8]); 3]) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED + 3 * SHELVES * SHELF + 4096);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&header.entries.to_le_bytes());
        for count in header.kinds {
            out.extend_from_slice(&count.to_le_bytes());
        }
        for time in [header.earliest, header.latest] {
            out.extend_from_slice(&time.millis().to_le_bytes());
        }
        for count in [names.agencies.len(), names.sellers.len()] {
            out.extend_from_slice(&(count as u32).to_le_bytes());
        }
        for (part, rows) in parts {
            write_shelves(*part, rows, &mut out);
        }
        let agencies = names.agencies.iter();
        let agencies = agencies.map(|name| name.as_ref().map_or("", AgencyId::as_str));
        let sellers = names.sellers.iter();
        let sellers = sellers.map(|name| name.as_ref().map_or("", SellerRef::as_str));
        for name in agencies.chain(sellers) {
            out.push(name.len() as u8);
            out.extend_from_slice(name.as_bytes());
        }
        let length = (out.len() + DIGEST) as u32;
        out[12..16].copy_from_slice(&length.to_le_bytes());
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        out
    }

    /// How long a head is, from its first bytes.
    pub fn length(prefix: &[u8; PREFIX]) -> Option<usize> {
        let mut from = From(prefix);
        let known = from.take::<8>()? == MAGIC && from.u32()? == VERSION;
        let length = from.u32()? as usize;
        (known && (FIXED + DIGEST..=LONGEST).contains(&length)).then_some(length)
    }

    /// Reads a whole head; nothing if it is damaged or contradicts itself.
    pub fn read(head: &[u8]) -> Option<Self> {
        let (content, digest) = head.split_last_chunk::<DIGEST>()?;
        if Sha256::digest(content).as_slice() != digest {
            return None;
        }
        let mut from = From(content.get(PREFIX..)?);
        let entries = from.u32()?;
        let mut kinds = [0; 8];
        for count in &mut kinds {
            *count = from.u32()?;
        }
        let header = Header {
            entries,
            kinds,
            earliest: from.time()?,
            latest: from.time()?,
        };
        let (agencies, sellers) = (from.u32()?, from.u32()?);
        let shelves = [from.shelves()?, from.shelves()?, from.shelves()?];
        let names = Names {
            agencies: from.names(agencies, |name| AgencyId::parse(name).ok())?,
            sellers: from.names(sellers, |name| SellerRef::parse(name).ok())?,
        };
        let [checks, others, ids] = [0, 1, 2].map(|part| {
            let rows = |shelf: &Shelf| shelf.start + shelf.rows;
            shelves[part].last().map_or(0, rows)
        });
        let all = kinds.iter().try_fold(0_u32, |sum, n| sum.checked_add(*n));
        if entries > ENTRIES
            || all.is_none_or(|all| all > entries)
            || ids != entries
            || checks + others > entries
            || header.earliest > header.latest
            || !from.0.is_empty()
        {
            return None;
        }
        let starts = [0, checks, checks + others]
            .map(|rows| head.len() as u64 + u64::from(rows) * Part::Checks.width() as u64);
        Some(Self {
            header,
            names,
            shelves,
            starts,
        })
    }

    /// The shelves of a part, and where it begins.
    pub fn part(&self, part: Part) -> (&[Shelf], u64) {
        let place = part as usize;
        (&self.shelves[place], self.starts[place])
    }
}

impl Shelf {
    /// The rows of this shelf.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..(self.start + self.rows) as usize
    }
}

fn write_shelves(part: Part, rows: &[u8], out: &mut Vec<u8>) {
    let width = part.width();
    let byte = match part {
        Part::Checks | Part::Others => 0,
        Part::Ids => 15,
    };
    let mut start = 0;
    for shelf in 0..SHELVES {
        let mut end = start;
        while rows
            .get(end + byte)
            .is_some_and(|b| usize::from(*b) == shelf)
        {
            end += width;
        }
        out.extend_from_slice(&(((end - start) / width) as u32).to_le_bytes());
        out.extend_from_slice(&checksum(&rows[start..end]).to_le_bytes());
        start = end;
    }
}

/// What is left to read.
struct From<'a>(&'a [u8]);

impl From<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn time(&mut self) -> Option<Moment> {
        let millis = self.take().map(i64::from_le_bytes)?;
        let moment = Moment::from_millis(millis);
        (moment.millis() == millis).then_some(moment)
    }

    fn shelves(&mut self) -> Option<Vec<Shelf>> {
        let mut start = 0_u32;
        let mut shelves = Vec::with_capacity(SHELVES);
        for _ in 0..SHELVES {
            let rows = self.u32()?;
            let checksum = self.take().map(u64::from_le_bytes)?;
            shelves.push(Shelf {
                start,
                rows,
                checksum,
            });
            start = start.checked_add(rows).filter(|rows| *rows <= ENTRIES)?;
        }
        Some(shelves)
    }

    fn names<T>(&mut self, count: u32, parse: fn(&str) -> Option<T>) -> Option<Vec<Option<T>>> {
        let mut names = Vec::new();
        if count > ENTRIES {
            return None;
        }
        for _ in 0..count {
            let [length] = self.take()?;
            let (name, rest) = self.0.split_at_checked(length.into())?;
            self.0 = rest;
            names.push(match name {
                b"" => None,
                name => Some(parse(std::str::from_utf8(name).ok()?)?),
            });
        }
        Some(names)
    }
}
