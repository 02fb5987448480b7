//! Verifying logs that somebody hands over: everything that they say is computed again from the
//! entries, and compared with what was signed.
//!
//! RFC 6962 section 2.1, and C2SP tlog-tiles, tlog-checkpoint and tlog-proof
//! (<https://c2sp.org>). It reads a folder of logs, a bundle, or the folder of one log, and lets
//! nothing lie in them that was not signed; also the folder of a running service, where what lies
//! beyond the checkpoint does not count yet and is told. It trusts the keys that it is given and
//! nothing else; it needs no service and no settings.
//!
//! What it cannot find: entries that were never written, and a history that was rewritten and
//! signed again as a whole. For the latter somebody must bring an older checkpoint or a receipt:
//! see [`Options`].

mod content;
pub(in crate::log) mod folder;
mod one;
mod report;
mod sequence;
pub(in crate::log) mod signed;
mod tree;

use std::path::{Path, PathBuf};

pub use folder::keys_in;
pub use report::{Content, Deletion, Finding, Incident, LogReport, Place, Report};

use signed::Signed;

use super::{TlogProof, Verifier};

/// After so many findings a log is not read on: who rewrote it all is told from the first ones.
const MOST_FINDINGS: usize = 1000;

/// What to verify with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The keys that are trusted; each log needs one that is named like its origin. Keys of
    /// witnesses may be among them.
    pub keys: Vec<Verifier>,
    /// Checkpoints that were got earlier or elsewhere: what to call them, and their bytes. Each
    /// proves that nothing before it was changed since.
    pub checkpoints: Vec<(String, Vec<u8>)>,
    /// Receipts, which prove one entry each.
    pub receipts: Vec<Receipt>,
    /// Files that may lie in the folder though they are no part of a bundle: those of the reader.
    pub beside: Vec<PathBuf>,
}

/// A receipt: the proof that an entry is in the log.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// What to call it.
    pub name: String,
    /// The proof (C2SP tlog-proof).
    pub proof: Vec<u8>,
    /// The entry as canonical JSON. Without it, the one that the log has there is taken.
    pub entry: Option<Vec<u8>>,
}

/// Why nothing could be verified; what is wrong with a log is a [`Finding`] instead.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is nothing to verify.
    #[error("there is no log in {}: a log is a folder with a checkpoint", .0.display())]
    NoLog(PathBuf),
    /// A file is there and cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The file that says which entries a bundle has.
    #[error("{} does not say which entries are in the bundle", .0.display())]
    Manifest(PathBuf),
}

/// How many entries the logs of a folder say that they have: what [`verify`] has before it.
///
/// # Errors
/// As [`verify`].
pub fn count(root: &Path) -> Result<u64, VerifyError> {
    let mut entries = 0_u64;
    for folder in folder::find(root)? {
        let bytes = folder.file("checkpoint")?.unwrap_or_default();
        let size = signed::open(&bytes, &[]).map_or(0, |signed| signed.checkpoint.size);
        entries = entries.saturating_add(size);
    }
    Ok(entries)
}

/// Verifies every log in a folder, or the one log whose folder it is.
///
/// `progress` is called on this thread with the number of entries verified since it was last called.
///
/// # Errors
/// If there is no log, or a file cannot be read. A file that is missing is a finding.
pub fn verify(
    root: &Path,
    options: &Options,
    progress: &dyn Fn(u64),
) -> Result<Report, VerifyError> {
    let mut given = Given::new(options);
    let mut report = Report::default();
    let folders = folder::find(root)?;
    for name in folder::strangers(root, &options.beside)? {
        let what = "it is no part of a bundle, and nothing that was signed vouches for it";
        report.add("", Place::File(name), what);
    }
    for folder in folders {
        one::verify(&folder, &options.keys, &mut given, &mut report, progress)?;
    }
    // What is left belongs to no log that is there.
    for (name, held) in given.checkpoints {
        let what = format!("there is no log of {} here", held.checkpoint.origin);
        report.add("", Place::Checkpoint(name), what);
    }
    for (receipt, _, held) in given.receipts {
        let what = format!("there is no log of {} here", held.checkpoint.origin);
        report.add("", Place::Receipt(receipt.name.clone()), what);
    }
    for (place, what) in given.faults {
        report.add("", place, what);
    }
    // By log, the exact ones first; what is equal there stays as it was found.
    report.findings.sort_by_key(|finding| {
        let log = report.logs.iter().position(|log| log.name == finding.log);
        let place = match &finding.place {
            Place::Entry(index) => (0, *index),
            Place::Entries(range) => (1, range.start),
            _ => (2, 0),
        };
        (log, place)
    });
    Ok(report)
}

impl Report {
    fn add(&mut self, log: &str, place: Place, what: impl Into<String>) {
        self.findings.push(Finding {
            log: log.to_owned(),
            place,
            what: what.into(),
        });
    }
}

/// A checkpoint, and what to call it.
type HeldCheckpoint = (String, Signed);
/// A receipt, what it says, and its checkpoint.
type HeldReceipt<'a> = (&'a Receipt, TlogProof, Signed);

/// What the caller holds, read; each belongs to the log of its origin.
struct Given<'a> {
    /// Smallest first.
    checkpoints: Vec<HeldCheckpoint>,
    receipts: Vec<HeldReceipt<'a>>,
    faults: Vec<(Place, String)>,
}

impl<'a> Given<'a> {
    fn new(options: &'a Options) -> Self {
        let (mut checkpoints, mut receipts, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (name, bytes) in &options.checkpoints {
            match signed::open(bytes, &options.keys) {
                Ok(held) => checkpoints.push((name.clone(), held)),
                Err(what) => faults.push((Place::Checkpoint(name.clone()), what)),
            }
        }
        checkpoints.sort_by_key(|(_, held)| held.checkpoint.size);
        for receipt in &options.receipts {
            match signed::open_receipt(&receipt.proof, &options.keys) {
                Ok((proof, held)) => receipts.push((receipt, proof, held)),
                Err(what) => faults.push((Place::Receipt(receipt.name.clone()), what)),
            }
        }
        Self {
            checkpoints,
            receipts,
            faults,
        }
    }

    /// Those of one log; they are then no longer here.
    fn take(&mut self, origin: &str) -> (Vec<HeldCheckpoint>, Vec<HeldReceipt<'a>>) {
        let ours = |held: &Signed| held.checkpoint.origin == origin;
        let checkpoints = self.checkpoints.extract_if(.., |(_, held)| ours(held));
        let receipts = self.receipts.extract_if(.., |(_, _, held)| ours(held));
        (checkpoints.collect(), receipts.collect())
    }
}
