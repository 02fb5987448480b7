//! Why a text was not accepted as a phone number.

use thiserror::Error;

/// Why a text was not accepted as a phone number.
///
/// No message holds the text or a part of it: errors travel to logs and to
/// other people's screens, a phone number must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum PhoneError {
    /// Nothing but blanks and punctuation.
    #[error("there is no number; write it with its country code, such as +32 and the rest")]
    Empty,
    /// More than [`MAX_INPUT_BYTES`](super::MAX_INPUT_BYTES) bytes.
    #[error("the text is longer than 64 bytes; write one phone number and nothing else")]
    TooLong,
    /// A letter of any script.
    #[error("there are letters in it; write one phone number in digits, without words")]
    Letters,
    /// A character that has no place in a phone number, or a plus that is not
    /// at the start, or bytes that are not UTF-8.
    #[error(
        "there is a character in it that does not belong in a phone number; write digits, with a + in front if you give the country code"
    )]
    NotANumber,
    /// An extension, or a parameter of a `tel:` address.
    #[error(
        "something follows the number (an extension, a parameter or a second number); write one phone number and nothing after it"
    )]
    Extension,
    /// Two numbers, or one and the end of another.
    #[error(
        "there are two numbers in it, or one and the end of another; write one phone number and nothing else"
    )]
    TwoNumbers,
    /// A number in scientific notation.
    #[error(
        "this is scientific notation: a spreadsheet has lost digits of the number; take it from where it was before, in a column that is formatted as text"
    )]
    Scientific,
    /// A number with digits behind a decimal point.
    #[error(
        "this is a decimal number, with digits behind the point; write one phone number and nothing after it"
    )]
    Decimal,
    /// An address or a link that is not a phone number's.
    #[error("this is an address or a link, and no phone number; write one phone number in digits")]
    Address,
    /// A number in a country's own notation, while no country is known.
    #[error(
        "the country is missing; write the number with + and its country code, or give the region"
    )]
    NeedsRegion,
    /// Not a number that the numbering plan of its country can hold.
    #[error(
        "no such phone number can exist in its country; check the digits, and the country code after the +"
    )]
    NotValid,
    /// Two different numbers could be meant, and guessing could pick the wrong one.
    #[error(
        "this can be read as two different phone numbers; write it with + and the country code, without a leading zero"
    )]
    Ambiguous,
    /// An emergency number or a short code.
    #[error("this is an emergency or short number; only full phone numbers can be on the list")]
    EmergencyOrShort,
}

impl PhoneError {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::Empty,
        Self::TooLong,
        Self::Letters,
        Self::NotANumber,
        Self::Extension,
        Self::TwoNumbers,
        Self::Scientific,
        Self::Decimal,
        Self::Address,
        Self::NeedsRegion,
        Self::NotValid,
        Self::Ambiguous,
        Self::EmergencyOrShort,
    ];

    /// A name for programs. It never changes, unlike the message.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "phone_empty",
            Self::TooLong => "phone_too_long",
            Self::Letters => "phone_letters",
            Self::NotANumber => "phone_not_a_number",
            Self::Extension => "phone_extension",
            Self::TwoNumbers => "phone_two_numbers",
            Self::Scientific => "phone_scientific_notation",
            Self::Decimal => "phone_decimal",
            Self::Address => "phone_address",
            Self::NeedsRegion => "phone_needs_region",
            Self::NotValid => "phone_not_valid",
            Self::Ambiguous => "phone_ambiguous",
            Self::EmergencyOrShort => "phone_emergency_or_short",
        }
    }
}

/// A text that names no region of the numbering plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "not a known region; write the two letters of ISO 3166-1, such as BE, or GB for the United Kingdom"
)]
pub struct UnknownRegion;
