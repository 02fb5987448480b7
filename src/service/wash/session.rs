//! The wash itself: asks about group after group, a few at a time, and hands the answers over in
//! order.

use std::future::ready;
use std::io;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::answers::{Answers, Counts};
use super::ending::Summary;
use super::group::{Group, Kind};
use super::reading::{BeginError, Reading};
use super::{Input, Output, Wash};
use crate::domain::{Decision, Moment, WashEnd, Washed};
use crate::service::{Service, ServiceError};
use crate::store::Ask;
use crate::table::{Layout, Wanted};

/// How many groups are under way at once: while one is on its way to the disk, the next is read.
const UNDER_WAY: usize = 3;

/// How often it is looked whether the log has caught up.
const PAUSE: Duration = Duration::from_millis(100);

/// For how long a wash waits for the log.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much more willingly the system gives the processor to others (`nice`).
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// What was answered so far, in order and without a gap.
struct Tally {
    digest: Sha256,
    bytes: u64,
    counts: Counts,
}

impl Wash {
    /// Washes a list, on a thread of its own, the unpacking and the search for its first row
    /// included: what a list takes is never taken from a single check that waits. What is given
    /// back says whether the list can be read at all, as soon as its first row tells; if not, or
    /// if nobody waits for that any more, nothing is asked. If so, it says in which columns, from 1,
    /// the numbers are.
    ///
    /// # Errors
    /// When there is no thread to be had; then nothing was asked.
    pub fn spawn(
        self,
        wanted: Wanted,
        input: impl Input,
        output: impl Output,
    ) -> io::Result<oneshot::Receiver<Result<String, BeginError>>> {
        let runtime = self.service.runtime.clone();
        let (tell, begun) = oneshot::channel();
        std::thread::Builder::new()
            .name("wash".to_owned())
            .spawn(move || {
                // On Linux this is about the calling thread alone; elsewhere it would be about all.
                #[cfg(target_os = "linux")]
                let _ = rustix::process::setpriority_process(None, NICENESS);
                runtime.block_on(async move {
                    match Reading::begin(input, &wanted, self.notation).await {
                        Ok((layout, reading)) => {
                            if tell.send(Ok(layout.numbers.positions())).is_ok() {
                                self.run(layout, reading, output).await;
                            }
                        }
                        // Whoever no longer waits does not miss it.
                        Err(error) => drop(tell.send(Err(error))),
                    }
                });
            })
            .map(|_| begun)
    }

