//! The keys that sign the log.
//!
//! They are derived from the master key, one for each generation, so there is nothing more to back
//! up and every process has the same ones. When a key is rotated, the one before goes on signing
//! beside it for a while, so that whoever knows only that one can move over.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};

use super::note::{NoteError, Signer, Verifier};
use crate::domain::Moment;
use crate::privacy::SecretKey;

/// One key after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Counts from 1.
    pub number: u32,
    /// Since when it signs.
    pub since: Moment,
    /// Until when it signs, once there is a newer one.
    pub until: Option<Moment>,
}

/// The keys of the log. Reading takes no lock.
#[derive(Debug)]
pub struct LogKeys {
    secret: SecretKey,
    generations: ArcSwap<Vec<Generation>>,
}

impl LogKeys {
    /// The keys derived from `secret`; of the first generation until others are learned.
    #[must_use]
    pub fn new(secret: SecretKey) -> Self {
        Self {
            secret,
            generations: ArcSwap::default(),
        }
    }

    /// Learns the generations there are, oldest first.
    pub fn learn(&self, generations: Vec<Generation>) {
        if **self.generations.load() != generations {
            self.generations.store(Arc::new(generations));
        }
    }

    /// The generations there are, oldest first.
    #[must_use]
    pub fn generations(&self) -> Arc<Vec<Generation>> {
        self.generations.load_full()
    }

    /// The keys that sign at a moment, the newest first.
    ///
    /// # Errors
    /// [`NoteError`] when the origin cannot be a key's name.
    pub fn signers(&self, origin: &str, at: Moment) -> Result<Vec<Signer>, NoteError> {
        let generations = self.generations.load();
        let current = generations.iter().rev();
        current
            .filter(|generation| generation.until.is_none_or(|until| at < until))
            .map(|generation| self.signer(origin, generation.number))
            .collect()
    }

    /// Every key that has ever signed, the newest first.
    ///
    /// # Errors
    /// [`NoteError`] when the origin cannot be a key's name.
    pub fn verifiers(&self, origin: &str) -> Result<Vec<Verifier>, NoteError> {
        let generations = self.generations.load();
        generations
            .iter()
            .rev()
            .map(|generation| Ok(self.signer(origin, generation.number)?.verifier()))
            .collect()
    }

    /// The public key of a generation.
    ///
    /// # Errors
    /// None with any origin that can be a key's name.
    pub fn signer(&self, origin: &str, number: u32) -> Result<Signer, NoteError> {
        let seed = self
            .secret
            .mac(&[b"metrust v1 log key", &number.to_be_bytes()]);
        Signer::new(origin, &seed)
    }
}
