//! The embedded engine: one redb file, one thread that writes, the suppression index in memory.
//!
//! Everything that changes the store goes through the writer thread, which takes whatever has
//! gathered while the last commit was under way and puts it on disk as one (group commit): checks
//! alone in the journal beside the file, everything else in a transaction. A request is answered
//! after the commit that holds it, so what was answered survives `kill -9` and a power cut. The
//! writer alone owns the index, which makes looking up and recording one atomic step.

mod documents;
mod holdings;
mod imports;
mod index;
mod journal;
mod replays;
mod state;
mod tables;
mod tail;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redb::{Database, ReadableDatabase};
use tokio::sync::{mpsc, oneshot};

use super::batch::{Position, TailBatch};
use super::{
    ACCEPT, Ask, Beside, Change, Changed, Document, Draft, Health, Identity, ImportPart, Kind,
    List, SellerNumber, StoreError,
};
use crate::domain::Decision;
use journal::Held;
use state::State;
use tables::{META, away};
use writer::{Reply, Work};

/// How many requests may wait for the writer; more are refused at once.
const QUEUE: usize = 16 * 1024;

/// The store as readers see it.
struct Files {
    database: Arc<Database>,
    journal: Arc<Held>,
}

impl Files {
    fn of(state: &State) -> Self {
        Self {
            database: state.database.clone(),
            journal: state.held().clone(),
        }
    }
}

/// The open files; nothing while the writer reopens them after a failure.
type Shared = Arc<ArcSwapOption<Files>>;

/// An open embedded store.
pub(super) struct Embedded {
    file: PathBuf,
    files: Shared,
    works: mpsc::Sender<Work>,
    /// Bytes in the tail, kept by the writer.
    backlog: Arc<AtomicU64>,
    /// Whether the store is marked: see [`super::Store::mark_lost`].
    lost: AtomicBool,
    /// A file that was deleted, found by the writer.
    deleted: Arc<OnceLock<StoreError>>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Embedded").field(&self.file).finish()
    }
}

