//! The disposable index of a part of the log: who asked about this number, and where is this
//! entry, without reading every entry.
//!
//! One segment covers up to [`ENTRIES`] entries. It can be deleted at any time: it is made again
//! from the entries, byte for byte. It is this project's own form (no specification covers it),
//! and only bytes here: where they are kept is for others to say.
//!
//! ```text
//! head     magic, version, length of the head          8 + 4 + 4
//!          entries, entries of each kind               4 + 8 × 4
//!          earliest and latest time                    8 + 8      milliseconds since the epoch
//!          number of agencies, of sellers              4 + 4
//!          three tables of 256 shelves                 3 × 256 × (4 + 8)   rows, checksum
//!          names of agencies, then of sellers          1 + n each; an empty one is "none"
//!          SHA-256 of all this                         32
//! checks   rows of checks that have a pseudonym        45 each, sorted by pseudonym and position
//! others   rows of other entries that have one         45 each, the same
//! ids      every entry's id and position               18 each, sorted by last byte, then id
//!
//! row      pseudonym 16, position 2, time 6, kind/answer/channels 1, agency 2, seller 2, id 16
//! ```
//!
//! All integers are little-endian. A shelf holds the rows whose pseudonym begins with one byte, or
//! the ids that end with it (the beginning of an id is its time, and so the same for all): one
//! look-up reads one shelf of about 11 KB. A shelf's checksum is the first 8 bytes of
//! SHA-256, and the head's covers the checksums, so that nothing is believed that was
//! damaged on disk. Who writes a segment on purpose can write a wrong one: what it says must be
//! looked up in the entries before it is proof of anything.

mod build;
mod head;
mod row;
mod segment;

#[cfg(test)]
mod tests;

pub use build::{NoSuchPosition, SegmentBuilder};
pub use head::Header;
pub use row::Row;
pub use segment::{IndexError, ReadAt, Segment, Shelves};

/// How many entries one segment covers at most.
pub const ENTRIES: u32 = 1 << 16;

/// How many shelves each of the three parts has.
const SHELVES: usize = 256;

/// The part of a segment that a row or an id belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Checks,
    Others,
    Ids,
}

impl Part {
    /// How many bytes one of its rows takes.
    const fn width(self) -> usize {
        match self {
            Self::Checks | Self::Others => row::WIDTH,
            Self::Ids => ID_WIDTH,
        }
    }
}

/// An id and a position.
const ID_WIDTH: usize = 16 + 2;

/// The checksum of a shelf.
fn checksum(rows: &[u8]) -> u64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(rows);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}
