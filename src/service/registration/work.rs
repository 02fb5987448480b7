//! Bringing the index to what a registration wants.
//!
//! The index cannot change in one step with a registration's record. So the record comes first: it
//! says what is wanted, under a version, and in the same step the work that follows from it is kept
//! beside it. Then the work is carried out: any process may do that, at any time, as often as it
//! likes, for the index does nothing for a version older than the newest that it has seen of a
//! number. Whoever is told that theirs is older reads the record anew. When the work is done the
//! record says so, which nobody waits for: until then whoever looks does the work once more, and
//! nothing comes of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::held::Held;
use super::record::{ATTEMPTS, Done, Opened, Record, damaged};
use super::{Acting, Service, ServiceError};
use crate::domain::{
    AgencyId, Channels, Context, Detail, KeyId, Locator, Moment, Op, PhoneNumber, Pseudonym,
    SellerRef,
};
use crate::privacy::Subject;
use crate::store::{Action, Beside, Change, Changed, Kind, Listing, SellerNumber};

/// How often work that others left is looked for.
const LOOK: Duration = Duration::from_secs(2);

/// How many records are told at a time that their work is done.
const AT_A_TIME: usize = 32;

/// What a registration wants of the index: enough to bring it there without its code, and without
/// its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Work {
    /// Of the record.
    version: u64,
    made: Moment,
    channels: Channels,
    agency: Option<AgencyId>,
    key: Option<KeyId>,
    detail: Option<Detail>,
    staying: Vec<Name>,
    leaving: Vec<Name>,
    put: Vec<Seller>,
    remove: Vec<Seller>,
}

/// A number, as the index and the log know it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Name {
    subject: [u8; 16],
    /// In the month in which the work was made, and in the next one.
    pns: [Pseudonym; 2],
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seller {
    id: SellerRef,
    number: u32,
}

/// What came of carrying it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The index holds it, since this moment at the latest.
    Done(Moment),
    /// The index holds what this newer version wanted.
    Outdated(u64),
}

impl Work {
    /// The document that is kept beside the record.
    pub(super) fn beside(&self) -> Result<Beside, ServiceError> {
        let body = serde_json::to_string(self).map_err(|_| damaged())?;
        Ok(Beside {
            kind: Kind::Open,
            draft: Some(body.into()),
        })
    }

    /// The same where nothing is left to do.
    pub(super) fn nothing() -> Beside {
        Beside {
            kind: Kind::Open,
            draft: None,
        }
    }

    /// One change for each number and seller, each with an entry of its own.
    fn changes(&self, registration: Locator) -> Result<Vec<Change>, ServiceError> {
        let at = Moment::now();
        let month = usize::from(at.month() != self.made.month());
        let mut changes = Vec::new();
        let mut add = |names: &[Name], seller: &Seller, op: Op| {
            let number = match &seller.id {
                SellerRef::All => SellerNumber::ALL,
                SellerRef::One(_) => SellerNumber::new(seller.number).ok_or_else(damaged)?,
            };
            let puts = op == Op::Register;
            let context = Arc::new(Context {
                op,
                agency: self.agency.clone().filter(|_| puts),
                seller: Some(seller.id.clone()),
                key: self.key.clone().filter(|_| puts),
                campaign: None,
                channels: Some(self.channels),
                detail: self.detail.clone().filter(|_| puts),
            });
            for name in names {
                let listing = Listing {
                    subject: Subject(name.subject),
                    registration,
                    version: self.version,
                    seller: number,
                    channels: self.channels,
                };
                changes.push(Change {
                    at,
                    context: context.clone(),
                    pn: Some(name.pns[month]),
                    action: match puts {
                        true => Action::Put(listing),
                        false => Action::Remove(listing),
                    },
                });
            }
            Ok::<(), ServiceError>(())
        };
        for seller in &self.put {
            add(&self.staying, seller, Op::Register)?;
            add(&self.leaving, seller, Op::Withdraw)?;
        }
        for seller in &self.remove {
            add(&self.staying, seller, Op::Withdraw)?;
            add(&self.leaving, seller, Op::Withdraw)?;
        }
        Ok(changes)
    }
}

