//! Changing a registration with its code: numbers and companies come and go, and a withdrawal can
//! be undone for a while.
//!
//! Every change goes the same way: first the record says what is wanted, then the index is brought
//! to that (see `work`). What breaks off in between is finished by whichever process looks next.
//! Until a listing is removed, checks are still refused, which harms nobody; and nothing is ever
//! shown as holding before it does.

use super::held::{Added, Held};
use super::history::{Deed, Event};
use super::record::{Access, Joined, Record};
use super::{Service, ServiceError};
use crate::domain::{MOST_SELLERS, Moment, PhoneNumber, SellerId, SellerRef};

/// A change to a registration.
#[derive(Debug, Clone)]
pub enum Amendment {
    /// One more number.
    AddNumber(PhoneNumber),
    /// A number less.
    RemoveNumber(PhoneNumber),
    /// One more company, where companies were chosen.
    AddSeller(SellerId),
    /// A company less, where companies were chosen.
    RemoveSeller(SellerId),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amended {
    /// It holds from now on.
    Done,
    /// It was so already.
    Already,
    /// It was the last number or company: the registration is withdrawn.
    Withdrawn,
}

impl Service {
    /// Changes a registration. When this returns, the very next check knows.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code;
    /// [`ServiceError::Withdrawn`]; [`ServiceError::TooManyNumbers`];
    /// [`ServiceError::TooManySellers`]; [`ServiceError::UnknownSeller`]; [`ServiceError::Contradiction`] when a company is to be
    /// added to all of them.
    pub async fn amend(
        &self,
        access: &Access,
        amendment: &Amendment,
    ) -> Result<Amended, ServiceError> {
        if let Amendment::AddSeller(seller) = amendment {
            let directory = self.directory.current()?;
            if !directory.sellers.contains_key(seller) {
                return Err(ServiceError::UnknownSeller);
            }
        }
        let (at, max) = (Moment::now(), self.max_registration_numbers);
        let (amended, _) = self
            .rewrite(access, |record, held| {
                record.amend(held, amendment, at, max)
            })
            .await?;
        if amended == Amended::Withdrawn {
            self.let_go_of_address(access).await;
        }
        Ok(amended)
    }

    /// Takes a registration back, and that one only: what others registered stays. Doing it twice
    /// is doing it once, and mends a first time that broke off.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn withdraw(&self, access: &Access) -> Result<Moment, ServiceError> {
        // The record first: if this breaks off here, checks are still refused, which harms nobody.
        // The other way round the person would be told that an opt-out holds that does not.
        let now = Moment::now();
        let (at, _) = self
            .rewrite(access, |record, _| Ok(record.withdraw(now)))
            .await?;
        self.let_go_of_address(access).await;
        Ok(at)
    }

    /// The address of somebody who withdrew is of no use any more.
    async fn let_go_of_address(&self, access: &Access) {
        if let Err(error) = self.forget_address(access.reference().locator()).await {
            // It goes, unsent, when its letter is due.
            tracing::warn!(%error, "an address is not deleted yet");
        }
    }

    /// Undoes a withdrawal: the same listings are back under the same code, from now on. Says since
    /// when it holds again. Of what is not withdrawn nothing changes.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code;
    /// [`ServiceError::TooLate`] when the withdrawal can no longer be undone.
    pub async fn take_up(&self, access: &Access) -> Result<Moment, ServiceError> {
        let now = Moment::now();
        let ((), record) = self
            .rewrite(access, |record, _| {
                record.take_up(now, now < self.undo_until(record))
            })
            .await?;
        record.effective_at.ok_or(ServiceError::Conflict)
    }

    /// Until when a withdrawal can be undone.
    pub(super) fn undo_until(&self, record: &Record) -> Moment {
        let withdrawn = record.withdrawn_at.unwrap_or(record.created_at);
        withdrawn.plus(self.undo)
    }
}

impl Record {
    /// Takes a change down, to be settled.
    pub(super) fn amend(
        &mut self,
        held: &mut Vec<Held>,
        amendment: &Amendment,
        at: Moment,
        max_numbers: usize,
    ) -> Result<Amended, ServiceError> {
        if self.withdrawn_at.is_some() {
            return Err(ServiceError::Withdrawn);
        }
        let staying = held.iter().filter(|held| !held.leaving).count();
        match amendment {
            Amendment::AddNumber(number) => {
                let known = held.iter().position(|held| held.number == *number);
                if known.is_some_and(|place| !held[place].leaving) {
                    return Ok(Amended::Already);
                }
                if staying >= max_numbers {
                    return Err(ServiceError::TooManyNumbers(max_numbers));
                }
                if let Some(place) = known {
                    held.remove(place);
                }
                held.push(Held {
                    added: Some(Added::asked(at)),
                    ..Held::new(*number)
                });
                self.begin(Event::new(at, Deed::NumberAdded));
            }
            Amendment::RemoveNumber(number) => {
                let mut known = held.iter_mut();
                let known = known.find(|held| held.number == *number && !held.leaving);
                let Some(known) = known else {
                    return Ok(Amended::Already);
                };
                if staying == 1 {
                    self.withdraw(at);
                    return Ok(Amended::Withdrawn);
                }
                known.leaving = true;
                self.begin(Event::new(at, Deed::NumberRemoved));
            }
            Amendment::AddSeller(id) => {
                let seller = SellerRef::One(id.clone());
                if self.sellers.contains(&SellerRef::All) {
                    return Err(ServiceError::Contradiction(
                        "it is an opt-out from all sellers, also those that join later",
                    ));
                }
                if self.sellers.contains(&seller) {
                    return Ok(Amended::Already);
                }
                if self.sellers.len() >= MOST_SELLERS {
                    return Err(ServiceError::TooManySellers(MOST_SELLERS));
                }
                self.leaving.retain(|leaving| *leaving != seller);
                self.joined.push(Joined {
                    seller: seller.clone(),
                    added: Added::asked(at),
                });
                self.sellers.push(seller);
                self.sellers.sort();
                self.begin(Event::new(at, Deed::CompanyAdded).about(id));
            }
            Amendment::RemoveSeller(id) => {
                let seller = SellerRef::One(id.clone());
                if !self.sellers.contains(&seller) {
                    return Ok(Amended::Already);
                }
                if self.sellers.len() == 1 {
                    self.withdraw(at);
                    return Ok(Amended::Withdrawn);
                }
                self.sellers.retain(|other| *other != seller);
                self.joined.retain(|joined| joined.seller != seller);
                self.leaving.push(seller);
                self.begin(Event::new(at, Deed::CompanyRemoved).about(id));
            }
        }
        Ok(Amended::Done)
    }

    fn begin(&mut self, event: Event) {
        self.tell(event.pending());
        self.version += 1;
    }

    /// Says when it was withdrawn, now or before.
    pub(super) fn withdraw(&mut self, at: Moment) -> Moment {
        if let Some(before) = self.withdrawn_at {
            return before;
        }
        self.tell(Event::new(at, Deed::Withdrawn));
        self.withdrawn_at = Some(at);
        self.version += 1;
        at
    }

    fn take_up(&mut self, at: Moment, in_time: bool) -> Result<(), ServiceError> {
        if self.withdrawn_at.is_none() {
            return Ok(());
        }
        if !in_time {
            return Err(ServiceError::TooLate);
        }
        self.begin(Event::new(at, Deed::TakenUp));
        self.withdrawn_at = None;
        // There was a gap: it holds from the moment at which the index has it again.
        self.effective_at = None;
        self.taken_up_at = Some(at);
        Ok(())
    }
}
