//! Reading single entries out of a bundle, each of them shown to be in a signed log.
//!
//! C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>) for where things lie, RFC 6962 section 2.1.1 for
//! the proofs, C2SP tlog-proof for the form in which they are given away. It trusts the keys that
//! it is given and nothing else: an entry whose hash does not lead to the signed root is not
//! given. That no entry was taken out of a bundle, only [`verify`](crate::log::verify) tells.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use crate::log::index::Segment;
use crate::log::merkle::root_of;
use crate::log::proof::{check_inclusion, inclusion_proof};
use crate::log::storage::Source;
use crate::log::tile::{Tile, WIDTH, entries, extent, hashes, index_path, place_of};
use crate::log::verify::folder::{Folder, Found, find};
use crate::log::verify::{VerifyError, signed};
use crate::log::{Checkpoint, Hash, SEGMENT, TlogProof, Verifier, leaf_hash};

/// Why nothing is read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no log, or a file cannot be read.
    #[error(transparent)]
    Read(#[from] VerifyError),
    /// Something in a log is not what was signed, or is missing.
    #[error("the log {log} cannot be relied on: {what}")]
    Refused {
        /// The log's name.
        log: String,
        /// What is wrong.
        what: String,
    },
}

/// A log of a bundle, whose checkpoint was signed with a key that is trusted.
#[derive(Debug)]
pub struct SignedLog {
    /// Its name: `2026`.
    pub name: String,
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The entries that are there.
    pub content: Range<u64>,
    signed: String,
    folder: Folder,
    /// The hash tile that was read last on each level.
    tiles: HashMap<u8, (u64, Vec<Hash>)>,
}

/// The logs in a folder, oldest first.
///
/// # Errors
/// If there is none, or a checkpoint is not signed with one of these keys.
pub fn open(root: &Path, keys: &[Verifier]) -> Result<Vec<SignedLog>, ReadError> {
    let folders = find(root)?;
    folders
        .into_iter()
        .map(|folder| SignedLog::open(folder, keys))
        .collect()
}

impl SignedLog {
    fn open(folder: Folder, keys: &[Verifier]) -> Result<Self, ReadError> {
        let mut name = folder.name.clone().unwrap_or_else(|| "log".to_owned());
        let refused = |log: &str, what: String| ReadError::Refused {
            log: log.to_owned(),
            what,
        };
        let bytes = folder.file("checkpoint")?;
        let bytes = bytes.ok_or_else(|| refused(&name, "its checkpoint is missing".to_owned()))?;
        let newest = signed::open(&bytes, keys).map_err(|what| refused(&name, what))?;
        if let Some(fault) = newest.fault {
            return Err(refused(&name, fault));
        }
        let checkpoint = newest.checkpoint;
        let last_part = checkpoint.origin.rsplit('/').next().unwrap_or_default();
        if folder.name.is_none() {
            name = last_part.to_owned();
        } else if name != last_part {
            let what = format!("its checkpoint is of another log, {}", checkpoint.origin);
            return Err(refused(&name, what));
        }
        let size = checkpoint.size;
        let content = match &folder.part {
            _ if !folder.has_entries() => 0..0,
            Some(part) => part.start.min(size)..part.end.min(size),
            None => 0..size,
        };
        Ok(Self {
            name,
            checkpoint,
            content,
            signed: String::from_utf8_lossy(&bytes).into_owned(),
            folder,
            tiles: HashMap::new(),
        })
    }

    /// The numbers of the bundles of 256 entries that are there.
    #[must_use]
    pub fn bundles(&self) -> Range<u64> {
        match self.content.is_empty() {
            true => 0..0,
            false => self.content.start / WIDTH..self.content.end.div_ceil(WIDTH),
        }
    }

