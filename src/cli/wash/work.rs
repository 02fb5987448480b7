//! Request after request, until every row is answered.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use super::Only;
use super::answered::{Came, answer, end_of};
use super::connection::{Answer, Service, Stop};
use super::flight::Flight;
use super::list::{Chunk, List};
use super::output::{Destination, Output};
use super::progress::Progress;
use crate::cli::Failure;
use crate::cli::client::Client;
use crate::cli::number::NotationArgs;
use crate::cli::output::note;
use crate::table::{Encoding, Form, Layout};

/// The pauses between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How often it is written down how far it is.
const SAVE: Duration = Duration::from_secs(1);

/// What all rows have in common.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub seller: String,
    pub channel: Option<&'static str>,
    pub notation: NotationArgs,
    pub campaign: Option<String>,
}

/// A wash under way.
pub(super) struct Work {
    service: Service,
    layout: Layout,
    question: Question,
    only: Only,
    output: Output,
    flight: RefCell<Flight>,
    /// Told when there is room for more rows under way.
    room: Notify,
}

impl Work {
    pub fn new(
        client: &Client,
        list: &List,
        question: Question,
        only: Only,
        output: Output,
    ) -> Result<Self, Failure> {
        let bearer = client.bearer();
        let bearer = bearer.ok_or_else(|| Failure::usage("there is no key"))?;
        Ok(Self {
            service: Service {
                url: client.url().to_owned(),
                bearer,
            },
            layout: list.layout.clone(),
            question,
            only,
            output,
            flight: RefCell::default(),
            room: Notify::new(),
        })
    }

