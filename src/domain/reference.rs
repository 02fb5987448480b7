//! The reference code: all that a person ever needs to keep.
//!
//! Sixteen characters in four groups, of Crockford's base 32 (no I, L, O or U, so that it can be
//! read out on the telephone): seven find the registration, eight are its secret, the last is a
//! checksum, so that a mistyped code is told apart from an unknown one without any work.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LOCATOR: usize = 7;
const SECRET: usize = 8;
const LENGTH: usize = LOCATOR + SECRET + 1;

/// A text that is no reference code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not sixteen letters and digits.
    #[error("a reference code has sixteen letters and digits, in four groups of four")]
    Form,
    /// Sixteen signs, but one of them is mistyped.
    #[error("one of the signs of this reference code is mistyped")]
    Checksum,
}

/// The code that holds a registration. Never shown by `Debug`; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference([u8; LENGTH]);

/// The public half of a reference code: finds a registration, opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locator([u8; LOCATOR]);

impl Locator {
    /// Reads the seven characters, exactly as [`Locator::as_str`] gives them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = <[u8; LOCATOR]>::try_from(text.as_bytes()).ok()?;
        bytes
            .iter()
            .all(|byte| ALPHABET.contains(byte))
            .then_some(Self(bytes))
    }

    /// Seven characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Reference {
    /// Makes a code of ten bytes that nobody can guess; 75 of their bits are used.
    #[must_use]
    pub fn from_random(random: [u8; 10]) -> Self {
        let mut bits = u128::from_be_bytes({
            let mut wide = [0; 16];
            wide[6..].copy_from_slice(&random);
            wide
        });
        let mut code = [0; LENGTH];
        for place in &mut code[..LENGTH - 1] {
            *place = ALPHABET[(bits & 31) as usize];
            bits >>= 5;
        }
        code[LENGTH - 1] = checksum(&code);
        Self(code)
    }

    /// Reads a code as people write it: any case, blanks and dashes anywhere, `O` for `0`, `I` and
    /// `L` for `1`.
    ///
    /// # Errors
    /// [`ReferenceError`] when it has another length or signs, or its checksum disagrees.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let mut code = [0; LENGTH];
        let mut length = 0;
        for sign in text.chars().take(256) {
            let sign = match sign {
                '-' | '–' | '—' | '‑' | '.' | '_' => continue,
                blank if blank.is_whitespace() => continue,
                sign => sign.to_ascii_uppercase(),
            };
            let sign = match sign {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let byte = u8::try_from(sign).map_err(|_| ReferenceError::Form)?;
            if length == LENGTH || !ALPHABET.contains(&byte) {
                return Err(ReferenceError::Form);
            }
            code[length] = byte;
            length += 1;
        }
        if length != LENGTH {
            return Err(ReferenceError::Form);
        }
        if checksum(&code) != code[LENGTH - 1] {
            return Err(ReferenceError::Checksum);
        }
        Ok(Self(code))
    }

    /// The half that finds the registration.
    #[must_use]
    pub fn locator(&self) -> Locator {
        let mut locator = [0; LOCATOR];
        locator.copy_from_slice(&self.0[..LOCATOR]);
        Locator(locator)
    }

    /// The half that opens it.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.0[LOCATOR..LOCATOR + SECRET]
    }

    /// The code in its four groups: the only way to its text, for the person it belongs to.
    #[must_use]
    pub fn reveal(&self) -> String {
        self.0
            .chunks(4)
            .map(|group| std::str::from_utf8(group).unwrap_or_default())
            .collect::<Vec<_>>()
            .join("-")
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(hidden)")
    }
}

fn checksum(code: &[u8; LENGTH]) -> u8 {
    let digest = Sha256::new()
        .chain_update(b"metrust reference checksum")
        .chain_update(&code[..LENGTH - 1])
        .finalize();
    ALPHABET[usize::from(digest[0] & 31)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_is_read_back_however_it_is_written(random: [u8; 10]) {
            let code = Reference::from_random(random);
            let text = code.reveal();
            prop_assert_eq!(text.len(), 19);
            let sloppy = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(&Reference::parse(&sloppy).unwrap(), &code);
            let locator = code.locator();
            prop_assert_eq!(Locator::parse(locator.as_str()), Some(locator));
            prop_assert_eq!(Locator::parse("abcdefg"), None);
            prop_assert_eq!(Reference::parse(&text).unwrap(), code);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = Reference::parse(&text);
        }
    }

    #[test]
    fn most_mistyped_codes_are_told_apart() {
        let text = Reference::from_random([9; 10]).reveal();
        let caught = (0..32)
            .map(|n| ALPHABET[n] as char)
            .filter(|sign| !text.starts_with(*sign))
            .filter(|sign| Reference::parse(&format!("{sign}{}", &text[1..])).is_err())
            .count();
        assert!(caught >= 26, "{caught} of 31");
        assert_eq!(Reference::parse("abc"), Err(ReferenceError::Form));
        assert_eq!(
            format!("{:?}", Reference::from_random([1; 10])),
            "Reference(hidden)"
        );
    }
}
