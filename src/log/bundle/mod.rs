//! What goes into a bundle of evidence beside the logs: how to verify it, for people and machines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What `manifest.json` of a bundle says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The entries that are in the bundle, by the log's name, where these are not all: whole
    /// entry bundles, so there may be up to 255 more on either side.
    #[serde(default)]
    pub entries: BTreeMap<String, Part>,
}

/// A range of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The index of the first one.
    pub from: u64,
    /// The index after the last one.
    pub to: u64,
}
