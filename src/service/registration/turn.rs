//! Whose turn it is to bring a registration's record and the index together.
//!
//! The index cannot be changed in one step with the record. If two did it at the same time, one of
//! them, coming late, could take out of the index what the other had just put there. So whoever
//! changes the record takes a turn in the same write, and gives it back with the write that says
//! that the index agrees. Everybody else waits, no longer than a turn may last: who holds one and
//! is gone by then is taken to be gone, and the next one brings it to its end. Whoever waits counts
//! that time by a clock of their own that only goes forward, since the machine's may be set back.

use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::domain::Moment;
use crate::privacy::random;

/// How long a turn lasts at most, however patient the store is.
const LONGEST: Duration = Duration::from_secs(10);

/// How long one waits before looking again whether a turn is over.
pub(super) const PAUSE: Duration = Duration::from_millis(25);

/// A turn, as the record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turn {
    holder: String,
    until: Moment,
}

/// Somebody who wants a turn.
#[derive(Debug, Clone)]
pub(super) struct Taker {
    name: String,
    lasts: Duration,
}

/// Somebody else's turn, and since when it is waited for.
#[derive(Debug)]
pub(super) struct Awaited {
    turn: Turn,
    since: Instant,
}

/// What came of asking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was theirs before.
    Before,
    /// It is theirs as soon as the record is written.
    Now,
    /// It is somebody else's.
    No,
}

impl Taker {
    /// A store that has not answered for `patience` may still do what it was told: a turn lasts
    /// twice as long.
    pub fn new(patience: Duration) -> Self {
        Self {
            name: HEXLOWER.encode(&random::<8>()),
            lasts: (2 * patience).min(LONGEST),
        }
    }

    /// For how long anybody waits for a turn at most.
    pub fn patience(&self) -> Duration {
        self.lasts + 10 * PAUSE
    }

    /// A turn that begins now.
    pub fn turn(&self) -> Turn {
        Turn {
            holder: self.name.clone(),
            until: Moment::now().plus(self.lasts),
        }
    }
}

impl Record {
    /// Takes a turn, if it is nobody else's, or somebody's who has been `awaited` for as long as it
    /// may last.
    pub(super) fn take_turn(&mut self, taker: &Taker, awaited: &mut Option<Awaited>) -> Taken {
        match &self.turn {
            Some(turn) if turn.until <= Moment::now() => {}
            Some(turn) if turn.holder == taker.name => return Taken::Before,
            Some(turn) => match awaited {
                Some(before) if before.turn == *turn => {
                    if before.since.elapsed() < taker.lasts {
                        return Taken::No;
                    }
                }
                _ => {
                    let (turn, since) = (turn.clone(), Instant::now());
                    *awaited = Some(Awaited { turn, since });
                    return Taken::No;
                }
            },
            None => {}
        }
        self.turn = Some(taker.turn());
        Taken::Now
    }
}
