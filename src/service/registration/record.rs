//! A registration as the store keeps it: without its code nobody can read its numbers.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::domain::{Channels, Locator, Moment, PhoneNumber, Reference, Scope, SellerRef};
use crate::privacy::{SecretKey, open, random, seal};
use crate::service::{Service, ServiceError};
use crate::store::Kind;

/// A registration as the store keeps it: without its code nobody can read its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub sellers: Vec<SellerRef>,
    pub channels: Channels,
    pub created_at: Moment,
    /// When the index held it, on disk: from then on every check is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Moment>,
    salt: String,
    sealed: String,
}

/// How often something is tried again when somebody else was faster, or a code is taken.
const ATTEMPTS: u8 = 8;

impl Service {
    /// Keeps the registration's record under a code of its own. The same seed with the same
    /// content finds the record of the first time.
    pub(super) async fn keep(
        &self,
        seed: &[u8; 32],
        numbers: &[PhoneNumber],
        scope: &Scope,
        at: Moment,
    ) -> Result<(Reference, Record), ServiceError> {
        let content = content(numbers);
        let sellers: Vec<String> = scope.sellers().iter().map(SellerRef::to_string).collect();
        for attempt in 0..ATTEMPTS {
            let mac = self.registration_key.mac(&[
                seed,
                content.as_bytes(),
                sellers.join(",").as_bytes(),
                &[scope.channels.bits(), attempt],
            ]);
            let mut code = [0; 10];
            code.copy_from_slice(&mac[..10]);
            let reference = Reference::from_random(code);
            let salt = random();
            let record = Record {
                sellers: scope.sellers().to_vec(),
                channels: scope.channels,
                created_at: at,
                effective_at: None,
                withdrawn_at: None,
                salt: BASE64.encode(&salt),
                sealed: BASE64.encode(&seal(
                    &self.code_key(&reference, salt).await?,
                    reference.locator().as_str().as_bytes(),
                    content.as_bytes(),
                )),
            };
            let locator = reference.locator();
            let body = serde_json::to_string(&record).map_err(|_| damaged())?;
            if self
                .store
                .create(Kind::Registration, locator.as_str(), body)
                .await?
            {
                return Ok((reference, record));
            }
            match self.open_record(&reference).await {
                // Taken back since: sent again, it is a new opt-out with a code of its own.
                Ok((record, _)) if record.withdrawn_at.is_some() => {}
                Ok((record, _)) => return Ok((reference, record)),
                Err(ServiceError::UnknownReference) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Changes a registration's record, whatever else changes it at the same time.
    pub(super) async fn update<T>(
        &self,
        locator: Locator,
        change: impl Fn(&mut Record) -> T,
    ) -> Result<T, ServiceError> {
        for _ in 0..ATTEMPTS {
            let id = locator.as_str();
            let document = self.store.get(Kind::Registration, id).await?;
            let document = document.ok_or(ServiceError::UnknownReference)?;
            let mut record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
            let changed = change(&mut record);
            let body = serde_json::to_string(&record).map_err(|_| damaged())?;
            let version = document.version;
            if self
                .store
                .replace(Kind::Registration, id, version, body)
                .await?
            {
                return Ok(changed);
            }
        }
        Err(ServiceError::Conflict)
    }

    pub(super) async fn open_record(
        &self,
        reference: &Reference,
    ) -> Result<(Record, Vec<PhoneNumber>), ServiceError> {
        let locator = reference.locator();
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let Some(document) = document else {
            // As much work as for a code that exists, so that time tells nothing.
            self.code_key(reference, [0; 16]).await?;
            return Err(ServiceError::UnknownReference);
        };
        let record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        let salt = BASE64
            .decode(record.salt.as_bytes())
            .map_err(|_| damaged())?;
        let salt = <[u8; 16]>::try_from(salt).map_err(|_| damaged())?;
        let sealed = BASE64
            .decode(record.sealed.as_bytes())
            .map_err(|_| damaged())?;
        let key = self.code_key(reference, salt).await?;
        let content = open(&key, locator.as_str().as_bytes(), &sealed)
            .map_err(|_| ServiceError::UnknownReference)?;
        let numbers = std::str::from_utf8(&content)
            .map_err(|_| damaged())?
            .lines()
            .map(|line| PhoneNumber::parse(line, None).map_err(|_| damaged()))
            .collect::<Result<_, _>>()?;
        Ok((record, numbers))
    }

    /// The key of a registration's box: from the code (stretched) and the master key, so that
    /// neither the store nor the operator opens it without the code.
    async fn code_key(
        &self,
        reference: &Reference,
        salt: [u8; 16],
    ) -> Result<SecretKey, ServiceError> {
        let stretched = self.hasher.stretch(reference.secret(), salt).await?;
        Ok(SecretKey::from_bytes(
            self.registration_key.mac(&[b"box", stretched.bytes()]),
        ))
    }
}

fn content(numbers: &[PhoneNumber]) -> String {
    let lines: Vec<&str> = numbers.iter().map(PhoneNumber::e164).collect();
    lines.join("\n")
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("a registration")
}
