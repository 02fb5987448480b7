//! Co-signatures of witnesses (c2sp.org/tlog-cosignature): somebody else's word that the log has
//! only ever grown. They are kept beside the checkpoint that they are about.

use crate::domain::Moment;
use crate::log::{Checkpoint, KeyKind, LogError, LogName, Note};
use crate::service::{Service, ServiceError};

impl Service {
    /// Keeps the co-signatures of known witnesses on a checkpoint that this log signed. Returns
    /// how many there are on it now.
    ///
    /// # Errors
    /// [`ServiceError::Contradiction`] when it is not such a checkpoint.
    pub async fn keep_cosignatures(
        &self,
        log: LogName,
        posted: &[u8],
    ) -> Result<usize, ServiceError> {
        const NOT_OURS: ServiceError = ServiceError::Contradiction(
            "this is not a checkpoint that this log signed, with the co-signature of a witness \
             that it knows",
        );
        let record = &self.record;
        let note = Note::parse(posted).map_err(|_| NOT_OURS)?;
        let checkpoint = Checkpoint::parse(&note.text).map_err(|_| NOT_OURS)?;
        let logs = self.logs().await?;
        let ours = logs
            .iter()
            .any(|known| known.name == log && known.origin == checkpoint.origin);
        let own = record.keys.verifiers(&checkpoint.origin)?;
        if !ours || note.verify(&own).is_err() {
            return Err(NOT_OURS);
        }
        let witnesses = note.verify(&record.witnesses).map_err(|_| NOT_OURS)?;
        let kept = record.archive.kept_checkpoint(log, checkpoint.size).await?;
        let mut whole = match kept {
            Some(bytes) => Note::parse(&bytes)
                .map_err(|_| LogError::Damaged("a checkpoint that was kept".to_owned()))?,
            None => {
                let signers = record.keys.signers(&checkpoint.origin, Moment::now())?;
                Note::sign(note.text.clone(), &signers.iter().collect::<Vec<_>>())?
            }
        };
        if whole.text != note.text {
            return Err(NOT_OURS);
        }
        for witness in witnesses {
            let signature = note
                .signatures
                .iter()
                .find(|signature| signature.is_by(witness));
            if let Some(signature) =
                signature.filter(|signature| !whole.signatures.contains(signature))
            {
                whole.add(&signature.to_string())?;
            }
        }
        let count = record
            .witnesses
            .iter()
            .filter(|key| key.kind() == KeyKind::Witness)
            .filter(|key| {
                whole
                    .signatures
                    .iter()
                    .any(|signature| signature.is_by(key))
            })
            .count();
        record
            .archive
            .keep_checkpoint(log, checkpoint.size, whole.to_string())
            .await?;
        Ok(count)
    }
}