/// Work that is done, and whose records do not say so yet.
#[derive(Debug, Default)]
pub(in crate::service) struct DoneWork {
    done: Mutex<HashMap<Locator, Done>>,
    news: Notify,
}

impl DoneWork {
    fn add(&self, registration: Locator, done: Done) {
        let mut all = self.all();
        let newest = all.entry(registration).or_insert(done);
        if newest.version < done.version {
            *newest = done;
        }
        self.news.notify_one();
    }

    /// What is known of a registration's work.
    pub(super) fn of(&self, registration: Locator) -> Option<Done> {
        self.all().get(&registration).copied()
    }

    /// As a process that is started anew.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Locator, Done>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// What a record wants of the index. `acting` is who brought what is put.
    pub(super) fn work(
        &self,
        record: &Record,
        held: &[Held],
        acting: &Acting<'_>,
    ) -> Result<Work, ServiceError> {
        let directory = self.directory.current()?;
        let made = Moment::now();
        let sellers = |sellers: &[SellerRef]| -> Result<Vec<Seller>, ServiceError> {
            let number = |id: &SellerRef| match id {
                SellerRef::All => Ok(SellerNumber::ALL.get()),
                SellerRef::One(id) => {
                    let seller = directory.sellers.get(id);
                    let number = seller.ok_or(ServiceError::UnknownSeller)?.number()?;
                    Ok(number.get())
                }
            };
            let all = sellers.iter().map(|id| {
                number(id).map(|number| Seller {
                    id: id.clone(),
                    number,
                })
            });
            all.collect()
        };
        let names = |leaving: bool| -> Result<Vec<Name>, ServiceError> {
            let wanted = held
                .iter()
                .filter(|held| (held.leaving || record.withdrawn_at.is_some()) == leaving);
            wanted.map(|held| self.name(&held.number, made)).collect()
        };
        Ok(Work {
            version: record.version,
            made,
            channels: record.channels,
            agency: acting.by.and_then(|who| who.role.clone().into_agency()),
            key: acting.by.map(|who| KeyId::clone(&who.key)),
            detail: acting.detail.clone(),
            staying: names(false)?,
            leaving: names(true)?,
            put: sellers(&record.sellers)?,
            remove: sellers(&record.leaving)?,
        })
    }

    fn name(&self, number: &PhoneNumber, made: Moment) -> Result<Name, ServiceError> {
        let (subject, pn) = self.pseudonyms(number, made)?;
        let next = self.months.with(made.month().next(), |key| {
            key.opening(number).pseudonym(number)
        });
        Ok(Name {
            subject: subject.0,
            pns: [pn, next.unwrap_or(pn)],
        })
    }

    /// Makes the index hold what is wanted, and each change an entry. Doing it again changes and
    /// records nothing.
    pub(super) async fn carry_out(
        &self,
        registration: Locator,
        work: &Work,
    ) -> Result<Outcome, ServiceError> {
        let changed = self.store.change(work.changes(registration)?).await?;
        let newer = changed.iter().filter_map(|changed| match changed {
            Changed::Outdated(version) => Some(*version),
            Changed::Done | Changed::Unchanged => None,
        });
        if let Some(version) = newer.max() {
            return Ok(Outcome::Outdated(version));
        }
        let done = Done {
            version: work.version,
            at: Moment::now(),
        };
        self.done_work.add(registration, done);
        Ok(Outcome::Done(done.at))
    }

