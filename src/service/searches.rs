//! How many walks through the log there are at a time.
//!
//! A walk reads much, so only some may be under way, and whoever walks has a permit before anything
//! else is done for them: before a body is read, a document is got, or an entry says that somebody
//! looked. What walks asks for the permit in its signature, so none can be forgotten. What people wait
//! for and what runs for minutes have permits of their own: an export keeps nobody from their
//! evidence.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Service, ServiceError};
use crate::domain::Principal;

/// How many walks that somebody waits for are under way at most.
const SHORT: usize = 2;

/// How many exports, matches and new indexes are under way at most.
const LONG: usize = 4;

/// How long a permit is waited for.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Whoever has it may walk through the log.
#[derive(Debug)]
pub struct SearchPermit {
    _permit: OwnedSemaphorePermit,
}

/// The permits.
#[derive(Debug)]
pub(super) struct Searches {
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            short: Arc::new(Semaphore::new(SHORT)),
            long: Arc::new(Semaphore::new(LONG)),
        }
    }
}

impl Service {
    /// A permit for a walk that somebody waits for.
    pub(super) async fn search_permit(&self) -> Result<SearchPermit, ServiceError> {
        permit(&self.searches.short).await
    }

    /// A permit for an export or a match, for those who read the audit.
    ///
    /// # Errors
    /// [`ServiceError::WrongRole`]; [`ServiceError::TooManySearches`] when there is none in time.
    pub async fn audit_permit(&self, who: &Principal) -> Result<SearchPermit, ServiceError> {
        if !who.role.reads_audit() {
            return Err(ServiceError::WrongRole("regulator"));
        }
        permit(&self.searches.long).await
    }
}

async fn permit(free: &Arc<Semaphore>) -> Result<SearchPermit, ServiceError> {
    let permit = tokio::time::timeout(PERMIT_TIMEOUT, free.clone().acquire_owned()).await;
    let permit = permit.map_err(|_| ServiceError::TooManySearches)?;
    permit
        .map(|permit| SearchPermit { _permit: permit })
        .map_err(|_| ServiceError::TooManySearches)
}
