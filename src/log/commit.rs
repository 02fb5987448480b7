//! The commit: which batches of the tails became which leaves, decided once.
//!
//! Two processes that seal at once both try to create the commit that follows the newest; creating
//! succeeds once. From then on its batches are in the log, in its order: whoever finds it can write
//! the same tiles from it, so a crash after it neither loses nor repeats an entry. It holds the
//! batches themselves, and stays until later ones are there.
//!
//! The object is a line with the SHA-256 of what follows, a line of JSON, and the packed batches.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Hash, LogName};
use crate::domain::Entry;
use crate::store::{Position, TailBatch};

/// The folder of the commits.
pub(super) const FOLDER: &str = "commit";

/// How many bytes of a commit hold its head at most.
pub(super) const HEAD_BYTES: u64 = 64 << 10;

const VERSION: u8 = 1;

/// How far the logs have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub(super) version: u8,
    /// Counts the commits from 1.
    pub sequence: u64,
    /// The store whose entries these are.
    pub store: String,
    /// The log that is written.
    pub log: LogName,
    /// Its origin.
    pub origin: String,
    /// Its size before this commit.
    pub from: u64,
    /// Its size.
    pub size: u64,
    /// Its root, in base64.
    #[serde(with = "base64")]
    pub root: Hash,
    /// The logs that are written no more, oldest first.
    pub closed: Vec<Closed>,
    /// For each tail, the last batch that is sealed.
    pub cursors: Vec<Option<Cursor>>,
}

/// A log that is written no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Its name.
    pub log: LogName,
    /// Its origin.
    pub origin: String,
    /// Its final size.
    pub size: u64,
    /// Its final root.
    #[serde(with = "base64")]
    pub root: Hash,
}

/// A batch of a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Where it lies.
    #[serde(with = "text")]
    pub position: Position,
    /// [`TailBatch::digest`].
    #[serde(with = "hex")]
    pub digest: [u8; 32],
}

impl Cursor {
    /// The cursor that stands on `batch`.
    #[must_use]
    pub fn on(batch: &TailBatch) -> Self {
        Self {
            position: batch.position,
            digest: batch.digest(),
        }
    }

    /// Whether `batch` is the one that the cursor stands on.
    #[must_use]
    pub fn is_on(&self, batch: &TailBatch) -> bool {
        *self == Self::on(batch)
    }
}

/// A position as a text.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::store::Position;

    pub(super) fn serialize<S: Serializer>(position: &Position, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(position)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Position, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map_err(|()| D::Error::custom("not a position"))
    }
}

/// Bytes as hexadecimal digits.
mod hex {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(D::Error::custom)?;
        <[u8; 32]>::try_from(bytes).map_err(|_| D::Error::custom("not 32 bytes"))
    }
}

/// A hash as a text.
mod base64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::log::Hash;

    pub(super) fn serialize<S: Serializer>(hash: &Hash, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(hash)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(from)?;
        Hash::parse(&text).ok_or_else(|| D::Error::custom("not a hash"))
    }
}

/// A commit object that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a commit of the log cannot be read")]
pub struct Unreadable;

impl Head {
    /// The first head of a log that nothing was sealed in yet.
    #[must_use]
    pub fn first(store: String, log: LogName, origin: String, tails: u16) -> Self {
        Self {
            version: VERSION,
            sequence: 0,
            store,
            log,
            origin,
            from: 0,
            size: 0,
            root: super::empty_root(),
            closed: Vec::new(),
            cursors: vec![None; usize::from(tails)],
        }
    }

    /// Where the commit of this head lies.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.sequence)
    }

    /// Every log with its size and root, oldest first.
    #[must_use]
    pub fn logs(&self) -> Vec<Closed> {
        let mut logs = self.closed.clone();
        logs.push(Closed {
            log: self.log,
            origin: self.origin.clone(),
            size: self.size,
            root: self.root,
        });
        logs
    }

    /// Reads the head from a commit's first bytes.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (_, rest) = line(bytes)?;
        let (json, _) = line(rest)?;
        let head: Self = serde_json::from_slice(json).map_err(|_| Unreadable)?;
        (head.version == VERSION).then_some(head).ok_or(Unreadable)
    }
}

pub(super) fn path(sequence: u64) -> String {
    format!("{FOLDER}/{sequence:020}")
}

/// A commit as it lies in the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub head: Head,
    /// The batches that became leaves, in their order.
    pub batches: Vec<TailBatch>,
}

impl Commit {
    pub(super) fn write(&self) -> Vec<u8> {
        // Neither can fail: plain structs, into memory. An empty part would be refused by `read`.
        let mut body = serde_json::to_vec(&self.head).unwrap_or_default();
        body.push(b'\n');
        body.extend(postcard::to_allocvec(&self.batches).unwrap_or_default());
        let mut out = HEXLOWER.encode(&Sha256::digest(&body)).into_bytes();
        out.push(b'\n');
        out.extend(body);
        out
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let head = Head::read(bytes)?;
        let (checksum, body) = line(bytes)?;
        if HEXLOWER.encode(&Sha256::digest(body)).as_bytes() != checksum {
            return Err(Unreadable);
        }
        let (_, packed) = line(body)?;
        let batches = postcard::from_bytes(packed).map_err(|_| Unreadable)?;
        Ok(Self { head, batches })
    }

    /// The entries that became leaves, in their order.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, Unreadable> {
        let mut entries = Vec::new();
        for batch in &self.batches {
            entries.extend(batch.entries().map_err(|_| Unreadable)?);
        }
        Ok(entries)
    }
}

fn line(bytes: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let end = memchr::memchr(b'\n', bytes).ok_or(Unreadable)?;
    Ok((&bytes[..end], &bytes[end + 1..]))
}
