//! The numbering plans of all countries: libphonenumber's metadata, newer than what the
//! `phonenumber` crate carries. `metadata/update` brings them up to date.
//!
//! They are data of the libphonenumber authors, under the Apache License 2.0.

use std::io::Read;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use phonenumber::metadata::{DATABASE, Database, loader};
use serde::Deserialize;

#[derive(Deserialize)]
struct Plans {
    version: String,
    regions: Vec<loader::Metadata>,
}

static PLANS: OnceLock<Option<(String, Database)>> = OnceLock::new();

fn plans() -> Option<&'static (String, Database)> {
    let read = || -> Option<_> {
        let packed = include_bytes!("metadata/plans.json.gz");
        let mut text = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut text).ok()?;
        let plans: Plans = serde_json::from_slice(&text).ok()?;
        Some((plans.version, Database::from(plans.regions).ok()?))
    };
    PLANS.get_or_init(read).as_ref()
}

/// The plans. (A test reads those that are built in; the crate's own are never needed.)
pub(super) fn database() -> &'static Database {
    plans().map_or_else(|| &*DATABASE, |(_, database)| database)
}

/// Which version of libphonenumber they are from, as in `9.0.43`.
#[must_use]
pub fn metadata_version() -> &'static str {
    plans().map_or("", |(version, _)| version)
}
