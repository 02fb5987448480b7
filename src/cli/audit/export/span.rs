//! The entries of a stretch of time: which ones of a log they can be.
//!
//! Entries stand in the order in which they were sealed, which is that of their times but for a
//! little: clocks differ, and several processes write. An hour on either side makes up for that.

use std::ops::Range;
use std::time::Duration;

use crate::cli::Failure;
use crate::domain::{Entry, Moment, Month};
use crate::log::LogName;
use crate::log::tile::{WIDTH, entries};

/// How much is taken on either side.
const SLACK: Duration = Duration::from_secs(3600);

/// A stretch of time; what is left out does not limit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    from: Option<Moment>,
    to: Option<Moment>,
}

impl Span {
    /// From this time on, up to and without that one.
    pub(super) fn read(from: Option<&str>, to: Option<&str>) -> Result<Self, Failure> {
        let read = |option: &str, text: Option<&str>| {
            let time = text.map(|text| text.parse::<Moment>()).transpose();
            time.map_err(|_| {
                Failure::usage(format!(
                    "{option} must be a date (2026-11-21) or an RFC 3339 time \
                     (2026-11-21T20:00:00Z)"
                ))
            })
        };
        let span = Self {
            from: read("--from", from)?,
            to: read("--to", to)?,
        };
        match (span.from, span.to) {
            (Some(from), Some(to)) if to <= from => {
                Err(Failure::usage("--to must be a time after --from"))
            }
            _ => Ok(span),
        }
    }

    /// Whether nothing is left out.
    pub(super) fn is_all(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether the log of a year can have such entries.
    pub(super) fn touches(&self, log: LogName) -> bool {
        let first = self.from.map_or(0, |from| back(from).year());
        let last = self.to.map_or(u16::MAX, |to| to.plus(SLACK).year());
        (first..=last).contains(&log.year())
    }

    /// The months of it, if it has an end on both sides; otherwise nothing, which means all.
    pub(super) fn months(&self) -> Vec<Month> {
        let (Some(from), Some(to)) = (self.from, self.to) else {
            return Vec::new();
        };
        let last = Moment::from_millis(to.millis() - 1).month();
        let months = std::iter::successors(Some(from.month()), |month| Some(month.next()));
        months.take_while(|month| *month <= last).collect()
    }

    /// The entries of a log of `size` that are in the bundles of 256 which can hold that time.
    /// `time_of` gives the time of a bundle's first entry.
    pub(super) fn entries(
        &self,
        size: u64,
        time_of: &mut dyn FnMut(u64) -> Result<Moment, Failure>,
    ) -> Result<Range<u64>, Failure> {
        let bundles = size.div_ceil(WIDTH);
        // Where the time has come, the bundle before may hold it too.
        let first = match self.from.map(back) {
            None => 0,
            Some(from) => {
                partition(bundles, &mut |bundle| Ok(time_of(bundle)? < from))?.saturating_sub(1)
            }
        };
        let end = match self.to.map(|to| to.plus(SLACK)) {
            None => bundles,
            Some(to) => partition(bundles, &mut |bundle| Ok(time_of(bundle)? < to))?,
        };
        let end = (end * WIDTH).min(size);
        Ok((first * WIDTH).min(end)..end)
    }
}

fn back(time: Moment) -> Moment {
    let slack = i64::try_from(SLACK.as_millis()).unwrap_or(0);
    Moment::from_millis((time.millis() - slack).max(0))
}

/// How many of the first bundles are before, by halving.
fn partition(
    bundles: u64,
    before: &mut dyn FnMut(u64) -> Result<bool, Failure>,
) -> Result<u64, Failure> {
    let (mut low, mut high) = (0, bundles);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The time of a bundle's first entry.
pub(super) fn first_time(bundle: &[u8]) -> Option<Moment> {
    let first = entries(bundle).next()?.ok()?;
    Entry::read_json(first).ok().map(|entry| entry.time)
}

/// The time of a bundle's last entry.
pub(super) fn last_time(bundle: &[u8]) -> Option<Moment> {
    let last = entries(bundle).last()?.ok()?;
    Entry::read_json(last).ok().map(|entry| entry.time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn the_bundles_that_can_hold_a_time_are_found_with_an_hour_on_either_side() {
        // A bundle every ten minutes from midnight on.
        let midnight: Moment = "2026-11-21".parse().unwrap();
        let at = |minutes: i64| Moment::from_millis(midnight.millis() + minutes * MINUTE);
        let size = 100 * WIDTH + 17;
        let range = |from: Option<i64>, to: Option<i64>| {
            let span = Span {
                from: from.map(at),
                to: to.map(at),
            };
            let mut asked = 0;
            let range = span.entries(size, &mut |bundle| {
                asked += 1;
                Ok(at(10 * i64::try_from(bundle).unwrap()))
            });
            assert!(asked <= 14, "{asked}");
            range.unwrap()
        };
        assert_eq!(range(None, None), 0..size);
        assert_eq!(range(Some(-100), Some(5000)), 0..size);
        // From 5:00 to 5:10, so from 4:00 to 6:10.
        assert_eq!(range(Some(300), Some(310)), 23 * WIDTH..37 * WIDTH);
        assert_eq!(range(Some(5000), None), 100 * WIDTH..size);
        assert_eq!(range(None, Some(-100)), 0..0);
    }

    #[test]
    fn only_the_logs_and_months_of_the_time_are_looked_at() {
        let span = Span::read(Some("2026-01-01"), Some("2026-03-01")).unwrap();
        let touched = |year| span.touches(LogName::of_year(year));
        assert_eq!(
            [2024, 2025, 2026, 2027].map(touched),
            [false, true, true, false]
        );
        let months: Vec<String> = span.months().iter().map(ToString::to_string).collect();
        assert_eq!(months, ["2026-01", "2026-02"]);
        assert!(Span::default().touches(LogName::of_year(1999)));
        assert!(Span::default().is_all() && Span::default().months().is_empty());
        assert!(Span::read(Some("2026-03-01"), Some("2026-03-01")).is_err());
        assert!(Span::read(Some("yesterday"), None).is_err());
    }
}
