//! The transparency log: every audit entry is a leaf of a Merkle tree whose root is signed and
//! published, so that nobody can change the past unnoticed.
//!
//! The protocol, each file after the specification it opens with; these know no files, no network,
//! no runtime and no serde:
//!
//! * [`merkle`]: hashes, roots, and the right edge of a growing tree.
//! * [`proof`]: inclusion and consistency proofs, and the text in which a proof travels.
//! * [`tile`]: where the tree's hashes and entries lie.
//! * [`note`]: text with signatures under it.
//! * [`checkpoint`]: the text that a log signs: its name, size and root.
//!
//! Whatever these files read may come from a stranger. So each parser takes one spelling only (what
//! it accepts is printed again as the same bytes), and holds no more memory than the input's own.
//!
//! The log of a store:
//!
//! * [`storage`]: the folder or bucket that it lies in.
//! * `sealer`: makes entries of the store's tails leaves of the log, once each, whatever crashes.
//! * [`Archive`]: reads it, and proves from it.
//! * [`LogKeys`]: what signs it.
//! * [`index`]: finds a number's entries without reading them all.
//!
//! What stands on it:
//!
//! * [`verify`]: verifying a log or a bundle of logs, trusting nothing but a key.
//! * [`bundle`]: what goes into a bundle of evidence beside the logs.

mod archive;
pub mod bundle;
pub mod checkpoint;
mod commit;
mod edge;
mod error;
mod fault;
mod identity;
pub mod index;
mod keys;
pub mod loss;
pub mod merkle;
mod name;
pub mod note;
mod pace;
pub mod proof;
mod sealer;
pub mod storage;
mod tail;
pub mod tile;
pub mod verify;

#[cfg(test)]
mod tests;

use data_encoding::BASE64_NOPAD;

pub use archive::{Archive, SEGMENT};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use commit::{Closed, Cursor, Head};
pub use error::LogError;
pub use identity::{Recognised, recognise};
pub use keys::{Generation, LogKeys};
pub use merkle::{Frontier, Hash, empty_root, leaf_hash};
pub use name::{LogName, NotALogName};
pub use note::{Kind as KeyKind, Note, NoteError, Signature, Signer, Verifier};
pub use proof::{ProofError, TlogProof};
pub use sealer::{Progress, Running, Sealer, Sealing};
pub use tail::TailReader;
pub use tile::Tile;

/// The most entries that a log may have: the signed 64-bit integers in which other programs count.
pub const MAX_SIZE: u64 = i64::MAX.unsigned_abs();

/// Reads standard base64 (RFC 4648, section 4) in its only spelling.
fn base64(text: &str) -> Option<Vec<u8>> {
    // Not the padded decoding of data-encoding: that also takes several texts in a row, each with
    // a padding of its own.
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    BASE64_NOPAD.decode(digits.as_bytes()).ok()
}

/// Reads a number in its only spelling: decimal digits, no sign, no zero before others.
fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits {
        text.parse().ok()
    } else {
        None
    }
}
