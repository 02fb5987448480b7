//! The use cases: check, register, withdraw, read the audit, keep sellers, agencies and keys.
//!
//! One file each. Nothing here knows of HTTP, and nothing here knows which engine keeps the data.

mod admin;
pub mod asked;
pub mod audit;
mod auth;
mod background;
mod bursts;
mod check;
mod checker;
mod directory;
pub mod doctor;
mod error;
pub mod import;
pub mod keys;
pub mod letters;
pub mod matching;
mod month;
mod reason;
pub mod record;
mod registration;
pub mod report;
#[cfg(any(test, fuzzing))]
pub mod same_rows;
mod searches;
mod sessions;
mod start;
pub mod statistics;
pub mod wash;

use std::sync::Arc;
use std::time::Duration;

pub use admin::{AgencyView, KeyView, NewKey, SellerView};
pub use check::{Asked, CheckAuthorization, Question};
pub use checker::Checker;
pub use directory::{Agency, Directory, KeyRecord, Seller, Snapshot};
pub use error::ServiceError;
pub use keys::KeySource;
pub use letters::{Letter, LetterError, LetterState, MailAddress, MailStatus};
pub use reason::{LONGEST_REASON, reason};
pub use registration::{
    Access, Amended, Amendment, Deed, Event, REGISTRATION, Registered, Registrant,
    RegistrationView, Sellers, Wanted,
};
pub use searches::SearchPermit;
pub use sessions::SessionId;
pub use start::{StartError, recognise};

use crate::privacy::{Hasher, KeyedHash, Keyring, MonthKeys, Purpose, SecretKey};
use crate::settings::{Settings, SettingsError};
use crate::store::Store;

/// Everything a use case needs. One for the whole process, shared by its threads.
#[derive(Debug)]
pub struct Service {
    store: Arc<Store>,
    record: record::Record,
    keyring: Keyring,
    months: MonthKeys,
    directory: Directory,
    key_hasher: KeyedHash,
    code_hasher: Hasher,
    replay_key: SecretKey,
    registration_key: SecretKey,
    form_key: SecretKey,
    validity: Duration,
    washes: wash::Washes,
    /// The one that started the service, for what runs on threads of its own.
    runtime: tokio::runtime::Handle,
    max_check_numbers: usize,
    max_registration_numbers: usize,
    undo: Duration,
    answer_days: u16,
    searches: searches::Searches,
    bursts: bursts::Bursts,
    turns: import::Turns,
    letters: letters::Letters,
    done_work: registration::DoneWork,
}

impl Service {
    fn new(
        store: Arc<Store>,
        record: record::Record,
        keyring: Keyring,
        settings: &Settings,
    ) -> Result<Self, SettingsError> {
        Ok(Self {
            letters: letters::Letters::new(settings, &keyring)?,
            directory: Directory::new(store.clone()),
            store,
            record,
            months: MonthKeys::default(),
            key_hasher: KeyedHash::new(&keyring.derive(Purpose::ApiKeys)),
            code_hasher: Hasher::default(),
            replay_key: keyring.derive(Purpose::Replay),
            registration_key: keyring.derive(Purpose::Registrations),
            form_key: keyring.derive(Purpose::Form),
            validity: Duration::from_secs(settings.check.validity_s),
            washes: wash::Washes::new(settings.check.max_washes),
            runtime: tokio::runtime::Handle::current(),
            max_check_numbers: settings.check.max_numbers,
            max_registration_numbers: settings.registration.max_numbers,
            bursts: bursts::Bursts::new(settings.limits.adjacent_per_hour),
            undo: Duration::from_secs(3600 * u64::from(settings.registration.undo_hours)),
            searches: searches::Searches::default(),
            answer_days: settings.report.answer_days,
            turns: import::Turns::default(),
            done_work: registration::DoneWork::default(),
            keyring,
        })
    }

    /// Sellers, agencies and keys, as this process knows them.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// How long an answer may be used.
    #[must_use]
    pub fn validity(&self) -> Duration {
        self.validity
    }

    /// How many numbers one request for checks may hold.
    #[must_use]
    pub fn max_check_numbers(&self) -> usize {
        self.max_check_numbers
    }

    /// How many numbers one registration may hold.
    #[must_use]
    pub fn max_registration_numbers(&self) -> usize {
        self.max_registration_numbers
    }

    /// A key for one purpose of the edge, such as sealing a cookie.
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> SecretKey {
        self.keyring.derive(purpose)
    }

    /// How the store is.
    pub async fn health(&self) -> crate::store::Health {
        self.store.health().await
    }

    /// Waits until everything taken on is durable and, if the log allows, sealed, then closes the
    /// store.
    pub async fn close(&self) {
        self.washes.finish().await;
        self.letters.finish().await;
        if let Err(error) = self.close_all_done().await {
            // It is done once more by whoever looks next, and nothing comes of it.
            tracing::warn!(%error, "records do not say yet that the index is as they want it");
        }
        self.finish_sealing().await;
        self.store.close().await;
    }
}
