//! How entries travel: many in one record, and taken apart when they are read.
//!
//! A batch holds what its entries have in common once. What the store decides (answers, sequence
//! numbers) is not in the packed part, because it is only known inside the atomic step; the engine
//! appends it beside. An entry's id and salt are derived from the batch's random seed, so a batch
//! costs about twenty bytes an entry, and one entry's salt says nothing about another's.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Ask, Change};
use crate::domain::{Answer, Context, Entry, EntryId, Moment, Pseudonym, Reason, Salt};

/// One process that writes: random, new at every start.
pub(super) type Writer = [u8; 8];

/// A place in a tail. Places of one tail are ordered as its batches are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(pub u64, pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (high, low) = text.split_once('-').ok_or(())?;
        Ok(Self(
            high.parse().map_err(|_| ())?,
            low.parse().map_err(|_| ())?,
        ))
    }
}

/// What the store decided about one item. One character each, the same in both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Verdict {
    NotListed = b'0',
    AllSellers = b'1',
    ThisSeller = b'2',
    Invalid = b'3',
    /// A change that was made, or a note.
    Done = b'4',
    /// Nothing new: no entry comes of it.
    Nothing = b'5',
    /// Something newer was there: no entry comes of it either.
    Outdated = b'6',
}

impl Verdict {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            b'0' => Self::NotListed,
            b'1' => Self::AllSellers,
            b'2' => Self::ThisSeller,
            b'3' => Self::Invalid,
            b'4' => Self::Done,
            b'5' => Self::Nothing,
            b'6' => Self::Outdated,
            _ => return None,
        })
    }

    pub(super) fn answer(self) -> Option<Answer> {
        match self {
            Self::NotListed => Some(Answer::NotListed),
            Self::AllSellers => Some(Answer::Suppress(Reason::AllSellers)),
            Self::ThisSeller => Some(Answer::Suppress(Reason::ThisSeller)),
            Self::Invalid => Some(Answer::Invalid),
            Self::Done | Self::Nothing | Self::Outdated => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Payload<C> {
    version: u8,
    writer: Writer,
    seed: [u8; 16],
    base_millis: i64,
    contexts: Vec<C>,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    context: u16,
    later_millis: u32,
    pn: Option<Pseudonym>,
}

/// The largest number of items in one batch.
pub(super) const MAX_ITEMS: usize = 512;

const VERSION: u8 = 1;

/// Something that becomes an entry.
pub(super) trait Recorded {
    fn at(&self) -> Moment;
    fn context(&self) -> &Arc<Context>;
    fn pn(&self) -> Option<Pseudonym>;
}

impl Recorded for Ask {
    fn at(&self) -> Moment {
        self.at
    }
    fn context(&self) -> &Arc<Context> {
        &self.context
    }
    fn pn(&self) -> Option<Pseudonym> {
        self.pn()
    }
}

impl Recorded for Change {
    fn at(&self) -> Moment {
        self.at
    }
    fn context(&self) -> &Arc<Context> {
        &self.context
    }
    fn pn(&self) -> Option<Pseudonym> {
        self.pn
    }
}

/// A batch on its way into the store.
pub(super) struct Packed {
    pub payload: Vec<u8>,
    /// The entry that each item becomes.
    pub ids: Vec<EntryId>,
    /// Clients whose sequence numbers the batch takes, each once.
    pub clients: Vec<String>,
    /// For each item, its client's place in `clients`.
    pub client_of: Vec<Option<u16>>,
}

/// Packs items of one writer.
pub(super) fn pack<'a, R: Recorded + 'a>(
    writer: Writer,
    items: impl Iterator<Item = &'a R> + Clone,
) -> Packed {
    let base = items
        .clone()
        .map(Recorded::at)
        .min()
        .unwrap_or_else(Moment::now);
    let seed = crate::privacy::random();
    let mut contexts: Vec<&Arc<Context>> = Vec::new();
    let mut clients: Vec<String> = Vec::new();
    let mut client_of_context = Vec::new();
    let mut packed = Vec::new();
    let (mut ids, mut client_of) = (Vec::new(), Vec::new());
    for (index, item) in items.enumerate() {
        let context = item.context();
        // From the newest on: items of one context come one after the other.
        let known = contexts
            .iter()
            .rposition(|known| Arc::ptr_eq(known, context) || *known == context);
        let place = known.unwrap_or_else(|| {
            contexts.push(context);
            client_of_context.push(context.client().map(|client| {
                let place = clients.iter().position(|known| *known == client);
                place.unwrap_or_else(|| {
                    clients.push(client.to_owned());
                    clients.len() - 1
                }) as u16
            }));
            contexts.len() - 1
        });
        let later = item.at().since(base).as_millis();
        let later_millis = u32::try_from(later).unwrap_or(u32::MAX);
        let at = Moment::from_millis(base.millis() + i64::from(later_millis));
        packed.push(Item {
            context: place as u16,
            later_millis,
            pn: item.pn(),
        });
        ids.push(derive(&seed, index, at).0);
        client_of.push(client_of_context[place]);
    }
    let payload = Payload {
        version: VERSION,
        writer,
        seed,
        base_millis: base.millis(),
        contexts: contexts.iter().map(|context| &***context).collect(),
        items: packed,
    };
    Packed {
        // Serialising plain structs into memory has no way to fail; an empty record would be
        // refused by `unpack`, never misread.
        payload: postcard::to_allocvec(&payload).unwrap_or_default(),
        ids,
        clients,
        client_of,
    }
}

fn derive(seed: &[u8; 16], index: usize, at: Moment) -> (EntryId, Salt) {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(b"metrust v1 entry\0")
        .chain_update(seed)
        .chain_update((index as u32).to_be_bytes())
        .finalize()
        .into();
    let (mut random, mut salt) = ([0; 10], [0; 16]);
    random.copy_from_slice(&digest[..10]);
    salt.copy_from_slice(&digest[10..26]);
    (EntryId::new(at, random), Salt(salt))
}

/// What the store put beside a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// A [`Verdict`] for each item.
    pub verdicts: Vec<u8>,
    /// The writer's sequence number before this batch.
    pub writer_seq: u64,
    /// Each client's sequence number before this batch, in the order of their first appearance.
    pub client_seqs: Vec<u64>,
}

/// A batch as it lies in a tail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TailBatch {
    /// Where it lies.
    pub position: Position,
    pub(super) payload: Vec<u8>,
    pub(super) outcome: Outcome,
}

