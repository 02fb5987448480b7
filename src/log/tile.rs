//! Where the tree's hashes and the log's entries lie: tiles and entry bundles, after C2SP
//! tlog-tiles (<https://c2sp.org/tlog-tiles>), sections "Merkle Tree" and "Log entries".
//!
//! A tile holds 256 hashes of one level, a bundle 256 entries; at the right edge either may be
//! partial, with a width of 1 to 255. One tile level is eight levels of the tree: the hashes of
//! tile level L are those of full subtrees of 256^L leaves. This file knows names and bytes;
//! nothing here reads a file.

use std::fmt::Write as _;
use std::ops::Range;

use super::decimal;
use super::merkle::Hash;

/// The hashes in a full tile, and the entries in a full bundle.
pub const WIDTH: u64 = 256;

/// The width of what is full, as [`Tile`] counts it.
const FULL: u16 = 256;

/// The highest tile level that has a name.
const MAX_LEVEL: u8 = 63;

/// One file of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tile {
    /// Hashes of the tree.
    Hashes {
        /// The tile level, 0 to 63: level 0 holds leaf hashes.
        level: u8,
        /// The tile's place in its level, from 0.
        index: u64,
        /// How many hashes it has, 1 to 256.
        width: u16,
    },
    /// Entries.
    Entries {
        /// The bundle's place, from 0.
        index: u64,
        /// How many entries it has, 1 to 256.
        width: u16,
    },
}

impl Tile {
    /// Its path below the log's own folder or URL: `tile/0/x001/234.p/5`, `tile/entries/000`.
    #[must_use]
    pub fn path(&self) -> String {
        let (mut path, index, width) = match *self {
            Self::Hashes {
                level,
                index,
                width,
            } => (format!("tile/{level}/"), index, width),
            Self::Entries { index, width } => ("tile/entries/".to_owned(), index, width),
        };
        path.push_str(&index_path(index));
        if width < FULL {
            // Writing to a String cannot fail.
            let _ = write!(path, ".p/{width}");
        }
        path
    }

    /// Reads what [`Tile::path`] writes, in that one spelling.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, place) = path.strip_prefix("tile/")?.split_once('/')?;
        let (index, width) = match place.split_once(".p/") {
            Some((index, width)) => {
                let width = u16::try_from(decimal(width)?).ok()?;
                (index, (1..FULL).contains(&width).then_some(width)?)
            }
            None => (place, FULL),
        };
        let index = parse_index_path(index)?;
        if kind == "entries" {
            return Some(Self::Entries { index, width });
        }
        let level = u8::try_from(decimal(kind)?).ok()?;
        (level <= MAX_LEVEL).then_some(Self::Hashes {
            level,
            index,
            width,
        })
    }
}

/// A number as a path of three-digit elements, all but the last with an `x` before them:
/// `x001/234` is 1,234. No path is then both a file and a folder.
#[must_use]
pub fn index_path(n: u64) -> String {
    let mut groups = vec![n % 1000];
    let mut rest = n / 1000;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    let mut path = String::new();
    for (after, group) in groups.iter().enumerate().rev() {
        // Writing to a String cannot fail.
        let _ = match after {
            0 => write!(path, "{group:03}"),
            _ => write!(path, "x{group:03}/"),
        };
    }
    path
}

/// Reads what [`index_path`] writes, in that one spelling.
#[must_use]
pub fn parse_index_path(path: &str) -> Option<u64> {
    let mut index = 0u64;
    let mut elements = path.split('/').peekable();
    let mut first = true;
    while let Some(element) = elements.next() {
        let last = elements.peek().is_none();
        let digits = match last {
            true => element,
            false => element.strip_prefix('x')?,
        };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // A first element of zeroes adds nothing: the same number has a shorter path.
        if first && !last && digits == "000" {
            return None;
        }
        first = false;
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(index)
}

/// The tiles of a tree of `size` leaves at a tile level: the number of full ones, and the width of
/// the partial one after them (0: there is none). At level 0 these are the entry bundles too.
#[must_use]
pub fn extent(level: u8, size: u64) -> (u64, u16) {
    let hashes = size.checked_shr(u32::from(level) * 8).unwrap_or(0);
    // Less than 256, so the cast keeps it.
    (hashes / WIDTH, (hashes % WIDTH) as u16)
}

/// Where a full subtree of 2^level leaves lies: the tile level, the tile's index in it, and which
/// of that tile's hashes make it up (one of them, or 2, 4 … 128, to be combined with
/// [`super::merkle::root_of`]).
#[must_use]
pub fn place_of(level: u8, index: u64) -> (u8, u64, Range<usize>) {
    let height = level % 8;
    let in_a_tile = WIDTH >> height;
    // Less than 256, so the cast keeps it.
    let start = ((index % in_a_tile) << height) as usize;
    (level / 8, index / in_a_tile, start..start + (1 << height))
}

/// The hashes of a tile from its bytes; nothing unless these are 1 to 256 whole hashes.
#[must_use]
pub fn hashes(tile: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, rest) = tile.as_chunks::<32>();
    let fits = rest.is_empty() && (1..=usize::from(FULL)).contains(&hashes.len());
    fits.then(|| hashes.iter().copied().map(Hash).collect())
}

