//! What goes into a bundle of evidence beside the logs: how to verify it, for people and machines.
//!
//! A bundle is a folder of logs as they are published (C2SP tlog-tiles), with the keys, a page of
//! explanation, two verifiers that share no code with this program, and a manifest. This file knows
//! what they say; whoever makes the bundle copies the logs.

mod read;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::Moment;

pub use read::{ReadError, SignedLog, open};

const README: &str = include_str!("README.md");
const VERIFY_PY: &str = include_str!("../../../tests/interop/verify.py");
const VERIFY_GO: &str = include_str!("../../../tests/interop/verify.go");

/// What `manifest.json` of a bundle says. It is not signed: nothing is concluded from it but which
/// entries to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of metrust that made the bundle.
    #[serde(default)]
    pub version: String,
    /// When.
    #[serde(default)]
    pub made: Option<Moment>,
    /// The names of the logs in it, oldest first.
    #[serde(default)]
    pub logs: Vec<String>,
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

/// The files that every bundle has beside its logs and keys: their names and what they hold.
#[must_use]
pub fn files(manifest: &Manifest) -> [(&'static str, String); 4] {
    // Texts, numbers and lists can always be written as JSON.
    let mut json = serde_json::to_string_pretty(manifest).unwrap_or_default();
    json.push('\n');
    [
        ("README.md", readme(manifest)),
        ("verify.py", VERIFY_PY.to_owned()),
        ("verify.go", VERIFY_GO.to_owned()),
        ("manifest.json", json),
    ]
}

/// Lays these files into a folder, each synced to disk; the folder itself is for the caller to sync.
///
/// # Errors
/// If one cannot be written, or is there already.
pub fn lay(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    for (name, text) in files(manifest) {
        let mut file = File::create_new(folder.join(name))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    Ok(())
}

fn readme(manifest: &Manifest) -> String {
    let newest = manifest.logs.last().map_or("2026", String::as_str);
    let logs: Vec<String> = manifest.logs.iter().map(|log| format!("`{log}`")).collect();
    let parts = manifest.entries.iter().map(|(log, part)| {
        let last = part.to.saturating_sub(1);
        format!("of `{log}`, only the entries {} to {last}", part.from)
    });
    let parts: Vec<String> = parts.collect();
    let content = match parts.is_empty() {
        true => String::new(),
        false => format!(
            " **Not all entries are in this folder**: {}. Of the others there are the hashes, \
             which are verified; what they say is not.",
            parts.join("; ")
        ),
    };
    let made = manifest
        .made
        .map_or_else(|| "an unknown day".to_owned(), |at| at.to_string());
    README
        .replace("{{made}}", &made)
        .replace("{{version}}", &manifest.version)
        .replace("{{logs}}", &logs.join(", "))
        .replace("{{log}}", newest)
        .replace(" {{content}}", &content)
}
