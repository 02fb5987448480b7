//! How fast calls are matched with the index of the log, and in how much memory.
//!
//! ```sh
//! cargo bench --bench match -- --records 1000000 --entries 1000000
//! ```
//!
//! It starts nothing. A log of so many entries is made up, and its index written to files in 16
//! segments, as the service has it. So many calls are made up as they are read. What must be found
//! about each is known beforehand, and the counts must be exactly those.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrust::domain::{
    AgencyId, Answer, Channels, Context, Entry, EntryId, Moment, Month, Op, PhoneNumber, Reason,
    Salt, SellerRef,
};
use metrust::log::index::{ENTRIES, ReadAt, Segment, SegmentBuilder};
use metrust::privacy::MonthKey;
use metrust::service::matching::{
    Finding, Format, Mapping, Matcher, Options, Registered, match_calls,
};

const SEGMENTS: u64 = 16;
/// So many entries are about one number, one after the other.
const BLOCK: u64 = 4;
/// The log begins here, and spans 41 days of two months.
const BEGIN: &str = "2026-10-10T00:00:00Z";
const SPAN: u64 = 41 * 86_400_000;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn main() {
    let (records, entries) = arguments();
    let made = Instant::now();
    let log = Log::new(entries);
    let segments = log.segments();
    let expected = log.expected(records);
    println!(
        "{entries} entries in {} segments, made in {:.1} s; resident memory until here: {}",
        segments.len(),
        made.elapsed().as_secs_f64(),
        peak()
    );

    let begun = Instant::now();
    let options = Options::new(Duration::from_secs(86_400));
    let keys = log.keys.clone();
    let mut matcher = Matcher::new(&segments[..], keys, options).unwrap();
    let calls = Calls::new(&log, records);
    let report = match_calls(
        calls,
        &Mapping::default(),
        &mut matcher,
        io::sink(),
        Format::Csv,
    )
    .unwrap();
    let seconds = begun.elapsed().as_secs_f64();

    let total = report.summary.total();
    let kinds = Registered::ALL.map(Some).into_iter().chain([None]);
    for registered in kinds {
        for finding in Finding::ALL {
            let name = registered.map_or("-", Registered::as_str);
            let found = total.both(finding, registered);
            let known = expected.get(&(finding, registered)).copied().unwrap_or(0);
            assert_eq!(found, known, "{} × {name}", finding.as_str());
            if known > 0 {
                println!("{:>10}  {} × {name}", known, finding.as_str());
            }
        }
    }
    assert_eq!(total.calls(), records);
    assert!(report.missing_keys.is_empty());
    println!(
        "{records} records in {seconds:.2} s: {:.0} a second; peak resident memory: {}",
        records as f64 / seconds,
        peak()
    );
}

/// `--records N --entries N`; `--bench` is Cargo's own.
fn arguments() -> (u64, u64) {
    let (mut records, mut entries) = (1_000_000, 1_000_000);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().and_then(|text| text.parse().ok());
            number.expect("a number behind --records and --entries")
        };
        match argument.as_str() {
            "--records" => records = number(),
            "--entries" => entries = number(),
            "--bench" => {}
            _ => panic!("{argument:?} is neither --records N nor --entries N"),
        }
    }
    let most = SEGMENTS * u64::from(ENTRIES);
    assert!((BLOCK..=most).contains(&entries), "4 to {most} entries");
    (records, entries)
}

/// The most memory that was resident at any time, as the kernel counts it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    match kilobytes {
        Some(kilobytes) => format!("{:.1} MiB", kilobytes as f64 / 1024.0),
        None => "not measured".to_owned(),
    }
}

/// The history of number `n`, by `n % 8`; each word is an entry.
///
/// `noise` is a check by an agency that makes no call, and `text` one for text messages: neither
/// says anything about a call of `ring`.
const HISTORIES: [[&str; BLOCK as usize]; 8] = [
    ["clear", "noise", "noise", "text"],
    ["register all", "suppress", "noise", "noise"],
    ["register telco", "suppress", "noise", "noise"],
    ["register energy", "clear", "noise", "noise"],
    ["noise", "noise", "noise", "noise"],
    ["clear", "register all", "noise", "noise"],
    ["register energy", "noise", "noise", "noise"],
    ["register all", "withdraw all", "clear", "noise"],
];

