//! Files that appear under their name only when they are complete, readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// A name that is taken only by what is complete and on disk. Until then it lies beside it, under
/// the same name with `.part` at its end.
#[derive(Debug)]
pub(in crate::cli) struct Place<'a> {
    /// The name.
    pub(in crate::cli) file: &'a Path,
    /// Where it lies until it is complete.
    pub(in crate::cli) part: PathBuf,
    replace: bool,
}

impl<'a> Place<'a> {
    /// A place for a file; it must be free, or may be taken with `--force`.
    pub(in crate::cli) fn new(file: &'a Path, replace: bool) -> Result<Self, Failure> {
        let place = Self {
            file,
            part: beside(file, ".part")?,
            replace,
        };
        place.must_be_free()?;
        Ok(place)
    }

    fn must_be_free(&self) -> Result<(), Failure> {
        if self.file.symlink_metadata().is_ok() && !self.replace {
            return Err(Failure::usage(format!(
                "{} is there already\n  remedy:     choose another name{}",
                self.file.display(),
                if self.file.is_dir() {
                    ""
                } else {
                    ", or replace it with --force"
                }
            )));
        }
        Ok(())
    }

    /// A new, empty file in the place of one that was left behind.
    pub(in crate::cli) fn begin(&self) -> Result<File, Failure> {
        let removed = fs::remove_file(&self.part);
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(cannot_write(&self.part, &error));
            }
            _ => {}
        }
        new_file(&self.part).map_err(|error| cannot_write(&self.part, &error))
    }

    /// Gives what was written its name, once it is on disk.
    pub(in crate::cli) fn finish(&self, part: &File) -> Result<(), Failure> {
        part.sync_all()
            .map_err(|error| cannot_write(&self.part, &error))?;
        self.name()
    }

    /// The same for what is on disk already.
    pub(in crate::cli) fn name(&self) -> Result<(), Failure> {
        self.must_be_free()?;
        fs::rename(&self.part, self.file)
            .and_then(|()| sync_folder(self.file))
            .map_err(|error| cannot_write(self.file, &error))
    }

    /// Writes a whole text.
    pub(in crate::cli) fn write(&self, text: &str) -> Result<(), Failure> {
        let mut part = self.begin()?;
        part.write_all(text.as_bytes())
            .map_err(|error| cannot_write(&self.part, &error))?;
        self.finish(&part)
    }
}

/// The name with something at its end.
pub(in crate::cli) fn beside(file: &Path, end: &str) -> Result<PathBuf, Failure> {
    let Some(name) = file.file_name() else {
        return Err(Failure::usage(format!(
            "{} does not name a file or folder",
            file.display()
        )));
    };
    let mut name = name.to_owned();
    name.push(end);
    Ok(file.with_file_name(name))
}

/// A file that is not there yet and that only its owner may read.
pub(in crate::cli) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Why a file cannot be written.
pub(in crate::cli) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
}

/// Makes a change of this name outlast a loss of power.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_it_is_complete_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ndjson");
        let place = Place::new(&file, false).unwrap();
        let mut part = place.begin().unwrap();
        part.write_all(b"half").unwrap();
        assert!(!file.exists());
        place.write("whole").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"whole");
        assert!(!place.part.exists());
        assert!(!crate::service::keys::readable_by_others(&file));
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let place = Place::new(&file, false).unwrap();
        fs::write(&file, "old").unwrap();
        assert!(Place::new(&file, false).is_err());
        assert!(place.write("new").is_err(), "it appeared meanwhile");
        assert_eq!(fs::read(&file).unwrap(), b"old");
        Place::new(&file, true).unwrap().write("new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }
}
