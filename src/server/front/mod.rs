//! The short way in: checks are read from the socket and answered on it without a framework's
//! detours. Whatever else comes over a connection, and whatever is odd about a request, goes to the
//! whole service, with the bytes that were read.
//!
//! A dialler asks before every call, over few connections that it keeps or many that it does not;
//! everything here serves that.

mod answer;
#[cfg(test)]
mod budget;
mod request;
mod rewound;

use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::web;
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use crate::api::{self, Shared};
use crate::service::Checker;
use crate::telemetry::request_id;
use request::{Check, Seen};
use rewound::Limits;
pub(super) use rewound::Rewound;

/// Room for a check with the headers that a client usually sends.
const ROOM: usize = 1024;

/// The longest head that is waited for here.
const LONGEST: usize = 16 * 1024;

/// One thread's front.
pub(super) struct Front {
    shared: web::Data<Shared>,
    checker: web::Data<Checker>,
    limits: Limits,
    keep_alive: Duration,
}

impl Front {
    pub(super) fn new(
        shared: web::Data<Shared>,
        checker: web::Data<Checker>,
        keep_alive: Duration,
    ) -> Self {
        Self {
            limits: Limits {
                head: Duration::from_millis(shared.settings.http.header_timeout_ms),
                write: Duration::from_millis(shared.settings.http.write_timeout_ms),
            },
            keep_alive,
            shared,
            checker,
        }
    }

    /// Answers the checks that come over a connection, until it ends or something else comes; that
    /// is given back, with the bytes that were read.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) async fn serve(&self, mut stream: TcpStream) -> io::Result<Option<Rewound>> {
        stream.set_nodelay(true)?;
        let mut stopping = pin!(self.shared.stopping.notified());
        stopping.as_mut().enable();
        let (mut inbox, mut outbox) = (BytesMut::with_capacity(ROOM), Vec::with_capacity(ROOM));
        let mut deadline = Instant::now() + self.limits.head;
        // Set anew only when it goes off, or when less time is left than it was set for.
        let mut alarm = pin!(sleep_until(deadline));
        let mut first = true;
        loop {
            match request::read(&inbox) {
                Seen::Other => return Ok(Some(Rewound::new(inbox, stream, self.limits))),
                Seen::Check(check) => {
                    let began = std::time::Instant::now();
                    let length = check.length;
                    let close = check.close || self.shared.draining.load(Ordering::Relaxed);
                    self.answer(&check, close, began, &mut outbox).await;
                    inbox.advance(length);
                    self.send(&mut stream, &outbox).await?;
                    outbox.clear();
                    if close {
                        return stream.shutdown().await.map(|()| None);
                    }
                    first = false;
                    deadline = Instant::from_std(began) + self.keep_alive;
                }
                Seen::Part if inbox.len() >= LONGEST => {
                    return Ok(Some(Rewound::new(inbox, stream, self.limits)));
                }
                Seen::Part => {
                    if !inbox.is_empty() && alarm.deadline() > deadline {
                        alarm.as_mut().reset(deadline);
                    }
                    let waited_for_first = inbox.is_empty();
                    let draining = self.shared.draining.load(Ordering::Relaxed);
                    if draining && inbox.is_empty() {
                        return Ok(None);
                    }
                    // A read takes what there is, not what is left of the last one's room.
                    inbox.reserve(ROOM / 2);
                    tokio::select! {
                        biased;
                        read = stream.read_buf(&mut inbox) => {
                            if read? == 0 {
                                return Ok(None);
                            }
                            // From its first byte on a head has so much time to be complete.
                            if !first && waited_for_first {
                                deadline = Instant::now() + self.limits.head;
                            }
                        }
                        () = alarm.as_mut() => {
                            if Instant::now() < deadline {
                                alarm.as_mut().reset(deadline);
                                continue;
                            }
                            if first || !inbox.is_empty() {
                                self.send(&mut stream, answer::TOO_SLOW).await?;
                            }
                            return stream.shutdown().await.map(|()| None);
                        }
                        () = stopping.as_mut(), if inbox.is_empty() => return Ok(None),
                    }
                }
            }
        }
    }

    /// Sends an answer, which nearly always fits in what the system holds for the client.
    async fn send(&self, stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
        let sent = match stream.try_write(answer) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if sent == answer.len() {
            return Ok(());
        }
        tokio::time::timeout(self.limits.write, stream.write_all(&answer[sent..])).await?
    }

    async fn answer(
        &self,
        check: &Check<'_>,
        close: bool,
        began: std::time::Instant,
        to: &mut Vec<u8>,
    ) {
        let id = request_id();
        let given = api::answer(&self.shared, &self.checker, &check.wanted).await;
        let status = match given {
            Ok(given) => answer::write(to, &given, &id, close),
            Err(problem) => answer::write_problem(to, problem, &check.wanted, &id, close),
        };
        let meters = &self.shared.meters;
        meters.count_check(status, began.elapsed());
        api::log_check(status, &id, began);
    }
}
