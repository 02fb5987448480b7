//! Why a use case did not do as it was asked.

use crate::domain::{Moment, PhoneError, ReferenceError};
use crate::log::{LogError, NoteError};
use crate::privacy::Overloaded;
use crate::store::StoreError;

/// Each says what happened; the edge adds what is kept and what to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// 503: the store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// 503: too many reference codes at once.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// 503: who may do what could not be confirmed lately.
    #[error("sellers, agencies and keys could not be confirmed lately")]
    Unconfirmed,
    /// 503: too many entries wait to be sealed.
    #[error("too many audit entries wait to be sealed")]
    LogBehind,
    /// 503: the log cannot be read, or a damage was found in it.
    #[error(transparent)]
    Log(#[from] LogError),
    /// 503: no key for this month's pseudonyms.
    #[error("the key of this month's pseudonyms is not there")]
    NoMonth,
    /// 401: no such key, or revoked.
    #[error("the key is unknown, mistyped or revoked")]
    UnknownKey,
    /// 403: the key's role does not allow it.
    #[error("this needs the key of another role: {0}")]
    WrongRole(&'static str),
    /// 400: the place to go on from is none of this list.
    #[error("the cursor is none of this list")]
    WrongCursor,
    /// 404: no such seller.
    #[error("there is no seller of this id")]
    UnknownSeller,
    /// 404: no such agency.
    #[error("there is no agency of this id")]
    UnknownAgency,
    /// 404: no such key to act on.
    #[error("there is no key of this id")]
    NoSuchKey,
    /// 403: the agency does not dial for that seller.
    #[error("this agency has no mandate to dial for this seller")]
    NoMandate,
    /// 422: numbers that cannot be registered, by their place in the list.
    #[error("some numbers cannot be read")]
    Numbers(Vec<(usize, PhoneError)>),
    /// 422: nothing was asked.
    #[error("the list of numbers is empty")]
    NoNumbers,
    /// 413: more numbers than allowed.
    #[error("the list holds more than {0} numbers")]
    TooManyNumbers(usize),
    /// 422: more chosen sellers than a registration may name.
    #[error("a registration names at most {0} chosen sellers")]
    TooManySellers(usize),
    /// 422: not the form of a reference code.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// 404: no registration of this code.
    #[error("no registration has this reference code")]
    UnknownReference,
    /// 409: a registration that was taken back is not changed.
    #[error("this registration was withdrawn")]
    Withdrawn,
    /// 409: the withdrawal is too long ago.
    #[error("this withdrawal can no longer be undone")]
    TooLate,
    /// 404: no entry of this id, or none that this key may see.
    #[error("there is no entry of this id that this key may see")]
    UnknownEntry,
    /// 404: no wash of this id, none that this key may see, or one that has not ended.
    #[error("there is no wash of this id that has ended and that this key may see")]
    UnknownWash,
    /// 404: no report of this id, or none that may be seen.
    #[error("there is no report of this id that may be seen with this key or code")]
    UnknownReport,
    /// 422: a call so early that it cannot be known who had asked before it. Since this moment it
    /// can.
    #[error("what was asked before a call is known for calls since {0}")]
    BeforeRecord(Moment),
    /// 409: a code holds as many reports as it may.
    #[error("this code holds {0} reports already")]
    TooManyReports(usize),
    /// 503: as many walks through the log as there may be.
    #[error("as many searches as may be at once are going through the log")]
    TooManySearches,
    /// 503: as many washes as there may be.
    #[error("{0} lists are being washed already")]
    TooManyWashes(usize),
    /// 404: no key for that month's pseudonyms.
    #[error("there is no key of this month: nothing was recorded in it")]
    UnknownMonth,
    /// 409: entries that must still be kept.
    #[error("only the entries of years before {0} may be dropped")]
    TooYoung(u16),
    /// 410: entries that were dropped as their time had passed, or lost. Those since this moment are
    /// there.
    #[error("the entries of before {0} are no longer there")]
    EntriesGone(Moment),
    /// 404: no such import.
    #[error("there is no import of this id")]
    UnknownImport,
    /// 404: no such list to take numbers from.
    #[error("no list of this source or id was brought in for these sellers")]
    UnknownList,
    /// 409: it is not said which list numbers are taken from.
    #[error("more than one list was brought in for these sellers, and a number may be in several")]
    SeveralLists,
    /// 409: an import is not as far, or further.
    #[error("{0}")]
    ImportState(&'static str),
    /// 409: the id is taken.
    #[error("this id is taken")]
    Taken,
    /// 409: somebody else changed it at the same time.
    #[error("somebody else changed this at the same moment")]
    Conflict,
    /// 422: a part of a list that is no list, or that is cut in the middle of a row.
    #[error(transparent)]
    UnreadablePart(#[from] super::import::PartError),
    /// 422: the request contradicts itself.
    #[error("{0}")]
    Contradiction(&'static str),
    /// 500: something kept cannot be read.
    #[error("{0} is damaged")]
    Damaged(&'static str),
}

impl From<NoteError> for ServiceError {
    fn from(error: NoteError) -> Self {
        Self::Log(LogError::Origin(error.to_string()))
    }
}
