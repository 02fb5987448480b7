//! Numbers that lie close together and are opted out by many forms in a short time: hardly people,
//! rather a program that works through a range.
//!
//! Nothing is refused for that. Whoever opts such a number out has to show some patience first, and
//! the operator and the log hear of it. Only memory, only of this process, and no number in it: a
//! keyed hash of the block of a thousand numbers, and a count.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Service, ServiceError};
use crate::domain::{Context, Detail, Op, PhoneNumber};

/// For how long numbers of a block are counted together.
const HOUR: Duration = Duration::from_secs(3600);

/// How many blocks are remembered at most. Where there are more, the oldest are forgotten first.
const MOST_BLOCKS: usize = 100_000;

/// What the log calls it.
const ADJACENT: &str = "adjacent_numbers";

/// How many numbers of each block were opted out lately.
#[derive(Debug)]
pub(super) struct Bursts {
    hasher: RandomState,
    blocks: Mutex<HashMap<u64, Block>>,
    most: u32,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    since: Instant,
    count: u32,
}

impl Bursts {
    /// More than `most` numbers of a block in an hour are a burst; none are where it is 0.
    pub fn new(most: u32) -> Self {
        Self {
            hasher: RandomState::new(),
            blocks: Mutex::default(),
            most,
        }
    }

    fn block(&self, number: &PhoneNumber) -> u64 {
        let digits = number.e164();
        let block = digits.get(..digits.len().saturating_sub(3));
        self.hasher.hash_one(block.unwrap_or(digits))
    }

    /// Whether one of these numbers lies in a block of which many were opted out lately.
    fn is_burst(&self, numbers: &[PhoneNumber], now: Instant) -> bool {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        self.most > 0
            && numbers.iter().any(|number| {
                let block = blocks.get(&self.block(number));
                block.is_some_and(|block| {
                    block.count >= self.most && now.duration_since(block.since) < HOUR
                })
            })
    }

    /// Counts numbers that were opted out. Says whether a block has just become a burst.
    fn count(&self, numbers: &[PhoneNumber], now: Instant) -> bool {
        if self.most == 0 {
            return false;
        }
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() >= MOST_BLOCKS {
            blocks.retain(|_, block| now.duration_since(block.since) < HOUR);
        }
        if blocks.len() >= MOST_BLOCKS {
            // Half of an hour's worth is still far more than people bring.
            let middle = HOUR / 2;
            blocks.retain(|_, block| now.duration_since(block.since) < middle);
        }
        let mut begun = false;
        for number in numbers {
            let block = blocks.entry(self.block(number)).or_insert(Block {
                since: now,
                count: 0,
            });
            if now.duration_since(block.since) >= HOUR {
                *block = Block {
                    since: now,
                    count: 0,
                };
            }
            block.count += 1;
            begun |= block.count == self.most;
        }
        begun
    }
}

impl Service {
    /// Whether many numbers close to one of these were opted out in the last hour, so that whoever
    /// comes next should show some patience.
    #[must_use]
    pub fn is_burst(&self, numbers: &[PhoneNumber]) -> bool {
        self.bursts.is_burst(numbers, Instant::now())
    }

    /// Counts numbers that people opted out. When many of them lie close together, that is said in
    /// the log and to the operator, once an hour for each block.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the alarm cannot be put on record.
    pub async fn count_opted_out(&self, numbers: &[PhoneNumber]) -> Result<(), ServiceError> {
        if self.bursts.count(numbers, Instant::now()) {
            tracing::warn!(
                "many numbers that lie close together were opted out within an hour: whoever goes \
                 on with them has to wait a little"
            );
            let what = ADJACENT.to_owned();
            let incident = Context::of_service(Op::Incident, Detail::Incident { what });
            self.store.note(incident).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: u32) -> PhoneNumber {
        PhoneNumber::parse(&format!("+3247{n:07}"), None).unwrap()
    }

    #[test]
    fn numbers_of_one_block_are_a_burst_for_an_hour_and_others_are_not() {
        let bursts = Bursts::new(3);
        let now = Instant::now();
        assert!(!bursts.count(&[number(1), number(2)], now));
        assert!(!bursts.is_burst(&[number(3)], now));
        assert!(bursts.count(&[number(3)], now), "the alarm rings");
        assert!(!bursts.count(&[number(4)], now), "and rings once");
        assert!(bursts.is_burst(&[number(5_000), number(999)], now));
        assert!(!bursts.is_burst(&[number(1_000)], now));
        let later = now + HOUR;
        assert!(!bursts.is_burst(&[number(5)], later));
        assert!(!bursts.count(&[number(5)], later));
    }

    #[test]
    fn nothing_is_a_burst_where_none_is_looked_for() {
        let bursts = Bursts::new(0);
        for n in 0..100 {
            assert!(!bursts.count(&[number(n)], Instant::now()));
        }
        assert!(!bursts.is_burst(&[number(1)], Instant::now()));
    }
}
