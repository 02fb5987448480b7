//! Small records with a version.

use super::list::Draft;

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A seller.
    Seller,
    /// An agency.
    Agency,
    /// An API key: its role and its hash.
    Key,
    /// A month's wrapped key.
    Month,
    /// The number that the next seller gets.
    Counter,
    /// A person's registration.
    Registration,
    /// What a registration wants of the index that the index may not have yet.
    Open,
    /// What the store knows of the log: which one is its own, how far it has come, its keys.
    Log,
    /// A list that was brought in: where it comes from, and how far it has come.
    Import,
    /// When a wash was put on record, so that its entry can be found.
    Wash,
    /// A call that a person reported.
    Report,
    /// The list of a code's reports.
    Case,
    /// A letter that is to be sent.
    Letter,
    /// A session of the pages that was closed before its time.
    Session,
}

impl Kind {
    /// The word the store uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seller => "seller",
            Self::Agency => "agency",
            Self::Key => "key",
            Self::Month => "month",
            Self::Counter => "counter",
            Self::Registration => "registration",
            Self::Open => "open",
            Self::Log => "log",
            Self::Import => "import",
            Self::Wash => "wash",
            Self::Report => "report",
            Self::Case => "case",
            Self::Letter => "letter",
            Self::Session => "session",
        }
    }

    /// Whether the service keeps it for itself, and needs it also while the store answers nobody.
    #[must_use]
    pub fn is_own(self) -> bool {
        matches!(self, Self::Log | Self::Month)
    }

    /// Whether there is a list of all of them: they are few, or few are there at a time.
    #[must_use]
    pub fn is_listed(self) -> bool {
        self.in_directory() || matches!(self, Self::Open | Self::Import)
    }

    /// Whether every service process keeps these in memory and must hear when one changes.
    #[must_use]
    pub fn in_directory(self) -> bool {
        !matches!(
            self,
            Self::Registration
                | Self::Open
                | Self::Counter
                | Self::Log
                | Self::Import
                | Self::Wash
                | Self::Report
                | Self::Case
                | Self::Letter
                | Self::Session
        )
    }
}

/// A document of the same id that changes in the same step as another. Nobody else changes it.
#[derive(Debug, Clone)]
pub struct Beside {
    /// What it is about.
    pub kind: Kind,
    /// What it is to be; nothing to remove it, whether it is there or not.
    pub draft: Option<Draft>,
}

/// A document as it was got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Names this state of it; give it back to replace it.
    pub version: u64,
    /// JSON.
    pub body: String,
}
