//! A wash: a whole calling list asked about, row by row, while it comes in.
//!
//! Each row comes back as it was, in order, with its answer behind it; each row is on record as a
//! check, before its answer leaves. Memory is bounded by the groups under way, however long the
//! list: no more is read than there is room for. When the wash ends, in whatever way, an entry says
//! what was taken in, what was answered and how much of that was handed over.
//!
//! * `reading`, `group`: from bytes to rows that are asked about together.
//! * `session`: asks, in order, and hands over; a thread of its own, so that no check waits for it.
//! * `answers`: rows with what is added.
//! * `ending`, `receipt`: the entry at the end, and how it is found and proved.

mod answers;
mod ending;
mod group;
mod reading;
mod receipt;
mod session;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use answers::{ADDED, Counts};
pub use ending::Summary;
pub use reading::BeginError;
#[cfg(any(test, fuzzing))]
pub(super) use reading::washed_rows;
pub use receipt::WashReceipt;

use super::{CheckAuthorization, Question, Service, ServiceError};
use crate::domain::{AgencyId, EntryId, KeyId, Moment, Notation, Principal, Role, SellerId};
use crate::table::SheetError;

/// The list, as it comes in.
pub trait Input: Send + 'static {
    /// Looks at what it is; what stands between its columns, if that is known then.
    fn begin(&mut self) -> impl Future<Output = Result<Option<u8>, InputError>> + Send;

    /// Adds some of the list to `into`, waiting for it if need be; false at its end. Whoever stops
    /// waiting loses nothing.
    fn read(&mut self, into: &mut Vec<u8>)
    -> impl Future<Output = Result<bool, InputError>> + Send;
}

/// Why a list does not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It broke off, or is damaged.
    #[error("it broke off, or is damaged")]
    Broken,
    /// Nothing comes.
    #[error("nothing comes")]
    Stalled,
    /// It is a spreadsheet that cannot be read.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// It is a spreadsheet of more bytes than this.
    #[error("it is a spreadsheet of more than {0} bytes")]
    TooLong(u64),
}

/// Where the answered rows go.
pub trait Output: Send + 'static {
    /// Hands over these rows, waiting until there is room for them.
    fn write(
        &mut self,
        rows: Vec<u8>,
        counts: &Counts,
    ) -> impl Future<Output = Result<(), Gone>> + Send;

    /// Waits until all of them are handed over.
    fn settle(&mut self) -> impl Future<Output = Result<(), Gone>> + Send;

    /// How many rows were handed over.
    fn handed_over(&self) -> u64;

    /// Ends it: with the summary when the wash is complete, and otherwise so that nobody can take
    /// it for complete.
    fn finish(self, summary: Option<&Summary>) -> impl Future<Output = ()> + Send;
}

/// Nobody takes the rows any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// How many washes there may be at once, and those there are.
#[derive(Debug)]
pub(super) struct Washes {
    most: usize,
    free: Arc<Semaphore>,
    /// How many each agency has; the operator is nobody's.
    of: Arc<Mutex<HashMap<Option<AgencyId>, usize>>>,
}

/// How long a service that stops waits for the entries of washes that it cuts off.
const CLOSING: Duration = Duration::from_secs(5);

impl Washes {
    pub(super) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        Self {
            most,
            free: Arc::new(Semaphore::new(most)),
            of: Arc::default(),
        }
    }

    /// A place among them. One agency has at most half of them, so that lists of its that hardly
    /// move do not keep all others out.
    fn place(&self, agency: Option<AgencyId>) -> Result<Place, ServiceError> {
        let free = self.free.clone().try_acquire_owned();
        let free = free.map_err(|_| ServiceError::TooManyWashes(self.most))?;
        let most = self.most.div_ceil(2);
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = of.entry(agency.clone()).or_default();
        if *taken >= most {
            return Err(ServiceError::TooManyWashes(most));
        }
        *taken += 1;
        Ok(Place {
            agency,
            of: self.of.clone(),
            _free: free,
        })
    }

    /// Waits, for some seconds, until all of them are on record.
    pub(super) async fn finish(&self) {
        let all = self.free.acquire_many(self.most as u32);
        if tokio::time::timeout(CLOSING, all).await.is_err() {
            tracing::warn!("a wash was cut off before its entry was on record");
        }
    }
}

/// The place of one wash, until it ends.
#[derive(Debug)]
pub struct Place {
    agency: Option<AgencyId>,
    of: Arc<Mutex<HashMap<Option<AgencyId>, usize>>>,
    _free: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = of.get_mut(&self.agency) {
            *taken -= 1;
            if *taken == 0 {
                of.remove(&self.agency);
            }
        }
    }
}

/// A wash that may begin.
#[derive(Debug)]
pub struct Wash {
    service: Arc<Service>,
    id: EntryId,
    key: KeyId,
    seller_id: SellerId,
    /// Of every row's entry.
    authorization: CheckAuthorization,
    notation: Notation,
    _place: Place,
}

impl Service {
    /// A place among the washes, before anything of one is read.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`], [`ServiceError::LogBehind`], [`ServiceError::TooManyWashes`].
    pub fn wash_place(&self, who: &Principal) -> Result<Place, ServiceError> {
        if !matches!(who.role, Role::Dialler { .. } | Role::Operator) {
            return Err(ServiceError::WrongRole("dialler"));
        }
        self.room_for_entries()?;
        self.washes.place(who.role.clone().into_agency())
    }

    /// Makes sure that a wash may begin, and gives it a name.
    ///
    /// # Errors
    /// [`ServiceError`]: those of a check.
    pub fn begin_wash(
        self: &Arc<Self>,
        place: Place,
        who: &Principal,
        question: Question,
        notation: Notation,
    ) -> Result<Wash, ServiceError> {
        let (key, seller_id) = (who.key.clone(), question.seller.clone());
        Ok(Wash {
            service: self.clone(),
            id: EntryId::new(Moment::now(), crate::privacy::random()),
            key,
            seller_id,
            authorization: self.authorize(who.clone(), question)?,
            notation,
            _place: place,
        })
    }
}

impl Wash {
    /// Its name, under which its receipt is found when it has ended.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.id
    }
}
