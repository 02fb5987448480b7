//! "They called me anyway": a person reports a call, and the service finds out what the log says
//! about it, at once.
//!
//! A report belongs to the code that it was made with: that of an opt-out, or one of its own for
//! whoever has none. What the person tells lies sealed; the company that was called for and the
//! regulator get to read it, the operator does not.
//!
//! * `finding`: from the log to a finding.
//! * `doubt`: what may be said where neither moment nor caller is known exactly.
//! * `told`: what a person tells of a call.
//! * `record`: what is kept of a report.
//! * `case`: which reports a code holds.
//! * `list`: lists of reports.
//! * `answer`: the company's and the regulator's side.
//! * `news`: word by mail of what has changed.
//! * `pack`: the evidence.

mod answer;
mod case;
mod doubt;
mod finding;
mod list;
mod news;
pub mod pack;
mod record;
#[cfg(test)]
mod tests;
mod told;

use serde::Serialize;

use super::registration::Access;
use super::{Service, ServiceError};
use crate::domain::{
    AgencyId, Context, Detail, Finding, Moment, Op, OptedOut, PhoneNumber, ReportId, SellerId,
    SellerRef,
};
use crate::store::Change;

pub use answer::{LONGEST_ANSWER, MOST_ANSWERS};
use case::MOST_REPORTS;
pub use finding::LOOK_BACK_DAYS;
pub(super) use finding::rows_of;
pub use list::{Filter, Page};
use record::{Content, Kept};
pub use told::{Company, LONGEST_NAME, LONGEST_WORDS, Reporter, Told};

/// A check that has to do with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct CheckSeen {
    /// Its entry.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Who asked.
    pub agency: Option<AgencyId>,
    /// On whose behalf.
    pub seller: Option<SellerRef>,
    /// Whether they were told not to call. Nothing where that is not for whoever looks.
    pub suppress: Option<bool>,
    /// Whether it is the one that the finding rests on.
    pub decides: bool,
}

/// How far a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The company has not answered yet, and there is still time.
    Open,
    /// The company has not answered, and the time is over.
    Overdue,
    /// The company has answered.
    Answered,
    /// No company here can answer; the regulator has it.
    WithRegulator,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [
        Self::Open,
        Self::Overdue,
        Self::Answered,
        Self::WithRegulator,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Answered => "answered",
            Self::WithRegulator => "with_regulator",
        }
    }
}

/// A company's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// When it was given.
    pub at: Moment,
    /// In the company's words.
    pub text: String,
}

/// What the person told, for those who may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Telling {
    /// The number that was called.
    pub number: String,
    /// The company as the person wrote it, where it is not one of this register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The number that was shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub caller: String,
    /// What they said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// What the company answered, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

/// A report.
#[derive(Debug, Clone, Serialize)]
pub struct ReportView {
    /// Its id.
    #[serde(serialize_with = "as_text")]
    pub id: ReportId,
    /// When it was made.
    pub at: Moment,
    /// The earliest moment at which the call may have come.
    pub called_from: Moment,
    /// The latest one.
    pub called_to: Moment,
    /// The company, if it is one of this register.
    pub seller: Option<SellerId>,
    /// What the log says, as far as it is for this reader.
    pub finding: Finding,
    /// What whoever made the report was told.
    pub told: Finding,
    /// The agency that had asked before the call, if it was one for certain.
    pub agency: Option<AgencyId>,
    /// The checks around the call.
    pub checks: Vec<CheckSeen>,
    /// Whether the number was opted out when the call came.
    pub opted_out: OptedOut,
    /// Since when, if it was.
    pub opted_out_since: Option<Moment>,
    /// Whether the holder of an opt-out made it.
    pub by_holder: bool,
    /// How far it is.
    pub state: State,
    /// Until when the company should answer.
    pub answer_by: Option<Moment>,
    /// What the person told, and the answers. Nothing for those who may not read it.
    pub telling: Option<Telling>,
}

fn as_text<S: serde::Serializer>(id: &ReportId, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

/// A report that was made.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The code that holds it.
    pub access: Access,
    /// The report.
    pub view: ReportView,
}

