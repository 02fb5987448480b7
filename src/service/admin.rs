//! Keeping sellers, agencies and keys.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::directory::{Agency, KeyRecord, Seller};
use super::{Service, ServiceError};
use crate::domain::{AgencyId, Context, Detail, KeyId, Moment, Op, Principal, Role, SellerId};
use crate::privacy::ApiKey;
use crate::store::{Kind, SellerNumber};

/// A seller as the operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct SellerView {
    /// Its id.
    pub id: SellerId,
    /// Its name, for people.
    pub name: String,
    /// Since when it is here.
    pub created_at: Moment,
}

/// An agency as the operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct AgencyView {
    /// Its id.
    pub id: AgencyId,
    /// Its name, for people.
    pub name: String,
    /// The sellers it dials for.
    pub sellers: BTreeSet<SellerId>,
    /// Since when it is here.
    pub created_at: Moment,
}

/// A key as the operator sees it: never the key itself.
#[derive(Debug, Clone, Serialize)]
pub struct KeyView {
    /// Its id: the part of the key between its second and third underscore.
    pub id: KeyId,
    /// What it lets its holder do.
    #[serde(flatten)]
    pub role: Role,
    /// When it was made.
    pub created_at: Moment,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Moment>,
}

/// A key that was just made: the one time that it is shown.
#[derive(Debug)]
pub struct NewKey {
    /// The whole key.
    pub key: ApiKey,
    /// What is kept of it.
    pub view: KeyView,
}

const SELLER_COUNTER: &str = "seller";

impl Service {
    /// Takes a seller in.
    ///
    /// # Errors
    /// [`ServiceError::Taken`] when there is one of this id.
    pub async fn add_seller(&self, id: SellerId, name: String) -> Result<SellerView, ServiceError> {
        if self.store.get(Kind::Seller, id.as_str()).await?.is_some() {
            return Err(ServiceError::Taken);
        }
        let seller = Seller::new(name, self.next_seller_number().await?);
        self.create(Kind::Seller, id.as_str(), &seller).await?;
        Ok(SellerView {
            id,
            name: seller.name,
            created_at: seller.created_at,
        })
    }

    /// Every seller, by id.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn sellers(&self) -> Result<Vec<SellerView>, ServiceError> {
        self.directory.renew().await?;
        let known = self.directory.known();
        let mut all: Vec<_> = known
            .sellers
            .iter()
            .map(|(id, seller)| SellerView {
                id: id.clone(),
                name: seller.name.clone(),
                created_at: seller.created_at,
            })
            .collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// Takes an agency in, with the sellers it dials for.
    ///
    /// # Errors
    /// [`ServiceError::Taken`] when there is one of this id, [`ServiceError::UnknownSeller`].
    pub async fn add_agency(
        &self,
        id: AgencyId,
        name: String,
        sellers: BTreeSet<SellerId>,
    ) -> Result<AgencyView, ServiceError> {
        self.must_exist(&sellers).await?;
        let agency = Agency {
            name,
            sellers,
            created_at: Moment::now(),
        };
        self.create(Kind::Agency, id.as_str(), &agency).await?;
        Ok(agency_view(id, agency))
    }

    /// Changes an agency's name or mandates.
    ///
    /// # Errors
    /// [`ServiceError::UnknownAgency`], [`ServiceError::UnknownSeller`], [`ServiceError::Conflict`].
    pub async fn change_agency(
        &self,
        id: AgencyId,
        name: Option<String>,
        sellers: Option<BTreeSet<SellerId>>,
    ) -> Result<AgencyView, ServiceError> {
        if let Some(sellers) = &sellers {
            self.must_exist(sellers).await?;
        }
        let (mut agency, version): (Agency, u64) = self
            .read(Kind::Agency, id.as_str())
            .await?
            .ok_or(ServiceError::UnknownAgency)?;
        agency.name = name.unwrap_or(agency.name);
        agency.sellers = sellers.unwrap_or(agency.sellers);
        self.replace(Kind::Agency, id.as_str(), version, &agency)
            .await?;
        Ok(agency_view(id, agency))
    }

    /// Every agency, by id.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn agencies(&self) -> Result<Vec<AgencyView>, ServiceError> {
        self.directory.renew().await?;
        let known = self.directory.known();
        let mut all: Vec<_> = known
            .agencies
            .iter()
            .map(|(id, agency)| agency_view(id.clone(), agency.clone()))
            .collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// Makes a key for a role. This is the one time that it can be shown.
    ///
    /// # Errors
    /// [`ServiceError::UnknownAgency`], [`ServiceError::UnknownSeller`].
    pub async fn create_key(
        &self,
        by: Option<&Principal>,
        role: Role,
    ) -> Result<NewKey, ServiceError> {
        self.keep_key(by, role, ApiKey::generate()).await
    }

