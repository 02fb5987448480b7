//! The calls of one chunk, ordered so that every entry of the log finds those it concerns quickly:
//! by number, then by who is said to have called for whom, then by time.

use std::collections::HashMap;
use std::ops::Range;

use super::call::Call;
use super::verdict::Check;
use super::{Options, Place};
use crate::domain::{Answer, Channel, EntryId, Moment, Month, Op, PhoneNumber, SellerRef};
use crate::log::index;

/// Calls to one number that name the same agency and the same seller (or none).
#[derive(Debug)]
pub(super) struct Group {
    /// In `Plan::calls`.
    pub calls: Range<usize>,
}

/// One number that is called.
#[derive(Debug)]
pub(super) struct Subject {
    pub number: PhoneNumber,
    /// In `Plan::groups`.
    groups: Range<usize>,
    /// The months that checks of its calls can be in.
    pub months: (Month, Month),
    /// Its last call's month.
    pub last: Month,
    /// What was registered and withdrawn.
    events: Vec<Event>,
}

/// One call and the latest check that is not too late for it, but is for the call before.
#[derive(Debug)]
pub(super) struct Planned<'c> {
    pub call: &'c Call,
    /// Where the call stands in the chunk.
    pub row: usize,
    found: Option<Found>,
}

/// A check, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    order: (Moment, Place),
    pub suppress: bool,
    pub check: Check,
}

/// A registration of the number, or its withdrawal.
#[derive(Debug)]
struct Event {
    order: (Moment, Place),
    seller: SellerRef,
    id: EntryId,
    register: bool,
}

/// What is registered for one seller at some time.
#[derive(Debug)]
pub(super) struct Listed {
    pub seller: SellerRef,
    /// Registrations less withdrawals.
    count: i64,
    /// The latest registration.
    order: (Moment, Place),
    id: EntryId,
}

#[derive(Debug)]
pub(super) struct Plan<'c> {
    options: Options,
    pub subjects: Vec<Subject>,
    groups: Vec<Group>,
    calls: Vec<Planned<'c>>,
}

impl<'c> Plan<'c> {
    pub fn new(options: Options, calls: impl Iterator<Item = (usize, &'c Call)>) -> Self {
        let mut calls: Vec<_> = calls
            .map(|(row, call)| Planned {
                call,
                row,
                found: None,
            })
            .collect();
        calls.sort_unstable_by(|a, b| {
            let key = |planned: &Planned<'c>| {
                let call = planned.call;
                (
                    call.number,
                    &call.agency,
                    &call.seller,
                    call.time,
                    planned.row,
                )
            };
            key(a).cmp(&key(b))
        });
        let (mut subjects, mut groups) = (Vec::new(), Vec::new());
        let mut place = 0;
        for of_number in calls.chunk_by(|a, b| a.call.number == b.call.number) {
            let first_group = groups.len();
            let same = |a: &Planned<'c>, b: &Planned<'c>| {
                (&a.call.agency, &a.call.seller) == (&b.call.agency, &b.call.seller)
            };
            let (mut earliest, mut latest) = (of_number[0].call.time, of_number[0].call.time);
            for group in of_number.chunk_by(same) {
                groups.push(Group {
                    calls: place..place + group.len(),
                });
                place += group.len();
                earliest = earliest.min(group[0].call.time);
                latest = latest.max(group[group.len() - 1].call.time);
            }
            subjects.push(Subject {
                number: of_number[0].call.number,
                groups: first_group..groups.len(),
                months: (
                    options.first_for(earliest).month(),
                    options.last_for(latest).month(),
                ),
                last: latest.month(),
                events: Vec::new(),
            });
        }
        Self {
            options,
            subjects,
            groups,
            calls,
        }
    }

