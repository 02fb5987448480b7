//! One file of the journal.
//!
//! The file is as long as it will ever be from the start on, so that syncing it touches nothing but
//! the bytes themselves. What is read back after a crash is the run of whole records with ascending
//! places from the start: a record that was torn had not been answered, and what an earlier use of
//! the file left behind it has lower places. A record that had been answered is told from a torn one
//! by those that were written after it: each says how far the journal was on disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::{self, Record};

/// How long a file is. Tests fill many.
pub(super) const SIZE: usize = if cfg!(test) { 4 << 10 } else { 4 << 20 };

/// How much of a file has a mark of its own, and how much is read of it at a time.
const BLOCK: usize = SIZE / 64;

/// Where the first record that begins in a block lies; place and offset are one too high, so that
/// nothing is 0.
#[derive(Debug, Default)]
struct Mark {
    place: AtomicU64,
    offset: AtomicU64,
}

/// One file. One thread appends; any may read what is on disk.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    /// Which file of the journal it is.
    number: u32,
    file: File,
    size: usize,
    marks: Box<[Mark]>,
    /// The place behind the newest record.
    next: AtomicU64,
    /// Where the next record goes; everything before it is on disk.
    end: AtomicU64,
}

/// A file as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) segment: Segment,
    /// Up to which place the journal was on disk before its first record, as that says.
    pub(super) behind: Option<u64>,
    /// Up to which place it was, as something says that lies behind the records.
    pub(super) known: u64,
    /// How many bytes are left behind the records.
    left: usize,
}

impl Found {
    /// Leaves nothing behind the records: a power cut may keep a later one and lose the one before
    /// it, and the later one must not come to life behind one that takes the place.
    pub(super) fn wipe(&self) -> io::Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        let Segment { file, .. } = &self.segment;
        file.write_all_at(&vec![0; self.left], self.segment.end() as u64)?;
        file.sync_data()
    }
}

