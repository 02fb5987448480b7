//! The date of an objection.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::Moment;
use crate::table::{DateOrder, NoDate, read_date};

const MILLIS_A_DAY: i64 = 86_400_000;

/// The first do-not-call lists are from the 1980s.
const EARLIEST: i16 = 1980;

const UNIX_EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A calendar day since 1970-01-01. Shown and read as `2019-05-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u16);

/// Why a text is not the date of an objection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not a date.
    #[error("it is no date, or not in a form that is known here")]
    Unreadable,
    /// Day and month could be either.
    #[error("its day and its month could be either: say in which order they stand")]
    Ambiguous,
    /// Nobody objected that early.
    #[error("it is before 1980")]
    TooEarly,
    /// Nobody has objected then yet.
    #[error("it is in the future")]
    Future,
}

impl Day {
    /// The day it is. Of several that it is on earth, the last.
    #[must_use]
    pub fn today() -> Self {
        let furthest = 14 * 3_600_000;
        Self::of(Moment::from_millis(Moment::now().millis() + furthest))
    }

    fn of(moment: Moment) -> Self {
        Self(u16::try_from(moment.millis() / MILLIS_A_DAY).unwrap_or(u16::MAX))
    }

    pub(super) fn number(self) -> u16 {
        self.0
    }

    /// 0 is not known.
    pub(super) fn from_number(number: u16) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// Reads the date of an objection, if there is one; see [`read_date`]. It must lie between 1980
    /// and `today`.
    ///
    /// # Errors
    /// [`DateError`].
    pub fn read(
        text: &str,
        order: Option<DateOrder>,
        today: Self,
    ) -> Result<Option<Self>, DateError> {
        let date = match read_date(text, order) {
            Ok(date) => date,
            Err(NoDate::Missing) => return Ok(None),
            Err(NoDate::Ambiguous) => return Err(DateError::Ambiguous),
            Err(NoDate::Unreadable) => return Err(DateError::Unreadable),
        };
        if date.year() < EARLIEST {
            return Err(DateError::TooEarly);
        }
        let days = date.duration_since(UNIX_EPOCH).as_hours() / 24;
        let day = u16::try_from(days)
            .map(Self)
            .map_err(|_| DateError::Future)?;
        match day > today {
            true => Err(DateError::Future),
            false => Ok(Some(day)),
        }
    }

    /// The first and the last day of two spans.
    pub(super) fn around(
        one: Option<(Self, Self)>,
        other: Option<(Self, Self)>,
    ) -> Option<(Self, Self)> {
        match (one, other) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = jiff::SignedDuration::from_hours(24 * i64::from(self.0));
        fmt::Display::fmt(&UNIX_EPOCH.saturating_add(days), f)
    }
}

impl FromStr for Day {
    type Err = DateError;

    /// Reads `2019-05-01`, whenever that is.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let date: Date = text.parse().map_err(|_| DateError::Unreadable)?;
        let days = date.duration_since(UNIX_EPOCH).as_hours() / 24;
        let day = u16::try_from(days).map_err(|_| DateError::Unreadable)?;
        match date.to_string() == text {
            true => Ok(Self(day)),
            false => Err(DateError::Unreadable),
        }
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_day_reads_what_it_shows(number in 1_u16..) {
            let day = Day(number);
            prop_assert_eq!(day.to_string().parse(), Ok(day));
            prop_assert_eq!(Day::from_number(day.number()), Some(day));
            let json = serde_json::to_string(&day).unwrap();
            prop_assert_eq!(serde_json::from_str::<Day>(&json).unwrap(), day);
        }
    }

    #[test]
    fn an_objection_was_made_since_1980_and_not_tomorrow() {
        let today = "2026-11-25".parse().unwrap();
        let read = |text| Day::read(text, None, today);
        assert_eq!(read("2026-11-25"), Ok(Some(today)));
        assert_eq!(read("NULL"), Ok(None));
        assert_eq!(read("2026-11-26"), Err(DateError::Future));
        assert_eq!(read("1979-12-31"), Err(DateError::TooEarly));
        assert_eq!(read("01/05/2019"), Err(DateError::Ambiguous));
        assert_eq!(read("soon"), Err(DateError::Unreadable));
    }
}
