//! Every sentence of the pages, written by hand in four languages.
//!
//! One struct holds them all, and one of its own each larger subject, in a folder with one file a
//! language. So a text that is missing in one language fails the build, and a unit test fails when
//! a text is no longer used. Texts carry no HTML. A few carry a placeholder
//! such as `{n}`, which [`fill`] replaces; values are escaped afterwards, by the template.
//!
//! How they are written: short words, short sentences, "you" in the polite form, never blaming,
//! and never a sentence that reads as permission to call.

mod asked;
mod console;
mod de;
mod en;
mod fr;
mod language;
mod letters;
mod nl;
mod own;
mod regions;
mod report;

use crate::domain::PhoneError;

pub use asked::AskedTexts;
pub use console::ConsoleTexts;
pub use de::DE;
pub use en::EN;
pub use fr::FR;
pub use language::Language;
pub use letters::LetterTexts;
pub use nl::NL;
pub use own::OwnTexts;
pub use regions::{Country, countries, country, example_numbers};
pub use report::ReportTexts;

/// Puts `value` where `text` says `{name}`. Text without that placeholder comes back unchanged.
pub fn fill(text: &str, name: &str, value: &str) -> String {
    text.replace(&format!("{{{name}}}"), value)
}

/// What a page says when something stopped the person: four short answers.
#[derive(Debug, Clone, Copy)]
pub struct MessageText {
    /// Heading and title of the page.
    pub title: &'static str,
    /// What happened.
    pub what: &'static str,
    /// What is kept, and what is not.
    pub kept: &'static str,
    /// What the person can do now.
    pub next: &'static str,
}

/// All texts of all pages in one language.
#[derive(Debug)]
pub struct Texts {
    // Around every page
    /// Link that jumps over the header.
    pub skip_link: &'static str,
    /// Name of the language switch, for screen readers.
    pub language_label: &'static str,
    /// Stands before the title of a page that reports a problem.
    pub error_prefix: &'static str,
    /// Name of the links at the foot of the page, for screen readers.
    pub footer_label: &'static str,
    /// Link to the form.
    pub form_link: &'static str,
    /// Link to the page that asks for the code.
    pub registration_link: &'static str,
    /// Stands before the contact address.
    pub contact_intro: &'static str,
    /// A label and what is said about it. Placeholders `{label}`, `{message}`.
    pub label_message: &'static str,

    // The form
    /// Heading of the form.
    pub form_title: &'static str,
    /// What the form does, in one or two sentences.
    pub form_lede: &'static str,
    /// It holds at once, but for what was planned before. Placeholder `{hours}`.
    pub promise_now: &'static str,
    /// No account, no reason, no proof.
    pub promise_free: &'static str,
    /// It changes nothing about contracts.
    pub promise_contracts: &'static str,
    /// Legend over the number boxes.
    pub numbers_legend: &'static str,
    /// Hint under that legend.
    pub numbers_hint: &'static str,
    /// Label of a single or first number box.
    pub number_label: &'static str,
    /// Label of a further number box. Placeholder `{n}`.
    pub number_label_more: &'static str,
    /// Added to the label of a box that may stay empty.
    pub optional: &'static str,
    /// How to write a number. Placeholders `{national}`, `{international}`.
    pub number_hint: &'static str,
    /// The same where only the international form is known. Placeholder `{international}`.
    pub number_hint_international: &'static str,
    /// Button that adds a number box.
    pub add_number: &'static str,
    /// Label of the choice of country.
    pub region_label: &'static str,
    /// Hint under it.
    pub region_hint: &'static str,
    /// Legend: for which companies.
    pub scope_legend: &'static str,
    /// Choice: all companies.
    pub scope_all: &'static str,
    /// What that choice covers.
    pub scope_all_hint: &'static str,
    /// Choice: only some companies.
    pub scope_chosen: &'static str,
    /// Legend over the list of companies.
    pub sellers_legend: &'static str,
    /// Legend: calls, texts or both.
    pub channels_legend: &'static str,
    /// Choice: phone calls.
    pub channel_voice: &'static str,
    /// Choice: text messages.
    pub channel_text: &'static str,
    /// The main button of the form.
    pub review_button: &'static str,
    /// What follows after that button.
    pub review_button_hint: &'static str,
    /// Heading over the limits.
    pub limits_title: &'static str,
    /// It binds the companies that use this register.
    pub limits_register: &'static str,
    /// An earlier answer may still be used. Placeholder `{hours}`.
    pub limits_earlier: &'static str,
    /// What is kept of the person.
    pub limits_privacy: &'static str,
    /// Heading of the way to an existing registration.
    pub have_code_title: &'static str,

