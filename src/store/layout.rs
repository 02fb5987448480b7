//! Where a number stands in the suppression index.
//!
//! The index is 2^20 buckets of 64-bit integers. The first 20 bits of a number's subject choose
//! the bucket, the next 42 are its suffix there, and a member is
//!
//! ```text
//!  63                    22 21          2 1   0
//! ┌────────────────────────┬─────────────┬─────┐
//! │ suffix, 42 bits        │ seller, 20  │ ch. │
//! └────────────────────────┴─────────────┴─────┘
//! ```
//!
//! Eight bytes a member, found by bisection in both engines, and no bucket ever needs splitting:
//! at 500 million members a bucket holds about 480. Seller 0 stands for all sellers; channel bits
//! are 1 voice, 2 text, 3 both, as a person registered them. 0 is a listing that was imported: it
//! covers both, and is a member of its own, so that neither it nor a person's registration of the
//! same number is taken away with the other. The bucket's first 6 bits are the shard: keys of one
//! shard share a Redis Cluster hash tag.

use crate::domain::{Channel, Channels, Reason};
use crate::privacy::Subject;

const SUFFIX_BITS: u32 = 42;
const SELLER_BITS: u32 = 20;
const CHANNEL_BITS: u32 = 2;
/// The channel bits of an imported listing.
const IMPORTED: u8 = 0;
const BUCKET_BITS: u32 = 20;
const SHARD_BITS: u32 = 6;

/// How many shards there are.
pub(super) const SHARDS: u16 = 1 << SHARD_BITS;

/// How the index knows a seller: a small number given once and never again. 0 is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SellerNumber(u32);

impl SellerNumber {
    /// Every seller, also those that join later.
    pub const ALL: Self = Self(0);

    /// The number of one seller; `None` outside 1 to 1,048,575.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        (1..1 << SELLER_BITS)
            .contains(&number)
            .then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

/// One of the 2^20 sets of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(u32);

impl Bucket {
    /// How many there are.
    pub(super) const COUNT: u32 = 1 << BUCKET_BITS;

    /// The bucket of this number, below [`Self::COUNT`].
    pub(super) fn at(number: u32) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    /// The shard it belongs to.
    pub(super) fn shard(self) -> u16 {
        (self.0 >> (BUCKET_BITS - SHARD_BITS)) as u16
    }
}

/// One opt-out of one number, as the index keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member(i64);

impl Member {
    fn new(suffix: u64, seller: SellerNumber, channels: u8) -> Self {
        let bits = suffix << (SELLER_BITS + CHANNEL_BITS)
            | u64::from(seller.0) << CHANNEL_BITS
            | u64::from(channels);
        Self(bits.cast_signed())
    }

    /// The integer that is stored.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// A stored integer.
    #[must_use]
    pub fn from_stored(stored: i64) -> Self {
        Self(stored)
    }
}

/// A number among imported listings: its bucket and its suffix there, 62 bits.
///
/// Spots sort as buckets do and, within a bucket, as the members that stand for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot(u64);

impl Spot {
    /// Members are signed, so a suffix that begins with a set bit comes first.
    const SIGN: u64 = 1 << (SUFFIX_BITS - 1);

    /// The spot of a number.
    #[must_use]
    pub fn of(subject: &Subject) -> Self {
        let place = Place::of(subject);
        Self(u64::from(place.bucket.0) << SUFFIX_BITS | (place.suffix ^ Self::SIGN))
    }

    /// The number that is stored.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// A stored number; nothing if it cannot be one.
    #[must_use]
    pub fn from_stored(stored: u64) -> Option<Self> {
        (stored >> (BUCKET_BITS + SUFFIX_BITS) == 0).then_some(Self(stored))
    }

    /// What is not smaller than any spot of the buckets before, and not greater than one of this.
    pub(super) fn first_of(bucket: Bucket) -> u64 {
        u64::from(bucket.0) << SUFFIX_BITS
    }

    /// The bucket.
    pub(super) fn bucket(self) -> Bucket {
        Bucket((self.0 >> SUFFIX_BITS) as u32)
    }

    /// The member that stands for the number's listing.
    pub(super) fn member(self, seller: SellerNumber) -> Member {
        let suffix = (self.0 ^ Self::SIGN) & ((1 << SUFFIX_BITS) - 1);
        Member::new(suffix, seller, IMPORTED)
    }

    /// The listing that a member stands for, if it was imported.
    pub(super) fn of_member(bucket: Bucket, member: Member) -> Option<(SellerNumber, Self)> {
        let bits = member.0.cast_unsigned();
        let suffix = bits >> (SELLER_BITS + CHANNEL_BITS);
        let seller = (bits >> CHANNEL_BITS) as u32 & ((1 << SELLER_BITS) - 1);
        let spot = Self(u64::from(bucket.0) << SUFFIX_BITS | (suffix ^ Self::SIGN));
        let imported = bits & ((1 << CHANNEL_BITS) - 1) == u64::from(IMPORTED);
        imported.then_some((SellerNumber(seller), spot))
    }
}

/// A subject taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub bucket: Bucket,
    suffix: u64,
}

