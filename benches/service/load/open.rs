//! The open loop: requests leave on a fixed schedule, whether or not earlier ones were answered.
//!
//! What counts is the time from when a request *should* have left: a server that stands still for a
//! moment delays all who come meanwhile, and a generator that waits for it would not see them
//! (coordinated omission). Everything runs on one thread, on core 0.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::LocalSet;

use super::Sample;
use super::reply::Reply;
use super::ticks::Ticks;
use crate::Result;
use crate::server::Route;

pub use super::reply::Protocol;

/// The longest time that is told from longer ones, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// The clock ticks no more often: at rates beyond, several requests leave at a tick, and the
/// generator has the processor for them and not for its clock.
const TICK: Duration = Duration::from_micros(100);

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to send, whereto, and how fast.
pub struct Open {
    /// The server.
    pub address: SocketAddr,
    /// The requests, which take turns.
    pub requests: Vec<Vec<u8>>,
    /// How it answers.
    pub protocol: Protocol,
    /// Requests a second.
    pub rate: f64,
    /// Connections, all kept.
    pub connections: usize,
    /// Requests of this time are sent, and not counted.
    pub warm_up: Duration,
    /// How long it goes on after that.
    pub time: Duration,
    /// Whether to keep the ids in the answers.
    pub keep_ids: bool,
}

/// What came of it.
pub struct Found {
    /// Nanoseconds from the time a request should have left until its answer was there.
    pub latencies: Histogram<u64>,
    /// Nanoseconds from the time a request should have left until the generator came to send it.
    pub lateness: Histogram<u64>,
    /// From the first request that counts until the last answer.
    pub took: Duration,
    /// Good answers, warming up included.
    pub answered: u64,
    /// Bad answers, broken connections, and requests without an answer.
    pub failed: u64,
    /// The ids in the answers, if they are kept.
    pub ids: Vec<u128>,
}

/// GET requests for `route`, as wrk writes them.
pub fn http(route: &Route, numbers: &[String]) -> Vec<Vec<u8>> {
    let requests = numbers.iter().map(|number| {
        format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            route.path(number),
            route.address,
            route.key
        )
        .into_bytes()
    });
    requests.collect()
}

struct Line {
    stream: OwnedWriteHalf,
    /// When the request under way should have left.
    since: Cell<Option<Instant>>,
}

struct Work {
    order: Open,
    lines: Vec<Line>,
    /// Lines without a request, the one that has rested longest first.
    idle: RefCell<VecDeque<usize>>,
    /// When requests should have left that still wait for a line.
    late: RefCell<VecDeque<Instant>>,
    next: Cell<usize>,
    counts_from: Instant,
    found: RefCell<Found>,
}

impl Open {
    /// Sends, waits for the last answers, and gives what was found.
    pub fn run(self) -> Result<Found> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        LocalSet::new().block_on(&runtime, self.send())
    }

    async fn send(self) -> Result<Found> {
        let mut lines = Vec::with_capacity(self.connections);
        let mut ends = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let since = Cell::new(None);
            let (end, stream) = stream.into_split();
            ends.push(end);
            lines.push(Line { stream, since });
        }
        let period = Duration::from_secs_f64(1.0 / self.rate);
        let total = ((self.warm_up + self.time).as_secs_f64() * self.rate) as u32;
        let begin = Instant::now();
        let work = Rc::new(Work {
            idle: RefCell::new((0..lines.len()).collect()),
            late: RefCell::default(),
            next: Cell::new(0),
            counts_from: begin + self.warm_up,
            found: RefCell::new(Found {
                latencies: Histogram::new_with_bounds(1, LONGEST, 3)?,
                lateness: Histogram::new_with_bounds(1, LONGEST, 3)?,
                took: Duration::ZERO,
                answered: 0,
                failed: 0,
                ids: Vec::new(),
            }),
            order: self,
            lines,
        });
        let readers: Vec<_> = (0..)
            .zip(ends)
            .map(|(line, end)| tokio::task::spawn_local(Rc::clone(&work).answers(line, end)))
            .collect();
        let ticks = Ticks::every(period.max(TICK))?;
        let mut sent = 0;
        while sent < total {
            ticks.next().await?;
            let now = Instant::now();
            while sent < total && begin + period * sent <= now {
                work.leave(begin + period * sent);
                sent += 1;
            }
        }
        let patience = Instant::now() + PATIENCE;
        while work.is_busy() && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        readers.iter().for_each(|reader| reader.abort());
        for reader in readers {
            let _ = reader.await;
        }
        let work = Rc::into_inner(work).ok_or("a reader still runs")?;
        let mut found = work.found.into_inner();
        found.failed = u64::from(total) - found.answered;
        Ok(found)
    }
}

