//! What the file holds.

use redb::{ReadableTable, TableDefinition};

use crate::store::{Identity, SellerNumber, StoreError};

/// The identity, the directory's version, where the tail begins, which files the journal has, what was
/// lost.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// What of the tail came with something else that is in here: position to outcome and packed batch.
/// The rest is in the journal.
pub(super) const TAIL: TableDefinition<u64, &[u8]> = TableDefinition::new("tail");

/// What each registration holds of each number: subject and registration, to the version that it was
/// wanted under and the members' integers. Empty, too, so that nothing older comes after it.
pub(super) const HOLDINGS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("holdings");

/// How many registrations hold a member: subject and the member's integer, to their count.
pub(super) const MEMBERS: TableDefinition<(&[u8; 16], i64), u32> = TableDefinition::new("members");

/// Kind and id to version, places in lists, and body.
pub(super) const DOCUMENTS: TableDefinition<(&str, &str), (u64, &str, &str)> =
    TableDefinition::new("documents");

/// The entries of lists of documents: kind, and entry.
pub(super) const LISTS: TableDefinition<(&str, &str), ()> = TableDefinition::new("lists");

/// The last sequence number of each client.
pub(super) const SEQUENCES: TableDefinition<&str, u64> = TableDefinition::new("sequences");

/// Remembered `ref`s: when they are forgotten, and what was answered.
pub(super) const REPLAYS: TableDefinition<&[u8; 16], (i64, &str)> = TableDefinition::new("replays");

/// Imported listings, in the order in which they came and went; see [`super::imports`].
pub(super) const IMPORTS: TableDefinition<u64, &[u8]> = TableDefinition::new("imports");

const IDENTITY: &str = "identity";
const DIRECTORY: &str = "directory";
const BASE: &str = "tail";
const LOST: &str = "lost";
const JOURNAL: &str = "journal";

/// A failure of redb, as the rest of the house knows it.
pub(super) fn away(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => StoreError::Away(
            "another metrust has this file open; stop it first, or give this one a data folder \
             of its own (--data)"
                .to_owned(),
        ),
        redb::Error::Corrupted(what) => StoreError::Damaged(what),
        other => StoreError::Away(other.to_string()),
    }
}

pub(super) fn identity(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<Identity>, StoreError> {
    let Some(row) = meta.get(IDENTITY).map_err(away)? else {
        return Ok(None);
    };
    let (halves, format) = row.value().as_chunks::<16>();
    match (halves, format) {
        ([_, _], []) => Err(Identity::of_before()),
        ([store, fingerprint], [Identity::FORMAT]) => Ok(Some(Identity {
            store: *store,
            fingerprint: *fingerprint,
        })),
        _ => Err(StoreError::Damaged("its identity".to_owned())),
    }
}

pub(super) fn put_identity(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    identity: &Identity,
) -> Result<(), StoreError> {
    let Identity { store, fingerprint } = identity;
    let bytes = [&store[..], &fingerprint[..], &[Identity::FORMAT]].concat();
    meta.insert(IDENTITY, bytes.as_slice()).map_err(away)?;
    Ok(())
}

pub(super) fn directory_version(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<u64, StoreError> {
    number(meta, DIRECTORY).map(Option::unwrap_or_default)
}

pub(super) fn put_directory_version(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    version: u64,
) -> Result<(), StoreError> {
    put_number(meta, DIRECTORY, version)
}

/// What was acknowledged and is missing, where that is known and not accepted.
pub(super) fn loss(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<String>, StoreError> {
    let row = meta.get(LOST).map_err(away)?;
    Ok(row.map(|row| String::from_utf8_lossy(row.value()).into_owned()))
}

/// Marks the store, or takes the mark away; says whether that changed anything. A mark stays as it
/// was made.
pub(super) fn put_loss(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    what: Option<&str>,
) -> Result<bool, StoreError> {
    let is_marked = loss(meta)?.is_some();
    match what {
        Some(what) if !is_marked => drop(meta.insert(LOST, what.as_bytes()).map_err(away)?),
        None if is_marked => drop(meta.remove(LOST).map_err(away)?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// The files of the journal that held what the database did not, by number.
pub(super) fn journal(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Vec<u32>, StoreError> {
    let row = meta.get(JOURNAL).map_err(away)?;
    let numbers = row.map(|row| {
        let numbers = row.value().as_chunks::<4>().0.iter();
        numbers.copied().map(u32::from_be_bytes).collect()
    });
    Ok(numbers.unwrap_or_default())
}

pub(super) fn put_journal(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    files: &[u32],
) -> Result<(), StoreError> {
    let bytes: Vec<u8> = files.iter().flat_map(|file| file.to_be_bytes()).collect();
    meta.insert(JOURNAL, bytes.as_slice()).map_err(away)?;
    Ok(())
}

/// Before which place everything is sealed and dropped.
pub(super) fn base(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<u64>, StoreError> {
    number(meta, BASE)
}

pub(super) fn put_base(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    base: u64,
) -> Result<(), StoreError> {
    put_number(meta, BASE, base)
}

fn number(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &str,
) -> Result<Option<u64>, StoreError> {
    let row = meta.get(name).map_err(away)?;
    Ok(row.and_then(|row| {
        let bytes = <[u8; 8]>::try_from(row.value());
        bytes.ok().map(u64::from_be_bytes)
    }))
}

fn put_number(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    name: &str,
    number: u64,
) -> Result<(), StoreError> {
    let bytes = number.to_be_bytes();
    meta.insert(name, bytes.as_slice()).map_err(away)?;
    Ok(())
}

/// How many slices were put in for a seller, ever.
pub(super) fn puts(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    seller: SellerNumber,
) -> Result<u64, StoreError> {
    Ok(number(meta, &puts_of(seller))?.unwrap_or(0))
}

pub(super) fn put_puts(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    seller: SellerNumber,
    puts: u64,
) -> Result<(), StoreError> {
    put_number(meta, &puts_of(seller), puts)
}

fn puts_of(seller: SellerNumber) -> String {
    format!("puts:{}", seller.get())
}