/// What must be found about a call: the first is for those made an hour after the number's last
/// entry, by `ring`.
fn known(history: u64, kind: u64) -> (Finding, Option<Registered>) {
    use Finding::{CheckExpired, CheckedClear, CheckedSuppressed, NeverChecked};
    use Registered::{AllSellers, No, OtherSeller, ThisSeller};
    let (soon, registered) = match history {
        0 => (CheckedClear, No),
        1 => (CheckedSuppressed, AllSellers),
        2 => (CheckedSuppressed, ThisSeller),
        3 => (CheckedClear, No),
        4 => (NeverChecked, No),
        5 => (CheckedClear, AllSellers),
        6 => (NeverChecked, OtherSeller),
        _ => (CheckedClear, No),
    };
    let (finding, registered) = match kind {
        SOON => (soon, registered),
        // After three days a check has expired; a registration has not.
        LATE if soon == NeverChecked => (NeverChecked, registered),
        LATE => (CheckExpired, registered),
        // Before the first entry nothing had happened yet.
        EARLY => (NeverChecked, No),
        // Another agency made no check, and calls for telco.
        _ if registered == OtherSeller => (NeverChecked, No),
        _ => (NeverChecked, registered),
    };
    (finding, Some(registered))
}

const SOON: u64 = 0;
const LATE: u64 = 1;
const EARLY: u64 = 2;
const ANOTHER: u64 = 3;

/// A log that is made up.
struct Log {
    entries: u64,
    begin: Moment,
    keys: Vec<(Month, MonthKey)>,
}

impl Log {
    fn new(entries: u64) -> Self {
        let begin: Moment = BEGIN.parse().unwrap();
        let months = [begin.month(), begin.month().next()];
        Self {
            entries,
            begin,
            keys: months.map(|month| (month, MonthKey::generate())).to_vec(),
        }
    }

    /// How many numbers have a whole history.
    fn numbers(&self) -> u64 {
        self.entries / BLOCK
    }

    fn time(&self, entry: u64) -> Moment {
        let millis = u128::from(SPAN) * u128::from(entry) / u128::from(self.entries);
        Moment::from_millis(self.begin.millis() + millis as i64)
    }

    fn entry(&self, place: u64, contexts: &Contexts) -> Entry {
        let time = self.time(place);
        let of = place / BLOCK;
        // What is left over at the end is about a number that is never called.
        let word = match of < self.numbers() {
            true => HISTORIES[(of % 8) as usize][(place % BLOCK) as usize],
            false => "noise",
        };
        let number = PhoneNumber::parse(&number(of), None).unwrap();
        let key = self.keys.iter().find(|(month, _)| *month == time.month());
        let mut random = [0; 10];
        random[2..].copy_from_slice(&place.to_be_bytes());
        let (context, answer) = &contexts.0[word];
        Entry {
            id: EntryId::new(time, random),
            time,
            context: Arc::clone(context),
            pn: key.map(|(_, key)| key.opening(&number).pseudonym(&number)),
            answer: *answer,
            salt: Salt([0; 16]),
            writer: [0; 8],
            writer_seq: place + 1,
            client_seq: None,
        }
    }

    fn segments(&self) -> Vec<Segment<OnDisk>> {
        let contexts = Contexts::new();
        let each = self.entries.div_ceil(SEGMENTS);
        let starts = (0..self.entries).step_by(each as usize);
        starts
            .map(|start| {
                let mut builder = SegmentBuilder::new();
                for place in start..(start + each).min(self.entries) {
                    let position = (place - start) as u32;
                    builder
                        .add(position, &self.entry(place, &contexts))
                        .unwrap();
                }
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&builder.finish()).unwrap();
                Segment::open(OnDisk(file)).unwrap()
            })
            .collect()
    }

    /// The call of a record: to which number, and of which kind.
    fn call(&self, record: u64) -> (u64, u64) {
        (record % self.numbers(), record / self.numbers() % 4)
    }

    fn expected(&self, records: u64) -> BTreeMap<(Finding, Option<Registered>), u64> {
        let mut counts = BTreeMap::new();
        for record in 0..records {
            let (number, kind) = self.call(record);
            let what = match record % 1000 {
                INVALID => (Finding::InvalidNumber, None),
                UNREADABLE => (Finding::UnreadableRow, None),
                _ => known(number % 8, kind),
            };
            *counts.entry(what).or_default() += 1;
        }
        counts
    }
}