    /// Takes a key into use.
    pub(super) async fn keep_key(
        &self,
        by: Option<&Principal>,
        role: Role,
        key: ApiKey,
    ) -> Result<NewKey, ServiceError> {
        self.directory.renew().await?;
        let known = self.directory.known();
        match &role {
            Role::Dialler { agency } if !known.agencies.contains_key(agency) => {
                return Err(ServiceError::UnknownAgency);
            }
            Role::Seller { seller } if !known.sellers.contains_key(seller) => {
                return Err(ServiceError::UnknownSeller);
            }
            _ => {}
        }
        let record = KeyRecord {
            role,
            hash: key.hash(&self.key_hasher),
            created_at: Moment::now(),
            revoked_at: None,
        };
        self.note(
            by,
            |role| Detail::KeyCreated {
                subject: key.id().clone(),
                role,
            },
            &record.role,
        )
        .await?;
        self.create(Kind::Key, key.id().as_str(), &record).await?;
        Ok(NewKey {
            view: key_view(key.id().clone(), record),
            key,
        })
    }

    /// Every key, oldest first.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn keys(&self) -> Result<Vec<KeyView>, ServiceError> {
        self.directory.renew().await?;
        let known = self.directory.known();
        let mut all: Vec<_> = known
            .keys
            .iter()
            .map(|(id, record)| key_view(id.clone(), record.clone()))
            .collect();
        all.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(all)
    }

    /// Revokes a key: within five seconds nobody can use it anywhere. Doing it twice is doing it
    /// once.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchKey`], [`ServiceError::Conflict`].
    pub async fn revoke_key(
        &self,
        by: Option<&Principal>,
        id: &KeyId,
    ) -> Result<Moment, ServiceError> {
        let (mut record, version): (KeyRecord, u64) = self
            .read(Kind::Key, id.as_str())
            .await?
            .ok_or(ServiceError::NoSuchKey)?;
        if let Some(at) = record.revoked_at {
            return Ok(at);
        }
        let at = Moment::now();
        record.revoked_at = Some(at);
        // On record first: a revocation that nobody can read of must not happen.
        let subject = id.clone();
        self.note(by, |_| Detail::KeyRevoked { subject }, &record.role)
            .await?;
        self.replace(Kind::Key, id.as_str(), version, &record)
            .await?;
        Ok(at)
    }

    /// Records an act on a key.
    async fn note(
        &self,
        by: Option<&Principal>,
        detail: impl FnOnce(String) -> Detail,
        role: &Role,
    ) -> Result<(), ServiceError> {
        let context = Context::of_service(Op::Key, detail(role.name().to_owned()));
        let context = context.by(by.map(|who| &who.key));
        Ok(self.store.note(context).await?)
    }

    async fn must_exist(&self, sellers: &BTreeSet<SellerId>) -> Result<(), ServiceError> {
        self.directory.renew().await?;
        let known = self.directory.known();
        if sellers
            .iter()
            .all(|seller| known.sellers.contains_key(seller))
        {
            Ok(())
        } else {
            Err(ServiceError::UnknownSeller)
        }
    }

    /// Takes the next number for a seller: each is given once, also when its seller never comes.
    async fn next_seller_number(&self) -> Result<SellerNumber, ServiceError> {
        loop {
            let found: Option<(u32, u64)> = self.read(Kind::Counter, SELLER_COUNTER).await?;
            let (last, version) = match found {
                Some((last, version)) => (last, Some(version)),
                None => (0, None),
            };
            let next = SellerNumber::new(last + 1).ok_or(ServiceError::Contradiction(
                "no more sellers can be taken in",
            ))?;
            let body = next.get().to_string();
            let put = match version {
                Some(version) => {
                    self.store
                        .replace(Kind::Counter, SELLER_COUNTER, version, body)
                        .await?
                }
                None => {
                    self.store
                        .create(Kind::Counter, SELLER_COUNTER, body)
                        .await?
                }
            };
            if put {
                return Ok(next);
            }
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Option<(T, u64)>, ServiceError> {
        let Some(document) = self.store.get(kind, id).await? else {
            return Ok(None);
        };
        let record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        Ok(Some((record, document.version)))
    }

    async fn create(
        &self,
        kind: Kind,
        id: &str,
        record: &impl Serialize,
    ) -> Result<(), ServiceError> {
        let body = serde_json::to_string(record).map_err(|_| damaged())?;
        if !self.store.create(kind, id, body).await? {
            return Err(ServiceError::Taken);
        }
        self.directory.renew().await
    }

    async fn replace(
        &self,
        kind: Kind,
        id: &str,
        version: u64,
        record: &impl Serialize,
    ) -> Result<(), ServiceError> {
        let body = serde_json::to_string(record).map_err(|_| damaged())?;
        if !self.store.replace(kind, id, version, body).await? {
            return Err(ServiceError::Conflict);
        }
        self.directory.renew().await
    }
}

fn agency_view(id: AgencyId, agency: Agency) -> AgencyView {
    AgencyView {
        id,
        name: agency.name,
        sellers: agency.sellers,
        created_at: agency.created_at,
    }
}

fn key_view(id: KeyId, record: KeyRecord) -> KeyView {
    KeyView {
        id,
        role: record.role,
        created_at: record.created_at,
        revoked_at: record.revoked_at,
    }
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("a record of a seller, an agency or a key")
}
