//! "Who asked about my number": every check of the numbers of a code, from the log's own index.
//!
//! Nobody proves that a number is theirs when they opt it out. So a code tells about the time since
//! its own opt-out began, and nothing of what others may have registered or asked before.

use super::registration::Access;
use super::report::rows_of;
use super::{Service, ServiceError};
use crate::domain::{AgencyId, Answer, Channels, Moment, Op, PhoneNumber, SellerRef};

/// How many checks are told at most, the newest.
pub const MOST: usize = 20_000;

/// What somebody asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The number.
    pub number: PhoneNumber,
    /// When.
    pub at: Moment,
    /// Its entry in the log.
    pub id: String,
    /// What it was.
    pub kind: Kind,
}

/// What it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A call centre asked whether the number may be called.
    Check {
        /// Who asked, if it was a call centre.
        agency: Option<AgencyId>,
        /// For which company.
        seller: Option<SellerRef>,
        /// About calls, texts or both.
        channels: Option<Channels>,
        /// What they were told.
        answer: Option<Answer>,
    },
    /// Somebody who may read the log looked for the number's entries: the regulator, or the holder
    /// of a code for their evidence.
    Opening,
}

/// What a code is told.
#[derive(Debug, Clone)]
pub struct Askings {
    /// Since when the code's opt-out has been there: nothing earlier is told.
    pub since: Moment,
    /// The newest first; at most [`MOST`].
    pub all: Vec<Asking>,
    /// Whether there were more than that.
    pub more: bool,
}

impl Service {
    /// Every check of the numbers of a code since its opt-out began, sealed or not.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no opt-out has this code.
    pub async fn asked(&self, access: &Access) -> Result<Askings, ServiceError> {
        let registration = self.registration(access).await?;
        let (record, numbers) = self.open_record(access).await?;
        let since = record.created_at;
        // A number that came in later tells nothing of before that.
        let begun: Vec<_> = numbers
            .into_iter()
            .map(|number| {
                let added = &registration.added_numbers;
                let added = added.iter().find(|(known, _)| *known == number);
                (number, added.map_or(since, |(_, since)| *since))
            })
            .collect();
        let index = self.record_index().await?;
        let keys = self.months.all();
        let damaged = || ServiceError::Damaged("the index of the log");
        let mut all = tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            for (number, since) in begun {
                rows_of(&index, &keys, &number, (since, Moment::now()), |row| {
                    let kind = match row.op {
                        Op::Check => Kind::Check {
                            agency: row.agency.cloned(),
                            seller: row.seller.cloned(),
                            channels: row.channels,
                            answer: row.answer,
                        },
                        Op::Opening => Kind::Opening,
                        _ => return,
                    };
                    all.push(Asking {
                        number,
                        at: row.time,
                        id: row.id.to_string(),
                        kind,
                    });
                })?;
            }
            Ok::<_, ServiceError>(all)
        })
        .await
        .map_err(|_| damaged())??;
        all.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        let more = all.len() > MOST;
        all.truncate(MOST);
        Ok(Askings { since, all, more })
    }
}
