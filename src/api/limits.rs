//! What one address, and the network around it, may do in a minute.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::address::Network;
use super::problem::Problem;
use crate::settings;

/// Rate limits by the generic cell rate algorithm: a burst of a minute's worth, then evenly.
#[derive(Debug)]
pub struct Limits {
    registrations: DefaultKeyedRateLimiter<Network>,
    codes: DefaultKeyedRateLimiter<Network>,
    registrations_around: DefaultKeyedRateLimiter<Network>,
    codes_around: DefaultKeyedRateLimiter<Network>,
    letters: DefaultKeyedRateLimiter<Network>,
}

/// Too much for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// Seconds to wait.
    pub retry_after: u64,
}

impl Limits {
    pub(super) fn new(settings: &settings::Limits) -> Self {
        let limiter = |per_minute| {
            let most = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
            RateLimiter::keyed(Quota::per_minute(most))
        };
        Self {
            registrations: limiter(settings.registrations_per_minute),
            codes: limiter(settings.codes_per_minute),
            registrations_around: limiter(settings.registrations_per_minute_network),
            codes_around: limiter(settings.codes_per_minute_network),
            letters: limiter(settings.letters_per_minute),
        }
    }

    /// Counts an opt-out on the page.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn registration(&self, from: Network) -> Result<(), TooMany> {
        count(&self.registrations, from)?;
        count(&self.registrations_around, from.wider())
    }

    /// Counts a code that is tried.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn code(&self, from: Network) -> Result<(), TooMany> {
        count(&self.codes, from)?;
        count(&self.codes_around, from.wider())
    }

    /// Counts a letter that is asked for.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn letter(&self, from: Network) -> Result<(), TooMany> {
        count(&self.letters, from)
    }

    /// Forgets addresses that have been quiet; called now and then, so that memory stays small.
    pub fn sweep(&self) {
        self.registrations.retain_recent();
        self.codes.retain_recent();
        self.registrations_around.retain_recent();
        self.codes_around.retain_recent();
        self.letters.retain_recent();
    }
}

fn count(limiter: &DefaultKeyedRateLimiter<Network>, from: Network) -> Result<(), TooMany> {
    limiter.check_key(&from).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        TooMany {
            retry_after: (wait + Duration::from_millis(999)).as_secs().max(1),
        }
    })
}

impl From<TooMany> for Problem {
    fn from(error: TooMany) -> Self {
        Self::new(
            actix_web::http::StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many requests from your address",
            "There is a limit of requests a minute for each address.",
            format!("Try again in {} seconds.", error.retry_after),
        )
        .retry_after(error.retry_after)
    }
}
