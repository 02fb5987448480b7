//! The list on its way in.

use std::io;
use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::service::wash::{Input, InputError};
use crate::table::{Coding, Text};

/// How many pieces of the body wait at most, each as large as the connection reads at once.
const WAITING: usize = 8;

/// How many bytes of a list one byte may hold that came, beyond the first mebibyte. Real lists are
/// compressed to a tenth or a fiftieth; a few bytes that hold gigabytes are no list.
const MOST_UNPACKED: u64 = 250;
const FREELY_UNPACKED: u64 = 1 << 20;

/// A piece of the body; nothing at its end.
type Piece = Result<Option<Bytes>, InputError>;

/// A body that is unpacked as it comes.
pub(super) struct Body {
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
    /// connection than is worked on.
    pub fn begin(mut payload: Payload, coding: Coding, idle: Duration) -> io::Result<Self> {
        let text = Text::new(coding)?;
        let (to, pieces) = mpsc::channel(WAITING);
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
    async fn read(&mut self, into: &mut Vec<u8>) -> Result<bool, InputError> {
        loop {
            let broken = |_| InputError::Broken;
            let before = into.len();
            if self.text.step(&mut self.came, into).map_err(broken)? {
                self.unpacked += (into.len() - before) as u64;
                if self.unpacked > FREELY_UNPACKED + MOST_UNPACKED * self.packed {
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