/// A batch that is not what this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch of entries cannot be read")]
pub struct Unreadable;

impl TailBatch {
    /// SHA-256 of what the batch holds: tells it from another that lies in its place.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let outcome = &self.outcome;
        let mut hasher = Sha256::new()
            .chain_update(b"metrust v1 batch\0")
            .chain_update(outcome.writer_seq.to_be_bytes());
        for sequence in &outcome.client_seqs {
            hasher.update(sequence.to_be_bytes());
        }
        for part in [&outcome.verdicts, &self.payload] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.payload.len() + self.outcome.verdicts.len() + 8 * self.outcome.client_seqs.len() + 8
    }

    /// The entries of the batch, in order.
    ///
    /// # Errors
    /// [`Unreadable`] when the bytes are not a batch.
    pub fn entries(&self) -> Result<Vec<Entry>, Unreadable> {
        let payload: Payload<Context> =
            postcard::from_bytes(&self.payload).map_err(|_| Unreadable)?;
        if payload.version != VERSION || payload.items.len() != self.outcome.verdicts.len() {
            return Err(Unreadable);
        }
        let contexts: Vec<Arc<Context>> = payload.contexts.into_iter().map(Arc::new).collect();
        let mut clients: Vec<String> = Vec::new();
        let client_of: Vec<Option<usize>> = contexts
            .iter()
            .map(|context| {
                context.client().map(|client| {
                    let place = clients.iter().position(|known| *known == client);
                    place.unwrap_or_else(|| {
                        clients.push(client.to_owned());
                        clients.len() - 1
                    })
                })
            })
            .collect();
        let mut client_seqs = self.outcome.client_seqs.clone();
        if client_seqs.len() != clients.len() {
            return Err(Unreadable);
        }
        let mut writer_seq = self.outcome.writer_seq;
        let mut entries = Vec::with_capacity(payload.items.len());
        for (index, (item, verdict)) in payload
            .items
            .into_iter()
            .zip(&self.outcome.verdicts)
            .enumerate()
        {
            let verdict = Verdict::from_byte(*verdict).ok_or(Unreadable)?;
            if verdict == Verdict::Nothing {
                continue;
            }
            let context = usize::from(item.context);
            let client = *client_of.get(context).ok_or(Unreadable)?;
            let time = Moment::from_millis(payload.base_millis + i64::from(item.later_millis));
            let (id, salt) = derive(&payload.seed, index, time);
            writer_seq += 1;
            entries.push(Entry {
                id,
                time,
                context: contexts[context].clone(),
                pn: item.pn,
                answer: verdict.answer(),
                salt,
                writer: payload.writer,
                writer_seq,
                client_seq: client.map(|client| {
                    client_seqs[client] += 1;
                    client_seqs[client]
                }),
            });
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AgencyId, Channel, Detail, KeyId, Op, SellerId, SellerRef};
    use crate::store::{Action, SellerNumber};

    fn context(agency: &str) -> Arc<Context> {
        Arc::new(Context {
            op: Op::Check,
            agency: Some(AgencyId::parse(agency).unwrap()),
            seller: Some(SellerRef::One(SellerId::parse("telco").unwrap())),
            key: Some(KeyId::parse("abcdefgh12").unwrap()),
            campaign: None,
            channels: Some(Channel::Voice.into()),
            detail: None,
        })
    }

    fn ask(context: &Arc<Context>, at: i64) -> Ask {
        Ask {
            at: Moment::from_millis(at),
            context: context.clone(),
            number: Some((crate::privacy::Subject([1; 16]), Pseudonym([2; 16]))),
            seller: SellerNumber::new(1).unwrap(),
            channel: Channel::Voice,
            replay: None,
        }
    }

    fn lay(packed: Packed, verdicts: &[u8], writer_seq: u64, client_seqs: &[u64]) -> TailBatch {
        TailBatch {
            position: Position(1, 0),
            payload: packed.payload,
            outcome: Outcome {
                verdicts: verdicts.to_vec(),
                writer_seq,
                client_seqs: client_seqs.to_vec(),
            },
        }
    }

    #[test]
    fn a_batch_comes_apart_into_the_entries_it_was_made_of() {
        let (a, b) = (context("a"), context("b"));
        let asks = [ask(&a, 1005), ask(&b, 1000), ask(&a, 1002), ask(&a, 1003)];
        let packed = pack([7; 8], asks.iter());
        assert_eq!(packed.clients, ["a", "b"]);
        assert_eq!(packed.client_of, [Some(0), Some(1), Some(0), Some(0)]);
        let ids = packed.ids.clone();
        let batch = lay(packed, b"1052", 40, &[10, 20]);
        let entries = batch.entries().unwrap();
        assert_eq!(entries.len(), 3, "what is nothing new leaves no entry");
        assert_eq!(
            entries.iter().map(|e| e.id).collect::<Vec<_>>(),
            [ids[0], ids[1], ids[3]]
        );
        assert_eq!(
            entries.iter().map(|e| e.writer_seq).collect::<Vec<_>>(),
            [41, 42, 43]
        );
        assert_eq!(
            entries.iter().map(|e| e.client_seq).collect::<Vec<_>>(),
            [Some(11), Some(21), Some(12)]
        );
        assert_eq!(entries[0].time.millis(), 1005);
        assert_eq!(
            entries[0].answer,
            Some(Answer::Suppress(Reason::AllSellers))
        );
        assert_eq!(entries[1].answer, Some(Answer::NotListed));
        assert_ne!(entries[0].salt, entries[1].salt);
    }

    #[test]
    fn an_entry_costs_about_twenty_bytes_in_a_batch_of_sixteen() {
        let shared = context("quick-calls");
        let asks: Vec<_> = (0..16).map(|n| ask(&shared, 1000 + n)).collect();
        let size = pack([7; 8], asks.iter()).payload.len();
        assert!(size < 16 * 27, "{size}");
    }

    #[test]
    fn acts_of_the_service_take_no_client_s_number() {
        let note = Change {
            at: Moment::from_millis(5),
            context: Arc::new(Context::of_service(
                Op::Start,
                Detail::Started {
                    version: "1".into(),
                },
            )),
            pn: None,
            action: Action::Note,
        };
        let packed = pack([1; 8], [note].iter());
        assert!(packed.clients.is_empty());
        let entries = lay(packed, b"4", 0, &[]).entries().unwrap();
        assert_eq!((entries[0].client_seq, entries[0].writer_seq), (None, 1));
    }

    #[test]
    fn damaged_batches_are_refused_not_misread() {
        let asks = [ask(&context("a"), 1)];
        let packed = pack([1; 8], asks.iter());
        for cut in 0..packed.payload.len() {
            let mut batch = lay(pack([1; 8], asks.iter()), b"0", 0, &[0]);
            batch.payload.truncate(cut);
            assert!(batch.entries().is_err());
        }
        assert!(lay(packed, b"00", 0, &[0]).entries().is_err());
    }
}
