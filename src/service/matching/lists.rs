//! Numbers that stand on a list that was imported whole.

use std::fmt;

use crate::domain::{Moment, PhoneNumber, SellerRef};
use crate::service::ServiceError;

/// What is asked of the lists about one call.
#[derive(Debug, Clone)]
pub struct ListedCall {
    /// The number that was called.
    pub number: PhoneNumber,
    /// When.
    pub at: Moment,
    /// The seller of the call: that of the record, else that of the check.
    pub seller: Option<SellerRef>,
}

/// The lists that were imported. The log has no entry of each of their numbers.
pub trait Lists: fmt::Debug + Send {
    /// For each call whether its number stood on a list by then, for all sellers or for that of the
    /// call. Where it is not known for certain, it did not. Blocks: not for an async thread.
    ///
    /// # Errors
    /// When what is kept of a list cannot be read.
    fn held(&self, calls: &[ListedCall]) -> Result<Vec<bool>, ServiceError>;
}
