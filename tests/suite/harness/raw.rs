//! HTTP by hand: for requests that no decent client would send, and for clients that hardly send at
//! all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::service::Service;

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Opens a connection to the service.
pub fn connect(service: &Service) -> TcpStream {
    let stream = TcpStream::connect(service.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends bytes on a connection of their own and reads until the service closes it.
#[track_caller]
pub fn exchange(service: &Service, request: impl AsRef<[u8]>) -> RawAnswer {
    let mut stream = connect(service);
    // A refusal may come, and the connection close, before all is sent.
    let _ = stream.write_all(request.as_ref());
    read_answer(&mut stream)
}

/// `GET target` by HTTP/1.1, on a connection that closes after it.
#[track_caller]
pub fn get(service: &Service, target: &str, headers: &[(&str, &str)]) -> RawAnswer {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let host = service.address();
    exchange(
        service,
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"),
    )
}

/// Reads one answer, up to the end of the connection.
#[track_caller]
pub fn read_answer(stream: &mut TcpStream) -> RawAnswer {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    parse(&text).unwrap_or_else(|| panic!("no HTTP answer came ({end:?}): {text:?}"))
}

fn parse(text: &str) -> Option<RawAnswer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    let body = if chunked {
        unchunked(body)
    } else {
        body.to_string()
    };
    Some(RawAnswer {
        status,
        head: head.to_string(),
        body,
    })
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(piece) = after.get(..size) else {
            break;
        };
        body.push_str(piece);
        rest = after.get(size + 2..).unwrap_or_default();
    }
    body
}
