//! The store: where opt-outs are kept, checks are decided and entries are appended.
//!
//! The contract is narrow, and each engine keeps it in its own native way:
//!
//! * [`Store::decide`] looks numbers up **and** appends the entries that record it, in one atomic
//!   and durable step.
//! * [`Store::change`] puts or removes registrations and appends their entries, the same way.
//! * [`Store::import`] brings whole lists in, or takes them out, many numbers at a time.
//! * [`Store::tail`] and [`Store::trim`] read and shorten what was appended.
//! * [`Store::lease`] lets one process at a time do what needs only one.
//! * Documents are small records with a version: got, created once, replaced or removed if unchanged,
//!   listed page by page.
//!
//! What was answered is on disk. What could not be put on disk was not answered.

mod batch;
mod document;
mod embedded;
mod gate;
mod import;
mod layout;
mod list;
mod redis;
mod replay;
#[cfg(test)]
pub(crate) mod script;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use batch::{Position, TailBatch};
pub use document::{Beside, Document, Kind};
pub use gate::Gate;
pub use import::ImportPart;
pub use layout::{Member, SellerNumber, Spot};
pub use list::{Draft, List, Listed};

use crate::domain::{Channel, Channels, Context, Decision, Locator, Moment, Pseudonym};
use crate::privacy::Subject;
use crate::supervisor::Supervisor;

/// Which engine, and how to reach it.
#[derive(Debug, Clone)]
pub enum Engine {
    /// One file on this machine.
    Embedded {
        /// The file; made when missing.
        file: PathBuf,
    },
    /// A Redis server.
    Redis(RedisOptions),
}

/// How to use a Redis server.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// `redis://`, `rediss://` or `redis+unix://`; may hold a password, so it is never shown.
    pub url: String,
    /// The certificate of the authority that signed the server's, for `rediss://`; without it,
    /// the authorities that browsers trust.
    pub ca_certificate: Option<PathBuf>,
    /// What durability its answers must have.
    pub durability: Durability,
    /// Whether to ask the server for its settings before trusting it.
    pub verify: bool,
    /// How many replicas must have an entry before it counts (`WAIT`).
    pub replicas: u32,
}

/// When Redis's append-only file reaches the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Before every answer (`appendfsync always`).
    Always,
    /// Within about a second of it (`appendfsync everysec`): a power cut may lose that second.
    Everysec,
}

/// Why the store did not do as it was asked. Nothing was answered; nothing is lost that was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or cannot write.
    #[error("the store is away: {0}")]
    Away(String),
    /// It did not answer in time. What was asked may still be recorded.
    #[error("the store did not answer in time")]
    Late,
    /// More is waiting than may wait.
    #[error("the store has more waiting than it may take on")]
    Busy,
    /// It is not the store that this service began with: emptied, exchanged or damaged.
    #[error("the store is not the one this service began with: {0}")]
    Foreign(String),
    /// It would forget what it acknowledges; the text names the setting to change.
    #[error("the store is not safe to use: {0}")]
    Unsafe(String),
    /// It came back without entries that it had acknowledged, and perhaps without opt-outs.
    #[error(
        "the store has lost entries that it had acknowledged, and perhaps opt-outs; restore its \
         newest data, or start `metrust serve --accept-loss` to go on without them, on record"
    )]
    Lost,
    /// It is marked: something that it had acknowledged is missing, and nobody has accepted that.
    #[error(
        "the store lacks what it had acknowledged, and perhaps opt-outs; no check is answered \
         until its newest data is restored, or `metrust serve --accept-loss` goes on without it, \
         on record"
    )]
    Marked,
    /// It came back, and those who share it have not all compared what it had acknowledged.
    #[error(
        "the store came back, and nobody is answered until all that share it have compared what it \
         had acknowledged"
    )]
    Unsettled,
    /// Something in it cannot be read.
    #[error("the store holds something unreadable: {0}")]
    Damaged(String),
    /// A file of it was deleted while it was open: at the next start, what it held would be gone.
    #[error("{0} was deleted while the service runs, and no check is answered")]
    Deleted(String),
}

impl StoreError {
    /// What it is, in a word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::Late => "late",
            Self::Busy => "busy",
            Self::Foreign(_) => "foreign",
            Self::Unsafe(_) => "unsafe",
            Self::Lost | Self::Marked => "lost",
            Self::Unsettled => "unsettled",
            Self::Damaged(_) => "damaged",
            Self::Deleted(_) => "deleted",
        }
    }
}

