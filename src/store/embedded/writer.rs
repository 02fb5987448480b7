//! The thread that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use redb::WriteTransaction;
use tokio::sync::{mpsc, oneshot};

use super::documents;
use super::state::State;
use super::tables::{self, META, away};
use super::{Files, Shared, gone};
use crate::domain::Decision;
use crate::store::{
    Ask, Beside, Change, Changed, Draft, Identity, ImportPart, Kind, Position, StoreError,
};

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Work {
    Decide(Vec<Ask>, Reply<Vec<Decision>>),
    Change(Vec<Change>, Reply<Vec<Changed>>),
    Import(ImportPart, Reply<Option<u64>>),
    Document {
        kind: Kind,
        id: String,
        version: Option<u64>,
        /// Nothing to remove it.
        draft: Option<Draft>,
        beside: Option<Beside>,
        reply: Reply<bool>,
    },
    Begin(Identity, Reply<Identity>),
    Trim(Position, Reply<()>),
    /// Marks the store, or takes the mark away.
    Mark(Option<String>, Reply<bool>),
    Probe(Reply<()>),
    Close(Reply<()>),
}

impl Work {
    fn items(&self) -> usize {
        match self {
            Self::Decide(asks, _) => asks.len(),
            Self::Change(changes, _) => changes.len(),
            Self::Import(part, _) => part.spots.len(),
            _ => 1,
        }
    }

    /// Whether it changes nothing but the end of the tail.
    fn is_plain(&self) -> bool {
        match self {
            Self::Decide(asks, _) => asks.iter().all(|ask| ask.replay.is_none()),
            _ => false,
        }
    }
}

/// How many asks and changes go into one commit at most, unless one work alone has more.
const GROUP: usize = 8192;

/// How long after a failure the file is left alone.
const PAUSE: Duration = Duration::from_millis(500);

/// The writer before and between its open files.
pub(super) struct Writer {
    file: PathBuf,
    files: Shared,
    backlog: Arc<AtomicU64>,
    /// A file that was deleted: nothing is written and nobody is answered any more.
    deleted: Arc<OnceLock<StoreError>>,
    replay_window: Duration,
    id: [u8; 8],
    identity: Option<Identity>,
}

/// What the works of one commit will be told if it succeeds.
enum Answer {
    Decided(Vec<usize>, Vec<Reply<Vec<Decision>>>, Vec<Decision>),
    Changed(Vec<usize>, Vec<Reply<Vec<Changed>>>, Vec<Changed>),
    Imported(Reply<Option<u64>>, Option<u64>),
    Document(Reply<bool>, bool),
    Begun(Reply<Identity>, Identity),
    Unit(Reply<()>),
}

impl Writer {
    pub(super) fn new(
        file: PathBuf,
        files: Shared,
        backlog: Arc<AtomicU64>,
        deleted: Arc<OnceLock<StoreError>>,
        replay_window: Duration,
    ) -> Self {
        Self {
            file,
            files,
            backlog,
            deleted,
            replay_window,
            id: crate::privacy::random(),
            identity: None,
        }
    }

