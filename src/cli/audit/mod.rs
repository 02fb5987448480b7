//! `metrust audit`: reading the record, keeping it, and verifying it.

mod export;
mod find;
mod key;
mod matching;
mod openings;
pub(super) mod place;
mod prune;
mod reindex;
mod release_month;
mod stream;
mod unpack;
mod verify;

use std::path::Path;

use clap::{Args, Subcommand};

use super::Outcome;

/// Read, keep and verify the audit: who asked, who was told what, who opted out when
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Export(export::Export),
    Match(matching::Match),
    Verify(verify::Verify),
    Find(find::Find),
    Openings(openings::Openings),
    Key(key::Key),
    Prune(prune::Prune),
    ReleaseMonth(release_month::ReleaseMonth),
    Reindex(reindex::Reindex),
}

impl Audit {
    pub(super) fn run(&self, data: &Path) -> Outcome {
        match &self.command {
            Command::Export(export) => export.run(data),
            Command::Match(matching) => matching.run(data),
            Command::Verify(verify) => verify.run(),
            Command::Find(find) => find.run(),
            Command::Openings(openings) => openings.run(data),
            Command::Key(key) => key.run(data),
            Command::Prune(prune) => prune.run(data),
            Command::ReleaseMonth(release) => release.run(data),
            Command::Reindex(reindex) => reindex.run(data),
        }
    }
}
