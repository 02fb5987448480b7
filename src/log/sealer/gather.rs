//! Reading the tails behind the cursors.
//!
//! The last sealed batch stays in its tail as an anchor. Where it is gone or is another one, the
//! store came back older than the log (a replica was promoted, a backup restored): then nothing is
//! sealed until that was accepted (see [`loss`]). After that the tail is read from its start, and
//! what is sealed already is left out. Where another process has sealed and trimmed meanwhile, the anchor is gone, too; but then its commit is
//! there.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{CYCLE, LogError, Sealer, Sealing, damaged};
use crate::domain::{Entry, EntryId, Moment};
use crate::log::commit::{Cursor, Head};
use crate::log::pace::make_way;
use crate::log::tile::{WIDTH, entries};
use crate::log::{LogName, TailReader};
use crate::log::{fault, loss};
use crate::store::TailBatch;

/// What the next commit will hold.
#[derive(Debug)]
pub(super) struct Gathered {
    pub log: LogName,
    pub batches: Vec<TailBatch>,
    /// Their entries, in order.
    pub entries: Vec<Entry>,
    pub cursors: Vec<Option<Cursor>>,
    /// When the tails began to be read.
    pub began: Instant,
    /// Whether there is more than one commit should hold.
    pub more: bool,
}

/// What was found in the tails.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing that is not sealed.
    Nothing,
    /// What the next commit will hold.
    Batches(Gathered),
    /// Tails that another process has trimmed: it has gone on from where this one stands.
    Moved,
}

/// How the reading of a tail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// At the tail's end, or where the commit is full.
    Reached,
    /// Before it began: the batch at the cursor is gone or is another one.
    NoAnchor,
    /// On the way: the batch that was read last is gone or is another one.
    Broken,
}

/// How many batches are read at a time: a store that hands out more at once keeps the checks waiting
/// that come meanwhile.
const PAGE: usize = 32;

/// A batch that is sealed may lie so much before the oldest of a tail in the log, because the
/// clocks of several processes differ.
const SLACK: Duration = Duration::from_secs(3600);

impl Sealer {
    /// What the tails hold behind the cursors.
    pub(super) async fn gather(&mut self, head: &Head) -> Result<Found, LogError> {
        let tails = self.plan.store.tails();
        let (mut gathered, mut gathering) = nothing_yet(head, tails);
        for tail in 0..tails {
            let from = gathered.cursors[usize::from(tail)];
            let mut sealed = HashSet::new();
            let mut end = self
                .plan
                .read(tail, from, &sealed, &mut gathered, &mut gathering)
                .await?;
            if end == End::NoAnchor && loss::is_newest(&self.plan.archive, head).await? {
                if loss::compare(&self.plan.archive, &self.plan.store).await? {
                    return Err(LogError::StoreIsOlder);
                }
                sealed = self.sealed_in_tail(head, tail).await?;
                end = self
                    .plan
                    .read(tail, None, &sealed, &mut gathered, &mut gathering)
                    .await?;
            }
            if end != End::Reached {
                return Ok(Found::Moved);
            }
        }
        if gathered.cursors == head.cursors {
            return Ok(Found::Nothing);
        }
        // Asked after reading: what a store holds that may lack something is not sealed, or its
        // newest data would not fit the log when it is back.
        self.plan.store.whole().await?;
        Ok(Found::Batches(gathered))
    }

    /// The ids of sealed entries among those that a tail holds.
    async fn sealed_in_tail(&self, head: &Head, tail: u16) -> Result<HashSet<EntryId>, LogError> {
        let first = self.plan.store.tail(tail, None, 1).await?;
        let Some(oldest) = first.first() else {
            return Ok(HashSet::new());
        };
        let oldest = oldest
            .entries()
            .map_err(|error| damaged(&error.to_string()))?;
        let Some(oldest) = oldest.iter().map(|entry| entry.time).min() else {
            return Ok(HashSet::new());
        };
        let mut sealed = HashSet::new();
        for log in head.logs().into_iter().rev() {
            for index in (0..log.size.div_ceil(WIDTH)).rev() {
                let bundle = self.plan.archive.bundle(log.log, index, log.size).await?;
                let mut newest = None;
                for entry in entries(&bundle) {
                    let entry = entry.map_err(|error| damaged(&error.to_string()))?;
                    let entry =
                        Entry::read_json(entry).map_err(|error| damaged(&error.to_string()))?;
                    newest = newest.max(Some(entry.time));
                    sealed.insert(entry.id);
                }
                if newest.is_some_and(|newest| oldest.since(newest) > SLACK) {
                    return Ok(sealed);
                }
            }
        }
        Ok(sealed)
    }
}

