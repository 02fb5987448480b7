//! Dates and times as tables have them. Where a text can mean two days, it is not guessed: whoever
//! brings the table says in which order day and month stand.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::domain::Moment;

/// In which order the parts of a date stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

impl DateOrder {
    /// Reads `dmy` or `mdy`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "dmy" => Some(Self::Dmy),
            "mdy" => Some(Self::Mdy),
            _ => None,
        }
    }
}

/// Why a text is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDate {
    /// There is none: an empty cell, `NULL`, `0000-00-00`.
    Missing,
    /// Day and month could be either.
    Ambiguous,
    /// Anything else.
    Unreadable,
}

/// Why a text is no time of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTime {
    /// Day and month could be either.
    Ambiguous,
    /// It is the time on a clock, and nobody has said in which zone.
    WithoutZone,
    /// No clock in that zone showed it, as it was set forward over it.
    NeverShown,
    /// Anything else.
    Unreadable,
}

/// When something was. A clock that is set back shows an hour twice: then it may have been at either
/// of two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The moment, or the earlier one.
    pub moment: Moment,
    /// The later one.
    pub or: Option<Moment>,
}

/// Reads the date of a cell, whatever time stands behind it.
///
/// Read are `2019-05-01`, with `/`, `.` or without zeros too, `20190501`, `1.5.2019` (with dots the
/// day comes first everywhere), `1 May 2019` and `May 1, 2019` in the languages of western Europe,
/// Unix time in seconds or milliseconds, and the days that spreadsheets count (43586). Of
/// `01/05/2019` the `order` must be known, unless one of them cannot be a month.
///
/// # Errors
/// [`NoDate`].
pub fn read_date(text: &str, order: Option<DateOrder>) -> Result<Date, NoDate> {
    let text = text.trim();
    if is_nothing(text) {
        return Err(NoDate::Missing);
    }
    if let Some(at) = counted(text) {
        return Ok(match at {
            Counted::Timestamp(at) => at.to_zoned_datetime(TimeZone::UTC).date(),
            Counted::Local(at) => at.date(),
        });
    }
    let (date, clock) = parted(text);
    match clock {
        "" => {}
        clock => {
            let (_, zone) = read_clock(clock).ok_or(NoDate::Unreadable)?;
            if !zone.is_empty() && read_zone(zone).is_none() {
                return Err(NoDate::Unreadable);
            }
        }
    }
    date_of(date, order)
}

/// How the times of a table are read.
#[derive(Debug, Clone, Default)]
pub struct TimeRules {
    /// The zone of times that do not say theirs.
    pub zone: Option<TimeZone>,
    /// In which order the parts of dates stand.
    pub order: Option<DateOrder>,
}

impl TimeRules {
    /// Reads the time of a call: from one cell, or, where the time of day stands apart, from that
    /// of the date and that of the time.
    ///
    /// # Errors
    /// [`NoTime`].
    pub fn read(&self, date: Option<&str>, time: &str) -> Result<When, NoTime> {
        let time = time.trim();
        match counted(time) {
            Some(Counted::Timestamp(at)) => return moment(at).map(When::at),
            Some(Counted::Local(at)) if time.contains('.') => return self.local(at, ""),
            _ => {}
        }
        let (own_date, clock) = match compact(time) {
            Some(at) => return self.local(at, ""),
            None => parted(time),
        };
        let date = match own_date {
            "" => date.unwrap_or_default().trim(),
            own_date => own_date,
        };
        let (clock, zone) = read_clock(clock).ok_or(NoTime::Unreadable)?;
        let date = date_of(date, self.order).map_err(|error| match error {
            NoDate::Ambiguous => NoTime::Ambiguous,
            NoDate::Missing | NoDate::Unreadable => NoTime::Unreadable,
        })?;
        self.local(date.to_datetime(clock), zone)
    }

    fn local(&self, at: DateTime, zone: &str) -> Result<When, NoTime> {
        let zone = match zone {
            "" => self.zone.clone().ok_or(NoTime::WithoutZone)?,
            zone => read_zone(zone).ok_or(NoTime::Unreadable)?,
        };
        let with = |offset: Offset| {
            let at = offset.to_timestamp(at).map_err(|_| NoTime::Unreadable)?;
            moment(at)
        };
        match zone.to_ambiguous_timestamp(at).offset() {
            AmbiguousOffset::Unambiguous { offset } => with(offset).map(When::at),
            AmbiguousOffset::Gap { .. } => Err(NoTime::NeverShown),
            AmbiguousOffset::Fold { before, after } => Ok(When {
                moment: with(before)?,
                or: Some(with(after)?),
            }),
        }
    }
}

