//! Where the two keys come from, and the files of the data folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::privacy::{Keyring, SecretKey};
use crate::settings::Settings;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A key is not a key.
    #[error("{place} does not hold a key: it must be 64 hexadecimal digits")]
    Form {
        /// The setting or file.
        place: String,
    },
    /// One key is there and the other is not.
    #[error(
        "{missing} is missing, but its sister is there: restore it from your backup. Without both \
         keys the list cannot be read"
    )]
    Half {
        /// The missing file.
        missing: PathBuf,
    },
}

/// The keys of a process, and where they were found.
#[derive(Debug)]
pub enum KeySource {
    /// In the settings.
    Settings(Keyring),
    /// In the data folder.
    Folder(Keyring),
    /// Nowhere yet.
    Missing,
}

impl KeySource {
    /// Looks for the keys in the settings, then in the data folder.
    ///
    /// # Errors
    /// [`KeysError`] when they are there but cannot be used.
    pub fn find(settings: &Settings, data: &Path) -> Result<Self, KeysError> {
        let keys = &settings.keys;
        if !keys.master.0.is_empty() {
            let master = parse(&keys.master.0, "setting keys.master")?;
            let index = parse(&keys.index.0, "setting keys.index")?;
            return Ok(Self::Settings(Keyring::new(master, &index)));
        }
        let [master, index] = paths(data);
        match (read(&master)?, read(&index)?) {
            (Some(master), Some(index)) => Ok(Self::Folder(Keyring::new(master, &index))),
            (None, None) => Ok(Self::Missing),
            (None, Some(_)) => Err(KeysError::Half { missing: master }),
            (Some(_), None) => Err(KeysError::Half { missing: index }),
        }
    }
}

/// The files of the two keys.
#[must_use]
pub fn paths(data: &Path) -> [PathBuf; 2] {
    ["master.key", "index.key"].map(|name| data.join("keys").join(name))
}

/// Makes both keys in the data folder.
///
/// # Errors
/// [`KeysError::File`], also when one of the files is there already: a key is never overwritten.
pub fn make(data: &Path) -> Result<Keyring, KeysError> {
    make_folder(&data.join("keys"))?;
    let [master, index] = [SecretKey::generate(), SecretKey::generate()];
    for (path, key) in paths(data).iter().zip([&master, &index]) {
        let text = Zeroizing::new(key.to_hex() + "\n");
        write_secret(path, text.as_bytes())?;
    }
    Ok(Keyring::new(master, &index))
}

/// Makes a folder, and those above it, that only its owner may open.
///
/// # Errors
/// [`KeysError::File`].
pub fn make_folder(path: &Path) -> Result<(), KeysError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| file(path, error))
}

/// Writes a new file that only its owner may read, and puts it on disk, name and all.
///
/// # Errors
/// [`KeysError::File`], also when the file is there already.
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), KeysError> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut new| {
            new.write_all(content)?;
            new.sync_all()
        });
    written.map_err(|error| file(path, error))?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| file(folder, error)),
        None => Ok(()),
    }
}

/// Whether others than the owner may read a file.
#[must_use]
pub fn readable_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

fn read(path: &Path) -> Result<Option<SecretKey>, KeysError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            parse(&text, &path.display().to_string()).map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file(path, error)),
    }
}

fn parse(text: &str, place: &str) -> Result<SecretKey, KeysError> {
    SecretKey::from_hex(text).map_err(|_| KeysError::Form {
        place: place.to_owned(),
    })
}

fn file(path: &Path, error: io::Error) -> KeysError {
    KeysError::File {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Overrides;

    #[test]
    fn keys_are_made_once_for_their_owner_only_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("deep/data");
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        assert!(matches!(
            KeySource::find(&settings, &data),
            Ok(KeySource::Missing)
        ));
        let made = make(&data).unwrap();
        let Ok(KeySource::Folder(found)) = KeySource::find(&settings, &data) else {
            panic!("not found")
        };
        assert_eq!(found.fingerprint(), made.fingerprint());
        assert!(make(&data).is_err(), "never overwritten");
        for path in paths(&data) {
            assert!(!readable_by_others(&path));
        }
        fs::remove_file(&paths(&data)[1]).unwrap();
        assert!(matches!(
            KeySource::find(&settings, &data),
            Err(KeysError::Half { .. })
        ));
        fs::write(&paths(&data)[1], "nonsense").unwrap();
        let error = KeySource::find(&settings, &data).unwrap_err().to_string();
        assert!(
            error.contains("index.key") && !error.contains("nonsense"),
            "{error}"
        );
    }
}
