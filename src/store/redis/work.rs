//! What the two lanes do: turn items into a script's keys and arguments, and its reply into answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use data_encoding::HEXLOWER;

use super::keys;
use super::link::{Link, Script};
use crate::domain::{Context, Decision, Detail, EntryId, Moment, Op};
use crate::store::batch::{self, Packed, Verdict};
use crate::store::layout::Place;
use crate::store::{Action, Ask, Change, Changed, Listing, StoreError};

/// What the lanes share.
#[derive(Debug)]
pub(super) struct Shared {
    link: Link,
    decide: Script,
    change: Script,
    pub(super) document: Script,
    writer: batch::Writer,
    acknowledged: AtomicU64,
    lost: AtomicU64,
    identity: ArcSwap<String>,
    weakness: ArcSwapOption<StoreError>,
    replay_window: Duration,
}

const PRELUDE: &str = include_str!("scripts/prelude.lua");

impl Shared {
    pub(super) fn new(link: Link, replay_window: Duration) -> Self {
        Self {
            link,
            decide: Script::new(&[PRELUDE, include_str!("scripts/decide.lua")]),
            change: Script::new(&[PRELUDE, include_str!("scripts/change.lua")]),
            document: Script::new(&[include_str!("scripts/document.lua")]),
            writer: crate::privacy::random(),
            acknowledged: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            identity: ArcSwap::default(),
            weakness: ArcSwapOption::empty(),
            replay_window,
        }
    }

    /// From here on the store must keep this identity.
    pub(super) fn begin(&self, identity: String) {
        self.identity.store(Arc::new(identity));
    }

    pub(super) fn identity(&self) -> String {
        self.identity.load().to_string()
    }

    /// What makes the server unfit at the moment.
    pub(super) fn weakness(&self) -> &ArcSwapOption<StoreError> {
        &self.weakness
    }

    /// Refuses work for a server that would forget it.
    pub(super) fn usable(&self) -> Result<(), StoreError> {
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
        if found.as_deref() == Some(self.identity.load().as_str()) {
            Ok(())
        } else {
            Err(StoreError::Foreign(
                "its identity is gone or another one; it was emptied or exchanged".to_owned(),
            ))
        }
    }

    /// Decides one batch.
    pub(super) async fn decide(&self, asks: Vec<Ask>) -> Result<Vec<Decision>, StoreError> {
        let packed = batch::pack(self.writer, asks.iter());
        let (mut names, mut arguments) = self.head(&packed, asks.len());
        let mut replays = Vec::new();
        for (index, ask) in asks.iter().enumerate() {
            arguments.push(client(&packed, index));
            let place = ask.number.map(|(subject, _)| Place::of(&subject));
            match &place {
                Some(place) => {
                    names.push(keys::bucket(place));
                    for (member, _) in place.refusing(ask.seller, ask.channel) {
                        arguments.push(member.get().to_string().into_bytes());
                    }
                }
                None => {
                    names.push(keys::IDENTITY.to_owned());
                    arguments.extend([const { Vec::new() }; 4]);
                }
            }
            if let Some(key) = &ask.replay {
                replays.push((index, keys::replay(place.as_ref(), key)));
            }
        }
        for (index, key) in replays {
            names.push(key);
            let remembered = format!("{}{}", packed.ids[index], asks[index].at.millis());
            arguments.push((index + 1).to_string().into_bytes());
            arguments.push(remembered.into_bytes());
            arguments.push(self.replay_window.as_millis().to_string().into_bytes());
        }
        let (verdicts, number, missing, repeated): (Vec<u8>, u64, u64, Vec<String>) =
            self.link.write(&self.decide, &names, &arguments).await?;
        self.note_progress(number, missing);
        decisions(&asks, &packed.ids, &verdicts, &repeated)
            .ok_or_else(|| StoreError::Damaged("the reply of a script".to_owned()))
    }

    /// Makes one batch of changes.
    pub(super) async fn change(
        &self,
        mut changes: Vec<Change>,
    ) -> Result<Vec<Changed>, StoreError> {
        let asked = changes.len();
        let lost = self.lost.swap(0, Ordering::AcqRel);
        if lost > 0 {
            changes.push(incident());
        }
        let packed = batch::pack(self.writer, changes.iter());
        let (mut names, mut arguments) = self.head(&packed, changes.len());
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
        let sent = self.link.write(&self.change, &names, &arguments).await;
        let (verdicts, number, missing): (Vec<u8>, u64, u64) = sent.inspect_err(|_| {
            self.lost.fetch_add(lost, Ordering::AcqRel);
        })?;
        self.note_progress(number, missing);
        verdicts
            .iter()
            .take(asked)
            .map(|byte| match Verdict::from_byte(*byte) {
                Some(Verdict::Done) => Ok(Changed::Done),
                Some(Verdict::Nothing) => Ok(Changed::Unchanged),
                _ => Err(StoreError::Damaged("the reply of a script".to_owned())),
            })
            .collect()
    }

    /// Puts a loss on record, if there was one since the last change.
    pub(super) async fn report_losses(&self) -> Result<(), StoreError> {
        if self.lost.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        self.change(Vec::new()).await.map(drop)
    }

    fn head(&self, packed: &Packed, items: usize) -> (Vec<String>, Vec<Vec<u8>>) {
        let names = vec![
            keys::IDENTITY.to_owned(),
            keys::TAIL.to_owned(),
            keys::SEQUENCES.to_owned(),
        ];
        let mut arguments = vec![
            self.identity.load().as_bytes().to_vec(),
            packed.payload.clone(),
            HEXLOWER.encode(&self.writer).into_bytes(),
            self.acknowledged
                .load(Ordering::Acquire)
                .to_string()
                .into_bytes(),
            items.to_string().into_bytes(),
            packed.clients.len().to_string().into_bytes(),
        ];
        arguments.extend(packed.clients.iter().map(|name| name.clone().into_bytes()));
        (names, arguments)
    }

    /// Remembers how far the store has come, and that it has lost something if it has: the next
    /// change takes an incident with it.
    fn note_progress(&self, number: u64, missing: u64) {
        self.acknowledged.fetch_max(number, Ordering::AcqRel);
        if missing > 0 {
            tracing::error!(
                missing,
                "the store has lost entries that it had acknowledged"
            );
            self.lost.fetch_add(missing, Ordering::AcqRel);
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

/// The field of a listing in its number's hash.
fn field(listing: &Listing) -> String {
    format!("{}/{}", listing.registration.as_str(), listing.seller.get())
}

fn decisions(
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
        let verdict = Verdict::from_byte(*before.as_bytes().first()?)?;
        *decisions.get_mut(place.checked_sub(1)?)? = Some(Decision {
            answer: verdict.answer()?,
            id: EntryId::parse(before.get(1..37)?)?,
            at: Moment::from_millis(before.get(37..)?.parse().ok()?),
        });
    }
    decisions.into_iter().collect()
}
