//! Receipts: what one act left on record, and the proof that it stays there.
//!
//! As soon as an entry is sealed its receipt holds an inclusion proof (c2sp.org/tlog-proof), which
//! anybody can check with the log's public key. Before that it holds a promise, signed with the
//! same key, that the entry will be sealed by a stated time; whoever holds one can show that it
//! was broken.

use data_encoding::BASE64;
use serde::Serialize;

use super::search::Found;
use crate::domain::{Entry, EntryId, Moment, Op, Principal, Pseudonym, Role, Value};
use crate::log::{Checkpoint, LogName, Note, TlogProof, leaf_hash};
use crate::service::{Asked, CheckAuthorization, Service, ServiceError};

/// The first line of a promise. No log has it for its origin, so no promise is a checkpoint.
pub const PROMISE: &str = "metrust promise v1";

/// What is known of one entry.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The entry, in its canonical form.
    pub entry: Vec<u8>,
    /// Where it is sealed, and the proof; or the promise.
    pub proof: Proof,
}

/// Why the entry will still be there tomorrow.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Proof {
    /// It is sealed.
    Sealed {
        /// The log.
        log: LogName,
        /// Its place there, from 0.
        index: u64,
        /// The proof with its checkpoint, as a text.
        proof: String,
    },
    /// It is not sealed yet.
    Promised {
        /// The signed promise.
        promise: String,
    },
}

/// What a promise says.
struct Promised<'a> {
    id: EntryId,
    time: Moment,
    agency: Option<&'a str>,
    seller: Option<String>,
    pn: Option<Pseudonym>,
    answer: Option<String>,
    /// The hash of its leaf (RFC 6962), where its bytes are known.
    leaf: Option<String>,
    /// What the entry of a wash says, by its own names.
    washed: Vec<(&'static str, String)>,
}

impl Service {
    /// The receipt of an entry, for whoever made it and for those who read the audit.
    ///
    /// # Errors
    /// [`ServiceError::UnknownEntry`] also for the entries of others, whose existence is nobody
    /// else's business.
    pub async fn receipt(&self, who: &Principal, id: EntryId) -> Result<Receipt, ServiceError> {
        let permit = self.search_permit().await?;
        let found = self.find(&permit, id).await?;
        let found = found.ok_or(ServiceError::UnknownEntry)?;
        self.receipt_of(who, found).await
    }

    /// The receipt of an entry that was found.
    pub(in crate::service) async fn receipt_of(
        &self,
        who: &Principal,
        found: Found,
    ) -> Result<Receipt, ServiceError> {
        let entry = Entry::read_json(&found.entry)
            .map_err(|_| ServiceError::Damaged("an entry of the log"))?;
        let own = match &who.role {
            Role::Regulator | Role::Operator => true,
            Role::Dialler { agency } => entry.context.agency.as_ref() == Some(agency),
            Role::Seller { .. } => entry.context.key.as_ref() == Some(&who.key),
        };
        if !own {
            return Err(ServiceError::UnknownEntry);
        }
        self.with_proof(&entry, found).await
    }

    /// An entry that was found, with its proof or a promise.
    pub(in crate::service) async fn with_proof(
        &self,
        entry: &Entry,
        found: Found,
    ) -> Result<Receipt, ServiceError> {
        let proof = match found.sealed {
            Some((log, index)) => self.prove(log, index, &found.entry).await?,
            None => None,
        };
        let proof = match proof {
            Some(proof) => proof,
            None => Proof::Promised {
                promise: self.promise(&Promised {
                    id: entry.id,
                    time: entry.time,
                    agency: entry.context.agency.as_ref().map(|agency| agency.as_str()),
                    seller: entry.context.seller.as_ref().map(ToString::to_string),
                    pn: entry.pn,
                    answer: entry.answer.map(spell),
                    leaf: Some(BASE64.encode(&leaf_hash(&found.entry).0)),
                    washed: washed(entry),
                })?,
            },
        };
        Ok(Receipt {
            entry: found.entry,
            proof,
        })
    }

