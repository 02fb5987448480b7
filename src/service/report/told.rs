//! What a person tells of a call.

use crate::domain::{Moment, PhoneNumber, SellerId};
use crate::service::ServiceError;
use crate::service::registration::Access;

/// How many characters a person may write about a call.
pub const LONGEST_WORDS: usize = 4_000;

/// How many characters the name of a company or the number on the screen may have.
pub const LONGEST_NAME: usize = 100;

/// How long the time may be within which the call came.
const LONGEST_RANGE_MS: i64 = 48 * 3_600_000;

/// Who reports.
#[derive(Debug, Clone, Copy)]
pub enum Reporter<'a> {
    /// The holder of a code: of an opt-out, or of earlier reports.
    Holder(&'a Access),
    /// Anybody. The report gets a code of its own.
    Anyone,
}

/// Who was called for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Company {
    /// A company that uses this register.
    Known(SellerId),
    /// Another one, as the person wrote it.
    Named(String),
    /// The caller did not say.
    Unsaid,
}

/// What a person tells of a call.
#[derive(Debug, Clone)]
pub struct Told {
    /// The number that was called.
    pub number: PhoneNumber,
    /// The earliest moment at which it may have come.
    pub from: Moment,
    /// The latest one.
    pub to: Moment,
    /// For whom.
    pub company: Company,
    /// The number that was shown, as the person wrote it.
    pub caller: String,
    /// What else they want to say, in any tone.
    pub words: String,
    /// The language of their page.
    pub language: String,
}

impl Told {
    /// Everything that was typed, so that a form that was changed and sent again is another report.
    pub(super) fn said(&self) -> Vec<u8> {
        let company = match &self.company {
            Company::Known(id) => id.as_str(),
            Company::Named(name) => name,
            Company::Unsaid => "",
        };
        let from = self.from.to_string();
        let parts = [
            self.number.e164(),
            &from,
            company,
            &self.caller,
            &self.words,
        ];
        parts.join("\0").into_bytes()
    }

    /// Whether it can be taken.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let length = |text: &str| text.chars().count();
        let named = match &self.company {
            Company::Named(name) => length(name),
            _ => 0,
        };
        if length(&self.words) > LONGEST_WORDS
            || length(&self.caller) > LONGEST_NAME
            || named > LONGEST_NAME
        {
            return Err(ServiceError::Contradiction(
                "a text of the report is longer than it may be",
            ));
        }
        let range = self.to.millis() - self.from.millis();
        if !(0..=LONGEST_RANGE_MS).contains(&range) {
            return Err(ServiceError::Contradiction(
                "the time of a call is a range of at most two days",
            ));
        }
        if self.from > Moment::now() {
            return Err(ServiceError::Contradiction("the call lies in the future"));
        }
        Ok(())
    }
}
