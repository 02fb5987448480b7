//! What the writer knows: the open file and, in memory, all that a decision needs.

mod tail;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::documents;
use super::holdings::{self, Holdings};
use super::imports::{self, Imports};
use super::index::Index;
use super::journal::{Held, Journal, Record};
use super::replays::Replays;
use super::tables::{self, HOLDINGS, IMPORTS, MEMBERS, META, REPLAYS, SEQUENCES, TAIL, away};
use super::verify::verify;
use crate::domain::{Decision, EntryId};
use crate::store::batch::{self, Verdict, Writer};
use crate::store::layout::Place;
use crate::store::replay::Remembered;
use crate::store::{Action, Ask, Change, Changed, Identity, ImportPart, StoreError};

pub(super) use tail::read_record;

/// Redb's page cache: the hot data is the index, which lies in memory anyway.
const CACHE: usize = 64 << 20;

/// The writer's memory. After a failed commit it is thrown away and read anew from the file, so it
/// never holds what is not on disk.
pub(super) struct State {
    pub(super) database: Arc<Database>,
    /// The file of the database.
    file: (PathBuf, File),
    writer: Writer,
    writer_seq: u64,
    index: Index,
    imports: Imports,
    sequences: HashMap<String, u64>,
    replays: Replays,
    next: u64,
    /// How many bytes of the tail lie in the database.
    row_bytes: u64,
    journal: Journal,
    /// The files of the journal that the database knows to hold something.
    listed: Vec<u32>,
    /// Batches that are not on disk yet.
    pending: Vec<Record>,
    /// Whose sequence numbers the database does not hold yet.
    counted: HashSet<String>,
}

impl State {
    /// Opens the file, or makes it, and reads what must be in memory.
    pub(super) fn open(
        file: &Path,
        writer: Writer,
        replay_window: Duration,
    ) -> Result<Self, StoreError> {
        verify(file)?;
        let database = Database::builder().set_cache_size(CACHE).create(file);
        Self::with(database.map_err(away)?, file, writer, replay_window)
    }

    /// Opens the file again after a failure. It must still be there, and the one that it was: a
    /// disk that comes back empty would make every number look free.
    pub(super) fn reopen(
        file: &Path,
        writer: Writer,
        replay_window: Duration,
        identity: Option<Identity>,
    ) -> Result<Self, StoreError> {
        verify(file)?;
        let database = Database::builder().set_cache_size(CACHE).open(file);
        let state = Self::with(database.map_err(away)?, file, writer, replay_window)?;
        let read = state.database.begin_read().map_err(away)?;
        let found = tables::identity(&read.open_table(META).map_err(away)?)?;
        if found != identity {
            return Err(StoreError::Foreign(format!(
                "{} came back empty or exchanged",
                file.display()
            )));
        }
        Ok(state)
    }

    fn with(
        database: Database,
        file: &Path,
        writer: Writer,
        replay_window: Duration,
    ) -> Result<Self, StoreError> {
        owner_only(file)?;
        make_tables(&database)?;
        let (base, listed) = (base(&database)?, listed(&database)?);
        let open = File::open(file).map_err(|error| failed(file, &error))?;
        let mut state = Self {
            database: Arc::new(database),
            file: (file.to_owned(), open),
            writer,
            writer_seq: 0,
            index: Index::default(),
            imports: Imports::default(),
            sequences: HashMap::new(),
            replays: Replays::new(replay_window),
            next: 0,
            row_bytes: 0,
            journal: Journal::open(file, base)?,
            listed,
            pending: Vec::new(),
            counted: HashSet::new(),
        };
        state.find_journal()?;
        state.load()?;
        state.find_tail()?;
        Ok(state)
    }

    fn load(&mut self) -> Result<(), StoreError> {
        // First, so that each bucket is filled at once.
        self.imports = imports::load(&self.database, &mut self.index)?;
        let read = self.database.begin_read().map_err(away)?;
        holdings::load(&read, &mut self.index)?;
        let sequences = read.open_table(SEQUENCES).map_err(away)?;
        for row in sequences.iter().map_err(away)? {
            let (client, last) = row.map_err(away)?;
            self.sequences
                .insert(client.value().to_owned(), last.value());
        }
        self.replays.load(&read)
    }

    /// Makes sure that no file of the store was deleted since it was opened.
    pub(super) fn is_there(&self) -> Result<(), StoreError> {
        let (path, file) = &self.file;
        let is_deleted = deleted(file).map_err(|error| failed(path, &error))?;
        match is_deleted.then_some(path.clone()) {
            None => self.journal.is_there(),
            Some(path) => Err(StoreError::Deleted(path.display().to_string())),
        }
    }

    /// How many members the index holds.
    pub(super) fn members(&self) -> usize {
        self.index.len()
    }

    /// How many bytes the tail holds.
    pub(super) fn tail_bytes(&self) -> u64 {
        self.row_bytes + self.journal.bytes()
    }

    /// The part of the tail that is in the journal, for whoever reads.
    pub(super) fn held(&self) -> &Arc<Held> {
        self.journal.held()
    }

