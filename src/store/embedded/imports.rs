//! Imported listings in the file: not a row a number, but long slices that are only ever appended.
//!
//! A slice says what was put in or taken out, for one seller or for all, as sorted spots. It holds
//! only what was really new, or really there: then a listing is in if it was put in once more than
//! it was taken out, and in which order the slices are read does not matter.

use std::collections::HashMap;

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::index::Index;
use super::tables::{self, IMPORTS, META, away};
use crate::store::layout::{Bucket, Member, Spot};
use crate::store::{ImportPart, SellerNumber, StoreError};

/// How many spots a slice has at most: as many as fit a page of 128 KiB with its overhead. One is
/// put into the index in about two milliseconds, so that no check waits for longer.
const SLICE: usize = 16_300;

/// What was done, and for whom, before the spots.
const HEADER: usize = 8;

/// How many spots are sorted at a time when the file is opened.
const SORTED_AT_ONCE: u64 = 4 << 20;

/// So many must have been taken out before the slices are worth writing anew.
const WORTH_COMPACTING: u64 = 1 << 17;

/// A listing: spots sort as members do, so these do, too.
type Listed = (Spot, SellerNumber);

/// What the writer knows of the slices.
#[derive(Debug, Default)]
pub(super) struct Imports {
    next: u64,
}

/// Cuts a part into slices.
pub(super) fn slices(part: ImportPart) -> impl Iterator<Item = ImportPart> {
    let count = part.spots.len().div_ceil(SLICE);
    (0..count).map(move |place| {
        let end = part.spots.len().min((place + 1) * SLICE);
        ImportPart {
            spots: part.spots[place * SLICE..end].to_vec(),
            ..part
        }
    })
}

impl Imports {
    /// Puts a slice into the index, or takes it out unless others were put in since, and appends what
    /// that changed; returns how much it was.
    pub(super) fn change(
        &mut self,
        write: &WriteTransaction,
        part: &ImportPart,
        index: &mut Index,
    ) -> Result<Option<u64>, StoreError> {
        let mut meta = write.open_table(META).map_err(away)?;
        let puts = tables::puts(&meta, part.seller)?;
        match part.remove {
            Some(known) if known != puts => return Ok(None),
            Some(_) => {}
            None => tables::put_puts(&mut meta, part.seller, puts + 1)?,
        }
        let remove = part.remove.is_some();
        let mut slice = Slice::new(remove, part.seller);
        let mut members = Vec::new();
        for run in part.spots.chunk_by(|a, b| a.bucket() == b.bucket()) {
            members.clear();
            members.extend(run.iter().map(|spot| spot.member(part.seller)));
            let bucket = run[0].bucket();
            match remove {
                true => index.remove_all(bucket, &members, |place| slice.push(run[place])),
                false => index.insert_all(bucket, &members, |place| slice.push(run[place])),
            }
        }
        let changed = slice.len();
        if changed > 0 {
            let mut table = write.open_table(IMPORTS).map_err(away)?;
            self.append(&mut table, &slice)?;
        }
        Ok(Some(changed))
    }

    fn append(
        &mut self,
        table: &mut redb::Table<'_, u64, &'static [u8]>,
        slice: &Slice,
    ) -> Result<(), StoreError> {
        table.insert(self.next, slice.0.as_slice()).map_err(away)?;
        self.next += 1;
        Ok(())
    }
}

/// A slice as it stands in the file: whether it takes out, for whom, the spots.
struct Slice(Vec<u8>);

impl Slice {
    fn new(remove: bool, seller: SellerNumber) -> Self {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(&u32::from(remove).to_le_bytes());
        bytes.extend_from_slice(&seller.get().to_le_bytes());
        Self(bytes)
    }

    fn push(&mut self, spot: Spot) {
        self.0.extend_from_slice(&spot.get().to_le_bytes());
    }

    fn len(&self) -> u64 {
        ((self.0.len() - HEADER) / 8) as u64
    }
}

/// A slice that is read.
struct Read<'a> {
    remove: bool,
    seller: SellerNumber,
    spots: &'a [[u8; 8]],
}

impl<'a> Read<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let [a, b, c, d, rest_of_header @ ..] = header;
        let remove = match u32::from_le_bytes([*a, *b, *c, *d]) {
            0 => false,
            1 => true,
            _ => return None,
        };
        let seller = match u32::from_le_bytes(*rest_of_header) {
            0 => SellerNumber::ALL,
            number => SellerNumber::new(number)?,
        };
        let (spots, odd) = rest.as_chunks::<8>();
        (odd.is_empty() && !spots.is_empty()).then_some(Self {
            remove,
            seller,
            spots,
        })
    }

    /// The places of the spots before and from these two on.
    fn between(&self, first: u64, end: u64) -> &'a [[u8; 8]] {
        let before = |limit| {
            self.spots
                .partition_point(|spot| u64::from_le_bytes(*spot) < limit)
        };
        &self.spots[before(first)..before(end)]
    }
}