/// An entry is longer than the 65,535 bytes that a bundle can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {0} bytes is too long for the log")]
pub struct TooLong(pub usize);

/// A bundle ends inside an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bundle breaks off inside an entry")]
pub struct Malformed;

/// Appends an entry to a bundle: its length in two bytes, the higher first, then its bytes.
///
/// # Errors
/// If it is longer than 65,535 bytes; the bundle is then as before.
pub fn put_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| TooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, in order. How many there must be, the caller knows.
#[must_use]
pub fn entries(bundle: &[u8]) -> Entries<'_> {
    Entries { rest: bundle }
}

/// Goes over a bundle; made by [`entries`]. After an error there is nothing more.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<&'a [u8], Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let split = self
            .rest
            .split_first_chunk::<2>()
            .and_then(|(length, rest)| {
                rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
            });
        Some(match split {
            Some((entry, rest)) => {
                self.rest = rest;
                Ok(entry)
            }
            None => {
                self.rest = &[];
                Err(Malformed)
            }
        })
    }
}

impl std::iter::FusedIterator for Entries<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_named_as_the_specification_names_it() {
        for (tile, path) in [
            (
                Tile::Hashes {
                    level: 0,
                    index: 1_234_067,
                    width: 256,
                },
                "tile/0/x001/x234/067",
            ),
            (
                Tile::Hashes {
                    level: 2,
                    index: 0,
                    width: 1,
                },
                "tile/2/000.p/1",
            ),
            (
                Tile::Entries {
                    index: 1000,
                    width: 255,
                },
                "tile/entries/x001/000.p/255",
            ),
            (
                Tile::Hashes {
                    level: 63,
                    index: u64::MAX,
                    width: 256,
                },
                "tile/63/x018/x446/x744/x073/x709/x551/615",
            ),
        ] {
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::parse(path), Some(tile));
        }
    }

    #[test]
    fn a_path_with_another_spelling_is_no_tile() {
        for path in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/00/000",
            "tile/+1/000",
            "tile/64/000",
            "tile/256/000",
            "tile/data/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000",
            "tile/0/x000/001",
            "tile/0/000/001",
            "tile/0/x01/001",
            "tile/0/X001/001",
            "tile/0/x001/001/",
            "tile/0/x001//001",
            "tile/0/../000",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/1/",
            "tile/0/000.p/1.p/1",
            "tile/0/000 ",
            "tile/0/000\n",
            "tile/0/٠٠٠",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_extent_of_a_tree_is_that_of_the_specification_s_examples() {
        assert_eq!(extent(0, 70_000), (273, 112));
        assert_eq!(extent(1, 70_000), (1, 17));
        assert_eq!(extent(2, 70_000), (0, 1));
        assert_eq!(extent(3, 70_000), (0, 0));
        assert_eq!((extent(0, 256), extent(1, 256)), ((1, 0), (0, 1)));
        assert_eq!(extent(0, 0), (0, 0));
        assert_eq!(extent(7, u64::MAX), (0, 255));
        assert_eq!(extent(8, u64::MAX), (0, 0));
        assert_eq!(extent(255, u64::MAX), (0, 0));
    }

    #[test]
    fn a_subtree_lies_within_one_tile() {
        assert_eq!(place_of(0, 0), (0, 0, 0..1));
        assert_eq!(place_of(0, 256), (0, 1, 0..1));
        assert_eq!(place_of(3, 33), (0, 1, 8..16));
        assert_eq!(place_of(7, 1), (0, 0, 128..256));
        assert_eq!(place_of(8, 257), (1, 1, 1..2));
        assert_eq!(place_of(63, u64::MAX), (7, u64::MAX / 2, 128..256));
    }

    #[test]
    fn the_bytes_of_a_tile_are_whole_hashes() {
        assert_eq!(hashes(&[]), None);
        assert_eq!(hashes(&[0; 31]), None);
        assert_eq!(hashes(&[0; 33]), None);
        assert_eq!(hashes(&[7; 64]), Some(vec![Hash([7; 32]); 2]));
        assert_eq!(hashes(&[0; 8192]).unwrap().len(), 256);
        assert_eq!(hashes(&[0; 8192 + 32]), None);
    }

    #[test]
    fn a_bundle_gives_back_its_entries_and_says_where_it_breaks_off() {
        let written: [&[u8]; 3] = [b"one", b"", &[0xff; 65_535]];
        let mut bundle = Vec::new();
        for entry in written {
            put_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(&bundle[..5], b"\x00\x03one");
        let read: Result<Vec<_>, _> = entries(&bundle).collect();
        assert_eq!(read.unwrap(), written);

        let before = bundle.len();
        assert_eq!(put_entry(&mut bundle, &[0; 65_536]), Err(TooLong(65_536)));
        assert_eq!(bundle.len(), before);

        for cut in [1, 3, 4, 6, 8, bundle.len() - 1] {
            let read: Vec<_> = entries(&bundle[..cut]).collect();
            assert_eq!(read.last(), Some(&Err(Malformed)), "cut at {cut}");
            assert!(read.iter().rev().skip(1).all(Result::is_ok));
        }
    }
}
