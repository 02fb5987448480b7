//! What a check answers.

use serde::Serialize;

use super::{EntryId, Moment};

/// What a dialler is told about one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The number must not be called.
    Suppress(Reason),
    /// The registry holds no opt-out for it. Not a permission to call: consent and the law are
    /// the caller's own duty.
    NotListed,
    /// The number could not be read, so nothing is known about it.
    Invalid,
}

impl Answer {
    /// `suppress`, `not_listed` or `invalid`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suppress(_) => "suppress",
            Self::NotListed => "not_listed",
            Self::Invalid => "invalid",
        }
    }

    /// Why, when there is a reason to give.
    #[must_use]
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Suppress(reason) => Some(reason),
            _ => None,
        }
    }
}

/// Why a number is suppressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody opted this number out of calls for every seller.
    AllSellers,
    /// Somebody opted this number out of calls for the seller asked about.
    ThisSeller,
}

impl Reason {
    /// `all_sellers` or `this_seller`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllSellers => "all_sellers",
            Self::ThisSeller => "this_seller",
        }
    }

    /// Reads `all_sellers` or `this_seller`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "all_sellers" => Some(Self::AllSellers),
            "this_seller" => Some(Self::ThisSeller),
            _ => None,
        }
    }
}

/// One recorded answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What was answered.
    pub answer: Answer,
    /// The audit entry that records it.
    pub id: EntryId,
    /// When it was answered; its validity counts from here.
    pub at: Moment,
}
