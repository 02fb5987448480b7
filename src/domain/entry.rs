//! The audit entry: what the log says about one act, in words a regulator can read.
//!
//! An entry is written as canonical JSON (RFC 8785): keys sorted, no blanks, only strings and
//! integers, so that everybody who holds it computes the same bytes and the same hash.

use std::borrow::Cow;
use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AgencyId, Answer, Campaign, Channels, KeyId, Moment, SellerRef};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// A number was asked about.
    Check,
    /// A number was opted out.
    Register,
    /// An opt-out was taken back.
    Withdraw,
    /// Somebody who may read the audit looked for one number's entries.
    Opening,
    /// A key came or went: an API key, or the key of a month's pseudonyms.
    Key,
    /// Something that a regulator should know went wrong.
    Incident,
    /// A service process began to write.
    Start,
}

impl Op {
    /// The word the log uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Register => "register",
            Self::Withdraw => "withdraw",
            Self::Opening => "opening",
            Self::Key => "key",
            Self::Incident => "incident",
            Self::Start => "start",
        }
    }

    /// Reads the word the log uses.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Check,
            Self::Register,
            Self::Withdraw,
            Self::Opening,
            Self::Key,
            Self::Incident,
            Self::Start,
        ]
        .into_iter()
        .find(|op| op.as_str() == text)
    }
}

macro_rules! sixteen_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }
    };
}

sixteen_bytes!(
    /// How the log names a number: a pseudonym that changes every month and that only the holder
    /// of the number's opening for that month can recognise.
    Pseudonym
);
sixteen_bytes!(
    /// Random-looking bytes that keep the hash of an entry from giving its content away.
    Salt
);

/// An entry's name: a UUID of version 7 (RFC 9562), so that ids sort by time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(Uuid);

impl EntryId {
    /// Builds the id from the entry's time and ten bytes that nobody can guess.
    #[must_use]
    pub fn new(at: Moment, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Reads the 36 characters of a UUID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What several entries have in common: who acted, for whom, how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What happened.
    pub op: Op,
    /// The agency that asked or registered.
    pub agency: Option<AgencyId>,
    /// The seller it was about.
    pub seller: Option<SellerRef>,
    /// The key that was used; none when a person acted on the page.
    pub key: Option<KeyId>,
    /// The dialler's campaign.
    pub campaign: Option<Campaign>,
    /// The channel asked about, or those opted out of.
    pub channels: Option<Channels>,
    /// What else there is to say.
    pub detail: Option<Detail>,
}

impl Context {
    /// An act of the service itself.
    #[must_use]
    pub fn of_service(op: Op, detail: Detail) -> Self {
        Self {
            op,
            agency: None,
            seller: None,
            key: None,
            campaign: None,
            channels: None,
            detail: Some(detail),
        }
    }

    /// Whose sequence numbers the entries carry: the agency that acted. Nobody's when somebody
    /// else did.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.agency.as_ref().map(AgencyId::as_str)
    }
}

/// What an entry says beyond the common fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    /// A month's pseudonym key begins: SHA-256 of the key, so that a later release can be checked.
    MonthKey {
        /// `2026-11`.
        month: String,
        /// SHA-256 of the month's key.
        commitment: [u8; 32],
    },
    /// An API key was made.
    KeyCreated {
        /// The new key's id.
        subject: KeyId,
        /// Its role's name.
        role: String,
    },
    /// An API key was revoked.
    KeyRevoked {
        /// The key's id.
        subject: KeyId,
    },
    /// A service process of this version began to write.
    Started {
        /// The version of metrust.
        version: String,
    },
    /// Something went wrong; the word says what.
    Incident {
        /// A short word from this project's documentation.
        what: String,
    },
}

/// One leaf of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry's name.
    pub id: EntryId,
    /// When it happened, by the clock of the process that wrote it.
    pub time: Moment,
    /// Who, for whom, how.
    pub context: std::sync::Arc<Context>,
    /// The number it was about.
    pub pn: Option<Pseudonym>,
    /// The answer, for a check.
    pub answer: Option<Answer>,
    /// Hides the content behind the leaf's hash.
    pub salt: Salt,
    /// The process that wrote it.
    pub writer: [u8; 8],
    /// Counts that process's entries from 1 without a gap: a gap shows a loss.
    pub writer_seq: u64,
    /// Counts the client's entries from 1 without a gap, so that an export is provably complete.
    pub client_seq: Option<u64>,
}

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
    pub const FIELDS: [&'static str; 21] = [
        "agency",
        "answer",
        "campaign",
        "channel",
        "client_seq",
        "commitment",
        "id",
        "key",
        "month",
        "op",
        "pn",
        "reason",
        "role",
        "salt",
        "seller",
        "subject_key",
        "time",
        "v",
        "version",
        "writer",
        "writer_seq",
    ];

    /// The value of one field, or nothing if this entry does not have it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value<'_>> {
        let context = &*self.context;
        let hex = |bytes: &[u8]| Some(Value::Text(HEXLOWER.encode(bytes).into()));
        let text = |text: &'static str| Some(Value::Text(text.into()));
        fn str(text: &str) -> Option<Value<'_>> {
            Some(Value::Text(Cow::Borrowed(text)))
        }
        match name {
            "agency" => str(context.agency.as_ref()?.as_str()),
            "answer" => text(self.answer?.as_str()),
            "campaign" => str(context.campaign.as_ref()?.as_str()),
            "channel" => text(context.channels?.as_str()),
            "client_seq" => self.client_seq.map(Value::Integer),
            "id" => Some(Value::Text(self.id.to_string().into())),
            "key" => str(context.key.as_ref()?.as_str()),
            "op" => text(context.op.as_str()),
            "pn" => hex(&self.pn?.0),
            "reason" => match &context.detail {
                Some(detail) => str(detail.reason()),
                None => text(self.answer?.reason()?.as_str()),
            },
            "salt" => hex(&self.salt.0),
            "seller" => Some(Value::Text(context.seller.as_ref()?.to_string().into())),
            "time" => Some(Value::Text(self.time.to_string().into())),
            "v" => Some(Value::Integer(Self::VERSION)),
            "writer" => hex(&self.writer),
            "writer_seq" => Some(Value::Integer(self.writer_seq)),
            _ => context.detail.as_ref()?.field(name),
        }
    }

    /// Appends the entry as canonical JSON, without a newline.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let mut before = b'{';
        for name in Self::FIELDS {
            let Some(value) = self.field(name) else {
                continue;
            };
            out.push(before);
            before = b',';
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            match value {
                Value::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
                Value::Text(text) => write_json_string(&text, out),
            }
        }
        out.push(b'}');
    }
}

