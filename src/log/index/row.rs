//! One row: what a segment says about an entry that is about a number.

use crate::domain::{
    AgencyId, Answer, Channels, Entry, EntryId, Moment, Op, Pseudonym, Reason, SellerRef,
};

/// How many bytes a row takes.
pub(super) const WIDTH: usize = 16 + 2 + 6 + 1 + 2 + 2 + 16;

/// What a segment says about one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The entry's place in the segment, from 0.
    pub position: u16,
    /// The entry's id.
    pub id: EntryId,
    /// The number, in the pseudonym of the month of `time`.
    pub pn: Pseudonym,
    /// When it happened.
    pub time: Moment,
    /// What happened.
    pub op: Op,
    /// The answer, for a check.
    pub answer: Option<Answer>,
    /// Calls, texts or both.
    pub channels: Option<Channels>,
    /// Who asked or registered.
    pub agency: Option<&'a AgencyId>,
    /// On whose behalf, or which sellers.
    pub seller: Option<&'a SellerRef>,
}

const OPS: [Op; 8] = [
    Op::Check,
    Op::Register,
    Op::Withdraw,
    Op::Opening,
    Op::Key,
    Op::Incident,
    Op::Start,
    Op::Prune,
];

const ANSWERS: [Option<Answer>; 5] = [
    None,
    Some(Answer::Suppress(Reason::AllSellers)),
    Some(Answer::Suppress(Reason::ThisSeller)),
    Some(Answer::NotListed),
    Some(Answer::Invalid),
];

/// The names that rows refer to by number. That there is none has a number too.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub agencies: Vec<Option<AgencyId>>,
    pub sellers: Vec<Option<SellerRef>>,
}

/// The place of a kind of entry in the head's counts, and its three bits in a row; nothing for
/// those that are never about one number and that nobody counts.
pub(super) fn kind(op: Op) -> Option<u8> {
    Some(match op {
        Op::Check => 0,
        Op::Register => 1,
        Op::Withdraw => 2,
        Op::Opening => 3,
        Op::Key => 4,
        Op::Incident => 5,
        Op::Start => 6,
        // Neither is about a number, so neither has a row, and nobody asks for their count.
        Op::Prune | Op::Import => 7,
        Op::Wash | Op::Report => return None,
    })
}

fn answer_bits(answer: Option<Answer>) -> u8 {
    match answer {
        None => 0,
        Some(Answer::Suppress(Reason::AllSellers)) => 1,
        Some(Answer::Suppress(Reason::ThisSeller)) => 2,
        Some(Answer::NotListed) => 3,
        Some(Answer::Invalid) => 4,
    }
}

/// Writes the row of an entry that has a pseudonym.
pub(super) fn encode(
    entry: &Entry,
    kind: u8,
    pn: Pseudonym,
    position: u16,
    agency: u16,
    seller: u16,
) -> [u8; WIDTH] {
    let context = &entry.context;
    let channels = context.channels.map_or(0, Channels::bits);
    let mut row = [0; WIDTH];
    row[..16].copy_from_slice(&pn.0);
    row[16..18].copy_from_slice(&position.to_le_bytes());
    // The year 9999 ends before 48 bits do.
    row[18..24].copy_from_slice(&entry.time.millis().to_le_bytes()[..6]);
    row[24] = kind | answer_bits(entry.answer) << 3 | channels << 6;
    row[25..27].copy_from_slice(&agency.to_le_bytes());
    row[27..29].copy_from_slice(&seller.to_le_bytes());
    row[29..45].copy_from_slice(entry.id.as_bytes());
    row
}

/// Reads a row; nothing if it cannot be one.
pub(super) fn decode<'a>(row: &[u8; WIDTH], names: &'a Names) -> Option<Row<'a>> {
    let two = |at: usize| u16::from_le_bytes([row[at], row[at + 1]]);
    let sixteen = |at: usize| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&row[at..at + 16]);
        bytes
    };
    let mut millis = [0; 8];
    millis[..6].copy_from_slice(&row[18..24]);
    let millis = i64::from_le_bytes(millis);
    let packed = row[24];
    Some(Row {
        position: two(16),
        id: EntryId::from_bytes(sixteen(29)),
        pn: Pseudonym(sixteen(0)),
        time: (millis <= Moment::MAX.millis()).then(|| Moment::from_millis(millis))?,
        op: OPS[usize::from(packed & 7)],
        answer: *ANSWERS.get(usize::from(packed >> 3 & 7))?,
        channels: Channels::from_bits(packed >> 6),
        agency: names.agencies.get(usize::from(two(25)))?.as_ref(),
        seller: names.sellers.get(usize::from(two(27)))?.as_ref(),
    })
}
