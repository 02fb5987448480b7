//! Remembered `ref`s: a dialler that asks again with the same one, because its connection broke,
//! asks the same check. They are on disk, too, since a restart is just when diallers ask again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::tables::{REPLAYS, away};
use crate::domain::{Decision, Moment};
use crate::store::replay::Remembered;
use crate::store::{ReplayKey, StoreError};

/// What is remembered, and in which order it is forgotten.
pub(super) struct Replays {
    known: HashMap<ReplayKey, String>,
    forget: VecDeque<(Moment, ReplayKey)>,
    window: Duration,
}

impl Replays {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            known: HashMap::new(),
            forget: VecDeque::new(),
            window,
        }
    }

    /// Reads what the file remembers.
    pub(super) fn load(&mut self, read: &ReadTransaction) -> Result<(), StoreError> {
        let table = read.open_table(REPLAYS).map_err(away)?;
        for row in table.iter().map_err(away)? {
            let (key, value) = row.map_err(away)?;
            let (until, answer) = value.value();
            self.known.insert(*key.value(), answer.to_owned());
            self.forget
                .push_back((Moment::from_millis(until), *key.value()));
        }
        self.forget.make_contiguous().sort();
        Ok(())
    }

    /// The earlier check of this name, if its verdict was the same. Otherwise `now` is remembered
    /// in its place.
    pub(super) fn recall(
        &mut self,
        write: &WriteTransaction,
        key: ReplayKey,
        now: &Remembered,
    ) -> Result<Option<Decision>, StoreError> {
        self.forget_old(write, now.at)?;
        let before = self.known.get(&key).and_then(|text| Remembered::read(text));
        if let Some(before) = before.filter(|before| before.verdict == now.verdict) {
            return Ok(before.decision());
        }
        let text = now.to_string();
        let until = now.at.plus(self.window);
        let mut table = write.open_table(REPLAYS).map_err(away)?;
        table
            .insert(&key, (until.millis(), text.as_str()))
            .map_err(away)?;
        self.known.insert(key, text);
        self.forget.push_back((until, key));
        Ok(None)
    }

    fn forget_old(&mut self, write: &WriteTransaction, now: Moment) -> Result<(), StoreError> {
        let mut table = write.open_table(REPLAYS).map_err(away)?;
        while let Some((until, key)) = self.forget.front().copied()
            && until <= now
        {
            self.forget.pop_front();
            let current = table.get(&key).map_err(away)?.map(|row| row.value().0);
            // A key remembered again later stands further back in the queue, too.
            if current.is_some_and(|current| current <= now.millis()) {
                table.remove(&key).map_err(away)?;
                self.known.remove(&key);
            }
        }
        Ok(())
    }
}
