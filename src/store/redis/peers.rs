//! Who shares the store, and whether a Redis that came back still holds all that was acknowledged.
//!
//! Redis may come back with older files, or a replica may take over that was behind. Then opt-outs
//! are missing, and often one process alone knows: the one to which they were acknowledged. So the
//! store names the server that was compared, by its replication id, which each start and each
//! promotion changes; the scripts answer on no other. On another one, everybody who shares the store
//! compares what was acknowledged to them with what is there. Whoever misses something marks the
//! store, and then nobody is answered until the operator accepts it; when all agree, the server is
//! named.
//!
//! Processes meet four times a second. Who has not come for a second and a half, by the clock of the
//! one who waits, counts as dead; what the others last heard of it stands in for it. So nobody is
//! answered while a living process knows that something acknowledged is missing; not found is only
//! what a process that died, too, had acknowledged since the others last met it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use data_encoding::HEXLOWER;
use tokio::sync::Notify;

use super::keys;
use super::work::Shared;
use crate::store::{StoreError, batch};

/// How long a process that starts waits for the others.
const JOIN: Duration = Duration::from_secs(20);

/// A process as the store knows it, and how much of what it wrote was acknowledged.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) writer: batch::Writer,
    /// The same in words.
    pub(super) name: String,
    /// The sequence number of its last entry that was acknowledged.
    entries: AtomicU64,
    /// How many documents and pieces of lists were.
    documents: AtomicU64,
}

impl Session {
    fn new() -> Self {
        let writer = crate::privacy::random();
        Self {
            writer,
            name: HEXLOWER.encode(&writer),
            entries: AtomicU64::new(0),
            documents: AtomicU64::new(0),
        }
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries.load(Ordering::SeqCst)
    }

    pub(super) fn documents(&self) -> u64 {
        self.documents.load(Ordering::SeqCst)
    }
}

/// What a call is sent with: whose it is, and up to which comparison its reply counts.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) session: Arc<Session>,
    comparison: u64,
}

/// How this process and the store stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Standing {
    /// Not known yet.
    New,
    /// A server is being compared.
    Comparing,
    /// The server was compared.
    Settled,
    /// The store is marked.
    Lost,
}

/// What this process knows of itself among the others.
#[derive(Debug)]
pub(super) struct Peers {
    session: ArcSwap<Session>,
    comparison: AtomicU64,
    standing: AtomicU8,
    /// Somebody has reason to meet at once.
    soon: Notify,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            session: ArcSwap::from_pointee(Session::new()),
            comparison: AtomicU64::new(0),
            standing: AtomicU8::new(Standing::New as u8),
            soon: Notify::new(),
        }
    }
}

impl Peers {
    /// To be taken before a call is sent.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket {
            comparison: self.comparison.load(Ordering::SeqCst),
            session: self.session.load_full(),
        }
    }

    /// The store has acknowledged the entries of this session up to a number.
    ///
    /// # Errors
    /// [`StoreError::Late`] where a comparison began meanwhile: it did not count this, so that
    /// nobody may rely on it.
    pub(super) fn acknowledge_entries(&self, of: &Ticket, number: u64) -> Result<(), StoreError> {
        of.session.entries.fetch_max(number, Ordering::SeqCst);
        self.counts(of)
    }

    /// The same of documents and pieces of lists.
    pub(super) fn acknowledge_documents(&self, of: &Ticket, count: u64) -> Result<(), StoreError> {
        of.session.documents.fetch_max(count, Ordering::SeqCst);
        self.counts(of)
    }

    fn counts(&self, ticket: &Ticket) -> Result<(), StoreError> {
        match self.comparison.load(Ordering::SeqCst) == ticket.comparison {
            true => Ok(()),
            false => Err(StoreError::Late),
        }
    }

    /// Whether the server was compared, as of the last meeting.
    pub(super) fn is_settled(&self) -> bool {
        self.standing.load(Ordering::Acquire) == Standing::Settled as u8
    }

    /// Whether the store is marked, as of the last meeting.
    pub(super) fn is_lost(&self) -> bool {
        self.standing.load(Ordering::Acquire) == Standing::Lost as u8
    }

    /// Who this process is to the others.
    pub(super) fn session(&self) -> Arc<Session> {
        self.session.load_full()
    }

    /// From here on it is somebody else: a new writer, so that no number is given twice, of whom
    /// nothing was acknowledged.
    pub(super) fn begin_anew(&self) {
        self.session.store(Arc::new(Session::new()));
    }

    /// From here on no reply counts to what was sent before.
    pub(super) fn begin_comparison(&self) {
        self.comparison.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until there is a reason to meet.
    pub(super) async fn reason_to_meet(&self) {
        self.soon.notified().await;
    }

    /// Lets this process meet the others at once.
    pub(super) fn meet_soon(&self) {
        self.soon.notify_one();
    }

    /// What the last meeting found.
    pub(super) fn stand(&self, standing: Standing) {
        let before = self.standing.swap(standing as u8, Ordering::AcqRel);
        if before == standing as u8 {
            return;
        }
        match standing {
            Standing::New => {}
            Standing::Comparing => tracing::warn!(
                "Redis came back, or another one took over: nobody is answered until all that \
                 share it have compared what it had acknowledged"
            ),
            Standing::Settled if before == Standing::New as u8 => {}
            Standing::Settled => tracing::info!("Redis holds all that it had acknowledged"),
            Standing::Lost => tracing::error!(
                "the store is marked: it lost entries that it had acknowledged, and perhaps \
                 opt-outs. No check is answered until its newest data is restored, or `metrust \
                 serve --accept-loss` goes on without it, on record"
            ),
        }
    }
}

/// How the row of somebody ends who has left.
pub(super) const LEFT: &str = " left";

impl Shared {
    /// Waits until this process has met the others: the server was compared, or the store is marked.
    pub(super) async fn joined(&self) -> Result<(), StoreError> {
        let joined = async {
            while !self.peers.is_settled() && !self.peers.is_lost() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let joined = tokio::time::timeout(JOIN, joined).await;
        joined.map_err(|_| StoreError::Unsettled)
    }

    /// Waits until the server is named.
    pub(super) async fn settled(&self) -> Result<(), StoreError> {
        while !self.peers.is_settled() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Takes leave of the others.
    pub(super) async fn leave(&self) -> Result<(), StoreError> {
        if !self.peers.is_settled() {
            return Ok(());
        }
        let session = self.peers.session();
        let mut leave = redis::cmd("HSET");
        leave.arg(keys::ROSTER).arg(&session.name).arg(format!(
            "0 {} {}{LEFT}",
            session.entries(),
            session.documents()
        ));
        self.link().query::<u64>(&leave).await.map(drop)
    }
}
