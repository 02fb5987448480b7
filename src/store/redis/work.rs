//! What the two lanes do: turn items into a script's keys and arguments, and its reply into answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use data_encoding::HEXLOWER;
use redis::Cmd;

use super::ahead::{new_version, worthwhile};
use super::keys;
use super::link::{Link, Script};
use crate::domain::{Context, Decision, Detail, EntryId, Moment, Op};
use crate::store::batch::{self, Packed, Verdict};
use crate::store::layout::Place;
use crate::store::replay::Remembered;
use crate::store::{Action, Ask, Change, Changed, Listing, StoreError};

/// What the lanes share.
#[derive(Debug)]
pub(super) struct Shared {
    link: Link,
    decide: Script,
    pub(super) record: Script,
    change: Script,
    pub(super) document: Script,
    pub(super) lease: Script,
    pub(super) import: Script,
    writer: batch::Writer,
    acknowledged: AtomicU64,
    loss: AtomicU8,
    identity: ArcSwap<String>,
    weakness: ArcSwapOption<StoreError>,
    replay_window: Duration,
}

/// Nothing that was acknowledged is missing, as far as is known.
const NO_LOSS: u8 = 0;
/// Something is, and no entry says so yet.
const UNREPORTED: u8 = 1;
/// Something is, and an entry says so.
const REPORTED: u8 = 2;

const PRELUDE: &str = include_str!("scripts/prelude.lua");

impl Shared {
    pub(super) fn new(link: Link, replay_window: Duration) -> Self {
        Self {
            link,
            decide: Script::new(&[PRELUDE, include_str!("scripts/decide.lua")]),
            record: Script::new(&[PRELUDE, include_str!("scripts/record.lua")]),
            change: Script::new(&[PRELUDE, include_str!("scripts/change.lua")]),
            document: Script::new(&[include_str!("scripts/document.lua")]),
            lease: Script::new(&[include_str!("scripts/lease.lua")]),
            import: Script::new(&[include_str!("scripts/import.lua")]),
            writer: crate::privacy::random(),
            acknowledged: AtomicU64::new(0),
            loss: AtomicU8::new(NO_LOSS),
            identity: ArcSwap::default(),
            weakness: ArcSwapOption::empty(),
            replay_window,
        }
    }

    /// From here on the store must keep this identity.
    pub(super) fn begin(&self, identity: String) {
        self.identity.store(Arc::new(identity));
    }

    /// The link that everybody shares.
    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    pub(super) fn identity(&self) -> String {
        self.identity.load().to_string()
    }

    /// Under which name this process writes.
    pub(super) fn writer(&self) -> &batch::Writer {
        &self.writer
    }

    /// The highest sequence number of this process that the store has acknowledged and must still
    /// know.
    pub(super) fn acknowledged(&self) -> u64 {
        match self.loss.load(Ordering::Acquire) {
            NO_LOSS => self.acknowledged.load(Ordering::Acquire),
            _ => 0,
        }
    }

    /// The store has acknowledged what this process wrote, up to this number.
    pub(super) fn acknowledge(&self, number: u64) {
        self.acknowledged.fetch_max(number, Ordering::AcqRel);
    }

    /// What makes the server unfit at the moment.
    pub(super) fn weakness(&self) -> &ArcSwapOption<StoreError> {
        &self.weakness
    }

    /// Refuses work for a server that would forget it.
    pub(super) fn usable(&self) -> Result<(), StoreError> {
        if self.loss.load(Ordering::Acquire) != NO_LOSS {
            return Err(StoreError::Lost);
        }
        match &*self.weakness.load() {
            Some(error) => Err(StoreError::clone(error)),
            None => Ok(()),
        }
    }

