//! Rows that cannot be used, and why.

use super::DateError;
use crate::domain::PhoneError;
use crate::table::RowError;

/// Why a row was rejected, or is in without its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Its number, or its cells.
    #[error("not in: {0}")]
    Row(RowError),
    /// Its date.
    #[error("in, but without its date: {0}")]
    Date(DateError),
}

/// Every reason, in the order of their numbers, which never change.
const REASONS: [Rejection; 22] = [
    phone(PhoneError::Empty),
    phone(PhoneError::TooLong),
    phone(PhoneError::Letters),
    phone(PhoneError::NotANumber),
    phone(PhoneError::Extension),
    phone(PhoneError::NeedsRegion),
    phone(PhoneError::NotValid),
    phone(PhoneError::Ambiguous),
    phone(PhoneError::EmergencyOrShort),
    Rejection::Row(RowError::NoNumber),
    Rejection::Row(RowError::Quotes),
    Rejection::Date(DateError::Unreadable),
    Rejection::Date(DateError::TooEarly),
    Rejection::Date(DateError::Future),
    phone(PhoneError::TwoNumbers),
    Rejection::Row(RowError::TooManyColumns),
    Rejection::Row(RowError::Region),
    Rejection::Row(RowError::NotAnObject),
    Rejection::Date(DateError::Ambiguous),
    phone(PhoneError::Scientific),
    phone(PhoneError::Decimal),
    phone(PhoneError::Address),
];

const fn phone(error: PhoneError) -> Rejection {
    Rejection::Row(RowError::Phone(error))
}

impl Rejection {
    /// A name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Row(error) => error.code(),
            Self::Date(DateError::Unreadable) => "date_unreadable",
            Self::Date(DateError::Ambiguous) => "date_ambiguous",
            Self::Date(DateError::TooEarly) => "date_too_early",
            Self::Date(DateError::Future) => "date_in_the_future",
        }
    }

    /// Its place among all reasons.
    pub(super) fn number(self) -> u8 {
        let place = REASONS.iter().position(|reason| *reason == self);
        place
            .and_then(|place| u8::try_from(place).ok())
            .unwrap_or(u8::MAX)
    }

    pub(super) fn from_number(number: u8) -> Option<Self> {
        REASONS.get(usize::from(number)).copied()
    }
}

/// A row that was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// Its line in its part, from 1.
    pub line: u32,
    /// Why.
    pub reason: Rejection,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_keeps_its_number() {
        for (number, reason) in REASONS.iter().enumerate() {
            assert_eq!(usize::from(reason.number()), number);
        }
        for error in PhoneError::ALL {
            assert!(REASONS.contains(&phone(error)), "{error:?}");
        }
    }
}
