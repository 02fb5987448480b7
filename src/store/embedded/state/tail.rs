//! The end of the tail: from memory into the journal, from the journal into the database.

use redb::{ReadableTable, WriteTransaction};

use super::State;
use crate::store::StoreError;
use crate::store::batch::{self, Outcome, Position, TailBatch, Verdict};
use crate::store::embedded::journal::Record;
use crate::store::embedded::tables::{SEQUENCES, TAIL, away};

impl State {
    /// Brings what only the journal holds into the database. A journal that goes on where the
    /// database never came to belongs to a newer copy of it: whoever put the older one back has
    /// chosen to go on without, and the sealer puts the loss on record.
    pub(super) fn take_in(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        let write = self.database.begin_write().map_err(away)?;
        {
            let mut tail = write.open_table(TAIL).map_err(away)?;
            let mut sequences = write.open_table(SEQUENCES).map_err(away)?;
            let last = tail.last().map_err(away)?.map(|(place, _)| place.value());
            let next = last.map_or(0, |place| place + 1);
            if records.first().is_some_and(|first| first.place > next) {
                self.journal.put_aside()?;
                return Ok(());
            }
            for record in records.iter().filter(|record| record.place >= next) {
                let batch = read_record(record.place, &record.batch)?.entries();
                let batch = batch.map_err(|_| StoreError::Damaged("an entry batch".to_owned()))?;
                for entry in batch {
                    if let (Some(client), Some(number)) = (entry.context.client(), entry.client_seq)
                    {
                        sequences.insert(client, number).map_err(away)?;
                    }
                }
                tail.insert(record.place, record.batch.as_slice())
                    .map_err(away)?;
            }
        }
        write.commit().map_err(away)
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
        self.tail_bytes += batch.len() as u64;
        let place = self.next;
        self.pending.push(Record { place, batch });
        self.next += 1;
        Ok(())
    }

    /// Puts the batches that wait on disk, in the journal; says whether there was room.
    pub(in crate::store::embedded) fn journal(&mut self) -> Result<bool, StoreError> {
        let new = &self.pending[self.journaled..];
        let bytes = new.iter().map(|record| record.batch.len()).sum();
        if !self.journal.fits(bytes, new.len()) {
            return Ok(false);
        }
        self.journal.append(new.iter())?;
        self.journaled = self.pending.len();
        Ok(true)
    }

    /// Puts the batches that wait into the database, as a part of a transaction.
    pub(in crate::store::embedded) fn flush(
        &mut self,
        write: &WriteTransaction,
    ) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut tail = write.open_table(TAIL).map_err(away)?;
        for Record { place, batch } in &self.pending {
            tail.insert(*place, batch.as_slice()).map_err(away)?;
        }
        let mut sequences = write.open_table(SEQUENCES).map_err(away)?;
        for client in &self.counted {
            let last = self.sequences.get(client).copied().unwrap_or_default();
            sequences.insert(client.as_str(), last).map_err(away)?;
        }
        Ok(())
    }

    /// What was flushed is on disk in the database: the journal is of no more use.
    pub(in crate::store::embedded) fn flushed(&mut self) {
        self.pending.clear();
        self.counted.clear();
        self.journaled = 0;
        self.journal.restart();
    }

    /// Whether the journal holds what the database does not.
    pub(in crate::store::embedded) fn is_behind(&self) -> bool {
        !self.pending.is_empty()
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
        self.tail_bytes = self.tail_bytes.saturating_sub(dropped);
        Ok(())
    }
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
