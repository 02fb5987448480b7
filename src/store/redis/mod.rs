//! The Redis engine: one server, a script for each step.
//!
//! Asks go through a script that decides a batch and appends it, changes through another; Redis
//! runs each alone, so looking up and recording are one atomic step. Long batches of asks are looked
//! up beforehand and come to the same ([`ahead`]). With `appendfsync always` Redis answers after the
//! append-only file is on disk, so what was answered survives a power cut. Every script first makes
//! sure that the store is still the one the service began with: an emptied Redis, to which every
//! number would look free, answers nothing.

mod ahead;
mod documents;
mod durability;
mod import;
mod keys;
mod lane;
mod link;
mod meetings;
mod peers;
mod work;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use data_encoding::HEXLOWER;
use redis::streams::StreamRangeReply;
use tokio::sync::OnceCell;

use super::batch::{MAX_ITEMS, Outcome, Position, TailBatch};
use super::{
    ACCEPT, Advice, Ask, Change, Changed, Health, Identity, ImportPart, RedisOptions, SellerNumber,
    StoreError,
};
use crate::domain::Decision;
use crate::supervisor::Supervisor;
use lane::Lane;
use link::Drops;
pub(super) use link::Link;
use meetings::Meetings;
use work::Shared;

/// How often the server's settings and state are looked at again.
const WATCH: Duration = Duration::from_secs(1);

/// How long a piece of an import may take.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// An open Redis store.
#[derive(Debug)]
pub(super) struct Redis {
    link: Link,
    options: RedisOptions,
    timeout: Duration,
    drops: Drops,
    shared: Arc<Shared>,
    asks: Lane<Ask, Decision>,
    changes: Lane<Change, Changed>,
    watch: tokio::task::JoinHandle<()>,
    /// Meets the other processes, once this one has joined them.
    meetings: OnceLock<tokio::task::JoinHandle<()>>,
    /// For imports; made by the first.
    import: OnceCell<Link>,
}

impl Redis {
    /// Connects, and refuses a server that would forget.
    pub(super) async fn open(
        options: RedisOptions,
        timeout: Duration,
        replay_window: Duration,
        supervisor: &Supervisor,
    ) -> Result<Self, StoreError> {
        let drops = Drops::default();
        let link = Link::connect(&options, timeout, drops.clone()).await?;
        // They may be starting at this very moment, as the service is.
        link.wait_for_replicas().await?;
        if let Some(advice) = inspect(&link, &options).await? {
            tracing::warn!("{}; {}", advice.what, advice.remedy);
        }
        if options.durability == super::Durability::Everysec {
            tracing::warn!(
                "store.redis.durability is everysec: a power cut may lose the last second of \
                 opt-outs and audit entries that were answered"
            );
        }
        let shared = Arc::new(Shared::new(link.clone(), replay_window));
        let (for_asks, for_changes) = (shared.clone(), shared.clone());
        let watched = (link.clone(), options.clone(), shared.clone());
        let watch = supervisor.run("redis-watch", move || {
            let (link, options, shared) = watched.clone();
            watch(link, options, shared)
        });
        Ok(Self {
            link,
            options,
            timeout,
            drops,
            asks: Lane::open(supervisor, "redis-checks", MAX_ITEMS, move |asks| {
                let shared = for_asks.clone();
                async move { shared.decide(shared.link(), &asks).await }
            }),
            // A registration is one change, whatever its length: all of it or nothing.
            changes: Lane::open(supervisor, "redis-changes", usize::MAX, move |changes| {
                let shared = for_changes.clone();
                async move { shared.change(changes).await }
            }),
            shared,
            watch,
            meetings: OnceLock::new(),
            import: OnceCell::new(),
        })
    }

    pub(super) async fn identity(&self) -> Result<Option<Identity>, StoreError> {
        let mut both = redis::pipe();
        both.cmd("GET").arg(keys::IDENTITY);
        both.cmd("EXISTS").arg(keys::TAIL).arg(keys::DIRECTORY);
        let (identity, others): (Option<String>, u32) = self.link.pipeline(&both).await?;
        match identity {
            Some(text) => read_identity(&text).map(Some),
            None if others > 0 => Err(StoreError::Foreign(
                "it holds entries or sellers, but its identity (the key mr:{s00}:meta) is gone; \
                 restore it from a backup"
                    .to_owned(),
            )),
            None => Ok(None),
        }
    }

