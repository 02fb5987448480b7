//! The names of logs: one a year.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A log's name: its year (`2026`), and, where the year's first log was lost and another had to be
/// begun, its number (`2026-2`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LogName {
    year: u16,
    part: u16,
}

/// A text that is not a log's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a log's name: write a year, as in 2026")]
pub struct NotALogName;

impl LogName {
    /// The first log of a year between 1970 and 9999.
    #[must_use]
    pub fn of_year(year: u16) -> Self {
        Self {
            year: year.clamp(1970, 9999),
            part: 1,
        }
    }

    /// The log of a year that had `part` logs, this one included.
    #[must_use]
    pub fn part_of_year(year: u16, part: u16) -> Self {
        Self {
            part: part.max(1),
            ..Self::of_year(year)
        }
    }

    /// The year whose entries it holds. A few of the year before may have come late.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            1 => write!(f, "{}", self.year),
            part => write!(f, "{}-{part}", self.year),
        }
    }
}

impl FromStr for LogName {
    type Err = NotALogName;

    fn from_str(text: &str) -> Result<Self, NotALogName> {
        let (year, part) = match text.split_once('-') {
            None => (text, 1),
            Some((year, part)) => (year, part.parse().map_err(|_| NotALogName)?),
        };
        let year = year.parse().map_err(|_| NotALogName)?;
        let name = Self { year, part };
        // What is written back alike has no other spelling.
        if (1970..=9999).contains(&year) && part > 0 && name.to_string() == text {
            Ok(name)
        } else {
            Err(NotALogName)
        }
    }
}

impl From<LogName> for String {
    fn from(name: LogName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for LogName {
    type Error = NotALogName;

    fn try_from(text: String) -> Result<Self, NotALogName> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        for text in ["2026", "2026-2", "1970", "9999-12"] {
            assert_eq!(text.parse::<LogName>().unwrap().to_string(), text);
        }
        for wrong in [
            "", "26", "02026", "2026-1", "2026-0", "2026-02", "2026-", "../x", "10000",
        ] {
            assert!(wrong.parse::<LogName>().is_err(), "{wrong}");
        }
        let (first, second) = (LogName::of_year(2026), LogName::part_of_year(2026, 2));
        assert_eq!(second.to_string(), "2026-2");
        assert!(first < second && second < LogName::of_year(2027));
    }
}
