//! A folder of this machine, or one that several machines share.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::StorageError;

/// Files on their way lie here until they are whole; it is on the same disk as the rest.
const UNFINISHED: &str = "unfinished";

/// What lies among the unfinished files for so long was left behind by a process that is gone.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// Up to so many files are synced one by one; more, by syncing the whole disk once.
#[cfg(target_os = "linux")]
const SYNC_ONE_BY_ONE: usize = 16;

/// A folder as storage.
#[derive(Debug, Clone)]
pub struct Folder {
    root: Arc<PathBuf>,
}

impl Folder {
    /// Opens the folder, making it where it is missing.
    ///
    /// # Errors
    /// [`StorageError`] when it cannot be made or written.
    pub fn open(root: PathBuf) -> Result<Self, StorageError> {
        let unfinished = root.join(UNFINISHED);
        make_folders(&unfinished).map_err(|error| cannot("write", &unfinished, &error))?;
        let folder = Self {
            root: Arc::new(root),
        };
        // Only to tidy up: what cannot be removed does no harm.
        let _ = folder.forget_left_behind();
        Ok(folder)
    }

    pub(super) fn place(&self) -> String {
        self.root.display().to_string()
    }

    pub(super) async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.run("read", path, |file| found(fs::read(file))).await
    }

    pub(super) async fn get_all(
        &self,
        paths: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let root = self.root.clone();
        let first = paths.first().cloned().unwrap_or_default();
        self.run("read", &first, move |_| {
            let read = |path: &String| {
                found(fs::read(root.join(path)))
                    .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
            };
            paths.iter().map(read).collect()
        })
        .await
    }

    pub(super) async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        self.run("read", path, move |file| {
            let Some(mut file) = found(File::open(file))? else {
                return Ok(None);
            };
            file.seek(SeekFrom::Start(range.start))?;
            let length = range.end.saturating_sub(range.start);
            let mut bytes = Vec::new();
            file.take(length).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        })
        .await
    }

    pub(super) async fn open_file(&self, path: &str) -> Result<Option<File>, StorageError> {
        self.run("read", path, |file| found(File::open(file))).await
    }

    pub(super) async fn exists(&self, path: &str) -> Result<bool, StorageError> {
        self.run("read", path, |file| file.try_exists()).await
    }

    pub(super) async fn create(&self, path: &str, bytes: Vec<u8>) -> Result<bool, StorageError> {
        let root = self.root.clone();
        self.run("write", path, move |file| {
            let folder = make_parent(&root, file)?;
            let part = write_unfinished(&root, &bytes)?;
            part.file.sync_all()?;
            // A link, because it fails where a name is taken, on every kind of disk.
            match fs::hard_link(&part.path, file) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                other => other?,
            }
            sync_folder(&folder)?;
            Ok(true)
        })
        .await
    }

    pub(super) async fn put(&self, objects: Vec<(String, Bytes)>) -> Result<(), StorageError> {
        let root = self.root.clone();
        let first = objects.first().map(|(path, _)| path.clone());
        self.run("write", &first.unwrap_or_default(), move |_| {
            put_all(&root, &objects)
        })
        .await
    }

    pub(super) async fn settle(&self, path: &str) -> Result<(), StorageError> {
        self.run("write", path, |file| {
            File::open(file)?.sync_all()?;
            file.parent().map_or(Ok(()), sync_folder)
        })
        .await
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<String>, StorageError> {
        self.run("list", folder, |path| {
            let Some(rows) = found(fs::read_dir(path))? else {
                return Ok(Vec::new());
            };
            let mut names = Vec::new();
            for row in rows {
                names.extend(row?.file_name().into_string().ok());
            }
            Ok(names)
        })
        .await
    }

    pub(super) async fn remove(&self, paths: Vec<String>) -> Result<(), StorageError> {
        let root = self.root.clone();
        let first = paths.first().cloned().unwrap_or_default();
        self.run("remove", &first, move |_| {
            paths
                .iter()
                .try_for_each(|path| found(fs::remove_file(root.join(path))).map(drop))
        })
        .await
    }

    pub(super) async fn remove_all(&self, folder: &str) -> Result<(), StorageError> {
        self.run("remove", folder, |path| {
            found(fs::remove_dir_all(path)).map(drop)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        path: &str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let place = self.root.join(path);
        tokio::task::spawn_blocking(move || {
            work(&place).map_err(|error| cannot(what, &place, &error))
        })
        .await
        .unwrap_or_else(|_| {
            Err(StorageError {
                what,
                place: self.place(),
                why: "the work was broken off".to_owned(),
            })
        })
    }

    fn forget_left_behind(&self) -> io::Result<()> {
        for row in fs::read_dir(self.root.join(UNFINISHED))? {
            let row = row?;
            let age = SystemTime::now().duration_since(row.metadata()?.modified()?);
            if age.is_ok_and(|age| age > LEFT_BEHIND) {
                fs::remove_file(row.path())?;
            }
        }
        Ok(())
    }
}

fn cannot(what: &'static str, place: &Path, error: &io::Error) -> StorageError {
    StorageError {
        what,
        place: place.display().to_string(),
        why: error.to_string(),
    }
}

/// What is not there is no failure.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file that is removed unless it was given its name.
struct Unfinished {
    path: PathBuf,
    file: File,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn write_unfinished(root: &Path, bytes: &[u8]) -> io::Result<Unfinished> {
    let name = HEXLOWER.encode(&crate::privacy::random::<16>());
    let path = root.join(UNFINISHED).join(name);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    let mut part = Unfinished { path, file };
    part.file.write_all(bytes)?;
    Ok(part)
}

/// Entries are for those who may read the audit, so the folders are their owner's alone.
fn make_folders(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes the folder of a file, and those above it, so that they last.
fn make_parent(root: &Path, file: &Path) -> io::Result<PathBuf> {
    let folder = file.parent().unwrap_or(root);
    if !folder.is_dir() {
        make_folders(folder)?;
        let mut above = folder.parent();
        while let Some(one) = above.filter(|one| one.starts_with(root)) {
            sync_folder(one)?;
            above = one.parent();
        }
    }
    Ok(folder.to_owned())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes everything beside its place, syncs it, and only then gives it its name: a reader and a
/// power cut find each object whole or as it was.
fn put_all(root: &Path, objects: &[(String, Bytes)]) -> io::Result<()> {
    // Opened first, so that syncing it tells of every failure from here on.
    let disk = File::open(root)?;
    let mut parts = Vec::with_capacity(objects.len());
    for (path, bytes) in objects {
        parts.push((root.join(path), write_unfinished(root, bytes)?));
    }
    sync_files(&disk, parts.iter().map(|(_, part)| &part.file))?;
    let mut folders = BTreeSet::new();
    for (file, part) in &parts {
        let folder = make_parent(root, file)?;
        match fs::rename(&part.path, file) {
            // Another process has just removed the folder of partial tiles that are full by now.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make_parent(root, file)?;
                fs::rename(&part.path, file)?;
            }
            other => other?,
        }
        folders.insert(folder);
    }
    for folder in folders {
        found(sync_folder(&folder))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn sync_files<'a>(disk: &File, files: impl ExactSizeIterator<Item = &'a File>) -> io::Result<()> {
    if files.len() > SYNC_ONE_BY_ONE {
        // Since Linux 5.8 this also tells of data that could not be written.
        return Ok(rustix::fs::syncfs(disk)?);
    }
    files.into_iter().try_for_each(File::sync_all)
}

#[cfg(not(target_os = "linux"))]
fn sync_files<'a>(_disk: &File, files: impl ExactSizeIterator<Item = &'a File>) -> io::Result<()> {
    files.into_iter().try_for_each(File::sync_all)
}
