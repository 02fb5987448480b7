//! Sellers, agencies and keys, kept in memory by every process and renewed within a second.
//!
//! A process that cannot confirm what it knows stops using it: a revoked key stops everywhere
//! within five seconds, also where the store is out of reach.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ServiceError;
use crate::domain::{AgencyId, KeyId, Moment, Role, SellerId};
use crate::store::{Kind, SellerNumber, Store};

/// How often a process asks whether anything has changed.
const RENEW: Duration = Duration::from_secs(1);

/// How soon it asks again where that failed: a store that is back is found back before what is known
/// may no longer be used.
const AGAIN: Duration = Duration::from_millis(100);

/// For how long what a process knows may be used without being confirmed.
const TRUST: Duration = Duration::from_secs(4);

/// For how long a request waits for that.
const RENEW_TIMEOUT: Duration = Duration::from_secs(1);

/// How long keys that nobody knows here wait for others like them, before the store is asked for all
/// of them together.
const GATHER: Duration = Duration::from_millis(20);

/// A company for whose benefit calls are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// Its name, for people.
    pub name: String,
    /// How the index knows it: from 1, never given twice.
    number: u32,
    /// Since when it is here.
    pub created_at: Moment,
}

impl Seller {
    pub(super) fn new(name: String, number: SellerNumber) -> Self {
        Self {
            name,
            number: number.get(),
            created_at: Moment::now(),
        }
    }

    /// How the index knows it.
    ///
    /// # Errors
    /// [`ServiceError::Damaged`] when the record holds a number that was never given.
    pub fn number(&self) -> Result<SellerNumber, ServiceError> {
        SellerNumber::new(self.number).ok_or(ServiceError::Damaged("the record of a seller"))
    }
}

/// A call centre, and the sellers it dials for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agency {
    /// Its name, for people.
    pub name: String,
    /// Its mandates.
    pub sellers: BTreeSet<SellerId>,
    /// Since when it is here.
    pub created_at: Moment,
}

/// What is kept of an API key: never the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// What it lets its holder do.
    #[serde(flatten)]
    pub role: Role,
    /// What tells the key from every other: [`crate::privacy::ApiKey::hash`].
    pub hash: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Moment>,
}

impl KeyRecord {
    /// Whether the key may be used: it was not revoked, and what is kept of it can tell it.
    pub(super) fn is_live(&self) -> bool {
        self.revoked_at.is_none() && !self.is_unreadable()
    }

    /// Whether the key was made by a metrust that kept Argon2 hashes of keys. Nobody can tell such
    /// a key any more.
    pub(super) fn is_unreadable(&self) -> bool {
        self.hash.starts_with("$argon2")
    }
}

/// All of them at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    version: u64,
    /// Sellers by id.
    pub sellers: HashMap<SellerId, Seller>,
    /// Agencies by id.
    pub agencies: HashMap<AgencyId, Agency>,
    /// Keys by id, the revoked ones too.
    pub keys: HashMap<KeyId, KeyRecord>,
}

impl Snapshot {
    /// What is kept of a key that may be used.
    ///
    /// # Errors
    /// [`ServiceError::UnknownKey`] when there is none of this id, or it may not be used.
    pub(super) fn live_key(&self, id: &KeyId) -> Result<&KeyRecord, ServiceError> {
        let record = self.keys.get(id).filter(|record| record.is_live());
        record.ok_or(ServiceError::UnknownKey)
    }

    /// A seller's name, for people; its id where it has none.
    #[must_use]
    pub fn seller_name(&self, id: &SellerId) -> String {
        let seller = self.sellers.get(id);
        seller.map_or_else(|| id.to_string(), |seller| seller.name.clone())
    }

    /// An agency's name, for people; its id where it has none.
    #[must_use]
    pub fn agency_name(&self, id: &AgencyId) -> String {
        let agency = self.agencies.get(id);
        agency.map_or_else(|| id.to_string(), |agency| agency.name.clone())
    }

    /// Every seller's id and name, in the order in which people look for them.
    #[must_use]
    pub fn sellers_by_name(&self) -> Vec<(String, String)> {
        let sellers = self.sellers.iter();
        let mut named: Vec<_> = sellers
            .map(|(id, seller)| (id.to_string(), seller.name.clone()))
            .collect();
        named.sort_by_key(|(_, name)| name.to_lowercase());
        named
    }
}

/// What this process knows, and when it last made sure, by a clock that only goes forward: the
/// machine's own may be set back.
#[derive(Debug)]
pub struct Directory {
    store: Arc<Store>,
    snapshot: ArcSwap<Snapshot>,
    begun: Instant,
    /// In nanoseconds since `begun`; nothing was confirmed before 1.
    confirmed: AtomicU64,
    renewing: tokio::sync::Mutex<()>,
}

