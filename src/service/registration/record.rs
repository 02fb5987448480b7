//! A registration as the store keeps it: without its code nobody can read its numbers.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::held::{self, Added, Held};
use super::history::{self, Deed, Event};
use super::turn::{PAUSE, Taken, Taker, Turn};
use crate::domain::{
    Channel, Channels, Locator, Moment, PhoneNumber, Reference, Scope, SellerId, SellerRef,
};
use crate::privacy::{SecretKey, open, random, seal};
use crate::service::{Service, ServiceError};
use crate::store::Kind;

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
    /// Whether the index has let go of it since. Until then checks are still refused.
    #[serde(default)]
    pub released: bool,
    /// How often its proof was asked for by e-mail.
    #[serde(default)]
    letters: u8,
    /// When its holder asked to have it back after a withdrawal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_up_at: Option<Moment>,
    /// Whether the index does not hold yet what stands here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
    /// Sellers that the index has not let go of yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<SellerRef>,
    /// When sellers came in that were not there from the beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Joined>,
    /// Who brings it and the index together at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) turn: Option<Turn>,
    /// What was done with it; empty while nothing was, since it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<Event>,
    salt: String,
    sealed: String,
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

    /// Whether something was begun that the index does not hold yet.
    pub(super) fn is_open(&self) -> bool {
        let begun = match self.withdrawn_at {
            Some(_) => !self.released,
            None => self.unsettled || self.effective_at.is_none(),
        };
        // Whoever held a turn may have changed the index without coming to say so.
        begun || self.turn.is_some()
    }

    /// Takes note that the index holds what stands here.
    pub(super) fn settle(&mut self, numbers: &mut Vec<Held>, at: Moment) {
        numbers.retain(|held| !held.leaving);
        self.turn = None;
        self.leaving.clear();
        self.unsettled = false;
        self.released = self.withdrawn_at.is_some();
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
    /// Keeps the registration's record under a code of its own. The same seed with the same
    /// content finds the record of the first time.
    pub(super) async fn keep(
        &self,
        seed: &[u8; 32],
        numbers: &[PhoneNumber],
        scope: &Scope,
        taker: &Taker,
    ) -> Result<Access, ServiceError> {
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
            let (access, record) = self.seal_record(reference, &content, scope, taker).await?;
            let locator = access.reference.locator();
            let body = serde_json::to_string(&record).map_err(|_| damaged())?;
            let id = locator.as_str();
            if self.store.create(Kind::Registration, id, body).await? {
                return Ok(access);
            }
            match self.access(&access.reference).await {
                Ok(access) => {
                    let Opened { record, held, .. } = self.open_whole(&access).await?;
                    // Taken back since, or a part of it: sent again, it is a new opt-out with a
                    // code of its own.
                    let whole = record.covers(&held, numbers, scope);
                    if record.withdrawn_at.is_none() && whole {
                        return Ok(access);
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
        taker: &Taker,
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
            released: false,
            letters: 0,
            taken_up_at: None,
            unsettled: false,
            leaving: Vec::new(),
            joined: Vec::new(),
            turn: Some(taker.turn()),
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
        let record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
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

    /// Changes a registration's record and its numbers, whatever else changes it at the same time,
    /// and takes the turn to bring the index after it.
    pub(super) async fn rewrite<T>(
        &self,
        access: &Access,
        taker: &Taker,
        change: impl Fn(&mut Record, &mut Vec<Held>) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        for _ in 0..ATTEMPTS {
            let mut opened = self.open_for(access, taker).await?;
            let changed = change(&mut opened.record, &mut opened.held)?;
            if self.write_whole(access, &mut opened).await? {
                return Ok(changed);
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Opens a registration when it is somebody's turn, who takes it with what they write next.
    pub(super) async fn open_for(
        &self,
        access: &Access,
        taker: &Taker,
    ) -> Result<Opened, ServiceError> {
        let deadline = tokio::time::Instant::now() + taker.patience();
        let mut awaited = None;
        loop {
            let mut opened = self.open_whole(access).await?;
            opened.taken = opened.record.take_turn(taker, &mut awaited);
            if opened.taken != Taken::No {
                return Ok(opened);
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(ServiceError::Conflict);
            }
            tokio::time::sleep(PAUSE).await;
        }
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
            let mut record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
            if record.letters >= most {
                return Ok(false);
            }
            record.letters += 1;
            let body = serde_json::to_string(&record).map_err(|_| damaged())?;
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
        let record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        Ok(record.withdrawn_at.is_some())
    }

    /// Opens a registration: its record and its numbers, as one version of both.
    pub(super) async fn open_whole(&self, access: &Access) -> Result<Opened, ServiceError> {
        let locator = access.reference.locator();
        let document = self.store.get(Kind::Registration, locator.as_str()).await?;
        let document = document.ok_or(ServiceError::UnknownReference)?;
        let record: Record = serde_json::from_str(&document.body).map_err(|_| damaged())?;
        let held = numbers_of(&record, access)?;
        Ok(Opened {
            version: document.version,
            record,
            held,
            taken: Taken::No,
        })
    }

    /// Puts it in the place of the version it came from; says whether that was still there.
    pub(super) async fn write_whole(
        &self,
        access: &Access,
        opened: &mut Opened,
    ) -> Result<bool, ServiceError> {
        let Opened {
            version,
            record,
            held,
            ..
        } = opened;
        let locator = access.reference.locator();
        let about = locator.as_str();
        let sealed = seal(&access.key, about.as_bytes(), held::write(held).as_bytes());
        record.sealed = BASE64.encode(&sealed);
        let body = serde_json::to_string(record).map_err(|_| damaged())?;
        Ok(self
            .store
            .replace(Kind::Registration, about, *version, body)
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
    /// Of the document in the store.
    version: u64,
    pub record: Record,
    pub held: Vec<Held>,
    /// Whether it is the turn of whoever opened it.
    taken: Taken,
}

impl Opened {
    /// Whether the store knows already that it is their turn.
    pub(super) fn is_their_turn(&self) -> bool {
        self.taken == Taken::Before
    }
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

fn damaged() -> ServiceError {
    ServiceError::Damaged("a registration")
}
