//! Where the files of a log lie, and reading them while the log may be growing.
//!
//! C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>), section "Partial Tiles": a partial tile may go
//! once the full one is there, which then begins with what the partial one held. That is so in the
//! folder of a service, which goes on writing; what was handed over as evidence has the files of
//! its checkpoint's size and no other.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::VerifyError;
use crate::log::identity::OBJECT as SERVICE_MARK;
use crate::log::tile::{Tile, WIDTH, extent};
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
    /// Whether it is the folder of a service, where what is not signed yet lies too.
    pub(in crate::log) of_service: bool,
}

/// A file below a log's folder.
#[derive(Debug)]
pub(super) struct Item {
    /// Its path below the folder.
    pub(super) path: String,
    /// Not a link, a pipe or a device.
    pub(super) plain: bool,
}

/// What lies beside the logs of a bundle: what every bundle has, and what its README says to put
/// there.
const BESIDE: [&str; 10] = [
    "README.md",
    "manifest.json",
    "openings.txt",
    "verify.go",
    "verify.py",
    "vkeys",
    "trusted.vkeys",
    "older.checkpoint",
    "receipt.tlog-proof",
    "receipt.json",
];

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
            of_service: root.join("..").join(SERVICE_MARK).exists(),
        }]);
    }
    let parts = manifest(root)?.entries;
    if parts.values().any(|part| part.from > part.to) {
        return Err(VerifyError::Manifest(root.join("manifest.json")));
    }
    let of_service = root.join(SERVICE_MARK).exists();
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
                of_service,
            });
        }
    }
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    match folders.is_empty() {
        true => Err(VerifyError::NoLog(root.to_owned())),
        false => Ok(folders),
    }
}

/// What lies beside the logs of a bundle without being a part of it: nothing that was signed vouches
/// for it. `given` are the files that its reader keeps there.
pub(super) fn strangers(root: &Path, given: &[PathBuf]) -> Result<Vec<String>, VerifyError> {
    if is_log(root) || root.join(SERVICE_MARK).exists() {
        return Ok(Vec::new());
    }
    let given: Vec<PathBuf> = given
        .iter()
        .filter_map(|file| file.canonicalize().ok())
        .collect();
    let mut strangers = Vec::new();
    for item in fs::read_dir(root).map_err(|error| cannot(root, error))? {
        let item = item.map_err(|error| cannot(root, error))?;
        let (path, name) = (item.path(), item.file_name());
        let usual = BESIDE.iter().any(|usual| name == *usual);
        let known = usual || path.canonicalize().is_ok_and(|path| given.contains(&path));
        let link = item.file_type().is_ok_and(|kind| kind.is_symlink());
        if link || !(known || is_log(&path)) {
            strangers.push(name.to_string_lossy().into_owned());
        }
    }
    strangers.sort();
    Ok(strangers)
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

    /// Every file below the folder; whatever is no folder counts as one.
    pub(super) fn files(&self) -> Result<Vec<Item>, VerifyError> {
        let (mut files, mut folders) = (Vec::new(), vec![String::new()]);
        while let Some(above) = folders.pop() {
            let folder = self.path.join(&above);
            let items = match fs::read_dir(&folder) {
                // A service may have dropped it meanwhile.
                Err(error) if self.of_service && error.kind() == ErrorKind::NotFound => continue,
                items => items.map_err(|error| cannot(&folder, error))?,
            };
            for item in items {
                let item = item.map_err(|error| cannot(&folder, error))?;
                let kind = item.file_type().map_err(|error| cannot(&folder, error))?;
                let path = format!("{above}{}", item.file_name().to_string_lossy());
                match kind.is_dir() {
                    true => folders.push(path + "/"),
                    false => files.push(Item {
                        path,
                        plain: kind.is_file(),
                    }),
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Whether a file is a part of a log of `size`, of which the entries of `content` are there.
    /// In the folder of a service there are others, too: of those, only what lies beyond the size
    /// is no part.
    pub(super) fn is_part(&self, path: &str, size: u64, content: &Range<u64>) -> bool {
        let Some(tile) = Tile::parse(path) else {
            let kept = path
                .strip_prefix("checkpoints/")
                .and_then(crate::log::decimal);
            return self.of_service || path == "checkpoint" || kept.is_some_and(|n| n <= MAX_SIZE);
        };
        let (level, index, width) = match tile {
            Tile::Hashes {
                level,
                index,
                width,
            } => (level, index, width),
            Tile::Entries { index, width } => (0, index, width),
        };
        let (full, rest) = extent(level, size);
        if self.of_service {
            return index < full || (index == full && width <= rest);
        }
        let there = match tile {
            Tile::Hashes { .. } => true,
            Tile::Entries { .. } => {
                !content.is_empty()
                    && (content.start / WIDTH..content.end.div_ceil(WIDTH)).contains(&index)
            }
        };
        let whole = index < full && u64::from(width) == WIDTH;
        there && (whole || (index == full && width == rest))
    }

    /// A tile or bundle; in the folder of a service the full one if the partial one is gone.
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
        if !self.of_service {
            return Ok(Found::Missing);
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
