//! What becomes of messages to a store in a test: some are lost, some come late, some come twice.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};

use super::StoreError;

type Held = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Decides what becomes of each message of one writer, the same from the same seed.
#[derive(Default)]
pub(crate) struct Script {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    random: u64,
    /// Messages on their way, and how many others go before them.
    held: Vec<(u64, Held)>,
    /// How many more messages get through before the writer is gone.
    dies_after: Option<u64>,
    /// Whether nothing happens to messages any more.
    calm: bool,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Begins anew, from a seed.
    pub(crate) fn begin(&self, seed: u64) {
        let mut state = self.state();
        state.random = seed | 1;
        state.dies_after = None;
        state.calm = false;
    }

    /// A number below `below`.
    pub(crate) fn random(&self, below: u64) -> u64 {
        self.state().random(below)
    }

    /// Lets the writer send so many messages more, and then none: its process was killed.
    pub(crate) fn die_after(&self, messages: u64) {
        self.state().dies_after = Some(messages);
    }

    /// From here on every message arrives, at once and once.
    pub(crate) fn calm_down(&self) {
        let mut state = self.state();
        (state.calm, state.dies_after) = (true, None);
    }

    /// Delivers all that is on its way.
    pub(crate) async fn deliver(&self) {
        let held = std::mem::take(&mut self.state().held);
        for (_, message) in held {
            message.await;
        }
    }

    pub(crate) async fn send<T, F>(
        &self,
        message: impl Fn() -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        self.deliver_due().await;
        let fate = self.state().fate();
        let later = |message: F| -> Held { Box::pin(async move { drop(message.await) }) };
        match fate {
            Fate::Arrives => message().await,
            Fate::Lost => Err(StoreError::Late),
            Fate::AnswerLost => {
                drop(message().await);
                Err(StoreError::Late)
            }
            Fate::Late(after) => {
                self.state().held.push((after, later(message())));
                Err(StoreError::Late)
            }
            Fate::Twice(after) => {
                let answer = message().await;
                self.state().held.push((after, later(message())));
                answer
            }
        }
    }

    async fn deliver_due(&self) {
        let mut due = Vec::new();
        {
            let mut state = self.state();
            let held = std::mem::take(&mut state.held);
            for (left, message) in held {
                match left.checked_sub(1) {
                    Some(left) => state.held.push((left, message)),
                    None => due.push(message),
                }
            }
        }
        for message in due {
            message.await;
        }
    }
}

enum Fate {
    Arrives,
    Lost,
    AnswerLost,
    Late(u64),
    Twice(u64),
}

impl State {
    /// Xorshift.
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below
    }

    fn fate(&mut self) -> Fate {
        if self.calm {
            return Fate::Arrives;
        }
        if let Some(left) = &mut self.dies_after {
            match left.checked_sub(1) {
                Some(fewer) => *left = fewer,
                None => return Fate::Lost,
            }
        }
        let after = self.random(12);
        match self.random(12) {
            0 => Fate::Lost,
            1 => Fate::AnswerLost,
            2 | 3 => Fate::Late(after),
            4 => Fate::Twice(after),
            _ => Fate::Arrives,
        }
    }
}
