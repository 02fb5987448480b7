//! Going through the log's index for a chunk of calls, in memory that does not grow with the log.
//!
//! A number has another name in the log every month. So the chunk is looked at month by month: the
//! names of its numbers in that month make one table, and the rows of every segment that the month
//! falls in are looked up in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;

use super::call::{Call, Unreadable};
use super::lists::{ListedCall, Lists};
use super::plan::{Found, Listed, Plan, Planned, Subject};
use super::verdict::{Check, Finding, Registered, Verdict};
use super::{MatchError, Options};
use crate::domain::{Moment, Month, Op, Pseudonym, SellerRef};
use crate::log::index::{Header, IndexError, ReadAt, Segment, Shelves};
use crate::privacy::MonthKey;

/// The log's index, segment after segment in the order of the log (one log after the other).
pub trait Source {
    /// Where a segment's bytes are.
    type Bytes: ReadAt;
    /// A segment, held or shared.
    type Segment: Deref<Target = Segment<Self::Bytes>>;

    /// What each segment covers. Asked once: what the log gains later does not count.
    ///
    /// # Errors
    /// [`IndexError`].
    fn headers(&self) -> Result<Vec<Header>, IndexError>;

    /// The segment at a place of [`headers`](Self::headers).
    ///
    /// # Errors
    /// [`IndexError`].
    fn open(&self, place: usize) -> Result<Self::Segment, IndexError>;
}

impl<'a, R: ReadAt> Source for &'a [Segment<R>] {
    type Bytes = R;
    type Segment = &'a Segment<R>;

    fn headers(&self) -> Result<Vec<Header>, IndexError> {
        Ok(self.iter().map(|s| s.header().clone()).collect())
    }

    fn open(&self, place: usize) -> Result<Self::Segment, IndexError> {
        self.get(place).ok_or(IndexError::Damaged)
    }
}

/// For which time the record can tell that something did not happen. Nothing limits it at first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coverage {
    /// Before this moment nothing was recorded yet.
    pub begins: Option<Moment>,
    /// What was recorded before this moment is no longer there.
    pub gone_before: Option<Moment>,
    /// What is later than this moment has not been.
    pub ends: Option<Moment>,
    /// From this moment on numbers were listed that have no entry each.
    pub imported_from: Option<Moment>,
}

/// Finds out about calls, chunk by chunk.
#[derive(Debug)]
pub struct Matcher<S> {
    source: S,
    headers: Vec<Header>,
    keys: BTreeMap<Month, MonthKey>,
    options: Options,
    /// The months in which anything was registered or withdrawn.
    registering: BTreeSet<Month>,
    /// Months whose checks could not be seen.
    missing: BTreeSet<Month>,
    coverage: Coverage,
    lists: Option<Box<dyn Lists>>,
}

impl<S: Source> Matcher<S> {
    /// Looks at what the log covers and when anything was registered.
    ///
    /// `keys` are the months whose pseudonyms can be made, as
    /// [`MonthKeys::all`](crate::privacy::MonthKeys::all) gives them.
    ///
    /// # Errors
    /// [`MatchError::Index`].
    pub fn new(
        source: S,
        keys: impl IntoIterator<Item = (Month, MonthKey)>,
        options: Options,
    ) -> Result<Self, MatchError> {
        let headers = source.headers()?;
        let mut registering = BTreeSet::new();
        for (place, header) in headers.iter().enumerate() {
            if registrations(header) {
                source.open(place)?.others(&Shelves::ALL, |row| {
                    if matches!(row.op, Op::Register | Op::Withdraw) {
                        registering.insert(row.time.month());
                    }
                })?;
            }
        }
        Ok(Self {
            source,
            headers,
            keys: keys.into_iter().collect(),
            options,
            registering,
            missing: BTreeSet::new(),
            coverage: Coverage::default(),
            lists: None,
        })
    }

    /// The same, for a record that does not cover all time.
    #[must_use]
    pub fn covering(self, coverage: Coverage) -> Self {
        Self { coverage, ..self }
    }

    /// The same, with the lists that were imported since [`Coverage::imported_from`].
    #[must_use]
    pub fn with_lists(self, lists: impl Lists + 'static) -> Self {
        let lists = Some(Box::new(lists) as Box<dyn Lists>);
        Self { lists, ..self }
    }

    /// Months that calls so far would have needed, in which the log has entries, and whose key is
    /// not there: what happened in them could not be seen, and a verdict that nothing happened is
    /// no proof.
    #[must_use]
    pub fn missing_keys(&self) -> &BTreeSet<Month> {
        &self.missing
    }

