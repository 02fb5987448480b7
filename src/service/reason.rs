//! A reason in the operator's words, which stays on record for as long as the log does.

use super::ServiceError;

/// How many characters it may have.
pub const LONGEST_REASON: usize = 200;

/// From so many digits on it could hold a phone number.
const PHONE_DIGITS: usize = 9;

/// A reason without the blanks around it, if it can be put on record.
///
/// # Errors
/// [`ServiceError::Contradiction`].
pub fn reason(text: &str) -> Result<&str, ServiceError> {
    let reason = text.trim();
    let fits = (1..=LONGEST_REASON).contains(&reason.chars().count());
    let digits = reason.chars().filter(|c| c.is_numeric()).count();
    if fits && !reason.chars().any(char::is_control) && digits < PHONE_DIGITS {
        return Ok(reason);
    }
    Err(ServiceError::Contradiction(
        "a reason is 1 to 200 characters, without control characters, and with fewer than nine \
         digits, because it stays on record and must not hold a phone number",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_short_and_holds_no_phone_number() {
        assert_eq!(reason(" she called us ").unwrap(), "she called us");
        assert!(reason("letter 12 of 2026").is_ok());
        assert!(reason(&"é".repeat(LONGEST_REASON)).is_ok());
        for wrong in [
            "",
            "  ",
            "0475 12 34 56",
            "the number is +32475123456",
            "٠٤٧٥١٢٣٤٥٦",
            "two\nlines",
            &"x".repeat(LONGEST_REASON + 1),
        ] {
            assert!(reason(wrong).is_err(), "{wrong:?}");
        }
    }
}
