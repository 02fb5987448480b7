//! Batches of checks on their way into the database.
//!
//! A commit of the database writes pages of a tree. A batch of checks changes nothing but the end
//! of the tail, so it is appended to a file instead, in one write and one `fdatasync`, and answered;
//! the database gets it with the next commit that has more to do, or when somebody reads the tail.
//! The file is as long as it will ever be from the start on, so that syncing it touches nothing
//! but the bytes themselves, and it is written from the start again when the database holds all.
//!
//! A record is its length, its place in the tail, a digest of both and the batch. What is read back
//! after a crash is the run of whole records with ascending places from the start: a record that
//! was torn had not been answered, and what an earlier round left behind it has lower places.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::store::StoreError;

/// How long the file is.
const SIZE: usize = 2 << 20;

/// Length, place, digest.
const HEAD: usize = 4 + 8 + 16;

/// The file beside the database's own.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Where the next record goes.
    end: usize,
    /// Records that are written together.
    outgoing: Vec<u8>,
}

/// A batch, and its place in the tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) place: u64,
    pub(super) batch: Vec<u8>,
}

impl Journal {
    /// The journal of a database, and what it holds.
    pub(super) fn open(database: &Path) -> Result<(Self, Vec<Record>), StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".journal");
        let path = PathBuf::from(path);
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let mut bytes = Vec::new();
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
            Err(error) => Err(error),
            Ok(mut file) => match file.read_to_end(&mut bytes) {
                Ok(SIZE) => Ok(file),
                // One that was not finished when it was made.
                Ok(_) => make(&path),
                Err(error) => Err(error),
            },
        };
        let journal = Self {
            file: file.map_err(|error| away(&path, &error))?,
            path,
            end: 0,
            outgoing: Vec::new(),
        };
        Ok((journal, read(&bytes)))
    }

    /// Whether so many bytes of batches, in so many records, still fit.
    pub(super) fn fits(&self, bytes: usize, records: usize) -> bool {
        self.end + bytes + records * HEAD <= SIZE
    }

    /// Appends records; they are on disk when this returns.
    pub(super) fn append<'a>(
        &mut self,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), StoreError> {
        let mut outgoing = std::mem::take(&mut self.outgoing);
        outgoing.clear();
        for record in records {
            write(record, &mut outgoing);
        }
        let written = self.file.write_all_at(&outgoing, self.end as u64);
        let written = written.and_then(|()| self.file.sync_data());
        written.map_err(|error| away(&self.path, &error))?;
        self.end += outgoing.len();
        self.outgoing = outgoing;
        Ok(())
    }

    /// Begins anew: the database holds all that is here.
    pub(super) fn restart(&mut self) {
        self.end = 0;
    }

    /// Keeps what the file holds under another name, and begins another one.
    pub(super) fn put_aside(&mut self) -> Result<(), StoreError> {
        let mut aside = self.path.clone().into_os_string();
        aside.push(".newer");
        let aside = PathBuf::from(aside);
        std::fs::rename(&self.path, &aside).map_err(|error| away(&self.path, &error))?;
        tracing::error!(
            "the store is older than the journal beside it, and goes on without what the journal \
             holds; that is kept in {}",
            aside.display()
        );
        self.file = make(&self.path).map_err(|error| away(&self.path, &error))?;
        Ok(())
    }
}

/// Makes the file, in its full length.
fn make(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all_at(&vec![0; SIZE], 0)?;
    file.sync_all()?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

fn away(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Away(format!("{}: {error}", path.display()))
}

fn digest(place: u64, batch: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    let whole = Sha256::new()
        .chain_update(b"metrust v1 journal\0")
        .chain_update(place.to_le_bytes())
        .chain_update(batch)
        .finalize();
    half.copy_from_slice(&whole[..16]);
    half
}

fn write(record: &Record, to: &mut Vec<u8>) {
    to.extend_from_slice(&(record.batch.len() as u32).to_le_bytes());
    to.extend_from_slice(&record.place.to_le_bytes());
    to.extend_from_slice(&digest(record.place, &record.batch));
    to.extend_from_slice(&record.batch);
}

fn read(mut bytes: &[u8]) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    while let Some((record, rest)) = read_one(bytes) {
        let follows = records
            .last()
            .is_none_or(|last| last.place + 1 == record.place);
        if !follows {
            break;
        }
        records.push(record);
        bytes = rest;
    }
    records
}

fn read_one(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (place, rest) = rest.split_first_chunk()?;
    let (expected, rest) = rest.split_first_chunk::<16>()?;
    let place = u64::from_le_bytes(*place);
    let (batch, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    (digest(place, batch) == *expected).then(|| {
        let batch = batch.to_vec();
        (Record { place, batch }, rest)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(place: u64, length: usize) -> Record {
        Record {
            place,
            batch: vec![place as u8 ^ 0x5a; length],
        }
    }

    fn held(database: &Path) -> Vec<Record> {
        Journal::open(database).unwrap().1
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_appended_since_the_last_restart_is_read_back(
            rounds in prop::collection::vec(prop::collection::vec(0_usize..300, 1..8), 1..5),
        ) {
            let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
            let database = folder.path().join("metrust.redb");
            let (mut journal, _) = Journal::open(&database).unwrap();
            let mut place = 0;
            for round in rounds {
                journal.restart();
                let records: Vec<_> = round.iter().map(|length| {
                    place += 1;
                    record(place, *length)
                }).collect();
                let (first, second) = records.split_at(records.len() / 2);
                journal.append(first.iter()).unwrap();
                journal.append(second.iter()).unwrap();
                prop_assert_eq!(held(&database), records);
            }
        }

        #[test]
        fn a_record_that_was_torn_ends_what_is_read_and_harms_nothing_before_it(
            lengths in prop::collection::vec(0_usize..80, 1..6),
            torn in any::<prop::sample::Index>(),
            flip in any::<bool>(),
        ) {
            let records: Vec<_> = (7..).zip(&lengths).map(|(place, length)| record(place, *length)).collect();
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for record in &records {
                write(record, &mut bytes);
                ends.push(bytes.len());
            }
            let at = torn.index(bytes.len());
            if flip {
                bytes[at] ^= 1;
            } else {
                bytes.truncate(at);
            }
            let whole = ends.iter().filter(|end| **end <= at).count();
            prop_assert_eq!(&read(&bytes)[..], &records[..whole]);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read(&bytes).is_empty());
        }
    }

    #[test]
    fn a_file_that_was_not_finished_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("metrust.redb");
        std::fs::write(folder.path().join("metrust.redb.journal"), [0; 100]).unwrap();
        let (mut journal, records) = Journal::open(&database).unwrap();
        assert!(records.is_empty());
        journal.append([record(1, 10)].iter()).unwrap();
        assert_eq!(held(&database), [record(1, 10)]);
    }
}
