//! The numbering plans of all countries: libphonenumber's metadata, newer than what the
//! `phonenumber` crate carries. `metadata/update` brings them up to date.
//!
//! They are data of the libphonenumber authors, under the Apache License 2.0 (`NOTICE`).

use std::io::BufReader;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use phonenumber::metadata::{Database, loader};
use serde::Deserialize;

#[derive(Deserialize)]
struct Plans {
    version: String,
    regions: Vec<loader::Metadata>,
}

static PLANS: LazyLock<(String, Database)> = LazyLock::new(read);

/// # Panics
/// If what is built in is not what `metadata/update` wrote: with other plans an opt-out of before would
/// be looked for under another number. Tests read it, and so does every start.
#[allow(
    clippy::expect_used,
    reason = "the plans are built in; without them no number can be read, and stopping is safe"
)]
fn read() -> (String, Database) {
    let packed = include_bytes!("metadata/plans.json.gz");
    let plans: Plans = serde_json::from_reader(BufReader::new(GzDecoder::new(&packed[..])))
        .expect("the numbering plans that are built in can be read");
    let database = Database::from(plans.regions).expect("the numbering plans are whole");
    (plans.version, database)
}

/// The plans.
#[must_use]
pub fn database() -> &'static Database {
    &PLANS.1
}

/// Which version of libphonenumber they are from, as in `9.0.43`.
#[must_use]
pub fn metadata_version() -> &'static str {
    &PLANS.0
}
