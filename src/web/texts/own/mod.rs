//! A person's own registration: changing it, its history, and what to keep of it.

mod de;
mod en;
mod fr;
mod nl;

pub use de::DE;
pub use en::EN;
pub use fr::FR;
pub use nl::NL;

/// The texts of what a person does with their own registration.
#[derive(Debug)]
pub struct OwnTexts {
    // What was done
    /// Heading of the notice after a change.
    pub news_title: &'static str,
    /// It holds at once.
    pub news_now: &'static str,
    /// Heading over the history.
    pub history_title: &'static str,
    /// It was made.
    pub event_made: &'static str,
    /// A number came in.
    pub event_number_added: &'static str,
    /// A number was taken out.
    pub event_number_removed: &'static str,
    /// A company came in. Placeholder `{company}`.
    pub event_company_added: &'static str,
    /// A company was taken out. Placeholder `{company}`.
    pub event_company_removed: &'static str,
    /// It was withdrawn.
    pub event_withdrawn: &'static str,
    /// The withdrawal was undone.
    pub event_taken_up: &'static str,

    // Changing it
    /// Heading over the forms.
    pub change_title: &'static str,
    /// When a change holds.
    pub change_lede: &'static str,
    /// Heading over the numbers to take out.
    pub numbers_title: &'static str,
    /// Button. Placeholder `{number}`.
    pub remove_number: &'static str,
    /// Taking the last number out withdraws it all.
    pub last_number: &'static str,
    /// Label of the box for one more number.
    pub add_number_label: &'static str,
    /// Button.
    pub add_number_button: &'static str,
    /// There is no room for more numbers. Placeholder `{n}`.
    pub full: &'static str,
    /// There is no room for another company. Placeholder `{n}`.
    pub full_of_companies: &'static str,
    /// Heading over the companies to take out.
    pub companies_title: &'static str,
    /// Button. Placeholder `{company}`.
    pub remove_company: &'static str,
    /// Taking the last company out withdraws it all.
    pub last_company: &'static str,
    /// Label of the list of companies.
    pub add_company_label: &'static str,
    /// Button.
    pub add_company_button: &'static str,
    /// No company was chosen.
    pub error_company: &'static str,

    // Withdrawing, and undoing it
    /// How long it can be undone. Placeholder `{hours}`.
    pub withdraw_undo: &'static str,
    /// Heading of the way back.
    pub undo_title: &'static str,
    /// Until when, and what it means. Placeholder `{until}`.
    pub undo_text: &'static str,
    /// Button.
    pub undo_button: &'static str,
    /// It is too late to undo it.
    pub error_too_late: &'static str,

    // What you can do
    /// Heading over the links.
    pub can_title: &'static str,
    /// Link: who asked about the numbers.
    pub can_asked: &'static str,
    /// Link: report a call.
    pub can_report: &'static str,
    /// Link: the reports so far.
    pub can_reports: &'static str,
    /// Link: the page with the code.
    pub can_code: &'static str,

    // What to keep
    /// Heading over the file.
    pub proof_title: &'static str,
    /// What it is.
    pub proof_text: &'static str,
    /// Link that downloads it.
    pub proof_button: &'static str,
    /// How to get it on paper.
    pub proof_print: &'static str,
    /// Heading over the QR code.
    pub scan_title: &'static str,
    /// What it does, and who may have it.
    pub scan_text: &'static str,
    /// What it is, for those who do not see it.
    pub scan_label: &'static str,
    /// Heading over the code in words.
    pub spell_title: &'static str,
    /// The dash between two groups of the code.
    pub dash: &'static str,
    /// Zero to nine.
    pub digits: [&'static str; 10],
    /// The letters of the code on the telephone, in their order: A to Z without I, L, O and U.
    pub letters: [&'static str; 22],
}

/// The letters that a code may have.
const LETTERS: &str = "ABCDEFGHJKMNPQRSTVWXYZ";

impl OwnTexts {
    /// A sign of a code, as one says it on the telephone.
    pub fn spell(&self, sign: char) -> &'static str {
        if let Some(digit) = sign.to_digit(10) {
            return self.digits.get(digit as usize).copied().unwrap_or_default();
        }
        let place = LETTERS.find(sign);
        let word = place.and_then(|place| self.letters.get(place));
        word.copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::LETTERS;

    #[test]
    fn every_sign_of_a_code_has_a_word_of_its_own_that_begins_with_it() {
        for language in Language::ALL {
            let own = &language.texts().own;
            let mut seen = Vec::new();
            for sign in LETTERS.chars() {
                let word = own.spell(sign);
                assert!(word.starts_with(sign), "{sign}: {word}");
                seen.push(word);
            }
            seen.extend(('0'..='9').map(|sign| own.spell(sign)));
            seen.push(own.dash);
            assert!(seen.iter().all(|word| !word.is_empty()));
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 33, "{seen:?}");
            assert_eq!(own.spell('!'), "");
        }
    }
}
