//! The audit entry: what the log says about one act, in words a regulator can read.
//!
//! An entry is written as canonical JSON (RFC 8785): keys sorted, no blanks, only strings and
//! integers, so that everybody who holds it computes the same bytes and the same hash. That form is
//! written in `write` and read back, strictly, in `read`.

mod cursor;
mod read;
mod washed;
mod write;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use read::{EntryReader, NotAnEntry};
pub use washed::{WashEnd, Washed};
pub use write::Value;

use super::{AgencyId, Answer, Campaign, Channels, Finding, KeyId, Moment, SellerRef};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// A number was asked about.
    Check,
    /// A number was opted out.
    Register,
    /// An opt-out was taken back.
    Withdraw,
    /// Somebody who may read the audit looked for one number's entries.
    Opening,
    /// A key came or went: an API key, the key of a month's pseudonyms, the key that signs a log.
    Key,
    /// Something that a regulator should know went wrong.
    Incident,
    /// A service process began to write.
    Start,
    /// The entries of an old log were deleted, as the time for which they are kept had passed.
    Prune,
    // The store keeps kinds by their place in this list: new ones come at the end.
    /// A list of numbers was brought in, or taken out again.
    Import,
    /// A whole list was asked about: what was taken in and what was handed over, beside the checks
    /// of its rows.
    Wash,
    /// A person reported a call, or a company answered such a report.
    Report,
}

impl Op {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Check,
        Self::Register,
        Self::Withdraw,
        Self::Opening,
        Self::Key,
        Self::Incident,
        Self::Start,
        Self::Prune,
        Self::Import,
        Self::Wash,
        Self::Report,
    ];

    /// The word the log uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Register => "register",
            Self::Withdraw => "withdraw",
            Self::Opening => "opening",
            Self::Key => "key",
            Self::Incident => "incident",
            Self::Start => "start",
            Self::Prune => "prune",
            Self::Import => "import",
            Self::Wash => "wash",
            Self::Report => "report",
        }
    }

    /// Reads the word the log uses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }
}

macro_rules! sixteen_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }
    };
}

sixteen_bytes!(
    /// How the log names a number: a pseudonym that changes every month and that only the holder
    /// of the number's opening for that month can recognise.
    Pseudonym
);
sixteen_bytes!(
    /// Random-looking bytes that keep the hash of an entry from giving its content away.
    Salt
);

/// An entry's name: a UUID of version 7 (RFC 9562), so that ids sort by time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(Uuid);

impl EntryId {
    /// Builds the id from the entry's time and ten bytes that nobody can guess.
    #[must_use]
    pub fn new(at: Moment, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Reads the 36 characters of a UUID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The id of these 16 bytes (network order, RFC 9562 section 4).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The 16 bytes; they sort as the ids do.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Milliseconds since the epoch: the first 48 bits of a UUID of version 7. Of another UUID,
    /// which only a foreign entry could have, it is a number without meaning.
    #[must_use]
    pub const fn millis(&self) -> i64 {
        let [a, b, c, d, e, f, ..] = *self.as_bytes();
        i64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What several entries have in common: who acted, for whom, how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What happened.
    pub op: Op,
    /// The agency that asked or registered.
    pub agency: Option<AgencyId>,
    /// The seller it was about.
    pub seller: Option<SellerRef>,
    /// The key that was used; none when a person acted on the page.
    pub key: Option<KeyId>,
    /// The dialler's campaign.
    pub campaign: Option<Campaign>,
    /// The channel asked about, or those opted out of.
    pub channels: Option<Channels>,
    /// What else there is to say.
    pub detail: Option<Detail>,
}

impl Context {
    /// An act of the service itself.
    #[must_use]
    pub fn of_service(op: Op, detail: Detail) -> Self {
        Self {
            op,
            agency: None,
            seller: None,
            key: None,
            campaign: None,
            channels: None,
            detail: Some(detail),
        }
    }

    /// The same, done with a key, where there is one.
    #[must_use]
    pub fn by<'a>(self, key: impl Into<Option<&'a KeyId>>) -> Self {
        Self {
            key: key.into().cloned(),
            ..self
        }
    }

    /// Whose sequence numbers the entries carry: the agency that acted. Nobody's when somebody
    /// else did.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.agency.as_ref().map(AgencyId::as_str)
    }
}

