//! A registration as the store keeps it: without its code nobody can read its numbers.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::Acting;
use super::held::{self, Added, Held};
use super::history::{self, Deed, Event};
use super::work::{Outcome, Work};
use crate::domain::{
    Channel, Channels, Locator, Moment, PhoneNumber, Reference, Scope, SellerId, SellerRef,
};
use crate::privacy::{SecretKey, open, random, seal};
use crate::service::{Service, ServiceError};
use crate::store::{Beside, Kind};

/// A registration as the store keeps it: without its code nobody can read its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::service) struct Record {
    pub sellers: Vec<SellerRef>,
    pub channels: Channels,
    pub created_at: Moment,
    /// When the index held it, on disk: from then on every check is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Moment>,
    /// When its holder took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Moment>,
    /// How often its proof was asked for by e-mail.
    #[serde(default)]
    letters: u8,
    /// When its holder asked to have it back after a withdrawal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_up_at: Option<Moment>,
    /// Grows with what is wanted of the index, which does nothing for an older one.
    pub(super) version: u64,
    /// Which version the index is known to hold, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<Done>,
    /// Sellers that the index has not let go of yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<SellerRef>,
    /// When sellers came in that were not there from the beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Joined>,
    /// What was done with it; empty while nothing was, since it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<Event>,
    salt: String,
    sealed: String,
}

/// What the index is known to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    pub version: u64,
    pub at: Moment,
}

/// A seller that came in later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::service) struct Joined {
    pub seller: SellerRef,
    #[serde(flatten)]
    pub added: Added,
}

/// The time in which a part of a registration came to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Began {
    /// When it was asked for.
    pub asked_at: Moment,
    /// When the index held it, on disk.
    pub since: Moment,
}

impl Record {
    /// What was done with it, the oldest first.
    pub fn told(&self) -> Vec<Event> {
        if !self.history.is_empty() {
            return self.history.clone();
        }
        let made = self.effective_at.unwrap_or(self.created_at);
        let made = Event::new(made, Deed::Made);
        let withdrawn = self.withdrawn_at.map(|at| Event::new(at, Deed::Withdrawn));
        [Some(made), withdrawn].into_iter().flatten().collect()
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.history = self.told();
        history::add(&mut self.history, event);
    }

    /// Whether the index is not known to hold what is wanted.
    pub(super) fn is_open(&self) -> bool {
        self.done.is_none_or(|done| done.version < self.version)
    }

    /// Takes note that the index holds what is wanted.
    pub(super) fn settle(&mut self, numbers: &mut Vec<Held>, at: Moment) {
        self.done = Some(Done {
            version: self.version,
            at,
        });
        numbers.retain(|held| !held.leaving);
        self.leaving.clear();
        if self.withdrawn_at.is_none() {
            self.effective_at.get_or_insert(at);
            let later = numbers.iter_mut().filter_map(|held| held.added.as_mut());
            for added in later.chain(self.joined.iter_mut().map(|joined| &mut joined.added)) {
                added.since.get_or_insert(at);
            }
        }
        for event in self.history.iter_mut().filter(|event| event.pending) {
            event.pending = false;
            event.at = at;
        }
    }

    /// Reads what the store keeps.
    pub(super) fn read(body: &str) -> Result<Self, ServiceError> {
        serde_json::from_str(body).map_err(|_| damaged())
    }

    /// As the store keeps it.
    pub(super) fn write(&self) -> Result<String, ServiceError> {
        serde_json::to_string(self).map_err(|_| damaged())
    }

    /// Whether it covers all of this: numbers that hold, and sellers.
    fn covers(&self, held: &[Held], numbers: &[PhoneNumber], scope: &Scope) -> bool {
        let holds = |number: &PhoneNumber| {
            let mut own = held.iter();
            own.any(|held| held.number == *number && !held.leaving)
        };
        numbers.iter().all(holds)
            && scope
                .sellers()
                .iter()
                .all(|seller| self.sellers.contains(seller))
    }

