//! A point in time, as a page writes it.
//!
//! The service thinks in UTC. A person reads the clock on the wall, so a page shows the time of the
//! register's own country, always with the name of the zone, and the exact time in UTC beside it.

use super::texts::{Texts, fill};

/// The clock that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Coordinated Universal Time.
    Utc,
    /// Central European Time, with summer time as the European Union keeps it (Directive
    /// 2000/84/EC: from the last Sunday of March to the last Sunday of October, at 01:00 UTC).
    CentralEurope,
}

impl Clock {
    /// The clock of a country (ISO 3166-1 alpha-2): Central European Time where that is the time of
    /// the whole mainland, UTC elsewhere.
    pub fn of_region(region: &str) -> Clock {
        const CENTRAL: &[&str] = &[
            "AD", "AL", "AT", "BA", "BE", "CH", "CZ", "DE", "DK", "ES", "FR", "GI", "HR", "HU",
            "IT", "LI", "LU", "MC", "ME", "MK", "MT", "NL", "NO", "PL", "RS", "SE", "SI", "SJ",
            "SK", "SM", "VA", "XK",
        ];
        if CENTRAL.contains(&region) {
            Clock::CentralEurope
        } else {
            Clock::Utc
        }
    }

    /// The moment at which this clock shows a day and so many minutes since its midnight. An hour
    /// that it shows twice, in autumn, is the first one.
    pub fn at(self, day: Day, minutes: i64) -> Moment {
        self.shown(days_since_1970(day.year, day.month, day.day), minutes)
    }

    /// The moment at which a day begins on this clock; see [`Moment::local_day`].
    pub fn midnight(self, local_day: i64) -> Moment {
        self.shown(local_day, 0)
    }

    fn shown(self, day: i64, minutes: i64) -> Moment {
        let shown = day * 86_400 + minutes * 60;
        // The clock is at most two hours ahead; the earliest guess that fits is right.
        let fits = [7200, 3600, 0].map(|ahead| Moment::new(shown - ahead, self));
        let found = fits
            .into_iter()
            .find(|guess| guess.unix_seconds + guess.offset_seconds() == shown);
        found.unwrap_or(Moment::new(shown - 3600, self))
    }
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    year: i64,
    month: i64,
    day: i64,
}

impl Day {
    /// Reads `2026-11-21`, or as people write it where a browser shows no calendar: `21/11/2026`,
    /// `21.11.2026`, `21-11-2026`.
    pub fn parse(text: &str) -> Option<Day> {
        let parts: Vec<&str> = text.trim().split(['-', '/', '.']).collect();
        let [first, month, last] = parts.as_slice() else {
            return None;
        };
        let number = |text: &str| -> Option<i64> {
            let digits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse().ok())?
        };
        let (year, day) = match first.len() {
            4 => (first, last),
            _ => (last, first),
        };
        let (year, month, day) = (number(year)?, number(month)?, number(day)?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day)
        {
            return None;
        }
        let days = days_since_1970(year, month, day);
        let civil = Civil::of(days * 86_400);
        // The 31st of November is no day.
        (civil.day == day).then_some(Day { year, month, day })
    }
}

/// Reads a time of day, in minutes since midnight: `18:05`, `18.05`, `18h05`, `18u05`, `18`.
pub fn read_time_of_day(text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let text = text
        .trim_end_matches("uhr")
        .trim_end_matches("uur")
        .trim_end();
    let (hours, rest) = text.split_once([':', '.', 'h', 'u']).unwrap_or((text, ""));
    // Seconds may follow, as some browsers send them.
    let rest = rest.trim();
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, ""));
    let number = |text: &str| -> Option<i64> {
        let digits = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok())?
    };
    let hours = number(hours.trim()).filter(|hours| *hours < 24)?;
    match seconds {
        "" => {}
        text => drop(number(text).filter(|seconds| *seconds < 60)?),
    }
    let minutes = match minutes.trim() {
        "" => 0,
        text => number(text).filter(|minutes| *minutes < 60)?,
    };
    Some(hours * 60 + minutes)
}

/// A point in time on a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    unix_seconds: i64,
    clock: Clock,
}

impl Moment {
    /// The moment so many seconds after 1970-01-01T00:00:00Z.
    pub const fn new(unix_seconds: i64, clock: Clock) -> Moment {
        Moment {
            unix_seconds,
            clock,
        }
    }