impl When {
    fn at(moment: Moment) -> Self {
        Self { moment, or: None }
    }
}

/// Reads a time zone: a name of the IANA database (`Europe/Brussels`), `UTC`, or an offset from it
/// (`+01:00`, `-0500`, `+01`).
#[must_use]
pub fn read_zone(text: &str) -> Option<TimeZone> {
    if matches!(text, "Z" | "z" | "UTC" | "GMT" | "utc") {
        return Some(TimeZone::UTC);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        // Without a slash it may be one of the abbreviations, of which some stand for several zones.
        _ if text.contains('/') => return TimeZone::get(text).ok(),
        _ => return None,
    };
    let digits: String = match digits.as_bytes() {
        [_, _] => format!("{digits}00"),
        [_, _, b':', _, _] => digits.replace(':', ""),
        _ => digits.to_owned(),
    };
    let number = |text: &str| text.parse::<i32>().ok();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = (number(&digits[..2])?, number(&digits[2..])?);
    let offset = Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()?;
    (hours < 24 && minutes < 60).then(|| TimeZone::fixed(offset))
}

fn moment(at: Timestamp) -> Result<Moment, NoTime> {
    let millis = at.as_millisecond();
    let moment = Moment::from_millis(millis);
    // Outside of the years that can be written it would be moved.
    (moment.millis() == millis)
        .then_some(moment)
        .ok_or(NoTime::Unreadable)
}

/// What databases and people write where there is no date.
fn is_nothing(text: &str) -> bool {
    let zeros = |c: char| matches!(c, '0' | '-' | '/' | '.' | ':' | ' ' | 'T' | 'Z');
    text.chars().all(zeros)
        || [
            "null", "none", "nil", "n/a", "na", "nan", "nat", "#n/a", "unknown", "?",
        ]
        .iter()
        .any(|nothing| text.eq_ignore_ascii_case(nothing))
}

/// A time that is a number.
enum Counted {
    Timestamp(Timestamp),
    /// On the clock of whoever kept the spreadsheet.
    Local(DateTime),
}

/// Unix time has ten digits in seconds, thirteen in milliseconds and sixteen in microseconds from
/// 2001 to 2286; spreadsheets count days from 1899-12-30, five digits from 1954 to 2119.
fn counted(text: &str) -> Option<Counted> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 18 {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let point = text.contains('.');
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    let timestamp = match (whole.len(), point) {
        (10, _) => Timestamp::from_millisecond(number * 1000 + (fraction * 1000.0) as i64),
        (13, false) => Timestamp::from_millisecond(number),
        (16, false) => Timestamp::from_millisecond(number / 1000),
        (5, _) if (20_000..80_000).contains(&number) => {
            let start = Date::new(1899, 12, 30).ok()?.to_datetime(Time::midnight());
            let seconds = number * 86_400 + (fraction * 86_400.0).round() as i64;
            let at = start.checked_add(SignedDuration::from_secs(seconds));
            return at.ok().map(Counted::Local);
        }
        _ => return None,
    };
    timestamp.ok().map(Counted::Timestamp)
}

/// `20261130202214`.
fn compact(text: &str) -> Option<DateTime> {
    let digits = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let part = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    let date = digits.then(|| date_of(&text[..8], None).ok())??;
    let time = Time::new(part(8)?, part(10)?, part(12)?, 0).ok()?;
    Some(date.to_datetime(time))
}

/// The date and the time of day of a text that may have either.
fn parted(text: &str) -> (&str, &str) {
    let Some(colon) = text.find(':') else {
        return (text, "");
    };
    let digits = text[..colon].bytes().rev();
    let digits = digits.take_while(u8::is_ascii_digit).count();
    let (date, clock) = text.split_at(colon - digits);
    let date = date.trim_end_matches(['T', 't', ' ', ',', '\u{a0}']);
    (date, clock)
}

