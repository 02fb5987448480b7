//! Are the counters of the entries without a gap?
//!
//! A writer counts its entries, and so does each agency. Pieces of a log are counted by several
//! threads and then joined in the log's order, so that what is remembered does not grow with it.

use std::collections::HashMap;
use std::hash::Hash;

use crate::domain::{AgencyId, Entry};

/// A number that does not follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Break {
    /// The entry that has it.
    pub(super) index: u64,
    /// Whose: `writer 0202020202020202`, `agency quick-calls`.
    pub(super) whose: String,
    /// The number before it.
    pub(super) before: u64,
    /// The number it has.
    pub(super) number: u64,
    /// The entry that has the number before.
    pub(super) after: u64,
}

/// A stretch of one counter.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u64,
    first_index: u64,
    last: u64,
    last_index: u64,
    entries: u64,
}

/// The counters of one kind.
#[derive(Debug)]
struct Counters<K>(HashMap<K, Run>);

impl<K> Default for Counters<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone> Counters<K> {
    /// Counts one entry; gives the number before, and its entry, if this one does not follow it.
    fn count(&mut self, who: &K, number: u64, index: u64) -> Option<(u64, u64)> {
        let run = Run {
            first: number,
            first_index: index,
            last: number,
            last_index: index,
            entries: 1,
        };
        match self.0.get_mut(who) {
            Some(known) => known.extend(run),
            None => {
                self.0.insert(who.clone(), run);
                None
            }
        }
    }

    /// Puts what comes next in the log behind this.
    fn join(&mut self, next: Self, mut broken: impl FnMut(&K, Run, (u64, u64))) {
        for (who, run) in next.0 {
            match self.0.get_mut(&who) {
                Some(known) => {
                    if let Some(before) = known.extend(run) {
                        broken(&who, run, before);
                    }
                }
                None => {
                    self.0.insert(who, run);
                }
            }
        }
    }
}

impl Run {
    /// Puts a stretch behind this one; gives the last number, and its entry, if the stretch does not
    /// follow it.
    fn extend(&mut self, next: Self) -> Option<(u64, u64)> {
        let before = (self.last, self.last_index);
        (self.last, self.last_index) = (next.last, next.last_index);
        self.entries += next.entries;
        (before.0.checked_add(1) != Some(next.first)).then_some(before)
    }
}

/// All counters of a piece of a log.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    writers: Counters<[u8; 8]>,
    agencies: Counters<AgencyId>,
    broken: Vec<Break>,
}

impl Sequences {
    /// Counts the entry at this index; indices ascend.
    pub(super) fn count(&mut self, entry: &Entry, index: u64) {
        if let Some((before, after)) = self.writers.count(&entry.writer, entry.writer_seq, index) {
            self.broken.push(Break {
                index,
                whose: writer(&entry.writer),
                before,
                number: entry.writer_seq,
                after,
            });
        }
        let (Some(agency), Some(number)) = (&entry.context.agency, entry.client_seq) else {
            return;
        };
        if let Some((before, after)) = self.agencies.count(agency, number, index) {
            self.broken.push(Break {
                index,
                whose: format!("agency {}", agency.as_str()),
                before,
                number,
                after,
            });
        }
    }

    /// Puts the piece that comes next behind this one.
    pub(super) fn join(&mut self, next: Self) {
        self.broken.extend(next.broken);
        let broken = &mut self.broken;
        let mut note = |whose: String, run: Run, (before, after)| {
            broken.push(Break {
                index: run.first_index,
                whose,
                before,
                number: run.first,
                after,
            });
        };
        self.writers.join(next.writers, |who, run, before| {
            note(writer(who), run, before);
        });
        self.agencies.join(next.agencies, |who, run, before| {
            note(format!("agency {}", who.as_str()), run, before);
        });
    }

    /// What is broken so far, in no order; it is then forgotten.
    pub(super) fn take_broken(&mut self) -> Vec<Break> {
        std::mem::take(&mut self.broken)
    }

    /// The agencies and how many entries each has.
    pub(super) fn agencies(&self) -> impl Iterator<Item = (String, u64)> {
        let agencies = self.agencies.0.iter();
        agencies.map(|(who, run)| (who.as_str().to_owned(), run.entries))
    }

    /// The writers and how many entries each has.
    pub(super) fn writers(&self) -> impl Iterator<Item = (String, u64)> {
        let writers = self.writers.0.iter();
        writers.map(|(who, run)| (data_encoding::HEXLOWER.encode(who), run.entries))
    }
}

fn writer(id: &[u8; 8]) -> String {
    format!("writer {}", data_encoding::HEXLOWER.encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = concat!(
        r#"{"agency":"quick-calls","answer":"not_listed","channel":"voice","client_seq":4,"#,
        r#""id":"01a1ee56-5e7b-7707-8707-070707070707","key":"abcdefgh12","op":"check","#,
        r#""pn":"abababababababababababababababab","salt":"01010101010101010101010101010101","#,
        r#""seller":"telco","time":"2026-11-18T11:06:40.123Z","v":1,"#,
        r#""writer":"0202020202020202","writer_seq":9}"#
    );

    /// The breaks that are found when a log with these numbers is counted in pieces cut there.
    fn broken(numbers: &[u64], cut: usize) -> Vec<(u64, u64, u64)> {
        let mut whole = Sequences::default();
        let (mut piece, mut pieces) = (Sequences::default(), Vec::new());
        for (index, number) in numbers.iter().enumerate() {
            if index == cut {
                pieces.push(std::mem::take(&mut piece));
            }
            let mut entry = Entry::read_json(ENTRY.as_bytes()).unwrap();
            entry.writer_seq = *number;
            entry.client_seq = Some(index as u64 + 1);
            piece.count(&entry, index as u64);
        }
        pieces.push(piece);
        pieces.into_iter().for_each(|piece| whole.join(piece));
        let mut broken: Vec<_> = whole
            .take_broken()
            .into_iter()
            .map(|b| (b.index, b.before, b.number))
            .collect();
        broken.sort_unstable();
        broken
    }

    #[test]
    fn a_gap_is_found_at_its_entry_wherever_the_log_is_cut_into_pieces() {
        for cut in 0..=6 {
            assert_eq!(broken(&[5, 6, 7, 8, 9, 10], cut), [], "{cut}");
            assert_eq!(broken(&[5, 6, 8, 9, 10, 11], cut), [(2, 6, 8)], "{cut}");
            assert_eq!(
                broken(&[5, 6, 8, 7, 9, u64::MAX], cut),
                [(2, 6, 8), (3, 8, 7), (4, 7, 9), (5, 9, u64::MAX)],
                "{cut}"
            );
        }
    }
}
