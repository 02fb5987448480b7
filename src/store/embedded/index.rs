//! The suppression index in memory: for each bucket a sorted array of members.

use crate::store::layout::{Bucket, Member};

/// Buckets are made in pages, when their first member comes, so that an empty registry is small.
const PAGE: usize = 1024;

/// Sorted members by bucket.
#[derive(Debug)]
pub(super) struct Index {
    pages: Vec<Option<Box<[Vec<i64>]>>>,
    members: usize,
}

impl Default for Index {
    fn default() -> Self {
        let pages = Bucket::COUNT as usize / PAGE;
        Self {
            pages: (0..pages).map(|_| None).collect(),
            members: 0,
        }
    }
}

impl Index {
    /// Whether the member is there.
    pub(super) fn contains(&self, bucket: Bucket, member: Member) -> bool {
        self.bucket(bucket)
            .is_some_and(|members| members.binary_search(&member.get()).is_ok())
    }

    /// Adds a member; adding it twice is adding it once.
    pub(super) fn insert(&mut self, bucket: Bucket, member: Member) {
        let (page, place) = split(bucket);
        let page = self.pages[page].get_or_insert_with(|| vec![Vec::new(); PAGE].into());
        let members = &mut page[place];
        if let Err(at) = members.binary_search(&member.get()) {
            if members.len() == members.capacity() {
                // A quarter more, not twice as much: there are many of these arrays.
                members.reserve_exact(members.len() / 4 + 1);
            }
            members.insert(at, member.get());
            self.members += 1;
        }
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, bucket: Bucket, member: Member) {
        let (page, place) = split(bucket);
        if let Some(page) = &mut self.pages[page]
            && let Ok(at) = page[place].binary_search(&member.get())
        {
            page[place].remove(at);
            self.members -= 1;
        }
    }

    /// How many members there are.
    pub(super) fn len(&self) -> usize {
        self.members
    }

    fn bucket(&self, bucket: Bucket) -> Option<&[i64]> {
        let (page, place) = split(bucket);
        self.pages[page].as_ref().map(|page| page[place].as_slice())
    }
}

fn split(bucket: Bucket) -> (usize, usize) {
    (bucket.index() / PAGE, bucket.index() % PAGE)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::Channels;
    use crate::privacy::Subject;
    use crate::store::layout::{Place, SellerNumber};

    proptest! {
        #[test]
        fn it_holds_what_a_set_would_hold(acts in prop::collection::vec((any::<bool>(), 0u8..8), 0..200)) {
            let (mut index, mut set) = (Index::default(), HashSet::new());
            for (add, which) in acts {
                let place = Place::of(&Subject([which; 16]));
                let member = place.member(SellerNumber::ALL, Channels::BOTH);
                if add {
                    index.insert(place.bucket, member);
                    set.insert(which);
                } else {
                    index.remove(place.bucket, member);
                    set.remove(&which);
                }
                for which in 0..8 {
                    let place = Place::of(&Subject([which; 16]));
                    let member = place.member(SellerNumber::ALL, Channels::BOTH);
                    prop_assert_eq!(index.contains(place.bucket, member), set.contains(&which));
                }
                prop_assert_eq!(index.len(), set.len());
            }
        }
    }
}
