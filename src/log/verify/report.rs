//! What a verification found, in words for whoever has to judge it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::domain::Moment;
use crate::log::{Hash, loss};

/// What was verified, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each log, by name.
    pub logs: Vec<LogReport>,
    /// Everything that does not hold; empty means that all of it holds. By log, and those that name an
    /// entry first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether everything holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    /// Where the logs that are here have it on record that the entries of this log were deleted:
    /// the name of a log, and the entry in it.
    #[must_use]
    pub fn deletion_of(&self, log: &str, size: u64) -> Option<(&str, u64)> {
        self.logs.iter().find_map(|other| {
            let mut deletions = other.deletions.iter();
            let deletion = deletions.find(|gone| gone.log == log && gone.entries == size)?;
            Some((other.name.as_str(), deletion.index))
        })
    }

    /// The first entry of this log that is wrong, or the range that it lies in where hashes cannot
    /// tell more. Nothing if no finding names an entry.
    #[must_use]
    pub fn first_wrong(&self, log: &str) -> Option<Range<u64>> {
        let mut first: Option<Range<u64>> = None;
        for finding in self.findings.iter().filter(|finding| finding.log == log) {
            let Some(place) = finding.place.entries() else {
                continue;
            };
            first = Some(match first {
                None => place,
                // Nearer to the start, or more exact.
                Some(known) if place.end <= known.start => place,
                Some(known) if known.end <= place.start => known,
                Some(known) if place.end - place.start < known.end - known.start => place,
                Some(known) => known,
            });
        }
        first
    }
}

/// What was seen of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// The log's name: `2026`.
    pub name: String,
    /// The name that its checkpoint gives it: `dnc.example.org/log/2026`.
    pub origin: String,
    /// The number of entries, by its checkpoint.
    pub size: u64,
    /// The root, by its checkpoint.
    pub root: Hash,
    /// Which entries were there and were read; the others were verified by their hashes alone.
    pub content: Content,
    /// How many of the older checkpoints that were kept with the log were confirmed.
    pub older: u64,
    /// The checkpoints from elsewhere that were confirmed: their label and size.
    pub held: Vec<(String, u64)>,
    /// The receipts that were confirmed: their label and the entry's index.
    pub receipts: Vec<(String, u64)>,
    /// Known witnesses who cosigned the newest checkpoint, by name.
    pub witnesses: Vec<String>,
    /// The agencies whose entries were read, with how many.
    pub agencies: BTreeMap<String, u64>,
    /// The service processes that wrote the entries that were read, with how many.
    pub writers: BTreeMap<String, u64>,
    /// What the log itself says went wrong.
    pub incidents: Vec<Incident>,
    /// Counters that do not go on from the entry before because of such an incident, in words.
    pub losses: Vec<String>,
    /// Deletions of whole logs' entries that this log has on record.
    pub deletions: Vec<Deletion>,
    /// Files of the folder of a service that lie beyond the checkpoint: they are not signed yet, and
    /// were not read. In a bundle such a file is a [`Finding`].
    pub not_signed: Vec<String>,
}

/// Which entries of a log were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// All of them.
    All,
    /// Those of a range: the bundle has no others, and its manifest says so.
    Range(Range<u64>),
    /// None: they were deleted when the time for which they are kept had passed.
    Nothing,
}

impl Content {
    /// The entries that must be there, of `size`.
    #[must_use]
    pub fn range(&self, size: u64) -> Range<u64> {
        match self {
            Self::All => 0..size,
            Self::Range(range) => range.start.min(size)..range.end.min(size),
            Self::Nothing => 0..0,
        }
    }
}

/// An entry in which the service says that something went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The entry's index.
    pub index: u64,
    /// When.
    pub time: Moment,
    /// What, in one word of this project's documentation.
    pub word: String,
}

impl Incident {
    /// Whether it says that the store lost entries: then the counters go on from what it still knew.
    pub(super) fn is_loss(&self) -> bool {
        self.word.starts_with(loss::ACCEPTED) || self.word == loss::FOUND
    }
}

/// An entry in which the service says that it deleted the entries of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The entry's index.
    pub index: u64,
    /// The name of the log whose entries were deleted.
    pub log: String,
    /// How many these were.
    pub entries: u64,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The log's name; empty if it belongs to none.
    pub log: String,
    /// Where.
    pub place: Place,
    /// What.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.log.is_empty() {
            write!(f, "{}, ", self.log)?;
        }
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Where something does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The log as a whole.
    Log,
    /// One entry.
    Entry(u64),
    /// One of these entries; the hashes cannot tell which.
    Entries(Range<u64>),
    /// A tile or an entry bundle, by its path.
    Tile(String),
    /// A file that is no part of a log or a bundle, by its path.
    File(String),
    /// A checkpoint, by its file or the name it was given with.
    Checkpoint(String),
    /// A receipt, by the name it was given with.
    Receipt(String),
}

impl Place {
    /// The entries it means, if it means some.
    #[must_use]
    pub fn entries(&self) -> Option<Range<u64>> {
        match self {
            Self::Entry(index) => Some(*index..index + 1),
            Self::Entries(range) => Some(range.clone()),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => write!(f, "the log"),
            Self::Entry(index) => write!(f, "entry {index}"),
            Self::Entries(range) => {
                let last = range.end.saturating_sub(1);
                write!(f, "one of the entries {} to {last}", range.start)
            }
            Self::Tile(path) | Self::File(path) => write!(f, "{path}"),
            Self::Checkpoint(label) | Self::Receipt(label) => write!(f, "{label}"),
        }
    }
}
