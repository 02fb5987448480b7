//! Rows that were sent, or are about to be, and are not answered yet.

use std::collections::VecDeque;

use bytes::Bytes;

use super::list::Chunk;

/// How many chunks may wait for their answers: some megabytes. The service answers what it has,
/// so it never waits for more.
const MOST: usize = 64;

/// The rows under way, in order.
#[derive(Debug, Default)]
pub(super) struct Flight {
    chunks: VecDeque<Chunk>,
    /// How many rows of the first chunk are answered.
    answered: usize,
    /// How many of the chunks were sent on the connection that there is now.
    sent: usize,
}

impl Flight {
    /// Whether there is room for more.
    pub fn has_room(&self) -> bool {
        self.chunks.len() < MOST
    }

    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub fn push(&mut self, chunk: Chunk) {
        self.chunks.push_back(chunk);
    }

    /// On a new connection everything is sent again.
    pub fn send_again(&mut self) {
        self.sent = 0;
    }

    /// What is to be sent next.
    pub fn next_to_send(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.get(self.sent)?;
        let from = match self.sent {
            0 => begin_of(chunk, self.answered),
            _ => 0,
        };
        self.sent += 1;
        Some(chunk.bytes.slice(from..))
    }

    /// The first row that is not answered, among those that were sent: its content, and its length
    /// with its line ending.
    pub fn expected(&self) -> Option<(&[u8], usize)> {
        let chunk = self.chunks.front().filter(|_| self.sent > 0)?;
        let row = chunk.rows.get(self.answered)?;
        let begin = begin_of(chunk, self.answered);
        Some((
            &chunk.bytes[begin..row.content as usize],
            row.next as usize - begin,
        ))
    }

    /// That row is answered. True when there is room again for a chunk.
    pub fn answered(&mut self) -> bool {
        self.answered += 1;
        let all = self
            .chunks
            .front()
            .is_some_and(|chunk| self.answered == chunk.rows.len());
        if all {
            self.chunks.pop_front();
            self.answered = 0;
            self.sent = self.sent.saturating_sub(1);
        }
        all
    }
}

fn begin_of(chunk: &Chunk, row: usize) -> usize {
    match row.checked_sub(1).and_then(|before| chunk.rows.get(before)) {
        Some(before) => before.next as usize,
        None => 0,
    }
}
