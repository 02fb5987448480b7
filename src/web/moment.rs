//! A point in time, as a page writes it.
//!
//! The service thinks in UTC. A person reads the clock on the wall, so a page shows the time of the
//! register's own zone, always with its name, and the exact time in UTC beside it.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::texts::{Texts, fill};
use crate::domain::Moment;

/// The clock that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock(&'static TimeZone);

impl Clock {
    /// The clock of a time zone. There is one for the whole process, and it stays as long as that.
    pub fn new(zone: TimeZone) -> Clock {
        Clock(Box::leak(Box::new(zone)))
    }

    /// The clock of a zone of the IANA database, or, where none is named, of a country (ISO 3166-1
    /// alpha-2): of its mainland where that has one time, else of UTC.
    pub fn of(zone: &str, region: &str) -> Clock {
        let zone = match zone {
            "" => zone_of(region),
            zone => zone,
        };
        Clock::new(TimeZone::get(zone).unwrap_or(TimeZone::UTC))
    }

    /// The moment at which this clock shows a day and so many minutes since its midnight, and the
    /// last one: of an hour that it shows twice, in autumn, there are two. One that it passes over,
    /// in spring, is that much later.
    pub fn at(self, day: Date, minutes: i64) -> (Moment, Moment) {
        let shown = day
            .at(0, 0, 0, 0)
            .saturating_add(SignedDuration::from_mins(minutes));
        let shown = self.0.to_ambiguous_timestamp(shown);
        let moment = |at: Result<Timestamp, _>| {
            at.ok()
                .and_then(|at| at.try_into().ok())
                .unwrap_or(Moment::from_millis(0))
        };
        let first = moment(shown.compatible());
        (first, moment(shown.later()).max(first))
    }

    /// The day that this clock shows.
    pub fn day(self, at: Moment) -> Date {
        self.shown(at).date()
    }

    fn shown(self, at: Moment) -> DateTime {
        self.0.to_datetime(at.timestamp())
    }
}

/// The zone of a country whose mainland has one, of Europe and around it.
fn zone_of(region: &str) -> &'static str {
    const ZONES: &[(&str, &str)] = &[
        ("AD", "Europe/Andorra"),
        ("AL", "Europe/Tirane"),
        ("AT", "Europe/Vienna"),
        ("BA", "Europe/Sarajevo"),
        ("BE", "Europe/Brussels"),
        ("BG", "Europe/Sofia"),
        ("CH", "Europe/Zurich"),
        ("CY", "Asia/Nicosia"),
        ("CZ", "Europe/Prague"),
        ("DE", "Europe/Berlin"),
        ("DK", "Europe/Copenhagen"),
        ("EE", "Europe/Tallinn"),
        ("ES", "Europe/Madrid"),
        ("FI", "Europe/Helsinki"),
        ("FR", "Europe/Paris"),
        ("GB", "Europe/London"),
        ("GG", "Europe/Guernsey"),
        ("GI", "Europe/Gibraltar"),
        ("GR", "Europe/Athens"),
        ("HR", "Europe/Zagreb"),
        ("HU", "Europe/Budapest"),
        ("IE", "Europe/Dublin"),
        ("IM", "Europe/Isle_of_Man"),
        ("IS", "Atlantic/Reykjavik"),
        ("IT", "Europe/Rome"),
        ("JE", "Europe/Jersey"),
        ("LI", "Europe/Vaduz"),
        ("LT", "Europe/Vilnius"),
        ("LU", "Europe/Luxembourg"),
        ("LV", "Europe/Riga"),
        ("MC", "Europe/Monaco"),
        ("MD", "Europe/Chisinau"),
        ("ME", "Europe/Podgorica"),
        ("MK", "Europe/Skopje"),
        ("MT", "Europe/Malta"),
        ("NL", "Europe/Amsterdam"),
        ("NO", "Europe/Oslo"),
        ("PL", "Europe/Warsaw"),
        ("PT", "Europe/Lisbon"),
        ("RO", "Europe/Bucharest"),
        ("RS", "Europe/Belgrade"),
        ("SE", "Europe/Stockholm"),
        ("SI", "Europe/Ljubljana"),
        ("SJ", "Europe/Oslo"),
        ("SK", "Europe/Bratislava"),
        ("SM", "Europe/San_Marino"),
        ("TR", "Europe/Istanbul"),
        ("UA", "Europe/Kyiv"),
        ("VA", "Europe/Vatican"),
        ("XK", "Europe/Belgrade"),
    ];
    let known = ZONES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(region));
    known.map_or("UTC", |(_, zone)| zone)
}

