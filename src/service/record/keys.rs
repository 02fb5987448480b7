//! The keys that sign the log: which there are, and changing to a new one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Context, Detail, Moment, Op, Principal};
use crate::log::Generation;
use crate::service::{Service, ServiceError};
use crate::store::Kind;

/// The document of the keys' generations.
const DOCUMENT: &str = "keys";

#[derive(Serialize, Deserialize)]
struct Document {
    generations: Vec<Generation>,
    /// The newest generation whose public key is an entry of the log.
    recorded: u32,
}

/// A key that signs the log, as everybody may know it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogKeyView {
    /// The log's name.
    pub log: String,
    /// The verifier key (c2sp.org/signed-note).
    pub vkey: String,
}

impl Service {
    /// The verifier keys of every log, the newest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn log_keys(&self) -> Result<Vec<LogKeyView>, ServiceError> {
        let record = &self.record;
        let logs = match record.archive.head().await? {
            Some(head) => head
                .logs()
                .into_iter()
                .map(|log| (log.log, log.origin))
                .collect(),
            None => {
                let log = crate::log::LogName::of_year(Moment::now().year());
                vec![(log, format!("{}/{log}", record.origin()))]
            }
        };
        let mut views = Vec::new();
        for (log, origin) in logs.into_iter().rev() {
            for key in record.keys.verifiers(&origin)? {
                views.push(LogKeyView {
                    log: log.to_string(),
                    vkey: key.to_string(),
                });
            }
        }
        Ok(views)
    }

    /// Learns which keys sign, making the first one where there is none, and puts each new one on
    /// record.
    pub(in crate::service) async fn renew_log_keys(&self) -> Result<(), ServiceError> {
        let first = Document {
            generations: vec![Generation {
                number: 1,
                since: Moment::now(),
                until: None,
            }],
            recorded: 0,
        };
        let document = match self.store.get(Kind::Log, DOCUMENT).await? {
            Some(document) => document,
            None => {
                self.store
                    .create(Kind::Log, DOCUMENT, json(&first)?)
                    .await?;
                let found = self.store.get(Kind::Log, DOCUMENT).await?;
                found.ok_or_else(damaged)?
            }
        };
        let mut known: Document = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        self.record.keys.learn(known.generations.clone());
        let newest = known.generations.last().map_or(0, |newest| newest.number);
        if known.recorded < newest {
            let public_key = self.public_key(newest)?;
            self.note_key(None, Detail::LogKey { public_key }).await?;
            known.recorded = newest;
            self.store
                .replace(Kind::Log, DOCUMENT, document.version, json(&known)?)
                .await?;
        }
        Ok(())
    }

    /// Begins to sign with a new key. The one before signs beside it for as long as `overlap`.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when somebody else did so at the same moment.
    pub async fn rotate_log_key(
        &self,
        by: &Principal,
        overlap: Duration,
    ) -> Result<Vec<LogKeyView>, ServiceError> {
        let document = self.store.get(Kind::Log, DOCUMENT).await?;
        let document = document.ok_or_else(damaged)?;
        let mut known: Document = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        let now = Moment::now();
        let mut last = 0;
        for generation in &mut known.generations {
            last = last.max(generation.number);
            let until = now.plus(overlap);
            generation.until = Some(generation.until.map_or(until, |before| before.min(until)));
        }
        known.generations.push(Generation {
            number: last + 1,
            since: now,
            until: None,
        });
        let body = json(&known)?;
        if !self
            .store
            .replace(Kind::Log, DOCUMENT, document.version, body)
            .await?
        {
            return Err(ServiceError::Conflict);
        }
        let public_key = self.public_key(last)?;
        self.note_key(Some(by), Detail::LogKeyRetired { public_key })
            .await?;
        self.renew_log_keys().await?;
        self.log_keys().await
    }

    fn public_key(&self, generation: u32) -> Result<[u8; 32], ServiceError> {
        let signer = self.record.keys.signer(self.record.origin(), generation)?;
        Ok(signer.verifier().public_key())
    }

    async fn note_key(&self, by: Option<&Principal>, detail: Detail) -> Result<(), ServiceError> {
        let context = Context::of_service(Op::Key, detail).by(by.map(|who| &who.key));
        Ok(self.store.note(context).await?)
    }
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("the list of the log's keys")
}

fn json(document: &Document) -> Result<String, ServiceError> {
    serde_json::to_string(document).map_err(|_| damaged())
}
