//! Reading the log where it lies.

mod segments;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

pub use segments::SEGMENT;

use super::commit::{self, Head};
use super::merkle::root_of;
use super::proof::inclusion_proof;
use super::storage::Storage;
use super::tile::{Tile, WIDTH, entries, extent, place_of};
use super::{Checkpoint, Hash, LogError, LogName, Note, NoteError, Signature};
use crate::domain::Moment;

/// The object that says that retention has dropped the entries of a log.
pub const DROPPED: &str = "dropped";

/// When the earliest and the latest entry of a segment were written.
type Spans = HashMap<(LogName, u64), (Moment, Moment)>;

/// How often a reader looks again when the log outruns it.
const HURRIES: usize = 8;

/// The log as readers see it.
#[derive(Debug, Clone)]
pub struct Archive {
    storage: Storage,
    spans: Arc<Mutex<Spans>>,
}

impl Archive {
    /// The log in a storage.
    #[must_use]
    pub fn new(storage: Storage) -> Self {
        Self {
            storage,
            spans: Arc::default(),
        }
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        // What it holds is right also when somebody who held it panicked.
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it lies.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// How far the logs have come that can be read: up to the newest commit whose checkpoint is
    /// published. While a commit is being written out, its entries still lie in the store's tails.
    /// Nothing before the first entry was sealed.
    ///
    /// What the newest commit seals counts once its checkpoint is published: its tiles may not be
    /// there before that. Nobody makes the next commit before it is.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn head(&self) -> Result<Option<Head>, LogError> {
        // A commit that is listed can be gone when it is read only if many others were made in
        // between.
        for _ in 0..HURRIES {
            let mut kept = self.commits().await?;
            let Some(newest) = kept.pop() else {
                return Ok(None);
            };
            let Some(head) = self.head_of(newest).await? else {
                continue;
            };
            if self.is_published(&head).await? {
                return Ok(Some(head));
            }
            match kept.pop() {
                Some(before) if before + 1 == newest => {
                    if let Some(head) = self.head_of(before).await? {
                        return Ok(Some(head));
                    }
                }
                _ if newest == 1 => return Ok(None),
                _ => return Err(damaged("the commit before its newest is gone")),
            }
        }
        Err(damaged("its newest commit is gone"))
    }

    /// The newest commit's head, whether or not what it seals can be read yet.
    pub(super) async fn newest(&self) -> Result<Option<Head>, LogError> {
        for _ in 0..HURRIES {
            let Some(newest) = self.commits().await?.pop() else {
                return Ok(None);
            };
            if let Some(head) = self.head_of(newest).await? {
                return Ok(Some(head));
            }
        }
        Err(damaged("its newest commit is gone"))
    }

    async fn head_of(&self, sequence: u64) -> Result<Option<Head>, LogError> {
        let path = commit::path(sequence);
        let bytes = self.storage.get_range(&path, 0..commit::HEAD_BYTES).await?;
        let head = bytes.as_deref().map(Head::read).transpose();
        head.map_err(|error| damaged(&error.to_string()))
    }

    async fn is_published(&self, head: &Head) -> Result<bool, LogError> {
        let published = self.published(head.log).await?;
        Ok(published.is_some_and(|published| published.size >= head.size))
    }