    pub(super) async fn begin(&self, proposed: Identity) -> Result<Identity, StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(keys::IDENTITY)
            .arg(write_identity(&proposed))
            .arg("NX");
        let _: Option<String> = self.link.query(&set).await?;
        let identity = self
            .identity()
            .await?
            .ok_or_else(|| StoreError::Away("it did not keep its identity".to_owned()))?;
        self.shared.begin(write_identity(&identity));
        Ok(identity)
    }

    pub(super) async fn loss(&self) -> Result<Option<String>, StoreError> {
        let mut get = redis::cmd("HGET");
        get.arg(keys::SEQUENCES).arg(keys::LOST);
        self.link.query(&get).await
    }

    pub(super) async fn mark_lost(&self, what: &str) -> Result<bool, StoreError> {
        let marked = self.put_loss(what).await?;
        self.shared.peers.meet_soon();
        Ok(marked)
    }

    pub(super) async fn accept_loss(&self) -> Result<(), StoreError> {
        self.put_loss("").await?;
        self.shared.peers.meet_soon();
        self.shared.settled().await
    }

    async fn put_loss(&self, what: &str) -> Result<bool, StoreError> {
        let names = [keys::IDENTITY, keys::SEQUENCES, keys::ROSTER].map(str::to_owned);
        let arguments = [self.shared.identity().into_bytes(), what.into()];
        let script = &self.shared.loss;
        self.link.write(script, &names, &arguments).await
    }

    pub(super) async fn whole(&self) -> Result<(), StoreError> {
        self.shared.present().await
    }

    /// Joins the other processes that share the store, and waits until the server was compared, or
    /// the store is marked.
    pub(super) async fn join(&self, supervisor: &Supervisor) -> Result<(), StoreError> {
        self.meetings.get_or_init(|| {
            let (shared, options) = (self.shared.clone(), self.options.clone());
            let drops = self.drops.clone();
            // Begun anew, it knows no more of the others than at the start, and waits for them.
            supervisor.run("redis-meetings", move || {
                Meetings::new(shared.clone(), options.clone(), drops.clone()).keep()
            })
        });
        self.shared.joined().await
    }

    pub(super) async fn decide(&self, asks: Vec<Ask>) -> Result<Vec<Decision>, StoreError> {
        self.shared.usable()?;
        self.asks.send(asks).await
    }

    /// A link for one thread, that connects when it is first used.
    pub(super) fn link(&self) -> Result<Link, StoreError> {
        Link::later(&self.options, self.timeout, self.drops.clone())
    }

    /// Decides a batch at once, over a link of the caller's.
    pub(super) async fn decide_over(
        &self,
        link: &Link,
        asks: &[Ask],
    ) -> Result<Vec<Decision>, StoreError> {
        self.shared.usable()?;
        self.shared.decide(link, asks).await
    }

    pub(super) async fn change(&self, changes: Vec<Change>) -> Result<Vec<Changed>, StoreError> {
        self.shared.safe()?;
        self.changes.send(changes).await
    }

    pub(super) async fn puts(&self, seller: SellerNumber) -> Result<u64, StoreError> {
        let mut ask = redis::cmd("HGET");
        ask.arg(keys::SEQUENCES).arg(import::puts_of(seller));
        let found: Option<u64> = self.link.query(&ask).await?;
        Ok(found.unwrap_or(0))
    }

    pub(super) async fn import(&self, part: ImportPart) -> Result<Option<u64>, StoreError> {
        // It may wait for longer than a check.
        let patience = self.timeout.max(IMPORT_TIMEOUT);
        let link = self
            .import
            .get_or_try_init(|| Link::connect(&self.options, patience, self.drops.clone()))
            .await?;
        import::import(link, &self.shared, part).await
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
        let mut range = redis::cmd("XRANGE");
        range.arg(keys::TAIL);
        range.arg(from.map_or_else(|| "-".to_owned(), |from| from.to_string()));
        range.arg("+").arg("COUNT").arg(limit);
        let reply: StreamRangeReply = self.link.query(&range).await?;
        reply
            .ids
            .into_iter()
            .map(|row| {
                read_batch(&row).ok_or_else(|| StoreError::Damaged("an entry batch".to_owned()))
            })
            .collect()
    }

    pub(super) async fn tail_end(&self, _tail: u16) -> Result<Option<Position>, StoreError> {
        let mut last = redis::cmd("XREVRANGE");
        last.arg(keys::TAIL).arg("+").arg("-").arg("COUNT").arg(1);
        let reply: StreamRangeReply = self.link.query(&last).await?;
        Ok(reply.ids.first().and_then(|row| row.id.parse().ok()))
    }

    pub(super) async fn trim(&self, _tail: u16, before: Position) -> Result<(), StoreError> {
        let mut trim = redis::cmd("XTRIM");
        trim.arg(keys::TAIL).arg("MINID").arg(before.to_string());
        self.link.query::<u64>(&trim).await.map(drop)
    }

    pub(super) async fn tail_bytes(&self, _tail: u16) -> Result<u64, StoreError> {
        let mut usage = redis::cmd("MEMORY");
        usage.arg("USAGE").arg(keys::TAIL);
        let bytes: Option<u64> = self.link.query(&usage).await?;
        Ok(bytes.unwrap_or(0))
    }

    pub(super) async fn lease(
        &self,
        name: &'static str,
        holder: [u8; 8],
        for_long: Duration,
    ) -> Result<bool, StoreError> {
        let arguments = [
            HEXLOWER.encode(&holder).into_bytes(),
            for_long.as_millis().to_string().into_bytes(),
        ];
        let key = [keys::lease(name)];
        let held: u8 = self
            .link
            .write(&self.shared.lease, &key, &arguments)
            .await?;
        Ok(held == 1)
    }

    pub(super) async fn health(&self) -> Health {
        let seen = match inspect(&self.link, &self.options).await {
            Ok(advice) => self.shared.present().await.map(|()| advice),
            Err(error) => Err(error),
        };
        let advice = seen.as_ref().ok().cloned().flatten();
        let reason = seen.as_ref().err().map(StoreError::code);
        let (ok, detail, remedy) = match seen {
            Ok(_) => (
                true,
                match self.options.durability {
                    super::Durability::Always => "every answer is on disk before it is given",
                    super::Durability::Everysec => "answers reach the disk within a second",
                }
                .to_owned(),
                None,
            ),
            Err(error @ (StoreError::Lost | StoreError::Marked)) => {
                (false, error.to_string(), Some(ACCEPT.to_owned()))
            }
            Err(error @ StoreError::Unsafe(_)) => (false, error.to_string(), None),
            Err(error) => (
                false,
                error.to_string(),
                Some("see that Redis runs and that store.redis.url is right".to_owned()),
            ),
        };
        Health {
            engine: "redis",
            ok,
            reason,
            detail,
            remedy,
            advice,
        }
    }

    pub(super) async fn close(&self) {
        self.watch.abort();
        self.asks.drained().await;
        self.changes.drained().await;
        if let Some(meetings) = self.meetings.get() {
            meetings.abort();
            // Whoever does not take leave counts as dead after a while.
            let _ = self.shared.leave().await;
        }
    }
}