    // What is wrong with the form
    /// Heading of the list of problems.
    pub summary_title: &'static str,
    /// What was typed is still there.
    pub summary_kept: &'static str,
    /// No number was given.
    pub error_no_number: &'static str,
    /// More numbers than fit one registration. Placeholder `{n}`.
    pub error_too_many_numbers: &'static str,
    /// "Only some companies", but none chosen.
    pub error_no_company: &'static str,
    /// More companies than one registration may name. Placeholder `{n}`.
    pub error_too_many_companies: &'static str,
    /// Neither calls nor texts chosen.
    pub error_no_channel: &'static str,
    /// A box that should hold a number is empty.
    pub phone_empty: &'static str,
    /// Too many signs.
    pub phone_too_long: &'static str,
    /// Letters among the digits.
    pub phone_letters: &'static str,
    /// Signs that no phone number has.
    pub phone_not_a_number: &'static str,
    /// It cannot be told which country the number is of.
    pub phone_needs_region: &'static str,
    /// No such number in that country's plan.
    pub phone_not_valid: &'static str,
    /// An emergency or short number.
    pub phone_emergency_or_short: &'static str,
    /// An extension, or something else behind the number.
    pub phone_extension: &'static str,
    /// Two numbers in one box.
    pub phone_two_numbers: &'static str,
    /// A number that exists in more than one country, written without the country.
    pub phone_ambiguous: &'static str,

    // The check page
    /// Heading.
    pub review_title: &'static str,
    /// What to do here.
    pub review_lede: &'static str,
    /// The same number was given twice.
    pub review_merged: &'static str,
    /// The main button.
    pub confirm_button: &'static str,
    /// Back to the form, with what was typed.
    pub change_button: &'static str,

    // Facts of a registration, on several pages
    /// Label: the numbers.
    pub label_numbers: &'static str,
    /// Label: for which companies.
    pub label_companies: &'static str,
    /// Label: calls, texts or both.
    pub label_channels: &'static str,
    /// Label: since when it holds.
    pub label_since: &'static str,
    /// Label: since when it held, once it is withdrawn.
    pub label_held_since: &'static str,
    /// Label: until when it held.
    pub label_stopped: &'static str,
    /// Label: whether it holds.
    pub label_state: &'static str,
    /// Scope: all companies.
    pub companies_all: &'static str,

    // The done page
    /// Heading.
    pub done_title: &'static str,
    /// One sentence under it.
    pub done_lede: &'static str,
    /// Heading over the code.
    pub code_title: &'static str,
    /// Keep it, and how.
    pub code_keep: &'static str,
    /// We cannot find it again.
    pub code_only: &'static str,
    /// Stands before the address to come back to.
    pub code_where: &'static str,
    /// The same time for machines and files. Placeholder `{time}`.
    pub exact_time: &'static str,
    /// Heading over what happens now.
    pub now_title: &'static str,
    /// Whoever asks is told (all companies). Placeholder `{for}`.
    pub now_told_all: &'static str,
    /// Whoever asks for these companies is told. Placeholder `{for}`.
    pub now_told_chosen: &'static str,
    /// For `{for}`: about calls alone.
    pub now_for_calls: &'static str,
    /// For `{for}`: about texts alone.
    pub now_for_texts: &'static str,
    /// An earlier answer may still be used. Placeholders `{hours}`, `{until}`.
    pub now_earlier: &'static str,
    /// It holds until the person stops it.
    pub now_lasts: &'static str,
    /// Heading over what to do after an unwanted call.
    pub still_title: &'static str,
    /// First step: ask who calls.
    pub still_ask: &'static str,
    /// Second step: write down when.
    pub still_note: &'static str,
    /// Third step: report the call.
    pub still_code: &'static str,
    /// Last step: the authority of the country.
    pub still_authority: &'static str,
    /// Link from here to the registration.
    pub see_registration: &'static str,
    /// Heading: other people use this device too.
    pub leave_title: &'static str,
    /// What the button below does.
    pub leave_text: &'static str,
    /// Button that closes the visit.
    pub leave_button: &'static str,

    // With the code
    /// Heading of the page that asks for the code.
    pub login_title: &'static str,
    /// What it is for.
    pub login_lede: &'static str,
    /// Label of the box.
    pub code_label: &'static str,
    /// How to type the code.
    pub code_hint: &'static str,
    /// Button.
    pub login_button: &'static str,
    /// The box was empty.
    pub error_code_empty: &'static str,
    /// No registration has this code.
    pub error_code_unknown: &'static str,
    /// Heading: the code is lost.
    pub lost_title: &'static str,
    /// What then.
    pub lost_text: &'static str,
    /// Heading of the registration.
    pub registration_title: &'static str,
    /// State: it holds.
    pub state_active: &'static str,
    /// State: withdrawn.
    pub state_withdrawn: &'static str,
    /// Heading of the way out.
    pub withdraw_title: &'static str,
    /// What withdrawing does.
    pub withdraw_text: &'static str,
    /// Button.
    pub withdraw_button: &'static str,
    /// Heading of the notice after it.
    pub withdrawn_title: &'static str,
    /// What that means.
    pub withdrawn_text: &'static str,