    /// The same clock, so many seconds later.
    pub const fn later(self, seconds: i64) -> Moment {
        Moment {
            unix_seconds: self.unix_seconds.saturating_add(seconds),
            clock: self.clock,
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix_seconds(self) -> i64 {
        self.unix_seconds
    }

    /// The day on its clock, as a form sends it: `2026-11-21`.
    pub fn form_date(&self) -> String {
        let t = Civil::of(self.unix_seconds.saturating_add(self.offset_seconds()));
        format!("{:04}-{:02}-{:02}", t.year, t.month, t.day)
    }

    /// For the `datetime` attribute and for exact reading: RFC 3339 in UTC, to the second.
    pub fn rfc3339(&self) -> String {
        let t = Civil::of(self.unix_seconds);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            t.year, t.month, t.day, t.hour, t.minute, t.second
        )
    }

    /// Weekday, date and time in words, without the zone.
    pub fn words(&self, texts: &Texts) -> String {
        self.filled(texts, texts.date_time)
    }

    /// Weekday and date in words.
    pub fn date_in_words(&self, texts: &Texts) -> String {
        self.filled(texts, texts.date)
    }

    /// The day and its month, for where there is little room.
    pub fn day_in_words(&self, texts: &Texts) -> String {
        self.filled(texts, texts.day_of_year)
    }

    /// The time of day in words.
    pub fn time_in_words(&self, texts: &Texts) -> String {
        self.filled(texts, texts.time_of_day)
    }

    /// The day on its clock, counted from 1970-01-01.
    pub fn local_day(&self) -> i64 {
        let local = self.unix_seconds.saturating_add(self.offset_seconds());
        local.div_euclid(86_400)
    }

    fn filled(&self, texts: &Texts, text: &str) -> String {
        let t = Civil::of(self.unix_seconds.saturating_add(self.offset_seconds()));
        let day = if t.day == 1 {
            texts.first_of_month.to_owned()
        } else {
            t.day.to_string()
        };
        let values = [
            ("weekday", texts.weekdays[t.weekday].to_owned()),
            ("day", day),
            ("month", texts.months[t.month - 1].to_owned()),
            ("year", t.year.to_string()),
            ("hh", format!("{:02}", t.hour)),
            ("h", t.hour.to_string()),
            ("mm", format!("{:02}", t.minute)),
        ];
        values.iter().fold(text.to_owned(), |text, (name, value)| {
            fill(&text, name, value)
        })
    }

    /// The same with the zone: "Saturday 21 November 2026 at 22:00 (Central European Time)".
    pub fn words_with_zone(&self, texts: &Texts) -> String {
        let zone = match (self.clock, self.offset_seconds()) {
            (Clock::Utc, _) => texts.zone_utc,
            (Clock::CentralEurope, 3600) => texts.zone_cet,
            (Clock::CentralEurope, _) => texts.zone_cest,
        };
        format!("{} ({zone})", self.words(texts))
    }

    /// The exact time in UTC, with a label: for those who need to prove it.
    pub fn exact(&self, texts: &Texts) -> String {
        fill(
            texts.exact_time,
            "time",
            &self.rfc3339().replace('T', " ").replace('Z', " UTC"),
        )
    }

    /// How far the clock is ahead of UTC at this moment.
    fn offset_seconds(&self) -> i64 {
        match self.clock {
            Clock::Utc => 0,
            Clock::CentralEurope => {
                let year = Civil::of(self.unix_seconds).year;
                let summer = last_sunday(year, 3)..last_sunday(year, 10);
                if summer.contains(&(self.unix_seconds - 3600)) {
                    7200
                } else {
                    3600
                }
            }
        }
    }
}

/// Midnight UTC of the last Sunday of a month of 31 days.
fn last_sunday(year: i64, month: i64) -> i64 {
    let last = days_since_1970(year, month, 31);
    let weekday = (last + 3).rem_euclid(7); // Monday is 0; 1970-01-01 was a Thursday
    (last - (weekday + 1) % 7) * 86_400
}

/// Days from 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap
/// day is the last day of a year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + day_of_year - 719_468
}

/// Date and time of day, as a calendar shows them.
struct Civil {
    year: i64,
    /// 1 to 12.
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// Monday is 0.
    weekday: usize,
}

