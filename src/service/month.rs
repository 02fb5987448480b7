//! The keys of the months: made ahead of time, committed in the log, never asked for on the way
//! of a check.

use std::time::Duration;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Service, ServiceError};
use crate::domain::{Context, Detail, Moment, Month, Op, PhoneNumber, Pseudonym};
use crate::privacy::{MonthKey, Purpose, Subject};
use crate::store::Kind;

/// How often a process makes sure that it has the keys of the months around now. It looks no further
/// than its memory, and a clock that jumps is found soon.
const RENEW: Duration = Duration::from_secs(2);

#[derive(Serialize, Deserialize)]
struct Record {
    wrapped: String,
    /// Whether the log holds its commitment.
    recorded: bool,
}

impl Service {
    /// A number's two pseudonyms at a moment: its place in the index and its name in the log.
    pub(super) fn pseudonyms(
        &self,
        number: &PhoneNumber,
        at: Moment,
    ) -> Result<(Subject, Pseudonym), ServiceError> {
        let subject = self.keyring.subjects().subject(number);
        self.months
            .with(at.month(), |key| key.opening(number).pseudonym(number))
            .map(|pn| (subject, pn))
            .ok_or(ServiceError::NoMonth)
    }

    /// A number's names in the log, one for every month that has a key.
    #[must_use]
    pub fn pseudonyms_of(&self, number: &PhoneNumber) -> Vec<Pseudonym> {
        self.months
            .all()
            .into_iter()
            .map(|(_, key)| key.opening(number).pseudonym(number))
            .collect()
    }

    /// Learns every month's key, and makes those of the months around now.
    pub(super) async fn open_months(&self) -> Result<(), ServiceError> {
        for (id, document) in self.store.list(Kind::Month).await? {
            let month = id.parse().map_err(|_| damaged())?;
            let key = self.unwrap_month(month, &document.body)?;
            self.months.insert(month, key);
        }
        for month in around_now() {
            self.ensure_month(month).await?;
        }
        Ok(())
    }

    /// Keeps the keys of the months around now ready; never returns.
    pub(super) async fn keep_months(&self) {
        loop {
            tokio::time::sleep(RENEW).await;
            for month in around_now() {
                if self.months.get(month).is_none()
                    && let Err(error) = self.ensure_month(month).await
                {
                    tracing::warn!(%error, %month, "the key of a month is not there yet");
                }
            }
        }
    }

    async fn ensure_month(&self, month: Month) -> Result<(), ServiceError> {
        let id = month.to_string();
        let wrapping = self.keyring.derive(Purpose::MonthKeys);
        let proposed = Record {
            wrapped: BASE64.encode(&MonthKey::generate().wrap(&wrapping, month)),
            recorded: false,
        };
        // Whoever comes second finds the first one's key.
        self.store
            .create(Kind::Month, &id, json(&proposed)?)
            .await?;
        let document = self
            .store
            .get(Kind::Month, &id)
            .await?
            .ok_or_else(damaged)?;
        let key = self.unwrap_month(month, &document.body)?;
        let record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        if !record.recorded {
            let detail = Detail::MonthKey {
                month: id.clone(),
                commitment: key.commitment(),
            };
            let begins = Context::of_service(Op::Key, detail);
            self.store.note(begins).await?;
            let recorded = Record {
                recorded: true,
                ..record
            };
            let version = document.version;
            self.store
                .replace(Kind::Month, &id, version, json(&recorded)?)
                .await?;
        }
        self.months.insert(month, key);
        Ok(())
    }

    fn unwrap_month(&self, month: Month, body: &str) -> Result<MonthKey, ServiceError> {
        let record: Record = serde_json::from_str(body).map_err(|_| damaged())?;
        let wrapped = BASE64
            .decode(record.wrapped.as_bytes())
            .map_err(|_| damaged())?;
        let wrapping = self.keyring.derive(Purpose::MonthKeys);
        MonthKey::unwrap(&wrapping, month, &wrapped).map_err(|_| damaged())
    }
}

/// This month, the next one, and the one before: a clock may be set back a little, too.
fn around_now() -> [Month; 3] {
    let now = Moment::now().month();
    [now, now.next(), now.previous()]
}

fn damaged() -> ServiceError {
    ServiceError::Damaged("the key of a month")
}

fn json(record: &Record) -> Result<String, ServiceError> {
    serde_json::to_string(record).map_err(|_| damaged())
}
