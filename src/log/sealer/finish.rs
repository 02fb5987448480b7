//! From a commit to a published checkpoint.

use super::prepare::Written;
use super::{KEPT_COMMITS, LogError, Made, Sealer, damaged};
use crate::domain::Moment;
use crate::log::checkpoint::Checkpoint;
use crate::log::commit::{self, Head};
use crate::log::edge::Edge;
use crate::log::note::Note;
use crate::log::pace::make_way_after;
use crate::log::tile::{Tile, WIDTH, entries, extent, index_path};
use crate::log::{Archive, Hash, SEGMENT, fault, loss};
use crate::store::{Kind, Store};

/// How many objects are read back at once.
const AT_ONCE: usize = 32;

/// So many segments may wait for their index while there is more to seal.
const PUT_OFF: usize = 16;

/// The document in which the store remembers how far the log has come.
pub(in crate::log) const SEEN: &str = "seen";

/// A checkpoint is kept for good whenever the log has grown by so many entries, and once a day.
const KEEP_EVERY: u64 = 1 << 16;

#[derive(serde::Serialize, serde::Deserialize)]
pub(in crate::log) struct Seen {
    /// The newest commit that was published.
    pub(in crate::log) sequence: u64,
}

/// What the store remembers of the log, with the document's version.
pub(in crate::log) async fn seen(store: &Store) -> Result<Option<(u64, Seen)>, LogError> {
    let Some(document) = store.get(Kind::Log, SEEN).await? else {
        return Ok(None);
    };
    let seen = serde_json::from_str(&document.body)
        .map_err(|_| damaged("what the store remembers of it cannot be read"))?;
    Ok(Some((document.version, seen)))
}

/// What the store remembers of a log of which it has seen nothing.
pub(in crate::log) fn nothing_seen() -> String {
    json(&Seen { sequence: 0 })
}

fn json(seen: &Seen) -> String {
    serde_json::to_string(seen).unwrap_or_default()
}

/// The newest commit. It makes sure that the log has not gone back behind what the store has seen of
/// it: a restored backup of the log must not go on as if the newer checkpoints had never been
/// published.
pub(in crate::log) async fn newest_commit(
    archive: &Archive,
    store: &Store,
) -> Result<Option<u64>, LogError> {
    // The store first: what it has seen is in the log by then, whoever else is at work.
    let seen = seen(store).await?.map_or(0, |(_, seen)| seen.sequence);
    let newest = archive.commits().await?.pop();
    if seen > newest.unwrap_or(0) {
        return Err(LogError::GoneBack {
            place: archive.storage().place(),
        });
    }
    Ok(newest)
}

impl Sealer {
    /// Does all that a commit asks for. Doing it twice is harmless, by two processes too.
    ///
    /// Returns whether the commit is still the newest. Where it is not, this process slept, and its
    /// checkpoint may have replaced a newer one: whoever sees that starts over from the newest.
    pub(super) async fn finish(&mut self, made: &Made) -> Result<bool, LogError> {
        let storage = self.plan.archive.storage().clone();
        let head = made.commit.head.clone();
        let objects = made.objects.iter();
        let objects =
            objects.map(|(tile, bytes)| (in_log(&head, tile), fault::spoil(bytes.clone())));
        storage.put(objects.collect()).await?;
        fault::point("after-tiles");
        self.recheck(made).await?;
        fault::point("after-recheck");
        self.publish(&head).await?;
        fault::point("after-checkpoint");
        self.remember(head.sequence).await?;
        for (tail, cursor) in head.cursors.iter().enumerate() {
            let tail = tail as u16;
            // In a store that came back older, what lies before the place may not be sealed.
            if let Some(cursor) = cursor
                && loss::is_anchored(&self.plan.store, tail, cursor).await?
            {
                self.plan.store.trim(tail, cursor.position).await?;
            }
        }
        fault::point("after-trim");
        let newest = self.tidy(&head).await?;
        fault::point("after-tidying");
        let full = head.from / SEGMENT..head.size / SEGMENT;
        let full = full.map(|number| (head.log, number, head.size));
        self.unindexed.extend(full);
        Ok(newest)
    }

