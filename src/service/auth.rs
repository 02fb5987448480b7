//! Who holds a key.

use super::{KeyRecord, Service, ServiceError};
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
        let mut record = self.directory.current()?.keys.get(key.id()).cloned();
        if record.is_none() {
            // It may have been made by another process within the last second.
            self.directory.renew().await?;
            record = self.directory.current()?.keys.get(key.id()).cloned();
        }
        let record = record
            .filter(KeyRecord::is_live)
            .filter(|record| key.is_hashed_to(&self.key_hasher, &record.hash))
            .ok_or(ServiceError::UnknownKey)?;
        Ok(Principal {
            key: KeyId::clone(key.id()),
            role: record.role,
        })
    }

    /// What a key that was verified before may do now.
    ///
    /// # Errors
    /// [`ServiceError::UnknownKey`] when it was revoked since; [`ServiceError::Unconfirmed`] when
    /// that cannot be told now.
    pub fn holder(&self, key: &KeyId) -> Result<Principal, ServiceError> {
        let directory = self.directory.current()?;
        let record = directory.keys.get(key);
        let record = record.filter(|record| record.is_live());
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
    use crate::settings::{Overrides, Settings};
    use crate::store::Kind;

    #[tokio::test]
    async fn a_key_that_an_earlier_metrust_hashed_is_refused_and_the_operator_gets_another() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::load(None, &Overrides::default()).unwrap();
        let (service, made) = Service::start(&settings, data.path()).await.unwrap();
        let file = made.unwrap();
        let read = || std::fs::read_to_string(&file).unwrap().trim().to_owned();
        let old = read();
        service.authenticate(&old).await.unwrap();
        let id = ApiKey::parse(&old).unwrap().id().clone();
        let kept = service.store.get(Kind::Key, id.as_str()).await.unwrap();
        let kept = kept.unwrap();
        let mut record: KeyRecord = serde_json::from_str(&kept.body).unwrap();
        record.hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g".to_owned();
        let body = serde_json::to_string(&record).unwrap();
        let put = service
            .store
            .replace(Kind::Key, id.as_str(), kept.version, body);
        assert!(put.await.unwrap());
        service.close().await;
        drop(service);

        let (service, made) = Service::start(&settings, data.path()).await.unwrap();
        assert_eq!(made.as_deref(), Some(file.as_path()), "a new one is made");
        let refused = service.authenticate(&old).await;
        assert!(matches!(refused, Err(ServiceError::UnknownKey)));
        assert!(matches!(service.holder(&id), Err(ServiceError::UnknownKey)));
        let new = service.authenticate(&read()).await.unwrap();
        assert_eq!(new.role, crate::domain::Role::Operator);
        service.close().await;
    }
}
