//! Where the log lies: a folder of this machine, or a bucket that speaks S3.
//!
//! The contract is what both can do. An object is whole or not there; what was written is durable
//! when the call returns; an object that must not be replaced is created, and creating it a second
//! time fails. Nothing needs a conditional update.

#[cfg(feature = "s3")]
mod bucket;
mod folder;

use std::ops::Range;

use bytes::Bytes;

#[cfg(feature = "s3")]
pub use bucket::{Bucket, BucketOptions};
pub use folder::Folder;

/// Why the log's storage did not do as it was asked. Nothing that was sealed is lost.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {what} {place}: {why}")]
pub struct StorageError {
    /// `open`, `use`, `read`, `write`, `list` or `remove`.
    pub what: &'static str,
    /// The object, as an operator finds it.
    pub place: String,
    /// What the system says.
    pub why: String,
}

/// An object that is open.
#[derive(Debug)]
pub enum Source {
    /// A file, of which only parts are read.
    File(std::fs::File),
    /// All of it.
    Memory(Vec<u8>),
}

/// An open storage.
#[derive(Debug, Clone)]
pub enum Storage {
    /// A folder.
    Folder(Folder),
    /// A bucket.
    #[cfg(feature = "s3")]
    Bucket(Bucket),
}

macro_rules! on_storage {
    ($self:ident, $storage:ident => $call:expr) => {
        match $self {
            Storage::Folder($storage) => $call,
            #[cfg(feature = "s3")]
            Storage::Bucket($storage) => $call,
        }
    };
}

impl Storage {
    /// An object's bytes; nothing if it is not there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        on_storage!(self, storage => storage.get(path).await)
    }

    /// The bytes of many objects, in order; nothing in the place of one that is not there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn get_all(&self, paths: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        on_storage!(self, storage => storage.get_all(paths).await)
    }

    /// A part of an object's bytes, shorter where the object ends; nothing if it is not there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        on_storage!(self, storage => storage.get_range(path, range).await)
    }

    /// Opens an object for reading parts of it; nothing if it is not there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn open(&self, path: &str) -> Result<Option<Source>, StorageError> {
        match self {
            Self::Folder(folder) => Ok(folder.open_file(path).await?.map(Source::File)),
            #[cfg(feature = "s3")]
            Self::Bucket(bucket) => Ok(bucket.get(path).await?.map(Source::Memory)),
        }
    }

    /// Whether an object is there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn exists(&self, path: &str) -> Result<bool, StorageError> {
        on_storage!(self, storage => storage.exists(path).await)
    }

    /// Creates an object; `false` if there is one already, which then stays as it is.
    ///
    /// # Errors
    /// [`StorageError`]; the object may have been created all the same.
    pub async fn create(&self, path: &str, bytes: Vec<u8>) -> Result<bool, StorageError> {
        on_storage!(self, storage => storage.create(path, bytes).await)
    }

    /// Puts objects, each of them whole, replacing what was there.
    ///
    /// # Errors
    /// [`StorageError`]; some may have been put.
    pub async fn put(&self, objects: Vec<(String, Bytes)>) -> Result<(), StorageError> {
        if objects.is_empty() {
            return Ok(());
        }
        on_storage!(self, storage => storage.put(objects).await)
    }

    /// Makes sure that an object lasts whose writing may have been broken off after it appeared.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn settle(&self, path: &str) -> Result<(), StorageError> {
        on_storage!(self, storage => storage.settle(path).await)
    }

    /// The names of the objects and folders directly in a folder, in no particular order; none if
    /// there is no such folder.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, StorageError> {
        on_storage!(self, storage => storage.list(folder).await)
    }

    /// Removes objects; those that are not there are none the worse.
    ///
    /// # Errors
    /// [`StorageError`]; some may have been removed.
    pub async fn remove(&self, paths: Vec<String>) -> Result<(), StorageError> {
        if paths.is_empty() {
            return Ok(());
        }
        on_storage!(self, storage => storage.remove(paths).await)
    }

    /// Removes a folder with all that lies in it.
    ///
    /// # Errors
    /// [`StorageError`]; some of it may have been removed.
    pub async fn remove_all(&self, folder: &str) -> Result<(), StorageError> {
        on_storage!(self, storage => storage.remove_all(folder).await)
    }

    /// How an operator finds it.
    #[must_use]
    pub fn place(&self) -> String {
        on_storage!(self, storage => storage.place())
    }
}
