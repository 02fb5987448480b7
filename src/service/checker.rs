//! The short way of a check: what one thread keeps ready so that answering takes little.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Asked, Service, ServiceError, Snapshot, Standing};
use crate::domain::{Moment, PhoneError, PhoneNumber};
use crate::privacy::KeyedHash;
use crate::store::{Gate, StoreError};

/// How many standings are remembered. A change of the directory (a key revoked, a mandate ended)
/// forgets them all at once.
const REMEMBERED: usize = 4096;

/// One thread's checks: its gate to the store, and who may ask what.
#[derive(Debug)]
pub struct Checker {
    service: Arc<Service>,
    gate: Gate,
    names: KeyedHash,
    known: RefCell<Known>,
}

/// Standings under a keyed hash of the claim that they answer, so that memory holds no key.
#[derive(Debug, Default)]
struct Known {
    /// What the standings were found in.
    directory: Arc<Snapshot>,
    standings: HashMap<[u8; 32], Standing>,
}

/// What a request claims, in its own words: who asks, for whom, how.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The key.
    pub key: &'a str,
    /// The seller.
    pub seller: &'a str,
    /// The channel; empty when none is named.
    pub channel: &'a str,
    /// The campaign; empty when none is named.
    pub campaign: &'a str,
}

/// A claim by the name that it is remembered under.
#[derive(Debug, Clone, Copy)]
pub struct ClaimName([u8; 32]);

impl Checker {
    /// The checks of the thread that calls this.
    ///
    /// # Errors
    /// [`StoreError::Away`] when the store's address is not one.
    pub fn open(service: Arc<Service>) -> Result<Self, StoreError> {
        Ok(Self {
            gate: Gate::open(service.store.clone())?,
            names: KeyedHash::generate(),
            known: RefCell::default(),
            service,
        })
    }

    /// The name of a claim.
    #[must_use]
    pub fn name(&self, claim: &Claim<'_>) -> ClaimName {
        let Claim {
            key,
            seller,
            channel,
            campaign,
        } = claim;
        let parts = [key, seller, channel, campaign].map(|part| part.as_bytes());
        ClaimName(self.names.mac(&parts))
    }

    /// The standing that a claim was found to have lately, if nothing has changed since.
    ///
    /// # Errors
    /// [`ServiceError::Unconfirmed`].
    pub fn recall(&self, name: &ClaimName) -> Result<Option<Standing>, ServiceError> {
        let directory = self.service.directory.current()?;
        let mut known = self.known.borrow_mut();
        if !Arc::ptr_eq(&known.directory, &directory) {
            *known = Known {
                directory,
                standings: HashMap::new(),
            };
            return Ok(None);
        }
        Ok(known.standings.get(&name.0).cloned())
    }

    /// Remembers what a claim was found to have, if it was found in what is known now.
    pub fn remember(&self, name: ClaimName, standing: &Standing, found_in: &Arc<Snapshot>) {
        let mut known = self.known.borrow_mut();
        if !Arc::ptr_eq(&known.directory, found_in) {
            return;
        }
        if known.standings.len() >= REMEMBERED {
            known.standings.clear();
        }
        known.standings.insert(name.0, standing.clone());
    }

    /// Answers for one number, and records the answer.
    ///
    /// # Errors
    /// [`ServiceError`]; then nothing may be concluded about the number.
    pub async fn check(
        &self,
        standing: &Standing,
        number: Result<PhoneNumber, PhoneError>,
        reference: Option<&str>,
    ) -> Result<Asked, ServiceError> {
        self.service.room_for_entries()?;
        let at = Moment::now();
        let ask = self.service.ask(standing, at, number.ok(), reference)?;
        let pn = ask.pn();
        let decision = self.gate.decide(ask).await?;
        Ok(Asked::new(decision, number.err(), pn, at))
    }
}
