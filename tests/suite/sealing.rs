//! The sealed log whatever happens: processes that die or sleep anywhere in the cycle, several at
//! once, disks that fail, folders and stores that come back older, a year's end. Nothing
//! acknowledged is lost, nothing is there twice, and no checkpoint was ever taken back.
//!
//! What is asserted is read from the log's own files, not asked of the service.

#[path = "sealing/crashes.rs"]
mod crashes;
#[path = "sealing/disks.rs"]
mod disks;
#[path = "sealing/restored.rs"]
mod restored;
#[path = "sealing/several.rs"]
mod several;
#[path = "sealing/years.rs"]
mod years;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use serde_json::Value;

use crate::harness::sealed::{self, Watcher, assert_complete};
use crate::harness::{Api, Launch, eventually};

/// Twenty cycles a second.
fn quick(launch: Launch) -> Launch {
    launch.set("AUDIT__PERIOD_MS", "50")
}

/// Commits that are full after a few lists of checks, so that often there is more to seal, and the
/// next one is made ready while one is written out.
fn small_commits(launch: Launch) -> Launch {
    launch.variable("METRUST_TEST_SEALER_CYCLE", "50")
}

/// Waits until all that was acknowledged is under a published checkpoint, and the service has
/// nothing that is not.
#[track_caller]
fn wait_until_sealed(folder: &Path, operator: &Api, acknowledged: &[String]) {
    let id = |entry: &Value| entry["id"].as_str().unwrap().to_owned();
    let mut seen = (0, 0, 0);
    let done = catch_unwind(AssertUnwindSafe(|| {
        eventually("everything is sealed", || {
            let logs = sealed::read(folder);
            let sealed: Vec<String> = logs.iter().flat_map(|log| &log.entries).map(id).collect();
            let known: HashSet<_> = sealed.iter().collect();
            let missing = acknowledged.iter().filter(|id| !known.contains(id));
            seen = (sealed.len(), missing.count(), 0);
            if seen.1 > 0 {
                return false;
            }
            let exported: Vec<String> = operator.entries(&[]).iter().map(id).collect();
            seen.2 = exported.len();
            exported == sealed
        });
    }));
    if let Err(panic) = done {
        let (sealed, missing, exported) = seen;
        eprintln!("{sealed} sealed, {missing} acknowledged missing, {exported} exported");
        resume_unwind(panic);
    }
}

/// Waits until everything is sealed, and makes sure that the log is one story. Gives its entries.
#[track_caller]
fn assert_sealed(
    folder: &Path,
    operator: &Api,
    acknowledged: &[String],
    watcher: &Watcher,
) -> Vec<Value> {
    wait_until_sealed(folder, operator, acknowledged);
    assert!(acknowledged.len() > 256, "{} checks", acknowledged.len());
    assert_complete(folder, acknowledged, &watcher.seen())
}

fn incidents(entries: &[Value]) -> Vec<&Value> {
    let is_incident = |entry: &&Value| entry["op"] == "incident";
    entries.iter().filter(is_incident).collect()
}

/// The size of the newest checkpoint.
fn size(folder: &Path) -> u64 {
    sealed::read(folder).last().map_or(0, |log| log.size)
}
