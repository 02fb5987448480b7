//! The small form that asks for a letter.

use askama::Template;

use super::super::texts::{Language, LetterTexts, fill};
use super::{Frame, Notice, Problem};

/// What is wrong with an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    /// The box is empty.
    Empty,
    /// It is not an address.
    Wrong,
}

/// How far the letter is that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is being sent.
    OnItsWay,
    /// The mail server does not take it.
    Delayed,
    /// The mail server will never take it.
    Refused,
    /// The mail server has taken it.
    Sent,
}

/// The form, wherever it stands.
#[derive(Debug, Clone, Copy)]
pub struct MailForm<'a> {
    /// Ties the form to this browser.
    pub token: &'a str,
    /// What was typed.
    pub typed: &'a str,
    /// What is wrong with it.
    pub error: Option<AddressError>,
    /// How far an earlier letter is.
    pub progress: Option<Progress>,
    /// After so many days the second letter goes, if there is one.
    pub days: Option<u32>,
}

impl MailForm<'_> {
    pub(super) fn usage(&self, texts: &LetterTexts) -> String {
        match self.days {
            Some(days) => fill(texts.ask_use, "days", &texts.days(days)),
            None => texts.ask_use_once.to_owned(),
        }
    }

    pub(super) fn message(&self, texts: &LetterTexts) -> Option<&'static str> {
        self.error.map(|error| match error {
            AddressError::Empty => texts.address_empty,
            AddressError::Wrong => texts.address_wrong,
        })
    }

    pub(super) fn progress(&self, texts: &LetterTexts) -> Option<&'static str> {
        self.progress.map(|progress| match progress {
            Progress::OnItsWay => texts.on_its_way,
            Progress::Delayed => texts.is_delayed,
            Progress::Refused => texts.was_refused,
            Progress::Sent => texts.was_sent,
        })
    }
}

/// The form on a page of its own: when something about it was not right.
#[derive(Debug, Template)]
#[template(path = "mail.html")]
pub struct Mail<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// The form.
    pub mail: MailForm<'a>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl Mail<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().letters().ask_title
    }

    fn failed(&self) -> bool {
        true
    }

    fn back(&self) -> Option<&str> {
        Some("/done")
    }

    fn problems(&self) -> Vec<Problem> {
        let problem = |message: &str| Problem {
            field: "mail-address".to_owned(),
            message: message.to_owned(),
        };
        let message = self.mail.message(self.frame.texts().letters());
        message.map(problem).into_iter().collect()
    }
}