    /// Since when it holds for calls to a number for a seller, or, where none is named, for every
    /// seller; `None` when it does not.
    fn began(
        &self,
        held: &[Held],
        number: &PhoneNumber,
        seller: Option<&SellerId>,
    ) -> Option<Began> {
        let of_seller = |one: &SellerRef| match one {
            SellerRef::All => true,
            SellerRef::One(id) => Some(id) == seller,
        };
        if self.withdrawn_at.is_some()
            || !self.channels.covers(Channel::Voice)
            || !self.sellers.iter().any(of_seller)
        {
            return None;
        }
        let held = held
            .iter()
            .find(|held| held.number == *number && !held.leaving)?;
        let joined = self.joined.iter().find(|joined| match &joined.seller {
            SellerRef::One(id) => Some(id) == seller,
            SellerRef::All => false,
        });
        let whole = Added {
            asked_at: self.taken_up_at.unwrap_or(self.created_at),
            since: self.effective_at,
        };
        let parts = [Some(whole), held.added, joined.map(|joined| joined.added)];
        let mut latest: Option<Began> = None;
        for part in parts.into_iter().flatten() {
            let began = Began {
                asked_at: part.asked_at,
                since: part.since?,
            };
            if latest.is_none_or(|latest| latest.since < began.since) {
                latest = Some(began);
            }
        }
        latest
    }
}

/// A reference code whose work is done: it was stretched once and opens its registration from now
/// on without more. As secret as the code.
#[derive(Debug, Clone)]
pub struct Access {
    reference: Reference,
    key: SecretKey,
}

impl Access {
    /// Puts together what [`Access::reference`] and [`Access::key`] gave.
    #[must_use]
    pub fn from_parts(reference: Reference, key: SecretKey) -> Self {
        Self { reference, key }
    }

    /// The code.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// What the code was stretched to.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }
}

/// How often something is tried again when somebody else was faster, or a code is taken.
pub(super) const ATTEMPTS: u8 = 8;

