//! Openings: how a regulator finds one number in the log, and nobody else's.
//!
//! The log names a number by a pseudonym that changes every month. The opening of a number for a
//! month lets its holder compute that one pseudonym with nothing but SHA-256, and so find and prove
//! its entries in any copy of the log. Giving one away is an entry of the log under that same
//! pseudonym. The key of a whole month, which opens every number of it, is released by the
//! operator alone, with a reason, and that is an entry too.

use data_encoding::HEXLOWER;
use serde::Serialize;

use crate::domain::{Context, Detail, KeyId, Moment, Month, Op, PhoneNumber, Principal, Role};
use crate::log::Note;
use crate::service::{Service, ServiceError};
use crate::store::Change;

/// The first line of a signed text of openings. No log has it for its origin.
pub const OPENINGS: &str = "metrust openings v1";

/// How many months one request may open.
const MONTHS: usize = 120;

/// A month's key, released.
#[derive(Debug, Clone, Serialize)]
pub struct ReleasedMonth {
    /// The month.
    pub month: String,
    /// The key, in hexadecimal digits.
    pub key: String,
    /// SHA-256 of the key, as the log holds it since the month began.
    pub commitment: String,
}

impl Service {
    /// The openings of a number for some months, or for every month there is a key for, as a
    /// signed text. Each is an entry of the log before it is given.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`], [`ServiceError::UnknownMonth`].
    pub async fn open_number(
        &self,
        who: &Principal,
        phone: &PhoneNumber,
        months: &[Month],
    ) -> Result<String, ServiceError> {
        if !who.role.reads_audit() {
            return Err(ServiceError::WrongRole("regulator"));
        }
        self.openings(phone, months, Some(&who.key)).await
    }

    /// The same for somebody who may open this number.
    pub(in crate::service) async fn openings(
        &self,
        phone: &PhoneNumber,
        months: &[Month],
        by: Option<&KeyId>,
    ) -> Result<String, ServiceError> {
        let known = self.months.all();
        let mut wanted: Vec<Month> = match months {
            [] => known.iter().map(|(month, _)| *month).collect(),
            some => some.to_vec(),
        };
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.len() > MONTHS {
            return Err(ServiceError::Contradiction("at most 120 months at a time"));
        }
        // The time lets a reader of the log look for the entries that must tell of it.
        let at = Moment::now();
        let mut text = format!("{OPENINGS}\n{}\ntime {at}\n", self.record.origin());
        let mut notes = Vec::new();
        for month in wanted {
            let key = self.months.get(month).ok_or(ServiceError::UnknownMonth)?;
            let opening = key.opening(phone);
            let pn = opening.pseudonym(phone);
            let (opening, name) = (HEXLOWER.encode(opening.bytes()), HEXLOWER.encode(&pn.0));
            text.push_str(&format!("{month} {opening} {name}\n"));
            let month = month.to_string();
            let opened = Context::of_service(Op::Opening, Detail::Opened { month });
            notes.push(Change::note(at, opened.by(by), Some(pn)));
        }
        self.store.change(notes).await?;
        let signers = self
            .record
            .keys
            .signers(self.record.origin(), Moment::now())?;
        let note = Note::sign(text, &signers.iter().collect::<Vec<_>>())?;
        Ok(note.to_string())
    }

    /// Releases the key of a month: whoever holds it can find every number's entries of that
    /// month. The reason is an entry of the log before the key is given.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`], [`ServiceError::UnknownMonth`], [`ServiceError::Contradiction`]
    /// when the reason cannot be put on record.
    pub async fn release_month(
        &self,
        who: &Principal,
        month: Month,
        reason: &str,
    ) -> Result<ReleasedMonth, ServiceError> {
        if who.role != Role::Operator {
            return Err(ServiceError::WrongRole("operator"));
        }
        let reason = crate::service::reason::reason(reason)?;
        let key = self.months.get(month).ok_or(ServiceError::UnknownMonth)?;
        let detail = Detail::MonthReleased {
            month: month.to_string(),
            note: reason.to_owned(),
        };
        let released = Context::of_service(Op::Key, detail).by(&who.key);
        self.store.note(released).await?;
        Ok(ReleasedMonth {
            month: month.to_string(),
            key: HEXLOWER.encode(key.reveal()),
            commitment: HEXLOWER.encode(&key.commitment()),
        })
    }
}
