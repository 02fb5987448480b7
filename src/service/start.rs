//! From settings to a service that is ready to answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::keys::{self, KeySource, KeysError};
use super::{Service, ServiceError};
use crate::domain::{Context, Detail, Moment, Op, PhoneNumber, Role};
use crate::settings::Settings;
use crate::store::{Action, Change, Kind, Store, StoreError};

/// Why the service does not start. Each text names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// Something else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What a first start made.
#[derive(Debug)]
pub struct FirstStart {
    /// Whether the store was empty.
    pub empty: bool,
    /// The operator's key, when one was made: where it was put.
    pub operator_key: Option<PathBuf>,
}

impl Service {
    /// Opens the store, makes what is missing on an empty one, and checks that keys and store
    /// belong together.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        settings: &Settings,
        data: &Path,
    ) -> Result<(Arc<Self>, FirstStart), StartError> {
        keys::make_folder(data)?;
        let found = KeySource::find(settings, data)?;
        let store = Store::open(
            settings.engine(data),
            settings.store_timeout(),
            settings.ref_window(),
        )
        .await?;
        let identity = store.identity().await?;
        let place = data.join("keys").display().to_string();
        let (keyring, place) = match found {
            KeySource::Settings(keyring) => (keyring, "the configuration".to_owned()),
            KeySource::Folder(keyring) => (keyring, place),
            KeySource::Missing if identity.is_some() => {
                return Err(StartError::KeysGone { place });
            }
            KeySource::Missing => (keys::make(data)?, place),
        };
        match store.begin(keyring.fingerprint()).await {
            Err(StoreError::Foreign(_)) => return Err(StartError::OtherKeys { place }),
            other => other?,
        };
        let service = Arc::new(Self::new(store, keyring, settings));
        // The metadata of 240 countries takes a moment to compile; no check should wait for it.
        let warmed = tokio::task::spawn_blocking(PhoneNumber::warm_up);
        service.open_months().await?;
        service.directory.renew().await?;
        service.record_start().await?;
        let operator_key = service.ensure_operator(data).await?;
        drop(warmed.await);
        Ok((
            service,
            FirstStart {
                empty: identity.is_none(),
                operator_key,
            },
        ))
    }

    /// Keeps what this process knows current, until it ends.
    pub fn spawn_keepers(self: &Arc<Self>) {
        let service = self.clone();
        tokio::spawn(async move { service.directory.keep_current().await });
        let service = self.clone();
        tokio::spawn(async move { service.keep_months().await });
    }

    async fn record_start(&self) -> Result<(), ServiceError> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let change = Change {
            at: Moment::now(),
            context: Arc::new(Context::of_service(Op::Start, Detail::Started { version })),
            pn: None,
            action: Action::Note,
        };
        self.store.change(vec![change]).await?;
        Ok(())
    }

    /// Makes the first operator's key when the store has none at all.
    async fn ensure_operator(&self, data: &Path) -> Result<Option<PathBuf>, StartError> {
        let known = self.directory.known();
        let path = data.join("operator.key");
        if known.keys.values().any(|key| key.role == Role::Operator) {
            return Ok(None);
        }
        // Of several processes that start at once, one makes it.
        if !self
            .store
            .create(Kind::Counter, "operator", "1".to_owned())
            .await?
        {
            return Ok(None);
        }
        let made = self.create_key(None, Role::Operator).await?;
        let text = zeroize::Zeroizing::new(format!("{}\n", made.key.reveal()));
        if path.exists() {
            // Of an earlier store: kept, but no longer the one that counts.
            let old = data.join("operator.key.old");
            std::fs::rename(&path, &old).map_err(|error| KeysError::File {
                path: path.clone(),
                error,
            })?;
        }
        keys::write_secret(&path, text.as_bytes())?;
        Ok(Some(path))
    }
}
