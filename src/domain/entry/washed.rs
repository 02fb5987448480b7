//! What an entry says about a whole list that was washed.

use serde::{Deserialize, Serialize};

/// What was taken in, answered and handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Washed {
    /// The wash's name, known to its client from the start: 16 bytes in the form of an entry's id.
    pub wash: [u8; 16],
    /// SHA-256 of the list up to the last row that was answered: of all of it if the wash came to
    /// its end. After decompression.
    pub input: [u8; 32],
    /// How many bytes that hash is over.
    pub bytes: u64,
    /// How many rows were answered; each has an entry of its own.
    pub rows: u64,
    /// How many of them must not be called.
    pub suppress: u64,
    /// How many of them nobody opted out.
    pub not_listed: u64,
    /// How many of them hold no number that can be read.
    pub invalid: u64,
    /// How many of them were handed to the client's connection. What arrived only the client knows.
    pub handed_over: u64,
    /// How it ended.
    pub end: WashEnd,
}

impl Washed {
    /// A count by the name of its field.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        Some(match name {
            "bytes" => self.bytes,
            "rows" => self.rows,
            "suppress" => self.suppress,
            "not_listed" => self.not_listed,
            "invalid" => self.invalid,
            "handed_over" => self.handed_over,
            _ => return None,
        })
    }
}

/// How a wash ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WashEnd {
    /// With its last row: everything was answered and handed over.
    Complete,
    /// The client no longer took what was handed to it.
    ClientGone,
    /// The list broke off, or its compression is damaged.
    InputBroken,
    /// Nothing came for too long.
    InputStalled,
    /// A row is longer than may be.
    RowTooLong,
    /// The key was revoked, or the mandate ended, in the middle.
    Refused,
    /// The store, or the log, could not take more.
    Unavailable,
}

impl WashEnd {
    const ALL: [Self; 7] = [
        Self::Complete,
        Self::ClientGone,
        Self::InputBroken,
        Self::InputStalled,
        Self::RowTooLong,
        Self::Refused,
        Self::Unavailable,
    ];

    /// The word that the log uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "washed",
            Self::ClientGone => "client_gone",
            Self::InputBroken => "input_broken",
            Self::InputStalled => "input_stalled",
            Self::RowTooLong => "row_too_long",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }

    /// Reads the word that the log uses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == text)
    }

    /// Whether every row of the list was answered and handed over.
    #[must_use]
    pub fn is_complete(self) -> bool {
        self == Self::Complete
    }
}