impl Work {
    /// Lets one request go, or wait for a line.
    fn leave(&self, due: Instant) {
        if due >= self.counts_from {
            let mut found = self.found.borrow_mut();
            found.lateness.saturating_record(nanos(due));
        }
        let line = self.idle.borrow_mut().pop_front();
        match line {
            Some(line) => self.send(line, due),
            None => self.late.borrow_mut().push_back(due),
        }
    }

    fn send(&self, line: usize, due: Instant) {
        let turn = self.next.get();
        self.next.set((turn + 1) % self.order.requests.len());
        let request = &self.order.requests[turn];
        // It is far smaller than the buffer of a socket that has nothing else under way. If it does
        // not fit all the same, no answer comes, and that is counted.
        let line = &self.lines[line];
        if matches!(line.stream.try_write(request), Ok(length) if length == request.len()) {
            line.since.set(Some(due));
        }
    }

    fn is_busy(&self) -> bool {
        let waits = |line: &Line| line.since.get().is_some();
        !self.late.borrow().is_empty() || self.lines.iter().any(waits)
    }

    /// Reads the answers of one line until it breaks.
    async fn answers(self: Rc<Self>, place: usize, mut end: OwnedReadHalf) {
        let line = &self.lines[place];
        let mut bytes = vec![0; 16 * 1024];
        let mut length = 0;
        loop {
            match end.read(&mut bytes[length..]).await {
                Ok(0) | Err(_) => break,
                Ok(more) => length += more,
            }
            match self.order.protocol.read(&bytes[..length]) {
                Reply::Unfinished => continue,
                Reply::Good(says) => self.count(line, says),
                Reply::Bad => {
                    line.since.set(None);
                }
            }
            length = 0;
            let late = self.late.borrow_mut().pop_front();
            match late {
                Some(due) => self.send(place, due),
                None => self.idle.borrow_mut().push_back(place),
            }
        }
        line.since.set(None);
    }

    fn count(&self, line: &Line, says: &[u8]) {
        let Some(due) = line.since.take() else {
            return;
        };
        let mut found = self.found.borrow_mut();
        found.answered += 1;
        if due >= self.counts_from {
            found.took = self.counts_from.elapsed();
            found.latencies.saturating_record(nanos(due));
        }
        if self.order.keep_ids
            && let Some(id) = id(says)
        {
            found.ids.push(id);
        }
    }
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The id in an answer, which is a UUID.
fn id(says: &[u8]) -> Option<u128> {
    const NAME: &[u8] = b"\"id\":\"";
    let begin = memchr::memmem::find(says, NAME)? + NAME.len();
    let text = says.get(begin..begin + 36)?;
    uuid::Uuid::try_parse_ascii(text)
        .ok()
        .map(|id| id.as_u128())
}

impl Found {
    /// As the sample of a round.
    pub fn sample(&self) -> Sample {
        let millis =
            |times: &Histogram<u64>, quantile: f64| times.value_at_quantile(quantile) as f64 / 1e6;
        Sample {
            rate: self.latencies.len() as f64 / self.took.as_secs_f64(),
            median: millis(&self.latencies, 0.5),
            p99: millis(&self.latencies, 0.99),
            sent_late: Some(millis(&self.lateness, 0.99)),
            failed: self.failed,
        }
    }
}
