//! The names of everything in Redis.
//!
//! What belongs to one shard carries the shard's hash tag, `{s00}` to `{s3f}`, so that a cluster
//! keeps it together. The identity, the directory and, on a single server, the one tail live in
//! shard 0.

use data_encoding::HEXLOWER;

use crate::privacy::Subject;
use crate::store::Kind;
use crate::store::layout::{Bucket, Place, SHARDS};

pub(super) const IDENTITY: &str = "mr:{s00}:meta";
pub(super) const TAIL: &str = "mr:{s00}:tail";
pub(super) const SEQUENCES: &str = "mr:{s00}:seq";
pub(super) const DIRECTORY: &str = "mr:{s00}:dir";
pub(super) const ROSTER: &str = "mr:{s00}:roster";

/// The field of [`SEQUENCES`] that says what was lost, where the store is marked.
pub(super) const LOST: &str = "lost";

/// A lease, as [`crate::store::Store::lease`] names it.
pub(super) fn lease(name: &str) -> String {
    format!("mr:{{s00}}:lease:{name}")
}

/// A bucket of the suppression index.
pub(super) fn bucket(place: &Place) -> String {
    bucket_named(place.bucket)
}

/// The same, by its number.
pub(super) fn bucket_named(bucket: Bucket) -> String {
    String::from_utf8_lossy(&bucket_bytes(bucket)).into_owned()
}

/// The same without taking memory for it, for the way of a check.
pub(super) fn bucket_bytes(bucket: Bucket) -> [u8; 16] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut name = *b"mr:{s00}:x:00000";
    let (shard, index) = (usize::from(bucket.shard()), bucket.index());
    for (at, value) in [(5, shard >> 4), (6, shard)] {
        name[at] = HEX[value & 0xf];
    }
    for (at, digit) in name[11..].iter_mut().enumerate() {
        *digit = HEX[index >> (16 - 4 * at) & 0xf];
    }
    name
}

/// Who holds which of a number's members.
pub(super) fn holders(place: &Place, subject: &Subject) -> String {
    let shard = place.bucket.shard();
    format!("mr:{{s{shard:02x}}}:held:{}", HEXLOWER.encode(&subject.0))
}

/// A remembered `ref`.
pub(super) fn replay(place: Option<&Place>, key: &[u8; 16]) -> String {
    let shard = place.map_or(0, |place| place.bucket.shard());
    format!("mr:{{s{shard:02x}}}:ref:{}", HEXLOWER.encode(key))
}

/// The hash that holds a document.
pub(super) fn documents(kind: Kind, id: &str) -> String {
    let shard = shard_of(kind, id);
    format!("mr:{{s{shard:02x}}}:doc:{}", kind.as_str())
}

/// The sorted set that holds the entries of the lists in which a document stands.
pub(super) fn lists(kind: Kind, id: &str) -> String {
    lists_of_shard(kind, shard_of(kind, id))
}

/// The sorted set that holds the entries of the lists of a shard's documents of a kind.
pub(super) fn lists_of_shard(kind: Kind, shard: u16) -> String {
    format!("mr:{{s{shard:02x}}}:list:{}", kind.as_str())
}

/// How many shards hold documents of a kind: the directory is small and stays together; what may
/// become many is read and written a piece at a time, so that no check waits for it.
pub(super) fn shards_of(kind: Kind) -> u16 {
    match kind {
        Kind::Registration | Kind::Open | Kind::Letter | Kind::Session => SHARDS,
        _ => 1,
    }
}

fn shard_of(kind: Kind, id: &str) -> u16 {
    // Ids of registrations, letters and sessions are random characters, so any mix of them spreads evenly. FNV-1a.
    let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    ((hash >> 8) as u16) % shards_of(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_by_its_shard_and_its_number() {
        for first in 0..=255 {
            let place = Place::of(&Subject([
                first, 0x3b, 0xc9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0,
            ]));
            let (shard, index) = (place.bucket.shard(), place.bucket.index());
            assert_eq!(bucket(&place), format!("mr:{{s{shard:02x}}}:x:{index:05x}"));
        }
    }

    #[test]
    fn what_one_change_touches_shares_one_hash_tag() {
        let subject = Subject([0xc7; 16]);
        let place = Place::of(&subject);
        let tag = |key: &str| key[key.find('{').unwrap()..=key.find('}').unwrap()].to_owned();
        assert_eq!(tag(&bucket(&place)), tag(&holders(&place, &subject)));
        assert_eq!(tag(&bucket(&place)), tag(&replay(Some(&place), &[1; 16])));
        assert_eq!(tag(IDENTITY), tag(TAIL));
        assert_eq!(tag(IDENTITY), tag(SEQUENCES));
        assert_eq!(tag(IDENTITY), tag(ROSTER));
        assert_eq!(tag(IDENTITY), tag(&documents(Kind::Key, "any")));
        assert_eq!(tag(IDENTITY), tag(DIRECTORY));
        let of = |kind| documents(kind, "AB3DE6F");
        assert_eq!(tag(&of(Kind::Registration)), tag(&of(Kind::Open)));
        assert_eq!(tag(&of(Kind::Open)), tag(&lists(Kind::Open, "AB3DE6F")));
    }
}
