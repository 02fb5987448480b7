//! A call, as a call-detail record tells it.

use std::fmt;

use csv::ByteRecord;

use crate::domain::{AgencyId, Moment, PhoneError, PhoneNumber, SellerId};

/// What is asked about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The number that was called.
    pub number: PhoneNumber,
    /// When; where a clock that was set back leaves two moments, the earlier one.
    pub time: Moment,
    /// The later one.
    pub or_time: Option<Moment>,
    /// The agency that called, if the record says so.
    pub agency: Option<AgencyId>,
    /// The seller on whose behalf, if the record says so.
    pub seller: Option<SellerId>,
}

/// Why nothing can be found out about a row. It is given back with this reason, never left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The called number is not one.
    #[error("the called number cannot be read: {0}")]
    Number(PhoneError),
    /// The time is not one.
    #[error("the time cannot be read")]
    Time,
    /// The time is one of the clock on the wall, and nobody has said where that wall is.
    #[error("the time does not say its zone")]
    WithoutZone,
    /// Day and month of the time could be either.
    #[error("the day and the month of the time could be either")]
    DateAmbiguous,
    /// No clock showed that time, as it was set forward over it.
    #[error("the time is one that no clock in that zone has shown")]
    NeverShown,
    /// The agency is not known here.
    #[error("there is no agency of this id")]
    UnknownAgency,
    /// The seller is not known here.
    #[error("there is no seller of this id")]
    UnknownSeller,
    /// The agency is no agency's id.
    #[error("the agency is not the id of one")]
    Agency,
    /// The seller is no seller's id.
    #[error("the seller is not the id of one")]
    Seller,
    /// It has more or fewer columns than the first row: nobody knows which is which.
    #[error("the row has more or fewer columns than the first one")]
    Columns,
}

impl Unreadable {
    /// A word for programs; it never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Number(error) => error.code(),
            Self::Time => "unreadable_time",
            Self::WithoutZone => "time_without_zone",
            Self::DateAmbiguous => "date_ambiguous",
            Self::NeverShown => "time_never_shown",
            Self::UnknownAgency => "unknown_agency",
            Self::UnknownSeller => "unknown_seller",
            Self::Agency => "unreadable_agency",
            Self::Seller => "unreadable_seller",
            Self::Columns => "column_count",
        }
    }
}

/// One row of the records: what it says, and its columns as they came.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The columns, byte by byte.
    pub columns: ByteRecord,
    /// The call.
    pub call: Result<Call, Unreadable>,
    /// The agency, also when the rest cannot be read.
    pub agency: Option<AgencyId>,
}

/// Without the columns: they hold numbers.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("columns", &self.columns.len())
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}