    /// Has an index made of what has become full. No entry waits for it, and whoever looks for
    /// something sooner makes it then; so sealing goes first while `more` is waiting, but not for
    /// ever.
    pub(super) fn index_what_is_full(&mut self, more: bool) {
        if self.unindexed.is_empty() || more && self.unindexed.len() < PUT_OFF {
            return;
        }
        let (archive, full) = (
            self.plan.archive.clone(),
            std::mem::take(&mut self.unindexed),
        );
        #[expect(clippy::disallowed_methods, reason = "it ends with what is full")]
        tokio::spawn(async move {
            for (log, number, size) in full {
                if let Err(error) = archive.index(log, number, size).await {
                    tracing::warn!(
                        %error,
                        "a part of the log has no index; see `metrust audit reindex`"
                    );
                }
            }
        });
    }

    /// Reads back what was written and compares it, hashes it anew, and compares the root: what is
    /// signed is what lies there.
    async fn recheck(&self, made: &Made) -> Result<(), LogError> {
        let log = made.commit.head.log;
        for part in made.objects.chunks(AT_ONCE) {
            let tiles = part.iter().map(|(tile, _)| *tile).collect();
            // By way of the archive: a partial tile may have become a full one under another
            // process.
            let found = self.plan.archive.tiles(log, tiles).await?;
            for ((tile, bytes), found) in part.iter().zip(found) {
                if found.as_deref() != Some(&bytes[..]) {
                    let path = in_log(&made.commit.head, tile);
                    return Err(damaged(&format!("{path} is not what was written")));
                }
            }
        }
        let is_bundle = |(tile, _): &&Written| matches!(tile, Tile::Entries { .. });
        // The partial one comes last.
        let bundles: Vec<_> = made.objects.iter().filter(is_bundle).cloned().collect();
        let (before, head) = (made.before.clone(), made.commit.head.clone());
        tokio::task::spawn_blocking(move || rehash(before, &head, &bundles))
            .await
            .map_err(|_| damaged("what was written could not be hashed"))?
    }

    /// Signs and publishes the checkpoint, unless a newer one is there; never a second root for
    /// one size.
    pub(super) async fn publish(&mut self, head: &Head) -> Result<(), LogError> {
        if head.sequence == 0 {
            return Ok(());
        }
        let storage = self.plan.archive.storage().clone();
        if let Some(published) = self.plan.archive.published(head.log).await? {
            if published.size > head.size {
                return Ok(());
            }
            if published.size == head.size && published.root != head.root {
                return Err(LogError::Forked {
                    place: storage.place(),
                });
            }
        }
        let signed = self.sign(head)?;
        // Before what they sign, so that nobody meets a signature of an unknown key.
        self.publish_keys(head).await?;
        let path = format!("{}/checkpoint", head.log);
        fault::point("before-checkpoint");
        let published = self.plan.archive.checkpoint(head.log).await?;
        if published.as_deref() != Some(signed.as_bytes()) {
            storage
                .put(vec![(path, signed.clone().into_bytes().into())])
                .await?;
        }
        let day = Moment::now().millis() / 86_400_000;
        if self.kept != Some(day) || head.from / KEEP_EVERY != head.size / KEEP_EVERY {
            let path = format!("{}/checkpoints/{}", head.log, head.size);
            storage.create(&path, signed.into_bytes()).await?;
            self.kept = Some(day);
        }
        Ok(())
    }

    fn sign(&self, head: &Head) -> Result<String, LogError> {
        let origin = |error: crate::log::note::NoteError| LogError::Origin(error.to_string());
        let checkpoint = Checkpoint {
            origin: head.origin.clone(),
            size: head.size,
            root: head.root,
        };
        let signers = self.plan.keys.signers(&head.origin, Moment::now());
        let signers = signers.map_err(origin)?;
        let signers: Vec<_> = signers.iter().collect();
        let note = Note::sign(checkpoint.to_string(), &signers).map_err(origin)?;
        Ok(note.to_string())
    }

