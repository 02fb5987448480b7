//! After the form: everything once more, and then the code.

use std::time::Duration;

use askama::Template;

use super::super::moment::LocalTime;
use super::super::qr::Drawing;
use super::super::texts::{Language, fill};
use super::{Companies, Facts, Frame, MailForm, Notice};

/// The page on which everything is seen once more, before it counts.
#[derive(Debug, Template)]
#[template(path = "review.html")]
pub struct Review<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the form to this browser.
    pub token: &'a str,
    /// What will be registered.
    pub facts: Facts<'a>,
    /// Whether the same number was given more than once.
    pub merged: bool,
    /// The form as it was typed, for hidden fields: `number`, `region`, `scope`, `seller`, `channel`.
    pub typed: Vec<(&'a str, &'a str)>,
    /// What is asked of somebody who might be a program, and the path of the script that does it.
    pub patience: Option<Patience>,
    /// Why the page comes again.
    pub notice: Option<Notice>,
}

/// A little patience that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// What the form carries along.
    pub asked: String,
    /// With how many zero bits the work's hash begins.
    pub bits: u32,
    /// Where the script is.
    pub script: String,
}

impl Review<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().review_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some()
    }

    fn back(&self) -> Option<&str> {
        None
    }
}

/// `GET /done`: the code, and what happens now.
#[derive(Debug, Template)]
#[template(path = "done.html")]
pub struct Done<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the form to this browser.
    pub token: &'a str,
    /// The code, `XXXX-XXXX-XXXX-XXXX`.
    pub reference: &'a str,
    /// What was registered.
    pub facts: Facts<'a>,
    /// Since when it holds.
    pub since: LocalTime,
    /// Hours for which a company may use an answer it got before.
    pub validity_hours: u32,
    /// The form for a letter, where there is mail.
    pub mail: Option<MailForm<'a>>,
    /// The way back as a QR code, where the register knows its address.
    pub way_back: Option<Drawing>,
}

impl Done<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().done_title
    }

    fn failed(&self) -> bool {
        false
    }

    fn back(&self) -> Option<&str> {
        Some("/done")
    }

    /// The code in two parts, so that a narrow screen breaks it in the middle and nowhere else.
    fn code_halves(&self) -> [&str; 2] {
        let middle = self
            .reference
            .match_indices('-')
            .nth(1)
            .map_or(self.reference.len(), |(at, _)| at + 1);
        let (first, second) = self.reference.split_at(middle);
        [first, second]
    }

    /// Each group of the code, and how to say it on the telephone.
    fn spelled(&self) -> Vec<(&str, String)> {
        let own = &self.frame.texts().own;
        let groups: Vec<&str> = self.reference.split('-').collect();
        let last = groups.len().saturating_sub(1);
        let spell = |(place, group): (usize, &&str)| {
            let mut words: Vec<&str> = group.chars().map(|sign| own.spell(sign)).collect();
            if place < last {
                words.push(own.dash);
            }
            words.join(", ")
        };
        let words: Vec<String> = groups.iter().enumerate().map(spell).collect();
        groups.into_iter().zip(words).collect()
    }

    fn told(&self) -> String {
        let texts = self.frame.texts();
        let text = match self.facts.companies {
            Companies::All => texts.now_told_all,
            Companies::Chosen(_) => texts.now_told_chosen,
        };
        let about = match (self.facts.channels.voice, self.facts.channels.text) {
            (true, false) => texts.now_for_calls,
            (false, true) => texts.now_for_texts,
            _ => "",
        };
        fill(text, "for", about)
    }

    fn earlier(&self) -> String {
        let texts = self.frame.texts();
        let until = self
            .since
            .later(Duration::from_secs(u64::from(self.validity_hours) * 3600))
            .words(texts);
        fill(
            &fill(
                texts.now_earlier,
                "hours",
                &texts.hours(self.validity_hours),
            ),
            "until",
            &until,
        )
    }
}