impl Service {
    /// Keeps the registration's record under a code of its own, and makes it hold. The same seed with
    /// the same content finds the record of the first time.
    pub(super) async fn keep(
        &self,
        seed: &[u8; 32],
        numbers: &[PhoneNumber],
        scope: &Scope,
        acting: &Acting<'_>,
    ) -> Result<(Access, Record), ServiceError> {
        let own: Vec<Held> = numbers.iter().copied().map(Held::new).collect();
        let content = held::write(&own);
        let sellers: Vec<String> = scope.sellers().iter().map(SellerRef::to_string).collect();
        for attempt in 0..ATTEMPTS {
            let mac = self.registration_key.mac(&[
                seed,
                content.as_bytes(),
                sellers.join(",").as_bytes(),
                &[scope.channels.bits(), attempt],
            ]);
            let mut code = [0; 10];
            code.copy_from_slice(&mac[..10]);
            let reference = Reference::from_random(code);
            let (access, mut record) = self.seal_record(reference, &content, scope).await?;
            let work = self.work(&record, &own, acting)?;
            let (body, beside) = (record.write()?, work.beside()?);
            let locator = access.reference.locator();
            let id = locator.as_str();
            let created = self
                .store
                .put_with(Kind::Registration, id, None, body, beside);
            if created.await? {
                let Outcome::Done(at) = self.carry_out(locator, &work).await? else {
                    let Opened { record, .. } = self.settle(&access, acting).await?;
                    return Ok((access, record));
                };
                record.settle(&mut own.clone(), at);
                return Ok((access, record));
            }
            match self.access(&access.reference).await {
                Ok(access) => {
                    // Taken back since, or a part of it: sent again, it is a new opt-out with a
                    // code of its own.
                    let holds = |record: &mut Record, held: &mut Vec<Held>| {
                        let whole = record.covers(held, numbers, scope);
                        Ok(record.withdrawn_at.is_none() && whole)
                    };
                    if let (true, record) = self.rewrite(&access, holds).await? {
                        return Ok((access, record));
                    }
                }
                Err(ServiceError::UnknownReference) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn seal_record(
        &self,
        reference: Reference,
        content: &str,
        scope: &Scope,
    ) -> Result<(Access, Record), ServiceError> {
        let salt = random();
        let key = self.code_key(&reference, salt).await?;
        let about = reference.locator();
        let sealed = seal(&key, about.as_str().as_bytes(), content.as_bytes());
        let record = Record {
            sellers: scope.sellers().to_vec(),
            channels: scope.channels,
            created_at: Moment::now(),
            effective_at: None,
            withdrawn_at: None,
            letters: 0,
            taken_up_at: None,
            version: 1,
            done: None,
            leaving: Vec::new(),
            joined: Vec::new(),
            history: Vec::new(),
            salt: BASE64.encode(&salt),
            sealed: BASE64.encode(&sealed),
        };
        Ok((Access { reference, key }, record))
    }

    /// Does a code's work, and makes sure that it opens a registration.
    ///
    /// # Errors
    /// [`ServiceError::UnknownReference`] when no registration has this code.
    pub async fn access(&self, reference: &Reference) -> Result<Access, ServiceError> {
        let locator = reference.locator();
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let Some(document) = document else {
            // It may be the code of a report; if not, that takes as much work as an opt-out's.
            return self.case_access(reference).await;
        };
        let record = Record::read(&document.body)?;
        let salt = BASE64
            .decode(record.salt.as_bytes())
            .map_err(|_| damaged())?;
        let salt = <[u8; 16]>::try_from(salt).map_err(|_| damaged())?;
        let access = Access {
            reference: reference.clone(),
            key: self.code_key(reference, salt).await?,
        };
        numbers_of(&record, &access).map(|_| access)
    }

    /// Changes what a registration wants, whatever else changes it at the same time, and makes the
    /// index hold it.
    pub(super) async fn rewrite<T>(
        &self,
        access: &Access,
        change: impl Fn(&mut Record, &mut Vec<Held>) -> Result<T, ServiceError>,
    ) -> Result<(T, Record), ServiceError> {
        for _ in 0..ATTEMPTS {
            let Some((changed, mut opened, work)) = self.begin(access, &change).await? else {
                continue;
            };
            let Some(work) = work else {
                return Ok((changed, opened.record));
            };
            match self.carry_out(access.reference.locator(), &work).await? {
                Outcome::Done(at) => opened.record.settle(&mut opened.held, at),
                // Somebody changed it since.
                Outcome::Outdated(_) => opened = self.settle(access, &Acting::default()).await?,
            }
            return Ok((changed, opened.record));
        }
        Err(ServiceError::Conflict)
    }

    /// Writes down what is wanted, with the work that follows from it, if there is any; nothing if
    /// somebody else was faster.
    pub(super) async fn begin<T>(
        &self,
        access: &Access,
        change: &impl Fn(&mut Record, &mut Vec<Held>) -> Result<T, ServiceError>,
    ) -> Result<Option<(T, Opened, Option<Work>)>, ServiceError> {
        let acting = Acting::default();
        let mut opened = self.settle(access, &acting).await?;
        let before = opened.record.version;
        let changed = change(&mut opened.record, &mut opened.held)?;
        let work = match opened.record.version == before {
            true => None,
            false => Some(self.work(&opened.record, &opened.held, &acting)?),
        };
        // Also where nothing changes: what somebody else has on its way must not come after this.
        let beside = match &work {
            Some(work) => work.beside()?,
            None => Work::nothing(),
        };
        let written = self.write_whole(access, &mut opened, beside).await?;
        Ok(written.then_some((changed, opened, work)))
    }

    /// Counts a letter with the proof of a registration; false if there may be no more.
    pub(in crate::service) async fn count_proof(
        &self,
        locator: Locator,
        most: u8,
    ) -> Result<bool, ServiceError> {
        for _ in 0..ATTEMPTS {
            let id = locator.as_str();
            let document = self.store.get(Kind::Registration, id).await?;
            let document = document.ok_or(ServiceError::UnknownReference)?;
            let mut record = Record::read(&document.body)?;
            if record.letters >= most {
                return Ok(false);
            }
            record.letters += 1;
            let body = record.write()?;
            let version = document.version;
            if self
                .store
                .replace(Kind::Registration, id, version, body)
                .await?
            {
                return Ok(true);
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Whether a registration was taken back, or is no more.
    pub(in crate::service) async fn is_taken_back(
        &self,
        locator: Locator,
    ) -> Result<bool, ServiceError> {
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let Some(document) = document else {
            return Ok(true);
        };
        let record = Record::read(&document.body)?;
        Ok(record.withdrawn_at.is_some())
    }

    /// Opens a registration: its record and its numbers, as one version of both.
    pub(super) async fn open_whole(&self, access: &Access) -> Result<Opened, ServiceError> {
        let locator = access.reference.locator();
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let document = document.ok_or(ServiceError::UnknownReference)?;
        let mut record = Record::read(&document.body)?;
        let mut held = numbers_of(&record, access)?;
        let done = self.done_work.of(locator).or(record.done);
        if let Some(done) = done.filter(|done| done.version == record.version) {
            record.settle(&mut held, done.at);
        }
        Ok(Opened {
            document: document.version,
            record,
            held,
        })
    }

    /// Puts it in the place of the version it came from; says whether that was still there.
    async fn write_whole(
        &self,
        access: &Access,
        opened: &mut Opened,
        beside: Beside,
    ) -> Result<bool, ServiceError> {
        let Opened {
            document,
            record,
            held,
        } = opened;
        let locator = access.reference.locator();
        let about = locator.as_str();
        let sealed = seal(&access.key, about.as_bytes(), held::write(held).as_bytes());
        record.sealed = BASE64.encode(&sealed);
        let body = record.write()?;
        Ok(self
            .store
            .put_with(Kind::Registration, about, Some(*document), body, beside)
            .await?)
    }

    /// A registration's record, and the numbers that it holds.
    pub(in crate::service) async fn open_record(
        &self,
        access: &Access,
    ) -> Result<(Record, Vec<PhoneNumber>), ServiceError> {
        let Opened { record, held, .. } = self.open_whole(access).await?;
        let staying = held.iter().filter(|held| !held.leaving);
        let numbers = staying.map(|held| held.number).collect();
        Ok((record, numbers))
    }

    /// Since when a code's registration holds for a number and, where one is named, a seller; `None`
    /// when it does not hold, or not yet. What came in later holds only since then.
    pub(in crate::service) async fn began(
        &self,
        access: &Access,
        number: &PhoneNumber,
        seller: Option<&SellerId>,
    ) -> Result<Option<Began>, ServiceError> {
        let Opened { record, held, .. } = self.open_whole(access).await?;
        Ok(record.began(&held, number, seller))
    }

    /// The key of a registration's box: from the code (stretched) and the master key, so that
    /// neither the store nor the operator opens it without the code.
    pub(in crate::service) async fn code_key(
        &self,
        reference: &Reference,
        salt: [u8; 16],
    ) -> Result<SecretKey, ServiceError> {
        let stretched = self.code_hasher.stretch(reference.secret(), salt).await?;
        Ok(SecretKey::from_bytes(
            self.registration_key.mac(&[b"box", stretched.bytes()]),
        ))
    }
}

/// A registration, opened with its code.
#[derive(Debug)]
pub(super) struct Opened {
    /// The version of the document in the store.
    document: u64,
    pub record: Record,
    pub held: Vec<Held>,
}

/// Opens a record's box.
fn numbers_of(record: &Record, access: &Access) -> Result<Vec<Held>, ServiceError> {
    let sealed = BASE64
        .decode(record.sealed.as_bytes())
        .map_err(|_| damaged())?;
    let about = access.reference.locator();
    let content = open(&access.key, about.as_str().as_bytes(), &sealed)
        .map_err(|_| ServiceError::UnknownReference)?;
    let text = std::str::from_utf8(&content).map_err(|_| damaged())?;
    held::read(text).ok_or_else(damaged)
}

pub(super) fn damaged() -> ServiceError {
    ServiceError::Damaged("a registration")
}