    /// Publishes the verifier keys of every log, where they are not published yet.
    async fn publish_keys(&mut self, head: &Head) -> Result<(), LogError> {
        let mut text = String::new();
        for log in head.logs().iter().rev() {
            let verifiers = self.plan.keys.verifiers(&log.origin);
            for key in verifiers.map_err(|error| LogError::Origin(error.to_string()))? {
                text.push_str(&format!("{key}\n"));
            }
        }
        if text != self.vkeys {
            let bytes = text.clone().into_bytes();
            let storage = self.plan.archive.storage();
            storage
                .put(vec![("vkeys".to_owned(), bytes.into())])
                .await?;
            self.vkeys = text;
        }
        Ok(())
    }

    async fn remember(&self, sequence: u64) -> Result<(), LogError> {
        let body = json(&Seen { sequence });
        match seen(&self.plan.store).await? {
            None => {
                self.plan.store.create(Kind::Log, SEEN, body).await?;
            }
            Some((version, seen)) if seen.sequence < sequence => {
                self.plan
                    .store
                    .replace(Kind::Log, SEEN, version, body)
                    .await?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Removes what nobody needs any more: commits far behind, and partial tiles that have become
    /// full. Whatever cannot be removed is tried again with the next commit, or stays and does no
    /// harm. Returns whether the commit is the newest.
    async fn tidy(&self, head: &Head) -> Result<bool, LogError> {
        let storage = self.plan.archive.storage();
        let kept = self.plan.archive.commits().await?;
        let newest = kept.last().is_none_or(|newest| *newest <= head.sequence);
        let tidied = async {
            let old = kept
                .into_iter()
                .filter(|sequence| sequence + KEPT_COMMITS <= head.sequence);
            // The oldest first: the sealer's rule about a predecessor that is gone rests on it.
            for sequence in old {
                storage.remove(vec![commit::path(sequence)]).await?;
            }
            for folder in outgrown(head) {
                storage.remove_all(&folder).await?;
            }
            Ok::<(), LogError>(())
        };
        if let Err(error) = tidied.await {
            tracing::warn!(%error, "the log could not be tidied up");
        }
        Ok(newest)
    }
}

/// The folders of partial tiles that have become full with this commit: whoever still wants a
/// partial one gets it cut from the full one.
fn outgrown(head: &Head) -> Vec<String> {
    let mut folders = Vec::new();
    for level in 0..8 {
        let (partial, width) = extent(level, head.from);
        let (full, _) = extent(level, head.size);
        if width == 0 || partial >= full {
            continue;
        }
        let index = index_path(partial);
        folders.push(format!("{}/tile/{level}/{index}.p", head.log));
        if level == 0 {
            folders.push(format!("{}/tile/entries/{index}.p", head.log));
        }
    }
    folders
}

fn in_log(head: &Head, tile: &Tile) -> String {
    format!("{}/{}", head.log, tile.path())
}

/// Appends what the bundles hold behind `before`, and compares size and root with the commit's.
fn rehash(before: Edge, head: &Head, bundles: &[Written]) -> Result<(), LogError> {
    let (mut edge, mut scratch) = (before, Vec::new());
    for (tile, bundle) in bundles {
        let (Tile::Entries { index, .. } | Tile::Hashes { index, .. }) = tile;
        for (place, entry) in entries(bundle).enumerate() {
            make_way_after(place);
            let entry = entry.map_err(|error| damaged(&error.to_string()))?;
            if index * WIDTH + place as u64 == edge.size() {
                edge.append(entry, &mut scratch)
                    .map_err(|error| damaged(&error.to_string()))?;
                scratch.clear();
            }
        }
    }
    let (size, root): (u64, Hash) = (edge.size(), edge.root());
    if (size, root) == (head.size, head.root) {
        Ok(())
    } else {
        Err(damaged(
            "what was written does not give the root that was committed",
        ))
    }
}