/// One in a thousand records has no number in it, and one no time.
const INVALID: u64 = 998;
const UNREADABLE: u64 = 999;

fn number(n: u64) -> String {
    format!("+3247{n:07}")
}

/// Who did what, for each word of a history.
struct Contexts(BTreeMap<&'static str, (Arc<Context>, Option<Answer>)>);

impl Contexts {
    fn new() -> Self {
        let suppress = Answer::Suppress(Reason::AllSellers);
        let all = [
            (
                "clear",
                Op::Check,
                "ring",
                "telco",
                "voice",
                Some(Answer::NotListed),
            ),
            (
                "suppress",
                Op::Check,
                "ring",
                "telco",
                "voice",
                Some(suppress),
            ),
            (
                "noise",
                Op::Check,
                "other",
                "telco",
                "voice",
                Some(suppress),
            ),
            ("text", Op::Check, "ring", "telco", "text", Some(suppress)),
            ("register all", Op::Register, "other", "all", "voice", None),
            (
                "register telco",
                Op::Register,
                "other",
                "telco",
                "voice",
                None,
            ),
            (
                "register energy",
                Op::Register,
                "other",
                "energy",
                "voice",
                None,
            ),
            ("withdraw all", Op::Withdraw, "other", "all", "voice", None),
        ];
        let contexts = all.map(|(word, op, agency, seller, channels, answer)| {
            let context = Context {
                op,
                agency: AgencyId::parse(agency).ok(),
                seller: SellerRef::parse(seller).ok(),
                key: None,
                campaign: None,
                channels: Channels::parse(channels),
                detail: None,
            };
            (word, (Arc::new(context), answer))
        });
        Self(contexts.into())
    }
}

/// A segment's bytes in a file without a name.
#[derive(Debug)]
struct OnDisk(File);

impl ReadAt for OnDisk {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(into, offset)
    }
}

/// The records, made up as they are read.
struct Calls<'l> {
    log: &'l Log,
    records: u64,
    next: u64,
    waiting: io::Cursor<Vec<u8>>,
}

impl<'l> Calls<'l> {
    fn new(log: &'l Log, records: u64) -> Self {
        Self {
            log,
            records,
            next: 0,
            waiting: io::Cursor::new(b"called,time,agency,seller\n".to_vec()),
        }
    }

    fn row(&self, record: u64) -> String {
        let (of, kind) = self.log.call(record);
        let (first, last) = (of * BLOCK, of * BLOCK + BLOCK - 1);
        let (from, after) = match kind {
            SOON | ANOTHER => (last, HOUR),
            LATE => (last, 3 * DAY),
            _ => (first, -2 * HOUR),
        };
        let time = Moment::from_millis(self.log.time(from).millis() + after);
        let agency = if kind == ANOTHER { "third" } else { "ring" };
        // Where nobody knows for whom a call was, any registration counts.
        let seller = if of % 8 == 6 && kind != ANOTHER {
            ""
        } else {
            "telco"
        };
        match record % 1000 {
            INVALID => format!("anonymous,{time},{agency},{seller}\n"),
            UNREADABLE => format!("{},yesterday,{agency},{seller}\n", number(of)),
            _ => format!("{},{time},{agency},{seller}\n", number(of)),
        }
    }
}

impl Read for Calls<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.waiting.read(into)?;
            if length > 0 || into.is_empty() || self.next == self.records {
                return Ok(length);
            }
            let end = (self.next + 1000).min(self.records);
            let rows: String = (self.next..end).map(|record| self.row(record)).collect();
            self.next = end;
            self.waiting = io::Cursor::new(rows.into_bytes());
        }
    }
}
