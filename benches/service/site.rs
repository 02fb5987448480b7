//! Where everything lies while the bench runs: a folder that is gone afterwards.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use crate::Result;

/// The folders of one run.
pub struct Site {
    folder: TempDir,
    sockets: TempDir,
}

impl Site {
    /// In Cargo's own folder for such things, because that is on the disk that is meant: the
    /// folder for temporary files may be memory, where `fdatasync` costs nothing. Sockets need
    /// short paths and lie elsewhere.
    pub fn new() -> Result<Self> {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        std::fs::create_dir_all(parent)?;
        Ok(Self {
            folder: folder_in(parent, "service-bench")?,
            sockets: folder_in(&std::env::temp_dir(), "metrust-bench")?,
        })
    }

    /// A path of the run's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new and empty folder.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Where a server may put its Unix socket.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.sockets.path().join(name)
    }
}

/// A new folder that bears our process's id, so that a run that was killed leaves nothing for long:
/// the next one takes away what belongs to nobody any more.
fn folder_in(parent: &Path, name: &str) -> Result<TempDir> {
    for entry in std::fs::read_dir(parent)?.flatten() {
        let file = entry.file_name();
        let owner = file.to_str().and_then(|file| {
            let (pid, _) = file
                .strip_prefix(name)?
                .strip_prefix('-')?
                .split_once('-')?;
            pid.parse::<u32>().ok()
        });
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{name}-{}-", std::process::id());
    Ok(tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(parent)?)
}

/// A port that is free now and lies below those that systems give to outgoing connections, of which
/// the load opens many.
pub fn free_port() -> Result<u16> {
    const FIRST: u16 = 15_000;
    const COUNT: u16 = 15_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id().wrapping_mul(97) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(format!("no free port from {FIRST} on").into())
}
