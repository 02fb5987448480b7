//! Going through the logs of a bundle for the names of one number.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::time::Duration;

use data_encoding::HEXLOWER;
use indicatif::{ProgressBar, ProgressStyle};
use memchr::memmem::Finder;

use super::permit::Permit;
use crate::domain::{Detail, Entry, Moment, Month, Op, Pseudonym};
use crate::log::bundle::{ReadError, SignedLog};
use crate::log::tile::{WIDTH, entries};
use crate::log::{SEGMENT, TlogProof};

/// How far the time of an entry may lie from where it stands in the log: clocks differ, and
/// entries wait to be sealed.
pub(super) const SLACK: Duration = Duration::from_secs(3600);

/// An entry about the number, shown to be in the signed log.
#[derive(Clone)]
pub(super) struct Hit {
    /// Its canonical form.
    pub(super) bytes: Vec<u8>,
    /// What it says.
    pub(super) entry: Entry,
    /// The proof, which was checked.
    pub(super) proof: TlogProof,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// The entries about the number, oldest log first, in each log's order.
    pub(super) hits: Vec<Hit>,
    /// SHA-256 of the key of the month that is to be confirmed, as the logs hold it.
    pub(super) commitments: Vec<[u8; 32]>,
    /// Whether the logs say that this key was released.
    pub(super) released: bool,
    /// Whether an index was relied on.
    pub(super) by_index: bool,
}

/// Finds the entries of a number, and what must bear out its names.
pub(super) fn search(
    logs: &mut [SignedLog],
    permit: &Permit,
    index: bool,
) -> Result<Found, ReadError> {
    let wanted = Wanted::new(permit);
    let mut found = Found::default();
    let bundles = |log: &SignedLog| log.bundles().end - log.bundles().start;
    let bar = bar(logs.iter().map(bundles).sum());
    for log in logs {
        // What the index does not know of must be looked for in the entries.
        let index = index && wanted.month.is_none();
        let bundles = log.bundles();
        let mut at = bundles.start;
        while at < bundles.end {
            let number = at * WIDTH / SEGMENT;
            let end = ((number + 1) * (SEGMENT / WIDTH)).min(bundles.end);
            let places = match index {
                true => wanted.places(log, number),
                false => None,
            };
            if let Some(places) = places {
                found.by_index = true;
                for bundle in places
                    .into_iter()
                    .filter(|bundle| (at..end).contains(bundle))
                {
                    wanted.read(log, bundle, &mut found)?;
                }
                bar.inc(end - at);
            } else {
                for bundle in at..end {
                    wanted.read(log, bundle, &mut found)?;
                    bar.inc(1);
                }
            }
            at = end;
        }
    }
    bar.finish_and_clear();
    Ok(found)
}

/// What is looked for.
struct Wanted {
    names: HashMap<[u8; 32], Pseudonym>,
    name: Finder<'static>,
    /// The month whose key must be borne out.
    month: Option<Month>,
    key: Finder<'static>,
}

/// What stands before a pseudonym in an entry.
const NAME: &str = r#""pn":""#;

