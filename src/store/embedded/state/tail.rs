//! The tail: from memory into the journal or, beside a change, into the database.

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

use super::State;
use crate::domain::Entry;
use crate::store::StoreError;
use crate::store::batch::{self, Outcome, Position, TailBatch, Verdict};
use crate::store::embedded::journal::Record;
use crate::store::embedded::tables::{self, META, SEQUENCES, TAIL, away};

/// How many records are looked at together.
const PAGE: usize = 1024;

impl State {
    /// Learns what the tail holds.
    pub(super) fn find_tail(&mut self) -> Result<(), StoreError> {
        let known_to = self.learn()?;
        if known_to < self.held().next() {
            self.go_on_without(known_to)?;
        }
        self.journal.retire(self.held().base())?;
        let read = self.database.begin_read().map_err(away)?;
        let tail = read.open_table(TAIL).map_err(away)?;
        for row in tail.iter().map_err(away)? {
            let (_, record) = row.map_err(away)?;
            self.row_bytes += record.value().len() as u64;
        }
        let last = tail.last().map_err(away)?;
        let last = last.map(|(place, record)| Record {
            place: place.value(),
            batch: record.value().to_vec(),
        });
        // A trimmed tail keeps its newest batch, so positions never start over.
        let behind_rows = last.as_ref().map_or(0, |row| row.place + 1);
        self.next = self.held().next().max(behind_rows);
        let journaled = self.held().read(self.next.saturating_sub(1), 1)?.pop();
        if let Some(newest) = journaled.or(last) {
            // After a failure this says how far this very process had come.
            let entries = entries(&newest)?;
            if let Some(entry) = entries.last().filter(|entry| entry.writer == self.writer) {
                self.writer_seq = entry.writer_seq;
            }
        }
        Ok(())
    }

    /// Marks the store if a file of the journal is gone in which checks were put on record that the
    /// database does not hold.
    pub(super) fn find_journal(&mut self) -> Result<(), StoreError> {
        let Some(path) = self.journal.missing(&self.listed) else {
            return Ok(());
        };
        tracing::error!(
            "{} is gone, or holds nothing any more: checks that were answered are missing with it",
            path.display()
        );
        let what = "a file of its journal is gone, with checks that were answered";
        let write = self.database.begin_write().map_err(away)?;
        tables::put_loss(&mut write.open_table(META).map_err(away)?, Some(what))?;
        self.list(&write)?;
        write.commit().map_err(away)
    }

    /// Tells the database which files of the journal hold something.
    fn list(&mut self, write: &WriteTransaction) -> Result<(), StoreError> {
        let live = self.journal.live();
        if live != self.listed {
            tables::put_journal(&mut write.open_table(META).map_err(away)?, &live)?;
            self.listed = live;
        }
        Ok(())
    }

    /// A journal that goes on where the database never came to belongs to a newer copy of it: whoever
    /// put the older one back has chosen to go on without, and the sealer puts the loss on record.
    fn go_on_without(&mut self, known_to: u64) -> Result<(), StoreError> {
        let write = self.database.begin_write().map_err(away)?;
        let mut tail = write.open_table(TAIL).map_err(away)?;
        self.each_record(|_, record| {
            if record.place < known_to {
                let batch = record.batch.as_slice();
                tail.insert(record.place, batch).map_err(away)?;
            }
            Ok(true)
        })?;
        drop(tail);
        tables::put_journal(&mut write.open_table(META).map_err(away)?, &[])?;
        write.commit().map_err(away)?;
        self.listed.clear();
        self.journal.put_aside()
    }

    /// Learns the clients' sequence numbers from what the journal holds; gives the place up to
    /// which that follows on from the database.
    fn learn(&mut self) -> Result<u64, StoreError> {
        let read = self.database.begin_read().map_err(away)?;
        let tail = read.open_table(TAIL).map_err(away)?;
        let mut next = self.held().base();
        let mut rows = tail.range(next..).map_err(away)?.peekable();
        self.each_record(|state, record| {
            while let Some(row) = rows.next_if(|row| {
                row.as_ref()
                    .map_or(true, |(place, _)| place.value() <= record.place)
            }) {
                next = row.map_err(away)?.0.value() + 1;
            }
            if record.place > next {
                return Ok(false);
            }
            next = record.place + 1;
            state.count(&record)?;
            Ok(true)
        })?;
        Ok(next)
    }

