//! The meetings of the processes that share a store: when they take place, and who counts as dead.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::keys;
use super::link::{Drops, Link};
use super::peers::{LEFT, Session, Standing};
use super::work::Shared;
use crate::store::{RedisOptions, StoreError};

/// How often processes meet.
const MEET: Duration = Duration::from_millis(250);

/// How often while a server is being compared.
const COMPARE: Duration = Duration::from_millis(50);

/// How soon it is tried again where a meeting failed.
const AGAIN: Duration = Duration::from_millis(100);

/// How often a process that has nothing new to tell shows that it lives.
const BEAT: Duration = Duration::from_millis(400);

/// Who has not come for so long counts as dead.
const SILENCE: Duration = Duration::from_millis(1500);

/// The same where everybody whom this process has met has come: there is only somebody to wait for
/// who came just before the server went.
const GRACE: Duration = Duration::from_millis(400);

/// For how long the roster keeps somebody who is dead while there is nothing to compare.
const KEEP: Duration = Duration::from_secs(60);

/// How long one meeting may take. Short enough that a connection that hangs makes nobody dead.
const MEET_TIMEOUT: Duration = Duration::from_secs(1);

/// What the mark of such a store says.
const LOSS: &str = "the store lost entries that it had acknowledged";

/// Another process, as this one has met it.
#[derive(Debug)]
struct Peer {
    row: String,
    /// Since when its row is the same.
    since: Instant,
    left: bool,
    entries: u64,
    documents: u64,
}

/// What `meet.lua` replies.
type Reply = (String, String, u64, bool, Vec<(String, String)>);

/// The meetings of one process, as long as it lives.
pub(super) struct Meetings {
    shared: Arc<Shared>,
    options: RedisOptions,
    drops: Drops,
    link: Option<Link>,
    began: Instant,
    peers: HashMap<String, Peer>,
    /// Who was on the roster at the last meeting.
    roster: Vec<String>,
    /// The server that was met last, and since when.
    server: Option<(String, Instant)>,
    /// The server for which this process has made ready: no reply of an earlier one counts.
    ready_for: String,
    era: Option<u64>,
    /// Whether the store had named any server.
    is_new: bool,
    settled: bool,
}

impl Meetings {
    pub(super) fn new(shared: Arc<Shared>, options: RedisOptions, drops: Drops) -> Self {
        Self {
            shared,
            drops,
            // A meeting acknowledges nothing.
            options: RedisOptions {
                replicas: 0,
                ..options
            },
            link: None,
            began: Instant::now(),
            peers: HashMap::new(),
            roster: Vec::new(),
            server: None,
            ready_for: String::new(),
            era: None,
            is_new: false,
            settled: false,
        }
    }

    /// Meets again and again; never returns.
    pub(super) async fn keep(mut self) {
        loop {
            let pause = match self.meet().await {
                Ok(pause) => pause,
                Err(error) => {
                    // A connection that hangs is not waited for: the next one may not.
                    self.link = None;
                    tracing::debug!(%error, "this process could not meet the others");
                    AGAIN
                }
            };
            let soon = self.shared.peers.reason_to_meet();
            let _ = tokio::time::timeout(pause, soon).await;
        }
    }

    async fn meet(&mut self) -> Result<Duration, StoreError> {
        let link = match &self.link {
            Some(link) => link.clone(),
            None => {
                let link = Link::later(&self.options, MEET_TIMEOUT, self.drops.clone())?;
                self.link.insert(link).clone()
            }
        };
        let session = self.shared.peers.session();
        let arguments = self.arguments(&session);
        let names = [keys::IDENTITY, keys::SEQUENCES, keys::ROSTER].map(str::to_owned);
        let reply: Reply = link.write(&self.shared.meet, &names, &arguments).await?;
        Ok(self.hear(&session, reply))
    }

