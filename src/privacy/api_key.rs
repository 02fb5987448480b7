//! API keys: `mtr_live_<id>_<secret><checksum>`.
//!
//! The prefix lets scanners of leaked secrets find them, the id finds the key's record, the secret
//! (160 random bits) proves it, and the checksum tells a mistyped key from a wrong one before any
//! work is done.
//!
//! What is kept of a key is its HMAC under a key derived from the master key. So many random bits
//! cannot be guessed however fast the hash is (OWASP ASVS 5.0, 6.5.2), and one that takes
//! microseconds leaves nobody waiting behind somebody who sends wrong keys.

use std::fmt;

use data_encoding::{Encoding, HEXLOWER, Specification};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{KeyedHash, random};
use crate::domain::KeyId;

const PREFIX: &str = "mtr_live_";
const ID: usize = 10;
const SECRET: usize = 32;
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + ID + 1 + SECRET + CHECKSUM;

/// Base 32 in lower case (RFC 4648's alphabet), without padding.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("abcdefghijklmnopqrstuvwxyz234567");
    #[allow(clippy::expect_used, reason = "32 different symbols are an alphabet")]
    specification.encoding().expect("the alphabet is valid")
});

/// A whole key, secret included. Never shown by `Debug`; wiped from memory when dropped.
#[derive(Clone)]
pub struct ApiKey {
    text: Zeroizing<String>,
    id: KeyId,
}

impl ApiKey {
    /// A new key.
    #[must_use]
    #[allow(
        clippy::expect_used,
        reason = "the alphabet has only letters and digits of an id"
    )]
    pub fn generate() -> Self {
        // Ten characters are 50 bits: 7 bytes give 12 characters, the last two are not used.
        let id = &BASE32.encode(&random::<7>())[..ID];
        let secret = Zeroizing::new(BASE32.encode(&random::<20>()));
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.extend([PREFIX, id, "_", &secret]);
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        Self {
            text,
            id: KeyId::parse(id).expect("ten characters of base 32 are a key id"),
        }
    }

    /// Reads a key; `None` if it is not one or is mistyped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
        if rest.len() != SECRET + CHECKSUM || !rest.is_ascii() {
            return None;
        }
        let (head, sum) = text.split_at(text.len() - CHECKSUM);
        if checksum(head) != sum.as_bytes() {
            return None;
        }
        Some(Self {
            id: KeyId::parse(id).ok()?,
            text: Zeroizing::new(text.to_owned()),
        })
    }

    /// The public half.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public half alone.
    #[must_use]
    pub fn into_id(self) -> KeyId {
        self.id
    }

    /// The whole key, for its holder.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is kept of it: its HMAC-SHA256 in hexadecimal digits.
    #[must_use]
    pub fn hash(&self, hasher: &KeyedHash) -> String {
        self.hex(hasher).iter().copied().map(char::from).collect()
    }

    /// Whether this is the key of which `kept` was kept; compared in constant time.
    #[must_use]
    pub fn is_hashed_to(&self, hasher: &KeyedHash, kept: &str) -> bool {
        self.hex(hasher).ct_eq(kept.as_bytes()).into()
    }

    fn hex(&self, hasher: &KeyedHash) -> [u8; 64] {
        let mut hex = [0; 64];
        HEXLOWER.encode_mut(&hasher.mac(&[self.text.as_bytes()]), &mut hex);
        hex
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, hidden)", self.id)
    }
}

fn checksum(head: &str) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(head.as_bytes());
    // Six characters are 30 bits: 5 bytes give eight, the last two are not used.
    let mut sum = [0; 8];
    BASE32.encode_mut(&digest[..5], &mut sum);
    std::array::from_fn(|place| sum[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::SecretKey;

    #[test]
    fn a_key_is_read_back_and_a_mistyped_one_is_not() {
        let key = ApiKey::generate();
        let again = ApiKey::parse(key.reveal()).unwrap();
        assert_eq!(again.id(), key.id());
        assert_eq!(key.reveal().len(), LENGTH);
        let text = key.reveal();
        for place in PREFIX.len()..text.len() {
            let other = if &text[place..=place] == "a" {
                "b"
            } else {
                "a"
            };
            let wrong = format!("{}{other}{}", &text[..place], &text[place + 1..]);
            assert!(ApiKey::parse(&wrong).is_none());
        }
        for wrong in [
            "",
            "mtr_live_",
            "mtr_test_abcdefghij_x",
            "é",
            &"x".repeat(5000),
        ] {
            assert!(ApiKey::parse(wrong).is_none());
        }
        assert!(!format!("{key:?}").contains(&text[20..]));
    }

    #[test]
    fn a_key_is_known_by_its_hash_under_the_registry_s_own_key_alone() {
        let (key, hasher) = (ApiKey::generate(), KeyedHash::new(&SecretKey::generate()));
        let hash = key.hash(&hasher);
        assert!(!hash.contains(key.reveal()) && hash.len() == 64);
        assert!(key.is_hashed_to(&hasher, &hash));
        assert!(!ApiKey::generate().is_hashed_to(&hasher, &hash));
        assert!(!key.is_hashed_to(&KeyedHash::new(&SecretKey::generate()), &hash));
        for place in 0..hash.len() {
            for bit in 0..7 {
                let mut flipped = hash.clone().into_bytes();
                flipped[place] ^= 1 << bit;
                let flipped = String::from_utf8(flipped).unwrap();
                assert!(!key.is_hashed_to(&hasher, &flipped), "{place}.{bit}");
            }
        }
        for wrong in [
            "",
            &hash[1..],
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        ] {
            assert!(!key.is_hashed_to(&hasher, wrong), "{wrong}");
        }
    }
}
