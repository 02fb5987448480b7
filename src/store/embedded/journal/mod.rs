//! Where batches of checks lie until they are sealed.
//!
//! A commit of the database writes pages of a tree. A batch of checks changes nothing but the end
//! of the tail, so it is appended to a file instead, in one write and one `fdatasync`, and answered;
//! the sealer reads it there, and the database never sees it. What belongs to a change goes into the
//! database with the change; so the tail is what both hold, in the order of the places.
//!
//! The journal is a row of files of one length ([`segment`]). A full one is followed by the next; one
//! of which all is sealed is used again. Making a new one takes longer than a check may wait, so it
//! is made beforehand, by a thread of its own.

mod record;
mod segment;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::store::StoreError;
pub(super) use record::Record;
use segment::{Found, Segment};

/// How many empty files are kept, for the busy hour that comes again.
const SPARE: usize = 4;

/// What a file is called that holds more than the database beside it can go on from.
const ASIDE: &str = "newer";

/// The files that hold something, the oldest first; for whoever reads.
#[derive(Debug, Default)]
pub(super) struct Held {
    segments: RwLock<Vec<Arc<Segment>>>,
    /// Before this place everything is sealed and dropped.
    base: AtomicU64,
}

impl Held {
    fn segments(&self) -> RwLockReadGuard<'_, Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Vec<Arc<Segment>>> {
        self.segments
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Before this place everything is sealed and dropped.
    pub(super) fn base(&self) -> u64 {
        self.base.load(Ordering::Acquire)
    }

    /// The records from a place on, at most so many.
    pub(super) fn read(&self, from: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let segments = self.segments();
        let from = from.max(self.base());
        let mut records = Vec::new();
        for segment in segments.iter().filter(|segment| segment.next() > from) {
            segment
                .read(from, limit, &mut records)
                .map_err(|error| unreadable(segment.path(), &error))?;
            if records.len() == limit {
                break;
            }
        }
        Ok(records)
    }

    /// The place behind the newest record; 0 without one.
    fn end(&self) -> u64 {
        let next = self.segments().iter().map(|segment| segment.next()).max();
        next.unwrap_or_default()
    }

    /// The place of the newest record.
    pub(super) fn newest(&self) -> Option<u64> {
        self.end().checked_sub(1)
    }

    /// The place behind the newest record, or behind what was dropped.
    pub(super) fn next(&self) -> u64 {
        self.end().max(self.base())
    }

    /// How many bytes lie from the base on.
    fn bytes(&self) -> Result<u64, StoreError> {
        let (segments, base) = (self.segments(), self.base());
        let mut bytes = 0;
        for segment in segments.iter().filter(|segment| segment.next() > base) {
            let from = segment.offset_of(base);
            let from = from.map_err(|error| unreadable(segment.path(), &error))?;
            bytes += (segment.end() - from) as u64;
        }
        Ok(bytes)
    }
}

/// The files beside the database's own, for the one that writes.
#[derive(Debug)]
pub(super) struct Journal {
    /// What all of them are called, but for what follows.
    name: PathBuf,
    held: Arc<Held>,
    spare: Vec<Segment>,
    /// One that is being made.
    coming: Option<Receiver<io::Result<Segment>>>,
    /// The number of the next new file.
    number: u32,
    /// Records that are written together.
    outgoing: Vec<u8>,
    bytes: u64,
}

