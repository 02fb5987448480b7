//! What is signed: checkpoints and receipts.
//!
//! C2SP signed-note, tlog-checkpoint and tlog-proof (<https://c2sp.org/tlog-proof>).

use crate::log::note::Kind;
use crate::log::{Checkpoint, Note, TlogProof, Verifier};

/// A checkpoint, and who signed it.
pub(in crate::log) struct Signed {
    pub(in crate::log) checkpoint: Checkpoint,
    /// Why the signature does not hold.
    pub(in crate::log) fault: Option<String>,
    /// The known witnesses who signed it too.
    pub(in crate::log) witnesses: Vec<String>,
}

/// Reads a checkpoint, whoever signed it.
pub(in crate::log) fn open(bytes: &[u8], keys: &[Verifier]) -> Result<Signed, String> {
    let note = Note::parse(bytes).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint::parse(&note.text).map_err(|error| error.to_string())?;
    // Another log's key, or a witness's alone, must not vouch for this log.
    let ours = |key: &Verifier| key.kind() == Kind::Log && key.name() == checkpoint.origin;
    let known: Vec<Verifier> = keys
        .iter()
        .filter(|key| ours(key) || key.kind() == Kind::Witness)
        .cloned()
        .collect();
    let (fault, witnesses) = match note.verify(&known) {
        Ok(signed) if signed.iter().any(|key| ours(key)) => {
            let witnesses = signed.iter().filter(|key| key.kind() == Kind::Witness);
            let names = witnesses.map(|key| key.name().to_owned());
            (None, names.collect())
        }
        Ok(_) => (Some(no_key_of(&checkpoint.origin)), Vec::new()),
        Err(_) if !known.iter().any(ours) => (Some(no_key_of(&checkpoint.origin)), Vec::new()),
        Err(error) => (Some(error.to_string()), Vec::new()),
    };
    Ok(Signed {
        checkpoint,
        fault,
        witnesses,
    })
}

fn no_key_of(origin: &str) -> String {
    format!("no trusted key of {origin} has signed it")
}

/// A receipt, and the checkpoint in it.
pub(super) fn open_receipt(bytes: &[u8], keys: &[Verifier]) -> Result<(TlogProof, Signed), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let proof = TlogProof::parse(text).map_err(|error| error.to_string())?;
    let signed = open(proof.checkpoint.as_bytes(), keys)?;
    Ok((proof, signed))
}
