//! Files of a bundle, one by one.

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Failure;
use crate::cli::audit::place::{cannot_write, new_file};

/// Writes a file of a bundle, and the folders above it, for their owner only. It is synced with
/// the whole folder at the end.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)?;
        }
        new_file(&path)?.write_all(bytes)
    };
    write().map_err(|error| cannot_write(&path, &error))
}

/// Shown on a terminal only.
pub(super) fn bar(files: u64) -> ProgressBar {
    let style = "{wide_bar} {human_pos} of {human_len} files, {msg}, {eta} left";
    let style = ProgressStyle::with_template(style);
    ProgressBar::new(files).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