/// What ties a store to the keys that it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Random; made once, when the store begins.
    pub store: [u8; 16],
    /// [`crate::privacy::Keyring::fingerprint`] of the keys it is written with.
    pub fingerprint: [u8; 16],
}

impl Identity {
    /// How the store is written.
    const FORMAT: u8 = 2;

    /// Of a store that was written before its format had a number.
    fn of_before() -> StoreError {
        StoreError::Foreign(
            "it was written by metrust 0.1.0, in a form that is read no longer; go on with that \
             version, or begin an empty store and register the opt-outs anew (the old log stays \
             valid)"
                .to_owned(),
        )
    }
}

/// A `ref` of one client for one number: repeated within the window, it is the same check.
pub type ReplayKey = [u8; 16];

/// One number asked once.
#[derive(Debug, Clone)]
pub struct Ask {
    /// When.
    pub at: Moment,
    /// Who asks for whom.
    pub context: Arc<Context>,
    /// The number's two pseudonyms; nothing when it could not be read.
    pub number: Option<(Subject, Pseudonym)>,
    /// The seller.
    pub seller: SellerNumber,
    /// The channel.
    pub channel: Channel,
    /// The client's `ref`, if it gave one.
    pub replay: Option<ReplayKey>,
}

impl Ask {
    /// The number's name in the log.
    #[must_use]
    pub fn pn(&self) -> Option<Pseudonym> {
        self.number.map(|(_, pn)| pn)
    }
}

/// One change to what is kept, with the entry that records it.
#[derive(Debug, Clone)]
pub struct Change {
    /// When.
    pub at: Moment,
    /// Who did what.
    pub context: Arc<Context>,
    /// The number's name in the log, if it is about a number.
    pub pn: Option<Pseudonym>,
    /// What to do.
    pub action: Action,
}

impl Change {
    /// Something to put on record, that changes nothing else.
    #[must_use]
    pub fn note(at: Moment, context: Context, pn: Option<Pseudonym>) -> Self {
        Self {
            at,
            context: Arc::new(context),
            pn,
            action: Action::Note,
        }
    }
}

impl Change {
    /// Whether all of them are notes, which a store takes that is marked, too.
    fn are_notes(changes: &[Self]) -> bool {
        let mut actions = changes.iter().map(|change| &change.action);
        actions.all(|action| matches!(action, Action::Note))
    }
}

/// What a change does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// Suppress a number for one seller (or all) in the name of a registration.
    Put(Listing),
    /// Take that back. What other registrations say of the number stays.
    Remove(Listing),
    /// Nothing but the entry.
    Note,
}

/// One number of one registration for one seller (or all).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The number.
    pub subject: Subject,
    /// The registration.
    pub registration: Locator,
    /// Which state of the registration wants this: a fence. The store keeps the newest for each
    /// number of each registration, also where that left nothing listed, and does nothing more for
    /// an older one, however late it comes.
    pub version: u64,
    /// The seller, or [`SellerNumber::ALL`].
    pub seller: SellerNumber,
    /// Calls, texts or both.
    pub channels: Channels,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It was done and recorded.
    Done,
    /// It had been done before; nothing was recorded.
    Unchanged,
    /// A newer state of the registration, this one, was there before; nothing was done.
    Outdated(u64),
}

/// How the store is.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Health {
    /// `embedded` or `redis`.
    pub engine: &'static str,
    /// Whether it takes writes and keeps them.
    pub ok: bool,
    /// What is wrong, in a word: [`StoreError::code`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What it said, or what is wrong.
    pub detail: String,
    /// What to do about it, when something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What works, but should be set in another way.
    #[serde(skip)]
    pub advice: Option<Advice>,
}

/// What to do about a store that is marked.
const ACCEPT: &str = "restore its newest data; only if that is lost for good, start `metrust serve \
                      --accept-loss` once, and tell whoever reads the audit";

/// A setting that costs more than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What was seen, and what it costs.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    engine: Arc<Open>,
    timeout: Duration,
    supervisor: Supervisor,
    /// What becomes of messages in a test.
    #[cfg(test)]
    script: Option<Arc<script::Script>>,
}

#[derive(Debug)]
enum Open {
    Embedded(embedded::Embedded),
    Redis(Box<redis::Redis>),
}

