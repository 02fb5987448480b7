//! A registration as the store keeps it: without its code nobody can read its numbers.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::domain::{Channels, Locator, Moment, PhoneNumber, Reference, Scope, SellerRef};
use crate::privacy::{SecretKey, open, random, seal};
use crate::service::{Service, ServiceError};
use crate::store::Kind;

/// A registration as the store keeps it: without its code nobody can read its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::service) struct Record {
    pub sellers: Vec<SellerRef>,
    pub channels: Channels,
    pub created_at: Moment,
    /// When the index held it, on disk: from then on every check is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Moment>,
    /// When its holder took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Moment>,
    /// Whether the index has let go of it since. Until then checks are still refused.
    #[serde(default)]
    pub released: bool,
    /// How often its proof was asked for by e-mail.
    #[serde(default)]
    letters: u8,
    salt: String,
    sealed: String,
}

/// A reference code whose work is done: it was stretched once and opens its registration from now
/// on without more. As secret as the code.
#[derive(Debug, Clone)]
pub struct Access {
    reference: Reference,
    key: SecretKey,
}

impl Access {
    /// Puts together what [`Access::reference`] and [`Access::key`] gave.
    #[must_use]
    pub fn from_parts(reference: Reference, key: SecretKey) -> Self {
        Self { reference, key }
    }

    /// The code.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// What the code was stretched to.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }
}

/// How often something is tried again when somebody else was faster, or a code is taken.
pub(super) const ATTEMPTS: u8 = 8;

impl Service {
    /// Keeps the registration's record under a code of its own. The same seed with the same
    /// content finds the record of the first time.
    pub(super) async fn keep(
        &self,
        seed: &[u8; 32],
        numbers: &[PhoneNumber],
        scope: &Scope,
        at: Moment,
    ) -> Result<(Access, Record), ServiceError> {
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
            let (access, record) = self.seal_record(reference, &content, scope, at).await?;
            let locator = access.reference.locator();
            let body = serde_json::to_string(&record).map_err(|_| damaged())?;
            let id = locator.as_str();
            if self.store.create(Kind::Registration, id, body).await? {
                return Ok((access, record));
            }
            match self.access(&access.reference).await {
                Ok(access) => {
                    let (record, _) = self.open_record(&access).await?;
                    // Taken back since: sent again, it is a new opt-out with a code of its own.
                    if record.withdrawn_at.is_none() {
                        return Ok((access, record));
                    }
                }
                Err(ServiceError::UnknownReference) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn seal_record(
        &self,
        reference: Reference,
        content: &str,
        scope: &Scope,
        at: Moment,
    ) -> Result<(Access, Record), ServiceError> {
        let salt = random();
        let key = self.code_key(&reference, salt).await?;
        let about = reference.locator();
        let sealed = seal(&key, about.as_str().as_bytes(), content.as_bytes());
        let record = Record {
            sellers: scope.sellers().to_vec(),
            channels: scope.channels,
            created_at: at,
            effective_at: None,
            withdrawn_at: None,
            released: false,
            letters: 0,
            salt: BASE64.encode(&salt),
            sealed: BASE64.encode(&sealed),
        };
        Ok((Access { reference, key }, record))
    }

    /// Does a code's work, and makes sure that it opens a registration.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn access(&self, reference: &Reference) -> Result<Access, ServiceError> {
        let locator = reference.locator();
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let Some(document) = document else {
            // It may be the code of a report; if not, that takes as much work as an opt-out's.
            return self.case_access(reference).await;
        };
        let record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        let salt = BASE64
            .decode(record.salt.as_bytes())
            .map_err(|_| damaged())?;
        let salt = <[u8; 16]>::try_from(salt).map_err(|_| damaged())?;
        let access = Access {
            reference: reference.clone(),
            key: self.code_key(reference, salt).await?,
        };
        numbers_of(&record, &access).map(|_| access)
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

    /// Counts a letter with the proof of a registration; false if there may be no more.
    pub(in crate::service) async fn count_proof(
        &self,
        locator: Locator,
        most: u8,
    ) -> Result<bool, ServiceError> {
        self.update(locator, |record| {
            let may = record.letters < most;
            record.letters += u8::from(may);
            may
        })
        .await
    }

    /// Whether a registration was taken back, or is no more.
    pub(in crate::service) async fn is_taken_back(
        &self,
        locator: Locator,
    ) -> Result<bool, ServiceError> {
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let Some(document) = document else {
            return Ok(true);
        };
        let record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        Ok(record.withdrawn_at.is_some())
    }

    pub(in crate::service) async fn open_record(
        &self,
        access: &Access,
    ) -> Result<(Record, Vec<PhoneNumber>), ServiceError> {
        let locator = access.reference.locator();
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let document = document.ok_or(ServiceError::UnknownReference)?;
        let record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        let numbers = numbers_of(&record, access)?;
        Ok((record, numbers))
    }

    /// The key of a registration's box: from the code (stretched) and the master key, so that
    /// neither the store nor the operator opens it without the code.
    pub(in crate::service) async fn code_key(
        &self,
        reference: &Reference,
        salt: [u8; 16],
    ) -> Result<SecretKey, ServiceError> {
        let stretched = self.code_hasher.stretch(reference.secret(), salt).await?;
        Ok(SecretKey::from_bytes(
            self.registration_key.mac(&[b"box", stretched.bytes()]),
        ))
    }
}

/// Opens a record's box.
fn numbers_of(record: &Record, access: &Access) -> Result<Vec<PhoneNumber>, ServiceError> {
    let sealed = BASE64
        .decode(record.sealed.as_bytes())
        .map_err(|_| damaged())?;
    let about = access.reference.locator();
    let content = open(&access.key, about.as_str().as_bytes(), &sealed)
        .map_err(|_| ServiceError::UnknownReference)?;
    std::str::from_utf8(&content)
        .map_err(|_| damaged())?
        .lines()
        .map(|line| PhoneNumber::parse(line, None).map_err(|_| damaged()))
        .collect()
}

fn content(numbers: &[PhoneNumber]) -> String {
    let lines: Vec<&str> = numbers.iter().map(PhoneNumber::e164).collect();
    lines.join("\n")
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("a registration")
}
