//! A bundle in one file, unpacked into a folder that goes away again.
//!
//! The file may come from somebody who wishes us ill: only plain files and folders are taken, and
//! only below the folder; nothing is written over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use tar::EntryType;
use tempfile::TempDir;

use crate::cli::Failure;

/// An unpacked bundle; deleted when dropped.
pub(super) struct Unpacked {
    folder: TempDir,
}

impl Unpacked {
    /// Unpacks it if it is a file; a folder is taken as it lies.
    pub(super) fn if_file(bundle: &Path) -> Result<Option<Self>, Failure> {
        match bundle.metadata() {
            Err(error) => {
                let name = bundle.display();
                Err(Failure::usage(format!("cannot read {name}: {error}")))
            }
            Ok(metadata) if metadata.is_dir() => Ok(None),
            Ok(_) => Self::new(bundle).map(Some),
        }
    }

    /// Unpacks a tar file that is compressed with zstd.
    pub(super) fn new(file: &Path) -> Result<Self, Failure> {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::new(format!("cannot unpack {}: {why}", file.display()))
        };
        let folder = tempfile::Builder::new()
            .prefix("metrust-bundle-")
            .tempdir()
            .map_err(|error| cannot(&error))?;
        File::open(file)
            .and_then(zstd::Decoder::new)
            .and_then(|mut tar| {
                unpack(&mut tar, folder.path())?;
                nothing_behind(tar)
            })
            .map_err(|error| cannot(&error))?;
        Ok(Self { folder })
    }

    /// The bundle's folder: where it was unpacked, or the only folder that came out.
    pub(super) fn path(&self) -> PathBuf {
        let root = self.folder.path();
        let items = fs::read_dir(root).into_iter().flatten().flatten();
        let items: Vec<_> = items.map(|item| item.path()).collect();
        match items.as_slice() {
            [only] if only.is_dir() && !only.join("checkpoint").exists() => only.clone(),
            _ => root.to_owned(),
        }
    }
}

fn unpack(tar: impl Read, folder: &Path) -> io::Result<()> {
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let inside = entry.path()?.into_owned();
        let odd = |what: &str| {
            let what = format!("{}: {what}", inside.display());
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        };
        let mut path = folder.to_owned();
        for component in inside.components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::CurDir => {}
                _ => return odd("a name that leads out of the bundle"),
            }
        }
        match entry.header().entry_type() {
            EntryType::Directory => fs::create_dir_all(&path)?,
            EntryType::Regular => {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                let file = OpenOptions::new().write(true).create_new(true).open(&path);
                let mut file = match file {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        return odd("it is in the bundle twice");
                    }
                    file => file?,
                };
                io::copy(&mut entry, &mut file)?;
            }
            _ => return odd("neither a plain file nor a folder"),
        }
    }
    Ok(())
}

/// An archive ends with zeroes and nothing else: other programs may find files behind its end.
fn nothing_behind(mut tar: impl Read) -> io::Result<()> {
    let mut bytes = [0; 1 << 13];
    loop {
        match tar.read(&mut bytes)? {
            0 => return Ok(()),
            read if bytes[..read].iter().all(|byte| *byte == 0) => {}
            _ => {
                let what = "something lies behind its end";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tar file with one item, whose name is written as it is.
    fn tar_of(name: &str, kind: EntryType) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(3);
        header.set_mode(0o777);
        if kind != EntryType::Regular {
            header.set_size(0);
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        let mut tar = tar::Builder::new(Vec::new());
        let content: &[u8] = if kind == EntryType::Regular {
            b"abc"
        } else {
            b""
        };
        tar.append(&header, content).unwrap();
        tar.into_inner().unwrap()
    }

    #[test]
    fn what_would_leave_the_folder_or_is_not_a_plain_file_is_refused() {
        for (name, kind) in [
            ("../x", EntryType::Regular),
            ("a/../../x", EntryType::Regular),
            ("/x", EntryType::Regular),
            ("x", EntryType::Symlink),
            ("x", EntryType::Link),
            ("x", EntryType::Fifo),
            ("x", EntryType::Char),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let inner = folder.path().join("in");
            fs::create_dir(&inner).unwrap();
            assert!(
                unpack(&tar_of(name, kind)[..], &inner).is_err(),
                "{name} {kind:?}"
            );
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            assert_eq!(fs::read_dir(&inner).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_file_is_unpacked_once_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let tar = tar_of("./a/b", EntryType::Regular);
        unpack(&tar[..], folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("a/b")).unwrap(), b"abc");
        assert!(unpack(&tar[..], folder.path()).is_err());
    }
}
