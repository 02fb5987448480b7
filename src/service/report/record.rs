//! What is kept of a report, and the list of a code's reports.

use std::time::Duration;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Answer, CheckSeen, Company, ReportView, State, Telling, Told};
use crate::domain::{AgencyId, Finding, Moment, Reference, ReportId, SellerId};
use crate::privacy::{Purpose, open, random, seal};
use crate::service::registration::Access;
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

/// The reports of a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Case {
    /// Of a code that has no opt-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    /// Their ids, under the key of the code.
    sealed: String,
}

/// How often something is tried again when somebody else was faster, or a code is taken.
const ATTEMPTS: u8 = 8;

/// How many reports one code may hold.
pub(super) const MOST_REPORTS: usize = 1_000;

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

    /// A code of its own for a report that was made without one. The same seed finds the code of
    /// the first time.
    pub(super) async fn open_case(&self, seed: &[u8; 32]) -> Result<Access, ServiceError> {
        for attempt in 0..ATTEMPTS {
            let mac = self.registration_key.mac(&[b"case", seed, &[attempt]]);
            let mut code = [0; 10];
            code.copy_from_slice(&mac[..10]);
            let reference = Reference::from_random(code);
            let locator = reference.locator();
            let taken = self.store.get(Kind::Registration, locator.as_str());
            if taken.await?.is_some() {
                continue;
            }
            let salt: [u8; 16] = random();
            let key = self.code_key(&reference, salt).await?;
            let access = Access::from_parts(reference, key);
            let case = Case {
                salt: Some(BASE64.encode(&salt)),
                sealed: seal_ids(&access, &[]),
            };
            let body = serde_json::to_string(&case).map_err(|_| damaged())?;
            let name = case_name(&access, false);
            if self.store.create(Kind::Case, &name, body).await? {
                return Ok(access);
            }
            match self.case_access(access.reference()).await {
                Err(ServiceError::UnknownReference) => {}
                other => return other,
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Does the work of a code that has reports and no opt-out.
    pub(in crate::service) async fn case_access(
        &self,
        reference: &Reference,
    ) -> Result<Access, ServiceError> {
        let name = reference.locator().as_str().to_owned();
        let document = self.store.get(Kind::Case, &name).await?;
        let case: Option<Case> = document
            .map(|document| serde_json::from_str(&document.body).map_err(|_| damaged()))
            .transpose()?;
        let salt = match case.as_ref().and_then(|case| case.salt.as_deref()) {
            Some(salt) => BASE64.decode(salt.as_bytes()).map_err(|_| damaged())?,
            // As much work as for a code that exists, so that time tells nothing.
            None => vec![0; 16],
        };
        let salt = <[u8; 16]>::try_from(salt).map_err(|_| damaged())?;
        let key = self.code_key(reference, salt).await?;
        let access = Access::from_parts(reference.clone(), key);
        let case = case.ok_or(ServiceError::UnknownReference)?;
        open_ids(&access, &case.sealed).map(|_| access)
    }

    /// The reports of a code, in the order in which they were made.
    pub(super) async fn report_ids(&self, access: &Access) -> Result<Vec<ReportId>, ServiceError> {
        let mut known = Err(ServiceError::UnknownReference);
        for with_opt_out in [true, false] {
            let name = case_name(access, with_opt_out);
            let Some(document) = self.store.get(Kind::Case, &name).await? else {
                continue;
            };
            let case: Case = serde_json::from_str(&document.body).map_err(|_| damaged())?;
            match open_ids(access, &case.sealed) {
                Ok(ids) => return Ok(ids),
                Err(error) => known = Err(error),
            }
        }
        // A code whose opt-out is there may have no report yet.
        match self.open_record(access).await {
            Ok(_) => Ok(Vec::new()),
            Err(ServiceError::UnknownReference) => known,
            Err(error) => Err(error),
        }
    }

    /// Adds a report to those of its code. Doing it again changes nothing.
    pub(super) async fn remember_report(
        &self,
        access: &Access,
        id: ReportId,
    ) -> Result<(), ServiceError> {
        let mut name = case_name(access, false);
        let own = match self.store.get(Kind::Case, &name).await? {
            Some(document) => {
                let case: Case = serde_json::from_str(&document.body).map_err(|_| damaged())?;
                open_ids(access, &case.sealed).is_ok()
            }
            None => false,
        };
        if !own {
            // An opt-out's code: its list begins with its first report.
            self.open_record(access).await?;
            name = case_name(access, true);
            let case = Case {
                salt: None,
                sealed: seal_ids(access, &[]),
            };
            let body = serde_json::to_string(&case).map_err(|_| damaged())?;
            self.store.create(Kind::Case, &name, body).await?;
        }
        for _ in 0..ATTEMPTS {
            let document = self.store.get(Kind::Case, &name).await?;
            let document = document.ok_or_else(damaged)?;
            let mut case: Case = serde_json::from_str(&document.body).map_err(|_| damaged())?;
            let mut ids = open_ids(access, &case.sealed)?;
            if ids.contains(&id) {
                return Ok(());
            }
            if ids.len() >= MOST_REPORTS {
                return Err(ServiceError::TooManyReports(MOST_REPORTS));
            }
            ids.push(id);
            case.sealed = seal_ids(access, &ids);
            let body = serde_json::to_string(&case).map_err(|_| damaged())?;
            let version = document.version;
            if self.store.replace(Kind::Case, &name, version, body).await? {
                return Ok(());
            }
        }
        Err(ServiceError::Conflict)
    }
}

/// Two names, so that a report's own code and an opt-out's never meet.
fn case_name(access: &Access, with_opt_out: bool) -> String {
    let locator = access.reference().locator();
    match with_opt_out {
        true => format!("{}-opt-out", locator.as_str()),
        false => locator.as_str().to_owned(),
    }
}

fn about(access: &Access) -> Vec<u8> {
    [
        b"reports ",
        access.reference().locator().as_str().as_bytes(),
    ]
    .concat()
}

fn seal_ids(access: &Access, ids: &[ReportId]) -> String {
    let lines: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sealed = seal(access.key(), &about(access), lines.join("\n").as_bytes());
    BASE64.encode(&sealed)
}

fn open_ids(access: &Access, sealed: &str) -> Result<Vec<ReportId>, ServiceError> {
    let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| damaged())?;
    let text =
        open(access.key(), &about(access), &sealed).map_err(|_| ServiceError::UnknownReference)?;
    let text = std::str::from_utf8(&text).map_err(|_| damaged())?;
    text.lines()
        .map(|line| ReportId::parse(line).ok_or_else(damaged))
        .collect()
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("a report")
}
