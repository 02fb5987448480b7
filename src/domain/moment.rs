//! Points in time, as the registry counts them: whole milliseconds of UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

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
    /// The end of time as this registry can write it, 9999-12-30T21:59:59.999Z: a day before the year
    /// 9999 ends, so that a clock of any zone shows it within that year.
    pub const MAX: Self = Self(253_402_207_199_999);

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
        let at = self.in_utc();
        Month::new(at.year(), at.month())
    }

    /// The 24 characters that this moment is shown as, without the cost of a formatter.
    #[must_use]
    pub fn text(self) -> [u8; 24] {
        let at = self.in_utc();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[0..4], at.year());
        put(&mut text[5..7], at.month().into());
        put(&mut text[8..10], at.day().into());
        put(&mut text[11..13], at.hour().into());
        put(&mut text[14..16], at.minute().into());
        put(&mut text[17..19], at.second().into());
        put(&mut text[20..23], at.millisecond());
        text
    }

    /// Reads those 24 characters and no others: `2026-11-21T20:00:00.000Z`.
    #[must_use]
    pub fn read_text(text: &[u8; 24]) -> Option<Self> {
        let year = take(&text[0..4])?;
        let [month, day, hour] = [
            take(&text[5..7])?,
            take(&text[8..10])?,
            take(&text[11..13])?,
        ];
        let [minute, second] = [take(&text[14..16])?, take(&text[17..19])?];
        let milli = take(&text[20..23])?;
        let signs = [
            text[4], text[7], text[10], text[13], text[16], text[19], text[23],
        ];
        if signs != *b"--T::.Z" {
            return None;
        }
        let two = |number: i16| i8::try_from(number).ok();
        let date = Date::new(year, two(month)?, two(day)?).ok()?;
        let time = Time::new(
            two(hour)?,
            two(minute)?,
            two(second)?,
            i32::from(milli) * 1_000_000,
        );
        Self::of_utc(date.to_datetime(time.ok()?))
    }

    /// The calendar year, in UTC, that this moment falls in.
    #[must_use]
    pub fn year(self) -> u16 {
        self.in_utc().year().unsigned_abs()
    }

    /// When a calendar year begins, in UTC.
    #[must_use]
    pub fn beginning_of(year: u16) -> Self {
        let year = i16::try_from(year).unwrap_or(i16::MAX).clamp(1970, 9999);
        Self::of_utc(date(year, 1, 1).at(0, 0, 0, 0)).unwrap_or(Self::MAX)
    }

    /// The same for the calendar.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What a clock shows in UTC.
    fn in_utc(self) -> DateTime {
        Offset::UTC.to_datetime(self.timestamp())
    }

    fn of_utc(shown: DateTime) -> Option<Self> {
        Self::try_from(Offset::UTC.to_timestamp(shown).ok()?).ok()
    }
}

/// Writes a number in decimal digits, filling the whole place.
fn put(place: &mut [u8], mut number: i16) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Reads at most four decimal digits.
fn take(place: &[u8]) -> Option<i16> {
    place.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i16::from(digit - b'0'))
    })
}

impl TryFrom<Timestamp> for Moment {
    type Error = NotATime;

    /// Cuts off what is less than a millisecond.
    fn try_from(at: Timestamp) -> Result<Self, NotATime> {
        match at.as_millisecond() {
            millis @ 0.. => Ok(Self(millis)),
            _ => Err(NotATime),
        }
    }
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
        // With a time zone in brackets it would be RFC 9557, where two of them may disagree.
        let at = text
            .parse::<Timestamp>()
            .ok()
            .filter(|_| !text.contains('['));
        let day = || {
            text.parse::<Date>()
                .ok()
                .filter(|day| day.to_string() == text)
        };
        match at {
            Some(at) => at.try_into(),
            None => Self::of_utc(day().ok_or(NotATime)?.at(0, 0, 0, 0)).ok_or(NotATime),
        }
    }
}

/// A calendar month of UTC; the pseudonyms of the log change with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u32);

impl Month {
    fn new(year: i16, month: i8) -> Self {
        let month = u32::from(month.clamp(1, 12).unsigned_abs());
        Self(u32::from(year.unsigned_abs()) * 12 + month - 1)
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
        let year: i16 = year.parse().map_err(|_| NotATime)?;
        let month: i8 = month.parse().map_err(|_| NotATime)?;
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
        #[test]
        fn the_short_way_and_the_long_way_show_and_read_the_same(millis in 0..=Moment::MAX.0) {
            let moment = Moment::from_millis(millis);
            let text = moment.to_string();
            prop_assert_eq!(&text, &format!("{:.3}", moment.timestamp()));
            prop_assert_eq!(Moment::read_text(&moment.text()), Some(moment));
            prop_assert_eq!(text.parse::<Timestamp>().unwrap(), moment.timestamp());
            prop_assert_eq!(moment.month().to_string(), &text[..7]);
            prop_assert_eq!(moment.month().to_string().parse(), Ok(moment.month()));
        }

        #[test]
        fn a_text_of_24_characters_is_a_time_for_the_short_way_only_if_it_is_one_for_the_long_way(
            year in 1970_i64..10_010, month in 0_i64..14, date in 0_i64..33, hour in 0_i64..26,
            rest in "[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}[Zz+]",
        ) {
            let text = format!("{year:04}-{month:02}-{date:02}T{hour:02}:{rest}");
            let Ok(bytes) = <&[u8; 24]>::try_from(text.as_bytes()) else {
                return Ok(());
            };
            if let Some(read) = Moment::read_text(bytes) {
                prop_assert_eq!(read.timestamp(), text.parse::<Timestamp>().unwrap());
                prop_assert_eq!(read.to_string(), text);
            } else if let Ok(long) = text.parse::<Timestamp>() {
                prop_assert_ne!(format!("{long:.3}"), text);
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
            "9999-12-30T21:59:59.999Z",
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
            "9999-12-31T23:59:59Z",
            "1969-12-31T23:59:59Z",
            "2026-11-21T20:00:00",
            "2026-11-21T20:00:00+01:00[Europe/Brussels]",
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