/// A time of day, and what stands behind it for its zone.
fn read_clock(text: &str) -> Option<(Time, &str)> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | ':' | '.' | ','));
    let (clock, rest) = text.split_at(end.unwrap_or(text.len()));
    let (clock, fraction) = match clock.find(['.', ',']) {
        Some(point) => (&clock[..point], &clock[point + 1..]),
        None => (clock, "0"),
    };
    let mut parts = clock.split(':');
    let mut part = || {
        let digits = parts.next()?;
        (1..=2)
            .contains(&digits.len())
            .then(|| digits.parse::<i8>().ok())?
    };
    let (mut hour, minute) = (part()?, part()?);
    let second = match clock.matches(':').count() {
        1 => 0,
        2 => part()?,
        _ => return None,
    };
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = format!("{:0<9}", digits.then_some(fraction)?);
    let nanosecond: i32 = fraction.get(..9)?.parse().ok()?;
    let mut zone = rest.trim();
    for (half, adds) in [("AM", 0), ("PM", 12), ("a.m.", 0), ("p.m.", 12)] {
        if zone
            .get(..half.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(half))
        {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + adds;
            zone = zone[half.len()..].trim_start();
            break;
        }
    }
    // `+01:00[Europe/Brussels]`: the offset says it.
    let zone = match zone.find('[') {
        Some(0) => zone.trim_matches(['[', ']']),
        Some(place) => &zone[..place],
        None => zone,
    };
    let time = Time::new(hour, minute, second, nanosecond).ok()?;
    Some((time, zone))
}

/// The months in English, Dutch, French, German, Spanish, Italian and Portuguese, by their first
/// letters; a longer one goes before a shorter one.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "gen"],
    &["feb", "fev", "fév"],
    &["mar", "maa", "mrt", "mär", "mrz"],
    &["apr", "avr", "abr"],
    &["may", "mei", "mai", "mag"],
    &["jun", "juin", "giu"],
    &["jul", "juil", "lug"],
    &["aug", "aoû", "aou", "ago"],
    &["sep", "set"],
    &["oct", "okt", "ott", "out"],
    &["nov"],
    &["dec", "déc", "dez", "dic"],
];

/// The days of the week in English, which mail and logs write before a date.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn date_of(text: &str, order: Option<DateOrder>) -> Result<Date, NoDate> {
    let read = |year: i32, month: i32, day: i32| {
        let small = |number: i32| i8::try_from(number).map_err(|_| NoDate::Unreadable);
        let year = i16::try_from(year).map_err(|_| NoDate::Unreadable)?;
        Date::new(year, small(month)?, small(day)?).map_err(|_| NoDate::Unreadable)
    };
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i32 = text.parse().map_err(|_| NoDate::Unreadable)?;
        return read(number / 10_000, number / 100 % 100, number % 100);
    }
    let parts = text.split(|c: char| !c.is_alphanumeric());
    let words = parts.filter(|word| !matches!(*word, "" | "de"));
    let words: Vec<&str> = words.collect();
    let words = match words.as_slice() {
        [day, rest @ ..] if rest.len() == 3 && begins(day, &DAYS) => rest,
        words => words,
    };
    let &[first, second, third] = words else {
        return Err(NoDate::Unreadable);
    };
    let number = |word: &str| {
        // The first day of a month: 1er, 1º.
        let word = word.trim_end_matches("er").trim_end_matches('º');
        let digits =
            matches!(word.len(), 1 | 2 | 4) && word.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| word.parse::<i32>().ok()).flatten()
    };
    let month = |word: &str| {
        let place = MONTHS.iter().position(|names| begins(word, names));
        place.and_then(|place| i32::try_from(place + 1).ok())
    };
    let is_year = |word: &str| word.len() == 4;
    match (number(first), number(second), number(third)) {
        // Whoever writes the year first writes the month behind it.
        (Some(a), Some(b), Some(c)) if is_year(first) => read(a, b, c),
        (Some(a), Some(b), Some(c)) if is_year(third) => match order {
            Some(DateOrder::Dmy) => read(c, b, a),
            Some(DateOrder::Mdy) => read(c, a, b),
            _ if a == b || a > 12 || text.contains('.') => read(c, b, a),
            _ if b > 12 => read(c, a, b),
            _ => Err(NoDate::Ambiguous),
        },
        // 1 May 2019, May 1 2019, 2019 May 1.
        (Some(day), None, Some(year)) if is_year(third) => {
            read(year, month(second).ok_or(NoDate::Unreadable)?, day)
        }
        (None, Some(day), Some(year)) if is_year(third) => {
            read(year, month(first).ok_or(NoDate::Unreadable)?, day)
        }
        (Some(year), None, Some(day)) if is_year(first) => {
            read(year, month(second).ok_or(NoDate::Unreadable)?, day)
        }
        _ => Err(NoDate::Unreadable),
    }
}