impl Embedded {
    /// Opens or makes the file.
    pub(super) async fn open(file: PathBuf, replay_window: Duration) -> Result<Self, StoreError> {
        let files: Shared = Arc::default();
        let (works, inbox) = mpsc::channel(QUEUE);
        let (ready, opened) = oneshot::channel();
        let backlog = Arc::<AtomicU64>::default();
        let deleted = Arc::<OnceLock<StoreError>>::default();
        let writer = writer::Writer::new(
            file.clone(),
            files.clone(),
            backlog.clone(),
            deleted.clone(),
            replay_window,
        );
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(inbox, ready))
            .map_err(|e| StoreError::Away(format!("no thread for the writer: {e}")))?;
        opened.await.map_err(|_| gone())??;
        let store = Self {
            file,
            files,
            works,
            backlog,
            lost: AtomicBool::new(false),
            deleted,
        };
        let lost = store.loss().await?.is_some();
        store.lost.store(lost, Ordering::Release);
        Ok(store)
    }

    /// Refuses whoever would be answered, or acknowledged something, by a store that is marked or
    /// will be gone.
    pub(super) fn whole(&self) -> Result<(), StoreError> {
        if let Some(deleted) = self.deleted.get() {
            return Err(deleted.clone());
        }
        match self.lost.load(Ordering::Acquire) {
            true => Err(StoreError::Marked),
            false => Ok(()),
        }
    }

    pub(super) async fn loss(&self) -> Result<Option<String>, StoreError> {
        self.read(|database| {
            let read = database.begin_read().map_err(away)?;
            tables::loss(&read.open_table(META).map_err(away)?)
        })
        .await
    }

    pub(super) async fn mark_lost(&self, what: &str) -> Result<bool, StoreError> {
        // Before it is on disk: nobody is answered meanwhile.
        self.lost.store(true, Ordering::Release);
        let what = Some(what.to_owned());
        self.send(|reply| Work::Mark(what, reply)).await
    }

    pub(super) async fn accept_loss(&self) -> Result<(), StoreError> {
        self.send(|reply| Work::Mark(None, reply)).await?;
        self.lost.store(false, Ordering::Release);
        Ok(())
    }

    pub(super) async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        self.read(|database| {
            let read = database.begin_read().map_err(away)?;
            let meta = read.open_table(META).map_err(away)?;
            tables::identity(&meta)
        })
        .await
    }

    pub(super) async fn begin(&self, proposed: Identity) -> Result<Identity, StoreError> {
        self.send(|reply| Work::Begin(proposed, reply)).await
    }

    pub(super) async fn decide(&self, asks: Vec<Ask>) -> Result<Vec<Decision>, StoreError> {
        self.whole()?;
        self.send(|reply| Work::Decide(asks, reply)).await
    }

    pub(super) async fn change(&self, changes: Vec<Change>) -> Result<Vec<Changed>, StoreError> {
        if !Change::are_notes(&changes) {
            self.whole()?;
        }
        self.send(|reply| Work::Change(changes, reply)).await
    }

    pub(super) async fn import(&self, part: ImportPart) -> Result<Option<u64>, StoreError> {
        self.whole()?;
        let mut changed = 0;
        for slice in imports::slices(part) {
            match self.send(|reply| Work::Import(slice, reply)).await? {
                Some(more) => changed += more,
                None => return Ok(None),
            }
        }
        Ok(Some(changed))
    }

    pub(super) async fn puts(&self, seller: SellerNumber) -> Result<u64, StoreError> {
        self.read(move |database| {
            let read = database.begin_read().map_err(away)?;
            tables::puts(&read.open_table(META).map_err(away)?, seller)
        })
        .await
    }

    #[allow(clippy::unused_self, reason = "the engines have one contract")]
    pub(super) fn tails(&self) -> u16 {
        1
    }

    pub(super) async fn tail(
        &self,
        _tail: u16,
        from: Option<Position>,
        limit: usize,
    ) -> Result<Vec<TailBatch>, StoreError> {
        let first = from.map_or(0, |position| position.0);
        self.read_files(move |files| tail::page(files, first, limit))
            .await
    }

    pub(super) async fn tail_end(&self, _tail: u16) -> Result<Option<Position>, StoreError> {
        self.read_files(tail::end).await
    }

    pub(super) async fn trim(&self, _tail: u16, before: Position) -> Result<(), StoreError> {
        self.send(|reply| Work::Trim(before, reply)).await
    }

    pub(super) async fn tail_bytes(&self, _tail: u16) -> Result<u64, StoreError> {
        Ok(self.backlog.load(Ordering::Relaxed))
    }

    /// One process has the file open, so whoever asks is the only one.
    #[allow(
        clippy::unused_async,
        clippy::unused_self,
        reason = "the engines have one contract"
    )]
    pub(super) async fn lease(
        &self,
        _name: &'static str,
        _holder: [u8; 8],
        _for_long: Duration,
    ) -> Result<bool, StoreError> {
        Ok(true)
    }

    pub(super) async fn get(&self, kind: Kind, id: &str) -> Result<Option<Document>, StoreError> {
        if !kind.is_own() && !kind.in_directory() {
            self.whole()?;
        }
        let id = id.to_owned();
        self.read(move |database| documents::get(database, kind, &id))
            .await
    }

    pub(super) async fn put(
        &self,
        kind: Kind,
        id: &str,
        version: Option<u64>,
        draft: Option<Draft>,
        beside: Option<Beside>,
    ) -> Result<bool, StoreError> {
        if !kind.is_own() {
            self.whole()?;
        }
        let id = id.to_owned();
        self.send(|reply| Work::Document {
            kind,
            id,
            version,
            draft,
            beside,
            reply,
        })
        .await
    }

    pub(super) async fn page(
        &self,
        list: &List,
        limit: usize,
    ) -> Result<Vec<(String, Option<Document>)>, StoreError> {
        let list = list.clone();
        self.read(move |database| documents::page(database, &list, limit))
            .await
    }

    pub(super) async fn count(&self, list: &List) -> Result<u64, StoreError> {
        let list = list.clone();
        self.read(move |database| documents::count(database, &list))
            .await
    }

    pub(super) async fn directory_version(&self) -> Result<u64, StoreError> {
        self.read(|database| {
            let read = database.begin_read().map_err(away)?;
            let meta = read.open_table(META).map_err(away)?;
            tables::directory_version(&meta)
        })
        .await
    }

    pub(super) async fn health(&self) -> Health {
        let answer = tokio::time::timeout(Duration::from_secs(2), self.send(Work::Probe))
            .await
            .unwrap_or(Err(StoreError::Late))
            .and_then(|()| self.whole());
        let reason = answer.as_ref().err().map(StoreError::code);
        let (ok, detail, remedy) = match answer {
            Ok(()) => (
                true,
                "every answer is on disk before it is given".into(),
                None,
            ),
            Err(error @ StoreError::Marked) => (false, error.to_string(), Some(ACCEPT.to_owned())),
            Err(error @ StoreError::Deleted(_)) => (false, error.to_string(), Some(bring_back())),
            Err(error) => (
                false,
                error.to_string(),
                Some(format!(
                    "see that {} is on a disk with room that this user may write to",
                    self.file.display()
                )),
            ),
        };
        Health {
            engine: "embedded",
            ok,
            reason,
            detail,
            remedy,
            advice: None,
        }
    }

    pub(super) async fn close(&self) {
        // Whether it answers or is gone already: nothing is open afterwards.
        let _ = self.send(Work::Close).await;
    }

    async fn send<T>(&self, work: impl FnOnce(Reply<T>) -> Work) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.works
            .try_send(work(reply))
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => StoreError::Busy,
                mpsc::error::TrySendError::Closed(_) => gone(),
            })?;
        answer.await.map_err(|_| gone())?
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_files(|files| work(&files.database)).await
    }

    async fn read_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = self.files.load_full();
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || match files {
            Some(files) => work(&files),
            None => Err(closed(&file)),
        })
        .await
        .map_err(|_| gone())?
    }
}

/// What to do about a file that was deleted. What is open is there as long as it is open.
fn bring_back() -> String {
    let process = std::process::id();
    format!(
        "as long as the service runs, /proc/{process}/fd still holds what was deleted (`ls -l` there \
         shows it): copy every such file back under its name, kill the service (SIGKILL, so that it \
         leaves the copies alone) and start it again; or restore your newest backup"
    )
}

fn gone() -> StoreError {
    StoreError::Away("it is closed".to_owned())
}

fn closed(file: &Path) -> StoreError {
    StoreError::Away(format!("{} is not open", file.display()))
}
