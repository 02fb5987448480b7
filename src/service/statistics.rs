//! How much was asked, day by day, for those who watch over the register: counts, and no numbers.
//!
//! They come from the log's index, one segment at a time, so the memory that this takes grows with
//! days and agencies and not with the log.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::matching::Source;
use super::{Service, ServiceError};
use jiff::civil::Date;

use crate::domain::{AgencyId, Answer, Moment, Op};
use crate::log::index::{IndexError, Shelves};

/// How often each answer was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnswerCounts {
    /// The number must not be called.
    pub suppress: u64,
    /// No opt-out is known. No permission to call.
    pub not_listed: u64,
    /// The number could not be read.
    pub invalid: u64,
}

impl AnswerCounts {
    /// All answers together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.suppress + self.not_listed + self.invalid
    }

    fn count(&mut self, answer: Option<Answer>) {
        match answer {
            Some(Answer::Suppress(_)) => self.suppress += 1,
            Some(Answer::NotListed) => self.not_listed += 1,
            Some(Answer::Invalid) => self.invalid += 1,
            None => {}
        }
    }
}

impl AddAssign for AnswerCounts {
    fn add_assign(&mut self, other: Self) {
        self.suppress += other.suppress;
        self.not_listed += other.not_listed;
        self.invalid += other.invalid;
    }
}

/// One day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayOfChecks {
    /// Every answer of the day.
    pub answers: AnswerCounts,
    /// The same by the agency that asked; nothing stands for those without one. What could not be
    /// read has no agency here: the index does not keep it.
    pub agencies: BTreeMap<Option<AgencyId>, AnswerCounts>,
}

/// The checks of a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChecksByDay {
    /// Only days on which somebody asked.
    pub days: BTreeMap<Date, DayOfChecks>,
    /// Checks of numbers that could not be read and whose day the index does not tell: it counts
    /// them for a part of the log, and that part lasts longer than a day or begins before this
    /// time.
    pub undated_invalid: u64,
}

impl Service {
    /// The checks from one moment up to another (left out), by day, answer and agency, sealed or
    /// not. `day` says on which day a moment falls.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn checks_by_day(
        &self,
        from: Moment,
        to: Moment,
        day: impl Fn(Moment) -> Date + Send + 'static,
    ) -> Result<ChecksByDay, ServiceError> {
        let permit = self.search_permit().await?;
        let index = self.record_index(&permit).await?;
        tokio::task::spawn_blocking(move || count(&index, from, to, day))
            .await
            .map_err(|_| ServiceError::Damaged("the index of the log"))?
            .map_err(|_| ServiceError::Damaged("the index of the log"))
    }
}

fn count(
    index: &impl Source,
    from: Moment,
    to: Moment,
    day: impl Fn(Moment) -> Date,
) -> Result<ChecksByDay, IndexError> {
    let mut counted = ChecksByDay::default();
    for (place, header) in index.headers()?.iter().enumerate() {
        let checks = u64::from(header.count_of(Op::Check));
        if checks == 0 || header.earliest >= to || header.latest < from {
            continue;
        }
        let mut rows = 0;
        index.open(place)?.checks(&Shelves::ALL, |row| {
            rows += 1;
            if row.time < from || row.time >= to {
                return;
            }
            let counts = counted.days.entry(day(row.time)).or_default();
            counts.answers.count(row.answer);
            let agency = counts.agencies.entry(row.agency.cloned()).or_default();
            agency.count(row.answer);
        })?;
        // A number that cannot be read has no name in the log, and so no row.
        let invalid = checks.saturating_sub(rows);
        let one_day = day(header.earliest) == day(header.latest);
        if invalid > 0 {
            if one_day && header.earliest >= from && header.latest < to {
                let counts = counted.days.entry(day(header.earliest)).or_default();
                counts.answers.invalid += invalid;
            } else {
                counted.undated_invalid += invalid;
            }
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::ToSpan;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::{Context, Entry, EntryId, Pseudonym, Reason, Salt, SellerRef};
    use crate::log::index::{Segment, SegmentBuilder};

    const DAY: i64 = 86_400_000;

    fn check(agency: &str, millis: i64, answer: Answer) -> Entry {
        let time = Moment::from_millis(millis);
        Entry {
            id: EntryId::new(time, [7; 10]),
            time,
            context: Arc::new(Context {
                op: Op::Check,
                agency: AgencyId::parse(agency).ok(),
                seller: Some(SellerRef::All),
                key: None,
                campaign: None,
                channels: None,
                detail: None,
            }),
            pn: (answer != Answer::Invalid).then_some(Pseudonym([millis as u8; 16])),
            answer: Some(answer),
            salt: Salt([0; 16]),
            writer: [0; 8],
            writer_seq: 1,
            client_seq: None,
        }
    }

    fn segment(entries: &[Entry]) -> Segment {
        let mut builder = SegmentBuilder::new();
        for (place, entry) in entries.iter().enumerate() {
            builder.add(place as u32, entry).unwrap();
        }
        Segment::open(builder.finish()).unwrap()
    }

    fn day(number: i64) -> Date {
        jiff::civil::date(1970, 1, 1) + number.days()
    }

    fn counted(segments: &[Segment], from: i64, to: i64) -> ChecksByDay {
        let (from, to) = (Moment::from_millis(from), Moment::from_millis(to));
        count(&segments, from, to, |at| {
            TimeZone::UTC.to_datetime(at.timestamp()).date()
        })
        .unwrap()
    }

    #[test]
    fn checks_are_counted_by_day_answer_and_agency_from_the_index_alone() {
        let no = Answer::Suppress(Reason::AllSellers);
        let segments = [
            segment(&[
                check("one", DAY, no),
                check("one", DAY + 1, Answer::NotListed),
                check("two", DAY + 2, no),
                check("two", 2 * DAY - 1, Answer::Invalid),
            ]),
            segment(&[
                check("one", 2 * DAY, no),
                check("one", 3 * DAY, Answer::Invalid),
                check("", 3 * DAY, Answer::NotListed),
            ]),
            segment(&[]),
        ];
        let all = counted(&segments, 0, 9 * DAY);
        let counts = |suppress, not_listed, invalid| AnswerCounts {
            suppress,
            not_listed,
            invalid,
        };
        let first = &all.days[&day(1)];
        assert_eq!(first.answers, counts(2, 1, 1));
        assert_eq!(
            first.agencies[&AgencyId::parse("one").ok()],
            counts(1, 1, 0)
        );
        assert_eq!(
            first.agencies[&AgencyId::parse("two").ok()],
            counts(1, 0, 0)
        );
        assert_eq!(all.days[&day(2)].answers, counts(1, 0, 0));
        assert_eq!(all.days[&day(3)].agencies[&None], counts(0, 1, 0));
        assert_eq!(all.undated_invalid, 1, "of the part that lasts two days");
        assert_eq!(all.days.len(), 3);
    }

    #[test]
    fn a_time_has_its_first_moment_and_not_its_last() {
        let no = Answer::Suppress(Reason::ThisSeller);
        let entries = [DAY - 1, DAY, 2 * DAY - 1, 2 * DAY].map(|at| check("one", at, no));
        let some = counted(&[segment(&entries)], DAY, 2 * DAY);
        assert_eq!(some.days.keys().collect::<Vec<_>>(), [&day(1)]);
        assert_eq!(some.days[&day(1)].answers.total(), 2);
        assert_eq!(counted(&[segment(&entries)], 0, 0), ChecksByDay::default());
    }
}
