//! The sealer: takes entries from the store's tail and makes them leaves of the log.
//!
//! One cycle: read what the tails hold behind the cursors; create the commit that says which
//! batches become which leaves; write tiles and bundles; read them back, hash them anew and compare
//! the root; sign and publish the checkpoint; only then drop what is sealed from the tails. A
//! process that dies at any point leaves either no commit, and nothing has happened, or a commit,
//! and whoever comes next finishes it: the same tiles, the same root.
//!
//! A lease in the store keeps two processes from working at once. It need not be trusted: the
//! commit is created once, whoever comes second finds it taken and starts over behind it.

mod finish;
mod gather;
mod lanes;
mod prepare;
mod running;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::archive::{Archive, damaged};
use super::commit::{self, Commit, Head};
use super::edge::Edge;
use super::keys::LogKeys;
use super::{LogError, fault};
use crate::domain::Moment;
use crate::store::Store;
pub(super) use finish::{SEEN, newest_commit, nothing_seen, seen};
use gather::Found;
use prepare::{Made, prepare, replay};
pub use running::Running;

/// At most so many entries are sealed in one cycle, about.
pub(super) const CYCLE: usize = 1 << 13;

/// How many commits are kept behind the newest. A process that slept since before the oldest of
/// them finds its predecessor gone, and starts over.
const KEPT_COMMITS: u64 = 16;

/// How long a sealer that says nothing more keeps the others waiting.
const LEASE: Duration = Duration::from_secs(10);

/// What a sealer needs to know.
#[derive(Debug, Clone)]
pub struct Sealing {
    /// Where the log lies.
    pub archive: Archive,
    /// Where the entries come from.
    pub store: Arc<Store>,
    /// What signs.
    pub keys: Arc<LogKeys>,
    /// What the origins of new logs begin with: `dnc.example.org/log`.
    pub origin: String,
    /// How many logs of this store there have been, this one included, since one was lost.
    pub part: u16,
    /// The store's identity, in hexadecimal digits.
    pub store_id: String,
    /// How long a cycle waits after the one before.
    pub period: Duration,
}

/// How the sealing goes, for whoever asks this process.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// When everything that was in the tails was last seen to be sealed, by whichever process.
    pub current_at: Option<Instant>,
    /// How many entries this process has sealed.
    pub sealed: u64,
    /// What is wrong, if something is.
    pub error: Option<String>,
}

/// What a cycle did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cycle {
    /// Another process holds the lease.
    Standby,
    /// There was nothing to do.
    Idle,
    /// Entries were sealed: all that were in the tails at a moment, where it is named.
    Sealed {
        entries: u64,
        all_until: Option<Instant>,
    },
    /// Another process was faster.
    Overtaken,
}

/// One sealer at work.
#[derive(Debug)]
pub struct Sealer {
    plan: Sealing,
    id: [u8; 8],
    state: Option<State>,
    progress: Arc<ArcSwap<Progress>>,
    /// The day of the checkpoint that was kept last.
    kept: Option<i64>,
    /// What `vkeys` holds, as far as this process knows.
    vkeys: String,
    idle: u32,
    /// The segments that became full and have no index yet: their log, number and its size.
    unindexed: Vec<(super::LogName, u64, u64)>,
}

/// What the sealer knows of the log: its newest commit, finished, and the edge behind it.
#[derive(Debug)]
struct State {
    head: Head,
    edge: Edge,
    /// The commit that follows, made ready while this one was written out.
    ahead: Option<Made>,
}

/// After so many idle cycles the published checkpoint is looked at again: a process that slept may
/// have written an older one over it, or a key may have been rotated.
const LOOK_AGAIN: u32 = 30;

impl Sealer {
    /// A sealer that has not begun. It tells `progress` how it goes.
    #[must_use]
    pub fn new(plan: Sealing, progress: Arc<ArcSwap<Progress>>) -> Self {
        Self {
            plan,
            id: crate::privacy::random(),
            state: None,
            progress,
            kept: None,
            vkeys: String::new(),
            idle: 0,
            unindexed: Vec::new(),
        }
    }

    /// Seals what is there; returns how many entries that were.
    ///
    /// # Errors
    /// [`LogError`]; what was not sealed is sealed by whoever comes next.
    pub async fn catch_up(&mut self) -> Result<u64, LogError> {
        let mut sealed = 0;
        loop {
            match self.cycle(false).await? {
                Cycle::Sealed { entries, .. } => sealed += entries,
                Cycle::Overtaken => {}
                Cycle::Standby | Cycle::Idle => return Ok(sealed),
            }
        }
    }

    /// One cycle, and what it means for the progress.
    async fn cycle(&mut self, stopping: bool) -> Result<Cycle, LogError> {
        let began = Instant::now();
        // A lease only spares work, so tests of several sealers at once go without. So does whoever
        // is told to stop: the one that holds it may have died seconds ago.
        let leased = fault::sealers() == 1 && !stopping;
        if leased && !self.plan.store.lease("sealer", self.id, LEASE).await? {
            self.state = None;
            self.index_what_is_full(false);
            // Whoever holds it is at work, or this process takes over within seconds.
            self.tell(Some(began), 0);
            return Ok(Cycle::Standby);
        }
        let done = self.seal().await?;
        match done {
            Cycle::Idle => {
                self.tell(Some(began), 0);
                self.index_what_is_full(false);
            }
            Cycle::Sealed { entries, all_until } => {
                self.tell(all_until, entries);
                self.index_what_is_full(all_until.is_none());
            }
            Cycle::Standby | Cycle::Overtaken => {}
        }
        Ok(done)
    }

