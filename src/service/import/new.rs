//! What is said of a list when it begins to come.

use sha2::{Digest, Sha256};

use jiff::civil::Date;

use super::{LONGEST_PART, MOST_PARTS, Rows, TakeFrom, day};
use crate::domain::SellerRef;
use crate::service::ServiceError;

/// The longest description of a source, in characters.
const LONGEST_SOURCE: usize = 120;

/// A list that is to be brought in. Whoever says the same again goes on with the same import.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// Where the list comes from, in the operator's words.
    pub source: String,
    /// For whom its numbers are listed.
    pub seller: SellerRef,
    /// Whether its numbers are taken out: imported listings, not what people registered.
    pub remove: bool,
    /// Out of which lists they are taken.
    pub from: TakeFrom,
    /// The date of the objection, for rows that have none.
    pub date: Option<Date>,
    /// SHA-256 of the whole file.
    pub file: [u8; 32],
    /// How long the file is.
    pub bytes: u64,
    /// In how many parts it comes.
    pub parts: u32,
    /// How long a part is at most; so another way of cutting is another import.
    pub part_bytes: u64,
    /// How its rows are to be read.
    pub rows: Rows,
}

impl NewImport {
    /// The import's name: from the file and everything that was said of it.
    pub(super) fn id(&self) -> String {
        let mut hash = Sha256::new_with_prefix(b"metrust v1 import\0");
        let rows = &self.rows;
        let from = match &self.from {
            TakeFrom::Only => String::new(),
            // No source has a control character.
            TakeFrom::Lists(lists) => lists.join("\u{1}"),
            TakeFrom::Every => "\u{2}".to_owned(),
        };
        // How dates are read is not part of it: whoever says it better does the same import again.
        let rows = format!(
            "{:?} {} {:?} {:?} {} {} {:?}",
            rows.numbers,
            rows.columns,
            rows.region_column,
            rows.only,
            rows.delimiter,
            rows.heading,
            rows.notation
        );
        let parts: [&[u8]; 11] = [
            &self.file,
            &self.bytes.to_be_bytes(),
            self.source.as_bytes(),
            self.seller.as_str().as_bytes(),
            &[u8::from(self.remove)],
            from.as_bytes(),
            &day::to_number(self.date).to_be_bytes(),
            &self.parts.to_be_bytes(),
            &self.part_bytes.to_be_bytes(),
            &self
                .rows
                .date_column
                .map_or(0, |column| column + 1)
                .to_be_bytes(),
            rows.as_bytes(),
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        data_encoding::HEXLOWER.encode(&hash.finalize()[..16])
    }

    /// Refuses what cannot be meant, or must not be recorded.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let wrong = |text| Err(ServiceError::Contradiction(text));
        let source = &self.source;
        if source.trim().is_empty()
            || source.chars().count() > LONGEST_SOURCE
            || source.chars().any(char::is_control)
        {
            return wrong("a source is 1 to 120 characters, without control characters");
        }
        if source.chars().filter(|c| c.is_numeric()).count() >= 9 {
            return wrong(
                "a source with nine or more digits may hold a phone number, and those are not \
                 recorded",
            );
        }
        if !(1..=MOST_PARTS).contains(&self.parts) {
            return wrong("a file comes in 1 to 100,000 parts");
        }
        if self.part_bytes == 0 || self.part_bytes > LONGEST_PART as u64 {
            return wrong("a part is at most 16 MiB long");
        }
        Ok(())
    }
}
