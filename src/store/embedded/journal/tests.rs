use proptest::prelude::*;

use super::*;

fn record(place: u64, length: usize) -> Record {
    Record {
        place,
        batch: vec![place as u8 ^ 0x5a; length],
    }
}

fn records(first: u64, lengths: &[usize]) -> Vec<Record> {
    let places = first..;
    places
        .zip(lengths)
        .map(|(place, length)| record(place, *length))
        .collect()
}

fn all(journal: &Journal) -> Vec<Record> {
    journal.held().read(0, usize::MAX).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// What fills a file but for a few records.
const MUCH: usize = segment::SIZE - 300;

#[test]
fn what_was_appended_is_read_from_any_place_on_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("metrust.redb");
    // Long and short ones, so that blocks of the file begin at all kinds of places.
    let lengths: Vec<usize> = (0..1200).map(|n| n * 7919 % 50 + n % 97 * 7).collect();
    let mut expected = records(40, &lengths);
    let read_all = |journal: &Journal, expected: &[Record]| {
        assert_eq!(all(journal), expected);
        for skipped in (0..expected.len()).step_by(13) {
            let page = journal.held().read(40 + skipped as u64, 5).unwrap();
            let rest = &expected[skipped..];
            assert_eq!(page, rest[..rest.len().min(5)]);
        }
    };
    let mut journal = Journal::open(&database, 0).unwrap();
    for group in expected.chunks(4) {
        assert!(journal.append(group).unwrap());
    }
    read_all(&journal, &expected);
    drop(journal);
    let mut journal = Journal::open(&database, 0).unwrap();
    read_all(&journal, &expected);
    // A place that the database has is none of the journal's.
    let more = records(40 + expected.len() as u64 + 1, &[10, 0, 20]);
    assert!(journal.append(&more).unwrap());
    expected.extend(more);
    drop(journal);
    assert_eq!(all(&Journal::open(&database, 0).unwrap()), expected);
}

#[test]
fn what_is_sealed_makes_room_and_never_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("metrust.redb");
    let mut journal = Journal::open(&database, 0).unwrap();
    let mut place = 0;
    let mut fill = |journal: &mut Journal, files: usize| {
        for _ in 0..files {
            assert!(journal.append(&records(place, &[MUCH, 10])).unwrap());
            place += 2;
        }
        place
    };
    let place = fill(&mut journal, 9);
    assert_eq!(all(&journal).len(), 18);
    let all_bytes = journal.bytes();
    // The newest is kept: so are its file and what it begins with, but that is not read any more.
    journal.go_on_from(place - 1).unwrap();
    assert_eq!(all(&journal), [record(place - 1, 10)]);
    assert!(journal.bytes() < 100 && journal.bytes() < all_bytes);
    journal.retire(place - 1).unwrap();
    assert_eq!(all(&journal), [record(place - 1, 10)]);
    let kept = files(folder.path());
    assert!(kept.len() <= SPARE + 2, "{kept:?}");
    // Those that are used again hold only what is new.
    let end = fill(&mut journal, 3);
    assert_eq!(files(folder.path()), kept);
    let found = all(&journal);
    assert_eq!(found.first(), Some(&record(place - 1, 10)));
    assert_eq!(found.len() as u64, end - place + 1);
    drop(journal);
    let journal = Journal::open(&database, place).unwrap();
    assert_eq!(all(&journal), found[1..]);
    assert_eq!(journal.held().newest(), Some(end - 1));
}

#[test]
fn what_no_file_can_hold_is_left_to_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&folder.path().join("metrust.redb"), 0).unwrap();
    assert!(!journal.append(&[record(1, segment::SIZE)]).unwrap());
    assert!(journal.append(&[record(2, 10)]).unwrap());
    assert_eq!(all(&journal), [record(2, 10)]);
}

#[test]
fn what_is_put_aside_is_kept_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("metrust.redb");
    let mut journal = Journal::open(&database, 0).unwrap();
    journal.append(&[record(7, 10)]).unwrap();
    let before = std::fs::read(folder.path().join("metrust.redb.journal")).unwrap();
    journal.put_aside().unwrap();
    assert_eq!(all(&journal), []);
    let aside = folder.path().join("metrust.redb.journal.newer");
    assert!(std::fs::read(aside).unwrap() == before);
    journal.append(&[record(3, 10)]).unwrap();
    drop(journal);
    assert_eq!(all(&Journal::open(&database, 0).unwrap()), [record(3, 10)]);
}

#[test]
fn a_file_that_was_not_finished_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("metrust.redb");
    std::fs::write(folder.path().join("metrust.redb.journal"), [0; 100]).unwrap();
    let mut journal = Journal::open(&database, 0).unwrap();
    assert_eq!(all(&journal), []);
    journal.append(&[record(1, 10)]).unwrap();
    drop(journal);
    assert_eq!(all(&Journal::open(&database, 0).unwrap()), [record(1, 10)]);
}