    /// What the log says about each of these calls, in their order. The memory this takes grows
    /// with their number, so give it [`CHUNK`](super::CHUNK) at a time.
    ///
    /// # Errors
    /// [`MatchError::Index`]; then nothing is known about any of them.
    pub fn verdicts<'c>(
        &mut self,
        calls: impl IntoIterator<Item = &'c Result<Call, Unreadable>>,
    ) -> Result<Vec<Verdict>, MatchError> {
        let mut verdicts = Vec::new();
        let mut readable = Vec::new();
        for (row, call) in calls.into_iter().enumerate() {
            verdicts.push(match call {
                Ok(call) => {
                    readable.push((row, call));
                    Verdict::unreadable(Finding::UnreadableRow, "")
                }
                Err(Unreadable::Number(error)) => {
                    Verdict::unreadable(Finding::InvalidNumber, error.code())
                }
                Err(error) => Verdict::unreadable(Finding::UnreadableRow, error.code()),
            });
        }
        let times = readable.iter().map(|(_, call)| call.time);
        let Some((earliest, latest)) = times.clone().min().zip(times.max()) else {
            return Ok(verdicts);
        };
        let mut plan = Plan::new(self.options, readable.into_iter());
        self.search(&mut plan, (earliest, latest))?;
        let validity = self.options.validity;
        let (mut rows, mut unknown) = (Vec::new(), Vec::new());
        plan.resolve(|planned, found, listed| {
            let mut verdict = verdict(planned, found, listed, validity);
            let call = planned.call;
            self.doubt(call.time, &mut verdict);
            if self.may_be_imported(call.time, &verdict) {
                rows.push(planned.row);
                unknown.push(ListedCall {
                    number: call.number,
                    at: call.time,
                    seller: seller_of(call, verdict.check.as_ref()),
                });
            }
            verdicts[planned.row] = verdict;
        });
        if let Some(lists) = &self.lists {
            let held = lists.held(&unknown);
            let held = held.map_err(|error| MatchError::Lists(Box::new(error)))?;
            for (row, _) in rows.into_iter().zip(held).filter(|(_, held)| *held) {
                verdicts[row].registered = Some(Registered::Imported);
            }
        }
        Ok(verdicts)
    }

    /// Whether the number of a call may have stood on a list that was imported by then.
    fn may_be_imported(&self, call: Moment, verdict: &Verdict) -> bool {
        let open = matches!(
            verdict.registered,
            Some(Registered::No | Registered::Unknown)
        );
        open && self.coverage.imported_from.is_some_and(|from| from <= call)
    }

    /// Takes back what the record cannot know: that nobody asked, and that nothing was registered.
    fn doubt(&self, call: Moment, verdict: &mut Verdict) {
        let Coverage {
            begins,
            gone_before,
            ends,
            imported_from,
        } = self.coverage;
        let last = self.options.last_for(call);
        let missing = |from: Moment| {
            let between = self.missing.range(from.month()..=last.month());
            between.count() > 0
        };
        let first = self.options.first_for(call);
        let why = match (verdict.finding, &verdict.check) {
            (Finding::NeverChecked, _) if begins.is_some_and(|begins| last < begins) => {
                Some("before_the_record")
            }
            (Finding::NeverChecked, _) if ends.is_some_and(|ends| call > ends) => {
                Some("in_the_future")
            }
            (Finding::NeverChecked, _) if gone_before.is_some_and(|gone| first < gone) => {
                Some("entries_gone")
            }
            (Finding::NeverChecked, _) if missing(first) => Some("month_without_key"),
            // Another may have been asked for after it.
            (Finding::CheckExpired | Finding::CheckedSuppressed, Some(check))
                if missing(check.at) =>
            {
                Some("month_without_key")
            }
            _ => None,
        };
        if why.is_some() {
            (verdict.finding, verdict.reason) = (Finding::NotCovered, why);
        }
        let unknown = gone_before.is_some()
            || begins.is_some_and(|begins| last < begins)
            || imported_from.is_some_and(|from| from <= call)
            || missing(Moment::from_millis(0));
        if unknown && verdict.registered == Some(Registered::No) {
            verdict.registered = Some(Registered::Unknown);
        }
    }

    fn search(
        &mut self,
        plan: &mut Plan<'_>,
        (earliest, latest): (Moment, Moment),
    ) -> Result<(), MatchError> {
        let (from, to) = (
            self.options.first_for(earliest),
            self.options.last_for(latest),
        );
        let mut months: BTreeSet<Month> = self.registering.clone();
        // Calls may be said to have been made at any time; the log covers few months.
        let filled = self.headers.iter().filter(|header| header.entries > 0);
        let begins = filled.clone().map(|header| header.earliest).min();
        let ends = filled.map(|header| header.latest).max();
        if let Some((begins, ends)) = begins.zip(ends) {
            let mut month = from.max(begins).month();
            while month <= to.min(ends).month() {
                months.insert(month);
                month = month.next();
            }
        }
        for month in months {
            let checks = (from.month()..=to.month()).contains(&month);
            let others = month <= latest.month() && self.registering.contains(&month);
            let segments: Vec<_> = self
                .headers
                .iter()
                .enumerate()
                .map(|(place, header)| {
                    let falls = header.earliest.month() <= month
                        && month <= header.latest.month()
                        && header.entries > 0;
                    let overlaps = header.earliest <= to && from <= header.latest;
                    let checks = falls && checks && overlaps && header.count_of(Op::Check) > 0;
                    (place, checks, falls && others && registrations(header))
                })
                .filter(|(_, checks, others)| *checks || *others)
                .collect();
            if segments.is_empty() {
                continue;
            }
            let Some(key) = self.keys.get(&month) else {
                self.missing.insert(month);
                continue;
            };
            let named = names(key, &plan.subjects, |subject| {
                (others && month <= subject.last)
                    || (subject.months.0 <= month && month <= subject.months.1)
            });
            let shelves = Shelves::of(named.keys());
            for (place, checks, others) in segments {
                let segment = self.source.open(place)?;
                if checks {
                    segment.checks(&shelves, |row| {
                        if let Some(subject) = named.get(&row.pn) {
                            plan.note_check(*subject, place, &row);
                        }
                    })?;
                }
                if others {
                    segment.others(&shelves, |row| {
                        if let Some(subject) = named.get(&row.pn) {
                            plan.note_other(*subject, place, &row);
                        }
                    })?;
                }
            }
        }
        Ok(())
    }
}

