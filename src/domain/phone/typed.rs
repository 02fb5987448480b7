//! From what was typed to bare digits.
//!
//! People, spreadsheets and diallers write numbers in every script and with
//! every kind of punctuation. This file knows characters only; what the
//! digits mean is decided in [`reading`](super::reading).

use super::error::PhoneError;

/// The most bytes that are looked at. No honest way to write one number
/// is longer.
pub const MAX_INPUT_BYTES: usize = 64;

/// A text reduced to what carries meaning.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    digits: [u8; MAX_INPUT_BYTES],
    len: usize,
    /// A plus stood in front.
    pub(super) plus: bool,
    /// A blank stood directly in front of the first digit: a plus that a form
    /// decoder turned into a blank, or a slip of the thumb.
    pub(super) blank: bool,
    /// The first digits written in brackets of their own: where they begin,
    /// and where they end, counted in digits.
    pub(super) bracketed: Option<(usize, usize)>,
    /// How many digits stand before the last slash or tilde.
    pub(super) slash: Option<usize>,
}

impl Typed {
    /// Takes a text apart.
    ///
    /// # Errors
    /// Everything that can be said without knowing numbering plans: too long,
    /// empty, letters, characters that do not belong, something after the
    /// number.
    pub(super) fn read(text: &str) -> Result<Self, PhoneError> {
        if text.len() > MAX_INPUT_BYTES {
            return Err(PhoneError::TooLong);
        }
        let mut typed = Self {
            digits: [0; MAX_INPUT_BYTES],
            len: 0,
            plus: false,
            blank: false,
            bracketed: None,
            slash: None,
        };
        let mut opened = None;
        for c in without_scheme(text).chars() {
            match kind(c)? {
                Kind::Digit(digit) => {
                    // Never out of range: a digit takes at least one byte.
                    if let Some(place) = typed.digits.get_mut(typed.len) {
                        *place = digit;
                        typed.len += 1;
                    }
                }
                Kind::Plus if typed.plus || typed.len > 0 => return Err(PhoneError::NotANumber),
                Kind::Plus => typed.plus = true,
                Kind::Open => {
                    opened = Some(typed.len);
                    typed.not_blank();
                }
                Kind::Close => {
                    if let (Some(start), None) = (opened.take(), typed.bracketed)
                        && start < typed.len
                    {
                        typed.bracketed = Some((start, typed.len));
                    }
                }
                Kind::Slash => {
                    typed.slash = Some(typed.len);
                    typed.not_blank();
                }
                Kind::Blank => typed.blank |= typed.len == 0,
                Kind::Separator => typed.not_blank(),
                Kind::Invisible => {}
            }
        }
        if typed.len == 0 {
            return Err(PhoneError::Empty);
        }
        Ok(typed)
    }

    /// The digits, in ASCII.
    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.len]
    }

    /// Something other than a blank stands before the first digit.
    fn not_blank(&mut self) {
        if self.len == 0 {
            self.blank = false;
        }
    }
}

/// The text after `tel:` (RFC 3966), or all of it.
fn without_scheme(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    let start = text.len() - text.trim_start().len();
    match text.get(start..start + 4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &text[start + 4..],
        _ => text,
    }
}

/// What a character means in a phone number.
enum Kind {
    /// Its ASCII form.
    Digit(u8),
    Plus,
    Open,
    Close,
    Slash,
    /// The ASCII blank, which a decoded plus becomes.
    Blank,
    Separator,
    /// Format characters: marks of writing direction, joiners.
    Invisible,
}

fn kind(c: char) -> Result<Kind, PhoneError> {
    Ok(match c {
        '0'..='9' => Kind::Digit(c as u8),
        '+' | '\u{fe62}' | '\u{ff0b}' => Kind::Plus,
        ' ' => Kind::Blank,
        '(' | '[' | '\u{3010}' | '\u{3014}' | '\u{fe59}' | '\u{ff08}' | '\u{ff3b}' => Kind::Open,
        ')' | ']' | '\u{3011}' | '\u{3015}' | '\u{fe5a}' | '\u{ff09}' | '\u{ff3d}' => Kind::Close,
        // The tilde stands between two numbers, or for a dialling tone (8~10).
        '/' | '~' | '\u{2044}' | '\u{2053}' | '\u{2215}' | '\u{223c}' | '\u{ff0f}' | '\u{ff5e}' => {
            Kind::Slash
        }
        '\t'..='\r' | '-' | '.' => Kind::Separator,
        // What dialling instructions and RFC 3966 put after a number.
        ';' | ',' | '#' | '\u{ff1b}' | '\u{ff0c}' | '\u{ff03}' => {
            return Err(PhoneError::Extension);
        }
        _ if c.is_ascii_alphabetic() => return Err(PhoneError::Letters),
        _ if c.is_ascii() => return Err(PhoneError::NotANumber),
        _ if is_separator(c) => Kind::Separator,
        _ if is_invisible(c) => Kind::Invisible,
        _ => match decimal(c) {
            Some(digit) => Kind::Digit(digit),
            None if c.is_alphabetic() => return Err(PhoneError::Letters),
            None => return Err(PhoneError::NotANumber),
        },
    })
}

/// Blanks, dashes and dots beyond ASCII.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{b7}' | '\u{387}' | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2219}' | '\u{22c5}'
            | '\u{30fb}' | '\u{fe52}' | '\u{ff0e}' | '\u{ff65}' // dots
            | '\u{58a}' | '\u{5be}' | '\u{1806}' | '\u{2010}'
                ..='\u{2015}' | '\u{2043}'
            | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' // dashes
            // The Japanese long-vowel mark, on many keyboards the nearest dash.
            | '\u{30fc}' | '\u{ff70}'
        )
}

/// Characters without a shape, which come along when numbers are copied.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
}

/// The zero of every run of ten decimal digits in Unicode 16 (general
/// category Nd), in order. The mathematical digits are five runs on end.
#[rustfmt::skip]
pub(super) const ZEROS: [u32; 75] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// The ASCII form of a decimal digit of any script.
pub(super) fn decimal(c: char) -> Option<u8> {
    let c = u32::from(c);
    let run = ZEROS.partition_point(|&zero| zero <= c).checked_sub(1)?;
    let value = c - ZEROS.get(run)?;
    u8::try_from(value)
        .ok()
        .filter(|v| *v < 10)
        .map(|v| b'0' + v)
}