#[test]
fn a_file_of_another_length_is_read_and_given_up_when_it_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("metrust.redb");
    let mut bytes = Vec::new();
    record(5, 40).write(5, &mut bytes);
    bytes.resize(segment::SIZE + 500, 0);
    std::fs::write(folder.path().join("metrust.redb.journal"), bytes).unwrap();
    let mut journal = Journal::open(&database, 0).unwrap();
    assert!(journal.append(&[record(6, MUCH)]).unwrap());
    assert!(journal.append(&[record(7, 1000)]).unwrap());
    assert_eq!(
        all(&journal),
        [record(5, 40), record(6, MUCH), record(7, 1000)]
    );
    journal.go_on_from(7).unwrap();
    journal.retire(7).unwrap();
    assert_eq!(files(folder.path()), ["metrust.redb.journal.1"]);
    drop(journal);
    assert_eq!(
        all(&Journal::open(&database, 7).unwrap()),
        [record(7, 1000)]
    );
}

#[test]
fn a_file_that_was_cut_is_refused_wherever_it_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("metrust.redb");
    let mut journal = Journal::open(&database, 0).unwrap();
    journal.append(&records(0, &[10, 20, 30])).unwrap();
    drop(journal);
    let path = folder.path().join("metrust.redb.journal");
    let whole = std::fs::read(&path).unwrap();
    // At the border of a record, in one, and behind them all.
    for length in [record::HEAD + 10, 2 * record::HEAD + 25, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let refused = Journal::open(&database, 0).unwrap_err();
        assert!(refused.to_string().contains("metrust.redb.journal"));
        assert_eq!(std::fs::read(&path).unwrap(), whole[..length]);
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(all(&Journal::open(&database, 0).unwrap()).len(), 3);
}

/// Spoils some bytes of one of `written`, which the first file begins with.
fn spoil(folder: &Path, written: &[Record], which: usize, spoil: impl FnOnce(&mut [u8])) {
    let file = folder.join("metrust.redb.journal");
    let mut bytes = std::fs::read(&file).unwrap();
    let start: usize = written[..which].iter().map(Record::length).sum();
    spoil(&mut bytes[start..start + written[which].length()]);
    std::fs::write(&file, bytes).unwrap();
}

/// One bit of them.
fn flip(at: prop::sample::Index) -> impl FnOnce(&mut [u8]) {
    move |bytes| bytes[at.index(bytes.len())] ^= 1
}

#[test]
fn a_file_whose_end_was_answered_and_is_spoilt_is_refused_when_another_follows() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("metrust.redb");
    let mut journal = Journal::open(&database, 3).unwrap();
    let written = records(3, &[MUCH, 10, 300]);
    journal.append(&written[..1]).unwrap();
    journal.append(&written[1..2]).unwrap();
    journal.append(&written[2..]).unwrap();
    drop(journal);
    assert_eq!(files(folder.path()).len(), 2);
    spoil(folder.path(), &written, 1, |bytes| bytes[40] ^= 1);
    let refused = Journal::open(&database, 3).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
    // Once all of it is sealed nothing is missing.
    let journal = Journal::open(&database, 5).unwrap();
    assert_eq!(all(&journal), written[2..]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_record_that_was_torn_ends_what_is_read_for_good(
        lengths in prop::collection::vec(0_usize..80, 2..8),
        torn in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let database = folder.path().join("metrust.redb");
        let written = records(7, &lengths);
        let mut journal = Journal::open(&database, 0).unwrap();
        journal.append(&written).unwrap();
        drop(journal);
        // One was lost on its way to the disk, and those behind it were not.
        let torn = torn.index(lengths.len());
        spoil(folder.path(), &written, torn, flip(at));
        let mut journal = Journal::open(&database, 0).unwrap();
        prop_assert_eq!(&all(&journal)[..], &written[..torn]);
        // One of the same length takes its place: the others stay gone.
        journal.append(&written[torn..=torn]).unwrap();
        drop(journal);
        let journal = Journal::open(&database, 0).unwrap();
        prop_assert_eq!(&all(&journal)[..], &written[..=torn]);
    }
    #[test]
    fn a_record_that_was_answered_and_is_spoilt_is_never_taken_for_a_torn_one(
        groups in prop::collection::vec(prop::collection::vec(0_usize..80, 1..4), 2..8),
        spoilt in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        used_before in any::<bool>(),
        lost in any::<bool>(),
    ) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let database = folder.path().join("metrust.redb");
        let mut journal = Journal::open(&database, 0).unwrap();
        let first = if used_before {
            let before = records(0, &[70; 20]);
            for record in before.chunks(3) {
                journal.append(record).unwrap();
            }
            journal.go_on_from(20).unwrap();
            journal.retire(20).unwrap();
            20
        } else {
            0
        };
        let mut written = Vec::new();
        for lengths in &groups {
            let group = records(first + written.len() as u64, lengths);
            journal.append(&group).unwrap();
            written.extend(group);
        }
        drop(journal);
        let answered = written.len() - groups.last().map_or(0, Vec::len);
        let which = spoilt.index(written.len());
        match lost {
            // A disk gives zeros for a part that it has lost.
            true => spoil(folder.path(), &written, which, |bytes| bytes.fill(0)),
            false => spoil(folder.path(), &written, which, flip(at)),
        }
        let file = folder.path().join("metrust.redb.journal");
        let before = std::fs::read(&file).unwrap();
        let opened = Journal::open(&database, first);
        if which < answered {
            prop_assert!(matches!(opened, Err(StoreError::Damaged(_))));
            prop_assert!(std::fs::read(&file).unwrap() == before, "nothing is changed");
        } else {
            // Whether the last ones had been answered, nothing tells.
            prop_assert_eq!(&all(&opened.unwrap())[..], &written[..which]);
        }
    }
}
