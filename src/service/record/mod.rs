//! The sealed record: what the use cases know of the log, and how it is kept going.
//!
//! [`super::audit`] reads it, [`receipt`] proves single entries from it, [`opening`] lets a
//! regulator find one number in it, [`retention`] drops years that are over, `reach` says how far
//! back it goes.

mod cdr;
pub(super) mod index;
pub mod keys;
pub mod opening;
mod reach;
pub mod receipt;
pub mod retention;
pub(super) mod search;
mod witness;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::{Service, ServiceError};
use crate::domain::Moment;
use crate::log::storage::{Folder, Storage};
use crate::log::{
    Archive, LogError, LogKeys, LogName, Progress, Running, Sealer, Sealing, Verifier, loss,
    recognise,
};
use crate::privacy::{Keyring, Purpose};
use crate::settings::Settings;
use crate::store::{Identity, Store};

/// How often the room that unsealed entries take is looked at.
const WATCH: Duration = Duration::from_millis(500);

/// How long a service that stops goes on sealing what is left.
const FINISH: Duration = Duration::from_secs(10);

/// What the use cases know of the log.
#[derive(Debug)]
pub(super) struct Record {
    pub archive: Archive,
    pub keys: Arc<LogKeys>,
    pub witnesses: Vec<Verifier>,
    pub promise: Duration,
    pub keep_years: u16,
    /// When this log was begun, if one before it was lost.
    pub begun: Option<Moment>,
    sealing: Sealing,
    running: Mutex<Option<Running>>,
    progress: Arc<ArcSwap<Progress>>,
    waiting: AtomicU64,
    high_water: u64,
}

/// How the log is.
#[derive(Debug, Clone)]
pub struct LogStatus {
    /// Where it lies.
    pub place: String,
    /// How many bytes of entries wait to be sealed.
    pub waiting: u64,
    /// At how many checks are refused.
    pub high_water: u64,
    /// For how long entries may have been waiting.
    pub lag: Duration,
    /// How many entries this process has sealed.
    pub sealed: u64,
    /// What is wrong, if something is.
    pub error: Option<String>,
}

impl LogStatus {
    /// Whether so much waits that checks are refused.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting > self.high_water
    }
}

impl Record {
    /// Opens the log of a store. With `new_log`, begins another one where it is lost.
    pub(super) async fn open(
        settings: &Settings,
        data: &Path,
        store: &Arc<Store>,
        identity: &Identity,
        keyring: &Keyring,
    ) -> Result<Self, LogError> {
        let archive = Archive::new(open_storage(settings, data).await?);
        let store_id = data_encoding::HEXLOWER.encode(&identity.store);
        let own = recognise(&archive, store, &store_id, settings.new_log).await?;
        let keys = Arc::new(LogKeys::new(keyring.derive(Purpose::LogKeys)));
        let origin = settings
            .log_origin()
            .unwrap_or_else(|| format!("metrust-{}/log", &store_id[..8]));
        let sealing = Sealing {
            archive: archive.clone(),
            store: store.clone(),
            keys: keys.clone(),
            origin,
            part: own.part,
            store_id,
            period: Duration::from_millis(settings.audit.period_ms),
        };
        Ok(Self {
            archive,
            keys,
            witnesses: settings.audit.witness_keys(),
            promise: Duration::from_secs(settings.audit.promise_s),
            keep_years: settings.audit.keep_years,
            begun: own.begun,
            sealing,
            running: Mutex::default(),
            progress: Arc::default(),
            waiting: AtomicU64::new(0),
            high_water: settings.audit.max_unsealed_bytes,
        })
    }

    /// What the origins of new logs begin with.
    pub(super) fn origin(&self) -> &str {
        &self.sealing.origin
    }
}

/// Where the log of a store lies, made sure that they fit together; nothing is changed.
///
/// # Errors
/// [`LogError`], in the sealer's words.
pub async fn examine(
    settings: &Settings,
    data: &Path,
    store: &Store,
    identity: &Identity,
) -> Result<String, LogError> {
    let place = settings.log_place(data);
    if !place.starts_with("s3://") && !Path::new(&place).exists() {
        return Err(LogError::Elsewhere { place });
    }
    let archive = Archive::new(open_storage(settings, data).await?);
    let store_id = data_encoding::HEXLOWER.encode(&identity.store);
    loss::examine(&archive, store, &store_id).await?;
    Ok(place)
}

