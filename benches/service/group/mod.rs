//! Groups that are not a matter of checks a second.

pub mod attacks;
pub mod audit;
pub mod cost;
pub mod import;
pub mod lists;
pub mod soak;
pub mod wash;
