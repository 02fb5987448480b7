//! May this number be called? Asked for one seller, answered and recorded in one step.

use std::sync::Arc;

use super::{Service, ServiceError};
use crate::domain::{
    Campaign, Channel, Context, Decision, Moment, Op, PhoneError, PhoneNumber, Principal,
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

/// Who may ask for whom: what all checks of one request share.
#[derive(Debug)]
pub struct CheckAuthorization {
    pub(super) context: Arc<Context>,
    seller: SellerNumber,
    channel: Channel,
}

impl Asked {
    pub(super) fn new(
        decision: Decision,
        unreadable: Option<PhoneError>,
        pn: Option<Pseudonym>,
        at: Moment,
    ) -> Self {
        Self {
            decision,
            unreadable,
            // A repeated `ref` may have been answered first in another month, under another name.
            pn: pn.filter(|_| decision.at.month() == at.month()),
        }
    }
}

impl Service {
    /// Answers for every number, in order, and records every answer.
    ///
    /// # Errors
    /// [`ServiceError`]; then nothing may be concluded about any number.
    pub async fn check(
        &self,
        who: Principal,
        question: Question,
        numbers: &[Result<PhoneNumber, PhoneError>],
    ) -> Result<Vec<Asked>, ServiceError> {
        let authorization = self.authorize(who, question)?;
        if numbers.len() > self.max_check_numbers {
            return Err(ServiceError::TooManyNumbers(self.max_check_numbers));
        }
        self.room_for_entries()?;
        let at = Moment::now();
        let asks = numbers
            .iter()
            .map(|number| self.ask(&authorization, at, number.as_ref().ok(), None))
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<_> = asks.iter().map(|ask| ask.pn()).collect();
        let decisions = self.store.decide(asks).await?;
        Ok(decisions
            .into_iter()
            .zip(numbers.iter().zip(names))
            .map(|(decision, (number, pn))| Asked::new(decision, number.err(), pn, at))
            .collect())
    }

    /// Finds out whether the holder of a key may ask this.
    ///
    /// # Errors
    /// [`ServiceError`]; then nothing is recorded.
    pub fn authorize(
        &self,
        who: Principal,
        question: Question,
    ) -> Result<CheckAuthorization, ServiceError> {
        let seller = self.mandate(&who, &question.seller)?;
        Ok(CheckAuthorization {
            context: Arc::new(Context {
                op: Op::Check,
                agency: who.role.into_agency(),
                seller: Some(SellerRef::One(question.seller)),
                key: Some(who.key),
                campaign: question.campaign,
                channels: Some(question.channel.into()),
                detail: None,
            }),
            seller,
            channel: question.channel,
        })
    }

    /// What the store is asked about one number.
    pub(super) fn ask(
        &self,
        authorization: &CheckAuthorization,
        at: Moment,
        number: Option<&PhoneNumber>,
        reference: Option<&str>,
    ) -> Result<Ask, ServiceError> {
        let replay = match (number, reference) {
            (Some(number), Some(text)) => {
                Some(self.replay(&authorization.context, authorization.channel, text, number))
            }
            _ => None,
        };
        Ok(Ask {
            at,
            context: authorization.context.clone(),
            number: number
                .map(|number| self.pseudonyms(number, at))
                .transpose()?,
            seller: authorization.seller,
            channel: authorization.channel,
            replay,
        })
    }

    /// The seller's place in the index, if the holder of a key may ask for it.
    pub(super) fn mandate(
        &self,
        who: &Principal,
        seller: &SellerId,
    ) -> Result<SellerNumber, ServiceError> {
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
                    Ok(number)
                } else {
                    Err(ServiceError::NoMandate)
                }
            }
            // Whoever runs the service may try it; the entry then names no agency.
            Role::Operator => number(seller),
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
