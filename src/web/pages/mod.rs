//! The pages as views: plain data in, HTML out through [`askama::Template::render`].
//!
//! A view decides nothing and looks nothing up. Everything that came from a person is escaped by
//! the template. The pages work without scripts and load only the style sheet and the icon.

mod asked;
mod console;
mod form;
mod mail;
mod message;
mod opt_out;
mod registration;
mod report;

use serde::{Deserialize, Serialize};

use super::texts::{Language, MessageText, Texts, country, fill};

pub use asked::{Asked, Day, Line, OfNumber};
pub use console::{
    AgencyCount, AgencyLine, AnswerBox, AnswerError, CompanyLine, ConsoleAgencies, ConsoleFigures,
    ConsoleHandover, ConsoleOnBehalf, ConsoleOverview, ConsoleReport, ConsoleReports, ConsoleRole,
    ConsoleSignIn, FigureDay, FilterForm, KeyError, KeyLine, Nav, OverdueCompany, ReportLine,
};
pub use form::{FormError, NumberBox, OptOutForm, SellerChoice};
pub use mail::{AddressError, Mail, MailForm, Progress};
pub use message::{Again, Message, MessageKind};
pub use opt_out::{Done, Patience, Review};
pub use registration::{ChangeError, CodeError, Happened, Next, Registration, RegistrationLogin};
pub use report::{
    Listed, OwnNumber, Report, ReportError, ReportForm, Reports, SURE, ShownCheck, finding_text,
    state_text,
};

/// What all pages of this register share. Made once, at start.
#[derive(Debug, Clone)]
pub struct Site {
    /// The register's name.
    pub name: String,
    /// How to reach a person, if settings say so.
    pub contact: Option<Contact>,
    /// Where people find the register, such as `https://metrust.example`, without a slash at the
    /// end. Shown beside the code, for those who come back from paper.
    pub address: Option<String>,
    /// Path of the style sheet, with the hash of its content.
    pub style_href: String,
    /// Path of the icon.
    pub icon_href: String,
}

/// How to reach a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What the page shows.
    pub text: String,
    /// Where the link goes; `None` for plain text such as a postal address.
    pub href: Option<String>,
}

impl Contact {
    /// Reads the setting: a web address (`https://` or `http://`), an e-mail address, or any other
    /// text, which is shown without a link. `None` when it is empty.
    pub fn parse(setting: &str) -> Option<Contact> {
        let text = setting.trim();
        let address = text.strip_prefix("mailto:").unwrap_or(text);
        if text.is_empty() {
            return None;
        }
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        let is_mail = !address.contains([' ', '/', '?', '&', '<', '>']) && address.contains('@');
        let (shown, href) = match (is_web, is_mail) {
            (true, _) => (text, Some(text.to_owned())),
            (false, true) => (address, Some(format!("mailto:{address}"))),
            _ => (text, None),
        };
        Some(Contact {
            text: shown.to_owned(),
            href,
        })
    }
}

/// What stands around every page.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The person's language.
    pub language: Language,
    /// The register.
    pub site: &'a Site,
}

impl Frame<'_> {
    /// The texts in the person's language.
    pub fn texts(&self) -> &'static Texts {
        self.language.texts()
    }
}

/// For which companies a registration holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Companies<'a> {
    /// All of them.
    All,
    /// Those with these names.
    Chosen(Vec<&'a str>),
}

/// Calls, text messages or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// Phone calls.
    pub voice: bool,
    /// Text messages.
    pub text: bool,
}

/// A number as it is, or will be, registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number<'a> {
    /// In international form, such as `+32 475 12 34 56`.
    pub international: &'a str,
    /// Its country (ISO 3166-1 alpha-2), if it has one.
    pub region: Option<&'a str>,
}

impl Number<'_> {
    fn country_name(&self, language: Language) -> Option<&'static str> {
        self.region
            .and_then(country)
            .map(|country| country.name(language))
    }
}

/// What a registration covers, the same on every page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The numbers.
    pub numbers: Vec<Number<'a>>,
    /// The companies.
    pub companies: Companies<'a>,
    /// Calls, texts or both.
    pub channels: Channels,
}

/// Why a page that keeps what was typed comes again, when nothing is wrong with what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The store does not answer. Status 503.
    RegisterAway,
    /// Something else went wrong. Status 500.
    Broken,
    /// The form's token is too old; the page carries a fresh one. Status 403 or 422.
    FormExpired,
    /// Somebody who might be a program is asked to press once more. Status 403.
    Patience {
        /// Seconds until that helps.
        wait: u64,
    },
    /// Too many requests from this address. Status 429.
    TooManyRequests {
        /// Seconds until the next attempt.
        retry_after: u64,
    },
    /// As many letters wait as may. Status 503.
    MailFull,
    /// This registration or this address has had as many letters as it may. Status 429.
    MailEnough,
}

impl Notice {
    fn text(self, texts: &'static Texts) -> &'static MessageText {
        match self {
            Notice::RegisterAway => &texts.register_away,
            Notice::Broken => &texts.broken,
            Notice::FormExpired => &texts.form_expired,
            Notice::Patience { .. } => &texts.patience,
            Notice::TooManyRequests { .. } => &texts.too_many_requests,
            Notice::MailFull => &texts.letters().mail_full,
            Notice::MailEnough => &texts.letters().mail_enough,
        }
    }

    fn next(self, texts: &'static Texts) -> String {
        let wait = match self {
            Notice::TooManyRequests { retry_after: wait } | Notice::Patience { wait } => {
                texts.wait(wait)
            }
            _ => String::new(),
        };
        fill(self.text(texts).next, "wait", &wait)
    }
}

/// A line of the list of problems: the field's `id` and what to do there.
struct Problem {
    field: String,
    message: String,
}

#[cfg(test)]
mod tests;
