//! What stands around a number: the marks of spreadsheets, the schemes of
//! addresses, a name before it, a word in brackets behind it.
//!
//! Only what cannot change the number is taken away.

use super::error::PhoneError;
use super::typed::{TWO_NUMBERS, decimal_of};

/// The number in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Around<'a> {
    /// The `phone-context` of an address, to be read before it.
    pub(super) context: &'a str,
    /// The number itself.
    pub(super) number: &'a str,
    /// Its digits begin with a country code, whether a plus is written or not.
    pub(super) international: bool,
}

/// What people and exports write before a number, in small letters.
const LABELS: [&str; 22] = [
    "t",
    "tel",
    "tél",
    "tf",
    "ph",
    "p",
    "m",
    "mob",
    "gsm",
    "cell",
    "phone",
    "mobile",
    "mobil",
    "mobiel",
    "handy",
    "portable",
    "telephone",
    "téléphone",
    "telefoon",
    "telefon",
    "telefono",
    "teléfono",
];

/// What stands before an extension, in small letters.
const EXTENSIONS: [&str; 14] = [
    "x",
    "ext",
    "extn",
    "extension",
    "poste",
    "toestel",
    "tst",
    "dw",
    "durchwahl",
    "app",
    "int",
    "interno",
    "anexo",
    "доб",
];

/// Takes away what stands around the number of a text.
///
/// # Errors
/// [`PhoneError::Scientific`], [`PhoneError::Address`] or [`PhoneError::TwoNumbers`].
pub(super) fn around(text: &str) -> Result<Around<'_>, PhoneError> {
    let text = text.trim_matches(['\0', '\u{feff}']);
    if is_scientific(text.trim()) {
        return Err(PhoneError::Scientific);
    }
    let text = without_name(unquoted(text))?;
    let (scheme, text) = without_scheme(text);
    let mut found = Around {
        context: "",
        number: text,
        international: false,
    };
    match scheme {
        Some("sip" | "sips") => match text.split_once('@') {
            Some((user, _)) => found.number = user,
            // An address of the network has digits and dots, too.
            None if text.starts_with('+') => {}
            None => return Err(PhoneError::Address),
        },
        Some("tel") => {
            if let Some((number, context)) = text.split_once(";phone-context=+") {
                found.number = number;
                // Found again by its plus, which is needed to tell it from a domain.
                found.context = &text[text.len() - context.len() - 1..];
            }
        }
        Some("whatsapp" | "p") if !text.trim_start().starts_with('+') => {
            return Err(PhoneError::Address);
        }
        Some(_) => {}
        None => {
            if let Some(digits) = text.trim().strip_prefix("https://wa.me/") {
                found.number = digits;
                found.international = true;
            } else if let Some((user, host)) = text.trim().split_once('@') {
                let whatsapp = matches!(host, "c.us" | "s.whatsapp.net");
                if !whatsapp && !user.starts_with('+') {
                    return Err(PhoneError::Address);
                }
                found.number = user;
                found.international = true;
            } else if text.contains("://") {
                return Err(PhoneError::Address);
            }
        }
    }
    found.number = without_label(without_remark(found.number));
    Ok(found)
}

/// Whether a text that begins where a number ends is its extension.
pub(super) fn is_extension(text: &str) -> bool {
    let text = text.trim().trim_end_matches([')', ']']);
    let word = text.find(|c: char| !c.is_alphabetic());
    let (word, rest) = text.split_at(word.unwrap_or(text.len()));
    let rest = rest.trim_start_matches(['.', ':', '=', '-', ' ', '\u{a0}']);
    let known = EXTENSIONS.contains(&&*word.to_lowercase());
    known && (1..TWO_NUMBERS).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit())
}

/// How a spreadsheet shows a number with too many digits for its column:
/// most of them are lost.
fn is_scientific(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = number.strip_prefix(['+', '-']).unwrap_or(number);
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    digits(whole) && digits(part) && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// The text in the quotation marks and signs by which spreadsheets are told
/// that digits are text.
fn unquoted(text: &str) -> &str {
    let trimmed = text.trim();
    let formula = trimmed.strip_prefix('=').unwrap_or(trimmed);
    let quoted = formula
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let apostrophe = || {
        let rest = trimmed.strip_prefix(['\'', '\u{2019}'])?;
        Some(rest.strip_suffix('\'').unwrap_or(rest))
    };
    quoted.or_else(apostrophe).unwrap_or(text)
}

/// The number of `Name <0470…>` and of `Name (0470…)`.
fn without_name(text: &str) -> Result<&str, PhoneError> {
    let trimmed = text.trim();
    let angled = trimmed
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'));
    if let Some((name, number)) = angled {
        // Switches repeat the number where they know no name.
        return match digits(name).count() >= TWO_NUMBERS && !digits(name).eq(digits(number)) {
            true => Err(PhoneError::TwoNumbers),
            false => Ok(number),
        };
    }
    let rounded = trimmed
        .strip_suffix(')')
        .and_then(|rest| rest.split_once('('));
    Ok(match rounded {
        Some((name, number)) if is_words(name) && digits(number).count() >= TWO_NUMBERS => number,
        _ => text,
    })
}

/// A scheme and what follows it.
fn without_scheme(text: &str) -> (Option<&'static str>, &str) {
    const SCHEMES: [&str; 6] = ["tel", "callto", "sips", "sip", "whatsapp", "p"];
    let trimmed = text.trim_start();
    for scheme in SCHEMES {
        let found = trimmed
            .split_at_checked(scheme.len())
            .filter(|(start, _)| start.eq_ignore_ascii_case(scheme))
            .and_then(|(_, rest)| rest.strip_prefix(':'));
        if let Some(rest) = found {
            return (Some(scheme), rest.strip_prefix("//").unwrap_or(rest));
        }
    }
    (None, text)
}

/// The text before `(kantoor)`.
fn without_remark(text: &str) -> &str {
    text.trim_end()
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('))
        .filter(|(number, remark)| is_words(remark) && digits(number).next().is_some())
        .map_or(text, |(number, _)| number)
}

/// The text behind `Tel.` and the like. A blank before the number is left.
fn without_label(text: &str) -> &str {
    let trimmed = text.trim_start();
    let end = trimmed.find(|c: char| !c.is_alphabetic()).unwrap_or(0);
    let (word, rest) = trimmed.split_at(end);
    let number = rest.trim_start_matches(['.', ':']);
    let begins = number.trim_start().starts_with(|c: char| {
        matches!(c, '+' | '(' | ':' | '\u{ff0b}') || decimal_of(c).is_some()
    });
    if !begins || !LABELS.contains(&&*word.to_lowercase()) {
        return text;
    }
    // "Tél. : 01 23 …"
    number.trim_start().strip_prefix(':').unwrap_or(number)
}

/// Words without a digit among them.
fn is_words(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && digits(text).next().is_none()
}

fn digits(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.chars().filter_map(decimal_of)
}
