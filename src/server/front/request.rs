//! Telling a plain check from everything else.
//!
//! A plain check is `GET /v1/check?…` of HTTP/1.1 without a body, whose head is as clients send it
//! (RFC 9112). What is doubtful in the least is not one: the whole service reads it again and
//! answers for it.

use crate::api::{Wanted, is_text};

/// How every check begins.
const OPENING: &[u8] = b"GET /v1/check?";

/// How many headers a plain check has at most.
const HEADERS: usize = 32;

/// What stands at the beginning of what was read.
pub(super) enum Seen<'a> {
    /// The whole head of a check.
    Check(Check<'a>),
    /// A head that is not complete.
    Part,
    /// Something else.
    Other,
}

/// One check.
pub(super) struct Check<'a> {
    pub(super) wanted: Wanted<'a>,
    /// Whether the client wants the connection closed after the answer.
    pub(super) close: bool,
    /// How many bytes it took.
    pub(super) length: usize,
}

/// Reads the head of one request.
pub(super) fn read(bytes: &[u8]) -> Seen<'_> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Seen::Part,
        Err(_) => return Seen::Other,
    };
    if !bytes.starts_with(OPENING) {
        return Seen::Other;
    }
    let query = request
        .path
        .and_then(|path| path.split_once('?'))
        .map(|(_, query)| query)
        .filter(|query| query.bytes().all(is_plain));
    let (Some(query), Some(1)) = (query, request.version) else {
        return Seen::Other;
    };
    let mut wanted = Wanted {
        query,
        key: None,
        text: false,
    };
    let mut close = false;
    let (mut accepts, mut connections) = (0, 0);
    for header in request.headers.iter() {
        let name = header.name;
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        // Told apart by length first: most names are none of ours.
        match name.len() {
            13 if is("authorization") => match bearer(header.value) {
                Some(key) if wanted.key.is_none() => wanted.key = Some(key),
                _ => return Seen::Other,
            },
            6 if is("accept") => {
                accepts += 1;
                wanted.text = std::str::from_utf8(header.value).is_ok_and(is_text);
            }
            10 if is("connection") => {
                connections += 1;
                close = header.value.eq_ignore_ascii_case(b"close");
                if !close && !header.value.eq_ignore_ascii_case(b"keep-alive") {
                    return Seen::Other;
                }
            }
            6 if is("expect") => return Seen::Other,
            7 if is("upgrade") => return Seen::Other,
            14 if is("content-length") => return Seen::Other,
            17 if is("transfer-encoding") => return Seen::Other,
            _ => {}
        }
    }
    if accepts > 1 || connections > 1 {
        return Seen::Other;
    }
    Seen::Check(Check {
        wanted,
        close,
        length,
    })
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'#' | b'\\' | b'^' | b'`')
}

fn bearer(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let (scheme, key) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: &str = "GET /v1/check?phone=%2B32475123456&seller=telco HTTP/1.1\r\n\
                         Host: localhost\r\nAuthorization: Bearer mtr_live_x\r\n\
                         Accept: text/plain\r\n\r\n";

    fn with(line: &str) -> String {
        PLAIN.replacen("Host: localhost\r\n", &format!("{line}\r\n"), 1)
    }

    #[test]
    fn a_plain_check_is_read_with_all_that_is_asked() {
        let text = format!("{PLAIN}GET /v1/check?again");
        let Seen::Check(check) = read(text.as_bytes()) else {
            panic!("a check")
        };
        assert_eq!(check.wanted.query, "phone=%2B32475123456&seller=telco");
        assert_eq!(check.wanted.key, Some("mtr_live_x"));
        assert!(check.wanted.text && !check.close);
        assert_eq!(check.length, PLAIN.len());
        let text = with("Connection: Close");
        assert!(matches!(read(text.as_bytes()), Seen::Check(check) if check.close));
    }

    #[test]
    fn a_check_that_is_cut_anywhere_is_waited_for() {
        for cut in 0..PLAIN.len() {
            assert!(
                matches!(read(&PLAIN.as_bytes()[..cut]), Seen::Part),
                "{cut}"
            );
        }
    }

    #[test]
    fn what_is_doubtful_in_the_least_goes_to_the_whole_service() {
        for line in [
            "Content-Length: 0",
            "Transfer-Encoding: chunked",
            "Expect: 100-continue",
            "Upgrade: h2c",
            "Connection: upgrade",
            "Authorization: Basic eA==",
            "Authorization: Bearer another",
            "Accept: */*",
            "no colon",
            " folded: 1",
        ] {
            assert!(matches!(read(with(line).as_bytes()), Seen::Other), "{line}");
        }
        for (from, to) in [
            ("GET", "HEAD"),
            ("GET", "get"),
            ("/v1/check?", "/v1/checks?"),
            ("/v1/check?", "/v1/check/?"),
            ("HTTP/1.1", "HTTP/1.0"),
            ("telco", "tel\u{e9}co"),
            ("telco", "telco#x"),
        ] {
            let text = PLAIN.replacen(from, to, 1);
            assert!(matches!(read(text.as_bytes()), Seen::Other), "{to}");
        }
        let many = (0..HEADERS)
            .map(|n| format!("X-{n}: 1\r\n"))
            .collect::<String>();
        assert!(matches!(
            read(with(many.trim_end()).as_bytes()),
            Seen::Other
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let with_opening = [OPENING, &bytes].concat();
            for bytes in [&bytes, &with_opening] {
                if let Seen::Check(check) = read(bytes) {
                    prop_assert!(check.length <= bytes.len());
                }
            }
        }
    }
}