/// What an entry says beyond the common fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    /// A month's pseudonym key begins: SHA-256 of the key, so that a later release can be checked.
    MonthKey {
        /// `2026-11`.
        month: String,
        /// SHA-256 of the month's key.
        commitment: [u8; 32],
    },
    /// An API key was made.
    KeyCreated {
        /// The new key's id.
        subject: KeyId,
        /// Its role's name.
        role: String,
    },
    /// An API key was revoked.
    KeyRevoked {
        /// The key's id.
        subject: KeyId,
    },
    /// A service process of this version began to write.
    Started {
        /// The version of metrust.
        version: String,
    },
    /// Something went wrong; the word says what.
    Incident {
        /// A short word from this project's documentation.
        what: String,
    },
    // The store keeps details by their place in this list: new ones come at the end.
    /// Openings of one month were given out.
    Opened {
        /// `2026-11`.
        month: String,
    },
    /// A month's pseudonym key was given out: who holds it can open that whole month.
    MonthReleased {
        /// `2026-11`.
        month: String,
        /// To whom and why, in the operator's words.
        note: String,
    },
    /// A key begins to sign the log.
    LogKey {
        /// The Ed25519 public key.
        public_key: [u8; 32],
    },
    /// A key has signed the log for the last time.
    LogKeyRetired {
        /// The Ed25519 public key.
        public_key: [u8; 32],
    },
    /// The entries of a whole log were deleted; its hashes stay.
    Pruned {
        /// The log's name.
        log: String,
        /// How many entries it had.
        entries: u64,
    },
    /// Call-detail records were matched with the log.
    Matched {
        /// SHA-256 of the records as they were handed in.
        records: [u8; 32],
    },
    /// A list of numbers begins to be brought in, or to be taken out.
    ImportBegun {
        /// Whether its numbers are taken out.
        removal: bool,
        /// Where the list comes from, in the operator's words.
        note: String,
        /// SHA-256 of the file.
        file: [u8; 32],
    },
    /// All of that list is in, or out.
    ImportFinished {
        /// Whether its numbers are taken out.
        removal: bool,
        /// Where the list comes from, in the operator's words.
        note: String,
        /// SHA-256 of the file.
        file: [u8; 32],
        /// How many numbers the list has, counted once in each part of it.
        numbers: u64,
        /// How many of them were not on the list before, or, of a removal, were on it.
        changed: u64,
        /// How many rows were rejected.
        rejected: u64,
    },
    /// A list was washed, to its end or not.
    Washed(Washed),
    /// An operator registered for a person who cannot use the page.
    OnBehalf {
        /// Why, in the operator's words.
        note: String,
    },
    /// A call was reported.
    Reported {
        /// The report's id ([`ReportId`](crate::domain::ReportId)).
        report: [u8; 16],
        /// What the log said about it at once.
        finding: Finding,
        /// The earliest moment at which the call may have come.
        called_from: Moment,
        /// The latest one.
        called_to: Moment,
    },
    /// The company answered a report.
    ReportAnswered {
        /// The report's id.
        report: [u8; 16],
    },
}

/// One leaf of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry's name.
    pub id: EntryId,
    /// When it happened, by the clock of the process that wrote it.
    pub time: Moment,
    /// Who, for whom, how.
    pub context: Arc<Context>,
    /// The number it was about, in a pseudonym of the month of `time`.
    pub pn: Option<Pseudonym>,
    /// The answer, for a check.
    pub answer: Option<Answer>,
    /// Hides the content behind the leaf's hash.
    pub salt: Salt,
    /// The process that wrote it.
    pub writer: [u8; 8],
    /// Counts that process's entries from 1 without a gap: a gap shows a loss.
    pub writer_seq: u64,
    /// Counts the client's entries from 1 without a gap, so that an export is provably complete.
    pub client_seq: Option<u64>,
}