#[cfg(test)]
impl Open {
    async fn change(&self, changes: Vec<Change>) -> Result<Vec<Changed>, StoreError> {
        match self {
            Self::Embedded(engine) => engine.change(changes).await,
            Self::Redis(engine) => engine.change(changes).await,
        }
    }

    async fn put(
        &self,
        kind: Kind,
        id: &str,
        version: Option<u64>,
        draft: Option<Draft>,
        beside: Option<Beside>,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Embedded(engine) => engine.put(kind, id, version, draft, beside).await,
            Self::Redis(engine) => engine.put(kind, id, version, draft, beside).await,
        }
    }
}

macro_rules! on_engine {
    ($self:ident, $engine:ident => $call:expr) => {
        match &*$self.engine {
            Open::Embedded($engine) => $call,
            Open::Redis($engine) => $call,
        }
    };
}

impl Store {
    /// Opens the store. `timeout` bounds every decision; `replay_window` is how long a `ref` is
    /// remembered.
    ///
    /// # Errors
    /// [`StoreError::Away`] when it cannot be reached or opened, [`StoreError::Unsafe`] when it is
    /// weaker than required, naming the setting to change.
    pub async fn open(
        engine: Engine,
        timeout: Duration,
        replay_window: Duration,
    ) -> Result<Self, StoreError> {
        let supervisor = Supervisor::default();
        let engine = match engine {
            Engine::Embedded { file } => {
                Open::Embedded(embedded::Embedded::open(file, replay_window).await?)
            }
            Engine::Redis(options) => Open::Redis(Box::new(
                redis::Redis::open(options, timeout, replay_window, &supervisor).await?,
            )),
        };
        Ok(Self {
            engine: Arc::new(engine),
            timeout,
            supervisor,
            #[cfg(test)]
            script: None,
        })
    }

    /// The same store as another process sees it, to which messages go as a script says.
    #[cfg(test)]
    pub(crate) fn scripted(&self, script: Arc<script::Script>) -> Self {
        Self {
            engine: self.engine.clone(),
            timeout: self.timeout,
            supervisor: self.supervisor.clone(),
            script: Some(script),
        }
    }

