//! What was found out about a call.

use crate::domain::{AgencyId, EntryId, Moment, SellerRef};

/// Whether somebody had asked about the number before the call, and what they were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// The last check before the call found no opt-out, and could still be used.
    CheckedClear,
    /// The last check before the call said that the number must not be called.
    CheckedSuppressed,
    /// The last check was too old to be used, whatever it said.
    CheckExpired,
    /// There was no check, and the record reaches far enough to know that.
    NeverChecked,
    /// The called number is not one.
    InvalidNumber,
    /// Something else in the row cannot be read.
    UnreadableRow,
    /// No check that answers for the call is known, but the record does not cover it: nobody may be
    /// accused.
    NotCovered,
}

impl Finding {
    /// Every finding, in the order of a summary.
    pub const ALL: [Self; 7] = [
        Self::CheckedClear,
        Self::CheckedSuppressed,
        Self::CheckExpired,
        Self::NeverChecked,
        Self::InvalidNumber,
        Self::UnreadableRow,
        Self::NotCovered,
    ];

    /// How much it speaks against the caller.
    pub(super) fn severity(self) -> u8 {
        match self {
            Self::CheckedClear => 0,
            Self::InvalidNumber | Self::UnreadableRow | Self::NotCovered => 1,
            Self::CheckExpired => 2,
            Self::NeverChecked => 3,
            Self::CheckedSuppressed => 4,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CheckedClear => "checked_clear",
            Self::CheckedSuppressed => "checked_suppressed",
            Self::CheckExpired => "check_expired",
            Self::NeverChecked => "never_checked",
            Self::InvalidNumber => "invalid_number",
            Self::UnreadableRow => "unreadable_row",
            Self::NotCovered => "not_covered",
        }
    }
}

/// Whether the number was opted out of calls when it was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registered {
    /// For every seller.
    AllSellers,
    /// For the seller of the call: that of the record, else that of the check.
    ThisSeller,
    /// For some seller, while nobody knows for whom the call was.
    OtherSeller,
    /// Not.
    No,
    /// It stood on a list that was imported whole, for all sellers or for that of the call.
    Imported,
    /// Nobody can tell from the log: it does not go back far enough, or whole lists were imported,
    /// of whose numbers it has no entries.
    Unknown,
}

impl Registered {
    /// Every value, in the order of a summary.
    pub const ALL: [Self; 6] = [
        Self::AllSellers,
        Self::ThisSeller,
        Self::OtherSeller,
        Self::No,
        Self::Imported,
        Self::Unknown,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllSellers => "all_sellers",
            Self::ThisSeller => "this_seller",
            Self::OtherSeller => "other_seller",
            Self::No => "no",
            Self::Imported => "imported",
            Self::Unknown => "unknown",
        }
    }
}

/// The check that decides about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its entry in the log.
    pub id: EntryId,
    /// When it was answered.
    pub at: Moment,
    /// Who asked.
    pub agency: Option<AgencyId>,
    /// On whose behalf.
    pub seller: Option<SellerRef>,
}

/// What the log says about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Was it checked?
    pub finding: Finding,
    /// Was the number opted out? Nothing when the row cannot be read.
    pub registered: Option<Registered>,
    /// The check that decided, also if it had expired.
    pub check: Option<Check>,
    /// The entry of the registration that held; of several the latest.
    pub registration: Option<EntryId>,
    /// Why the row cannot be read, or why the record does not cover the call.
    pub reason: Option<&'static str>,
}