impl Directory {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            snapshot: ArcSwap::default(),
            begun: Instant::now(),
            confirmed: AtomicU64::new(0),
            renewing: tokio::sync::Mutex::new(()),
        }
    }

    /// What is known, if it was confirmed lately enough to act on.
    ///
    /// # Errors
    /// [`ServiceError::Unconfirmed`].
    pub fn current(&self) -> Result<Arc<Snapshot>, ServiceError> {
        let confirmed = self.confirmed.load(Ordering::Acquire);
        if confirmed == 0 || self.now().saturating_sub(confirmed) > TRUST.as_nanos() as u64 {
            return Err(ServiceError::Unconfirmed);
        }
        Ok(self.snapshot.load_full())
    }

    /// Nanoseconds since this was made, which 64 bits count for five hundred years.
    fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    /// What is known, however old: for showing names, not for deciding who may do what.
    #[must_use]
    pub fn known(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Makes sure that what is known is what the store holds now, or was a moment after this was
    /// called.
    ///
    /// # Errors
    /// [`ServiceError::Store`]; [`ServiceError::Unconfirmed`] when it takes too long.
    pub async fn renew(&self) -> Result<(), ServiceError> {
        self.renew_since(self.now()).await
    }

    /// What is known, with the key of this id in it if there is one. A key that is not known here
    /// may have been made by another process within the last second: then the store is asked.
    /// Anybody can send such keys, so it is asked once for all that come within [`GATHER`].
    ///
    /// # Errors
    /// [`ServiceError::Store`]; [`ServiceError::Unconfirmed`] when it takes too long.
    pub(super) async fn with_key(&self, id: &KeyId) -> Result<Arc<Snapshot>, ServiceError> {
        let known = self.current()?;
        if known.keys.contains_key(id) {
            return Ok(known);
        }
        let wanted = self.now();
        tokio::time::sleep(GATHER).await;
        self.renew_since(wanted).await?;
        self.current()
    }

    async fn renew_since(&self, wanted: u64) -> Result<(), ServiceError> {
        tokio::time::timeout(RENEW_TIMEOUT, self.renew_or_share(wanted))
            .await
            .unwrap_or(Err(ServiceError::Unconfirmed))
    }

    /// Many may want this at once: whoever finds that another has done it since they asked needs
    /// nothing more.
    async fn renew_or_share(&self, wanted: u64) -> Result<(), ServiceError> {
        let _only_one = self.renewing.lock().await;
        if self.confirmed.load(Ordering::Acquire) > wanted {
            return Ok(());
        }
        let asked = self.now();
        let version = self.store.directory_version().await?;
        if version != self.snapshot.load().version || version == 0 {
            // Read after the version: what changes in between is read now and once more later.
            let snapshot = Snapshot {
                version,
                sellers: self
                    .read(Kind::Seller, |id| SellerId::parse(id).ok())
                    .await?,
                agencies: self
                    .read(Kind::Agency, |id| AgencyId::parse(id).ok())
                    .await?,
                keys: self.read(Kind::Key, |id| KeyId::parse(id).ok()).await?,
            };
            self.snapshot.store(Arc::new(snapshot));
        }
        self.confirmed.store(asked, Ordering::Release);
        Ok(())
    }

    /// What is known now, provided that this agency and this seller are: whoever mistypes a name
    /// must not be told that nothing is on record about it.
    ///
    /// # Errors
    /// [`ServiceError::UnknownAgency`], [`ServiceError::UnknownSeller`], or that it cannot be
    /// confirmed.
    pub async fn knowing(
        &self,
        agency: Option<&AgencyId>,
        seller: Option<&SellerId>,
    ) -> Result<Arc<Snapshot>, ServiceError> {
        self.renew().await?;
        let known = self.known();
        if agency.is_some_and(|id| !known.agencies.contains_key(id)) {
            return Err(ServiceError::UnknownAgency);
        }
        if seller.is_some_and(|id| !known.sellers.contains_key(id)) {
            return Err(ServiceError::UnknownSeller);
        }
        Ok(known)
    }

    /// Renews again and again; never returns.
    pub(super) async fn keep_current(&self) {
        let mut failing = false;
        loop {
            tokio::time::sleep(if failing { AGAIN } else { RENEW }).await;
            match self.renew().await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(%error, "sellers, agencies and keys cannot be confirmed");
                }
                Err(_) => {}
            }
        }
    }

    async fn read<I, T>(
        &self,
        kind: Kind,
        id: impl Fn(&str) -> Option<I> + Send + 'static,
    ) -> Result<HashMap<I, T>, ServiceError>
    where
        I: std::hash::Hash + Eq + Send + 'static,
        T: DeserializeOwned + Send + 'static,
    {
        let damaged = || ServiceError::Damaged("a record of a seller, an agency or a key");
        let documents = self.store.list(kind).await?;
        // There may be thousands.
        let read = tokio::task::spawn_blocking(move || {
            let records = documents.into_iter().map(|(name, document)| {
                let record = serde_json::from_str(&document.body).ok();
                id(&name).zip(record).ok_or_else(damaged)
            });
            records.collect()
        });
        read.await.map_err(|_| damaged())?
    }
}
