//! From settings to a service that is ready to answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::keys::{self, KeySource, KeysError};
use super::record::Record;
use super::{KeyRecord, Service, ServiceError};
use crate::domain::{Context, Detail, Op, PhoneNumber, Role};
use crate::log::{LogError, loss};
use crate::privacy::ApiKey;
use crate::settings::{Settings, SettingsError};
use crate::store::{Identity, Store, StoreError};

/// Why the service does not start. Each text names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The keys do not fit the store.
    #[error(
        "the store was written with other keys than {place} holds. With these, every number would \
         look free. Restore keys/master.key and keys/index.key of this store from your backup, or \
         point metrust at another store"
    )]
    OtherKeys {
        /// Where the wrong keys came from.
        place: String,
    },
    /// The store has been used, and its keys are gone.
    #[error(
        "the store has been used before, but {place} is missing. Without the keys it was written \
         with the list cannot be read: restore the folder `keys` from your backup, or set \
         keys.master and keys.index"
    )]
    KeysGone {
        /// Where they should be.
        place: String,
    },
    /// The store that this data folder knows is gone.
    #[error(
        "this data folder has served another store than the one that is there now{what}. On an \
         empty list every number would look free. Bring the old store back; or, if it is meant to \
         be another one, delete {file} and move the log away"
    )]
    OtherStore {
        /// ` (it is empty)`, or nothing.
        what: &'static str,
        /// The file that remembers the store.
        file: String,
    },
    /// What remembers the store cannot be read.
    #[error(
        "{file}, by which this data folder knows its store, {what}. Put it back from your backup. \
         Without one, make sure that the settings name the right store, delete the file, and start \
         with store.must_exist = true: an empty store is then refused, and the file is written anew"
    )]
    StoreId {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// A store must be there, and it is empty.
    #[error(
        "the store is empty, and setting store.must_exist says that it may not be. Bring its data \
         back; for the very first start set it to false"
    )]
    EmptyStore,
    /// A file that the settings name.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Something else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Service {
    /// Opens the store, makes what is missing on an empty one, and checks that keys and store
    /// belong together. Returns where the operator's key was put, if one was made.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        settings: &Settings,
        data: &Path,
    ) -> Result<(Arc<Self>, Option<PathBuf>), StartError> {
        keys::make_folder(data)?;
        let store = Store::open(
            settings.engine(data),
            settings.store_timeout(),
            settings.ref_window(),
        )
        .await?;
        Self::start_on(store, settings, data).await
    }

    /// The same, on a store that is open.
    pub(super) async fn start_on(
        store: Store,
        settings: &Settings,
        data: &Path,
    ) -> Result<(Arc<Self>, Option<PathBuf>), StartError> {
        let found = KeySource::find(settings, data)?;
        let identity = store.identity().await?;
        if identity.is_none() && settings.store.must_exist {
            return Err(StartError::EmptyStore);
        }
        recognise(data, identity.as_ref())?;
        let known = data.join(STORE_ID);
        let place = data.join("keys").display().to_string();
        let (keyring, place) = match found {
            KeySource::Settings(keyring) => (keyring, "the configuration".to_owned()),
            KeySource::Folder(keyring) => (keyring, place),
            KeySource::Missing if identity.is_some() => {
                return Err(StartError::KeysGone { place });
            }
            KeySource::Missing => (keys::make(data)?, place),
        };
        let begun = match store.begin(keyring.fingerprint()).await {
            Err(StoreError::Foreign(_)) => return Err(StartError::OtherKeys { place }),
            other => other?,
        };
        if !known.exists() {
            keys::write_secret(&known, store_name(&begun).as_bytes())?;
        }
        store.join().await?;
        let store = Arc::new(store);
        let record = Record::open(settings, data, &store, &begun, &keyring).await?;
        compare(&record, &store, settings.accept_loss).await?;
        let service = Arc::new(Self::new(store, record, keyring, settings)?);
        // The metadata of 240 countries takes a moment to compile; no check should wait for it.
        let warmed = tokio::task::spawn_blocking(PhoneNumber::warm_up);
        service.open_months().await?;
        service.directory.renew().await?;
        service.warn_of_unreadable_keys();
        service.record_start().await?;
        service.renew_log_keys().await?;
        let operator_key = service
            .ensure_operator(data, settings.new_operator_key)
            .await?;
        // Without its numbering plans it can read no number.
        if let Err(error) = warmed.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
        Ok((service, operator_key))
    }

    /// Keeps what this process knows current, until it ends.
    pub fn spawn_keepers(self: &Arc<Self>) {
        self.keep_running("directory", |service| async move {
            service.directory.keep_current().await;
        });
        self.keep_running("done work", |service| async move {
            service.close_done_work().await;
        });
        self.keep_running("open work", |service| async move {
            service.finish_open_work().await;
        });
        self.keep_running("months", |service| async move {
            service.keep_months().await;
        });
        self.keep_running("record", |service| async move {
            service.keep_record().await;
        });
        self.keep_running("reports", |service| async move {
            service.keep_reports().await;
        });
        self.keep_running("incidents", |service| async move {
            service.keep_incidents().await;
        });
        self.spawn_sealer();
    }

    async fn record_start(&self) -> Result<(), ServiceError> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let start = Context::of_service(Op::Start, Detail::Started { version });
        Ok(self.store.note(start).await?)
    }

    /// Makes an operator's key when the store has none that is valid, or when whoever starts the
    /// service asks for one: they hold the keys and the store. The file comes first: a key
    /// that nobody has must not be the one that counts.
    async fn ensure_operator(
        &self,
        data: &Path,
        new_key: bool,
    ) -> Result<Option<PathBuf>, StartError> {
        let known = self.directory.known();
        let path = data.join("operator.key");
        let live = |key: &KeyRecord| key.role == Role::Operator && key.is_live();
        if known.keys.values().any(live) && !new_key {
            return Ok(None);
        }
        let key = ApiKey::generate();
        let text = zeroize::Zeroizing::new(format!("{}\n", key.reveal()));
        if path.exists() {
            // Of an earlier store: kept, but no longer the one that counts.
            let old = data.join("operator.key.old");
            std::fs::rename(&path, &old).map_err(|error| KeysError::File {
                path: path.clone(),
                error,
            })?;
        }
        keys::write_secret(&path, text.as_bytes())?;
        self.keep_key(None, Role::Operator, key).await?;
        Ok(Some(path))
    }

    fn warn_of_unreadable_keys(&self) {
        let known = self.directory.known();
        let in_use = known.keys.values().filter(|key| key.revoked_at.is_none());
        let unreadable = in_use.filter(|key| key.is_unreadable()).count();
        if unreadable > 0 {
            tracing::warn!(
                keys = unreadable,
                "keys of an earlier metrust, hashed with Argon2, are refused: revoke each with \
                 `metrust key revoke` and make another with `metrust key create`"
            );
        }
    }

    /// Whether nobody has set anything up yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        let known = self.directory.known();
        known.sellers.is_empty() && known.agencies.is_empty()
    }
}

