//! Reading a log from its first entry to its last, on every core, piece by piece.
//!
//! RFC 6962 section 2.1: the hash of each entry is compared with the tile that it should be in, and
//! what is kept of 256 entries is the one hash over them. Memory does not grow with the entries but
//! with their number divided by 256.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::folder::{Folder, Found};
use super::report::{Deletion, Incident, Place};
use super::sequence::{Break, Sequences};
use super::{MOST_FINDINGS, VerifyError};
use crate::domain::{Detail, EntryReader, Op};
use crate::log::merkle::root_of;
use crate::log::tile::{self, Tile, WIDTH};
use crate::log::{Hash, leaf_hash};

/// How many bundles a thread takes at a time.
const PIECE: u64 = 64;

/// What to read, and what must be remembered of it.
pub(super) struct Task<'a> {
    pub(super) folder: &'a Folder,
    /// The number of entries of the log.
    pub(super) size: u64,
    /// The entries that are there.
    pub(super) content: Range<u64>,
    /// The sizes at which the tree's root will be asked for.
    pub(super) sizes: BTreeSet<u64>,
    /// The entries whose hash will be asked for.
    pub(super) leaves: BTreeSet<u64>,
}

/// What was read of a log, or of a piece of it.
#[derive(Default)]
pub(super) struct Seen {
    /// The hash over each 256 entries, in order; not of those after the last full ones.
    pub(super) full: Vec<Hash>,
    /// For each size asked for that is not a multiple of 256: the root of the entries after the
    /// last multiple.
    pub(super) rests: BTreeMap<u64, Hash>,
    /// The hashes of the entries asked for.
    pub(super) leaves: BTreeMap<u64, Hash>,
    pub(super) sequences: Sequences,
    pub(super) incidents: Vec<Incident>,
    pub(super) deletions: Vec<Deletion>,
    pub(super) findings: Vec<(Place, String)>,
    /// Numbers that do not follow the ones before them.
    pub(super) broken: Vec<Break>,
    /// Those of them that are as they must be after a loss that is on record, with its entry.
    pub(super) explained: Vec<(Break, u64)>,
    /// Bundles whose entries are not those of their tile: how many, and what is wrong with which
    /// entry of the first one.
    pub(super) different: (u64, Option<(u64, &'static str)>),
    /// Reading ended early: there are too many findings.
    pub(super) broken_off: bool,
}

/// Reads it all. `progress` is given the number of entries that were read since it was last called.
pub(super) fn read(task: &Task<'_>, progress: &dyn Fn(u64)) -> Result<Seen, VerifyError> {
    let bundles = task.size.div_ceil(WIDTH);
    let pieces = bundles.div_ceil(PIECE);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(usize::try_from(pieces).unwrap_or(cores));
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::sync_channel(2 * threads.max(1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || {
                let mut reader = EntryReader::default();
                while !stop.load(Ordering::Relaxed) {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= pieces {
                        break;
                    }
                    let range = piece * PIECE..bundles.min((piece + 1) * PIECE);
                    let seen = task.piece(range, &mut reader);
                    if sender.send((piece, seen)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        // Dropped when this ends, whatever the reason: then the threads find nobody to send to.
        let receiver = receiver;
        let mut whole = Seen::default();
        let (mut early, mut joined) = (BTreeMap::new(), 0);
        for (piece, seen) in &receiver {
            early.insert(piece, seen?);
            while let Some(seen) = early.remove(&joined) {
                joined += 1;
                whole.join(seen);
                let entries = |pieces: u64| task.size.min(pieces * PIECE * WIDTH);
                progress(entries(joined) - entries(joined - 1));
            }
            if whole.findings.len() + whole.broken.len() >= MOST_FINDINGS {
                stop.store(true, Ordering::Relaxed);
                whole.broken_off = true;
                break;
            }
        }
        Ok(whole)
    })
}

impl Seen {
    /// Puts what comes next in the log behind this.
    fn join(&mut self, next: Self) {
        self.full.extend(next.full);
        self.rests.extend(next.rests);
        self.leaves.extend(next.leaves);
        self.sequences.join(next.sequences);
        self.incidents.extend(next.incidents);
        for broken in self.sequences.take_broken() {
            let since = broken.after + 1..=broken.index;
            let mut losses = self.incidents.iter().rev().filter(|one| one.is_loss());
            match losses.find(|loss| since.contains(&loss.index)) {
                Some(loss) => self.explained.push((broken, loss.index)),
                None => self.broken.push(broken),
            }
        }
        self.deletions.extend(next.deletions);
        self.findings.extend(next.findings);
        self.different.0 += next.different.0;
        self.different.1 = self.different.1.or(next.different.1);
    }

    fn wrong(&mut self, place: Place, what: impl Into<String>) {
        self.findings.push((place, what.into()));
    }
}

impl Task<'_> {
    /// Reads these bundles.
    fn piece(&self, bundles: Range<u64>, reader: &mut EntryReader) -> Result<Seen, VerifyError> {
        let mut seen = Seen::default();
        let mut leaves = Vec::with_capacity(WIDTH as usize);
        for index in bundles {
            self.bundle(index, reader, &mut leaves, &mut seen)?;
            let start = index * WIDTH;
            if leaves.len() as u64 == WIDTH {
                seen.full.push(root_of(&leaves));
            }
            for &size in self.sizes.range(start + 1..start + WIDTH) {
                let rest = leaves.get(..(size - start) as usize);
                seen.rests.insert(size, root_of(rest.unwrap_or(&leaves)));
            }
            for &leaf in self.leaves.range(start..start + leaves.len() as u64) {
                seen.leaves.insert(leaf, leaves[(leaf - start) as usize]);
            }
            if seen.findings.len() >= MOST_FINDINGS {
                break;
            }
        }
        Ok(seen)
    }

    /// The hashes of a bundle's entries: of the entries themselves, or of the tile where there are
    /// none.
    fn bundle(
        &self,
        index: u64,
        reader: &mut EntryReader,
        leaves: &mut Vec<Hash>,
        seen: &mut Seen,
    ) -> Result<(), VerifyError> {
        let start = index * WIDTH;
        // At most 256, so the cast keeps it.
        let width = WIDTH.min(self.size - start) as u16;
        leaves.clear();
        let claimed = tile_of(self.folder, 0, index, width, &mut |place, what| {
            seen.wrong(place, what);
        })?;
        if start < self.content.end && start + u64::from(width) > self.content.start {
            self.entries(index, width, reader, leaves, seen)?;
            let same = claimed.iter().zip(leaves.iter());
            let same = same.take_while(|(claimed, made)| claimed == made).count();
            if same < claimed.len() {
                let what = if same < leaves.len() {
                    "it is not the entry that the hash tile was made of"
                } else {
                    "it is missing, and so are those after it in its bundle"
                };
                seen.different.0 += 1;
                seen.different.1 = seen.different.1.or(Some((start + same as u64, what)));
            }
        }
        // What is missing is not made up: a hash that no entry has keeps the places of the others.
        let known = leaves.len();
        leaves.extend(claimed.iter().skip(known));
        leaves.resize(usize::from(width), Hash([0; 32]));
        Ok(())
    }

    fn entries(
        &self,
        index: u64,
        width: u16,
        reader: &mut EntryReader,
        leaves: &mut Vec<Hash>,
        seen: &mut Seen,
    ) -> Result<(), VerifyError> {
        let tile = Tile::Entries { index, width };
        let (bytes, named) = match self.folder.tile(tile)? {
            Found::Bytes { bytes, width } => (bytes, width),
            Found::Missing => {
                seen.wrong(Place::Tile(tile.path()), "it is missing");
                return Ok(());
            }
        };
        let mut entries = 0_u64;
        for item in tile::entries(&bytes) {
            let Ok(bytes) = item else {
                let what = format!("it breaks off in its entry {entries}");
                seen.wrong(Place::Tile(tile.path()), what);
                return Ok(());
            };
            if entries < u64::from(width) {
                leaves.push(leaf_hash(bytes));
                self.entry(index * WIDTH + entries, bytes, reader, seen);
            }
            entries += 1;
        }
        if entries != u64::from(named) {
            let what = format!("it holds {entries} entries instead of {named}");
            seen.wrong(Place::Tile(tile.path()), what);
        }
        Ok(())
    }

    fn entry(&self, index: u64, bytes: &[u8], reader: &mut EntryReader, seen: &mut Seen) {
        let entry = match reader.read(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                let what = format!("it is not an entry in canonical form: {error}");
                return seen.wrong(Place::Entry(index), what);
            }
        };
        if entry.context.agency.is_some() != entry.client_seq.is_some() {
            let what = "an agency's number without an agency, or an agency without its number";
            seen.wrong(Place::Entry(index), what);
        }
        match (entry.context.op, &entry.context.detail) {
            (Op::Incident, Some(Detail::Incident { what })) => seen.incidents.push(Incident {
                index,
                time: entry.time,
                word: what.clone(),
            }),
            (Op::Prune, Some(Detail::Pruned { log, entries })) => seen.deletions.push(Deletion {
                index,
                log: log.clone(),
                entries: *entries,
            }),
            _ => {}
        }
        seen.sequences.count(&entry, index);
    }
}

/// The first `width` hashes of a tile; fewer or none if the tile is not whole, which `wrong` is told.
pub(super) fn tile_of(
    folder: &Folder,
    level: u8,
    index: u64,
    width: u16,
    wrong: &mut dyn FnMut(Place, String),
) -> Result<Vec<Hash>, VerifyError> {
    let tile = Tile::Hashes {
        level,
        index,
        width,
    };
    let place = Place::Tile(tile.path());
    let (bytes, named) = match folder.tile(tile)? {
        Found::Bytes { bytes, width } => (bytes, width),
        Found::Missing => {
            wrong(place, "it is missing".to_owned());
            return Ok(Vec::new());
        }
    };
    if bytes.len() != 32 * usize::from(named) {
        let what = format!("it has {} bytes, which are not {named} hashes", bytes.len());
        wrong(place, what);
    }
    let hashes = bytes.as_chunks::<32>().0.iter().copied().map(Hash);
    Ok(hashes.take(usize::from(width)).collect())
}
