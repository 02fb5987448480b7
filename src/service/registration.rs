//! Opting out, and taking it back.

use std::collections::BTreeSet;
use std::sync::Arc;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Service, ServiceError, Snapshot};
use crate::domain::{
    AgencyId, Channels, Context, KeyId, Locator, Moment, Op, PhoneError, PhoneNumber, Principal,
    Reference, Region, Role, Scope, SellerId, SellerRef,
};
use crate::privacy::{SecretKey, open, random, seal};
use crate::store::{Action, Change, Kind, Listing, SellerNumber};

/// Who brings an opt-out.
#[derive(Debug, Clone, Copy)]
pub enum Registrant<'a> {
    /// A person, on the page. The same form sent twice is one registration: `form` is what the
    /// form's signed token carries.
    Person {
        /// Unguessable, one for each form that was shown.
        form: &'a [u8],
    },
    /// An agent or a company, for the person they speak with.
    Key(&'a Principal),
}

/// Which sellers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sellers {
    /// Every one, also those that join later.
    All,
    /// The chosen ones.
    Chosen(Vec<SellerId>),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The numbers as they were written.
    pub numbers: Vec<&'a str>,
    /// The country of numbers written without one.
    pub region: Option<Region>,
    /// For which sellers.
    pub sellers: Sellers,
    /// Calls, texts or both.
    pub channels: Channels,
}

/// A registration that holds.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The code that holds it.
    pub reference: Reference,
    /// From when on it holds: it already does.
    pub effective_at: Moment,
    /// How many different numbers it has.
    pub numbers: usize,
}

/// What the holder of the code sees.
#[derive(Debug, Clone)]
pub struct RegistrationView {
    /// The numbers.
    pub numbers: Vec<PhoneNumber>,
    /// The sellers.
    pub sellers: Sellers,
    /// Calls, texts or both.
    pub channels: Channels,
    /// Since when it holds.
    pub effective_at: Moment,
    /// When it was taken back, if it was.
    pub withdrawn_at: Option<Moment>,
}

/// A registration as the store keeps it: without its code nobody can read its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    sellers: Vec<SellerRef>,
    channels: Channels,
    created_at: Moment,
    /// When the index held it, on disk: from then on every check is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effective_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    withdrawn_at: Option<Moment>,
    salt: String,
    sealed: String,
}

/// How often something is tried again when somebody else was faster, or a code is taken.
const ATTEMPTS: u8 = 8;

impl Service {
    /// Registers an opt-out. When this returns, the very next check is refused.
    ///
    /// # Errors
    /// [`ServiceError`]. When a number cannot be read nothing is registered, and the error says
    /// which.
    pub async fn register(
        &self,
        who: Registrant<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Registered, ServiceError> {
        let directory = self.directory.current()?;
        let numbers = self.read_numbers(&wanted.numbers, wanted.region)?;
        let scope = scope(who, wanted, &directory)?;
        let seed = match who {
            Registrant::Person { form } => self.form_key.mac(&[b"registration", form]),
            Registrant::Key(_) => random(),
        };
        let at = Moment::now();
        let (reference, record) = self.keep(&seed, &numbers, &scope, at).await?;
        let changes = self.changes(
            Op::Register,
            who.key(),
            &numbers,
            &record,
            reference.locator(),
            &directory,
        )?;
        self.store.change(changes).await?;
        let effective_at = match record.effective_at {
            Some(at) => at,
            None => {
                let at = Moment::now();
                self.update(reference.locator(), |record| {
                    *record.effective_at.get_or_insert(at)
                })
                .await?
            }
        };
        Ok(Registered {
            reference,
            effective_at,
            numbers: numbers.len(),
        })
    }

    /// Reads the numbers of a registration, each once, in the order they were written.
    ///
    /// # Errors
    /// [`ServiceError::Numbers`] with every number that cannot be read.
    pub fn read_numbers(
        &self,
        texts: &[&str],
        region: Option<Region>,
    ) -> Result<Vec<PhoneNumber>, ServiceError> {
        if texts.is_empty() {
            return Err(ServiceError::NoNumbers);
        }
        if texts.len() > self.max_registration_numbers {
            return Err(ServiceError::TooManyNumbers(self.max_registration_numbers));
        }
        let mut numbers = Vec::with_capacity(texts.len());
        let mut errors: Vec<(usize, PhoneError)> = Vec::new();
        for (place, text) in texts.iter().enumerate() {
            match PhoneNumber::parse(text, region) {
                Ok(number) if numbers.contains(&number) => {}
                Ok(number) => numbers.push(number),
                Err(error) => errors.push((place, error)),
            }
        }
        if errors.is_empty() {
            Ok(numbers)
        } else {
            Err(ServiceError::Numbers(errors))
        }
    }

    /// Keeps the registration's record under a code of its own. The same seed with the same
    /// content finds the record of the first time.
    async fn keep(
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

    /// What the holder of a code may see.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn registration(
        &self,
        reference: &Reference,
    ) -> Result<RegistrationView, ServiceError> {
        let (record, numbers) = self.open_record(reference).await?;
        let mut chosen = Vec::new();
        for seller in record.sellers {
            match seller {
                SellerRef::One(seller) => chosen.push(seller),
                SellerRef::All => {}
            }
        }
        Ok(RegistrationView {
            numbers,
            sellers: if chosen.is_empty() {
                Sellers::All
            } else {
                Sellers::Chosen(chosen)
            },
            channels: record.channels,
            effective_at: record.effective_at.unwrap_or(record.created_at),
            withdrawn_at: record.withdrawn_at,
        })
    }

    /// Takes a registration back, and that one only: what others registered stays. Doing it twice
    /// is doing it once.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn withdraw(&self, reference: &Reference) -> Result<Moment, ServiceError> {
        let (record, numbers) = self.open_record(reference).await?;
        if let Some(at) = record.withdrawn_at {
            return Ok(at);
        }
        let directory = self.directory.current()?;
        let locator = reference.locator();
        let changes = self.changes(Op::Withdraw, None, &numbers, &record, locator, &directory)?;
        self.store.change(changes).await?;
        let at = Moment::now();
        self.update(locator, |record| *record.withdrawn_at.get_or_insert(at))
            .await
    }