/// Reads all slices into an empty index, each bucket at once and as small as it can be.
pub(super) fn load(database: &Database, index: &mut Index) -> Result<Imports, StoreError> {
    let imports = fill(database, index)?;
    match imports {
        (imports, removed) if removed < WORTH_COMPACTING || removed < index.len() as u64 => {
            Ok(imports)
        }
        _ => compact(database, index),
    }
}

/// Fills the index; also returns how many listings were taken out.
fn fill(database: &Database, index: &mut Index) -> Result<(Imports, u64), StoreError> {
    let damaged = || StoreError::Damaged("an imported list".to_owned());
    let read = database.begin_read().map_err(away)?;
    let table = read.open_table(IMPORTS).map_err(away)?;
    // From where to where each slice goes, so that no pass reads what it has no use for.
    let mut extents = Vec::with_capacity(usize::try_from(table.len().map_err(away)?).unwrap_or(0));
    let (mut total, mut removed) = (0, 0);
    for row in table.iter().map_err(away)? {
        let (number, bytes) = row.map_err(away)?;
        let slice = Read::of(bytes.value()).ok_or_else(damaged)?;
        let [first, .., last] = slice.spots else {
            let [only] = slice.spots else {
                return Err(damaged());
            };
            extents.push((
                number.value(),
                u64::from_le_bytes(*only),
                u64::from_le_bytes(*only),
            ));
            total += 1;
            removed += u64::from(slice.remove);
            continue;
        };
        extents.push((
            number.value(),
            u64::from_le_bytes(*first),
            u64::from_le_bytes(*last),
        ));
        total += slice.spots.len() as u64;
        removed += if slice.remove {
            slice.spots.len() as u64
        } else {
            0
        };
    }
    let next = extents.last().map_or(0, |(number, ..)| number + 1);
    let passes = (total / SORTED_AT_ONCE + 1).min(u64::from(Bucket::COUNT)) as u32;
    let begin = |pass: u32| {
        let bucket = u64::from(Bucket::COUNT) * u64::from(pass) / u64::from(passes);
        u32::try_from(bucket)
            .ok()
            .and_then(Bucket::at)
            .map_or(u64::MAX, Spot::first_of)
    };
    let (mut added, mut gone) = (Vec::<Listed>::new(), Vec::<Listed>::new());
    for pass in 0..passes {
        let (from, to) = (begin(pass), begin(pass + 1));
        added.clear();
        gone.clear();
        for (number, first, last) in &extents {
            if *last < from || *first >= to {
                continue;
            }
            let bytes = table.get(number).map_err(away)?.ok_or_else(damaged)?;
            let slice = Read::of(bytes.value()).ok_or_else(damaged)?;
            let into = if slice.remove { &mut gone } else { &mut added };
            for spot in slice.between(from, to) {
                let spot = Spot::from_stored(u64::from_le_bytes(*spot)).ok_or_else(damaged)?;
                into.push((spot, slice.seller));
            }
        }
        // Each slice is sorted, which the stable sort makes use of.
        added.sort();
        gone.sort();
        leave(&mut added, &gone);
        let mut members = Vec::new();
        for run in added.chunk_by(|a, b| a.0.bucket() == b.0.bucket()) {
            members.clear();
            members.extend(run.iter().map(|(spot, seller)| spot.member(*seller)));
            index.fill(run[0].0.bucket(), &members);
        }
    }
    Ok((Imports { next }, removed))
}

/// Leaves of what was put in, sorted, what was taken out less often; each once.
fn leave(added: &mut Vec<Listed>, gone: &[Listed]) {
    let mut gone = gone.iter().peekable();
    let mut kept = 0;
    let mut place = 0;
    while place < added.len() {
        let one = added[place];
        let times = added[place..]
            .iter()
            .take_while(|other| **other == one)
            .count();
        while gone.next_if(|other| **other < one).is_some() {}
        let mut taken = 0;
        while gone.next_if(|other| **other == one).is_some() {
            taken += 1;
        }
        if times > taken {
            added[kept] = one;
            kept += 1;
        }
        place += times;
    }
    added.truncate(kept);
}

