//! How numbers are written where they come from.

use serde::{Deserialize, Serialize};

use super::Region;
use crate::domain::phone::plan::plan;

/// What is known of the numbers of a source beside the digits themselves.
///
/// Nothing known is the default; a region alone is had by `Some(region).into()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notation {
    /// Where a number without a country code is dialled from.
    pub region: Option<Region>,
    /// Digits without a plus begin with the country code, as in MSISDNs
    /// (3GPP TS 23.003, section 3.3): `4915123456789`. Digits that begin with a zero do not,
    /// as no country code does; they are read as the region's.
    pub international: bool,
}

impl From<Option<Region>> for Notation {
    fn from(region: Option<Region>) -> Self {
        Self {
            region,
            international: false,
        }
    }
}

impl Region {
    /// Reads the cell of a table that says where a row's number is from: two letters, or a country
    /// code, as in the `phone_code` of diallers: `32`, `+32`, `0032`, `32.0`.
    ///
    /// Where regions share a country code it is the one that libphonenumber counts as the main one:
    /// the United States for 1, the United Kingdom for 44.
    ///
    /// # Errors
    /// [`UnknownRegion`](super::UnknownRegion) if the cell is neither.
    pub fn parse_cell(input: &str) -> Result<Self, super::UnknownRegion> {
        let text = input.trim();
        let digits = text.strip_prefix('+').or_else(|| text.strip_prefix("00"));
        let digits = digits.unwrap_or(text);
        let digits = digits.strip_suffix(".0").unwrap_or(digits);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let main = digits
                .parse()
                .ok()
                .and_then(|code| plan().main_region(code));
            return main.map(Self).ok_or(super::UnknownRegion);
        }
        Self::parse(text)
    }
}
