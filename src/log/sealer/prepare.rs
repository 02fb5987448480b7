//! What a commit makes of the log: its tiles and bundles, and the edge behind them. Nothing here
//! reads or writes.

use std::time::Instant;

use bytes::Bytes;

use super::gather::Gathered;
use super::{LogError, Sealing, damaged};
use crate::domain::Entry;
use crate::log::commit::{Commit, Head};
use crate::log::edge::Edge;
use crate::log::pace::make_way_after;
use crate::log::tile::Tile;

/// A file of the log, as it is to be written.
pub(super) type Written = (Tile, Bytes);

/// A commit with all that follows from it.
#[derive(Debug)]
pub(super) struct Made {
    pub commit: Commit,
    /// The edge before it.
    pub before: Edge,
    /// The edge behind it.
    pub edge: Edge,
    /// What is to be written.
    pub objects: Vec<Written>,
    /// Since when what came into the tails is for another commit; nothing where older entries are,
    /// too.
    pub all_until: Option<Instant>,
}

impl Sealing {
    /// Makes the commit that follows `head`, if there is one and all is as it should be.
    pub(super) async fn prepare_ahead(&self, head: &Head, edge: &Edge) -> Option<Made> {
        let gathered = self.look_ahead(head).await?;
        let made = prepare(head, edge.clone(), gathered, &self.origin).await;
        made.ok()
    }
}

/// Makes the commit that follows `head`.
pub(super) async fn prepare(
    head: &Head,
    edge: Edge,
    gathered: Gathered,
    origin: &str,
) -> Result<Made, LogError> {
    let (head, origin) = (head.clone(), origin.to_owned());
    let work = move || {
        let mut next = Head {
            sequence: head.sequence + 1,
            cursors: gathered.cursors,
            ..head.clone()
        };
        let mut before = edge;
        if gathered.log != head.log {
            if head.size > 0 {
                next.closed = head.logs();
            }
            next.log = gathered.log;
            next.origin = format!("{origin}/{}", gathered.log);
            before = Edge::empty();
        }
        next.from = before.size();
        let mut commit = Commit {
            head: next,
            batches: gathered.batches,
        };
        let (edge, objects) = append(&before, &gathered.entries)?;
        commit.head.size = edge.size();
        commit.head.root = edge.root();
        Ok(Made {
            commit,
            before,
            edge,
            objects,
            all_until: (!gathered.more).then_some(gathered.began),
        })
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| damaged("a batch of entries could not be worked out"))?
}

/// Works out again what a commit that was found means.
pub(super) fn replay(commit: Commit, before: Edge) -> Result<Made, LogError> {
    let entries = commit
        .entries()
        .map_err(|error| damaged(&error.to_string()))?;
    let (edge, objects) = append(&before, &entries)?;
    if edge.size() != commit.head.size || edge.root() != commit.head.root {
        return Err(damaged(
            "its newest tiles are not those that its commit names",
        ));
    }
    Ok(Made {
        commit,
        before,
        edge,
        objects,
        all_until: None,
    })
}

fn append(before: &Edge, entries: &[Entry]) -> Result<(Edge, Vec<Written>), LogError> {
    let (mut edge, mut objects, mut json) = (before.clone(), Vec::new(), Vec::new());
    for (place, entry) in entries.iter().enumerate() {
        make_way_after(place);
        json.clear();
        entry.write_json(&mut json);
        edge.append(&json, &mut objects)
            .map_err(|error| damaged(&error.to_string()))?;
    }
    // What a checkpoint that is published needs, and is as it was, is left alone.
    let there = Edge::parts(before.size());
    let partial = edge.partial().into_iter();
    objects.extend(partial.filter(|(tile, _)| !there.contains(tile)));
    let written = objects.into_iter();
    let written = written.map(|(tile, bytes)| (tile, bytes.into()));
    Ok((edge, written.collect()))
}
