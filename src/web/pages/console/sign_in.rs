//! Signing in to the console.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::super::super::texts::Language;
use super::super::{Frame, Notice, Problem};

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyError {
    /// The box is empty.
    Empty,
    /// It is none, or counts no longer.
    Unknown,
    /// It is a dialler's.
    Dialler,
}

/// `GET /console` without a session: the box for the key.
#[derive(Debug, Template)]
#[template(path = "console_sign_in.html")]
pub struct ConsoleSignIn<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the form to this browser.
    pub token: &'a str,
    /// What was typed on another page, and that page.
    pub carried: Vec<(&'a str, &'a str)>,
    /// Whether a session is over.
    pub over: bool,
    /// What is wrong with the key.
    pub error: Option<KeyError>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

impl ConsoleSignIn<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().console.sign_in_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some() || self.error.is_some() || self.over
    }

    fn back(&self) -> Option<&str> {
        // What is carried along goes with the form.
        self.carried.is_empty().then_some("/console")
    }

    fn key_error(&self) -> Option<&'static str> {
        let texts = &self.frame.texts().console;
        self.error.map(|error| match error {
            KeyError::Empty => texts.error_key_empty,
            KeyError::Unknown => texts.error_key_unknown,
            KeyError::Dialler => texts.error_key_dialler,
        })
    }

    fn problems(&self) -> Vec<Problem> {
        let problem = |message: &str| Problem {
            field: "key".to_owned(),
            message: message.to_owned(),
        };
        self.key_error().map(problem).into_iter().collect()
    }
}