    /// Makes sure that the store still has its identity.
    pub(super) async fn present(&self) -> Result<(), StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(keys::IDENTITY);
        let found: Option<String> = self.link.query(&get).await?;
        self.recognise(found.as_deref())
    }

    /// Whether this is the identity that the service began with.
    pub(super) fn recognise(&self, found: Option<&str>) -> Result<(), StoreError> {
        if found == Some(self.identity.load().as_str()) {
            Ok(())
        } else {
            Err(StoreError::Foreign(
                "its identity is gone or another one; it was emptied or exchanged".to_owned(),
            ))
        }
    }

    /// Decides one batch, over a link of the caller's.
    pub(super) async fn decide(
        &self,
        link: &Link,
        asks: &[Ask],
    ) -> Result<Vec<Decision>, StoreError> {
        let packed = batch::pack(self.writer, asks.iter());
        if worthwhile(asks)
            && let Some(decided) = self.decide_ahead(link, asks, &packed).await?
        {
            return Ok(decided);
        }
        let call = self.call_to_decide(asks, &packed);
        let sent = link.run(&self.decide, &call).await;
        let (verdicts, number, repeated): (Vec<u8>, u64, Vec<String>) =
            sent.inspect_err(|error| self.notice_loss(error))?;
        self.acknowledge(number);
        decisions(asks, &packed.ids, &verdicts, &repeated)
            .ok_or_else(|| StoreError::Damaged("the reply of a script".to_owned()))
    }

    fn call_to_decide(&self, asks: &[Ask], packed: &Packed) -> Cmd {
        let places: Vec<Option<Place>> = asks
            .iter()
            .map(|ask| ask.number.map(|(subject, _)| Place::of(&subject)))
            .collect();
        let refs = || {
            let given = asks.iter().zip(&places).enumerate();
            given.filter_map(|(index, (ask, place))| {
                let key = ask.replay.as_ref()?;
                Some((index, keys::replay(place.as_ref(), key)))
            })
        };
        let replays = asks.iter().filter(|ask| ask.replay.is_some()).count();
        let names = 3 + asks.len() + replays;
        let arguments = 8 + packed.clients.len() + 6 * asks.len() + 3 * replays;
        let bytes = packed.payload.len() + 256 + 150 * asks.len() + 150 * replays;
        let mut call = self.decide.call(names, names + arguments, bytes);
        self.name_what_all_use(&mut call);
        for place in &places {
            match place {
                Some(place) => call.arg(&keys::bucket_bytes(place.bucket)[..]),
                None => call.arg(keys::IDENTITY),
            };
        }
        for (_, name) in refs() {
            call.arg(name);
        }
        self.say_what_all_hear(&mut call, self.seen(), packed, asks.len());
        call.arg(client_bytes(packed));
        for (ask, place) in asks.iter().zip(&places) {
            match place {
                Some(place) => {
                    for (member, _) in place.refusing(ask.seller, ask.channel) {
                        call.arg(member.get());
                    }
                }
                None => {
                    for _ in 0..6 {
                        call.arg("");
                    }
                }
            }
        }
        for (index, _) in refs() {
            call.arg(index + 1);
            call.arg(Remembered::rest(packed.ids[index], asks[index].at));
            call.arg(self.replay_window.as_millis() as u64);
        }
        call
    }

    /// Makes one batch of changes.
    pub(super) async fn change(&self, changes: Vec<Change>) -> Result<Vec<Changed>, StoreError> {
        let packed = batch::pack(self.writer, changes.iter());
        let mut names = Vec::with_capacity(2 * changes.len());
        let mut arguments = Vec::with_capacity(4 * changes.len() + 1);
        for (index, change) in changes.iter().enumerate() {
            let (action, listing, member) = match &change.action {
                Action::Put(listing, channels) => {
                    let place = Place::of(&listing.subject);
                    (
                        "P",
                        Some(listing),
                        Some(place.member(listing.seller, *channels)),
                    )
                }
                Action::Remove(listing) => ("R", Some(listing), None),
                Action::Note => ("N", None, None),
            };
            match listing {
                Some(listing) => {
                    let place = Place::of(&listing.subject);
                    names.push(keys::bucket(&place));
                    names.push(keys::listings(&place, &listing.subject));
                }
                None => names.extend([keys::IDENTITY.to_owned(), keys::IDENTITY.to_owned()]),
            }
            arguments.push(action.as_bytes().to_vec());
            arguments.push(client(&packed, index));
            arguments.push(listing.map(field).unwrap_or_default().into_bytes());
            let member = member.map(|member| member.get().to_string());
            arguments.push(member.unwrap_or_default().into_bytes());
        }
        let touched = changes
            .iter()
            .any(|change| !matches!(change.action, Action::Note));
        let version = if touched {
            new_version().to_vec()
        } else {
            Vec::new()
        };
        arguments.push(version);
        let count = 3 + names.len() + 6 + packed.clients.len() + arguments.len();
        let bytes = packed.payload.len() + 128 * (names.len() + 2);
        let mut call = self.change.call(3 + names.len(), count, bytes);
        self.name_what_all_use(&mut call);
        call.arg(names);
        let seen = match (self.seen(), Change::are_notes(&changes)) {
            (seen, true) if !seen.starts_with('L') => format!("N{seen}"),
            (seen, _) => seen,
        };
        self.say_what_all_hear(&mut call, seen, &packed, changes.len());
        call.arg(arguments);
        let sent = self.link.run(&self.change, &call).await;
        let (verdicts, number): (Vec<u8>, u64) =
            sent.inspect_err(|error| self.notice_loss(error))?;
        self.acknowledge(number);
        verdicts
            .iter()
            .map(|byte| match Verdict::from_byte(*byte) {
                Some(Verdict::Done) => Ok(Changed::Done),
                Some(Verdict::Nothing) => Ok(Changed::Unchanged),
                _ => Err(StoreError::Damaged("the reply of a script".to_owned())),
            })
            .collect()
    }

    /// Puts a loss on record, once. The checks stay refused.
    pub(super) async fn report_loss(&self) -> Result<(), StoreError> {
        if self.loss.load(Ordering::Acquire) != UNREPORTED {
            return Ok(());
        }
        self.change(vec![incident()]).await?;
        self.loss.store(REPORTED, Ordering::Release);
        Ok(())
    }

    /// A store that has lost what it acknowledged answers nothing more in this process. Whoever
    /// runs it mends it, or starts the service again to go on without what is lost.
    pub(super) fn notice_loss(&self, error: &StoreError) {
        if matches!(error, StoreError::Lost) {
            let first = self.loss.compare_exchange(
                NO_LOSS,
                UNREPORTED,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            if first.is_ok() {
                tracing::error!(%error, "no check is answered until this is mended");
            }
        }
    }

    /// How far the store has come, as the scripts want to hear it.
    pub(super) fn seen(&self) -> String {
        let number = self.acknowledged.load(Ordering::Acquire);
        match self.loss.load(Ordering::Acquire) {
            NO_LOSS => number.to_string(),
            _ => format!("L{number}"),
        }
    }

    /// The keys that the scripts begin with.
    pub(super) fn name_what_all_use(&self, call: &mut Cmd) {
        call.arg(keys::IDENTITY)
            .arg(keys::TAIL)
            .arg(keys::SEQUENCES);
    }

    /// The arguments that the scripts begin with.
    pub(super) fn say_what_all_hear(
        &self,
        call: &mut Cmd,
        seen: String,
        packed: &Packed,
        items: usize,
    ) {
        call.arg(self.identity.load().as_bytes())
            .arg(packed.payload.as_slice())
            .arg(HEXLOWER.encode(&self.writer))
            .arg(seen)
            .arg(items)
            .arg(packed.clients.len());
        for client in &packed.clients {
            call.arg(client.as_str());
        }
    }
}