    /// The newest published checkpoint of a log. Its signature is not looked at: it is our own.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn published(&self, log: LogName) -> Result<Option<Checkpoint>, LogError> {
        let Some(signed) = self.checkpoint(log).await? else {
            return Ok(None);
        };
        let unreadable = |error: &dyn Display| damaged(&format!("its checkpoint: {error}"));
        let note = Note::parse(&signed).map_err(|error| unreadable(&error))?;
        let checkpoint = Checkpoint::parse(&note.text).map_err(|error| unreadable(&error))?;
        Ok(Some(checkpoint))
    }

    /// The sequence numbers of the commits that are kept, in order.
    pub(super) async fn commits(&self) -> Result<Vec<u64>, LogError> {
        let names = self.storage.list(commit::FOLDER).await?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The newest published checkpoint of a log, as it was signed.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn checkpoint(&self, log: LogName) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.storage.get(&format!("{log}/checkpoint")).await?)
    }

    /// An older checkpoint that is kept, with the co-signatures of witnesses that were kept for it.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn kept_checkpoint(
        &self,
        log: LogName,
        size: u64,
    ) -> Result<Option<Vec<u8>>, LogError> {
        let Some(signed) = self.storage.get(&kept(log, size)).await? else {
            return Ok(None);
        };
        let folder = cosignatures(log, size);
        let mut names = self.storage.list(&folder).await?;
        if names.is_empty() {
            return Ok(Some(signed));
        }
        names.sort_unstable();
        let paths = names.iter().map(|name| format!("{folder}/{name}"));
        let lines = self.storage.get_all(paths.collect()).await?;
        let unreadable = |error: NoteError| damaged(&format!("a kept checkpoint: {error}"));
        let mut note = Note::parse(&signed).map_err(unreadable)?;
        for line in lines.into_iter().flatten() {
            match note.add(&String::from_utf8_lossy(&line)) {
                // Whoever posted found room for it, but so did others at the same moment.
                Err(NoteError::TooManySignatures | NoteError::TooLong) => break,
                other => other.map_err(unreadable)?,
            }
        }
        Ok(Some(note.to_string().into_bytes()))
    }

    /// Keeps the co-signature of a witness on a checkpoint that is kept. Each is an object of its
    /// own that nothing replaces, so whoever keeps another at the same moment, in whichever process,
    /// takes none away.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn keep_cosignature(
        &self,
        log: LogName,
        size: u64,
        signature: &Signature,
    ) -> Result<(), LogError> {
        let line = signature.to_string();
        let name = HEXLOWER.encode(&Sha256::digest(&line)[..16]);
        let path = format!("{}/{name}", cosignatures(log, size));
        self.storage.create(&path, line.into_bytes()).await?;
        Ok(self.storage.settle(&path).await?)
    }

    /// The sizes of the older checkpoints that are kept, in order.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn kept_checkpoints(&self, log: LogName) -> Result<Vec<u64>, LogError> {
        let names = self.storage.list(&format!("{log}/checkpoints")).await?;
        let mut sizes: Vec<u64> = names
            .iter()
            .filter_map(|name| super::decimal(name))
            .collect();
        sizes.sort_unstable();
        Ok(sizes)
    }

    /// Keeps a checkpoint for good, unless it is kept already.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn keep_checkpoint(
        &self,
        log: LogName,
        size: u64,
        signed: String,
    ) -> Result<(), LogError> {
        let path = kept(log, size);
        self.storage.create(&path, signed.into_bytes()).await?;
        Ok(self.storage.settle(&path).await?)
    }

    /// A tile or a bundle. A partial one that is gone is cut from the full one.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn tile(&self, log: LogName, tile: Tile) -> Result<Option<Vec<u8>>, LogError> {
        let path = format!("{log}/{}", tile.path());
        if let Some(bytes) = self.storage.get(&path).await? {
            return Ok(Some(bytes));
        }
        let (full, width) = match tile {
            Tile::Hashes {
                level,
                index,
                width,
            } => (
                Tile::Hashes {
                    level,
                    index,
                    width: 256,
                },
                width,
            ),
            Tile::Entries { index, width } => (Tile::Entries { index, width: 256 }, width),
        };
        if full == tile {
            return Ok(None);
        }
        let Some(mut bytes) = self.storage.get(&format!("{log}/{}", full.path())).await? else {
            return Ok(None);
        };
        let length = match tile {
            Tile::Hashes { .. } => 32 * usize::from(width),
            Tile::Entries { .. } => {
                let mut length = 0;
                for entry in entries(&bytes).take(usize::from(width)) {
                    let entry = entry.map_err(|error| damaged(&error.to_string()))?;
                    length += 2 + entry.len();
                }
                length
            }
        };
        bytes.truncate(length);
        Ok(Some(bytes))
    }

    /// Many of them, in order, as [`Archive::tile`] gives each.
    ///
    /// # Errors
    /// [`LogError`].
    pub(super) async fn tiles(
        &self,
        log: LogName,
        tiles: Vec<Tile>,
    ) -> Result<Vec<Option<Vec<u8>>>, LogError> {
        let path = |tile: &Tile| format!("{log}/{}", tile.path());
        let mut found = self
            .storage
            .get_all(tiles.iter().map(path).collect())
            .await?;
        for (found, tile) in found.iter_mut().zip(tiles) {
            if found.is_none() {
                *found = self.tile(log, tile).await?;
            }
        }
        Ok(found)
    }

    /// The bundle of a log of `size` that begins with entry `256 * index`.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when it is not there.
    pub async fn bundle(&self, log: LogName, index: u64, size: u64) -> Result<Vec<u8>, LogError> {
        let tile = bundle_of(index, size);
        self.tile(log, tile)
            .await?
            .ok_or_else(|| damaged(&format!("{log}/{} is missing", tile.path())))
    }

    /// The same, or nothing where retention has dropped the entries of the log.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when it is not there, but others of the log are.
    pub async fn bundle_unless_dropped(
        &self,
        log: LogName,
        index: u64,
        size: u64,
    ) -> Result<Option<Vec<u8>>, LogError> {
        if let Some(bundle) = self.tile(log, bundle_of(index, size)).await? {
            return Ok(Some(bundle));
        }
        if self.is_dropped(log).await? {
            return Ok(None);
        }
        self.bundle(log, index, size).await.map(Some)
    }

    /// Whether retention has dropped the entries of a log.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn is_dropped(&self, log: LogName) -> Result<bool, LogError> {
        Ok(self.storage.exists(&format!("{log}/{DROPPED}")).await?)
    }

    /// An entry by its index.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn entry(&self, log: LogName, index: u64, size: u64) -> Result<Vec<u8>, LogError> {
        let bundle = self.bundle(log, index / WIDTH, size).await?;
        let place = (index % WIDTH) as usize;
        match entries(&bundle).nth(place) {
            Some(Ok(entry)) => Ok(entry.to_vec()),
            _ => Err(damaged(&format!("{log} has no entry {index}"))),
        }
    }

    /// Drops the entries of a log that is written no more. First it is said that they are, so
    /// that a reader who comes meanwhile takes none of them for missing.
    ///
    /// # Errors
    /// [`LogError`]; dropping again finishes what broke off.
    pub async fn drop_entries(&self, log: LogName) -> Result<(), LogError> {
        self.storage
            .create(&format!("{log}/{DROPPED}"), Vec::new())
            .await?;
        self.storage
            .remove_all(&format!("{log}/tile/entries"))
            .await?;
        self.storage.remove_all(&format!("{log}/index")).await?;
        Ok(())
    }

    /// The inclusion proof of an entry in the tree of `size` leaves.
    ///
    /// # Errors
    /// [`LogError`].
    pub async fn inclusion(
        &self,
        log: LogName,
        index: u64,
        size: u64,
    ) -> Result<Vec<Hash>, LogError> {
        // Once to hear which subtrees it takes, and once more with their hashes at hand.
        let mut wanted = Vec::new();
        let asked: Result<_, std::convert::Infallible> =
            inclusion_proof(index, size, &mut |level, index| {
                wanted.push((level, index));
                Ok(super::empty_root())
            });
        let Ok(_) = asked;
        let mut hashes = HashMap::new();
        for (level, index) in wanted {
            hashes.insert((level, index), self.subtree(log, level, index, size).await?);
        }
        inclusion_proof(index, size, &mut |level, index| {
            let hash = hashes.get(&(level, index)).copied();
            hash.ok_or_else(|| damaged("a proof needs another hash than it asked for"))
        })
    }

    /// The hash of a full subtree of `2^level` leaves in a log of `size`.
    async fn subtree(
        &self,
        log: LogName,
        level: u8,
        index: u64,
        size: u64,
    ) -> Result<Hash, LogError> {
        let (level, index, range) = place_of(level, index);
        let (full, width) = extent(level, size);
        let width = if index < full { 256 } else { width };
        let tile = Tile::Hashes {
            level,
            index,
            width,
        };
        let missing = || damaged(&format!("{log}/{} is missing or short", tile.path()));
        let bytes = self.tile(log, tile).await?.ok_or_else(missing)?;
        let (hashes, _) = bytes.as_chunks::<32>();
        let hashes: Vec<Hash> = hashes.iter().copied().map(Hash).collect();
        let part = hashes.get(range).ok_or_else(missing)?;
        Ok(root_of(part))
    }
}

fn kept(log: LogName, size: u64) -> String {
    format!("{log}/checkpoints/{size}")
}

fn cosignatures(log: LogName, size: u64) -> String {
    format!("{log}/cosignatures/{size}")
}

fn bundle_of(index: u64, size: u64) -> Tile {
    let (full, width) = extent(0, size);
    let width = if index < full { 256 } else { width };
    Tile::Entries { index, width }
}

pub(in crate::log) fn damaged(what: &str) -> LogError {
    LogError::Damaged(what.to_owned())
}
