//! With the code: see a registration, and stop it.

use askama::Template;

use super::super::moment::LocalTime;
use super::super::texts::{Country, Language, countries, country, fill};
use super::form::number_hint;
use super::{Companies, Facts, Frame, Notice, Problem};
use crate::domain::PhoneError;
use crate::service::Deed;

/// What is wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeError {
    /// The box is empty.
    Empty,
    /// No registration has this code, or it is not a code at all.
    Unknown,
}

/// Where people go once their code is open, if not to their registration. Only to pages of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Reporting a call.
    Report,
    /// The calls that were reported.
    Reports,
    /// Who asked about the numbers.
    Asked,
}

impl Next {
    /// Reads the word of an address or a form; `None` for any other.
    pub fn parse(word: &str) -> Option<Next> {
        match word {
            "report" => Some(Next::Report),
            "reports" => Some(Next::Reports),
            "asked" => Some(Next::Asked),
            _ => None,
        }
    }

    /// That word.
    pub fn word(self) -> &'static str {
        match self {
            Next::Report => "report",
            Next::Reports => "reports",
            Next::Asked => "asked",
        }
    }

    /// The page.
    pub fn path(self) -> &'static str {
        match self {
            Next::Report => "/report",
            Next::Reports => "/reports",
            Next::Asked => "/registration/asked",
        }
    }
}

/// `GET /registration` without a visit: the box for the code.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct RegistrationLogin<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the form to this browser.
    pub token: &'a str,
    /// What was typed.
    pub typed: &'a str,
    /// What is wrong with it.
    pub error: Option<CodeError>,
    /// Where the code leads.
    pub next: Option<Next>,
    /// Path of the script that takes a code from the address.
    pub script: &'a str,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl RegistrationLogin<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().login_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some() || self.error.is_some()
    }

    fn back(&self) -> Option<&str> {
        Some(match self.next {
            None => "/registration",
            Some(Next::Report) => "/registration?next=report",
            Some(Next::Reports) => "/registration?next=reports",
            Some(Next::Asked) => "/registration?next=asked",
        })
    }

    fn code_error(&self) -> Option<&'static str> {
        let texts = self.frame.texts();
        self.error.map(|error| match error {
            CodeError::Empty => texts.error_code_empty,
            CodeError::Unknown => texts.error_code_unknown,
        })
    }

    fn problems(&self) -> Vec<Problem> {
        let problem = |message: &str| Problem {
            field: "reference".to_owned(),
            message: message.to_owned(),
        };
        self.code_error().map(problem).into_iter().collect()
    }
}

/// Something that was done with a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: LocalTime,
    /// What, with the company's name if it is about one.
    pub what: Deed,
    /// That name.
    pub company: String,
}

/// What is wrong with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeError {
    /// The number cannot be read.
    Number(PhoneError),
    /// There is no room for another number.
    Full {
        /// The most there is room for.
        max: usize,
    },
    /// There is no room for another company.
    FullOfCompanies {
        /// The most there is room for.
        max: usize,
    },
    /// No company was chosen.
    NoCompany,
    /// The withdrawal is too long ago to be undone.
    TooLate,
}

