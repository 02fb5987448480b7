//! The evidence about a reported call: every entry that has to do with it, each with its proof, and
//! what is needed to verify them without trusting this service.

use std::collections::BTreeSet;
use std::time::Duration;

use super::finding::rows_of;
use super::{CheckSeen, ReportView};
use crate::domain::{Entry, EntryId, Finding, Moment, Month, Op, PhoneNumber, ReportId};
use crate::service::record::receipt::{Proof, Receipt};
use crate::service::record::search::{Found, Sought};
use crate::service::registration::Access;
use crate::service::{SearchPermit, Service, ServiceError};

/// How much later than the record of an opt-out its entry may be: it is written first.
const SLACK: Duration = Duration::from_secs(2);

/// The evidence about one call.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The report, as whoever made it sees it.
    pub report: ReportView,
    /// The entries, in the order of their time.
    pub pieces: Vec<Piece>,
    /// The openings of the number in the months of these entries, as a signed text. Nothing for
    /// whoever has no opt-out of the number.
    pub openings: Option<String>,
    /// The keys that sign the log, one a line.
    pub vkeys: String,
}

/// An entry of the log with its proof.
#[derive(Debug, Clone)]
pub struct Piece {
    /// What happened.
    pub op: Op,
    /// When.
    pub at: Moment,
    /// Its name.
    pub id: EntryId,
    /// In its canonical form.
    pub entry: Vec<u8>,
    /// Where it is sealed, and the proof; or the promise.
    pub proof: Proof,
}

impl Evidence {
    /// Whether every entry is sealed already.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        let mut proofs = self.pieces.iter().map(|piece| &piece.proof);
        proofs.all(|proof| matches!(proof, Proof::Sealed { .. }))
    }
}

impl Service {
    /// Puts together what there is about a reported call. That the number was opened for its
    /// holder is an entry of the log.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReport`] also for the reports of others.
    pub async fn evidence(&self, access: &Access, id: ReportId) -> Result<Evidence, ServiceError> {
        let permit = self.search_permit().await?;
        let report = self.report_of(access, id).await?;
        // Nothing can be shown to whoever is told nothing.
        if report.finding == Finding::Asked {
            return Err(ServiceError::UnknownReport);
        }
        let kept = self.kept_report(id).await?;
        let (kept, content) = kept.ok_or(ServiceError::UnknownReport)?;
        let number = PhoneNumber::parse(&content.number, None)
            .map_err(|_| ServiceError::Damaged("a report"))?;
        let mut found = Vec::new();
        let opt_out = self.entries_of_opt_out(&permit, access, &number, &report);
        for id in opt_out.await? {
            found.extend(self.find(&permit, id).await?);
        }
        let told = report
            .checks
            .iter()
            .filter(|check| check.suppress.is_some());
        for id in told.filter_map(CheckSeen::entry) {
            found.extend(self.find(&permit, id).await?);
        }
        // Its entry has the finding that is told here.
        if let Some(at) = kept.recorded {
            found.extend(self.search(&permit, &Sought::report(id, at)).await?);
        }
        let mut pieces = Vec::new();
        for found in found {
            pieces.push(self.piece(found).await?);
        }
        pieces.sort_by_key(|piece| (piece.at, piece.id));
        let months: BTreeSet<Month> = pieces.iter().map(|piece| piece.at.month()).collect();
        let months: Vec<Month> = months.into_iter().collect();
        let openings = match report.by_holder {
            true => Some(self.openings(&number, &months, None).await?),
            false => None,
        };
        let keys = self.log_keys().await?;
        Ok(Evidence {
            report,
            pieces,
            openings,
            vkeys: keys.iter().map(|key| format!("{}\n", key.vkey)).collect(),
        })
    }

    async fn piece(&self, found: Found) -> Result<Piece, ServiceError> {
        let entry = Entry::read_json(&found.entry)
            .map_err(|_| ServiceError::Damaged("an entry of the log"))?;
        let Receipt { entry: json, proof } = self.with_proof(&entry, found).await?;
        Ok(Piece {
            op: entry.context.op,
            at: entry.time,
            id: entry.id,
            entry: json,
            proof,
        })
    }

    /// The entries that opted the number out in the name of this code.
    async fn entries_of_opt_out(
        &self,
        permit: &SearchPermit,
        access: &Access,
        number: &PhoneNumber,
        report: &ReportView,
    ) -> Result<Vec<EntryId>, ServiceError> {
        if !report.by_holder {
            return Ok(Vec::new());
        }
        let seller = report.seller.as_ref();
        let Some(began) = self.began(access, number, seller).await? else {
            return Ok(Vec::new());
        };
        let span = (began.asked_at, began.since.plus(SLACK));
        let (index, keys, number) = (self.record_index(permit).await?, self.months.all(), *number);
        tokio::task::spawn_blocking(move || {
            let mut ids = Vec::new();
            rows_of(&index, &keys, &number, span, |row| {
                if row.op == Op::Register {
                    ids.push(row.id);
                }
            })?;
            Ok(ids)
        })
        .await
        .map_err(|_| ServiceError::Damaged("the index of the log"))?
    }
}

impl CheckSeen {
    fn entry(&self) -> Option<EntryId> {
        EntryId::parse(&self.id)
    }
}