    /// The signed promise that a check which was just made will be sealed.
    ///
    /// # Errors
    /// [`ServiceError`]; the check is on record all the same.
    pub fn promise_of(
        &self,
        authorization: &CheckAuthorization,
        asked: &Asked,
    ) -> Result<String, ServiceError> {
        let decision = asked.decision;
        let context = &authorization.context;
        self.promise(&Promised {
            id: decision.id,
            time: decision.at,
            agency: context.agency.as_ref().map(|agency| agency.as_str()),
            seller: context.seller.as_ref().map(ToString::to_string),
            pn: asked.pn,
            answer: Some(spell(decision.answer)),
            leaf: None,
            washed: Vec::new(),
        })
    }

    fn promise(&self, promised: &Promised<'_>) -> Result<String, ServiceError> {
        let origin = self.record.origin();
        let mut text = format!(
            "{PROMISE}\n{origin}\nentry {}\ntime {}\n",
            promised.id, promised.time
        );
        let pn = promised.pn.map(|pn| data_encoding::HEXLOWER.encode(&pn.0));
        for (name, value) in [
            ("agency", promised.agency),
            ("seller", promised.seller.as_deref()),
            ("pn", pn.as_deref()),
            ("answer", promised.answer.as_deref()),
            ("leaf", promised.leaf.as_deref()),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("{name} {value}\n"));
            }
        }
        for (name, value) in &promised.washed {
            text.push_str(&format!("{name} {value}\n"));
        }
        let by = promised.time.plus(self.record.promise);
        text.push_str(&format!("sealed by {by}\n"));
        let signers = self.record.keys.signers(origin, Moment::now())?;
        let note = Note::sign(text, &signers.iter().collect::<Vec<_>>())?;
        Ok(note.to_string())
    }

    /// The inclusion proof of a sealed entry; nothing while its checkpoint is not published yet.
    async fn prove(
        &self,
        log: LogName,
        index: u64,
        entry: &[u8],
    ) -> Result<Option<Proof>, ServiceError> {
        let damaged = || ServiceError::Damaged("a checkpoint of the log");
        let archive = &self.record.archive;
        let Some(signed) = archive.checkpoint(log).await? else {
            return Ok(None);
        };
        let note = Note::parse(&signed).map_err(|_| damaged())?;
        let checkpoint = Checkpoint::parse(&note.text).map_err(|_| damaged())?;
        if checkpoint.size <= index {
            return Ok(None);
        }
        let hashes = archive.inclusion(log, index, checkpoint.size).await?;
        let leaf = leaf_hash(entry);
        crate::log::proof::check_inclusion(
            &leaf,
            index,
            checkpoint.size,
            &hashes,
            &checkpoint.root,
        )
        .map_err(|_| ServiceError::Damaged("a tile of the log"))?;
        let proof = TlogProof {
            extra: None,
            index,
            hashes,
            checkpoint: note.to_string(),
        };
        Ok(Some(Proof::Sealed {
            log,
            index,
            proof: proof.to_string(),
        }))
    }
}

fn washed(entry: &Entry) -> Vec<(&'static str, String)> {
    if entry.context.op != Op::Wash {
        return Vec::new();
    }
    let names = [
        "wash",
        "reason",
        "commitment",
        "bytes",
        "rows",
        "suppress",
        "not_listed",
        "invalid",
        "handed_over",
    ];
    let said = names.into_iter().filter_map(|name| {
        let value = match entry.field(name)? {
            Value::Text(text) => text.into_owned(),
            Value::Integer(number) => number.to_string(),
        };
        Some((name, value))
    });
    said.collect()
}

fn spell(answer: crate::domain::Answer) -> String {
    match answer.reason() {
        Some(reason) => format!("{} {}", answer.as_str(), reason.as_str()),
        None => answer.as_str().to_owned(),
    }
}
