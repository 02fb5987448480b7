//! The form on which a person says which numbers are to be left alone.

use askama::Template;

use super::super::texts::{Country, Language, countries, country, example_numbers, fill};
use super::{Channels, Frame, Notice, Problem};
use crate::domain::{MOST_SELLERS, PhoneError};

/// One box for a number on the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberBox<'a> {
    /// What was typed.
    pub value: &'a str,
    /// What is wrong with it.
    pub error: Option<PhoneError>,
}

/// One company on the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SellerChoice<'a> {
    /// Its identifier.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether it is chosen.
    pub checked: bool,
}

/// What is wrong with the form as a whole. Numbers carry their own error, in [`NumberBox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// Every box is empty.
    NoNumber,
    /// More numbers than one registration may hold.
    TooManyNumbers {
        /// The most it may hold.
        max: usize,
    },
    /// "Only companies that I choose", and none chosen.
    NoCompany,
    /// More companies than one registration may name.
    TooManyCompanies,
    /// Neither calls nor texts.
    NoChannel,
}

/// What can be wrong with the choices below the numbers, and the field that mends it, in the order of
/// the fields.
pub(super) const CHOICES: [(FormError, &str); 3] = [
    (FormError::TooManyCompanies, "scope-all"),
    (FormError::NoCompany, "seller-1"),
    (FormError::NoChannel, "channel-voice"),
];

/// `GET /`, and `GET /opt-out` with what was typed.
#[derive(Debug, Template)]
#[template(path = "opt_out.html")]
pub struct OptOutForm<'a> {
    /// Around the page.
    pub frame: Frame<'a>,
    /// Ties the form to this browser.
    pub token: &'a str,
    /// The number boxes, at least one.
    pub boxes: Vec<NumberBox<'a>>,
    /// Whether a box may be added.
    pub can_add: bool,
    /// Whether the last box has just been added: that is where its owner goes on.
    pub focus_last: bool,
    /// The chosen country (ISO 3166-1 alpha-2).
    pub region: &'a str,
    /// Only chosen companies (`true`) or all (`false`).
    pub only_chosen: bool,
    /// The companies to choose from. Empty: the choice is left out.
    pub sellers: Vec<SellerChoice<'a>>,
    /// Calls, texts or both.
    pub channels: Channels,
    /// Hours for which a company may use an answer.
    pub validity_hours: u32,
    /// What is wrong with the form as a whole.
    pub errors: Vec<FormError>,
    /// Why the form comes again.
    pub notice: Option<Notice>,
}

impl OptOutForm<'_> {
    fn title(&self) -> &'static str {
        self.frame.texts().form_title
    }

    fn failed(&self) -> bool {
        self.notice.is_some() || !self.problems().is_empty()
    }

    fn back(&self) -> Option<&str> {
        None
    }

    fn number_label(&self, index: usize) -> String {
        let texts = self.frame.texts();
        match index {
            0 if self.boxes.len() == 1 => texts.number_label.to_owned(),
            _ => fill(texts.number_label_more, "n", &(index + 1).to_string()),
        }
    }

    pub(super) fn number_hint(&self) -> String {
        number_hint(self.frame, self.region)
    }

    pub(super) fn countries(&self) -> &'static [Country] {
        countries(self.frame.language)
    }

    pub(super) fn region_is_listed(&self) -> bool {
        country(self.region).is_some()
    }

    fn promise_now(&self) -> String {
        let texts = self.frame.texts();
        fill(
            texts.promise_now,
            "hours",
            &texts.hours(self.validity_hours),
        )
    }

    fn limits_earlier(&self) -> String {
        let texts = self.frame.texts();
        fill(
            texts.limits_earlier,
            "hours",
            &texts.hours(self.validity_hours),
        )
    }

    pub(super) fn has(&self, error: FormError) -> bool {
        self.errors.contains(&error)
    }

    pub(super) fn form_error(&self, error: FormError) -> String {
        let texts = self.frame.texts();
        match error {
            FormError::NoNumber => on_one_line(texts.error_no_number),
            FormError::TooManyNumbers { max } => {
                fill(texts.error_too_many_numbers, "n", &max.to_string())
            }
            FormError::NoCompany => texts.error_no_company.to_owned(),
            FormError::TooManyCompanies => fill(
                texts.error_too_many_companies,
                "n",
                &MOST_SELLERS.to_string(),
            ),
            FormError::NoChannel => texts.error_no_channel.to_owned(),
        }
    }

    /// What is wrong with the chosen companies.
    pub(super) fn companies_error(&self) -> Option<String> {
        let errors = [FormError::NoCompany, FormError::TooManyCompanies];
        let error = errors.into_iter().find(|error| self.has(*error))?;
        Some(self.form_error(error))
    }

    /// What is wrong with the numbers together.
    pub(super) fn numbers_error(&self) -> Option<String> {
        let about_numbers = |error: &&FormError| {
            matches!(
                error,
                FormError::NoNumber | FormError::TooManyNumbers { .. }
            )
        };
        self.errors
            .iter()
            .find(about_numbers)
            .map(|error| self.form_error(*error))
    }

    /// What is wrong with a box, if anything. That no number was given is said at the first box.
    pub(super) fn box_error(&self, index: usize) -> Option<String> {
        match self.boxes.get(index)?.error {
            Some(error) => Some(on_one_line(self.frame.texts().phone_error(error))),
            None if index == 0 => self.numbers_error(),
            None => None,
        }
    }

    /// The list at the top of the page, in the order of the fields.
    fn problems(&self) -> Vec<Problem> {
        let texts = self.frame.texts();
        let boxes = (0..self.boxes.len()).filter_map(|index| {
            let error = self.box_error(index)?;
            let label = fill(texts.label_message, "label", &self.number_label(index));
            let named = self.boxes[index].error.is_some() && self.boxes.len() > 1;
            let message = if named {
                fill(&label, "message", &error)
            } else {
                error
            };
            Some(Problem {
                field: format!("number-{}", index + 1),
                message,
            })
        });
        let rest = CHOICES
            .into_iter()
            .filter(|(error, _)| self.has(*error))
            .map(|(error, field)| Problem {
                field: field.to_owned(),
                message: self.form_error(error),
            });
        let first_is_wrong = self
            .boxes
            .first()
            .is_some_and(|number| number.error.is_some());
        let together = self.numbers_error().filter(|_| first_is_wrong);
        let together = together.map(|message| Problem {
            field: "number-1".to_owned(),
            message,
        });
        together.into_iter().chain(boxes).chain(rest).collect()
    }
}

/// How to write a number of a country.
pub(super) fn number_hint(frame: Frame<'_>, region: &str) -> String {
    let texts = frame.texts();
    let (national, international) = example_numbers(region);
    let text = match national {
        Some(national) => fill(texts.number_hint, "national", &on_one_line(national)),
        None => texts.number_hint_international.to_owned(),
    };
    fill(&text, "international", &on_one_line(international))
}

/// The text with its phone numbers kept on one line: a blank after a digit stays unbroken if a
/// digit follows.
pub(super) fn on_one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    let mut after_digit = false;
    while let Some(c) = chars.next() {
        let before_digit = chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if c == ' ' && after_digit && before_digit {
            '\u{a0}'
        } else {
            c
        });
        after_digit = c.is_ascii_digit() || c == ')';
    }
    out
}
