//! The keys under which the log's pseudonyms are made: a random one for each calendar month.
//!
//! Releasing one month's key opens that month to a regulator and no other. Each key lies in the
//! store wrapped under the master key, and a commitment to it is an entry of the log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hmac::Hmac;
use sha2::{Digest, Sha256};

use super::pseudonym::opening_key;
use super::{Opening, SealError, SecretKey, open, seal};
use crate::domain::{Month, PhoneNumber};

/// One month's key.
#[derive(Clone)]
pub struct MonthKey {
    key: SecretKey,
    openings: Hmac<Sha256>,
}

impl fmt::Debug for MonthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MonthKey(hidden)")
    }
}

impl MonthKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self::from(SecretKey::generate())
    }

    /// A key that was released.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::from(SecretKey::from_bytes(bytes))
    }

    /// The key itself, for the one who may release it.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        self.key.bytes()
    }

    fn from(key: SecretKey) -> Self {
        Self {
            openings: opening_key(&key),
            key,
        }
    }

    /// SHA-256 of the key: what the log holds of it when the month begins.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        Sha256::digest(self.key.bytes()).into()
    }

    /// The key in a box that only the master key (through `wrapping`) opens.
    #[must_use]
    pub fn wrap(&self, wrapping: &SecretKey, month: Month) -> Vec<u8> {
        seal(wrapping, month.to_string().as_bytes(), self.key.bytes())
    }

    /// Opens the box.
    ///
    /// # Errors
    /// [`SealError`] when it was not made with this key for this month.
    pub fn unwrap(wrapping: &SecretKey, month: Month, boxed: &[u8]) -> Result<Self, SealError> {
        let bytes = open(wrapping, month.to_string().as_bytes(), boxed)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| SealError)?;
        Ok(Self::from(SecretKey::from_bytes(bytes)))
    }

    /// The opening of `number` for this month.
    #[must_use]
    pub fn opening(&self, number: &PhoneNumber) -> Opening {
        Opening::new(&self.openings, number)
    }
}

/// The month keys that this process knows. Reading takes no lock.
#[derive(Debug, Default)]
pub struct MonthKeys(ArcSwap<BTreeMap<Month, MonthKey>>);

impl MonthKeys {
    /// The key of `month`, if this process has it.
    #[must_use]
    pub fn get(&self, month: Month) -> Option<MonthKey> {
        self.0.load().get(&month).cloned()
    }

    /// Uses the key of `month` without copying it.
    pub fn with<T>(&self, month: Month, use_it: impl FnOnce(&MonthKey) -> T) -> Option<T> {
        self.0.load().get(&month).map(use_it)
    }

    /// Every known month with its key, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<(Month, MonthKey)> {
        self.0.load().iter().map(|(m, k)| (*m, k.clone())).collect()
    }

    /// Learns a key.
    pub fn insert(&self, month: Month, key: MonthKey) {
        self.0.rcu(|known| {
            let mut known = BTreeMap::clone(known);
            known.insert(month, key.clone());
            Arc::new(known)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_month_key_opens_for_its_month_only() {
        let wrapping = SecretKey::generate();
        let (november, december) = ("2026-11".parse().unwrap(), "2026-12".parse().unwrap());
        let key = MonthKey::generate();
        let boxed = key.wrap(&wrapping, november);
        let again = MonthKey::unwrap(&wrapping, november, &boxed).unwrap();
        assert_eq!(again.commitment(), key.commitment());
        assert!(MonthKey::unwrap(&wrapping, december, &boxed).is_err());
        assert!(MonthKey::unwrap(&SecretKey::generate(), november, &boxed).is_err());
    }

    #[test]
    fn a_pseudonym_changes_with_the_month_and_the_number() {
        let number = |text| PhoneNumber::parse(text, None).unwrap();
        let (a, b) = (number("+32475123456"), number("+32475123457"));
        let (one, two) = (MonthKey::generate(), MonthKey::generate());
        let pn = |key: &MonthKey, n| key.opening(n).pseudonym(n);
        assert_eq!(pn(&one, &a), pn(&one, &a));
        assert_ne!(pn(&one, &a), pn(&one, &b));
        assert_ne!(pn(&one, &a), pn(&two, &a));
    }
}