    /// Washes the list to its end, over as many connections as that takes.
    pub fn run(
        &mut self,
        list: List,
        progress: &mut Progress,
        patience: Duration,
    ) -> Result<(), Failure> {
        let no_thread = |error| Failure::new(format!("cannot begin: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(no_thread)?;
        progress.begin(list.length);
        let mut chunks = list.begin().map_err(no_thread)?;
        let done = runtime.block_on(self.until_done(&mut chunks, progress, patience));
        // A reader that waits for standard input is not waited for.
        runtime.shutdown_background();
        let saved = self
            .output
            .flush()
            .and_then(|()| progress.save(&self.output));
        progress.end();
        done.and(saved)
    }

    async fn until_done(
        &mut self,
        chunks: &mut mpsc::Receiver<Result<Chunk, Failure>>,
        progress: &mut Progress,
        patience: Duration,
    ) -> Result<(), Failure> {
        let mut pause = FIRST_PAUSE;
        let mut since = Instant::now();
        loop {
            let before = progress.done().offset;
            let why = match self.attempt(chunks, progress).await {
                Ok(()) => return Ok(()),
                Err(Stop::Failed(failure)) => return Err(failure),
                Err(Stop::Broken(why)) => why,
            };
            if progress.done().offset > before {
                (pause, since) = (FIRST_PAUSE, Instant::now());
            }
            if since.elapsed() >= patience {
                return Err(Failure::unfinished(why));
            }
            progress.say(&format!("{why}; trying again"));
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// One request: what is not answered yet, and then what comes.
    async fn attempt(
        &mut self,
        chunks: &mut mpsc::Receiver<Result<Chunk, Failure>>,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        // There may be nothing left: then there is nothing to ask.
        if self.flight.borrow().is_empty() {
            match chunks.recv().await {
                None => return Ok(()),
                Some(chunk) => self.flight.borrow_mut().push(chunk.map_err(Stop::Failed)?),
            }
        }
        self.flight.borrow_mut().send_again();
        let first = progress.done().offset == 0;
        let path = format!("/v1/wash?{}", self.query(first));
        let (pieces, body) = mpsc::channel(2);
        let (flight, room) = (&self.flight, &self.room);
        let send = send(flight, room, chunks, pieces);
        let mut rows = Rows {
            layout: &self.layout,
            only: self.only,
            flight,
            room,
            output: &mut self.output,
            progress,
            came: Vec::new(),
            saved: Instant::now(),
        };
        let receive = async {
            let answer = self
                .service
                .post(&path, media_type(self.layout.head.form), body)
                .await?;
            rows.receive(answer).await
        };
        tokio::try_join!(send, receive)?;
        match self.flight.borrow().is_empty() {
            true => Ok(()),
            false => Err(Stop::Broken(
                "the answer ended before the list did".to_owned(),
            )),
        }
    }

    /// Everything is said, so that the service finds nothing out by itself in the middle of a list.
    fn query(&self, first: bool) -> String {
        let layout = &self.layout;
        let (question, delimiter) = (
            &self.question,
            char::from(layout.head.delimiter).to_string(),
        );
        let yes_or_no = if layout.heading && first { "yes" } else { "no" };
        let usual = layout.and_usual.then_some("*");
        let members: Vec<_> = layout
            .members
            .iter()
            .map(String::as_str)
            .chain(usual)
            .collect();
        let columns = layout.columns.to_string();
        let table = layout.head.form == Form::Csv;
        let format = match layout.head.form {
            Form::Csv => "csv",
            Form::Lines => "lines",
            Form::Ndjson => "ndjson",
        };
        let column = match layout.head.form {
            Form::Csv => Some(layout.numbers.positions()),
            Form::Lines => None,
            Form::Ndjson => Some(members.join(",")),
        };
        let region_column = layout.region_column.map(|place| (place + 1).to_string());
        let objects = layout.head.form == Form::Ndjson;
        let given = [
            ("seller", Some(question.seller.as_str())),
            ("channel", question.channel),
            ("campaign", question.campaign.as_deref()),
            ("format", Some(format)),
            ("column", column.as_deref()),
            ("columns", table.then_some(columns.as_str())),
            ("delimiter", (!objects).then_some(delimiter.as_str())),
            ("heading", (!objects).then_some(yes_or_no)),
            ("encoding", layout.encoding.map(Encoding::as_str)),
            ("region_column", region_column.as_deref()),
        ];
        let given = given
            .into_iter()
            .chain(question.notation.parameters())
            .filter_map(|(name, value)| Some((name, value?)));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(given)
            .finish()
    }

    /// Gives the output its name. False when nobody takes it any more.
    pub fn finish(
        &mut self,
        destination: &Destination,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let delimiter = self.layout.head.delimiter;
        let taken = self.output.finish(destination, delimiter)?;
        progress.forget();
        Ok(taken)
    }
}

fn media_type(form: Form) -> &'static str {
    match form {
        Form::Csv => "text/csv",
        Form::Lines => "text/plain",
        Form::Ndjson => "application/x-ndjson",
    }
}

/// Sends what is under way, and more as there is room, to the list's end.
async fn send(
    flight: &RefCell<Flight>,
    room: &Notify,
    chunks: &mut mpsc::Receiver<Result<Chunk, Failure>>,
    pieces: mpsc::Sender<Bytes>,
) -> Result<(), Stop> {
    loop {
        let piece = flight.borrow_mut().next_to_send();
        if let Some(piece) = piece {
            if pieces.send(piece).await.is_err() {
                // The answer, or what broke it, tells why.
                std::future::pending::<()>().await;
            }
            continue;
        }
        let has_room = flight.borrow().has_room();
        if !has_room {
            room.notified().await;
            continue;
        }
        match chunks.recv().await {
            Some(chunk) => flight.borrow_mut().push(chunk.map_err(Stop::Failed)?),
            None => return Ok(()),
        }
    }
}

/// The rows of one answer.
struct Rows<'a> {
    layout: &'a Layout,
    only: Only,
    flight: &'a RefCell<Flight>,
    room: &'a Notify,
    output: &'a mut Output,
    progress: &'a mut Progress,
    came: Vec<u8>,
    saved: Instant,
}

impl Rows<'_> {
    async fn receive(&mut self, mut answer: Answer) -> Result<(), Stop> {
        if let Some(wash) = answer.wash.take() {
            self.progress.begin_wash(wash);
        }
        while let Some(piece) = answer.next().await? {
            self.came.extend_from_slice(&piece);
            self.rows(false)?;
            if self.saved.elapsed() > SAVE {
                self.output.flush().map_err(Stop::Failed)?;
                self.progress.save(self.output).map_err(Stop::Failed)?;
                self.saved = Instant::now();
            }
        }
        self.rows(true)
    }

    /// Takes the whole rows of what came.
    fn rows(&mut self, end: bool) -> Result<(), Stop> {
        let other = || {
            Stop::Failed(Failure::new(
                "what comes back are not the rows that were sent\n  remedy:     compare `metrust \
                 --version` on both sides, and look for a proxy in between",
            ))
        };
        let mut at = 0;
        while at < self.came.len() {
            let mut flight = self.flight.borrow_mut();
            let Some((sent, length)) = flight.expected() else {
                return Err(other());
            };
            let rest = &self.came[at..];
            let Some((content, next)) = end_of(self.layout.head.form, sent, rest, end) else {
                break;
            };
            let (content, whole) = (&rest[..content], &rest[..next]);
            let heading = self.layout.heading && !self.progress.done().heading;
            let (form, delimiter) = (self.layout.head.form, self.layout.head.delimiter);
            let came = answer(form, delimiter, heading, sent, content).ok_or_else(other)?;
            self.progress.count(came, length as u64);
            if flight.answered() {
                self.room.notify_one();
            }
            drop(flight);
            if wanted(self.only, came) {
                self.output.write(whole).map_err(Stop::Failed)?;
            }
            at += next;
        }
        self.came.drain(..at);
        Ok(())
    }
}

/// Whether a row is written. What cannot be read is never among those that are clear.
fn wanted(only: Only, came: Came) -> bool {
    match only {
        Only::All => true,
        Only::Clear => matches!(came, Came::Heading | Came::NotListed),
        Only::Suppressed => matches!(came, Came::Heading | Came::Suppress),
    }
}

/// Told on a terminal or in a log, without the bar in between.
pub(super) fn tell(bar: &indicatif::ProgressBar, text: &str) {
    bar.suspend(|| note(text));
}
