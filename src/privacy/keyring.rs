//! The two keys that the whole registry rests on, and what is derived from them.

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use super::pseudonym::SubjectKey;
use super::random;

/// Thirty-two secret bytes; wiped when dropped, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; 32]);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Not 64 hexadecimal digits.
    #[error("a key is 64 hexadecimal digits; `metrust init` makes one")]
    Form,
}

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
    /// [`KeyringError::Form`].
    pub fn from_hex(text: &str) -> Result<Self, KeyringError> {
        let mut bytes = HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .map_err(|_| KeyringError::Form)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KeyringError::Form);
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
        let mut mac = keyed(&self.0);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
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

/// What a derived key is for; each purpose has a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Wraps the month keys in the store.
    MonthKeys,
    /// Joins the reference code in sealing a registration's numbers.
    Registrations,
    /// Seals the cookie that carries a person's visit.
    Visit,
    /// Signs the forms, and makes a form's second sending find its first.
    Form,
    /// Names a dialler's `ref` in the store.
    Replay,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::MonthKeys => b"metrust v1 month keys",
            Self::Registrations => b"metrust v1 registrations",
            Self::Visit => b"metrust v1 visit",
            Self::Form => b"metrust v1 form",
            Self::Replay => b"metrust v1 replay",
        }
    }
}

/// The master key and the index key. Losing them is losing the list.
#[derive(Clone, Debug)]
pub struct Keyring {
    master: SecretKey,
    subjects: SubjectKey,
    fingerprint: [u8; 16],
}

impl Keyring {
    /// Puts the two keys to work.
    #[must_use]
    pub fn new(master: SecretKey, index: &SecretKey) -> Self {
        let mut fingerprint = [0; 16];
        let mac = SecretKey(index.mac(&[b"metrust v1 fingerprint"]))
            .mac(&[&master.mac(&[b"metrust v1 fingerprint"])]);
        fingerprint.copy_from_slice(&mac[..16]);
        Self {
            subjects: SubjectKey::new(index),
            master,
            fingerprint,
        }
    }

    /// What tells this pair of keys from every other without giving it away. Kept in the store, so
    /// that a service with the wrong keys, to which every number would look free, never starts.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// The key that finds a number's place in the index.
    #[must_use]
    pub fn subjects(&self) -> &SubjectKey {
        &self.subjects
    }

    /// The key for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> SecretKey {
        SecretKey(self.master.mac(&[purpose.label()]))
    }
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
            assert_eq!(SecretKey::from_hex(wrong), Err(KeyringError::Form));
        }
    }

    #[test]
    fn another_master_or_index_key_has_another_fingerprint() {
        let [a, b] = [SecretKey::generate(), SecretKey::generate()];
        let ring = |m: &SecretKey, i: &SecretKey| Keyring::new(m.clone(), i).fingerprint();
        assert_eq!(ring(&a, &b), ring(&a, &b));
        assert_ne!(ring(&a, &b), ring(&b, &b));
        assert_ne!(ring(&a, &b), ring(&a, &a));
    }

    #[test]
    fn the_parts_of_a_mac_cannot_be_shifted_into_each_other() {
        let key = SecretKey::from_bytes([1; 32]);
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
    }
}
