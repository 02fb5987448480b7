//! How long an address is kept.

use std::time::Duration;

use super::record::{Envelope, Letter, Subject, damaged};
use super::{ATTEMPTS, MailAddress};
use crate::domain::{Locator, Moment};
use crate::service::{Service, ServiceError};
use crate::settings::LanguageCode;
use crate::store::Kind;

/// For so long at most an address is kept for news of a report.
const REPORT: Duration = Duration::from_secs(90 * 86_400);

impl Service {
    /// The address that the holder of a registration left, and the language they read, as long as
    /// it is kept. For nothing but letters that they asked for.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn address_for(
        &self,
        locator: Locator,
    ) -> Result<Option<(MailAddress, LanguageCode)>, ServiceError> {
        let Some(kept) = self.kept_letter(locator).await? else {
            return Ok(None);
        };
        let address = MailAddress::parse(&kept.to).map_err(|_| damaged())?;
        Ok(Some((address, kept.language)))
    }

    /// The letter of a registration, whatever it is about by now.
    pub(super) async fn kept_letter(
        &self,
        locator: Locator,
    ) -> Result<Option<Letter>, ServiceError> {
        if !self.has_mail() {
            return Ok(None);
        }
        let id = self.letters.chain_of(locator);
        match self.store.get(Kind::Letter, &id).await? {
            None => Ok(None),
            Some(document) => {
                let envelope = Envelope::read(&document.body)?;
                self.letters.open(&id, &envelope).map(Some)
            }
        }
    }

    /// Keeps the address of a registration, if there is one, for news of a report that was just
    /// made: until [`Service::release_address`], and for 90 days at most.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn keep_address(&self, locator: Locator) -> Result<(), ServiceError> {
        let until = Moment::now().plus(REPORT);
        self.change_letter(locator, |envelope, letter| {
            envelope.keep_until = Some(until);
            if matches!(letter.subject, Subject::Resting) {
                envelope.due = until;
            }
        })
        .await
    }

    /// No report of a registration is open any more: its address goes, at the latest with the
    /// letter that waits.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn release_address(&self, locator: Locator) -> Result<(), ServiceError> {
        let now = Moment::now();
        self.change_letter(locator, |envelope, letter| {
            envelope.keep_until = None;
            if matches!(letter.subject, Subject::Resting) {
                envelope.due = now;
            }
        })
        .await
    }

    async fn change_letter(
        &self,
        locator: Locator,
        change: impl Fn(&mut Envelope, &Letter),
    ) -> Result<(), ServiceError> {
        let id = self.letters.chain_of(locator);
        for _ in 0..ATTEMPTS {
            let Some(document) = self.store.get(Kind::Letter, &id).await? else {
                return Ok(());
            };
            let mut envelope = Envelope::read(&document.body)?;
            let letter = self.letters.open(&id, &envelope)?;
            change(&mut envelope, &letter);
            let (version, body) = (document.version, envelope.write()?);
            if self.store.replace(Kind::Letter, &id, version, body).await? {
                return Ok(());
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Removes the letter of a registration that was taken back, and the address with it.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(in crate::service) async fn forget_address(
        &self,
        locator: Locator,
    ) -> Result<(), ServiceError> {
        let id = self.letters.chain_of(locator);
        for _ in 0..ATTEMPTS {
            let Some(document) = self.store.get(Kind::Letter, &id).await? else {
                return Ok(());
            };
            let version = document.version;
            if self.store.remove(Kind::Letter, &id, version).await? {
                return Ok(());
            }
        }
        Err(ServiceError::Conflict)
    }
}