    /// Does something with each record of the journal, as long as it says so.
    fn each_record(
        &mut self,
        mut work: impl FnMut(&mut Self, Record) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let held = self.held().clone();
        let mut from = held.base();
        loop {
            let page = held.read(from, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            from = last.place + 1;
            for record in page {
                if !work(self, record)? {
                    return Ok(());
                }
            }
        }
    }

    /// Takes note of the sequence numbers in a record that the database may not know.
    fn count(&mut self, record: &Record) -> Result<(), StoreError> {
        for entry in entries(record)? {
            let Some((client, number)) = entry.context.client().zip(entry.client_seq) else {
                continue;
            };
            let last = self.sequences.entry(client.to_owned()).or_default();
            if *last < number {
                *last = number;
                self.counted.insert(client.to_owned());
            }
        }
        Ok(())
    }

    /// Makes a batch the tail's next one, in memory.
    pub(super) fn append(
        &mut self,
        packed: batch::Packed,
        verdicts: Vec<u8>,
    ) -> Result<(), StoreError> {
        let before = self.writer_seq;
        let mut taken = vec![0u64; packed.clients.len()];
        for (verdict, client) in verdicts.iter().zip(&packed.client_of) {
            if *verdict == Verdict::Nothing as u8 {
                continue;
            }
            self.writer_seq += 1;
            if let Some(client) = client {
                taken[usize::from(*client)] += 1;
            }
        }
        if self.writer_seq == before {
            return Ok(());
        }
        let mut client_seqs = Vec::with_capacity(taken.len());
        for (client, taken) in packed.clients.into_iter().zip(taken) {
            if !self.counted.contains(&client) {
                self.counted.insert(client.clone());
            }
            let last = self.sequences.entry(client).or_default();
            client_seqs.push(*last);
            *last += taken;
        }
        let outcome = Outcome {
            verdicts,
            writer_seq: before,
            client_seqs,
        };
        let batch = postcard::to_allocvec(&(outcome, packed.payload))
            .map_err(|_| StoreError::Damaged("a batch that cannot be written".to_owned()))?;
        let place = self.next;
        self.pending.push(Record { place, batch });
        self.next += 1;
        Ok(())
    }

    /// Puts the batches that wait on disk, in the journal; says whether that is all there is to do.
    /// It is not where the journal could not take them, nor where a file came into use that the
    /// database does not know: were it to go missing, nobody would know what was in it.
    pub(in crate::store::embedded) fn journal(&mut self) -> Result<bool, StoreError> {
        if self.pending.is_empty() {
            return Ok(true);
        }
        if !self.journal.append(&self.pending)? {
            return Ok(false);
        }
        self.pending.clear();
        Ok(self.journal.is_last_of(&self.listed))
    }

    /// Puts the batches that wait into the database, as a part of a transaction, and what else it
    /// has to know of the tail.
    pub(in crate::store::embedded) fn flush(
        &mut self,
        write: &WriteTransaction,
    ) -> Result<(), StoreError> {
        let mut tail = write.open_table(TAIL).map_err(away)?;
        for Record { place, batch } in self.pending.drain(..) {
            tail.insert(place, batch.as_slice()).map_err(away)?;
            self.row_bytes += batch.len() as u64;
        }
        let mut sequences = write.open_table(SEQUENCES).map_err(away)?;
        for client in self.counted.drain() {
            let last = self.sequences.get(&client).copied().unwrap_or_default();
            sequences.insert(client.as_str(), last).map_err(away)?;
        }
        let mut meta = write.open_table(META).map_err(away)?;
        tables::put_base(&mut meta, self.journal.held().base())?;
        drop(meta);
        self.list(write)
    }

    /// What was flushed is on disk in the database.
    pub(in crate::store::embedded) fn flushed(&mut self) -> Result<(), StoreError> {
        let base = self.journal.held().base();
        self.journal.retire(base)
    }

    /// Drops the batches before a position.
    pub(in crate::store::embedded) fn trim(
        &mut self,
        write: &WriteTransaction,
        before: Position,
    ) -> Result<(), StoreError> {
        let mut tail = write.open_table(TAIL).map_err(away)?;
        let mut dropped = 0;
        tail.retain_in(..before.0, |_, record| {
            dropped += record.len() as u64;
            false
        })
        .map_err(away)?;
        self.row_bytes = self.row_bytes.saturating_sub(dropped);
        self.journal.go_on_from(before.0.min(self.next))
    }

    /// Brings what the journal holds into the database, so that this alone is the whole store.
    pub(in crate::store::embedded) fn leave_journal(&mut self) -> Result<(), StoreError> {
        let held = self.held().clone();
        let mut from = held.base();
        loop {
            let page = held.read(from, PAGE)?;
            let Some(last) = page.last() else {
                let write = self.database.begin_write().map_err(away)?;
                tables::put_journal(&mut write.open_table(META).map_err(away)?, &[])?;
                write.commit().map_err(away)?;
                return self.journal.retire(u64::MAX);
            };
            from = last.place + 1;
            let write = self.database.begin_write().map_err(away)?;
            let mut tail = write.open_table(TAIL).map_err(away)?;
            for Record { place, batch } in &page {
                tail.insert(*place, batch.as_slice()).map_err(away)?;
            }
            drop(tail);
            write.commit().map_err(away)?;
        }
    }
}

fn entries(record: &Record) -> Result<Vec<Entry>, StoreError> {
    let entries = read_record(record.place, &record.batch)?.entries();
    entries.map_err(|_| StoreError::Damaged("an entry batch".to_owned()))
}

/// A row of the tail.
pub(in crate::store::embedded) fn read_record(
    position: u64,
    record: &[u8],
) -> Result<TailBatch, StoreError> {
    let (outcome, payload): (Outcome, Vec<u8>) = postcard::from_bytes(record)
        .map_err(|_| StoreError::Damaged("an entry batch".to_owned()))?;
    Ok(TailBatch {
        position: Position(position, 0),
        payload,
        outcome,
    })
}
