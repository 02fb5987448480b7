//! The canonical JSON of an entry (RFC 8785, JSON Canonicalization Scheme), and its fields one by
//! one for a table.
//!
//! The sealer writes every entry of the registry, so each value goes straight into the bytes.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::{Detail, Entry, EntryId};

/// A field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(u64),
}

impl Entry {
    /// The version of this form.
    pub const VERSION: u64 = 1;

    /// Every field there can be, in canonical order: the columns of an export.
    pub const FIELDS: [&'static str; 39] = [
        "agency",
        "answer",
        "bytes",
        "called_from",
        "called_to",
        "campaign",
        "changed",
        "channel",
        "client_seq",
        "commitment",
        "entries",
        "finding",
        "handed_over",
        "id",
        "invalid",
        "key",
        "log",
        "month",
        "not_listed",
        "note",
        "numbers",
        "op",
        "pn",
        "public_key",
        "reason",
        "rejected",
        "report",
        "role",
        "rows",
        "salt",
        "seller",
        "subject_key",
        "suppress",
        "time",
        "v",
        "version",
        "wash",
        "writer",
        "writer_seq",
    ];

    /// The value of one field, or nothing if this entry does not have it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value<'_>> {
        let context = &*self.context;
        match name {
            "agency" => text(context.agency.as_ref()?.as_str()),
            "answer" => text(self.answer?.as_str()),
            "campaign" => text(context.campaign.as_ref()?.as_str()),
            "channel" => text(context.channels?.as_str()),
            "client_seq" => self.client_seq.map(Value::Integer),
            "id" => Some(Value::Text(self.id.to_string().into())),
            "key" => text(context.key.as_ref()?.as_str()),
            "op" => text(context.op.as_str()),
            "pn" => hex(&self.pn?.0),
            "reason" => text(self.reason()?),
            "salt" => hex(&self.salt.0),
            "seller" => text(context.seller.as_ref()?.as_str()),
            "time" => Some(Value::Text(self.time.to_string().into())),
            "v" => Some(Value::Integer(Self::VERSION)),
            "writer" => hex(&self.writer),
            "writer_seq" => Some(Value::Integer(self.writer_seq)),
            _ => context.detail.as_ref()?.field(name),
        }
    }

    /// Why a number is suppressed, or what the detail is about.
    fn reason(&self) -> Option<&str> {
        match &self.context.detail {
            Some(detail) => Some(detail.reason()),
            None => Some(self.answer?.reason()?.as_str()),
        }
    }

    /// Appends the entry as canonical JSON, without a newline.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let context = &*self.context;
        let detail = context.detail.as_ref();
        let mut object = Object { out, before: b'{' };
        // Names and words of the log are made of characters that JSON takes as they are; only
        // texts in somebody's own words need to be looked through.
        if let Some(agency) = &context.agency {
            object.word("agency", agency.as_str().as_bytes());
        }
        if let Some(answer) = self.answer {
            object.word("answer", answer.as_str().as_bytes());
        }
        object.detail(detail, "bytes");
        object.detail(detail, "called_from");
        object.detail(detail, "called_to");
        if let Some(campaign) = &context.campaign {
            object.text("campaign", campaign.as_str());
        }
        object.detail(detail, "changed");
        if let Some(channels) = context.channels {
            object.word("channel", channels.as_str().as_bytes());
        }
        if let Some(number) = self.client_seq {
            object.integer("client_seq", number);
        }
        object.detail(detail, "commitment");
        object.detail(detail, "entries");
        object.detail(detail, "finding");
        object.detail(detail, "handed_over");
        let mut id = [0; 36];
        let uuid = Uuid::from_bytes(*self.id.as_bytes());
        object.word("id", uuid.as_hyphenated().encode_lower(&mut id).as_bytes());
        object.detail(detail, "invalid");
        if let Some(key) = &context.key {
            object.word("key", key.as_str().as_bytes());
        }
        object.detail(detail, "log");
        object.detail(detail, "month");
        object.detail(detail, "not_listed");
        object.detail(detail, "note");
        object.detail(detail, "numbers");
        object.word("op", context.op.as_str().as_bytes());
        if let Some(pn) = self.pn {
            object.hex("pn", &pn.0);
        }
        object.detail(detail, "public_key");
        if let Some(reason) = self.reason() {
            object.text("reason", reason);
        }
        object.detail(detail, "rejected");
        object.detail(detail, "report");
        object.detail(detail, "role");
        object.detail(detail, "rows");
        object.hex("salt", &self.salt.0);
        if let Some(seller) = &context.seller {
            object.word("seller", seller.as_str().as_bytes());
        }
        object.detail(detail, "subject_key");
        object.detail(detail, "suppress");
        object.word("time", &self.time.text());
        object.integer("v", Self::VERSION);
        object.detail(detail, "version");
        object.detail(detail, "wash");
        object.hex("writer", &self.writer);
        object.integer("writer_seq", self.writer_seq);
        object.out.push(b'}');
    }
}

fn text(text: &str) -> Option<Value<'_>> {
    Some(Value::Text(Cow::Borrowed(text)))
}

fn hex(bytes: &[u8]) -> Option<Value<'static>> {
    Some(Value::Text(HEXLOWER.encode(bytes).into()))
}

