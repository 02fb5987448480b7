//! A record of the journal: its length, its place in the tail, how far the journal was on disk before
//! it, a digest of these and the batch.

use sha2::{Digest, Sha256};

/// Length, place, how far it was on disk, digest.
pub(super) const HEAD: usize = 4 + 8 + 8 + 16;

/// What a file begins with that holds nothing any more: the head of no record that fits. Not zeros,
/// which a disk may give for what it has lost.
pub(super) const NOTHING: [u8; HEAD] = [0xff; HEAD];

/// So far apart are no two places of one file.
const FAR: u64 = 1 << 32;

/// A batch, and its place in the tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::embedded) struct Record {
    pub(in crate::store::embedded) place: u64,
    pub(in crate::store::embedded) batch: Vec<u8>,
}

/// What a record's first bytes say.
#[derive(Debug, Clone, Copy)]
struct Head {
    length: usize,
    place: u64,
    behind: u64,
    digest: [u8; 16],
}

fn head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (place, rest) = rest.split_first_chunk()?;
    let (behind, rest) = rest.split_first_chunk()?;
    let (digest, rest) = rest.split_first_chunk()?;
    let head = Head {
        length: u32::from_le_bytes(*length) as usize,
        place: u64::from_le_bytes(*place),
        behind: u64::from_le_bytes(*behind),
        digest: *digest,
    };
    Some((head, rest))
}

fn digest(place: u64, behind: u64, batch: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    let whole = Sha256::new()
        .chain_update(b"metrust v2 journal\0")
        .chain_update(place.to_le_bytes())
        .chain_update(behind.to_le_bytes())
        .chain_update(batch)
        .finalize();
    half.copy_from_slice(&whole[..16]);
    half
}

impl Record {
    /// How many bytes it takes in the file.
    pub(super) fn length(&self) -> usize {
        HEAD + self.batch.len()
    }

    /// Writes it out. All that the journal held before the place `behind` is on disk.
    pub(super) fn write(&self, behind: u64, to: &mut Vec<u8>) {
        to.extend_from_slice(&(self.batch.len() as u32).to_le_bytes());
        to.extend_from_slice(&self.place.to_le_bytes());
        to.extend_from_slice(&behind.to_le_bytes());
        to.extend_from_slice(&digest(self.place, behind, &self.batch));
        to.extend_from_slice(&self.batch);
    }

    /// The record that bytes begin with, and up to which place the journal was on disk before it;
    /// nothing unless it is whole and as it was written.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, u64)> {
        let (head, rest) = head(bytes)?;
        let batch = rest.get(..head.length)?;
        (digest(head.place, head.behind, batch) == head.digest).then(|| {
            let record = Self {
                place: head.place,
                batch: batch.to_vec(),
            };
            (record, head.behind)
        })
    }
}

/// Up to which place the journal was on disk, as a record says that lies anywhere in these bytes and
/// was written behind the place `next`; 0 if none does.
pub(super) fn known_on_disk(bytes: &[u8], next: u64) -> u64 {
    let said = (0..bytes.len()).filter_map(|at| {
        let rest = &bytes[at..];
        let (head, _) = head(rest)?;
        // Hardly any bytes that are no record come as far as the digest.
        let is_likely = (next..next.saturating_add(FAR)).contains(&head.place)
            && (next + 1..=head.place).contains(&head.behind);
        is_likely.then(|| Record::read(rest)).flatten()
    });
    said.map(|(_, behind)| behind).max().unwrap_or(0)
}

/// The place and the length in the file of the record that bytes begin with, its digest unread.
pub(super) fn skim(bytes: &[u8]) -> Option<(u64, usize)> {
    head(bytes).map(|(head, _)| (head.place, HEAD + head.length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_nothing_else_is(
            place in any::<u64>(),
            behind in any::<u64>(),
            batch in prop::collection::vec(any::<u8>(), 0..80),
            at in any::<prop::sample::Index>(),
        ) {
            let record = Record { place, batch };
            let mut bytes = Vec::new();
            record.write(behind, &mut bytes);
            prop_assert_eq!(bytes.len(), record.length());
            prop_assert_eq!(skim(&bytes), Some((place, record.length())));
            prop_assert_eq!(Record::read(&bytes), Some((record.clone(), behind)));
            prop_assert_eq!(Record::read(&bytes[..at.index(bytes.len())]), None);
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert_eq!(Record::read(&bytes), None);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Record::read(&bytes), None);
        }
    }
}