impl Service {
    /// Takes a report of a call, and finds out what the log says about it. `form` names the form
    /// that was sent: the same one sent twice is one report.
    ///
    /// # Errors
    /// [`ServiceError::BeforeRecord`] for a call of which nobody can tell who had asked before it;
    /// then nothing is kept. Any other [`ServiceError`]: after one of the store, sending the same
    /// form again finishes what broke off, and makes no second report.
    pub async fn report(
        &self,
        who: Reporter<'_>,
        form: &[u8],
        told: &Told,
    ) -> Result<Reported, ServiceError> {
        let permit = self.search_permit().await?;
        let directory = self.directory.current()?;
        told.check()?;
        let seller = match &told.company {
            Company::Known(id) if directory.sellers.contains_key(id) => Some(id.clone()),
            Company::Known(_) => return Err(ServiceError::UnknownSeller),
            Company::Named(_) | Company::Unsaid => None,
        };
        let mac = self.form_key.mac(&[b"report", form, &told.said()]);
        let mut id = [0; 16];
        id.copy_from_slice(&mac[..16]);
        let id = ReportId::from_bytes(id);
        let earlier = self.kept_report(id).await?;
        if earlier.is_none() {
            self.can_be_known(told).await?;
        }
        let access = match who {
            Reporter::Holder(access) => access.clone(),
            Reporter::Anyone => self.open_case(&mac).await?,
        };
        let held_since = self.held_since(&access, told).await?;
        let known = self.report_ids(&access).await?;
        if known.len() >= MOST_REPORTS && !known.contains(&id) {
            return Err(ServiceError::TooManyReports(MOST_REPORTS));
        }
        let kept = match earlier {
            Some((kept, _)) => kept,
            None => {
                let found = self.find_out(&permit, told, seller.as_ref(), held_since);
                let found = found.await?;
                let now = Moment::now();
                let days = std::time::Duration::from_secs(u64::from(self.answer_days) * 86_400);
                let kept = Kept {
                    at: now,
                    called_from: told.from,
                    called_to: told.to,
                    answer_by: seller.is_some().then(|| now.plus(days)),
                    seller,
                    finding: found.finding,
                    told: found.told,
                    to_company: found.to_company,
                    agency: found.agency,
                    checks: found.checks,
                    opted_out: found.opted_out,
                    opted_out_since: found.opted_out_since,
                    held_since,
                    locator: access.reference().locator().as_str().to_owned(),
                    language: told.language.clone(),
                    recorded: None,
                    told_late: false,
                    sealed: String::new(),
                };
                self.keep_report(id, kept, &Content::of(told)).await?
            }
        };
        if kept.recorded.is_none() {
            let at = self.record_report(id, &kept, &told.number).await?;
            self.update_report(id, |kept, _| kept.recorded = Some(at))
                .await?;
        }
        self.remember_report(&access, id).await?;
        if kept.answer_by.is_some() {
            self.expect_news(access.reference().locator()).await;
        }
        let (kept, content) = self
            .kept_report(id)
            .await?
            .ok_or(ServiceError::UnknownReport)?;
        Ok(Reported {
            access,
            view: kept.for_person(id, content),
        })
    }

    /// Since when a code's opt-out of the number holds, if it did when the call came.
    ///
    /// Nobody proves that a number is theirs. So a code tells about the time since its own opt-out
    /// began, and nothing of what others may have registered before.
    async fn held_since(
        &self,
        access: &Access,
        told: &Told,
    ) -> Result<Option<Moment>, ServiceError> {
        let seller = match &told.company {
            Company::Known(seller) => Some(seller),
            _ => None,
        };
        match self.began(access, &told.number, seller).await {
            Ok(began) => Ok(began
                .map(|began| began.since)
                .filter(|since| *since <= told.to)),
            Err(ServiceError::UnknownReference) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The entry that says that a call was reported.
    async fn record_report(
        &self,
        id: ReportId,
        kept: &Kept,
        number: &PhoneNumber,
    ) -> Result<Moment, ServiceError> {
        let at = Moment::now();
        let (_, pn) = self.pseudonyms(number, at)?;
        let detail = Detail::Reported {
            report: *id.as_bytes(),
            // Whoever reads the log reads no more of the list than whoever reports.
            finding: kept.told,
            called_from: kept.called_from,
            called_to: kept.called_to,
        };
        let context = Context {
            seller: kept.seller.clone().map(SellerRef::One),
            ..Context::of_service(Op::Report, detail)
        };
        let note = Change::note(at, context, Some(pn));
        self.store.change(vec![note]).await?;
        Ok(at)
    }

    /// Every report of a code, the newest first.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when nothing has this code.
    pub async fn reports_of(&self, access: &Access) -> Result<Vec<ReportView>, ServiceError> {
        let mut views = Vec::new();
        for id in self.report_ids(access).await? {
            if let Some((kept, content)) = self.kept_report(id).await? {
                views.push(kept.for_person(id, content));
            }
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.at));
        Ok(views)
    }

    /// One report of a code.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReport`] also for the reports of others.
    pub async fn report_of(
        &self,
        access: &Access,
        id: ReportId,
    ) -> Result<ReportView, ServiceError> {
        if !self.report_ids(access).await?.contains(&id) {
            return Err(ServiceError::UnknownReport);
        }
        let kept = self.kept_report(id).await?;
        let (kept, content) = kept.ok_or(ServiceError::UnknownReport)?;
        Ok(kept.for_person(id, content))
    }

    /// For how many days a company may think about its answer.
    #[must_use]
    pub fn answer_days(&self) -> u16 {
        self.answer_days
    }
}
