//! Rows that cannot be used, and why.

use super::DateError;
use crate::domain::PhoneError;

/// Why a row was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// Its number.
    Phone(PhoneError),
    /// It has fewer columns.
    Columns,
    /// It has more columns than the table: which of them is the number cannot be known.
    TooManyColumns,
    /// A quotation mark is opened and not closed, or closed in the middle.
    Quotes,
    /// Its date.
    Date(DateError),
}

/// Every reason, in the order of their numbers, which never change.
const REASONS: [Rejection; 16] = [
    Rejection::Phone(PhoneError::Empty),
    Rejection::Phone(PhoneError::TooLong),
    Rejection::Phone(PhoneError::Letters),
    Rejection::Phone(PhoneError::NotANumber),
    Rejection::Phone(PhoneError::Extension),
    Rejection::Phone(PhoneError::NeedsRegion),
    Rejection::Phone(PhoneError::NotValid),
    Rejection::Phone(PhoneError::Ambiguous),
    Rejection::Phone(PhoneError::EmergencyOrShort),
    Rejection::Columns,
    Rejection::Quotes,
    Rejection::Date(DateError::Unreadable),
    Rejection::Date(DateError::TooEarly),
    Rejection::Date(DateError::Future),
    Rejection::Phone(PhoneError::TwoNumbers),
    Rejection::TooManyColumns,
];

impl Rejection {
    /// A name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Phone(error) => error.code(),
            Self::Columns => "row_columns",
            Self::TooManyColumns => "too_many_columns",
            Self::Quotes => "row_quotes",
            Self::Date(DateError::Unreadable) => "date_unreadable",
            Self::Date(DateError::TooEarly) => "date_too_early",
            Self::Date(DateError::Future) => "date_in_the_future",
        }
    }

    pub(super) fn number(self) -> u8 {
        match self {
            Self::Phone(PhoneError::Empty) => 0,
            Self::Phone(PhoneError::TooLong) => 1,
            Self::Phone(PhoneError::Letters) => 2,
            Self::Phone(PhoneError::NotANumber) => 3,
            Self::Phone(PhoneError::Extension) => 4,
            Self::Phone(PhoneError::NeedsRegion) => 5,
            Self::Phone(PhoneError::NotValid) => 6,
            Self::Phone(PhoneError::Ambiguous) => 7,
            Self::Phone(PhoneError::EmergencyOrShort) => 8,
            Self::Columns => 9,
            Self::Quotes => 10,
            Self::Date(DateError::Unreadable) => 11,
            Self::Date(DateError::TooEarly) => 12,
            Self::Date(DateError::Future) => 13,
            Self::Phone(PhoneError::TwoNumbers) => 14,
            Self::TooManyColumns => 15,
        }
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
            assert!(REASONS.contains(&Rejection::Phone(error)), "{error:?}");
        }
    }
}
