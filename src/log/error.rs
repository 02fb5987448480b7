//! Why the log cannot be read or written.

use super::storage::StorageError;
use crate::store::StoreError;

/// Why the log cannot be read or written. What is in it stays; what is not yet in it waits in the
/// store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store that the entries come from.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something in it is not what it must be.
    #[error("the log is damaged: {0}. Nothing is signed until it is restored from a backup")]
    Damaged(String),
    /// There are no threads to seal with.
    #[error(
        "there are no threads for the sealer: {0}. Raise the limit and start the service again"
    )]
    NoThreads(String),
    /// The log is another one's.
    #[error(
        "{place} holds the log of another store. Give every process of one store the same folder \
         or bucket (audit.folder), and every store its own; or, if the store is meant to be another \
         one, move the log away and keep it: it can still be verified"
    )]
    OtherStore {
        /// Where it lies.
        place: String,
    },
    /// The log of this store is not here.
    #[error(
        "the log of this store is not in {place}. Give every process of one store the same folder \
         or bucket (audit.folder). If the log is lost for good, `metrust serve --new-log` begins \
         another one, and puts on record that it did"
    )]
    Elsewhere {
        /// Where it was looked for.
        place: String,
    },
    /// The log is older than the one that the store has seen.
    #[error(
        "the log in {place} has gone back: checkpoints beyond it were published. Restore its \
         newest files; if they are lost for good, move what is left of it elsewhere, and \
         `metrust serve --new-log` begins another log in the empty folder, and puts on record that \
         it did"
    )]
    GoneBack {
        /// Where it lies.
        place: String,
    },
    /// The store is older than the log, and nobody has accepted that.
    #[error(
        "the store is older than the log: entries are sealed that it no longer holds, and opt-outs \
         may be missing. Restore its newest data; or `metrust serve --accept-loss` goes on without \
         what is lost, and puts on record that it does. No check is answered and nothing is sealed \
         until then"
    )]
    StoreIsOlder,
    /// There would be two roots for one size.
    #[error(
        "another checkpoint of the same size was published with another root. Nothing more is \
         signed: keep all files as they are, and find out who else writes to {place}"
    )]
    Forked {
        /// Where it lies.
        place: String,
    },
    /// The origin or a key cannot be used.
    #[error("setting audit.origin: {0}")]
    Origin(String),
}
