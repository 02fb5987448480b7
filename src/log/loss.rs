//! A store that lost what it had acknowledged, as far as the log can tell: is it older than the log?
//!
//! The last sealed batch stays in its tail. Where it is gone or is another one, the store was
//! restored from a backup, or a replica that was behind took over: opt-outs may be missing. Then
//! the store is marked, nobody is answered from it, and nothing of it is sealed, until its newest
//! data is back or whoever runs it accepts the loss, on record.

use serde::{Deserialize, Serialize};

use super::commit::{Cursor, Head};
use super::sealer::{newest_commit, seen};
use super::{Archive, LogError, archive::damaged, identity};
use crate::domain::{Context, Detail, Op};
use crate::store::{Kind, Store};

/// What the mark of such a store says, and, once it is accepted, the log.
const OLDER: &str = "the store came back older than the log";

/// What an entry says where a store was found to lack what it had acknowledged.
pub const FOUND: &str = "the store lost entries that it had acknowledged";

/// What an entry begins with in which the operator accepts a loss; what was lost follows.
pub const ACCEPTED: &str = "the operator goes on without what the store lost: ";

/// The document that says up to which commit of the log it was accepted that the store is older.
const DOCUMENT: &str = "accepted";

#[derive(Serialize, Deserialize)]
struct Accepted {
    sequence: u64,
}

/// Whether log and store fit together: one belongs to the other, and neither has gone back behind
/// the other. Nothing is changed.
///
/// # Errors
/// What is wrong, as the sealer says it.
pub async fn examine(archive: &Archive, store: &Store, store_id: &str) -> Result<(), LogError> {
    identity::compare(archive, store, store_id).await?;
    newest_commit(archive, store).await?;
    match is_older(archive, store).await? {
        true => Err(LogError::StoreIsOlder),
        false => Ok(()),
    }
}

/// Looks whether the store is older than the log, and marks it if it is. True while that is not
/// accepted.
///
/// # Errors
/// [`LogError`].
pub async fn compare(archive: &Archive, store: &Store) -> Result<bool, LogError> {
    let is_older = is_older(archive, store).await?;
    if is_older {
        store.mark_lost(OLDER).await?;
    }
    Ok(is_older)
}

async fn is_older(archive: &Archive, store: &Store) -> Result<bool, LogError> {
    // A log that has gone back says nothing about the store; the sealer finds that out.
    let seen = seen(store).await?.map_or(0, |(_, seen)| seen.sequence);
    // Whoever seals meanwhile drops what a commit stands on that is no longer the newest.
    while let Some(head) = archive.newest().await? {
        if head.sequence < seen
            || all_anchored(store, &head).await?
            || is_accepted(store, &head).await?
        {
            return Ok(false);
        }
        if is_newest(archive, &head).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the store lost, if nobody has accepted that. With `accept`, whoever runs the service does:
/// that comes on record, and the mark goes.
///
/// # Errors
/// [`LogError`].
pub async fn settle(
    archive: &Archive,
    store: &Store,
    accept: bool,
) -> Result<Option<String>, LogError> {
    let Some(what) = store.loss().await? else {
        return Ok(None);
    };
    if !accept {
        return Ok(Some(what));
    }
    if let Some(head) = archive.newest().await? {
        put_accepted(store, head.sequence).await?;
    }
    // On record first: broken off after it, it is said twice, never not at all.
    let what = format!("{ACCEPTED}{what}");
    tracing::warn!("{what}");
    let incident = Context::of_service(Op::Incident, Detail::Incident { what });
    store.note(incident).await?;
    store.accept_loss().await?;
    Ok(None)
}

async fn all_anchored(store: &Store, head: &Head) -> Result<bool, LogError> {
    for (tail, cursor) in head.cursors.iter().enumerate() {
        if let Some(cursor) = cursor
            && !is_anchored(store, tail as u16, cursor).await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a tail still holds the batch that a cursor stands on, in its place.
pub(super) async fn is_anchored(
    store: &Store,
    tail: u16,
    cursor: &Cursor,
) -> Result<bool, LogError> {
    let first = store.tail(tail, Some(cursor.position), 1).await?;
    Ok(first.first().is_some_and(|batch| cursor.is_on(batch)))
}

/// Whether nobody has made the commit that follows `head`.
pub(super) async fn is_newest(archive: &Archive, head: &Head) -> Result<bool, LogError> {
    let newest = archive.commits().await?.pop();
    Ok(newest.is_none_or(|newest| newest <= head.sequence))
}

/// Whether it was accepted that the store lacks what this commit stands on.
async fn is_accepted(store: &Store, head: &Head) -> Result<bool, LogError> {
    let found = store.get(Kind::Log, DOCUMENT).await?;
    let accepted = found.map(|found| read(&found.body)).transpose()?;
    Ok(accepted.is_some_and(|accepted| accepted.sequence >= head.sequence))
}

async fn put_accepted(store: &Store, sequence: u64) -> Result<(), LogError> {
    let body = serde_json::to_string(&Accepted { sequence })
        .map_err(|_| damaged("what was accepted cannot be written"))?;
    loop {
        let put = match store.get(Kind::Log, DOCUMENT).await? {
            None => store.create(Kind::Log, DOCUMENT, body.clone()).await?,
            Some(found) => {
                let version = found.version;
                store
                    .replace(Kind::Log, DOCUMENT, version, body.clone())
                    .await?
            }
        };
        if put {
            return Ok(());
        }
    }
}

fn read(body: &str) -> Result<Accepted, LogError> {
    serde_json::from_str(body).map_err(|_| damaged("what the store remembers of it cannot be read"))
}