    // When something stops the person
    /// Heading over what is kept.
    pub message_kept: &'static str,
    /// Heading over what to do now.
    pub message_next: &'static str,
    /// The number to mention when asking for help. Placeholder `{id}`.
    pub message_id: &'static str,
    /// Button: what could not be taken is sent once more.
    pub again_button: &'static str,
    /// There is no such page.
    pub not_found: MessageText,
    /// Too many requests from this connection. Placeholder `{wait}` in `next`.
    pub too_many_requests: MessageText,
    /// A little patience is asked for. Placeholder `{wait}` in `next`.
    pub patience: MessageText,
    /// The store does not answer.
    pub register_away: MessageText,
    /// The visit with the code is over.
    pub session_over: MessageText,
    /// The form stood open too long.
    pub form_expired: MessageText,
    /// What was typed is no longer kept.
    pub draft_gone: MessageText,
    /// The browser sent no cookie.
    pub cookies_off: MessageText,
    /// The form was sent from another site.
    pub forbidden_origin: MessageText,
    /// What was sent could not be read.
    pub bad_request: MessageText,
    /// Anything else.
    pub broken: MessageText,

    // Times
    /// One second.
    pub second_one: &'static str,
    /// Several seconds. Placeholder `{n}`.
    pub second_many: &'static str,
    /// One minute.
    pub minute_one: &'static str,
    /// Several minutes. Placeholder `{n}`.
    pub minute_many: &'static str,
    /// One hour.
    pub hour_one: &'static str,
    /// Several hours. Placeholder `{n}`.
    pub hour_many: &'static str,
    /// A date and a time of day. Placeholders `{weekday}`, `{day}`, `{month}`, `{year}`, `{h}`
    /// (hour), `{hh}` (hour in two digits), `{mm}` (minutes in two digits).
    pub date_time: &'static str,
    /// A date alone. Placeholders as in `date_time`.
    pub date: &'static str,
    /// A day without its year. Placeholders `{day}`, `{month}`.
    pub day_of_year: &'static str,
    /// A time of day alone. Placeholders as in `date_time`.
    pub time_of_day: &'static str,
    /// How the first day of a month is written.
    pub first_of_month: &'static str,
    /// January to December.
    pub months: [&'static str; 12],
    /// Monday to Sunday.
    pub weekdays: [&'static str; 7],
    /// Central European Time, in winter.
    pub zone_cet: &'static str,
    /// Central European Time, in summer.
    pub zone_cest: &'static str,
    /// Coordinated Universal Time.
    pub zone_utc: &'static str,

    // Subjects of their own
    /// Who asked about a number.
    pub asked: AskedTexts,
    /// A person's own registration.
    pub own: OwnTexts,
    /// Reporting a call.
    pub report: ReportTexts,
    /// Letters, and the form that asks for one.
    letters: LetterTexts,
    /// The console.
    pub console: ConsoleTexts,
}

impl Texts {
    /// What is wrong with a number, and how to write it.
    pub fn phone_error(&self, error: PhoneError) -> &'static str {
        match error {
            PhoneError::Empty => self.phone_empty,
            PhoneError::TooLong => self.phone_too_long,
            PhoneError::Letters => self.phone_letters,
            PhoneError::NotANumber | PhoneError::Scientific | PhoneError::Address => {
                self.phone_not_a_number
            }
            PhoneError::Extension | PhoneError::Decimal => self.phone_extension,
            PhoneError::TwoNumbers => self.phone_two_numbers,
            PhoneError::NeedsRegion => self.phone_needs_region,
            PhoneError::NotValid => self.phone_not_valid,
            PhoneError::Ambiguous => self.phone_ambiguous,
            PhoneError::EmergencyOrShort => self.phone_emergency_or_short,
        }
    }

    /// Letters, and the form that asks for one.
    pub const fn letters(&self) -> &LetterTexts {
        &self.letters
    }

    /// A number of hours in words: "1 hour", "24 hours".
    pub fn hours(&self, hours: u32) -> String {
        count(self.hour_one, self.hour_many, u64::from(hours))
    }

    /// How long to wait, rounded up to what a person can use: seconds below a minute, minutes
    /// below an hour, hours from there. Zero counts as one second.
    pub fn wait(&self, seconds: u64) -> String {
        match seconds {
            0..60 => count(self.second_one, self.second_many, seconds.max(1)),
            60..3541 => count(self.minute_one, self.minute_many, seconds.div_ceil(60)),
            _ => count(self.hour_one, self.hour_many, seconds.div_ceil(3600)),
        }
    }
}

impl LetterTexts {
    /// A number of days in words: "1 day", "14 days".
    pub fn days(&self, days: u32) -> String {
        count(self.day_one, self.day_many, u64::from(days))
    }
}

fn count(one: &'static str, many: &str, n: u64) -> String {
    if n == 1 {
        one.to_owned()
    } else {
        fill(many, "n", &n.to_string())
    }
}

#[cfg(test)]
mod tests;
