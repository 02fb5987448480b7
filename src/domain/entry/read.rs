//! Reading an entry back: exactly the canonical JSON (RFC 8785) that `write` makes, and no other
//! spelling of it.
//!
//! A leaf's hash is over bytes, so two spellings of one entry would be two leaves that look the
//! same to a reader. Here every text that is accepted is the one that writing the entry gives
//! again, by construction: fields come in canonical order, each value has one spelling only.
//! Whole logs are read with this, so it is a cursor over bytes and not a JSON parser.

use std::borrow::Cow;
use std::sync::Arc;

use super::cursor::Cursor;
use super::{Context, Detail, Entry, EntryId, Op, Pseudonym, Salt, WashEnd, Washed};
use crate::domain::{
    AgencyId, Answer, Campaign, Channels, Finding, KeyId, Moment, Reason, SellerRef,
};

/// Bytes that are not an entry in its canonical form. What stands there is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an entry of the log in its canonical form, at byte {at}")]
pub struct NotAnEntry {
    /// Where reading stopped, counted in bytes from 0.
    pub at: usize,
}

/// How many contexts a reader remembers: about as many agencies as dial at the same moment.
const REMEMBERED: usize = 8;

/// Reads entry after entry. Neighbours in a log mostly have their context in common (one agency's
/// checks for one seller); a reader remembers the last few, so that such entries share one in
/// memory and its names are looked at once.
#[derive(Debug, Default)]
pub struct EntryReader {
    contexts: Vec<Arc<Context>>,
    /// Which one is forgotten next.
    oldest: usize,
}

impl Entry {
    /// Reads what [`Entry::write_json`] wrote. Whoever reads many uses an [`EntryReader`].
    ///
    /// An entry whose answer is `suppress` has the answer's own reason and no detail: both would
    /// be written in the one field `reason`.
    ///
    /// # Errors
    /// [`NotAnEntry`] for every text that [`Entry::write_json`] does not write.
    pub fn read_json(bytes: &[u8]) -> Result<Self, NotAnEntry> {
        EntryReader::default().read(bytes)
    }
}

impl EntryReader {
    /// As [`Entry::read_json`].
    ///
    /// # Errors
    /// [`NotAnEntry`].
    pub fn read(&mut self, bytes: &[u8]) -> Result<Entry, NotAnEntry> {
        let mut cursor = Cursor::new(bytes);
        self.entry(&mut cursor).ok_or(NotAnEntry { at: cursor.at })
    }

    fn entry(&mut self, from: &mut Cursor<'_>) -> Option<Entry> {
        let agency = from.optional("agency", Cursor::string)?;
        let answer = from.optional("answer", Cursor::string)?;
        let bytes = from.optional("bytes", Cursor::integer)?;
        let called_from = from.optional("called_from", Cursor::time)?;
        let called_to = from.optional("called_to", Cursor::time)?;
        let campaign = from.optional("campaign", Cursor::text)?;
        let changed = from.optional("changed", Cursor::integer)?;
        let channels = from.optional("channel", |from| Channels::parse(from.string()?))?;
        let client_seq = from.optional("client_seq", Cursor::integer)?;
        let mut said = Said {
            commitment: from.optional("commitment", Cursor::hex)?,
            changed,
            entries: from.optional("entries", Cursor::integer)?,
            finding: from.optional("finding", |from| Finding::parse(from.string()?))?,
            bytes,
            called_from,
            called_to,
            handed_over: from.optional("handed_over", Cursor::integer)?,
            ..Said::default()
        };
        let id = from.required("id", Cursor::uuid)?;
        said.invalid = from.optional("invalid", Cursor::integer)?;
        let key = from.optional("key", Cursor::string)?;
        said.log = from.optional("log", Cursor::text)?;
        said.month = from.optional("month", Cursor::text)?;
        said.not_listed = from.optional("not_listed", Cursor::integer)?;
        said.note = from.optional("note", Cursor::text)?;
        said.numbers = from.optional("numbers", Cursor::integer)?;
        let op = from.required("op", |from| Op::parse(from.string()?))?;
        let pn = from.optional("pn", Cursor::hex)?.map(Pseudonym);
        said.public_key = from.optional("public_key", Cursor::hex)?;
        said.reason = from.optional("reason", Cursor::text)?;
        said.rejected = from.optional("rejected", Cursor::integer)?;
        said.report = from.optional("report", Cursor::uuid)?;
        said.role = from.optional("role", Cursor::text)?;
        said.rows = from.optional("rows", Cursor::integer)?;
        let salt = Salt(from.required("salt", Cursor::hex)?);
        let seller = from.optional("seller", Cursor::string)?;
        said.subject_key = from.optional("subject_key", Cursor::string)?;
        said.suppress = from.optional("suppress", Cursor::integer)?;
        let time = from.required("time", Cursor::time)?;
        from.required("v", |from| {
            (from.integer()? == Entry::VERSION).then_some(())
        })?;
        said.version = from.optional("version", Cursor::text)?;
        said.wash = from.optional("wash", Cursor::uuid)?;
        let writer = from.required("writer", Cursor::hex)?;
        let writer_seq = from.required("writer_seq", Cursor::integer)?;
        from.end()?;

        let answer = match answer {
            None => None,
            Some("not_listed") => Some(Answer::NotListed),
            Some("invalid") => Some(Answer::Invalid),
            Some("suppress") => Some(Answer::Suppress(Reason::parse(&said.reason.take()?)?)),
            Some(_) => return None,
        };
        let named = Named {
            op,
            agency,
            seller,
            key,
            campaign,
            channels,
            detail: said.detail()?,
        };
        Some(Entry {
            id,
            time,
            context: self.context(named)?,
            pn,
            answer,
            salt,
            writer,
            writer_seq,
            client_seq,
        })
    }