    /// Changes a registration's record, whatever else changes it at the same time.
    async fn update<T>(
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

    async fn open_record(
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

    /// One change for each number and seller, each with an entry of its own.
    fn changes(
        &self,
        op: Op,
        by: Option<&Principal>,
        numbers: &[PhoneNumber],
        record: &Record,
        registration: Locator,
        directory: &Snapshot,
    ) -> Result<Vec<Change>, ServiceError> {
        let at = Moment::now();
        let mut changes = Vec::with_capacity(numbers.len() * record.sellers.len());
        for seller in &record.sellers {
            let number = match seller {
                SellerRef::All => SellerNumber::ALL,
                SellerRef::One(id) => directory
                    .sellers
                    .get(id)
                    .ok_or(ServiceError::UnknownSeller)?
                    .number()?,
            };
            let context = Arc::new(Context {
                op,
                agency: by.and_then(agency),
                seller: Some(seller.clone()),
                key: by.map(|who| KeyId::clone(&who.key)),
                campaign: None,
                channels: Some(record.channels),
                detail: None,
            });
            for phone in numbers {
                let (subject, pn) = self.pseudonyms(phone, at)?;
                let listing = Listing {
                    subject,
                    registration,
                    seller: number,
                };
                changes.push(Change {
                    at,
                    context: context.clone(),
                    pn: Some(pn),
                    action: match op {
                        Op::Withdraw => Action::Remove(listing),
                        _ => Action::Put(listing, record.channels),
                    },
                });
            }
        }
        Ok(changes)
    }
}

impl<'a> Registrant<'a> {
    fn key(self) -> Option<&'a Principal> {
        match self {
            Self::Person { .. } => None,
            Self::Key(principal) => Some(principal),
        }
    }
}

fn agency(who: &Principal) -> Option<AgencyId> {
    match &who.role {
        Role::Dialler { agency } => Some(agency.clone()),
        _ => None,
    }
}

/// What may be registered by whom: a person anything; an agency what its mandates cover, or all;
/// a seller itself, or all.
fn scope(
    who: Registrant<'_>,
    wanted: &Wanted<'_>,
    directory: &Snapshot,
) -> Result<Scope, ServiceError> {
    let role = who.key().map(|principal| &principal.role);
    if matches!(role, Some(Role::Regulator | Role::Operator)) {
        return Err(ServiceError::WrongRole("dialler or seller"));
    }
    let Sellers::Chosen(chosen) = &wanted.sellers else {
        return Ok(Scope::all(wanted.channels));
    };
    let mandates = match role {
        None => None,
        Some(Role::Dialler { agency }) => Some(
            directory
                .agencies
                .get(agency)
                .map(|agency| agency.sellers.clone())
                .unwrap_or_default(),
        ),
        Some(Role::Seller { seller }) => Some(BTreeSet::from([seller.clone()])),
        Some(Role::Regulator | Role::Operator) => Some(BTreeSet::new()),
    };
    for seller in chosen {
        if !directory.sellers.contains_key(seller) {
            return Err(ServiceError::UnknownSeller);
        }
        if mandates
            .as_ref()
            .is_some_and(|mandates| !mandates.contains(seller))
        {
            return Err(ServiceError::NoMandate);
        }
    }
    Scope::chosen(chosen.iter().cloned(), wanted.channels).ok_or(ServiceError::Contradiction(
        "the list of sellers is empty: name at least one, or \"all\"",
    ))
}

fn content(numbers: &[PhoneNumber]) -> String {
    let lines: Vec<&str> = numbers.iter().map(PhoneNumber::e164).collect();
    lines.join("\n")
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("a registration")
}
