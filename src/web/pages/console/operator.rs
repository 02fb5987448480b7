//! The operator's pages.

use askama::Template;

use super::super::super::moment::LocalTime;
use super::super::super::texts::{ConsoleTexts, Country, Language, fill};
use super::super::form::{CHOICES, FormError};
use super::super::{Frame, Notice, OptOutForm, Problem};
use super::Nav;
use crate::service::LONGEST_REASON;
use crate::service::doctor::{Finding, Status};

/// A company that owes answers.
#[derive(Debug)]
pub struct OverdueCompany {
    /// Its name.
    pub company: String,
    /// How many.
    pub count: u64,
    /// When the oldest was due.
    pub since: LocalTime,
}

/// A company.
#[derive(Debug)]
pub struct CompanyLine {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Since when it is here.
    pub since: LocalTime,
}

/// An agency.
#[derive(Debug)]
pub struct AgencyLine {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The companies that it calls for.
    pub sellers: Vec<String>,
}

/// A key, without the key.
#[derive(Debug)]
pub struct KeyLine {
    /// Its id.
    pub id: String,
    /// Its role, as the interface names it.
    pub role: &'static str,
    /// The agency or the company that it is of, if it is of one.
    pub of: String,
    /// When it was made.
    pub since: LocalTime,
    /// When it was revoked, if it was.
    pub revoked: Option<LocalTime>,
}

/// `GET /console` for the operator.
#[derive(Debug, Template)]
#[template(path = "console_overview.html")]
pub struct ConsoleOverview<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Between the pages.
    pub nav: Nav<'a>,
    /// The companies that owe answers, those with most first.
    pub overdue: Vec<OverdueCompany>,
    /// What the doctor says.
    pub checks: Vec<Finding>,
    /// The companies.
    pub sellers: Vec<CompanyLine>,
    /// The agencies.
    pub agencies: Vec<AgencyLine>,
    /// The keys.
    pub keys: Vec<KeyLine>,
}

impl ConsoleOverview<'_> {
    fn title(&self) -> &'static str {
        self.texts().overview_title
    }

    fn failed(&self) -> bool {
        false
    }

    fn back(&self) -> Option<&str> {
        Some("/console")
    }

    fn texts(&self) -> &'static ConsoleTexts {
        &self.frame.texts().console
    }

    fn owed(&self, of: &OverdueCompany) -> String {
        let text = fill(self.texts().overdue_item, "company", &of.company);
        let text = fill(&text, "n", &of.count.to_string());
        fill(&text, "when", &of.since.words(self.frame.texts()))
    }

    fn status(&self, check: &Finding) -> &'static str {
        match check.status {
            Status::Ok => self.texts().check_ok,
            Status::Warning => self.texts().check_warning,
            Status::Error => self.texts().check_error,
        }
    }

    fn role(&self, key: &KeyLine) -> &'static str {
        match key.role {
            "dialler" => self.texts().role_dialler,
            "seller" => self.texts().role_seller,
            "regulator" => self.texts().role_regulator,
            _ => self.texts().role_operator,
        }
    }

    fn since(&self, moment: LocalTime) -> String {
        let words = moment.words(self.frame.texts());
        fill(self.texts().since, "when", &words)
    }

    fn revoked(&self, moment: &LocalTime) -> String {
        let words = moment.words(self.frame.texts());
        fill(self.texts().revoked, "when", &words)
    }
}

/// `GET /console/on-behalf`: the form.
#[derive(Debug, Template)]
#[template(path = "console_on_behalf.html")]
pub struct ConsoleOnBehalf<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Between the pages.
    pub nav: Nav<'a>,
    /// What is asked, as people ask it for themselves.
    pub form: OptOutForm<'a>,
    /// The numbers as they were typed, one a line.
    pub numbers: &'a str,
    /// The reason as it was typed.
    pub reason: &'a str,
    /// Whether it cannot be put on record.
    pub reason_is_wrong: bool,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl ConsoleOnBehalf<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().console.behalf_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some() || !self.problems().is_empty()
    }

    fn back(&self) -> Option<&str> {
        None
    }

    fn has(&self, error: FormError) -> bool {
        self.form.has(error)
    }

    fn companies_error(&self) -> Option<String> {
        self.form.companies_error()
    }

    fn countries(&self) -> &'static [Country] {
        self.form.countries()
    }

    /// What is wrong with the numbers, those that cannot be read one by one.
    fn numbers_errors(&self) -> Vec<String> {
        let texts = self.frame.texts();
        let unread = self.form.boxes.iter().filter_map(|number| {
            let message = texts.phone_error(number.error?);
            let text = fill(texts.label_message, "label", number.value.trim());
            Some(fill(&text, "message", message))
        });
        self.form
            .numbers_error()
            .into_iter()
            .chain(unread)
            .collect()
    }

    fn reason_error(&self) -> Option<String> {
        let text = self.frame.texts().console.error_reason;
        self.reason_is_wrong
            .then(|| fill(text, "n", &LONGEST_REASON.to_string()))
    }

    fn reason_hint(&self) -> String {
        let text = self.frame.texts().console.reason_hint;
        fill(text, "n", &LONGEST_REASON.to_string())
    }

    fn problems(&self) -> Vec<Problem> {
        let problem = |field: &str, message: String| Problem {
            field: field.to_owned(),
            message,
        };
        let numbers = self.numbers_errors().into_iter();
        let choices = CHOICES.into_iter().filter(|(error, _)| self.has(*error));
        let reason = self.reason_error();
        numbers
            .map(|message| problem("numbers", message))
            .chain(choices.map(|(error, field)| problem(field, self.form.form_error(error))))
            .chain(reason.map(|message| problem("reason", message)))
            .collect()
    }
}

/// `GET /console/on-behalf/done`: the code to hand over.
#[derive(Debug, Template)]
#[template(path = "console_handover.html")]
pub struct ConsoleHandover<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Between the pages.
    pub nav: Nav<'a>,
    /// The code.
    pub reference: &'a str,
    /// Since when the opt-out holds.
    pub since: LocalTime,
}

impl ConsoleHandover<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().console.done_title
    }

    fn failed(&self) -> bool {
        false
    }

    fn back(&self) -> Option<&str> {
        Some("/console/on-behalf/done")
    }
}