    fn context(&mut self, named: Named<'_>) -> Option<Arc<Context>> {
        if let Some(known) = self.contexts.iter().find(|known| named.is(known)) {
            return Some(known.clone());
        }
        let context = Arc::new(named.context()?);
        if self.contexts.len() < REMEMBERED {
            self.contexts.push(context.clone());
        } else {
            self.contexts[self.oldest] = context.clone();
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
        Some(context)
    }
}

/// A context as it stands in the bytes: not looked at yet, if it is one that is remembered.
struct Named<'a> {
    op: Op,
    agency: Option<&'a str>,
    seller: Option<&'a str>,
    key: Option<&'a str>,
    campaign: Option<Cow<'a, str>>,
    channels: Option<Channels>,
    detail: Option<Detail>,
}

impl Named<'_> {
    fn is(&self, known: &Context) -> bool {
        self.op == known.op
            && self.agency == known.agency.as_ref().map(AgencyId::as_str)
            && self.seller == known.seller.as_ref().map(SellerRef::as_str)
            && self.key == known.key.as_ref().map(KeyId::as_str)
            && self.campaign.as_deref() == known.campaign.as_ref().map(Campaign::as_str)
            && self.channels == known.channels
            && self.detail == known.detail
    }

    fn context(self) -> Option<Context> {
        fn read<T, E>(text: Option<&str>, parse: fn(&str) -> Result<T, E>) -> Option<Option<T>> {
            text.map(parse).transpose().ok()
        }
        Some(Context {
            op: self.op,
            agency: read(self.agency, AgencyId::parse)?,
            seller: read(self.seller, SellerRef::parse)?,
            key: read(self.key, KeyId::parse)?,
            campaign: read(self.campaign.as_deref(), Campaign::parse)?,
            channels: self.channels,
            detail: self.detail,
        })
    }
}

/// What only some entries say. One detail takes exactly its own fields; the others must be empty.
#[derive(Default)]
struct Said<'a> {
    reason: Option<Cow<'a, str>>,
    changed: Option<u64>,
    commitment: Option<[u8; 32]>,
    entries: Option<u64>,
    log: Option<Cow<'a, str>>,
    month: Option<Cow<'a, str>>,
    note: Option<Cow<'a, str>>,
    numbers: Option<u64>,
    public_key: Option<[u8; 32]>,
    rejected: Option<u64>,
    role: Option<Cow<'a, str>>,
    subject_key: Option<&'a str>,
    version: Option<Cow<'a, str>>,
    bytes: Option<u64>,
    handed_over: Option<u64>,
    invalid: Option<u64>,
    not_listed: Option<u64>,
    rows: Option<u64>,
    suppress: Option<u64>,
    wash: Option<EntryId>,
    called_from: Option<Moment>,
    called_to: Option<Moment>,
    finding: Option<Finding>,
    report: Option<EntryId>,
}