impl Wanted {
    fn new(permit: &Permit) -> Self {
        let names = permit.names.iter().filter_map(|(_, pn)| {
            let digits = HEXLOWER.encode(&pn.0);
            Some((<[u8; 32]>::try_from(digits.as_bytes()).ok()?, *pn))
        });
        Self {
            names: names.collect(),
            name: Finder::new(NAME).into_owned(),
            month: permit.month_to_confirm(),
            key: Finder::new(r#""reason":"month_"#).into_owned(),
        }
    }

    /// The bundles of a segment that the index names; nothing where there is none, or a damaged
    /// one.
    fn places(&self, log: &SignedLog, number: u64) -> Option<BTreeSet<u64>> {
        let segment = log.segment(number)?;
        let mut places = BTreeSet::new();
        for pn in self.names.values() {
            let rows = segment.rows_of(pn).ok()?;
            let rows = rows.iter().map(|row| u64::from(row.position));
            places.extend(rows.map(|place| (number * SEGMENT + place) / WIDTH));
        }
        Some(places)
    }

    /// Whether a bundle is worth reading entry by entry.
    fn may_be_in(&self, bundle: &[u8]) -> bool {
        let named = self.name.find_iter(bundle).any(|at| {
            let digits = bundle.get(at + NAME.len()..at + NAME.len() + 32);
            digits.is_some_and(|digits| self.names.contains_key(digits))
        });
        named || (self.month.is_some() && self.key.find(bundle).is_some())
    }

    fn read(&self, log: &mut SignedLog, bundle: u64, found: &mut Found) -> Result<(), ReadError> {
        let bytes = log.bundle(bundle)?;
        if !self.may_be_in(&bytes) {
            return Ok(());
        }
        for (index, bytes) in entries_of(log, bundle, &bytes) {
            if !self.may_be_in(bytes) {
                continue;
            }
            let proof = log.prove(index, bytes)?;
            // What was signed and is no entry of this form is about nobody.
            let Ok(entry) = Entry::read_json(bytes) else {
                continue;
            };
            if entry
                .pn
                .is_some_and(|pn| self.names.values().any(|name| *name == pn))
            {
                found.hits.push(Hit {
                    bytes: bytes.to_vec(),
                    entry,
                    proof,
                });
            } else {
                self.note_key(&entry, found);
            }
        }
        Ok(())
    }

    fn note_key(&self, entry: &Entry, found: &mut Found) {
        let Some(wanted) = self.month.map(|month| month.to_string()) else {
            return;
        };
        match (entry.context.op, &entry.context.detail) {
            (Op::Key, Some(Detail::MonthKey { month, commitment })) if *month == wanted => {
                found.commitments.push(*commitment);
            }
            (Op::Key, Some(Detail::MonthReleased { month, .. })) if *month == wanted => {
                found.released = true;
            }
            _ => {}
        }
    }
}

/// The entries of a bundle that the log is said to have, each with its index.
fn entries_of<'a>(
    log: &SignedLog,
    bundle: u64,
    bytes: &'a [u8],
) -> impl Iterator<Item = (u64, &'a [u8])> + use<'a> {
    let content: Range<u64> = log.content.clone();
    // A bundle is given only when its entries are whole.
    let entries = entries(bytes).filter_map(Result::ok);
    (bundle * WIDTH..)
        .zip(entries)
        .filter(move |(index, _)| content.contains(index))
}

/// The time of the first entry that is there.
pub(super) fn first_time(log: &mut SignedLog) -> Result<Option<Moment>, ReadError> {
    let bundle = log.bundles().start;
    time_of(log, bundle, |times| times.next())
}

/// The time of the last entry that is there.
pub(super) fn last_time(log: &mut SignedLog) -> Result<Option<Moment>, ReadError> {
    let bundle = log.bundles().end.saturating_sub(1);
    time_of(log, bundle, |times| times.last())
}

type Places<'a> = dyn Iterator<Item = (u64, &'a [u8])> + 'a;

fn time_of(
    log: &mut SignedLog,
    bundle: u64,
    choose: impl for<'a> Fn(&mut Places<'a>) -> Option<(u64, &'a [u8])>,
) -> Result<Option<Moment>, ReadError> {
    if log.content.is_empty() {
        return Ok(None);
    }
    let bytes = log.bundle(bundle)?;
    let Some((index, bytes)) = choose(&mut entries_of(log, bundle, &bytes)) else {
        return Ok(None);
    };
    log.prove(index, bytes)?;
    Ok(Entry::read_json(bytes).ok().map(|entry| entry.time))
}

/// Shown on a terminal only.
fn bar(bundles: u64) -> ProgressBar {
    let style = "{wide_bar} {percent} %, {eta} left";
    let style = ProgressStyle::with_template(style);
    ProgressBar::new(bundles).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
