//! From what was typed to bare digits.
//!
//! People, spreadsheets and diallers write numbers in every script and with
//! every kind of punctuation. This file knows characters only; what the
//! digits mean is decided in [`reading`](super::reading).

use super::around::{around, is_extension};
use super::error::PhoneError;

/// The most bytes that are looked at. No honest way to write one number
/// is longer.
pub const MAX_INPUT_BYTES: usize = 64;

/// As many digits on both sides of a word or a sign that has no place in a
/// number are two numbers.
pub(super) const TWO_NUMBERS: usize = 7;

/// A text reduced to what carries meaning.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    digits: [u8; MAX_INPUT_BYTES],
    len: usize,
    /// A plus stood in front, or something that says as much.
    pub(super) plus: bool,
    /// A blank stood directly in front of the first digit: in a query string a
    /// plus that the decoder turned into a blank.
    pub(super) blank: bool,
    /// The first digits written in brackets of their own: where they begin,
    /// and where they end, counted in digits.
    pub(super) bracketed: Option<(usize, usize)>,
    /// Where something stood that can part two numbers.
    cuts: Places,
    /// Where a dot stood.
    dots: Places,
    /// Where a dash stood; it counts as a gap, too.
    dashes: Places,
    /// Where anything else stood.
    gaps: Places,
}

/// Places between digits: bit n is the place behind n digits. A text of
/// [`MAX_INPUT_BYTES`] in which something stands beside the digits has fewer
/// digits than there are bits.
#[derive(Clone, Copy, Debug, Default)]
struct Places(u64);

impl Places {
    fn add(&mut self, behind: usize) {
        self.0 |= 1 << (behind % MAX_INPUT_BYTES);
    }

    /// Those with digits before and behind them, of `len` digits in all.
    fn within(self, len: usize) -> impl Iterator<Item = usize> {
        (1..len.min(MAX_INPUT_BYTES)).filter(move |at| self.0 >> at & 1 == 1)
    }
}

/// Digits behind the only dot of a number: what a spreadsheet adds when it
/// takes the number for an amount, or the last digits of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fraction {
    /// How many digits stand before it.
    pub(super) at: usize,
    /// There are nothing but zeros.
    pub(super) zeros: bool,
    /// Nobody writes a phone number so: digits without any grouping, then the
    /// dot, then one or two digits behind enough for a number, or zeros.
    pub(super) certain: bool,
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
            cuts: Places::default(),
            dots: Places::default(),
            dashes: Places::default(),
            gaps: Places::default(),
        };
        let mut opened = None;
        let around = around(text)?;
        let text = around.number;
        typed.plus = around.international && !text.starts_with('+');
        let context = around.context.char_indices().map(|(_, c)| (text.len(), c));
        for (place, c) in context.chain(text.char_indices()) {
            let kind = kind(c).map_err(|why| typed.refused(why, &text[place..]))?;
            match kind {
                Kind::Digit(digit) => {
                    // Never out of range: a digit takes at least one byte.
                    if let Some(place) = typed.digits.get_mut(typed.len) {
                        *place = digit;
                        typed.len += 1;
                    }
                }
                Kind::Plus if typed.plus || typed.len > 0 => {
                    return Err(typed.refused(PhoneError::NotANumber, &text[place..]));
                }
                Kind::Plus => typed.plus = true,
                Kind::Open => {
                    // One before all digits, "(+32) (0)475…", says nothing.
                    opened = (typed.len > 0).then_some(typed.len);
                    typed.cuts.add(typed.len);
                    typed.not_blank();
                }
                Kind::Close => {
                    typed.gaps.add(typed.len);
                    if let (Some(start), None) = (opened.take(), typed.bracketed)
                        && start < typed.len
                    {
                        typed.bracketed = Some((start, typed.len));
                    }
                }
                Kind::Cut => {
                    typed.cuts.add(typed.len);
                    typed.not_blank();
                }
                Kind::Blank => {
                    typed.gaps.add(typed.len);
                    typed.blank |= typed.len == 0;
                }
                Kind::Dot => {
                    typed.dots.add(typed.len);
                    typed.not_blank();
                }
                Kind::Dash => {
                    typed.gaps.add(typed.len);
                    typed.dashes.add(typed.len);
                    typed.not_blank();
                }
                Kind::Separator => {
                    typed.gaps.add(typed.len);
                    typed.not_blank();
                }
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

    /// The digits before and behind each place at which a second number can
    /// begin.
    pub(super) fn cuts(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let digits = self.digits();
        self.cuts
            .within(self.len)
            .filter_map(|at| digits.split_at_checked(at))
    }

    /// The digits before and behind each gap.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let digits = self.digits();
        let all = Places(self.gaps.0 | self.cuts.0 | self.dots.0);
        all.within(self.len)
            .filter_map(|at| digits.split_at_checked(at))
    }

    /// The digits before a dash, where those behind it are nearly the ones
    /// that they would take the place of: "2202-2203", "2202-3".
    pub(super) fn before_next_one(&self) -> Option<&[u8]> {
        let at = self.dashes.within(self.len).last()?;
        let (before, behind) = self.digits().split_at_checked(at)?;
        let replaced = before.get(at.checked_sub(behind.len())?..)?;
        let value = |digits: &[u8]| digits.iter().fold(0, |n, digit| n * 10 + u32::from(*digit));
        let near = match behind.len() {
            // The next one. Any other is the extension that is dialled through.
            ..=2 => value(behind) == value(replaced) + 1,
            length => {
                let same = replaced.iter().zip(behind).take_while(|(a, b)| a == b);
                same.count() >= 2.max(length - 2)
            }
        };
        near.then_some(before)
    }

    /// What stands behind the only dot.
    pub(super) fn fraction(&self) -> Option<Fraction> {
        let mut dots = self.dots.within(self.len);
        let (at, None) = (dots.next()?, dots.next()) else {
            return None;
        };
        let behind = self.digits().get(at..)?;
        let zeros = behind.iter().all(|digit| *digit == b'0');
        if !zeros && behind.len() > 2 {
            return None;
        }
        let plain = self.gaps.within(self.len).next().is_none()
            && self.cuts.within(self.len).next().is_none();
        Some(Fraction {
            at,
            zeros,
            certain: plain && (at >= TWO_NUMBERS || zeros && behind.len() <= 2),
        })
    }

    /// Why a text is refused whose `rest` begins with what `why` is about: it
    /// may be what stands between two numbers.
    fn refused(&self, why: PhoneError, rest: &str) -> PhoneError {
        let digits = rest
            .chars()
            .filter(|c| matches!(kind(*c), Ok(Kind::Digit(_))));
        if self.len >= TWO_NUMBERS && digits.count() >= TWO_NUMBERS {
            PhoneError::TwoNumbers
        } else if self.len > 0 && is_extension(rest) {
            PhoneError::Extension
        } else if self.len == 0 && why == PhoneError::Extension {
            PhoneError::NotANumber
        } else {
            why
        }
    }

    /// Something other than a blank stands before the first digit.
    fn not_blank(&mut self) {
        if self.len == 0 {
            self.blank = false;
        }
    }
}

