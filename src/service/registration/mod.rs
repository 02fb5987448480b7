//! Opting out, and taking it back.

mod change;
mod held;
#[cfg(test)]
mod histories;
mod history;
mod known;
mod proof;
mod record;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeSet;

use super::reason::reason;
use super::{Service, ServiceError, Snapshot};
use crate::domain::{
    Channels, Detail, MOST_SELLERS, Moment, Notation, PhoneError, PhoneNumber, Principal, Role,
    Scope, SellerId, SellerRef,
};
use crate::privacy::random;
use record::{ATTEMPTS, Opened};

pub use change::{Amended, Amendment};
pub use history::{Deed, Event};
pub use proof::REGISTRATION;
pub use record::Access;
pub(super) use work::DoneWork;

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
    /// How they were written.
    pub notation: Notation,
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
    /// Until when the withdrawal can be undone, if it can.
    pub undo_until: Option<Moment>,
    /// Numbers that came in later, and since when they hold.
    pub added_numbers: Vec<(PhoneNumber, Moment)>,
    /// Sellers that came in later, and since when it holds for them.
    pub added_sellers: Vec<(SellerId, Moment)>,
    /// What was done with it, the oldest first.
    pub history: Vec<Event>,
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
        let numbers = self.read_numbers(&wanted.numbers, wanted.notation)?;
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
            let (access, record) = self.keep(&seed, &numbers, &scope, &acting).await?;
            match (record.effective_at, record.withdrawn_at) {
                (Some(effective_at), None) => {
                    return Ok(Registered {
                        access,
                        effective_at,
                        numbers: numbers.len(),
                    });
                }
                // It was taken back while this was under way: the opt-out takes the next code.
                _ => continue,
            }
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
        notation: Notation,
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
            match PhoneNumber::parse(text, notation) {
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
        // What broke off half-way is finished before it is shown as done.
        let acting = Acting::default();
        let Opened { record, held, .. } = self.settle(access, &acting).await?;
        let mut chosen = Vec::new();
        for seller in &record.sellers {
            match seller {
                SellerRef::One(seller) => chosen.push(seller.clone()),
                SellerRef::All => {}
            }
        }
        let now = Moment::now();
        let added_numbers = held
            .iter()
            .filter_map(|held| Some((held.number, held.added?.since?)));
        let added_sellers = record.joined.iter().filter_map(|joined| {
            let SellerRef::One(seller) = &joined.seller else {
                return None;
            };
            Some((seller.clone(), joined.added.since?))
        });
        Ok(RegistrationView {
            numbers: held.iter().map(|held| held.number).collect(),
            sellers: if chosen.is_empty() {
                Sellers::All
            } else {
                Sellers::Chosen(chosen)
            },
            channels: record.channels,
            effective_at: record.effective_at.unwrap_or(record.created_at),
            withdrawn_at: record.withdrawn_at,
            undo_until: record
                .withdrawn_at
                .map(|_| self.undo_until(&record))
                .filter(|until| now < *until),
            added_numbers: added_numbers.collect(),
            added_sellers: added_sellers.collect(),
            history: record.told(),
        })
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
    let scope = Scope::chosen(chosen.iter().cloned(), wanted.channels);
    let scope = scope.ok_or(ServiceError::Contradiction(
        "the list of sellers is empty: name at least one, or \"all\"",
    ))?;
    if scope.sellers().len() > MOST_SELLERS {
        return Err(ServiceError::TooManySellers(MOST_SELLERS));
    }
    Ok(scope)
}