impl Detail {
    fn reason(&self) -> &str {
        match self {
            Self::MonthKey { .. } => "month_key",
            Self::KeyCreated { .. } => "key_created",
            Self::KeyRevoked { .. } => "key_revoked",
            Self::Started { .. } => "started",
            Self::Incident { what } => what,
        }
    }

    fn field(&self, name: &str) -> Option<Value<'_>> {
        let text = |text: &'_ str| Some(Value::Text(Cow::Owned(text.to_owned())));
        match (self, name) {
            (Self::MonthKey { month, .. }, "month") => text(month),
            (Self::MonthKey { commitment, .. }, "commitment") => {
                Some(Value::Text(HEXLOWER.encode(commitment).into()))
            }
            (Self::KeyCreated { subject, .. } | Self::KeyRevoked { subject }, "subject_key") => {
                text(subject.as_str())
            }
            (Self::KeyCreated { role, .. }, "role") => text(role),
            (Self::Started { version }, "version") => text(version),
            _ => None,
        }
    }
}

/// RFC 8785, section 3.2.2.2: the two-character escapes where JSON has them, `\u00xx` for the
/// other control characters, everything else as it is.
fn write_json_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0x00..0x20 => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(HEXLOWER.encode(&[byte]).as_bytes());
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Channel, Reason, SellerId};

    fn entry(campaign: &str) -> Entry {
        let at = Moment::from_millis(1_795_000_000_123);
        Entry {
            id: EntryId::new(at, [7; 10]),
            time: at,
            context: Arc::new(Context {
                op: Op::Check,
                agency: Some(AgencyId::parse("quick-calls").unwrap()),
                seller: Some(SellerRef::One(SellerId::parse("telco").unwrap())),
                key: Some(KeyId::parse("abcdefgh12").unwrap()),
                campaign: Campaign::parse(campaign).ok(),
                channels: Some(Channel::Voice.into()),
                detail: None,
            }),
            pn: Some(Pseudonym([0xab; 16])),
            answer: Some(Answer::Suppress(Reason::AllSellers)),
            salt: Salt([1; 16]),
            writer: [2; 8],
            writer_seq: 9,
            client_seq: Some(4),
        }
    }

    fn json(entry: &Entry) -> String {
        let mut out = Vec::new();
        entry.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_entry_reads_like_a_sentence_for_regulators() {
        assert_eq!(
            json(&entry("winter")),
            concat!(
                r#"{"agency":"quick-calls","answer":"suppress","campaign":"winter","#,
                r#""channel":"voice","client_seq":4,"id":"01a1ee56-5e7b-7707-8707-070707070707","#,
                r#""key":"abcdefgh12","op":"check","pn":"abababababababababababababababab","#,
                r#""reason":"all_sellers","salt":"01010101010101010101010101010101","#,
                r#""seller":"telco","time":"2026-11-18T11:06:40.123Z","v":1,"#,
                r#""writer":"0202020202020202","writer_seq":9}"#
            )
        );
    }

    #[test]
    fn the_columns_are_in_canonical_order_and_know_every_detail() {
        assert!(Entry::FIELDS.is_sorted());
        let commitment = Detail::MonthKey {
            month: "2026-11".into(),
            commitment: [0; 32],
        };
        assert!(commitment.field("month").is_some() && commitment.field("role").is_none());
    }

    proptest! {
        /// What another maker's canonical writer (sorted map, compact) makes of it is the same.
        #[test]
        fn canonical_form_is_what_a_sorted_compact_writer_gives(campaign in "\\PC{1,30}") {
            let line = json(&entry(&campaign));
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(serde_json::to_string(&value).unwrap(), line);
        }

        #[test]
        fn any_text_is_escaped_as_json_wants_it(text in any::<String>()) {
            let mut out = Vec::new();
            write_json_string(&text, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
