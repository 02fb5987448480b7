//! What asks: wrk in a closed loop, our own generator in an open one, and `redis-benchmark`.

pub mod open;
pub mod raw;
mod reply;
mod ticks;
pub mod wrk;

/// What one measure found in one round.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Answers a second.
    pub rate: f64,
    /// The 50th and 99th percentile, in milliseconds.
    pub median: f64,
    /// See `median`.
    pub p99: f64,
    /// In the open loop: how late the generator itself was to send, 99th percentile, in
    /// milliseconds. What it cannot send in time is not the server's doing.
    pub sent_late: Option<f64>,
    /// Requests that failed in any way: the sample does not count if there is one.
    pub failed: u64,
}