    /// Works until it is told to close or nobody is left to ask.
    pub(super) fn run(
        mut self,
        mut inbox: mpsc::Receiver<Work>,
        ready: oneshot::Sender<Result<(), StoreError>>,
    ) {
        let first = State::open(&self.file, self.id, self.replay_window);
        let mut state = match first {
            Ok(state) => {
                tracing::debug!(members = state.members(), "the embedded store is open");
                self.backlog.store(state.tail_bytes(), Ordering::Relaxed);
                self.files.store(Some(Arc::new(Files::of(&state))));
                let _ = ready.send(Ok(()));
                Some(state)
            }
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let mut failed = Instant::now();
        while let Some(first) = inbox.blocking_recv() {
            let mut items = first.items();
            let mut works = vec![first];
            while items < GROUP
                && let Ok(next) = inbox.try_recv()
            {
                items += next.items();
                works.push(next);
            }
            let closing = take_close(&mut works);
            if state.is_none() && failed.elapsed() >= PAUSE {
                state = self.reopen().ok();
                failed = Instant::now();
            }
            match state.as_mut().filter(|_| self.deleted.get().is_none()) {
                None => {
                    let deleted = self.deleted.get().cloned();
                    let error = deleted.unwrap_or_else(unwritable);
                    works.into_iter().for_each(|work| refuse(work, &error));
                }
                // Whoever was to be answered is told that it is not known. What is in memory may be
                // half done after a panic, so it is read anew from what is on disk.
                Some(open) => match catch_unwind(AssertUnwindSafe(|| group(open, works)))
                    .unwrap_or_else(|_| Err(StoreError::Away("its writer broke off".to_owned())))
                {
                    Ok(begun) => {
                        self.identity = begun.or(self.identity);
                        self.backlog.store(open.tail_bytes(), Ordering::Relaxed);
                    }
                    // What is open stays open: it is the last copy of what was deleted.
                    Err(error @ StoreError::Deleted(_)) => {
                        tracing::error!("{error}; `metrust doctor` says how to bring it back");
                        let _ = self.deleted.set(error);
                    }
                    Err(error) => {
                        tracing::error!(%error, "the store cannot write; nothing was answered");
                        failed = Instant::now();
                        self.files.store(None);
                        state = None;
                    }
                },
            }
            if let Some(reply) = closing {
                self.files.store(None);
                let sound = state.take().filter(|_| self.deleted.get().is_none());
                if let Some(Err(error)) = sound.map(leave_journal) {
                    tracing::warn!(%error, "the journal is kept beside the store, and needed there");
                }
                let _ = reply.send(Ok(()));
                return;
            }
        }
        self.files.store(None);
    }

    fn reopen(&self) -> Result<State, StoreError> {
        let state = State::reopen(&self.file, self.id, self.replay_window, self.identity)
            .inspect_err(|error| tracing::warn!(%error, "the store cannot be opened again"))?;
        tracing::info!("the store is open again");
        self.files.store(Some(Arc::new(Files::of(&state))));
        Ok(state)
    }
}

fn take_close(works: &mut Vec<Work>) -> Option<Reply<()>> {
    let at = works
        .iter()
        .position(|work| matches!(work, Work::Close(_)))?;
    match works.remove(at) {
        Work::Close(reply) => Some(reply),
        _ => None,
    }
}

/// Does all works, puts them on disk as one, and answers them then. Looking up and changing are
/// gathered into one batch of entries each. Nobody has been answered yet, so any order among the
/// works of one group is a true order. Returns the store's identity, if it was begun.
///
/// Checks alone go into the journal; whatever else comes goes into the database, with the checks
/// beside it.
fn group(state: &mut State, works: Vec<Work>) -> Result<Option<Identity>, StoreError> {
    let mut answers = Vec::new();
    let done = if works.iter().all(Work::is_plain) {
        decide(state, works, &mut answers).and_then(|()| match state.journal()? {
            true => Ok(()),
            false => commit(state, |_, _| Ok(())),
        })
    } else {
        commit(state, |state, write| {
            prepare(state, write, works, &mut answers)
        })
    };
    // Asked once it is written: what was acknowledged was in files that will be found again.
    let done = done.and_then(|()| state.is_there());
    let mut begun = None;
    for answer in answers {
        if let Answer::Begun(_, identity) = &answer {
            begun = Some(*identity);
        }
        answer.give(&done);
    }
    done.map(|()| begun)
}

/// Does something in a transaction of the database, and puts what waits beside it.
fn commit(
    state: &mut State,
    work: impl FnOnce(&mut State, &WriteTransaction) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let write = state.database.clone().begin_write().map_err(away)?;
    work(state, &write)?;
    state.flush(&write)?;
    write.commit().map_err(away)?;
    state.flushed()
}

/// Makes the database alone the whole store.
fn leave_journal(mut state: State) -> Result<(), StoreError> {
    commit(&mut state, |_, _| Ok(()))?;
    state.leave_journal()
}

/// Decides what is asked, where nothing else is.
fn decide(
    state: &mut State,
    works: Vec<Work>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let (mut asks, mut counts, mut replies) = (Vec::new(), Vec::new(), Vec::new());
    for work in works {
        // Whoever has stopped waiting has been told that nothing is known.
        if let Work::Decide(mut more, reply) = work
            && !reply.is_closed()
        {
            counts.push(more.len());
            replies.push(reply);
            asks.append(&mut more);
        }
    }
    let decided = state.decide(None, &asks);
    let failure = decided.as_ref().map(|_| ()).map_err(Clone::clone);
    let decided = decided.unwrap_or_default();
    answers.push(Answer::Decided(counts, replies, decided));
    failure
}

fn prepare(
    state: &mut State,
    write: &WriteTransaction,
    works: Vec<Work>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let (mut asks, mut ask_counts, mut ask_replies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut changes, mut change_counts, mut change_replies) = (Vec::new(), Vec::new(), Vec::new());
    let mut failure = Ok(());
    for work in works {
        match work {
            // Whoever has stopped waiting has been told that nothing is known.
            Work::Decide(_, reply) if reply.is_closed() => {}
            Work::Decide(mut more, reply) => {
                ask_counts.push(more.len());
                ask_replies.push(reply);
                asks.append(&mut more);
            }
            Work::Change(mut more, reply) => {
                change_counts.push(more.len());
                change_replies.push(reply);
                changes.append(&mut more);
            }
            Work::Import(part, reply) => {
                let changed = state.import(write, &part);
                failure = failure.and(changed.as_ref().map(|_| ()).map_err(Clone::clone));
                answers.push(Answer::Imported(reply, changed.unwrap_or_default()));
            }
            Work::Document {
                kind,
                id,
                version,
                draft,
                beside,
                reply,
            } => {
                let (draft, beside) = (draft.as_ref(), beside.as_ref());
                let put = documents::put(write, kind, &id, version, draft, beside);
                failure = failure.and(put.as_ref().map(|_| ()).map_err(Clone::clone));
                answers.push(Answer::Document(reply, put.unwrap_or(false)));
            }
            Work::Begin(proposed, reply) => {
                let begun = begin(write, proposed);
                failure = failure.and(begun.as_ref().map(|_| ()).map_err(Clone::clone));
                answers.push(Answer::Begun(reply, begun.unwrap_or(proposed)));
            }
            Work::Mark(what, reply) => {
                let put = mark(write, what.as_deref());
                failure = failure.and(put.as_ref().map(|_| ()).map_err(Clone::clone));
                answers.push(Answer::Document(reply, put.unwrap_or(false)));
            }
            Work::Trim(before, reply) => {
                failure = failure.and(state.trim(write, before));
                answers.push(Answer::Unit(reply));
            }
            Work::Probe(reply) | Work::Close(reply) => {
                answers.push(Answer::Unit(reply));
            }
        }
    }
    let changed = failure.and_then(|()| state.change(write, &changes));
    let decided = changed
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|_| state.decide(Some(write), &asks));
    let failure = decided.as_ref().map(|_| ()).map_err(Clone::clone);
    answers.push(Answer::Changed(
        change_counts,
        change_replies,
        changed.unwrap_or_default(),
    ));
    answers.push(Answer::Decided(
        ask_counts,
        ask_replies,
        decided.unwrap_or_default(),
    ));
    failure
}