impl Journal {
    /// The journal of a database. Before `base` everything is sealed and dropped.
    pub(super) fn open(database: &Path, base: u64) -> Result<Self, StoreError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".journal");
        let mut journal = Self {
            name: PathBuf::from(name),
            held: Arc::default(),
            spare: Vec::new(),
            coming: None,
            number: 0,
            outgoing: Vec::new(),
            bytes: 0,
        };
        let mut found = Vec::new();
        for (number, path) in journal.files()? {
            journal.number = journal.number.max(number + 1);
            found.push(Segment::open(&path, number).map_err(|error| away(&path, &error))?);
        }
        found.sort_by_key(|found| (found.segment.is_empty(), found.segment.first()));
        nothing_is_missing(&found, base)?;
        let mut held = Vec::new();
        for found in found {
            let wiped = found.wipe();
            let segment = found.segment;
            wiped.map_err(|error| away(segment.path(), &error))?;
            match (segment.is_empty(), segment.is_full_length()) {
                (false, _) => held.push(Arc::new(segment)),
                (true, true) => journal.spare.push(segment),
                // One that was not finished when it was made.
                (true, false) => remove(segment.path())?,
            }
        }
        if let Some(last) = held.last() {
            let again = last.write_again();
            again.map_err(|error| away(last.path(), &error))?;
        }
        if held.is_empty() && journal.spare.is_empty() {
            let made = Segment::make(&journal.path(journal.number), journal.number);
            journal
                .spare
                .push(made.map_err(|error| away(&journal.name, &error))?);
            journal.number += 1;
        }
        *journal.held.change() = held;
        journal.go_on_from(base)?;
        Ok(journal)
    }

    fn files(&self) -> Result<Vec<(u32, PathBuf)>, StoreError> {
        let folder = self
            .name
            .parent()
            .filter(|path| !path.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut files = Vec::new();
        for file in std::fs::read_dir(folder).map_err(|error| away(folder, &error))? {
            let path = file.map_err(|error| away(folder, &error))?.path();
            let name = self.name.file_name().and_then(|name| name.to_str());
            let found = path.file_name().and_then(|name| name.to_str());
            let number = match name
                .zip(found)
                .and_then(|(name, found)| found.strip_prefix(name))
            {
                Some("") => Some(0),
                Some(rest) => rest
                    .strip_prefix('.')
                    .and_then(|number| number.parse().ok()),
                None => None,
            };
            files.extend(number.map(|number| (number, path)));
        }
        Ok(files)
    }

    fn path(&self, number: u32) -> PathBuf {
        let mut path = self.name.clone().into_os_string();
        if number > 0 {
            path.push(format!(".{number}"));
        }
        PathBuf::from(path)
    }

    /// The files that hold what was not dropped, by number.
    pub(super) fn live(&self) -> Vec<u32> {
        let (segments, base) = (self.held.segments(), self.held.base());
        let live = segments.iter().filter(|segment| segment.next() > base);
        live.map(|segment| segment.number()).collect()
    }

    /// Whether the file that is written now is among these, the last.
    pub(super) fn is_last_of(&self, files: &[u32]) -> bool {
        let segments = self.held.segments();
        segments.last().map(|last| last.number()) == files.last().copied()
    }

    /// Of the files that held something, one that holds nothing now, or is gone.
    pub(super) fn missing(&self, files: &[u32]) -> Option<PathBuf> {
        let segments = self.held.segments();
        let is_held = |file: &u32| segments.iter().any(|segment| segment.number() == *file);
        let missing = files.iter().find(|file| !is_held(file))?;
        Some(self.path(*missing))
    }

    /// Makes sure that no file of it was deleted by somebody else.
    pub(super) fn is_there(&self) -> Result<(), StoreError> {
        let held = self.held.segments();
        let mut all = held.iter().map(Arc::as_ref).chain(&self.spare);
        all.try_for_each(|segment| match segment.is_deleted() {
            Ok(false) => Ok(()),
            Ok(true) => Err(StoreError::Deleted(segment.path().display().to_string())),
            Err(error) => Err(away(segment.path(), &error)),
        })
    }

    /// What readers see.
    pub(super) fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// How many bytes wait in it to be sealed.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends records; they are on disk when this returns. False where they are more than a file
    /// holds: then nothing was done.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<bool, StoreError> {
        let mut outgoing = std::mem::take(&mut self.outgoing);
        outgoing.clear();
        let behind = self.held.end();
        for record in records {
            record.write(behind, &mut outgoing);
        }
        if outgoing.len() > segment::SIZE {
            return Ok(false);
        }
        let last = self.held.segments().last().cloned();
        let segment = match last.filter(|last| last.fits(outgoing.len())) {
            Some(last) => last,
            None => self.next()?,
        };
        let appended = segment.append(records, &outgoing);
        appended.map_err(|error| away(segment.path(), &error))?;
        self.bytes += outgoing.len() as u64;
        self.outgoing = outgoing;
        if segment.end() > segment::SIZE / 2 {
            self.prepare();
        }
        Ok(true)
    }

    /// An empty file that follows the others.
    fn next(&mut self) -> Result<Arc<Segment>, StoreError> {
        let segment = match self.spare.pop() {
            Some(spare) => Ok(spare),
            None => self.come().unwrap_or_else(|| {
                self.number += 1;
                Segment::make(&self.path(self.number - 1), self.number - 1)
            }),
        };
        let segment = Arc::new(segment.map_err(|error| away(&self.name, &error))?);
        self.held.change().push(segment.clone());
        Ok(segment)
    }

    /// The one that is being made.
    fn come(&mut self) -> Option<io::Result<Segment>> {
        self.coming.take().and_then(|coming| coming.recv().ok())
    }

    /// Has a file made if there is no empty one.
    fn prepare(&mut self) {
        if !self.spare.is_empty() || self.coming.is_some() {
            return;
        }
        let (path, number) = (self.path(self.number), self.number);
        self.number += 1;
        let (made, coming) = mpsc::channel();
        let work = move || drop(made.send(Segment::make(&path, number)));
        let thread = std::thread::Builder::new().name("store-journal".to_owned());
        // Without a thread it is made when it is needed.
        self.coming = thread.spawn(work).ok().map(|_| coming);
    }

    /// Everything before a place is sealed; readers begin there.
    pub(super) fn go_on_from(&mut self, base: u64) -> Result<(), StoreError> {
        let base = base.max(self.held.base());
        self.held.base.store(base, Ordering::Release);
        self.bytes = self.held.bytes()?;
        Ok(())
    }

    /// Empties the files of which everything is before a place. What is needed of it must be in the
    /// database by now.
    pub(super) fn retire(&mut self, base: u64) -> Result<(), StoreError> {
        let retired: Vec<_> = self
            .held
            .change()
            .extract_if(.., |segment| segment.next() <= base)
            .collect();
        for segment in retired {
            // Readers hold one only while they hold the lock.
            let Some(mut segment) = Arc::into_inner(segment) else {
                continue;
            };
            let path = segment.path().to_owned();
            segment.empty().map_err(|error| away(&path, &error))?;
            match self.spare.len() < SPARE && segment.is_full_length() {
                true => self.spare.push(segment),
                false => remove(&path)?,
            }
        }
        Ok(())
    }

    /// Keeps what the files hold under other names, and begins anew.
    pub(super) fn put_aside(&mut self) -> Result<(), StoreError> {
        let held = std::mem::take(&mut *self.held.change());
        let mut names = Vec::new();
        for segment in held {
            let path = segment.path();
            let mut aside = path.to_owned().into_os_string();
            aside.push(format!(".{ASIDE}"));
            let aside = PathBuf::from(aside);
            std::fs::rename(path, &aside).map_err(|error| away(path, &error))?;
            names.push(aside.display().to_string());
        }
        tracing::error!(
            "the store is older than the journal beside it, and goes on without what the journal \
             holds; that is kept in {}",
            names.join(", ")
        );
        self.bytes = 0;
        Ok(())
    }
}

