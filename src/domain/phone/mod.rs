//! Phone numbers: what a person or a dialler may write, and the one form in
//! which everything else in the house knows a number.
//!
//! - `around`: what stands around a number
//! - `typed`: characters to digits
//! - `reading`: digits to a number, never to a wrong one
//! - `other_names`: numbers that are another name of the same line
//! - `plan`, `automaton`, `pattern`: which numbers exist (libphonenumber's
//!   metadata, compiled once)

mod around;
mod automaton;
mod error;
mod metadata;
mod notation;
mod other_names;
mod pattern;
mod plan;
mod reading;
mod typed;

#[cfg(test)]
mod tests;

pub use error::{PhoneError, UnknownRegion};
pub use metadata::{database as numbering_plans, metadata_version};
pub use notation::Notation;
pub use typed::MAX_INPUT_BYTES;

use metadata::database;
use plan::{MAX_DIGITS, plan};
use serde::{Deserialize, Serialize};
use std::fmt;
use typed::Typed;

/// A valid phone number in its international form (ITU-T E.164): a plus,
/// the country code and the national number, at most fifteen digits.
///
/// It never prints itself: `Debug` shows the country code only, there is no
/// `Display`. [`e164`](Self::e164) is the way out, and easy to search for.
/// Numbers are ordered by their digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// Plus and digits, filled up with zero bytes.
    text: [u8; MAX_DIGITS + 1],
    /// How many bytes of `text` are used.
    len: u8,
}

impl PhoneNumber {
    /// Reads what was typed or sent.
    ///
    /// Digits of any script, punctuation, blanks and invisible marks are
    /// understood; letters and other characters are not. `notation` is what is
    /// known beside: a region, from which a number without a country code is
    /// dialled. It never changes a number that has its country code.
    ///
    /// - International: a plus or `00`, or the region's own prefix for calls
    ///   abroad (`011` in the United States). A zero for calls within the
    ///   country, `+32 (0)475…`, is left out.
    /// - A blank is a blank. Only in a query string can it be a plus that was
    ///   lost: there, call [`parse_query`](Self::parse_query).
    /// - Zeros behind a dot at the end (`32475123456.0`) are what a spreadsheet
    ///   adds, and are left out.
    /// - Within the region otherwise: with its trunk prefix; without, where it
    ///   has none or where nobody could take the digits for a number abroad.
    ///
    /// # Errors
    /// A [`PhoneError`] if the text is not one valid phone number, or could
    /// mean two different ones: a wrong number is never given.
    pub fn parse(input: &str, notation: impl Into<Notation>) -> Result<Self, PhoneError> {
        match Self::canonical(input.as_bytes(), false) {
            Some(number) => Ok(number),
            None => Self::parse_slowly(input, notation.into()),
        }
    }

