//! Who holds a key.

use super::{Service, ServiceError};
use crate::domain::{KeyId, Principal};
use crate::privacy::ApiKey;

impl Service {
    /// Who holds `key`.
    ///
    /// # Errors
    /// [`ServiceError::UnknownKey`] when it is none, unknown or revoked;
    /// [`ServiceError::Unconfirmed`] when that cannot be told now.
    pub async fn authenticate(&self, key: &str) -> Result<Principal, ServiceError> {
        let key = ApiKey::parse(key).ok_or(ServiceError::UnknownKey)?;
        let directory = self.directory.with_key(key.id()).await?;
        let record = directory.live_key(key.id())?;
        if !key.is_hashed_to(&self.key_hasher, &record.hash) {
            return Err(ServiceError::UnknownKey);
        }
        Ok(Principal {
            key: key.into_id(),
            role: record.role.clone(),
        })
    }

    /// What a key that was verified before may do now.
    ///
    /// # Errors
    /// [`ServiceError::UnknownKey`] when it was revoked since; [`ServiceError::Unconfirmed`] when
    /// that cannot be told now.
    pub fn holder(&self, key: &KeyId) -> Result<Principal, ServiceError> {
        let directory = self.directory.current()?;
        Ok(Principal {
            key: key.clone(),
            role: directory.live_key(key)?.role.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use data_encoding::BASE32_NOPAD;
    use futures_util::FutureExt;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::service::KeyRecord;
    use crate::settings::{Overrides, Settings};
    use crate::store::Kind;

    /// A service, and the file of its operator's key if it made one.
    async fn start(data: &tempfile::TempDir) -> (Arc<Service>, Option<PathBuf>) {
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        Service::start(&settings, data.path()).await.unwrap()
    }

    fn read(file: &Option<PathBuf>) -> String {
        let text = std::fs::read_to_string(file.as_ref().unwrap()).unwrap();
        text.trim().to_owned()
    }

    /// Changes the hash that the store holds of a key.
    async fn rehash(service: &Service, id: &KeyId, change: impl FnOnce(&mut String)) {
        let kept = service.store.get(Kind::Key, id.as_str()).await.unwrap();
        let kept = kept.unwrap();
        let mut record: KeyRecord = serde_json::from_str(&kept.body).unwrap();
        change(&mut record.hash);
        let body = serde_json::to_string(&record).unwrap();
        let put = service
            .store
            .replace(Kind::Key, id.as_str(), kept.version, body);
        assert!(put.await.unwrap());
        service.directory.renew().await.unwrap();
    }

    /// A key of the right form for an id: its checksum is no secret.
    fn made_up(id: &KeyId, n: u32) -> String {
        let secret = BASE32_NOPAD.encode(&[&n.to_be_bytes()[..], &[7; 16]].concat());
        let head = format!("mtr_live_{id}_{}", secret.to_lowercase());
        let sum = BASE32_NOPAD.encode(&Sha256::digest(&head)[..5]);
        format!("{head}{}", &sum.to_lowercase()[..6])
    }

    #[tokio::test]
    async fn a_key_that_an_earlier_metrust_hashed_is_refused_and_the_operator_gets_another() {
        let data = tempfile::tempdir().unwrap();
        let (service, file) = start(&data).await;
        let old = read(&file);
        service.authenticate(&old).await.unwrap();
        let id = ApiKey::parse(&old).unwrap().id().clone();
        rehash(&service, &id, |hash| {
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g".clone_into(hash);
        })
        .await;
        service.close().await;
        drop(service);

        let (service, made) = start(&data).await;
        assert_eq!(made, file, "a new one is made");
        let refused = service.authenticate(&old).await;
        assert!(matches!(refused, Err(ServiceError::UnknownKey)));
        assert!(matches!(service.holder(&id), Err(ServiceError::UnknownKey)));
        let new = service.authenticate(&read(&made)).await.unwrap();
        assert_eq!(new.role, crate::domain::Role::Operator);
        service.close().await;
    }

    #[tokio::test]
    async fn a_key_is_refused_when_one_bit_of_its_stored_hash_has_changed() {
        let data = tempfile::tempdir().unwrap();
        let (service, file) = start(&data).await;
        let key = read(&file);
        let id = ApiKey::parse(&key).unwrap().id().clone();
        // The last bit of the first digit: what is left is a hash of the right form.
        let flip = |hash: &mut String| {
            let first = u8::from_str_radix(&hash[..1], 16).unwrap() ^ 1;
            hash.replace_range(..1, &format!("{first:x}"));
        };
        rehash(&service, &id, flip).await;
        let refused = service.authenticate(&key).await;
        assert!(matches!(refused, Err(ServiceError::UnknownKey)));
        rehash(&service, &id, flip).await;
        service.authenticate(&key).await.unwrap();
        service.close().await;
    }

    #[tokio::test]
    async fn a_key_of_a_known_id_waits_for_nothing_be_it_right_or_wrong() {
        let data = tempfile::tempdir().unwrap();
        let (service, file) = start(&data).await;
        let key = read(&file);
        let id = ApiKey::parse(&key).unwrap().id().clone();
        // Answered where it is asked: no turn, no other thread, no store.
        for n in 0..10_000 {
            let wrong = service.authenticate(&made_up(&id, n)).now_or_never();
            assert!(matches!(wrong, Some(Err(ServiceError::UnknownKey))));
        }
        assert!(matches!(
            service.authenticate(&key).now_or_never(),
            Some(Ok(_))
        ));
        service.close().await;
    }
}