#[cfg_attr(
    not(feature = "s3"),
    allow(clippy::unused_async, reason = "a bucket is asked")
)]
async fn open_storage(settings: &Settings, data: &Path) -> Result<Storage, LogError> {
    let place = settings.log_place(data);
    #[cfg(feature = "s3")]
    if place.starts_with("s3://") {
        let options = crate::log::storage::BucketOptions {
            endpoint: settings.audit.s3.endpoint.clone(),
            region: settings.audit.s3.region.clone(),
        };
        let bucket = crate::log::storage::Bucket::open(&place, &options).await?;
        return Ok(Storage::Bucket(bucket));
    }
    Ok(Storage::Folder(Folder::open(place.into())?))
}

/// A log, as everybody may know it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LogView {
    /// Its name.
    pub name: LogName,
    /// Its origin.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// Whether retention has dropped its entries; the hashes are still there.
    pub dropped: bool,
}

impl Service {
    /// The log itself, for readers.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.record.archive
    }

    /// Every log, the newest first.
    ///
    /// # Errors
    /// [`ServiceError::Log`].
    pub async fn logs(&self) -> Result<Vec<LogView>, ServiceError> {
        let archive = &self.record.archive;
        let mut views = Vec::new();
        if let Some(head) = archive.head().await? {
            for log in head.logs().into_iter().rev() {
                views.push(LogView {
                    name: log.log,
                    dropped: archive.is_dropped(log.log).await?,
                    origin: log.origin,
                    size: log.size,
                });
            }
        }
        Ok(views)
    }

    /// How the log is.
    #[must_use]
    pub fn log_status(&self) -> LogStatus {
        let record = &self.record;
        let progress = record.progress.load();
        let lag = progress
            .current_at
            .map_or(Duration::ZERO, |current| current.elapsed());
        LogStatus {
            place: record.archive.storage().place(),
            waiting: record.waiting.load(Ordering::Relaxed),
            high_water: record.high_water,
            lag,
            sealed: progress.sealed,
            error: progress.error.clone(),
        }
    }

    /// Refuses what would make the store run out of room for entries that are not sealed yet.
    pub(super) fn room_for_entries(&self) -> Result<(), ServiceError> {
        if self.record.waiting.load(Ordering::Relaxed) > self.record.high_water {
            return Err(ServiceError::LogBehind);
        }
        Ok(())
    }

    /// Whether a wash may go on. It leaves half of that room to single checks: a list waits for the
    /// log, a call does not.
    pub(super) fn has_room_for_wash(&self) -> bool {
        self.record.waiting.load(Ordering::Relaxed) <= self.record.high_water / 2
    }

    /// Starts sealing.
    pub(super) fn spawn_sealer(&self) {
        let running = Sealer::spawn(&self.record.sealing, &self.record.progress);
        *self.running() = Some(running);
    }

    /// Seals what is there, and seals no more.
    pub(super) async fn finish_sealing(&self) {
        let running = self.running().take();
        if let Some(running) = running {
            running.finish(FINISH).await;
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        let running = self.record.running.lock();
        running.unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks after the room that unsealed entries take and the keys that sign; never returns.
    pub(super) async fn keep_record(&self) {
        let mut warned = false;
        loop {
            match self.unsealed_bytes().await {
                Ok(bytes) => self.record.waiting.store(bytes, Ordering::Relaxed),
                // A store that is away is found out by every check itself.
                Err(error) => tracing::debug!(%error, "the unsealed entries could not be measured"),
            }
            let full = self.room_for_entries().is_err();
            if full != warned {
                if full {
                    tracing::error!(
                        "too many entries wait to be sealed: checks are refused until the log can \
                         be written again"
                    );
                } else {
                    tracing::info!("there is room for entries again: checks are answered");
                }
                warned = full;
            }
            if let Err(error) = self.renew_log_keys().await {
                tracing::debug!(%error, "the keys of the log could not be renewed");
            }
            tokio::time::sleep(WATCH).await;
        }
    }

    async fn unsealed_bytes(&self) -> Result<u64, ServiceError> {
        let mut bytes = 0;
        for tail in 0..self.store.tails() {
            bytes += self.store.tail_bytes(tail).await?;
        }
        Ok(bytes)
    }
}
