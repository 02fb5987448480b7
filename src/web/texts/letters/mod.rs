//! Letters by e-mail, and the small form that asks for one.

mod de;
mod en;
mod fr;
mod nl;

pub use de::DE;
pub use en::EN;
pub use fr::FR;
pub use nl::NL;

use super::MessageText;

/// The texts of the letters and of their form, in one language.
#[derive(Debug)]
pub struct LetterTexts {
    // The form
    /// Heading.
    pub ask_title: &'static str,
    /// What the address is used for, all of it, and when it is deleted. Placeholder `{days}`.
    pub ask_use: &'static str,
    /// The same where no second letter follows.
    pub ask_use_once: &'static str,
    /// The code is in the letter.
    pub ask_code: &'static str,
    /// Label of the box.
    pub ask_label: &'static str,
    /// Button.
    pub ask_button: &'static str,
    /// Back to the page with the code.
    pub ask_back: &'static str,
    /// The box was empty.
    pub address_empty: &'static str,
    /// Not the form of an address.
    pub address_wrong: &'static str,
    /// The letter goes now.
    pub on_its_way: &'static str,
    /// The mail server does not take it.
    pub is_delayed: &'static str,
    /// The mail server will never take it.
    pub was_refused: &'static str,
    /// The mail server has taken it.
    pub was_sent: &'static str,
    /// As many letters wait as may.
    pub mail_full: MessageText,
    /// This registration or this address has had as many as it may.
    pub mail_enough: MessageText,
    /// One day.
    pub day_one: &'static str,
    /// Several days. Placeholder `{n}`.
    pub day_many: &'static str,

    // Every letter
    /// How a letter begins.
    pub hello: &'static str,
    /// Before the address for questions. Placeholder `{contact}`.
    pub questions: &'static str,
    /// Nobody reads what is sent back. Placeholder `{site}`.
    pub made_by: &'static str,

    // The proof
    /// Subject.
    pub proof_subject: &'static str,
    /// What it is.
    pub proof_intro: &'static str,
    /// Before the code.
    pub proof_code: &'static str,
    /// Keep it.
    pub proof_keep: &'static str,
    /// Before the address to come back to.
    pub proof_back: &'static str,
    /// A second letter follows, then the address is deleted. Placeholder `{days}`.
    pub proof_then: &'static str,
    /// The address is deleted now.
    pub proof_once: &'static str,
    /// Somebody else typed this address.
    pub proof_stranger: &'static str,

    // Some weeks later
    /// Subject.
    pub quiet_subject: &'static str,
    /// The question.
    pub quiet_intro: &'static str,
    /// If yes.
    pub quiet_yes: &'static str,
    /// If no; before the link.
    pub quiet_no: &'static str,
    /// The link holds the code.
    pub link_is_yours: &'static str,
    /// The address is deleted.
    pub quiet_end: &'static str,

    // News of a report
    /// Subject.
    pub news_subject: &'static str,
    /// The company has answered.
    pub news_answered: &'static str,
    /// The company has not answered in time.
    pub news_overdue: &'static str,
    /// Before the link.
    pub news_link: &'static str,
    /// How long the address is kept.
    pub news_end: &'static str,
}
