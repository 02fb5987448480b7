//! Answers as bytes.

use std::cell::RefCell;
use std::io::Write;
use std::time::{Instant, SystemTime};

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::HttpDate;

use crate::api::{self, Given, Problem, Wanted, asks_for_text};

/// What a client that does not finish its head is told.
pub(super) const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

const TEXT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\
                    content-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\n";

const OBJECT: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                      cache-control: no-store\r\ncontent-length: ";

/// Writes the answer to a check; returns its status.
pub(super) fn write(to: &mut Vec<u8>, given: &Given, id: &str, close: bool) -> StatusCode {
    match given {
        Given::Text(suppress) => {
            to.extend_from_slice(TEXT.as_bytes());
            finish_head(to, id, close);
            to.push(if *suppress { b'1' } else { b'0' });
        }
        Given::Object(one) => match serde_json::to_vec(one) {
            Ok(body) => {
                to.extend_from_slice(OBJECT.as_bytes());
                // Writing into memory does not fail.
                let _ = write!(to, "{}\r\n", body.len());
                finish_head(to, id, close);
                to.extend_from_slice(&body);
            }
            Err(_) => {
                let problem = Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
                return write_whole(to, api::written(problem, false, id), id, close);
            }
        },
    }
    StatusCode::OK
}

/// Writes an error in the form that its reader can use; returns its status.
pub(super) fn write_problem(
    to: &mut Vec<u8>,
    problem: Problem,
    wanted: &Wanted<'_>,
    id: &str,
    close: bool,
) -> StatusCode {
    let text = wanted.text || asks_for_text(wanted.query);
    write_whole(to, api::written(problem, text, id), id, close)
}

fn write_whole(
    to: &mut Vec<u8>,
    response: actix_web::HttpResponse,
    id: &str,
    close: bool,
) -> StatusCode {
    let status = response.status();
    let _ = write!(to, "HTTP/1.1 {status}\r\n");
    for (name, value) in response.headers() {
        to.extend_from_slice(name.as_str().as_bytes());
        to.extend_from_slice(b": ");
        to.extend_from_slice(value.as_bytes());
        to.extend_from_slice(b"\r\n");
    }
    // Every error is a text in memory; there is nothing else that this could be.
    let body = response.into_body().try_into_bytes().unwrap_or_default();
    let _ = write!(to, "content-length: {}\r\n", body.len());
    finish_head(to, id, close);
    to.extend_from_slice(&body);
    status
}

fn finish_head(to: &mut Vec<u8>, id: &str, close: bool) {
    to.extend_from_slice(b"request-id: ");
    to.extend_from_slice(id.as_bytes());
    to.extend_from_slice(b"\r\ndate: ");
    write_date(to);
    if close {
        to.extend_from_slice(b"\r\nconnection: close");
    }
    to.extend_from_slice(b"\r\n\r\n");
}

/// RFC 9110, section 6.6.1; written out once a second.
fn write_date(to: &mut Vec<u8>) {
    thread_local! {
        static DATE: RefCell<Option<(Instant, String)>> = const { RefCell::new(None) };
    }
    DATE.with_borrow_mut(|date| {
        let stale = |(since, _): &(Instant, String)| since.elapsed().as_millis() >= 500;
        if date.as_ref().is_none_or(stale) {
            let now = HttpDate::from(SystemTime::now()).to_string();
            *date = Some((Instant::now(), now));
        }
        if let Some((_, text)) = date {
            to.extend_from_slice(text.as_bytes());
        }
    });
}
