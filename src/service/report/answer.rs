//! The side of those who have to deal with reports: the company that was called for, the regulator
//! and the operator, each with what concerns it.

use super::{ReportView, State};
use crate::domain::{
    AgencyId, Context, Detail, Finding, Moment, Op, Principal, ReportId, Role, SellerId, SellerRef,
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
            && is(self.finding.as_ref(), view.finding.as_ref())
            && is(self.state.as_ref(), Some(&view.state))
            && self.from.is_none_or(|from| view.at >= from)
            && self.to.is_none_or(|to| view.at < to)
    }
}

impl Service {
    /// The reports that somebody may see, the newest first: a seller those of calls for it, a
    /// regulator and the operator all, the operator without what people told.
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
            let view = self.seen_by(who, id, &document.body)?;
            views.extend(view.filter(|view| filter.admits(view)));
        }
        views.sort_by_key(|view| std::cmp::Reverse((view.at, view.id)));
        Ok(views)
    }

    /// One report, for somebody who may see it.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReport`] also for the reports of others.
    pub async fn report_for(
        &self,
        who: &Principal,
        id: ReportId,
    ) -> Result<ReportView, ServiceError> {
        let document = self.store.get(Kind::Report, &id.to_string()).await?;
        let document = document.ok_or(ServiceError::UnknownReport)?;
        self.seen_by(who, id, &document.body)?
            .ok_or(ServiceError::UnknownReport)
    }

    fn seen_by(
        &self,
        who: &Principal,
        id: ReportId,
        body: &str,
    ) -> Result<Option<ReportView>, ServiceError> {
        let (kept, content) = self.read_report(id, body)?;
        let answered = !content.answers.is_empty();
        let reads = match &who.role {
            Role::Dialler { .. } => return Ok(None),
            Role::Seller { seller } if kept.seller.as_ref() != Some(seller) => return Ok(None),
            Role::Seller { .. } | Role::Regulator => true,
            Role::Operator => false,
        };
        // A report is there once the log has it.
        if kept.recorded.is_none() {
            return Ok(None);
        }
        let by_holder = kept.held_since.is_some();
        let mut view = kept.view_of(id, answered, reads.then_some(content));
        if matches!(who.role, Role::Seller { .. }) && !by_holder {
            // A report that anybody may make is no way for a company to look a number up.
            view.opted_out_since = None;
            let tells = [Finding::AskedBefore, Finding::NotOptedOut];
            view.finding = view.finding.filter(|finding| !tells.contains(finding));
        }
        Ok(Some(view))
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
