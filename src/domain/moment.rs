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

    /// This moment, `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// Whether this is still to come, and no later than what begins now and lasts so long ends. What
    /// ends later was begun before the clock was set back: nobody can say how long ago that was.
    #[must_use]
    pub fn is_within(self, lasts: Duration) -> bool {
        let now = Self::now();
        // Clocks of several machines differ a little.
        now < self && self <= now.plus(lasts + Duration::from_secs(60))
    }

    /// How long after `earlier` this is; nothing if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The calendar month, in UTC, that this moment falls in.
    #[must_use]
    pub fn month(self) -> Month {
        let (year, month, _) = civil(self.0 / MILLIS_A_DAY);
        Month((year * 12 + month - 1) as u32)
    }

    /// The 24 characters that this moment is shown as, without the cost of a formatter.
    #[must_use]
    pub fn text(self) -> [u8; 24] {
        let (day, millis) = (self.0 / MILLIS_A_DAY, self.0 % MILLIS_A_DAY);
        let (year, month, date) = civil(day);
        let seconds = millis / 1000;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[0..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], date);
        put(&mut text[11..13], seconds / 3600);
        put(&mut text[14..16], seconds / 60 % 60);
        put(&mut text[17..19], seconds % 60);
        put(&mut text[20..23], millis % 1000);
        text
    }

    /// Reads those 24 characters and no others: `2026-11-21T20:00:00.000Z`.
    #[must_use]
    pub fn read_text(text: &[u8; 24]) -> Option<Self> {
        let [year, month, date] = [take(&text[0..4])?, take(&text[5..7])?, take(&text[8..10])?];
        let [hour, minute] = [take(&text[11..13])?, take(&text[14..16])?];
        let [second, milli] = [take(&text[17..19])?, take(&text[20..23])?];
        let signs = [
            text[4], text[7], text[10], text[13], text[16], text[19], text[23],
        ];
        if signs != *b"--T::.Z"
            || !(1970..=9999).contains(&year)
            || !(1..=12).contains(&month)
            || !(1..=31).contains(&date)
            || hour > 23
            || minute > 59
            || second > 59
        {
            return None;
        }
        let day = day_of(year, month, date);
        if date > 28 && civil(day) != (year, month, date) {
            return None;
        }
        let seconds = (day * 24 + hour) * 3600 + minute * 60 + second;
        Some(Self(seconds * 1000 + milli))
    }

    /// The calendar year, in UTC, that this moment falls in.
    #[must_use]
    pub fn year(self) -> u16 {
        u16::try_from(self.date_time().year()).unwrap_or(1970)
    }

    /// When a calendar year begins, in UTC.
    #[must_use]
    pub fn beginning_of(year: u16) -> Self {
        Self(day_of(i64::from(year), 1, 1) * MILLIS_A_DAY)
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

const MILLIS_A_DAY: i64 = 86_400_000;

// The Gregorian calendar counted in years that begin with March, so that the leap day is a year's
// last: month `m` of such a year begins after `(153 m + 2) / 5` days, 400 years have 146,097.

/// Days from 1970-01-01 to this date.
fn day_of(year: i64, month: i64, date: i64) -> i64 {
    let year = year - i64::from(month < 3);
    let month = (month + 9) % 12;
    let days = year * 365 + year / 4 - year / 100 + year / 400;
    days + (153 * month + 2) / 5 + date - 1 - DAYS_TO_1970
}

/// Days from the first of March of the year 0 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// Year, month and date of a day after 1970-01-01.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + DAYS_TO_1970;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year + i64::from(month >= 10);
    (year, (month + 2) % 12 + 1, date)
}

/// Writes a number in decimal digits, filling the whole place.
fn put(place: &mut [u8], mut number: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Reads decimal digits.
fn take(place: &[u8]) -> Option<i64> {
    place.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
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
        let usual = <&[u8; 24]>::try_from(text.as_bytes()).ok();
        if let Some(moment) = usual.and_then(Self::read_text) {
            return Ok(moment);
        }
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

    /// The month before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The calendar here is the one of the `time` crate.
        #[test]
        fn the_short_way_and_the_long_way_show_and_read_the_same(
            millis in prop_oneof![
                0..=Moment::MAX.0,
                (0..=Moment::MAX.0 / MILLIS_A_DAY).prop_map(|day| day * MILLIS_A_DAY),
            ],
        ) {
            let moment = Moment::from_millis(millis);
            let long = moment.to_utc();
            let text = moment.to_string();
            prop_assert_eq!(
                &text,
                &format!(
                    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                    long.year(),
                    u8::from(long.month()),
                    long.day(),
                    long.hour(),
                    long.minute(),
                    long.second(),
                    long.millisecond()
                )
            );
            prop_assert_eq!(Moment::read_text(&moment.text()), Some(moment));
            prop_assert_eq!(OffsetDateTime::parse(&text, &Rfc3339).unwrap(), long);
            prop_assert_eq!(moment.month().to_string(), &text[..7]);
        }

        #[test]
        fn a_text_of_24_characters_is_a_time_for_the_short_way_only_if_it_is_one_for_the_long_way(
            year in 1960_i64..10_010, month in 0_i64..14, date in 0_i64..33, hour in 0_i64..26,
            rest in "[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}[Zz+]",
        ) {
            let text = format!("{year:04}-{month:02}-{date:02}T{hour:02}:{rest}");
            let Ok(bytes) = <&[u8; 24]>::try_from(text.as_bytes()) else {
                return Ok(());
            };
            if let Some(read) = Moment::read_text(bytes) {
                prop_assert_eq!(read.to_utc(), OffsetDateTime::parse(&text, &Rfc3339).unwrap());
                prop_assert_eq!(read.to_string(), text);
            } else if let Ok(long) = OffsetDateTime::parse(&text, &Rfc3339) {
                let shown = Moment::from_millis((long.unix_timestamp_nanos() / 1_000_000) as i64);
                prop_assert_ne!(shown.to_string(), text);
            }
        }
    }

    #[test]
    fn a_year_begins_at_its_first_midnight() {
        for year in [1970, 1999, 2000, 2026, 2028, 9999] {
            let begins = Moment::beginning_of(year);
            assert_eq!(begins.to_string(), format!("{year}-01-01T00:00:00.000Z"));
        }
    }

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