/// `GET /registration` with a visit.
#[derive(Debug, Template)]
#[template(path = "registration.html")]
pub struct Registration<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the forms to this browser.
    pub token: &'a str,
    /// What is registered.
    pub facts: Facts<'a>,
    /// Since when it holds, or held.
    pub since: LocalTime,
    /// When it was withdrawn; `None` while it holds.
    pub withdrawn: Option<LocalTime>,
    /// Until when that can be undone.
    pub undo_until: Option<LocalTime>,
    /// For how many hours a withdrawal can be undone.
    pub undo_hours: u32,
    /// What was done with it, the oldest first.
    pub history: Vec<Happened>,
    /// Whether to say that the last of it was done just now.
    pub news: bool,
    /// Its numbers, as forms send them.
    pub numbers: Vec<String>,
    /// How many numbers there is room for.
    pub max_numbers: usize,
    /// The chosen companies: id and name.
    pub chosen: Vec<(String, String)>,
    /// The other companies: id and name. Empty when it holds for all.
    pub others: Vec<(String, String)>,
    /// What was typed as one more number.
    pub typed: &'a str,
    /// The chosen country of that number (ISO 3166-1 alpha-2).
    pub region: &'a str,
    /// What is wrong with a change.
    pub error: Option<ChangeError>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl Registration<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().registration_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some() || self.error.is_some()
    }

    fn back(&self) -> Option<&str> {
        Some("/registration")
    }

    fn told(&self, happened: &Happened) -> String {
        let own = &self.frame.texts().own;
        let text = match happened.what {
            Deed::Made => own.event_made,
            Deed::NumberAdded => own.event_number_added,
            Deed::NumberRemoved => own.event_number_removed,
            Deed::CompanyAdded => own.event_company_added,
            Deed::CompanyRemoved => own.event_company_removed,
            Deed::Withdrawn => own.event_withdrawn,
            Deed::TakenUp => own.event_taken_up,
        };
        fill(text, "company", &happened.company)
    }

    /// The news after a change. A withdrawal has a notice of its own.
    fn fresh(&self) -> Option<&Happened> {
        let last = self.history.last()?;
        (self.news && self.withdrawn.is_none()).then_some(last)
    }

    fn error_text(&self) -> Option<String> {
        let texts = self.frame.texts();
        self.error.map(|error| match error {
            ChangeError::Number(error) => texts.phone_error(error).to_owned(),
            ChangeError::Full { max } => fill(texts.own.full, "n", &max.to_string()),
            ChangeError::FullOfCompanies { max } => {
                fill(texts.own.full_of_companies, "n", &max.to_string())
            }
            ChangeError::NoCompany => texts.own.error_company.to_owned(),
            ChangeError::TooLate => texts.own.error_too_late.to_owned(),
        })
    }

    fn number_error(&self) -> Option<String> {
        let about_number = matches!(self.error, Some(ChangeError::Number(_)));
        about_number.then(|| self.error_text()).flatten()
    }

    fn company_error(&self) -> Option<String> {
        let about_company = matches!(self.error, Some(ChangeError::NoCompany));
        about_company.then(|| self.error_text()).flatten()
    }

    fn problems(&self) -> Vec<Problem> {
        let field = match self.error {
            Some(ChangeError::Number(_)) => "number",
            Some(ChangeError::NoCompany) => "company",
            // What leads to no field has a notice of its own.
            _ => return Vec::new(),
        };
        let message = self.error_text().into_iter();
        let problems = message.map(|message| Problem {
            field: field.to_owned(),
            message,
        });
        problems.collect()
    }

    /// What went wrong without a field to mend.
    fn refused(&self) -> Option<String> {
        match self.error {
            Some(
                ChangeError::Full { .. }
                | ChangeError::FullOfCompanies { .. }
                | ChangeError::TooLate,
            ) => self.error_text(),
            _ => None,
        }
    }

    fn is_full(&self) -> bool {
        self.numbers.len() >= self.max_numbers
    }

    fn full(&self) -> String {
        let own = &self.frame.texts().own;
        fill(own.full, "n", &self.max_numbers.to_string())
    }

    fn remove_number(&self, place: &usize) -> String {
        let number = self.facts.numbers.get(*place);
        let shown = number.map_or("", |number| number.international);
        fill(self.frame.texts().own.remove_number, "number", shown)
    }

    fn remove_company(&self, name: &str) -> String {
        fill(self.frame.texts().own.remove_company, "company", name)
    }

    fn number_hint(&self) -> String {
        number_hint(self.frame, self.region)
    }

    fn countries(&self) -> &'static [Country] {
        countries(self.frame.language)
    }

    fn region_is_listed(&self) -> bool {
        country(self.region).is_some()
    }

    fn undo(&self, until: &LocalTime) -> String {
        let texts = self.frame.texts();
        fill(texts.own.undo_text, "until", &until.words(texts))
    }

    fn withdraw_undo(&self) -> String {
        let texts = self.frame.texts();
        let hours = texts.hours(self.undo_hours);
        fill(texts.own.withdraw_undo, "hours", &hours)
    }
}
