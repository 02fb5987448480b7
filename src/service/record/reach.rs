//! How far back the record goes: what lies before that is not known, and must not be taken for
//! nothing.

use std::time::Duration;

use crate::domain::{Entry, Moment};
use crate::log::tile::entries;
use crate::service::{Service, ServiceError};

/// A batch belongs to the year in which its first entry was made, so a few moments after a year's
/// end may lie in that year's log, and are dropped with it. Much longer than any batch takes.
const YEARS_EDGE: Duration = Duration::from_secs(3600);

/// How far back the record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Reach {
    /// To its first entry: before that there was nothing to record.
    Beginning(Moment),
    /// To this moment: what was recorded earlier was dropped, or lost.
    Cut(Moment),
}

impl Reach {
    /// Whether it is known what was recorded in the time `back` before a call, which came at some
    /// moment from `from` to `to`.
    ///
    /// # Errors
    /// The moment since which a call can be looked into.
    pub fn covers(self, back: Duration, (from, to): (Moment, Moment)) -> Result<(), Moment> {
        let (call, since) = match self {
            Self::Beginning(first) => (to, first),
            Self::Cut(since) => (from, since.plus(back)),
        };
        if call < since { Err(since) } else { Ok(()) }
    }
}

impl Service {
    /// How far back the record goes, sealed and unsealed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(in crate::service) async fn reach(&self) -> Result<Reach, ServiceError> {
        let archive = &self.record.archive;
        loop {
            let head = archive.head().await?;
            let logs = head.map(|head| head.logs()).unwrap_or_default();
            let mut dropped = None;
            for log in &logs {
                if archive.is_dropped(log.log).await? {
                    dropped = dropped.max(Some(log.log.year()));
                }
            }
            let dropped =
                dropped.map(|year| Moment::beginning_of(year.saturating_add(1)).plus(YEARS_EDGE));
            if let Some(since) = dropped.max(self.record.begun) {
                return Ok(Reach::Cut(since));
            }
            let Some(first) = logs.iter().find(|log| log.size > 0) else {
                return self.first_unsealed().await.map(Reach::Beginning);
            };
            // Its year may be dropped meanwhile.
            let bundle = archive.bundle_unless_dropped(first.log, 0, first.size);
            if let Some(bundle) = bundle.await? {
                return first_of(&bundle).map(Reach::Beginning);
            }
        }
    }

    /// The moment before which entries are no longer there; nothing where all of them are.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(in crate::service) async fn gone_before(&self) -> Result<Option<Moment>, ServiceError> {
        Ok(match self.reach().await? {
            Reach::Cut(since) => Some(since),
            Reach::Beginning(_) => None,
        })
    }

    /// When the first entry was made, where nothing is sealed yet.
    async fn first_unsealed(&self) -> Result<Moment, ServiceError> {
        let mut first = Moment::now();
        for tail in 0..self.store.tails() {
            for batch in self.store.tail(tail, None, 1).await? {
                let found = batch.entries();
                let found = found.map_err(|_| ServiceError::Damaged("a batch of audit entries"))?;
                first = found
                    .iter()
                    .map(|entry| entry.time)
                    .fold(first, Moment::min);
            }
        }
        Ok(first)
    }
}

/// When the earliest entry of a bundle was made.
fn first_of(bundle: &[u8]) -> Result<Moment, ServiceError> {
    let damaged = || ServiceError::Damaged("an entry of the log");
    let mut first = None;
    for entry in entries(bundle) {
        let entry = entry.map_err(|_| damaged())?;
        let time = Entry::read_json(entry).map_err(|_| damaged())?.time;
        first = Some(first.map_or(time, |first: Moment| first.min(time)));
    }
    first.ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn day(day: i64) -> Moment {
        Moment::from_millis(day * 86_400_000)
    }

    #[test]
    fn before_its_first_entry_there_was_nothing_to_record() {
        let covers = |from, to| Reach::Beginning(day(100)).covers(31 * DAY, (day(from), day(to)));
        assert_eq!(covers(98, 99), Err(day(100)));
        // It may have come since, and nobody can have asked before.
        assert_eq!(covers(99, 100), Ok(()));
        assert_eq!(covers(101, 101), Ok(()));
    }

    #[test]
    fn what_was_dropped_or_lost_may_have_held_a_question() {
        let covers = |from, to| Reach::Cut(day(100)).covers(31 * DAY, (day(from), day(to)));
        assert_eq!(covers(99, 100), Err(day(131)));
        assert_eq!(
            covers(130, 131),
            Err(day(131)),
            "it may have come on the first of the days"
        );
        assert_eq!(covers(131, 132), Ok(()));
    }
}