/// Writes all slices anew, from an index that holds imported listings only.
fn compact(database: &Database, index: &Index) -> Result<Imports, StoreError> {
    let write = database.begin_write().map_err(away)?;
    write.delete_table(IMPORTS).map_err(away)?;
    let mut imports = Imports::default();
    {
        let mut table = write.open_table(IMPORTS).map_err(away)?;
        let mut slices: HashMap<SellerNumber, Slice> = HashMap::new();
        for number in 0..Bucket::COUNT {
            let Some(bucket) = Bucket::at(number) else {
                break;
            };
            let members = index.members_of(bucket).iter().copied();
            for (seller, spot) in
                members.filter_map(|member| Spot::of_member(bucket, Member::from_stored(member)))
            {
                let slice = slices
                    .entry(seller)
                    .or_insert_with(|| Slice::new(false, seller));
                slice.push(spot);
                if slice.len() == SLICE as u64 {
                    imports.append(&mut table, slice)?;
                    *slice = Slice::new(false, seller);
                }
            }
        }
        for slice in slices.values().filter(|slice| slice.len() > 0) {
            imports.append(&mut table, slice)?;
        }
    }
    write.commit().map_err(away)?;
    tracing::info!("what was taken out of imported lists no longer takes room in the store's file");
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::privacy::Subject;

    fn spots(which: &BTreeSet<u16>) -> Vec<Spot> {
        let spot = |which: &u16| {
            let mut subject = [0; 16];
            // Eight buckets in all, suffixes of both signs.
            subject[0] = (*which as u8 & 7) << 5;
            subject[2] = (*which >> 3) as u8 & 0x0f;
            subject[3] = (*which >> 7) as u8;
            Spot::of(&Subject(subject))
        };
        let mut spots: Vec<_> = which.iter().map(spot).collect();
        spots.sort_unstable();
        spots.dedup();
        spots
    }

    fn held(index: &Index) -> Vec<(u32, Vec<i64>)> {
        let all = (0..Bucket::COUNT).filter_map(Bucket::at);
        all.map(|bucket| (bucket.index() as u32, index.members_of(bucket).to_vec()))
            .filter(|(_, members)| !members.is_empty())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_read_back_is_what_a_set_would_hold(
            acts in prop::collection::vec(
                (any::<bool>(), 0_u32..3, prop::collection::btree_set(0_u16..2000, 1..300)),
                1..8,
            ),
        ) {
            let file = tempfile::NamedTempFile::new().unwrap();
            let database = Database::create(file.path()).unwrap();
            let (mut index, mut imports) = (Index::default(), Imports::default());
            let mut set = BTreeSet::new();
            let write = database.begin_write().unwrap();
            write.open_table(META).unwrap();
            write.commit().unwrap();
            for (remove, seller, which) in acts {
                let seller = SellerNumber::new(seller).unwrap_or(SellerNumber::ALL);
                let mut part = ImportPart { seller, remove: None, spots: spots(&which) };
                let meta = database.begin_read().unwrap().open_table(META).unwrap();
                part.remove = remove.then(|| tables::puts(&meta, seller).unwrap());
                let before = set.len();
                for spot in &part.spots {
                    match remove {
                        true => set.remove(&(*spot, seller)),
                        false => set.insert((*spot, seller)),
                    };
                }
                let mut changed = 0;
                for slice in slices(part.clone()) {
                    let write = database.begin_write().unwrap();
                    write.open_table(IMPORTS).unwrap();
                    changed += imports.change(&write, &slice, &mut index).unwrap().unwrap();
                    write.commit().unwrap();
                }
                prop_assert_eq!(changed as usize, set.len().abs_diff(before));
            }
            prop_assert_eq!(index.len(), set.len());
            let mut expected = set.iter();
            for (bucket, members) in held(&index) {
                for member in members {
                    let (spot, seller) = expected.next().unwrap();
                    prop_assert_eq!(spot.bucket().index() as u32, bucket);
                    prop_assert_eq!(spot.member(*seller).get(), member);
                }
            }
            let write = database.begin_write().unwrap();
            write.open_table(IMPORTS).unwrap();
            write.commit().unwrap();
            let mut again = Index::default();
            let (read, _) = fill(&database, &mut again).unwrap();
            prop_assert_eq!(read.next, imports.next);
            prop_assert_eq!(held(&again), held(&index));
            compact(&database, &again).unwrap();
            let mut anew = Index::default();
            let (_, removed) = fill(&database, &mut anew).unwrap();
            prop_assert_eq!(removed, 0);
            prop_assert_eq!(held(&anew), held(&index));
        }
    }
}
