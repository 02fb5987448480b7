//! Entries and their proofs as files: what a judge can be given for a single call.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::search::Hit;
use crate::cli::Failure;
use crate::cli::audit::place::{cannot_write, new_file};
use crate::cli::output::note;

/// Makes the folder, which must be new or empty, readable by its owner only. Done before anything
/// is looked for.
pub(super) fn prepare(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| cannot_write(folder, &error))?;
    let mut items = fs::read_dir(folder).map_err(|error| cannot_write(folder, &error))?;
    match items.next() {
        None => Ok(()),
        Some(_) => Err(Failure::usage(format!(
            "{} is not empty\n  remedy:     name a new folder with --proofs",
            folder.display()
        ))),
    }
}

/// Writes `ID.json` and `ID.tlog-proof` for each entry.
pub(super) fn write(folder: &Path, hits: &[Hit]) -> Result<(), Failure> {
    for hit in hits {
        let id = hit.entry.id;
        // Without a newline: these are the bytes whose hash the proof begins with.
        put(&folder.join(format!("{id}.json")), &hit.bytes)?;
        let proof = hit.proof.to_string();
        put(&folder.join(format!("{id}.tlog-proof")), proof.as_bytes())?;
    }
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| cannot_write(folder, &error))?;
    note(&format!(
        "{} entries with their proofs are in {}",
        hits.len(),
        folder.display()
    ));
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = new_file(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| cannot_write(path, &error))
}
