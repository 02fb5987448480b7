//! The date of an objection.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::Moment;

const MILLIS_A_DAY: i64 = 86_400_000;

/// The first do-not-call lists are from the 1980s.
const EARLIEST: &str = "1980-01-01";

/// A calendar day since 1970-01-01. Shown and read as `2019-05-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u16);

/// Why a text is not the date of an objection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not of this form.
    #[error("it must be like 2019-05-01")]
    Unreadable,
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

    /// Reads the date of an objection: `2019-05-01`, with or without a time behind it, or
    /// `20190501`. It must lie between 1980 and `today`.
    ///
    /// # Errors
    /// [`DateError`].
    pub fn read(text: &[u8], today: Self) -> Result<Self, DateError> {
        let day = Self::read_any(text).ok_or(DateError::Unreadable)?;
        if Some(day) < EARLIEST.parse().ok() {
            return Err(DateError::TooEarly);
        }
        if day > today {
            return Err(DateError::Future);
        }
        Ok(day)
    }

    fn read_any(text: &[u8]) -> Option<Self> {
        let mut full = *b"0000-00-00T00:00:00.000Z";
        match text {
            [y @ .., m1, m2, d1, d2] if y.len() == 4 => {
                full[..4].copy_from_slice(y);
                full[5..7].copy_from_slice(&[*m1, *m2]);
                full[8..10].copy_from_slice(&[*d1, *d2]);
            }
            _ => {
                let (date, rest) = text.split_at_checked(10)?;
                if !matches!(rest.first(), None | Some(b'T' | b't' | b' ')) {
                    return None;
                }
                full[..10].copy_from_slice(date);
            }
        }
        Moment::read_text(&full).map(Self::of)
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
        let moment = Moment::from_millis(i64::from(self.0) * MILLIS_A_DAY);
        f.write_str(&moment.to_string()[..10])
    }
}

impl FromStr for Day {
    type Err = DateError;

    /// Reads `2019-05-01`, whenever that is.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let day = Self::read_any(text.as_bytes()).filter(|_| text.len() == 10);
        day.ok_or(DateError::Unreadable)
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

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let _ = Day::read(&bytes, Day::today());
        }
    }

    #[test]
    fn what_could_mean_another_day_is_refused() {
        for text in [
            "",
            "2019",
            "2019-5-1",
            "01/05/2019",
            "01-05-2019",
            "190501",
            "2019-02-30",
            "2019-05-011",
            "2019-05-01x",
            "201905011",
            "20190532",
        ] {
            let read = Day::read(text.as_bytes(), Day::today());
            assert_eq!(read, Err(DateError::Unreadable), "{text}");
        }
    }
}