/// Reads a day: `2026-11-21`, or as people write it where a browser shows no calendar:
/// `21/11/2026`, `21.11.2026`, `21-11-2026`.
pub fn read_day(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.trim().split(['-', '/', '.']).collect();
    let [first, month, last] = parts.as_slice() else {
        return None;
    };
    let digits = |text: &str| {
        (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !parts.iter().all(|part| digits(part)) {
        return None;
    }
    let (year, day) = match first.len() {
        4 => (first, last),
        _ => (last, first),
    };
    let year: i16 = year.parse().ok().filter(|year| *year >= 1970)?;
    Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
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
pub struct LocalTime {
    at: Moment,
    clock: Clock,
}

impl LocalTime {
    /// What this clock shows then.
    pub const fn new(at: Moment, clock: Clock) -> LocalTime {
        LocalTime { at, clock }
    }

    /// The same clock, so much later.
    pub fn later(self, by: Duration) -> LocalTime {
        LocalTime::new(self.at.plus(by), self.clock)
    }

    /// The day on its clock.
    pub fn day(self) -> Date {
        self.clock.day(self.at)
    }

    /// For the `datetime` attribute and for exact reading: RFC 3339 in UTC, to the second.
    pub fn rfc3339(&self) -> String {
        format!("{:.0}", self.at.timestamp())
    }

    /// Weekday, date and time in words, without the zone.
    pub fn words(&self, texts: &Texts) -> String {
        self.filled(texts, texts.date_time)
    }

    /// Weekday and date in words.
    pub fn date_in_words(&self, texts: &Texts) -> String {
        date_in_words(self.day(), texts)
    }

    /// The time of day in words.
    pub fn time_in_words(&self, texts: &Texts) -> String {
        self.filled(texts, texts.time_of_day)
    }

    fn filled(&self, texts: &Texts, text: &str) -> String {
        filled(self.clock.shown(self.at), texts, text)
    }

    /// The same with the zone: "Saturday 21 November 2026 at 22:00 (Central European Time)".
    pub fn words_with_zone(&self, texts: &Texts) -> String {
        let zone = self.clock.0.to_offset_info(self.at.timestamp());
        let zone = match (zone.abbreviation(), zone.offset().seconds()) {
            ("CET", _) => texts.zone_cet.to_owned(),
            ("CEST", _) => texts.zone_cest.to_owned(),
            (_, 0) => texts.zone_utc.to_owned(),
            (_, seconds) => offset_in_words(seconds),
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
}

/// Weekday and date in words.
pub fn date_in_words(day: Date, texts: &Texts) -> String {
    filled(day.at(0, 0, 0, 0), texts, texts.date)
}

/// The day and its month, for where there is little room.
pub fn day_in_words(day: Date, texts: &Texts) -> String {
    filled(day.at(0, 0, 0, 0), texts, texts.day_of_year)
}

fn filled(shown: DateTime, texts: &Texts, text: &str) -> String {
    let day = if shown.day() == 1 {
        texts.first_of_month.to_owned()
    } else {
        shown.day().to_string()
    };
    // Monday is the first of the week's names, January of the months'.
    let of = |names: &[&str], place: i8| {
        let place = usize::try_from(place).unwrap_or_default();
        names.get(place).copied().unwrap_or_default().to_owned()
    };
    let weekday = shown.weekday().to_monday_zero_offset();
    let values = [
        ("weekday", of(&texts.weekdays, weekday)),
        ("day", day),
        ("month", of(&texts.months, shown.month() - 1)),
        ("year", shown.year().to_string()),
        ("hh", format!("{:02}", shown.hour())),
        ("h", shown.hour().to_string()),
        ("mm", format!("{:02}", shown.minute())),
    ];
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        fill(&text, name, value)
    })
}

/// `UTC+2`, `UTC−3:30`.
fn offset_in_words(seconds: i32) -> String {
    let sign = if seconds < 0 { '\u{2212}' } else { '+' };
    let minutes = seconds.abs() / 60;
    match minutes % 60 {
        0 => format!("UTC{sign}{}", minutes / 60),
        rest => format!("UTC{sign}{}:{rest:02}", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts::{DE, EN, FR, NL};
    use super::*;

    fn shown(seconds: i64, clock: Clock) -> LocalTime {
        LocalTime::new(Moment::from_millis(seconds * 1000), clock)
    }

    fn brussels() -> Clock {
        Clock::of("", "BE")
    }

    #[test]
    fn each_language_writes_a_moment_its_own_way() {
        let moment = shown(1_795_294_805, brussels());
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
        let utc = shown(1_795_294_805, Clock::new(TimeZone::UTC));
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
            let text = shown(seconds, brussels()).words_with_zone(&EN);
            assert!(text.ends_with(expected), "{seconds}: {text}");
        }
    }

    #[test]
    fn what_the_clock_shows_is_read_back() {
        let clock = brussels();
        let at = |day: &str, time: &str| {
            let day = read_day(day).unwrap();
            LocalTime::new(clock.at(day, read_time_of_day(time).unwrap()).0, clock).rfc3339()
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
        let (moment, last) = clock.at(read_day("2026-07-01").unwrap(), 0);
        assert_eq!(moment, last);
        assert_eq!(clock.day(moment).to_string(), "2026-07-01");
        for day in ["2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"] {
            let day = read_day(day).unwrap();
            let (midnight, _) = clock.at(day, 0);
            assert_eq!(clock.day(midnight), day);
            assert_eq!(
                clock.day(midnight.minus(Duration::from_millis(1))),
                day.yesterday().unwrap()
            );
        }
        // Half past two comes twice in the night in October.
        let (first, last) = clock.at(read_day("2026-10-25").unwrap(), 150);
        assert_eq!(last.since(first), Duration::from_secs(3600));
        for text in [
            "",
            "2026-11-31",
            "21/13/2026",
            "1/1/26",
            "a-b-c",
            "2026-11",
            "٢٠٢٦-11-21",
        ] {
            assert_eq!(read_day(text), None, "{text}");
        }
        for text in [
            "", "24:00", "12:60", "six", "-1", "1234", "6:30 pm", "18:05:61",
        ] {
            assert_eq!(read_time_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn a_country_has_the_time_of_its_own_clock() {
        let at = |zone: &str, region: &str, seconds: i64| {
            let text = shown(seconds, Clock::of(zone, region)).words_with_zone(&EN);
            text.split(" at ").nth(1).unwrap().to_owned()
        };
        let (winter, summer) = (1_795_294_805, 1_782_000_000);
        assert_eq!(at("", "GB", winter), "21:00 (UTC)");
        assert_eq!(at("", "gb", summer), "01:00 (UTC+1)");
        assert_eq!(at("", "PT", summer), "01:00 (UTC+1)");
        assert_eq!(at("", "FI", winter), "23:00 (UTC+2)");
        assert_eq!(at("", "DE", winter), "22:00 (Central European Time)");
        assert_eq!(at("", "US", winter), "21:00 (UTC)");
        assert_eq!(
            at("America/St_Johns", "CA", winter),
            "17:30 (UTC\u{2212}3:30)"
        );
        for region in ["BE", "IE", "GR", "RO", "UA", "TR", "CY", "IS"] {
            assert!(TimeZone::get(zone_of(region)).is_ok(), "{region}");
        }
    }

    #[test]
    fn the_first_of_a_month_is_written_as_french_does() {
        let first = shown(1_793_491_200, Clock::new(TimeZone::UTC));
        assert_eq!(
            first.words(&FR),
            "dimanche 1er novembre 2026 à 0\u{a0}h\u{a0}00"
        );
        assert_eq!(
            first.later(Duration::from_secs(86_400)).words(&EN),
            "Monday 2 November 2026 at 00:00"
        );
    }
}
