//! The times of call-detail records: RFC 3339, the local form of most switches, Unix time.

use time::UtcOffset;

use crate::domain::Moment;

/// Reads a time: RFC 3339 (also with a blank for its `T`), the same without an offset (then it is
/// `offset` from UTC), Unix seconds with or without decimals, or Unix milliseconds. Fractions
/// smaller than a millisecond are cut off. A date alone is not the time of a call.
pub(super) fn read(text: &[u8], offset: UtcOffset) -> Option<Moment> {
    let text = text.trim_ascii();
    if text
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    {
        return unix(text);
    }
    let (local, rest) = text.split_first_chunk::<19>()?;
    let (millis, rest) = match rest.split_first() {
        Some((b'.', rest)) => fraction(rest)?,
        _ => (0, rest),
    };
    let offset = match rest.trim_ascii_start() {
        b"" => offset,
        b"Z" | b"z" => UtcOffset::UTC,
        zone => read_offset(std::str::from_utf8(zone).ok()?)?,
    };
    let mut full = *b"0000-00-00T00:00:00.000Z";
    full[..19].copy_from_slice(local);
    if matches!(full[10], b' ' | b't') {
        full[10] = b'T';
    }
    let local = Moment::read_text(&full)?.millis() + millis;
    inside(local - i64::from(offset.whole_seconds()) * 1000)
}

/// Reads an offset from UTC: `+01:00`, `-0500`, `+01` or `Z`.
#[must_use]
pub fn read_offset(text: &str) -> Option<UtcOffset> {
    if text == "Z" {
        return Some(UtcOffset::UTC);
    }
    let (sign, digits) = text.as_bytes().split_first()?;
    let (hours, minutes) = match digits {
        [h1, h2] => ([*h1, *h2], *b"00"),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => ([*h1, *h2], [*m1, *m2]),
        _ => return None,
    };
    let two = |[tens, ones]: [u8; 2]| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let seconds = (hours * 60 + minutes) * 60;
    let signed = match sign {
        b'+' => seconds,
        b'-' => -seconds,
        _ => return None,
    };
    (hours < 24 && minutes < 60).then(|| UtcOffset::from_whole_seconds(signed).ok())?
}

/// Seconds have ten digits and milliseconds thirteen from 2001 to 2286. Other lengths are likelier a
/// date or a time of day written without signs between.
fn unix(text: &[u8]) -> Option<Moment> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, millis) = match point {
        None => (text, 0),
        Some(point) => {
            let (millis, rest) = fraction(&text[point + 1..])?;
            (&text[..point], rest.is_empty().then_some(millis)?)
        }
    };
    let number: i64 = std::str::from_utf8(whole).ok()?.parse().ok()?;
    match (whole.len(), point) {
        (10, _) => inside(number * 1000 + millis),
        (13, None) => inside(number),
        _ => None,
    }
}

/// Decimals as milliseconds, and what follows them.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (decimals, rest) = text.split_at(digits);
    let place = |n: usize| decimals.get(n).map_or(0, |digit| i64::from(digit - b'0'));
    (digits > 0).then(|| (place(0) * 100 + place(1) * 10 + place(2), rest))
}

fn inside(millis: i64) -> Option<Moment> {
    let moment = Moment::from_millis(millis);
    (moment.millis() == millis).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_many_switches_are_read() {
        let utc = "2026-11-21T19:00:00.000Z";
        let half = "2026-11-21T19:00:00.500Z";
        let one = UtcOffset::from_hms(1, 0, 0).unwrap();
        for (text, offset, means) in [
            ("2026-11-21T19:00:00Z", one, utc),
            ("2026-11-21t19:00:00z", one, utc),
            ("2026-11-21T20:00:00+01:00", UtcOffset::UTC, utc),
            ("2026-11-21 20:00:00+01:00", UtcOffset::UTC, utc),
            ("2026-11-21 20:00:00 +0100", UtcOffset::UTC, utc),
            ("2026-11-21 20:00:00+01", UtcOffset::UTC, utc),
            ("2026-11-21 13:30:00 -05:30", UtcOffset::UTC, utc),
            (" 2026-11-21 20:00:00\t", one, utc),
            ("2026-11-21T20:00:00", one, utc),
            ("2026-11-21 19:00:00", UtcOffset::UTC, utc),
            ("2026-11-21 20:00:00.5", one, half),
            ("2026-11-21 20:00:00.500999", one, half),
            ("2026-11-21T19:00:00.500Z", one, half),
            ("1795287600", one, utc),
            ("1795287600.5", one, half),
            ("1795287600.500999", one, half),
            ("1795287600500", one, half),
        ] {
            assert_eq!(read(text.as_bytes(), offset), means.parse().ok(), "{text}");
        }
    }

    #[test]
    fn what_could_mean_something_else_is_refused() {
        for text in [
            "",
            " ",
            ".",
            "-1",
            "1.2.3",
            "1795287600.",
            "1795287600500.5",
            "1795287600500000",
            "0",
            "190000",
            "20261121",
            "202611211900",
            "20261121190000",
            "795287600",
            "2026-11-21",
            "2026-11-21 20:00",
            "21/11/2026 20:00:00",
            "2026-11-31 20:00:00",
            "2026-11-21 24:00:00",
            "2026-11-21 20:00:60",
            "2026-11-21 20:00:00.",
            "2026-11-21 20:00:00 CET",
            "2026-11-21 20:00:00+1",
            "2026-11-21 20:00:00+24:00",
            "2026-11-21 20:00:00+01:60",
            "2026-11-21x20:00:00",
            "1970-01-01 00:00:00+01:00",
            "9999-12-31 23:59:59-01:00",
            "99999999999999999999",
            "2026-11-21 20:00:00é",
        ] {
            assert_eq!(read(text.as_bytes(), UtcOffset::UTC), None, "{text}");
        }
        assert_eq!(read(b"2026-11-21 20:00:00\xff", UtcOffset::UTC), None);
        assert!(read_offset("").is_none() && read_offset("Z").is_some());
    }
}