impl Said<'_> {
    /// The detail, if there is one; nothing at all when the fields do not belong together.
    fn detail(mut self) -> Option<Option<Detail>> {
        if self.is_empty() {
            // An incident has no field but its reason. Words of other details are words too.
            let what = self.reason.map(Cow::into_owned);
            return Some(what.map(|what| Detail::Incident { what }));
        }
        let detail = match &*self.reason.take()? {
            "month_key" => Detail::MonthKey {
                month: self.month.take()?.into_owned(),
                commitment: self.commitment.take()?,
            },
            "key_created" => Detail::KeyCreated {
                subject: KeyId::parse(self.subject_key.take()?).ok()?,
                role: self.role.take()?.into_owned(),
            },
            "key_revoked" => Detail::KeyRevoked {
                subject: KeyId::parse(self.subject_key.take()?).ok()?,
            },
            "started" => Detail::Started {
                version: self.version.take()?.into_owned(),
            },
            "opened" => Detail::Opened {
                month: self.month.take()?.into_owned(),
            },
            "month_released" => Detail::MonthReleased {
                month: self.month.take()?.into_owned(),
                note: self.note.take()?.into_owned(),
            },
            "log_key" => Detail::LogKey {
                public_key: self.public_key.take()?,
            },
            "log_key_retired" => Detail::LogKeyRetired {
                public_key: self.public_key.take()?,
            },
            "pruned" => Detail::Pruned {
                log: self.log.take()?.into_owned(),
                entries: self.entries.take()?,
            },
            "matched" => Detail::Matched {
                records: self.commitment.take()?,
            },
            reason @ ("import_begun" | "removal_begun") => Detail::ImportBegun {
                removal: reason == "removal_begun",
                note: self.note.take()?.into_owned(),
                file: self.commitment.take()?,
            },
            reason @ ("import_finished" | "removal_finished") => Detail::ImportFinished {
                removal: reason == "removal_finished",
                note: self.note.take()?.into_owned(),
                file: self.commitment.take()?,
                numbers: self.numbers.take()?,
                changed: self.changed.take()?,
                rejected: self.rejected.take()?,
            },
            "on_behalf" => Detail::OnBehalf {
                note: self.note.take()?.into_owned(),
            },
            "reported" => Detail::Reported {
                report: *self.report.take()?.as_bytes(),
                finding: self.finding.take()?,
                called_from: self.called_from.take()?,
                called_to: self.called_to.take()?,
            },
            "report_answered" => Detail::ReportAnswered {
                report: *self.report.take()?.as_bytes(),
            },
            end => Detail::Washed(self.washed(WashEnd::parse(end)?)?),
        };
        self.is_empty().then_some(Some(detail))
    }

    fn washed(&mut self, end: WashEnd) -> Option<Washed> {
        Some(Washed {
            wash: *self.wash.take()?.as_bytes(),
            input: self.commitment.take()?,
            bytes: self.bytes.take()?,
            rows: self.rows.take()?,
            suppress: self.suppress.take()?,
            not_listed: self.not_listed.take()?,
            invalid: self.invalid.take()?,
            handed_over: self.handed_over.take()?,
            end,
        })
    }

    fn is_empty(&self) -> bool {
        self.changed.is_none()
            && self.commitment.is_none()
            && self.entries.is_none()
            && self.log.is_none()
            && self.month.is_none()
            && self.note.is_none()
            && self.numbers.is_none()
            && self.rejected.is_none()
            && self.public_key.is_none()
            && self.role.is_none()
            && self.subject_key.is_none()
            && self.version.is_none()
            && self.bytes.is_none()
            && self.handed_over.is_none()
            && self.invalid.is_none()
            && self.not_listed.is_none()
            && self.rows.is_none()
            && self.suppress.is_none()
            && self.wash.is_none()
            && self.called_from.is_none()
            && self.called_to.is_none()
            && self.finding.is_none()
            && self.report.is_none()
    }
}