    /// The entries of a bundle, as many as were signed. They are not compared with the hashes yet:
    /// see [`prove`](Self::prove).
    ///
    /// # Errors
    /// If the bundle is missing, or has another number of entries than it must.
    pub fn bundle(&self, index: u64) -> Result<Vec<u8>, ReadError> {
        // At most 256, so the cast keeps it.
        let width = WIDTH.min(self.checkpoint.size.saturating_sub(index * WIDTH)) as u16;
        let tile = Tile::Entries { index, width };
        let (mut bytes, named) = match self.folder.tile(tile)? {
            Found::Bytes { bytes, width } => (bytes, width),
            Found::Missing => return Err(self.refused(format!("{} is missing", tile.path()))),
        };
        let (mut number, mut end, mut length) = (0_u16, 0, 0);
        for entry in entries(&bytes) {
            let entry = entry.map_err(|error| self.refused(format!("{}: {error}", tile.path())))?;
            number = number.saturating_add(1);
            length += 2 + entry.len();
            if number <= width {
                end = length;
            }
        }
        if number != named {
            let what = format!("{} holds {number} entries instead of {named}", tile.path());
            return Err(self.refused(what));
        }
        bytes.truncate(end);
        Ok(bytes)
    }

    /// The proof that this is the entry at this index of the signed log; checked.
    ///
    /// # Errors
    /// If it is not, or the hashes to show it are not there.
    pub fn prove(&mut self, index: u64, entry: &[u8]) -> Result<TlogProof, ReadError> {
        let leaf = leaf_hash(entry);
        if self.subtree(0, index)? != leaf {
            let what = format!("its entry {index} is not the one that the hash tile was made of");
            return Err(self.refused(what));
        }
        let Checkpoint { size, root, .. } = self.checkpoint;
        let hashes = inclusion_proof(index, size, &mut |level, place| self.subtree(level, place))?;
        check_inclusion(&leaf, index, size, &hashes, &root).map_err(|error| {
            let what = format!("its hashes do not lead from the entry {index} to what was signed");
            self.refused(format!("{what}: {error}"))
        })?;
        Ok(TlogProof {
            extra: None,
            index,
            hashes,
            checkpoint: self.signed.clone(),
        })
    }

    /// The index of the segment of 65,536 entries with this number; nothing where there is none,
    /// or none that can be read.
    #[must_use]
    pub fn segment(&self, number: u64) -> Option<Segment<Source>> {
        let path = self.folder.path.join("index").join(index_path(number));
        let file = std::fs::File::open(path).ok()?;
        let segment = Segment::open(Source::File(file)).ok()?;
        (u64::from(segment.header().entries) == SEGMENT).then_some(segment)
    }

    /// The hash of a full subtree of `2^level` leaves.
    fn subtree(&mut self, level: u8, index: u64) -> Result<Hash, ReadError> {
        let (level, index, range) = place_of(level, index);
        if self.tiles.get(&level).is_none_or(|(at, _)| *at != index) {
            let tile = self.tile(level, index)?;
            self.tiles.insert(level, (index, tile));
        }
        let tile = self.tiles.get(&level).map(|(_, tile)| tile.as_slice());
        let part = tile.and_then(|tile| tile.get(range));
        part.map(root_of)
            .ok_or_else(|| self.refused(format!("its tile {index} of level {level} is too short")))
    }

    fn tile(&self, level: u8, index: u64) -> Result<Vec<Hash>, ReadError> {
        let (full, width) = extent(level, self.checkpoint.size);
        let width = if index < full { WIDTH as u16 } else { width };
        let tile = Tile::Hashes {
            level,
            index,
            width,
        };
        let bytes = match self.folder.tile(tile)? {
            Found::Bytes { bytes, .. } => bytes,
            Found::Missing => return Err(self.refused(format!("{} is missing", tile.path()))),
        };
        hashes(&bytes).ok_or_else(|| self.refused(format!("{} is not a tile", tile.path())))
    }

    fn refused(&self, what: String) -> ReadError {
        ReadError::Refused {
            log: self.name.clone(),
            what,
        }
    }
}
