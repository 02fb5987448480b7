//! The side of those who have to deal with reports: the company that was called for, the regulator
//! and the operator, each with what concerns it.

use super::ReportView;
use super::list::seen_by;
use crate::domain::{
    Context, Detail, Moment, Op, PhoneNumber, Principal, ReportId, Role, SellerRef,
};
use crate::service::{Service, ServiceError};

/// How many characters an answer may have.
pub const LONGEST_ANSWER: usize = 4_000;

/// How many answers one report may have.
pub const MOST_ANSWERS: usize = 20;

impl Service {
    /// One report, for somebody who may see it. A regulator sees all that was found out; that the
    /// number was looked up is on record with their key before.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReport`] also for the reports of others.
    pub async fn report_for(
        &self,
        who: &Principal,
        id: ReportId,
    ) -> Result<ReportView, ServiceError> {
        let kept = self.kept_report(id).await?;
        let (kept, content) = kept.ok_or(ServiceError::UnknownReport)?;
        if who.role != Role::Regulator || kept.recorded.is_none() {
            return seen_by(who, id, kept, content).ok_or(ServiceError::UnknownReport);
        }
        let number = PhoneNumber::parse(&content.number, None)
            .map_err(|_| ServiceError::Damaged("a report"))?;
        self.record_opening(who, &number).await?;
        let answered = !content.answers.is_empty();
        Ok(kept.view_of(id, answered, Some(content)))
    }

    /// The company's answer, which the person sees. It is an entry of the log, without its text.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`] for everybody but the company; [`ServiceError::UnknownReport`]
    /// for the reports of others; [`ServiceError::Contradiction`] for an empty or overlong answer.
    pub async fn answer_report(
        &self,
        who: &Principal,
        id: ReportId,
        text: &str,
    ) -> Result<ReportView, ServiceError> {
        let Role::Seller { seller } = &who.role else {
            return Err(ServiceError::WrongRole("seller"));
        };
        let text = text.trim();
        if !(1..=LONGEST_ANSWER).contains(&text.chars().count()) {
            return Err(ServiceError::Contradiction(
                "an answer has 1 to 4,000 characters",
            ));
        }
        let before = self.report_for(who, id).await?;
        let given = before.telling.map(|telling| telling.answers);
        let given = given.unwrap_or_default();
        // The same answer sent again is the same answer.
        if given.last().is_none_or(|last| last.text != text) {
            if given.len() >= MOST_ANSWERS {
                return Err(ServiceError::Contradiction(
                    "a report has at most 20 answers",
                ));
            }
            let detail = Detail::ReportAnswered {
                report: *id.as_bytes(),
            };
            let answered = Context {
                seller: Some(SellerRef::One(seller.clone())),
                ..Context::of_service(Op::Report, detail)
            };
            self.store.note(answered.by(&who.key)).await?;
            let at = Moment::now();
            let locator = self
                .update_report(id, |kept, content| {
                    if content.answers.last().is_none_or(|(_, last)| last != text) {
                        content.answers.push((at, text.to_owned()));
                    }
                    kept.locator.clone()
                })
                .await?;
            self.tell_of_answer(id, &locator).await;
        }
        self.report_for(who, id).await
    }
}
