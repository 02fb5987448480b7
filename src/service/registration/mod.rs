//! Opting out, and taking it back.

mod record;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::reason::reason;
use super::{Service, ServiceError, Snapshot};
use crate::domain::{
    AgencyId, Channels, Context, Detail, KeyId, Locator, Moment, Op, PhoneError, PhoneNumber,
    Principal, Region, Role, Scope, SellerId, SellerRef,
};
use crate::privacy::random;
use crate::store::{Action, Change, Listing, SellerNumber};
use record::{ATTEMPTS, Record};

pub use record::Access;

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
    Key {
        /// Who.
        who: &'a Principal,
        /// Their own name for it: the same one with the same content is one registration.
        reference: Option<&'a str>,
    },
    /// The operator, for a person who cannot use the page.
    Operator {
        /// Who.
        who: &'a Principal,
        /// Why, in the operator's words. It stays on record with every entry of the registration.
        reason: &'a str,
        /// What makes it the same one when it is sent again, with the same content.
        again: Option<&'a [u8]>,
    },
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
    pub access: Access,
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
        let acting = who.acting()?;
        let seed = match who {
            Registrant::Person { form } => self.form_key.mac(&[b"registration", form]),
            Registrant::Key {
                reference: None, ..
            }
            | Registrant::Operator { again: None, .. } => random(),
            Registrant::Operator {
                who,
                again: Some(again),
                ..
            } => self
                .form_key
                .mac(&[b"on behalf", who.key.as_str().as_bytes(), again]),
            Registrant::Key {
                who,
                reference: Some(reference),
            } => {
                let client = match &who.role {
                    Role::Dialler { agency } => agency.as_str(),
                    Role::Seller { seller } => seller.as_str(),
                    Role::Regulator | Role::Operator => "",
                };
                let parts = [who.role.name(), client, reference].map(str::as_bytes);
                self.form_key
                    .mac(&[&[b"by key".as_slice()], &parts[..]].concat())
            }
        };
        for _ in 0..ATTEMPTS {
            let (access, record) = self.keep(&seed, &numbers, &scope, Moment::now()).await?;
            let locator = access.reference().locator();
            let changes = self.changes(
                Op::Register,
                &acting,
                &numbers,
                &record,
                locator,
                &directory,
            )?;
            self.store.change(changes).await?;
            let now = Moment::now();
            let effective_at = self
                .update(locator, |record| match record.withdrawn_at {
                    Some(_) => None,
                    None => Some(*record.effective_at.get_or_insert(now)),
                })
                .await?;
            if let Some(effective_at) = effective_at {
                return Ok(Registered {
                    access,
                    effective_at,
                    numbers: numbers.len(),
                });
            }
            // It was taken back while this was under way: what was put must not stay behind, and
            // the opt-out takes the next code.
            self.release(&access).await?;
        }
        Err(ServiceError::Conflict)
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

    /// What the holder of a code may see.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn registration(&self, access: &Access) -> Result<RegistrationView, ServiceError> {
        let (record, numbers) = self.open_record(access).await?;
        if record.withdrawn_at.is_some() && !record.released {
            // A withdrawal that broke off half-way is finished before it is shown as done.
            self.release(access).await?;
        }
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
    /// is doing it once, and mends a first time that broke off.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn withdraw(&self, access: &Access) -> Result<Moment, ServiceError> {
        // The record first: if this breaks off here, checks are still refused, which harms nobody.
        // The other way round the person would be told that an opt-out holds that does not.
        let (locator, now) = (access.reference().locator(), Moment::now());
        let at = self
            .update(locator, |record| *record.withdrawn_at.get_or_insert(now))
            .await?;
        self.release(access).await?;
        Ok(at)
    }

    /// Makes the index let go of a registration. Doing it again changes and records nothing.
    async fn release(&self, access: &Access) -> Result<(), ServiceError> {
        let directory = self.directory.current()?;
        let (record, numbers) = self.open_record(access).await?;
        let locator = access.reference().locator();
        let changes = self.changes(
            Op::Withdraw,
            &Acting::default(),
            &numbers,
            &record,
            locator,
            &directory,
        )?;
        self.store.change(changes).await?;
        if !record.released {
            self.update(locator, |record| record.released = true)
                .await?;
        }
        Ok(())
    }

    /// One change for each number and seller, each with an entry of its own.
    fn changes(
        &self,
        op: Op,
        acting: &Acting<'_>,
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
                agency: acting.by.and_then(agency),
                seller: Some(seller.clone()),
                key: acting.by.map(|who| KeyId::clone(&who.key)),
                campaign: None,
                channels: Some(record.channels),
                detail: acting.detail.clone(),
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
            Self::Key { who, .. } | Self::Operator { who, .. } => Some(who),
        }
    }

    /// What its entries say of it.
    fn acting(self) -> Result<Acting<'a>, ServiceError> {
        let detail = match self {
            Self::Person { .. } | Self::Key { .. } => None,
            Self::Operator { reason: text, .. } => Some(Detail::OnBehalf {
                note: reason(text)?.to_owned(),
            }),
        };
        Ok(Acting {
            by: self.key(),
            detail,
        })
    }
}

/// Who acts, and what else an entry says of it.
#[derive(Debug, Default)]
struct Acting<'a> {
    by: Option<&'a Principal>,
    detail: Option<Detail>,
}

fn agency(who: &Principal) -> Option<AgencyId> {
    match &who.role {
        Role::Dialler { agency } => Some(agency.clone()),
        _ => None,
    }
}

/// What may be registered by whom: a person anything, and the operator for a person; an agency what
/// its mandates cover, or all; a seller itself, or all.
fn scope(
    who: Registrant<'_>,
    wanted: &Wanted<'_>,
    directory: &Snapshot,
) -> Result<Scope, ServiceError> {
    let role = match who {
        Registrant::Person { .. } => None,
        Registrant::Key { who, .. } => Some(&who.role),
        Registrant::Operator { who, .. } if who.role == Role::Operator => None,
        Registrant::Operator { .. } => return Err(ServiceError::WrongRole("operator")),
    };
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
