//! Where one thread's checks enter the store.
//!
//! Checks that arrive while a round trip is under way go together in the next one. There is no
//! timer: a lone check leaves at once, and under load batches grow by themselves. A second round
//! trip leaves beside the first as soon as it carries as many checks: the store need not wait for
//! us, and is not kept busy with small batches either, whose cost is theirs and not the checks'.
//! What waits is bounded: when that is full, the answer is "busy" at once and not "late" after a
//! while.
//!
//! A gate and everything behind it up to the store lives on one thread, so a check on its way takes
//! no lock and wakes no other thread.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::batch::MAX_ITEMS;
use super::{Ask, Open, Store, StoreError, redis};
use crate::domain::Decision;

/// How many checks may wait at one gate.
const QUEUE: usize = 8 * 1024;

/// How many round trips may be under way.
const UNDER_WAY: u8 = 2;

/// One thread's way into the store.
#[derive(Debug, Clone)]
pub struct Gate(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<Store>,
    link: Option<redis::Link>,
    waiting: RefCell<Vec<Waiting>>,
    under_way: Cell<u8>,
    /// How many checks they carry.
    aboard: Cell<usize>,
    /// Whether one of them is about to see who waits.
    boarding: Cell<bool>,
}

#[derive(Debug)]
struct Waiting {
    ask: Ask,
    since: Instant,
    reply: Reply,
}

type Reply = oneshot::Sender<Result<Decision, StoreError>>;

impl Gate {
    /// A gate of the thread that calls this.
    ///
    /// # Errors
    /// [`StoreError::Away`] when the store's address is not one.
    pub fn open(store: Arc<Store>) -> Result<Self, StoreError> {
        let link = match &*store.engine {
            Open::Embedded(_) => None,
            Open::Redis(engine) => Some(engine.link()?),
        };
        Ok(Self(Rc::new(Inner {
            store,
            link,
            waiting: RefCell::default(),
            under_way: Cell::new(0),
            aboard: Cell::new(0),
            boarding: Cell::new(false),
        })))
    }

    /// Looks a number up and appends the entry that records it, as [`Store::decide`] does. Needs a
    /// [`tokio::task::LocalSet`] around it.
    ///
    /// # Errors
    /// [`StoreError`], within the store's time limit; then nothing may be concluded.
    pub async fn decide(&self, ask: Ask) -> Result<Decision, StoreError> {
        let (reply, answer) = oneshot::channel();
        {
            let mut waiting = self.0.waiting.borrow_mut();
            if waiting.len() >= QUEUE {
                return Err(StoreError::Busy);
            }
            waiting.push(Waiting {
                ask,
                since: Instant::now(),
                reply,
            });
        }
        if self.0.may_begin() {
            let trip = Trip::begin(self.0.clone());
            tokio::task::spawn_local(trip.run());
        }
        answer
            .await
            .map_err(|_| StoreError::Away("it is closed".to_owned()))?
    }
}

/// One round trip after another, for as long as somebody waits.
struct Trip(Rc<Inner>);

impl Trip {
    fn begin(inner: Rc<Inner>) -> Self {
        inner.under_way.set(inner.under_way.get() + 1);
        inner.boarding.set(true);
        Self(inner)
    }

    async fn run(self) {
        loop {
            // Whoever has come in by now goes along, also where that was not yet noticed.
            tokio::task::yield_now().await;
            let (asks, replies, deadline) = self.0.gather();
            let Some(deadline) = deadline else { return };
            let aboard = Aboard::new(&self.0.aboard, replies.len());
            let outcome = timeout_at(deadline, self.0.send(asks))
                .await
                .unwrap_or(Err(StoreError::Late));
            drop(aboard);
            share(outcome, replies);
            // Otherwise the other one takes them along when it is back.
            if !self.0.fills_another() {
                return;
            }
        }
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}

/// The checks of one round trip, counted while it is under way.
struct Aboard<'a> {
    all: &'a Cell<usize>,
    these: usize,
}

impl<'a> Aboard<'a> {
    fn new(all: &'a Cell<usize>, these: usize) -> Self {
        all.set(all.get() + these);
        Self { all, these }
    }
}

impl Drop for Aboard<'_> {
    fn drop(&mut self) {
        self.all.set(self.all.get() - self.these);
    }
}

impl Inner {
    /// Whether a check that came in has to see to it that a round trip leaves.
    fn may_begin(&self) -> bool {
        !self.boarding.get() && self.under_way.get() < UNDER_WAY && self.fills_another()
    }

    /// Whether as many wait as are under way.
    fn fills_another(&self) -> bool {
        self.waiting.borrow().len() >= self.aboard.get()
    }

    /// Who goes with the next round trip, and when it must be back. Only now is that decided.
    fn gather(&self) -> (Vec<Ask>, Vec<Reply>, Option<Instant>) {
        self.boarding.set(false);
        let mut waiting = self.waiting.borrow_mut();
        // Whoever has stopped waiting has been told that nothing is known.
        waiting.retain(|one| !one.reply.is_closed());
        let count = waiting.len().min(MAX_ITEMS);
        let (mut asks, mut replies) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut deadline = None;
        for next in waiting.drain(..count) {
            deadline.get_or_insert(next.since + self.timeout());
            asks.push(next.ask);
            replies.push(next.reply);
        }
        (asks, replies, deadline)
    }

    fn timeout(&self) -> Duration {
        self.store.timeout
    }

    async fn send(&self, asks: Vec<Ask>) -> Result<Vec<Decision>, StoreError> {
        match (&*self.store.engine, &self.link) {
            (Open::Redis(engine), Some(link)) => engine.decide_over(link, &asks).await,
            (Open::Redis(engine), None) => engine.decide(asks).await,
            (Open::Embedded(engine), _) => engine.decide(asks).await,
        }
    }
}

fn share(outcome: Result<Vec<Decision>, StoreError>, replies: Vec<Reply>) {
    match outcome {
        Ok(decisions) => {
            for (decision, reply) in decisions.into_iter().zip(replies) {
                let _ = reply.send(Ok(decision));
            }
        }
        Err(error) => {
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}
