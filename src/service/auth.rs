//! Who holds a key.

use std::collections::HashMap;
use std::sync::RwLock;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard};

use super::{Service, ServiceError};
use crate::domain::{KeyId, Principal};
use crate::privacy::{ApiKey, SecretKey};

/// How many verified keys are remembered.
const REMEMBERED: usize = 10_000;

/// For how long a key is not hashed again after it was verified.
const REMEMBER: Duration = Duration::from_secs(300);

/// How many groups of keys are verified beside each other.
const TURNS: usize = 64;

/// Keys that were verified lately: under a keyed hash, so that memory holds no key; bounded in
/// number and time. That a key was revoked is not looked up here but in the directory, each time.
#[derive(Debug)]
pub(super) struct Verified {
    key: SecretKey,
    seen: RwLock<HashMap<[u8; 32], Instant>>,
    turns: [Mutex<()>; TURNS],
}

impl Default for Verified {
    fn default() -> Self {
        Self {
            key: SecretKey::generate(),
            seen: RwLock::default(),
            turns: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl Verified {
    fn name(&self, key: &ApiKey) -> [u8; 32] {
        self.key.mac(&[key.reveal().as_bytes()])
    }

    fn contains(&self, name: &[u8; 32]) -> bool {
        let seen = self.seen.read().unwrap_or_else(|held| held.into_inner());
        seen.get(name).is_some_and(|at| at.elapsed() < REMEMBER)
    }

    /// One at a time for the same key: a dialler that opens a hundred connections at once has its
    /// key hashed once and not a hundred times.
    async fn turn(&self, name: &[u8; 32]) -> MutexGuard<'_, ()> {
        self.turns[usize::from(name[0]) % TURNS].lock().await
    }

    fn insert(&self, name: [u8; 32]) {
        let mut seen = self.seen.write().unwrap_or_else(|held| held.into_inner());
        if seen.len() >= REMEMBERED {
            seen.retain(|_, at| at.elapsed() < REMEMBER);
        }
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(name, Instant::now());
    }
}

impl Service {
    /// Who holds `key`.
    ///
    /// # Errors
    /// [`ServiceError::UnknownKey`] when it is none, unknown or revoked;
    /// [`ServiceError::Unconfirmed`] or [`ServiceError::Overloaded`] when that cannot be told now.
    pub async fn authenticate(&self, key: &str) -> Result<Principal, ServiceError> {
        let key = ApiKey::parse(key).ok_or(ServiceError::UnknownKey)?;
        let name = self.verified.name(&key);
        let mut record = self.directory.current()?.keys.get(key.id()).cloned();
        if record.is_none() {
            // It may have been made by another process within the last second.
            self.directory.renew().await?;
            record = self.directory.current()?.keys.get(key.id()).cloned();
        }
        let record = record
            .filter(|record| record.revoked_at.is_none())
            .ok_or(ServiceError::UnknownKey)?;
        if !self.verified.contains(&name) {
            let _turn = self.verified.turn(&name).await;
            if !self.verified.contains(&name)
                && !self.key_hasher.verify(key.reveal(), &record.hash).await?
            {
                return Err(ServiceError::UnknownKey);
            }
            self.verified.insert(name);
        }
        Ok(Principal {
            key: KeyId::clone(key.id()),
            role: record.role,
        })
    }
}

impl Service {
    /// What a key that was verified before may do now.
    ///
    /// # Errors
    /// [`ServiceError::UnknownKey`] when it was revoked since; [`ServiceError::Unconfirmed`] when
    /// that cannot be told now.
    pub fn holder(&self, key: &KeyId) -> Result<Principal, ServiceError> {
        let directory = self.directory.current()?;
        let record = directory.keys.get(key);
        let record = record.filter(|record| record.revoked_at.is_none());
        let record = record.ok_or(ServiceError::UnknownKey)?;
        Ok(Principal {
            key: key.clone(),
            role: record.role.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_verified_keys_is_bounded_and_holds_no_key() {
        let verified = Verified::default();
        let key = ApiKey::generate();
        let name = verified.name(&key);
        assert!(!verified.contains(&name));
        verified.insert(name);
        assert!(verified.contains(&name));
        for n in 0..2 * REMEMBERED {
            let mut other = [0; 32];
            other[..8].copy_from_slice(&n.to_be_bytes());
            verified.insert(other);
        }
        assert!(verified.seen.read().unwrap().len() <= REMEMBERED);
        assert!(!format!("{verified:?}").contains(key.reveal()));
    }
}
