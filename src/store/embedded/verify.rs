//! Is the file as it was written? Looked at before anything is read from it.
//!
//! Redb keeps a checksum of every page, but compares them only after a crash; and what it finds wrong
//! it repairs, by going back to the commit before. A registry that goes back has lost opt-outs. So
//! the file is opened over a layer that takes all writes and forgets them, and compared there from
//! its root to its last row; where anything is not as it was written, it is left alone and refused.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Database, DatabaseError, StorageBackend};

use super::tables::away;
use crate::store::StoreError;

/// In the byte of the file's header that says how it was left: whether it must be repaired.
const HOW_IT_WAS_LEFT: (u64, u8) = (9, 2);

/// How far redb says that a repair has come when it goes back to the commit before. One that need
/// not go back says more.
const GOES_BACK: f64 = 0.3;

/// Makes sure that a file is as it was written. One that was cut off in a commit is: nobody was told
/// that this commit was done.
///
/// # Errors
/// [`StoreError::Damaged`] where it is not, [`StoreError::Away`] where it cannot be read or another
/// process has it open.
pub(super) fn verify(path: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::Away(format!("{}: {error}", path.display()));
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed)?,
    };
    let length = file.metadata().map_err(failed)?.len();
    if length == 0 {
        return Ok(());
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(away(DatabaseError::DatabaseAlreadyOpen)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let (at, bit) = HOW_IT_WAS_LEFT;
    let mut byte = [0];
    let left_open = file.read_exact_at(&mut byte, at).is_ok() && byte[0] & bit != 0;
    // What is spoilt may also be such that redb does not expect it.
    let checked = catch_unwind(AssertUnwindSafe(|| check(file, length, left_open)));
    let wrong = match checked {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(DatabaseError::Storage(redb::StorageError::Io(error)))) => {
            return Err(failed(error));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "its pages do not fit together".to_owned(),
    };
    Err(StoreError::Damaged(format!(
        "{}: {wrong}. It was damaged after it was written, and was left as it is; nothing was \
         answered from it, because an opt-out may be what is damaged. Put your newest backup of it \
         in its place, and look after the disk. If the log is newer than the backup, metrust says \
         so, and how to go on",
        path.display()
    )))
}

fn check(file: File, length: u64, left_open: bool) -> Result<(), DatabaseError> {
    let (repaired, went_back) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let mut builder = Database::builder();
    let seen = (repaired.clone(), went_back.clone());
    builder.set_repair_callback(move |session| {
        seen.0.store(true, Ordering::Relaxed);
        let goes_back = (session.progress() - GOES_BACK).abs() < 0.01;
        seen.1.fetch_or(goes_back, Ordering::Relaxed);
    });
    let spoilt = || {
        let what = "a checksum in it is not right".to_owned();
        Err(DatabaseError::Storage(redb::StorageError::Corrupted(what)))
    };
    let mut database = builder.create_with_backend(Layer::over(file, length))?;
    if went_back.load(Ordering::Relaxed) && !left_open {
        return spoilt();
    }
    if repaired.load(Ordering::Relaxed) {
        // Then all of it was compared.
        if went_back.load(Ordering::Relaxed) {
            tracing::warn!("the store was cut off in a commit, which nobody was told was done");
        }
        return Ok(());
    }
    match database.check_integrity()? {
        true => Ok(()),
        false => spoilt(),
    }
}

/// How many bytes are kept together of what was written.
const BLOCK: u64 = 4096;

/// A file that is read, under what was written and is forgotten with this.
#[derive(Debug)]
struct Layer {
    file: File,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    /// How much of the file still counts.
    below: u64,
    length: u64,
    blocks: HashMap<u64, Vec<u8>>,
}

impl Layer {
    fn over(file: File, length: u64) -> Self {
        Self {
            file,
            written: Mutex::new(Written {
                below: length,
                length,
                blocks: HashMap::new(),
            }),
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file holds; zeros behind its end.
    fn below(&self, end: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.fill(0);
        let there = end.saturating_sub(offset).min(out.len() as u64);
        self.file.read_exact_at(&mut out[..there as usize], offset)
    }
}

/// The parts of a stretch by block: which, from where in it, and from where to where in the stretch.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = offset + at as u64;
        let inside = (from % BLOCK) as usize;
        let take = (BLOCK as usize - inside).min(length - at);
        let part = at..at + take;
        at += take;
        (take > 0).then_some((from / BLOCK, inside, part))
    })
}

impl StorageBackend for Layer {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset.saturating_add(out.len() as u64) > written.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.below(written.below, offset, out)?;
        for (block, inside, part) in parts(offset, out.len()) {
            if let Some(bytes) = written.blocks.get(&block) {
                let length = part.len();
                out[part].copy_from_slice(&bytes[inside..inside + length]);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.written();
        written.below = written.below.min(length);
        written.length = length;
        // What is cut off is zeros where the file grows again.
        written
            .blocks
            .retain(|block, _| *block < length.div_ceil(BLOCK));
        if let Some(last) = written.blocks.get_mut(&(length / BLOCK)) {
            last[(length % BLOCK) as usize..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let below = written.below;
        for (block, inside, part) in parts(offset, data.len()) {
            let length = part.len();
            let bytes = match written.blocks.entry(block) {
                std::collections::hash_map::Entry::Occupied(held) => held.into_mut(),
                std::collections::hash_map::Entry::Vacant(free) => {
                    let mut bytes = vec![0; BLOCK as usize];
                    self.below(below, block * BLOCK, &mut bytes)?;
                    free.insert(bytes)
                }
            };
            bytes[inside..inside + length].copy_from_slice(&data[part]);
        }
        Ok(())
    }
}
