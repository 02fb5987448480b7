//! Secret bytes, and the HMAC that everything is derived with.

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use super::random;

/// Thirty-two secret bytes; wiped when dropped, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; 32]);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hexadecimal digits; `metrust init` makes one")]
pub struct KeyForm;

impl SecretKey {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        Self(random())
    }

    /// A key of known bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits; blanks around them are ignored.
    ///
    /// # Errors
    /// [`KeyForm`].
    pub fn from_hex(text: &str) -> Result<Self, KeyForm> {
        let mut bytes = HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .map_err(|_| KeyForm)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KeyForm);
        bytes.zeroize();
        key.map(Self)
    }

    /// The key as text, for the file that keeps it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA256 of the parts under this key, each part preceded by its length.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        finish(keyed(&self.0), parts)
    }
}

/// A key that has been taken in once, for hashing many texts: [`SecretKey::mac`] in two thirds of the
/// time.
#[derive(Clone)]
pub struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    /// Under this key.
    #[must_use]
    pub fn new(key: &SecretKey) -> Self {
        Self(keyed(&key.0))
    }

    /// HMAC-SHA256 of the parts, each part preceded by its length.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        finish(self.0.clone(), parts)
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(hidden)")
    }
}

fn finish(mut mac: Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// An HMAC-SHA256 that has taken in its key.
pub(super) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // `KeyInit::new` takes keys of the block size only; HMAC itself takes any length.
    #[allow(
        clippy::expect_used,
        reason = "RFC 2104: HMAC is defined for keys of any length"
    )]
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_what_it_writes_and_shows_nothing() {
        let key = SecretKey::generate();
        assert_eq!(
            SecretKey::from_hex(&format!(" {}\n", key.to_hex())),
            Ok(key.clone())
        );
        assert_eq!(format!("{key:?}"), "SecretKey(hidden)");
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(66)] {
            assert_eq!(SecretKey::from_hex(wrong), Err(KeyForm));
        }
    }

    #[test]
    fn the_parts_of_a_mac_cannot_be_shifted_into_each_other() {
        let key = SecretKey::from_bytes([1; 32]);
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
    }
}
