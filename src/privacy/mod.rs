//! What keeps the list from leaving: keys, pseudonyms and sealed boxes.
//!
//! The registry holds no phone number in clear. The suppression index knows a number by its
//! [`Subject`], the log by a pseudonym that changes every month, and a registration's numbers lie
//! in a box that only its reference code opens.

mod api_key;
mod keyring;
mod months;
mod passphrase;
mod pseudonym;
mod sealed;
mod secret;

pub use api_key::ApiKey;
pub use keyring::{Keyring, Purpose};
pub use months::{MonthKey, MonthKeys};
pub use passphrase::{Hasher, Overloaded};
pub use pseudonym::{Opening, Subject, SubjectKey};
pub use sealed::{SEAL, SealError, open, seal};
pub use secret::{KeyForm, KeyedHash, SecretKey};

/// Fills an array with bytes from the operating system's generator.
///
/// # Panics
/// If the operating system has no randomness to give: nothing here may go on without it.
#[must_use]
#[allow(
    clippy::expect_used,
    reason = "without randomness no key and no code may be made; stopping is the safe answer"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random generator answers");
    bytes
}
