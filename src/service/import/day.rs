//! The date of an objection.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::domain::Moment;
use crate::table::{DateOrder, NoDate, read_date};

/// The first do-not-call lists are from the 1980s.
const EARLIEST: i16 = 1980;

const UNIX_EPOCH: Date = jiff::civil::date(1970, 1, 1);

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

/// The day it is. Of several that it is on earth, the last.
#[must_use]
pub fn today() -> Date {
    jiff::tz::offset(14)
        .to_datetime(Moment::now().timestamp())
        .date()
}

/// A day in two bytes: since 1970-01-01, of which the first stands for none that is known.
pub(super) fn to_number(day: Option<Date>) -> u16 {
    let days = day.map_or(0, |day| day.duration_since(UNIX_EPOCH).as_hours() / 24);
    u16::try_from(days).unwrap_or(0)
}

/// Reads what [`to_number`] wrote.
pub(super) fn from_number(number: u16) -> Option<Date> {
    (number > 0).then(|| UNIX_EPOCH.saturating_add(i64::from(number).days()))
}

/// Reads the date of an objection, if there is one; see [`read_date`]. It must lie between 1980
/// and `today`.
///
/// # Errors
/// [`DateError`].
pub fn objected_on(
    text: &str,
    order: Option<DateOrder>,
    today: Date,
) -> Result<Option<Date>, DateError> {
    let date = match read_date(text, order) {
        Ok(date) => date,
        Err(NoDate::Missing) => return Ok(None),
        Err(NoDate::Ambiguous) => return Err(DateError::Ambiguous),
        Err(NoDate::Unreadable) => return Err(DateError::Unreadable),
    };
    if date.year() < EARLIEST {
        return Err(DateError::TooEarly);
    }
    match date > today {
        true => Err(DateError::Future),
        false => Ok(Some(date)),
    }
}

/// The first and the last day of two spans.
pub(super) fn around(
    one: Option<(Date, Date)>,
    other: Option<(Date, Date)>,
) -> Option<(Date, Date)> {
    match (one, other) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_two_bytes() {
        for number in 0..=u16::MAX {
            assert_eq!(to_number(from_number(number)), number);
        }
    }

    #[test]
    fn an_objection_was_made_since_1980_and_not_tomorrow() {
        let today = "2026-11-25".parse().unwrap();
        let read = |text| objected_on(text, None, today);
        assert_eq!(read("2026-11-25"), Ok(Some(today)));
        assert_eq!(read("NULL"), Ok(None));
        assert_eq!(read("2026-11-26"), Err(DateError::Future));
        assert_eq!(read("1979-12-31"), Err(DateError::TooEarly));
        assert_eq!(read("01/05/2019"), Err(DateError::Ambiguous));
        assert_eq!(read("soon"), Err(DateError::Unreadable));
    }
}