    /// Brings the index to what the record says, if it is not known to be there.
    pub(super) async fn settle(
        &self,
        access: &super::Access,
        acting: &Acting<'_>,
    ) -> Result<Opened, ServiceError> {
        let registration = access.reference().locator();
        for _ in 0..ATTEMPTS {
            let mut opened = self.open_whole(access).await?;
            if !opened.record.is_open() {
                return Ok(opened);
            }
            let work = match self.open_work(registration).await? {
                Some(work) if work.version == opened.record.version => work,
                // It was done in the meantime; doing it again is harmless.
                _ => self.work(&opened.record, &opened.held, acting)?,
            };
            match self.carry_out(registration, &work).await? {
                Outcome::Done(at) => {
                    opened.record.settle(&mut opened.held, at);
                    return Ok(opened);
                }
                Outcome::Outdated(version) => self.raise(registration, work, version).await?,
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Where the index has seen a newer version than the record has, as after the record came back
    /// from a backup: the record's becomes newer still. Where the record is newer by now, nothing.
    async fn raise(
        &self,
        registration: Locator,
        mut work: Work,
        above: u64,
    ) -> Result<(), ServiceError> {
        let id = registration.as_str();
        let Some(document) = self.store.get(Kind::Registration, id).await? else {
            return Ok(());
        };
        let mut record = Record::read(&document.body)?;
        if record.version == work.version {
            record.version = above + 1;
            work.version = record.version;
            let (body, beside) = (record.write()?, work.beside()?);
            let version = Some(document.version);
            self.store
                .put_with(Kind::Registration, id, version, body, beside)
                .await?;
        }
        Ok(())
    }

    async fn open_work(&self, registration: Locator) -> Result<Option<Work>, ServiceError> {
        let document = self.store.get(Kind::Open, registration.as_str()).await?;
        let work = document.map(|document| serde_json::from_str(&document.body));
        work.transpose().map_err(|_| damaged())
    }

    /// Tells records that their work is done; never returns.
    pub(in crate::service) async fn close_done_work(&self) {
        loop {
            self.done_work.news.notified().await;
            if let Err(error) = self.close_all_done().await {
                tracing::warn!(%error, "records do not say yet that the index is as they want it");
                tokio::time::sleep(LOOK).await;
                self.done_work.news.notify_one();
            }
        }
    }

    /// Tells those that are known now.
    pub(in crate::service) async fn close_all_done(&self) -> Result<(), ServiceError> {
        let known: Vec<_> = self
            .done_work
            .all()
            .iter()
            .map(|(id, done)| (*id, *done))
            .collect();
        let closing = futures_util::stream::iter(known).map(|(registration, done)| async move {
            let closed = self.close_work(registration, done).await;
            if closed.is_ok() {
                let mut all = self.done_work.all();
                if all.get(&registration) == Some(&done) {
                    all.remove(&registration);
                }
            }
            closed
        });
        let mut closing = std::pin::pin!(closing.buffer_unordered(AT_A_TIME));
        let mut all = Ok(());
        while let Some(closed) = closing.next().await {
            all = all.and(closed);
        }
        all
    }

    async fn close_work(&self, registration: Locator, done: Done) -> Result<(), ServiceError> {
        let id = registration.as_str();
        for _ in 0..ATTEMPTS {
            let Some(document) = self.store.get(Kind::Registration, id).await? else {
                return Ok(());
            };
            let mut record = Record::read(&document.body)?;
            if record.version != done.version || !record.is_open() {
                return Ok(());
            }
            record.done = Some(done);
            let (body, version) = (record.write()?, Some(document.version));
            let beside = Work::nothing();
            let closed = self
                .store
                .put_with(Kind::Registration, id, version, body, beside);
            if closed.await? {
                return Ok(());
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Carries out what others left; never returns.
    pub(in crate::service) async fn finish_open_work(&self) {
        let mut before = HashMap::new();
        loop {
            tokio::time::sleep(LOOK).await;
            match self.finish_left_work(&before).await {
                Ok(seen) => before = seen,
                Err(error) => tracing::warn!(%error, "work on opt-outs cannot be looked for"),
            }
        }
    }

    /// Does what was there at the last look already, and says what it has seen.
    pub(super) async fn finish_left_work(
        &self,
        before: &HashMap<String, u64>,
    ) -> Result<HashMap<String, u64>, ServiceError> {
        let mut seen = HashMap::new();
        for (id, document) in self.store.list(Kind::Open).await? {
            let work: Work = serde_json::from_str(&document.body).map_err(|_| damaged())?;
            let registration = Locator::parse(&id).ok_or_else(damaged)?;
            // What this process has done is being written down.
            if before.get(&id) == Some(&work.version) && self.done_work.of(registration).is_none() {
                match self.carry_out(registration, &work).await? {
                    Outcome::Done(_) => {}
                    Outcome::Outdated(version) => self.raise(registration, work, version).await?,
                }
                continue;
            }
            seen.insert(id, work.version);
        }
        Ok(seen)
    }
}
