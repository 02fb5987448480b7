//! Who asked about the numbers of a registration.

use askama::Template;

use super::super::moment::LocalTime;
use super::super::texts::{Language, fill};
use super::{Channels, Frame};

/// One question.
#[derive(Debug, Clone)]
pub struct Line {
    /// When.
    pub at: LocalTime,
    /// Who asked for whom, and what they were told; in the reader's language.
    pub said: String,
    /// Whether the answer was not to call.
    pub suppress: bool,
}

/// The questions of one day, the newest first.
#[derive(Debug, Clone)]
pub struct Day {
    /// The day, in the reader's language.
    pub day: String,
    /// The questions.
    pub lines: Vec<Line>,
}

/// What was asked about one number.
#[derive(Debug, Clone)]
pub struct OfNumber {
    /// In international form.
    pub number: String,
    /// Since when it is with this registration, if it came in later.
    pub since: Option<LocalTime>,
    /// The picture of questions over time; empty where there are none.
    pub plot: String,
    /// The newest day first.
    pub days: Vec<Day>,
}

/// `GET /registration/asked`.
#[derive(Debug, Template)]
#[template(path = "asked.html")]
pub struct Asked<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the forms to this browser.
    pub token: &'a str,
    /// Whether the opt-out is for all companies.
    pub all_companies: bool,
    /// Calls, texts or both.
    pub channels: Channels,
    /// Since when questions are shown.
    pub since: LocalTime,
    /// Each number of the registration.
    pub numbers: Vec<OfNumber>,
    /// How many lines each number has at most, if there were more.
    pub cut: Option<usize>,
}

impl Asked<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().asked.asked_title
    }

    fn failed(&self) -> bool {
        false
    }

    fn back(&self) -> Option<&str> {
        Some("/registration/asked")
    }

    /// What the page shows, and what it does not.
    fn shows(&self) -> String {
        let texts = &self.frame.texts().asked;
        let shown = match self.all_companies {
            true => texts.asked_all,
            false => texts.asked_chosen,
        };
        match (self.channels.voice, self.channels.text) {
            (true, false) => format!("{shown} {}", texts.asked_only_calls),
            (false, true) => format!("{shown} {}", texts.asked_only_texts),
            _ => shown.to_owned(),
        }
    }

    fn begins(&self) -> String {
        let texts = self.frame.texts();
        fill(texts.asked.asked_since, "since", &self.since.words(texts))
    }

    fn more(&self, shown: &usize) -> String {
        fill(self.frame.texts().asked.asked_more, "n", &shown.to_string())
    }
}
