//! How the index and the log name a number.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::secret::{SecretKey, keyed};
use crate::domain::{PhoneNumber, Pseudonym};

/// A number's place in the suppression index: HMAC-SHA256 under the index key, 16 bytes. Whoever
/// holds the store but not the key cannot turn it back into a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(pub [u8; 16]);

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(hidden)")
    }
}

/// The index key, ready to use.
#[derive(Clone)]
pub struct SubjectKey(Hmac<Sha256>);

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(hidden)")
    }
}

impl SubjectKey {
    pub(super) fn new(key: &SecretKey) -> Self {
        let mut mac = keyed(key.bytes());
        mac.update(b"metrust v1 subject\0");
        Self(mac)
    }

    /// The place of `number`.
    #[must_use]
    pub fn subject(&self, number: &PhoneNumber) -> Subject {
        let mut mac = self.0.clone();
        mac.update(number.e164().as_bytes());
        Subject(first_half(mac.finalize().into_bytes().as_slice()))
    }
}

/// What lets its holder find and prove one number's entries of one month, and no other's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Opening([u8; 32]);

impl Opening {
    /// The opening of `number` under a month's key.
    pub(super) fn new(month: &Hmac<Sha256>, number: &PhoneNumber) -> Self {
        let mut mac = month.clone();
        mac.update(number.e164().as_bytes());
        Self(mac.finalize().into_bytes().into())
    }

    /// An opening that was given away.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to give away.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The pseudonym that the log uses: anyone who holds the opening and the number can compute
    /// it with nothing but SHA-256.
    #[must_use]
    pub fn pseudonym(&self, number: &PhoneNumber) -> Pseudonym {
        let digest = Sha256::new()
            .chain_update(b"metrust v1 pn\0")
            .chain_update(self.0)
            .chain_update(number.e164().as_bytes())
            .finalize();
        Pseudonym(first_half(digest.as_slice()))
    }
}

fn first_half(digest: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

/// The state of a month's key, labelled for openings.
pub(super) fn opening_key(key: &SecretKey) -> Hmac<Sha256> {
    let mut mac = keyed(key.bytes());
    mac.update(b"metrust v1 opening\0");
    mac
}
