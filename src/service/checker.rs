//! The short way of a check: on one thread, from the request to the store and back.

use std::sync::Arc;

use super::{Asked, CheckAuthorization, Service, ServiceError};
use crate::domain::{Moment, PhoneError, PhoneNumber};
use crate::store::{Gate, StoreError};

/// One thread's checks, with a gate of its own to the store.
#[derive(Debug)]
pub struct Checker {
    service: Arc<Service>,
    gate: Gate,
}

impl Checker {
    /// The checks of the thread that calls this.
    ///
    /// # Errors
    /// [`StoreError::Away`] when the store's address is not one.
    pub fn open(service: Arc<Service>) -> Result<Self, StoreError> {
        Ok(Self {
            gate: Gate::open(service.store.clone())?,
            service,
        })
    }

    /// Answers for one number, and records the answer.
    ///
    /// # Errors
    /// [`ServiceError`]; then nothing may be concluded about the number.
    pub async fn check(
        &self,
        authorization: &CheckAuthorization,
        number: Result<PhoneNumber, PhoneError>,
        reference: Option<&str>,
    ) -> Result<Asked, ServiceError> {
        self.service.room_for_entries()?;
        let at = Moment::now();
        let ask = self
            .service
            .ask(authorization, at, number.as_ref().ok(), reference)?;
        let pn = ask.pn();
        let decision = self.gate.decide(ask).await?;
        Ok(Asked::new(decision, number.err(), pn, at))
    }
}
