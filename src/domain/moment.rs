//! Points in time, as the registry counts them: whole milliseconds of UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Shown and read as RFC 3339 in UTC with exactly three decimals, so that texts sort as times do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Moment(i64);

/// A text that is not a date (`2026-11-21`) or an RFC 3339 time (`2026-11-21T20:00:00Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time: write 2026-11-21 or 2026-11-21T20:00:00Z")]
pub struct NotATime;

impl Moment {
    /// The end of time as this registry can write it (the last millisecond of the year 9999).
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The system clock's time.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// From milliseconds since the epoch; what lies outside the years 1970 to 9999 is moved to
    /// the nearest end.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, Self::MAX.0))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This moment, `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// How long after `earlier` this is; nothing if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The calendar month, in UTC, that this moment falls in.
    #[must_use]
    pub fn month(self) -> Month {
        let date = self.date_time();
        Month::new(date.year(), u8::from(date.month()))
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The same moment for showing to people: UTC date and time of the `time` crate.
    #[must_use]
    pub fn to_utc(self) -> OffsetDateTime {
        self.date_time()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.date_time();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl TryFrom<String> for Moment {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        text.parse()
    }
}

impl FromStr for Moment {
    type Err = NotATime;

    /// Reads RFC 3339 (any offset) or a bare date, which means its first millisecond in UTC.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let at = match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(at) => at.checked_to_offset(UtcOffset::UTC).ok_or(NotATime)?,
            Err(_) => Date::parse(text, format_description!("[year]-[month]-[day]"))
                .map(|date| PrimitiveDateTime::new(date, time::Time::MIDNIGHT).assume_utc())
                .map_err(|_| NotATime)?,
        };
        if !(1970..=9999).contains(&at.year()) {
            return Err(NotATime);
        }
        let millis = at.unix_timestamp_nanos() / 1_000_000;
        Ok(Self::from_millis(
            i64::try_from(millis).map_err(|_| NotATime)?,
        ))
    }
}

/// A calendar month of UTC; the pseudonyms of the log change with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u32);

impl Month {
    fn new(year: i32, month: u8) -> Self {
        let year = u32::try_from(year).unwrap_or(1970);
        Self(year * 12 + u32::from(month.clamp(1, 12)) - 1)
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Month {
    type Err = NotATime;

    /// Reads `2026-11`.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (year, month) = text.split_once('-').ok_or(NotATime)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(NotATime);
        }
        let year: i32 = year.parse().map_err(|_| NotATime)?;
        let month: u8 = month.parse().map_err(|_| NotATime)?;
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
            return Err(NotATime);
        }
        Ok(Self::new(year, month))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_what_it_writes() {
        for text in [
            "1970-01-01T00:00:00.000Z",
            "2026-11-21T21:36:56.123Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2026-11-21".parse::<Moment>().unwrap().to_string(),
            "2026-11-21T00:00:00.000Z"
        );
        assert_eq!(
            "2026-11-21T01:00:00+02:00".parse::<Moment>().unwrap(),
            "2026-11-20T23:00:00Z".parse().unwrap()
        );
        for wrong in [
            "9999-12-31T23:59:59-01:00",
            "",
            "yesterday",
            "2026-13-01",
            "20261121",
            "2026-11-21T25:00:00Z",
        ] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn months_follow_each_other_over_the_year_s_end() {
        let december: Month = "2026-12".parse().unwrap();
        assert_eq!(december.next().to_string(), "2027-01");
        let at: Moment = "2026-12-31T23:59:59.999Z".parse().unwrap();
        assert_eq!(at.month(), december);
        assert!("2026-00".parse::<Month>().is_err());
    }
}