    /// Decides every ask and records that. Only asks with a `ref` need a transaction.
    pub(super) fn decide(
        &mut self,
        write: Option<&WriteTransaction>,
        asks: &[Ask],
    ) -> Result<Vec<Decision>, StoreError> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let packed = batch::pack(self.writer, asks.iter());
        let mut verdicts = Vec::with_capacity(asks.len());
        let mut decisions = Vec::with_capacity(asks.len());
        for (ask, id) in asks.iter().zip(&packed.ids) {
            let verdict = self.look_up(ask);
            let (recorded, decision) = self.recall(write, ask, verdict, *id)?;
            verdicts.push(recorded as u8);
            decisions.push(decision);
        }
        self.append(packed, verdicts)?;
        Ok(decisions)
    }

    fn look_up(&self, ask: &Ask) -> Verdict {
        let Some((subject, _)) = &ask.number else {
            return Verdict::Invalid;
        };
        let place = Place::of(subject);
        let refusing = place.refusing(ask.seller, ask.channel);
        for (number, (member, _)) in refusing.iter().enumerate() {
            if self.index.contains(place.bucket, *member) {
                return if number < 3 {
                    Verdict::AllSellers
                } else {
                    Verdict::ThisSeller
                };
            }
        }
        Verdict::NotListed
    }

    /// A repeated `ref` with the same answer is the check it was before; with another answer, or
    /// for the first time, it is a check of its own and is remembered.
    fn recall(
        &mut self,
        write: Option<&WriteTransaction>,
        ask: &Ask,
        verdict: Verdict,
        id: EntryId,
    ) -> Result<(Verdict, Decision), StoreError> {
        let answer = verdict
            .answer()
            .ok_or_else(|| StoreError::Damaged("a verdict without an answer".to_owned()))?;
        let now = Decision {
            answer,
            id,
            at: ask.at,
        };
        let (Some(key), Some(write)) = (ask.replay, write) else {
            return Ok((verdict, now));
        };
        let remembered = Remembered {
            verdict,
            id,
            at: ask.at,
        };
        Ok(match self.replays.recall(write, key, &remembered)? {
            Some(before) => (Verdict::Nothing, before),
            None => (verdict, now),
        })
    }

    /// Makes every change and appends the batch that records it.
    pub(super) fn change(
        &mut self,
        write: &WriteTransaction,
        changes: &[Change],
    ) -> Result<Vec<Changed>, StoreError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let packed = batch::pack(self.writer, changes.iter());
        let mut verdicts = Vec::with_capacity(changes.len());
        let mut done = Vec::with_capacity(changes.len());
        let mut holdings = Holdings::open(write)?;
        for change in changes {
            let changed = match &change.action {
                Action::Put(listing) => holdings.change(&mut self.index, listing, true)?,
                Action::Remove(listing) => holdings.change(&mut self.index, listing, false)?,
                Action::Note => Changed::Done,
            };
            let verdict = match changed {
                Changed::Done => Verdict::Done,
                Changed::Unchanged => Verdict::Nothing,
                Changed::Outdated(_) => Verdict::Outdated,
            };
            verdicts.push(verdict as u8);
            done.push(changed);
        }
        holdings.write()?;
        self.append(packed, verdicts)?;
        Ok(done)
    }

    /// Brings a slice of a list in, or takes it out.
    pub(super) fn import(
        &mut self,
        write: &WriteTransaction,
        part: &ImportPart,
    ) -> Result<Option<u64>, StoreError> {
        self.imports.change(write, part, &mut self.index)
    }
}

fn make_tables(database: &Database) -> Result<(), StoreError> {
    let write = database.begin_write().map_err(away)?;
    write.open_table(META).map_err(away)?;
    write.open_table(TAIL).map_err(away)?;
    write.open_table(HOLDINGS).map_err(away)?;
    write.open_table(MEMBERS).map_err(away)?;
    documents::make_tables(&write)?;
    write.open_table(SEQUENCES).map_err(away)?;
    write.open_table(REPLAYS).map_err(away)?;
    write.open_table(IMPORTS).map_err(away)?;
    write.commit().map_err(away)
}

/// The files of the journal that held something when the database was last written.
fn listed(database: &Database) -> Result<Vec<u32>, StoreError> {
    let read = database.begin_read().map_err(away)?;
    tables::journal(&read.open_table(META).map_err(away)?)
}

/// Where the tail begins.
fn base(database: &Database) -> Result<u64, StoreError> {
    let read = database.begin_read().map_err(away)?;
    let base = tables::base(&read.open_table(META).map_err(away)?)?;
    let tail = read.open_table(TAIL).map_err(away)?;
    let first = tail.first().map_err(away)?;
    Ok(base.or(first.map(|(place, _)| place.value())).unwrap_or(0))
}

/// The file holds pseudonyms and hashes; still nobody else needs to read it.
fn owner_only(file: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &io::Error) -> StoreError {
    StoreError::Away(format!("{}: {error}", file.display()))
}

/// Whether no name leads to a file any more that is open.
pub(super) fn deleted(file: &File) -> io::Result<bool> {
    Ok(rustix::fs::fstat(file)?.st_nlink == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_comes_back_empty_or_exchanged_is_not_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("metrust.redb");
        let window = Duration::from_secs(1);
        let identity = |first| Identity {
            store: [first; 16],
            fingerprint: [0; 16],
        };
        let begin = |first| {
            let state = State::open(&file, [0; 8], window).unwrap();
            let write = state.database.begin_write().unwrap();
            let mut meta = write.open_table(META).unwrap();
            tables::put_identity(&mut meta, &identity(first)).unwrap();
            drop(meta);
            write.commit().unwrap();
        };
        let reopen = || State::reopen(&file, [0; 8], window, Some(identity(1)));
        begin(1);
        assert!(reopen().is_ok());
        std::fs::remove_file(&file).unwrap();
        assert!(reopen().is_err(), "gone");
        drop(State::open(&file, [0; 8], window).unwrap());
        assert!(matches!(reopen(), Err(StoreError::Foreign(_))), "empty");
        std::fs::remove_file(&file).unwrap();
        begin(2);
        assert!(matches!(reopen(), Err(StoreError::Foreign(_))), "exchanged");
    }
}