fn begin(write: &WriteTransaction, proposed: Identity) -> Result<Identity, StoreError> {
    let mut meta = write.open_table(META).map_err(away)?;
    match tables::identity(&meta)? {
        Some(identity) => Ok(identity),
        None => tables::put_identity(&mut meta, &proposed).map(|()| proposed),
    }
}

fn mark(write: &WriteTransaction, what: Option<&str>) -> Result<bool, StoreError> {
    tables::put_loss(&mut write.open_table(META).map_err(away)?, what)
}

fn unwritable() -> StoreError {
    StoreError::Away("its file cannot be written at the moment".to_owned())
}

fn refuse(work: Work, error: &StoreError) {
    let error = || error.clone();
    match work {
        Work::Decide(_, reply) => drop(reply.send(Err(error()))),
        Work::Change(_, reply) => drop(reply.send(Err(error()))),
        Work::Import(_, reply) => drop(reply.send(Err(error()))),
        Work::Document { reply, .. } => drop(reply.send(Err(error()))),
        Work::Begin(_, reply) => drop(reply.send(Err(error()))),
        Work::Mark(_, reply) => drop(reply.send(Err(error()))),
        Work::Trim(_, reply) | Work::Probe(reply) => drop(reply.send(Err(error()))),
        Work::Close(reply) => drop(reply.send(Err(gone()))),
    }
}

impl Answer {
    fn give(self, done: &Result<(), StoreError>) {
        match self {
            Self::Decided(counts, replies, all) => share(counts, replies, all, done),
            Self::Changed(counts, replies, all) => share(counts, replies, all, done),
            Self::Imported(reply, changed) => drop(reply.send(done.clone().map(|()| changed))),
            Self::Document(reply, put) => drop(reply.send(done.clone().map(|()| put))),
            Self::Begun(reply, identity) => drop(reply.send(done.clone().map(|()| identity))),
            Self::Unit(reply) => drop(reply.send(done.clone())),
        }
    }
}

/// Gives each asker its own part of a batch's answers.
fn share<T>(
    counts: Vec<usize>,
    replies: Vec<Reply<Vec<T>>>,
    all: Vec<T>,
    done: &Result<(), StoreError>,
) {
    let mut all = all.into_iter();
    for (count, reply) in counts.into_iter().zip(replies) {
        let part: Vec<T> = all.by_ref().take(count).collect();
        drop(reply.send(done.clone().map(|()| part)));
    }
}