fn begins(word: &str, names: &[&str]) -> bool {
    let word = word.to_lowercase();
    names.iter().any(|name| word.starts_with(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> Result<String, NoDate> {
        read_date(text, None).map(|date| date.to_string())
    }

    #[test]
    fn the_dates_of_many_programs_are_read() {
        for text in [
            "2019-05-01",
            "2019-5-1",
            "2019/05/01",
            "2019.05.01",
            "20190501",
            "01.05.2019",
            "1.5.2019",
            "2019-05-01T10:00:00.000Z",
            "2019-05-01 10:00:00+02:00",
            "2019-05-01 10:00",
            "May 1, 2019",
            "1 May 2019",
            "1 mei 2019",
            "1er mai 2019",
            "1º de maio de 2019",
            "1. Mai 2019",
            "Wed, 01 May 2019 10:00:00 GMT",
            "1-May-2019",
            "2019 May 1",
            "1556668800",
            "1556668800000",
            "43586",
            "43586.75",
        ] {
            assert_eq!(date(text).as_deref(), Ok("2019-05-01"), "{text}");
        }
        for (text, means) in [
            ("21/11/2026", "2026-11-21"),
            ("11/21/2026", "2026-11-21"),
            ("5/5/2019", "2019-05-05"),
            ("3 août 2020", "2020-08-03"),
            ("3. März 2020", "2020-03-03"),
            ("5/21/2019 10:00 AM", "2019-05-21"),
        ] {
            assert_eq!(date(text).as_deref(), Ok(means), "{text}");
        }
    }

    #[test]
    fn what_could_mean_two_days_is_asked_for_and_what_means_none_is_refused() {
        assert_eq!(date("01/05/2019"), Err(NoDate::Ambiguous));
        assert_eq!(date("5/1/2019 10:00 AM"), Err(NoDate::Ambiguous));
        let with = |order| read_date("01/05/2019", Some(order)).map(|date| date.to_string());
        assert_eq!(with(DateOrder::Dmy).as_deref(), Ok("2019-05-01"));
        assert_eq!(with(DateOrder::Mdy).as_deref(), Ok("2019-01-05"));
        for nothing in ["", " ", "NULL", "0000-00-00 00:00:00", "n/a", "-"] {
            assert_eq!(date(nothing), Err(NoDate::Missing), "{nothing}");
        }
        for wrong in [
            "2019",
            "190501",
            "01/05/19",
            "2019-02-30",
            "2019-05-011",
            "201905011",
            "20190532",
            "32/13/2019",
            "2019-05-01x",
            "2019-05-01 10:00 or so",
            "yesterday",
            "13/13/2019",
        ] {
            assert_eq!(date(wrong), Err(NoDate::Unreadable), "{wrong}");
        }
    }

    fn time(zone: Option<&str>, text: &str) -> Result<When, NoTime> {
        let zone = zone.map(|zone| read_zone(zone).unwrap());
        TimeRules { zone, order: None }.read(None, text)
    }

    #[test]
    fn the_times_of_many_switches_are_read() {
        let brussels = Some("Europe/Brussels");
        let at = |text: &str| When::at(text.parse().unwrap());
        for (zone, text, means) in [
            (None, "2026-11-30T19:22:14Z", "2026-11-30T19:22:14Z"),
            (None, "2026-11-30t19:22:14z", "2026-11-30T19:22:14Z"),
            (None, "2026-11-30 20:22:14+01:00", "2026-11-30T19:22:14Z"),
            (None, "2026-11-30 20:22:14 +0100", "2026-11-30T19:22:14Z"),
            (None, "2026-11-30 20:22:14+01", "2026-11-30T19:22:14Z"),
            (
                None,
                "2026-11-30T19:22:14.379000+0000",
                "2026-11-30T19:22:14.379Z",
            ),
            (
                None,
                "2026-11-30 19:22:14.379000 UTC",
                "2026-11-30T19:22:14.379Z",
            ),
            (
                None,
                "2026-11-30 20:22:14 Europe/Brussels",
                "2026-11-30T19:22:14Z",
            ),
            (
                None,
                "2026-11-30T20:22:14+01:00[Europe/Brussels]",
                "2026-11-30T19:22:14Z",
            ),
            (
                None,
                "Mon, 30 Nov 2026 19:22:14 GMT",
                "2026-11-30T19:22:14Z",
            ),
            (
                None,
                "Mon, 30 Nov 2026 20:22:14 +0100",
                "2026-11-30T19:22:14Z",
            ),
            (None, "1796066534", "2026-11-30T19:22:14Z"),
            (None, "1796066534.5", "2026-11-30T19:22:14.500Z"),
            (None, "1796066534500", "2026-11-30T19:22:14.500Z"),
            (None, "1796066534500999", "2026-11-30T19:22:14.500Z"),
            (brussels, " 2026-11-30 20:22:14\t", "2026-11-30T19:22:14Z"),
            (brussels, "2026-11-30 20:22", "2026-11-30T19:22:00Z"),
            (brussels, "2026/11/30 20:22:14", "2026-11-30T19:22:14Z"),
            (brussels, "30/11/2026 20:22:14", "2026-11-30T19:22:14Z"),
            (brussels, "11/30/2026 08:22:14 PM", "2026-11-30T19:22:14Z"),
            (brussels, "11/30/2026 12:22:14 am", "2026-11-29T23:22:14Z"),
            (brussels, "20261130202214", "2026-11-30T19:22:14Z"),
            (brussels, "46356.8487731481", "2026-11-30T19:22:14Z"),
            (brussels, "2026-07-01 20:22:14", "2026-07-01T18:22:14Z"),
            (
                Some("+02:00"),
                "2026-11-30 20:22:14,5",
                "2026-11-30T18:22:14.500Z",
            ),
        ] {
            assert_eq!(time(zone, text), Ok(at(means)), "{text}");
        }
        let rules = TimeRules {
            zone: read_zone("Europe/Brussels"),
            order: None,
        };
        let apart = rules.read(Some("30/11/2026"), "20:22:14");
        assert_eq!(apart, Ok(at("2026-11-30T19:22:14Z")));
    }

    #[test]
    fn an_hour_that_a_clock_shows_twice_is_two_and_one_that_it_passes_over_is_none() {
        let autumn = time(Some("Europe/Brussels"), "2026-10-25 02:30:00").unwrap();
        assert_eq!(autumn.moment, "2026-10-25T00:30:00Z".parse().unwrap());
        assert_eq!(autumn.or, Some("2026-10-25T01:30:00Z".parse().unwrap()));
        let spring = time(Some("Europe/Brussels"), "2026-03-29 02:30:00");
        assert_eq!(spring, Err(NoTime::NeverShown));
        // Whoever says the offset has said which.
        let said = time(Some("Europe/Brussels"), "2026-10-25 02:30:00+01:00").unwrap();
        assert_eq!(said.or, None);
    }

    #[test]
    fn what_could_mean_something_else_is_no_time() {
        let without = time(None, "2026-11-30 20:22:14");
        assert_eq!(without, Err(NoTime::WithoutZone));
        let either = time(Some("UTC"), "05/11/2026 20:22:14");
        assert_eq!(either, Err(NoTime::Ambiguous));
        for text in [
            "",
            " ",
            ".",
            "-1",
            "1.2.3",
            "1796066534.",
            "1796066534500.5",
            "0",
            "190000",
            "20261130",
            "202611301922",
            "796066534",
            "2026-11-30",
            "46356",
            "20:22:14",
            "2026-11-31 20:00:00",
            "2026-11-30 24:00:00",
            "2026-11-30 20:00:60",
            "2026-11-30 20:00:00.",
            "2026-11-30 20:00:00 CET",
            "2026-11-30 20:00:00+1",
            "2026-11-30 20:00:00+24:00",
            "2026-11-30 20:00:00+01:60",
            "2026-11-30 13:00:00 PM",
            "1970-01-01 00:00:00+01:00",
            "9999-12-31 23:59:59-01:00",
            "99999999999999999999",
            "2026-11-30 20:00:00é",
            "2026-11-30 20:00:00 Europe/Nowhere",
        ] {
            assert_eq!(time(Some("UTC"), text), Err(NoTime::Unreadable), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", dates in "[0-9/.: TZ+-]{0,30}") {
            for text in [text, dates] {
                let _ = read_date(&text, None);
                let _ = time(Some("Europe/Brussels"), &text);
            }
        }

        #[test]
        fn a_time_in_utc_is_read_as_the_calendar_has_it(seconds in 0_i64..253_402_300_799) {
            let at = Timestamp::from_second(seconds).unwrap();
            let text = at.to_string();
            let moment = Moment::from_millis(seconds * 1000);
            prop_assert_eq!(time(None, &text), Ok(When::at(moment)));
            let date = at.to_zoned_datetime(TimeZone::UTC).date();
            prop_assert_eq!(read_date(&text, None), Ok(date));
        }
    }
}
