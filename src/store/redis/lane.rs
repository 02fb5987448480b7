//! Requests that arrive while a round trip is under way go together in the next one.
//!
//! There is no timer: a lone request leaves at once, and under load batches grow by themselves.
//! Two round trips may be under way, so that the server never waits for us. The queue is bounded;
//! when it is full, the answer is "busy" at once and not "late" after a while.

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};

use crate::store::StoreError;
use crate::store::batch::MAX_ITEMS;
use crate::supervisor::Supervisor;

/// How many requests may wait.
const QUEUE: usize = 16 * 1024;

/// How many round trips may be under way.
const UNDER_WAY: usize = 2;

struct Waiting<I, O> {
    items: Vec<I>,
    reply: oneshot::Sender<Result<Vec<O>, StoreError>>,
}

/// A queue towards one script.
#[derive(Debug)]
pub(super) struct Lane<I, O> {
    queue: mpsc::Sender<Waiting<I, O>>,
    open: Arc<Semaphore>,
    part: usize,
}

impl<I: Send + 'static, O: Send + 'static> Lane<I, O> {
    /// Opens a lane whose batches go through `send`, on the runtime that calls this, under a name of
    /// its own. Requests of more than `part` items are sent in parts.
    pub(super) fn open<F>(
        supervisor: &Supervisor,
        name: &'static str,
        part: usize,
        send: impl Fn(Vec<I>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Vec<O>, StoreError>> + Send + 'static,
    {
        let (queue, inbox) = mpsc::channel(QUEUE);
        let open = Arc::new(Semaphore::new(UNDER_WAY));
        // What waits there goes on waiting where the lane is begun anew.
        let driven = (Arc::new(Mutex::new(inbox)), open.clone(), Arc::new(send));
        supervisor.run(name, move || {
            let (inbox, open, send) = driven.clone();
            async move { drive(&mut *inbox.lock().await, open, send).await }
        });
        Self { queue, open, part }
    }

    /// Sends items along with whatever else is waiting; answers in order.
    pub(super) async fn send(&self, mut items: Vec<I>) -> Result<Vec<O>, StoreError> {
        let mut parts = Vec::with_capacity(1);
        loop {
            let rest = items.split_off(items.len().min(self.part));
            let (reply, answer) = oneshot::channel();
            self.queue
                .try_send(Waiting { items, reply })
                .map_err(|_| StoreError::Busy)?;
            parts.push(answer);
            if rest.is_empty() {
                break;
            }
            items = rest;
        }
        let mut all = Vec::new();
        for part in parts {
            let mut part = part
                .await
                .map_err(|_| StoreError::Away("it is closed".to_owned()))??;
            all.append(&mut part);
        }
        Ok(all)
    }

    /// Waits until nothing is under way.
    pub(super) async fn drained(&self) {
        while self.queue.capacity() < QUEUE {
            tokio::task::yield_now().await;
        }
        drop(self.open.acquire_many(UNDER_WAY as u32).await);
    }
}

async fn drive<I, O, F, S>(
    inbox: &mut mpsc::Receiver<Waiting<I, O>>,
    open: Arc<Semaphore>,
    send: Arc<S>,
) where
    I: Send + 'static,
    O: Send + 'static,
    F: Future<Output = Result<Vec<O>, StoreError>> + Send + 'static,
    S: Fn(Vec<I>) -> F + Send + Sync + 'static,
{
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => first,
            None => match inbox.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        // Only when a round trip may leave is it decided who goes with it.
        let Ok(permit) = open.clone().acquire_owned().await else {
            return;
        };
        let mut items = Vec::new();
        let mut replies = Vec::new();
        let mut candidate = Some(first);
        while let Some(waiting) = candidate {
            if !items.is_empty() && items.len() + waiting.items.len() > MAX_ITEMS {
                next = Some(waiting);
                break;
            }
            // Whoever has stopped waiting has been told that nothing is known.
            if !waiting.reply.is_closed() {
                replies.push((waiting.items.len(), waiting.reply));
                items.extend(waiting.items);
            }
            candidate = inbox.try_recv().ok();
        }
        if items.is_empty() {
            continue;
        }
        let send = send.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with this round trip")]
        tokio::spawn(async move {
            let outcome = send(items).await;
            drop(permit);
            share(outcome, replies);
        });
    }
}

type Reply<O> = oneshot::Sender<Result<Vec<O>, StoreError>>;

fn share<O>(outcome: Result<Vec<O>, StoreError>, replies: Vec<(usize, Reply<O>)>) {
    match outcome {
        Ok(all) => {
            let mut all = all.into_iter();
            for (count, reply) in replies {
                drop(reply.send(Ok(all.by_ref().take(count).collect())));
            }
        }
        Err(error) => {
            for (_, reply) in replies {
                drop(reply.send(Err(error.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn what_waits_goes_together_and_everybody_gets_their_own_answer() {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let (seen, gate) = (batches.clone(), Arc::new(Semaphore::new(0)));
        let pass = gate.clone();
        let lane = Arc::new(Lane::open(
            &Supervisor::default(),
            "lane",
            MAX_ITEMS,
            move |items: Vec<u32>| {
                let (seen, pass) = (seen.clone(), pass.clone());
                async move {
                    pass.acquire().await.unwrap().forget();
                    seen.lock().unwrap().push(items.len());
                    Ok(items.into_iter().map(|n| n * 2).collect())
                }
            },
        ));
        let asked: Vec<_> = (0..100)
            .map(|n| {
                let lane = lane.clone();
                tokio::spawn(async move { (n, lane.send(vec![n, n + 1]).await.unwrap()) })
            })
            .collect();
        gate.add_permits(100);
        for one in asked {
            let (n, answer) = one.await.unwrap();
            assert_eq!(answer, [n * 2, (n + 1) * 2]);
        }
        assert!(batches.lock().unwrap().len() < 20, "they went together");
        lane.drained().await;
    }

    #[tokio::test]
    async fn a_long_list_is_sent_in_parts_and_comes_back_in_order() {
        let lane = Lane::open(
            &Supervisor::default(),
            "lane",
            MAX_ITEMS,
            |items: Vec<usize>| async move {
                assert!(items.len() <= MAX_ITEMS);
                Ok(items)
            },
        );
        let list: Vec<usize> = (0..3 * MAX_ITEMS + 7).collect();
        assert_eq!(lane.send(list.clone()).await.unwrap(), list);
    }

    #[tokio::test]
    async fn what_must_stay_whole_is_sent_whole() {
        let lane = Lane::open(
            &Supervisor::default(),
            "lane",
            usize::MAX,
            |items: Vec<usize>| async move {
                let count = items.len();
                Ok(vec![count; count])
            },
        );
        let list: Vec<usize> = (0..3 * MAX_ITEMS).collect();
        assert_eq!(lane.send(list).await.unwrap()[0], 3 * MAX_ITEMS);
    }

    #[tokio::test]
    async fn a_failed_batch_fails_everybody_in_it() {
        let lane: Lane<u8, u8> = Lane::open(&Supervisor::default(), "lane", MAX_ITEMS, |_| async {
            Err(StoreError::Late)
        });
        assert!(matches!(lane.send(vec![1]).await, Err(StoreError::Late)));
    }
}