impl Place {
    pub(super) fn of(subject: &Subject) -> Self {
        let mut head = [0; 8];
        head.copy_from_slice(&subject.0[..8]);
        let head = u64::from_be_bytes(head);
        Self {
            bucket: Bucket((head >> (64 - BUCKET_BITS)) as u32),
            suffix: (head << BUCKET_BITS) >> (64 - SUFFIX_BITS),
        }
    }

    /// The member that an opt-out of this number is kept as.
    pub(super) fn member(&self, seller: SellerNumber, channels: Channels) -> Member {
        Member::new(self.suffix, seller, channels.bits())
    }

    /// The member that an imported listing of this number is kept as.
    pub(super) fn imported(&self, seller: SellerNumber) -> Member {
        Member::new(self.suffix, seller, IMPORTED)
    }

    /// The members that would each suppress this number for `seller` on `channel`, with the
    /// reason they stand for; those for all sellers come first.
    pub(super) fn refusing(&self, seller: SellerNumber, channel: Channel) -> [(Member, Reason); 6] {
        let [one, both] = Channels::covering(channel);
        let all = SellerNumber::ALL;
        [
            (self.member(all, one), Reason::AllSellers),
            (self.member(all, both), Reason::AllSellers),
            (self.imported(all), Reason::AllSellers),
            (self.member(seller, one), Reason::ThisSeller),
            (self.member(seller, both), Reason::ThisSeller),
            (self.imported(seller), Reason::ThisSeller),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_nobody_registered_is_refused_less_than_once_in_a_billion_at_250_million() {
        // A false match needs a member of the same bucket with the same suffix, seller and
        // channels. The six members asked for are six different listings, so each of the
        // bucket's members can match at most one of them.
        let members_in_a_bucket = 250e6 / f64::from(Bucket::COUNT);
        let probability = members_in_a_bucket / 2f64.powi(SUFFIX_BITS as i32);
        assert!(probability < 1e-9, "{probability}");
    }

    #[test]
    fn every_bit_of_a_member_has_one_meaning() {
        assert_eq!(SUFFIX_BITS + SELLER_BITS + CHANNEL_BITS, 64);
        let place = Place::of(&Subject([0xff; 16]));
        assert_eq!(place.bucket.index(), (1 << 20) - 1);
        assert_eq!(place.bucket.shard(), SHARDS - 1);
        assert_eq!(place.suffix, (1 << 42) - 1);
        let seller = SellerNumber::new((1 << 20) - 1).unwrap();
        assert_eq!(place.member(seller, Channels::BOTH).get(), -1);
        assert!(SellerNumber::new(0).is_none() && SellerNumber::new(1 << 20).is_none());
    }

    proptest! {
        #[test]
        fn spots_stand_for_the_members_of_imported_listings_and_sort_as_they_do(
            mut subjects in prop::collection::vec(any::<[u8; 16]>(), 1..40),
            seller in 0_u32..1 << SELLER_BITS,
        ) {
            // Many in the same bucket.
            for subject in &mut subjects {
                subject[0] &= 1;
                subject[1] = 0;
                subject[2] &= 0x0f;
            }
            let seller = SellerNumber(seller);
            let mut spots = Vec::new();
            for subject in subjects {
                let (place, spot) = (Place::of(&Subject(subject)), Spot::of(&Subject(subject)));
                prop_assert_eq!((spot.bucket(), spot.member(seller)), (place.bucket, place.imported(seller)));
                prop_assert_eq!(Spot::from_stored(spot.get()), Some(spot));
                let back = Spot::of_member(place.bucket, place.imported(seller));
                prop_assert_eq!(back, Some((seller, spot)));
                let by_a_person = place.member(seller, Channels::BOTH);
                prop_assert_eq!(Spot::of_member(place.bucket, by_a_person), None);
                spots.push(spot);
            }
            spots.sort_unstable();
            prop_assert!(spots.iter().map(|spot| (spot.bucket(), spot.member(seller))).is_sorted());
        }
    }

    #[test]
    fn what_refuses_a_call_is_exactly_what_covers_it() {
        let place = Place::of(&Subject([0x5a; 16]));
        let [a, b] = [1, 2].map(|n| SellerNumber::new(n).unwrap());
        for channel in [Channel::Voice, Channel::Text] {
            let refusing = place.refusing(a, channel).map(|(member, _)| member);
            for (seller, applies) in [(SellerNumber::ALL, true), (a, true), (b, false)] {
                assert_eq!(refusing.contains(&place.imported(seller)), applies);
                for bits in 1..=3 {
                    let channels = Channels::from_bits(bits).unwrap();
                    assert_eq!(
                        refusing.contains(&place.member(seller, channels)),
                        applies && channels.covers(channel)
                    );
                }
            }
        }
    }
}
