//! The suppression index in memory: for each bucket a sorted array of members.

use crate::store::layout::{Bucket, Member};

/// Buckets are made in pages, when their first member comes, so that an empty registry is small.
const PAGE: usize = 1024;

/// Sorted members by bucket.
#[derive(Debug)]
pub(super) struct Index {
    pages: Vec<Option<Box<[Vec<i64>]>>>,
    members: usize,
    /// New members of a bucket, and before which of the old ones they belong.
    fresh: Vec<(usize, i64)>,
}

impl Default for Index {
    fn default() -> Self {
        let pages = Bucket::COUNT as usize / PAGE;
        Self {
            pages: (0..pages).map(|_| None).collect(),
            members: 0,
            fresh: Vec::new(),
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

    /// Adds members of one bucket, sorted, each once; says the places of those that were new.
    pub(super) fn insert_all(
        &mut self,
        bucket: Bucket,
        members: &[Member],
        mut new: impl FnMut(usize),
    ) {
        let (page, place) = split(bucket);
        let page = self.pages[page].get_or_insert_with(|| vec![Vec::new(); PAGE].into());
        let held = &mut page[place];
        self.fresh.clear();
        let mut from = 0;
        for (place, member) in members.iter().enumerate() {
            match held[from..].binary_search(&member.get()) {
                Ok(at) => from += at + 1,
                Err(at) => {
                    from += at;
                    self.fresh.push((from, member.get()));
                    new(place);
                }
            }
        }
        let count = self.fresh.len();
        if held.capacity() - held.len() < count {
            held.reserve_exact(count.max(held.len() / 4 + 1));
        }
        // From the end on, so that each member is moved once.
        let mut end = held.len();
        held.resize(end + count, 0);
        for (before, (at, member)) in self.fresh.iter().enumerate().rev() {
            held.copy_within(*at..end, at + before + 1);
            held[at + before] = *member;
            end = *at;
        }
        self.members += count;
    }

    /// Takes members of one bucket out, sorted, each once; says the places of those that were
    /// there.
    pub(super) fn remove_all(
        &mut self,
        bucket: Bucket,
        members: &[Member],
        mut gone: impl FnMut(usize),
    ) {
        let (page, place) = split(bucket);
        let Some(page) = &mut self.pages[page] else {
            return;
        };
        let held = &mut page[place];
        for (place, member) in members.iter().enumerate() {
            if let Ok(at) = held.binary_search(&member.get()) {
                held.remove(at);
                self.members -= 1;
                gone(place);
            }
        }
        if held.len() < held.capacity() / 2 {
            held.shrink_to_fit();
        }
    }

    /// Fills an empty bucket with sorted members, and takes no more room than they need.
    pub(super) fn fill(&mut self, bucket: Bucket, members: &[Member]) {
        let (page, place) = split(bucket);
        let page = self.pages[page].get_or_insert_with(|| vec![Vec::new(); PAGE].into());
        self.members += members.len();
        let mut exact = Vec::with_capacity(members.len());
        exact.extend(members.iter().map(|member| member.get()));
        page[place] = exact;
    }

    /// The members of a bucket, sorted.
    pub(super) fn members_of(&self, bucket: Bucket) -> &[i64] {
        self.bucket(bucket).unwrap_or_default()
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
    use std::collections::{BTreeSet, HashSet};

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

        #[test]
        fn many_at_once_is_one_after_the_other(
            acts in prop::collection::vec(
                (any::<bool>(), prop::collection::btree_set(-300_i64..300, 1..60)),
                1..20,
            ),
        ) {
            let bucket = Place::of(&Subject([7; 16])).bucket;
            let (mut index, mut set) = (Index::default(), BTreeSet::new());
            for (add, which) in acts {
                let members: Vec<_> = which.iter().map(|m| Member::from_stored(*m)).collect();
                let mut told = Vec::new();
                let change = |place: usize| told.push(members[place].get());
                let expected: Vec<_> = match add {
                    true => {
                        index.insert_all(bucket, &members, change);
                        which.into_iter().filter(|member| set.insert(*member)).collect()
                    }
                    false => {
                        index.remove_all(bucket, &members, change);
                        which.into_iter().filter(|member| set.remove(member)).collect()
                    }
                };
                prop_assert_eq!(told, expected);
                prop_assert_eq!(index.members_of(bucket), set.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(index.len(), set.len());
            }
        }
    }
}
