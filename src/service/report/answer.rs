//! The side of those who have to deal with reports: the company that was called for, the regulator
//! and the operator, each with what concerns it.

use super::record::{Content, Kept};
use super::{ReportView, State};
use crate::domain::{
    AgencyId, Context, Detail, Finding, Moment, Op, PhoneNumber, Principal, ReportId, Role,
    SellerId, SellerRef,
};
use crate::service::{Service, ServiceError};
use crate::store::Kind;

/// How many characters an answer may have.
pub const LONGEST_ANSWER: usize = 4_000;

/// How many answers one report may have.
pub const MOST_ANSWERS: usize = 20;

/// Which reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of calls for this company.
    pub seller: Option<SellerId>,
    /// Where this agency had asked before the call.
    pub agency: Option<AgencyId>,
    /// With this finding.
    pub finding: Option<Finding>,
    /// In this state.
    pub state: Option<State>,
    /// Made at or after this moment.
    pub from: Option<Moment>,
    /// Made before this moment.
    pub to: Option<Moment>,
}

impl Filter {
    fn admits(&self, view: &ReportView) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        is(self.seller.as_ref(), view.seller.as_ref())
            && is(self.agency.as_ref(), view.agency.as_ref())
            && is(self.finding.as_ref(), Some(&view.finding))
            && is(self.state.as_ref(), Some(&view.state))
            && self.from.is_none_or(|from| view.at >= from)
            && self.to.is_none_or(|to| view.at < to)
    }
}

impl Service {
    /// The reports that somebody may see, the newest first: a seller those of calls for it, a
    /// regulator and the operator all, the operator without what people told. Of whether the
    /// number was listed they tell what the person was told.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`] for a dialler.
    pub async fn reports(
        &self,
        who: &Principal,
        filter: &Filter,
    ) -> Result<Vec<ReportView>, ServiceError> {
        if matches!(who.role, Role::Dialler { .. }) {
            return Err(ServiceError::WrongRole("seller or regulator"));
        }
        let mut views = Vec::new();
        for (name, document) in self.store.list(Kind::Report).await? {
            let id = ReportId::parse(&name).ok_or(ServiceError::Damaged("a report"))?;
            let (kept, content) = self.read_report(id, &document.body)?;
            let view = seen_by(who, id, kept, content);
            views.extend(view.filter(|view| filter.admits(view)));
        }
        views.sort_by_key(|view| std::cmp::Reverse((view.at, view.id)));
        Ok(views)
    }

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

/// A report as it stands in a list.
fn seen_by(who: &Principal, id: ReportId, kept: Kept, content: Content) -> Option<ReportView> {
    // A report is there once the log has it.
    kept.recorded?;
    match &who.role {
        Role::Dialler { .. } => None,
        Role::Seller { seller } if kept.seller.as_ref() != Some(seller) => None,
        Role::Seller { .. } => Some(kept.for_company(id, content)),
        Role::Regulator => Some(kept.for_person(id, content)),
        Role::Operator => {
            let mut view = kept.for_person(id, content);
            view.telling = None;
            Some(view)
        }
    }
}
