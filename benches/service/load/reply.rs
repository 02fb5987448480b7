//! Where an answer ends, and whether it is a good one.

use memchr::memmem;

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 with a Content-Length.
    Http,
    /// Redis: a bulk string, or none.
    Redis,
}

/// What the bytes hold that have come so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Not all of it.
    Unfinished,
    /// A whole answer, with what it says.
    Good(&'a [u8]),
    /// An error, or what cannot be read.
    Bad,
}

impl Protocol {
    /// Reads one answer. There is never more than one: the next is asked for when it is there.
    pub fn read(self, bytes: &[u8]) -> Reply<'_> {
        match self {
            Self::Http => http(bytes),
            Self::Redis => redis(bytes),
        }
    }
}

fn http(bytes: &[u8]) -> Reply<'_> {
    const LENGTH: &[u8] = b"content-length:";
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Reply::Unfinished;
    };
    let (head, body) = (&bytes[..end], &bytes[end + 4..]);
    if !head.starts_with(b"HTTP/1.1 200 ") {
        return Reply::Bad;
    }
    let length = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(LENGTH.len())?;
        let value = name.eq_ignore_ascii_case(LENGTH).then_some(value)?;
        str::from_utf8(value).ok()?.trim().parse::<usize>().ok()
    });
    match length {
        None => Reply::Bad,
        Some(length) if body.len() < length => Reply::Unfinished,
        Some(length) => Reply::Good(&body[..length]),
    }
}

fn redis(bytes: &[u8]) -> Reply<'_> {
    let Some(end) = memmem::find(bytes, b"\r\n") else {
        return Reply::Unfinished;
    };
    let length = match bytes.first() {
        Some(b'$') => str::from_utf8(&bytes[1..end])
            .ok()
            .and_then(|text| text.parse::<i64>().ok()),
        _ => None,
    };
    match length.map(usize::try_from) {
        None => Reply::Bad,
        // Nothing is there under this key.
        Some(Err(_)) => Reply::Good(&[]),
        Some(Ok(length)) => match bytes.get(end + 2..end + 2 + length + 2) {
            None => Reply::Unfinished,
            Some(value) => Reply::Good(&value[..length]),
        },
    }
}
