//! The two keys that the whole registry rests on, and what is derived from them.

use super::pseudonym::SubjectKey;
use super::secret::SecretKey;

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
    /// Seals the cookie that carries what was typed from a form to the page that shows it again.
    Draft,
    /// Names a dialler's `ref` in the store.
    Replay,
    /// Makes the keys that sign the log.
    LogKeys,
    /// Seals what people report, for those who have to deal with it.
    Reports,
    /// Seals the letters that are to be sent, their address included.
    Letters,
    /// Seals the cookie that carries a key's holder through the console.
    Console,
    /// Hashes API keys, so that the store holds none.
    ApiKeys,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::MonthKeys => b"metrust v1 month keys",
            Self::Registrations => b"metrust v1 registrations",
            Self::Visit => b"metrust v1 visit",
            Self::Form => b"metrust v1 form",
            Self::Draft => b"metrust v1 draft",
            Self::Replay => b"metrust v1 replay",
            Self::LogKeys => b"metrust v1 log keys",
            Self::Reports => b"metrust v1 reports",
            Self::Letters => b"metrust v1 letters",
            Self::Console => b"metrust v1 console",
            Self::ApiKeys => b"metrust v1 api keys",
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
        let mac = SecretKey::from_bytes(index.mac(&[b"metrust v1 fingerprint"]))
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
        SecretKey::from_bytes(self.master.mac(&[purpose.label()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_master_or_index_key_has_another_fingerprint() {
        let [a, b] = [SecretKey::generate(), SecretKey::generate()];
        let ring = |m: &SecretKey, i: &SecretKey| Keyring::new(m.clone(), i).fingerprint();
        assert_eq!(ring(&a, &b), ring(&a, &b));
        assert_ne!(ring(&a, &b), ring(&b, &b));
        assert_ne!(ring(&a, &b), ring(&a, &a));
    }
}
