//! A call that a person reports, and what the log says about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::EntryId;

/// A report's name, which gives nothing away: a UUID, as entries have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReportId(EntryId);

impl ReportId {
    /// The id of these 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        // Version 8 of RFC 9562: the bytes mean nothing but themselves.
        let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        Self(EntryId::from_bytes(*uuid.as_bytes()))
    }

    /// Reads the 36 characters of a UUID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        EntryId::parse(text).map(Self)
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the log says about a call that was reported: whether anybody had asked about the number
/// for that company, and what they were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Nobody had asked in the days before the call that are looked through.
    NotAsked,
    /// They had asked, and were told that the number must not be called.
    ToldNotToCall,
    /// They had asked before the opt-out, and that answer could still be used.
    AskedBefore,
    /// They had asked before the opt-out, and that answer could no longer be used.
    AnswerExpired,
    /// They had asked, and there was no opt-out when the call came. That is no permission to call.
    NotOptedOut,
    /// The company is not known here, so nothing can have been asked for it.
    UnknownCompany,
    /// Somebody had asked, but what that says of the call depends on when exactly it came, or on
    /// who made it. Doubt counts for the caller.
    Uncertain,
    /// Somebody had asked, and what they were told is not for this reader.
    Asked,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Self; 8] = [
        Self::NotAsked,
        Self::ToldNotToCall,
        Self::AskedBefore,
        Self::AnswerExpired,
        Self::NotOptedOut,
        Self::UnknownCompany,
        Self::Uncertain,
        Self::Asked,
    ];

    /// The word that the log and the interface use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::ToldNotToCall => "told_not_to_call",
            Self::AskedBefore => "asked_before",
            Self::AnswerExpired => "answer_expired",
            Self::NotOptedOut => "not_opted_out",
            Self::UnknownCompany => "unknown_company",
            Self::Uncertain => "uncertain",
            Self::Asked => "asked",
        }
    }

    /// Reads that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// Whether the number was opted out when a call came that was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptedOut {
    /// From some moment on until the end of the time within which the call came.
    Listed,
    /// The log has no opt-out that held then.
    NotListed,
    /// For a part of that time only, or for some companies while none was named.
    Uncertain,
    /// Not for this reader.
    NotShown,
}

impl OptedOut {
    /// The word that the interface uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::NotListed => "not_listed",
            Self::Uncertain => "uncertain",
            Self::NotShown => "not_shown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_findings_are_read_back() {
        let id = ReportId::from_bytes([7; 16]);
        assert_eq!(ReportId::parse(&id.to_string()), Some(id));
        assert_eq!(ReportId::parse("R-1"), None);
        for finding in Finding::ALL {
            assert_eq!(Finding::parse(finding.as_str()), Some(finding));
            let json = serde_json::to_string(&finding).unwrap();
            assert_eq!(json, format!("\"{}\"", finding.as_str()));
        }
    }
}
