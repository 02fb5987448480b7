mod naive;
mod records;
mod table;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::{
    AgencyId, Answer, Channels, Context, Entry, EntryId, Op, PhoneNumber, Reason, Salt, SellerId,
    SellerRef,
};
use crate::log::index::{Segment, SegmentBuilder};
use crate::privacy::MonthKey;

/// The numbers of these tests: Belgian mobiles.
fn number(n: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("+3247512{:04}", 3400 + n), None).unwrap()
}

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

fn agency(id: &str) -> Option<AgencyId> {
    (!id.is_empty()).then(|| AgencyId::parse(id).unwrap())
}

fn seller(id: &str) -> Option<SellerId> {
    (!id.is_empty()).then(|| SellerId::parse(id).unwrap())
}

const SUPPRESS: Option<Answer> = Some(Answer::Suppress(Reason::AllSellers));
const CLEAR: Option<Answer> = Some(Answer::NotListed);

fn channels(text: &str) -> Option<Channels> {
    (!text.is_empty()).then(|| Channels::parse(text).unwrap())
}

/// A log and the keys of its months.
#[derive(Debug)]
struct Log {
    keys: Vec<(Month, MonthKey)>,
    entries: Vec<Entry>,
}

impl Log {
    fn new() -> Self {
        let months = ["2026-09", "2026-10", "2026-11", "2026-12", "2027-01"];
        Self {
            keys: months
                .map(|month| (month.parse().unwrap(), MonthKey::generate()))
                .to_vec(),
            entries: Vec::new(),
        }
    }

    /// Appends an entry, and gives its id.
    fn add(
        &mut self,
        (op, answer): (Op, Option<Answer>),
        of: u32,
        (by, about, how): (&str, &str, &str),
        time: Moment,
    ) -> EntryId {
        let key = &self.keys.iter().find(|(m, _)| *m == time.month());
        let number = number(of);
        let pn = key.map(|(_, key)| key.opening(&number).pseudonym(&number));
        let count = self.entries.len() as u64;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&count.to_be_bytes());
        let id = EntryId::new(time, random);
        self.entries.push(Entry {
            id,
            time,
            context: Arc::new(Context {
                op,
                agency: agency(by),
                seller: (!about.is_empty()).then(|| SellerRef::parse(about).unwrap()),
                key: None,
                campaign: None,
                channels: channels(how),
                detail: None,
            }),
            pn,
            answer,
            salt: Salt([0; 16]),
            writer: [0; 8],
            writer_seq: count + 1,
            client_seq: None,
        });
        id
    }

    /// The log's index, in segments of so many entries.
    fn segments(&self, entries: usize) -> Vec<Segment> {
        let build = |entries: &[Entry]| {
            let mut builder = SegmentBuilder::new();
            for (position, entry) in entries.iter().enumerate() {
                builder.add(position as u32, entry).unwrap();
            }
            Segment::open(builder.finish()).unwrap()
        };
        self.entries.chunks(entries).map(build).collect()
    }

    fn verdicts(
        &self,
        calls: &[Result<Call, Unreadable>],
        segment: usize,
        options: Options,
    ) -> Vec<Verdict> {
        let segments = self.segments(segment);
        let mut matcher = Matcher::new(&segments[..], self.keys.clone(), options).unwrap();
        let verdicts = matcher.verdicts(calls).unwrap();
        assert!(matcher.missing_keys().is_empty());
        verdicts
    }
}

fn options() -> Options {
    Options::new(Duration::from_secs(86_400))
}