impl Detail {
    /// The word that says which detail this is.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::MonthKey { .. } => "month_key",
            Self::KeyCreated { .. } => "key_created",
            Self::KeyRevoked { .. } => "key_revoked",
            Self::Started { .. } => "started",
            Self::Incident { what } => what,
            Self::Opened { .. } => "opened",
            Self::MonthReleased { .. } => "month_released",
            Self::LogKey { .. } => "log_key",
            Self::LogKeyRetired { .. } => "log_key_retired",
            Self::Pruned { .. } => "pruned",
            Self::Matched { .. } => "matched",
            Self::ImportBegun { removal: false, .. } => "import_begun",
            Self::ImportBegun { removal: true, .. } => "removal_begun",
            Self::ImportFinished { removal: false, .. } => "import_finished",
            Self::ImportFinished { removal: true, .. } => "removal_finished",
            Self::Washed(washed) => washed.end.as_str(),
            Self::OnBehalf { .. } => "on_behalf",
            Self::Reported { .. } => "reported",
            Self::ReportAnswered { .. } => "report_answered",
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<Value<'_>> {
        match (self, name) {
            (
                Self::MonthKey { month, .. }
                | Self::Opened { month }
                | Self::MonthReleased { month, .. },
                "month",
            ) => text(month),
            (
                Self::MonthKey { commitment, .. }
                | Self::Matched {
                    records: commitment,
                }
                | Self::ImportBegun {
                    file: commitment, ..
                }
                | Self::ImportFinished {
                    file: commitment, ..
                },
                "commitment",
            ) => hex(commitment),
            (Self::KeyCreated { subject, .. } | Self::KeyRevoked { subject }, "subject_key") => {
                text(subject.as_str())
            }
            (Self::KeyCreated { role, .. }, "role") => text(role),
            (Self::Started { version }, "version") => text(version),
            (
                Self::MonthReleased { note, .. }
                | Self::ImportBegun { note, .. }
                | Self::ImportFinished { note, .. }
                | Self::OnBehalf { note },
                "note",
            ) => text(note),
            (Self::ImportFinished { numbers, .. }, "numbers") => Some(Value::Integer(*numbers)),
            (Self::ImportFinished { changed, .. }, "changed") => Some(Value::Integer(*changed)),
            (Self::ImportFinished { rejected, .. }, "rejected") => Some(Value::Integer(*rejected)),
            (Self::LogKey { public_key } | Self::LogKeyRetired { public_key }, "public_key") => {
                hex(public_key)
            }
            (Self::Pruned { log, .. }, "log") => text(log),
            (Self::Pruned { entries, .. }, "entries") => Some(Value::Integer(*entries)),
            (Self::Washed(washed), "commitment") => hex(&washed.input),
            (Self::Washed(washed), "wash") => {
                let id = EntryId::from_bytes(washed.wash).to_string();
                Some(Value::Text(id.into()))
            }
            (Self::Reported { report, .. } | Self::ReportAnswered { report }, "report") => {
                let id = EntryId::from_bytes(*report).to_string();
                Some(Value::Text(id.into()))
            }
            (Self::Reported { finding, .. }, "finding") => text(finding.as_str()),
            (Self::Reported { called_from, .. }, "called_from") => {
                Some(Value::Text(called_from.to_string().into()))
            }
            (Self::Reported { called_to, .. }, "called_to") => {
                Some(Value::Text(called_to.to_string().into()))
            }
            (Self::Washed(washed), name) => washed.count(name).map(Value::Integer),
            _ => None,
        }
    }
}

/// A JSON object under way. Fields must come in canonical order.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    /// What stands before the next field: `{` before the first, `,` before the others.
    before: u8,
}

impl Object<'_> {
    #[inline]
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(&[self.before, b'"']);
        self.before = b',';
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// A value without any character that JSON would escape.
    #[inline]
    fn word(&mut self, name: &str, word: &[u8]) {
        self.name(name);
        self.out.push(b'"');
        self.out.extend_from_slice(word);
        self.out.push(b'"');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        write_json_string(text, self.out);
    }

    /// At most 16 bytes, the longest that every entry has.
    #[inline]
    fn hex<const N: usize>(&mut self, name: &str, bytes: &[u8; N]) {
        let mut digits = [0; 32];
        let digits = &mut digits[..(2 * N).min(32)];
        HEXLOWER.encode_mut(&bytes[..N.min(16)], digits);
        self.word(name, digits);
    }

    fn integer(&mut self, name: &str, mut number: u64) {
        self.name(name);
        // The largest number of 64 bits has twenty digits.
        let mut digits = [0; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[start..]);
    }

    /// A field that few entries have: comfort over speed.
    #[inline]
    fn detail(&mut self, detail: Option<&Detail>, name: &str) {
        match detail.and_then(|detail| detail.field(name)) {
            None => {}
            Some(Value::Integer(number)) => self.integer(name, number),
            Some(Value::Text(text)) => self.text(name, &text),
        }
    }
}

/// RFC 8785, section 3.2.2.2: the two-character escapes where JSON has them, `\u00xx` for the
/// other control characters, everything else as it is.
pub(super) fn write_json_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (place, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain..place]);
        plain = place + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(HEXLOWER.encode(&[byte]).as_bytes());
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}