/// What a character means in a phone number.
enum Kind {
    /// Its ASCII form.
    Digit(u8),
    Plus,
    Open,
    Close,
    /// What can stand between two numbers as well as within one.
    Cut,
    Dot,
    Dash,
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
        // A slash follows an area code too, a tilde stands for a dialling tone (8~10), and the end
        // of a line may be only folded.
        '/'
        | '~'
        | '\u{2044}'
        | '\u{2053}'
        | '\u{2215}'
        | '\u{223c}'
        | '\u{ff0f}'
        | '\u{ff5e}'
        | '\t'..='\r'
        | '\u{85}'
        | '\u{2028}'
        | '\u{2029}' => Kind::Cut,
        '.' => Kind::Dot,
        '-' => Kind::Dash,
        // What dialling instructions and RFC 3966 put after a number.
        ';' | ',' | '#' | '\u{ff1b}' | '\u{ff0c}' | '\u{ff03}' => {
            return Err(PhoneError::Extension);
        }
        _ if c.is_ascii_alphabetic() => return Err(PhoneError::Letters),
        _ if c.is_ascii() => return Err(PhoneError::NotANumber),
        _ if is_dot(c) => Kind::Dot,
        _ if is_dash(c) => Kind::Dash,
        _ if c.is_whitespace() => Kind::Separator,
        _ if is_invisible(c) => Kind::Invisible,
        _ => match decimal(c) {
            Some(digit) => Kind::Digit(digit),
            None if c.is_alphabetic() => return Err(PhoneError::Letters),
            None => return Err(PhoneError::NotANumber),
        },
    })
}

/// Dots beyond ASCII.
fn is_dot(c: char) -> bool {
    matches!(
        c,
        '\u{b7}'
            | '\u{387}'
            | '\u{2022}'
            | '\u{2024}'
            | '\u{2027}'
            | '\u{2219}'
            | '\u{22c5}'
            | '\u{30fb}'
            | '\u{fe52}'
            | '\u{ff0e}'
            | '\u{ff65}'
    )
}

/// Dashes beyond ASCII.
fn is_dash(c: char) -> bool {
    matches!(
        c,
        '\u{58a}' | '\u{5be}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}' | '\u{2043}'
        | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
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

/// The ASCII form of any decimal digit.
pub(super) fn decimal_of(c: char) -> Option<u8> {
    match c.is_ascii() {
        true => c.is_ascii_digit().then_some(c as u8),
        false => decimal(c),
    }
}

/// The ASCII form of a decimal digit of any other script.
pub(super) fn decimal(c: char) -> Option<u8> {
    let c = u32::from(c);
    let run = ZEROS.partition_point(|&zero| zero <= c).checked_sub(1)?;
    let value = c - ZEROS.get(run)?;
    u8::try_from(value)
        .ok()
        .filter(|v| *v < 10)
        .map(|v| b'0' + v)
}
