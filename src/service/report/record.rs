//! What is kept of a report.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::list::draft;
use super::{Answer, CheckSeen, Company, ReportView, State, Telling, Told};
use crate::domain::{AgencyId, Finding, Moment, OptedOut, ReportId, SellerId};
use crate::privacy::{Purpose, open, seal};
use crate::service::{Service, ServiceError};
use crate::store::Kind;

/// A report as the store keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub at: Moment,
    pub called_from: Moment,
    pub called_to: Moment,
    pub seller: Option<SellerId>,
    /// The whole of it, for the regulator.
    pub finding: Finding,
    /// What whoever reports is told, and the log.
    pub told: Finding,
    /// What the company is told.
    pub to_company: Finding,
    pub agency: Option<AgencyId>,
    pub checks: Vec<CheckSeen>,
    pub opted_out: OptedOut,
    pub opted_out_since: Option<Moment>,
    /// Since when the reporter's own opt-out holds, if it did when the call came.
    pub held_since: Option<Moment>,
    pub answer_by: Option<Moment>,
    /// The public half of the code that it belongs to.
    pub locator: String,
    pub language: String,
    /// The time of its entry, once the log has it.
    pub recorded: Option<Moment>,
    /// Whether word was sent that the answer is late.
    #[serde(default)]
    pub told_late: bool,
    /// What the person told and the company answered, under the key of reports.
    pub sealed: String,
}

/// What lies in the box.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Content {
    /// In E.164.
    pub number: String,
    pub company: Option<String>,
    pub caller: String,
    pub words: String,
    pub answers: Vec<(Moment, String)>,
}

/// How often something is tried again when somebody else was faster, or a code is taken.
pub(super) const ATTEMPTS: u8 = 8;

impl Content {
    pub(super) fn of(told: &Told) -> Self {
        Self {
            number: told.number.e164().to_owned(),
            company: match &told.company {
                Company::Named(name) => Some(name.clone()),
                Company::Known(_) | Company::Unsaid => None,
            },
            caller: told.caller.clone(),
            words: told.words.clone(),
            answers: Vec::new(),
        }
    }
}

impl Kept {
    pub(super) fn state(&self, answered: bool) -> State {
        match self.answer_by {
            _ if answered => State::Answered,
            None => State::WithRegulator,
            Some(by) if Moment::now() > by => State::Overdue,
            Some(_) => State::Open,
        }
    }

    /// What whoever made the report may see: of the list no more than their own opt-out.
    pub(super) fn for_person(mut self, id: ReportId, content: Content) -> ReportView {
        self.finding = self.told;
        self.hide_the_list();
        match self.held_since {
            Some(since) => self.checks.retain_mut(|check| {
                // What was answered before depends on what others may have registered.
                if check.at < since {
                    check.suppress = None;
                }
                check.decides || check.at >= since
            }),
            None => {
                self.checks.clear();
                self.agency = None;
            }
        }
        let answered = !content.answers.is_empty();
        self.view_of(id, answered, Some(content))
    }

    /// What the company may see: what it was told itself, and of the list no more than the person.
    pub(super) fn for_company(mut self, id: ReportId, content: Content) -> ReportView {
        self.finding = self.to_company;
        self.hide_the_list();
        let answered = !content.answers.is_empty();
        self.view_of(id, answered, Some(content))
    }

    fn hide_the_list(&mut self) {
        self.opted_out_since = self.held_since;
        self.opted_out = match self.held_since {
            Some(_) => OptedOut::Listed,
            None => OptedOut::NotShown,
        };
    }

    pub(super) fn view_of(
        self,
        id: ReportId,
        answered: bool,
        content: Option<Content>,
    ) -> ReportView {
        ReportView {
            state: self.state(answered),
            id,
            at: self.at,
            called_from: self.called_from,
            called_to: self.called_to,
            seller: self.seller,
            finding: self.finding,
            told: self.told,
            agency: self.agency,
            checks: self.checks,
            opted_out: self.opted_out,
            opted_out_since: self.opted_out_since,
            by_holder: self.held_since.is_some(),
            answer_by: self.answer_by,
            telling: content.map(|content| Telling {
                number: content.number,
                company: content.company,
                caller: content.caller,
                words: content.words,
                answers: content
                    .answers
                    .into_iter()
                    .map(|(at, text)| Answer { at, text })
                    .collect(),
            }),
        }
    }
}

impl Service {
    /// Keeps a report, unless it is kept already; returns what is kept.
    pub(super) async fn keep_report(
        &self,
        id: ReportId,
        kept: Kept,
        content: &Content,
    ) -> Result<Kept, ServiceError> {
        let kept = Kept {
            sealed: self.seal_content(id, content)?,
            ..kept
        };
        let draft = draft(&kept, !content.answers.is_empty())?;
        if self
            .store
            .create(Kind::Report, &id.to_string(), draft)
            .await?
        {
            return Ok(kept);
        }
        let first = self.kept_report(id).await?;
        first.map(|(kept, _)| kept).ok_or_else(damaged)
    }

    /// A report and what lies in its box.
    pub(super) async fn kept_report(
        &self,
        id: ReportId,
    ) -> Result<Option<(Kept, Content)>, ServiceError> {
        let document = self.store.get(Kind::Report, &id.to_string()).await?;
        let Some(document) = document else {
            return Ok(None);
        };
        self.read_report(id, &document.body).map(Some)
    }

    pub(super) fn read_report(
        &self,
        id: ReportId,
        body: &str,
    ) -> Result<(Kept, Content), ServiceError> {
        let kept: Kept = serde_json::from_str(body).map_err(|_| damaged())?;
        let content = self.open_content(id, &kept.sealed)?;
        Ok((kept, content))
    }

    /// Changes a report, whatever else changes it at the same time.
    pub(super) async fn update_report<T>(
        &self,
        id: ReportId,
        change: impl Fn(&mut Kept, &mut Content) -> T,
    ) -> Result<T, ServiceError> {
        let name = id.to_string();
        for _ in 0..ATTEMPTS {
            let document = self.store.get(Kind::Report, &name).await?;
            let document = document.ok_or(ServiceError::UnknownReport)?;
            let (mut kept, mut content) = self.read_report(id, &document.body)?;
            let changed = change(&mut kept, &mut content);
            kept.sealed = self.seal_content(id, &content)?;
            let draft = draft(&kept, !content.answers.is_empty())?;
            let version = document.version;
            if self
                .store
                .replace(Kind::Report, &name, version, draft)
                .await?
            {
                return Ok(changed);
            }
        }
        Err(ServiceError::Conflict)
    }

    fn seal_content(&self, id: ReportId, content: &Content) -> Result<String, ServiceError> {
        let key = self.keyring.derive(Purpose::Reports);
        let text = zeroize::Zeroizing::new(serde_json::to_vec(content).map_err(|_| damaged())?);
        Ok(BASE64.encode(&seal(&key, id.as_bytes(), &text)))
    }

    fn open_content(&self, id: ReportId, sealed: &str) -> Result<Content, ServiceError> {
        let key = self.keyring.derive(Purpose::Reports);
        let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| damaged())?;
        let text = open(&key, id.as_bytes(), &sealed).map_err(|_| damaged())?;
        serde_json::from_slice(&text).map_err(|_| damaged())
    }
}

pub(super) fn damaged() -> ServiceError {
    ServiceError::Damaged("a report")
}
