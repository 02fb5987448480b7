//! With the code: see a registration, and stop it.

use askama::Template;

use super::super::moment::Moment;
use super::super::texts::Language;
use super::{Companies, Facts, Frame, Notice, Problem};

/// What is wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeError {
    /// The box is empty.
    Empty,
    /// No registration has this code, or it is not a code at all.
    Unknown,
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
        Some("/registration")
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
    pub since: Moment,
    /// When it was withdrawn; `None` while it holds.
    pub withdrawn: Option<Moment>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl Registration<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().registration_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some()
    }

    fn back(&self) -> Option<&str> {
        Some("/registration")
    }
}