impl Civil {
    fn of(unix_seconds: i64) -> Civil {
        let days = unix_seconds.div_euclid(86_400);
        let seconds = unix_seconds.rem_euclid(86_400);
        let mut year = 1969 + (days * 400).div_euclid(146_097); // at most a year or two too early
        while days_since_1970(year + 1, 1, 1) <= days {
            year += 1;
        }
        let month = (1..=12)
            .rev()
            .find(|&m| days_since_1970(year, m, 1) <= days)
            .unwrap_or(1);
        Civil {
            year,
            month: usize::try_from(month).unwrap_or(1),
            day: days - days_since_1970(year, month, 1) + 1,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            weekday: usize::try_from((days + 3).rem_euclid(7)).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts::{DE, EN, FR, NL};
    use super::*;

    #[test]
    fn each_language_writes_a_moment_its_own_way() {
        let moment = Moment::new(1_795_294_805, Clock::CentralEurope);
        assert_eq!(moment.rfc3339(), "2026-11-21T21:00:05Z");
        assert_eq!(
            moment.words_with_zone(&NL),
            "zaterdag 21 november 2026 om 22.00 uur (Midden-Europese tijd)"
        );
        assert_eq!(
            moment.words(&FR),
            "samedi 21 novembre 2026 à 22\u{a0}h\u{a0}00"
        );
        assert_eq!(moment.words(&DE), "Samstag, 21. November 2026, 22:00 Uhr");
        assert_eq!(moment.words(&EN), "Saturday 21 November 2026 at 22:00");
        let utc = Moment::new(1_795_294_805, Clock::Utc);
        assert_eq!(
            utc.words_with_zone(&EN),
            "Saturday 21 November 2026 at 21:00 (UTC)"
        );
    }

    #[test]
    fn summer_time_begins_and_ends_on_the_right_second() {
        let table = [
            (1_774_745_999, "01:59 (Central European Time)"),
            (1_774_746_000, "03:00 (Central European Summer Time)"),
            (1_792_889_999, "02:59 (Central European Summer Time)"),
            (1_792_890_000, "02:00 (Central European Time)"),
        ];
        for (seconds, expected) in table {
            let text = Moment::new(seconds, Clock::CentralEurope).words_with_zone(&EN);
            assert!(text.ends_with(expected), "{seconds}: {text}");
        }
    }

    #[test]
    fn what_the_clock_shows_is_read_back() {
        let clock = Clock::CentralEurope;
        let at = |day: &str, time: &str| {
            let day = Day::parse(day).unwrap();
            clock.at(day, read_time_of_day(time).unwrap()).rfc3339()
        };
        for (day, time, utc) in [
            ("2026-11-21", "18:00", "2026-11-21T17:00:00Z"),
            ("21/11/2026", "18h", "2026-11-21T17:00:00Z"),
            ("21.11.2026", "18.05 Uhr", "2026-11-21T17:05:00Z"),
            ("1-7-2026", "9u30", "2026-07-01T07:30:00Z"),
            ("1-7-2026", "9\u{a0}h\u{a0}30", "2026-07-01T07:30:00Z"),
            ("1-7-2026", "9.30 uur", "2026-07-01T07:30:00Z"),
            ("1-7-2026", "09:30:15", "2026-07-01T07:30:00Z"),
            ("2026-10-25", "02:30", "2026-10-25T00:30:00Z"),
            ("2026-03-29", "02:30", "2026-03-29T01:30:00Z"),
            ("2026-03-29", "3", "2026-03-29T01:00:00Z"),
        ] {
            assert_eq!(at(day, time), utc, "{day} {time}");
        }
        let moment = clock.at(Day::parse("2026-07-01").unwrap(), 0);
        assert_eq!(moment.form_date(), "2026-07-01");
        for day in ["2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"] {
            let midnight = clock.at(Day::parse(day).unwrap(), 0);
            assert_eq!(clock.midnight(midnight.local_day()), midnight, "{day}");
        }
        for text in [
            "",
            "2026-11-31",
            "21/13/2026",
            "1/1/26",
            "a-b-c",
            "2026-11",
            "٢٠٢٦-11-21",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        for text in [
            "", "24:00", "12:60", "six", "-1", "1234", "6:30 pm", "18:05:61",
        ] {
            assert_eq!(read_time_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn days_run_on_without_a_gap_through_four_centuries() {
        let mut previous = Civil::of(-86_400);
        assert_eq!(
            (previous.year, previous.month, previous.day),
            (1969, 12, 31)
        );
        for day in 0..146_097 {
            let t = Civil::of(day * 86_400);
            assert_eq!(t.weekday, (previous.weekday + 1) % 7);
            let next_day = t.day == previous.day + 1 && t.month == previous.month;
            let next_month = t.day == 1 && previous.day >= 28 && t.month == previous.month % 12 + 1;
            assert!(next_day || next_month, "{}-{}-{}", t.year, t.month, t.day);
            previous = t;
        }
        assert_eq!(Civil::of(951_782_400).day, 29, "29 February 2000");
    }

    #[test]
    fn the_first_of_a_month_is_written_as_french_does() {
        let first = Moment::new(1_793_491_200, Clock::Utc);
        assert_eq!(
            first.words(&FR),
            "dimanche 1er novembre 2026 à 0\u{a0}h\u{a0}00"
        );
        assert_eq!(
            first.later(86_400).words(&EN),
            "Monday 2 November 2026 at 00:00"
        );
    }
}