/// Asks the server for its settings and state, and refuses it when it cannot be used or they are too
/// weak. Where one of them only costs more than it should, says which.
async fn inspect(link: &Link, options: &RedisOptions) -> Result<Option<Advice>, StoreError> {
    let report = link.report(options.verify).await?;
    let weakness = report.unfit(options.replicas).or_else(|| {
        let judged = options.verify;
        judged
            .then(|| report.weakness(options.durability))
            .flatten()
    });
    match weakness {
        None => Ok(report.advice()),
        Some(weakness) => Err(StoreError::Unsafe(format!(
            "{}; {}",
            weakness.what, weakness.remedy
        ))),
    }
}

/// Looks at the server again and again: one that was restarted without its append-only file must
/// not go on answering.
async fn watch(link: Link, options: RedisOptions, shared: Arc<Shared>) {
    let weakness: &ArcSwapOption<StoreError> = shared.weakness();
    loop {
        tokio::time::sleep(WATCH).await;
        match inspect(&link, &options).await {
            Err(error @ StoreError::Unsafe(_)) => {
                if weakness.load().is_none() {
                    tracing::error!(%error, "no check is answered until this is mended");
                }
                weakness.store(Some(Arc::new(error)));
            }
            // A server that is away is found out by every request itself.
            Err(_) => {}
            Ok(_) => {
                if weakness.swap(None).is_some() {
                    tracing::info!("the store is safe to use again");
                }
            }
        }
    }
}

fn write_identity(identity: &Identity) -> String {
    let [store, fingerprint] = [identity.store, identity.fingerprint];
    format!(
        "{}:{}:{}",
        HEXLOWER.encode(&store),
        HEXLOWER.encode(&fingerprint),
        Identity::FORMAT
    )
}

fn read_identity(text: &str) -> Result<Identity, StoreError> {
    let damaged = || StoreError::Damaged("its identity (the key mr:{s00}:meta)".to_owned());
    let half = |text: &str| {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| damaged())?;
        <[u8; 16]>::try_from(bytes).map_err(|_| damaged())
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (store, fingerprint) = match parts[..] {
        [_, _] => return Err(Identity::of_before()),
        [store, fingerprint, format] if format.parse() == Ok(Identity::FORMAT) => {
            (store, fingerprint)
        }
        _ => return Err(damaged()),
    };
    Ok(Identity {
        store: half(store)?,
        fingerprint: half(fingerprint)?,
    })
}

fn read_batch(row: &redis::streams::StreamId) -> Option<TailBatch> {
    let clients: String = row.get("c")?;
    let client_seqs = clients
        .split(',')
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    Some(TailBatch {
        position: row.id.parse().ok()?,
        payload: row.get("p")?,
        outcome: Outcome {
            verdicts: row.get("v")?,
            writer_seq: row.get("w")?,
            client_seqs,
        },
    })
}
