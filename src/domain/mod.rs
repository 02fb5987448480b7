//! What the registry is about, in types: numbers, scopes, decisions, audit entries, reference
//! codes, roles. No I/O and no framework here; every rule of the registry is written once, in
//! this folder.

mod decision;
mod entry;
mod moment;
mod names;
pub mod phone;
mod reference;
mod report;
mod role;
mod scope;

pub use decision::{Answer, Decision, Reason};
pub use entry::{
    Context, Detail, Entry, EntryId, EntryReader, NotAnEntry, Op, Pseudonym, Salt, Value, WashEnd,
    Washed,
};
pub use moment::{Moment, Month};
pub use names::{AgencyId, Campaign, KeyId, NameError, SellerId};
pub use phone::{
    MAX_INPUT_BYTES, Notation, PhoneError, PhoneNumber, Region, UnknownRegion, metadata_version,
    numbering_plans,
};
pub use reference::{Locator, Reference, ReferenceError};
pub use report::{Finding, OptedOut, ReportId};
pub use role::{Principal, Role};
pub use scope::{Channel, Channels, MOST_SELLERS, Scope, SellerRef};

#[cfg(test)]
pub(crate) use entry::tests;
