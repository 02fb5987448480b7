//! The list on its way in.

use std::io::{self, Read};
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::api::State;
use crate::api::body::most_unpacked;
use crate::api::sheets::{self, SheetQuery};
use crate::api::spool::{Spool, Spooled};
use crate::service::wash::{Input, InputError};
use crate::table::{Coding, SheetError, Text, may_be_workbook};

/// How many pieces of the body wait at most, each as large as the connection reads at once.
const WAITING: usize = 8;

/// How many bytes tell whether it is a workbook.
const ENOUGH: usize = 4;

/// How much of a table that is there as a whole is read at once.
const PIECE: u64 = 64 << 10;

/// A piece of the body; nothing at its end.
type Piece = Result<Option<Bytes>, InputError>;

/// A body that is unpacked as it comes. A workbook must be there as a whole: its end says where
/// everything is.
pub(super) struct Body {
    state: State,
    /// What is asked of a workbook, where the list may be one.
    sheet: Option<(SheetQuery, Weak<AtomicBool>)>,
    /// What was read to see what it is.
    start: Vec<u8>,
    /// The table that a workbook holds.
    table: Option<Spooled>,
    pieces: mpsc::Receiver<Piece>,
    came: Bytes,
    text: Text,
    ended: bool,
    /// How many bytes came, and how many of the list they held.
    packed: u64,
    unpacked: u64,
}

impl Body {
    /// Begins to take a body in. The worker only passes on what comes; no more is read from the
    /// connection than is worked on. `sheet` says what is asked of a workbook, where the list may be
    /// one; whoever waits for it holds the flag that is raised then.
    pub fn begin(
        state: State,
        mut payload: Payload,
        coding: Coding,
        sheet: Option<(SheetQuery, Weak<AtomicBool>)>,
    ) -> io::Result<Self> {
        let idle = Duration::from_secs(state.settings.check.wash_idle_s);
        let text = Text::new(coding)?;
        let (to, pieces) = mpsc::channel(WAITING);
        #[expect(clippy::disallowed_methods, reason = "it ends with the body")]
        actix_web::rt::spawn(async move {
            loop {
                let piece: Piece = match tokio::time::timeout(idle, payload.next()).await {
                    Err(_) => Err(InputError::Stalled),
                    Ok(None) => Ok(None),
                    Ok(Some(Ok(piece))) => Ok(Some(piece)),
                    Ok(Some(Err(_))) => Err(InputError::Broken),
                };
                let last = !matches!(piece, Ok(Some(_)));
                if to.send(piece).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(Self {
            state,
            sheet,
            start: Vec::new(),
            table: None,
            pieces,
            came: Bytes::new(),
            text,
            ended: false,
            packed: 0,
            unpacked: 0,
        })
    }
}

impl Input for Body {
    async fn begin(&mut self) -> Result<Option<u8>, InputError> {
        let Some((query, who)) = self.sheet.take() else {
            return Ok(None);
        };
        let mut start = Vec::new();
        while start.len() < ENOUGH && self.unpack(&mut start).await? {}
        if !may_be_workbook(&start) {
            self.start = start;
            return Ok(None);
        }
        if let Some(flag) = who.upgrade() {
            flag.store(true, Ordering::Relaxed);
        }
        let mut spool = Spool::new(&self.state.data).map_err(SheetError::Write)?;
        loop {
            spool.add(&start).map_err(SheetError::Write)?;
            if spool.length() > sheets::LONGEST {
                return Err(InputError::TooLong(sheets::LONGEST));
            }
            start.clear();
            if !self.unpack(&mut start).await? {
                break;
            }
        }
        let (workbook, _) = spool.finish().map_err(SheetError::Write)?;
        let one = self.state.sheets.acquire().await;
        let _one = one.map_err(|_| InputError::Broken)?;
        self.table = Some(sheets::as_table(&self.state, workbook, &query, who)?);
        Ok(Some(query.delimiter))
    }

    async fn read(&mut self, into: &mut Vec<u8>) -> Result<bool, InputError> {
        if let Some(table) = &mut self.table {
            let read = table.take(PIECE).read_to_end(into);
            return Ok(read.map_err(|_| InputError::Broken)? > 0);
        }
        if !self.start.is_empty() {
            into.append(&mut self.start);
            return Ok(true);
        }
        self.unpack(into).await
    }
}

impl Body {
    /// Adds some of the body to `into`, unpacked; false at its end.
    async fn unpack(&mut self, into: &mut Vec<u8>) -> Result<bool, InputError> {
        loop {
            let broken = |_| InputError::Broken;
            let before = into.len();
            if self.text.step(&mut self.came, into).map_err(broken)? {
                self.unpacked += (into.len() - before) as u64;
                if self.unpacked > most_unpacked(self.packed) {
                    return Err(InputError::Broken);
                }
                return Ok(true);
            }
            if self.ended {
                return Ok(false);
            }
            match self.pieces.recv().await {
                Some(Ok(Some(piece))) => {
                    self.packed += piece.len() as u64;
                    self.came = piece;
                }
                Some(Ok(None)) => {
                    self.ended = true;
                    let before = into.len();
                    self.text.finish(into).map_err(broken)?;
                    return Ok(into.len() > before);
                }
                Some(Err(error)) => return Err(error),
                // The worker is gone.
                None => return Err(InputError::Broken),
            }
        }
    }
}
