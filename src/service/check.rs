//! May this number be called? Asked for one seller, answered and recorded in one step.

use std::sync::Arc;

use super::{Service, ServiceError};
use crate::domain::{
    AgencyId, Campaign, Channel, Context, Decision, Moment, Op, PhoneError, PhoneNumber, Principal,
    Pseudonym, Role, SellerId, SellerRef,
};
use crate::store::{Ask, ReplayKey, SellerNumber};

/// What all numbers of one request have in common.
#[derive(Debug, Clone)]
pub struct Question {
    /// On whose behalf the call would be made.
    pub seller: SellerId,
    /// How.
    pub channel: Channel,
    /// The dialler's campaign.
    pub campaign: Option<Campaign>,
    /// The dialler's name for this check: repeating it is harmless.
    pub reference: Option<String>,
}

/// What became of one number.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The recorded answer.
    pub decision: Decision,
    /// Why the number could not be read, if it could not.
    pub unreadable: Option<PhoneError>,
    /// The number's name in the log.
    pub pn: Option<Pseudonym>,
}

impl Service {
    /// Answers for every number, in order, and records every answer.
    ///
    /// # Errors
    /// [`ServiceError`]; then nothing may be concluded about any number.
    pub async fn check(
        &self,
        who: &Principal,
        question: &Question,
        numbers: &[Result<PhoneNumber, PhoneError>],
    ) -> Result<Vec<Asked>, ServiceError> {
        let (agency, seller) = self.mandate(who, &question.seller)?;
        if numbers.len() > self.max_check_numbers {
            return Err(ServiceError::TooManyNumbers(self.max_check_numbers));
        }
        self.room_for_entries()?;
        let at = Moment::now();
        let context = Arc::new(Context {
            op: Op::Check,
            agency,
            seller: Some(SellerRef::One(question.seller.clone())),
            key: Some(who.key.clone()),
            campaign: question.campaign.clone(),
            channels: Some(question.channel.into()),
            detail: None,
        });
        let mut asks = Vec::with_capacity(numbers.len());
        let mut errors = Vec::with_capacity(numbers.len());
        let mut names = Vec::with_capacity(numbers.len());
        for number in numbers {
            errors.push(number.err());
            let number = number.ok();
            let pseudonyms = number
                .map(|number| self.pseudonyms(&number, at))
                .transpose()?;
            names.push(pseudonyms.map(|(_, pn)| pn));
            asks.push(Ask {
                at,
                context: context.clone(),
                number: pseudonyms,
                seller,
                channel: question.channel,
                replay: match (&number, &question.reference) {
                    (Some(number), Some(text)) => {
                        Some(self.replay(&context, question.channel, text, number))
                    }
                    _ => None,
                },
            });
        }
        let decisions = self.store.decide(asks).await?;
        Ok(decisions
            .into_iter()
            .zip(errors.into_iter().zip(names))
            .map(|(decision, (unreadable, pn))| Asked {
                decision,
                unreadable,
                // A repeated `ref` may have been answered first in another month, under another
                // name.
                pn: pn.filter(|_| decision.at.month() == at.month()),
            })
            .collect())
    }

    /// The agency that asks and the seller's place in the index, if it may ask.
    fn mandate(
        &self,
        who: &Principal,
        seller: &SellerId,
    ) -> Result<(Option<AgencyId>, SellerNumber), ServiceError> {
        let directory = self.directory.current()?;
        let number = |seller: &SellerId| {
            let record = directory.sellers.get(seller);
            record.ok_or(ServiceError::UnknownSeller)?.number()
        };
        match &who.role {
            Role::Dialler { agency } => {
                let number = number(seller)?;
                let record = directory.agencies.get(agency);
                if record.is_some_and(|record| record.sellers.contains(seller)) {
                    Ok((Some(agency.clone()), number))
                } else {
                    Err(ServiceError::NoMandate)
                }
            }
            // Whoever runs the service may try it; the entry then names no agency.
            Role::Operator => Ok((None, number(seller)?)),
            _ => Err(ServiceError::WrongRole("dialler")),
        }
    }

    fn replay(
        &self,
        context: &Context,
        channel: Channel,
        reference: &str,
        number: &PhoneNumber,
    ) -> ReplayKey {
        let client = context.client().unwrap_or_default();
        let seller = context.seller.as_ref().map(SellerRef::to_string);
        let mac = self.replay_key.mac(&[
            client.as_bytes(),
            seller.unwrap_or_default().as_bytes(),
            &[channel as u8],
            reference.as_bytes(),
            number.e164().as_bytes(),
        ]);
        let mut key = [0; 16];
        key.copy_from_slice(&mac[..16]);
        key
    }
}