    async fn seal(&mut self) -> Result<Cycle, LogError> {
        let state = match self.state.take() {
            Some(state) => state,
            None => self.recover().await?,
        };
        fault::point("before-gathering");
        let State { head, edge, ahead } = state;
        let made = match ahead {
            Some(made) => made,
            None => match self.gather(&head).await? {
                Found::Batches(gathered) => {
                    prepare(&head, edge, gathered, &self.plan.origin).await?
                }
                Found::Moved => return Ok(Cycle::Overtaken),
                Found::Nothing => return self.rest(head, edge).await,
            },
        };
        self.idle = 0;
        fault::point("before-commit");
        let storage = self.plan.archive.storage();
        let commit = &made.commit;
        if !storage.create(&commit.head.path(), commit.write()).await? {
            return Ok(Cycle::Overtaken);
        }
        // The oldest commits go first. Where the predecessor is gone, so was the one that was just
        // created in its place, long ago: this process slept, and what it created means nothing.
        if head.sequence > 0 && !storage.exists(&head.path()).await? {
            storage.remove(vec![commit.head.path()]).await?;
            return Ok(Cycle::Overtaken);
        }
        fault::point("after-commit");
        let entries = commit.head.size - commit.head.from;
        let (head, edge) = (commit.head.clone(), made.edge.clone());
        // While the disk is at work on this one, the processor has time for the next.
        let plan = self.plan.clone();
        let next = async {
            match made.all_until {
                None => plan.prepare_ahead(&head, &edge).await,
                Some(_) => None,
            }
        };
        let (finished, ahead) = tokio::join!(self.finish(&made), next);
        if !finished? {
            return Ok(Cycle::Overtaken);
        }
        self.state = Some(State { head, edge, ahead });
        let all_until = made.all_until;
        Ok(Cycle::Sealed { entries, all_until })
    }

    /// A cycle in which there is nothing to seal.
    async fn rest(&mut self, head: Head, edge: Edge) -> Result<Cycle, LogError> {
        self.idle += 1;
        if self.idle >= LOOK_AGAIN {
            self.idle = 0;
            if !self.is_there(&head).await? {
                return Ok(Cycle::Overtaken);
            }
            self.publish(&head).await?;
        }
        let ahead = None;
        self.state = Some(State { head, edge, ahead });
        Ok(Cycle::Idle)
    }

    /// Whether the newest commit is still there: not where an older copy of the log was put in its
    /// place.
    async fn is_there(&self, head: &Head) -> Result<bool, LogError> {
        Ok(head.sequence == 0 || self.plan.archive.storage().exists(&head.path()).await?)
    }

    /// Learns how far the log has come, and finishes what another process, or this one before a
    /// failure, may have left half done.
    async fn recover(&mut self) -> Result<State, LogError> {
        let archive = self.plan.archive.clone();
        let storage = archive.storage();
        let Some(bytes) = self.read_newest().await? else {
            let log = super::LogName::part_of_year(Moment::now().year(), self.plan.part);
            let origin = format!("{}/{log}", self.plan.origin);
            let tails = self.plan.store.tails();
            let head = Head::first(self.plan.store_id.clone(), log, origin, tails);
            return Ok(State {
                head,
                edge: Edge::empty(),
                ahead: None,
            });
        };
        let commit = Commit::read(&bytes).map_err(|error| damaged(&error.to_string()))?;
        if commit.head.store != self.plan.store_id {
            return Err(LogError::OtherStore {
                place: storage.place(),
            });
        }
        let mut parts = Vec::new();
        for tile in Edge::parts(commit.head.from) {
            let bytes = archive.tile(commit.head.log, tile).await?;
            let missing = || damaged(&format!("{}/{} is missing", commit.head.log, tile.path()));
            parts.push(bytes.ok_or_else(missing)?);
        }
        let before = Edge::from_parts(commit.head.from, parts)
            .ok_or_else(|| damaged("its newest tiles do not fit together"))?;
        let made = tokio::task::spawn_blocking(move || replay(commit, before))
            .await
            .map_err(|_| damaged("its newest commit could not be worked out"))??;
        self.finish(&made).await?;
        Ok(State {
            head: made.commit.head,
            edge: made.edge,
            ahead: None,
        })
    }

    /// The newest commit, once it is certain to stay. While one is looked at, others may go on so far
    /// that they tidy it away; then there is a newer one.
    async fn read_newest(&self) -> Result<Option<Vec<u8>>, LogError> {
        let storage = self.plan.archive.storage();
        let mut newest = newest_commit(&self.plan.archive, &self.plan.store).await?;
        while let Some(number) = newest {
            let path = commit::path(number);
            let found = match storage.settle(&path).await {
                Ok(()) => storage.get(&path).await,
                Err(error) => Err(error),
            };
            if let Ok(Some(bytes)) = found {
                return Ok(Some(bytes));
            }
            newest = newest_commit(&self.plan.archive, &self.plan.store).await?;
            if newest <= Some(number) {
                found?;
                return Err(damaged("its newest commit is gone"));
            }
        }
        Ok(None)
    }

    fn tell(&self, current_at: Option<Instant>, sealed: u64) {
        let before = self.progress.load();
        if before.error.is_some() {
            tracing::info!("the log is sealed again");
        }
        self.progress.store(Arc::new(Progress {
            current_at: current_at.or(before.current_at),
            sealed: before.sealed + sealed,
            error: None,
        }));
    }

    fn tell_failure(&self, error: &LogError) {
        let before = self.progress.load();
        let text = error.to_string();
        if before.error.as_ref() != Some(&text) {
            tracing::error!(
                %error,
                "entries cannot be sealed; they are kept in the store until they are"
            );
        }
        self.progress.store(Arc::new(Progress {
            error: Some(text),
            ..Progress::clone(&before)
        }));
    }
}