    fn arguments(&self, session: &Session) -> Vec<Vec<u8>> {
        let beat = self.began.elapsed().as_millis() / BEAT.as_millis();
        let mut arguments = vec![
            self.shared.identity(),
            session.name.clone(),
            beat.to_string(),
            self.era.map(|era| era.to_string()).unwrap_or_default(),
            self.ready_for.clone(),
            u8::from(self.may_name()).to_string(),
            LOSS.to_owned(),
        ];
        let dead: Vec<_> = self
            .roster
            .iter()
            .filter_map(|name| Some((name, self.peers.get(name)?)))
            .filter(|(_, peer)| self.is_dead(peer))
            .collect();
        arguments.push(dead.len().to_string());
        for (name, peer) in dead {
            arguments.extend([name.clone(), peer.row.clone()]);
        }
        let own = (&session.name, session.entries(), session.documents());
        let others = self.peers.iter();
        let others = others.map(|(name, peer)| (name, peer.entries, peer.documents));
        for (name, entries, documents) in std::iter::once(own).chain(others) {
            arguments.extend([name.clone(), entries.to_string(), documents.to_string()]);
        }
        arguments.into_iter().map(String::into_bytes).collect()
    }

    /// For how long it has been silent while it could have come.
    fn silence(&self, peer: &Peer) -> Duration {
        let met = self.server.as_ref().map_or(self.began, |(_, since)| *since);
        peer.since.max(met).elapsed()
    }

    fn is_dead(&self, peer: &Peer) -> bool {
        let comparing = !self.shared.peers.is_settled();
        self.silence(peer)
            >= if comparing && !peer.left {
                SILENCE
            } else {
                KEEP
            }
    }

    /// Whether everybody who lives has had the time to come.
    fn may_name(&self) -> bool {
        let Some((_, since)) = &self.server else {
            return false;
        };
        let all_here = || {
            let mut peers = self.peers.iter();
            peers.all(|(name, peer)| {
                peer.left || self.silence(peer) >= SILENCE || self.roster.contains(name)
            })
        };
        let waited = since.elapsed();
        self.is_new || waited >= SILENCE || (self.settled && waited >= GRACE && all_here())
    }

    /// Takes in what a meeting told; gives how long to wait for the next.
    fn hear(&mut self, session: &Session, reply: Reply) -> Duration {
        let (status, server, era, was_named, roster) = reply;
        let peers = self.shared.peers.clone();
        if status == "accepted" {
            peers.begin_anew();
            self.peers.clear();
            self.roster.clear();
            self.era = Some(era);
            return Duration::ZERO;
        }
        let now = Instant::now();
        if self.server.as_ref().is_none_or(|(met, _)| *met != server) {
            self.server = Some((server.clone(), now));
        }
        self.era = Some(era);
        self.is_new = !was_named && !self.settled && roster.len() == 1;
        self.roster.clear();
        for (name, row) in roster {
            if name == session.name {
                continue;
            }
            self.remember(&name, row, now);
            self.roster.push(name);
        }
        match status.as_str() {
            "settled" => {
                self.settled = true;
                if self.ready_for != server {
                    // Others named it; a reply of an earlier server counts no more.
                    peers.begin_comparison();
                    self.ready_for = server;
                }
                // Whoever is not on the roster any more has left, or is dead.
                let (all, roster) = (&mut self.peers, &self.roster);
                for (name, peer) in all {
                    peer.left |= !roster.contains(name);
                }
                peers.stand(Standing::Settled);
                MEET
            }
            "comparing" => {
                if !self.is_new {
                    peers.stand(Standing::Comparing);
                }
                if self.ready_for == server {
                    return COMPARE;
                }
                // From here on no reply of an earlier server counts; what did is compared.
                peers.begin_comparison();
                self.ready_for = server;
                Duration::ZERO
            }
            _ => {
                peers.stand(Standing::Lost);
                MEET
            }
        }
    }

    fn remember(&mut self, name: &str, row: String, now: Instant) {
        let mut words = row.split(' ').skip(1);
        let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let (entries, documents): (u64, u64) = (number(), number());
        let left = row.ends_with(LEFT);
        match self.peers.get_mut(name) {
            Some(peer) => {
                if peer.row != row {
                    (peer.row, peer.since) = (row, now);
                }
                peer.left = left;
                peer.entries = peer.entries.max(entries);
                peer.documents = peer.documents.max(documents);
            }
            None => {
                let peer = Peer {
                    row,
                    since: now,
                    left,
                    entries,
                    documents,
                };
                self.peers.insert(name.to_owned(), peer);
            }
        }
    }
}