    /// As [`parse`](Self::parse), for a value out of a query string, where
    /// diallers write the plus as it is and the decoder makes it a blank.
    ///
    /// So ` 4155552671` is Swiss here, also with the United States for a region.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_query(input: &str, notation: impl Into<Notation>) -> Result<Self, PhoneError> {
        match Self::canonical(input.as_bytes(), true) {
            Some(number) => Ok(number),
            None => Self::parse_query_slowly(input, notation.into()),
        }
    }

    /// As [`parse`](Self::parse), for bytes that may not be text.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); bytes that are not UTF-8 are
    /// [`PhoneError::NotANumber`].
    pub fn parse_bytes(input: &[u8], notation: impl Into<Notation>) -> Result<Self, PhoneError> {
        if input.len() > MAX_INPUT_BYTES {
            return Err(PhoneError::TooLong);
        }
        let text = std::str::from_utf8(input).map_err(|_| PhoneError::NotANumber)?;
        Self::parse(text, notation)
    }

    /// The number as `+` and digits. The only way out: whoever calls this
    /// answers for where the number goes.
    #[must_use]
    pub fn e164(&self) -> &str {
        // The bytes are ASCII by construction; an empty text is never seen.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// [`e164`](Self::e164) as bytes, for hashing.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The country code: 32 for Belgium, 1 for North America.
    #[must_use]
    pub fn country_code(&self) -> u16 {
        plan().split(self.digits()).map_or(0, |(_, code, _)| code)
    }

    /// The region whose numbering plan holds the number; `None` for services
    /// without a country (+800 and others). Where regions share numbers (the
    /// United States and Canada), the first in the metadata.
    #[must_use]
    pub fn region_hint(&self) -> Option<Region> {
        plan().region_of(self.digits()).map(Region)
    }

    /// The number as people write it abroad, such as `+32 475 12 34 56`, to be
    /// shown to the person who typed it. Slow: tens of microseconds.
    #[must_use]
    pub fn international(&self) -> String {
        let plain = self.e164();
        let grouped = phonenumber::parse_with(database(), None, plain)
            .ok()
            .map(|n| {
                n.format()
                    .database(database())
                    .mode(phonenumber::Mode::International)
                    .to_string()
            });
        // The crate may drop or move digits; then they are shown as they are.
        let same = |shown: &String| {
            shown.starts_with('+')
                && shown
                    .bytes()
                    .filter(u8::is_ascii_digit)
                    .eq(self.digits().iter().copied())
        };
        grouped.filter(same).unwrap_or_else(|| {
            let code = plan().split(self.digits()).map_or(0, |(length, ..)| length);
            match plain.split_at_checked(code + 1) {
                Some((code, national)) => format!("{code} {national}"),
                None => plain.to_owned(),
            }
        })
    }

    /// Builds the tables before the first number comes, so that it need not
    /// wait. Call it once at start; without it the first number pays.
    pub fn warm_up() {
        // The crate keeps a hundred compiled expressions behind one lock, and
        // throws them away in turn. Only `international` still needs it.
        if let Ok(mut cache) = database().cache().lock() {
            cache.set_capacity(8192);
        }
        let _ = plan();
    }

    /// The fast path: a text that is the canonical form already. `None` sends
    /// it the slow way, which comes to the same result.
    #[inline]
    fn canonical(input: &[u8], blank_is_plus: bool) -> Option<Self> {
        let (first, digits) = input.split_first()?;
        let plus = *first == b'+' || (*first == b' ' && blank_is_plus);
        if !plus
            || digits.len() > MAX_DIGITS
            || digits.starts_with(b"0")
            || !digits.iter().all(u8::is_ascii_digit)
        {
            return None;
        }
        plan().is_valid(digits).then(|| Self::from_digits(digits))
    }

    fn parse_slowly(input: &str, notation: Notation) -> Result<Self, PhoneError> {
        reading::read(&Typed::read(input)?, notation)
    }

    fn parse_query_slowly(input: &str, notation: Notation) -> Result<Self, PhoneError> {
        let mut typed = Typed::read(input)?;
        // A country code does not begin with 0: " 0475…" is a slip.
        typed.plus |= typed.blank && !typed.digits().starts_with(b"0");
        reading::read(&typed, notation)
    }

    /// From digits that the plan has found valid (so not more than fit).
    fn from_digits(digits: &[u8]) -> Self {
        let mut text = [0; MAX_DIGITS + 1];
        let mut len = 1;
        text[0] = b'+';
        for (place, digit) in text[1..].iter_mut().zip(digits) {
            *place = *digit;
            len += 1;
        }
        Self { text, len }
    }

    fn digits(&self) -> &[u8] {
        self.as_bytes().get(1..).unwrap_or_default()
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber(+{}…)", self.country_code())
    }
}

/// A region with a numbering plan, by its two letters of ISO 3166-1 (and `XK`
/// for Kosovo, `AC` and `TA` for islands with plans of their own).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region([u8; 2]);

impl Region {
    /// Reads two letters, small or capital.
    ///
    /// # Errors
    /// [`UnknownRegion`] if no numbering plan has that name.
    pub fn parse(input: &str) -> Result<Self, UnknownRegion> {
        plan::two_letters(&input.to_ascii_uppercase())
            .filter(|id| plan().dialling(*id).is_some())
            .map(Self)
            .ok_or(UnknownRegion)
    }

    /// The two letters, in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Two ASCII letters by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.as_str())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.as_str().to_owned()
    }
}

impl TryFrom<String> for Region {
    type Error = UnknownRegion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::parse(s)
    }
}
