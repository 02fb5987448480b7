//! Co-signatures of witnesses (c2sp.org/tlog-cosignature): somebody else's word that the log has
//! only ever grown. They are kept beside the checkpoint that they are about, each by itself: several
//! witnesses may post at once, to several processes.

use crate::domain::Moment;
use crate::log::{Checkpoint, KeyKind, LogError, LogName, Note, Signature};
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
        let archive = &record.archive;
        if archive
            .kept_checkpoint(log, checkpoint.size)
            .await?
            .is_none()
        {
            let signers = record.keys.signers(&checkpoint.origin, Moment::now())?;
            let signed = Note::sign(note.text.clone(), &signers.iter().collect::<Vec<_>>())?;
            archive
                .keep_checkpoint(log, checkpoint.size, signed.to_string())
                .await?;
        }
        let mut kept = self.kept_note(log, checkpoint.size).await?;
        if kept.text != note.text {
            return Err(NOT_OURS);
        }
        let of_witness = |signature: &&Signature| witnesses.iter().any(|key| signature.is_by(key));
        for signature in note.signatures.iter().filter(of_witness) {
            // Refused where there is no room for it.
            kept.add(&signature.to_string())?;
            archive
                .keep_cosignature(log, checkpoint.size, signature)
                .await?;
        }
        let kept = self.kept_note(log, checkpoint.size).await?;
        let count = record
            .witnesses
            .iter()
            .filter(|key| key.kind() == KeyKind::Witness)
            .filter(|key| kept.signatures.iter().any(|signature| signature.is_by(key)))
            .count();
        Ok(count)
    }

    /// A checkpoint that is kept, with every co-signature on it.
    async fn kept_note(&self, log: LogName, size: u64) -> Result<Note, ServiceError> {
        let kept = self.record.archive.kept_checkpoint(log, size).await?;
        let note = kept.and_then(|bytes| Note::parse(&bytes).ok());
        note.ok_or_else(|| LogError::Damaged("a checkpoint that was kept".to_owned()).into())
    }
}
