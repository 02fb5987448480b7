//! What is kept of a report.

use std::time::Duration;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Answer, CheckSeen, Company, ReportView, State, Telling, Told};
use crate::domain::{AgencyId, Finding, Moment, ReportId, SellerId};
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
    pub finding: Finding,
    pub agency: Option<AgencyId>,
    /// When the check was made that the finding rests on.
    pub decided_at: Option<Moment>,
    pub checks: Vec<CheckSeen>,
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

    /// Whether the finding rests on a check from before the reporter's own opt-out. What the answer
    /// to that was depends on what others may have registered, so it is for nobody but those who
    /// deal with the report: whoever opts a stranger's number out learns nothing of its past.
    pub(super) fn rests_on_the_past(&self) -> bool {
        self.decided_at
            .is_some_and(|at| self.held_since.is_none_or(|since| at < since))
    }

    /// What whoever made the report may see.
    pub(super) fn for_person(
        mut self,
        id: ReportId,
        content: Content,
        validity: Duration,
    ) -> ReportView {
        if self.held_since.is_some() && self.rests_on_the_past() {
            // The same words whatever the answer was: only its age counts.
            let usable = self.decided_at.map(|at| at.plus(validity));
            self.finding = match usable.is_some_and(|until| until >= self.called_from) {
                true => Finding::AskedBefore,
                false => Finding::AnswerExpired,
            };
            for check in self.checks.iter_mut().filter(|check| check.decides) {
                check.suppress = None;
            }
        }
        let held_since = self.held_since;
        let says_nothing_of_the_list =
            matches!(self.finding, Finding::NotAsked | Finding::UnknownCompany);
        if let Some(since) = held_since {
            self.checks
                .retain(|check| check.decides || check.at >= since);
            self.opted_out_since = Some(since);
        } else {
            self.checks.clear();
            self.agency = None;
            self.opted_out_since = None;
        }
        let answered = !content.answers.is_empty();
        let mut view = self.view_of(id, answered, Some(content));
        if held_since.is_none() && !says_nothing_of_the_list {
            view.finding = None;
        }
        view
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
            finding: Some(self.finding),
            agency: self.agency,
            checks: self.checks,
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
        let body = serde_json::to_string(&kept).map_err(|_| damaged())?;
        if self
            .store
            .create(Kind::Report, &id.to_string(), body)
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
            let body = serde_json::to_string(&kept).map_err(|_| damaged())?;
            let version = document.version;
            if self
                .store
                .replace(Kind::Report, &name, version, body)
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