/// Makes sure that the files, in order, hold all that was on disk when something in them was written.
/// Otherwise nothing may be changed: what was answered would be gone, and nobody the wiser.
fn nothing_is_missing(files: &[Found], base: u64) -> Result<(), StoreError> {
    let mut read_to = base;
    for (place, file) in files.iter().enumerate() {
        if !file.segment.is_empty() && file.segment.is_cut() {
            return Err(missing(file.segment.path()));
        }
        // What the first one follows on is sealed, and its file is used again.
        if place > 0 && file.behind > Some(read_to) {
            return Err(missing(files[place - 1].segment.path()));
        }
        read_to = read_to.max(file.segment.next());
        if file.known > read_to {
            return Err(missing(file.segment.path()));
        }
    }
    Ok(())
}

fn missing(path: &Path) -> StoreError {
    StoreError::Damaged(format!(
        "{}: checks that were answered cannot be read there any more. The file was left as it is. Put \
         a sound copy in its place. Without one, move it elsewhere, keep it, and start with \
         --accept-loss: no opt-out is in it, but checks that it or a later file of the journal holds, \
         and that were not sealed yet, are then missing from the audit; tell those who read that",
        path.display()
    ))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    std::fs::remove_file(path).map_err(|error| away(path, &error))
}

fn away(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Away(format!("{}: {error}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::InvalidData => StoreError::Damaged(format!("{}: {error}", path.display())),
        _ => away(path, error),
    }
}
