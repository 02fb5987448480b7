//! The answered rows on their way out.

use std::io;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::encoding::Encoder;
use crate::api::State;
use crate::service::wash::{Counts, Gone, Output, Summary};
use crate::table::Form;

/// How many pieces wait for the connection at most.
const WAITING: usize = 2;

/// What the connection has taken.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    pieces: u64,
    rows: u64,
}

enum Piece {
    /// Some bytes, and how many rows end in them.
    Rows(Bytes, u64),
    End,
}

/// What the wash writes to.
pub(super) struct Rows {
    state: State,
    pieces: mpsc::Sender<Piece>,
    sent: u64,
    taken: watch::Receiver<Taken>,
    encoder: Encoder,
    form: Form,
    with_summary: bool,
    idle: Duration,
    /// Whether the last row has no line ending.
    open_line: bool,
}

impl Rows {
    /// Both ends. The stream fails when it is left without having been finished.
    pub fn new(
        state: State,
        encoder: Encoder,
        form: Form,
        with_summary: bool,
        idle: Duration,
    ) -> (Self, impl Stream<Item = io::Result<Bytes>> + 'static) {
        let (pieces, waiting) = mpsc::channel(WAITING);
        let (tell, taken) = watch::channel(Taken::default());
        let rows = Self {
            state,
            pieces,
            sent: 0,
            taken,
            encoder,
            form,
            with_summary,
            idle,
            open_line: false,
        };
        let stream = stream::unfold(Some((waiting, tell)), |from| async move {
            let (mut waiting, tell) = from?;
            match waiting.recv().await {
                Some(Piece::Rows(bytes, rows)) => {
                    tell.send_modify(|taken| {
                        taken.pieces += 1;
                        taken.rows += rows;
                    });
                    Some((Ok(bytes), Some((waiting, tell))))
                }
                Some(Piece::End) => None,
                // Without the end: the connection breaks, so that nobody takes this for all. What
                // it has taken before is written out first.
                None => {
                    tokio::task::yield_now().await;
                    Some((Err(io::ErrorKind::ConnectionAborted.into()), None))
                }
            }
        });
        (rows, stream)
    }

    async fn send(&mut self, piece: Piece) -> Result<(), Gone> {
        let sent = tokio::time::timeout(self.idle, self.pieces.send(piece)).await;
        match sent {
            Ok(Ok(())) => {
                self.sent += 1;
                Ok(())
            }
            _ => Err(Gone),
        }
    }

    /// The last line, in a form that nobody takes for a row.
    fn summary(&self, summary: &Summary) -> Vec<u8> {
        let washed = summary.washed();
        let (id, input) = (summary.id().to_string(), summary.input());
        let line = match self.form {
            Form::Ndjson => json!({ "summary": {
                "wash": id,
                "rows": washed.rows,
                "suppress": washed.suppress,
                "not_listed": washed.not_listed,
                "invalid": washed.invalid,
                "input_sha256": input,
            }})
            .to_string(),
            Form::Csv | Form::Lines => format!(
                "#wash={id} rows={} suppress={} not_listed={} invalid={} input_sha256={input}",
                washed.rows, washed.suppress, washed.not_listed, washed.invalid,
            ),
        };
        let before = if self.open_line { "\n" } else { "" };
        format!("{before}{line}\n").into_bytes()
    }
}

impl Output for Rows {
    async fn write(&mut self, rows: Vec<u8>, counts: &Counts) -> Result<(), Gone> {
        let meters = &self.state.meters;
        meters.count_answers("suppress", counts.suppress);
        meters.count_answers("not_listed", counts.not_listed);
        meters.count_answers("invalid", counts.invalid);
        if let Some(last) = rows.last() {
            self.open_line = *last != b'\n' && *last != b'\r';
        }
        let piece = self.encoder.piece(rows).map_err(|_| Gone)?;
        self.send(Piece::Rows(piece.into(), counts.rows())).await
    }

    async fn settle(&mut self) -> Result<(), Gone> {
        let all = self.taken.wait_for(|taken| taken.pieces == self.sent);
        match tokio::time::timeout(self.idle, all).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Gone),
        }
    }

    fn handed_over(&self) -> u64 {
        self.taken.borrow().rows
    }

    async fn finish(mut self, summary: Option<&Summary>) {
        let Some(summary) = summary else { return };
        let last = match self.with_summary {
            true => self.summary(summary),
            false => Vec::new(),
        };
        let encoder = std::mem::replace(&mut self.encoder, Encoder::Plain);
        let Ok(last) = encoder.finish(last) else {
            return;
        };
        // Whoever is gone by now misses nothing but this.
        if last.is_empty() || self.send(Piece::Rows(last.into(), 0)).await.is_ok() {
            let _ = self.send(Piece::End).await;
        }
    }
}