    async fn run<I: Input, O: Output>(
        self,
        layout: Layout,
        mut reading: Reading<I>,
        mut output: O,
    ) {
        let mut tally = Tally {
            digest: Sha256::new(),
            bytes: 0,
            counts: Counts::default(),
        };
        let mut answers = Answers::new(self.service.validity);
        let mut under_way = FuturesOrdered::new();
        let mut paused: Option<Instant> = None;
        let mut end = loop {
            let over = reading.over();
            if let Some(end) = over
                && !reading.waits()
                && under_way.is_empty()
            {
                break end;
            }
            let free = reading.waits() && under_way.len() < UNDER_WAY;
            let room = !free || self.service.has_room_for_wash();
            if room {
                paused = None;
            } else if paused.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                break WashEnd::Unavailable;
            }
            tokio::select! {
                biased;
                Some((group, decided)) = under_way.next(), if !under_way.is_empty() => {
                    match self.answered(&layout, &group, decided, &mut tally, &mut answers) {
                        Ok((rows, counts)) => {
                            reading.give_back(group);
                            if output.write(rows, &counts).await.is_err() {
                                break WashEnd::ClientGone;
                            }
                        }
                        Err(end) => break end,
                    }
                }
                () = reading.more(), if over.is_none() && !reading.is_full() => {}
                () = ready(()), if free && room => {
                    let group = reading.take();
                    match self.asks(&group) {
                        Ok(asks) => {
                            let service = &self.service;
                            under_way.push_back(async move {
                                (group, service.decide_for_wash(asks).await)
                            });
                        }
                        Err(error) => break ended_by(&error),
                    }
                }
                () = tokio::time::sleep(PAUSE), if !room => {}
            }
        };
        // What is under way is on record, and so it counts, though nobody is told any more.
        let mut all = true;
        while let Some((group, decided)) = under_way.next().await {
            all = all
                && self
                    .answered(&layout, &group, decided, &mut tally, &mut answers)
                    .is_ok();
        }
        drop(under_way);
        // Also what was answered before a wash broke off is handed over, if anybody takes it.
        if end != WashEnd::ClientGone && output.settle().await.is_err() && end.is_complete() {
            end = WashEnd::ClientGone;
        }
        let counts = tally.counts;
        let washed = Washed {
            wash: *self.id.as_bytes(),
            input: tally.digest.finalize().into(),
            bytes: tally.bytes,
            rows: counts.rows(),
            suppress: counts.suppress,
            not_listed: counts.not_listed,
            invalid: counts.invalid,
            handed_over: output.handed_over(),
            end,
        };
        if !end.is_complete() {
            tracing::warn!(wash = %self.id, end = end.as_str(), "a wash ended before its list did");
        }
        let recorded = match end.is_complete() {
            true => self.record(washed).await,
            false => {
                // Nobody should wait for the entry to learn that this is not complete.
                output.finish(None).await;
                self.record(washed).await;
                return;
            }
        };
        output.finish(recorded.as_ref()).await;
    }

    /// What the store is asked about a group.
    fn asks(&self, group: &Group) -> Result<Vec<Ask>, ServiceError> {
        self.still_may()?;
        let at = Moment::now();
        let mut asks = Vec::with_capacity(group.asked);
        let mut also = group.also.iter();
        for line in group.lines.iter().filter(|line| line.needs_answer()) {
            let number = match &line.kind {
                Kind::Number(number) => Some(number),
                _ => None,
            };
            let more = also.by_ref().take(usize::from(line.also)).map(Some);
            for number in std::iter::once(number).chain(more) {
                asks.push(self.service.ask(&self.authorization, at, number, None)?);
            }
        }
        Ok(asks)
    }

    /// Makes sure that whoever began the wash may still ask.
    fn still_may(&self) -> Result<(), ServiceError> {
        let who = self.service.holder(&self.key)?;
        self.service.mandate(&who, &self.seller_id)?;
        Ok(())
    }

    /// The rows of a group with their answers.
    fn answered(
        &self,
        layout: &Layout,
        group: &Group,
        decided: Result<Vec<Decision>, ServiceError>,
        tally: &mut Tally,
        answers: &mut Answers,
    ) -> Result<(Vec<u8>, Counts), WashEnd> {
        let decisions = decided.map_err(|error| {
            tracing::warn!(wash = %self.id, %error, "a wash could not go on");
            ended_by(&error)
        })?;
        if !group.fits(decisions.len()) {
            return Err(WashEnd::Unavailable);
        }
        let mut rows = Vec::new();
        let counts = answers.write(layout, group, &decisions, &mut rows);
        tally.digest.update(&group.bytes);
        tally.bytes += group.bytes.len() as u64;
        tally.counts.add(&counts);
        Ok((rows, counts))
    }

    /// Puts the end on record, and gives the summary if that is done.
    async fn record(&self, washed: Washed) -> Option<Summary> {
        match self.put_on_record(&washed).await {
            Ok(()) => Some(Summary { washed }),
            Err(error) => {
                tracing::error!(wash = %self.id, %error, "the end of a wash is not on record");
                None
            }
        }
    }
}

/// How a wash ends when it cannot go on.
fn ended_by(error: &ServiceError) -> WashEnd {
    match error {
        ServiceError::UnknownKey
        | ServiceError::NoMandate
        | ServiceError::UnknownSeller
        | ServiceError::WrongRole(_) => WashEnd::Refused,
        _ => WashEnd::Unavailable,
    }
}

impl Service {
    /// The one place where rows of washes go to the store.
    async fn decide_for_wash(&self, asks: Vec<Ask>) -> Result<Vec<Decision>, ServiceError> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.store.decide(asks).await?)
    }
}