/// Finds out whether the store is older than its log, before anybody is answered; the operator may
/// accept what was lost.
async fn compare(record: &Record, store: &Store, accept: bool) -> Result<(), LogError> {
    loss::compare(&record.archive, store).await?;
    if accept && store.loss().await?.is_none() {
        tracing::warn!("nothing was lost that is not accepted: start without --accept-loss again");
    }
    if let Some(what) = loss::settle(&record.archive, store, accept).await? {
        tracing::error!(
            "no check is answered: {what}. Opt-outs may be missing. Restore the store's newest \
             data; or `metrust serve --accept-loss` goes on without it, on record"
        );
    }
    Ok(())
}

/// Remembers, in the data folder, the store that it has served.
const STORE_ID: &str = "store.id";

/// Makes sure that the store is the one that this data folder has served before, if it has.
///
/// # Errors
/// [`StartError::OtherStore`], [`StartError::StoreId`].
pub fn recognise(data: &Path, found: Option<&Identity>) -> Result<(), StartError> {
    let known = data.join(STORE_ID);
    let file = known.display().to_string();
    let name = match std::fs::read(&known) {
        Ok(name) => name,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let what = format!("cannot be read ({error})");
            return Err(StartError::StoreId { file, what });
        }
    };
    if !is_store_name(&name) {
        let what = "is not as it was written: it holds no store's name".to_owned();
        return Err(StartError::StoreId { file, what });
    }
    match found {
        Some(identity) if store_name(identity).as_bytes() == name => Ok(()),
        Some(_) => Err(StartError::OtherStore { what: "", file }),
        None => Err(StartError::OtherStore {
            what: " (it is empty)",
            file,
        }),
    }
}

fn store_name(identity: &Identity) -> String {
    data_encoding::HEXLOWER.encode(&identity.store) + "\n"
}

fn is_store_name(text: &[u8]) -> bool {
    let name = text.strip_suffix(b"\n").unwrap_or_default();
    name.len() == 32 && data_encoding::HEXLOWER.decode(name).is_ok()
}