fn incident() -> Change {
    let what = "the store lost entries that it had acknowledged".to_owned();
    Change {
        at: Moment::now(),
        context: Arc::new(Context::of_service(Op::Incident, Detail::Incident { what })),
        pn: None,
        action: Action::Note,
    }
}

/// An item's client as the scripts count them: from 1, 0 for none.
fn client(packed: &Packed, index: usize) -> Vec<u8> {
    let client = packed.client_of[index].map_or(0, |client| client + 1);
    client.to_string().into_bytes()
}

/// The same for all items, two bytes each.
pub(super) fn client_bytes(packed: &Packed) -> Vec<u8> {
    let clients = packed.client_of.iter();
    clients
        .flat_map(|client| client.map_or(0, |client| client + 1).to_be_bytes())
        .collect()
}

/// The field of a listing in its number's hash.
fn field(listing: &Listing) -> String {
    format!("{}/{}", listing.registration.as_str(), listing.seller.get())
}

pub(super) fn decisions(
    asks: &[Ask],
    ids: &[EntryId],
    verdicts: &[u8],
    repeated: &[String],
) -> Option<Vec<Decision>> {
    if verdicts.len() != asks.len() {
        return None;
    }
    let mut decisions = Vec::with_capacity(asks.len());
    for ((ask, id), verdict) in asks.iter().zip(ids).zip(verdicts) {
        decisions.push(match Verdict::from_byte(*verdict)? {
            Verdict::Nothing => None,
            verdict => Some(Decision {
                answer: verdict.answer()?,
                id: *id,
                at: ask.at,
            }),
        });
    }
    for pair in repeated.chunks(2) {
        let [place, before] = pair else { return None };
        let place: usize = place.parse().ok()?;
        *decisions.get_mut(place.checked_sub(1)?)? = Remembered::read(before)?.decision();
    }
    decisions.into_iter().collect()
}
