//! Where the files of a log lie, and reading them while the log may be growing.
//!
//! C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>), section "Partial Tiles": a partial tile may go
//! once the full one is there, which then begins with what the partial one held.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::VerifyError;
use crate::log::tile::{Tile, WIDTH};
use crate::log::{MAX_SIZE, Verifier, bundle::Manifest};

/// The longest file that a log has: a bundle of 256 entries of 65,535 bytes, each with its length.
const LONGEST: u64 = WIDTH * (65_535 + 2);

/// The folder of one log.
#[derive(Debug, Clone)]
pub(in crate::log) struct Folder {
    /// Its name, which is the last part of the log's origin; none if the log was given by itself.
    pub(in crate::log) name: Option<String>,
    pub(in crate::log) path: PathBuf,
    /// The entries that the bundle has, if its manifest says that these are not all.
    pub(in crate::log) part: Option<Range<u64>>,
}

/// What a tile's place holds.
pub(in crate::log) enum Found {
    /// These bytes, of a file that is named for at least the width that was asked for.
    Bytes {
        /// What the file holds.
        bytes: Vec<u8>,
        /// The width that its name says.
        width: u16,
    },
    /// Neither the partial nor the full one.
    Missing,
}

/// The folders of logs below this one, by name; or this one, if it is a log's own.
pub(in crate::log) fn find(root: &Path) -> Result<Vec<Folder>, VerifyError> {
    if is_log(root) {
        return Ok(vec![Folder {
            name: None,
            path: root.to_owned(),
            part: None,
        }]);
    }
    let parts = manifest(root)?.entries;
    if parts.values().any(|part| part.from > part.to) {
        return Err(VerifyError::Manifest(root.join("manifest.json")));
    }
    let mut folders = Vec::new();
    for item in fs::read_dir(root).map_err(|error| cannot(root, error))? {
        let path = item.map_err(|error| cannot(root, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if is_log(&path) {
            folders.push(Folder {
                name: Some(name.to_owned()),
                part: parts.get(name).map(|part| part.from..part.to),
                path,
            });
        }
    }
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    match folders.is_empty() {
        true => Err(VerifyError::NoLog(root.to_owned())),
        false => Ok(folders),
    }
}

fn is_log(folder: &Path) -> bool {
    ["checkpoint", "checkpoints", "tile"]
        .iter()
        .any(|part| folder.join(part).exists())
}

fn manifest(root: &Path) -> Result<Manifest, VerifyError> {
    let path = root.join("manifest.json");
    match read(&path)? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| VerifyError::Manifest(path)),
        None => Ok(Manifest::default()),
    }
}

/// The keys that the file `vkeys` of a folder of logs names; of the folder above, if this one is a
/// log's own. Lines that are not keys are left out: they can verify nothing.
///
/// These keys show that a folder agrees with itself, not who wrote it.
///
/// # Errors
/// If the file is there and cannot be read.
pub fn keys_in(root: &Path) -> Result<Vec<Verifier>, VerifyError> {
    let bytes = match (read(&root.join("vkeys"))?, is_log(root)) {
        (Some(bytes), _) => bytes,
        (None, true) => read(&root.join("..").join("vkeys"))?.unwrap_or_default(),
        (None, false) => Vec::new(),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(text
        .lines()
        .filter_map(|line| Verifier::parse(line).ok())
        .collect())
}

impl Folder {
    /// A file that is not a tile; nothing if it is not there.
    pub(in crate::log) fn file(&self, name: &str) -> Result<Option<Vec<u8>>, VerifyError> {
        read(&self.path.join(name))
    }

    /// Whether the log's entries are there at all: they go when the time has passed for which they
    /// are kept.
    pub(in crate::log) fn has_entries(&self) -> bool {
        self.path.join("tile/entries").exists()
    }

    /// The older checkpoints that were kept, by the number that each file is named with, smallest
    /// first; other files do not count.
    pub(in crate::log) fn kept(&self) -> Result<BTreeMap<u64, String>, VerifyError> {
        let folder = self.path.join("checkpoints");
        let items = match fs::read_dir(&folder) {
            Ok(items) => items,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(cannot(&folder, error)),
        };
        let mut kept = BTreeMap::new();
        for item in items {
            let name = item.map_err(|error| cannot(&folder, error))?.file_name();
            let Some(size) = name.to_str().and_then(crate::log::decimal) else {
                continue;
            };
            if size <= MAX_SIZE {
                kept.insert(size, format!("checkpoints/{size}"));
            }
        }
        Ok(kept)
    }

    /// A tile or bundle; the full one if the partial one is gone.
    pub(in crate::log) fn tile(&self, tile: Tile) -> Result<Found, VerifyError> {
        let (full, width) = match tile {
            Tile::Hashes {
                level,
                index,
                width,
            } => (
                Tile::Hashes {
                    level,
                    index,
                    width: WIDTH as u16,
                },
                width,
            ),
            Tile::Entries { index, width } => (
                Tile::Entries {
                    index,
                    width: WIDTH as u16,
                },
                width,
            ),
        };
        if let Some(bytes) = read(&self.path.join(tile.path()))? {
            return Ok(Found::Bytes { bytes, width });
        }
        let width = WIDTH as u16;
        Ok(match read(&self.path.join(full.path()))? {
            Some(bytes) => Found::Bytes { bytes, width },
            None => Found::Missing,
        })
    }
}

/// The whole file, up to more than any file of a log has; nothing if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, VerifyError> {
    let read = || -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len().min(LONGEST);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        file.take(LONGEST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(cannot(path, error)),
    }
}

fn cannot(path: &Path, why: io::Error) -> VerifyError {
    VerifyError::Read {
        path: path.to_owned(),
        why,
    }
}
