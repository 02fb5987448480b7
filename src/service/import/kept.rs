//! What is kept of a part beside the log: its numbers as the index knows them, the dates of their
//! objections, and which rows were rejected. An object a part, readable by its owner only.
//!
//! ```text
//! magic      8
//! ends     256 × 4   where each block ends, counted from the end of this table
//! end        4       where the rejected rows end
//! blocks             the numbers whose spot has this first byte (of eight): each as the difference
//!                    from the one before (LEB128) and its day; compressed (zstd), or nothing
//! rejected           line and reason of each; compressed
//! ```
//!
//! One number is found by reading the table and one block.

use std::io;
use std::ops::Range;

use crate::log::LogError;
use crate::log::storage::Storage;
use crate::service::ServiceError;
use crate::store::Spot;

use super::day::{from_number, to_number};
use super::{Rejected, Rejection};
use jiff::civil::Date;

const MAGIC: [u8; 8] = *b"mtrlist1";
const HEAD: usize = 8 + (BLOCKS + 1) * 4;

/// The bits of a spot behind those that choose its block: spots have 62.
const BLOCK_BITS: u32 = 62 - 8;

/// Fast: what is left of numbers cannot be compressed anyway, and dates can be by anything.
const LEVEL: i32 = 1;

/// No block becomes longer: a part has at most as many numbers as bytes.
const LONGEST: usize = 32 << 20;

/// Where a part's object lies.
pub(super) fn path(import: &str, number: u32) -> String {
    format!("imports/{import}/{number:06}")
}

/// An object, from sorted listings.
pub(super) fn write(
    listings: &[(Spot, Option<Date>)],
    rejected: &[Rejected],
) -> io::Result<Vec<u8>> {
    let mut object = Vec::with_capacity(HEAD + listings.len() * 8 + rejected.len());
    object.extend_from_slice(&MAGIC);
    object.resize(HEAD, 0);
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    let mut plain = Vec::new();
    let mut rest = listings;
    for block in 0..=BLOCKS {
        plain.clear();
        if block == BLOCKS {
            for row in rejected {
                plain.extend_from_slice(&row.line.to_le_bytes());
                plain.push(row.reason.number());
            }
        } else {
            let here = rest.partition_point(|(spot, _)| block_of(*spot) <= block);
            let (these, others) = rest.split_at(here);
            rest = others;
            let mut before = 0;
            for (spot, day) in these {
                put_varint(spot.get() - before, &mut plain);
                before = spot.get();
                plain.extend_from_slice(&to_number(*day).to_le_bytes());
            }
        }
        if !plain.is_empty() {
            object.extend_from_slice(&compressor.compress(&plain)?);
        }
        let end = ((object.len() - HEAD) as u32).to_le_bytes();
        object[8 + block * 4..][..4].copy_from_slice(&end);
    }
    Ok(object)
}

/// Whether a part has a number, and the date of its objection, if that is known.
pub(super) async fn find(
    storage: &Storage,
    import: &str,
    number: u32,
    spot: Spot,
) -> Result<Option<Option<Date>>, ServiceError> {
    let block = block(storage, import, number, block_of(spot)).await?;
    let mut rest = block.as_slice();
    let mut at = 0_u64;
    while !rest.is_empty() {
        let step = take_varint(&mut rest).ok_or_else(damaged)?;
        at = at.checked_add(step).ok_or_else(damaged)?;
        let (day, others) = rest.split_first_chunk().ok_or_else(damaged)?;
        rest = others;
        if at >= spot.get() {
            return Ok((at == spot.get()).then(|| from_number(u16::from_le_bytes(*day))));
        }
    }
    Ok(None)
}

/// How many blocks there are.
pub(super) const BLOCKS: usize = 256;

/// The numbers of a part in these blocks, sorted.
pub(super) async fn spots(
    storage: &Storage,
    import: &str,
    number: u32,
    blocks: Range<usize>,
) -> Result<Vec<Spot>, ServiceError> {
    let path = path(import, number);
    let head = head(storage, &path).await?;
    let start = blocks
        .start
        .checked_sub(1)
        .map_or(0, |block| end(&head, block));
    let range = HEAD as u64 + start..HEAD as u64 + end(&head, blocks.end.saturating_sub(1));
    let packed = storage.get_range(&path, range).await;
    let packed = packed.map_err(LogError::from)?.ok_or_else(damaged)?;
    let mut spots = Vec::new();
    let mut from = start;
    for block in blocks {
        let to = end(&head, block);
        let [first, last] = [from, to].map(|at| at.checked_sub(start).map(|at| at as usize));
        let packed = first
            .zip(last)
            .and_then(|(first, last)| packed.get(first..last));
        let packed = packed.ok_or_else(damaged)?;
        from = to;
        if packed.is_empty() {
            continue;
        }
        let block = zstd::bulk::decompress(packed, LONGEST).map_err(|_| damaged())?;
        let (mut rest, mut at) = (block.as_slice(), 0_u64);
        while !rest.is_empty() {
            let step = take_varint(&mut rest).ok_or_else(damaged)?;
            at = at.checked_add(step).ok_or_else(damaged)?;
            rest = rest.get(2..).ok_or_else(damaged)?;
            spots.push(Spot::from_stored(at).ok_or_else(damaged)?);
        }
    }
    Ok(spots)
}

