//! Rows with their answers. A row stays what it was, byte for byte; what is added stands behind it,
//! in the row's own form.

use super::group::{Group, Kind, Line};
use crate::domain::{Answer, Decision, Moment, Reason};
use crate::table::{Form, Layout, RowError};

/// The names of what is added, in this order.
pub const ADDED: [&str; 3] = ["answer", "reason", "valid_until"];

/// How many rows were given which answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Must not be called.
    pub suppress: u64,
    /// Nobody opted out.
    pub not_listed: u64,
    /// No number that can be read.
    pub invalid: u64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.suppress + self.not_listed + self.invalid
    }

    /// Together with others.
    pub fn add(&mut self, more: &Self) {
        self.suppress += more.suppress;
        self.not_listed += more.not_listed;
        self.invalid += more.invalid;
    }

    pub(super) fn count(&mut self, answer: Answer) {
        match answer {
            Answer::Suppress(_) => self.suppress += 1,
            Answer::NotListed => self.not_listed += 1,
            Answer::Invalid => self.invalid += 1,
        }
    }
}

/// Writes answers of one wash.
pub(super) struct Answers {
    validity: std::time::Duration,
    /// The last answer's time, and until when it may be used: most of a group have the same.
    last: Option<(Moment, [u8; 24])>,
}

/// What is added to a row.
struct Added<'a> {
    answer: &'static str,
    reason: &'static str,
    until: &'a [u8],
}

impl Answers {
    pub fn new(validity: std::time::Duration) -> Self {
        Self {
            validity,
            last: None,
        }
    }

    /// Writes a group with the decision of each of its rows, in order.
    pub fn write(
        &mut self,
        layout: &Layout,
        group: &Group,
        decisions: &[Decision],
        out: &mut Vec<u8>,
    ) -> Counts {
        let mut counts = Counts::default();
        let mut decisions = decisions.iter();
        let mut start = 0;
        out.reserve(group.bytes.len() + group.lines.len() * 64);
        for line in &group.lines {
            let content = &group.bytes[start..line.content as usize];
            let ending = &group.bytes[line.content as usize..line.next as usize];
            start = line.next as usize;
            match line.kind {
                Kind::Blank => out.extend_from_slice(content),
                Kind::Heading => {
                    let [answer, reason, until] = ADDED;
                    let until = until.as_bytes();
                    let heading = Added {
                        answer,
                        reason,
                        until,
                    };
                    heading.append(layout, content, line, out);
                }
                Kind::Unreadable(_) | Kind::Number(_) => {
                    // A row without a decision is never reached: see `Group::fits`.
                    let Some(decision) = decisions.next() else {
                        return counts;
                    };
                    let (mut answer, mut at) = (decision.answer, decision.at);
                    if let Kind::Unreadable(_) = line.kind {
                        // Whatever the store says: without a number there is no other answer.
                        answer = Answer::Invalid;
                    }
                    for more in decisions.by_ref().take(usize::from(line.also)) {
                        // One number that must not be called is enough.
                        if let Answer::Suppress(_) = more.answer {
                            answer = more.answer;
                        }
                        at = at.min(more.at);
                    }
                    counts.count(answer);
                    let (reason, until) = match (answer, line.kind) {
                        (Answer::Invalid, Kind::Unreadable(why)) => (why.code(), b"".as_slice()),
                        _ => (answer.reason().map_or("", Reason::as_str), self.until(at)),
                    };
                    let added = Added {
                        answer: answer.as_str(),
                        reason,
                        until,
                    };
                    added.append(layout, content, line, out);
                }
            }
            out.extend_from_slice(ending);
        }
        counts
    }

    fn until(&mut self, at: Moment) -> &[u8] {
        if self.last.is_none_or(|(last, _)| last != at) {
            self.last = Some((at, at.plus(self.validity).text()));
        }
        self.last.as_ref().map_or(b"", |(_, text)| text)
    }
}

impl Added<'_> {
    #[inline]
    fn append(&self, layout: &Layout, content: &[u8], line: &Line, out: &mut Vec<u8>) {
        match layout.head.form {
            Form::Ndjson => return self.append_members(content, line, out),
            Form::Lines | Form::Csv => out.extend_from_slice(content),
        }
        // A row with too few cells is filled up, so that what is added stands in its columns.
        for _ in 0..line.missing {
            out.push(layout.head.delimiter);
        }
        for cell in [self.answer.as_bytes(), self.reason.as_bytes(), self.until] {
            out.push(layout.head.delimiter);
            out.extend_from_slice(cell);
        }
    }

    fn append_members(&self, content: &[u8], line: &Line, out: &mut Vec<u8>) {
        let end = content.iter().rposition(|byte| *byte == b'}');
        let object = match (line.kind, end) {
            // Nothing can be added to it, so it becomes a text in an object of its own.
            (Kind::Unreadable(RowError::NotAnObject), _) | (_, None) => None,
            (_, Some(end)) => Some(content.split_at(end)),
        };
        let rest = match object {
            Some((members, rest)) => {
                out.extend_from_slice(members);
                if !members.trim_ascii().ends_with(b"{") {
                    out.push(b',');
                }
                rest
            }
            None => {
                out.extend_from_slice(b"{\"row\":");
                out.extend_from_slice(quoted(content.trim_ascii_end()).as_bytes());
                out.push(b',');
                b"}".as_slice()
            }
        };
        let values = [self.answer.as_bytes(), self.reason.as_bytes(), self.until];
        for (place, (name, value)) in ADDED.into_iter().zip(values).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            if value.is_empty() {
                out.extend_from_slice(b"null");
            } else {
                out.push(b'"');
                out.extend_from_slice(value);
                out.push(b'"');
            }
        }
        out.extend_from_slice(rest);
    }
}

/// Any bytes as a JSON string.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    // A text becomes JSON without fail.
    serde_json::to_string(&text).unwrap_or_default()
}
