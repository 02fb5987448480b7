//! Documents and their lists in the file.

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};

use super::tables::{self, DOCUMENTS, LISTS, META, away};
use crate::store::list::{Draft, List, entries, id_of};
use crate::store::{Beside, Document, Kind, StoreError};

pub(super) fn make_tables(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(DOCUMENTS).map_err(away)?;
    write.open_table(LISTS).map_err(away)?;
    Ok(())
}

/// A document.
pub(super) fn get(
    database: &Database,
    kind: Kind,
    id: &str,
) -> Result<Option<Document>, StoreError> {
    let read = database.begin_read().map_err(away)?;
    let documents = read.open_table(DOCUMENTS).map_err(away)?;
    document(&documents, kind, id)
}

fn document(
    documents: &impl ReadableTable<(&'static str, &'static str), (u64, &'static str, &'static str)>,
    kind: Kind,
    id: &str,
) -> Result<Option<Document>, StoreError> {
    let found = documents.get((kind.as_str(), id)).map_err(away)?;
    Ok(found.map(|row| {
        let (version, _, body) = row.value();
        let body = body.to_owned();
        Document { version, body }
    }))
}

/// The next entries of a list, with their documents.
pub(super) fn page(
    database: &Database,
    list: &List,
    limit: usize,
) -> Result<Vec<(String, Option<Document>)>, StoreError> {
    let read = database.begin_read().map_err(away)?;
    let documents = read.open_table(DOCUMENTS).map_err(away)?;
    let lists = read.open_table(LISTS).map_err(away)?;
    let kind = list.kind.as_str();
    if list.low >= list.high {
        return Ok(Vec::new());
    }
    let mut rows = lists
        .range((kind, &*list.low)..(kind, &*list.high))
        .map_err(away)?;
    let mut found = Vec::new();
    while found.len() < limit {
        let row = match list.newest_first {
            false => rows.next(),
            true => rows.next_back(),
        };
        let Some(row) = row else { break };
        let (key, _) = row.map_err(away)?;
        let entry = key.value().1.to_owned();
        let document = document(&documents, list.kind, id_of(&entry))?;
        found.push((entry, document));
    }
    Ok(found)
}

/// How many entries a list has.
pub(super) fn count(database: &Database, list: &List) -> Result<u64, StoreError> {
    let read = database.begin_read().map_err(away)?;
    let lists = read.open_table(LISTS).map_err(away)?;
    let kind = list.kind.as_str();
    if list.low >= list.high {
        return Ok(0);
    }
    let range = lists
        .range((kind, &*list.low)..(kind, &*list.high))
        .map_err(away)?;
    Ok(range.count() as u64)
}

/// Creates a document, or, if its version is still the one given, replaces it or, without a draft,
/// removes it; with the one beside it.
pub(super) fn put(
    write: &WriteTransaction,
    kind: Kind,
    id: &str,
    version: Option<u64>,
    draft: Option<&Draft>,
    beside: Option<&Beside>,
) -> Result<bool, StoreError> {
    let documents = write.open_table(DOCUMENTS).map_err(away)?;
    let current = document(&documents, kind, id)?.map(|document| document.version);
    if current != version {
        return Ok(false);
    }
    drop(documents);
    let next = version.map_or(1, |version| version + 1);
    set(write, kind, id, draft.map(|draft| (next, draft)))?;
    if let Some(Beside { kind, draft }) = beside {
        set(write, *kind, id, draft.as_ref().map(|draft| (1, draft)))?;
    }
    if kind.in_directory() {
        let mut meta = write.open_table(META).map_err(away)?;
        let version = tables::directory_version(&meta)?;
        tables::put_directory_version(&mut meta, version + 1)?;
    }
    Ok(true)
}

/// Puts a document in the place of what is there, or removes that; and its entries.
fn set(
    write: &WriteTransaction,
    kind: Kind,
    id: &str,
    put: Option<(u64, &Draft)>,
) -> Result<(), StoreError> {
    let mut documents = write.open_table(DOCUMENTS).map_err(away)?;
    let mut lists = write.open_table(LISTS).map_err(away)?;
    let key = (kind.as_str(), id);
    let before = documents.remove(key).map_err(away)?;
    let before = before.map(|row| row.value().1.to_owned());
    for entry in entries(before.as_deref().unwrap_or_default(), id) {
        lists.remove((kind.as_str(), &*entry)).map_err(away)?;
    }
    if let Some((version, draft)) = put {
        let places = draft.places();
        for entry in entries(&places, id) {
            lists.insert((kind.as_str(), &*entry), ()).map_err(away)?;
        }
        let row = (version, &*places, &*draft.body);
        documents.insert(key, row).map_err(away)?;
    }
    Ok(())
}