/// The rows of a part that were rejected.
pub(super) async fn rejected(
    storage: &Storage,
    import: &str,
    number: u32,
) -> Result<Vec<Rejected>, ServiceError> {
    let block = block(storage, import, number, BLOCKS).await?;
    let (rows, odd) = block.as_chunks::<5>();
    if !odd.is_empty() {
        return Err(damaged());
    }
    let row = |[a, b, c, d, reason]: &[u8; 5]| {
        Some(Rejected {
            line: u32::from_le_bytes([*a, *b, *c, *d]),
            reason: Rejection::from_number(*reason)?,
        })
    };
    rows.iter()
        .map(row)
        .collect::<Option<_>>()
        .ok_or_else(damaged)
}

async fn block(
    storage: &Storage,
    import: &str,
    number: u32,
    block: usize,
) -> Result<Vec<u8>, ServiceError> {
    let path = path(import, number);
    let head = head(storage, &path).await?;
    let start = block.checked_sub(1).map_or(0, |block| end(&head, block));
    let end = end(&head, block);
    if start == end {
        return Ok(Vec::new());
    }
    let range = HEAD as u64 + start..HEAD as u64 + end;
    let packed = storage.get_range(&path, range).await;
    let packed = packed.map_err(LogError::from)?.ok_or_else(damaged)?;
    zstd::bulk::decompress(&packed, LONGEST).map_err(|_| damaged())
}

async fn head(storage: &Storage, path: &str) -> Result<Vec<u8>, ServiceError> {
    let head = storage.get_range(path, 0..HEAD as u64).await;
    let head = head.map_err(LogError::from)?.ok_or_else(damaged)?;
    match head.len() == HEAD && head.starts_with(&MAGIC) {
        true => Ok(head),
        false => Err(damaged()),
    }
}

/// Where a block ends, by the table.
fn end(head: &[u8], block: usize) -> u64 {
    let mut four = [0; 4];
    four.copy_from_slice(&head[8 + block * 4..][..4]);
    u64::from(u32::from_le_bytes(four))
}

fn block_of(spot: Spot) -> usize {
    (spot.get() >> BLOCK_BITS) as usize
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("what is kept of an import")
}

fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for (place, byte) in from.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            *from = &from[place + 1..];
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::log::storage::Folder;

    fn spot(number: u64) -> Spot {
        Spot::from_stored(number).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_number_is_found_again_with_its_date_and_no_other_is(
            listings in prop::collection::btree_map(0_u64..1 << 62, 0_u16..30_000, 0..300),
            near in any::<prop::sample::Index>(),
            rejected in prop::collection::vec((any::<u32>(), 0_u8..12), 0..40),
        ) {
            let listings: BTreeMap<_, _> =
                listings.into_iter().map(|(n, day)| (spot(n), from_number(day))).collect();
            let rejected: Vec<_> = rejected
                .into_iter()
                .map(|(line, n)| Rejected { line, reason: Rejection::from_number(n).unwrap() })
                .collect();
            let sorted: Vec<_> = listings.iter().map(|(spot, day)| (*spot, *day)).collect();
            let folder = tempfile::tempdir().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let storage = Storage::Folder(Folder::open(folder.path().to_owned()).unwrap());
                let object = write(&sorted, &rejected).unwrap();
                storage.put(vec![(path("x", 7), object.into())]).await.unwrap();
                for (spot, day) in listings.iter().take(8) {
                    assert_eq!(find(&storage, "x", 7, *spot).await.unwrap(), Some(*day));
                }
                if !sorted.is_empty() {
                    let other = spot(sorted[near.index(sorted.len())].0.get() ^ 1);
                    let expected = listings.get(&other).copied();
                    assert_eq!(find(&storage, "x", 7, other).await.unwrap(), expected);
                }
                let mut all = super::spots(&storage, "x", 7, 0..100).await.unwrap();
                all.extend(super::spots(&storage, "x", 7, 100..256).await.unwrap());
                assert!(all.iter().eq(listings.keys()));
                assert_eq!(super::rejected(&storage, "x", 7).await.unwrap(), rejected);
            });
        }

        #[test]
        fn bytes_that_are_no_object_are_damaged_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut from = bytes.as_slice();
            while take_varint(&mut from).is_some() {}
        }
    }
}
