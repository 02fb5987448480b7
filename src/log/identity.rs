//! Which log belongs to which store.
//!
//! The log holds a name of its own and the store's; the store holds the log's. A store whose log is
//! not there must not begin another one unasked: what it had proved would be gone unnoticed. And
//! two stores must not write into one log.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{Archive, LogError, archive::damaged};
use crate::domain::{Context, Detail, Moment, Op};
use crate::store::{Kind, Store};

/// The object in which the log says which one it is.
pub(in crate::log) const OBJECT: &str = "log.id";

/// The document in which the store says which log is its own.
const DOCUMENT: &str = "identity";

#[derive(Serialize, Deserialize)]
struct OfLog {
    id: String,
    store: String,
}

#[derive(Serialize, Deserialize)]
struct OfStore {
    id: String,
    part: u16,
    /// When it was begun, if one before it was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Moment>,
}

/// The log of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised {
    /// How many logs the store has had, this one included.
    pub part: u16,
    /// When this one was begun, if one before it was lost: of what was sealed earlier, only that
    /// it was lost is known.
    pub begun: Option<Moment>,
}

impl From<OfStore> for Recognised {
    fn from(own: OfStore) -> Self {
        Self {
            part: own.part,
            begun: own.begun,
        }
    }
}

/// Makes sure that log and store belong together, and ties them together when both are new.
///
/// # Errors
/// [`LogError::OtherStore`], [`LogError::Elsewhere`]; with `new_log` the latter begins another one.
pub async fn recognise(
    archive: &Archive,
    store: &Store,
    store_id: &str,
    new_log: bool,
) -> Result<Recognised, LogError> {
    let storage = archive.storage();
    let place = || storage.place();
    let mut of_log = read_log(archive).await?;
    let document = store.get(Kind::Log, DOCUMENT).await?;
    let of_store: Option<OfStore> = match &document {
        None => None,
        Some(document) => Some(read(document.body.as_bytes())?),
    };
    if of_log.as_ref().is_some_and(|log| log.store != store_id) {
        return Err(LogError::OtherStore { place: place() });
    }
    // A log that was begun anew, but not to the end, has its name and nothing else yet.
    let half_begun = match (&of_store, &of_log) {
        (Some(own), Some(log)) => {
            own.id != log.id && new_log && archive.commits().await?.is_empty()
        }
        _ => false,
    };
    let lost = of_store.is_some() && of_log.is_none() || half_begun;
    if lost && !new_log {
        return Err(LogError::Elsewhere { place: place() });
    }
    if of_log.is_none() {
        let proposed = OfLog {
            id: HEXLOWER.encode(&crate::privacy::random::<16>()),
            store: store_id.to_owned(),
        };
        // Whoever comes second finds the first one's.
        storage.create(OBJECT, json(&proposed)).await?;
        of_log = read_log(archive).await?;
    }
    let of_log = of_log.ok_or_else(|| damaged("its name is gone"))?;
    if of_log.store != store_id {
        return Err(LogError::OtherStore { place: place() });
    }
    match (document, of_store) {
        (_, Some(own)) if own.id == of_log.id => Ok(own.into()),
        (Some(document), Some(own)) if lost => {
            let part = own.part.saturating_add(1);
            // On record first: broken off after it, it says so twice, never not at all.
            report(store).await?;
            let next = OfStore {
                id: of_log.id,
                part,
                begun: Some(Moment::now()),
            };
            forget_seen(store).await?;
            let body = String::from_utf8_lossy(&json(&next)).into_owned();
            if !store
                .replace(Kind::Log, DOCUMENT, document.version, body)
                .await?
            {
                return Err(LogError::Elsewhere { place: place() });
            }
            Ok(next.into())
        }
        (_, Some(_)) => Err(LogError::Elsewhere { place: place() }),
        (_, None) => {
            let own = OfStore {
                id: of_log.id.clone(),
                part: 1,
                begun: None,
            };
            let body = String::from_utf8_lossy(&json(&own)).into_owned();
            store.create(Kind::Log, DOCUMENT, body).await?;
            let document = store.get(Kind::Log, DOCUMENT).await?;
            let document = document.ok_or_else(|| damaged("the store forgot its name"))?;
            let own: OfStore = read(document.body.as_bytes())?;
            if own.id == of_log.id {
                Ok(own.into())
            } else {
                Err(LogError::Elsewhere { place: place() })
            }
        }
    }
}

/// Whether log and store belong together; nothing is changed.
///
/// # Errors
/// [`LogError::OtherStore`], [`LogError::Elsewhere`].
pub(in crate::log) async fn compare(
    archive: &Archive,
    store: &Store,
    store_id: &str,
) -> Result<(), LogError> {
    let place = || archive.storage().place();
    let document = store.get(Kind::Log, DOCUMENT).await?;
    let own: Option<OfStore> = match &document {
        None => None,
        Some(document) => Some(read(document.body.as_bytes())?),
    };
    let log = read_log(archive).await?;
    if log.as_ref().is_some_and(|log| log.store != store_id) {
        return Err(LogError::OtherStore { place: place() });
    }
    let id = log.map(|log| log.id);
    match own {
        Some(own) if Some(&own.id) != id.as_ref() => Err(LogError::Elsewhere { place: place() }),
        _ => Ok(()),
    }
}

async fn read_log(archive: &Archive) -> Result<Option<OfLog>, LogError> {
    let bytes = archive.storage().get(OBJECT).await?;
    bytes.as_deref().map(read).transpose()
}

/// What was seen of the lost log says nothing about the new one.
async fn forget_seen(store: &Store) -> Result<(), LogError> {
    if let Some(document) = store.get(Kind::Log, super::sealer::SEEN).await? {
        let none = super::sealer::nothing_seen();
        store
            .replace(Kind::Log, super::sealer::SEEN, document.version, none)
            .await?;
    }
    Ok(())
}

async fn report(store: &Store) -> Result<(), LogError> {
    let what = "the log was lost, and another one begun".to_owned();
    let incident = Context::of_service(Op::Incident, Detail::Incident { what });
    Ok(store.note(incident).await?)
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, LogError> {
    serde_json::from_slice(bytes).map_err(|_| damaged("its name cannot be read"))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