    /// A check of the number of `subject`.
    pub fn note_check(&mut self, subject: usize, segment: usize, row: &index::Row<'_>) {
        // A check for texts does not cover a call; one without an answer covers nothing.
        let suppress = match row.answer {
            Some(Answer::Suppress(_)) => true,
            Some(Answer::NotListed) => false,
            Some(Answer::Invalid) | None => return,
        };
        if !of_calls(row) {
            return;
        }
        let order = (row.time, (segment, row.position));
        for group in &self.groups[self.subjects[subject].groups.clone()] {
            let calls = &mut self.calls[group.calls.clone()];
            let said = calls[0].call;
            if (said.agency.is_some() && said.agency.as_ref() != row.agency)
                || !concerns(said, row.seller)
            {
                continue;
            }
            // The first call for which it is not too late; `best_of` hands it on to later ones.
            let first = calls.partition_point(|c| self.options.last_for(c.call.time) < row.time);
            let Some(planned) = calls.get_mut(first) else {
                continue;
            };
            if planned
                .found
                .as_ref()
                .is_none_or(|known| known.order < order)
            {
                planned.found = Some(Found {
                    order,
                    suppress,
                    check: Check {
                        id: row.id,
                        at: row.time,
                        agency: row.agency.cloned(),
                        seller: row.seller.cloned(),
                    },
                });
            }
        }
    }

    /// A registration of the number of `subject`, or its withdrawal.
    pub fn note_other(&mut self, subject: usize, segment: usize, row: &index::Row<'_>) {
        let register = match row.op {
            Op::Register => true,
            Op::Withdraw => false,
            _ => return,
        };
        let Some(seller) = row.seller.filter(|_| of_calls(row)) else {
            return;
        };
        self.subjects[subject].events.push(Event {
            order: (row.time, (segment, row.position)),
            seller: seller.clone(),
            id: row.id,
            register,
        });
    }

    /// Gives every call with the check that decides about it and what was registered at its time.
    pub fn resolve(mut self, mut each: impl FnMut(&Planned<'_>, Option<&Found>, &[Listed])) {
        for subject in &mut self.subjects {
            subject.events.sort_unstable_by_key(|event| event.order);
            for group in &self.groups[subject.groups.clone()] {
                let mut best: Option<&Found> = None;
                let mut listed = Register::default();
                let mut events = subject.events.iter().peekable();
                for planned in &self.calls[group.calls.clone()] {
                    let time = planned.call.time;
                    while let Some(event) = events.next_if(|event| event.order.0 <= time) {
                        listed.take(event);
                    }
                    if let Some(found) = &planned.found
                        && best.is_none_or(|best| best.order < found.order)
                    {
                        best = Some(found);
                    }
                    let recent = best.filter(|f| f.check.at >= self.options.first_for(time));
                    each(planned, recent, &listed.listed);
                }
            }
        }
    }
}

/// Sellers as they come, each with what is registered for it.
#[derive(Debug, Default)]
struct Register<'e> {
    places: HashMap<&'e SellerRef, usize>,
    listed: Vec<Listed>,
}

impl<'e> Register<'e> {
    fn take(&mut self, event: &'e Event) {
        let place = *self.places.entry(&event.seller).or_insert_with(|| {
            self.listed.push(Listed {
                seller: event.seller.clone(),
                count: 0,
                order: event.order,
                id: event.id,
            });
            self.listed.len() - 1
        });
        let listed = &mut self.listed[place];
        if event.register {
            listed.count += 1;
            (listed.order, listed.id) = (event.order, event.id);
        } else {
            // What it takes back may lie in a year whose entries were dropped.
            listed.count = (listed.count - 1).max(0);
        }
    }
}

impl Listed {
    /// The latest registration, if one holds.
    pub fn holds(&self) -> Option<((Moment, Place), EntryId)> {
        (self.count > 0).then_some((self.order, self.id))
    }
}

/// Whether an entry is about calls. One without channels is about every one.
fn of_calls(row: &index::Row<'_>) -> bool {
    row.channels
        .is_none_or(|channels| channels.covers(Channel::Voice))
}

/// Whether a check for `seller` is one for the seller of the call.
fn concerns(call: &Call, seller: Option<&SellerRef>) -> bool {
    match (&call.seller, seller) {
        (None, _) => true,
        (Some(said), Some(SellerRef::One(seller))) => said == seller,
        (Some(_), _) => false,
    }
}