fn registrations(header: &Header) -> bool {
    header.count_of(Op::Register) + header.count_of(Op::Withdraw) > 0
}

/// The month's names of the numbers that are wanted, with their places.
fn names(
    key: &MonthKey,
    subjects: &[Subject],
    wanted: impl Fn(&Subject) -> bool,
) -> HashMap<Pseudonym, usize> {
    let wanted = subjects.iter().enumerate().filter(|(_, s)| wanted(s));
    wanted
        .map(|(place, subject)| {
            let number = &subject.number;
            (key.opening(number).pseudonym(number), place)
        })
        .collect()
}

fn verdict(
    planned: &Planned<'_>,
    found: Option<&Found>,
    listed: &[Listed],
    validity: std::time::Duration,
) -> Verdict {
    let call = planned.call;
    let finding = match found {
        None => Finding::NeverChecked,
        Some(found) if call.time > found.check.at.plus(validity) => Finding::CheckExpired,
        Some(found) if found.suppress => Finding::CheckedSuppressed,
        Some(_) => Finding::CheckedClear,
    };
    let check = found.map(|found| found.check.clone());
    let seller = seller_of(call, check.as_ref());
    let holding = |wanted: &dyn Fn(&SellerRef) -> bool| {
        let wanted = listed.iter().filter(|listed| wanted(&listed.seller));
        wanted.filter_map(Listed::holds).max().map(|(_, id)| id)
    };
    let (registered, registration) = if let Some(id) = holding(&|s| *s == SellerRef::All) {
        (Registered::AllSellers, Some(id))
    } else if let Some(seller) = seller {
        match holding(&|s| *s == seller) {
            Some(id) => (Registered::ThisSeller, Some(id)),
            None => (Registered::No, None),
        }
    } else {
        match holding(&|_| true) {
            Some(id) => (Registered::OtherSeller, Some(id)),
            None => (Registered::No, None),
        }
    };
    Verdict {
        finding,
        registered: Some(registered),
        check,
        registration,
        reason: None,
    }
}

/// The seller of a call: that of the record, else that of the check.
fn seller_of(call: &Call, check: Option<&Check>) -> Option<SellerRef> {
    let of_record = call.seller.clone().map(SellerRef::One);
    of_record.or_else(|| check?.seller.clone())
}

impl Verdict {
    fn unreadable(finding: Finding, reason: &'static str) -> Self {
        Self {
            finding,
            registered: None,
            check: None,
            registration: None,
            reason: Some(reason),
        }
    }
}
