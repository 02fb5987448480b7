use std::cell::Cell;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::domain::tests::any_entry;
use crate::domain::{Context, Entry, EntryId, Moment, Op, Pseudonym, Salt, SellerRef};

fn built(entries: &[Entry]) -> Vec<u8> {
    let mut builder = SegmentBuilder::new();
    for (position, entry) in entries.iter().enumerate() {
        builder.add(position as u32, entry).unwrap();
    }
    builder.finish()
}

fn opened(entries: &[Entry]) -> Segment {
    Segment::open(built(entries)).unwrap()
}

/// Entries of which some have their pseudonym in common.
fn entries(most: usize) -> impl Strategy<Value = Vec<Entry>> {
    let pn = prop::option::weighted(0.9, (0_u8..3, 0_u8..3));
    vec((any_entry(), pn), 0..most).prop_map(|entries| {
        let with = |(entry, pn): (Entry, Option<(u8, u8)>)| Entry {
            // An import is not about one number.
            pn: pn
                .filter(|_| entry.context.op != Op::Import)
                .map(|(first, last)| {
                    let mut pn = [9; 16];
                    (pn[0], pn[15]) = (first * 127, last);
                    Pseudonym(pn)
                }),
            ..entry
        };
        entries.into_iter().map(with).collect()
    })
}

fn says(row: &Row<'_>, position: usize, entry: &Entry) {
    assert_eq!(usize::from(row.position), position);
    assert_eq!((row.id, row.time), (entry.id, entry.time));
    assert_eq!((Some(row.pn), row.answer), (entry.pn, entry.answer));
    let context = &entry.context;
    assert_eq!((row.op, row.channels), (context.op, context.channels));
    assert_eq!(row.agency, context.agency.as_ref());
    assert_eq!(row.seller, context.seller.as_ref());
}

/// The number by which an entry is found. A wash is about a whole list, whatever else it says, and
/// a report is found by its id.
fn of_number(entry: &Entry) -> Option<Pseudonym> {
    entry
        .pn
        .filter(|_| !matches!(entry.context.op, Op::Wash | Op::Report))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_segment_says_what_a_look_at_every_entry_says(entries in entries(60)) {
        let segment = opened(&entries);
        let header = segment.header();
        prop_assert_eq!(header.entries as usize, entries.len());
        if !entries.is_empty() {
            prop_assert_eq!(Some(header.earliest), entries.iter().map(|e| e.time).min());
            prop_assert_eq!(Some(header.latest), entries.iter().map(|e| e.time).max());
        }
        let ops = [Op::Check, Op::Register, Op::Withdraw, Op::Opening, Op::Key];
        for op in ops {
            let count = entries.iter().filter(|e| e.context.op == op).count();
            prop_assert_eq!(header.count_of(op) as usize, count);
        }
        for first in 0..3 {
            for last in 0..4 {
                let mut pn = [9; 16];
                (pn[0], pn[15]) = (first * 127, last);
                let pn = Pseudonym(pn);
                let rows = segment.rows_of(&pn).unwrap();
                let naive: Vec<_> = entries.iter().enumerate().filter(|e| of_number(e.1) == Some(pn)).collect();
                prop_assert_eq!(rows.len(), naive.len());
                for (row, (position, entry)) in rows.iter().zip(naive) {
                    says(row, position, entry);
                }
            }
        }
        for (position, entry) in entries.iter().enumerate() {
            prop_assert_eq!(segment.position_of(&entry.id).unwrap(), Some(position as u16));
        }
        prop_assert_eq!(segment.position_of(&EntryId::from_bytes([0; 16])).unwrap(), None);
        let (mut checks, mut others) = (0, 0);
        segment.checks(&Shelves::ALL, |row| {
            says(&row, row.position.into(), &entries[usize::from(row.position)]);
            assert_eq!(row.op, Op::Check);
            checks += 1;
        }).unwrap();
        segment.others(&Shelves::ALL, |row| {
            says(&row, row.position.into(), &entries[usize::from(row.position)]);
            assert_ne!(row.op, Op::Check);
            others += 1;
        }).unwrap();
        prop_assert_eq!(checks + others, entries.iter().filter(|e| of_number(e).is_some()).count());
        prop_assert_eq!(built(&entries), built(&entries));
    }

    /// Every byte matters: one that changed is noticed by whoever reads it, and what is not
    /// noticed is as it was.
    #[test]
    fn damage_is_noticed_and_never_believed(
        entries in entries(12), place: prop::sample::Index, change in 1_u8..,
    ) {
        let mut bytes = built(&entries);
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        let noticed = match Segment::open(bytes) {
            Err(error) => matches!(error, IndexError::Damaged),
            Ok(segment) => {
                let mut rows = 0;
                let checks = segment.checks(&Shelves::ALL, |_| rows += 1);
                let others = segment.others(&Shelves::ALL, |_| rows += 1);
                let mut noticed = checks.is_err() || others.is_err();
                for (position, entry) in entries.iter().enumerate() {
                    match segment.position_of(&entry.id) {
                        Err(_) => noticed = true,
                        Ok(found) => prop_assert_eq!(found, Some(position as u16)),
                    }
                    if let Some(pn) = entry.pn && let Ok(rows) = segment.rows_of(&pn) {
                        for row in rows {
                            says(&row, row.position.into(), &entries[usize::from(row.position)]);
                        }
                    }
                }
                noticed
            }
        };
        prop_assert!(noticed);
    }

    #[test]
    fn no_bytes_make_it_panic_even_with_the_right_checksum(
        entries in entries(4), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        end: prop::sample::Index, cut: bool,
    ) {
        let mut bytes = built(&entries);
        let length = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
        for (place, byte) in changes {
            // Mostly in the head, where lengths and counts are.
            let most = if byte % 2 == 0 { 120 } else { length - 32 };
            bytes[place.index(most)] = byte;
        }
        let digest = Sha256::digest(&bytes[..length - 32]);
        bytes[length - 32..length].copy_from_slice(&digest);
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        if let Ok(segment) = Segment::open(bytes) {
            let _ = segment.checks(&Shelves::ALL, |_| ());
            let _ = segment.others(&Shelves::ALL, |_| ());
            for entry in &entries {
                let _ = segment.position_of(&entry.id);
                let _ = segment.rows_of(&entry.pn.unwrap_or(Pseudonym([0; 16])));
            }
        }
    }

    #[test]
    fn foreign_bytes_are_no_segment(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(Segment::open(bytes), Err(IndexError::Damaged)));
    }
}

