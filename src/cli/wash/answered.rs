//! Rows as they come back. Each must be the row that was sent, with an answer behind it; anything
//! else is not believed.

use crate::service::wash::ADDED;
use crate::table::{BYTE_ORDER_MARK, Form, is_empty, is_separator_line};

/// What a row came back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// An empty line, or one that only says what stands between the columns, as it was.
    Blank,
    /// The names of the columns.
    Heading,
    Suppress,
    NotListed,
    Invalid,
}

/// What the answer to `sent` is; nothing when this is not an answer to that row.
pub(super) fn answer(
    form: Form,
    delimiter: u8,
    heading: bool,
    sent: &[u8],
    came: &[u8],
) -> Option<Came> {
    let unmarked = sent.strip_prefix(BYTE_ORDER_MARK).unwrap_or(sent);
    if came == sent && (is_empty(sent) || is_separator_line(unmarked)) {
        return Some(Came::Blank);
    }
    let word = match form {
        Form::Csv | Form::Lines => added_cell(delimiter, came.strip_prefix(sent)?)?,
        Form::Ndjson => added_member(sent, came)?,
    };
    match word {
        b"suppress" => Some(Came::Suppress),
        b"not_listed" => Some(Came::NotListed),
        b"invalid" => Some(Came::Invalid),
        word if heading && word == ADDED[0].as_bytes() => Some(Came::Heading),
        _ => None,
    }
}

/// Where the answer to a row of this length ends that `came` begins with, and where what comes next
/// begins; nothing while its end is not there. `end` says that nothing comes behind.
///
/// A row comes back as it was sent, line breaks in it included: so its end is looked for behind it.
pub(super) fn end_of(form: Form, sent: &[u8], came: &[u8], end: bool) -> Option<(usize, usize)> {
    let (from, ends): (usize, &[u8]) = match form {
        Form::Ndjson => (0, b"\n"),
        Form::Csv | Form::Lines => (sent.len(), b"\r\n"),
    };
    let rest = came.get(from..)?;
    let content = rest.iter().position(|byte| ends.contains(byte));
    match content.map(|content| from + content) {
        None if end && !came.is_empty() => Some((came.len(), came.len())),
        None => None,
        Some(content) => match &came[content..] {
            [b'\r'] if !end => None,
            [b'\r', b'\n', ..] => Some((content, content + 2)),
            _ => Some((content, content + 1)),
        },
    }
}

/// The first of the three cells that were added; before it stand only those that were missing.
fn added_cell(delimiter: u8, added: &[u8]) -> Option<&[u8]> {
    let mut cells = added.rsplitn(4, |byte| *byte == delimiter);
    let (_until, _reason, answer) = (cells.next()?, cells.next()?, cells.next()?);
    let before = cells.next()?;
    before
        .iter()
        .all(|byte| *byte == delimiter)
        .then_some(answer)
}

/// The member that was added first.
fn added_member<'a>(sent: &[u8], came: &'a [u8]) -> Option<&'a [u8]> {
    const BEFORE: &[u8] = b"\"answer\":\"";
    let place = memchr::memmem::rfind(came, BEFORE)?;
    let sent = sent.trim_ascii_end();
    let members = sent.strip_suffix(b"}").unwrap_or(sent);
    if !came.starts_with(members) && !came.starts_with(b"{\"row\":") {
        return None;
    }
    let word = &came[place + BEFORE.len()..];
    word.split(|byte| *byte == b'"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_behind_the_row_that_was_sent() {
        let csv = |sent: &str, came: &str| {
            answer(Form::Csv, b',', true, sent.as_bytes(), came.as_bytes())
        };
        assert_eq!(
            csv("a,1", "a,1,suppress,all_sellers,T"),
            Some(Came::Suppress)
        );
        assert_eq!(csv("a", "a,,not_listed,,T"), Some(Came::NotListed));
        assert_eq!(
            csv("a,phone", "a,phone,answer,reason,valid_until"),
            Some(Came::Heading)
        );
        assert_eq!(csv("", ""), Some(Came::Blank));
        assert_eq!(
            csv("\"a,\"\"b\"", "\"a,\"\"b\",invalid,phone_empty,"),
            Some(Came::Invalid)
        );
        for (sent, came) in [
            ("a,1", "a,2,not_listed,,T"),
            ("a,1", "a,1"),
            ("a,1", "a,1,not_listed,T"),
            ("a,1", "a,1,x,not_listed,,T"),
            ("a,1", "a,1,allowed,,T"),
            ("a,1", ""),
        ] {
            assert_eq!(csv(sent, came), None, "{came}");
        }
    }

    #[test]
    fn in_an_object_the_last_answer_counts() {
        let json = |sent: &str, came: &str| {
            answer(Form::Ndjson, b'\t', false, sent.as_bytes(), came.as_bytes())
        };
        let sent = r#"{"phone":"1","note":"\"answer\":\"not_listed\""} "#;
        let came = r#"{"phone":"1","note":"\"answer\":\"not_listed\"","answer":"suppress","reason":"all_sellers","valid_until":"T"} "#;
        assert_eq!(json(sent, came), Some(Came::Suppress));
        let wrapped =
            r#"{"row":"{x","answer":"invalid","reason":"not_an_object","valid_until":null}"#;
        assert_eq!(json("{x", wrapped), Some(Came::Invalid));
        assert_eq!(json("{\"phone\":2}", came), None);
    }
}