    /// What runs its tasks, and those of whoever rests on it.
    #[must_use]
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// The identity of a store that was begun; nothing when it is new and empty.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when it is a Redis that holds data of ours but no identity.
    pub async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        on_engine!(self, engine => engine.identity().await)
    }

    /// Begins the store, or finds that another process just did; from here on every decision
    /// makes sure that the store still has this identity.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written, or was begun with other keys.
    pub async fn begin(&self, fingerprint: [u8; 16]) -> Result<Identity, StoreError> {
        let proposed = Identity {
            store: crate::privacy::random(),
            fingerprint,
        };
        let identity = on_engine!(self, engine => engine.begin(proposed).await)?;
        if identity.fingerprint == fingerprint {
            Ok(identity)
        } else {
            Err(StoreError::Foreign(
                "it was written with other keys".to_owned(),
            ))
        }
    }

    /// Looks every number up and appends an entry for each, atomically; answers when that is
    /// durable, in order. A repeated `ref` whose answer still holds gets its first entry again.
    ///
    /// # Errors
    /// [`StoreError`], within the store's time limit; then nothing may be concluded about any of
    /// the numbers.
    pub async fn decide(&self, asks: Vec<Ask>) -> Result<Vec<Decision>, StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.decide(asks).await) })
            .await
    }

    /// Makes every change and appends its entry, atomically; answers when that is durable.
    ///
    /// # Errors
    /// [`StoreError`]. After [`StoreError::Late`] the changes may or may not be made; making them
    /// again is harmless.
    pub async fn change(&self, changes: Vec<Change>) -> Result<Vec<Changed>, StoreError> {
        #[cfg(test)]
        if let Some(script) = &self.script {
            let engine = self.engine.clone();
            let send = move || {
                let (engine, changes) = (engine.clone(), changes.clone());
                async move { engine.change(changes).await }
            };
            return script.send(send).await;
        }
        self.bounded(async { on_engine!(self, engine => engine.change(changes).await) })
            .await
    }

    /// Brings a piece of a list in, or takes it out; answers when that is durable, with how many
    /// of its numbers were not listed before, or, when they are taken out, were. A person's own
    /// registration of a number stays as it is. Nothing comes back where numbers were to be taken
    /// out and others have been put in since: then some of them may be out.
    ///
    /// # Errors
    /// [`StoreError`]; then some of the numbers may be in. Doing it again is harmless.
    pub async fn import(&self, part: ImportPart) -> Result<Option<u64>, StoreError> {
        on_engine!(self, engine => engine.import(part).await)
    }

    /// How many pieces of lists were put in for a seller, ever.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn puts(&self, seller: SellerNumber) -> Result<u64, StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.puts(seller).await) })
            .await
    }

    /// Joins the other processes that share the store, and waits until it is known whether all that
    /// was acknowledged is there, or the store is marked. To be called once, after
    /// [`Self::begin`], before anybody is answered.
    ///
    /// # Errors
    /// [`StoreError::Unsettled`] when that takes too long.
    pub async fn join(&self) -> Result<(), StoreError> {
        match &*self.engine {
            // It has one process.
            Open::Embedded(_) => Ok(()),
            Open::Redis(engine) => engine.join(&self.supervisor).await,
        }
    }

    /// Whether nothing that was acknowledged is known to be missing.
    ///
    /// # Errors
    /// [`StoreError::Marked`]; [`StoreError::Unsettled`] while that is not known.
    pub async fn whole(&self) -> Result<(), StoreError> {
        self.bounded(async {
            match &*self.engine {
                Open::Embedded(engine) => engine.whole(),
                Open::Redis(engine) => engine.whole().await,
            }
        })
        .await
    }

    /// What of all that was acknowledged is known to be missing, if the store is marked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn loss(&self) -> Result<Option<String>, StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.loss().await) })
            .await
    }

    /// Marks the store: something that was acknowledged is missing from it. From here on, and
    /// whatever is started anew, nothing is decided, registered or imported ([`StoreError::Marked`])
    /// until [`Self::accept_loss`]; notes and what the service keeps for itself are taken. A store
    /// that is marked already keeps what its mark says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_lost(&self, what: &str) -> Result<(), StoreError> {
        let marked = async { on_engine!(self, engine => engine.mark_lost(what).await) };
        if self.bounded(marked).await? {
            tracing::error!(
                "{what}: opt-outs may be missing. No check is answered until the store's newest \
                 data is restored; or `metrust serve --accept-loss` goes on without it, on record"
            );
        }
        Ok(())
    }

    /// Takes the mark away. Whoever calls this has put on record that the operator accepts it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accept_loss(&self) -> Result<(), StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.accept_loss().await) })
            .await
    }

    /// Puts an act of this moment on record that is not about a number. A store that is marked
    /// takes it, too.
    ///
    /// # Errors
    /// [`StoreError`], as of [`Store::change`].
    pub async fn note(&self, context: Context) -> Result<(), StoreError> {
        let note = Change::note(Moment::now(), context, None);
        self.change(vec![note]).await.map(drop)
    }

    /// How many tails there are; each has an order of its own.
    #[must_use]
    pub fn tails(&self) -> u16 {
        on_engine!(self, engine => engine.tails())
    }

    /// The batches of a tail from a position on (that one included), oldest first, at most
    /// `limit`. Whoever reads on from a batch that is no longer the first to come knows that the
    /// tail was trimmed or exchanged in between.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tail(
        &self,
        tail: u16,
        from: Option<Position>,
        limit: usize,
    ) -> Result<Vec<TailBatch>, StoreError> {
        on_engine!(self, engine => engine.tail(tail, from, limit).await)
    }

    /// How much room a tail takes, in bytes, about.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tail_bytes(&self, tail: u16) -> Result<u64, StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.tail_bytes(tail).await) })
            .await
    }

    /// Takes or renews a lease: true for one holder at a time, until `for_long` after it last
    /// asked. It keeps several processes from doing the same work; it does not fence them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease(
        &self,
        name: &'static str,
        holder: [u8; 8],
        for_long: Duration,
    ) -> Result<bool, StoreError> {
        self.bounded(async {
            on_engine!(self, engine => engine.lease(name, holder, for_long).await)
        })
        .await
    }

    /// The position of a tail's newest batch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tail_end(&self, tail: u16) -> Result<Option<Position>, StoreError> {
        on_engine!(self, engine => engine.tail_end(tail).await)
    }

    /// Drops a tail's batches before a position; the batch at the position stays as an anchor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim(&self, tail: u16, before: Position) -> Result<(), StoreError> {
        on_engine!(self, engine => engine.trim(tail, before).await)
    }

    /// A document.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, kind: Kind, id: &str) -> Result<Option<Document>, StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.get(kind, id).await) })
            .await
    }

    /// Creates a document; `false` if there is one of that id already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(
        &self,
        kind: Kind,
        id: &str,
        draft: impl Into<Draft>,
    ) -> Result<bool, StoreError> {
        self.put_document(kind, id, None, Some(draft.into()), None)
            .await
    }

    /// Replaces a document; `false` if it has changed since it was got.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace(
        &self,
        kind: Kind,
        id: &str,
        version: u64,
        draft: impl Into<Draft>,
    ) -> Result<bool, StoreError> {
        self.put_document(kind, id, Some(version), Some(draft.into()), None)
            .await
    }

    /// Removes a document for good; `false` if it has changed since it was got, or is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove(&self, kind: Kind, id: &str, version: u64) -> Result<bool, StoreError> {
        self.put_document(kind, id, Some(version), None, None).await
    }

    /// Creates a document, or, where a version is given, replaces it, and in the same step puts
    /// another one beside it or removes that; `false`, with neither done, where [`Self::create`] or
    /// [`Self::replace`] would say so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_with(
        &self,
        kind: Kind,
        id: &str,
        version: Option<u64>,
        draft: impl Into<Draft>,
        beside: Beside,
    ) -> Result<bool, StoreError> {
        self.put_document(kind, id, version, Some(draft.into()), Some(beside))
            .await
    }

    async fn put_document(
        &self,
        kind: Kind,
        id: &str,
        version: Option<u64>,
        draft: Option<Draft>,
        beside: Option<Beside>,
    ) -> Result<bool, StoreError> {
        let draft = draft.map(|draft| draft.with_kind(kind));
        let beside = beside.map(|Beside { kind, draft }| Beside {
            kind,
            draft: draft.map(|draft| draft.with_kind(kind)),
        });
        #[cfg(test)]
        if let Some(script) = &self.script {
            let (engine, id) = (self.engine.clone(), id.to_owned());
            let send = move || {
                let (engine, id) = (engine.clone(), id.clone());
                let (draft, beside) = (draft.clone(), beside.clone());
                async move { engine.put(kind, &id, version, draft, beside).await }
            };
            return script.send(send).await;
        }
        self.bounded(async {
            on_engine!(self, engine => engine.put(kind, id, version, draft, beside).await)
        })
        .await
    }

    /// The next documents of a list, at most `limit`, and moves the list behind them; none at its
    /// end. One that changes meanwhile may come as it is by then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(&self, list: &mut List, limit: usize) -> Result<Vec<Listed>, StoreError> {
        loop {
            let found =
                self.bounded(async { on_engine!(self, engine => engine.page(list, limit).await) });
            let found = found.await?;
            let Some((last, _)) = found.last() else {
                return Ok(Vec::new());
            };
            list.pass(last);
            // On Redis one may have gone since its entry was read.
            let there = found.into_iter().filter_map(|(entry, document)| {
                let id = list::id_of(&entry).to_owned();
                document.map(|document| Listed {
                    entry,
                    id,
                    document,
                })
            });
            let there: Vec<Listed> = there.collect();
            if !there.is_empty() {
                return Ok(there);
            }
        }
    }

    /// How many documents are in a list.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self, list: &List) -> Result<u64, StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.count(list).await) })
            .await
    }

    /// Every document of a kind for which [`Kind::is_listed`] holds, in no particular order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, kind: Kind) -> Result<Vec<(String, Document)>, StoreError> {
        /// How many are asked for at a time, so that no check waits for them.
        const PAGE: usize = 500;
        let (mut list, mut all) = (List::all(kind), Vec::new());
        loop {
            let page = self.page(&mut list, PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page.into_iter().map(|listed| (listed.id, listed.document)));
        }
    }

    /// Grows whenever a document of the directory (sellers, agencies, keys, months) changes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn directory_version(&self) -> Result<u64, StoreError> {
        self.bounded(async { on_engine!(self, engine => engine.directory_version().await) })
            .await
    }

    /// Asks the store how it is.
    pub async fn health(&self) -> Health {
        on_engine!(self, engine => engine.health().await)
    }

    /// Waits until everything taken on is durable, then closes the store.
    pub async fn close(&self) {
        on_engine!(self, engine => engine.close().await);
    }

    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.timeout, work)
            .await
            .unwrap_or(Err(StoreError::Late))
    }
}
