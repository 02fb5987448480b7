//! What the two lanes do: turn items into a script's keys and arguments, and its reply into answers.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use redis::{Cmd, Pipeline};

use super::ahead::{new_version, worthwhile};
use super::keys;
use super::link::{Link, Script};
use super::peers::{Peers, Session, Ticket};
use crate::domain::{Decision, EntryId};
use crate::store::batch::{self, Packed, Verdict};
use crate::store::layout::Place;
use crate::store::replay::Remembered;
use crate::store::{Action, Ask, Change, Changed, StoreError};

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
    pub(super) meet: Script,
    pub(super) loss: Script,
    pub(super) peers: Arc<Peers>,
    identity: ArcSwap<String>,
    weakness: ArcSwapOption<StoreError>,
    replay_window: Duration,
}

/// What every script begins with that answers or acknowledges.
const SERVER: &str = include_str!("scripts/server.lua");

/// What every script goes on with that appends entries.
const PRELUDE: &str = include_str!("scripts/prelude.lua");

impl Shared {
    pub(super) fn new(link: Link, replay_window: Duration) -> Self {
        Self {
            link,
            decide: Script::new(&[SERVER, PRELUDE, include_str!("scripts/decide.lua")]),
            record: Script::new(&[SERVER, PRELUDE, include_str!("scripts/record.lua")]),
            change: Script::new(&[SERVER, PRELUDE, include_str!("scripts/change.lua")]),
            document: Script::new(&[SERVER, include_str!("scripts/document.lua")]),
            lease: Script::new(&[include_str!("scripts/lease.lua")]),
            import: Script::new(&[SERVER, include_str!("scripts/import.lua")]),
            meet: Script::new(&[include_str!("scripts/meet.lua")]),
            loss: Script::new(&[include_str!("scripts/loss.lua")]),
            peers: Arc::default(),
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

    /// What makes the server unfit at the moment.
    pub(super) fn weakness(&self) -> &ArcSwapOption<StoreError> {
        &self.weakness
    }

    /// Refuses work for a server that would forget it, and for a store that is marked.
    pub(super) fn usable(&self) -> Result<(), StoreError> {
        if self.peers.is_lost() {
            return Err(StoreError::Marked);
        }
        self.safe()
    }

    /// Refuses work for a server that would forget it.
    pub(super) fn safe(&self) -> Result<(), StoreError> {
        match &*self.weakness.load() {
            Some(error) => Err(StoreError::clone(error)),
            None => Ok(()),
        }
    }

    /// Makes sure that the store still has its identity, is not marked, and names this server.
    pub(super) async fn present(&self) -> Result<(), StoreError> {
        let presence: Presence = self.link.pipeline(&self.ask_for_presence()).await?;
        self.judge(&presence)
    }

    /// Asks for a [`Presence`].
    pub(super) fn ask_for_presence(&self) -> Pipeline {
        let mut all = redis::pipe();
        all.cmd("GET").arg(keys::IDENTITY);
        all.cmd("HMGET")
            .arg(keys::SEQUENCES)
            .arg(self.identity())
            .arg(keys::LOST);
        all.cmd("INFO").arg("replication");
        all
    }

    /// Whether a store is ours, is not marked, and names its server.
    pub(super) fn judge(
        &self,
        (identity, (server, lost), info): &Presence,
    ) -> Result<(), StoreError> {
        self.recognise(identity.as_deref())?;
        if lost.is_some() {
            return Err(StoreError::Marked);
        }
        match server {
            Some(server) if info.lines().any(|line| line == server) => Ok(()),
            _ => Err(StoreError::Unsettled),
        }
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
        let ticket = self.peers.ticket();
        let packed = batch::pack(ticket.session.writer, asks.iter());
        if worthwhile(asks)
            && let Some(decided) = self.decide_ahead(link, asks, &packed, &ticket).await?
        {
            return Ok(decided);
        }
        let call = self.call_to_decide(asks, &packed, &ticket);
        let sent = link.run(&self.decide, &call).await;
        let (verdicts, number, repeated): (Vec<u8>, u64, Vec<String>) =
            sent.inspect_err(|error| self.notice(error))?;
        self.peers.acknowledge_entries(&ticket, number)?;
        decisions(asks, &packed.ids, &verdicts, &repeated)
            .ok_or_else(|| StoreError::Damaged("the reply of a script".to_owned()))
    }

    fn call_to_decide(&self, asks: &[Ask], packed: &Packed, ticket: &Ticket) -> Cmd {
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
        self.say_what_all_hear(&mut call, &ticket.session, packed, asks.len(), false);
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
        let noting = Change::are_notes(&changes);
        if !noting {
            self.usable()?;
        }
        let ticket = self.peers.ticket();
        let packed = batch::pack(ticket.session.writer, changes.iter());
        let mut names = Vec::with_capacity(2 * changes.len());
        let mut arguments = Vec::with_capacity(5 * changes.len() + 1);
        for (index, change) in changes.iter().enumerate() {
            let (action, listing) = match &change.action {
                Action::Put(listing) => ("P", Some(listing)),
                Action::Remove(listing) => ("R", Some(listing)),
                Action::Note => ("N", None),
            };
            arguments.push(action.as_bytes().to_vec());
            arguments.push(client(&packed, index));
            match listing {
                Some(listing) => {
                    let place = Place::of(&listing.subject);
                    names.push(keys::bucket(&place));
                    names.push(keys::holders(&place, &listing.subject));
                    let member = place.member(listing.seller, listing.channels);
                    arguments.extend([
                        listing.registration.as_str().as_bytes().to_vec(),
                        listing.version.to_string().into_bytes(),
                        member.get().to_string().into_bytes(),
                    ]);
                }
                None => {
                    names.extend([keys::IDENTITY.to_owned(), keys::IDENTITY.to_owned()]);
                    arguments.extend([const { Vec::new() }; 3]);
                }
            }
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
        self.say_what_all_hear(&mut call, &ticket.session, &packed, changes.len(), noting);
        call.arg(arguments);
        let sent = self.link.run(&self.change, &call).await;
        let (verdicts, number, newer): (Vec<u8>, u64, Vec<String>) =
            sent.inspect_err(|error| self.notice(error))?;
        self.peers.acknowledge_entries(&ticket, number)?;
        let mut newer = newer.iter().map(|version| version.parse().ok());
        let changed = verdicts
            .iter()
            .map(|byte| match Verdict::from_byte(*byte)? {
                Verdict::Done => Some(Changed::Done),
                Verdict::Nothing => Some(Changed::Unchanged),
                Verdict::Outdated => newer.next()?.map(Changed::Outdated),
                _ => None,
            });
        let changed: Option<Vec<_>> = changed.collect();
        changed.ok_or_else(|| StoreError::Damaged("the reply of a script".to_owned()))
    }

    /// What a script refused may be news to the others, or to this process: it meets them at once.
    pub(super) fn notice(&self, error: &StoreError) {
        let known = match error {
            StoreError::Lost | StoreError::Marked => self.peers.is_lost(),
            StoreError::Unsettled => !self.peers.is_settled(),
            _ => true,
        };
        if !known {
            self.peers.meet_soon();
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
        session: &Session,
        packed: &Packed,
        items: usize,
        noting: bool,
    ) {
        call.arg(self.identity.load().as_bytes())
            .arg(packed.payload.as_slice())
            .arg(session.name.as_str());
        match noting {
            true => call.arg(format!("N{}", session.entries())),
            false => call.arg(session.entries()),
        };
        call.arg(items).arg(packed.clients.len());
        for client in &packed.clients {
            call.arg(client.as_str());
        }
    }
}

/// A store's identity, the server that it names and what it lost, and what the server says of itself.
pub(super) type Presence = (Option<String>, (Option<String>, Option<String>), String);

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
