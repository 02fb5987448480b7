//! A connection of which something was read already, with the time limits that `actix-http` does
//! not have: for the heads of all requests but the first, and for clients that take nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// After this long without a byte in either direction behind an answer, a connection is closed,
/// whatever `actix-http` takes it for.
const IDLE: Duration = Duration::from_secs(300);

/// How a wash begins; [`crate::api::layer`] closes the connection behind it.
const WASH: &[u8] = b"POST /v1/wash";

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From the first byte of a head to its last.
    pub(super) head: Duration,
    /// To take anything of what waits for it.
    pub(super) write: Duration,
}

/// A connection that begins with the bytes that were read from it before.
pub(in crate::server) struct Rewound {
    before: BytesMut,
    stream: TcpStream,
    limits: Limits,
    reading: Reading,
    /// Since when nothing more could be written.
    stuck: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

/// What is read next, as far as bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// A request whose head is whole: whoever reads its body sees to its time.
    Request,
    /// A wash, which answers while it reads. Its connection serves nothing else
    /// ([`crate::api::layer`]).
    Wash,
    /// Nothing came since an answer was written.
    Nothing(Instant),
    /// A head that began then.
    Head(Instant, Head),
}

/// How much of a head there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    /// How many bytes there are of how a wash begins; nothing if this is none.
    wash: Option<usize>,
    /// How many bytes there are of the empty line at its end.
    end: usize,
    begun: bool,
}

impl Head {
    /// Takes what came; what is read behind it if that was its end.
    fn take(&mut self, bytes: &[u8]) -> Option<Reading> {
        for byte in bytes {
            // Empty lines before a head are no part of it (RFC 9112, section 2.2).
            if !self.begun && matches!(byte, b'\r' | b'\n') {
                continue;
            }
            if !self.begun {
                *self = Self {
                    begun: true,
                    wash: Some(0),
                    end: 0,
                };
            }
            self.wash = match self.wash {
                Some(count) if count == WASH.len() => Some(count),
                Some(count) if WASH[count] == *byte => Some(count + 1),
                _ => None,
            };
            self.end = match (self.end, byte) {
                (0 | 2, b'\r') | (1 | 3, b'\n') => self.end + 1,
                (_, b'\r') => 1,
                _ => 0,
            };
            if self.end == 4 {
                let is_wash = self.wash == Some(WASH.len());
                return Some(if is_wash {
                    Reading::Wash
                } else {
                    Reading::Request
                });
            }
        }
        None
    }
}

impl Rewound {
    pub(super) fn new(before: BytesMut, stream: TcpStream, limits: Limits) -> Self {
        let mut head = Head::default();
        // A first head that is late gets an answer from `actix-http`, if it is not late for us first.
        let since = Instant::now() + Duration::from_secs(1);
        let reading = head.take(&before).unwrap_or(Reading::Head(since, head));
        Self {
            before,
            stream,
            limits,
            reading,
            stuck: None,
            alarm: Box::pin(sleep_until(since + IDLE)),
        }
    }

    /// Who is at the other end.
    pub(in crate::server) fn peer(&self) -> Option<std::net::SocketAddr> {
        self.stream.peer_addr().ok()
    }

    fn came(&mut self, bytes: &[u8]) {
        if let Reading::Nothing(_) = self.reading
            && !bytes.is_empty()
        {
            self.reading = Reading::Head(Instant::now(), Head::default());
        }
        if let Reading::Head(_, head) = &mut self.reading
            && let Some(next) = head.take(bytes)
        {
            self.reading = next;
        }
    }

    /// Waits until it is too late; an error then.
    fn until(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<io::Error> {
        // Set anew only where it has to be: it may go off early, and is set again then.
        if self.alarm.deadline() > deadline || self.alarm.is_elapsed() {
            self.alarm.as_mut().reset(deadline);
        }
        loop {
            ready!(self.alarm.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(deadline);
        }
    }

    /// What became of writing, or an error when the client took nothing for too long.
    fn wrote(
        &mut self,
        written: Poll<io::Result<usize>>,
        is_answer: bool,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            let since = *self.stuck.get_or_insert_with(Instant::now);
            let late = ready!(self.until(since + self.limits.write, context));
            return Poll::Ready(Err(late));
        }
        self.stuck = None;
        if is_answer && self.reading != Reading::Wash {
            self.reading = Reading::Nothing(Instant::now());
        }
        written
    }
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let count = self.before.len().min(to.remaining());
            to.put_slice(&self.before[..count]);
            self.before.advance(count);
            if self.before.is_empty() {
                // Gives its memory back: from here on it is the connection alone.
                self.before = BytesMut::new();
            }
            return Poll::Ready(Ok(()));
        }
        let already = to.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, to);
        match (read, self.reading) {
            (Poll::Ready(Ok(())), _) => {
                self.came(&to.filled()[already..]);
                Poll::Ready(Ok(()))
            }
            (Poll::Pending, Reading::Nothing(since)) => self.until(since + IDLE, context).map(Err),
            (Poll::Pending, Reading::Head(since, _)) => {
                let deadline = since + self.limits.head;
                self.until(deadline, context).map(Err)
            }
            (read, _) => read,
        }
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        // "100 Continue" asks for the rest of a request and answers nothing.
        let is_answer = !bytes.starts_with(b"HTTP/1.1 100");
        self.wrote(written, is_answer, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(written, true, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