impl Segment {
    /// Makes the file, in its full length. One that is there is left alone: another thread that was
    /// given up may have been late.
    pub(super) fn make(path: &Path, number: u32) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create_new(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)?;
        file.write_all_at(&vec![0; SIZE], 0)?;
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(Self::new(path, number, file, SIZE))
    }

    /// Opens what is there, and finds the end of what it holds. Nothing is changed.
    pub(super) fn open(path: &Path, number: u32) -> io::Result<Found> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let bytes = std::fs::read(path)?;
        let segment = Self::new(path, number, file, bytes.len());
        let (mut offset, mut next, mut first) = (0, 0, None);
        while let Some((record, behind)) = Record::read(&bytes[offset..]) {
            if offset > 0 && record.place < next {
                break;
            }
            first.get_or_insert(behind);
            segment.mark(offset, record.place);
            offset += record.length();
            next = record.place + 1;
        }
        segment.publish(offset, next);
        let rest = &bytes[offset..];
        let left = rest.iter().rposition(|byte| *byte != 0);
        let left = left.map_or(0, |last| last + 1);
        // What lies in one that was emptied is of an earlier use.
        let is_emptied = offset == 0 && rest.starts_with(&record::NOTHING);
        let known = match is_emptied {
            true => 0,
            false => record::known_on_disk(&rest[..left], next),
        };
        Ok(Found {
            segment,
            behind: first,
            known,
            left,
        })
    }

    /// Writes what it holds once more. A system that failed to bring something to the disk may show it
    /// all the same, and take it for written.
    pub(super) fn write_again(&self) -> io::Result<()> {
        let mut bytes = vec![0; self.end()];
        self.file.read_exact_at(&mut bytes, 0)?;
        self.file.write_all_at(&bytes, 0)?;
        self.file.sync_data()
    }

    fn new(path: &Path, number: u32, file: File, size: usize) -> Self {
        Self {
            path: path.to_owned(),
            number,
            file,
            size,
            marks: (0..size.div_ceil(BLOCK)).map(|_| Mark::default()).collect(),
            next: AtomicU64::default(),
            end: AtomicU64::default(),
        }
    }

    fn mark(&self, offset: usize, place: u64) {
        let mark = &self.marks[offset / BLOCK];
        if mark.offset.load(Ordering::Relaxed) == 0 {
            mark.place.store(place + 1, Ordering::Relaxed);
            mark.offset.store(offset as u64 + 1, Ordering::Relaxed);
        }
    }

    fn publish(&self, end: usize, next: u64) {
        self.next.store(next, Ordering::Relaxed);
        self.end.store(end as u64, Ordering::Release);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was deleted by somebody else.
    pub(super) fn is_deleted(&self) -> io::Result<bool> {
        super::super::state::deleted(&self.file)
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Whether something was cut off it: it is as long as it will ever be before it is used.
    pub(super) fn is_cut(&self) -> bool {
        self.size < SIZE
    }

    /// Whether it is as long as those that are made now.
    pub(super) fn is_full_length(&self) -> bool {
        self.size == SIZE
    }

    pub(super) fn end(&self) -> usize {
        self.end.load(Ordering::Acquire) as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.end() == 0
    }

    /// The place behind its newest record; 0 if it holds none.
    pub(super) fn next(&self) -> u64 {
        match self.end() {
            0 => 0,
            _ => self.next.load(Ordering::Relaxed),
        }
    }

    /// The place of its oldest record.
    pub(super) fn first(&self) -> Option<u64> {
        self.marks.first().and_then(|mark| mark.place(self.end()))
    }

    pub(super) fn fits(&self, bytes: usize) -> bool {
        self.end() + bytes <= self.size
    }

    /// Appends records, written out in `bytes`; they are on disk when this returns.
    pub(super) fn append(&self, records: &[Record], bytes: &[u8]) -> io::Result<()> {
        let mut offset = self.end();
        self.file.write_all_at(bytes, offset as u64)?;
        self.file.sync_data()?;
        let mut next = self.next();
        for record in records {
            self.mark(offset, record.place);
            offset += record.length();
            next = record.place + 1;
        }
        self.publish(offset, next);
        Ok(())
    }

    /// Forgets what it holds, on disk too.
    pub(super) fn empty(&mut self) -> io::Result<()> {
        self.file.write_all_at(&record::NOTHING, 0)?;
        self.file.sync_data()?;
        for mark in &self.marks {
            mark.offset.store(0, Ordering::Relaxed);
        }
        self.publish(0, 0);
        Ok(())
    }

    /// Adds the records from a place on, so many altogether.
    pub(super) fn read(
        &self,
        from: u64,
        limit: usize,
        records: &mut Vec<Record>,
    ) -> io::Result<()> {
        let end = self.end();
        let mut offset = self.before(from, end);
        let mut window = BLOCK;
        let mut bytes = Vec::new();
        while offset < end && records.len() < limit {
            bytes.resize(window.min(end - offset), 0);
            self.file.read_exact_at(&mut bytes, offset as u64)?;
            let mut at = 0;
            while let Some((place, length)) = record::skim(&bytes[at..])
                && at + length <= bytes.len()
                && records.len() < limit
            {
                if place >= from {
                    let (record, _) = Record::read(&bytes[at..]).ok_or_else(spoilt)?;
                    records.push(record);
                }
                at += length;
            }
            if at == 0 && bytes.len() == end - offset {
                return Err(spoilt());
            }
            // A record that is longer than the window.
            window = if at == 0 { window * 2 } else { BLOCK };
            offset += at;
        }
        Ok(())
    }

    /// Where the record at a place lies, or the next one behind it.
    pub(super) fn offset_of(&self, place: u64) -> io::Result<usize> {
        let end = self.end();
        let mut offset = self.before(place, end);
        let mut bytes = Vec::new();
        while offset < end {
            bytes.resize(BLOCK.min(end - offset), 0);
            self.file.read_exact_at(&mut bytes, offset as u64)?;
            let mut at = 0;
            while let Some((found, length)) = bytes.get(at..).and_then(record::skim) {
                if found >= place {
                    return Ok(offset + at);
                }
                at += length;
            }
            if at == 0 {
                return Err(spoilt());
            }
            offset += at;
        }
        Ok(end)
    }

    /// Where to begin to look for a place: not behind it, and not far before.
    fn before(&self, place: u64, end: usize) -> usize {
        let marks = self.marks.iter().rev();
        let mut known = marks.filter(|mark| mark.place(end).is_some_and(|first| first <= place));
        known.next().map_or(0, |mark| mark.offset() as usize)
    }
}

impl Mark {
    fn offset(&self) -> u64 {
        self.offset.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// The place, unless there is none before `end`.
    fn place(&self, end: usize) -> Option<u64> {
        let there = self.offset.load(Ordering::Relaxed);
        let is_there = there > 0 && there - 1 < end as u64;
        is_there.then(|| self.place.load(Ordering::Relaxed) - 1)
    }
}

fn spoilt() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a record is spoilt")
}