/// Counts what is read.
struct Counted(Vec<u8>, Cell<usize>);

impl ReadAt for Counted {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> std::io::Result<()> {
        self.1.set(self.1.get() + into.len());
        self.0.read_at(offset, into)
    }
}

#[test]
fn a_full_segment_answers_after_reading_a_few_kilobytes() {
    let all = SellerRef::All;
    let context = |agency: u32| {
        Arc::new(Context {
            op: if agency == 7 { Op::Register } else { Op::Check },
            agency: crate::domain::AgencyId::parse(&format!("a{agency}")).ok(),
            seller: Some(all.clone()),
            key: None,
            campaign: None,
            channels: None,
            detail: None,
        })
    };
    let contexts: Vec<_> = (0..40).map(context).collect();
    let mut builder = SegmentBuilder::new();
    let hashed = |n: u32| <[u8; 32]>::from(Sha256::digest(n.to_le_bytes()));
    let entry = |n: u32| {
        let (hash, time) = (
            hashed(n),
            Moment::from_millis(1_795_000_000_000 + i64::from(n)),
        );
        let mut half = [0; 16];
        half.copy_from_slice(&hash[16..]);
        let mut random = [0; 10];
        random.copy_from_slice(&hash[..10]);
        Entry {
            id: EntryId::new(time, random),
            time,
            context: contexts[n as usize % contexts.len()].clone(),
            pn: Some(Pseudonym(half)),
            answer: None,
            salt: Salt([0; 16]),
            writer: [0; 8],
            writer_seq: n.into(),
            client_seq: None,
        }
    };
    for n in 0..ENTRIES {
        builder.add(n, &entry(n)).unwrap();
    }
    assert_eq!(builder.add(0, &entry(1)), Err(NoSuchPosition), "it is full");
    assert_eq!(
        SegmentBuilder::new().add(ENTRIES, &entry(1)),
        Err(NoSuchPosition)
    );
    let segment = Segment::open(Counted(builder.finish(), Cell::new(0))).unwrap();
    for n in [0, 7, 65_535] {
        let entry = entry(n);
        let before = segment.source().1.get();
        assert_eq!(segment.position_of(&entry.id).unwrap(), Some(n as u16));
        let rows = segment.rows_of(&entry.pn.unwrap()).unwrap();
        assert_eq!(rows.len(), 1);
        says(&rows[0], n as usize, &entry);
        let read = segment.source().1.get() - before;
        assert!(read < 24 << 10, "{read}");
    }
}