/// A commit that follows `head` and holds nothing yet.
fn nothing_yet(head: &Head, tails: u16) -> (Gathered, Gathering) {
    let mut cursors = head.cursors.clone();
    cursors.resize(cursors.len().max(usize::from(tails)), None);
    let gathered = Gathered {
        log: head.log,
        batches: Vec::new(),
        entries: Vec::new(),
        cursors,
        began: Instant::now(),
        more: false,
    };
    let gathering = Gathering {
        entries: 0,
        limit: fault::cycle(CYCLE),
        first: true,
        this_year: Moment::now().year(),
    };
    (gathered, gathering)
}

impl Sealing {
    /// What the commit after `head` will hold, read while that of `head` is still written out.
    /// Nothing where the tails hold nothing more, or where anything is odd: to find out what it is
    /// and to say so is [`Sealer::gather`]'s.
    ///
    /// It decides nothing. Whoever gathers ahead and whoever gathers later both have to create the
    /// commit, and find it taken if another process went on meanwhile.
    pub(super) async fn look_ahead(&self, head: &Head) -> Option<Gathered> {
        let tails = self.store.tails();
        let (mut gathered, mut gathering) = nothing_yet(head, tails);
        for tail in 0..tails {
            let from = gathered.cursors[usize::from(tail)];
            let sealed = HashSet::new();
            let end = self
                .read(tail, from, &sealed, &mut gathered, &mut gathering)
                .await;
            if !matches!(end, Ok(End::Reached)) {
                return None;
            }
        }
        (gathered.cursors != head.cursors).then_some(gathered)
    }

    /// Reads a tail from behind a cursor, or from its start, into the next commit, but for what is
    /// sealed.
    async fn read(
        &self,
        tail: u16,
        cursor: Option<Cursor>,
        sealed: &HashSet<EntryId>,
        gathered: &mut Gathered,
        gathering: &mut Gathering,
    ) -> Result<End, LogError> {
        let mut reader = TailReader::new(tail, cursor, PAGE);
        let mut gone = End::NoAnchor;
        loop {
            let page = match reader.next(&self.store).await? {
                None => return Ok(gone),
                Some(page) if page.is_empty() => return Ok(End::Reached),
                Some(page) => page,
            };
            for batch in page {
                make_way();
                let found = batch
                    .entries()
                    .map_err(|error| damaged(&error.to_string()))?;
                let cursor = Cursor::on(&batch);
                let is_sealed = found.first().is_none_or(|entry| sealed.contains(&entry.id));
                if !is_sealed && !gathering.admit(&found, gathered) {
                    gathered.more = true;
                    return Ok(End::Reached);
                }
                gathered.cursors[usize::from(tail)] = Some(cursor);
                if !is_sealed {
                    gathered.batches.push(batch);
                    gathered.entries.extend(found);
                }
            }
            gone = End::Broken;
        }
    }
}

struct Gathering {
    entries: usize,
    /// With so many entries it is full.
    limit: usize,
    first: bool,
    this_year: u16,
}

impl Gathering {
    /// Whether the batch still goes into this commit. A commit has one log: the log of the year in
    /// which the batch's first entry was written, but never one of a year gone by, and never one
    /// of a year that has not begun here, whatever another machine's clock says.
    fn admit(&mut self, found: &[Entry], gathered: &mut Gathered) -> bool {
        let year = found.first().map_or(0, |entry| entry.time.year());
        let log = LogName::of_year(year.min(self.this_year)).max(gathered.log);
        // A second log of a year stays the year's log.
        let log = if log.year() == gathered.log.year() {
            gathered.log
        } else {
            log
        };
        if self.first {
            gathered.log = log;
            self.first = false;
        }
        if log != gathered.log || self.entries >= self.limit {
            return false;
        }
        self.entries += found.len();
        true
    }
}
